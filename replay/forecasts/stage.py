"""A forecaster in front of the loop: the streaming feature kernel over the same blocks, stopped at the end of every minute.

What it makes is stamped `bar close + latency` and woven in afterwards, so a forecast never knows more than its bar did, and the
blocks are read once. Features depend on the market alone; live, the same stage runs beside the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from replay.bundle import bundle
from replay.desk import BOOK, Block, apply_market
from replay.forecasts.table import READY, ForecastRows, no_forecasts
from replay.jit import kernel
from strategy.features import MINUTE_NS, new_features, on_market, roll


@bundle
class Market(NamedTuple):
    """What a forecaster may look at: books, features and minute samples of all symbols."""

    book: np.ndarray
    features: np.ndarray
    minutes: np.ndarray
    params: np.ndarray  # the row of FeatureSettings


class Maker(Protocol):
    """Makes forecasts at the close of a one-minute bar."""

    def at(self, close_ns: int, market: Market) -> ForecastRows:
        """Return the forecasts of this bar close, ready at `close_ns` or later."""


class Stage:
    """Feeds blocks to the feature kernel and asks a maker at every minute of the regular session.

    Parameters
    ----------
    ticks : sequence of int
        Tick of each symbol, price units.
    feature_row : numpy.ndarray
        `as_row(FeatureSettings())`.
    maker : Maker, optional
        Without one, features are kept and nobody is asked.
    """

    def __init__(self, ticks: Sequence[int], feature_row: np.ndarray, maker: Maker | None) -> None:
        features, minutes = new_features(len(ticks))
        self.market = Market(np.zeros(len(ticks), BOOK), features, minutes, feature_row)
        self.market.book["tick"] = ticks
        self._maker = maker
        self._next_ns = 0
        self._until_ns = 0

    def start_day(self, open_ns: int, close_ns: int) -> None:
        """Set the regular session whose minutes are forecast."""
        self._next_ns = open_ns + MINUTE_NS
        self._until_ns = close_ns
        for name in ("bid", "ask", "bid_qty", "ask_qty"):
            self.market.book[name] = 0

    def feed(self, block: Block) -> ForecastRows:
        """Take in one block; return the forecasts of all bars that closed in it."""
        stamps = block.events["ts_ns"]
        pieces = []
        start = 0
        while self._next_ns < self._until_ns and len(stamps) and self._next_ns <= stamps[-1]:
            stop = int(np.searchsorted(stamps, self._next_ns))
            take_in(block.events, start, stop, self.market)
            pieces.append(self._close(self._next_ns))
            start = stop
            self._next_ns += MINUTE_NS
        take_in(block.events, start, len(stamps), self.market)
        return _join(pieces)

    def _close(self, close_ns: int) -> ForecastRows:
        roll_all(close_ns, self.market)
        return no_forecasts() if self._maker is None else self._maker.at(close_ns, self.market)


def _join(pieces: list[ForecastRows]) -> ForecastRows:
    if not pieces:
        return no_forecasts()
    ready = np.concatenate([piece.ready for piece in pieces]).astype(READY, copy=False)
    return ForecastRows(ready, np.concatenate([piece.rows for piece in pieces]), pieces[-1].models)


@kernel
def take_in(events, start, stop, market):
    """Bring books and features up to date with a stretch of events."""
    for i in range(start, stop):
        apply_market(events, i, market.book)
        on_market(events, i, market.book, market.features, market.minutes, market.params)


@kernel
def roll_all(now_ns, market):
    """Close all minutes that ended by `now_ns`, for every symbol."""
    for s in range(len(market.book)):
        roll(s, now_ns, market.book, market.features, market.minutes, market.params)
