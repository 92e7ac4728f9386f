"""From a played book to frames: the shared second half of LOBSTER and Databento MBO.

The `order` column is twice the row of the source, plus one for quotes: the quote that a message makes comes after its print.
Messages that changed nothing, or that refer to orders older than the file, are left out and counted, so that the stream of
messages is complete in itself: every reduction refers to an order that was added.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from replay.importers.book import Deed, Rebuilt

ACTIONS = {
    Deed.ADD: "add",
    Deed.REDUCE: "reduce",
    Deed.DELETE: "delete",
    Deed.EXECUTE: "execute",
    Deed.MODIFY: "modify",
    Deed.CLEAR: "clear",
}
HIDDEN_ACTION = "execute_hidden"


def touch_frame(
    rebuilt: Rebuilt, ts_ns: np.ndarray, exch_ts_ns: np.ndarray, source_rows: np.ndarray, symbol: str
) -> pd.DataFrame:
    """Return the quotes frame of a rebuilt book.

    Parameters
    ----------
    rebuilt : Rebuilt
        What `rebuild_book` gave for the messages of one symbol.
    ts_ns, exch_ts_ns, source_rows : int64 array
        Times and row in the source, one per message.
    symbol : str
        The symbol.
    """
    touches = rebuilt.touches
    rows = touches["row"]
    return pd.DataFrame(
        {
            "ts_ns": ts_ns[rows],
            "exch_ts_ns": exch_ts_ns[rows],
            "symbol": symbol,
            "bid": touches["bid"],
            "bid_size": touches["bid_qty"],
            "ask": touches["ask"],
            "ask_size": touches["ask_qty"],
            "order": source_rows[rows] * 2 + 1,
        }
    )


def message_frame(rebuilt: Rebuilt, messages: pd.DataFrame) -> pd.DataFrame:
    """Return the messages that changed the book, with what they did.

    Parameters
    ----------
    rebuilt : Rebuilt
        What `rebuild_book` gave.
    messages : DataFrame
        `ts_ns, exch_ts_ns, symbol, order_id, side, price, order`, one row per message; a row whose `is_hidden` is set is kept as
        it stands, with its own `size`.
    """
    deeds = rebuilt.effects["deed"]
    action = np.full(len(deeds), "", dtype=object)
    for deed, word in ACTIONS.items():
        action[deeds == deed] = word
    is_hidden = messages["is_hidden"].to_numpy()
    action[is_hidden] = HIDDEN_ACTION
    frame = messages.drop(columns=["is_hidden"])
    frame["action"] = pd.Series(action, dtype="str")
    frame["size"] = np.where(is_hidden, messages["size"].to_numpy(), rebuilt.effects["qty"])
    return frame[frame["action"] != ""].reset_index(drop=True)


def rebuild_notes(rebuilt: Rebuilt) -> dict[str, int]:
    """Count what the rebuild could not place."""
    effects = rebuilt.effects
    return {
        "messages": len(effects),
        "unknown_orders": int((effects["deed"] == Deed.UNKNOWN).sum()),
        "excess_shares": int(effects["excess_qty"].sum()),
    }
