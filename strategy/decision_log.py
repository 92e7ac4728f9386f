"""What an own loop tells the checklist: its decisions, what came of them, and its orders, one call each."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from replay.errors import UsageError
from replay.orders import State
from strategy.border import as_ns, check_numbers, check_row, checked_horizon, suggestion
from strategy.decision import Reason

_WHOLE = ("horizon_min", "side", "target_qty", "position_qty", "status")
_BPS = ("mu_bps", "sigma_bps", "q_lo_bps", "q_hi_bps", "gate_lo_bps", "gate_hi_bps", "cost_bps")
_KNOWN = (*_WHOLE, *_BPS, "reason", "weights")
KEPT_MAX = 500_000


class DecisionLog:
    """Rows of decisions, outcomes and orders, as columns for the checks; beyond `KEPT_MAX` the oldest go.

    Parameters
    ----------
    horizons_min : sequence of int
        One weight and one reward per horizon; none = no weights.

    Attributes
    ----------
    unknown_count : int
        Outcomes that nothing waited for: of a decision never logged, dropped, or matured already. They change nothing.

    Examples
    --------
    >>> log = DecisionLog([5, 30])
    >>> log.decide(1, 0, "AAPL", horizon_min=5, q_lo_bps=-3.0, q_hi_bps=9.0, weights=[1.0, 0.0])
    >>> log.mature(1, 4.0, rewards=[0.2, -0.1])
    >>> columns, outcomes, rewards = log.columns()
    >>> columns["symbol"].tolist(), outcomes.tolist(), rewards.tolist()
    (['AAPL'], [4.0], [[0.2, -0.1]])
    """

    def __init__(self, horizons_min: Sequence[int] = ()) -> None:
        self.unknown_count = 0
        self._n, self._horizons_min = len(horizons_min), tuple(horizons_min)
        self._decisions: dict[int, dict[str, Any]] = {}
        self._awaited: set[int] = set()
        self._orders: list[tuple[int, int, int, int, int]] = []

    def decide(self, decision_id: int, ts_ns: int, symbol: str, **known: Any) -> None:
        """Note a decision; `known` are columns of a decision by name, see `Verification.log_decision`."""
        strangers = [name for name in known if name not in _KNOWN]
        if strangers:
            raise UsageError(f"a decision has no '{strangers[0]}'{suggestion(strangers[0], _KNOWN)}")
        if decision_id in self._decisions:
            raise UsageError(f"decision {decision_id} was logged already; give every decision an id of its own")
        _check_bounds(decision_id, known)
        if self._n and known.get("horizon_min", 0) != 0:
            checked_horizon(known["horizon_min"], self._horizons_min)
        weights = known.pop("weights", [math.nan] * self._n)
        check_row("weights", weights, self._n)
        row = dict.fromkeys(_WHOLE, 0) | dict.fromkeys(_BPS, math.nan) | {"reason": Reason.TARGET_KEPT} | known
        row |= {"decision_id": decision_id, "ts_ns": as_ns(ts_ns), "symbol": symbol, "weights": list(weights)}
        self._decisions[decision_id] = row | {"reason": reason_of(row["reason"]), "outcome_bps": math.nan, "rewards": None}
        self._awaited.add(decision_id)
        if len(self._decisions) > KEPT_MAX:
            oldest = next(iter(self._decisions))
            del self._decisions[oldest]
            self._awaited.discard(oldest)

    def mature(self, decision_id: int, outcome_bps: float, rewards: Sequence[float] | None = None) -> None:
        """Note what came of a decision; NaN = not known. A second one, or one of an unknown id, is ignored and counted."""
        check_numbers(outcome_bps=outcome_bps)
        if rewards is not None:
            check_row("rewards", rewards, self._n)
        if decision_id not in self._awaited:
            self.unknown_count += 1
            return
        self._awaited.remove(decision_id)
        self._decisions[decision_id] |= {"outcome_bps": float(outcome_bps), "rewards": rewards}

    def order(self, ts_ns: int, order_id: int, plan_id: int, state: str, work_ns: int) -> None:
        """Note a change of an own order."""
        word = str(state).upper()
        if word not in State.__members__:
            raise UsageError(f"unknown state {state!r}{suggestion(word, State.__members__)}")
        self._orders.append((as_ns(ts_ns), order_id, plan_id, State[word], work_ns))
        del self._orders[:-KEPT_MAX]

    def columns(self) -> tuple[Mapping[str, np.ndarray] | None, np.ndarray | None, np.ndarray | None]:
        """Return the decisions, their outcomes and their rewards; None where there are none."""
        rows = list(self._decisions.values())
        if not rows:
            return None, None, None
        names = [name for name in rows[0] if name not in ("outcome_bps", "rewards")]
        columns = {name: np.array([row[name] for row in rows]) for name in names}
        outcomes = np.array([row["outcome_bps"] for row in rows])
        unknown = [math.nan] * self._n
        rewards = [unknown if row["rewards"] is None else row["rewards"] for row in rows]
        return columns, outcomes, np.array(rewards, float) if self._n else None

    def orders(self) -> Mapping[str, np.ndarray] | None:
        """Return the orders; None where there are none."""
        names = ("ts_ns", "order_id", "parent_id", "state", "work_ns")
        return dict(zip(names, np.array(self._orders, np.int64).T, strict=True)) if self._orders else None


def _check_bounds(decision_id: int, known: Mapping[str, Any]) -> None:
    check_numbers(**{name: known[name] for name in _BPS if name in known})
    for low, high in (("q_lo_bps", "q_hi_bps"), ("gate_lo_bps", "gate_hi_bps")):
        lowest, highest = known.get(low, math.nan), known.get(high, math.nan)
        if lowest > highest or math.isnan(lowest) != math.isnan(highest):
            raise UsageError(
                f"decision {decision_id} has {low} {lowest} and {high} {highest}; give the lower first, and both or neither"
            )


def reason_of(reason: Any) -> Reason:
    """Return a reason from its name or code."""
    word = str(reason).upper()
    if isinstance(reason, str):
        if word not in Reason.__members__:
            raise UsageError(f"unknown reason {reason!r}{suggestion(word, Reason.__members__)}")
        return Reason[word]
    return Reason(reason)
