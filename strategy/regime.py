"""Regime: is the market calm, normal or wild *for this symbol at this time of day*?

Volatility is averaged at three speeds (the middle one is `vol_bps` of `strategy.features`), with the profile of the day taken
out of the comparison::

    f_t = f_{t-1} + a_f (r_t^2 - f_{t-1})          fast,    half-life `fast_half_life_min`
    w_t = w_{t-1} + a_w (r_t^2 - w_{t-1})          slow,    half-life `slow_half_life_min`
    x_t = r_t^2 / w_{t-1}                          how much more than usual this minute moved
    P_b = P_b + max(1/days, 1/PROFILE_DAYS) (mean of x over a day's minutes in b - P_b)          b = half hour of the day, UTC
    ratio = sqrt(f / (w P_b))                      P_b of past days only; 1 before the first

A half hour is learned when it is over, so a day is never compared with itself. The profile is held within `PROFILE_MIN` and
`PROFILE_MAX`. The state is 1 (wild) from `ratio > regime_high` until `ratio < regime_back`, -1 (calm) from `ratio < regime_low`
until `ratio > 1 / regime_back`, else 0: between entering and leaving lies a band, so noise around one level does not switch it.
Until `regime_returns` minutes are known the ratio is 0, which means unknown, and the state 0.
"""

import math

from replay.jit import kernel
from replay.numeric import exp

MINUTE_NS = 60_000_000_000
BINS = 48
BIN_NS = 30 * MINUTE_NS
PROFILE_DAYS = 20.0
PROFILE_MIN = 0.1
PROFILE_MAX = 10.0
_LN2 = 0.6931471805599453


@kernel
def step_of(half_life_min):
    """Return the weight of one minute in an average of this half-life."""
    return 1.0 - exp(-_LN2 / half_life_min)


@kernel
def learn_speeds(row, ring, return_bps, start_ns, param):
    """Bring the return of the minute that began at `start_ns` into both speeds and the profile; count it before."""
    square = return_bps * return_bps
    _learn_profile(row, ring, square, start_ns)
    first = 1.0 / row["return_count"]
    row["var_fast_bps2"] += max(first, step_of(param["fast_half_life_min"])) * (square - row["var_fast_bps2"])
    row["var_slow_bps2"] += max(first, step_of(param["slow_half_life_min"])) * (square - row["var_slow_bps2"])


@kernel
def _learn_profile(row, ring, square, start_ns):
    """Add a minute to its half hour; a half hour that is over goes into the profile."""
    half_hour = start_ns // BIN_NS
    if half_hour != row["half_hour"]:
        if row["half_hour_count"] > 0:
            _close_half_hour(row, ring)
        row["half_hour"] = half_hour
        row["half_hour_count"] = 0
        row["half_hour_sum"] = 0.0
    if row["var_slow_bps2"] > 0.0:
        row["half_hour_count"] += 1
        row["half_hour_sum"] += square / row["var_slow_bps2"]


@kernel
def _close_half_hour(row, ring):
    b = row["half_hour"] % BINS
    ring["profile_days"][b] += 1
    step = max(1.0 / ring["profile_days"][b], 1.0 / PROFILE_DAYS)
    ring["profile"][b] += step * (row["half_hour_sum"] / row["half_hour_count"] - ring["profile"][b])


@kernel
def profile_at(ring, ts_ns):
    """Return how much more than usual the half hour of `ts_ns` moves, as a ratio of variances; 1 where it is unknown."""
    b = ts_ns // BIN_NS % BINS
    if ring["profile_days"][b] == 0:
        return 1.0
    return min(max(ring["profile"][b], PROFILE_MIN), PROFILE_MAX)


@kernel
def publish_regime(row, ring, start_ns, param):
    """Write ratio and state after the minute that began at `start_ns`."""
    level = row["var_slow_bps2"] * profile_at(ring, start_ns)
    if row["return_count"] < param["regime_returns"] or level <= 0.0:
        return
    row["vol_ratio"] = math.sqrt(row["var_fast_bps2"] / level)
    row["regime"] = next_regime(row["regime"], row["vol_ratio"], param)


@kernel
def next_regime(regime, ratio, param):
    """Return the state that follows on a state at this ratio."""
    if ratio > param["regime_high"] or (regime > 0 and ratio >= param["regime_back"]):
        return 1
    if ratio < param["regime_low"] or (regime < 0 and ratio * param["regime_back"] <= 1.0):
        return -1
    return 0
