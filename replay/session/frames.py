"""From DataFrames as people have them (dollars, datetimes) to the integers of a session."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from difflib import get_close_matches
from typing import Any

import numpy as np

from replay.calendar import new_york_date
from replay.errors import DataError, UsageError
from replay.session.build import build_tables
from replay.session.columns import check_names, integers, refuse
from replay.session.digest import StreamDigest, session_digest
from replay.session.manifest import Manifest, StreamInfo, SymbolInfo
from replay.session.reader import Recording, TableSource
from replay.session.tables import COLUMNS, Column

_EXACT_UNITS = 1e-3  # a price may be this far from a whole number of price units: the error of a float, not of a price
_WAP_DECIMALS = 6  # of a price unit; what lies below is the error of a float
_MIN_NS = 10**17  # 1973: a smaller time is not in nanoseconds
_SOURCE = "frames"


def recording_from_frames(
    frames: Mapping[str, Any], *, symbols: Mapping[str, Any] | None, day: date | None, scale: int, calendar: str | None
) -> Recording:
    """Build a recording in memory; see `Session.from_frames`."""
    given = {name: frame for name, frame in frames.items() if frame is not None and len(frame)}
    whole = {name: _whole_frame(name, frame, scale) for name, frame in given.items()}
    if not whole:
        raise DataError("the session is empty: no frame has a row; give at least one quote, trade, bar or message")
    infos = _symbol_infos(symbols, whole, scale)
    day = day or new_york_date(min(int(frame["ts_ns"].min()) for frame in whole.values()))
    built = build_tables(whole, day=day, symbols=infos, scale=scale, calendar=calendar)
    streams = {name: _stream_info(name, table, built.resorted_rows[name]) for name, table in built.tables.items()}
    manifest = Manifest(
        day=day,
        source=_SOURCE,
        scale=int(scale),
        hours=built.hours,
        symbols=infos,
        venues=_venues(built.tables),
        streams=streams,
        digest=session_digest(built.hours, int(scale), infos, {name: info.digest for name, info in streams.items()}),
    )
    return Recording(manifest, {name: TableSource(table, name) for name, table in built.tables.items()})


def _whole_frame(stream: str, frame: Any, scale: int) -> Any:
    """Return a copy with integer prices and times."""
    import pandas as pd

    frame = pd.DataFrame(frame)  # a copy of columns, not of rows: what is changed is assigned anew
    check_names(stream, list(frame.columns))
    for column in COLUMNS[stream]:
        if column.name not in frame.columns:
            continue
        if column.name.endswith("ts_ns"):
            frame[column.name] = _instants(stream, column, frame[column.name])
        elif column.unit == "price" and column.kind == "float64":
            frame[column.name] = np.round(frame[column.name] * scale, _WAP_DECIMALS)
        elif column.unit == "price":
            frame[column.name] = _units(stream, column.name, frame, scale)
    for side in ("bid_size", "ask_size"):
        if stream == "quotes" and side in frame.columns:
            frame[side] = frame[side].where(frame[side].notna() | (frame[side[:3]] != 0), 0)
    return frame


def _instants(stream: str, column: Column, values: Any) -> Any:
    if getattr(values.dtype, "kind", "O") == "M":
        return _from_datetimes(stream, column, values)
    if column.default is None:
        return values
    ts_ns = integers(stream, column, values)
    hint = "nanoseconds since 1970 (UTC); seconds are multiplied by 1_000_000_000"
    refuse(stream, column.name, ts_ns < _MIN_NS, ts_ns, hint)
    return ts_ns


def _from_datetimes(stream: str, column: Column, values: Any) -> Any:
    import pandas as pd

    if getattr(values.dtype, "tz", None) is None:
        raise DataError(
            f"{stream}.{column.name} holds datetimes without a time zone; use .dt.tz_localize('America/New_York') or 'UTC'"
        )
    missing = values.isna().to_numpy()
    ts_ns = values.dt.tz_convert("UTC").dt.tz_localize(None).dt.as_unit("ns").to_numpy().view("i8")
    if column.default is None:
        return pd.arrays.IntegerArray(ts_ns.copy(), missing)
    refuse(stream, column.name, missing, ts_ns, "a time", "is missing (NaT)")
    return ts_ns


def _units(stream: str, name: str, frame: Any, scale: int) -> np.ndarray:
    values = frame[name]
    if getattr(values.dtype, "kind", "O") in "iub":
        raise DataError(
            f"{stream}.{name} holds integers, from_frames expects dollars as floats ({float(values.iloc[0])}); "
            "integer price units go to replay.session.build.write_session"
        )
    dollars = _floats(stream, name, values)
    if stream == "quotes":
        dollars[np.isnan(dollars) & (np.nan_to_num(_floats(stream, f"{name}_size", frame[f"{name}_size"])) == 0)] = 0.0
    got = "is missing (NaN)" if np.isnan(dollars).any() else ""
    refuse(stream, name, ~np.isfinite(dollars), dollars, "a price in dollars", got)
    scaled = dollars * scale
    refuse(stream, name, np.abs(scaled) >= 2**53, dollars, f"a price below {2**53 // scale} dollars")
    units: np.ndarray = np.rint(scaled)
    off = np.abs(scaled - units) > _EXACT_UNITS
    refuse(stream, name, off, dollars, f"a multiple of 1/{scale} dollar; round it, or pass a larger scale")
    return np.asarray(units, np.int64)


def _floats(stream: str, name: str, values: Any) -> np.ndarray:
    try:
        numbers: np.ndarray = np.array(values.astype("float64"), np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{stream}.{name} must hold numbers ({error})") from None
    return numbers


def _symbol_infos(symbols: Mapping[str, Any] | None, frames: Mapping[str, Any], scale: int) -> tuple[SymbolInfo, ...]:
    if symbols is None:
        names = {name for frame in frames.values() if "symbol" in frame.columns for name in frame["symbol"].dropna().unique()}
        return tuple(SymbolInfo(name=str(name), tick=max(1, scale // 100)) for name in sorted(names - {""}))
    if not isinstance(symbols, Mapping):
        raise UsageError(
            f"symbols must be a mapping of name to fields such as {{'SPY': {{'tick': 0.01}}}}, got {type(symbols).__name__}"
        )
    return tuple(_symbol_info(name, given, scale) for name, given in symbols.items())


def _symbol_info(name: str, given: Any, scale: int) -> SymbolInfo:
    if isinstance(given, SymbolInfo):
        return given
    known = [field.name for field in fields(SymbolInfo)]
    for key in given or {}:
        if key not in known:
            close = get_close_matches(str(key), known, 1)
            raise UsageError(
                f"symbol '{name}' has the unknown field '{key}'; {f'did you mean {close[0]!r}?' if close else known}"
            )
    dollars = float((given or {}).get("tick", 0.01))
    tick = round(dollars * scale)
    if tick <= 0 or abs(dollars * scale - tick) > _EXACT_UNITS:
        raise DataError(
            f"symbol '{name}': tick {dollars} dollars is no multiple of 1/{scale} dollar; correct it or pass a larger scale"
        )
    return SymbolInfo(**{**(given or {}), "name": name, "tick": tick})


def _stream_info(stream: str, table: Any, resorted_rows: int) -> StreamInfo:
    digest = StreamDigest(stream)
    digest.update(table)
    ts_ns = table.column("ts_ns")
    first, last = ts_ns[0].as_py(), ts_ns[-1].as_py()
    return StreamInfo(
        rows=table.num_rows, first_ts_ns=first, last_ts_ns=last, digest=digest.hexdigest(), resorted_rows=resorted_rows
    )


def _venues(tables: Mapping[str, Any]) -> tuple[str, ...]:
    if "trades" not in tables:
        return ()
    return tuple(word for word in tables["trades"].column("exchange").unique().to_pylist() if word)
