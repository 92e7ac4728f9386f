"""Execution planner: from a target to requests, one plan per symbol at a time.

*Original* (design row 5). The whole difference between target and position is one slice:

1. An entry starts at the mid. A mid off the tick grid rounds down for buys, up for sells.
2. After half of the working time, if less than `step_below` is filled, the limit moves one tick towards the opposite touch and
   never beyond it (one modify; where there is no room, none).
3. At the end of the working time what is left is cancelled.
4. An exit starts at the opposite touch, so that it is marketable; rule 2 moves it to the opposite touch of that moment, never
   beyond the cap: `exit_slippage_bps` away from where it started. What an exit leaves is tried again by the exit rules.
5. A new target while a plan runs cancels first; the new plan starts when the answer is there, from the position of then. A
   second new target replaces the one that waits.
6. The quantity asked never changes during a plan, so slices sum to the parent and fills never exceed it.
7. A cancel that was refused while the order lives is tried again after `retry_ns`.

New orders and modifies ask the message budget (a refused step is left out, a refused start is BUDGET); cancels only count there.
Nothing starts outside the trading hours, without a usable quote, or in a halt. *Off* plans nothing: every target is kept.

    IDLE --start--> WORKING --half time--> STEPPED --end--> CLOSING --answer--> IDLE (or the next plan)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from replay.answers import apply_answer
from replay.desk import (
    BOOK,
    CLOCK,
    DESK_ORDER,
    NEVER,
    POSITION,
    Desk,
    find_order,
    send_cancel,
    send_limit,
    send_modify,
    tag_order,
)
from replay.events import EVENT, Kind, Status
from replay.jit import kernel
from replay.orders import REQUEST, Action, State, Tif
from replay.settings import as_row, setting
from strategy.budget import BudgetSettings, new_budget, take, take_cancel
from strategy.decision import CYCLE, DECISION, Reason
from strategy.modes import OFF, mode_setting
from strategy.plan import (
    CLOSING,
    IDLE,
    STEPPED,
    WORKING,
    cap_price,
    mid_price,
    new_planner,
    opposite_price,
    step_price,
    take_plan_id,
    write_plan,
)
from strategy.touch import touch_mid2

_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannerSettings:
    """Settings of the execution planner."""

    mode: str = mode_setting()
    horizons_min: tuple[int, ...] = setting((5, 10, 15, 30, 60), "horizons of `work_ns`, ascending", unit="min", gt=0)
    work_ns: tuple[int, ...] = setting(
        (15 * _S, 20 * _S, 30 * _S, 45 * _S, 60 * _S), "working time of an entry, by horizon", unit="ns", gt=0
    )
    exit_work_ns: int = setting(10 * _S, "working time of an exit", unit="ns", gt=0)
    step_below: float = setting(0.4, "step at half time when less than this share is filled", ge=0, le=1)
    exit_slippage_bps: float = setting(10.0, "how far an exit may follow the opposite touch", unit="bps", ge=0)
    retry_ns: int = setting(_S, "wait before a refused cancel is tried again", unit="ns", gt=0)


@kernel
def work_ns_of(horizon_min, params):
    """Return the working time of an entry: that of the longest listed horizon not above `horizon_min`."""
    best = 0
    for k in range(len(params[0]["work_ns"])):
        if params[0]["horizons_min"][k] <= horizon_min:
            best = k
    return params[0]["work_ns"][best]


@kernel
def submit(s, desk, planner, budget, params, budget_params):
    """Bring the symbol towards `intents[s]`; return 0 (TARGET_SET), TARGET_KEPT or why nothing starts."""
    plan = planner.plans[s]
    intent = planner.intents[s]
    if params[0]["mode"] == OFF:
        return Reason.TARGET_KEPT
    if plan["state"] == IDLE:
        return _start(s, desk, planner, budget, params, budget_params)
    if plan["state"] != CLOSING and plan["target_qty"] == intent["target_qty"] and plan["is_exit"] == intent["is_exit"]:
        return Reason.TARGET_KEPT
    intent["plan_id"] = take_plan_id(planner)
    intent["is_set"] = 1
    if plan["state"] != CLOSING:
        _cancel(s, desk, planner, budget)
    return 0


@kernel
def start_reason(s, desk):
    """Return 0 when orders may be sent for the symbol now, else OUTSIDE_HOURS, HALTED or NO_QUOTE."""
    clock = desk.clock[0]
    if clock["now_ns"] < clock["trade_from_ns"] or clock["now_ns"] >= clock["trade_until_ns"]:
        return Reason.OUTSIDE_HOURS
    if desk.book[s]["status"] == Status.HALTED:
        return Reason.HALTED
    if touch_mid2(s, desk.book) == 0:
        return Reason.NO_QUOTE
    return 0


@kernel
def _start(s, desk, planner, budget, params, budget_params):
    intent = planner.intents[s]
    delta_qty = intent["target_qty"] - desk.positions[s]["qty"]
    if delta_qty == 0:
        return Reason.TARGET_KEPT
    reason = start_reason(s, desk)
    if reason != 0:
        return reason
    now_ns = desk.clock[0]["now_ns"]
    if take(1, now_ns, budget, budget_params) == 0:
        return Reason.BUDGET
    side = 1 if delta_qty > 0 else -1
    price = opposite_price(side, desk.book[s]) if intent["is_exit"] else mid_price(side, desk.book[s])
    order_id = send_limit(desk, s, side, abs(delta_qty), price, Tif.DAY, 0)
    if order_id == 0:
        return Reason.COMPONENT_ERROR
    if intent["is_set"] == 0:
        intent["plan_id"] = take_plan_id(planner)
    tag_order(desk, s, intent["plan_id"], intent["decision_id"], intent["work_ns"], 0)
    write_plan(planner.plans[s], intent, now_ns, side, abs(delta_qty), price, order_id)
    planner.plans[s]["cap_price"] = cap_price(side, price, desk.book[s]["tick"], params)
    return 0


@kernel
def on_timer(s, desk, planner, budget, params, budget_params):
    """Do what the plan of a symbol has to do at `now_ns`: step, or cancel at the end."""
    plan = planner.plans[s]
    now_ns = desk.clock[0]["now_ns"]
    slot = find_order(desk, s, plan["order_id"])
    if plan["state"] == IDLE or slot < 0:
        plan["state"] = IDLE
        plan["timer_ns"] = NEVER
    elif plan["state"] == CLOSING or now_ns >= plan["end_ns"]:
        _cancel(s, desk, planner, budget)
    elif plan["state"] == WORKING:
        plan["state"] = STEPPED
        plan["timer_ns"] = plan["end_ns"]
        _step(s, slot, desk, planner, budget, params, budget_params)
    else:
        plan["timer_ns"] = plan["end_ns"]


@kernel
def _cancel(s, desk, planner, budget):
    plan = planner.plans[s]
    plan["state"] = CLOSING
    plan["timer_ns"] = NEVER
    slot = find_order(desk, s, plan["order_id"])
    if slot >= 0 and send_cancel(desk, s, slot):
        take_cancel(desk.clock[0]["now_ns"], budget)


@kernel
def _step(s, slot, desk, planner, budget, params, budget_params):
    plan = planner.plans[s]
    order = desk.orders[s, slot]
    if plan["filled_qty"] >= params[0]["step_below"] * plan["qty"] or order["state"] == State.SENT:
        return
    if start_reason(s, desk) != 0:
        return
    price = step_price(plan, desk.book[s])
    if plan["side"] * (price - plan["price"]) <= 0 or take(1, desk.clock[0]["now_ns"], budget, budget_params) == 0:
        return
    send_modify(desk, s, slot, order["qty"], price)


@kernel
def on_answer(events, i, desk, planner, params):
    """Take in an answer that the desk already knows; return 1 when it belongs to the plan of its symbol."""
    event = events[i]
    kind = event["kind"]
    s = np.int64(event["symbol"])
    plan = planner.plans[s]
    if plan["state"] == IDLE or event["order_id"] != plan["order_id"]:
        return 0
    if kind == Kind.PARTIAL or kind == Kind.FILL:
        plan["filled_qty"] += event["qty"]
    elif kind == Kind.MODIFIED:
        plan["price"] = event["price"]
    elif kind == Kind.CANCEL_REJECTED and plan["state"] == CLOSING:
        plan["timer_ns"] = desk.clock[0]["now_ns"] + params[0]["retry_ns"]
    if kind == Kind.FILL or kind == Kind.CANCELLED or kind == Kind.REJECTED or kind == Kind.EXPIRED:
        plan["state"] = IDLE
        plan["timer_ns"] = NEVER
    return 1


@kernel
def start_waiting(s, desk, planner, budget, params, budget_params):
    """Start the intent that waited for the end of the last plan, if any; return what `submit` returns."""
    intent = planner.intents[s]
    if intent["is_set"] == 0 or planner.plans[s]["state"] != IDLE:
        return Reason.PLAN_RUNNING
    reason = _start(s, desk, planner, budget, params, budget_params)
    intent["is_set"] = 0
    return reason


class Request(NamedTuple):
    """What has to go to the broker; `qty` is the order's whole quantity, also in a modify."""

    action: Action
    order_id: int
    symbol: str
    side: int
    qty: int
    price_usd: float


class ExecutionPlanner:
    """Work targets into orders from plain numbers; every call returns the requests it led to.

    Parameters
    ----------
    symbols : sequence of str
    settings : PlannerSettings, optional
    budget : BudgetSettings, optional
    tick_usd : float
        Tick of all symbols.
    **changes
        Single settings, by name, where no `settings` are given.

    Examples
    --------
    >>> planner = ExecutionPlanner(["AAPL"])
    >>> planner.quote("AAPL", 10.00, 10.03, 500, 500)
    >>> request = planner.set_target(0, "AAPL", 100)[0]
    >>> request.action.name, request.qty, request.price_usd
    ('NEW', 100, 10.01)
    >>> _ = planner.answer(20_000_000, "AAPL", "ACK", request.order_id)
    >>> [(step.action.name, step.price_usd) for step in planner.advance(8_000_000_000)]
    [('MODIFY', 10.02)]
    """

    def __init__(
        self,
        symbols: Sequence[str],
        settings: PlannerSettings | None = None,
        budget: BudgetSettings | None = None,
        *,
        tick_usd: float = 0.01,
        **changes: Any,
    ) -> None:
        self.settings = settings or PlannerSettings(**changes)
        self._symbols = tuple(symbols)
        n = len(self._symbols)
        dtypes = (
            (1, CLOCK),
            (n, BOOK),
            ((n, 4), DESK_ORDER),
            (n, "i8"),
            (n, POSITION),
            (8 * n, REQUEST),
            (1, DECISION),
            (1, CYCLE),
        )
        self._desk = Desk(*(np.zeros(count, dtype) for count, dtype in dtypes))
        self._desk.clock["next_order_id"] = 1
        self._desk.clock["trade_until_ns"] = NEVER
        self._desk.book["tick"] = round(tick_usd * _SCALE)
        self._planner = new_planner(n)
        self._budget = new_budget(), as_row(budget or BudgetSettings())
        self._params = as_row(self.settings)

    @property
    def next_timer_ns(self) -> int:
        """When `advance` has something to do; NEVER when nothing is pending."""
        return int(self._planner.plans["timer_ns"].min(initial=NEVER))

    def quote(self, symbol: str, bid_usd: float, ask_usd: float, bid_qty: int, ask_qty: int) -> None:
        """Take in the touch; size 0 = that side is empty."""
        row = self._desk.book[self._symbols.index(symbol)]
        row["bid"], row["ask"], row["bid_qty"], row["ask_qty"] = (
            round(bid_usd * _SCALE),
            round(ask_usd * _SCALE),
            bid_qty,
            ask_qty,
        )

    def set_target(self, now_ns: int, symbol: str, qty: int, *, horizon_min: int = 5, is_exit: bool = False) -> list[Request]:
        """Bring the position of a symbol to `qty` signed shares."""
        s = self._symbols.index(symbol)
        intent = self._planner.intents[s]
        intent["target_qty"], intent["is_exit"] = qty, is_exit
        intent["work_ns"] = self.settings.exit_work_ns if is_exit else work_ns_of(horizon_min, self._params)
        self._desk.clock["now_ns"] = now_ns
        self._call(submit, s)
        return self._drain()

    def answer(
        self, now_ns: int, symbol: str, kind: str, order_id: int, *, price_usd: float = 0.0, qty: int = 0, leaves_qty: int = 0
    ) -> list[Request]:
        """Take in the broker's answer to an order; `kind` is a name of `replay.events.Kind`."""
        s = self._symbols.index(symbol)
        event = np.zeros(1, EVENT)
        event["ts_ns"], event["kind"], event["symbol"], event["order_id"] = now_ns, Kind[kind], s, order_id
        event["price"], event["qty"], event["leaves_qty"] = round(price_usd * _SCALE), qty, leaves_qty
        self._desk.clock["now_ns"] = now_ns
        apply_answer(event, 0, self._desk)
        on_answer(event, 0, self._desk, self._planner, self._params)
        self._call(start_waiting, s)
        return self._drain()

    def advance(self, now_ns: int) -> list[Request]:
        """Do what is due at `now_ns`."""
        self._desk.clock["now_ns"] = now_ns
        for s in np.flatnonzero(self._planner.plans["timer_ns"] <= now_ns).tolist():
            self._call(on_timer, s)
            self._call(start_waiting, s)
        return self._drain()

    def position(self, symbol: str) -> int:
        """Return the signed shares held, as far as the answers say."""
        return int(self._desk.positions[self._symbols.index(symbol)]["qty"])

    def _call(self, kernel_function: Any, s: int) -> Any:
        return kernel_function(s, self._desk, self._planner, self._budget[0], self._params, self._budget[1])

    def _drain(self) -> list[Request]:
        clock = self._desk.clock[0]
        rows = self._desk.requests[: clock["n_requests"]]
        clock["n_requests"] = 0
        return [
            Request(Action(row["action"]), int(row["order_id"]), self._symbols[row["symbol"]], int(row["side"]), int(row["qty"]),
                    int(row["price"]) / _SCALE)
            for row in rows
        ]  # fmt: skip


_SCALE = 10_000
