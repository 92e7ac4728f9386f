r"""Any csv or Parquet whose columns a map names (format `csv`).

The map is TOML: one table per stream, each naming our columns on the left and the file's on the right::

    tz = "America/New_York"        # zone of stamps without offset; default New York
    symbol_from = "quotes-(\\\\w+)"  # regular expression on the file's stem, where no column and no --symbol names the symbol
    sort = false                   # true: put rows in time order instead of refusing them
    multiplier = 1                 # dollars per point of one contract: 50 for ES

    [quotes]
    files = "quotes-*"             # which files hold this stream; not needed for a map of one stream
    ts = "t"                       # stamps: texts, datetimes, or numbers since 1970
    unit = "ms"                    # of numbers; default: what their size gives away
    symbol = "sym"                 # optional column
    bid = "bP"
    bid_size = "bS"
    ask = "aP"
    ask_size = "aS"
    size_multiplier = 100          # shares per unit of size
    missing = "skip"               # a side without price or size is empty, a print without them is left out; default: refused
    # also: exch_ts

    [trades]                       # ts, price, size; optional exchange, conditions, exch_ts, symbol
    off_exchange = ["4"]           # further exchange codes that mean off exchange; FINRA's own names (D, TRF, ...) are known

    [bars]                         # start, open, high, low, close; optional volume, wap, count, symbol
    bar_s = 60                     # default: the smallest step of the file

Without a map the columns must have our names already (`ts` or `ts_ns`; `start` or `start_ts_ns`). Prices are dollars, as numbers
or decimal texts. Quotes finer than the scale are refused, prints and bars are rounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from replay.errors import DataError
from replay.events import Flag
from replay.importers.files import Table, read_table
from replay.importers.ibkr_bars import SECOND_NS, infer_bar_s
from replay.importers.imported import Imported, split_days
from replay.importers.maps import MAP_FORM, OPTIONAL, REQUIRED, ColumnMap, read_map
from replay.importers.options import ImportOptions
from replay.importers.quoting import empty_side, joined, name_of, present, quoted_prices, symbol_info
from replay.importers.times import refuse_night

SOURCE = "csv"
_ALIASES = {"ts": ("ts", "ts_ns", "time", "timestamp"), "start": ("start", "start_ts_ns", "time", "timestamp", "date")}


def read(paths: Sequence[Path], options: ImportOptions) -> Iterator[Imported]:
    """Read files by a column map; yield one `Imported` per date."""
    columns = read_map(options.map_file)
    files = [file for path in paths for file in (sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path])]
    parts: dict[str, list[pd.DataFrame]] = {"quotes": [], "trades": [], "bars": []}
    for position, file in enumerate(files):
        table = read_table(file, texts=("symbol",))
        stream, names = _match(table, columns)
        table = _without_gaps(table, stream, names)
        symbol = _symbol(table, names, columns, name_of(file, position, files, options), options)
        parts[stream].append(_READERS[stream](table, names, symbol, columns, options))
    stacked = present(**{stream: joined(frames) for stream, frames in parts.items()})
    multiplier = options.multiplier or columns.multiplier
    evidence = "historical" if set(stacked) - {"bars"} else "bars"
    for day, cut in split_days(stacked, columns.zone(options)):
        names_of_day = sorted({name for frame in cut.values() for name in frame["symbol"].unique()})
        symbols = tuple(
            symbol_info(name, quoted_prices(stacked.get("quotes"), name), options, evidence=evidence, multiplier=multiplier)
            for name in names_of_day
        )
        yield Imported(day=day, symbols=symbols, source=SOURCE, scale=options.scale, frames=cut)


def _match(table: Table, columns: ColumnMap) -> tuple[str, Mapping[str, Any]]:
    """Find the stream of a file: by its name, else by the columns it has."""
    known = set(map(str, table.frame.columns))
    if not columns.streams:
        own = {stream: _own_names(stream, known) for stream in REQUIRED}
        fitting = [stream for stream in REQUIRED if all(own[stream][name] in known for name in REQUIRED[stream])]
        if not fitting:
            there = ", ".join(map(str, table.frame.columns[:8]))
            raise DataError(f"`{table.path}` has the columns {there}, which are not ours; name them with --map FILE: {MAP_FORM}")
        return fitting[0], own[fitting[0]]
    named = [stream for stream, names in columns.streams.items() if "files" in names and table.path.match(names["files"])]
    if not named:
        open_streams = [stream for stream, names in columns.streams.items() if "files" not in names]
        named = [s for s in open_streams if all(columns.streams[s][name] in known for name in REQUIRED[s])] or open_streams[:1]
    if len(named) != 1:
        raise DataError(
            f"`{table.path}` fits {' and '.join(named) or 'no stream'} of the map; tell them apart with `files` patterns"
        )
    return named[0], columns.streams[named[0]]


def _without_gaps(table: Table, stream: str, names: Mapping[str, Any]) -> Table:
    """Apply `missing = "skip"`: empty sides become 0, prints without price or size go."""
    if names.get("missing") != "skip" or stream == "bars":
        return table
    frame = table.frame
    pairs = [("bid", "bid_size"), ("ask", "ask_size")] if stream == "quotes" else [("price", "size")]
    for pair in pairs:
        here = [names[key] for key in pair]
        is_gap = frame[here].isna().any(axis=1)
        if stream == "trades":
            return Table(table.path, frame[~is_gap].reset_index(drop=True))
        frame = frame.assign(**{name: frame[name].mask(is_gap, 0) for name in here})
    return Table(table.path, frame)


def _own_names(stream: str, there: set[str]) -> dict[str, str]:
    names = {name: name for name in REQUIRED[stream]} | {name: name for name in OPTIONAL[stream] if name in there}
    for name, aliases in _ALIASES.items():
        if name in names:
            names[name] = next((alias for alias in aliases if alias in there), name)
    return names


def _symbol(table: Table, names: Mapping[str, Any], columns: ColumnMap, default: str, options: ImportOptions) -> Any:
    if "symbol" in names:
        return table.column(names["symbol"]).astype("str").to_numpy()
    if options.symbols or not columns.symbol_from:
        return default
    match = re.search(columns.symbol_from, table.path.stem)
    if not match:
        raise DataError(f"`symbol_from` finds no symbol in the name of `{table.path}`; change it, or give --symbol")
    return match[1] if match.groups() else match[0]


def _times(table: Table, names: Mapping[str, Any], key: str, columns: ColumnMap, options: ImportOptions) -> np.ndarray:
    name, zone = names[key], columns.zone(options)
    ts_ns = table.times(name, zone, names.get("unit", ""))
    if not columns.is_sorting:
        groups = pd.factorize(table.column(names["symbol"]))[0] if "symbol" in names else None
        table.refuse_disorder(ts_ns, name, groups)
    refuse_night(ts_ns, replace(options, tz=zone), table.path)
    return ts_ns


def _start(table: Table, names: Mapping[str, Any], symbol: Any, columns: ColumnMap, options: ImportOptions) -> pd.DataFrame:
    frame = pd.DataFrame({"ts_ns": _times(table, names, "ts", columns, options), "symbol": symbol})
    if "exch_ts" in names:
        frame["exch_ts_ns"] = table.times(names["exch_ts"], columns.zone(options), names.get("unit", ""))
    return frame


def _quotes(table: Table, names: Mapping[str, Any], symbol: Any, columns: ColumnMap, options: ImportOptions) -> pd.DataFrame:
    frame = _start(table, names, symbol, columns, options)
    factor = names.get("size_multiplier", 1)
    for side in ("bid", "ask"):
        price = table.prices(names[side], options.scale)
        frame[side], frame[f"{side}_size"] = empty_side(price, table.sizes(names[f"{side}_size"], factor))
    return frame


def _trades(table: Table, names: Mapping[str, Any], symbol: Any, columns: ColumnMap, options: ImportOptions) -> pd.DataFrame:
    frame = _start(table, names, symbol, columns, options)
    frame["price"] = table.prices(names["price"], options.scale, is_rounding=True)
    table.refuse(frame["price"].to_numpy() == 0, names["price"], "a price above 0")
    frame["size"] = table.sizes(names["size"], names.get("size_multiplier", 1))
    if names.get("missing") != "skip":
        table.refuse(
            frame["size"].to_numpy() == 0, names["size"], 'a size above 0 (`missing = "skip"` in the map leaves such rows out)'
        )
    for name in ("exchange", "conditions"):
        if name in names:
            frame[name] = table.column(names[name]).fillna("").astype("str").to_numpy()
    if "exchange" in names:
        off = [str(code) for code in names.get("off_exchange", ())]
        frame["flags"] = np.where(frame["exchange"].isin(off), int(Flag.OFF_EXCHANGE), 0)
    return frame[frame["size"] > 0].reset_index(drop=True)


def _bars(table: Table, names: Mapping[str, Any], symbol: Any, columns: ColumnMap, options: ImportOptions) -> pd.DataFrame:
    start_ns = _times(table, names, "start", columns, options)
    bar_s = options.bar_s or names.get("bar_s") or infer_bar_s(np.unique(start_ns), table.path)
    frame = pd.DataFrame({"ts_ns": start_ns + bar_s * SECOND_NS, "symbol": symbol, "start_ts_ns": start_ns, "bar_s": bar_s})
    for name in ("open", "high", "low", "close"):
        frame[name] = table.prices(names[name], options.scale, is_rounding=True)
        table.refuse(frame[name].to_numpy() == 0, names[name], "a price above 0")
    table.refuse((frame["high"] < frame["low"]).to_numpy(), names["high"], "a high not below the low")
    factor = names.get("size_multiplier", 1)
    frame["volume"] = table.sizes(names["volume"], factor) if "volume" in names else -1
    frame["count"] = table.sizes(names["count"]) if "count" in names else -1
    frame["wap"] = _wap(table, names, options)
    frame["what_to_show"] = options.what_to_show
    return frame


def _wap(table: Table, names: Mapping[str, Any], options: ImportOptions) -> np.ndarray:
    if "wap" not in names:
        return np.full(len(table), np.nan)
    values = table.numbers(names["wap"], is_nan_allowed=True)
    return np.where(values > 0, values * options.scale, np.nan)


_READERS = {"quotes": _quotes, "trades": _trades, "bars": _bars}
