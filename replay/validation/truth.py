"""Take the real orders at the touch out of a session's messages, with their fate.

Other parts of the house build on it: `replay fit fills` learns from the same orders that `replay validate fills` scores.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from replay.errors import DataError
from replay.validation.book import FOLLOW_CTL, REAL, REAL_FILL, SECOND_NS, Fate, Followed, Kind, follow

if TYPE_CHECKING:
    from replay.session import Session

SCORED_FATES = (Fate.FILLED, Fate.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """The real orders at the touch of one symbol.

    Parameters
    ----------
    symbol : str
        Its name.
    orders : numpy array of REAL
        Orders that joined or improved the touch inside the window, by arrival; `track` numbers them.
    fills : numpy array of REAL_FILL
        All their executions, in time order.
    arrivals : dict of str to int
        All arrivals of the whole stream by kind: join, improve, behind, crossing, alone, snapshot.
    """

    symbol: str
    orders: np.ndarray
    fills: np.ndarray
    arrivals: dict[str, int]

    @property
    def scored(self) -> np.ndarray:
        """The orders whose fate can be scored: wholly filled, or cancelled without a fill."""
        return self.orders[np.isin(self.orders["fate"], SCORED_FATES)]

    @property
    def excluded(self) -> dict[str, int]:
        """Count what is left out, by reason."""
        named = {fate.name.lower(): int((self.orders["fate"] == fate).sum()) for fate in Fate if fate not in SCORED_FATES}
        others = {name: n for name, n in self.arrivals.items() if name not in ("join", "improve")}
        return named | others


def real_orders(session: Session, symbol: str, *, start_ns: int | None = None, end_ns: int | None = None) -> Truth:
    """Return the real orders of a symbol that arrived at the touch in `start_ns <= arrival < end_ns`.

    The whole stream is read, block by block, because an order of the window may end after it and the book was built before it;
    memory holds the book, one block, and the orders at the touch.

    Parameters
    ----------
    session : Session
        A session with messages.
    symbol : str
        One of its symbols.
    start_ns, end_ns : int, optional
        The window of arrivals, on the session's receive clock.

    Raises
    ------
    DataError
        If the session holds no messages of the symbol.

    Examples
    --------
    >>> import pandas as pd
    >>> add = {"symbol": "A", "action": "add", "side": 1, "size": 100}
    >>> rows = [add | {"order_id": 1, "price": 9.99}, add | {"order_id": 2, "price": 10.01, "side": -1}]
    >>> rows += [add | {"order_id": 3, "price": 9.99}, add | {"order_id": 3, "price": 9.99, "action": "execute"}]
    >>> from replay import Session
    >>> messages = pd.DataFrame(rows).assign(ts_ns=[10**18, 10**18, 10**18 + 5, 10**18 + 9])
    >>> orders = real_orders(Session.from_frames(messages=messages), "A").orders
    >>> orders["ahead_qty"].tolist(), (orders["end_ns"] - orders["arrival_ns"]).tolist()
    ([100], [4])
    """
    prices, first_ns = _survey(session, symbol)
    counts = np.zeros(len(Kind), np.int64)
    ctl = np.zeros(1, FOLLOW_CTL)
    ctl["first_ns"] = first_ns
    ended: list[np.ndarray] = []
    fills: list[np.ndarray] = []
    for orders, executions in _follow(session.message_blocks(symbol), prices, counts, ctl):
        ended.append(_within(orders, start_ns, end_ns))
        fills.append(executions)
    orders = np.concatenate(ended)
    orders = orders[np.argsort(orders["track"])]
    executions = np.concatenate(fills)
    executions = executions[np.isin(executions["track"], orders["track"])]
    arrivals = {kind.name.lower(): int(counts[kind]) for kind in Kind}
    return Truth(symbol=symbol, orders=orders, fills=executions, arrivals=arrivals)


def _survey(session: Session, symbol: str) -> tuple[np.ndarray, int]:
    """Return all prices of the messages and the first time stamp."""
    prices, first_ns = np.zeros(0, np.int64), -1
    for block in session.message_blocks(symbol):
        first_ns = first_ns if first_ns >= 0 else int(block["ts_ns"][0])
        prices = np.union1d(prices, block["price"])
    if first_ns < 0:
        raise DataError(
            f"the session of {session.day} holds no messages of '{symbol}': the fate of real orders is on record only in "
            "message-level data (`replay import lobster`, `replay import databento`, `replay synth`)"
        )
    return prices, first_ns


def _follow(
    blocks: Iterator[np.ndarray], prices: np.ndarray, counts: np.ndarray, ctl: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the orders that ended and the fills of each block; at the end the orders that are still open."""
    depth, best = np.zeros((2, len(prices)), np.int64), np.array([-1, len(prices)], np.int64)
    ids, live = np.zeros(0, np.int64), np.zeros(0, REAL)
    for block in blocks:
        known = np.union1d(ids, block["order_id"])
        orders = np.zeros(len(known), REAL)
        orders["track"] = -1
        orders[np.searchsorted(known, ids)] = live
        ended, fills = np.zeros(len(live) + len(block), REAL), np.zeros(len(block), REAL_FILL)
        ctl["n_ended"] = ctl["n_fills"] = 0
        book = Followed(orders, prices, depth, best, ended, fills, counts, ctl)
        follow(block, np.searchsorted(known, block["order_id"]), np.searchsorted(prices, block["price"]), book)
        yield ended[: ctl["n_ended"][0]], fills[: ctl["n_fills"][0]]
        is_live = orders["leaves_qty"] > 0
        ids, live = known[is_live], orders[is_live]
    yield live[live["track"] >= 0], np.zeros(0, REAL_FILL)


def _within(orders: np.ndarray, start_ns: int | None, end_ns: int | None) -> np.ndarray:
    arrival_ns = orders["arrival_ns"]
    is_in = (arrival_ns >= (start_ns or 0)) & (arrival_ns < (2**63 - 1 if end_ns is None else end_ns))
    kept: np.ndarray = orders[is_in]
    return kept


def seconds(ns: np.ndarray) -> np.ndarray:
    """Return nanoseconds as seconds."""
    return np.asarray(ns, np.float64) / SECOND_NS
