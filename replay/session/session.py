"""A recorded trading day: open it, look at it, stream it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replay.calendar import Hours
from replay.errors import DataError, UsageError
from replay.session.manifest import Manifest, SymbolInfo, read_manifest
from replay.session.merged import combine
from replay.session.reader import Recording
from replay.session.tables import EVENT_STREAMS, ROW_GROUP_ROWS, STREAMS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from replay.desk import Block


class Session:
    """One recorded trading day, on disk or in memory, or several of the same date merged.

    Make one with `Session.open`, `Session.from_frames` or `Session.merge`.

    Parameters
    ----------
    recordings : sequence of Recording
        The parts, in the order that breaks ties.

    Examples
    --------
    >>> import pandas as pd
    >>> quotes = pd.DataFrame({
    ...     "ts_ns": pd.to_datetime(["2025-01-02 09:30", "2025-01-02 09:31"]).tz_localize("America/New_York"),
    ...     "symbol": "SPY", "bid": [590.01, 590.02], "bid_size": 300, "ask": [590.02, 590.03], "ask_size": 200,
    ... })
    >>> session = Session.from_frames(quotes=quotes, symbols={"SPY": {"tick": 0.01}})
    >>> session.day.isoformat(), session.n_events, session.quotes()["bid"].tolist()
    ('2025-01-02', 2, [5900100, 5900200])
    """

    def __init__(self, recordings: Sequence[Recording]) -> None:
        self._recordings = tuple(recordings)
        self._manifest = combine([recording.manifest for recording in recordings])
        self._silences: dict[tuple[int, int], int] = {}

    @classmethod
    def open(cls, path: str | Path, *, verify: bool = False) -> "Session":
        """Open a session folder; only the manifest and the footers of its files are read.

        Parameters
        ----------
        path : str or Path
            The folder.
        verify : bool
            Read every row and compare with the digest of the manifest.

        Raises
        ------
        UsageError
            If there is no such folder.
        DataError
            If the manifest is missing, garbled or of another schema version, or a file is missing, truncated or altered.
        """
        folder = Path(path)
        session = cls([Recording.open(folder, read_manifest(folder))])
        if verify:
            session.verify()
        return session

    @classmethod
    def from_frames(
        cls,
        *,
        quotes: Any = None,
        trades: Any = None,
        bars: Any = None,
        status: Any = None,
        messages: Any = None,
        symbols: Mapping[str, Any] | None = None,
        day: date | None = None,
        scale: int = 10_000,
        calendar: str | None = None,
    ) -> "Session":
        """Build a session in memory from DataFrames with prices in dollars.

        Parameters
        ----------
        quotes, trades, bars, status, messages : DataFrame, optional
            Columns as on disk, without `seq`. Prices are floats in dollars (NaN with size 0 = empty side), times int64
            nanoseconds UTC or datetimes with a time zone.
        symbols : mapping of str to mapping or SymbolInfo, optional
            Fields of `SymbolInfo` by symbol, `tick` in dollars. Without it: the symbols of the frames, tick 0.01.
        day : datetime.date, optional
            Calendar date; that of the first row in New York where absent.
        scale : int
            Price units per dollar; a price that is no multiple of `1 / scale` is refused.
        calendar : str, optional
            Without a name: `XNYS` on its trading days, else `24/7`.

        Raises
        ------
        DataError
            For rows that cannot be right; names frame, column and row.
        """
        from replay.session.frames import recording_from_frames

        frames = {"quotes": quotes, "trades": trades, "bars": bars, "status": status, "messages": messages}
        return cls([recording_from_frames(frames, symbols=symbols, day=day, scale=scale, calendar=calendar)])

    @classmethod
    def merge(cls, sessions: Sequence["Session"]) -> "Session":
        """Put sessions of one date with different symbols together; equal times keep the order of `sessions`.

        Raises
        ------
        DataError
            If dates, scales or hours differ, or a symbol stands in two of them.
        """
        return cls([recording for session in sessions for recording in session._recordings])

    @property
    def manifest(self) -> Manifest:
        """All that the session says of itself."""
        return self._manifest

    @property
    def recordings(self) -> tuple[Recording, ...]:
        """The parts of the session; one unless merged."""
        return self._recordings

    @property
    def folders(self) -> tuple[Path | None, ...]:
        """Where the parts lie; None for a part made in memory."""
        return tuple(recording.folder for recording in self._recordings)

    @property
    def day(self) -> date:
        """Calendar date."""
        return self._manifest.day

    @property
    def symbols(self) -> tuple[str, ...]:
        """Names of the symbols; `blocks` numbers them in this order."""
        return self._manifest.names

    @property
    def venues(self) -> tuple[str, ...]:
        """Exchanges of the trades; the index is the venue code of an event, -1 stands for none."""
        return self._manifest.venues

    @property
    def scale(self) -> int:
        """Price units per dollar."""
        return self._manifest.scale

    @property
    def digest(self) -> str:
        """SHA-256 over the content."""
        return self._manifest.digest

    @property
    def n_events(self) -> int:
        """Rows of quotes, trades, bars and status."""
        return self._manifest.n_events

    @property
    def span_ns(self) -> tuple[int, int]:
        """Times of the first and the last event; open and close where there is none."""
        streams = [info for name, info in self._manifest.streams.items() if name != "messages"]
        firsts, lasts = [info.first_ts_ns for info in streams], [info.last_ts_ns for info in streams]
        return min(firsts, default=self.hours.open_ns), max(lasts, default=self.hours.close_ns)

    def breaks_off_before(self, start_ns: int, close_ns: int) -> bool:
        """Tell whether the recording ends well before the close of a day that is traded from `start_ns` on.

        It does after five minutes of silence, if the day had no silence as long as that before.
        """
        from replay.session.silence import BROKEN_OFF_NS, longest_silence_ns

        silent_ns = close_ns - self.span_ns[1]
        if silent_ns < BROKEN_OFF_NS:
            return False
        span = (start_ns, close_ns)
        if span not in self._silences:
            self._silences[span] = longest_silence_ns(self._recordings, start_ns, close_ns)
        return silent_ns > self._silences[span]

    @property
    def hours(self) -> Hours:
        """Trading hours: `open_ns`, `close_ns`, `is_half_day` and more."""
        return self._manifest.hours

    def symbol_info(self, name: str) -> SymbolInfo:
        """Return what is known about a symbol."""
        for info in self._manifest.symbols:
            if info.name == name:
                return info
        close = get_close_matches(name, self.symbols, 1)
        hint = f"did you mean '{close[0]}'?" if close else f"it has {', '.join(self.symbols[:12])}"
        raise DataError(f"the session of {self.day} has no symbol '{name}'; {hint}")

    def quotes(self, symbol: str | None = None, *, prices: str = "int") -> "pd.DataFrame":
        """Return the quotes as a DataFrame, prices in price units (`int`) or dollars (`float`)."""
        return self._frame("quotes", symbol, prices)

    def trades(self, symbol: str | None = None, *, prices: str = "int") -> "pd.DataFrame":
        """Return the trades as a DataFrame, prices in price units (`int`) or dollars (`float`)."""
        return self._frame("trades", symbol, prices)

    def bars(self, symbol: str | None = None, *, prices: str = "int") -> "pd.DataFrame":
        """Return the bars as a DataFrame, prices in price units (`int`) or dollars (`float`)."""
        return self._frame("bars", symbol, prices)

    def status(self, symbol: str | None = None) -> "pd.DataFrame":
        """Return halts, gaps and connection changes as a DataFrame; an empty symbol means all of them."""
        return self._frame("status", symbol, "int")

    def messages(self, symbol: str | None = None, *, prices: str = "int") -> "pd.DataFrame":
        """Return the messages of the full order book as a DataFrame, where the session has them."""
        return self._frame("messages", symbol, prices)

    def blocks(
        self,
        symbol_index: Mapping[str, int] | None = None,
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
        block_events: int = ROW_GROUP_ROWS,
        venue_index: Mapping[str, int] | None = None,
    ) -> Iterator["Block"]:
        """Stream the events in (ts_ns, seq) order.

        Parameters
        ----------
        symbol_index : mapping of str to int, optional
            Index in the run of each wanted symbol; others are left out. Without it: all, in the order of `symbols`.
        start_ns, end_ns : int, optional
            Only `start_ns <= ts_ns < end_ns`.
        block_events : int
            Events in a block; the sequence of events does not depend on it.
        venue_index : mapping of str to int, optional
            Venue codes of the run; that of `venues` where absent. Unknown exchanges get -1.

        Yields
        ------
        Block
            Events and bars in buffers that the next block overwrites; no forecasts.
        """
        from replay.session.stream import Selection, event_blocks

        if block_events < 1:
            raise UsageError(f"block_events must be at least 1, got {block_events}")
        selection = Selection(
            symbol_index=_numbered(self.symbols) if symbol_index is None else symbol_index,
            venue_index=_numbered(self.venues) if venue_index is None else venue_index,
            start_ns=start_ns,
            end_ns=end_ns,
        )
        return event_blocks(self._recordings, selection, block_events)

    def message_blocks(self, symbol: str, *, start_ns: int | None = None, end_ns: int | None = None) -> Iterator["np.ndarray"]:
        """Stream the messages of one symbol as arrays of `replay.session.tables.MESSAGE`, in (ts_ns, seq) order."""
        from replay.session.views import message_rows

        self.symbol_info(symbol)
        owner = next(recording for recording in self._recordings if symbol in recording.manifest.names)
        return message_rows(owner, symbol, start_ns, end_ns)

    def check_events(self) -> None:
        """Make sure that the events are those that were recorded; a run does this before its first event.

        Every file of events is checked whole, however small the part of it that is asked for. Messages, which no replay reads,
        are left to `verify`.

        Raises
        ------
        DataError
            If a file or the manifest was altered.
        """
        from replay.session.integrity import check_files

        for recording in self._recordings:
            check_files(recording, EVENT_STREAMS)

    def verify(self) -> None:
        """Read every row and compare with the digests.

        Raises
        ------
        DataError
            If the content is not what the manifest says.
        """
        from replay.session.integrity import check_digests

        for recording in self._recordings:
            check_digests(recording)

    def __repr__(self) -> str:
        tables = ", ".join(f"{info.rows} {name}" for name, info in self._manifest.streams.items())
        return f"<Session {self.day} {'/'.join(self.symbols[:6])}{'...' if len(self.symbols) > 6 else ''}: {tables}>"

    def _frame(self, stream: str, symbol: str | None, prices: str) -> "pd.DataFrame":
        from replay.session.views import stream_frame

        assert stream in STREAMS
        if symbol:
            self.symbol_info(symbol)
        return stream_frame(self._recordings, stream, symbol, prices)


def _numbered(names: Sequence[str]) -> dict[str, int]:
    return {name: i for i, name in enumerate(names)}
