"""Rebuild level 1 from single orders: messages of a market-by-order feed become quotes, and each message learns its effect.

Rules:

B1  An order rests at its level until its quantity is gone. A level's size is the sum of its orders.
B2  ADD of an id that still rests is a MODIFY; MODIFY of an unknown id is an ADD.
B3  REDUCE and EXECUTE take at most what rests (the rest is counted as `excess_qty`); DELETE takes all. An unknown id has effect
    UNKNOWN and changes nothing: the order is older than the file.
B4  FILL executes at once; a REDUCE or DELETE of the same order in the same event then explains the fill and takes only what it
    says beyond it, a MODIFY sets the order to its new terms. A message that changes nothing has effect NOTHING.
B5  CLEAR empties the book.
B6  The touch is emitted at the end of an event, if price or size of either side changed since the last emission.

Prices are indices into the sorted array of all prices, ids are dense, so that the kernels need no dictionaries.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from replay.jit import kernel

BID = 0
ASK = 1


class Deed(IntEnum):
    """What a message asks of the book, and what it did to it."""

    NOTHING = 0
    ADD = 1
    REDUCE = 2
    DELETE = 3
    EXECUTE = 4
    MODIFY = 5
    CLEAR = 6
    FILL = 7  # asked only: its effect is EXECUTE
    UNKNOWN = 8  # effect only


MESSAGE = np.dtype(
    [("deed", "i8"), ("order", "i8"), ("side", "i8"), ("level", "i8"), ("qty", "i8"), ("is_end", "i8")], align=True
)
RESTING = np.dtype([("level", "i8"), ("side", "i8"), ("qty", "i8"), ("filled_qty", "i8"), ("filled_event", "i8")], align=True)
TOUCH = np.dtype([("row", "i8"), ("bid", "i8"), ("bid_qty", "i8"), ("ask", "i8"), ("ask_qty", "i8")], align=True)
EFFECT = np.dtype([("deed", "i8"), ("qty", "i8"), ("excess_qty", "i8")], align=True)


class Book(NamedTuple):
    """The book: orders by dense id, depth by side and level, best level by side (bid -1, ask n_levels = empty)."""

    orders: np.ndarray
    depth: np.ndarray
    best: np.ndarray


class Rebuilt(NamedTuple):
    """Touches (prices, not levels; empty side = 0, 0) with the row that made them, and one effect per message."""

    touches: np.ndarray
    effects: np.ndarray


def rebuild_book(
    deeds: np.ndarray, order_ids: np.ndarray, sides: np.ndarray, prices: np.ndarray, quantities: np.ndarray, is_end: np.ndarray
) -> Rebuilt:
    """Play messages of one symbol into an empty book.

    Parameters
    ----------
    deeds : int array
        `Deed` of each message.
    order_ids : int array
        Any ids; reuse after the end of an order is fine.
    sides : int array
        1 bid, -1 ask; other values only where the deed does not need a side.
    prices, quantities : int array
        Price units and shares.
    is_end : bool array
        The message ends an event of the feed (rule B6).

    Examples
    --------
    >>> one = np.ones(2, np.int64)
    >>> rebuilt = rebuild_book(np.array([1, 4]), one, one, one * 100, np.array([300, 100]), one == 1)
    >>> rebuilt.touches["bid_qty"].tolist()
    [300, 200]
    """
    levels, level_of = np.unique(prices, return_inverse=True)
    ids, id_of = np.unique(order_ids, return_inverse=True)
    messages = np.zeros(len(deeds), MESSAGE)
    for name, values in (("deed", deeds), ("order", id_of), ("level", level_of), ("qty", quantities), ("is_end", is_end)):
        messages[name] = values
    messages["side"] = np.where(np.asarray(sides) < 0, ASK, BID)
    book = Book(np.zeros(len(ids), RESTING), np.zeros((2, len(levels)), np.int64), np.array([-1, len(levels)], np.int64))
    touches = np.zeros(len(deeds), TOUCH)
    effects = np.zeros(len(deeds), EFFECT)
    touches = touches[: play_messages(messages, book, touches, effects)].copy()
    for name in ("bid", "ask"):
        is_empty = touches[f"{name}_qty"] == 0
        touches[name] = np.where(is_empty, 0, levels[np.where(is_empty, 0, touches[name])])
    return Rebuilt(touches, effects)


@kernel
def play_messages(messages, book, touches, effects):
    """Apply all messages; fill `effects`, one per message, and `touches`; return the number of touches."""
    n_touches = 0
    event = 1
    last = (-1, 0, -1, 0)
    for i in range(len(messages)):
        apply_message(messages[i], event, book, effects[i])
        if messages[i]["is_end"] != 0:
            event += 1
            now = read_touch(book)
            if now != last:
                last = now
                touch = touches[n_touches]
                touch["row"] = i
                touch["bid"] = now[0]
                touch["bid_qty"] = now[1]
                touch["ask"] = now[2]
                touch["ask_qty"] = now[3]
                n_touches += 1
    return n_touches


@kernel
def read_touch(book):
    """Return level and size of both best sides; (-1, 0) for an empty side."""
    bid = book.best[BID]
    ask = book.best[ASK]
    bid_qty = book.depth[BID, bid] if bid >= 0 else 0
    if ask >= book.depth.shape[1]:
        return int(bid), int(bid_qty), -1, 0
    return int(bid), int(bid_qty), int(ask), int(book.depth[ASK, ask])


@kernel
def apply_message(message, event, book, effect):
    """Apply one message (rules B1-B5) and write what it did."""
    deed = message["deed"]
    if deed == Deed.NOTHING:
        return
    if deed == Deed.CLEAR:
        clear_book(book)
        effect["deed"] = Deed.CLEAR
        return
    order = book.orders[message["order"]]
    if deed == Deed.ADD or deed == Deed.MODIFY:
        place_order(message, order, book, effect)
    elif order["qty"] == 0 and order["filled_event"] != event:
        effect["deed"] = Deed.UNKNOWN
        effect["qty"] = message["qty"]
    elif deed == Deed.FILL or deed == Deed.EXECUTE:
        taken = take(order, message["qty"], Deed.EXECUTE, book, effect)
        if deed == Deed.FILL:
            already = order["filled_qty"] if order["filled_event"] == event else 0
            order["filled_event"] = event
            order["filled_qty"] = already + taken
    elif deed == Deed.DELETE:
        take(order, order["qty"], Deed.REDUCE, book, effect)
    else:
        explained = 0
        if order["filled_event"] == event:
            explained = min(order["filled_qty"], message["qty"])
            order["filled_qty"] -= explained
        take(order, message["qty"] - explained, Deed.REDUCE, book, effect)


@kernel
def place_order(message, order, book, effect):
    """Put an order where the message says, whether it is new or moves (rule B2)."""
    qty = message["qty"]
    order["filled_qty"] = 0
    is_known = order["qty"] > 0
    if is_known and order["level"] == message["level"] and order["side"] == message["side"] and order["qty"] == qty:
        return
    if is_known:
        change_depth(book, order["side"], order["level"], -order["qty"])
    order["level"] = message["level"]
    order["side"] = message["side"]
    order["qty"] = qty
    change_depth(book, order["side"], order["level"], qty)
    effect["deed"] = Deed.MODIFY if is_known else Deed.ADD
    effect["qty"] = qty


@kernel
def take(order, qty, deed, book, effect):
    """Take at most `qty` off an order, write the effect (DELETE when a reduction leaves nothing), return what was taken."""
    taken = min(qty, order["qty"])
    effect["excess_qty"] = qty - taken
    if taken == 0:
        return 0
    order["qty"] -= taken
    change_depth(book, order["side"], order["level"], -taken)
    effect["deed"] = Deed.DELETE if deed == Deed.REDUCE and order["qty"] == 0 else deed
    effect["qty"] = taken
    return taken


@kernel
def change_depth(book, side, level, qty):
    """Change the size of a level and move the best of its side."""
    book.depth[side, level] += qty
    best = book.best[side]
    if book.depth[side, level] > 0:
        if (side == BID and level > best) or (side == ASK and level < best):
            book.best[side] = level
        return
    if level != best:
        return
    step = -1 if side == BID else 1
    while 0 <= best < book.depth.shape[1] and book.depth[side, best] == 0:
        best += step
    book.best[side] = best


@kernel
def clear_book(book):
    """Remove all orders (rule B5)."""
    for k in range(len(book.orders)):
        book.orders[k]["qty"] = 0
        book.orders[k]["filled_qty"] = 0
    for level in range(book.depth.shape[1]):
        book.depth[BID, level] = 0
        book.depth[ASK, level] = 0
    book.best[BID] = -1
    book.best[ASK] = book.depth.shape[1]
