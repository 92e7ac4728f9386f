"""What rows must satisfy to enter a session, and the flags that follow from them.

Kept and flagged, because feeds really send them: crossed and locked quotes, prices off the tick grid, rows outside regular
hours, prints without a venue. Kept, because they are facts: duplicates. Refused: what cannot be a price, a size or a time.
An empty side of a quote is price 0 with size 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from replay.calendar import Hours
from replay.errors import DataError
from replay.events import NO_TIME, WHAT_TO_SHOW, Flag, MessageAction, Status
from replay.session.columns import refuse
from replay.session.manifest import SymbolInfo
from replay.session.tape import is_late, is_off_exchange
from replay.session.ticks import is_off_tick, ticks_by_name

DAY_NS = 86_400_000_000_000
MARGIN_NS = DAY_NS  # a session may begin on the evening before its date
_DERIVED = {
    "quotes": Flag.CROSSED | Flag.LOCKED | Flag.OFF_TICK | Flag.EXTENDED,
    "trades": Flag.OFF_TICK | Flag.EXTENDED | Flag.NO_VENUE,
}
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What rows are checked against."""

    day: date
    scale: int
    symbols: Sequence[SymbolInfo]
    hours: Hours


def check_rows(stream: str, columns: dict[str, Any], terms: Terms) -> None:
    """Check the rows of a stream and complete their flags, in place."""
    _check_symbols(stream, columns["symbol"], terms)
    _check_times(stream, columns["ts_ns"], terms)
    {"quotes": _quotes, "trades": _trades, "bars": _bars, "status": _status, "messages": _messages}[stream](columns)
    if stream in _DERIVED:
        columns["flags"] = _flags(stream, columns, terms)
        columns["past_limit"] = (columns["flags"] & Flag.PAST_LIMIT) != 0
    if stream == "trades":
        columns["unreported"] = (columns["flags"] & Flag.UNREPORTED) != 0


def word_table(words: Any, table: Mapping[str, int], absent: int) -> np.ndarray:
    """Map the dictionary of a text column to numbers, one per word."""
    return np.array([table.get(word, absent) for word in words.dictionary.to_pylist()], np.int64)


def spread(words: Any, numbers: np.ndarray) -> np.ndarray:
    """Give every row the number of its word."""
    return numbers[words.indices.to_numpy(zero_copy_only=False)] if len(words) else np.zeros(0, np.int64)


def _check_words(stream: str, name: str, words: Any, known: Sequence[str], what: str) -> None:
    index = word_table(words, {word: i for i, word in enumerate(known)}, -1)
    if (index < 0).any():
        bad = spread(words, index) < 0
        if bad.any():
            row = int(np.argmax(bad))
            shown = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
            raise DataError(f"{stream}.{name} is '{words[row].as_py()}' at row {row}; {what}: {shown}")


def _check_symbols(stream: str, symbols: Any, terms: Terms) -> None:
    known = [info.name for info in terms.symbols] + ([""] if stream == "status" else [])
    _check_words(stream, "symbol", symbols, known, "add it to `symbols`, which has")


def _check_times(stream: str, ts_ns: np.ndarray, terms: Terms) -> None:
    start_ns = (terms.day.toordinal() - _EPOCH_ORDINAL) * DAY_NS
    bad = (ts_ns < start_ns - MARGIN_NS) | (ts_ns >= start_ns + DAY_NS + MARGIN_NS)
    if bad.any():
        value = int(ts_ns[np.argmax(bad)])
        refuse(
            stream, "ts_ns", bad, ts_ns, f"nanoseconds since 1970 (UTC) within a day of {terms.day}{unit_hint(value, start_ns)}"
        )


def unit_hint(value: int, expected_ns: int) -> str:
    """Say which unit a time seems to have, when it is not nanoseconds."""
    for unit, factor in (("seconds", 10**9), ("milliseconds", 10**6), ("microseconds", 10**3)):
        if abs(value * factor - expected_ns) < 400 * DAY_NS:
            return f"; this looks like {unit}: multiply by {factor:_}"
    return ""


def _quotes(columns: dict[str, Any]) -> None:
    for price, size in (("bid", "bid_size"), ("ask", "ask_size")):
        refuse("quotes", price, columns[price] < 0, columns[price], "a price, or 0 with size 0 for an empty side")
        refuse("quotes", size, columns[size] < 0, columns[size], "shares, or 0 with price 0 for an empty side")
        half = (columns[price] == 0) != (columns[size] == 0)
        if half.any():
            row = int(np.argmax(half))
            raise DataError(
                f"quotes have {price} {columns[price][row]} with {size} {columns[size][row]} at row {row} "
                f"({int(half.sum())} such rows); an empty side is price 0 and size 0"
            )


def _trades(columns: dict[str, Any]) -> None:
    refuse("trades", "price", columns["price"] <= 0, columns["price"], "a positive price")
    refuse("trades", "size", columns["size"] <= 0, columns["size"], "a positive number of shares")


def _bars(columns: dict[str, Any]) -> None:
    for name in ("open", "high", "low", "close"):
        refuse("bars", name, columns[name] <= 0, columns[name], "a positive price")
    refuse("bars", "high", columns["high"] < columns["low"], columns["high"], "a high not below the low")
    refuse("bars", "bar_s", columns["bar_s"] <= 0, columns["bar_s"], "a positive number of seconds")
    for name in ("volume", "count"):
        refuse("bars", name, columns[name] < -1, columns[name], "0 or more, or -1 where unknown")
    wap = columns["wap"]
    refuse("bars", "wap", ~np.isnan(wap) & ~((wap > 0) & np.isfinite(wap)), wap, "a positive price, or NaN where unknown")
    early = columns["start_ts_ns"] > columns["ts_ns"]
    refuse("bars", "start_ts_ns", early, columns["start_ts_ns"], "a bar that starts before its ts_ns, the time it was known")
    _check_words("bars", "what_to_show", columns["what_to_show"], WHAT_TO_SHOW, "known are")


def _status(columns: dict[str, Any]) -> None:
    _check_words("status", "status", columns["status"], [status.name.lower() for status in Status], "known are")


def _messages(columns: dict[str, Any]) -> None:
    _check_words("messages", "action", columns["action"], [action.name.lower() for action in MessageAction], "known are")
    refuse("messages", "size", columns["size"] < 0, columns["size"], "0 or more shares")
    refuse("messages", "side", np.abs(columns["side"]) > 1, columns["side"], "1 (bid), -1 (ask) or 0 (neither)")


def _flags(stream: str, columns: dict[str, Any], terms: Terms) -> np.ndarray:
    flags: np.ndarray = columns["flags"] & ~np.int32(_DERIVED[stream])
    ts_ns = columns["ts_ns"]
    is_extended = (ts_ns < terms.hours.open_ns) | (ts_ns >= terms.hours.close_ns)
    rules = [(columns["past_limit"], Flag.PAST_LIMIT), (is_extended, Flag.EXTENDED)]
    rules += _quote_rules(columns, terms) if stream == "quotes" else _trade_rules(columns, terms)
    for mask, flag in rules:
        flags[mask] |= np.int32(flag)
    return flags


def _quote_rules(columns: dict[str, Any], terms: Terms) -> list[tuple[Any, Flag]]:
    bid, ask = columns["bid"], columns["ask"]
    both = (bid > 0) & (ask > 0)
    ticks = _ticks(columns, terms)
    is_off = is_off_tick(bid, ticks, terms.scale) | is_off_tick(ask, ticks, terms.scale)
    return [(both & (bid > ask), Flag.CROSSED), (both & (bid == ask), Flag.LOCKED), (is_off, Flag.OFF_TICK)]


def _trade_rules(columns: dict[str, Any], terms: Terms) -> list[tuple[Any, Flag]]:
    import pyarrow.compute as pc

    exchange = columns["exchange"]
    nowhere = word_table(exchange, {"": 1}, 0)
    outside = np.array([is_off_exchange(word) for word in exchange.dictionary.to_pylist()], np.int64)
    exch_ts_ns = pc.fill_null(columns["exch_ts_ns"], NO_TIME).to_numpy(zero_copy_only=False)
    return [
        (columns["unreported"], Flag.UNREPORTED),
        (is_off_tick(columns["price"], _ticks(columns, terms), terms.scale), Flag.OFF_TICK),
        (spread(exchange, nowhere) == 1, Flag.NO_VENUE),
        (spread(exchange, outside) == 1, Flag.OFF_EXCHANGE),
        (is_late(columns["ts_ns"], exch_ts_ns), Flag.LATE),
    ]


def _ticks(columns: dict[str, Any], terms: Terms) -> dict[str, np.ndarray]:
    """Return tick and tick below a dollar of each row's symbol."""
    names = ticks_by_name(terms.symbols, terms.scale)
    words = columns["symbol"]
    return {
        key: spread(words, word_table(words, {name: ticks[k] for name, ticks in names.items()}, 1))
        for k, key in enumerate(("tick", "low_tick"))
    }
