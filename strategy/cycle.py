"""One cycle of one symbol: every step in its order, and the decision row that comes out of it.

The order (design section 6)::

    trading hours -> exits by clock and price -> staleness -> forecasts -> scale out -> cost -> gate -> exit by opposite gate
    -> arbiter -> barriers -> sizing -> risk -> renorm -> rebalance trigger -> planner -> budget

A step that answers a `Reason` ends the cycle of this symbol only. The row is worked out in scratch and appended to
`desk.decisions` whatever the outcome; room for it is made sure of before anything is sent. A refusal is not an error: a bit of
`status` is set only for what should never be (`is_error`): NaN, an unknown horizon or cost, abnormal weights.

After the flat-before-close time a flat symbol is OUTSIDE_HOURS as well: what it opened would be closed at once.
"""

import math

from replay.jit import kernel
from strategy.barriers import block as block_barrier
from strategy.barriers import hold
from strategy.blend import choose_blend
from strategy.cost import price, write_cost_parts
from strategy.cost_residual import note_entry, note_exit
from strategy.decision import Component, Reason
from strategy.exits import MINUTE_NS, check_exit, check_opposite, flat_ns, renew, retry_later
from strategy.features import write_features
from strategy.forecasts import find_horizon, load_legs
from strategy.gate import open_gate
from strategy.journal import begin, commit
from strategy.learning import is_learning, issue, mature
from strategy.plan import IDLE
from strategy.planner import start_reason, submit, urgency, work_ns_of
from strategy.rebalance import mark_done, may_move
from strategy.renorm import fit_portfolio, normalise, share_out, weight_sum
from strategy.risk import cap
from strategy.sizing import size
from strategy.staleness import drop_old, fade_forecast, judge, refuse
from strategy.touch import touch_mid2, value2


@kernel
def run_cycle(s, desk, state):
    """Decide for one symbol now and journal the decision; return 0 when there was no room for it."""
    if begin(s, desk, state) == 0:
        return 0
    reason = _decide(s, desk, state)
    commit(reason, desk, state)
    return 1


@kernel
def _decide(s, desk, state):
    usable = read_inputs(s, desk, state)
    if is_closed(desk):
        return Reason.OUTSIDE_HOURS
    reason = exit_reason(s, desk, state)
    if reason != 0 and not is_turnable(s, reason, state):
        return leave(s, reason, desk, state)
    if is_exiting(s, state) and is_hurried(s, state):
        return Reason.PLAN_RUNNING
    if desk.positions[s]["qty"] == 0 and desk.clock[0]["now_ns"] >= flat_ns(desk.clock, state.params["exits"]):
        return Reason.OUTSIDE_HOURS
    if usable != 0:
        return usable
    keep_qty = _kept_qty(s, desk, state)
    if keep_qty != desk.positions[s]["qty"]:
        return _scale_out(s, keep_qty, desk, state)
    reason = _open_legs(s, desk, state)
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
    return hold(s, touch_mid2(s, book), book[s]["lot"], desk.positions, state.trades, state.legs, state.params["barriers"])


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
def read_inputs(s, desk, state):
    """Write features, legs, ages and quality into scratch; return 0 or why they cannot be used."""
    now_ns = desk.clock[0]["now_ns"]
    decision = state.decision
    params = state.params
    legs = state.legs
    write_features(s, now_ns, desk.book, state.features, state.minutes, params["features"], decision)
    legs_reason = load_legs(s, now_ns, state.horizons, state.forecasts, legs, params["forecasts"], decision)
    age_reason = drop_old(now_ns, legs, params["staleness"])
    if legs_reason == 0:
        legs_reason = age_reason
    quote_reason = judge(s, now_ns, desk.book, state.features, state.guard, legs, params["staleness"], decision)
    if quote_reason == 0:
        quote_reason = refuse(s, desk.clock, desk.book, state.features, state.guard, params["staleness"], decision)
    unknown_count = state.schedule[s]["unknown_count"]
    state.schedule[s]["unknown_count"] = 0
    if unknown_count > 0 and legs_reason == Reason.NO_FORECAST:
        legs_reason = Reason.UNKNOWN_HORIZON
    if unknown_count > 0 or _has_broken_leg(legs):
        _set_bit(Component.FORECASTS, decision)
    if quote_reason != 0:
        return quote_reason
    return legs_reason


@kernel
def _has_broken_leg(legs):
    n_broken = 0
    for k in range(len(legs)):
        if legs[k]["reason"] == Reason.FORECAST_NAN:
            n_broken += 1
    return n_broken > 0


@kernel
def _set_bit(component, decision):
    decision[0]["status"] |= 1 << component


@kernel
def is_error(reason):
    """Tell whether a reason is an error of a component rather than a refusal."""
    return (
        reason == Reason.FORECAST_NAN
        or reason == Reason.UNKNOWN_HORIZON
        or reason == Reason.COST_UNKNOWN
        or reason == Reason.WEIGHTS_ABNORMAL
        or reason == Reason.COMPONENT_ERROR
    )


@kernel
def _told(reason, component, decision):
    """Pass a reason on, with the component's bit when it is an error."""
    if is_error(reason):
        _set_bit(component, decision)
    return reason


@kernel
def _open_legs(s, desk, state):
    """Cost and gate: return 0 when at least one leg is open."""
    legs = state.legs
    decision = state.decision
    reason = price(s, legs, len(legs), desk, state.features, state.costs, state.params["cost"])
    if reason != 0:
        return _told(reason, Component.COST, decision)
    _learn_and_issue(s, desk, state)
    reason = open_gate(legs, len(legs), state.params["gate"], decision)
    _write_costs(s, desk, state)
    return _told(reason, Component.GATE, decision)


@kernel
def _learn_and_issue(s, desk, state):
    """Let what is due mature, then give the living legs calibrated bounds; only where a component learns."""
    if is_learning(state.params):
        now_ns = desk.clock[0]["now_ns"]
        mid2 = touch_mid2(s, desk.book)
        mature(s, now_ns, mid2, state)
        issue(s, now_ns, mid2, desk.clock[0]["close_ns"], state)


@kernel
def _set_target(s, desk, state):
    """Arbiter to rebalance trigger: return 0 when the decision holds a target that may be acted on."""
    legs = state.legs
    n = len(legs)
    decision = state.decision
    params = state.params
    reason = choose_blend(s, legs, n, state.features, params["arbiter"], state.mixture, decision)
    _write_costs(s, desk, state)
    share_out(legs, n, decision, params["renorm"])
    _count_weights(n, state)
    if reason != 0:
        return _told(reason, Component.ARBITER, decision)
    fade_forecast(desk.clock[0]["now_ns"], legs, params["staleness"], decision)
    reason = block_barrier(decision, legs, n, params["barriers"])
    if reason != 0:
        return _told(reason, Component.BARRIERS, decision)
    reason = _size(s, desk, state)
    if reason != 0:
        return reason
    reason = normalise(legs, n, decision, params["renorm"])
    if reason != 0:
        return _told(reason, Component.RENORM, decision)
    share = _move_share(s, desk, state)
    return may_move(s, desk.clock[0]["now_ns"], share, decision, state.features, state.rebalance, params["rebalance"])


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
def _size(s, desk, state):
    decision = state.decision
    equity_usd = state.control[0]["equity_usd"]
    reason = size(s, decision, desk.book, desk.positions, desk.clock, state.params["sizing"], equity_usd)
    if reason != 0:
        return _told(reason, Component.SIZING, decision)
    reason = cap(s, decision, desk, state.planner, state.features, equity_usd, state.exposure, state.params["risk"])
    if reason != 0:
        return _told(reason, Component.RISK, decision)
    return fit_portfolio(s, decision, desk.book, desk.positions, desk.clock, state.params["renorm"], equity_usd)


@kernel
def _write_costs(s, desk, state):
    """Write the parts of the cost of the leg that the decision names, if it names one."""
    k = find_horizon(state.horizons, state.decision[0]["horizon_min"])
    if k >= 0:
        write_cost_parts(s, k, state.legs, desk, state.features, state.costs, state.params["cost"], state.decision)


@kernel
def _count_weights(n, state):
    """Bring sum and spread of the horizon weights into the metrics; NaN there means that no weights were set."""
    metrics = state.metrics[0]
    total = weight_sum(state.decision, n)
    if math.isnan(metrics["weight_sum_min"]):
        metrics["weight_sum_min"] = total
        metrics["weight_sum_max"] = total
        metrics["weight_var"] = 0.0
    metrics["weight_sum_min"] = min(metrics["weight_sum_min"], total)
    metrics["weight_sum_max"] = max(metrics["weight_sum_max"], total)
    square = 0.0
    for k in range(n):
        off = state.decision[0]["weights"][k] - total / n
        square += off * off
    metrics["weight_var"] = max(metrics["weight_var"], square / n)


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
        reason = _submit(s, desk, state)
        if reason == Reason.TARGET_SET:
            k = find_horizon(state.horizons, row["horizon_min"])
            note_entry(s, k, state.decision, state.costs, state.params["cost"])
    if reason == Reason.TARGET_SET or reason == Reason.TARGET_KEPT:
        mark_done(s, now_ns, state.features, state.rebalance)
    return reason


@kernel
def _submit(s, desk, state):
    params = state.params
    state.planner.intents[s]["volume_per_min"] = state.features[s]["volume_per_min"]
    reason = submit(s, desk, state.planner, state.budget, params["planner"], params["budget"])
    if reason == 0:
        waiting = state.planner.intents[s]
        state.decision[0]["plan_id"] = waiting["plan_id"]
    return _told(reason, Component.PLANNER, state.decision)


@kernel
def leave(s, reason, desk, state):
    """Ask the planner to close the position; return `reason`, or why that cannot be done now."""
    return leave_to(s, 0, reason, desk, state)


@kernel
def leave_to(s, keep_qty, reason, desk, state):
    """Ask the planner to bring the position down to `keep_qty`; return as `leave` does."""
    row = state.decision[0]
    retry_later(s, row["ts_ns"], state.trades, state.params["exits"])
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
    intent["is_urgent"] = urgency(is_pressing(reason), state.params["planner"])
    intent["edge_bps"] = 0.0
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
        return is_hurried(s, state) or urgency(is_pressing(reason), state.params["planner"]) == 0
    if plan["state"] == IDLE or state.planner.intents[s]["is_set"]:
        return False
    return reason != Reason.EXIT_FLAT_BEFORE_CLOSE and plan["side"] * desk.positions[s]["qty"] < 0
