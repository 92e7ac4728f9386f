"""Bars of prints, as IBKR aggregates them: on the receive clock, reported prints only, odd lots and late ones left out.

A bar's event time is its end, and it holds what was received before. A bar without prints repeats the last close with volume
0, as IBKR's five-second bars do; before the first print there is none.
"""

from __future__ import annotations

import numpy as np

from replay.synth.feed import UNREPORTED, Stamped

BAR_LENGTHS_S = (5, 60)
_SECOND_NS = 1_000_000_000
_ROWS = 7  # open, high, low, close, volume, money, count


def make_bars(prints: Stamped, open_ns: int, n_seconds: int, bar_s: int) -> dict[str, np.ndarray]:
    """Aggregate prints into bars of `bar_s` seconds; returns the columns of a session's bars without `symbol`."""
    width_ns = bar_s * _SECOND_NS
    n_bars = n_seconds // bar_s
    number = (prints.ts_ns - open_ns) // width_ns
    counted = ((prints.rows["flags"] & UNREPORTED) == 0) & (number < n_bars)
    number, rows = number[counted], prints.rows[counted]
    first = np.flatnonzero(np.append(True, number[1:] != number[:-1])[: len(number)])
    if not len(first):
        return {name: values[:0] for name, values in _columns(np.zeros((_ROWS, n_bars), np.int64), open_ns, width_ns).items()}
    table = np.zeros((_ROWS, n_bars), np.int64)
    table[:, number[first]] = _aggregate(rows, first)
    _carry_close(table, number[first])
    columns = _columns(table, open_ns, width_ns)
    start = int(number[0])
    return {name: values[start:] for name, values in columns.items()}


def _aggregate(rows: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return the rows of the table for bars that have prints."""
    price, qty = rows["price"], rows["qty"]
    last = np.append(first[1:], len(rows)) - 1
    highs, lows = np.maximum.reduceat(price, first), np.minimum.reduceat(price, first)
    volume, money = np.add.reduceat(qty, first), np.add.reduceat(price * qty, first)
    return np.stack([price[first], highs, lows, price[last], volume, money, last + 1 - first])


def _carry_close(table: np.ndarray, filled: np.ndarray) -> None:
    """Fill empty bars with the close before them."""
    source = np.zeros(table.shape[1], np.int64)
    source[filled] = filled
    source = np.maximum.accumulate(source)
    is_empty = table[4] == 0
    for k in range(4):
        table[k, is_empty] = table[3, source[is_empty]]


def _columns(table: np.ndarray, open_ns: int, width_ns: int) -> dict[str, np.ndarray]:
    open_, high, low, close, volume, money, count = table
    start_ts_ns = open_ns + np.arange(table.shape[1]) * width_ns
    wap = np.where(volume > 0, money / np.maximum(volume, 1), close.astype(np.float64))
    return {
        "ts_ns": start_ts_ns + width_ns,
        "start_ts_ns": start_ts_ns,
        "bar_s": np.full(len(start_ts_ns), width_ns // _SECOND_NS, np.int32),
        "open": open_,
        "high": high,
        "low": low,
        "close": close,
        "volume": volume,
        "wap": wap,
        "count": count,
    }
