"""Correlation: how alike the minute returns of two symbols have been lately.

Every closed minute that both symbols of a pair were seen in counts once (returns of the feature kernel's minute samples, mean
zero)::

    a     = max(1 / T, 1 - 2^(-1 / half life))                         T = minutes of the pair so far
    c_ij <- c_ij + a (r_i r_j - c_ij),   v_ij <- v_ij + a (r_i^2 - v_ij)          v_ij: variance of i in the minutes of the pair
    rho_ij = c_ij / sqrt(v_ij v_ji)                                    within [-1, 1] by Cauchy-Schwarz

Sample correlations of few minutes are mostly noise, so they are shrunk towards their mean, the more the noisier they are
compared with how much they differ::

    rbar   = mean of rho_ij over the pairs of at least `minutes_min`
    delta  = min(1, sum Var(rho_ij) / sum (rho_ij - rbar)^2),   Var(rho) = (1 - rho^2)^2 / (T' - 1),   T' = min(T, 2 / a - 1)
    rho*   = delta rbar + (1 - delta) rho                              rbar for a pair not known yet, 0 while none is

Learning a minute takes n^2 steps, once a minute; a correlation that is asked for takes a few. Minutes are learned when a cycle
begins, as many as have closed since the last one; backlog beyond the feature kernel's ring is left out. A minute without a change
is a return of zero; what was not seen for more than `features.break_min`, and a night, has no return.

References
----------
Ledoit, O. and Wolf, M. (2004), "Honey, I Shrunk the Sample Covariance Matrix", Journal of Portfolio Management 30(4): the
constant-correlation target. Schaefer, J. and Strimmer, K. (2005), "A Shrinkage Approach to Large-Scale Covariance Matrix
Estimation", Statistical Applications in Genetics and Molecular Biology 4(1), equation 8: the weight, as noise over spread.
J.P. Morgan/Reuters (1996), "RiskMetrics Technical Document", section 5.2: exponential covariances of mean zero.
"""

import math
from typing import NamedTuple

import numpy as np

from replay.bundle import bundle
from replay.jit import kernel
from replay.numeric import exp
from strategy.features import MINUTE_NS, RING
from strategy.modes import ENHANCED

_LN2 = 0.6931471805599453

PAIR = np.dtype(
    [
        ("cross", "f8"),  # c_ij
        ("own", "f8"),  # v_ij
        ("minute_count", "i8"),  # T
    ],
    align=True,
)

ALIKE = np.dtype(
    [
        ("minute_ns", "i8"),  # end of the last minute learned
        ("pair_count", "i8"),  # pairs of at least `minutes_min`
        ("mean", "f8"),  # rbar
        ("shrink", "f8"),  # delta
    ],
    align=True,
)


@bundle
class Correlation(NamedTuple):
    """State of the correlations."""

    alike: np.ndarray  # ALIKE, one row
    pairs: np.ndarray  # PAIR (n_symbols, n_symbols)
    returns: np.ndarray  # float64 (n_symbols,), scratch: of one minute, bps; NaN = not seen


def new_correlation(n_symbols: int) -> Correlation:
    """Return correlations of symbols of which nothing was seen."""
    alike = np.zeros(1, ALIKE)
    alike["shrink"] = 1.0
    return Correlation(alike, np.zeros((n_symbols, n_symbols), PAIR), np.zeros(n_symbols))


@kernel
def catch_up(now_ns, features, minutes, correlation, all_params):
    """Learn all minutes that closed by `now_ns` and were not learned yet; at most once a minute there is anything to do."""
    alike = correlation.alike[0]
    params = all_params["risk"]
    last_ns = now_ns // MINUTE_NS * MINUTE_NS
    if alike["minute_ns"] >= last_ns or params[0]["mode"] != ENHANCED:
        return
    end_ns = max(alike["minute_ns"], last_ns - (RING - 1) * MINUTE_NS) + MINUTE_NS
    while end_ns <= last_ns:
        for s in range(len(features)):
            correlation.returns[s] = return_bps(s, end_ns, features, minutes, all_params["features"])
        learn_minute(correlation, params)
        end_ns += MINUTE_NS
    alike["minute_ns"] = last_ns
    judge_pairs(correlation, params)


@kernel
def return_bps(s, end_ns, features, minutes, feature_params):
    """Return the return of the minute that ended at `end_ns`, bps; NaN where one of its two samples is missing."""
    before = sample_mid2(s, end_ns - MINUTE_NS, features, minutes, feature_params)
    mid2 = sample_mid2(s, end_ns, features, minutes, feature_params)
    if before == 0 or mid2 == 0:
        return math.nan
    return 10_000.0 * (mid2 - before) / before


@kernel
def sample_mid2(s, end_ns, features, minutes, feature_params):
    """Return the sample of the minute that ended at `end_ns`, 0 = none.

    What the feature kernel would hold once rolled; rolling here would let the cycle of one symbol change another.
    """
    row = features[s]
    if end_ns >= row["minute_ns"]:
        quiet_count = (end_ns - row["minute_ns"]) // MINUTE_NS
        if row["event_count"] == 0:
            quiet_count += row["quiet_count"] + 1
        return row["mid2"] if quiet_count <= feature_params[0]["break_min"] else 0
    back = (row["minute_ns"] - MINUTE_NS - end_ns) // MINUTE_NS
    if back >= row["sample_count"]:
        return 0
    return minutes[s]["mid2"][(row["head"] - 1 - back) % RING]


@kernel
def learn_minute(correlation, params):
    """Bring `correlation.returns` into all pairs that were seen."""
    pairs = correlation.pairs
    returns = correlation.returns
    least = least_step(params)
    for i in range(len(returns)):
        for j in range(i):
            cross = returns[i] * returns[j]
            if math.isfinite(cross):
                pair = pairs[i, j]
                pair["minute_count"] += 1
                step = max(1.0 / pair["minute_count"], least)
                pair["cross"] += step * (cross - pair["cross"])
                pair["own"] += step * (returns[i] * returns[i] - pair["own"])
                mirror = pairs[j, i]
                mirror["minute_count"] = pair["minute_count"]
                mirror["cross"] = pair["cross"]
                mirror["own"] += step * (returns[j] * returns[j] - mirror["own"])


@kernel
def least_step(params):
    """Return the weight of a new minute in a long history."""
    return 1.0 - exp(-_LN2 / params[0]["correlation_half_life_min"])


@kernel
def judge_pairs(correlation, params):
    """Write mean and shrinkage of the pairs that are known."""
    n_pairs = 0
    total = 0.0
    squares = 0.0
    noise = 0.0
    most = 2.0 / least_step(params) - 1.0
    for i in range(len(correlation.returns)):
        for j in range(i):
            if is_known(i, j, correlation, params):
                rho = sample_rho(i, j, correlation)
                n_pairs += 1
                total += rho
                squares += rho * rho
                rest = 1.0 - rho * rho
                noise += rest * rest / (min(correlation.pairs[i, j]["minute_count"] * 1.0, most) - 1.0)
    _write_alike(n_pairs, total, squares, noise, correlation.alike[0])


@kernel
def _write_alike(n_pairs, total, squares, noise, alike):
    alike["pair_count"] = n_pairs
    alike["mean"] = total / n_pairs if n_pairs > 0 else 0.0
    spread = squares - total * alike["mean"]
    alike["shrink"] = noise / spread if noise < spread else 1.0


@kernel
def is_known(i, j, correlation, params):
    """Tell whether a pair was seen long enough, and moved."""
    pair = correlation.pairs[i, j]
    if pair["minute_count"] < params[0]["correlation_minutes_min"]:
        return False
    return pair["own"] > 0.0 and correlation.pairs[j, i]["own"] > 0.0


@kernel
def sample_rho(i, j, correlation):
    """Return the correlation of a pair that moved, as it was seen."""
    pair = correlation.pairs[i, j]
    rho = pair["cross"] / (math.sqrt(pair["own"]) * math.sqrt(correlation.pairs[j, i]["own"]))
    return min(max(rho, -1.0), 1.0)


@kernel
def shrunk_rho(i, j, correlation, params):
    """Return rho* of two different symbols."""
    alike = correlation.alike[0]
    if not is_known(i, j, correlation, params):
        return alike["mean"]
    return alike["mean"] + (1.0 - alike["shrink"]) * (sample_rho(i, j, correlation) - alike["mean"])
