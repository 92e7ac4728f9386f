"""The original planner: the whole difference between target and position is one slice.

1. An entry starts at the mid. A mid off the tick grid rounds down for buys, up for sells. With `start` = midprice it is an order
   of type MIDPRICE, at most `entry_slippage_bps` from the mid of its start: it follows the mid by itself, rule 2 leaves it alone.
2. After half of the working time, if less than `step_below` is filled, the limit moves one tick towards the opposite touch and
   never beyond it (one modify; where there is no room, none).
3. At the end of the working time what is left is cancelled.
4. An exit starts at the opposite touch, so that it is marketable; rule 2 moves it to the opposite touch of that moment, never
   beyond the cap: `exit_slippage_bps` away from where it started. What an exit leaves is tried again by the exit rules.
5. A new target while a plan runs cancels first; the new plan starts when the answer is there, from the position of then. A
   second new target replaces the one that waits.
6. The quantity asked never changes during a plan, so slices sum to the parent and fills never exceed it.
7. A cancel that was refused while the order lives is tried again after `retry_ns`.

    IDLE --start--> WORKING --half time--> STEPPED --end--> CLOSING --answer--> IDLE (or the next plan)
"""

from replay.desk import NEVER, find_order, send_modify, send_order, tag_order
from replay.events import Kind
from replay.jit import kernel
from replay.orders import OrderType, State, Tif
from strategy.budget import take_modify, take_new
from strategy.decision import Reason
from strategy.plan import (
    CLOSING,
    IDLE,
    PEGGED,
    STEPPED,
    WORKING,
    end_plan,
    start_reason,
    take_plan_id,
    withdraw_child,
    write_plan,
)
from strategy.plan_prices import cap_price, mid_cap_price, mid_price, opposite_price, step_price
from strategy.plan_stages import MIDPRICE
from strategy.token_budget import DISCRETIONARY, EXIT, NEEDED
from strategy.touch import touch_mid2


@kernel
def submit_simple(s, desk, planner, budget, params, budget_params):
    """Bring the symbol towards `intents[s]`; return 0 (TARGET_SET), TARGET_KEPT or why nothing starts."""
    plan = planner.plans[s]
    intent = planner.intents[s]
    if plan["state"] == IDLE:
        return start_simple(s, desk, planner, budget, params, budget_params)
    if plan["state"] != CLOSING and plan["target_qty"] == intent["target_qty"] and plan["is_exit"] == intent["is_exit"]:
        return Reason.TARGET_KEPT
    intent["plan_id"] = take_plan_id(planner)
    intent["is_set"] = 1
    if plan["state"] != CLOSING:
        _close(s, desk, planner, budget, params, budget_params)
    return 0


@kernel
def start_simple(s, desk, planner, budget, params, budget_params):
    """Start the intent of a symbol without a plan; return 0, TARGET_KEPT or why it cannot."""
    intent = planner.intents[s]
    delta_qty = intent["target_qty"] - desk.positions[s]["qty"]
    if delta_qty == 0:
        return Reason.TARGET_KEPT
    reason = start_reason(s, desk)
    if reason != 0:
        return reason
    now_ns = desk.clock[0]["now_ns"]
    if take_new(EXIT if intent["is_exit"] else NEEDED, now_ns, budget, budget_params) == 0:
        return Reason.BUDGET
    side = 1 if delta_qty > 0 else -1
    is_pegged = intent["is_exit"] == 0 and params[0]["start"] == MIDPRICE
    price = _first_price(s, side, intent["is_exit"], desk.book, params)
    order_type = OrderType.MIDPRICE if is_pegged else OrderType.LIMIT
    order_id = send_order(desk, s, side, abs(delta_qty), price, order_type, Tif.DAY, 0)
    if order_id == 0:
        return Reason.COMPONENT_ERROR
    if intent["is_set"] == 0:
        intent["plan_id"] = take_plan_id(planner)
    tag_order(desk, s, intent["plan_id"], intent["decision_id"], intent["work_ns"], 0)
    write_plan(planner.plans[s], intent, now_ns, side, abs(delta_qty), price, order_id)
    planner.plans[s]["cap_price"] = cap_price(side, price, desk.book[s]["tick"], params)
    planner.plans[s]["is_pegged"] = PEGGED if is_pegged else 0
    return 0


@kernel
def _first_price(s, side, is_exit, book, params):
    """Return the limit that a plan starts with, or the cap of its MIDPRICE order."""
    if is_exit:
        return opposite_price(side, book[s])
    if params[0]["start"] == MIDPRICE:
        return mid_cap_price(side, touch_mid2(s, book), book[s]["tick"], params[0]["entry_slippage_bps"])
    return mid_price(side, book[s])


@kernel
def timer_simple(s, desk, planner, budget, params, budget_params):
    """Do what the plan of a symbol has to do at `now_ns`: step, or cancel at the end."""
    plan = planner.plans[s]
    now_ns = desk.clock[0]["now_ns"]
    slot = find_order(desk, s, plan["order_id"])
    if plan["state"] == IDLE or slot < 0:
        end_plan(plan)
    elif plan["state"] == CLOSING or now_ns >= plan["end_ns"]:
        _close(s, desk, planner, budget, params, budget_params)
    elif plan["state"] == WORKING:
        plan["state"] = STEPPED
        plan["timer_ns"] = plan["end_ns"]
        _step(s, slot, desk, planner, budget, params, budget_params)
    else:
        plan["timer_ns"] = plan["end_ns"]


@kernel
def _close(s, desk, planner, budget, params, budget_params):
    plan = planner.plans[s]
    plan["state"] = CLOSING
    plan["timer_ns"] = NEVER
    slot = find_order(desk, s, plan["order_id"])
    if slot >= 0:
        withdraw_child(s, slot, desk, plan, params[0]["retry_ns"], budget, budget_params)


@kernel
def _step(s, slot, desk, planner, budget, params, budget_params):
    plan = planner.plans[s]
    order = desk.orders[s, slot]
    if plan["is_pegged"] or plan["filled_qty"] >= params[0]["step_below"] * plan["qty"] or order["state"] == State.SENT:
        return
    if start_reason(s, desk) != 0:
        return
    price = step_price(plan, desk.book[s])
    need = EXIT if plan["is_exit"] else DISCRETIONARY
    if plan["side"] * (price - plan["price"]) <= 0 or take_modify(need, desk.clock[0]["now_ns"], budget, budget_params) == 0:
        return
    send_modify(desk, s, slot, order["qty"], price)


@kernel
def answer_simple(event, desk, plan, params):
    """Take in an answer to the order of the plan; what it filled is known already."""
    kind = event["kind"]
    if kind == Kind.MODIFIED:
        plan["price"] = event["price"]
    elif kind == Kind.CANCEL_REJECTED and plan["state"] == CLOSING:
        plan["timer_ns"] = desk.clock[0]["now_ns"] + params[0]["retry_ns"]
    if kind == Kind.FILL or kind == Kind.CANCELLED or kind == Kind.REJECTED or kind == Kind.EXPIRED:
        end_plan(plan)
