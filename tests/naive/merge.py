"""The plainest merge of a session's tables: put all rows into one list and sort it by (ts_ns, session, seq)."""

import pandas as pd


def merged_events(sessions, symbol_index, venue_index, start_ns=None, end_ns=None):
    """Return every wanted event as a tuple, from the DataFrames of sessions that are not merged.

    A tuple is (ts_ns, seq, exch_ts_ns or None, kind word, symbol number, what the row says, flags).
    """
    rows = []
    for part, session in enumerate(sessions):
        for kind, frame in _frames(session).items():
            rows += [(record["ts_ns"], part, record["seq"], kind, record) for record in frame.to_dict("records")]
    rows.sort(key=lambda row: row[:3])
    events = []
    for seq, (ts_ns, _, _, kind, record) in enumerate(rows):
        is_late = start_ns is not None and ts_ns < start_ns
        is_early = end_ns is not None and ts_ns >= end_ns
        symbol = -1 if record["symbol"] == "" else symbol_index.get(record["symbol"])
        if not is_late and not is_early and symbol is not None:
            exch_ts_ns = None if pd.isna(record["exch_ts_ns"]) else int(record["exch_ts_ns"])
            events.append((ts_ns, seq, exch_ts_ns, kind, symbol, _says(kind, record, venue_index), record.get("flags", 0)))
    return events


def _frames(session):
    return {"quote": session.quotes(), "trade": session.trades(), "bar": session.bars(), "status": session.status()}


def _says(kind, record, venue_index):
    if kind == "quote":
        return tuple(record[name] for name in ("bid", "bid_size", "ask", "ask_size"))
    if kind == "trade":
        return record["price"], record["size"], venue_index.get(record["exchange"], -1)
    if kind == "bar":
        names = ("start_ts_ns", "bar_s", "open", "high", "low", "close", "volume", "wap", "count", "what_to_show")
        return tuple(record[name] for name in names)
    return (record["status"],)
