"""The event stream of recordings: groups of columns in, blocks of events out of one reused buffer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from replay.desk import Block
from replay.errors import DataError
from replay.events import BAR, EVENT, FORECAST, NO_TIME, WHAT_TO_SHOW, Status
from replay.session import merge
from replay.session.arrays import column_array, column_words
from replay.session.reader import Recording, Source, groups_between

WINDOW_ROWS = 1 << 13  # half a megabyte: stays in the processor's cache between placing and copying
_CODES = {status.name.lower(): int(status) for status in Status}
_WHAT = {word: i for i, word in enumerate(WHAT_TO_SHOW)}
_COLUMN_OF = {"qty": "size", "bar_count": "count"}
_TABLE_OF = {"symbol": "symbol_of", "exchange": "venue_of", "status": "code_of", "what_to_show": "what_of"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which events are wanted.

    Parameters
    ----------
    symbol_index : mapping of str to int
        Index in the run of each wanted symbol.
    venue_index : mapping of str to int
        Venue codes of the run; others become -1.
    start_ns, end_ns : int, optional
        `start_ns <= ts_ns < end_ns`.
    """

    symbol_index: Mapping[str, int]
    venue_index: Mapping[str, int]
    start_ns: int | None = None
    end_ns: int | None = None


def event_blocks(recordings: Sequence[Recording], selection: Selection, block_events: int) -> Iterator[Block]:
    """Yield the wanted events of one or more recordings in blocks that share one buffer."""
    parts = [_Part(recording, selection) for recording in recordings]
    has_bars = any("bars" in recording.sources for recording in recordings)
    windows = np.zeros((len(parts), WINDOW_ROWS), EVENT)
    window_bars = np.zeros((len(parts), WINDOW_ROWS if has_bars else 1), BAR)
    at, end = np.zeros(len(parts), np.int64), np.zeros(len(parts), np.int64)
    rows = min(block_events, max(1, sum(recording.manifest.n_events for recording in recordings)))
    events, bars, forecasts = np.zeros(rows, EVENT), np.zeros(rows if has_bars else 1, BAR), np.zeros(0, FORECAST)
    counts = np.array([0, 0, sum(_rows_before(recording, selection) for recording in recordings)])
    is_open = True
    while is_open:
        counts[:2] = 0
        while counts[0] < rows and is_open:
            is_open = _refill(parts, windows, window_bars, at, end)
            merge.merge_windows(windows, window_bars, at, end, counts, events, bars)
        if counts[0]:
            yield Block(events[: counts[0]], bars[: counts[1]], forecasts)


def _refill(parts: list["_Part"], windows: np.ndarray, window_bars: np.ndarray, at: np.ndarray, end: np.ndarray) -> bool:
    """Give each part without rows its next window; tell whether any has rows."""
    for k, part in enumerate(parts):
        if at[k] == end[k]:
            at[k], end[k] = 0, part.fill(windows[k], window_bars[k])
    return bool(end.any())


def _rows_before(recording: Recording, selection: Selection) -> int:
    """Count the events before the start, wanted or not."""
    if selection.start_ns is None:
        return 0
    seq = _Part(recording, replace(selection, end_ns=None)).next_seq()
    return recording.manifest.n_events if seq is None else seq


class _Part:
    """One recording: places the rows of its tables into windows of consecutive `seq`."""

    def __init__(self, recording: Recording, selection: Selection) -> None:
        self._name = str(recording.manifest.day)
        self._cursors = [
            _Cursor(recording.sources[name], name, selection)
            for name in ("quotes", "trades", "bars", "status")
            if name in recording.sources
        ]
        self._base = self.next_seq() or 0
        self._last_ts_ns = NO_TIME

    def next_seq(self) -> int | None:
        """Return the `seq` of the first event that is left, None at the end."""
        return min((cursor.next_seq for cursor in self._cursors if cursor.has_rows()), default=None)

    def fill(self, window: np.ndarray, window_bars: np.ndarray) -> int:
        """Fill a window from its start; return the rows written, 0 at the end."""
        n = sum(cursor.place(self._base, window, window_bars) for cursor in self._cursors)
        fault = merge.first_fault(window, min(n, len(window)), self._base, self._last_ts_ns)
        if fault >= 0 or n > len(window):
            raise DataError(
                f"the tables of {self._name} do not fit together at seq {self._base + max(fault, 0)}: it must stand in one row, "
                "at a time not before that of the row it follows; import the session again"
            )
        if n:
            self._last_ts_ns = int(window[n - 1]["ts_ns"])
            self._base += n
        return n


class _Cursor:
    """Walks over the groups of one table and keeps the columns of the one in hand."""

    def __init__(self, source: Source, stream: str, selection: Selection) -> None:
        self._source = source
        self._stream = stream
        self._selection = selection
        self._groups = iter(groups_between(source, selection.start_ns, selection.end_ns))
        self._kind: type[Any] = _KINDS[stream]
        self._columns: Any = None
        self._at = 0
        self._end = 0
        self._last = (NO_TIME, -1)

    @property
    def next_seq(self) -> int:
        return int(self._columns.seq[self._at])

    def has_rows(self) -> bool:
        """Load groups until one has a wanted row; tell whether there is one."""
        while self._at == self._end:
            group = next(self._groups, None)
            if group is None:
                return False
            self._load(group)
        return True

    def place(self, base: int, window: np.ndarray, window_bars: np.ndarray) -> int:
        """Place the rows that belong into the window; return their number."""
        n = 0
        while self.has_rows() and base <= self.next_seq < base + len(window):
            arguments = (self._columns, self._at, self._end, base, window)
            side_table = (window_bars,) if self._stream == "bars" else ()
            at = _PLACE[self._stream](*arguments, *side_table)
            n += at - self._at
            self._at = at
        return n

    def _load(self, group: int) -> None:
        names = [name for name in self._kind._fields if not name.endswith("_of")]
        table = self._source.read(group, [_COLUMN_OF.get(name, name) for name in names])
        values: dict[str, np.ndarray] = {}
        for name in names:
            if name in _TABLE_OF:
                values[name], words = column_words(table, name)
                values[_TABLE_OF[name]] = self._numbers(name, words)
            else:
                values[name] = column_array(table, _COLUMN_OF.get(name, name))
        self._columns = self._kind(**values)
        self._check_order(values["ts_ns"], values["seq"], self._source.first_row(group))
        self._at, self._end = self._span(values["ts_ns"])

    def _numbers(self, name: str, words: list[str]) -> np.ndarray:
        """Return the number of each word: symbol index, venue code, status code or kind of bar."""
        if name == "symbol":
            table = {"": merge.ALL, **self._selection.symbol_index}
            numbers = [table.get(word, merge.UNSEEN) for word in words]
        elif name == "exchange":
            numbers = [self._selection.venue_index.get(word, -1) for word in words]
        else:
            numbers = [self._code(name, word, _CODES if name == "status" else _WHAT) for word in words]
        array = np.array(numbers or [0], np.int64)
        array.flags.writeable = False
        return array

    def _code(self, name: str, word: str, table: Mapping[str, int]) -> int:
        if word not in table:
            raise DataError(f"{self._source.name}: {name} '{word}' is unknown; known are {', '.join(table)}")
        return table[word]

    def _check_order(self, ts_ns: np.ndarray, seq: np.ndarray, first_row: int) -> None:
        times, numbers = np.append(self._last[0], ts_ns), np.append(self._last[1], seq)
        back = (times[1:] < times[:-1]) | (numbers[1:] <= numbers[:-1])
        if back.any():
            row = int(np.argmax(back))
            raise DataError(
                f"{self._source.name} goes back at row {first_row + row}: ts_ns {ts_ns[row]}, seq {seq[row]} "
                f"after {times[row]}, {numbers[row]}; import the session again"
            )
        if len(ts_ns):
            self._last = (int(ts_ns[-1]), int(seq[-1]))

    def _span(self, ts_ns: np.ndarray) -> tuple[int, int]:
        start, end = 0, len(ts_ns)
        if self._selection.start_ns is not None:
            start = int(np.searchsorted(ts_ns, self._selection.start_ns))
        if self._selection.end_ns is not None:
            end = int(np.searchsorted(ts_ns, self._selection.end_ns))
        return start, max(start, end)


_KINDS: dict[str, type[Any]] = {
    "quotes": merge.Quotes,
    "trades": merge.Trades,
    "bars": merge.Bars,
    "status": merge.StatusRows,
}
_PLACE: dict[str, Any] = {
    "quotes": merge.place_quotes,
    "trades": merge.place_trades,
    "bars": merge.place_bars,
    "status": merge.place_status,
}
