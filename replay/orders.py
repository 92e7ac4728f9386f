"""Orders: what a strategy asks, what it logs, and what it paid.

A *request* travels from the strategy to the exchange (simulated or IBKR). `ORDER_LOG`, `FILL` and `MARK` are the rows of a run's
`orders`, `fills` and `marks` tables, still in integers; names and dollars are given to them when they are written.
"""

from enum import IntEnum

import numpy as np


class Side(IntEnum):
    """Signed, so that `side * qty` is a change of position."""

    BUY = 1
    SELL = -1


class Action(IntEnum):
    """What a request asks for."""

    NEW = 1
    CANCEL = 2
    MODIFY = 3


class OrderType(IntEnum):
    """Order types; a market order has no limit price, that of a pegged one is its cap, or 0 for none."""

    LIMIT = 1
    MARKET = 2
    PEG_MID = 3  # hidden at the mid
    MIDPRICE = 4  # displayed, at the mid or a half tick worse


class Tif(IntEnum):
    """Time in force. GTD needs `expire_ts_ns`."""

    DAY = 1
    IOC = 2
    FOK = 3
    GTD = 4


class Liquidity(IntEnum):
    """Whether a fill added liquidity or removed it."""

    ADD = 1
    REMOVE = 2


class State(IntEnum):
    """State of an own order as its owner knows it."""

    SENT = 1
    WORKING = 2
    PARTIAL = 3
    FILLED = 4
    CANCEL_SENT = 5
    CANCELLED = 6
    REJECTED = 7
    EXPIRED = 8
    HELD = 9
    MODIFY_SENT = 10


class OrderReason(IntEnum):
    """Why an order changed its state; 0 where the state says it all."""

    NONE = 0
    NOT_MARKETABLE = 1  # IOC or FOK found nothing to trade with
    END_OF_DAY = 2
    GOOD_TILL_DATE = 3
    OFF_TICK = 4
    HALTED = 5
    BAD_QUANTITY = 6
    UNKNOWN_ORDER = 7  # cancel or modify of an order that is gone
    WOULD_CROSS = 8  # post-only
    TABLE_FULL = 9
    NO_MARKET = 10  # a market order met an empty side
    NOT_OPEN = 11  # IOC or FOK before the open
    TOO_LARGE = 12
    DUPLICATE_ID = 13  # a live order has this id
    SHORT_SALE = 14  # restricted, and not above the bid
    NOT_SHORTABLE = 15
    BUYING_POWER = 16


class Evidence(IntEnum):
    """How much a recording knows about the queue."""

    TICK_BY_TICK = 1
    SNAPSHOT_250MS = 2
    BARS = 3
    HISTORICAL = 4
    MESSAGE_LEVEL = 5


REQUEST = np.dtype(
    [
        ("ts_ns", "i8"),  # when the decision was made
        ("order_id", "i8"),
        ("parent_id", "i8"),
        ("decision_id", "i8"),
        ("price", "i8"),  # limit, price units; 0 for a market order
        ("qty", "i8"),
        ("expire_ts_ns", "i8"),
        ("work_ns", "i8"),
        ("symbol", "i4"),
        ("action", "i4"),
        ("side", "i4"),
        ("type", "i4"),
        ("tif", "i4"),
        ("post_only", "i4"),
        ("slice", "i4"),
        ("reason", "i4"),
    ],
    align=True,
)

ORDER_LOG = np.dtype(
    [
        ("ts_ns", "i8"),
        ("order_id", "i8"),
        ("parent_id", "i8"),
        ("decision_id", "i8"),
        ("limit_price", "i8"),
        ("qty", "i8"),
        ("filled_qty", "i8"),
        ("leaves_qty", "i8"),
        ("work_ns", "i8"),
        ("ack_ts_ns", "i8"),
        ("ahead_qty_simulated", "i8"),
        ("ahead_qty_estimated", "i8"),
        ("symbol", "i4"),
        ("side", "i4"),
        ("type", "i4"),
        ("tif", "i4"),
        ("slice", "i4"),
        ("state", "i4"),
        ("reason", "i4"),
    ],
    align=True,
)

FILL = np.dtype(
    [
        ("ts_ns", "i8"),  # when the exchange filled, on the receive clock
        ("order_id", "i8"),
        ("decision_id", "i8"),
        ("price", "i8"),
        ("qty", "i8"),
        ("fee_micros", "i8"),
        ("ahead_qty_before", "i8"),
        ("ahead_qty_after", "i8"),
        ("latency_ns", "i8"),  # from decision to arrival
        ("mid2_at_decision", "i8"),  # bid + ask, so that it stays an integer; 0 = unknown
        ("mid2_at_arrival", "i8"),
        ("mid2_at_fill", "i8"),
        ("source_seq", "i8"),  # seq of the quote or print that made the fill
        ("symbol", "i4"),
        ("side", "i4"),
        ("liquidity", "i4"),
        ("venue", "i4"),
        ("rule", "i4"),
        ("evidence", "i4"),
    ],
    align=True,
)

MARK = np.dtype(
    [
        ("ts_ns", "i8"),
        ("bid", "i8"),  # price units; 0 = empty side
        ("ask", "i8"),
        ("symbol", "i8"),
    ],
    align=True,
)  # the touch of a symbol when it changed, at most once a second
