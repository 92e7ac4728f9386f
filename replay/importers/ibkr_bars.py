"""IBKR historical bars (`reqHistoricalData`) as `util.df` of ib_async lays them out, saved as csv or Parquet, one symbol a file.

IBKR stamps a bar at its start; it is known at its end, so `ts_ns = start + bar_s`. The length is the smallest step of the file
unless the options give it. Volume, average and count are unknown (-1, NaN, -1) where IBKR does not give them (MIDPOINT, BID,
ASK). Prices may be decimal texts. Historical bars are adjusted for splits, so a price finer than the scale is rounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from replay.errors import DataError, UsageError
from replay.events import WHAT_TO_SHOW
from replay.importers.files import Table, read_table
from replay.importers.imported import Imported, split_days
from replay.importers.options import ImportOptions
from replay.importers.quoting import joined, name_of, size_factor, symbol_info
from replay.importers.times import DAY_NS, refuse_night

SOURCE = "ibkr-bars"
SECOND_NS = 1_000_000_000
NO_PRICES = np.zeros(0, np.int64)


def read(paths: Sequence[Path], options: ImportOptions) -> Iterator[Imported]:
    """Read bar files; yield one `Imported` per date."""
    if options.what_to_show not in WHAT_TO_SHOW:
        raise UsageError(f"what_to_show must be one of {', '.join(WHAT_TO_SHOW)}, got `{options.what_to_show}`")
    bars = joined([_bars(path, name_of(path, k, paths, options), options) for k, path in enumerate(paths)])
    assert bars is not None
    known = {"evidence": "bars", "ts_source": "exchange", "ts_resolution_ns": SECOND_NS}
    for day, cut in split_days({"bars": bars}, options.zone):
        names = sorted(cut["bars"]["symbol"].unique())
        symbols = tuple(symbol_info(name, NO_PRICES, options, what_to_show=(options.what_to_show,), **known) for name in names)
        yield Imported(day=day, symbols=symbols, source=SOURCE, scale=options.scale, frames=cut)


def _bars(path: Path, name: str, options: ImportOptions) -> pd.DataFrame:
    table = read_table(path, texts=("date",))
    start_ns = table.times("date", options.zone)
    table.refuse_disorder(start_ns, "date")
    refuse_night(start_ns, options, path)
    bar_s = options.bar_s or infer_bar_s(start_ns, path)
    factor, _ = size_factor(options, "shares")
    frame = pd.DataFrame({"ts_ns": start_ns + bar_s * SECOND_NS, "symbol": name, "start_ts_ns": start_ns, "bar_s": bar_s})
    frame["exch_ts_ns"] = frame["ts_ns"]
    for column in ("open", "high", "low", "close"):
        frame[column] = table.prices(column, options.scale, is_rounding=True)
        table.refuse(frame[column].to_numpy() == 0, column, "a price above 0")
    table.refuse((frame["high"] < frame["low"]).to_numpy(), "high", "a high not below the low")
    frame["volume"] = _counts(table, "volume", factor)
    frame["count"] = _counts(table, "barCount", 1)
    frame["wap"] = _average(table, options)
    frame["what_to_show"] = options.what_to_show
    return frame


def infer_bar_s(start_ns: np.ndarray, path: Path) -> int:
    """Return the smallest step between bar starts in seconds; refuse what is not intraday."""
    steps = np.diff(start_ns)
    if (steps == 0).any():
        raise DataError(
            f"`{path}` has two bars that start at the same time (row {int(np.argmax(steps == 0)) + 2}); give one symbol a file"
        )
    if not len(steps):
        raise DataError(f"`{path}` holds one bar only, its length cannot be told; give it with --bar-s")
    step_ns = int(steps.min())
    if step_ns >= DAY_NS or step_ns % SECOND_NS:
        raise DataError(f"`{path}` has a smallest step of {step_ns / SECOND_NS:g} s; expected intraday bars of whole seconds")
    return step_ns // SECOND_NS


def _counts(table: Table, name: str, factor: int) -> np.ndarray:
    """Return a column of counts; -1 where it is absent or says -1."""
    if name not in table.frame.columns:
        return np.full(len(table), -1, np.int64)
    values = table.numbers(name)
    table.refuse((values < 0) & (values != -1), name, "0 or more, or -1 for unknown")
    return np.where(values < 0, -1, np.rint(values * factor)).astype(np.int64)


def _average(table: Table, options: ImportOptions) -> np.ndarray:
    """Return the volume-weighted price in price units; NaN where it is unknown."""
    if "average" not in table.frame.columns:
        return np.full(len(table), np.nan)
    values = table.numbers("average", is_nan_allowed=True)
    table.refuse((values < 0) & (values != -1), "average", "a price, or -1 for unknown")
    return np.where(values > 0, values * options.scale, np.nan)
