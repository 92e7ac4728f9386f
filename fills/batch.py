"""Given orders against recorded events, without a strategy: the loop behind `fills.simulate`.

Orders that meet each other stand together in the order table of their symbol. Shadow orders have a lane each (`fills.shadows`).
"""

from typing import NamedTuple

import numpy as np

from fills.bars import on_bar
from fills.exchange import act, on_event
from fills.queue import FIFO
from fills.shadows import NO_LANE, Shadows, forget_apart, leave, live_count, open_lane, place, show_all, show_bar, tell_all
from fills.trading_status import market_of, on_status
from fills.venue import Venue
from replay.bundle import bundle
from replay.desk import apply_market
from replay.events import Kind, Status
from replay.jit import kernel
from replay.orders import Action, Evidence

SPARE_ANSWERS = 8  # more than one step can give
ANSWERS_AT_ONCE = 1 << 16

STEP = np.dtype(
    [
        ("due_ns", "i8"),  # it acts after all events up to this time ...
        ("due_seq", "i8"),  # ... and, of those with this very time, up to this `seq`
        ("now_ns", "i8"),  # the time at which it acts
        ("owner", "i4"),  # row of its order
        ("action", "i4"),
    ],
    align=True,
)

BATCH_CTL = np.dtype(
    [
        ("step", "i8"),  # next step
        ("event", "i8"),  # next event of the block
        ("independent", "i8"),  # 1 = shadow orders
        ("n_order_events", "i8"),  # how often a live shadow met a quote or print of its symbol
    ],
    align=True,
)


@bundle
class Batch(NamedTuple):
    """Orders, their steps by the time at which they act, the market and the venue."""

    requests: np.ndarray  # REQUEST, one per order
    steps: np.ndarray  # STEP, by `due_ns`
    shadows: Shadows
    book: np.ndarray  # BOOK (n_symbols,)
    venue: Venue
    ctl: np.ndarray  # BATCH_CTL, one row


@kernel
def play(block, n_events, batch):
    """Play a block; return False when the answers must be collected first."""
    ctl = batch.ctl[0]
    events = block.events
    while ctl["event"] < n_events:
        i = ctl["event"]
        if not act_until(events[i]["ts_ns"], events[i]["seq"], batch):
            return False
        if not _show(block, i, batch):
            return False
        if events[i]["kind"] != Kind.MESSAGE:
            apply_market(events, i, batch.book)
        ctl["event"] = i + 1
    return True


@kernel
def act_until(end_ns, end_seq, batch):
    """Let all steps act that are due before an event; return False when the answers must be collected first."""
    ctl = batch.ctl[0]
    while ctl["step"] < len(batch.steps):
        step = batch.steps[ctl["step"]]
        if step["due_ns"] > end_ns or (step["due_ns"] == end_ns and step["due_seq"] >= end_seq):
            return True
        if not _has_room(SPARE_ANSWERS, batch):
            return False
        owner = step["owner"]
        request = batch.requests[owner]
        request["action"] = step["action"]
        s = request["symbol"]
        now_ns = step["now_ns"]
        row = market_of(s, batch.book, batch.venue)
        if ctl["independent"] == 0:
            act(request, s, now_ns, row, batch.venue)
        elif step["action"] == Action.NEW:
            lane = open_lane(s, owner, batch.shadows, batch.venue)
            act(request, lane, now_ns, row, batch.venue)
            place(s, lane, batch.shadows, batch.venue)
        elif batch.shadows.lane_of[owner] != NO_LANE:
            lane = batch.shadows.lane_of[owner]
            leave(s, lane, batch.shadows, batch.venue)
            act(request, lane, now_ns, row, batch.venue)
        ctl["step"] += 1
    return True


@kernel
def _has_room(n_answers, batch):
    """Return True when that many answers fit; an empty buffer always has room for what one event can do."""
    n_waiting = batch.venue.ctl[0]["n_answers"]
    return n_waiting == 0 or n_waiting + n_answers <= ANSWERS_AT_ONCE


@kernel
def _show(block, i, batch):
    """Show an event to all orders of its symbol; return False when the answers must be collected first."""
    events = block.events
    event = events[i]
    s = event["symbol"]
    kind = event["kind"]
    if kind == Kind.STATUS:
        _show_status(events, i, batch)
    if kind == Kind.BAR:
        return _show_bar(block.bars, events, i, batch)
    if kind != Kind.QUOTE and kind != Kind.TRADE and kind != Kind.MESSAGE:
        return True
    ctl = batch.ctl[0]
    if ctl["independent"] == 0:
        if not _has_room(2 * batch.venue.n_orders[s], batch):
            return False
        on_event(events, i, batch.book, batch.venue)
        return True
    n_live = live_count(s, batch.shadows)
    if not _has_room(2 * n_live, batch):
        return False
    if kind == Kind.MESSAGE:
        tell_all(event, s, batch.book[s]["tick"], batch.shadows, batch.venue)
    elif batch.venue.ctl[0]["model"] != FIFO:
        ctl["n_order_events"] += n_live
        show_all(event, s, batch.book[s], batch.shadows, batch.venue)
    return True


@kernel
def _show_bar(bars, events, i, batch):
    """Show a bar to all orders of its symbol; return False when the answers must be collected first."""
    s = events[i]["symbol"]
    row = batch.book[s]
    if row["evidence"] != Evidence.BARS:
        return True
    if batch.ctl[0]["independent"] == 0:
        if not _has_room(batch.venue.n_orders[s], batch):
            return False
        on_bar(bars, events, i, s, row, batch.venue)
        return True
    if not _has_room(live_count(s, batch.shadows), batch):
        return False
    show_bar(bars, events, i, row, batch.shadows, batch.venue)
    return True


@kernel
def _show_status(events, i, batch):
    """Show a status of one symbol, or of all."""
    symbol = events[i]["symbol"]
    code = events[i]["code"]
    if code == Status.SHORT_SALE_RESTRICTED or code == Status.SHORT_SALE_FREE:
        return  # given orders have no account
    if batch.ctl[0]["independent"] == 0:
        on_event(events, i, batch.book, batch.venue)
        return
    first = max(symbol, 0)
    last = symbol + 1 if symbol >= 0 else len(batch.book)
    for s in range(first, last):
        on_status(s, events[i]["code"], batch.venue)
        forget_apart(s, batch.shadows, batch.venue)
