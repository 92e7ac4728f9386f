"""The enhanced planner: one child at a time, stepped up by modifies, with a capped cross at the end.

T is the working time, cut by `strategy.patience` where a forecast runs away from an entry, c = min(cross_ns, T / 4). A plan goes
through stages; a stage begins by the clock::

    stage   0          1             2             3              4                5
    begins  start      T / 3         2 T / 3       T - c          T - c / 2        T
    limit   share      step 1        step 2        opposite touch the same, again  what is left is cancelled

1. *Start*: a first slice (`strategy.slices`) at the mid (`start` = mid) or the own touch, rounded to the safe side. No limit of
   the plan ever goes beyond its cap: an entry's lies `entry_slippage_bps` from the mid of the start, an exit's
   `exit_slippage_bps` from the opposite touch of the start, for an exit has to get out of a wide spread too.
   With `start` = midprice children before the cross are MIDPRICE orders with the cap as limit: they follow the mid by themselves,
   so steps leave them alone, and as they move unseen their place in the queue counts as unknown. At the cross such a child is
   cancelled, and once the broker says so its rest is sent anew.
2. *Steps* (one modify each): the limit moves to `step_shares` of the way across the spread of now, and as its place in the queue
   is lost anyway the child grows to the slice of now. Queue-aware: no step where the estimate expects the child to fill before
   the cross, or where the limit would not get nearer.
3. *Cross*: the limit moves to the opposite touch within the cap, for all that is left; again half way to the end.
4. A child that filled before the end is followed by the next slice at the price of the stage; where the budget refuses it, the
   next stage tries again. What children ask for never adds up to more than the parent.
5. At the end the child is cancelled. A cancel that was refused is repeated after `retry_ns`; so a plan ends within T + latency +
   a retry, and no child outlives it. An order that the broker ends early (rejected, expired, cancelled) ends its plan.
6. *Urgent* exits (stops, before the close) are stage 3 from the start, all at once.
7. A *new target* on the same side is netted into the plan: parent and purpose change, clock, cap and child stay; a child that is
   now too large is cut by a modify. An exit that becomes urgent crosses at once; one that becomes a turn to the other side
   grows. Any other target cancels first and starts from the position of then. A change that is refused and leaves the child
   too large is followed by a cancel.
8. In a halt, without a usable quote or outside the trading hours nothing is sent but cancels.
9. *Coalescing*: while the budget has fewer than `coalesce_below` messages left, what wants to start waits for the end of the
   instant (1 ns) and starts in the order of `strategy.coalesce`. A second target of the symbol replaces the first, so a buy and
   a sell are netted. What gets no message tries again at the next whole `retry_ns`, all that wait together. An entry is dropped
   when its edge is over, or `wait_ns` after it was last asked for where that is later.
10. *Nothing starts that cannot be finished*: where the first child takes the last message that is left, none is sure for the
   cross. So the plan begins with it, as an urgent one: it crosses for all that it wants.

    IDLE --start--> WORKING --end, other side--> CLOSING --answer--> IDLE (or the next plan)
"""

from replay.desk import NEVER, find_order, send_limit, send_modify, send_order, tag_order
from replay.jit import kernel
from replay.orders import OrderType, State, Tif
from strategy.budget import messages_left, take_modify, take_new
from strategy.decision import Reason
from strategy.modes import ENHANCED
from strategy.patience import patient_ns
from strategy.plan import (
    CLOSING,
    IDLE,
    PEGGED,
    WITHDRAWN,
    WORKING,
    end_plan,
    start_reason,
    take_plan_id,
    withdraw_child,
    write_plan,
    write_purpose,
)
from strategy.plan_prices import cap_price, limit_price, mid_cap_price, opposite_price
from strategy.plan_stages import CROSS, MIDPRICE, need_at, share_at, stage_at, stage_ns
from strategy.queue_estimate import join, leave_queue
from strategy.slices import expected_qty, slice_qty
from strategy.token_budget import EXIT, NEEDED
from strategy.touch import touch_mid2


@kernel
def room(plan):
    """Return the largest whole quantity that the child may have."""
    return plan["qty"] - plan["filled_qty"] + plan["child_filled_qty"]


@kernel
def submit_micro(s, desk, planner, budget, params, budget_params):
    """Bring the symbol towards `intents[s]`; return 0 (TARGET_SET), TARGET_KEPT or why nothing starts."""
    plan = planner.plans[s]
    intent = planner.intents[s]
    intent["asked_ns"] = desk.clock[0]["now_ns"]
    if plan["state"] == WORKING:
        if _is_same(plan, intent):
            return Reason.TARGET_KEPT
        if _retarget(s, desk, planner, budget, params, budget_params):
            intent["plan_id"] = plan["plan_id"]
            return 0
        close(s, desk, planner, budget, params, budget_params)
    if plan["state"] == IDLE:
        return _ask_start(s, desk, planner, budget, params, budget_params)
    intent["plan_id"] = take_plan_id(planner)
    intent["is_set"] = 1
    return 0


@kernel
def _is_same(plan, intent):
    return (
        plan["target_qty"] == intent["target_qty"]
        and plan["is_exit"] == intent["is_exit"]
        and plan["is_urgent"] >= intent["is_urgent"]
    )


@kernel
def _ask_start(s, desk, planner, budget, params, budget_params):
    """Start at once, or wait for the end of the instant when the budget is tight."""
    plan = planner.plans[s]
    intent = planner.intents[s]
    now_ns = desk.clock[0]["now_ns"]
    is_tight = budget_params[0]["mode"] == ENHANCED and messages_left(now_ns, budget, budget_params) < params[0]["coalesce_below"]
    reason = _blocked(s, desk, intent)
    if reason != 0 or not is_tight:
        if reason == 0:
            reason = _start(s, desk, planner, budget, params, budget_params)
        intent["is_set"] = 0
        if reason != 0:
            plan["timer_ns"] = NEVER
        return reason
    if intent["is_set"] == 0:
        intent["plan_id"] = take_plan_id(planner)
    intent["is_set"] = 1
    plan["timer_ns"] = now_ns + 1
    return 0


@kernel
def _blocked(s, desk, intent):
    """Return 0 when there is something to do and it may be done now."""
    if intent["target_qty"] == desk.positions[s]["qty"]:
        return Reason.TARGET_KEPT
    return start_reason(s, desk)


@kernel
def start_waiting_micro(s, desk, planner, budget, params, budget_params):
    """Start the intent that waits; without a message left it goes on waiting, an entry as long as its edge lasts."""
    plan = planner.plans[s]
    intent = planner.intents[s]
    now_ns = desk.clock[0]["now_ns"]
    reason = _blocked(s, desk, intent)
    if reason == 0:
        reason = _start(s, desk, planner, budget, params, budget_params)
    patience_ns = max(intent["wait_ns"], params[0]["wait_ns"])
    if reason == Reason.BUDGET and (intent["is_exit"] or now_ns - intent["asked_ns"] < patience_ns):
        plan["timer_ns"] = (now_ns // params[0]["retry_ns"] + 1) * params[0]["retry_ns"]
        return 0
    intent["is_set"] = 0
    if reason != 0:
        plan["timer_ns"] = NEVER
    return reason


@kernel
def _start(s, desk, planner, budget, params, budget_params):
    """Begin a plan with its first child; return 0, BUDGET or COMPONENT_ERROR."""
    intent = planner.intents[s]
    plan = planner.plans[s]
    now_ns = desk.clock[0]["now_ns"]
    if take_new(EXIT if intent["is_exit"] else NEEDED, now_ns, budget, budget_params) == 0:
        return Reason.BUDGET
    if intent["is_set"] == 0:
        intent["plan_id"] = take_plan_id(planner)
    delta_qty = intent["target_qty"] - desk.positions[s]["qty"]
    side = 1 if delta_qty > 0 else -1
    write_plan(plan, intent, now_ns, side, abs(delta_qty), 0, 0)
    if budget_params[0]["mode"] == ENHANCED and messages_left(now_ns, budget, budget_params) == 0:
        plan["is_urgent"] = 1
    plan["end_ns"] = now_ns + patient_ns(side, intent["work_ns"], intent["drift_bps_per_min"], desk.book[s], params)
    _write_cap(s, plan, desk, params)
    planner.places[s]["volume_qty"] = 0
    planner.watched[s] = 1
    plan["timer_ns"] = stage_ns(plan, 1, params)
    if _send_child(s, desk, planner, params) == 0:
        end(s, planner)
        return Reason.COMPONENT_ERROR
    return 0


@kernel
def _write_cap(s, plan, desk, params):
    row = desk.book[s]
    plan["mid2"] = touch_mid2(s, desk.book)
    if plan["is_exit"]:
        plan["cap_price"] = cap_price(plan["side"], opposite_price(plan["side"], row), row["tick"], params)
    else:
        plan["cap_price"] = mid_cap_price(plan["side"], plan["mid2"], row["tick"], params[0]["entry_slippage_bps"])


@kernel
def _send_child(s, desk, planner, params):
    """Send the next slice at the price of now; the budget has granted it. Return its order id, or 0 when there was no room."""
    plan = planner.plans[s]
    row = desk.book[s]
    now_ns = desk.clock[0]["now_ns"]
    left_qty = plan["qty"] - plan["filled_qty"]
    qty = left_qty
    if share_at(plan, now_ns, params) < 1.0:
        leave_queue(planner.places[s])
        qty = slice_qty(left_qty, plan, planner.places[s], now_ns, row, desk.clock[0]["scale"], params)
    price = limit_price(plan["side"], share_at(plan, now_ns, params), plan["cap_price"], row)
    is_pegged = params[0]["start"] == MIDPRICE and share_at(plan, now_ns, params) < 1.0
    order_id = _send(s, qty, price, is_pegged, desk, plan)
    if order_id == 0:
        return 0
    tag_order(desk, s, plan["plan_id"], plan["decision_id"], plan["end_ns"] - plan["start_ns"], plan["slice"])
    plan["order_id"] = order_id
    plan["price"] = price
    plan["child_qty"] = qty
    plan["child_filled_qty"] = 0
    plan["is_kept"] = 1
    plan["slice"] += 1
    plan["is_pegged"] = PEGGED if is_pegged else 0
    join_queue(s, qty, desk, planner, params)
    return order_id


@kernel
def _send(s, qty, price, is_pegged, desk, plan):
    if is_pegged:
        return send_order(desk, s, plan["side"], qty, plan["cap_price"], OrderType.MIDPRICE, Tif.DAY, 0)
    return send_limit(desk, s, plan["side"], qty, price, Tif.DAY, 0)


@kernel
def join_queue(s, qty, desk, planner, params):
    """Take the child's place at its price, and write the estimate on its order; that of a child that moves is unknown."""
    plan = planner.plans[s]
    if plan["is_pegged"]:
        leave_queue(planner.places[s])
    else:
        join(planner.places[s], plan["side"], plan["price"], qty, desk.book[s], params)
    write_ahead(s, desk, planner)


@kernel
def write_ahead(s, desk, planner):
    """Write the estimate of the child's place on its order."""
    slot = find_order(desk, s, planner.plans[s]["order_id"])
    if slot >= 0:
        desk.orders[s, slot]["ahead_qty"] = planner.places[s]["ahead_qty"]


@kernel
def timer_micro(s, desk, planner, budget, params, budget_params):
    """Do what the plan of a symbol has to do at `now_ns`."""
    plan = planner.plans[s]
    now_ns = desk.clock[0]["now_ns"]
    if plan["state"] == IDLE:
        plan["timer_ns"] = NEVER
    elif plan["state"] == CLOSING or now_ns >= plan["end_ns"]:
        close(s, desk, planner, budget, params, budget_params)
    else:
        plan["timer_ns"] = stage_ns(plan, stage_at(plan, now_ns, params) + 1, params)
        act(s, desk, planner, budget, params, budget_params)


@kernel
def act(s, desk, planner, budget, params, budget_params):
    """Send the next child, or step the one that lives."""
    if start_reason(s, desk) != 0:
        return
    plan = planner.plans[s]
    slot = find_order(desk, s, plan["order_id"])
    now_ns = desk.clock[0]["now_ns"]
    if slot >= 0:
        _step(s, slot, desk, planner, budget, params, budget_params)
    elif plan["filled_qty"] < plan["qty"] and take_new(EXIT if plan["is_exit"] else NEEDED, now_ns, budget, budget_params):
        _send_child(s, desk, planner, params)


@kernel
def _step(s, slot, desk, planner, budget, params, budget_params):
    """Move the child nearer, if it is worth a message."""
    plan = planner.plans[s]
    order = desk.orders[s, slot]
    now_ns = desk.clock[0]["now_ns"]
    if order["state"] != State.WORKING and order["state"] != State.PARTIAL:
        return
    share = share_at(plan, now_ns, params)
    if plan["is_pegged"]:
        if share >= 1.0:
            plan["is_pegged"] = WITHDRAWN
            withdraw_child(s, slot, desk, plan, params[0]["retry_ns"], budget, budget_params)
        return
    if share < 1.0 and expected_qty(plan, planner.places[s], now_ns, stage_ns(plan, CROSS, params)) >= order["leaves_qty"]:
        return
    price = limit_price(plan["side"], share, plan["cap_price"], desk.book[s])
    is_nearer = plan["side"] * (price - plan["price"]) > 0
    if not is_nearer:
        price = plan["price"]
    qty = _stepped_qty(s, share, is_nearer, now_ns, desk, planner, params)
    if (is_nearer or qty > plan["child_qty"]) and take_modify(need_at(plan, now_ns, params), now_ns, budget, budget_params):
        send_modify(desk, s, slot, qty, price)
        plan["child_qty"] = max(plan["child_qty"], qty)


@kernel
def _stepped_qty(s, share, is_nearer, now_ns, desk, planner, params):
    """Return the child's whole quantity after a step: all that is left in a cross, the slice of now where it moves."""
    plan = planner.plans[s]
    if share >= 1.0:
        return room(plan)
    if not is_nearer:
        return plan["child_qty"]
    left_qty = plan["qty"] - plan["filled_qty"]
    qty = slice_qty(left_qty, plan, planner.places[s], now_ns, desk.book[s], desk.clock[0]["scale"], params)
    return max(plan["child_qty"], plan["child_filled_qty"] + qty)


@kernel
def _retarget(s, desk, planner, budget, params, budget_params):
    """Net a target of the same side into the running plan; return 1 when that was possible."""
    plan = planner.plans[s]
    intent = planner.intents[s]
    delta_qty = intent["target_qty"] - desk.positions[s]["qty"]
    if intent["is_exit"] > plan["is_exit"] or plan["side"] * delta_qty <= 0:
        return 0
    qty = plan["filled_qty"] + abs(delta_qty)
    if _cut(s, qty, desk, planner, budget, budget_params) == 0:
        return 0
    becomes_urgent = intent["is_urgent"] > plan["is_urgent"]
    write_purpose(plan, intent)
    plan["qty"] = qty
    if becomes_urgent and start_reason(s, desk) == 0:
        _write_cap(s, plan, desk, params)
        act(s, desk, planner, budget, params, budget_params)
    return 1


@kernel
def _cut(s, qty, desk, planner, budget, budget_params):
    """Make a child fit a parent of `qty`; return 1 when it does, or will when the change is through."""
    plan = planner.plans[s]
    room_qty = qty - plan["filled_qty"] + plan["child_filled_qty"]
    slot = find_order(desk, s, plan["order_id"])
    if slot < 0 or plan["child_qty"] <= room_qty:
        return 1
    order = desk.orders[s, slot]
    if order["state"] != State.WORKING and order["state"] != State.PARTIAL:
        return 0
    need = EXIT if plan["is_exit"] else NEEDED
    if take_modify(need, desk.clock[0]["now_ns"], budget, budget_params) == 0:
        return 0
    return send_modify(desk, s, slot, room_qty, plan["cap_price"] if plan["is_pegged"] else plan["price"])


@kernel
def close(s, desk, planner, budget, params, budget_params):
    """Cancel the child; without one the plan is over."""
    plan = planner.plans[s]
    plan["state"] = CLOSING
    plan["timer_ns"] = NEVER
    slot = find_order(desk, s, plan["order_id"])
    if slot < 0:
        end(s, planner)
        return
    withdraw_child(s, slot, desk, plan, params[0]["retry_ns"], budget, budget_params)


@kernel
def end(s, planner):
    """End the plan of a symbol."""
    end_plan(planner.plans[s])
    planner.watched[s] = 0
    leave_queue(planner.places[s])
