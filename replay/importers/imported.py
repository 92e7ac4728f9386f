"""What a reader gives back: the frames of one date, ready for `write_session`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from replay.session.build import SymbolInfo

ASSUMED = "assumed"
STREAMS = ("quotes", "trades", "bars", "status", "messages")


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """One date of one import.

    Parameters
    ----------
    day : date
        The session's date.
    symbols : sequence of SymbolInfo
        One for each symbol in the frames.
    source : str
        The format, as it stands in the manifest.
    scale : int
        Price units per dollar.
    frames : mapping of str to DataFrame
        `quotes`, `trades`, `bars`, `status`, `messages`; empty ones are left out.
    notes : mapping
        What was assumed, dropped or counted; it goes into the manifest. Under `ASSUMED` stand sentences that the command line
        shows: what a reader took for granted, and the option that changes it.
    """

    day: date
    symbols: Sequence[SymbolInfo]
    source: str
    scale: int = 10_000
    frames: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    notes: Mapping[str, object] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Rows of all frames."""
        return sum(len(frame) for frame in self.frames.values())


def split_days(frames: Mapping[str, pd.DataFrame], zone: str) -> Iterator[tuple[date, dict[str, pd.DataFrame]]]:
    """Cut frames at the midnights of a zone; yield dates in order, each with its non-empty frames.

    Bars belong to the date they start on, everything else to the date of its `ts_ns`.
    """
    from replay.importers.times import dates_of

    days = {
        name: dates_of(frame["start_ts_ns" if name == "bars" else "ts_ns"].to_numpy(), zone) for name, frame in frames.items()
    }
    for day in sorted({day for found in days.values() for day in found.unique()}):
        cut = {name: frame[days[name] == day].reset_index(drop=True) for name, frame in frames.items()}
        yield day.date(), {name: frame for name, frame in cut.items() if len(frame)}
