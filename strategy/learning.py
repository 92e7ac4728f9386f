"""Learning: what the gate issues with a cycle's legs, and what it learns when their outcomes are known.

`issue` is called in a cycle, once costs are known: each living leg gets calibrated bounds, and a forecast seen for the first time
becomes a record that waits for its outcome. `mature` is called whenever time has gone on: before a quote or print of the symbol
is taken in, and at the start of a cycle. Only the enhanced gate learns.
"""

import math

from replay.desk import NEVER
from replay.jit import kernel
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
from strategy.outcomes import drop, due_column, is_new, keep, oldest_slot, outcome_bps, release, waiting_count

EDGE_N_EFF_MIN = 50.0


@kernel
def mature(s, now_ns, mid2, outcomes, calibration, params):
    """Let everything of a symbol mature that was due strictly before `now_ns`; `mid2` is the mid in force since (0 = none)."""
    while outcomes.due_ns[s] < now_ns:
        k = due_column(s, now_ns, outcomes)
        if k < 0:
            return
        slot = oldest_slot(s, k, outcomes)
        overlap = waiting_count(s, k, outcomes)
        if mature_record(s, k, slot, outcome_bps(s, k, mid2, outcomes), overlap, calibration, params):
            release(s, k, outcomes)
        else:
            drop(s, k, outcomes)


@kernel
def issue(s, legs, now_ns, mid2, close_ns, outcomes, calibration, params):
    """Write calibrated bounds into the living legs of a symbol, and keep the forecasts that are new."""
    for k in range(len(legs)):
        leg = legs[k]
        if leg["is_alive"]:
            slot = _slot_for(s, k, leg, now_ns, mid2, close_ns, outcomes, calibration)
            _issue_leg(s, k, slot, leg, outcomes, calibration, params)


@kernel
def _slot_for(s, k, leg, now_ns, mid2, close_ns, outcomes, calibration):
    """Return the slot of a new record, or the last one, that nobody waits for."""
    spare = outcomes.records.shape[2]
    if not is_new(s, k, leg["forecast_id"], outcomes):
        return spare
    if waiting_count(s, k, outcomes) >= spare:
        forget_record(s, k, oldest_slot(s, k, outcomes), calibration)
    slot = keep(s, k, leg, now_ns, mid2, close_ns, outcomes)
    return spare if slot < 0 else slot


@kernel
def _issue_leg(s, k, slot, leg, outcomes, calibration, params):
    write_record(s, k, slot, calibration, leg["mu_bps"], leg["sigma_bps"], leg["cost_bps"])
    record = calibration.records[s, k, slot]
    record["base_bps"][LO] = leg["q_lo_bps"]
    record["base_bps"][HI] = leg["q_hi_bps"]
    issue_bounds(s, k, slot, calibration, params)
    if slot < outcomes.records.shape[2]:
        await_outcome(s, k, slot, calibration)
    leg["q_lo_bps"] = record["bound_bps"][LO]
    leg["q_hi_bps"] = record["bound_bps"][HI]
    if params[0]["rule"] == MEAN_EDGE:
        _ask_mean(s, k, record, calibration, params)
    leg["gate_lo_bps"] = record["gate_bps"][LO]
    leg["gate_hi_bps"] = record["gate_bps"][HI]
    leg["gate_reason"] = _reason(s, k, record, outcomes, calibration, params)


@kernel
def _ask_mean(s, k, record, calibration, params):
    """Put bounds in place that clear the cost exactly when the mean net edge is surely positive."""
    for t in range(2):
        bound = edge_bound(calibration.edges[s, k, t, record["bucket"][t]], params[0]["mean_z"], EDGE_N_EFF_MIN)
        sign = 1.0 if t == LO else -1.0
        record["gate_bps"][t] = sign * (record["cost_bps"] + record["sigma_bps"] * bound)


@kernel
def _reason(s, k, record, outcomes, calibration, params):
    """Return why the bounds of a leg cannot be judged, or 0."""
    if not is_ready(s, k, max(waiting_count(s, k, outcomes), 1), calibration):
        return Reason.GATE_NOT_READY
    coverage = calibration.coverage[s, k]
    dropped = coverage["dropped_count"]
    if dropped > params[0]["missing_share_max"] * (calibration.label_counts[s, k] + dropped):
        return Reason.GATE_MISSING
    if math.isnan(record["gate_bps"][LO]) and math.isnan(record["gate_bps"][HI]):
        return Reason.GATE_NOT_READY
    return 0


@kernel
def end_day(outcomes, calibration):
    """Forget what waits: no label crosses a night."""
    for s in range(outcomes.queues.shape[0]):
        for k in range(outcomes.queues.shape[1]):
            while waiting_count(s, k, outcomes) > 0:
                forget_record(s, k, oldest_slot(s, k, outcomes), calibration)
                drop(s, k, outcomes)
        outcomes.due_ns[s] = NEVER
