"""Outcomes: what really happened after a forecast, known when its horizon has passed and never earlier.

A record is kept per forecast that a cycle used, with everything that was believed then. Its outcome is the move of the mid::

    outcome_bps = 1e4 (mid2(t + h) / mid2(t) - 1),      mid2(u) = the last usable mid strictly before or at u

The record matures at the first event or cycle *after* `t + h`, with the mid that was in force at that time; so an outcome is a
function of the events up to its due time, whoever asks first. It is dropped, and counted, where the symbol showed no usable
quote then (halt, gap, one-sided book) or where `t + h` lies beyond the trading hours: a label to the close is another label.

Records of one symbol and horizon mature in the order in which they were made, because their horizon is the same. Components keep
what they need to judge an outcome in arrays of their own, at the same `(symbol, column, slot)`. The number of records that
wait when one matures is the overlap of its label: by it steps are divided and sample sizes cut.
"""

import math
from typing import NamedTuple

import numpy as np

from replay.bundle import bundle
from replay.desk import NEVER
from replay.jit import kernel

MINUTE_NS = 60_000_000_000

RECORD = np.dtype(
    [
        ("forecast_id", "i8"),
        ("issue_ns", "i8"),
        ("due_ns", "i8"),
        ("mid2", "i8"),
        ("play_number", "i8"),  # record of the arbiter's mixture that waits for it; -1 = none
        ("mu_bps", "f8"),
        ("sigma_bps", "f8"),
        ("cost_bps", "f8"),
    ],
    align=True,
)

QUEUE = np.dtype(
    [
        ("head", "i8"),  # records ever made
        ("tail", "i8"),  # records that left; slots tail..head-1 (modulo the capacity) wait
        ("last_forecast_id", "i8"),
        ("matured_count", "i8"),
        ("dropped_count", "i8"),
    ],
    align=True,
)


@bundle
class Outcomes(NamedTuple):
    """Records that wait for their outcome."""

    records: np.ndarray  # RECORD (n_symbols, n_horizons, slots)
    queues: np.ndarray  # QUEUE (n_symbols, n_horizons)
    due_ns: np.ndarray  # int64 (n_symbols,), earliest of all that wait; NEVER = none


def new_outcomes(n_symbols: int, n_horizons: int, slots: int) -> Outcomes:
    """Return an empty table; `slots` records of one symbol and horizon may wait at a time."""
    queues = np.zeros((n_symbols, n_horizons), QUEUE)
    queues["last_forecast_id"] = -1
    return Outcomes(np.zeros((n_symbols, n_horizons, slots), RECORD), queues, np.full(n_symbols, NEVER, np.int64))


@kernel
def is_new(s, k, forecast_id, outcomes):
    """Tell whether no record of this forecast was made yet."""
    return forecast_id != outcomes.queues[s, k]["last_forecast_id"]


@kernel
def keep(s, k, leg, now_ns, mid2, close_ns, outcomes):
    """Make a record of a leg; return its slot, or -1 when its outcome could not be known (no mid, or due after `close_ns`).

    Where all slots wait, the oldest record is dropped.
    """
    queue = outcomes.queues[s, k]
    queue["last_forecast_id"] = leg["forecast_id"]
    due_ns = now_ns + int(leg["horizon_min"]) * MINUTE_NS
    if mid2 <= 0 or due_ns > close_ns:
        queue["dropped_count"] += 1
        return -1
    slots = outcomes.records.shape[2]
    if queue["head"] - queue["tail"] >= slots:
        drop(s, k, outcomes)
    slot = queue["head"] % slots
    record = outcomes.records[s, k, slot]
    record["forecast_id"] = leg["forecast_id"]
    record["issue_ns"] = now_ns
    record["due_ns"] = due_ns
    record["mid2"] = mid2
    record["play_number"] = -1
    record["mu_bps"] = leg["mu_bps"]
    record["sigma_bps"] = leg["sigma_bps"]
    record["cost_bps"] = leg["cost_bps"]
    queue["head"] += 1
    outcomes.due_ns[s] = min(outcomes.due_ns[s], due_ns)
    return slot


@kernel
def due_column(s, now_ns, outcomes):
    """Return the column whose oldest record is due strictly before `now_ns`, the earliest first; -1 = none."""
    if outcomes.due_ns[s] >= now_ns:
        return -1
    best = -1
    best_ns = now_ns
    for k in range(outcomes.queues.shape[1]):
        due_ns = _oldest_due_ns(s, k, outcomes)
        if due_ns < best_ns:
            best = k
            best_ns = due_ns
    return best


@kernel
def _oldest_due_ns(s, k, outcomes):
    queue = outcomes.queues[s, k]
    if queue["head"] == queue["tail"]:
        return NEVER
    return outcomes.records[s, k, queue["tail"] % outcomes.records.shape[2]]["due_ns"]


@kernel
def oldest_slot(s, k, outcomes):
    """Return the slot of the oldest record that waits."""
    return outcomes.queues[s, k]["tail"] % outcomes.records.shape[2]


@kernel
def waiting_count(s, k, outcomes):
    """Return how many records wait: the overlap of the label that matures next."""
    return outcomes.queues[s, k]["head"] - outcomes.queues[s, k]["tail"]


@kernel
def outcome_bps(s, k, mid2, outcomes):
    """Return the outcome of the oldest record, with the mid in force when it was due; NaN when there was none."""
    record = outcomes.records[s, k, oldest_slot(s, k, outcomes)]
    if mid2 <= 0:
        return math.nan
    return 10_000.0 * (mid2 - record["mid2"]) / record["mid2"]


@kernel
def release(s, k, outcomes):
    """Let the oldest record go after its outcome was used."""
    outcomes.queues[s, k]["matured_count"] += 1
    _step(s, k, outcomes)


@kernel
def drop(s, k, outcomes):
    """Let the oldest record go without an outcome."""
    outcomes.queues[s, k]["dropped_count"] += 1
    _step(s, k, outcomes)


@kernel
def _step(s, k, outcomes):
    outcomes.queues[s, k]["tail"] += 1
    earliest = NEVER
    for column in range(outcomes.queues.shape[1]):
        earliest = min(earliest, _oldest_due_ns(s, column, outcomes))
    outcomes.due_ns[s] = earliest
