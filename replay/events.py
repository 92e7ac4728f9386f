"""Events: everything that reaches a strategy, as rows of one structured array.

Order is `(ts_ns, seq)` and nothing else. `ts_ns` is the receive time (int64, nanoseconds since 1970 in UTC), `exch_ts_ns` the
exchange's own time or `NO_TIME`. Prices are integers in units of `1 / scale` of a dollar (`scale` stands in the session's
manifest), quantities are shares. `symbol` is an index into the symbol table of the run, `venue` into its venue table.

The payload fields share their bytes; which names are valid depends on `kind`:

========== ====================================================================
kind       fields
========== ====================================================================
QUOTE      bid, ask, bid_qty, ask_qty (0 = that side is empty)
TRADE      price, qty, venue
BAR        row (index into the block's bars)
FORECAST   row (index into the block's forecasts)
STATUS     code (one of `Status`)
CLOCK      nothing: it carries time through silence
MESSAGE    order_id, price, qty, action, side (full order book; for the exchange alone)
ACK ...    order_id, price, qty, leaves_qty (answers to own orders)
COMMISSION order_id, fee_micros (millionths of a dollar)
========== ====================================================================

Bars and forecasts have more to say than fits a row of 64 bytes, so an event points into a side table of its block.
"""

from enum import IntEnum, IntFlag

import numpy as np

NO_TIME = -(2**63)
NO_PRICE = -(2**63)


class Kind(IntEnum):
    """What happened. Kinds from `ACK` on are answers to own orders."""

    QUOTE = 1
    TRADE = 2
    BAR = 3
    FORECAST = 4
    STATUS = 5
    CLOCK = 6
    MESSAGE = 7
    ACK = 16
    PARTIAL = 17
    FILL = 18
    CANCELLED = 19
    REJECTED = 20
    EXPIRED = 21
    HELD = 22
    MODIFIED = 23
    CORRECTION = 24
    COMMISSION = 25
    CANCEL_REJECTED = 26


class MessageAction(IntEnum):
    """What a message of the full order book does; the lower-case name is the word in the table."""

    ADD = 1
    REDUCE = 2
    DELETE = 3
    EXECUTE = 4
    EXECUTE_HIDDEN = 5
    MODIFY = 6
    CLEAR = 7


class Status(IntEnum):
    """Codes of a STATUS event; symbol -1 means all symbols."""

    HALTED = 1
    RESUMED = 2
    AUCTION = 3
    DISCONNECTED = 4
    CONNECTED = 5
    GAP_START = 6
    GAP_END = 7
    SHORT_SALE_RESTRICTED = 8  # trading goes on
    SHORT_SALE_FREE = 9


class Flag(IntFlag):
    """What a feed said about a quote or a print (bits of `flags`)."""

    PAST_LIMIT = 1
    UNREPORTED = 2
    OFF_EXCHANGE = 4  # FINRA TRF: consumes no displayed queue
    ODD_LOT = 8
    OFF_TICK = 16  # the price is not on the symbol's tick grid
    LATE = 32  # late or out of sequence
    EXTENDED = 64  # outside regular trading hours
    AUCTION = 128
    BUY = 256  # the aggressor bought
    SELL = 512  # the aggressor sold
    CROSSED = 1024  # bid above ask
    LOCKED = 2048  # bid equals ask
    NO_VENUE = 4096  # the feed does not say where the print happened
    AVERAGE_PRICE = 8192  # average-price, derivative or otherwise not a market price
    HIDDEN = 16384  # met an order that was not displayed: consumes no displayed queue


INELIGIBLE = int(  # prints that consume no displayed queue
    Flag.OFF_EXCHANGE
    | Flag.AVERAGE_PRICE
    | Flag.LATE
    | Flag.OFF_TICK
    | Flag.AUCTION
    | Flag.UNREPORTED
    | Flag.PAST_LIMIT
    | Flag.HIDDEN
)


EVENT = np.dtype(
    {
        "names": [
            "ts_ns", "seq", "exch_ts_ns",
            "bid", "ask", "bid_qty", "ask_qty",
            "price", "qty", "row", "code", "order_id", "leaves_qty", "fee_micros",
            "symbol", "kind", "venue", "flags", "action", "side",
        ],
        "formats": ["i8"] * 14 + ["i2", "i1", "i1", "i4", "i1", "i4"],
        "offsets": [
            0, 8, 16,
            24, 32, 40, 48,
            24, 40, 24, 24, 32, 48, 24,
            56, 58, 59, 60, 59, 60,
        ],
        "itemsize": 64,
    }
)  # fmt: skip

BAR = np.dtype(
    [
        ("start_ts_ns", "i8"),
        ("open", "i8"),
        ("high", "i8"),
        ("low", "i8"),
        ("close", "i8"),
        ("volume", "i8"),
        ("wap", "f8"),  # in price units
        ("count", "i8"),
        ("bar_s", "i4"),
        ("what", "i4"),  # index into WHAT_TO_SHOW
    ],
    align=True,
)
WHAT_TO_SHOW = ("TRADES", "MIDPOINT", "BID", "ASK", "BID_ASK")

FORECAST = np.dtype(
    [
        ("bar_close_ts_ns", "i8"),
        ("forecast_id", "i8"),
        ("mu_bps", "f8"),
        ("sigma_bps", "f8"),
        ("q_lo_bps", "f8"),  # NaN where the file gives none
        ("q_hi_bps", "f8"),
        ("p_peak", "f8"),
        ("p_valley", "f8"),
        ("net_reward_bps", "f8"),
        ("trained_ts_ns", "i8"),  # when its model was last trained; 0 where nobody says
        ("horizon_min", "i4"),
        ("model", "i4"),
    ],
    align=True,
)
