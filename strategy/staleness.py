"""Staleness guard: are the inputs of this decision fresh?

Feeds send changes only, so an unchanged quote is not stale: what is judged is the liveness of its stream. An input is beyond
its TTL when::

    quote      now - last data of any kind     > 1 s tick-by-tick, 3 s snapshots (by the symbol's evidence)
    bar        forecast ready - its bar close  > 90 s       (the model worked on an old bar)
    forecast   now - forecast ready            > 2 x horizon
    features   now - last closed minute        > 120 s

The *original* form refuses nothing for age. It marks the decision `is_stale` and goes on; only a quote that nobody can use
stops the symbol: NO_QUOTE (a side is empty), QUOTE_CROSSED, HALTED. `quality` is 1. A stream in a gap, an auction or after a
disconnection is stale whatever its age. `off` looks at nothing.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from replay.desk import BOOK
from replay.events import Status
from replay.jit import kernel
from replay.orders import Evidence
from replay.settings import as_row, setting
from strategy.decision import DECISION, LEG, Reason
from strategy.features import FEATURES, MINUTE_NS
from strategy.modes import OFF, mode_setting

UNKNOWN_AGE_NS = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class StalenessSettings:
    """The staleness guard: in its original form it marks decisions on old data and refuses none; the TTLs say what is old."""

    mode: str = mode_setting()
    tick_ttl_ns: int = setting(1_000_000_000, "silence after which a tick-by-tick stream is stale", unit="ns", gt=0)
    snapshot_ttl_ns: int = setting(3_000_000_000, "silence after which a snapshot or historical stream is stale", unit="ns", gt=0)
    bar_ttl_ns: int = setting(90_000_000_000, "age of the bar behind a forecast, and of a bars-only stream", unit="ns", gt=0)
    feature_ttl_ns: int = setting(120_000_000_000, "age of the last closed minute", unit="ns", gt=0)
    forecast_ttl_horizons: float = setting(2.0, "age of a forecast in units of its horizon", gt=0)


@kernel
def judge(s, now_ns, book, features, legs, n, params, decision):
    """Judge the inputs of one symbol; write is_stale, quality, ages, mid2 and spread; return 0 or why the quote is unusable."""
    row = decision[0]
    row["quality"] = 1.0
    row["is_stale"] = 0
    row["mid2"] = book[s]["bid"] + book[s]["ask"]
    row["spread"] = book[s]["ask"] - book[s]["bid"]
    row["quote_age_ns"] = age_ns(now_ns, book[s]["ts_ns"])
    row["forecast_age_ns"] = _oldest_forecast_ns(now_ns, legs, n)
    if params[0]["mode"] == OFF:
        return 0
    if _is_stream_stale(s, now_ns, book, params) or _is_feature_stale(s, now_ns, features, params):
        row["is_stale"] = 1
    for k in range(n):
        if legs[k]["is_alive"] and is_forecast_stale(k, now_ns, legs, params):
            row["is_stale"] = 1
    return quote_reason(s, book)


@kernel
def quote_reason(s, book):
    """Return 0 for a usable quote, else HALTED, NO_QUOTE or QUOTE_CROSSED."""
    row = book[s]
    if row["status"] == Status.HALTED:
        return Reason.HALTED
    if row["bid_qty"] <= 0 or row["ask_qty"] <= 0 or row["bid"] <= 0 or row["ask"] <= 0:
        return Reason.NO_QUOTE
    if row["bid"] > row["ask"]:
        return Reason.QUOTE_CROSSED
    return 0


@kernel
def age_ns(now_ns, ts_ns):
    """Return the age of a stamp; UNKNOWN_AGE_NS where it is 0, that is never."""
    if ts_ns == 0:
        return UNKNOWN_AGE_NS
    return now_ns - ts_ns


@kernel
def _oldest_forecast_ns(now_ns, legs, n):
    oldest_ns = -1
    for k in range(n):
        if legs[k]["is_alive"]:
            oldest_ns = max(oldest_ns, now_ns - legs[k]["ready_ts_ns"])
    if oldest_ns < 0:
        return UNKNOWN_AGE_NS
    return oldest_ns


@kernel
def quote_ttl_ns(evidence, params):
    """Return how long a stream of this evidence may be silent."""
    if evidence == Evidence.TICK_BY_TICK or evidence == Evidence.MESSAGE_LEVEL:
        return params[0]["tick_ttl_ns"]
    if evidence == Evidence.BARS:
        return params[0]["bar_ttl_ns"]
    return params[0]["snapshot_ttl_ns"]


@kernel
def _is_stream_stale(s, now_ns, book, params):
    row = book[s]
    return row["status"] != 0 or age_ns(now_ns, row["any_ts_ns"]) > quote_ttl_ns(row["evidence"], params)


@kernel
def _is_feature_stale(s, now_ns, features, params):
    minute_ns = features[s]["minute_ns"]
    return minute_ns == 0 or now_ns - (minute_ns - MINUTE_NS) > params[0]["feature_ttl_ns"]


@kernel
def is_forecast_stale(k, now_ns, legs, params):
    """Tell whether a leg's forecast, or the bar behind it, is beyond its TTL."""
    leg = legs[k]
    ttl_ns = math.floor(params[0]["forecast_ttl_horizons"] * leg["horizon_min"] * MINUTE_NS)
    is_bar_old = leg["ready_ts_ns"] - leg["bar_close_ts_ns"] > params[0]["bar_ttl_ns"]
    return is_bar_old or now_ns - leg["ready_ts_ns"] > ttl_ns


class Quote(NamedTuple):
    """Best bid and offer; size 0 = that side is empty."""

    bid_usd: float
    ask_usd: float
    bid_qty: int
    ask_qty: int


class Issued(NamedTuple):
    """When a forecast was ready, and for which horizon from which bar."""

    horizon_min: int
    ready_ts_ns: int
    bar_close_ts_ns: int


class Freshness(NamedTuple):
    """Answer of the guard; `reason` TARGET_SET (0) = go on."""

    reason: Reason
    is_stale: bool
    quality: float


class StalenessGuard:
    """Judge the freshness of one symbol's inputs from plain numbers.

    Parameters
    ----------
    settings : StalenessSettings, optional
    **changes
        Single settings, by name, where no `settings` are given.

    Examples
    --------
    >>> guard = StalenessGuard(tick_ttl_ns=500_000_000)
    >>> quote = Quote(bid_usd=10.00, ask_usd=10.01, bid_qty=100, ask_qty=200)
    >>> guard.judge(2_000_000_000, 1_900_000_000, quote).is_stale
    False
    >>> guard.judge(2_500_000_000, 1_900_000_000, quote).is_stale
    True
    >>> guard.judge(2_500_000_000, 2_400_000_000, quote._replace(ask_qty=0)).reason.name
    'NO_QUOTE'
    """

    def __init__(self, settings: StalenessSettings | None = None, **changes: Any) -> None:
        self.settings = settings or StalenessSettings(**changes)
        self._params = as_row(self.settings)
        self._book = np.zeros(1, BOOK)
        self._features = np.zeros(1, FEATURES)
        self._legs = np.zeros(1, LEG)
        self._decision = np.zeros(1, DECISION)

    def judge(
        self,
        now_ns: int,
        last_data_ts_ns: int,
        quote: Quote,
        forecast: Issued | None = None,
        *,
        evidence: Evidence = Evidence.TICK_BY_TICK,
        is_halted: bool = False,
    ) -> Freshness:
        """Judge a quote whose stream last said anything at `last_data_ts_ns`, and a forecast where there is one."""
        self._write_book(last_data_ts_ns, quote)
        self._book["evidence"] = evidence
        self._book["status"] = Status.HALTED if is_halted else 0
        self._features["minute_ns"] = now_ns
        self._legs["is_alive"] = forecast is not None
        if forecast is not None:
            for name, value in forecast._asdict().items():
                self._legs[name] = value
        reason = judge(0, now_ns, self._book, self._features, self._legs, 1, self._params, self._decision)
        row = self._decision[0]
        return Freshness(Reason(reason), bool(row["is_stale"]), float(row["quality"]))

    def _write_book(self, last_data_ts_ns: int, quote: Quote) -> None:
        self._book["any_ts_ns"] = last_data_ts_ns
        self._book["ts_ns"] = last_data_ts_ns
        self._book["bid"] = round(quote.bid_usd * _SCALE) if math.isfinite(quote.bid_usd) else 0
        self._book["ask"] = round(quote.ask_usd * _SCALE) if math.isfinite(quote.ask_usd) else 0
        self._book["bid_qty"] = quote.bid_qty
        self._book["ask_qty"] = quote.ask_qty


_SCALE = 10_000
