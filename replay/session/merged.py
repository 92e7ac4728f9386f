"""Sessions of one date that are replayed together: disjoint symbols, ties by (ts_ns, session order, seq).

`seq` is numbered anew over all events of all parts, wanted or not, so it is the same for every choice of symbols and times.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from replay.errors import DataError, UsageError
from replay.session.digest import merged_digest
from replay.session.manifest import Manifest, StreamInfo, check_symbols
from replay.session.reader import Recording
from replay.session.tables import EVENT_STREAMS
from replay.session.writer import MAX_VENUES


def combine(manifests: Sequence[Manifest]) -> Manifest:
    """Return the manifest of several sessions as one.

    Raises
    ------
    DataError
        If dates, scales or hours differ, or a symbol stands in two of them.
    """
    if not manifests:
        raise UsageError("merging needs at least one session, got none")
    first = manifests[0]
    for other in manifests[1:]:
        for key in ("day", "scale", "hours"):
            ours, theirs = getattr(first, key), getattr(other, key)
            if ours != theirs:
                raise DataError(
                    f"merged sessions must share their {key}: {ours} from '{first.source}', {theirs} from '{other.source}'"
                )
    symbols = tuple(info for manifest in manifests for info in manifest.symbols)
    _check_disjoint(manifests)
    check_symbols(symbols)
    venues = tuple(dict.fromkeys(venue for manifest in manifests for venue in manifest.venues))
    if len(venues) > MAX_VENUES:
        raise DataError(f"the merged sessions name {len(venues)} exchanges, at most {MAX_VENUES} fit; merge fewer of them")
    if len(manifests) == 1:
        return first
    return replace(
        first,
        source=" + ".join(dict.fromkeys(manifest.source for manifest in manifests)),
        symbols=symbols,
        venues=venues,
        streams=_streams(manifests),
        digest=merged_digest([manifest.digest for manifest in manifests]),
        notes={"parts": [{"source": manifest.source, "digest": manifest.digest} for manifest in manifests]},
    )


def _check_disjoint(manifests: Sequence[Manifest]) -> None:
    seen: dict[str, int] = {}
    for k, manifest in enumerate(manifests):
        for name in manifest.names:
            if name in seen:
                raise DataError(
                    f"symbol '{name}' stands in sessions {seen[name] + 1} and {k + 1}; merge sessions of different symbols"
                )
            seen[name] = k


def _streams(manifests: Sequence[Manifest]) -> dict[str, StreamInfo]:
    streams: dict[str, StreamInfo] = {}
    for name in sorted({name for manifest in manifests for name in manifest.streams}):
        parts = [manifest.streams[name] for manifest in manifests if name in manifest.streams]
        streams[name] = StreamInfo(
            rows=sum(part.rows for part in parts),
            first_ts_ns=min(part.first_ts_ns for part in parts),
            last_ts_ns=max(part.last_ts_ns for part in parts),
            digest=merged_digest([part.digest for part in parts]),
            resorted_rows=sum(part.resorted_rows for part in parts),
        )
    return streams


def merged_seq(recordings: Sequence[Recording], part: int, ts_ns: np.ndarray, seq: np.ndarray, *, is_message: bool) -> np.ndarray:
    """Return the new `seq` of rows of one part: its own plus the rows of the other parts that come before."""
    total = seq.astype(np.int64)
    for k, recording in enumerate(recordings):
        if k != part:
            total += np.searchsorted(_times(recording, is_message=is_message), ts_ns, "right" if k < part else "left")
    return total


def _times(recording: Recording, *, is_message: bool) -> np.ndarray:
    """Return the sorted times of all events (or messages) of a recording."""
    streams = ("messages",) if is_message else EVENT_STREAMS
    times = [table.column(0).to_numpy() for name in streams for _, table in recording.groups(name, ["ts_ns"])]
    return np.sort(np.concatenate([np.zeros(0, np.int64), *times]))
