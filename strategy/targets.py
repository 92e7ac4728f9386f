"""From what is known of a symbol to a target for it: the steps of a cycle up to the rebalance trigger.

Every step acts in the form that is in force for the symbol (`strategy.forms`) and notes whether its answer can be. A refusal is
not an error: a bit of `status` is set only for what should never be: NaN, an unknown horizon, abnormal weights. What cannot be
known yet is a refusal: the first minutes of a symbol have no volatility, so no cost.
"""

import math

from replay.jit import kernel
from strategy.barriers import block as block_barrier
from strategy.barriers import write_turns
from strategy.blend import choose_blend
from strategy.cost import price, write_cost_parts
from strategy.decision import Component, Fallback, Reason
from strategy.features import write_features
from strategy.forecasts import find_horizon, load_legs
from strategy.forms import is_acting, note
from strategy.gate import open_gate
from strategy.learning import is_learning, issue, mature, show
from strategy.renorm import TOLERANCE, fit_portfolio, normalise, share_out, weight_sum
from strategy.risk import cap
from strategy.scores import spread_seen_bps
from strategy.sizing import size
from strategy.staleness import drop_old, fade_forecast, judge, refuse
from strategy.touch import spread_bps, touch_mid2


@kernel
def read_inputs(s, desk, state):
    """Write features, legs, ages and quality into scratch; return 0 or why they cannot be used."""
    now_ns = desk.clock[0]["now_ns"]
    decision = state.decision
    params = state.params
    acting = state.params_acting
    legs = state.legs
    write_features(s, now_ns, desk.book, state.features, state.minutes, params["features"], decision)
    legs_reason = load_legs(s, now_ns, state.horizons, state.forecasts, legs, params["forecasts"], decision)
    age_reason = drop_old(now_ns, legs, acting["staleness"])
    if legs_reason == 0:
        legs_reason = age_reason
    write_turns(legs, decision)
    quote_reason = judge(s, now_ns, desk.book, state.features, state.guard, legs, acting["staleness"], decision)
    if quote_reason == 0:
        quote_reason = refuse(s, desk.clock, desk.book, state.features, state.guard, acting["staleness"], decision)
    unknown_count = state.schedule[s]["unknown_count"]
    if unknown_count > 0 and legs_reason == Reason.NO_FORECAST:
        legs_reason = Reason.UNKNOWN_HORIZON
    if unknown_count > 0 or _has_broken_leg(legs):
        decision[0]["status"] |= 1 << Component.FORECASTS
    if _has_lost_quality(state):
        return Reason.COMPONENT_ERROR
    if quote_reason != 0:
        return quote_reason
    return legs_reason


@kernel
def _has_broken_leg(legs):
    n_broken = 0
    for k in range(len(legs)):
        if legs[k]["reason"] == Reason.FORECAST_NAN or legs[k]["reason"] == Reason.FORECAST_CROSSED:
            n_broken += 1
    return n_broken > 0


@kernel
def _has_lost_quality(state):
    """Note whether the staleness guard came to a quality at all; without one the symbol is not traded."""
    row = state.decision[0]
    is_lost = not 0.0 <= row["quality"] <= 1.0
    note(Component.STALENESS, is_lost, state)
    if is_lost:
        row["quality"] = 0.0
    return is_lost


@kernel
def open_legs(s, desk, state):
    """Cost and gate: return 0 when at least one leg is open."""
    legs = state.legs
    decision = state.decision
    acting = state.params_acting
    reason = price(s, legs, len(legs), desk, state.features, state.costs, acting["cost"])
    note(Component.COST, _has_lost_cost(s, desk, state), state)
    if reason != 0:
        return reason
    _learn_and_issue(s, desk, state)
    reason = open_gate(legs, len(legs), acting["gate"], decision)
    note(Component.GATE, is_acting(Component.GATE, state) and _has_lost_bounds(legs), state)
    _write_costs(s, desk, state)
    return reason


@kernel
def _has_lost_cost(s, desk, state):
    """Tell whether a leg has no cost although there is a spread, and a volatility: 0 is not known yet, NaN is lost."""
    if not math.isfinite(spread_bps(s, desk.book)) or state.features[s]["vol_bps"] == 0.0:
        return False
    n_lost = 0
    for k in range(len(state.legs)):
        if state.legs[k]["reason"] == Reason.COST_UNKNOWN:
            n_lost += 1
    return n_lost > 0


@kernel
def _has_lost_bounds(legs):
    """Tell whether the banks of a leg gave no bounds although they are ready."""
    n_lost = 0
    for k in range(len(legs)):
        if legs[k]["is_alive"] and legs[k]["gate_reason"] == Reason.COMPONENT_ERROR:
            n_lost += 1
    return n_lost > 0


@kernel
def _learn_and_issue(s, desk, state):
    """Let what is due mature, then give the living legs calibrated bounds; only where a component learns.

    The side that does not trade sees the bounds, and learns nothing: what is learned must not depend on who looks on.
    """
    if is_learning(state.params):
        now_ns = desk.clock[0]["now_ns"]
        mid2 = touch_mid2(s, desk.book)
        if state.forms.marks[0]["is_beside"]:
            show(s, state)
            return
        mature(s, now_ns, mid2, state)
        issue(s, now_ns, mid2, desk.clock[0]["close_ns"], state)


@kernel
def choose_target(s, desk, state):
    """Arbiter to renormalisation: return 0 when the decision holds a target."""
    legs = state.legs
    n = len(legs)
    decision = state.decision
    acting = state.params_acting
    reason = choose_blend(s, legs, n, state.features, acting["arbiter"], state.mixture, decision)
    _write_costs(s, desk, state)
    is_lost = has_lost_weights(reason, n, decision)
    if decision[0]["fallback"] == Fallback.NONE:
        note(Component.ARBITER, is_lost, state)
    elif _has_lost_scores(reason, s, state):
        decision[0]["status"] |= 1 << Component.ARBITER
    share_out(legs, n, decision, acting["renorm"])
    if state.forms.marks[0]["is_beside"] == 0 and reason != Reason.COST_UNKNOWN:  # then no horizon could be weighed
        _count_weights(n, state)
    if is_lost:
        return Reason.WEIGHTS_ABNORMAL
    if reason != 0:
        return reason
    fade_forecast(desk.clock[0]["now_ns"], legs, acting["staleness"], decision)
    reason = block_barrier(decision, legs, n, acting["barriers"])
    if reason != 0:
        return reason
    reason = _size(s, desk, state)
    if reason != 0:
        return reason
    reason = normalise(legs, n, decision, acting["renorm"])
    note(Component.RENORM, reason != 0, state)
    return reason


@kernel
def _has_lost_scores(reason, s, state):
    """Tell whether no open leg has a score although there is a spread, and a volatility, as in `_has_lost_cost`."""
    is_seen = math.isfinite(spread_seen_bps(s, state.features)) and state.features[s]["vol_bps"] != 0.0
    return reason == Reason.COST_UNKNOWN and is_seen


@kernel
def has_lost_weights(reason, n, decision):
    """Tell whether the mixture acted, and gave weights that are not normal, or an edge or a share that is no number."""
    row = decision[0]
    if row["fallback"] != Fallback.NONE or (reason != 0 and reason != Reason.ARBITER_RESERVE):
        return False
    n_lost = 0 if 0.0 <= row["quality"] <= 1.0 else 1
    for k in range(n):
        if not 0.0 <= row["weights"][k] < math.inf:
            n_lost += 1
    return n_lost > 0 or not (abs(weight_sum(decision, n) - 1.0) <= TOLERANCE and math.isfinite(row["net_edge_bps"]))


@kernel
def _size(s, desk, state):
    decision = state.decision
    acting = state.params_acting
    equity_usd = state.control[0]["equity_usd"]
    reason = size(s, decision, desk.book, desk.positions, desk.clock, acting["sizing"], equity_usd)
    if reason != 0:
        return reason
    reason = cap(s, decision, desk, state.planner, state.features, equity_usd, state.exposure, acting["risk"])
    if is_acting(Component.RISK, state):
        rest = state.exposure.rest[0]
        is_lost = not math.isfinite(rest["gross"] + rest["net"] + rest["alike"])
        note(Component.RISK, is_lost, state)
        if is_lost:
            decision[0]["target_qty"] = desk.positions[s]["qty"]
            return Reason.COMPONENT_ERROR
    if reason != 0:
        return reason
    return fit_portfolio(s, decision, desk.book, desk.positions, desk.clock, acting["renorm"], equity_usd)


@kernel
def _write_costs(s, desk, state):
    """Write the parts of the cost of the leg that the decision names, if it names one."""
    k = find_horizon(state.horizons, state.decision[0]["horizon_min"])
    if k >= 0:
        write_cost_parts(s, k, state.legs, desk, state.features, state.costs, state.params_acting["cost"], state.decision)


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
