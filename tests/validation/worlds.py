"""Small markets of single orders: messages, the quotes and prints that level 1 shows of them, and sessions made of both."""

from typing import Any

import pandas as pd

from replay import Session
from replay.events import Flag

START_NS = pd.Timestamp("2026-03-02 15:00", tz="UTC").value
TICK = 100
SECOND_NS = 1_000_000_000
MS_NS = 1_000_000
SYMBOL = "ALFA"


def message(ms: float, action: str, order_id: int, side: int, price: int, qty: int) -> dict[str, Any]:
    """Return one message; prices are ticks, times milliseconds after the start."""
    ts_ns = START_NS + int(ms * MS_NS)
    return {"ts_ns": ts_ns, "action": action, "id": order_id, "side": side, "price": price * TICK, "qty": qty, "exch": ts_ns}


def opening(bid: int = 100, ask: int = 102, qty: int = 300) -> list[dict[str, Any]]:
    """Return a book of two levels on each side, there from the first moment on."""
    levels = [(1, bid), (1, bid - 1), (-1, ask), (-1, ask + 1)]
    return [message(0, "add", 9000 + k, side, price, qty) for k, (side, price) in enumerate(levels)]


def packet(ms: float, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    """Return messages that the feed sent as one: one time stamp, exchange times of their own."""
    ts_ns = START_NS + int(ms * MS_NS)
    return [row | {"ts_ns": ts_ns, "exch": ts_ns - 1000 + k} for k, row in enumerate(rows)]


def frames(messages: list[dict[str, Any]], hidden_id: int | None = None) -> dict[str, pd.DataFrame]:
    """Return what level 1 shows of the messages: a quote per exchange time at which the touch changed, a print per execution.

    With `hidden_id` the quotes are those of a market without that order; its executions are printed all the same.
    """
    book: dict[int, dict[str, Any]] = {}
    quotes: list[dict[str, Any]] = []
    prints: list[dict[str, Any]] = []
    for k, row in enumerate(messages):
        if row["action"] == "execute":
            flags = int(Flag.SELL if row["side"] > 0 else Flag.BUY)
            fill = {"ts_ns": row["ts_ns"], "exch_ts_ns": row["exch"], "price": row["price"], "size": row["qty"]}
            prints.append(fill | {"flags": flags, "order": k})
        _apply(book, row)
        if k + 1 == len(messages) or messages[k + 1]["exch"] != row["exch"]:
            shown = {order_id: order for order_id, order in book.items() if order_id != hidden_id}
            touch = {**_side(shown, 1, "bid"), **_side(shown, -1, "ask")}
            if not quotes or touch != {name: quotes[-1][name] for name in touch}:
                quotes.append({"ts_ns": row["ts_ns"], "exch_ts_ns": row["exch"], "order": k, **touch})
    return {"quotes": pd.DataFrame(quotes), "trades": pd.DataFrame(prints)}


def _apply(book: dict[int, dict[str, Any]], row: dict[str, Any]) -> None:
    if row["action"] == "add":
        book[row["id"]] = dict(row)
    elif row["id"] in book:
        book[row["id"]]["qty"] -= row["qty"]
        if book[row["id"]]["qty"] <= 0:
            del book[row["id"]]


def _side(book: dict[int, dict[str, Any]], side: int, name: str) -> dict[str, int]:
    prices = [order["price"] for order in book.values() if order["side"] == side]
    if not prices:
        return {name: 0, f"{name}_size": 0}
    best = max(prices) if side > 0 else min(prices)
    size = sum(order["qty"] for order in book.values() if (order["side"], order["price"]) == (side, best))
    return {name: best, f"{name}_size": size}


def session(messages: list[dict[str, Any]], hidden_id: int | None = None, venue: str = "N") -> Session:
    """Return a session of the messages and of what level 1 shows of them; without a `venue` its prints name none."""
    level1 = {name: frame for name, frame in frames(messages, hidden_id).items() if len(frame)}
    if "trades" in level1:
        level1["trades"] = level1["trades"].assign(exchange=venue)
    table = pd.DataFrame(messages).rename(columns={"id": "order_id", "qty": "size", "exch": "exch_ts_ns"})
    given = {name: _dollars(frame.assign(symbol=SYMBOL)) for name, frame in {**level1, "messages": table}.items()}
    return Session.from_frames(**given, symbols={SYMBOL: {"tick": TICK / 10_000, "evidence": "message_level"}})


def _dollars(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{name: frame[name] / 10_000 for name in ("bid", "ask", "price") if name in frame.columns})
