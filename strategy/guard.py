"""The staleness guard for people: whole feeds, or one symbol from plain numbers. The rules stand in `strategy.staleness`."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from replay.desk import BOOK, CLOCK, apply_market
from replay.errors import UsageError
from replay.events import EVENT, Kind, Status
from replay.orders import Evidence
from replay.settings import as_row
from strategy.ages import UNKNOWN_AGE_NS
from strategy.border import Names, as_ns, check_time, make_settings
from strategy.decision import DECISION, LEG, Reason
from strategy.features import FeatureSettings, new_features, on_market
from strategy.liveness import count_forecast, hear, hear_status, new_guard, start_guard_day
from strategy.own_desk import evidence_named
from strategy.plain_events import Packer, PlainEvent, side_units
from strategy.staleness import StalenessSettings, drop_old, fade_forecast, judge, refuse


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
    """Answer of the guard: trade only where `may_trade`, else `reason` says why not; `is_stale` speaks of age alone."""

    reason: Reason
    is_stale: bool
    quality: float

    @property
    def may_trade(self) -> bool:
        """Tell whether nothing speaks against it: `reason` is TARGET_SET."""
        return self.reason == Reason.TARGET_SET


class StalenessGuard:
    """Judge the freshness of inputs from plain numbers; in its enhanced form unless told otherwise.

    With `see` and `check` the guard follows whole feeds, as it does in the pipeline. Who keeps times and touches himself asks
    `judge` about one symbol.

    Parameters
    ----------
    settings : StalenessSettings, optional
    symbols : sequence of str, optional
        Without any there is one, and nobody has to name it.
    evidence : str
        How the feed sees the market: `tick_by_tick`, `snapshot_250ms`, `bars`.
    **changes
        Single settings, by name, where no `settings` are given.

    Examples
    --------
    >>> guard = StalenessGuard(tick_ttl_ns=500_000_000)
    >>> quote = Quote(bid_usd=10.00, ask_usd=10.01, bid_qty=100, ask_qty=200)
    >>> guard.judge(2_000_000_000, 1_900_000_000, quote).reason.name
    'TARGET_SET'
    >>> guard.judge(2_500_000_000, 1_900_000_000, quote).reason.name
    'STALE_QUOTE'
    >>> empty = guard.judge(2_500_000_000, 2_400_000_000, quote._replace(ask_qty=0))
    >>> empty.may_trade, empty.reason.name, empty.is_stale
    (False, 'NO_QUOTE', False)

    >>> from strategy import plain_events
    >>> guard = StalenessGuard(symbols=["AAPL", "MSFT"])
    >>> guard.begin_day(open_ns=1_000_000_000)
    >>> guard.see(plain_events.quote(2_000_000_000, "AAPL", 10.00, 100, 10.01, 200))
    >>> [guard.check(2_500_000_000, symbol).reason.name for symbol in ("AAPL", "MSFT")]
    ['TARGET_SET', 'NO_QUOTE']
    """

    def __init__(
        self,
        settings: StalenessSettings | None = None,
        *,
        symbols: Sequence[str] = ("all",),
        evidence: str = "tick_by_tick",
        **changes: Any,
    ) -> None:
        self.settings = make_settings(StalenessSettings, settings, changes, mode="enhanced")
        self._names = Names(symbols)
        n = len(self._names)
        self._params, self._feature_params = as_row(self.settings), as_row(FeatureSettings())
        self._book, self._guard = np.zeros(n, BOOK), new_guard(n)
        self._book["evidence"] = evidence_named(evidence)
        self._features, self._minutes = new_features(n)
        self._legs, self._decision = np.zeros(1, LEG), np.zeros(1, DECISION)
        self._clock = np.zeros(1, CLOCK)
        self._clock["open_ns"] = -UNKNOWN_AGE_NS
        self._packer = Packer(self._names)

    def begin_day(self, open_ns: int) -> None:
        """Begin a day: what was learned stays, quotes of yesterday are forgotten, the grace starts at the open.

        Parameters
        ----------
        open_ns : int
        """
        self._clock["open_ns"] = check_time(open_ns, -(2**63), "days")
        evidence = self._book["evidence"].copy()
        self._book[:] = np.zeros(1, BOOK)
        self._book["evidence"] = evidence
        start_guard_day(self._guard)

    def see(self, event: PlainEvent) -> None:
        """Take in what the feed says.

        Parameters
        ----------
        event : plain event
            A quote, print, bar or status of `strategy.plain_events`, in the order in which they come.
        """
        if hasattr(event, "get") and event.get("kind") in ("forecast", "answer"):
            raise UsageError(f"the guard sees quote, trade, bar, status and clock; got {event['kind']} (see `answered`)")
        rows, _, _ = self._packer.pack([event])
        self._take(rows)

    def _take(self, rows: np.ndarray) -> None:
        kind = rows["kind"][0]
        if kind == Kind.STATUS:
            hear_status(rows, 0, self._guard)
        if kind in (Kind.QUOTE, Kind.TRADE, Kind.STATUS):
            apply_market(rows, 0, self._book)
        if kind in (Kind.QUOTE, Kind.TRADE, Kind.BAR):
            hear(rows, 0, self._guard)
        if kind in (Kind.QUOTE, Kind.TRADE):
            on_market(rows, 0, self._book, self._features, self._minutes, self._feature_params)

    def check(self, now_ns: int, symbol: str | None = None, forecast: Issued | None = None) -> Freshness:
        """Judge what was seen of a symbol, as a cycle of the pipeline would.

        Parameters
        ----------
        now_ns : int
            Not before the last event.
        symbol : str, optional
            Where there are several.
        forecast : Issued, optional
            Judged too, where there is one.

        Returns
        -------
        Freshness
        """
        return self._judge(self._names.symbol(symbol), check_time(now_ns, self._packer.last_ns, "checks"), forecast)

    def hear(self, ts_ns: int, symbol: str | None = None) -> None:
        """Note that data arrived: from these times the guard learns how long a symbol is usually silent.

        Parameters
        ----------
        ts_ns : int
        symbol : str, optional
            Where there are several.
        """
        event = np.zeros(1, EVENT)
        event["ts_ns"], event["symbol"] = as_ns(ts_ns), self._names.symbol(symbol)
        hear(event, 0, self._guard)

    def answered(self, *, is_failed: bool, symbol: str | None = None) -> None:
        """Note whether a forecast of the model could be used.

        Parameters
        ----------
        is_failed : bool
            It was NaN, crossed or of no horizon that there is.
        symbol : str, optional
            Where there are several.
        """
        count_forecast(self._names.symbol(symbol), int(is_failed), self._book, self._guard)

    def judge(
        self,
        now_ns: int,
        last_data_ts_ns: int,
        quote: Quote,
        forecast: Issued | None = None,
        *,
        evidence: Evidence = Evidence.TICK_BY_TICK,
        is_halted: bool = False,
        symbol: str | None = None,
    ) -> Freshness:
        """Judge a quote; features are taken for fresh: whoever computes them knows.

        Parameters
        ----------
        now_ns, last_data_ts_ns : int
            Now, and when the symbol last said anything.
        quote : Quote
        forecast : Issued, optional
            Judged too, where there is one.
        evidence : Evidence
            How the feed sees the market.
        is_halted : bool
        symbol : str, optional
            Where there are several.

        Returns
        -------
        Freshness
        """
        s = self._names.symbol(symbol)
        self._write_book(s, as_ns(last_data_ts_ns), quote)
        self._book[s]["evidence"] = evidence
        self._book[s]["status"] = Status.HALTED if is_halted else 0
        self._features[s]["minute_ns"] = as_ns(now_ns)
        return self._judge(s, as_ns(now_ns), forecast)

    def _judge(self, s: int, now_ns: int, forecast: Issued | None) -> Freshness:
        book, legs, params, decision = self._book, self._legs, self._params, self._decision
        self._clock["now_ns"] = now_ns
        legs["is_alive"] = forecast is not None
        for name, value in ({} if forecast is None else forecast._asdict()).items():
            legs[name] = value
        legs_reason = drop_old(now_ns, legs, params)
        reason = judge(s, now_ns, book, self._features, self._guard, legs, params, decision)
        if reason == 0:
            reason = refuse(s, self._clock, book, self._features, self._guard, params, decision)
        if reason == 0 and legs["is_alive"][0]:
            decision["horizon_min"] = legs["horizon_min"]
            fade_forecast(now_ns, legs, params, decision)
        row = decision[0]
        return Freshness(Reason(reason or legs_reason), bool(row["is_stale"]), float(row["quality"]))

    def _write_book(self, s: int, last_data_ts_ns: int, quote: Quote) -> None:
        bid, ask = side_units(quote.bid_usd), side_units(quote.ask_usd)
        row = self._book[s]
        row["any_ts_ns"] = last_data_ts_ns
        row["ts_ns"] = last_data_ts_ns
        self._guard[s]["last_ns"] = last_data_ts_ns
        row["bid"] = bid
        row["ask"] = ask
        row["bid_qty"] = quote.bid_qty
        row["ask_qty"] = quote.ask_qty
