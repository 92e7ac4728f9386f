"""Execution planner: from a target to requests, one plan per symbol at a time.

*Original* (design row 5). The whole difference between target and position is one slice:

1. An entry starts at the mid. A mid off the tick grid rounds down for buys, up for sells.
2. After half of the working time, if less than `step_below` is filled, the limit moves one tick towards the opposite touch and never
   beyond it (one modify; where there is no room, none).
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

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from replay.bundle import bundle
from replay.desk import NEVER, find_order, send_cancel, send_limit, send_modify, tag_order
from replay.events import Kind, Status
from replay.jit import kernel
from replay.orders import Side, State, Tif
from replay.settings import setting
from strategy.budget import take, take_cancel
from strategy.decision import Reason
from strategy.modes import OFF, mode_setting
from strategy.touch import touch_mid2

IDLE = 0
WORKING = 1
STEPPED = 2
CLOSING = 3

_S = 1_000_000_000

PLAN = np.dtype(
    [
        ("plan_id", "i8"),
        ("decision_id", "i8"),
        ("order_id", "i8"),
        ("target_qty", "i8"),
        ("qty", "i8"),  # of the parent, unsigned
        ("filled_qty", "i8"),
        ("side", "i8"),
        ("price", "i8"),  # limit now in force, as far as we know
        ("cap_price", "i8"),  # an exit never goes beyond
        ("start_ns", "i8"),
        ("step_ns", "i8"),
        ("end_ns", "i8"),
        ("timer_ns", "i8"),  # NEVER = none
        ("horizon_end_ns", "i8"),  # what the position will inherit
        ("stop_bps", "f8"),
        ("state", "i8"),
        ("is_exit", "i8"),
    ],
    align=True,
)

INTENT = np.dtype(
    [
        ("plan_id", "i8"),
        ("decision_id", "i8"),
        ("target_qty", "i8"),
        ("work_ns", "i8"),
        ("horizon_end_ns", "i8"),
        ("stop_bps", "f8"),
        ("is_exit", "i8"),
        ("is_set", "i8"),
    ],
    align=True,
)


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


@bundle
class Planner(NamedTuple):
    """State of the planner."""

    plans: np.ndarray  # PLAN (n_symbols,)
    intents: np.ndarray  # INTENT (n_symbols,), what starts next
    next_plan_id: np.ndarray  # int64 (1,)


def new_planner(n_symbols: int) -> Planner:
    """Return a planner without plans."""
    plans = np.zeros(n_symbols, PLAN)
    plans["timer_ns"] = NEVER
    return Planner(plans, np.zeros(n_symbols, INTENT), np.ones(1, np.int64))


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
    intent["plan_id"] = _take_plan_id(planner)
    intent["is_set"] = 1
    if plan["state"] != CLOSING:
        _cancel(s, desk, planner, budget, params)
    return 0


@kernel
def _take_plan_id(planner):
    plan_id = planner.next_plan_id[0]
    planner.next_plan_id[0] = plan_id + 1
    return plan_id


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
        intent["plan_id"] = _take_plan_id(planner)
    tag_order(desk, s, intent["plan_id"], intent["decision_id"], intent["work_ns"], 0)
    _write_plan(planner.plans[s], intent, now_ns, side, abs(delta_qty), price, order_id)
    planner.plans[s]["cap_price"] = cap_price(side, price, desk.book[s]["tick"], params)
    return 0


@kernel
def _write_plan(plan, intent, now_ns, side, qty, price, order_id):
    plan["plan_id"] = intent["plan_id"]
    plan["decision_id"] = intent["decision_id"]
    plan["order_id"] = order_id
    plan["target_qty"] = intent["target_qty"]
    plan["qty"] = qty
    plan["filled_qty"] = 0
    plan["side"] = side
    plan["price"] = price
    plan["start_ns"] = now_ns
    plan["step_ns"] = now_ns + intent["work_ns"] // 2
    plan["end_ns"] = now_ns + intent["work_ns"]
    plan["timer_ns"] = plan["step_ns"]
    plan["horizon_end_ns"] = intent["horizon_end_ns"]
    plan["stop_bps"] = intent["stop_bps"]
    plan["state"] = WORKING
    plan["is_exit"] = intent["is_exit"]


@kernel
def mid_price(side, book_row):
    """Return the mid of a usable quote on the tick grid, rounded away from the opposite touch (rule 1)."""
    mid2 = book_row["bid"] + book_row["ask"]
    step = 2 * book_row["tick"]
    if side > 0:
        return mid2 // step * book_row["tick"]
    return -(-mid2 // step) * book_row["tick"]


@kernel
def opposite_price(side, book_row):
    """Return the opposite touch on the tick grid, rounded so that it stays marketable."""
    tick = book_row["tick"]
    if side > 0:
        return -(-book_row["ask"] // tick) * tick
    return book_row["bid"] // tick * tick


@kernel
def cap_price(side, price, tick, params):
    """Return how far an exit that starts at `price` may go, on the tick grid."""
    ticks = int(price * params[0]["exit_slippage_bps"] / 10_000.0) // tick
    return price + side * ticks * tick


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
        _cancel(s, desk, planner, budget, params)
    elif plan["state"] == WORKING:
        plan["state"] = STEPPED
        plan["timer_ns"] = plan["end_ns"]
        _step(s, slot, desk, planner, budget, params, budget_params)
    else:
        plan["timer_ns"] = plan["end_ns"]


@kernel
def _cancel(s, desk, planner, budget, params):
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
def step_price(plan, book_row):
    """Return the price of rule 2 (entry) or rule 4 (exit); never worse for us than the opposite touch or the cap."""
    side = plan["side"]
    bound = opposite_price(side, book_row)
    wanted = plan["cap_price"] if plan["is_exit"] else plan["price"] + side * book_row["tick"]
    if side == Side.BUY:
        return min(wanted, bound)
    return max(wanted, bound)


@kernel
def on_answer(events, i, desk, planner, budget, params, budget_params):
    """Take in an answer that the desk already knows; return 1 when it belongs to the plan of its symbol."""
    event = events[i]
    kind = event["kind"]
    s = event["symbol"]
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
