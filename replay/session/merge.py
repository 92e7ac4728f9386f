"""Kernels that put the tables of sessions into one order and one buffer of events.

Within a session the order is `(ts_ns, seq)`, and `seq` counts 0, 1, 2, ... over quotes, trades, bars and status. So no heads are
compared: every row goes to the place that its `seq` names in a window of events, table by table, and a check proves that the
window has no hole and never goes back in time. (Comparing the heads of the tables cost 1,800 ns an event, because compiled
code counts references on some forty arrays at each call; placing costs 5.)

Then the windows of the sessions that are replayed together (mostly one) are merged by `(ts_ns, session, seq)`, and `seq` is
numbered anew over all of them, events of symbols that nobody asked for included: it does not depend on the choice of symbols.

A symbol's number in the run comes from a table per group of rows: its index, `ALL` (status for everybody), or `UNSEEN` (takes
its place in the window, left out of the events). All columns are read-only views of arrow memory: one compiled signature.
"""

from typing import NamedTuple

import numpy as np

from replay.events import Kind
from replay.jit import kernel

ALL = -1
UNSEEN = -2
_NEVER = 2**63 - 1


class Quotes(NamedTuple):
    """Columns of a group of quotes; `symbol_of[symbol[i]]` is the index in the run."""

    ts_ns: np.ndarray
    seq: np.ndarray
    exch_ts_ns: np.ndarray
    symbol: np.ndarray
    symbol_of: np.ndarray
    bid: np.ndarray
    bid_size: np.ndarray
    ask: np.ndarray
    ask_size: np.ndarray
    flags: np.ndarray


class Trades(NamedTuple):
    """Columns of a group of trades; `venue_of[exchange[i]]` is the venue code."""

    ts_ns: np.ndarray
    seq: np.ndarray
    exch_ts_ns: np.ndarray
    symbol: np.ndarray
    symbol_of: np.ndarray
    price: np.ndarray
    qty: np.ndarray
    exchange: np.ndarray
    venue_of: np.ndarray
    flags: np.ndarray


class Bars(NamedTuple):
    """Columns of a group of bars; `what_of[what_to_show[i]]` is an index into WHAT_TO_SHOW."""

    ts_ns: np.ndarray
    seq: np.ndarray
    exch_ts_ns: np.ndarray
    symbol: np.ndarray
    symbol_of: np.ndarray
    start_ts_ns: np.ndarray
    bar_s: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray
    wap: np.ndarray
    bar_count: np.ndarray
    what_to_show: np.ndarray
    what_of: np.ndarray


class StatusRows(NamedTuple):
    """Columns of a group of status rows; `code_of[status[i]]` is a code of `Status`."""

    ts_ns: np.ndarray
    seq: np.ndarray
    exch_ts_ns: np.ndarray
    symbol: np.ndarray
    symbol_of: np.ndarray
    status: np.ndarray
    code_of: np.ndarray


@kernel
def place_quotes(quotes, at, end, base, window):
    """Put rows from `at` on where their `seq` belongs in a window that starts at seq `base`; return the first row beyond it."""
    beyond = base + len(window)
    for i in range(at, end):
        if quotes.seq[i] >= beyond:
            return i
        row = window[quotes.seq[i] - base]
        _put_common(quotes, i, Kind.QUOTE, row)
        row["bid"] = quotes.bid[i]
        row["ask"] = quotes.ask[i]
        row["bid_qty"] = quotes.bid_size[i]
        row["ask_qty"] = quotes.ask_size[i]
        row["venue"] = -1
        row["flags"] = quotes.flags[i]
    return end


@kernel
def place_trades(trades, at, end, base, window):
    """Do for trades what `place_quotes` does for quotes."""
    beyond = base + len(window)
    for i in range(at, end):
        if trades.seq[i] >= beyond:
            return i
        row = window[trades.seq[i] - base]
        _put_common(trades, i, Kind.TRADE, row)
        row["price"] = trades.price[i]
        row["order_id"] = 0
        row["qty"] = trades.qty[i]
        row["leaves_qty"] = 0
        row["venue"] = trades.venue_of[trades.exchange[i]]
        row["flags"] = trades.flags[i]
    return end


@kernel
def place_status(status, at, end, base, window):
    """Do for status rows what `place_quotes` does for quotes."""
    beyond = base + len(window)
    for i in range(at, end):
        if status.seq[i] >= beyond:
            return i
        row = window[status.seq[i] - base]
        _put_common(status, i, Kind.STATUS, row)
        _put_one(row, status.code_of[status.status[i]])
    return end


@kernel
def place_bars(bars, at, end, base, window, window_bars):
    """Do for bars what `place_quotes` does for quotes; what a bar says goes to the row of `window_bars` with the same number."""
    beyond = base + len(window)
    for i in range(at, end):
        if bars.seq[i] >= beyond:
            return i
        place = bars.seq[i] - base
        row = window[place]
        _put_common(bars, i, Kind.BAR, row)
        _put_one(row, place)
        _put_bar(bars, i, window_bars[place])
    return end


@kernel
def _put_common(columns, i, kind, row):
    row["ts_ns"] = columns.ts_ns[i]
    row["seq"] = columns.seq[i]
    row["exch_ts_ns"] = columns.exch_ts_ns[i]
    row["symbol"] = columns.symbol_of[columns.symbol[i]]
    row["kind"] = kind


@kernel
def _put_one(row, value):
    """Write the payload of an event that has but one number, and clear the rest of the row."""
    row["row"] = value
    row["order_id"] = 0
    row["qty"] = 0
    row["leaves_qty"] = 0
    row["venue"] = -1
    row["flags"] = 0


@kernel
def _put_bar(source, i, bar):
    bar["start_ts_ns"] = source.start_ts_ns[i]
    bar["bar_s"] = source.bar_s[i]
    bar["open"] = source.open[i]
    bar["high"] = source.high[i]
    bar["low"] = source.low[i]
    bar["close"] = source.close[i]
    bar["volume"] = source.volume[i]
    bar["wap"] = source.wap[i]
    bar["count"] = source.bar_count[i]
    bar["what"] = source.what_of[source.what_to_show[i]]


@kernel
def first_fault(window, n, base, last_ts_ns):
    """Return the first of `n` rows that is not the next `seq` or goes back in time, or -1."""
    for i in range(n):
        if window[i]["seq"] != base + i or window[i]["ts_ns"] < last_ts_ns:
            return i
        last_ts_ns = window[i]["ts_ns"]
    return -1


@kernel
def merge_windows(windows, window_bars, at, end, counts, events, bars):
    """Append the rows of several windows in (ts_ns, session, seq) order until `events` is full or a window is used up.

    Parameters
    ----------
    windows, window_bars : EVENT and BAR arrays (n_sessions, rows)
        The window in hand of each session.
    at, end : int64 array (n_sessions,)
        Next row and end of each window; equal = no rows.
    counts : int64 array (3,)
        Rows in use of `events` and `bars`, and the next `seq`; updated.
    events, bars : EVENT and BAR arrays
        Written from `counts` on.
    """
    while counts[0] < len(events):
        part = _first_part(windows, at, end, -1)
        if part < 0:
            return
        limit_ts_ns = _NEVER
        rival = _first_part(windows, at, end, part)
        if rival >= 0:
            limit_ts_ns = windows[rival, at[rival]]["ts_ns"] + (1 if part < rival else 0)
        at[part] = _take_run(windows[part], window_bars[part], at[part], end[part], limit_ts_ns, counts, events, bars)
        if at[part] == end[part]:
            return


@kernel
def _first_part(windows, at, end, without):
    """Return the session with the earliest row, the first of them at equal times; -1 = none has rows."""
    part, first_ts_ns = -1, _NEVER
    for k in range(len(at)):
        if k != without and at[k] < end[k]:
            ts_ns = windows[k, at[k]]["ts_ns"]
            if part < 0 or ts_ns < first_ts_ns:
                part, first_ts_ns = k, ts_ns
    return part


@kernel
def _take_run(window, window_bars, first, end, limit_ts_ns, counts, events, bars):
    """Append the rows before the limit, as far as there is room; return the next row."""
    n, seq = counts[0], counts[2]
    for i in range(first, end):
        if n == len(events) or window[i]["ts_ns"] >= limit_ts_ns:
            end = i
            break
        if window[i]["symbol"] != UNSEEN:
            events[n] = window[i]
            events[n]["seq"] = seq
            if events[n]["kind"] == Kind.BAR:
                bars[counts[1]] = window_bars[window[i]["row"]]
                events[n]["row"] = counts[1]
                counts[1] += 1
            n += 1
        seq += 1
    counts[0], counts[2] = n, seq
    return end
