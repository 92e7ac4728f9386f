"""The feature kernel for people: plain numbers in, named features out."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from replay.desk import BOOK, apply_market
from replay.errors import ConfigError
from replay.events import EVENT, Kind
from replay.settings import as_row
from strategy.border import Names, check_counts, check_time, make_settings
from strategy.features import MODEL_FEATURE_NAMES, FeatureSettings, new_features, on_market, write_model_features
from strategy.own_desk import SCALE
from strategy.plain_events import side_units, units


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
    ...     stream.quote(minute * 60_000_000_000, "AAPL", 100.0 + minute, 100.02 + minute, bid_qty=300, ask_qty=100)
    >>> features = stream.read("AAPL", 3 * 60_000_000_000)
    >>> round(features["imbalance"], 2), round(features["vol_bps"], 1)
    (0.5, 99.5)
    """

    def __init__(
        self, symbols: Sequence[str], settings: FeatureSettings | None = None, *, tick_usd: float = 0.01, **changes: Any
    ) -> None:
        self.settings = make_settings(FeatureSettings, settings, changes)
        if not 1 / SCALE <= tick_usd < math.inf:
            raise ConfigError(f"tick_usd must be at least {1 / SCALE} USD, got {tick_usd}")
        self._names = Names(symbols)
        self._last_ns = -(2**63)
        self._params = as_row(self.settings)
        self._features, self._minutes = new_features(len(self._names))
        self._book = np.zeros(len(self._names), BOOK)
        self._book["tick"] = round(tick_usd * SCALE)
        self._event = np.zeros(1, EVENT)
        self._out = np.zeros(len(MODEL_FEATURE_NAMES))

    def quote(self, ts_ns: int, symbol: str, bid_usd: float, ask_usd: float, *, bid_qty: int, ask_qty: int) -> None:
        """Take in a quote.

        Parameters
        ----------
        ts_ns : int
            Must not go back.
        symbol : str
        bid_usd, ask_usd : float
            A side whose price is not above 0 is empty.
        bid_qty, ask_qty : int
            Shares; 0 = that side is empty.
        """
        check_counts(bid_qty=bid_qty, ask_qty=ask_qty)
        sides = {"bid": (side_units(bid_usd), bid_qty), "ask": (side_units(ask_usd), ask_qty)}
        row = self._begin(ts_ns, symbol, Kind.QUOTE)
        for side, (price, qty) in sides.items():
            row[side], row[f"{side}_qty"] = (price, qty) if price > 0 and qty > 0 else (0, 0)
        self._take()

    def trade(self, ts_ns: int, symbol: str, price_usd: float, qty: int) -> None:
        """Take in a print.

        Parameters
        ----------
        ts_ns : int
            Must not go back.
        symbol : str
        price_usd : float
        qty : int
            Shares.
        """
        check_counts(qty=qty)
        price = units(price_usd)
        row = self._begin(ts_ns, symbol, Kind.TRADE)
        row["price"], row["qty"] = price, qty
        self._take()

    def read(self, symbol: str, now_ns: int) -> dict[str, float]:
        """Return all features of a symbol, by name; NaN = unknown.

        Parameters
        ----------
        symbol : str
        now_ns : int
            Not before the last event.
        """
        s = self._names.symbol(symbol)
        now_ns = check_time(now_ns, self._last_ns, "questions about features")
        write_model_features(s, now_ns, self._book, self._features, self._minutes, self._params, self._out)
        return dict(zip(MODEL_FEATURE_NAMES, self._out.tolist(), strict=True))

    def _begin(self, ts_ns: int, symbol: str, kind: Kind) -> Any:
        s = self._names.symbol(symbol)
        self._last_ns = check_time(ts_ns, self._last_ns, "events of a feature stream")
        self._event[:] = np.zeros(1, EVENT)
        row = self._event[0]
        row["ts_ns"], row["symbol"], row["kind"] = self._last_ns, s, kind
        return row

    def _take(self) -> None:
        apply_market(self._event, 0, self._book)
        on_market(self._event, 0, self._book, self._features, self._minutes, self._params)
