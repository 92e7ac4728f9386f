"""Beside hftbacktest: the same level-1 stream, the same two-sided quoting every 100 ms of market time.

Both cancel what is open and place one limit at each touch, 1 ms each way, in a process of their own that replays three times:
the CPU of the whole process includes start-up (imports, compilation), the least replay excludes it. hftbacktest gets the touch
as depth rows of the two best levels and prints with their aggressor's side. Fills differ, since the fill rules do.
"""

from __future__ import annotations

import importlib.util
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import market, worlds
from benchmarks.measure import CannotRunError, Figure
from replay.desk import WAKE_TIMER, send_cancel, send_limit
from replay.events import EVENT, Kind
from replay.jit import kernel
from replay.orders import Tif

N_EVENTS = 5_000_000
EVERY_NS = 100_000_000
LATENCY_NS = 1_000_000
QTY = 100
REPEATS = 3
EXPECTED = worlds.Counts(events=N_EVENTS, orders=34_398, fills=29_672, filled_qty=2_967_200)


@kernel
def quote_both(wake, i, block, desk, state):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Every 100 ms cancel what is open and place one limit at each touch."""
    if wake != WAKE_TIMER:
        return
    clock = desk.clock[0]
    clock["next_timer_ns"] = clock["now_ns"] + EVERY_NS
    for slot in range(desk.n_orders[0]):
        send_cancel(desk, 0, slot)
    send_limit(desk, 0, 1, QTY, desk.book[0]["bid"], Tif.DAY, 0)
    send_limit(desk, 0, -1, QTY, desk.book[0]["ask"], Tif.DAY, 0)


def convert(events: np.ndarray, event_dtype: Any) -> np.ndarray:
    """Turn one symbol's stream into hftbacktest's rows: levels that were left, levels that are there, prints."""
    from hftbacktest.types import BUY_EVENT, DEPTH_EVENT, EXCH_EVENT, LOCAL_EVENT, SELL_EVENT, TRADE_EVENT

    both = EXCH_EVENT | LOCAL_EVENT
    is_quote = events["kind"] == Kind.QUOTE
    quotes, trades = events[is_quote], events[~is_quote]
    asks = np.append(0, quotes["ask"])[np.cumsum(is_quote)[~is_quote]]
    sides = np.where(trades["price"] >= asks, BUY_EVENT, SELL_EVENT)
    parts = [_rows(event_dtype, trades, both | TRADE_EVENT | sides, trades["price"], trades["qty"], 2)]
    for side, price in ((BUY_EVENT, "bid"), (SELL_EVENT, "ask")):
        moved = np.flatnonzero(np.diff(quotes[price]) != 0) + 1
        is_new = np.diff(quotes[price], prepend=0) | np.diff(quotes[f"{price}_qty"], prepend=0)
        fresh = quotes[is_new != 0]
        flags = both | DEPTH_EVENT | side
        parts.append(_rows(event_dtype, quotes[moved], flags, quotes[price][moved - 1], 0, 0))
        parts.append(_rows(event_dtype, fresh, flags, fresh[price], fresh[f"{price}_qty"], 1))
    rows = np.concatenate(parts)
    rows = rows[np.lexsort((rows["ival"], rows["exch_ts"]))]
    rows["ival"] = 0
    return rows


def _rows(event_dtype: Any, events: np.ndarray, flags: Any, price: Any, qty: Any, rank: int) -> np.ndarray:
    rows = np.zeros(len(events), event_dtype)
    rows["ev"], rows["ival"] = flags, rank
    rows["exch_ts"] = rows["local_ts"] = events["ts_ns"]
    rows["px"], rows["qty"] = np.asarray(price) / worlds.SCALE, qty
    return rows


def replay_ours(path: Path) -> dict[str, Any]:
    """Replay in our engine."""
    events = np.fromfile(path, EVENT)
    times, counts = [], []
    for _ in range(REPEATS):
        start = time.process_time()
        world = worlds.build(1, legs_ns=(0, 0, LATENCY_NS, LATENCY_NS, LATENCY_NS))
        world.desk.clock["next_timer_ns"] = market.OPEN_NS + EVERY_NS
        counts.append(worlds.Trial(world, worlds.seat(quote_both, (np.zeros(1),))).run(worlds.blocks(events)))
        times.append(time.process_time() - start)
    assert len(set(counts)) == 1
    return {"replay_s": min(times), "counts": counts[0]}


def replay_theirs(path: Path) -> dict[str, Any]:
    """Replay in hftbacktest."""
    from benchmarks.hftbacktest_quoting import run

    rows = np.load(path)["data"]
    times, counts = [], []
    for _ in range(REPEATS):
        start = time.process_time()
        counts.append(run(rows, LATENCY_NS, EVERY_NS, QTY, market.TICK / worlds.SCALE))
        times.append(time.process_time() - start)
    assert len(set(counts)) == 1
    return {"replay_s": min(times), "counts": counts[0]}


def measure(who: str, path: Path) -> dict[str, Any]:
    """Replay in a process of its own; add the CPU seconds of the whole process, less the repeats."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-m", __name__, who, str(path)], check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    total_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return told | {"whole_s": total_s - (REPEATS - 1) * told["replay_s"]}


def main() -> list[Figure]:
    """Write both files, measure both sides."""
    if importlib.util.find_spec("hftbacktest") is None:
        raise CannotRunError("needs hftbacktest (the `bench` extra, in an environment of its own: make bench)")
    from hftbacktest.types import event_dtype

    events = market.stream(N_EVENTS, 1)
    with tempfile.TemporaryDirectory() as folder:
        ours_path, theirs_path = Path(folder) / "ours.rows", Path(folder) / "theirs.npz"
        events.tofile(ours_path)
        np.savez(theirs_path, data=convert(events, event_dtype))
        measure("ours", ours_path)  # compiled kernels are on disk from here on; hftbacktest compiles in every process
        ours, theirs = measure("ours", ours_path), measure("theirs", theirs_path)
    print(f"ours {ours['counts']}, hftbacktest {theirs['counts']} (orders, fills)")
    assert worlds.Counts(*ours["counts"]) == EXPECTED, ours["counts"]
    return [
        Figure.at_least("hftbacktest / ours, start-up excluded", theirs["replay_s"] / ours["replay_s"], "x", 1),
        Figure.at_least("hftbacktest / ours, start-up included", theirs["whole_s"] / ours["whole_s"], "x", 1),
        Figure("ours, start-up excluded", N_EVENTS / ours["replay_s"] / 1e6, "M events/s"),
        Figure("hftbacktest, start-up excluded", N_EVENTS / theirs["replay_s"] / 1e6, "M events/s"),
        Figure("ours, start-up included", ours["whole_s"], "s"),
        Figure("hftbacktest, start-up included", theirs["whole_s"], "s"),
    ]


if __name__ == "__main__":
    print(json.dumps((replay_ours if sys.argv[1] == "ours" else replay_theirs)(Path(sys.argv[2]))))
