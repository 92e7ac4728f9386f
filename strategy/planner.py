"""Execution planner: from a target to requests, one plan per symbol at a time.

*Original* (design row 5; `strategy.simple_plan` numbers its rules): one limit at the mid, one tick more after half of the working
time if less than `step_below` is filled, a cancel at the end. *Enhanced* (`strategy.micro_plan`): a first slice, step-ups by
modify that know the queue (`strategy.queue_estimate`, `strategy.slices`), a capped cross at the end, coalescing when the budget
is tight. *Off* plans nothing: every target is kept.

New orders and modifies ask the message budget. Nothing starts outside the trading hours, without a usable quote, or in a halt.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from replay.answers import apply_answer
from replay.desk import NEVER, apply_market
from replay.errors import ConfigError, UsageError
from replay.events import EVENT, Kind
from replay.jit import kernel
from replay.settings import as_row
from strategy.border import Names, check_counts, check_finite, check_time, check_whole, make_settings
from strategy.budget import BudgetSettings, check_budget, count_executed, new_budget, release
from strategy.coalesce import is_waiting, next_waiting
from strategy.decision import Reason
from strategy.micro_answers import answer_micro
from strategy.micro_plan import start_waiting_micro, submit_micro, timer_micro, write_ahead
from strategy.modes import ENHANCED, MODES, OFF
from strategy.own_desk import SCALE, new_desk
from strategy.plain_answers import Answer, AnswerCheck
from strategy.plain_events import answer_kind, side_units, units
from strategy.plan import IDLE, new_planner, start_reason
from strategy.planner_settings import PlannerSettings, check_planner
from strategy.queue_estimate import watch
from strategy.requests import Request, as_request
from strategy.simple_plan import answer_simple, start_simple, submit_simple, timer_simple

__all__ = [
    "ExecutionPlanner", "PlannerSettings", "Request", "check_planner", "on_answer", "on_timer", "run_due", "start_reason",
    "start_waiting", "submit", "urgency", "watch_market", "work_ns_of",
]  # fmt: skip

_KNOWN = ("is_urgent", "edge_bps", "volume_per_min", "wait_ns", "drift_bps_per_min")
_CALLS = "calls of the planner"


@kernel
def work_ns_of(horizon_min, params):
    """Return the working time of an entry: that of the longest listed horizon not above `horizon_min`."""
    best = 0
    for k in range(len(params[0]["work_ns"])):
        if params[0]["horizons_min"][k] <= horizon_min:
            best = k
    return params[0]["work_ns"][best]


@kernel
def urgency(is_pressing, form, params):
    """Return `is_urgent` of an exit worked in a form: the original planner knows no other."""
    if form == ENHANCED and params[0]["patient_exits"]:
        return 1 if is_pressing else 0
    return 1


@kernel
def submit(s, desk, planner, budget, params, budget_params):
    """Bring the symbol towards `intents[s]`; return 0 (TARGET_SET), TARGET_KEPT or why nothing starts."""
    if planner.forms[s] == OFF:
        return Reason.TARGET_KEPT
    if planner.forms[s] == ENHANCED:
        return submit_micro(s, desk, planner, budget, params, budget_params)
    return submit_simple(s, desk, planner, budget, params, budget_params)


@kernel
def on_timer(s, desk, planner, budget, params, budget_params):
    """Do what the plan of a symbol has to do at `now_ns`."""
    if planner.forms[s] == ENHANCED:
        timer_micro(s, desk, planner, budget, params, budget_params)
    else:
        timer_simple(s, desk, planner, budget, params, budget_params)


@kernel
def on_answer(events, i, desk, planner, budget, params, budget_params):
    """Take in an answer that the desk already knows; return 1 when it belongs to the plan of its symbol."""
    event = events[i]
    kind = event["kind"]
    s = np.int64(event["symbol"])
    plan = planner.plans[s]
    if plan["state"] == IDLE or plan["order_id"] == 0 or event["order_id"] != plan["order_id"]:
        return 0
    if kind == Kind.PARTIAL or kind == Kind.FILL:
        if plan["child_filled_qty"] == 0:
            count_executed(budget)
        plan["filled_qty"] += event["qty"]
        plan["child_filled_qty"] += event["qty"]
    if kind == Kind.FILL or kind == Kind.CANCELLED or kind == Kind.REJECTED or kind == Kind.EXPIRED:
        release(plan["is_kept"], budget, budget_params)
        plan["is_kept"] = 0
    if planner.forms[s] == ENHANCED:
        answer_micro(event, s, desk, planner, budget, params, budget_params)
    else:
        answer_simple(event, desk, plan, params)
    return 1


@kernel
def start_waiting(s, desk, planner, budget, params, budget_params):
    """Start the intent that waited for the end of the last plan, if any; return what `submit` returns."""
    intent = planner.intents[s]
    plan = planner.plans[s]
    if intent["is_set"] == 0 or plan["state"] != IDLE:
        return Reason.PLAN_RUNNING
    if planner.forms[s] == ENHANCED:
        if plan["timer_ns"] != NEVER:  # it waits for the budget, in turn
            return Reason.PLAN_RUNNING
        return start_waiting_micro(s, desk, planner, budget, params, budget_params)
    reason = start_simple(s, desk, planner, budget, params, budget_params)
    intent["is_set"] = 0
    return reason


@kernel
def run_due(desk, planner, budget, params, budget_params):
    """Do what all plans have to do at `now_ns`; then start what waits for the budget, the most valuable first."""
    now_ns = desk.clock[0]["now_ns"]
    for s in range(len(planner.plans)):
        if planner.plans[s]["timer_ns"] <= now_ns and not is_waiting(s, now_ns, planner):
            on_timer(s, desk, planner, budget, params, budget_params)
            start_waiting(s, desk, planner, budget, params, budget_params)
    s = next_waiting(desk, planner)
    while s >= 0:
        start_waiting_micro(s, desk, planner, budget, params, budget_params)
        s = next_waiting(desk, planner)


@kernel
def watch_market(events, i, desk, planner, params):
    """Take a quote or print of a watched symbol into the estimate of our place in the queue."""
    s = np.int64(events[i]["symbol"])
    watch(events[i], planner.places[s], desk.book[s], params)
    write_ahead(s, desk, planner)


class ExecutionPlanner:
    """Work targets into orders, every call returning the requests it led to; in its enhanced form unless told otherwise.

    Parameters
    ----------
    symbols : sequence of str
    settings : PlannerSettings, optional
    budget : BudgetSettings, optional
        Default as in a run: the original form, which ranks nothing that waits.
    tick_usd : float
        Tick of all symbols.
    lot : int
        Lot of all symbols, shares.
    **changes
        Single settings, by name, where no `settings` are given.

    Attributes
    ----------
    reason : Reason
        What became of the last target: TARGET_SET, TARGET_KEPT, or why it has to wait.

    Examples
    --------
    >>> planner = ExecutionPlanner(["AAPL"])
    >>> planner.quote("AAPL", 10.00, 10.03, bid_qty=500, ask_qty=500)
    >>> request = planner.set_target(0, "AAPL", 100)[0]
    >>> request.action.name, request.qty, request.price_usd
    ('NEW', 100, 10.01)
    >>> _ = planner.answer(20_000_000, "AAPL", "ACK", request.order_id)
    >>> [(step.action.name, step.price_usd) for step in planner.advance(10_000_000_000)]
    [('MODIFY', 10.02)]
    """

    def __init__(
        self,
        symbols: Sequence[str],
        settings: PlannerSettings | None = None,
        budget: BudgetSettings | None = None,
        *,
        tick_usd: float = 0.01,
        lot: int = 1,
        **changes: Any,
    ) -> None:
        self.settings = make_settings(PlannerSettings, settings, changes, mode="enhanced")
        budget = make_settings(BudgetSettings, budget or BudgetSettings(), {})
        check_planner(self.settings)
        check_budget(budget)
        if not 0.0 < tick_usd < math.inf or lot < 1:
            raise ConfigError(f"tick_usd must be above 0 and lot at least 1, got {tick_usd} and {lot}")
        self.reason = Reason.TARGET_KEPT
        self._names = Names(symbols)
        n = len(self._names)
        self._desk = new_desk(n, slots=4, n_requests=8 * n, n_rows=1)
        self._desk.book["tick"] = round(tick_usd * SCALE)
        self._desk.book["lot"] = lot
        self._planner = new_planner(n, MODES.index(self.settings.mode))
        self._budget = new_budget(), as_row(budget)
        self._params = as_row(self.settings)
        self._answers = AnswerCheck(self._names, self._desk)

    @property
    def next_timer_ns(self) -> int:
        """When `advance` has something to do; NEVER when nothing is pending."""
        return int(self._planner.plans["timer_ns"].min(initial=NEVER))

    def quote(self, symbol: str, bid_usd: float, ask_usd: float, *, bid_qty: int, ask_qty: int, now_ns: int = -1) -> None:
        """Take in the touch.

        Parameters
        ----------
        symbol : str
        bid_usd, ask_usd : float
            A side whose price is not above 0 is empty.
        bid_qty, ask_qty : int
            Shares; 0 = that side is empty.
        now_ns : int
            Must not go back; default the time of the last call.
        """
        check_counts(bid_qty=bid_qty, ask_qty=ask_qty)
        bid, ask = side_units(bid_usd), side_units(ask_usd)
        event = self._market(now_ns, symbol, Kind.QUOTE)
        event["bid"], event["ask"], event["bid_qty"], event["ask_qty"] = bid, ask, bid_qty, ask_qty
        self._see(event)

    def trade(self, symbol: str, price_usd: float, qty: int, *, now_ns: int = -1, flags: int = 0) -> None:
        """Take in a print of the market.

        Parameters
        ----------
        symbol : str
        price_usd : float
        qty : int
            Shares.
        now_ns : int
            Must not go back; default the time of the last call.
        flags : int
            Bits of `replay.events.Flag`.
        """
        check_counts(qty=qty, flags=flags)
        price = units(price_usd)
        event = self._market(now_ns, symbol, Kind.TRADE)
        event["price"], event["qty"], event["flags"] = price, qty, flags
        self._see(event)

    def set_target(
        self, now_ns: int, symbol: str, qty: int, *, horizon_min: int = 5, is_exit: bool = False, **known: float
    ) -> list[Request]:
        """Bring the position of a symbol to `qty` signed shares.

        Parameters
        ----------
        now_ns : int
        symbol : str
        qty : int
            Signed shares.
        horizon_min : int
            Gives the working time of an entry.
        is_exit : bool
        **known
            For the enhanced form: `is_urgent` (an exit that crosses at once), `volume_per_min` (prints, shares; 0 = unknown),
            `drift_bps_per_min` (where the forecast says that the mid goes, signed; an entry that it runs away from waits less)
            and for a tight budget `edge_bps` (net, ranks what waits) and `wait_ns` (how long an entry is worth waiting).

        Returns
        -------
        list of Request
            Where it is empty `reason` says why: NO_QUOTE, TARGET_KEPT, PLAN_RUNNING, BUDGET, ...
        """
        s = self._names.symbol(symbol)
        _check_target(qty, horizon_min, {"is_exit": is_exit, **known})
        self._set_clock(now_ns)
        intent = self._planner.intents[s]
        intent["target_qty"], intent["is_exit"] = qty, is_exit
        intent["work_ns"] = self.settings.exit_work_ns if is_exit else work_ns_of(horizon_min, self._params)
        for name in _KNOWN:
            intent[name] = known.get(name, 0)
        self.reason = Reason(self._call(submit, s))
        return self._drain()

    def answer(
        self,
        now_ns: int,
        symbol: str,
        kind: str,
        order_id: int,
        *,
        price_usd: float = 0.0,
        qty: int = 0,
        leaves_qty: int | None = None,
    ) -> list[Request]:
        """Take in the broker's answer to an order.

        Parameters
        ----------
        now_ns : int
        symbol : str
        kind : str
            ACK, PARTIAL (a part was filled, the rest works on), FILL (the rest was filled, the order is over), CANCELLED,
            REJECTED, EXPIRED, HELD, MODIFIED, CANCEL_REJECTED, CORRECTION (signed shares that no order explains) or COMMISSION.
        order_id : int
            Of the request that it answers.
        price_usd, qty : float, int
            Of this fill alone; a modified order's new limit.
        leaves_qty : int, optional
            Shares left afterwards: of a modified order always, of a PARTIAL as a check.

        Raises
        ------
        UsageError
            For an answer that cannot be true: of an order never asked for, more shares than are left, a FILL that is a part.
        """
        s, code = self._names.symbol(symbol), answer_kind(kind)
        check_time(now_ns, int(self._desk.clock["now_ns"][0]), _CALLS)
        left = self._answers.leaves_of(s, Answer(code, order_id, price_usd, qty, leaves_qty))
        event = self._market(now_ns, symbol, code)
        event["order_id"], event["price"], event["qty"], event["leaves_qty"] = order_id, side_units(price_usd), qty, left
        apply_answer(event, 0, self._desk)
        on_answer(event, 0, self._desk, self._planner, self._budget[0], self._params, self._budget[1])
        self._call(start_waiting, s)
        return self._drain()

    def advance(self, now_ns: int) -> list[Request]:
        """Do what is due.

        Parameters
        ----------
        now_ns : int
            Must not go back; see `next_timer_ns`.
        """
        self._set_clock(now_ns)
        run_due(self._desk, self._planner, self._budget[0], self._params, self._budget[1])
        return self._drain()

    def position(self, symbol: str) -> int:
        """Return the signed shares held, as far as the answers say."""
        return int(self._desk.positions[self._names.symbol(symbol)]["qty"])

    def ahead(self, symbol: str) -> int:
        """Return the shares believed ahead of the working order of a symbol; -1 = unknown, or none works."""
        return int(self._planner.places[self._names.symbol(symbol)]["ahead_qty"])

    def _market(self, now_ns: int, symbol: str, kind: Kind) -> np.ndarray:
        if now_ns != -1:
            self._set_clock(now_ns)
        event = np.zeros(1, EVENT)
        event["ts_ns"], event["kind"], event["symbol"] = self._desk.clock["now_ns"], kind, self._names.symbol(symbol)
        return event

    def _see(self, event: np.ndarray) -> None:
        apply_market(event, 0, self._desk.book)
        if self._planner.watched[event["symbol"][0]]:
            watch_market(event, 0, self._desk, self._planner, self._params)

    def _call(self, kernel_function: Any, s: int) -> Any:
        return kernel_function(s, self._desk, self._planner, self._budget[0], self._params, self._budget[1])

    def _drain(self) -> list[Request]:
        clock = self._desk.clock[0]
        rows = self._desk.requests[: clock["n_requests"]]
        clock["n_requests"] = 0
        return self._answers.note([as_request(row, self._names.symbols, SCALE) for row in rows])

    def _set_clock(self, now_ns: int) -> None:
        clock = self._desk.clock
        clock["now_ns"] = check_time(now_ns, int(clock["now_ns"][0]), _CALLS)


def _check_target(qty: int, horizon_min: int, known: dict[str, float]) -> None:
    strangers = [name for name in known if name not in (*_KNOWN, "is_exit")]
    if strangers:
        raise UsageError(f"set_target knows {', '.join(_KNOWN)}, got {', '.join(strangers)}")
    check_whole(qty=qty)
    check_finite(horizon_min=horizon_min, **{name: known[name] for name in _KNOWN[1:] if name in known})
    check_counts(wait_ns=known.get("wait_ns", 0))
    for name in ("is_exit", "is_urgent"):
        if known.get(name, False) not in (False, True):
            raise UsageError(f"{name} must be True or False, got {known[name]!r}")
    if horizon_min <= 0 or known.get("volume_per_min", 0.0) < 0.0:
        raise UsageError(
            f"horizon_min must be above 0 and volume_per_min 0 or more, got {horizon_min} and {known.get('volume_per_min', 0.0)}"
        )
