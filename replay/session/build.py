"""Build a session from frames: check, sort, number, flag; then write it, or hand the tables to a session in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from replay.calendar import Hours, trading_hours
from replay.errors import DataError
from replay.session.columns import as_table, frame_columns, frame_order
from replay.session.manifest import SymbolInfo, check_symbols
from replay.session.order import resorted_rows, sequence
from replay.session.rules import Terms, check_rows
from replay.session.tables import EVENT_STREAMS, STREAMS, schema
from replay.session.writer import SessionWriter, check_target

__all__ = ["SymbolInfo", "build_tables", "write_session"]


@dataclass(frozen=True, slots=True)
class Built:
    """Sorted, numbered and flagged tables, with the number of rows that came out of time order."""

    tables: Mapping[str, Any]
    resorted_rows: Mapping[str, int]
    hours: Hours


def write_session(
    folder: str | Path,
    *,
    day: date,
    symbols: Sequence[SymbolInfo],
    source: str,
    scale: int = 10_000,
    quotes: Any = None,
    trades: Any = None,
    bars: Any = None,
    status: Any = None,
    messages: Any = None,
    notes: Mapping[str, object] | None = None,
    calendar: str | None = None,
) -> Path:
    """Check, sort and write a session; the folder appears complete or not at all.

    Parameters
    ----------
    folder : str or Path
        The session's folder. A session of the same source there is replaced; anything else is refused.
    day : datetime.date
        Calendar date in New York.
    symbols : sequence of SymbolInfo
        Every symbol that the frames name.
    source : str
        Where the data came from.
    scale : int
        Price units per dollar.
    quotes, trades, bars, status, messages : DataFrame or mapping of columns, optional
        Columns of `replay.session.tables.COLUMNS` without `seq`; prices are integers in price units. A column `order`
        (int64) states the source's own order of rows with equal `ts_ns`, across frames; so does a `seq` read back.
    notes : mapping, optional
        Anything else worth keeping, as JSON values.
    calendar : str, optional
        Without a name: `XNYS` on its trading days, else `24/7`.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    DataError
        For rows that cannot be right; names frame, column and row.
    UsageError
        If the folder holds something else.
    """
    check_target(Path(folder), source, day)
    frames = {"quotes": quotes, "trades": trades, "bars": bars, "status": status, "messages": messages}
    built = build_tables(frames, day=day, symbols=symbols, scale=scale, calendar=calendar)
    with SessionWriter(folder, day=day, symbols=symbols, source=source, scale=scale, hours=built.hours, notes=notes) as writer:
        for stream, table in built.tables.items():
            writer.append_table(stream, table, resorted_rows=built.resorted_rows[stream])
    return writer.folder


def build_tables(
    frames: Mapping[str, Any], *, day: date, symbols: Sequence[SymbolInfo], scale: int, calendar: str | None = None
) -> Built:
    """Turn frames into the tables of a session; see `write_session`."""
    terms = _terms(day, symbols, scale, calendar)
    given = {name: frames[name] for name in STREAMS if frames.get(name) is not None and len(frames[name]) > 0}
    columns = {name: frame_columns(name, frame) for name, frame in given.items()}
    columns = {name: parts for name, parts in columns.items() if len(parts["ts_ns"])}
    for name, parts in columns.items():
        check_rows(name, parts, terms)
    if not columns:
        raise DataError(f"the session of {day} is empty: no frame has a row; give at least one quote, trade, bar or message")
    orders = {name: frame_order(name, given[name]) for name in columns}
    tables: dict[str, Any] = {}
    for group in (EVENT_STREAMS, ("messages",)):
        members = {name: columns[name] for name in group if name in columns}
        if members:
            places = sequence(members, orders)
            tables |= {name: _sorted_table(name, members[name], *places[name]) for name in members}
    return Built(tables, {name: resorted_rows(parts["ts_ns"]) for name, parts in columns.items()}, terms.hours)


def _terms(day: date, symbols: Sequence[SymbolInfo], scale: int, calendar: str | None) -> Terms:
    check_symbols(symbols)
    if scale <= 0 or scale != int(scale):
        raise DataError(f"scale must be a positive integer (price units per dollar), got {scale!r}")
    return Terms(day=day, scale=int(scale), symbols=symbols, hours=trading_hours(day, calendar))


def _sorted_table(stream: str, columns: Mapping[str, Any], permutation: np.ndarray, seq: np.ndarray) -> Any:
    table = as_table({**columns, "seq": np.zeros(len(seq), np.int64)}, schema(stream))
    if not np.array_equal(permutation, np.arange(len(permutation))):
        table = table.take(permutation)
    at = table.schema.get_field_index("seq")
    return table.set_column(at, table.schema.field(at), [seq]).combine_chunks()
