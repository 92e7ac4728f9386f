"""Follow every displayed order of a message stream: where it joined, who stood before it, how it ended.

Rules:

V1  An order is *real* in our sense when it arrives at the touch: it JOINS at the standing best price of its side, or IMPROVES it
    inside the spread. Orders that arrive behind the touch are only counted, as are those that have no best price on their side
    to compare with, that lock or cross the other side (auctions), or that stand in a snapshot.
V2  Ahead of it is all that is displayed at its price at that moment: the queue is first in, first out.
V3  A reduction, or a change to a smaller quantity at the same price, keeps its place. Any other change ends the order (it gave
    its place up, as a cancel does) and starts a new one.
V4  It ends FILLED when executions took the last of it, CANCELLED when it left without any, PART_CANCELLED when it left after
    some. Still there at the end: OPEN. Swept away by a clearing of the book: CLEARED.
V5  A snapshot: what arrives at the very first time stamp of the stream, or more than a minute after its exchange time.
V6  Activity is the number of messages in the last second, from counts of whole seconds: all of the running one and the share of
    the one before that the second still covers.

The kernel sees dense numbers: an order is a row of `orders`, a price an index into the sorted prices.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from replay.events import NO_TIME, MessageAction
from replay.importers.book import ASK, BID, change_depth
from replay.jit import kernel

SECOND_NS = 1_000_000_000
SNAPSHOT_AGE_NS = 60 * SECOND_NS


class Kind(IntEnum):
    """Where an order arrived."""

    JOIN = 0
    IMPROVE = 1
    BEHIND = 2
    CROSSING = 3
    ALONE = 4
    SNAPSHOT = 5


class Fate(IntEnum):
    """How an order ended."""

    OPEN = 0
    FILLED = 1
    CANCELLED = 2
    PART_CANCELLED = 3
    CLEARED = 4


REAL = np.dtype(
    [
        ("track", "i8"),  # its number in order of arrival; -1 = not at the touch, only counted
        ("order_id", "i8"),
        ("arrival_ns", "i8"),
        ("arrival_exch_ns", "i8"),
        ("end_ns", "i8"),
        ("end_exch_ns", "i8"),
        ("first_fill_ns", "i8"),
        ("price", "i8"),
        ("level", "i8"),
        ("qty", "i8"),  # at arrival
        ("leaves_qty", "i8"),
        ("filled_qty", "i8"),
        ("ahead_qty", "i8"),  # at arrival, in truth
        ("spread", "i8"),  # price units, before it arrived
        ("activity", "i8"),  # messages in the last second (V6)
        ("side", "i4"),
        ("kind", "i4"),
        ("fate", "i4"),
        ("n_fills", "i4"),
    ],
    align=True,
)
REAL_FILL = np.dtype([("track", "i8"), ("ts_ns", "i8"), ("exch_ts_ns", "i8"), ("price", "i8"), ("qty", "i8")], align=True)
FOLLOW_CTL = np.dtype(
    [
        ("n_ended", "i8"),
        ("n_fills", "i8"),
        ("n_tracks", "i8"),
        ("first_ns", "i8"),
        ("second", "i8"),
        ("n_now", "i8"),  # messages in that second
        ("n_before", "i8"),  # and in the one before
    ],
    align=True,
)


class Followed(NamedTuple):
    """The book, and what has ended since the caller last looked."""

    orders: np.ndarray  # REAL, one row per order id of the block; `leaves_qty` 0 = not in the book
    prices: np.ndarray  # int64 (n_levels,), ascending
    depth: np.ndarray  # int64 (2, n_levels)
    best: np.ndarray  # int64 (2,)
    ended: np.ndarray  # REAL
    fills: np.ndarray  # REAL_FILL
    counts: np.ndarray  # int64 (len(Kind),): arrivals by kind
    ctl: np.ndarray  # FOLLOW_CTL, one row


@kernel
def follow(messages, rows, levels, book):
    """Apply a block of messages; `rows` and `levels` are the order's and the price's number of each message."""
    for i in range(len(messages)):
        message = messages[i]
        action = message["action"]
        order = book.orders[rows[i]]
        _count(message["ts_ns"], book.ctl[0])
        if action == MessageAction.ADD or action == MessageAction.MODIFY:
            _place(message, order, levels[i], book)
        elif action == MessageAction.CLEAR:
            _clear(message, book)
        elif order["leaves_qty"] > 0 and (action == MessageAction.REDUCE or action == MessageAction.DELETE):
            _withdraw(message, order, message["qty"], book)
        elif order["leaves_qty"] > 0 and action == MessageAction.EXECUTE:
            _execute(message, order, book)


@kernel
def _count(ts_ns, ctl):
    second = ts_ns // SECOND_NS
    if second != ctl["second"]:
        ctl["n_before"] = ctl["n_now"] if second == ctl["second"] + 1 else 0
        ctl["n_now"] = 0
        ctl["second"] = second
    ctl["n_now"] += 1


@kernel
def _place(message, order, level, book):
    """Let an order arrive, shrink in its place, or leave it and arrive anew (V3)."""
    if order["leaves_qty"] > 0:
        stays = order["level"] == level and order["side"] == message["side"] and message["qty"] <= order["leaves_qty"]
        if stays:
            _withdraw(message, order, order["leaves_qty"] - message["qty"], book)
            return
        _withdraw(message, order, order["leaves_qty"], book)
    if message["qty"] > 0:
        _arrive(message, order, level, book)


@kernel
def _arrive(message, order, level, book):
    ctl = book.ctl[0]
    side = BID if message["side"] > 0 else ASK
    kind = _kind_at(message, side, level, book)
    book.counts[kind] += 1
    order["track"] = -1
    order["level"] = level
    order["side"] = message["side"]
    order["leaves_qty"] = message["qty"]
    if kind == Kind.JOIN or kind == Kind.IMPROVE:
        _describe(message, order, level, book)
        order["kind"] = kind
        order["track"] = ctl["n_tracks"]
        ctl["n_tracks"] += 1
    change_depth(book, side, level, message["qty"])


@kernel
def _kind_at(message, side, level, book):
    """Say where an order arrives (V1, V5)."""
    exch_ts_ns = message["exch_ts_ns"]
    is_old = exch_ts_ns != NO_TIME and message["ts_ns"] - exch_ts_ns > SNAPSHOT_AGE_NS
    if message["ts_ns"] == book.ctl[0]["first_ns"] or is_old:
        return Kind.SNAPSHOT
    bid = book.best[BID]
    ask = book.best[ASK]
    if (side == BID and level >= ask) or (side == ASK and level <= bid) or bid >= ask:
        return Kind.CROSSING
    if bid < 0 or ask >= book.depth.shape[1]:
        return Kind.ALONE
    better = level - bid if side == BID else ask - level
    if better == 0:
        return Kind.JOIN
    return Kind.IMPROVE if better > 0 else Kind.BEHIND


@kernel
def _describe(message, order, level, book):
    ctl = book.ctl[0]
    side = BID if message["side"] > 0 else ASK
    part_ns = message["ts_ns"] % SECOND_NS
    order["order_id"] = message["order_id"]
    order["arrival_ns"] = message["ts_ns"]
    order["arrival_exch_ns"] = message["exch_ts_ns"]
    order["price"] = message["price"]
    order["qty"] = message["qty"]
    order["ahead_qty"] = book.depth[side, level]
    order["spread"] = book.prices[book.best[ASK]] - book.prices[book.best[BID]]
    order["activity"] = ctl["n_now"] + ctl["n_before"] * (SECOND_NS - part_ns) // SECOND_NS
    order["filled_qty"] = 0
    order["n_fills"] = 0
    order["first_fill_ns"] = 0
    order["fate"] = Fate.OPEN


@kernel
def _withdraw(message, order, qty, book):
    """Take size off an order without a trade; end it when nothing is left (V4)."""
    qty = min(qty, order["leaves_qty"])
    order["leaves_qty"] -= qty
    change_depth(book, BID if order["side"] > 0 else ASK, order["level"], -qty)
    if order["leaves_qty"] == 0:
        _end(message, order, Fate.CANCELLED if order["filled_qty"] == 0 else Fate.PART_CANCELLED, book)


@kernel
def _execute(message, order, book):
    qty = min(message["qty"], order["leaves_qty"])
    order["leaves_qty"] -= qty
    change_depth(book, BID if order["side"] > 0 else ASK, order["level"], -qty)
    if order["track"] >= 0:
        if order["n_fills"] == 0:
            order["first_fill_ns"] = message["ts_ns"]
        order["n_fills"] += 1
        order["filled_qty"] += qty
        fill = book.fills[book.ctl[0]["n_fills"]]
        fill["track"] = order["track"]
        fill["ts_ns"] = message["ts_ns"]
        fill["exch_ts_ns"] = message["exch_ts_ns"]
        fill["price"] = message["price"]
        fill["qty"] = qty
        book.ctl[0]["n_fills"] += 1
    if order["leaves_qty"] == 0:
        _end(message, order, Fate.FILLED, book)


@kernel
def _end(message, order, fate, book):
    if order["track"] < 0:
        return
    order["end_ns"] = message["ts_ns"]
    order["end_exch_ns"] = message["exch_ts_ns"]
    order["fate"] = fate
    book.ended[book.ctl[0]["n_ended"]] = order
    book.ctl[0]["n_ended"] += 1
    order["track"] = -1


@kernel
def _clear(message, book):
    """Sweep the book: what is left of every order is gone (V4)."""
    for k in range(len(book.orders)):
        order = book.orders[k]
        if order["leaves_qty"] > 0:
            order["leaves_qty"] = 0
            _end(message, order, Fate.CLEARED, book)
    for level in range(book.depth.shape[1]):
        book.depth[BID, level] = 0
        book.depth[ASK, level] = 0
    book.best[BID] = -1
    book.best[ASK] = book.depth.shape[1]
