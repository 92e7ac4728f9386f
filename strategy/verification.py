"""Verification: is the pipeline healthy? Six checks with a status, the number behind it and what to do.

=====================  ===========================================================================  ====================
check                  value                                                                        healthy
=====================  ===========================================================================  ====================
conformal_coverage     per cent of outcomes inside the interval that was issued                     75 to 85, alert 70/90
selector_adapts        t of the paired gain over the selector's own static weights                  not surely negative
execution_sla          per cent of plans terminal within working time + latency; no window over     95, alert below 90
                       the message budget
churn                  per cent of turnover from moves smaller than the no-trade band               near zero
component_errors       per cent of decisions with a component in error, or its breaker open         below 10, alert at 15
weights_normal         per cent of cycles whose weights sum to one                                  100
=====================  ===========================================================================  ====================

How each is judged stands in `strategy.coverage_check`, `strategy.selector_check` and `strategy.operation_checks`. Checks pool
symbols, horizons and sessions. NOT_ENOUGH_DATA is a state of its own and never a failure.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from replay.errors import UsageError
from strategy.border import check_counts, check_numbers, checked_horizons, make_settings, suggestion
from strategy.check import FAIL, NOT_ENOUGH_DATA, PASS, WARN, Check, Modes, VerificationSettings, worst
from strategy.coverage_check import check_coverage
from strategy.decision import CYCLE
from strategy.decision_log import DecisionLog
from strategy.operation_checks import check_churn, check_errors, check_execution, check_weights
from strategy.selector_check import check_selector

__all__ = ["FAIL", "NOT_ENOUGH_DATA", "PASS", "WARN", "AlertLog", "Check", "Verification", "VerificationSettings", "worst"]

_FIELDS = ("n_symbols", "n_errors", "n_targets", "weight_sum_min", "weight_sum_max", "turnover_usd", "turnover_small_usd")
_COUNTS = ("n_symbols", "n_errors", "n_targets")


class Verification:
    """Collect what cycles, decisions, outcomes and orders say, and judge it.

    Parameters
    ----------
    settings : VerificationSettings, optional
    horizons_min : sequence of int, optional
        Horizons of the weights and rewards that are logged; without them the selector is not judged.
    message_limits : sequence of int
        Most messages to the broker in any 60 s, and in any second; 0 or nothing = no limit.
    modes : mapping, optional
        `original`, `enhanced` or `off` by component, so that no advice asks for the mode that is in force.
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

    def __init__(
        self,
        settings: VerificationSettings | None = None,
        *,
        horizons_min: Sequence[int] | None = None,
        message_limits: Sequence[int] = (),
        modes: Modes | None = None,
        **changes: Any,
    ) -> None:
        self.settings = make_settings(VerificationSettings, settings, changes)
        self._horizons = () if horizons_min is None else checked_horizons(horizons_min)
        self._message_limits, self._modes = tuple(message_limits), modes
        self._log = DecisionLog(self._horizons)
        self._cycles: list[np.ndarray] = []
        self._n_cycles = 0

    def log_cycle(self, metrics: Mapping[str, Any]) -> bool:
        """Take in the metrics of a cycle.

        Parameters
        ----------
        metrics : mapping
            Names as in CYCLE. Judged are `n_symbols` (decisions made), `n_errors` (of them, with a component in error),
            `n_targets`, `turnover_usd` and `turnover_small_usd` (of it, from moves inside the no-trade band),
            `weight_sum_min` and `weight_sum_max` of the horizon weights. The first is needed, others that are missing count as
            zero, or as no weights; names of your own are let through.

        Returns
        -------
        bool
            True on every `every_cycles`-th cycle: time for `run_full`.

        Raises
        ------
        UsageError
            Without `n_symbols`, for what looks like a misspelt name of these, counts that are none, more errors or targets than
            decisions, and words for numbers.
        """
        for name in metrics:
            hint = "" if name in (CYCLE.names or ()) else suggestion(name, CYCLE.names or ())
            if "did you mean" in hint:
                raise UsageError(f"a cycle has no metric '{name}'{hint}")
        _check_counts(metrics)
        for name in ("turnover_usd", "turnover_small_usd"):
            check_numbers(**{name: metrics.get(name, 0.0)})
            if name in metrics and not 0.0 <= metrics[name] < math.inf:
                raise UsageError(f"{name} of a cycle must be 0 or more, got {metrics[name]!r}")
        check_numbers(**{name: metrics[name] for name in ("weight_sum_min", "weight_sum_max") if name in metrics})
        defaults = dict.fromkeys(_FIELDS, 0.0) | {"weight_sum_min": math.nan, "weight_sum_max": math.nan}
        self._cycles.append(np.array([[float(metrics.get(name, defaults[name])) for name in _FIELDS]]))
        self._n_cycles += 1
        return self._n_cycles % self.settings.every_cycles == 0

    def log_decision(self, decision_id: int, ts_ns: int, symbol: str, **known: Any) -> None:
        """Take in a decision.

        Parameters
        ----------
        decision_id : int
            Names it when its outcome comes.
        ts_ns : int
        symbol : str
        **known
            `horizon_min`, `q_lo_bps` and `q_hi_bps` (the interval that was issued: coverage needs these three), `cost_bps`,
            `mu_bps`, `sigma_bps`, `side`, `reason` (a name of `Reason`; TARGET_SET = it was traded), `weights` (one per horizon),
            `target_qty`, `position_qty`, `status` (a bit per component in error), `gate_lo_bps`, `gate_hi_bps`.
        """
        self._log.decide(decision_id, ts_ns, symbol, **known)

    def log_outcome(self, decision_id: int, outcome_bps: float, rewards: Sequence[float] | None = None) -> None:
        """Take in what came of a decision.

        Parameters
        ----------
        decision_id : int
        outcome_bps : float
            What the price did over its horizon; NaN = unknown.
        rewards : sequence of float, optional
            What every horizon earned, net and in units of sigma; NaN = unknown.

        A second outcome, or one of a decision that is not known, is ignored and counted in `unknown_count`.
        """
        self._log.mature(decision_id, outcome_bps, rewards)

    @property
    def unknown_count(self) -> int:
        """Return how many outcomes came that no logged decision waited for."""
        return self._log.unknown_count

    def log_order(self, ts_ns: int, order_id: int, plan_id: int, state: str, work_ns: int) -> None:
        """Take in a change of an own order.

        Parameters
        ----------
        ts_ns : int
        order_id, plan_id : int
        state : str
            `SENT`, `WORKING`, `FILLED`, `CANCELLED`, ...: a name of `replay.orders.State`.
        work_ns : int
            Time that its plan has.
        """
        self._log.order(ts_ns, order_id, plan_id, state, work_ns)

    def log_cycles(self, cycles: np.ndarray) -> None:
        """Take in CYCLE rows at once."""
        assert cycles.dtype == CYCLE
        self._cycles.append(np.stack([cycles[name].astype(float) for name in _FIELDS], axis=1))
        self._n_cycles += len(cycles)

    def run_full(
        self,
        decisions: Any = None,
        orders: Any = None,
        *,
        rewards: np.ndarray | None = None,
        outcomes_bps: np.ndarray | None = None,
        horizons_min: Sequence[int] | None = None,
        has_regimes: bool = True,
        is_mean_gate: bool = False,
    ) -> list[Check]:
        """Judge all six points.

        Parameters
        ----------
        decisions, orders : structured array or mapping of columns, optional
            Rows of `DECISION` and of `ORDER_LOG`, in time order; default what was logged.
        rewards : ndarray (n_decisions, n_horizons), optional
            Matured net return of every horizon, NaN where unknown; bps over sigma.
        outcomes_bps : ndarray (n_decisions,), optional
            What really happened over the chosen horizon, NaN where unknown; default the column `outcome_bps`, if any.
        horizons_min : sequence of int, optional
            Horizon of each weight; default those that decisions chose.
        has_regimes : bool
            False spares the share of weights that follows the regime, which is only shown.
        is_mean_gate : bool
            The gate judges the mean (`gate.rule = "mean_edge"`), so that its bounds promise nothing about single outcomes.

        Returns
        -------
        list of Check
            Always the same six, in the same order.
        """
        if decisions is None:
            decisions, logged, earned = self._log.columns()
            outcomes_bps = logged if outcomes_bps is None else outcomes_bps
            rewards = earned if rewards is None else rewards
            horizons_min = self._horizons or None if horizons_min is None else horizons_min
        orders = self._log.orders() if orders is None else orders
        self._cycles = [np.concatenate([np.zeros((0, len(_FIELDS))), *self._cycles])]
        by_name = {name: self._cycles[0][:, k] for k, name in enumerate(_FIELDS)}
        outcomes, modes = _outcomes(decisions, outcomes_bps), self._modes
        return [
            check_coverage(decisions, outcomes, self.settings, is_mean_gate=is_mean_gate, modes=modes),
            check_selector(decisions, rewards, self.settings, horizons_min, has_regimes=has_regimes, modes=modes),
            check_execution(orders, self.settings, decisions, self._message_limits, modes),
            check_churn(by_name, self.settings, decisions),
            check_errors(by_name, self.settings, decisions, modes),
            check_weights(by_name, self.settings, modes),
        ]


class AlertLog:
    """Turn checks into events: one when a check begins to warn or fail, or changes from one to the other, one when it recovers.

    Examples
    --------
    >>> log = AlertLog()
    >>> bad = Check(name="churn", status="FAIL", value=40.0, target="", n_eff=60, recommendation="raise it")
    >>> [event["status"] for event in log.update(5, 100, [bad])], log.update(6, 200, [bad])
    (['FAIL'], [])
    """

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def update(self, ts_ns: int, cycle: int, checks: Sequence[Check]) -> list[dict[str, Any]]:
        """Return the events that a full check at `ts_ns` gives rise to."""
        events = []
        for check in checks:
            old = self._known.get(check.name, PASS)
            if check.status == NOT_ENOUGH_DATA or check.status == old:
                continue
            self._known[check.name] = check.status
            events.append({"ts_ns": ts_ns, "cycle": cycle, **check.as_dict()})
        return events


def _check_counts(metrics: Mapping[str, Any]) -> None:
    """Refuse counts that cannot all be true."""
    if "n_symbols" not in metrics:
        raise UsageError(f"a cycle needs n_symbols, the decisions that it made; got {', '.join(metrics) or 'nothing'}")
    check_counts(**{name: metrics[name] for name in _COUNTS if name in metrics})
    for name in _COUNTS[1:]:
        if metrics.get(name, 0) > metrics["n_symbols"]:
            raise UsageError(f"{name} of a cycle cannot exceed its n_symbols, got {metrics[name]} of {metrics['n_symbols']}")


def _outcomes(decisions: Any, outcomes_bps: np.ndarray | None) -> np.ndarray | None:
    if outcomes_bps is not None or decisions is None:
        return outcomes_bps
    names = decisions.dtype.names if isinstance(decisions, np.ndarray) else tuple(decisions)
    return np.asarray(decisions["outcome_bps"], float) if "outcome_bps" in (names or ()) else None
