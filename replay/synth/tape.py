"""The tape: what happened at the exchange, in its own time and in arrays that are emptied before they are full.

Three streams with the running number of the step that made each row: `messages` (the truth), `prints` and `quotes`
(the touch after a step, only when it changed).
"""

from typing import NamedTuple

import numpy as np

from replay.events import Flag
from replay.jit import kernel

ADD, REDUCE, DELETE, EXECUTE, EXECUTE_HIDDEN = range(5)
ACTIONS = ("add", "reduce", "delete", "execute", "execute_hidden")

OFF_EXCHANGE = int(Flag.OFF_EXCHANGE)
ODD_LOT = int(Flag.ODD_LOT)
LATE = int(Flag.LATE)
AVERAGE_PRICE = int(Flag.AVERAGE_PRICE)
ROUND_LOT = 100

MESSAGE = np.dtype(
    [
        ("exch_ts_ns", "i8"),
        ("order_id", "i8"),  # 0 = hidden
        ("price", "i8"),
        ("qty", "i8"),
        ("step", "i8"),
        ("action", "i4"),
        ("side", "i4"),
    ],
    align=True,
)
QUOTE = np.dtype(
    [("exch_ts_ns", "i8"), ("bid", "i8"), ("bid_qty", "i8"), ("ask", "i8"), ("ask_qty", "i8"), ("step", "i8")],
    align=True,
)
PRINT = np.dtype(
    [("exch_ts_ns", "i8"), ("price", "i8"), ("qty", "i8"), ("step", "i8"), ("venue", "i4"), ("flags", "i4")],
    align=True,
)
USED = np.dtype([("messages", "i8"), ("quotes", "i8"), ("prints", "i8"), ("step", "i8")], align=True)


class Tape(NamedTuple):
    """Rows written so far are the first `used` of each array."""

    messages: np.ndarray  # MESSAGE
    quotes: np.ndarray  # QUOTE
    prints: np.ndarray  # PRINT
    last_quote: np.ndarray  # QUOTE, one row
    used: np.ndarray  # USED, one row


def empty_tape(capacity: int) -> Tape:
    """Return a tape with room for `capacity` rows of each stream."""
    rows = [np.zeros(capacity, dtype) for dtype in (MESSAGE, QUOTE, PRINT)]
    return Tape(rows[0], rows[1], rows[2], np.zeros(1, QUOTE), np.zeros(1, USED))


@kernel
def has_room(tape, n_rows):
    """Return whether each stream still takes so many rows."""
    used = tape.used[0]
    most = max(used["messages"], used["quotes"], used["prints"])
    return most + n_rows <= len(tape.messages)


@kernel
def write_message(tape, now_ns, action, side, order_id, price, qty):
    """Append one message of the book."""
    used = tape.used[0]
    row = tape.messages[used["messages"]]
    row["exch_ts_ns"] = now_ns
    row["order_id"] = order_id
    row["price"] = price
    row["qty"] = qty
    row["step"] = used["step"]
    row["action"] = action
    row["side"] = side
    used["messages"] += 1


@kernel
def write_print(tape, now_ns, price, qty, venue, flags):
    """Append one print; small ones get the odd-lot flag."""
    used = tape.used[0]
    row = tape.prints[used["prints"]]
    row["exch_ts_ns"] = now_ns
    row["price"] = price
    row["qty"] = qty
    row["step"] = used["step"]
    row["venue"] = venue
    row["flags"] = flags | ODD_LOT if qty < ROUND_LOT else flags
    used["prints"] += 1


@kernel
def write_quote(tape, now_ns, bid, bid_qty, ask, ask_qty):
    """Append the touch, unless it is what was shown last."""
    last = tape.last_quote[0]
    if last["bid"] == bid and last["ask"] == ask and last["bid_qty"] == bid_qty and last["ask_qty"] == ask_qty:
        return
    last["bid"] = bid
    last["bid_qty"] = bid_qty
    last["ask"] = ask
    last["ask_qty"] = ask_qty
    used = tape.used[0]
    row = tape.quotes[used["quotes"]]
    row["exch_ts_ns"] = now_ns
    row["bid"] = bid
    row["bid_qty"] = bid_qty
    row["ask"] = ask
    row["ask_qty"] = ask_qty
    row["step"] = used["step"]
    used["quotes"] += 1
