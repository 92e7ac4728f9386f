"""Plain Python strategies: one that is woken by every quote, and one that renews two limits every second of market time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from benchmarks import market, worlds
from benchmarks.measure import Figure, least_cpu_s, yardstick
from replay.engine.engine import Seat
from replay.engine.python_door import OrderRequest, PythonDoor, View, Wake, Watch, watch_events, watch_state
from replay.events import Kind
from replay.settings import as_row
from strategy.features import FeatureSettings

N_SYMBOLS = 10
LATENCY_NS = 1_000_000
SECOND_NS = 1_000_000_000
EXPECTED = worlds.Counts(events=3_000_000, orders=2062, fills=1810, filled_qty=181_000)


class TouchReader:
    """Reads the touch at every quote."""

    watch = Watch(quotes="any")

    def __init__(self) -> None:
        self.wakes = 0

    def on_wake(self, view: View, wake: Wake) -> None:
        """Read the touch of whoever quoted."""
        if wake.symbol:
            view.touch(wake.symbol)
            self.wakes += 1

    def state(self) -> Any:
        return self.wakes

    def restore(self, state: Any) -> None:
        self.wakes = state


class Renewer:
    """Cancels what is open and places one limit on each side, every second."""

    watch = Watch(quotes="", forecasts=False, status=False, own_orders=False)

    def __init__(self) -> None:
        self.next_timer_ns = market.OPEN_NS + SECOND_NS

    def on_wake(self, view: View, wake: Wake) -> Iterable[OrderRequest]:
        """Renew both orders of the first symbol."""
        if wake.reason != "timer":
            return []
        self.next_timer_ns += SECOND_NS
        symbol = view.symbols[0]
        bid, ask, _, _ = view.touch(symbol)
        cancels = [OrderRequest(symbol=symbol, cancel=int(order["order_id"])) for order in view.open_orders(symbol)]
        sides = (("BUY", bid), ("SELL", ask))
        return cancels + [OrderRequest(symbol=symbol, side=side, qty=100, limit_price=price) for side, price in sides]

    def state(self) -> Any:
        return self.next_timer_ns

    def restore(self, state: Any) -> None:
        self.next_timer_ns = state


def prepare(strategy: Any, events: np.ndarray) -> Callable[[], worlds.Counts]:
    """Prepare a replay of the stream through a Python strategy."""
    names = market.NAMES[:N_SYMBOLS]
    world = worlds.build(N_SYMBOLS, legs_ns=(0, 0, LATENCY_NS, LATENCY_NS, LATENCY_NS))
    state = watch_state(strategy.watch, names, as_row(FeatureSettings()))
    door = PythonDoor(strategy, names, world.desk, state)
    door.begin_day()
    trial = worlds.Trial(world, Seat(watch_events, state, door))
    return lambda: trial.run(worlds.blocks(events))


def main() -> list[Figure]:
    """Measure both strategies."""
    events = market.stream(EXPECTED.events, N_SYMBOLS)
    few = events[:300_000].copy()
    reader = TouchReader()
    prepare(reader, few)()
    quotes = int((few["kind"] == Kind.QUOTE).sum())
    assert reader.wakes == quotes, f"expected {quotes} wakes, got {reader.wakes}"
    counts = prepare(Renewer(), events)()
    assert counts == EXPECTED, f"expected {EXPECTED}, got {counts}"
    works = [lambda: prepare(TouchReader(), few), lambda: prepare(Renewer(), events), yardstick]
    reader_s, renewer_s, _ = least_cpu_s(works)
    return [
        Figure.at_least("Python, woken by every quote", len(few) / reader_s, "events/s", 350_000),
        Figure.at_least("Python, two limits a second", len(events) / renewer_s, "events/s", 1_000_000),
    ]
