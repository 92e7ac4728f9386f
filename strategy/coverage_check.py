"""Is the interval calibrated? Coverage, tails, trades taken and margin buckets, each with its effective sample size.

Outcomes that overlap, in time or across symbols, say less than their number. Two estimates of the effective count, and the lesser
holds::

    by overlap    W outcomes of one symbol and horizon with an overlap of h updates:  min(W, 2 W / h), pooled
    by clusters   misses summed over stretches of two longest horizons, all symbols together:  W^2 s^2 / sum (r_c)^2;
                  with fewer than eight stretches nobody knows what symbols share, and only the richest symbol counts

The alarm is a sequential test. Time is cut into slots as long as the horizon; every second slot is one step, so that all outcomes
of a step are known before the next begins. `x` is the mean miss of a step, all symbols together, less the 0.2 that is promised::

    E = mean over streams and bets of  prod (1 + bet x)

If the interval is honest, E exceeds 1/d with probability at most d, whatever the symbols have in common. One E for intervals that
are too narrow, one for those too wide. To fail takes 40 (d = 2.5 % each) and a coverage outside 70 to 90; to warn, less.
"""

import math
from typing import Any

import numpy as np

from strategy.check import FAIL, PASS, WARN, Check, Modes, VerificationSettings, column, judged, switch, unknown
from strategy.decision import Reason

MISS = 0.2
EVIDENCE = 40.0
EVIDENCE_TO_WARN = 4.0
EVIDENCE_OF_PART = 10.0  # of a tail, or of the trades taken: more of them could be wrong by chance
SIGMAS = 2.6  # a warning needs as much beside its bound: one in a hundred
BUCKETS = 3
_NAME, _TARGET = "conformal_coverage", "75 to 85 %"
_BETS = np.array([0.05, 0.1, 0.2, 0.4, 0.8])
_MINUTE_NS = 60_000_000_000
_CLUSTERS_MIN = 8
_TAKEN_MIN = 30.0
_LOG_MAX = 60.0


def check_coverage(
    decisions: Any,
    outcomes_bps: np.ndarray | None,
    settings: VerificationSettings,
    *,
    is_mean_gate: bool = False,
    modes: Modes | None = None,
) -> Check:
    """Judge how many outcomes fell into the interval that was issued.

    With `is_mean_gate` the gate judged a bound on the mean, which single outcomes may miss; trades are then held to the interval.
    """
    if decisions is None or outcomes_bps is None:
        return unknown(_NAME, _TARGET, 0.0, "it takes decisions and what came of them: run a session with quotes and forecasts")
    lowest, highest = (np.asarray(decisions[name], float) for name in ("q_lo_bps", "q_hi_bps"))
    is_known = np.isfinite(outcomes_bps) & (lowest < highest)  # NaN is below nothing
    below, above = (outcomes_bps < lowest) & is_known, (outcomes_bps > highest) & is_known
    missed = below | above
    n_eff = effective_misses(decisions, missed, is_known)
    if n_eff < settings.coverage_n_eff_min:
        need = settings.coverage_n_eff_min
        return unknown(_NAME, _TARGET, n_eff, f"it takes {need} effective outcomes, {n_eff:.0f} are known: replay more sessions")
    value = 100.0 * (1.0 - float(missed[is_known].mean()))
    narrow, wide = evidence(decisions, missed, is_known)
    tails = {"below": below, "above": above}
    details = {
        **{f"{name}_pct": 100.0 * float(tail[is_known].mean()) for name, tail in tails.items()},
        **{f"{name}_n_eff": effective_misses(decisions, tail, is_known) for name, tail in tails.items()},
        **{f"{name}_evidence": max(evidence(decisions, tail, is_known, MISS / 2)) for name, tail in tails.items()},
        "evidence_too_narrow": narrow,
        "evidence_too_wide": wide,
        **taken_figures(decisions, outcomes_bps, is_known, is_mean_gate),
        "buckets": bucket_figures(decisions, missed, is_known),
    }
    status, advice = _verdict(value, n_eff, details, modes)
    return judged(_NAME, status, value, _TARGET, n_eff, advice, **details)


def _verdict(value: float, n_eff: float, found: dict[str, Any], modes: Modes | None) -> tuple[str, str]:
    """Return status and advice: the whole interval first, then its tails, then the trades taken."""
    seen = f"{value:.1f} % of {n_eff:.0f} effective outcomes were inside"
    mend = f"the intervals are too {'narrow' if value < 80.0 else 'wide'}: {_recalibrate(modes)}"
    is_out = not 70.0 <= value <= 90.0
    proof = max(found["evidence_too_narrow"], found["evidence_too_wide"])
    if is_out and proof >= EVIDENCE:
        return FAIL, f"{seen}, {mend}"
    if is_out or (abs(value - 80.0) > max(5.0, SIGMAS * _noise_pct(MISS, n_eff)) and proof >= EVIDENCE_TO_WARN):
        return WARN, f"{seen}, {mend}"
    for tail in ("below", "above"):
        share, noise = found[f"{tail}_pct"], _noise_pct(MISS / 2, found[f"{tail}_n_eff"])
        if abs(share - 10.0) > max(4.0, SIGMAS * noise) and found[f"{tail}_evidence"] >= EVIDENCE_OF_PART:
            return WARN, f"{share:.1f} % of outcomes fell {tail} the interval, 10 % should: {_recalibrate(modes)}"
    missed, n_taken = found["taken_miss_pct"], found["taken_n_eff"]
    is_surely = n_taken >= _TAKEN_MIN and found["taken_evidence"] >= EVIDENCE_OF_PART
    if is_surely and missed > 10.0 + max(5.0, SIGMAS * _noise_pct(MISS / 2, n_taken)):
        return (
            WARN,
            f"{missed:.1f} % of {n_taken:.0f} trades taken ended beyond their bound, 10 % should: raise arbiter.reserve_bps",
        )
    return PASS, ""


def _recalibrate(modes: Modes | None) -> str:
    anew = "train the forecasts anew"
    advice = switch("gate", "enhanced", modes, anew)
    return advice if advice == anew else f"{advice}, which recalibrates each tail, or {anew}"


def _noise_pct(share: float, n_eff: float) -> float:
    return 100.0 * math.sqrt(share * (1.0 - share) / max(n_eff, 1.0))


def effective_misses(decisions: Any, missed: np.ndarray, is_known: np.ndarray) -> float:
    """Return the effective number of outcomes: the lesser of what overlap and what clusters of misses leave."""
    by_overlap = effective_count(decisions, is_known)
    horizons = np.asarray(decisions["horizon_min"])[is_known]
    if not len(horizons):
        return 0.0
    stretch = np.asarray(decisions["ts_ns"])[is_known] // (2 * int(horizons.max()) * _MINUTE_NS)
    _, place = np.unique(stretch, return_inverse=True)
    share = missed[is_known].mean()
    sums = np.bincount(place, weights=missed[is_known] - share)
    spread = float((sums**2).sum()) * len(sums) / max(len(sums) - 1, 1)
    if len(sums) < _CLUSTERS_MIN:
        symbols = np.asarray(decisions["symbol"])
        return max(effective_count(decisions, is_known & (symbols == symbol)) for symbol in np.unique(symbols[is_known]))
    if spread <= 0.0:
        return by_overlap
    return min(by_overlap, float(len(horizons) ** 2 * share * (1.0 - share) / spread))


def effective_count(decisions: Any, is_known: np.ndarray) -> float:
    """Return the effective number of overlapping outcomes, pooled over symbols and horizons."""
    symbols, horizons = np.asarray(decisions["symbol"])[is_known], np.asarray(decisions["horizon_min"])[is_known]
    times = np.asarray(decisions["ts_ns"])[is_known]
    total = 0.0
    for symbol, horizon in sorted(set(zip(symbols.tolist(), horizons.tolist(), strict=True))):
        own = times[(symbols == symbol) & (horizons == horizon)]
        gap_ns = float(np.median(np.diff(own))) if len(own) > 1 else math.inf
        overlap = max(1.0, horizon * _MINUTE_NS / gap_ns) if gap_ns > 0 else math.inf
        total += min(len(own), 2.0 * len(own) / overlap)
    return total


def evidence(decisions: Any, missed: np.ndarray, is_known: np.ndarray, promised: float = MISS) -> tuple[float, float]:
    """Return the e-values against "that share of outcomes is missed": for more of them, and for fewer."""
    horizons = np.asarray(decisions["horizon_min"])[is_known]
    times, misses = np.asarray(decisions["ts_ns"])[is_known], missed[is_known]
    steps = []
    for horizon in np.unique(horizons):
        own = horizons == horizon
        slot = times[own] // (int(horizon) * _MINUTE_NS)
        steps += [_means(slot[slot % 2 == k], misses[own][slot % 2 == k]) - promised for k in (0, 1)]
    steps = [stream for stream in steps if len(stream)]
    return _wealth(steps, 1.0 / promised), _wealth([-stream for stream in steps], 1.0 / (1.0 - promised))


def _means(slot: np.ndarray, misses: np.ndarray) -> np.ndarray:
    _, place = np.unique(slot, return_inverse=True)
    means: np.ndarray = np.bincount(place, weights=misses) / np.maximum(np.bincount(place), 1)
    return means


def _wealth(streams: list[np.ndarray], largest_bet: float) -> float:
    """Return the mean wealth over streams and bets, capped where it decides nothing any more."""
    logs = [np.log1p(bet * largest_bet * stream).sum() for stream in streams for bet in _BETS]
    return float(np.mean(np.exp(np.minimum(logs, _LOG_MAX)))) if logs else 1.0


def taken_figures(decisions: Any, outcomes_bps: np.ndarray, is_known: np.ndarray, is_mean_gate: bool) -> dict[str, Any]:
    """Return how many of the trades taken ended beyond the bound that let them pass, against 10 %."""
    reasons, sides = column(decisions, "reason"), column(decisions, "side")
    if reasons is None or sides is None:
        return {"taken_miss_pct": None, "taken_n_eff": 0.0, "taken_evidence": 1.0}
    taken = is_known & (reasons == Reason.TARGET_SET) & (sides != 0)
    lowest, highest = (_bound(decisions, tail, is_mean_gate) for tail in ("lo", "hi"))
    bound = np.where(sides > 0, lowest, highest)
    beyond = (sides * (outcomes_bps - bound) < 0) & taken
    return {
        "taken_miss_pct": 100.0 * float(beyond[taken].mean()) if taken.any() else None,
        "taken_n_eff": effective_misses(decisions, beyond, taken),
        "taken_evidence": evidence(decisions, beyond, taken, MISS / 2)[0],
    }


def _bound(decisions: Any, tail: str, is_mean_gate: bool) -> np.ndarray:
    """Return what the gate judged; the bound of the interval where it judged no bound on outcomes."""
    shown, asked = np.asarray(decisions[f"q_{tail}_bps"], float), column(decisions, f"gate_{tail}_bps")
    return shown if asked is None or is_mean_gate else np.where(np.isfinite(asked) & (asked != 0.0), asked, shown)


def bucket_figures(decisions: Any, missed: np.ndarray, is_known: np.ndarray) -> list[dict[str, float]]:
    """Return coverage by terciles of the margin: how far the better bound lies above its cost, in sigma."""
    cost, sigma = column(decisions, "cost_bps"), column(decisions, "sigma_bps")
    if cost is None or sigma is None:
        return []
    clear = np.maximum(np.asarray(decisions["q_lo_bps"]), -np.asarray(decisions["q_hi_bps"])) - cost
    is_usable = is_known & (sigma > 0) & np.isfinite(clear)
    margin = np.divide(clear, sigma, out=np.full(len(clear), np.nan), where=is_usable)
    if not is_usable.any():
        return []
    edges = np.quantile(margin[is_usable], np.linspace(0, 1, BUCKETS + 1)[1:])
    bucket = np.searchsorted(edges[:-1], margin, side="left")
    found = []
    for k in range(BUCKETS):
        own = is_usable & (bucket == k)
        if own.any():
            share = 100.0 * (1.0 - float(missed[own].mean()))
            found.append(
                {"margin_up_to": float(edges[k]), "coverage_pct": share, "n_eff": effective_misses(decisions, missed, own)}
            )
    return found
