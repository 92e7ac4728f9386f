"""The default pipeline: one `decide` kernel that joins all components; `strategy.own_loop` runs it in anybody's loop.

What wakes what::

    QUOTE, TRADE      the features; a quote of a held symbol also the stop, at most once per `cycle_min_ns`
    FORECAST          the forecast table; asks for a cycle of its symbol 1 ns later, so that all rows of one stamp are seen,
                      and at most once per `cycle_min_ns`
    BAR               its stamp is noted
    own answers       the planner alone, and the trade record where shares moved
    timer             rebalance times, due cycles, planner timers, exit checks: in this order, each in the order of symbols

`clock['next_timer_ns']` is the earliest of all that is pending. What a timer finds due is done or moved on, so
a timer never fires twice at one time. Cycles of one timer share a cycle number and one CYCLE row.
"""

import math

import numpy as np

from replay.answers import apply_answer
from replay.desk import (
    NEVER,
    STOP_DECISIONS_FULL,
    WAKE_EVENT,
    WAKE_TIMER,
    apply_market,
)
from replay.events import Kind
from replay.jit import kernel
from strategy.budget import messages_left
from strategy.correlation import catch_up
from strategy.cost_residual import learn_fill, learn_rest
from strategy.cycle import exit_reason, is_closed, is_leaving, leave_in_sight, run_cycle
from strategy.decision import Reason
from strategy.exits import after_fill, forget_flat, is_stopped, retry_later, set_check
from strategy.features import on_market
from strategy.forecasts import on_forecast
from strategy.forms import settle_planner
from strategy.journal import begin, commit
from strategy.learning import mature
from strategy.liveness import count_forecast, hear, hear_status
from strategy.pipeline_state import (
    PipelineSettings,
    PipelineState,
    StrategySettings,
    build_state,
    start_day,
)
from strategy.plan import IDLE
from strategy.planner import on_answer, run_due, start_reason, start_waiting, watch_market
from strategy.rebalance import next_time_ns, pop_due
from strategy.targets import read_inputs
from strategy.touch import multiplier, value2

__all__ = ["PipelineSettings", "PipelineState", "StrategySettings", "advance", "build_state", "decide", "start_day"]


@kernel
def decide(wake, i, block, desk, state):
    """Wake the pipeline; see `replay.desk` for the signature."""
    if wake == WAKE_TIMER:
        run_timers(desk, state)
        return
    kind = block.events[i]["kind"]
    if kind == Kind.QUOTE or kind == Kind.TRADE:
        if block.events[i]["ts_ns"] > state.outcomes.due_ns[block.events[i]["symbol"]]:
            _learn(np.int64(i), block, state)
        hear(block.events, i, state.guard)
        on_market(block.events, i, desk.book, state.features, state.minutes, state.params["features"])
        s = np.int64(block.events[i]["symbol"])
        if state.planner.watched[s] != 0:
            watch_market(block.events, np.int64(i), desk, state.planner, state.params["planner"])
        if kind == Kind.QUOTE and block.events[i]["ts_ns"] >= state.trades[s]["watch_ns"]:
            _watch_stop(s, desk, state)
        return
    _on_rare_event(np.int64(i), block, desk, state)


@kernel
def _learn(i, block, state):
    """Let mature what was due before this event, with the mid that it finds: the features have not seen it yet."""
    s = np.int64(block.events[i]["symbol"])
    row = state.features[s]
    mid2 = row["mid2"] if row["bid"] > 0 else 0
    mature(s, block.events[i]["ts_ns"], mid2, state)


@kernel
def _on_rare_event(i, block, desk, state):
    event = block.events[i]
    kind = event["kind"]
    s = np.int64(event["symbol"])  # one integer type for symbols: another would compile everything below once more
    if kind == Kind.STATUS:
        hear_status(block.events, i, state.guard)
    if s < 0:
        return
    if kind >= Kind.ACK:
        _on_answer(s, i, block, desk, state)
    elif kind == Kind.BAR:
        state.schedule[s]["bar_ts_ns"] = event["ts_ns"]
        hear(block.events, i, state.guard)
    elif kind == Kind.FORECAST:
        answer = on_forecast(block, i, state.horizons, state.forecasts)
        if answer == Reason.UNKNOWN_HORIZON:
            state.schedule[s]["unknown_count"] += 1
        else:
            count_forecast(s, 1 if answer != 0 else 0, desk.book, state.guard)
        ask_cycle(s, event["ts_ns"] + 1, desk, state)


@kernel
def ask_cycle(s, due_ns, desk, state):
    """Ask for a cycle of a symbol at `due_ns`, or as soon after as its last cycle allows."""
    row = state.schedule[s]
    due_ns = max(due_ns, row["last_cycle_ns"] + state.params[0]["pipeline"]["cycle_min_ns"])
    row["due_ns"] = min(row["due_ns"], due_ns)
    _wake_by(row["due_ns"], desk)


@kernel
def _wake_by(due_ns, desk):
    if due_ns < desk.clock[0]["next_timer_ns"]:
        desk.clock[0]["next_timer_ns"] = due_ns


@kernel
def _on_answer(s, i, block, desk, state):
    event = block.events[i]
    kind = event["kind"]
    params = state.params
    if s >= len(state.schedule):
        return
    if kind == Kind.PARTIAL or kind == Kind.FILL:
        learn_fill(s, block.events, i, state.planner.plans, state.costs, params["cost"])
    if on_answer(block.events, i, desk, state.planner, state.budget, params["planner"], params["budget"]) == 1:
        settle_planner(s, kind, event["ts_ns"], state)
        if state.planner.plans[s]["state"] == IDLE:
            learn_rest(s, desk.book, state.planner.plans, state.costs, params["cost"])
    if kind == Kind.PARTIAL or kind == Kind.FILL or kind == Kind.CORRECTION:
        after_fill(s, event["ts_ns"], state.planner.plans, desk.positions, state.trades, desk.clock, params["exits"])
    start_waiting(s, desk, state.planner, state.budget, params["planner"], params["budget"])
    _wake_by(min(state.planner.plans[s]["timer_ns"], state.trades[s]["check_ns"]), desk)


@kernel
def _watch_stop(s, desk, state):
    now_ns = desk.clock[0]["now_ns"]
    state.trades[s]["watch_ns"] = now_ns + state.params[0]["pipeline"]["cycle_min_ns"]
    if is_stopped(s, desk.book, state.trades):
        check_position(s, desk, state)
        _wake_by(min(state.planner.plans[s]["timer_ns"], state.trades[s]["check_ns"]), desk)


@kernel
def check_position(s, desk, state):
    """Look at a position by clock and price, outside a cycle; a decision is journalled only when an exit is tried."""
    if forget_flat(s, desk.positions, state.trades):
        return
    now_ns = desk.clock[0]["now_ns"]
    reason = exit_reason(s, desk, state)
    if is_closed(desk):
        from_ns = desk.clock[0]["trade_from_ns"]
        state.trades[s]["check_ns"] = from_ns if now_ns < from_ns else NEVER
    elif reason == 0:
        set_check(s, now_ns, state.trades, desk.clock, state.params["exits"])
    elif is_leaving(s, reason, desk, state) or start_reason(s, desk) != 0:
        retry_later(s, now_ns, state.trades, desk.clock, state.params["exits"])
    elif begin(s, desk, state) != 0:
        usable = read_inputs(s, desk, state)
        commit(leave_in_sight(s, reason, usable, desk, state), desk, state)


@kernel
def run_timers(desk, state):
    """Do everything that is due at `clock['now_ns']` and set the next timer."""
    now_ns = desk.clock[0]["now_ns"]
    if pop_due(now_ns, state.rebalance):
        for s in range(len(state.schedule)):
            if _has_forecast(s, state.forecasts):
                ask_cycle(s, now_ns, desk, state)
    _run_cycles(now_ns, desk, state)
    run_due(desk, state.planner, state.budget, state.params["planner"], state.params["budget"])
    for s in range(len(state.schedule)):
        if state.trades[s]["check_ns"] <= now_ns:
            check_position(s, desk, state)
    desk.clock[0]["next_timer_ns"] = next_due_ns(state)


@kernel
def _has_forecast(s, forecasts):
    n_held = 0
    for k in range(forecasts.shape[1]):
        n_held += forecasts[s, k]["is_held"]
    return n_held > 0


@kernel
def next_due_ns(state):
    """Return when the next timer is due; NEVER when nothing is pending."""
    due_ns = next_time_ns(state.rebalance)
    for s in range(len(state.schedule)):
        due_ns = min(due_ns, state.schedule[s]["due_ns"], state.planner.plans[s]["timer_ns"], state.trades[s]["check_ns"])
    return due_ns


@kernel
def _run_cycles(now_ns, desk, state):
    """Run the cycles that are due, in the order of symbols, and write one CYCLE row when there was any."""
    n_cycles = 0
    for s in range(len(state.schedule)):
        row = state.schedule[s]
        if row["due_ns"] <= now_ns:
            if n_cycles == 0 and _begin_cycles(desk, state) == 0:
                return
            if run_cycle(s, desk, state) == 0:
                return
            row["due_ns"] = NEVER
            row["last_cycle_ns"] = now_ns
            n_cycles += 1
    if n_cycles > 0:
        _end_cycles(now_ns, desk, state)


@kernel
def _begin_cycles(desk, state):
    if desk.clock[0]["n_cycles"] >= len(desk.cycles):
        desk.clock[0]["status"] = STOP_DECISIONS_FULL
        return 0
    state.control[0]["cycle"] += 1
    catch_up(desk.clock[0]["now_ns"], state.features, state.minutes, state.exposure.correlation, state.params)
    state.metrics[0] = state.metrics[1]
    state.metrics[0]["weight_sum_min"] = math.nan
    state.metrics[0]["weight_sum_max"] = math.nan
    state.metrics[0]["weight_var"] = math.nan
    return 1


@kernel
def _end_cycles(now_ns, desk, state):
    row = state.metrics[0]
    row["ts_ns"] = now_ns
    row["cycle"] = state.control[0]["cycle"]
    row["messages_left"] = messages_left(now_ns, state.budget, state.params["budget"])
    for s in range(len(desk.positions)):
        value_usd = _value_usd(s, desk)
        row["gross_usd"] += abs(value_usd)
        row["net_usd"] += value_usd
    desk.cycles[desk.clock[0]["n_cycles"]] = state.metrics[0]
    desk.clock[0]["n_cycles"] += 1


@kernel
def _value_usd(s, desk):
    """Return the signed value of a position at the mid, or at its cost where there is no mid."""
    position = desk.positions[s]
    unit2 = value2(s, desk.book)
    if unit2 == 0:
        return position["cost"] * multiplier(s, desk.book) / desk.clock[0]["scale"]
    return 0.5 * position["qty"] * unit2 / desk.clock[0]["scale"]


@kernel
def advance(i, block, desk, state):
    """Take events from `i` on, timers included, until the block ends or a table is nearly full; return the next index."""
    clock = desk.clock[0]
    while i < len(block.events):
        ts_ns = block.events[i]["ts_ns"]
        while clock["next_timer_ns"] <= ts_ns:
            if _is_nearly_full(desk):
                return i
            clock["now_ns"] = max(clock["now_ns"], clock["next_timer_ns"])
            clock["next_timer_ns"] = NEVER
            decide(WAKE_TIMER, 0, block, desk, state)
        if _is_nearly_full(desk):
            return i
        clock["now_ns"] = max(clock["now_ns"], ts_ns)
        if block.events[i]["kind"] >= Kind.ACK:
            apply_answer(block.events, i, desk)
        else:
            apply_market(block.events, i, desk.book)
        decide(WAKE_EVENT, i, block, desk, state)
        i += 1
    return i


@kernel
def _is_nearly_full(desk):
    """Tell whether one more wake might find no room; a wake writes at most two rows and three requests per symbol."""
    clock = desk.clock[0]
    n_symbols = len(desk.book)
    return (
        clock["status"] != 0
        or clock["n_decisions"] + 2 * n_symbols > len(desk.decisions)
        or clock["n_cycles"] + 1 > len(desk.cycles)
        or clock["n_requests"] + 3 * n_symbols > len(desk.requests)
    )
