"""Foreign files become tables whose columns are asked for by meaning; what is wrong is said with file, row and column.

Rows are counted from 1, the first row of data, so that a message means the same row in csv, json and Parquet.
"""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from replay.errors import DataError, UsageError
from replay.importers.times import to_ns

if TYPE_CHECKING:
    import pandas as pd

_FINEST = 1e-6  # of a price unit: what float64 leaves of a decimal price below 1e9 units


@dataclass(frozen=True, slots=True)
class Table:
    """A frame and the file it came from.

    Parameters
    ----------
    path : Path
        For messages only.
    frame : DataFrame
        Columns as they stand in the file.
    first_row : int
        The row of the file that the frame begins with.
    """

    path: Path
    frame: pd.DataFrame
    first_row: int = 1

    def __len__(self) -> int:
        return len(self.frame)

    def tail(self, start: int) -> Table:
        """Return the table without its first `start` rows."""
        return Table(self.path, self.frame.iloc[start:], self.first_row + start)

    def column(self, name: str) -> pd.Series:
        """Return a column, or say which ones there are."""
        if name not in self.frame.columns:
            there = ", ".join(map(str, self.frame.columns[:12])) + (", ..." if len(self.frame.columns) > 12 else "")
            raise DataError(f"`{self.path}` has no column `{name}`; its columns are: {there}")
        return self.frame[name]

    def numbers(self, name: str, *, is_nan_allowed: bool = False) -> np.ndarray:
        """Return a column as float64."""
        import pandas as pd

        column = self.column(name)
        values: np.ndarray = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
        self.refuse(np.isnan(values) & column.notna().to_numpy(), name, "a number")
        if not is_nan_allowed:
            self.refuse(np.isnan(values), name, "a number")
        self.refuse(np.isinf(values), name, "a finite number")
        return values

    def integers(self, name: str) -> np.ndarray:
        """Return a column of whole numbers as int64."""
        column = self.column(name)
        if column.dtype.kind in "iu":
            whole: np.ndarray = column.to_numpy(np.int64)
            return whole
        values = self.numbers(name)
        self.refuse(values != np.rint(values), name, "a whole number")
        return _rounded(values)

    def sizes(self, name: str, factor: int = 1) -> np.ndarray:
        """Return a column of quantities, never negative, as int64 shares."""
        values = self.numbers(name)
        self.refuse(values < 0, name, "a size of 0 or more")
        return _rounded(values * factor)

    def prices(self, name: str, scale: int, *, is_rounding: bool = False) -> np.ndarray:
        """Return a column of prices as int64 units of 1/scale dollar; a price that is no multiple is refused unless rounding."""
        values = self.numbers(name)
        self.refuse(values < 0, name, "a price of 0 or more")
        return self.scaled(values, name, scale, is_rounding=is_rounding)

    def scaled(self, values: np.ndarray, name: str, scale: int, *, is_rounding: bool = False) -> np.ndarray:
        """Scale dollars to int64 units and say which row is finer than the scale."""
        units = values * scale
        nearest = np.rint(units)
        if not is_rounding:
            is_finer = np.abs(units - nearest) > _FINEST + np.abs(units) * 1e-12
            self.refuse(is_finer, name, f"a multiple of 1/{scale} dollar (import with a larger scale)")
        return _rounded(nearest)

    def times(self, name: str, zone: str, unit: str = "") -> np.ndarray:
        """Return a column of stamps as int64 ns in UTC."""
        try:
            return to_ns(self.column(name), zone, unit)
        except ValueError as error:
            row, wrong = error.args if len(error.args) == 2 else (0, str(error))
            raise DataError(f"column `{name}` of `{self.path}` {wrong} (row {row + self.first_row})") from error

    def refuse(self, is_wrong: np.ndarray, name: str, expected: str) -> None:
        """Raise for the first row that is wrong."""
        if is_wrong.any():
            row = int(np.argmax(is_wrong))
            got = self.frame[name].iloc[row]
            raise DataError(f"column `{name}` of `{self.path}`, row {row + self.first_row}: expected {expected}, got `{got}`")

    def refuse_disorder(self, ts_ns: np.ndarray, name: str, groups: np.ndarray | None = None) -> None:
        """Raise for the first row that lies before its predecessor (of its group, where groups are given)."""
        rows = np.arange(len(ts_ns)) if groups is None else np.argsort(groups, kind="stable")
        is_back = np.diff(ts_ns[rows]) < 0
        if groups is not None:
            is_back &= np.diff(groups[rows]) == 0
        if is_back.any():
            place = int(np.argmax(is_back))
            row = int(rows[place + 1])
            now, before = self.frame[name].iloc[row], self.frame[name].iloc[int(rows[place])]
            raise DataError(
                f"`{self.path}` goes back in time at row {row + self.first_row}: `{name}` {now} after {before}; "
                "sort the file by time"
            )


def _rounded(values: np.ndarray) -> np.ndarray:
    whole: np.ndarray = np.rint(values).astype(np.int64)
    return whole


def read_table(path: Path, *, names: Sequence[str] | None = None, texts: Sequence[str] = ()) -> Table:
    """Read a csv (plain, gz, xz, bz2, zst or zip), json or Parquet file.

    Parameters
    ----------
    path : Path
        The suffix tells the format.
    names : sequence of str, optional
        Column names of a csv without a header.
    texts : sequence of str
        Columns to be kept as texts.

    Raises
    ------
    UsageError
        No such file.
    DataError
        The file is empty, cut off, or not what its suffix says.
    """
    import pandas as pd

    kinds = dict.fromkeys(texts, "str")
    if path.suffix == ".parquet":
        frame = _guarded(path, lambda: pd.read_parquet(path))
    elif path.suffix == ".json":
        frame = _guarded(path, lambda: _read_json(path))
    else:
        frame = _guarded(path, lambda: read_csv(path, names, kinds))
    return not_empty(Table(path, frame))


def read_csv(source: Any, names: Sequence[str] | None, kinds: dict[str, str]) -> pd.DataFrame:
    """Read csv from a path or an open file; a trailing empty column is dropped."""
    import pandas as pd

    options: dict[str, Any] = {"header": 0 if names is None else None, "dtype": kinds, "index_col": False}
    if names is not None:
        options["names"] = list(names)
    frame: pd.DataFrame = pd.read_csv(source, low_memory=False, **options)
    return frame[[name for name in frame.columns if not str(name).startswith("Unnamed:")]]


def read_zip(path: Path, layout: Callable[[str], Sequence[str]], texts: Sequence[str]) -> Table:
    """Read the one csv in a zip; `layout` gives the columns for its name."""

    def read() -> pd.DataFrame:
        with zipfile.ZipFile(path) as archive:
            members = [name for name in archive.namelist() if name.lower().endswith(".csv")]
            if len(members) != 1:
                raise DataError(f"`{path}` must hold one csv, it holds {', '.join(archive.namelist()) or 'nothing'}")
            with archive.open(members[0]) as member:
                return read_csv(member, layout(members[0]), dict.fromkeys(texts, "str"))

    return not_empty(Table(path, _guarded(path, read)))


def not_empty(table: Table) -> Table:
    """Refuse a table without rows."""
    if not len(table):
        raise DataError(f"`{table.path}` holds no rows; leave it out or record it again")
    return table


def _read_json(path: Path) -> pd.DataFrame:
    import json

    import pandas as pd

    with path.open(encoding="utf-8") as file:
        first = file.read(1)
        file.seek(0)
        if first == "{":  # one object per line
            return pd.DataFrame([json.loads(line) for line in file if line.strip()])
        return pd.DataFrame(json.load(file))


def _guarded(path: Path, read: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Turn what the libraries raise at damaged files into one sentence."""
    import pandas as pd
    import pyarrow as pa

    try:
        return read()
    except FileNotFoundError as error:
        raise UsageError(f"there is no file `{path}`") from error
    except pd.errors.EmptyDataError as error:
        raise DataError(f"`{path}` is empty; leave it out or record it again") from error
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, pa.ArrowException) as error:
        raise DataError(f"`{path}` is damaged or cut off ({error}); copy or download it again") from error
    except (ValueError, OSError) as error:  # pandas' and json's parser errors and undecodable text are ValueErrors
        raise DataError(f"`{path}` cannot be read as {path.suffix or 'csv'} ({error}); check its format") from error
