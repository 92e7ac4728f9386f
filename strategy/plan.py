"""A plan: one row of what is being worked for a symbol, one of what comes next, and the prices of a plan.

Prices are rounded to the tick grid, always to the safe side (the numbers are the rules of `strategy.planner`)::

    rule 1   entry   mid, down for buys, up for sells
    rule 4   exit    opposite touch, up for buys, down for sells, so that it stays marketable
             cap     exit start + side floor(start exit_slippage_bps / 1e4), whole ticks
    rule 2   step    one tick towards the opposite touch (entry) or all the way up to the cap (exit), never beyond that touch
"""

from typing import NamedTuple

import numpy as np

from replay.bundle import bundle
from replay.desk import NEVER
from replay.jit import kernel
from replay.orders import Side

IDLE = 0
WORKING = 1
STEPPED = 2
CLOSING = 3

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
def take_plan_id(planner):
    """Return a plan id never used before."""
    plan_id = planner.next_plan_id[0]
    planner.next_plan_id[0] = plan_id + 1
    return plan_id


@kernel
def write_plan(plan, intent, now_ns, side, qty, price, order_id):
    """Begin a plan: what the intent asked, as the order just sent works it."""
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
def step_price(plan, book_row):
    """Return the price of rule 2 (entry) or rule 4 (exit); never worse for us than the opposite touch or the cap."""
    side = plan["side"]
    bound = opposite_price(side, book_row)
    wanted = plan["cap_price"] if plan["is_exit"] else plan["price"] + side * book_row["tick"]
    if side == Side.BUY:
        return min(wanted, bound)
    return max(wanted, bound)
