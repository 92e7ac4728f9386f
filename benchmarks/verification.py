"""How often does the checklist cry wolf, and what does it miss? Pools of twelve sessions, healthy and with faults put in.

The pools are drawn by generators (`benchmarks.unhealthy`), not run by the engine. A fault counts as found when its own check
warns or fails; a false alarm is a FAIL of any check on a healthy pool. Intervals are exact binomial ones, 95 %.

The selector is measured apart: the arbiter's mixture over five horizons (5 to 60 min) and 60,000 minutes, in markets whose best
horizon changes every 2,000 minutes, never, or does not exist.
"""

from __future__ import annotations

from math import comb

import numpy as np

from benchmarks.measure import Figure
from benchmarks.unhealthy import FAULTS, MINUTES, SESSIONS, Fault, Pool, pool
from benchmarks.unhealthy import HORIZONS_MIN as POOL_HORIZONS_MIN
from strategy.arbiter import evaluate
from strategy.decision import DECISION
from strategy.selector_check import check_selector
from strategy.verification import FAIL, NOT_ENOUGH_DATA, WARN, Check, Verification, VerificationSettings

N_HEALTHY, N_FAULTY, N_ON_THE_WAY, N_SEEDS = 200, 100, 60, 40
HORIZONS_MIN = (5, 10, 15, 30, 60)
N_BARS = 60_000
_MINUTE_NS = 60_000_000_000


def judge(rows: Pool) -> dict[str, Check]:
    """Judge a pool."""
    verification = Verification()
    verification.log_cycles(rows.cycles)
    seen = {"rewards": rows.rewards, "outcomes_bps": rows.outcomes_bps}
    checks = verification.run_full(rows.decisions, rows.orders, **seen, horizons_min=POOL_HORIZONS_MIN, has_regimes=False)
    return {check.name: check for check in checks}


def main() -> list[Figure]:
    """Measure false alarms, missed faults and the selector's test."""
    return [*healthy(), *on_the_way(), *faults(), *selector()]


def healthy() -> list[Figure]:
    """Count alarms on pools without a fault."""
    found = [judge(pool(seed, Fault())) for seed in range(N_HEALTHY)]
    failed = sum(any(check.status == FAIL for check in checks.values()) for checks in found)
    warned = sum(any(check.status in (FAIL, WARN) for check in checks.values()) for checks in found)
    unsaid = sum(any(check.status == NOT_ENOUGH_DATA for check in checks.values()) for checks in found)
    return [
        share_at_most("healthy: any check fails", failed, N_HEALTHY),
        share_at_most("healthy: any check warns or fails", warned, N_HEALTHY),
        share_at_most("healthy: any check lacks data", unsaid, N_HEALTHY),
    ]


def on_the_way() -> list[Figure]:
    """Count pools in which a check fails after any of the twelve sessions."""
    n_failed, n_warned = 0, 0
    for seed in range(7_000, 7_000 + N_ON_THE_WAY):
        whole = pool(seed, Fault())
        parts = (judge(whole.until(day * MINUTES)) for day in range(1, SESSIONS + 1))
        found = {check.status for checks in parts for check in checks.values()}
        n_failed, n_warned = n_failed + (FAIL in found), n_warned + (FAIL in found or WARN in found)
    return [
        share_at_most("healthy: any check fails after any session", n_failed, N_ON_THE_WAY),
        share_at_most("healthy: any check warns or fails after any session", n_warned, N_ON_THE_WAY),
    ]


def faults() -> list[Figure]:
    """Count the faults that their check did not notice."""
    figures = []
    for name, (check, fault) in FAULTS.items():
        found = [judge(pool(seed, fault))[check].status for seed in range(N_FAULTY)]
        missed = sum(status not in (FAIL, WARN) for status in found)
        figures.append(share_at_most(f"missed: {name}", missed, N_FAULTY))
    return figures


def selector() -> list[Figure]:
    """Count how often the selector is seen to adapt, and how often it is called worse than static."""
    worlds = {"switching": (2_000, 0.1), "stationary": (N_BARS, 0.1), "noise": (N_BARS, 0.0)}
    figures = []
    for name, (every, size) in worlds.items():
        checks = [_selector_in(seed, every, size) for seed in range(N_SEEDS)]
        adapting = sum(check.details["is_adapting"] for check in checks)
        if name == "switching":
            share = 100.0 * adapting / N_SEEDS
            label = f"selector seen to adapt, switching ({_interval(adapting, N_SEEDS)})"
            figures.append(Figure.at_least(label, share, "%", 85))
        figures.append(share_at_most(f"selector fails, {name}", sum(check.status == FAIL for check in checks), N_SEEDS))
    return figures


def _selector_in(seed: int, every: int, size: float) -> Check:
    """Judge the mixture's weights in one market: overlapping noise of unit variance, and means that are drawn anew."""
    rng = np.random.default_rng(seed)
    rewards = np.zeros((N_BARS, len(HORIZONS_MIN)))
    for k, horizon in enumerate(HORIZONS_MIN):
        walk = np.cumsum(np.r_[0.0, rng.standard_normal(N_BARS + horizon)])
        rewards[:, k] = (walk[horizon : horizon + N_BARS] - walk[:N_BARS]) / np.sqrt(horizon)
    means = rng.normal(0.0, size, (N_BARS // every + 1, len(HORIZONS_MIN)))
    rewards += np.repeat(means, every, axis=0)[:N_BARS]
    rows = np.zeros(N_BARS, DECISION)
    rows["ts_ns"] = np.arange(N_BARS) * _MINUTE_NS
    rows["weights"][:, : len(HORIZONS_MIN)] = evaluate(rewards, HORIZONS_MIN).to_numpy()
    return check_selector(rows, rewards, VerificationSettings(), HORIZONS_MIN, has_regimes=False)


def share_at_most(name: str, hits: int, n: int) -> Figure:
    """Make a figure of a share that should not exceed 5 %, with its exact interval."""
    return Figure.at_most(f"{name} ({_interval(hits, n)})", 100.0 * hits / n, "%", 5)


def _interval(hits: int, n: int) -> str:
    """Return the exact 95 % interval of a share."""
    low = 0.0 if hits == 0 else _solve(lambda p: 1.0 - _at_most_hits(hits - 1, n, p), 0.025)
    high = 1.0 if hits == n else _solve(lambda p: 1.0 - _at_most_hits(hits, n, p), 0.975)
    return f"{hits} of {n}, {100 * low:.1f} to {100 * high:.1f} %"


def _at_most_hits(hits: int, n: int, p: float) -> float:
    return sum(comb(n, k) * p**k * (1.0 - p) ** (n - k) for k in range(hits + 1))


def _solve(rising, wanted: float) -> float:  # type: ignore[no-untyped-def]
    """Find where a rising function of a share reaches a value, by halving."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < wanted else (low, middle)
    return low
