"""The columns of a session, from what was received of every symbol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from replay.events import Status
from replay.synth.bars import BAR_LENGTHS_S, make_bars
from replay.synth.feed import (
    NO_VENUE,
    UNREPORTED,
    Received,
    Stamped,
    cut_quotes,
    gaps_of,
    is_lost,
    latency_max_ns,
    sample_prints,
    sample_quotes,
)
from replay.synth.market import DayPlan
from replay.synth.outages import ALL_SYMBOLS, Outages
from replay.synth.profiles import VENUES, symbol_name
from replay.synth.settings import SynthSettings
from replay.synth.tape import ACTIONS, AVERAGE_PRICE, LATE, ODD_LOT

Columns = dict[str, np.ndarray]
_SECOND_NS = 1_000_000_000
_EXCHANGES = np.array([*VENUES, ""], object)  # NO_VENUE is the last
_CONDITIONS = {ODD_LOT: "I", LATE: "Z", AVERAGE_PRICE: "W"}


def symbol_frames(
    symbol: int, received: Received, plan: DayPlan, outages: Outages, settings: SynthSettings
) -> dict[str, Columns]:
    """Make the frames of one symbol: sampled as its evidence says, cut by gaps."""
    is_sampled = symbol >= settings.tick_by_tick
    quotes = sample_quotes(received.quotes, plan.open_ns) if is_sampled else received.quotes
    prints = sample_prints(received.prints, plan.open_ns) if is_sampled else received.prints
    gaps = gaps_of(outages, symbol, plan.open_ns)
    bars = [make_bars(received.prints, plan.open_ns, plan.n_seconds, bar_s) for bar_s in BAR_LENGTHS_S]
    frames = {
        "quotes": _quotes(cut_quotes(quotes, received.quotes, gaps)),
        "trades": _trades(prints.take(~is_lost(prints.ts_ns, gaps))),
        "bars": _without_lost(_stack(bars), gaps),
        "messages": _messages(received.messages),
    }
    for columns in frames.values():
        columns["symbol"] = np.full(len(columns["ts_ns"]), symbol_name(symbol), object)
    return frames


def join_frames(parts: Sequence[dict[str, Columns]]) -> dict[str, Columns]:
    """Put the frames of all symbols together, in order of time."""
    return {name: _in_time(_stack([part[name] for part in parts])) for name in parts[0]}


def status_frame(plan: DayPlan, outages: Outages, settings: SynthSettings) -> Columns:
    """Say when the connection came, halts and gaps; the news of a halt comes after everything that happened before it."""
    rows: list[tuple[int, int, str, Status]] = [(plan.open_ns, plan.open_ns, "", Status.CONNECTED)]
    for halt in outages.halts:
        start_ns, end_ns = plan.open_ns + halt.start_s * _SECOND_NS, plan.open_ns + halt.end_s * _SECOND_NS
        name = symbol_name(halt.symbol)
        rows.append((start_ns + latency_max_ns(settings), start_ns, name, Status.HALTED))
        rows.append((end_ns + settings.feed_latency_ns, end_ns, name, Status.RESUMED))
    for gap in outages.gaps:
        is_all = gap.symbol == ALL_SYMBOLS
        name = "" if is_all else symbol_name(gap.symbol)
        start_ns, end_ns = plan.open_ns + gap.start_s * _SECOND_NS, plan.open_ns + gap.end_s * _SECOND_NS
        rows.append((start_ns, start_ns, name, Status.DISCONNECTED if is_all else Status.GAP_START))
        rows.append((end_ns, end_ns, name, Status.CONNECTED if is_all else Status.GAP_END))
    rows.sort()
    ts_ns, exch_ts_ns, names, codes = zip(*rows, strict=True)
    return {
        "ts_ns": np.array(ts_ns, np.int64),
        "exch_ts_ns": np.array(exch_ts_ns, np.int64),
        "symbol": np.array(names, object),
        "status": np.array([code.name.lower() for code in codes], object),
    }


def _quotes(quotes: Stamped) -> Columns:
    rows = quotes.rows
    return {
        "ts_ns": quotes.ts_ns,
        "exch_ts_ns": rows["exch_ts_ns"],
        "bid": rows["bid"],
        "bid_size": rows["bid_qty"],
        "ask": rows["ask"],
        "ask_size": rows["ask_qty"],
    }


def _trades(prints: Stamped) -> Columns:
    rows = prints.rows
    conditions = np.full(len(rows), "", object)
    for flag, word in _CONDITIONS.items():
        conditions[(rows["flags"] & flag) != 0] = word
    assert NO_VENUE == -1
    return {
        "ts_ns": prints.ts_ns,
        "exch_ts_ns": rows["exch_ts_ns"],
        "price": rows["price"],
        "size": rows["qty"],
        "exchange": _EXCHANGES[rows["venue"]],
        "conditions": conditions,
        "unreported": (rows["flags"] & UNREPORTED) != 0,
        "flags": rows["flags"],
    }


def _messages(messages: Stamped) -> Columns:
    rows = messages.rows
    return {
        "ts_ns": messages.ts_ns,
        "exch_ts_ns": rows["exch_ts_ns"],
        "action": np.array(ACTIONS, object)[rows["action"]],
        "order_id": rows["order_id"],
        "side": rows["side"].astype(np.int8),
        "price": rows["price"],
        "size": rows["qty"],
    }


def _without_lost(columns: Columns, gaps: list[tuple[int, int]]) -> Columns:
    kept = ~is_lost(columns["ts_ns"], gaps)
    return {name: values[kept] for name, values in columns.items()}


def _in_time(columns: Columns) -> Columns:
    ranked = np.argsort(columns["ts_ns"], kind="stable")
    return {name: values[ranked] for name, values in columns.items()}


def _stack(parts: Sequence[dict[str, Any]]) -> Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
