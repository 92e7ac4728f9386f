"""Data-quality findings of a session: what is wrong, how often, where first, and what it means. One pass, constant memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from replay.session.digest import StreamDigest
from replay.session.faults import CODES, GAP_NS, group_columns, group_faults, neighbour_faults
from replay.session.integrity import manifest_digest
from replay.session.reader import Recording
from replay.session.session import Session
from replay.session.tables import EVENT_STREAMS, STREAMS

SEVERITIES = ("error", "warning", "info")
_GRAVE_ABOVE = {"crossed": 0.01, "locked": 0.01, "one_sided": 0.01, "late": 0.5}  # shares that turn a remark into a warning
_MANY_EQUAL = 0.1  # a print given twice each time would make half of them equal; one order that fills several, a few in a hundred
_STEPS_NS = ((1_000_000_000, "seconds"), (1_000_000, "milliseconds"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One kind of fault in one stream.

    Parameters
    ----------
    severity : {"error", "warning", "info"}
        An error means that results would be wrong, a warning that they may be.
    code : str
        Short fixed name.
    stream : str
        Table, or `session`.
    count : int
        Rows concerned.
    share : float
        Part of the table's rows.
    first_row : int
        First such row, counted from 0; -1 where rows do not matter.
    first_ts_ns : int
        Its time; 0 where rows do not matter.
    meaning : str
        What it means, in a sentence.
    """

    severity: str
    code: str
    stream: str
    count: int
    share: float
    first_row: int
    first_ts_ns: int
    meaning: str


def check_session(session: Session) -> list[Finding]:
    """Look for faults in every row; return findings, gravest first."""
    findings = [finding for recording in session.recordings for finding in _check_recording(recording)]
    return sorted(findings, key=lambda finding: (SEVERITIES.index(finding.severity), finding.stream, finding.code))


def _check_recording(recording: Recording) -> Iterator[Finding]:
    surveys = {stream: _Survey(recording, stream) for stream in STREAMS if stream in recording.sources}
    for survey in surveys.values():
        survey.run()
        yield from survey.findings()
    yield from _missing(recording)
    yield from _silent_symbols(recording, set().union(*(survey.symbols for survey in surveys.values())))
    yield from _numbering(surveys)
    if manifest_digest(recording) != recording.manifest.digest:
        yield _of_session("digest", "error", "the manifest was edited: its digest does not fit its symbols and tables")


class _Survey:
    """One pass over one table."""

    def __init__(self, recording: Recording, stream: str) -> None:
        self._recording = recording
        self._stream = stream
        self._manifest = recording.manifest
        self._info = recording.manifest.streams[stream]
        self._digest = StreamDigest(stream)
        self._count: dict[str, int] = {}
        self._first: dict[str, tuple[int, int]] = {}
        self._is_whole = dict.fromkeys((step for step, _ in _STEPS_NS), True)
        self.symbols: set[str] = set()
        self.rows = 0
        self.last_seq = -1
        self.first_ts_ns = 0
        self.last_ts_ns = 0
        self.silence_ns = 0

    def run(self) -> None:
        before = None
        for first_row, table in self._recording.groups(self._stream):
            self._digest.update(table)
            self.symbols |= set(table.column("symbol").unique().to_pylist())
            columns = group_columns(self._stream, table, self._manifest)
            self._note(group_faults(self._stream, columns, self._manifest), first_row, columns["ts_ns"])
            shift = 0 if before is None else 1
            if before is not None:
                table = _joined(before, table)
                columns = group_columns(self._stream, table, self._manifest)
            self._listen(columns["ts_ns"])
            self._note(neighbour_faults(self._stream, columns, self._manifest), first_row + 1 - shift, columns["ts_ns"][1:])
            self._remember(columns, table.num_rows - shift)
            before = table.slice(table.num_rows - 1)

    def findings(self) -> Iterator[Finding]:
        for code, count in self._count.items():
            severity, meaning = CODES[code]
            share = count / self.rows
            if share > _GRAVE_ABOVE.get(code, 1.0):
                severity = "warning"
            if code == "equal_prints" and share > _MANY_EQUAL and not self._is_coarse():
                severity, meaning = "warning", "so many prints equal the one before them that the feed may repeat itself"
            row, ts_ns = self._first[code]
            yield self._finding(severity, code, count, meaning, row, ts_ns)
        if self._digest.hexdigest() != self._info.digest:
            yield self._finding("error", "digest", self.rows, "the rows are not those that the manifest describes")
        if self._info.resorted_rows:
            meaning = "rows came out of time order and were sorted when the session was written"
            yield self._finding("info", "resorted", self._info.resorted_rows, meaning)
        if self._stream == "quotes":
            yield from self._edges()
        yield from self._resolution()

    def _note(self, faults: dict[str, np.ndarray], first_row: int, ts_ns: np.ndarray) -> None:
        for code, mask in faults.items():
            count = int(mask.sum())
            if count:
                row = int(np.argmax(mask))
                self._first.setdefault(code, (first_row + row, int(ts_ns[row])))
                self._count[code] = self._count.get(code, 0) + count

    def _listen(self, ts_ns: np.ndarray) -> None:
        """Remember the longest silence within regular hours."""
        within = np.clip(ts_ns, self._manifest.hours.open_ns, self._manifest.hours.close_ns)
        self.silence_ns = max(self.silence_ns, int(np.diff(within).max(initial=0)))

    def _remember(self, columns: dict[str, np.ndarray], rows: int) -> None:
        if not self.rows:
            self.first_ts_ns = int(columns["ts_ns"][0])
        self.rows += rows
        self.last_seq = max(self.last_seq, int(columns["seq"].max()))
        self.last_ts_ns = int(columns["ts_ns"][-1])
        for step in self._is_whole:
            self._is_whole[step] &= not (columns["ts_ns"] % step).any()

    def _edges(self) -> Iterator[Finding]:
        hours = self._manifest.hours
        if hours.calendar != "XNYS":
            return
        late, early = self.first_ts_ns - hours.open_ns, hours.close_ns - self.last_ts_ns
        if late >= GAP_NS:
            meaning = f"quotes begin {late // 60_000_000_000} min after the open"
            yield self._finding("warning", "late_start", 1, meaning, 0, self.first_ts_ns)
        if early >= GAP_NS and early > self.silence_ns:
            meaning = f"quotes end {early // 60_000_000_000} min before the close"
            yield self._finding("warning", "early_end", 1, meaning, self.rows - 1, self.last_ts_ns)

    def _resolution(self) -> Iterator[Finding]:
        finest = min(info.ts_resolution_ns for info in self._manifest.symbols)
        for step, name in _STEPS_NS:
            if self._is_whole[step] and self._stream not in ("bars", "status"):
                if finest < step and self.rows > 1:
                    meaning = f"all times are whole {name}, but the manifest says {finest} ns; order within one is a guess"
                    yield self._finding("info", "coarse_clock", self.rows, meaning)
                return

    def _is_coarse(self) -> bool:
        return any(self._is_whole.values())

    def _finding(self, severity: str, code: str, count: int, meaning: str, row: int = -1, ts_ns: int = 0) -> Finding:
        return Finding(
            severity=severity,
            code=code,
            stream=self._stream,
            count=count,
            share=count / self.rows if self.rows else 0.0,
            first_row=row,
            first_ts_ns=ts_ns,
            meaning=meaning,
        )


def _joined(before: Any, table: Any) -> Any:
    import pyarrow as pa

    return pa.concat_tables([before, table]).unify_dictionaries().combine_chunks()


def _missing(recording: Recording) -> Iterator[Finding]:
    if "quotes" not in recording.sources:
        yield _of_session("no_quotes", "warning", "there are no quotes: orders cannot be filled from a book")
    if "trades" not in recording.sources:
        yield _of_session("no_trades", "warning", "there are no trades: nothing consumes the queue ahead of a resting order")


def _silent_symbols(recording: Recording, seen: set[str]) -> Iterator[Finding]:
    silent = [name for name in recording.manifest.names if name not in seen]
    if silent:
        names = ", ".join(silent[:8]) + (", ..." if len(silent) > 8 else "")
        yield _of_session("silent_symbol", "warning", f"symbols without a single row: {names}", len(silent))


def _numbering(surveys: dict[str, _Survey]) -> Iterator[Finding]:
    events = [survey for stream, survey in surveys.items() if stream in EVENT_STREAMS]
    rows, last = sum(survey.rows for survey in events), max((survey.last_seq for survey in events), default=-1)
    if rows != last + 1:
        yield _of_session("numbering", "error", f"seq ends at {last}, but there are {rows} events; rows are missing or repeated")


def _of_session(code: str, severity: str, meaning: str, count: int = 1) -> Finding:
    return Finding(
        severity=severity, code=code, stream="session", count=count, share=0.0, first_row=-1, first_ts_ns=0, meaning=meaning
    )
