"""The spool: rows that leave the loop go to disk while the run goes on, and through a digest on their way.

Memory does not grow with the run, and the digest depends on the rows alone, not on where the stretches were cut.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np


class Spool:
    """One raw file and one running sha256 per stream of structured rows.

    Parameters
    ----------
    folder : Path
        Where `NAME.rows` files are written; must exist.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, Any] = {}
        self._hashes: dict[str, Any] = {}
        self._counts: dict[str, int] = {}

    def add(self, name: str, rows: np.ndarray) -> None:
        """Append rows to a stream; NaNs are brought to one form first, since their bits carry no meaning."""
        rows = _with_plain_nan(rows)
        if name not in self._files:
            self._files[name] = (self._folder / f"{name}.rows").open("wb")
            self._hashes[name] = hashlib.sha256(repr(rows.dtype.descr).encode())
            self._counts[name] = 0
        data = rows.tobytes()
        self._files[name].write(data)
        self._hashes[name].update(data)
        self._counts[name] += len(rows)

    def close(self) -> None:
        """Flush all files; `digests` and `read_rows` are complete from here on."""
        for file in self._files.values():
            file.close()

    @property
    def counts(self) -> dict[str, int]:
        """Rows per stream."""
        return dict(self._counts)

    @property
    def digests(self) -> dict[str, str]:
        """Hex sha256 per stream."""
        return {name: running.hexdigest() for name, running in sorted(self._hashes.items())}


def journal_digest(digests: dict[str, str]) -> str:
    """Fold the digests of the streams into the one that names a run's outcome."""
    text = "".join(f"{name}:{digests[name]};" for name in sorted(digests))
    return hashlib.sha256(text.encode()).hexdigest()


def _with_plain_nan(rows: np.ndarray) -> np.ndarray:
    rows = np.frombuffer(bytearray(rows.tobytes()), rows.dtype)  # numpy's own copy would leave padding bytes undefined
    for name in rows.dtype.names or ():
        column = rows[name]
        if column.dtype.kind == "f":
            column[np.isnan(column)] = np.nan
    return rows
