"""What answers of the broker do to an enhanced plan (rules 2 to 5 and 7 of `strategy.micro_plan`)."""

from replay.desk import find_order
from replay.events import Kind
from replay.jit import kernel
from strategy.micro_plan import act, close, end, join_queue, room, write_ahead
from strategy.plan import CLOSING, PEGGED, WITHDRAWN, WORKING
from strategy.queue_estimate import own_fill, resize


@kernel
def answer_micro(event, s, desk, planner, budget, params, budget_params):
    """Take in an answer to the child; what it filled is known already."""
    plan = planner.plans[s]
    kind = event["kind"]
    slot = find_order(desk, s, plan["order_id"])
    if kind == Kind.ACK:
        _rejoin(s, slot, desk, planner, params)
    elif kind == Kind.PARTIAL and plan["is_pegged"] == 0:
        own_fill(planner.places[s], event["leaves_qty"], params)
        write_ahead(s, desk, planner)
    elif kind == Kind.MODIFIED:
        _take_change(event, s, slot, desk, planner, params)
    elif kind == Kind.CANCEL_REJECTED:
        _take_refusal(s, slot, desk, planner, budget, params, budget_params)
    elif _goes_on(kind, plan):
        plan["order_id"] = 0
        if desk.clock[0]["now_ns"] < plan["end_ns"]:
            act(s, desk, planner, budget, params, budget_params)
    elif kind == Kind.FILL or kind == Kind.CANCELLED or kind == Kind.REJECTED or kind == Kind.EXPIRED:
        end(s, planner)


@kernel
def _goes_on(kind, plan):
    """Tell whether a plan whose child has just ended sends another one: the child filled, or was withdrawn for the cross."""
    is_own_end = kind == Kind.FILL or (kind == Kind.CANCELLED and plan["is_pegged"] == WITHDRAWN)
    return is_own_end and plan["state"] == WORKING and plan["filled_qty"] < plan["qty"]


@kernel
def _rejoin(s, slot, desk, planner, params):
    if slot >= 0:
        join_queue(s, desk.orders[s, slot]["leaves_qty"], desk, planner, params)


@kernel
def _take_change(event, s, slot, desk, planner, params):
    """Take in new terms: a better price or a larger quantity joined the queue anew."""
    plan = planner.plans[s]
    if slot < 0:
        return
    order = desk.orders[s, slot]
    plan["child_qty"], child_qty = order["qty"], plan["child_qty"]
    if plan["is_pegged"]:
        return
    keeps_place = event["price"] == plan["price"] and order["qty"] < child_qty
    plan["price"] = event["price"]
    if keeps_place:
        resize(planner.places[s], order["leaves_qty"], params)
    else:
        _rejoin(s, slot, desk, planner, params)


@kernel
def _take_refusal(s, slot, desk, planner, budget, params, budget_params):
    """Go on with the old terms; cancel later when closing, at once where they are too large for the parent."""
    plan = planner.plans[s]
    if plan["state"] == CLOSING:
        plan["timer_ns"] = desk.clock[0]["now_ns"] + params[0]["retry_ns"]
    elif slot >= 0:
        plan["is_pegged"] = min(plan["is_pegged"], PEGGED)
        plan["child_qty"] = desk.orders[s, slot]["qty"]
        if plan["child_qty"] > room(plan):
            close(s, desk, planner, budget, params, budget_params)
