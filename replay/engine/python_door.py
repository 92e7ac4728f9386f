"""The second door: a plain Python strategy, any object with `on_wake(view, wake)`, `state()` and `restore(state)`.

A small kernel watches the stream inside the loop and wakes the object only when its `watch` or its timer asks for it. Slow beside
a kernel and honest: what it is woken by, and what it asks for, goes through the same desk, latency and exchange.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from replay.bundle import bundle
from replay.desk import NEVER, WAKE_TIMER, Block, Desk, find_order, send_cancel, send_modify, send_order
from replay.engine.loop import WAKE_ON_ANSWER, WAKE_ON_TIMER
from replay.errors import UsageError
from replay.events import Kind
from replay.jit import kernel
from replay.orders import OrderType, Side, Tif
from replay.own_code import blame
from strategy.features import MODEL_FEATURE_NAMES, new_features, on_market, write_model_features

WATCH = np.dtype([("quotes", "i8"), ("trades", "i8"), ("bars", "i8"), ("forecasts", "i8"), ("status", "i8"), ("orders", "i8")])
TOUCH_SEEN = np.dtype([("bid", "i8"), ("ask", "i8")])
ANY_QUOTE = 1
TOUCH_PRICE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What wakes a Python strategy.

    Parameters
    ----------
    quotes : {"any", "touch", ""}
        Every quote, only those that change a touch price, or none.
    trades, bars, forecasts, status, own_orders : bool
        Whether these events wake.
    symbols : sequence of str, optional
        Only these; default all.
    """

    quotes: str = "touch"
    trades: bool = False
    bars: bool = False
    forecasts: bool = True
    status: bool = True
    own_orders: bool = True
    symbols: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """What a Python strategy asks for.

    Parameters
    ----------
    symbol : str
    side : {"BUY", "SELL"}
        Of a new order.
    qty : int
        Shares of a new or modified order.
    limit_price : float, optional
        Dollars; None is a market order, and for a pegged order no cap.
    type : {"LIMIT", "PEG_MID", "MIDPRICE"}
        Pegged orders follow the mid, `limit_price` is their cap.
    tif : {"DAY", "IOC", "FOK", "GTD"}
    expire_ts_ns : int
        For GTD.
    cancel, modify : int
        Id of the own order to cancel or to modify; 0 for a new order.
    """

    symbol: str
    side: str = "BUY"
    qty: int = 0
    limit_price: float | None = None
    tif: str = "DAY"
    expire_ts_ns: int = 0
    cancel: int = 0
    modify: int = 0
    type: str = "LIMIT"


class PythonStrategy(Protocol):
    """The contract of a plain Python strategy.

    It may also have `watch` (a `Watch`) and `next_timer_ns`: the time at which it wants to be woken next, read after every wake;
    None or a time that has passed means no timer.
    """

    def on_wake(self, view: View, wake: Wake) -> Iterable[OrderRequest] | None:
        """Answer a wake with requests; they leave after the compute latency."""

    def state(self) -> Any:
        """Return everything that the next decision depends on (anything that `json` can write)."""

    def restore(self, state: Any) -> None:
        """Become what `state()` described."""


class Wake:
    """Why the strategy was woken; one object, reused: read it during the call.

    Attributes
    ----------
    reason : str
        `day` (a session begins), `timer`, `quote`, `trade`, `bar`, `forecast`, `status` or `order`.
    symbol : str
        Whose event; empty for `day` and `timer`.
    event : numpy.void
        The row that woke (see `replay.events`); None for `day` and `timer`.
    table : numpy.ndarray
        The bars or forecasts that `event["row"]` points into.
    """

    __slots__ = ("_events", "_i", "reason", "symbol", "table")

    def __init__(self) -> None:
        self.reason = ""
        self.symbol = ""
        self.table: Any = None
        self._events: Any = None
        self._i = 0

    @property
    def event(self) -> Any:
        """The row that woke; made when asked for, because most strategies never look."""
        return None if self._events is None else self._events[self._i]


class View:
    """What a Python strategy may read: touch, positions, open orders, features and the clock."""

    __slots__ = ("_desk", "_index", "_now", "_out", "_per_dollar", "_scale", "_state", "_touch", "now_ns", "symbols")

    def __init__(self, desk: Desk, state: WatchState, symbols: Sequence[str]) -> None:
        self._desk = desk
        self._state = state
        self._out = np.zeros(len(MODEL_FEATURE_NAMES))
        self._index = {name: k for k, name in enumerate(symbols)}
        self._touch = tuple(desk.book[name] for name in ("bid", "ask", "bid_qty", "ask_qty"))  # a row costs ten times as much
        self._now, self._per_dollar = desk.clock["now_ns"], desk.clock["scale"]
        self._scale = 0.0
        self.symbols = tuple(symbols)
        self.now_ns = 0

    def touch(self, symbol: str) -> tuple[float, float, int, int]:
        """Return bid, ask in dollars and bid size, ask size in shares; an empty side is (0.0, 0)."""
        k, scale = self._index[symbol], self._scale
        bid, ask, bid_qty, ask_qty = self._touch
        return bid.item(k) / scale, ask.item(k) / scale, bid_qty.item(k), ask_qty.item(k)

    def position(self, symbol: str) -> int:
        """Return the signed shares held."""
        return int(self._desk.positions[self._index[symbol]]["qty"])

    def open_orders(self, symbol: str) -> np.ndarray:
        """Return a copy of the own live orders of a symbol (dtype `replay.desk.DESK_ORDER`)."""
        k = self._index[symbol]
        return self._desk.orders[k, : self._desk.n_orders[k]].copy()

    def features(self, symbol: str) -> dict[str, float]:
        """Return the market's features of a symbol by name (see `strategy.features`); NaN = unknown."""
        state, k = self._state, self._index[symbol]
        write_model_features(k, self.now_ns, self._desk.book, state.features, state.minutes, state.params, self._out)
        return dict(zip(MODEL_FEATURE_NAMES, self._out.tolist(), strict=True))

    def hours(self) -> tuple[int, int]:
        """Return open and close of the day's regular session, ns."""
        clock = self._desk.clock[0]
        return int(clock["open_ns"]), int(clock["close_ns"])

    def _set_clock(self) -> None:
        self.now_ns = self._now.item()
        self._scale = float(self._per_dollar.item())


@bundle
class WatchState(NamedTuple):
    """State of the watcher behind a Python strategy."""

    watch: np.ndarray  # WATCH, one row
    is_watched: np.ndarray  # int64 (n_symbols,)
    seen: np.ndarray  # TOUCH_SEEN (n_symbols,)
    features: np.ndarray
    minutes: np.ndarray
    params: np.ndarray  # the row of FeatureSettings


@kernel
def watch_events(wake, i, block, desk, state):
    """Set `clock['wake']` when an event is one that the Python strategy watches; keep the features up to date."""
    clock = desk.clock[0]
    if wake == WAKE_TIMER:
        clock["wake"] = 1
        return
    event = block.events[i]
    kind = event["kind"]
    watch = state.watch[0]
    if kind == Kind.QUOTE or kind == Kind.TRADE:
        on_market(block.events, i, desk.book, state.features, state.minutes, state.params)
        if state.is_watched[event["symbol"]] != 0:
            clock["wake"] = _watched_quote(event, state) if kind == Kind.QUOTE else watch["trades"]
    elif kind >= Kind.ACK:
        clock["wake"] = watch["orders"]
    elif kind == Kind.STATUS:
        clock["wake"] = watch["status"]
    elif kind != Kind.CLOCK and state.is_watched[event["symbol"]] != 0:
        clock["wake"] = watch["bars"] if kind == Kind.BAR else watch["forecasts"]
    clock["is_busy"] |= clock["wake"]


@kernel
def _watched_quote(event, state):
    mode = state.watch[0]["quotes"]
    if mode != TOUCH_PRICE:
        return mode
    seen = state.seen[event["symbol"]]
    if seen["bid"] == event["bid"] and seen["ask"] == event["ask"]:
        return 0
    seen["bid"] = event["bid"]
    seen["ask"] = event["ask"]
    return mode


class PythonDoor:
    """Carries wakes from the loop to a Python strategy and its requests back to the desk."""

    def __init__(self, strategy: PythonStrategy, symbols: Sequence[str], desk: Desk, state: WatchState) -> None:
        self._strategy = strategy
        self._symbols = tuple(symbols)
        self._index = {name: k for k, name in enumerate(symbols)}
        self._desk = desk
        self._view = View(desk, state, symbols)
        self._wake = Wake()
        self._next_timer, self._asks = desk.clock["next_timer_ns"], desk.clock["wake"]
        self._events = self._kinds = self._whose = np.zeros(0, np.int64)

    def state(self) -> Any:
        """Return the strategy's own state."""
        return self._strategy.state()

    def restore(self, state: Any) -> None:
        """Hand the strategy a state it returned earlier."""
        self._strategy.restore(state)

    def set_timer(self) -> None:
        """Bring the loop's timer in line with the strategy's `next_timer_ns`."""
        timer_ns = getattr(self._strategy, "next_timer_ns", None)
        self._next_timer[0] = NEVER if timer_ns is None or timer_ns <= self._desk.clock["now_ns"][0] else timer_ns

    def begin_day(self) -> None:
        """Wake the strategy at the start of a session, before its first event."""
        self._call("day")

    def wake(self, code: int, i: int, block: Block, answers: np.ndarray) -> None:
        """Wake the strategy for a timer, an event of the block or an answer; put what it asks for into the outbox."""
        if code == WAKE_ON_TIMER:
            self._call("timer")
        elif code == WAKE_ON_ANSWER:
            self._show(answers, i, block)
        else:
            self._show(block.events, i, block)

    def _call(self, reason: str) -> None:
        wake = self._wake
        wake.reason, wake.symbol, wake._events, wake.table = reason, "", None, None
        self._ask()

    def _ask(self) -> None:
        self._asks[0] = 0
        view, wake = self._view, self._wake
        view._set_clock()
        try:
            for request in self._strategy.on_wake(view, wake) or ():
                self._send(request)
        except Exception as error:  # noqa: BLE001 (raised again, with the line of the user's code)
            blame(error, f"{type(self._strategy).__name__} failed in on_wake")
        self.set_timer()

    def _show(self, events: np.ndarray, i: int, block: Block) -> None:
        if events is not self._events:
            self._events, self._kinds, self._whose = events, events["kind"], events["symbol"]
        wake, kind, symbol = self._wake, self._kinds.item(i), self._whose.item(i)
        wake.reason = _REASONS.get(kind, "order")
        wake.symbol = self._symbols[symbol] if symbol >= 0 else ""
        wake._events, wake._i = events, i
        wake.table = block.bars if kind == _BAR else block.forecasts if kind == _FORECAST else None
        self._ask()

    def _send(self, request: OrderRequest) -> None:
        symbol = self._index.get(request.symbol)
        if symbol is None:
            raise UsageError(f"strategy asked for unknown symbol '{request.symbol}'; this run has {', '.join(self._symbols)}")
        if request.cancel or request.modify:
            self._change(symbol, request)
            return
        is_market = request.limit_price is None and request.type == "LIMIT"
        has_price = request.limit_price is not None
        send_order(
            self._desk,
            symbol,
            int(Side[request.side]),
            int(request.qty),
            self._price(request.limit_price) if has_price else 0,
            int(OrderType.MARKET if is_market else OrderType[request.type]),
            int(Tif[request.tif]),
            int(request.expire_ts_ns),
        )

    def _change(self, symbol: int, request: OrderRequest) -> None:
        slot = find_order(self._desk, symbol, request.cancel or request.modify)
        if slot < 0:
            return  # it is gone: a fill was faster, and its answer is on the way or was just seen
        if request.cancel:
            send_cancel(self._desk, symbol, slot)
        else:
            send_modify(self._desk, symbol, slot, int(request.qty), self._price(request.limit_price))

    def _price(self, dollars: float | None) -> int:
        if dollars is None:
            raise UsageError("a modify request needs limit_price")
        return round(dollars * int(self._desk.clock[0]["scale"]))


_BAR, _FORECAST = int(Kind.BAR), int(Kind.FORECAST)  # comparing with a member of an enum costs as much as a row
_REASONS = {
    int(Kind.QUOTE): "quote",
    int(Kind.TRADE): "trade",
    int(Kind.BAR): "bar",
    int(Kind.FORECAST): "forecast",
    int(Kind.STATUS): "status",
}


def watch_state(watch: Watch, symbols: Sequence[str], feature_row: np.ndarray) -> WatchState:
    """Lay a `Watch` out as the state of `watch_events`."""
    modes = {"any": ANY_QUOTE, "touch": TOUCH_PRICE, "": 0}
    if watch.quotes not in modes:
        raise UsageError(f"watch.quotes must be 'any', 'touch' or '', got '{watch.quotes}'")
    row = np.zeros(1, WATCH)
    row[0] = (modes[watch.quotes], watch.trades, watch.bars, watch.forecasts, watch.status, watch.own_orders)
    wanted = set(symbols if watch.symbols is None else watch.symbols)
    mask = np.array([name in wanted for name in symbols], np.int64)
    features, minutes = new_features(len(symbols))
    return WatchState(row, mask, np.zeros(len(symbols), TOUCH_SEEN), features, minutes, feature_row)
