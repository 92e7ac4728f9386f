"""The synthetic level-1 stream that all benchmarks read: touches that prints eat up, sizes that change, prices that move.

Integers only and one seed, so every machine gets the same events and the benchmarks can assert exact counts. About 78 % quotes
and 22 % trades, 2,900 events per second over all symbols. A print is followed by the quote that shows what it left.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from replay.events import EVENT, Kind
from replay.jit import kernel

DAY = date(2025, 6, 2)
OPEN_NS = 1_748_871_000_000_000_000  # 09:30 in New York
MEAN_GAP_NS = 344_000
TICK = 100
FIRST_PRICE = 1_000_000
NAMES = tuple(f"S{k:02d}" for k in range(10))

SIDES = np.dtype([("bid", "i8"), ("ask", "i8"), ("bid_qty", "i8"), ("ask_qty", "i8"), ("is_due", "i8")])


def stream(n_events: int, n_symbols: int = 10, *, seed: int = 1, mean_gap_ns: int = MEAN_GAP_NS) -> np.ndarray:
    """Return `n_events` rows of EVENT from 09:30 on; `mean_gap_ns` is the mean time between two."""
    events = np.zeros(n_events, EVENT)
    draw(seed * 0x9E3779B97F4A7C + 1, mean_gap_ns, new_sides(n_symbols), OPEN_NS, 0, events)
    return events


def new_sides(n_symbols: int) -> np.ndarray:
    """Return the touch of each symbol before the first event."""
    sides = np.zeros(n_symbols, SIDES)
    sides["bid"] = FIRST_PRICE
    sides["ask"] = FIRST_PRICE + TICK
    sides["bid_qty"] = 500
    sides["ask_qty"] = 500
    return sides


@kernel
def _step(state):  # type: ignore[no-untyped-def]
    state ^= state << 13
    state ^= (state >> 7) & 0x1FFFFFFFFFFFFFF
    state ^= state << 17
    return state


@kernel
def _below(state, n):  # type: ignore[no-untyped-def]
    """Return a number from 0 to n - 1."""
    return ((state >> 20) & 0xFFFFFFFF) * n >> 32


@kernel
def draw(state, mean_gap_ns, sides, from_ns, from_seq, events):  # type: ignore[no-untyped-def]
    """Fill `events` with what comes next; return the state of the generator."""
    ts_ns = from_ns
    for i in range(len(events)):
        state = _step(state)
        s = _below(state, len(sides))
        state = _step(state)
        ts_ns += 1 + _below(state, mean_gap_ns) + _below(state >> 9, mean_gap_ns)
        state = _step(state)
        event = events[i]
        event["ts_ns"] = ts_ns
        event["seq"] = from_seq + i
        event["exch_ts_ns"] = ts_ns
        event["symbol"] = s
        if sides[s]["is_due"] == 0 and _below(state, 1000) < 280:
            _print(_step(state), sides, s, event)
        else:
            _change(_step(state), sides, s)
            _quote(sides, s, event)
    return state


@kernel
def _print(state, sides, s, event):  # type: ignore[no-untyped-def]
    """Let a print take from the touch; an empty level gives way."""
    row = sides[s]
    is_bid = (state & 64) != 0
    qty = 100 * (1 + _below(state, 4))
    qty = min(qty, row["bid_qty"] if is_bid else row["ask_qty"])
    event["kind"] = Kind.TRADE
    event["venue"] = 0
    event["price"] = row["bid"] if is_bid else row["ask"]
    event["qty"] = qty
    event["flags"] = 0
    row["is_due"] = 1
    if is_bid:
        row["bid_qty"] -= qty
        if row["bid_qty"] == 0:
            _shift(_step(state), sides, s, -TICK)
    else:
        row["ask_qty"] -= qty
        if row["ask_qty"] == 0:
            _shift(_step(state), sides, s, TICK)


@kernel
def _shift(state, sides, s, move):  # type: ignore[no-untyped-def]
    row = sides[s]
    if row["bid"] + move < FIRST_PRICE // 2:
        move = TICK
    row["bid"] += move
    row["ask"] += move
    row["bid_qty"] = 100 * (1 + _below(state, 12))
    row["ask_qty"] = 100 * (1 + _below(_step(state), 12))


@kernel
def _change(state, sides, s):  # type: ignore[no-untyped-def]
    """Show what a print left; otherwise change a size, or (one in forty) move the touch."""
    row = sides[s]
    if row["is_due"] == 1:
        row["is_due"] = 0
    elif _below(state, 40) == 0:
        _shift(_step(state), sides, s, TICK if (state & 64) != 0 else -TICK)
    elif (state & 64) != 0:
        row["bid_qty"] = max(row["bid_qty"] + 100 * (_below(state, 7) - 3), 100)
    else:
        row["ask_qty"] = max(row["ask_qty"] + 100 * (_below(state, 7) - 3), 100)


@kernel
def _quote(sides, s, event):  # type: ignore[no-untyped-def]
    row = sides[s]
    event["kind"] = Kind.QUOTE
    event["venue"] = -1
    event["bid"] = row["bid"]
    event["ask"] = row["ask"]
    event["bid_qty"] = row["bid_qty"]
    event["ask_qty"] = row["ask_qty"]
    event["flags"] = 0


def write(folder: Path, events: np.ndarray, n_symbols: int = 10) -> Path:
    """Write a stream as a session folder."""
    from replay.session.build import SymbolInfo, write_session

    quotes, trades = events[events["kind"] == Kind.QUOTE], events[events["kind"] == Kind.TRADE]
    symbols = [SymbolInfo(name=name, tick=TICK, evidence="tick_by_tick") for name in NAMES[:n_symbols]]
    return write_session(folder, day=DAY, symbols=symbols, source="benchmark", quotes=_quotes(quotes), trades=_trades(trades))


def _common(rows: np.ndarray) -> dict[str, Any]:
    import pyarrow as pa

    words = pa.DictionaryArray.from_arrays(np.ascontiguousarray(rows["symbol"], np.int32), pa.array(NAMES))
    return {"ts_ns": rows["ts_ns"].copy(), "symbol": words, "order": rows["seq"].copy()}


def _quotes(rows: np.ndarray) -> dict[str, Any]:
    prices = {name: rows[name].copy() for name in ("bid", "ask")}
    return _common(rows) | prices | {"bid_size": rows["bid_qty"].copy(), "ask_size": rows["ask_qty"].copy()}


def _trades(rows: np.ndarray) -> dict[str, Any]:
    return _common(rows) | {"price": rows["price"].copy(), "size": rows["qty"].copy()}
