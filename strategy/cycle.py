"""One cycle of one symbol: every step in its order, and the decision row that comes out of it.

The order (design section 6)::

    trading hours -> exits by clock and price -> staleness -> forecasts -> scale out -> cost -> gate -> exit by opposite gate
    -> arbiter -> barriers -> sizing -> risk -> renorm -> rebalance trigger -> planner -> budget

A step that answers a `Reason` ends the cycle of this symbol only. The row is worked out in scratch and appended to
`desk.decisions` whatever the outcome; room for it is made sure of before anything is sent. The steps from cost to renorm stand in
`strategy.targets`; where `pipeline.shadow` asks for it, `strategy.shadow` takes the other side through them.

After the flat-before-close time a flat symbol is OUTSIDE_HOURS as well: what it opened would be closed at once.
"""

import math

from replay.jit import kernel
from strategy.barriers import hold
from strategy.coalesce import forget_waiting, lasting_ns
from strategy.cost import said_bps
from strategy.cost_residual import note_entry, note_exit
from strategy.decision import Component, Reason
from strategy.exits import MINUTE_NS, check_exit, check_opposite, flat_ns, renew, retry_later, wait_for_sight
from strategy.forecasts import find_horizon
from strategy.forms import is_acting, note
from strategy.journal import begin, commit
from strategy.plan import IDLE
from strategy.planner import start_reason, submit, urgency, work_ns_of
from strategy.rebalance import mark_done, may_move
from strategy.shadow import decide_beside
from strategy.targets import choose_target, open_legs, read_inputs
from strategy.touch import touch_mid2, value2


@kernel
def run_cycle(s, desk, state):
    """Decide for one symbol now and journal the decision; return 0 when there was no room for it."""
    if begin(s, desk, state) == 0:
        return 0
    reason = _decide(s, desk, state)
    if Reason.NO_FORECAST <= reason < Reason.NOT_REBALANCE_TIME:  # no target any more; one that waits is older
        forget_waiting(s, state.planner)
    if state.params["pipeline"][0]["shadow"]:
        reason = decide_beside(s, reason, desk, state)
    commit(reason, desk, state)
    state.schedule[s]["unknown_count"] = 0  # only now: the shadow reads it too, and so do exits between cycles
    return 1


@kernel
def _decide(s, desk, state):
    usable = read_inputs(s, desk, state)
    if is_closed(desk):
        return Reason.OUTSIDE_HOURS
    reason = exit_reason(s, desk, state)
    if reason != 0 and not is_turnable(s, reason, state):
        return leave_in_sight(s, reason, usable, desk, state)
    if is_exiting(s, state) and is_hurried(s, state):
        return Reason.PLAN_RUNNING
    if desk.positions[s]["qty"] == 0 and desk.clock[0]["now_ns"] >= flat_ns(desk.clock, state.params["exits"]):
        return Reason.OUTSIDE_HOURS
    if usable != 0:
        return usable
    keep_qty = _kept_qty(s, desk, state)
    if keep_qty != desk.positions[s]["qty"]:
        return _scale_out(s, keep_qty, desk, state)
    reason = open_legs(s, desk, state)
    if reason != 0:
        return reason
    reason = check_opposite(s, desk.positions, state.legs, len(state.legs), state.params["exits"])
    if reason != 0 and not is_turnable(s, reason, state):
        return leave(s, reason, desk, state)
    reason = _set_target(s, desk, state)
    if reason != 0:
        return reason
    return _plan(s, desk, state)


@kernel
def _kept_qty(s, desk, state):
    """Return what the barrier gates let the symbol keep of its position."""
    book = desk.book
    return hold(s, touch_mid2(s, book), book[s]["lot"], desk.positions, state.trades, state.legs, state.params_acting["barriers"])


@kernel
def _scale_out(s, keep_qty, desk, state):
    reason = leave_to(s, keep_qty, Reason.EXIT_SCALE_OUT, desk, state)
    if reason == Reason.EXIT_SCALE_OUT:
        state.trades[s]["is_scaled"] = 1
    return reason


@kernel
def is_closed(desk):
    """Tell whether nothing may be sent now."""
    clock = desk.clock[0]
    return clock["now_ns"] < clock["trade_from_ns"] or clock["now_ns"] >= clock["trade_until_ns"]


@kernel
def exit_reason(s, desk, state):
    """Return the exit that holds by clock or price, or 0."""
    now_ns = desk.clock[0]["now_ns"]
    return check_exit(s, now_ns, desk.book, desk.positions, state.trades, desk.clock, state.params["exits"])


@kernel
def _set_target(s, desk, state):
    """Arbiter to rebalance trigger: return 0 when the decision holds a target that may be acted on."""
    reason = choose_target(s, desk, state)
    if reason != 0:
        return reason
    share = _move_share(s, desk, state)
    if is_acting(Component.REBALANCE, state):
        note(Component.REBALANCE, math.isnan(share), state)
        if math.isnan(share):
            return Reason.COMPONENT_ERROR
    now_ns = desk.clock[0]["now_ns"]
    return may_move(s, now_ns, share, state.decision, state.features, state.rebalance, state.params_acting["rebalance"])


@kernel
def _move_share(s, desk, state):
    """Return the value of the way from what is held, or already worked towards, to the target, as a share of equity."""
    aim_qty = desk.positions[s]["qty"]
    if state.planner.intents[s]["is_set"]:
        aim_qty = state.planner.intents[s]["target_qty"]
    elif state.planner.plans[s]["state"] != IDLE:
        aim_qty = state.planner.plans[s]["target_qty"]
    move_qty = abs(state.decision[0]["target_qty"] - aim_qty)
    return 0.5 * move_qty * value2(s, desk.book) / desk.clock[0]["scale"] / state.control[0]["equity_usd"]


@kernel
def _plan(s, desk, state):
    """Hand the target to the planner; the rebalance window closes only when it was taken or is held already."""
    row = state.decision[0]
    intent = state.planner.intents[s]
    now_ns = row["ts_ns"]
    reason = Reason.TARGET_KEPT
    if is_exiting(s, state) and row["target_qty"] * row["position_qty"] > 0:
        renew(s, now_ns, now_ns + int(row["horizon_min"]) * MINUTE_NS, state.trades, desk.clock, state.params["exits"])
    if row["target_qty"] != row["position_qty"] or state.planner.plans[s]["state"] != IDLE or intent["is_set"] != 0:
        intent["decision_id"] = row["decision_id"]
        intent["target_qty"] = row["target_qty"]
        intent["work_ns"] = work_ns_of(row["horizon_min"], state.params["planner"])
        intent["horizon_end_ns"] = now_ns + int(row["horizon_min"]) * MINUTE_NS
        intent["stop_bps"] = row["sigma_bps"]
        intent["is_exit"] = 0
        intent["is_urgent"] = 0
        intent["edge_bps"] = row["net_edge_bps"]
        intent["wait_ns"] = lasting_ns(row["net_edge_bps"], row["cost_bps"], int(row["horizon_min"]) * MINUTE_NS)
        intent["drift_bps_per_min"] = row["mu_bps"] / row["horizon_min"]
        reason = _submit(s, desk, state)
        if reason == Reason.TARGET_SET:
            _keep_said(s, desk, state)
    if reason == Reason.TARGET_SET or reason == Reason.TARGET_KEPT:
        mark_done(s, now_ns, state.features, state.rebalance)
    return reason


@kernel
def _keep_said(s, desk, state):
    """Keep what the cost model as configured says of a decision, whichever form acted: its fills teach that form."""
    k = find_horizon(state.horizons, state.decision[0]["horizon_min"])
    params = state.params["cost"]
    base_bps = said_bps(s, k, state.legs, desk, state.features, state.costs, params)
    note_entry(s, k, base_bps, state.decision, state.costs, params)


@kernel
def _submit(s, desk, state):
    params = state.params
    state.planner.intents[s]["volume_per_min"] = state.features[s]["volume_per_min"]
    reason = submit(s, desk, state.planner, state.budget, params["planner"], params["budget"])
    if reason == 0:
        waiting = state.planner.intents[s]
        state.decision[0]["plan_id"] = waiting["plan_id"]
    elif reason == Reason.COMPONENT_ERROR:
        state.decision[0]["status"] |= 1 << Component.PLANNER
    return reason


@kernel
def leave_in_sight(s, reason, usable, desk, state):
    """Leave, unless the guard finds the quote stale and nothing presses: then wait until it can be seen what is sent."""
    if usable == Reason.STALE_QUOTE and not is_pressing(reason):
        wait_for_sight(s, state.decision[0]["ts_ns"], state.trades, desk.clock, state.params["exits"])
        return usable
    return leave(s, reason, desk, state)


@kernel
def leave(s, reason, desk, state):
    """Ask the planner to close the position; return `reason`, or why that cannot be done now."""
    return leave_to(s, 0, reason, desk, state)


@kernel
def leave_to(s, keep_qty, reason, desk, state):
    """Ask the planner to bring the position down to `keep_qty`; return as `leave` does."""
    row = state.decision[0]
    retry_later(s, row["ts_ns"], state.trades, desk.clock, state.params["exits"])
    row["target_qty"] = keep_qty
    row["horizon_min"] = 0
    if is_leaving(s, reason, desk, state):
        return Reason.PLAN_RUNNING
    blocked = start_reason(s, desk)
    if blocked != 0:
        return blocked
    intent = state.planner.intents[s]
    intent["decision_id"] = row["decision_id"]
    intent["target_qty"] = keep_qty
    intent["work_ns"] = state.params[0]["planner"]["exit_work_ns"]
    intent["horizon_end_ns"] = 0
    intent["stop_bps"] = 0.0
    intent["is_exit"] = 1
    intent["is_urgent"] = urgency(is_pressing(reason), state.planner.forms[s], state.params["planner"])
    intent["edge_bps"] = 0.0
    intent["drift_bps_per_min"] = 0.0
    answer = _submit(s, desk, state)
    if answer != 0:
        return answer
    note_exit(s, state.decision, state.costs, state.params["cost"])
    return reason


@kernel
def is_pressing(reason):
    """Tell whether an exit cannot wait: the price ran against it, or the close is near."""
    return reason == Reason.EXIT_STOP or reason == Reason.EXIT_FLAT_BEFORE_CLOSE


@kernel
def is_exiting(s, state):
    """Tell whether an exit runs or waits; it is finished before anything new begins."""
    if state.planner.intents[s]["is_set"]:
        return state.planner.intents[s]["is_exit"] != 0
    return state.planner.plans[s]["state"] != IDLE and state.planner.plans[s]["is_exit"] != 0


@kernel
def is_hurried(s, state):
    """Tell whether the exit that runs or waits cannot be made more urgent, nor netted with a target on its side."""
    return state.planner.plans[s]["is_urgent"] != 0 or state.planner.intents[s]["is_set"] != 0


@kernel
def is_turnable(s, reason, state):
    """Tell whether a patient exit runs that a new target may be netted into, and `reason` does not press."""
    return is_exiting(s, state) and not is_hurried(s, state) and not is_pressing(reason)


@kernel
def is_leaving(s, reason, desk, state):
    """Tell whether the running plan, or the one that waits for it, already takes the position down."""
    plan = state.planner.plans[s]
    if is_exiting(s, state):
        return is_hurried(s, state) or urgency(is_pressing(reason), state.planner.forms[s], state.params["planner"]) == 0
    if plan["state"] == IDLE or state.planner.intents[s]["is_set"]:
        return False
    return reason != Reason.EXIT_FLAT_BEFORE_CLOSE and plan["side"] * desk.positions[s]["qty"] < 0
