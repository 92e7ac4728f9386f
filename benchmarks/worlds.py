"""Engines without files: a world around a strategy, fed from one array of events in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from benchmarks.market import DAY, TICK
from fills.delays import fixed_delays
from fills.exchange import ANSWER, make_venue
from replay.bundle import as_bundle
from replay.calendar import trading_hours
from replay.desk import NEVER, Block, Desk
from replay.engine.engine import Engine, Seat
from replay.engine.world import Sizes, build_desk, build_world
from replay.events import BAR, EVENT, FORECAST
from replay.orders import Evidence
from strategy.decision import CYCLE, DECISION

BLOCK_EVENTS = 1 << 17
SCALE = 10_000


class Counts(NamedTuple):
    """What a run did, for exact comparison."""

    events: int
    orders: int
    fills: int
    filled_qty: int


class Count:
    """A spool that keeps nothing: it counts rows per stream and adds the filled shares up."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.filled_qty = 0

    def add(self, name: str, rows: np.ndarray) -> None:
        """Count rows."""
        self.rows[name] = self.rows.get(name, 0) + len(rows)
        if name == "fills":
            self.filled_qty += int(rows["qty"].sum())


def build(n_symbols: int, *, legs_ns: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0), slots: int = 16) -> Any:
    """Build a world on the benchmarks' day; `legs_ns` are compute, feed, outbound, cancel, answer."""
    sizes = Sizes(slots=slots)
    desk = build_desk(n_symbols, DECISION, CYCLE, sizes)
    desk.book["tick"] = TICK
    desk.book["lot"] = 1
    desk.book["evidence"] = Evidence.TICK_BY_TICK
    set_clock(desk)
    names = ("compute_ns", "feed_ns", "outbound_ns", "cancel_ns", "answer_ns")
    legs = fixed_delays(n_symbols, **dict(zip(names, legs_ns, strict=True)))
    return build_world(desk, make_venue(n_symbols, slots), ANSWER, legs, sizes)


def set_clock(desk: Desk) -> None:
    """Set the hours of the benchmarks' day."""
    hours = trading_hours(DAY)
    clock = desk.clock[0]
    clock["scale"] = SCALE
    clock["open_ns"], clock["close_ns"] = hours.open_ns, hours.close_ns
    clock["trade_from_ns"], clock["trade_until_ns"] = hours.open_ns, hours.close_ns


def seat(decide: Any, state: Any) -> Seat:
    """Seat a kernel."""
    return Seat(decide, as_bundle(state))


def blocks(events: np.ndarray) -> Iterator[Block]:
    """Cut a stream into blocks."""
    bars, forecasts = np.zeros(0, BAR), np.zeros(0, FORECAST)
    for first in range(0, len(events), BLOCK_EVENTS):
        yield Block(events[first : first + BLOCK_EVENTS], bars, forecasts)


class Trial:
    """One engine and its counting spool, ready for a stream; `run` is what gets timed."""

    def __init__(self, world: Any, where: Seat) -> None:
        self.world = world
        self._spool = Count()
        self._engine = Engine(world, where, self._spool)  # type: ignore[arg-type]  # a spool by its one method
        self._engine.feed(Block(np.zeros(0, EVENT), np.zeros(0, BAR), np.zeros(0, FORECAST)))  # loads the compiled loop

    @property
    def rows(self) -> dict[str, int]:
        """How many rows came out, by stream."""
        return self._spool.rows

    def run(self, source: Iterable[Block]) -> Counts:
        """Feed blocks and count what happened."""
        for block in source:
            self._engine.feed(block)
        self._engine.flush()
        orders = int(self.world.desk.clock[0]["next_order_id"]) - 1
        return Counts(self._engine.event_count, orders, self._spool.rows.get("fills", 0), self._spool.filled_qty)


__all__ = ["BLOCK_EVENTS", "NEVER", "SCALE", "Count", "Counts", "Trial", "blocks", "build", "seat", "set_clock"]
