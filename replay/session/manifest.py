"""The manifest of a session: everything about it that is not a row, and its form as JSON."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from replay.calendar import Hours
from replay.errors import DataError, UsageError
from replay.orders import Evidence
from replay.session.tables import EVENT_STREAMS, SCHEMA_VERSION, STREAMS

MANIFEST_NAME = "manifest.json"
FORMAT_NAME = "ibkr-replay session"
_TS_SOURCES = ("receive", "exchange")
_SIZE_UNITS = ("shares", "round_lots")
MAX_SYMBOLS = 32_767  # an event holds its symbol in 16 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolInfo:
    """What a session knows about one symbol.

    Parameters
    ----------
    name : str
        The symbol as it stands in the tables.
    tick : int
        Smallest price step, in price units (`1 / scale` dollars).
    lot, round_lot : int
        Smallest order and exchange's round lot, in shares.
    con_id : int, optional
        IBKR's contract number.
    primary_exchange : str
        Primary listing, as IBKR names it.
    what_to_show : tuple of str
        Kinds of bars that were recorded.
    evidence : {"tick_by_tick", "snapshot_250ms", "bars", "historical", "message_level"}
        How much the recording knows about the queue.
    ts_source : {"receive", "exchange"}
        The clock that is real; the other one was derived from it.
    ts_resolution_ns : int
        Step of that clock: 1_000_000_000 when only seconds were known.
    size_unit : {"shares", "round_lots"}
        Unit of sizes as received; the tables always hold shares.
    multiplier : int
        Dollars per dollar of price of one unit: 1 for a share, 50 for a future on the S&P 500 (ES).
    """

    name: str
    tick: int = 100
    lot: int = 1
    round_lot: int = 100
    con_id: int | None = None
    primary_exchange: str = ""
    what_to_show: tuple[str, ...] = ()
    evidence: str = "snapshot_250ms"
    ts_source: str = "receive"
    ts_resolution_ns: int = 1
    size_unit: str = "shares"
    multiplier: int = 1

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        if not self.name or not isinstance(self.name, str):
            raise DataError(f"a symbol needs a name, got {self.name!r}")
        for key in ("tick", "lot", "round_lot", "ts_resolution_ns", "multiplier"):
            value = getattr(self, key)
            if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
                raise DataError(f"symbol '{self.name}': {key} must be a positive integer, got {value!r}")
        _check_word(self.name, "evidence", self.evidence, tuple(kind.name.lower() for kind in Evidence))
        _check_word(self.name, "ts_source", self.ts_source, _TS_SOURCES)
        _check_word(self.name, "size_unit", self.size_unit, _SIZE_UNITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamInfo:
    """One table of a session.

    Parameters
    ----------
    rows : int
        Its rows.
    first_ts_ns, last_ts_ns : int
        Its time span.
    digest : str
        Of its content, whatever the bytes of the file.
    resorted_rows : int
        Rows that were out of time order when they came.
    file_sha256 : str
        Of the file as it was written; empty in memory and in sessions of older programs.
    """

    rows: int
    first_ts_ns: int
    last_ts_ns: int
    digest: str
    resorted_rows: int = 0
    file_sha256: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A session's identity card.

    Parameters
    ----------
    day : datetime.date
        Calendar date of the session.
    source : str
        Where the data came from.
    scale : int
        Price units per dollar.
    hours : Hours
        Trading hours of the day.
    symbols : tuple of SymbolInfo
        The symbol table.
    venues : tuple of str
        Exchanges of the trades, in order of first appearance; the index is the venue code of an event.
    streams : mapping of str to StreamInfo
        The tables that exist.
    digest : str
        SHA-256 over content: trading hours, scale, symbol table and every column in order.
    notes : mapping
        Anything else the source had to say.
    """

    day: date
    source: str
    scale: int
    hours: Hours
    symbols: tuple[SymbolInfo, ...]
    venues: tuple[str, ...]
    streams: Mapping[str, StreamInfo]
    digest: str
    notes: Mapping[str, object] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION

    @property
    def n_events(self) -> int:
        """Rows of all event tables; messages do not count."""
        return sum(info.rows for name, info in self.streams.items() if name in EVENT_STREAMS)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the symbols."""
        return tuple(info.name for info in self.symbols)


def check_symbols(symbols: Sequence[SymbolInfo]) -> None:
    """Refuse an empty, too long or ambiguous symbol table."""
    names = [info.name for info in symbols]
    if not names:
        raise DataError("a session needs at least one symbol in `symbols`, got none")
    if len(names) > MAX_SYMBOLS:
        raise DataError(f"a session holds at most {MAX_SYMBOLS} symbols, got {len(names)}; split it")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"symbol '{twice}' stands twice in `symbols`; keep one entry")


def dumps_manifest(manifest: Manifest) -> str:
    """Write a manifest as JSON."""
    content = {"format": FORMAT_NAME, **dataclasses.asdict(manifest), "n_events": manifest.n_events}
    content["day"] = manifest.day.isoformat()
    return json.dumps(content, indent=1, sort_keys=False) + "\n"


def read_manifest(folder: Path) -> Manifest:
    """Read and check the manifest of a session folder.

    Raises
    ------
    UsageError
        If there is no such folder.
    DataError
        If it is missing, garbled, of another schema version, or lacks a key.
    """
    path = folder / MANIFEST_NAME
    if not folder.exists():
        raise UsageError(f"there is no session {folder}; give the folder that `replay import` made")
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        what = "it has no manifest.json" if folder.is_dir() else "it is a file"
        raise DataError(f"{folder} is no session: {what}; give the folder that `replay import` made") from None
    except (ValueError, OSError) as error:
        raise DataError(f"{path} cannot be read as JSON ({error}); restore it or import the session again") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT_NAME:
        raise DataError(f"{path} is not the manifest of a session: key 'format' must be '{FORMAT_NAME}'; import it again")
    version = content.get("schema_version")
    if version != SCHEMA_VERSION:
        raise DataError(f"{path} has schema_version {version!r}, this program reads {SCHEMA_VERSION}; import the session again")
    return _parse(content, path)


def _parse(content: dict[str, Any], path: Path) -> Manifest:
    try:
        manifest = Manifest(
            day=date.fromisoformat(content["day"]),
            source=str(content["source"]),
            scale=int(content["scale"]),
            hours=Hours(**content["hours"]),
            symbols=tuple(SymbolInfo(**{**s, "what_to_show": tuple(s.get("what_to_show", ()))}) for s in content["symbols"]),
            venues=tuple(content["venues"]),
            streams={name: StreamInfo(**info) for name, info in content["streams"].items()},
            digest=str(content["digest"]),
            notes=dict(content.get("notes", {})),
        )
    except KeyError as error:
        raise DataError(f"{path} lacks the key {error}; import the session again") from None
    except (TypeError, ValueError, AttributeError, DataError) as error:
        raise DataError(f"{path} holds an impossible value ({error}); import the session again") from None
    unknown = set(manifest.streams) - set(STREAMS)
    if unknown:
        raise DataError(f"{path} names the unknown table '{min(unknown)}'; known are {', '.join(STREAMS)}")
    return manifest


def _check_word(symbol: str, key: str, value: str, words: tuple[str, ...]) -> None:
    if value not in words:
        raise DataError(f"symbol '{symbol}': {key} must be one of {', '.join(words)}, got {value!r}")
