"""Given orders against recorded events, without a strategy: the loop behind `fills.simulate`.

A *lane* is one symbol of the venue. Orders that meet each other share the lane of their symbol; a shadow order has a lane of its
own, from its arrival until it is gone, and starts with a copy of the ledger that its symbol's own lane has kept.
"""

from typing import NamedTuple

import numpy as np

from fills.exchange import act, on_event, on_status, see
from fills.venue import Venue
from replay.bundle import bundle
from replay.desk import apply_market
from replay.events import Kind
from replay.jit import kernel

NO_LANE = -1
SPARE_ANSWERS = 8

BATCH_CTL = np.dtype(
    [
        ("request", "i8"),  # next request
        ("event", "i8"),  # next event of the block
        ("lane", "i8"),  # lane of that event to go on with; NO_LANE = not begun
        ("early_ns", "i8"),  # how long before its own time a request acts: 1 = before the events of its time stamp
    ],
    align=True,
)


@bundle
class Batch(NamedTuple):
    """Requests by the time at which they act, the lanes they go to, the market and the venue."""

    requests: np.ndarray  # REQUEST, by `due_ns`
    due_ns: np.ndarray  # a request acts after all events up to this time
    request_lanes: np.ndarray  # int64
    first_lane: np.ndarray  # int64 (n_symbols,): the symbol's own lane; the shadows hang behind it
    last_lane: np.ndarray  # int64 (n_symbols,)
    next_lane: np.ndarray  # int64 (n_lanes,): NO_LANE = end of the chain
    book: np.ndarray  # BOOK (n_symbols,)
    venue: Venue
    ctl: np.ndarray  # BATCH_CTL, one row


@kernel
def play(events, n_events, batch):
    """Play a block; return False when the answers must be collected first."""
    ctl = batch.ctl[0]
    while ctl["event"] < n_events:
        i = ctl["event"]
        if not act_until(events[i]["ts_ns"], batch):
            return False
        if not _show(events, i, batch):
            return False
        apply_market(events, i, batch.book)
        ctl["event"] = i + 1
        ctl["lane"] = NO_LANE
    return True


@kernel
def act_until(end_ns, batch):
    """Let all requests act that are due before `end_ns`; return False when the answers must be collected first."""
    ctl = batch.ctl[0]
    while ctl["request"] < len(batch.requests) and batch.due_ns[ctl["request"]] < end_ns:
        if not _has_room(SPARE_ANSWERS, batch):
            return False
        k = ctl["request"]
        request = batch.requests[k]
        lane = batch.request_lanes[k]
        symbol = request["symbol"]
        if lane != batch.first_lane[symbol] and batch.next_lane[lane] == NO_LANE and batch.last_lane[symbol] != lane:
            _open_lane(symbol, lane, batch)
        act(request, lane, batch.due_ns[k] + ctl["early_ns"], batch.book[symbol], batch.venue)
        ctl["request"] = k + 1
    return True


@kernel
def _has_room(n_answers, batch):
    return batch.venue.ctl[0]["n_answers"] + n_answers <= len(batch.venue.answers)


@kernel
def _open_lane(symbol, lane, batch):
    """Hang a shadow's lane at the end of its symbol's chain, with the ledgers as the symbol's own lane has them."""
    own = batch.first_lane[symbol]
    for k in range(2):
        batch.venue.ledgers[lane, k] = batch.venue.ledgers[own, k]
    batch.next_lane[batch.last_lane[symbol]] = lane
    batch.last_lane[symbol] = lane


@kernel
def _show(events, i, batch):
    """Show an event to all lanes of its symbol, and let go of those whose order is gone; False when out of room."""
    event = events[i]
    symbol = event["symbol"]
    if event["kind"] == Kind.STATUS:
        _show_status(events, i, batch)
    if event["kind"] != Kind.QUOTE and event["kind"] != Kind.TRADE:
        return True
    ctl = batch.ctl[0]
    venue = batch.venue
    lane = ctl["lane"] if ctl["lane"] != NO_LANE else batch.first_lane[symbol]
    before = NO_LANE
    row = batch.book[symbol]
    while lane != NO_LANE:
        if not _has_room(2 * venue.n_orders[lane], batch):
            ctl["lane"] = lane
            return False
        see(event, lane, row, venue)
        after = batch.next_lane[lane]
        if venue.n_orders[lane] == 0 and before != NO_LANE:
            batch.next_lane[before] = after
            batch.next_lane[lane] = NO_LANE
            if after == NO_LANE:
                batch.last_lane[symbol] = before
        else:
            before = lane
        lane = after
    return True


@kernel
def _show_status(events, i, batch):
    """Show a status of all symbols to every lane at once, that of one symbol along its chain."""
    symbol = events[i]["symbol"]
    if symbol < 0:
        on_event(events, i, batch.book, batch.venue)
        return
    lane = batch.first_lane[symbol]
    while lane != NO_LANE:
        on_status(lane, batch.venue)
        lane = batch.next_lane[lane]
