"""Write a session piece by piece; it appears under its name complete, or not at all.

Rows go to a hidden folder beside the target. `finish` closes the files, writes the manifest, flushes everything to the disk and
renames. A recorder appends as it receives and numbers the events itself: `seq` counts 0, 1, 2, ... over quotes, trades, bars
and status together.
"""

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from replay.calendar import Hours, trading_hours
from replay.errors import DataError, ExternalError, UsageError
from replay.session.columns import as_table, frame_columns
from replay.session.digest import StreamDigest, file_sha256, session_digest
from replay.session.manifest import MANIFEST_NAME, Manifest, StreamInfo, SymbolInfo, check_symbols, dumps_manifest, read_manifest
from replay.session.renames import replace_all
from replay.session.rules import Terms, check_rows
from replay.session.tables import EVENT_STREAMS, ROW_GROUP_ROWS, schema, write_options

MAX_VENUES = 127  # an event holds its venue in 8 bits


class SessionWriter:
    """A session in the making.

    Parameters
    ----------
    folder : str or Path
        Where the session shall be.
    day, symbols, source, scale, notes
        As for `write_session`.
    hours : Hours, optional
        Trading hours; from the calendar of `day` where absent.
    row_group_rows : int
        Rows that are held in memory per stream, and read back at once.

    Examples
    --------
    >>> with SessionWriter("day", day=day, symbols=symbols, source="recorder") as writer:  # doctest: +SKIP
    ...     writer.append("quotes", {"ts_ns": [...], "seq": [...], "symbol": [...], ...})
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        day: date,
        symbols: Sequence[SymbolInfo],
        source: str,
        scale: int = 10_000,
        hours: Hours | None = None,
        notes: Mapping[str, object] | None = None,
        row_group_rows: int = ROW_GROUP_ROWS,
    ) -> None:
        check_symbols(symbols)
        self.folder = Path(folder)
        check_target(self.folder, source, day)
        self._terms = Terms(day=day, scale=int(scale), symbols=tuple(symbols), hours=hours or trading_hours(day))
        self._source = source
        self._notes = dict(notes or {})
        self._row_group_rows = row_group_rows
        self._streams: dict[str, _StreamFile] = {}
        self._venues: dict[str, int] = {}
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self._draft = Path(tempfile.mkdtemp(prefix=f".{self.folder.name}-", dir=self.folder.parent))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self.finish()
        else:
            self.abort()

    def append(self, stream: str, rows: Any) -> None:
        """Append rows in arrival order, `seq` included; they are checked, never sorted.

        Parameters
        ----------
        stream : str
            `quotes`, `trades`, `bars`, `status` or `messages`.
        rows : DataFrame or mapping of columns
            Columns of the stream; prices in price units.
        """
        columns = frame_columns(stream, rows)
        check_rows(stream, columns, self._terms)
        if "seq" not in rows.keys():  # noqa: SIM118 - a DataFrame too
            raise DataError(f"{stream} lacks the column 'seq'; number the events of the session 0, 1, 2, ... as they arrive")
        columns["seq"] = np.asarray(rows["seq"], np.int64)
        self.append_table(stream, as_table(columns, schema(stream)))

    def append_table(self, stream: str, table: Any, *, resorted_rows: int = 0) -> None:
        """Append a checked arrow table in the schema of the stream."""
        if table.num_rows == 0:
            return
        file = self._streams.get(stream)
        if file is None:
            file = self._streams[stream] = _StreamFile(stream, self._draft, self._row_group_rows)
        file.append(table, resorted_rows)
        if stream == "trades":
            self._add_venues(table)

    def finish(self) -> Path:
        """Complete the session and give it its name."""
        try:
            for file in self._streams.values():
                file.close()
            manifest = self._manifest()
            (self._draft / MANIFEST_NAME).write_text(dumps_manifest(manifest), encoding="utf-8")
            _flush(self._draft)
            self._draft.chmod(0o755)
            replace_all([(self._draft, self.folder)])
        except OSError as error:
            self.abort()
            raise ExternalError(f"{self.folder} cannot be written ({error}); nothing was changed") from None
        except BaseException:
            self.abort()
            raise
        return self.folder

    def abort(self) -> None:
        """Leave nothing behind."""
        for file in self._streams.values():
            file.discard()
        shutil.rmtree(self._draft, ignore_errors=True)

    def _add_venues(self, table: Any) -> None:
        for word in table.column("exchange").unique().to_pylist():
            if word:
                self._venues.setdefault(word, len(self._venues))
        if len(self._venues) > MAX_VENUES:
            raise DataError(f"trades name {len(self._venues)} exchanges, at most {MAX_VENUES} fit; map them to fewer names")

    def _manifest(self) -> Manifest:
        if not self._streams:
            raise DataError(f"the session of {self._terms.day} is empty; give at least one quote, trade, bar or message")
        streams = {name: self._streams[name].info() for name in sorted(self._streams)}
        _check_numbering(self._streams)
        terms = self._terms
        return Manifest(
            day=terms.day,
            source=self._source,
            scale=terms.scale,
            hours=terms.hours,
            symbols=tuple(terms.symbols),
            venues=tuple(self._venues),
            streams=streams,
            digest=session_digest(terms.hours, terms.scale, terms.symbols, {name: info.digest for name, info in streams.items()}),
            notes=self._notes,
        )


class _StreamFile:
    """One Parquet file that is written row group by row group."""

    def __init__(self, stream: str, folder: Path, row_group_rows: int) -> None:
        import pyarrow.parquet as pq

        self._stream = stream
        self._row_group_rows = row_group_rows
        self._path = folder / f"{stream}.parquet"
        self._file = pq.ParquetWriter(self._path, schema(stream), **write_options(stream))
        self._digest = StreamDigest(stream)
        self._held: list[Any] = []
        self._held_rows = 0
        self._last = (np.iinfo(np.int64).min, -1)
        self._first_ts_ns = 0
        self.rows = 0
        self._resorted_rows = 0

    def append(self, table: Any, resorted_rows: int) -> None:
        self._check_order(table)
        self._resorted_rows += resorted_rows
        self.rows += table.num_rows
        self._held.append(table)
        self._held_rows += table.num_rows
        if self._held_rows >= self._row_group_rows:
            self._write(is_last=False)

    def info(self) -> StreamInfo:
        """Describe the file, which must be closed."""
        return StreamInfo(
            rows=self.rows,
            first_ts_ns=self._first_ts_ns,
            last_ts_ns=self._last[0],
            digest=self._digest.hexdigest(),
            resorted_rows=self._resorted_rows,
            file_sha256=file_sha256(self._path),
        )

    @property
    def last_seq(self) -> int:
        return self._last[1]

    def close(self) -> None:
        self._write(is_last=True)
        self._file.close()

    def discard(self) -> None:
        self._held = []
        if self._file.is_open:
            self._file.close()

    def _write(self, *, is_last: bool) -> None:
        import pyarrow as pa

        if not self._held_rows:
            return
        table = pa.concat_tables(self._held).unify_dictionaries().combine_chunks()
        rows = table.num_rows if is_last else table.num_rows - table.num_rows % self._row_group_rows
        if rows:
            self._file.write_table(table.slice(0, rows), row_group_size=self._row_group_rows)
            self._digest.update(table.slice(0, rows))
        self._held = [table.slice(rows)] if rows < table.num_rows else []
        self._held_rows = table.num_rows - rows

    def _check_order(self, table: Any) -> None:
        ts_ns, seq = (table.column(name).to_numpy() for name in ("ts_ns", "seq"))
        times, numbers = np.concatenate([[self._last[0]], ts_ns]), np.concatenate([[self._last[1]], seq])
        bad = (times[1:] < times[:-1]) | (numbers[1:] <= numbers[:-1])
        if bad.any():
            row = int(np.argmax(bad))
            raise DataError(
                f"{self._stream} go back at row {self.rows + row}: ts_ns {ts_ns[row]}, seq {seq[row]} "
                f"after {times[row]}, {numbers[row]}; append rows in arrival order"
            )
        if not self.rows:
            self._first_ts_ns = int(ts_ns[0])
        self._last = (int(ts_ns[-1]), int(seq[-1]))


def check_target(folder: Path, source: str, day: date) -> None:
    """Refuse a folder that holds anything but a session of the same source and day.

    Raises
    ------
    UsageError
        With the advice to name another folder.
    """
    if folder.is_file():
        raise UsageError(f"{folder} is a file; name a folder for the session")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if not (folder / MANIFEST_NAME).exists():
        raise UsageError(f"{folder} exists and is no session; name another folder")
    try:
        found = read_manifest(folder)
    except DataError as error:
        raise UsageError(f"{folder} exists and cannot be replaced ({error}); remove it or name another folder") from None
    if (found.source, found.day) != (source, day):
        raise UsageError(
            f"{folder} holds the session of {found.day} from '{found.source}', not of {day} from '{source}'; "
            "remove it or name another folder"
        )


def _check_numbering(streams: Mapping[str, _StreamFile]) -> None:
    events = [file for name, file in streams.items() if name in EVENT_STREAMS]
    rows, last = sum(file.rows for file in events), max((file.last_seq for file in events), default=-1)
    if rows != last + 1:
        raise DataError(f"the events are numbered up to seq {last}, but there are {rows}; number them 0, 1, 2, ... without gaps")


def _flush(folder: Path) -> None:
    for path in folder.iterdir():
        _sync(path, os.O_RDWR)
    if os.name == "posix":  # other systems cannot open a folder
        _sync(folder, os.O_RDONLY)


def _sync(path: Path, mode: int) -> None:
    handle = os.open(path, mode)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
