"""From a frame (pandas or a mapping of columns) to a typed arrow table: types, absent columns, missing values.

What a value means is checked in `rules.py`; here only whether it can be such a value at all.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np

from replay.errors import DataError
from replay.events import NO_TIME
from replay.session.tables import COLUMNS, REQUIRED, Column

ORDER = "order"


def frame_columns(stream: str, frame: Any) -> dict[str, Any]:
    """Return every column of a stream but `seq` as numpy array or (strings, nullable times) arrow array.

    Parameters
    ----------
    stream : str
        `quotes`, `trades`, `bars`, `status` or `messages`.
    frame : DataFrame or mapping of str to sequence
        Absent optional columns get their defaults.

    Raises
    ------
    DataError
        For unknown or absent columns, wrong types and missing values; names frame, row and column.
    """
    present = list(frame.keys())
    check_names(stream, present)
    rows = len(frame[present[0]]) if present else 0
    columns: dict[str, Any] = {}
    for column in COLUMNS[stream]:
        if column.name == "seq":
            continue
        raw = frame[column.name] if column.name in present else None
        columns[column.name] = _default(column, rows) if raw is None else _typed(stream, column, raw)
        if len(columns[column.name]) != rows:
            raise DataError(
                f"{stream}.{column.name} has {len(columns[column.name])} rows, {present[0]} has {rows}; make them equal"
            )
    return columns


def frame_order(stream: str, frame: Any) -> np.ndarray | None:
    """Return the source's own order of the rows across frames: column `order`, else `seq`, else None."""
    for name in (ORDER, "seq"):
        if name in frame.keys():  # noqa: SIM118 - a frame is no mapping of its columns to `in`
            return integers(stream, Column(name, "int64"), frame[name])
    return None


def check_names(stream: str, present: list[Any]) -> None:
    """Refuse unknown columns and the lack of required ones."""
    known = [column.name for column in COLUMNS[stream]] + [ORDER]
    for name in present:
        if name not in known:
            close = get_close_matches(str(name), known, 1)
            hint = f"did you mean '{close[0]}'?" if close else f"known are {', '.join(known)}"
            raise DataError(f"{stream} has the unknown column '{name}'; {hint}")
    for column in COLUMNS[stream]:
        if column.default is REQUIRED and column.name not in present and column.name != "seq":
            raise DataError(f"{stream} lacks the column '{column.name}'; it has {', '.join(map(str, present)) or 'none'}")


def _default(column: Column, rows: int) -> Any:
    import pyarrow as pa

    if column.default is None:
        return pa.nulls(rows, pa.int64())
    if column.kind == "string":
        return pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), pa.array([column.default], pa.string()))
    return np.full(rows, column.default, column.kind)


def _typed(stream: str, column: Column, raw: Any) -> Any:
    if column.kind == "string":
        return _words(stream, column, raw)
    if column.default is None:
        return _nullable_times(stream, column, raw)
    if column.kind == "float64":
        return _floats(stream, column, raw)
    if column.kind == "bool":
        return integers(stream, column, raw) != 0
    values = integers(stream, column, raw)
    limits = np.iinfo(column.kind)
    refuse(stream, column.name, (values < limits.min) | (values > limits.max), values, f"a number that fits {column.kind}")
    return values.astype(column.kind)


def _words(stream: str, column: Column, raw: Any) -> Any:
    import pyarrow as pa

    try:
        words = pa.array(raw, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(f"{stream}.{column.name} must hold text, got a mixture ({error}); convert it with astype(str)") from None
    words = words.combine_chunks() if isinstance(words, pa.ChunkedArray) else words
    if pa.types.is_dictionary(words.type):
        words = words.dictionary_decode()
    if not (pa.types.is_string(words.type) or pa.types.is_large_string(words.type) or pa.types.is_null(words.type)):
        raise DataError(f"{stream}.{column.name} must hold text, got {words.type}; convert it with astype(str)")
    if words.null_count:
        if column.default is REQUIRED:
            row = int(np.argmax(words.is_null().to_numpy(zero_copy_only=False)))
            raise DataError(f"{stream}.{column.name} is missing at row {row}; give every row its text")
        words = words.cast(pa.string()).fill_null(column.default)
    return words.cast(pa.string()).dictionary_encode()


def _nullable_times(stream: str, column: Column, raw: Any) -> Any:
    import pyarrow as pa

    if isinstance(raw, np.ndarray) and raw.dtype.kind == "i":
        return pa.array(raw.astype(np.int64), mask=raw == NO_TIME)
    try:
        times = pa.array(raw, from_pandas=True)
        times = times.combine_chunks() if isinstance(times, pa.ChunkedArray) else times
        if pa.types.is_floating(times.type) and times.null_count < len(times):
            raise DataError(f"{stream}.{column.name} is float, which loses nanoseconds; use astype('Int64') with missing values")
        times = times.cast(pa.int64())
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise DataError(f"{stream}.{column.name} must hold int64 nanoseconds or be missing ({error})") from None
    values = times.fill_null(NO_TIME).to_numpy(zero_copy_only=False)
    return pa.array(values, mask=values == NO_TIME)


def _floats(stream: str, column: Column, raw: Any) -> np.ndarray:
    try:
        values = np.array(raw, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{stream}.{column.name} must hold numbers ({error})") from None
    values[np.isnan(values)] = np.nan  # one NaN only: the digest sees its bits
    return values


def integers(stream: str, column: Column, raw: Any) -> np.ndarray:
    """Return a column as int64, or say which row is no whole number."""
    missing = _missing(raw)
    refuse(stream, column.name, missing, missing, "a number", "is missing (NaN)")
    values = np.asarray(raw)
    kind = values.dtype.kind
    if kind == "O":
        values = _from_objects(stream, column, values)
    elif kind == "f":
        _check_float(stream, column, values)
    elif kind not in "iub":
        raise DataError(f"{stream}.{column.name} must hold integers, got {values.dtype}{_time_hint(kind)}")
    return values.astype(np.int64)


def _missing(raw: Any) -> np.ndarray:
    if hasattr(raw, "isna"):
        return np.asarray(raw.isna(), bool)
    values = np.asarray(raw)
    if values.dtype.kind == "O":
        return np.array([value is None or value != value for value in values], bool)  # NaN is not itself
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)


def _from_objects(stream: str, column: Column, values: np.ndarray) -> np.ndarray:
    bad = np.array([not isinstance(value, (int, np.integer)) for value in values], bool)
    refuse(stream, column.name, bad, values, "an integer")
    return values.astype(np.int64)


def _check_float(stream: str, column: Column, values: np.ndarray) -> None:
    if column.unit == "price" and len(values):
        raise DataError(
            f"{stream}.{column.name} is {values.dtype} ({values[0]} at row 0), expected integers in price units "
            "(1/scale dollars); Session.from_frames takes dollars"
        )
    if column.name.endswith("ts_ns") and len(values):
        raise DataError(f"{stream}.{column.name} is {values.dtype}, which loses nanoseconds; use int64")
    refuse(stream, column.name, ~np.isfinite(values) | (values != np.floor(values)), values, "a whole number")


def _time_hint(kind: str) -> str:
    return "; Session.from_frames takes datetimes with a time zone" if kind == "M" else ""


def refuse(stream: str, name: str, bad: np.ndarray, values: Any, expected: str, got: str = "") -> None:
    """Raise the sentence for the first bad row, if there is one."""
    if not bad.any():
        return
    row = int(np.argmax(bad))
    count = int(bad.sum())
    more = f" ({count} such rows)" if count > 1 else ""
    raise DataError(f"{stream}.{name} {got or f'is {values[row]}'} at row {row}{more}; expected {expected}")


def as_table(columns: Mapping[str, Any], schema: Any) -> Any:
    """Build the arrow table of a stream from its columns, in the order of the schema."""
    import pyarrow as pa

    arrays = [columns[field.name] for field in schema]
    arrays = [pa.array(array) if isinstance(array, np.ndarray) else array for array in arrays]
    return pa.table(arrays, schema=schema)
