"""The tables of the real orders, for exact FIFO: what the messages of a full order book say is resting.

Two hash tables with open addressing and linear steps. Orders are found by symbol and id and leave without a trace; levels are
found by symbol, side and price and stay, empty or not, until the day is over. Both have the same power of two of slots.
"""

from typing import NamedTuple

import numpy as np

from replay.desk import BOOK
from replay.orders import Evidence

MOST_LIVE = 1 << 20  # real orders resting at once, over all symbols of a run
NO_RANK = -(2**62)  # that side shows nothing

REAL_ORDER = np.dtype(
    [
        ("order_id", "i8"),
        ("price", "i8"),
        ("qty", "i8"),  # 0 = the slot is free
        ("join_seq", "i8"),  # when it joined the end of its level
        ("symbol", "i4"),
        ("side", "i4"),
    ],
    align=True,
)
REAL_LEVEL = np.dtype([("price", "i8"), ("qty", "i8"), ("symbol", "i4"), ("side", "i4")], align=True)  # side 0 = never used
REAL_SIDE = np.dtype([("rank", "i8"), ("qty", "i8"), ("n_orders", "i8"), ("worst_rank", "i8")], align=True)
REAL_CTL = np.dtype(
    [
        ("n_orders", "i8"),
        ("n_levels", "i8"),
        ("next_seq", "i8"),
        ("gone_qty", "i8"),  # what the last message took off a level ...
        ("gone_rank", "i8"),
        ("gone_side", "i8"),
        ("gone_seq", "i8"),  # ... from an order that joined then ...
        ("is_execution", "i8"),  # ... by trading with it
        ("is_cleared", "i8"),  # the last message emptied the book of its symbol
        ("is_moved", "i8"),  # the last message changed price or size of a touch
    ],
    align=True,
)


class RealTables(NamedTuple):
    """What `fills.venue.Venue` holds of the real orders."""

    real_orders: np.ndarray
    real_levels: np.ndarray
    real_sides: np.ndarray
    real_book: np.ndarray
    real_ctl: np.ndarray


def make_tables(n_symbols: int, n_messages: int) -> RealTables:
    """Make empty tables for the orders of at most `n_messages` messages; 0 makes tables that nobody uses."""
    n_slots = 1 << max(2 * min(n_messages, MOST_LIVE) - 1, 0).bit_length()
    sides = np.zeros((n_symbols, 2), REAL_SIDE)
    sides["rank"] = sides["worst_rank"] = NO_RANK
    book = np.zeros(n_symbols, BOOK)
    book["evidence"] = Evidence.MESSAGE_LEVEL
    return RealTables(np.zeros(n_slots, REAL_ORDER), np.zeros(n_slots, REAL_LEVEL), sides, book, np.zeros(1, REAL_CTL))
