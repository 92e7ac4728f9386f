"""Importers: files of other people become sessions, one session per date.

============== ==============================================================================================
file           reads
============== ==============================================================================================
ibkr_quotes    wide csv of a snapshot recorder: one row per change, four columns per symbol
ibkr_api       raw ticks of the IBKR API (tick types 0-8), csv or json
ibkr_ticks     historical ticks (`reqHistoricalTicks`) saved as csv or Parquet
ibkr_bars      historical bars (`reqHistoricalData`) saved as csv or Parquet
lean           QuantConnect LEAN, tick and second zips
lobster        LOBSTER message files, with or without their book files
databento      Databento MBO, MBP-1 and MBP-10 as csv or dbn
columns        any csv or Parquet, its columns named by a map (format `csv`)
============== ==============================================================================================

`options` holds what a caller may say, `imported` what a reader gives back, `files` and `times` turn foreign columns into ours
and complain in one sentence, `maps` reads map files, `quoting` holds what all quote readers share, `book` rebuilds level 1 from
single orders, `staging` writes all dates or none. A reader is `read(paths, options) -> Iterator[Imported]`; dates come out in
order.
"""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from replay.errors import UsageError
from replay.importers.imported import Imported
from replay.importers.options import ImportOptions
from replay.importers.staging import Staging
from replay.importers.times import check_zone

__all__ = ["FORMATS", "Format", "ImportOptions", "Imported", "import_sessions"]

Progress = Callable[[str], None]


class Format(NamedTuple):
    """One foreign format: the module that reads it and a line for `replay import --help`."""

    module: str
    summary: str

    def read(self, paths: Sequence[Path], options: ImportOptions) -> Iterator[Imported]:
        """Read the files with the format's own module, which is imported only now."""
        module = importlib.import_module(f"replay.importers.{self.module}")
        found: Iterator[Imported] = module.read(paths, options)
        return found


FORMATS: Mapping[str, Format] = {
    "ibkr-quotes": Format("ibkr_quotes", "wide csv of quotes, four columns per symbol, recorded from IBKR"),
    "ibkr-api": Format("ibkr_api", "raw IBKR API ticks (time, price, size, tickType), csv or json"),
    "ibkr-ticks": Format("ibkr_ticks", "IBKR historical ticks saved from ib_async, csv or Parquet"),
    "ibkr-bars": Format("ibkr_bars", "IBKR historical bars saved from ib_async, csv or Parquet"),
    "lean": Format("lean", "QuantConnect LEAN tick and second zips, files or folders"),
    "lobster": Format("lobster", "LOBSTER message csv, with or without the orderbook csv"),
    "databento": Format("databento", "Databento MBO, MBP-1 or MBP-10: csv, csv.xz, csv.zst, dbn, dbn.zst"),
    "csv": Format("columns", "any csv or Parquet with a column map (--map FILE)"),
}


def import_sessions(
    fmt: str,
    paths: Sequence[str | Path],
    out: str | Path,
    options: ImportOptions | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Import files of one format; write one session per date into `out/YYYY-MM-DD`.

    Parameters
    ----------
    fmt : str
        A key of `FORMATS`.
    paths : sequence of path
        Files; for `lean` and `csv` also folders.
    out : path
        The folder that receives the sessions.
    options : ImportOptions, optional
        What the files do not say themselves.
    progress : callable, optional
        Called with one line of text before reading and before each date is written.

    Returns
    -------
    list of Path
        The folders written, in date order: all dates of the files, or none if one of them is bad.

    Raises
    ------
    UsageError
        Unknown format, calendar or zone, no paths, or a path that does not exist.
    DataError
        A file that cannot be right; the message names file and row.
    """
    given = [Path(path) for path in paths]
    _check_request(fmt, given)
    options = options or ImportOptions()
    check_zone(options.zone)  # and the calendar that may give it
    if progress:
        progress(f"reading {len(given)} {'path' if len(given) == 1 else 'paths'} ({_megabytes(given):.1f} MB)")
    with Staging(Path(out), options.calendar) as staging:
        for imported in FORMATS[fmt].read(given, options):
            if progress:
                progress(f"{imported.day}: {', '.join(symbol.name for symbol in imported.symbols)} ({imported.count} rows)")
            staging.write(imported)
        return staging.publish()


def _megabytes(paths: Sequence[Path]) -> float:
    files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path])]
    return sum(file.stat().st_size for file in files) / 1e6


def _check_request(fmt: str, paths: Sequence[Path]) -> None:
    if fmt not in FORMATS:
        raise UsageError(f"unknown format `{fmt}`; known are {', '.join(FORMATS)}")
    if not paths:
        raise UsageError(f"`replay import {fmt}` needs at least one file")
    for path in paths:
        if not path.exists():
            raise UsageError(f"there is no file `{path}`")
