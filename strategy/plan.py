"""A plan: one row of what is being worked for a symbol, one of what comes next, and what may start.

A *plan* brings a position to a target: its quantity is the parent's. One *child* order at a time works a slice of it.
"""

from typing import NamedTuple

import numpy as np

from replay.bundle import bundle
from replay.desk import NEVER, send_cancel
from replay.events import Status
from replay.jit import kernel
from replay.orders import State
from strategy.budget import take_cancel
from strategy.decision import Reason
from strategy.modes import ORIGINAL
from strategy.queue_estimate import PLACE
from strategy.touch import touch_mid2

IDLE = 0
WORKING = 1
STEPPED = 2
CLOSING = 3

PEGGED = 1
WITHDRAWN = 2

PLAN = np.dtype(
    [
        ("plan_id", "i8"),
        ("decision_id", "i8"),
        ("order_id", "i8"),  # of the child that lives; 0 = none
        ("target_qty", "i8"),
        ("qty", "i8"),  # of the parent, unsigned
        ("filled_qty", "i8"),
        ("side", "i8"),
        ("price", "i8"),  # limit now in force, as far as we know
        ("cap_price", "i8"),  # never beyond; the original form caps exits only
        ("start_ns", "i8"),
        ("step_ns", "i8"),
        ("end_ns", "i8"),
        ("timer_ns", "i8"),  # NEVER = none
        ("horizon_end_ns", "i8"),  # what the position will inherit
        ("stop_bps", "f8"),
        ("state", "i8"),
        ("is_exit", "i8"),
        ("is_urgent", "i8"),  # crosses at once
        ("is_kept", "i8"),  # the budget keeps a token for the child's cancel
        ("child_qty", "i8"),  # most that the child may fill: what is in force, or asked for if more
        ("child_filled_qty", "i8"),
        ("slice", "i8"),  # children sent
        ("is_pegged", "i8"),  # the child follows the mid by itself; WITHDRAWN = it is being cancelled, so that the rest may cross
        ("mid2", "i8"),  # when the plan began
        ("volume_per_min", "f8"),  # when the plan began; 0 = unknown
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
        ("is_set", "i8"),  # it waits: for the end of a plan, or for the budget
        ("is_urgent", "i8"),
        ("asked_ns", "i8"),
        ("wait_ns", "i8"),  # how long its edge lasts: an entry waits no longer for the budget
        ("edge_bps", "f8"),  # net edge, by which a tight budget is shared out
        ("drift_bps_per_min", "f8"),  # where the forecast says that the mid goes, signed; 0 = unknown
        ("volume_per_min", "f8"),
    ],
    align=True,
)


@bundle
class Planner(NamedTuple):
    """State of the planner."""

    plans: np.ndarray  # PLAN (n_symbols,)
    intents: np.ndarray  # INTENT (n_symbols,), what starts next
    next_plan_id: np.ndarray  # int64 (1,)
    places: np.ndarray  # PLACE (n_symbols,), of the child in its queue
    watched: np.ndarray  # int64 (n_symbols,), 1 = quotes and prints of the symbol are looked at
    forms: np.ndarray  # int64 (n_symbols,), mode in which the plan is worked that runs, waits, or comes next


def new_planner(n_symbols: int, mode: int = ORIGINAL) -> Planner:
    """Return a planner without plans; `mode` is the form of the first (`strategy.modes`)."""
    plans = np.zeros(n_symbols, PLAN)
    plans["timer_ns"] = NEVER
    places, watched = np.zeros(n_symbols, PLACE), np.zeros(n_symbols, np.int64)
    places["ahead_qty"] = -1
    forms = np.full(n_symbols, mode, np.int64)
    return Planner(plans, np.zeros(n_symbols, INTENT), np.ones(1, np.int64), places, watched, forms)


def begin_day(planner: Planner) -> None:
    """End all plans: a broker cancels DAY orders overnight."""
    planner.plans["state"] = IDLE
    planner.plans["timer_ns"] = NEVER
    planner.plans["is_kept"] = 0
    planner.intents["is_set"] = 0
    planner.watched[:] = 0


@kernel
def take_plan_id(planner):
    """Return a plan id never used before."""
    plan_id = planner.next_plan_id[0]
    planner.next_plan_id[0] = plan_id + 1
    return plan_id


@kernel
def write_plan(plan, intent, now_ns, side, qty, price, order_id):
    """Begin a plan: what the intent asked, as the order just sent works it."""
    plan["plan_id"] = intent["plan_id"]
    plan["order_id"] = order_id
    plan["qty"] = qty
    plan["filled_qty"] = 0
    plan["side"] = side
    plan["price"] = price
    plan["start_ns"] = now_ns
    plan["step_ns"] = now_ns + intent["work_ns"] // 2
    plan["end_ns"] = now_ns + intent["work_ns"]
    plan["timer_ns"] = plan["step_ns"]
    plan["state"] = WORKING
    plan["is_kept"] = 1
    plan["child_qty"] = qty
    plan["child_filled_qty"] = 0
    plan["slice"] = 0
    plan["is_pegged"] = 0
    plan["volume_per_min"] = intent["volume_per_min"]
    write_purpose(plan, intent)


@kernel
def write_purpose(plan, intent):
    """Write what a plan is for; a plan that takes over another target keeps its clock."""
    plan["decision_id"] = intent["decision_id"]
    plan["target_qty"] = intent["target_qty"]
    plan["horizon_end_ns"] = intent["horizon_end_ns"]
    plan["stop_bps"] = intent["stop_bps"]
    plan["is_exit"] = intent["is_exit"]
    plan["is_urgent"] = intent["is_urgent"]


@kernel
def end_plan(plan):
    """Let a plan rest; what waits may begin."""
    plan["state"] = IDLE
    plan["order_id"] = 0
    plan["timer_ns"] = NEVER


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
def withdraw_child(s, slot, desk, plan, retry_ns, budget, budget_params):
    """Cancel the child in `slot` unless that is under way; without a message to spare try again after `retry_ns`."""
    if desk.orders[s, slot]["state"] == State.CANCEL_SENT:
        return
    now_ns = desk.clock[0]["now_ns"]
    if take_cancel(plan["is_kept"], now_ns, budget, budget_params) == 0:
        plan["timer_ns"] = now_ns + retry_ns
        return
    plan["is_kept"] = 0
    send_cancel(desk, s, slot)
