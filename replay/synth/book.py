"""The order book of one symbol: price levels, FIFO queues, order ids.

Prices are levels: indices into `levels`, one per tick, so that finding a queue is one look-up. Side is +1 (bid) or -1 (ask);
`best[0]` and `n_orders[0]` belong to the bids, `[1]` to the asks. An empty bid side has its best at -1, an empty ask side at
`len(levels)`. Rules:

B1. An order joins the end of its level's queue. One that would touch or cross the other side is refused.
B2. A reduction keeps the place in the queue; an order reduced by all it has leaves.
B3. When a level empties at the best price, the best moves to the next level that holds anything.
B4. `live[:n_live]` lists the slots in use in no stated order, the rest of `live` is free: leaving swaps with the last.
"""

from typing import NamedTuple

import numpy as np

from replay.jit import kernel

ORDER = np.dtype(
    [
        ("order_id", "i8"),
        ("level", "i8"),
        ("qty", "i8"),
        ("older", "i8"),  # slot of the neighbour in the queue, -1 = none
        ("newer", "i8"),
        ("place", "i8"),  # index into live
        ("side", "i4"),
        ("venue", "i4"),
    ],
    align=True,
)
LEVEL = np.dtype([("qty", "i8"), ("oldest", "i8"), ("newest", "i8")], align=True)
TALLY = np.dtype([("n_live", "i8"), ("next_order_id", "i8")], align=True)


class Book(NamedTuple):
    """Arrays of one book."""

    orders: np.ndarray  # ORDER (capacity,)
    levels: np.ndarray  # LEVEL (n_levels,)
    live: np.ndarray  # int64 (capacity,), a permutation of the slots
    best: np.ndarray  # int64 (2,): level of the best bid and ask
    n_orders: np.ndarray  # int64 (2,), per side
    tally: np.ndarray  # TALLY, one row


def empty_book(capacity: int, n_levels: int) -> Book:
    """Return a book without orders; order ids start at 1."""
    levels = np.zeros(n_levels, LEVEL)
    levels["oldest"] = levels["newest"] = -1
    tally = np.zeros(1, TALLY)
    tally["next_order_id"] = 1
    best = np.array([-1, n_levels], np.int64)
    return Book(np.zeros(capacity, ORDER), levels, np.arange(capacity), best, np.zeros(2, np.int64), tally)


@kernel
def side_index(side):
    """Return 0 for bids and 1 for asks."""
    return 0 if side > 0 else 1


@kernel
def join(book, side, level, qty, venue):
    """Add an order (B1) and return its slot, or -1 when it would cross or there is no room."""
    tally = book.tally[0]
    if tally["n_live"] >= len(book.orders) or level < 0 or level >= len(book.levels):
        return -1
    if (side > 0 and level >= book.best[1]) or (side < 0 and level <= book.best[0]):
        return -1
    place = tally["n_live"]
    slot = book.live[place]
    order = book.orders[slot]
    order["order_id"] = tally["next_order_id"]
    order["level"] = level
    order["qty"] = qty
    order["place"] = place
    order["side"] = side
    order["venue"] = venue
    tally["n_live"] = place + 1
    tally["next_order_id"] += 1
    _enqueue(book, slot)
    book.n_orders[side_index(side)] += 1
    if (side > 0 and level > book.best[0]) or (side < 0 and level < book.best[1]):
        book.best[side_index(side)] = level
    return slot


@kernel
def _enqueue(book, slot):
    order = book.orders[slot]
    queue = book.levels[order["level"]]
    order["older"] = queue["newest"]
    order["newer"] = -1
    if queue["newest"] >= 0:
        book.orders[queue["newest"]]["newer"] = slot
    else:
        queue["oldest"] = slot
    queue["newest"] = slot
    queue["qty"] += order["qty"]


@kernel
def take(book, slot, qty):
    """Take shares out of an order (B2); return 1 when it left the book."""
    order = book.orders[slot]
    book.levels[order["level"]]["qty"] -= qty
    order["qty"] -= qty
    if order["qty"] > 0:
        return 0
    _unlink(book, slot)
    tally = book.tally[0]
    last = tally["n_live"] - 1
    moved = book.live[last]
    place = order["place"]
    book.live[place] = moved
    book.orders[moved]["place"] = place
    book.live[last] = slot
    tally["n_live"] = last
    book.n_orders[side_index(order["side"])] -= 1
    _find_best(book, order["side"])
    return 1


@kernel
def _unlink(book, slot):
    order = book.orders[slot]
    queue = book.levels[order["level"]]
    if order["older"] >= 0:
        book.orders[order["older"]]["newer"] = order["newer"]
    else:
        queue["oldest"] = order["newer"]
    if order["newer"] >= 0:
        book.orders[order["newer"]]["older"] = order["older"]
    else:
        queue["newest"] = order["older"]


@kernel
def _find_best(book, side):
    """Move the best price of a side to the next level that holds anything (B3)."""
    k = side_index(side)
    level = book.best[k]
    if book.n_orders[k] == 0:
        level = -1 if side > 0 else len(book.levels)
    else:
        while book.levels[level]["qty"] == 0:
            level -= side
    book.best[k] = level
