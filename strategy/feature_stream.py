"""The feature kernel for people: plain numbers in, named features out."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from replay.desk import BOOK, apply_market
from replay.events import EVENT, Kind
from replay.settings import as_row
from strategy.border import Names, make_settings
from strategy.features import MODEL_FEATURE_NAMES, FeatureSettings, new_features, on_market, write_model_features


class FeatureStream:
    """Features of several symbols, fed with plain numbers.

    Parameters
    ----------
    symbols : sequence of str
    settings : FeatureSettings, optional
    tick_usd : float
        Tick of all symbols, for the floor of the volatility.
    **changes
        Single settings, by name, where no `settings` are given.

    Examples
    --------
    >>> stream = FeatureStream(["AAPL"], min_returns=1)
    >>> for minute in range(3):
    ...     stream.quote(minute * 60_000_000_000, "AAPL", 100.0 + minute, 100.02 + minute, 300, 100)
    >>> features = stream.read("AAPL", 3 * 60_000_000_000)
    >>> round(features["imbalance"], 2), round(features["vol_bps"], 1)
    (0.5, 99.5)
    """

    def __init__(
        self, symbols: Sequence[str], settings: FeatureSettings | None = None, *, tick_usd: float = 0.01, **changes: Any
    ) -> None:
        self.settings = make_settings(FeatureSettings, settings, changes)
        self._names = Names(symbols)
        self._params = as_row(self.settings)
        self._features, self._minutes = new_features(len(self._names))
        self._book = np.zeros(len(self._names), BOOK)
        self._book["tick"] = round(tick_usd * _SCALE)
        self._event = np.zeros(1, EVENT)
        self._out = np.zeros(len(MODEL_FEATURE_NAMES))

    def quote(self, ts_ns: int, symbol: str, bid_usd: float, ask_usd: float, bid_qty: int, ask_qty: int) -> None:
        """Take in a quote; size 0 = that side is empty. Times must not go back."""
        row = self._event[0]
        row["kind"] = Kind.QUOTE
        row["bid"] = round(bid_usd * _SCALE)
        row["ask"] = round(ask_usd * _SCALE)
        row["bid_qty"] = bid_qty
        row["ask_qty"] = ask_qty
        self._take(ts_ns, symbol)

    def trade(self, ts_ns: int, symbol: str, price_usd: float, qty: int) -> None:
        """Take in a print."""
        row = self._event[0]
        row["kind"] = Kind.TRADE
        row["price"] = round(price_usd * _SCALE)
        row["qty"] = qty
        self._take(ts_ns, symbol)

    def read(self, symbol: str, now_ns: int) -> dict[str, float]:
        """Return all features of a symbol at `now_ns`, by name; NaN = unknown."""
        s = self._names.symbol(symbol)
        write_model_features(s, now_ns, self._book, self._features, self._minutes, self._params, self._out)
        return dict(zip(MODEL_FEATURE_NAMES, self._out.tolist(), strict=True))

    def _take(self, ts_ns: int, symbol: str) -> None:
        self._event[0]["ts_ns"] = ts_ns
        self._event[0]["symbol"] = self._names.symbol(symbol)
        apply_market(self._event, 0, self._book)
        on_market(self._event, 0, self._book, self._features, self._minutes, self._params)


_SCALE = 10_000
