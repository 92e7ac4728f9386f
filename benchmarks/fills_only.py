"""Fills only: the engine keeps eight orders resting per symbol, beside a C loop that keeps the same rules.

Both read the same rows, wait the same 20 ms each way, and must come to the same orders, fills and filled shares.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import market, worlds
from benchmarks.measure import CannotRunError, Figure, least_cpu_s, yardstick
from fills.venue import PAIRING_NS
from replay.desk import WAKE_EVENT, send_cancel, send_limit
from replay.events import INELIGIBLE, Kind
from replay.jit import kernel
from replay.orders import Evidence, Tif

N_EVENTS = 5_000_000
N_SYMBOLS = 10
LATENCY_NS = 20_000_000
RESTING = 8
QTY = 200
EVERY_NS = 1_000_000_000
C_FILL = np.dtype([("ts_ns", "i8"), ("order_id", "i8"), ("price", "i8"), ("qty", "i8"), ("symbol", "i8")])
EXPECTED = worlds.Counts(events=N_EVENTS, orders=50_396, fills=62_048, filled_qty=9_803_200)


@kernel
def quote_eight(wake, i, block, desk, state):  # type: ignore[no-untyped-def]
    """Once a second and symbol: with eight orders cancel the oldest, with fewer fill up at the touch."""
    event = block.events[i]
    if wake == WAKE_EVENT and event["kind"] == Kind.QUOTE and event["ts_ns"] >= state[0][event["symbol"]]:
        state[0][event["symbol"]] = event["ts_ns"] + EVERY_NS
        _renew(event["symbol"], desk)


@kernel
def _renew(s, desk):  # type: ignore[no-untyped-def]
    if desk.n_orders[s] >= RESTING:
        send_cancel(desk, s, 0)
        return
    net = 0
    for k in range(desk.n_orders[s]):
        net += desk.orders[s, k]["side"]
    for _ in range(RESTING - desk.n_orders[s]):
        side = -1 if net > 0 else 1
        net += side
        send_limit(desk, s, side, QTY, desk.book[s]["bid"] if side > 0 else desk.book[s]["ask"], Tif.DAY, 0)


def ours(events: np.ndarray) -> Callable[[], worlds.Counts]:
    """Prepare a replay of the stream in the engine."""
    world = worlds.build(N_SYMBOLS, legs_ns=(0, 0, LATENCY_NS, LATENCY_NS, LATENCY_NS))
    trial = worlds.Trial(world, worlds.seat(quote_eight, (np.zeros(N_SYMBOLS, np.int64),)))
    return lambda: trial.run(worlds.blocks(events))


class CLoop:
    """The compiled C loop.

    Raises
    ------
    CannotRunError
        Without a gcc.
    """

    def __init__(self, folder: Path) -> None:
        gcc = shutil.which("gcc")
        if gcc is None:
            raise CannotRunError("needs gcc to compile benchmarks/fills_only.c")
        library = folder / "fills_only.so"
        source = Path(__file__).with_suffix(".c")
        subprocess.run([gcc, "-O3", "-march=native", "-std=c11", "-shared", "-fPIC", "-o", library, source], check=True)
        self._c: Any = ctypes.CDLL(str(library))
        for name in ("run", "world_bytes", "symbol_bytes", "sent"):
            getattr(self._c, name).restype = ctypes.c_int64

    def prepare(self, events: np.ndarray) -> Callable[[], worlds.Counts]:
        """Prepare a replay of the stream in C."""
        world = np.zeros(self._c.world_bytes(), np.uint8)
        symbols = np.zeros(self._c.symbol_bytes() * N_SYMBOLS, np.uint8)
        fills = np.zeros(len(events) // 10, C_FILL)
        numbers = np.array([N_SYMBOLS, market.TICK, LATENCY_NS, *PAIRING_NS[Evidence.TICK_BY_TICK], INELIGIBLE], np.int64)
        arrays = (world, symbols, fills)  # C keeps their addresses
        self._c.begin(_at(world), _at(symbols), _at(fills), _at(numbers))

        def run() -> worlds.Counts:
            n_fills = self._c.run(_at(events), ctypes.c_int64(len(events)), _at(arrays[0]), ctypes.c_int64(QTY))
            return worlds.Counts(len(events), self._c.sent(_at(world)), n_fills, int(arrays[2]["qty"].sum()))

        return run


def _at(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def main() -> list[Figure]:
    """Measure and compare."""
    events = market.stream(N_EVENTS, N_SYMBOLS)
    with tempfile.TemporaryDirectory() as folder:
        loop = CLoop(Path(folder))
        in_c, in_ours = loop.prepare(events)(), ours(events)()
        assert in_c == in_ours, f"the C loop filled {in_c}, the engine {in_ours}"
        assert in_ours == EXPECTED, f"expected {EXPECTED}, got {in_ours}"
        ours_s, c_s, yard_s = least_cpu_s([lambda: ours(events), lambda: loop.prepare(events), yardstick])
    return [
        Figure.at_most("fills only: engine / C loop", ours_s / c_s, "x", 1.3),
        Figure.at_least("fills only: engine", N_EVENTS / ours_s / 1e6, "M events/s", 15),
        Figure("fills only: C loop", N_EVENTS / c_s / 1e6, "M events/s"),
        Figure("fills only: engine / yardstick", ours_s / yard_s, "x"),
    ]
