"""LOBSTER: message files of Nasdaq stocks, with or without the orderbook file beside them.

`TICKER_YYYY-MM-DD_start_end_message_levels.csv` (or any name, with `--symbol` and `--date`) holds seconds after midnight in New
York, type, order id, size, price in 1e-4 dollars and the side of the resting order. Rules:

M1  The book is rebuilt from an empty start; a quote follows each message that changes price or size of the touch. Where an
    orderbook file with one row per message is given, its first level is the quote instead: it also knows the orders from before
    the file.
M2  Type 4 is a print against the displayed order, type 5 against a hidden one (flag HIDDEN: no displayed queue is consumed), type
    6 an auction's (flag AUCTION). The aggressor is opposite to the resting side: BUY or SELL.
M3  Type 7 is a halt: price -1 HALTED, 0 AUCTION (quotes resume), 1 RESUMED.
M4  Orders from before the file are unknown: their prints count, their other messages are left out and counted in the notes.
M5  A missing level of the orderbook file (price 9999999999 or -9999999999, size 0) is an empty side.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from replay.errors import DataError, UsageError
from replay.events import Flag
from replay.importers.book import Deed, rebuild_book
from replay.importers.files import Table, read_table
from replay.importers.imported import Imported
from replay.importers.options import ImportOptions
from replay.importers.orders_feed import message_frame, rebuild_notes, touch_frame
from replay.importers.quoting import empty_side, is_new, joined, present, quoted_prices, symbol_info
from replay.importers.times import DAY_NS, clock_ns

SOURCE = "lobster"
FILE_SCALE = 10_000
EXCHANGE = "NASDAQ"
NO_LEVEL = 9_999_999_999
ADD, REDUCE, DELETE, EXECUTE, HIDDEN, CROSS, HALT = 1, 2, 3, 4, 5, 6, 7
_DEEDS = np.array([0, Deed.ADD, Deed.REDUCE, Deed.DELETE, Deed.EXECUTE, 0, 0, 0], np.int64)
_HALTS = {-1: "halted", 0: "auction", 1: "resumed"}
_COLUMNS = ("time", "type", "order_id", "size", "price", "side")
_NAME = re.compile(r"(?P<symbol>[^_]+)_(?P<day>\d{4}-\d\d-\d\d)_\d+_\d+_(?P<kind>message|orderbook)_\d+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Tape:
    """The messages of one file as columns; prices in units, times in ns UTC."""

    table: Table
    symbol: str
    day: date
    ts_ns: np.ndarray
    kind: np.ndarray
    price: np.ndarray

    def column(self, name: str) -> np.ndarray:
        """Return a column of whole numbers."""
        return self.table.integers(name)


def read(paths: Sequence[Path], options: ImportOptions) -> Iterator[Imported]:
    """Read message files and the orderbook files that belong to them; yield one `Imported` per date."""
    if options.scale % FILE_SCALE:
        raise UsageError(f"LOBSTER prices are 1/{FILE_SCALE} dollars: the scale must be a multiple of it, got {options.scale}")
    books = [path for path in paths if "orderbook" in path.name.lower()]
    files = [path for path in paths if path not in books]
    if not files:
        raise UsageError("give the LOBSTER message file; an orderbook file alone has no times")
    tapes = [_read_tape(path, k, files, options) for k, path in enumerate(files)]
    for day in sorted({tape.day for tape in tapes}):
        parts = [_import_tape(tape, _book_of(tape, books), options) for tape in tapes if tape.day == day]
        yield _merge(parts)


def _merge(parts: Sequence[Imported]) -> Imported:
    if len(parts) == 1:
        return parts[0]
    streams = {stream for part in parts for stream in part.frames}
    frames = {stream: joined([part.frames[stream] for part in parts if stream in part.frames]) for stream in sorted(streams)}
    symbols = tuple(symbol for part in parts for symbol in part.symbols)
    notes = {part.symbols[0].name: part.notes for part in parts}
    return replace(parts[0], symbols=symbols, frames=present(**frames), notes=notes)


def _read_tape(path: Path, position: int, files: Sequence[Path], options: ImportOptions) -> Tape:
    symbol, day = _identity(path, position, files, options)
    table = read_table(path, names=_COLUMNS)
    seconds = table.numbers("time")
    table.refuse((seconds < 0) | (seconds * 1e9 >= DAY_NS), "time", "seconds after midnight (0 to 86400)")
    table.refuse_disorder(seconds, "time")
    kind = table.integers("type")
    table.refuse((kind < ADD) | (kind > HALT), "type", "a message type from 1 to 7")
    table.refuse((np.abs(table.integers("side")) != 1) & (kind < CROSS), "side", "1 (bid) or -1 (ask)")
    table.refuse(table.integers("size") < 0, "size", "a size of 0 or more")
    table.refuse((table.integers("price") <= 0) & (kind < HALT), "price", "a price above 0")
    ts_ns = clock_ns(np.rint(seconds * 1e9).astype(np.int64), day, options.zone)
    return Tape(table, symbol, day, ts_ns, kind, table.integers("price") * (options.scale // FILE_SCALE))


def _identity(path: Path, position: int, files: Sequence[Path], options: ImportOptions) -> tuple[str, date]:
    match = _NAME.match(path.name)
    named = options.symbols[position] if len(options.symbols) == len(files) else None
    symbol = named or (match["symbol"].upper() if match else None)
    day = options.day or (date.fromisoformat(match["day"]) if match else None)
    if symbol is None or day is None:
        raise UsageError(f"`{path.name}` is not named TICKER_YYYY-MM-DD_start_end_message_levels.csv; give --symbol and --date")
    return symbol, day


def _book_of(tape: Tape, books: Sequence[Path]) -> Path | None:
    """Find the orderbook file of a message file: same ticker and date in its name, or the only one given."""
    for path in books:
        match = _NAME.match(path.name)
        if match and (match["symbol"].upper(), match["day"]) == (tape.symbol, tape.day.isoformat()):
            return path
    return books[0] if len(books) == 1 and not _NAME.match(books[0].name) else None


def _import_tape(tape: Tape, book: Path | None, options: ImportOptions) -> Imported:
    rows = np.arange(len(tape.kind))
    rebuilt = rebuild_book(
        _DEEDS[tape.kind], tape.column("order_id"), tape.column("side"), tape.price, tape.column("size"), np.ones(len(rows), bool)
    )
    quotes = touch_frame(rebuilt, tape.ts_ns, tape.ts_ns, rows, tape.symbol)
    notes: dict[str, object] = {**rebuild_notes(rebuilt), "quotes_from": "rebuilt book"}
    if book is not None:
        given = read_table(book, names=None if _has_header(book) else _book_columns(book))
        if len(given) == len(rows):
            quotes = _book_quotes(given, tape, options)
            notes["quotes_from"] = book.name
        else:
            notes["orderbook_file"] = (
                f"{book.name} has {len(given)} rows for {len(rows)} messages: it belongs to other messages, not used"
            )
    frames = present(quotes=quotes, trades=_trades(tape), status=_status(tape), messages=message_frame(rebuilt, _messages(tape)))
    known = {"evidence": "message_level", "ts_source": "exchange", "primary_exchange": EXCHANGE}
    symbol = symbol_info(tape.symbol, quoted_prices(quotes, tape.symbol), options, **known)
    return Imported(day=tape.day, symbols=(symbol,), source=SOURCE, scale=options.scale, frames=frames, notes=notes)


def _has_header(book: Path) -> bool:
    with book.open(encoding="utf-8", errors="replace") as file:
        return any(letter.isalpha() for letter in file.readline())


def _book_columns(book: Path) -> list[str]:
    with book.open(encoding="utf-8", errors="replace") as file:
        width = file.readline().count(",") + 1
    if width < 4:
        raise DataError(f"`{book}` has {width} columns; expected ask, ask size, bid, bid size for each level")
    return ["ask", "ask_size", "bid", "bid_size", *(f"deeper{k}" for k in range(width - 4))]


def _book_quotes(given: Table, tape: Tape, options: ImportOptions) -> pd.DataFrame:
    sides: dict[str, np.ndarray] = {}
    for side in ("bid", "ask"):
        price = given.integers(side)
        price = np.where(np.abs(price) == NO_LEVEL, 0, price) * (options.scale // FILE_SCALE)
        sides[side], sides[f"{side}_size"] = empty_side(price, given.sizes(f"{side}_size"))
    frame = pd.DataFrame({"ts_ns": tape.ts_ns, "exch_ts_ns": tape.ts_ns, "symbol": tape.symbol, **sides})
    frame["order"] = np.arange(len(frame)) * 2 + 1
    return frame[is_new(*sides.values())].reset_index(drop=True)


def _trades(tape: Tape) -> pd.DataFrame:
    side, size = tape.column("side"), tape.column("size")
    flags = np.where(side > 0, int(Flag.SELL), int(Flag.BUY))
    flags = np.where(tape.kind == CROSS, int(Flag.AUCTION), flags)
    flags |= np.where(tape.kind == HIDDEN, int(Flag.HIDDEN), 0)
    words = np.full(len(side), "", dtype=object)
    words[tape.kind == HIDDEN] = "hidden"
    words[tape.kind == CROSS] = "cross"
    frame = pd.DataFrame(
        {"ts_ns": tape.ts_ns, "exch_ts_ns": tape.ts_ns, "symbol": tape.symbol, "price": tape.price, "size": size}
    )
    frame["exchange"], frame["conditions"], frame["flags"] = EXCHANGE, pd.Series(words, dtype="str"), flags
    frame["order"] = np.arange(len(frame)) * 2
    return frame[np.isin(tape.kind, (EXECUTE, HIDDEN, CROSS)) & (size > 0)].reset_index(drop=True)


def _status(tape: Tape) -> pd.DataFrame:
    is_halt = tape.kind == HALT
    codes = tape.column("price")[is_halt]
    words = pd.Series([_HALTS.get(int(code), "halted") for code in codes], dtype="str")
    times = tape.ts_ns[is_halt]
    rows = np.flatnonzero(is_halt) * 2
    return pd.DataFrame({"ts_ns": times, "exch_ts_ns": times, "symbol": tape.symbol, "status": words, "order": rows})


def _messages(tape: Tape) -> pd.DataFrame:
    columns = {"order_id": tape.column("order_id"), "side": tape.column("side"), "price": tape.price, "size": tape.column("size")}
    frame = pd.DataFrame({"ts_ns": tape.ts_ns, "exch_ts_ns": tape.ts_ns, "symbol": tape.symbol, **columns})
    frame["is_hidden"] = tape.kind == HIDDEN
    frame["order"] = np.arange(len(frame))
    return frame
