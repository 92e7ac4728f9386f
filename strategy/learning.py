"""Learning: what gate and arbiter issue with a cycle's legs, and what they learn when the outcomes are known.

`issue` is called in a cycle, once costs are known: a forecast seen for the first time becomes a record that waits for its
outcome; the living legs get calibrated bounds, and what every policy of the arbiter would do with them is kept beside. `mature`
is called whenever time has gone on: before a quote or print of the symbol is taken in, and at the start of a cycle. Components
in their original form neither issue nor learn.
"""

import math

from replay.desk import NEVER
from replay.jit import kernel
from strategy.blend import keep_play, write_play
from strategy.calibration import (
    HI,
    LO,
    await_outcome,
    forget_record,
    is_ready,
    issue_bounds,
    mature_record,
    write_record,
)
from strategy.decision import Reason
from strategy.gate import MEAN_EDGE
from strategy.mean_edge import edge_bound
from strategy.modes import ENHANCED
from strategy.outcomes import drop, due_column, is_new, keep, oldest_slot, outcome_bps, release, waiting_count
from strategy.policies import forget_waiting, learn_outcome, reward_of

EDGE_N_EFF_MIN = 50.0


@kernel
def is_learning(params):
    """Tell whether any component learns from outcomes."""
    return params["gate"][0]["mode"] == ENHANCED or params["arbiter"][0]["mode"] == ENHANCED


@kernel
def mature(s, now_ns, mid2, state):
    """Let everything of a symbol mature that was due strictly before `now_ns`; `mid2` is the mid in force since (0 = none)."""
    outcomes = state.outcomes
    while outcomes.due_ns[s] < now_ns:
        k = due_column(s, now_ns, outcomes)
        if k < 0:
            return
        outcome = outcome_bps(s, k, mid2, outcomes)
        _learn_outcome(s, k, outcome, state)
        if math.isnan(outcome):
            drop(s, k, outcomes)
        else:
            release(s, k, outcomes)


@kernel
def _learn_outcome(s, k, outcome, state):
    """Bring the outcome of the oldest record, NaN = it never came, into the components that wait for it."""
    outcomes = state.outcomes
    slot = oldest_slot(s, k, outcomes)
    overlap = waiting_count(s, k, outcomes)
    if state.params["gate"][0]["mode"] == ENHANCED:
        mature_record(s, k, slot, outcome, overlap, state.calibration, state.params["gate"])
    if state.params["arbiter"][0]["mode"] == ENHANCED:
        record = outcomes.records[s, k, slot]
        reward = reward_of(record["mu_bps"], record["sigma_bps"], record["cost_bps"], outcome)
        learn_outcome(s, k, len(state.legs), record["play_number"], reward, overlap, state.mixture)


@kernel
def issue(s, now_ns, mid2, close_ns, state):
    """Write calibrated bounds into the living legs of a symbol, and keep the forecasts that are new."""
    n_waiting = 0
    spare = state.outcomes.records.shape[2]
    for k in range(len(state.legs)):
        leg = state.legs[k]
        leg["slot"] = spare
        if leg["is_alive"]:
            leg["slot"] = _slot_for(s, k, leg, now_ns, mid2, close_ns, state)
            n_waiting += 1 if leg["slot"] < spare else 0
            if state.params["gate"][0]["mode"] == ENHANCED:
                _issue_leg(s, k, leg, state)
    if state.params["arbiter"][0]["mode"] == ENHANCED:
        write_play(s, state.legs, len(state.legs), state.features, state.params["arbiter"], state.mixture)
        _number_records(s, keep_play(s, n_waiting, state.mixture), state)


@kernel
def show(s, state):
    """Write bounds and plays as `issue` does, for somebody who only looks on: nothing is kept, nothing is counted."""
    spare = state.outcomes.records.shape[2]
    for k in range(len(state.legs)):
        leg = state.legs[k]
        leg["slot"] = spare
        if leg["is_alive"] and state.params["gate"][0]["mode"] == ENHANCED:
            crossed_count = state.calibration.coverage[s, k]["crossed_count"]
            _issue_leg(s, k, leg, state)
            state.calibration.coverage[s, k]["crossed_count"] = crossed_count
    if state.params["arbiter"][0]["mode"] == ENHANCED:
        write_play(s, state.legs, len(state.legs), state.features, state.params["arbiter"], state.mixture)


@kernel
def _number_records(s, number, state):
    for k in range(len(state.legs)):
        slot = state.legs[k]["slot"]
        if slot < state.outcomes.records.shape[2]:
            state.outcomes.records[s, k, slot]["play_number"] = number


@kernel
def _slot_for(s, k, leg, now_ns, mid2, close_ns, state):
    """Return the slot of a new record, or the last one, that nobody waits for."""
    outcomes = state.outcomes
    spare = outcomes.records.shape[2]
    if not is_new(s, k, leg["forecast_id"], outcomes):
        return spare
    if waiting_count(s, k, outcomes) >= spare:
        _learn_outcome(s, k, math.nan, state)
    slot = keep(s, k, leg, now_ns, mid2, close_ns, outcomes)
    return spare if slot < 0 else slot


@kernel
def _issue_leg(s, k, leg, state):
    """Put the calibrated bounds of a leg in place, and why they cannot be judged, if so."""
    calibration = state.calibration
    params = state.params["gate"]
    slot = leg["slot"]
    write_record(s, k, slot, calibration, leg["mu_bps"], leg["sigma_bps"], leg["cost_bps"])
    record = calibration.records[s, k, slot]
    record["base_bps"][LO] = leg["q_lo_bps"]
    record["base_bps"][HI] = leg["q_hi_bps"]
    issue_bounds(s, k, slot, calibration, params)
    if slot < state.outcomes.records.shape[2]:
        await_outcome(s, k, slot, calibration)
    if _is_broken(s, k, record, calibration, params):
        record["is_counted"] = 0
        leg["gate_reason"] = Reason.COMPONENT_ERROR
        return
    leg["q_lo_bps"] = record["bound_bps"][LO]
    leg["q_hi_bps"] = record["bound_bps"][HI]
    if params[0]["rule"] == MEAN_EDGE:
        ask_mean(s, k, record, calibration, params)
    leg["gate_lo_bps"] = record["gate_bps"][LO]
    leg["gate_hi_bps"] = record["gate_bps"][HI]
    overlap = max(waiting_count(s, k, state.outcomes), 1)
    leg["gate_reason"] = gate_reason(s, k, record, overlap, calibration, params)
    if leg["gate_reason"] == 0:
        leg["mean_edge_bps"] = _mean_edge(s, k, record, calibration, params)


@kernel
def _is_broken(s, k, record, calibration, params):
    """Tell whether what was issued is no number: then the leg keeps its model's bounds, and the record teaches no bounds.

    Its outcome still counts, and teaches the mean edge and the warm-up: they learn from what the model said, not from the bounds.
    """
    total = 0.0
    for t in range(2):
        total += record["bound_bps"][t] + record["gate_bps"][t]
        if params[0]["rule"] == MEAN_EDGE:
            cell = calibration.edges[s, k, t, record["bucket"][t]]
            total += cell["mean"] + cell["var"] + cell["n_eff"]
    return not math.isfinite(total)


@kernel
def ask_mean(s, k, record, calibration, params):
    """Put bounds in place that clear the cost exactly when the mean net edge is surely positive."""
    for t in range(2):
        sign = 1.0 if t == LO else -1.0
        record["gate_bps"][t] = sign * (record["cost_bps"] + _mean_bound(s, k, t, record, calibration, params))


@kernel
def _mean_bound(s, k, t, record, calibration, params):
    """Return what the side that tail `t` protects surely earns on average, net, bps; NaN with too few outcomes."""
    cell = calibration.edges[s, k, t, record["bucket"][t]]
    return record["sigma_bps"] * edge_bound(cell, params[0]["mean_z"], EDGE_N_EFF_MIN)


@kernel
def _mean_edge(s, k, record, calibration, params):
    """Return the bound of the better side; NaN where both sides would earn, which is a contradiction."""
    long = _mean_bound(s, k, LO, record, calibration, params)
    short = _mean_bound(s, k, HI, record, calibration, params)
    if long > 0.0 and short > 0.0:
        return math.nan
    if math.isnan(long) or short > long:
        return short
    return long


@kernel
def gate_reason(s, k, record, overlap, calibration, params):
    """Return why the bounds of a leg cannot be judged, or 0."""
    if not is_ready(s, k, overlap, calibration):
        return Reason.GATE_NOT_READY
    dropped = calibration.coverage[s, k]["dropped_count"]
    if dropped > params[0]["missing_share_max"] * (calibration.label_counts[s, k] + dropped):
        return Reason.GATE_MISSING
    if math.isnan(record["gate_bps"][LO]) and math.isnan(record["gate_bps"][HI]):
        return Reason.GATE_NOT_READY
    return 0


@kernel
def end_day(outcomes, calibration, mixture):
    """Forget what waits: no label crosses a night."""
    for s in range(outcomes.queues.shape[0]):
        for k in range(outcomes.queues.shape[1]):
            while waiting_count(s, k, outcomes) > 0:
                forget_record(s, k, oldest_slot(s, k, outcomes), calibration)
                drop(s, k, outcomes)
        outcomes.due_ns[s] = NEVER
    forget_waiting(mixture)
