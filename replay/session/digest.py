"""The digest of a session: SHA-256 over content, whatever the row groups, encodings and file bytes.

Each column has a running hash of its values in order: fixed-width values as little-endian bytes, absent exchange times as
`NO_TIME`, strings as one hash of their lengths and one of their bytes. So two files with the same rows have the same digest.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from replay.calendar import EASTERN, Hours
from replay.session.arrays import fixed_array
from replay.session.manifest import SymbolInfo
from replay.session.tables import column_names

_LATER = (("multiplier", 1), ("zone", EASTERN))


class StreamDigest:
    """Running digest of one stream, fed with arrow tables in order."""

    def __init__(self, stream: str) -> None:
        self._hashes = {name: (hashlib.sha256(), hashlib.sha256()) for name in column_names(stream)}

    def update(self, table: Any) -> None:
        """Take the next rows."""
        for name, (values, lengths) in self._hashes.items():
            for chunk in table.column(name).chunks:
                _update(chunk, values, lengths)

    def hexdigest(self) -> str:
        """Return the digest of the rows so far."""
        total = hashlib.sha256()
        for name, (values, lengths) in self._hashes.items():
            total.update(name.encode() + b"\0" + values.digest() + lengths.digest())
        return total.hexdigest()


def session_digest(hours: Hours, scale: int, symbols: Sequence[SymbolInfo], streams: Mapping[str, str]) -> str:
    """Combine trading hours, scale, symbol table and the digests of the streams."""
    content = {
        "hours": _facts(hours),
        "scale": scale,
        "symbols": [_facts(info) for info in symbols],
        "streams": dict(sorted(streams.items())),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """Digest a file as it lies on the disk."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def merged_digest(digests: Sequence[str]) -> str:
    """Combine the digests of sessions that are replayed together, in their order."""
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _facts(record: Any) -> dict[str, Any]:
    """Return the fields of a record; those that came later count only where they say something new, so old digests hold."""
    return {name: value for name, value in dataclasses.asdict(record).items() if (name, value) not in _LATER}


def _update(chunk: Any, values: Any, lengths: Any) -> None:
    import pyarrow as pa

    if pa.types.is_dictionary(chunk.type) or pa.types.is_string(chunk.type):
        _update_text(chunk.cast(pa.string()), values, lengths)
        return
    array = fixed_array(chunk)
    values.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).view(np.uint8))


def _update_text(chunk: Any, values: Any, lengths: Any) -> None:
    if len(chunk) == 0:
        return
    _, offsets, data = chunk.buffers()
    bounds = np.frombuffer(offsets, np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
    lengths.update(np.diff(bounds).astype("<i4").view(np.uint8))
    if data is not None:
        values.update(memoryview(data)[int(bounds[0]) : int(bounds[-1])])
