"""Verification: is the pipeline healthy? Six checks with a status, the number behind it and what to do.

=====================  ===========================================================================  ====================
check                  value                                                                        healthy
=====================  ===========================================================================  ====================
conformal_coverage     per cent of outcomes inside the interval that was issued                     75 to 85, alert 70/90
selector_adapts        t of the paired gain over the selector's own static weights                  above -1.65
execution_sla          per cent of plans terminal within working time + latency                     95, alert below 90
churn                  per cent of turnover from moves smaller than the no-trade band               near zero
component_errors       per cent of decisions with a component in error                              below 10, alert at 15
weights_normal         per cent of cycles whose weights sum to one                                  100
=====================  ===========================================================================  ====================

Overlapping labels say less than their number: `W` outcomes with an overlap of `h` updates count as `n_eff = min(W, 2 W / h)`,
where `h` is the horizon over the typical time between two decisions of that symbol and horizon. Checks pool symbols and horizons.

The paired gain of decision t is `g_t = (w_t - mean of w before t) . x_t` with `x_t` the matured net rewards of all horizons;
t is that of the means of blocks of `block_size` decisions. Raw variance of the weights passes on noise, so it only warns.

NOT_ENOUGH_DATA is a state of its own and never a failure.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from replay.orders import State
from replay.settings import setting
from strategy.decision import CYCLE

PASS = "PASS"  # noqa: S105 - a status, not a secret
WARN = "WARN"
FAIL = "FAIL"
NOT_ENOUGH_DATA = "NOT_ENOUGH_DATA"

_MINUTE_NS = 60_000_000_000
_TERMINAL = (State.FILLED, State.CANCELLED, State.REJECTED, State.EXPIRED)
_FIELDS = ("n_symbols", "n_errors", "n_targets", "weight_sum_min", "weight_sum_max", "turnover_usd", "turnover_small_usd")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationSettings:
    """Settings of the checklist."""

    every_cycles: int = setting(100, "cycles between two checks", ge=1)
    coverage_n_eff_min: int = setting(144, "effective outcomes before coverage is judged", ge=1)
    plans_min: int = setting(20, "plans before the execution is judged", ge=1)
    decisions_min: int = setting(50, "decisions before errors, churn and weights are judged", ge=1)
    block_size: int = setting(780, "decisions in one block of the paired test", ge=1)
    blocks_min: int = setting(8, "blocks before the selector is judged", ge=2)
    latency_ns: int = setting(2_000_000_000, "latency granted to a plan beyond its working time", unit="ns", ge=0)
    churn_warn_pct: float = setting(2.0, "share of small moves that warns", unit="%", ge=0, le=100)
    churn_fail_pct: float = setting(10.0, "share of small moves that fails", unit="%", ge=0, le=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the checklist; `value` is None where nothing could be measured."""

    name: str
    status: str
    value: float | None
    target: str
    n_eff: float
    recommendation: str

    def as_dict(self) -> dict[str, Any]:
        """Return the check as plain values, ready for JSON."""
        return asdict(self)


class Verification:
    """Collect what cycles say, and judge it.

    Parameters
    ----------
    settings : VerificationSettings, optional
    **changes
        Single settings, by name, where no `settings` are given.

    Examples
    --------
    >>> verification = Verification(decisions_min=2)
    >>> for _ in range(4):
    ...     is_time = verification.log_cycle({"n_symbols": 1, "n_errors": 0, "weight_sum_min": 1.0, "weight_sum_max": 1.0})
    >>> [check.status for check in verification.run_full()]
    ['NOT_ENOUGH_DATA', 'NOT_ENOUGH_DATA', 'NOT_ENOUGH_DATA', 'NOT_ENOUGH_DATA', 'PASS', 'PASS']
    """

    def __init__(self, settings: VerificationSettings | None = None, **changes: Any) -> None:
        self.settings = settings or VerificationSettings(**changes)
        self._cycles: list[tuple[float, ...]] = []

    def log_cycle(self, metrics: Mapping[str, Any]) -> bool:
        """Take in the metrics of a cycle (names as in CYCLE; missing ones count as zero or unknown).

        Returns
        -------
        bool
            True on every `every_cycles`-th cycle: time for `run_full`.
        """
        defaults = dict.fromkeys(_FIELDS, 0.0) | {"weight_sum_min": math.nan, "weight_sum_max": math.nan}
        self._cycles.append(tuple(float(metrics.get(name, defaults[name])) for name in _FIELDS))
        return len(self._cycles) % self.settings.every_cycles == 0

    def log_cycles(self, cycles: np.ndarray) -> None:
        """Take in CYCLE rows at once."""
        assert cycles.dtype == CYCLE
        self._cycles += [tuple(float(row[name]) for name in _FIELDS) for row in cycles]

    def run_full(
        self,
        decisions: Any = None,
        orders: Any = None,
        *,
        rewards: np.ndarray | None = None,
        outcomes_bps: np.ndarray | None = None,
    ) -> list[Check]:
        """Judge all six points.

        Parameters
        ----------
        decisions, orders : structured array or mapping of columns, optional
            Rows of `DECISION` and of `ORDER_LOG`, in time order.
        rewards : ndarray (n_decisions, n_horizons), optional
            Matured net return of every horizon, NaN where unknown; bps over sigma.
        outcomes_bps : ndarray (n_decisions,), optional
            What really happened over the chosen horizon, NaN where unknown; default the column `outcome_bps`, if any.

        Returns
        -------
        list of Check
            Always the same six, in the same order.
        """
        cycles = np.array(self._cycles, float).reshape(-1, len(_FIELDS))
        by_name = {name: cycles[:, k] for k, name in enumerate(_FIELDS)}
        return [
            check_coverage(decisions, _outcomes(decisions, outcomes_bps), self.settings),
            check_selector(decisions, rewards, self.settings),
            check_execution(orders, self.settings),
            check_churn(by_name, self.settings),
            check_errors(by_name, self.settings),
            check_weights(by_name, self.settings),
        ]


def worst(checks: Iterable[Check]) -> str:
    """Return FAIL, WARN or PASS, whichever is the worst found; NOT_ENOUGH_DATA counts as none."""
    found = {check.status for check in checks}
    return next((status for status in (FAIL, WARN) if status in found), PASS)


def check_coverage(decisions: Any, outcomes_bps: np.ndarray | None, settings: VerificationSettings) -> Check:
    """Judge how many outcomes fell into the interval that was issued."""
    target = "75 to 85 %"
    if decisions is None or outcomes_bps is None:
        return _unknown("conformal_coverage", target, 0.0, "record outcomes of decisions")
    is_known = np.isfinite(outcomes_bps) & np.isfinite(decisions["q_lo_bps"]) & np.isfinite(decisions["q_hi_bps"])
    is_known &= np.asarray(decisions["q_lo_bps"]) < np.asarray(decisions["q_hi_bps"])
    is_inside = (outcomes_bps >= decisions["q_lo_bps"]) & (outcomes_bps <= decisions["q_hi_bps"])
    n_eff = effective_count(decisions, is_known)
    if n_eff < settings.coverage_n_eff_min:
        return _unknown("conformal_coverage", target, n_eff, f"it takes {settings.coverage_n_eff_min} effective outcomes")
    value = 100.0 * float(np.mean(is_inside[is_known]))
    status = PASS if 75.0 <= value <= 85.0 else WARN if 70.0 <= value <= 90.0 else FAIL
    advice = (
        "widen the intervals: recalibrate the forecasts" if value < 80.0 else "narrow the intervals: recalibrate the forecasts"
    )
    return _check("conformal_coverage", status, value, target, n_eff, advice)


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


def check_selector(decisions: Any, rewards: np.ndarray | None, settings: VerificationSettings) -> Check:
    """Judge whether changing weights earned more than the mean of the weights so far."""
    target = "t above -1.65"
    if decisions is None or rewards is None:
        return _unknown("selector_adapts", target, 0.0, "it takes the matured rewards of all horizons")
    weights = np.asarray(decisions["weights"], float)[:, : rewards.shape[1]]
    is_known = np.isfinite(rewards).all(axis=1) & (weights.sum(axis=1) > 0)
    weights, rewards = weights[is_known], rewards[is_known]
    n_blocks = len(weights) // settings.block_size
    if n_blocks < settings.blocks_min:
        return _unknown("selector_adapts", target, float(n_blocks), f"it takes {settings.blocks_min} blocks")
    value, variance = paired_t(weights, rewards, settings.block_size), float(weights.var(axis=0).sum())
    if value < -1.65:
        return _check(
            "selector_adapts", FAIL, value, target, n_blocks, "set arbiter.mode to original: its own mean weights earn more"
        )
    status = WARN if variance < 0.01 else PASS
    return _check("selector_adapts", status, value, target, n_blocks, f"weights hardly move (variance {variance:.4f})")


def paired_t(weights: np.ndarray, rewards: np.ndarray, block_size: int) -> float:
    """Return the t of block means of the gain over the expanding mean of the weights; 0 where nothing varies."""
    counts = np.arange(1, len(weights))[:, None]
    before = np.vstack([weights[:1], np.cumsum(weights[:-1], axis=0) / counts])
    gains = ((weights - before) * rewards).sum(axis=1)
    n_blocks = len(gains) // block_size
    means = gains[: n_blocks * block_size].reshape(n_blocks, block_size).mean(axis=1)
    spread = float(means.std(ddof=1))
    return float(means.mean() / (spread / math.sqrt(n_blocks))) if spread > 0 else 0.0


def check_execution(orders: Any, settings: VerificationSettings) -> Check:
    """Judge how many plans were terminal in time; a plan without an end is late, a plan still young at the end is left out."""
    target = "at least 95 %"
    late = [] if orders is None else plan_lateness(orders, settings.latency_ns)
    if len(late) < settings.plans_min:
        return _unknown("execution_sla", target, len(late), f"it takes {settings.plans_min} plans")
    value = 100.0 * (1.0 - sum(late) / len(late))
    status = PASS if value >= 95.0 else WARN if value >= 90.0 else FAIL
    return _check("execution_sla", status, value, target, len(late), "look for lost answers, or lengthen planner.work_ns")


def plan_lateness(orders: Any, latency_ns: int) -> list[bool]:
    """Tell for each plan (by `parent_id`) whether it was terminal too late."""
    parents, times, states = (np.asarray(orders[name]) for name in ("parent_id", "ts_ns", "state"))
    work_ns = np.asarray(orders["work_ns"])
    last_ns = int(times.max(initial=0))
    found = []
    for parent in np.unique(parents[parents > 0]):
        own = parents == parent
        due_ns = int(times[own].min()) + int(work_ns[own].max()) + latency_ns
        ended = times[own & np.isin(states, _TERMINAL)]
        if len(ended) or last_ns > due_ns:
            found.append(not len(ended) or int(ended.min()) > due_ns)
    return found


def check_churn(cycles: Mapping[str, np.ndarray], settings: VerificationSettings) -> Check:
    """Judge the share of turnover that comes from moves inside the no-trade band."""
    target = f"at most {settings.churn_warn_pct:g} %"
    n_targets, turnover_usd = float(cycles["n_targets"].sum()), float(cycles["turnover_usd"].sum())
    if n_targets < settings.decisions_min or turnover_usd <= 0.0:
        return _unknown("churn", target, n_targets, f"it takes {settings.decisions_min} targets")
    value = 100.0 * float(cycles["turnover_small_usd"].sum()) / turnover_usd
    status = PASS if value <= settings.churn_warn_pct else WARN if value <= settings.churn_fail_pct else FAIL
    return _check("churn", status, value, target, n_targets, "ask for more edge before a target moves: raise arbiter.reserve_bps")


def check_errors(cycles: Mapping[str, np.ndarray], settings: VerificationSettings) -> Check:
    """Judge the share of decisions in which a component was in error."""
    n = float(cycles["n_symbols"].sum())
    if n < settings.decisions_min:
        return _unknown("component_errors", "below 10 %", n, f"it takes {settings.decisions_min} decisions")
    value = 100.0 * float(cycles["n_errors"].sum()) / n
    status = PASS if value < 10.0 else WARN if value < 15.0 else FAIL
    return _check("component_errors", status, value, "below 10 %", n, "see the status bits of the decisions for the component")


def check_weights(cycles: Mapping[str, np.ndarray], settings: VerificationSettings) -> Check:
    """Judge whether the weights of every cycle summed to one."""
    lowest, highest = cycles["weight_sum_min"], cycles["weight_sum_max"]
    is_set = ~(np.isnan(lowest) & np.isnan(highest))
    is_normal = (np.abs(lowest - 1.0) <= 1e-9) & (np.abs(highest - 1.0) <= 1e-9) & is_set
    n = int(is_set.sum())
    if is_normal.sum() == n and n < settings.decisions_min:
        return _unknown("weights_normal", "100 %", n, f"it takes {settings.decisions_min} cycles with weights")
    value = 100.0 * float(is_normal.sum()) / n
    status = PASS if is_normal.sum() == n else FAIL
    return _check("weights_normal", status, value, "100 %", n, "a weight was NaN, or their sum not one: see renorm")


def _outcomes(decisions: Any, outcomes_bps: np.ndarray | None) -> np.ndarray | None:
    if outcomes_bps is not None or decisions is None:
        return outcomes_bps
    names = decisions.dtype.names if isinstance(decisions, np.ndarray) else tuple(decisions)
    return np.asarray(decisions["outcome_bps"], float) if "outcome_bps" in (names or ()) else None


def _check(name: str, status: str, value: float, target: str, n_eff: float, advice: str) -> Check:
    """Make a check; who passes needs no advice."""
    recommendation = "" if status == PASS else advice
    return Check(name=name, status=status, value=value, target=target, n_eff=float(n_eff), recommendation=recommendation)


def _unknown(name: str, target: str, n_eff: float, advice: str) -> Check:
    return Check(name=name, status=NOT_ENOUGH_DATA, value=None, target=target, n_eff=float(n_eff), recommendation=advice)
