"""Two of the three doors for own logic: a bound kernel, and a plain Python strategy. (The third, forecasts, are events.)

A bound kernel is a module-level function with the `decide` signature of `replay.desk`, in numba's subset: it runs inside the loop at
the speed of the default pipeline. A Python strategy is any object with `on_wake(view, wake)`, `state()` and `restore(state)`;
a small kernel watches the stream and wakes it only when its `watch` asks for it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from replay.bundle import as_bundle
from replay.desk import NEVER, WAKE_TIMER, Block, Desk, find_order, send_cancel, send_modify, send_order
from replay.engine.loop import WAKE_ON_ANSWER, WAKE_ON_TIMER
from replay.errors import UsageError
from replay.events import Kind
from replay.jit import bound_kernel, kernel
from replay.orders import OrderType, Side, Tif

WATCH = np.dtype([("quotes", "i8"), ("trades", "i8"), ("bars", "i8"), ("forecasts", "i8"), ("status", "i8"), ("orders", "i8")])
TOUCH_SEEN = np.dtype([("bid", "i8"), ("ask", "i8")])
ANY_QUOTE = 1
TOUCH_PRICE = 2


@dataclass(frozen=True, slots=True)
class BoundKernel:
    """A user's `decide` kernel and the maker of its state; made by `bind`."""

    decide: Any
    make_state: Callable[[int], tuple[Any, ...]]


def bind(decide: Callable[..., Any], make_state: Callable[[int], tuple[Any, ...]] | None = None) -> BoundKernel:
    """Bind a user's `decide` function into the compiled loop.

    Parameters
    ----------
    decide : callable
        A module-level function `decide(wake, i, block, desk, state)` in numba's subset; see `replay.desk`.
    make_state : callable, optional
        `make_state(n_symbols)` gives the tuple of arrays handed back as `state`. Default: one float64 array (n_symbols, 16).

    Raises
    ------
    UsageError
        For a lambda, a closure, or another number of arguments.
    """
    source = getattr(decide, "py_func", decide)
    if not inspect.isfunction(source) or source.__name__ == "<lambda>":
        raise UsageError(f"bind needs a plain function, got {decide!r}; define it with `def` at the top of a module")
    if source.__closure__:
        names = ", ".join(source.__code__.co_freevars)
        raise UsageError(f"`{source.__name__}` closes over {names}; pass them through `state`, or make them module constants")
    if source.__code__.co_argcount != 5:
        raise UsageError(f"`{source.__name__}` takes {source.__code__.co_argcount} arguments, expected decide(wake, i, block, desk, state)")
    compiled = decide if decide is not source else bound_kernel(source)
    return BoundKernel(compiled, make_state or _default_state)


def _default_state(n_symbols: int) -> tuple[Any, ...]:
    return (np.zeros((n_symbols, 16)),)


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
        Dollars; None is a market order.
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
        `timer`, `quote`, `trade`, `bar`, `forecast`, `status` or `order`.
    symbol : str
        Whose event; empty for a timer.
    event : numpy.void
        The row that woke (see `replay.events`); None for a timer.
    """

    __slots__ = ("event", "reason", "symbol", "table")

    def __init__(self) -> None:
        self.reason = ""
        self.symbol = ""
        self.event: Any = None
        self.table: Any = None


class View:
    """What a Python strategy may read: touch, positions, open orders, features and the clock."""

    __slots__ = ("_desk", "_index", "_scale", "now_ns", "symbols")

    def __init__(self, desk: Desk, symbols: Sequence[str]) -> None:
        self._desk = desk
        self._index = {name: k for k, name in enumerate(symbols)}
        self._scale = 0.0
        self.symbols = tuple(symbols)
        self.now_ns = 0

    def touch(self, symbol: str) -> tuple[float, float, int, int]:
        """Return bid, ask in dollars and bid size, ask size in shares; an empty side is (0.0, 0)."""
        row = self._desk.book[self._index[symbol]]
        return row["bid"] / self._scale, row["ask"] / self._scale, int(row["bid_qty"]), int(row["ask_qty"])

    def position(self, symbol: str) -> int:
        """Return the signed shares held."""
        return int(self._desk.positions[self._index[symbol]]["qty"])

    def open_orders(self, symbol: str) -> np.ndarray:
        """Return a copy of the own live orders of a symbol (dtype `replay.desk.DESK_ORDER`)."""
        k = self._index[symbol]
        return self._desk.orders[k, : self._desk.n_orders[k]].copy()

    def hours(self) -> tuple[int, int]:
        """Return open and close of the day's regular session, ns."""
        clock = self._desk.clock[0]
        return int(clock["open_ns"]), int(clock["close_ns"])

    def _set_clock(self) -> None:
        clock = self._desk.clock[0]
        self.now_ns = int(clock["now_ns"])
        self._scale = float(clock["scale"])


@kernel
def watch_events(wake, i, block, desk, state):
    """Set `clock['wake']` when an event is one that the Python strategy watches."""
    clock = desk.clock[0]
    if wake == WAKE_TIMER:
        clock["wake"] = 1
        return
    event = block.events[i]
    kind = event["kind"]
    symbol = event["symbol"]
    if kind >= Kind.ACK:
        clock["wake"] = state[0][0]["orders"]
        return
    if kind == Kind.STATUS:
        clock["wake"] = state[0][0]["status"]
        return
    if symbol < 0 or state[1][symbol] == 0:
        return
    if kind == Kind.QUOTE:
        _watch_quote(event, clock, state)
    elif kind == Kind.TRADE:
        clock["wake"] = state[0][0]["trades"]
    elif kind == Kind.BAR:
        clock["wake"] = state[0][0]["bars"]
    elif kind == Kind.FORECAST:
        clock["wake"] = state[0][0]["forecasts"]


@kernel
def _watch_quote(event, clock, state):
    mode = state[0][0]["quotes"]
    if mode == ANY_QUOTE:
        clock["wake"] = 1
    elif mode == TOUCH_PRICE:
        seen = state[2][event["symbol"]]
        if seen["bid"] != event["bid"] or seen["ask"] != event["ask"]:
            seen["bid"] = event["bid"]
            seen["ask"] = event["ask"]
            clock["wake"] = 1


class PythonDoor:
    """Carries wakes from the loop to a Python strategy and its requests back to the desk."""

    def __init__(self, strategy: PythonStrategy, symbols: Sequence[str], desk: Desk) -> None:
        self._strategy = strategy
        self._symbols = tuple(symbols)
        self._index = {name: k for k, name in enumerate(symbols)}
        self._desk = desk
        self._view = View(desk, symbols)
        self._wake = Wake()

    def state(self) -> Any:
        """Return the strategy's own state."""
        return self._strategy.state()

    def restore(self, state: Any) -> None:
        """Hand the strategy a state it returned earlier."""
        self._strategy.restore(state)

    def set_timer(self) -> None:
        """Bring the loop's timer in line with the strategy's `next_timer_ns`."""
        timer_ns = getattr(self._strategy, "next_timer_ns", None)
        clock = self._desk.clock[0]
        clock["next_timer_ns"] = NEVER if timer_ns is None or timer_ns <= clock["now_ns"] else timer_ns

    def wake(self, code: int, i: int, block: Block, answers: np.ndarray) -> None:
        """Wake the strategy for a timer, an event of the block or an answer; put what it asks for into the outbox."""
        clock = self._desk.clock[0]
        clock["wake"] = 0
        wake = self._wake
        if code == WAKE_ON_TIMER:
            wake.reason, wake.symbol, wake.event, wake.table = "timer", "", None, None
        elif code == WAKE_ON_ANSWER:
            self._describe(answers[i], block)
        else:
            self._describe(block.events[i], block)
        view = self._view
        view._set_clock()
        for request in self._strategy.on_wake(view, wake) or ():
            self._send(request)
        self.set_timer()

    def _describe(self, event: Any, block: Block) -> None:
        wake = self._wake
        kind = int(event["kind"])
        wake.reason = "order" if kind >= Kind.ACK else _REASONS[kind]
        symbol = int(event["symbol"])
        wake.symbol = self._symbols[symbol] if symbol >= 0 else ""
        wake.event = event
        wake.table = block.bars if kind == Kind.BAR else block.forecasts if kind == Kind.FORECAST else None

    def _send(self, request: OrderRequest) -> None:
        symbol = self._index.get(request.symbol)
        if symbol is None:
            raise UsageError(f"strategy asked for unknown symbol '{request.symbol}'; this run has {', '.join(self._symbols)}")
        if request.cancel or request.modify:
            self._change(symbol, request)
            return
        is_market = request.limit_price is None
        send_order(
            self._desk,
            symbol,
            int(Side[request.side]),
            int(request.qty),
            0 if is_market else self._price(request.limit_price),
            int(OrderType.MARKET if is_market else OrderType.LIMIT),
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
        return int(round(dollars * int(self._desk.clock[0]["scale"])))


_REASONS = {
    int(Kind.QUOTE): "quote",
    int(Kind.TRADE): "trade",
    int(Kind.BAR): "bar",
    int(Kind.FORECAST): "forecast",
    int(Kind.STATUS): "status",
}


def watch_state(watch: Watch, symbols: Sequence[str]) -> Any:
    """Lay a `Watch` out as the state of `watch_events`."""
    modes = {"any": ANY_QUOTE, "touch": TOUCH_PRICE, "": 0}
    if watch.quotes not in modes:
        raise UsageError(f"watch.quotes must be 'any', 'touch' or '', got '{watch.quotes}'")
    row = np.zeros(1, WATCH)
    row[0] = (modes[watch.quotes], watch.trades, watch.bars, watch.forecasts, watch.status, watch.own_orders)
    wanted = set(symbols if watch.symbols is None else watch.symbols)
    mask = np.array([name in wanted for name in symbols], np.int64)
    return as_bundle((row, mask, np.zeros(len(symbols), TOUCH_SEEN)))
