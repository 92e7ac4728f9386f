"""Tables of a session as pandas DataFrames, and its messages as structured arrays."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from replay.errors import UsageError
from replay.events import MessageAction
from replay.session.arrays import column_array, column_words
from replay.session.merged import merged_seq
from replay.session.reader import Recording, groups_between
from replay.session.tables import COLUMNS, MESSAGE, column_names, schema

if TYPE_CHECKING:
    import pandas as pd


def stream_frame(recordings: Sequence[Recording], stream: str, symbol: str | None, prices: str) -> "pd.DataFrame":
    """Return a stream in replay order.

    Parameters
    ----------
    recordings : sequence of Recording
        The parts of the session.
    stream : str
        Name of the table.
    symbol : str, optional
        Only the rows of this symbol.
    prices : {"int", "float"}
        Price units as stored, or dollars; an empty side is NaN in dollars.
    """
    import pandas as pd

    if prices not in ("int", "float"):
        raise UsageError(f"prices must be 'int' or 'float', got {prices!r}")
    frames = [_part_frame(recordings, k, stream, symbol) for k in range(len(recordings))]
    frame = frames[0] if len(frames) == 1 else pd.concat(frames).sort_values("seq", ignore_index=True)
    if prices == "float":
        _to_dollars(frame, stream, recordings[0].manifest.scale)
    return frame


def _part_frame(recordings: Sequence[Recording], part: int, stream: str, symbol: str | None) -> "pd.DataFrame":
    import pandas as pd
    import pyarrow as pa

    tables = [_of_symbol(table, symbol) for _, table in recordings[part].groups(stream)]
    table = pa.concat_tables(tables) if tables else schema(stream).empty_table()
    frame = pd.DataFrame({column.name: _series(table.column(column.name), column.kind) for column in COLUMNS[stream]})
    if len(recordings) > 1:
        times, seq = frame["ts_ns"].to_numpy(), frame["seq"].to_numpy()
        frame["seq"] = merged_seq(recordings, part, times, seq, is_message=stream == "messages")
    return frame


def _of_symbol(table: Any, symbol: str | None) -> Any:
    if symbol is None:
        return table
    codes, words = column_words(table, "symbol")
    return table.filter(np.array([word == symbol for word in words] or [False])[codes])


def _series(column: Any, kind: str) -> Any:
    import pandas as pd
    import pyarrow as pa

    if kind == "string":
        return column.cast(pa.string()).to_pandas()
    if column.null_count or column.type == pa.null():
        return pd.array(column.to_pylist(), dtype="Int64") if len(column) < 1 else _nullable(column)
    return column.to_pandas()


def _nullable(column: Any) -> Any:
    import pandas as pd

    return pd.arrays.IntegerArray(column.fill_null(0).to_numpy(), column.is_null().to_numpy())


def _to_dollars(frame: "pd.DataFrame", stream: str, scale: int) -> None:
    for column in COLUMNS[stream]:
        if column.unit == "price":
            frame[column.name] = frame[column.name] / scale
    if stream == "quotes":
        for side in ("bid", "ask"):
            frame.loc[frame[f"{side}_size"] == 0, side] = np.nan


def message_rows(recording: Recording, symbol: str, start_ns: int | None, end_ns: int | None) -> Iterator[np.ndarray]:
    """Yield the messages of a symbol as MESSAGE arrays, one for each group that has any."""
    source = recording.sources.get("messages")
    for group in [] if source is None else groups_between(source, start_ns, end_ns):
        assert source is not None
        table = _of_symbol(source.read(group, column_names("messages")), symbol)
        rows = _as_messages(table)
        keep = (rows["ts_ns"] >= (start_ns or 0)) & (rows["ts_ns"] < (end_ns if end_ns is not None else 2**63 - 1))
        if keep.any():
            yield rows[keep]


def _as_messages(table: Any) -> np.ndarray:
    rows = np.zeros(table.num_rows, MESSAGE)
    if len(rows):
        for name in ("ts_ns", "seq", "exch_ts_ns", "order_id", "price", "side"):
            rows[name] = column_array(table, name)
        rows["qty"] = column_array(table, "size")
        codes, words = column_words(table, "action")
        rows["action"] = np.array([MessageAction[word.upper()] for word in words], np.int64)[codes]
    return rows
