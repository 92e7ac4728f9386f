"""Wide csv of quotes recorded from IBKR: `time, bid1, bid_size1, ask1, ask_size1, bid2, ...`, one row per change.

Each row repeats the last known state of all symbols. Rows of one stamp are one packet: only the last of them counts, and a
symbol gets a quote only where one of its four columns changed. Sizes are round lots unless the options say `shares`, and the
notes say how they were taken. -1 or 0 mean an empty side; a symbol whose columns are still empty at the top of the file has no
quote yet.

Symbols are named by `--symbol A,B,C` in column order, or by a map file::

    [symbols]
    1 = "SH"
    2 = "SDS"
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from replay.errors import ConfigError, DataError, UsageError
from replay.importers.files import Table, read_table
from replay.importers.imported import ASSUMED, Imported, split_days
from replay.importers.maps import read_toml
from replay.importers.options import ImportOptions
from replay.importers.quoting import (
    SIDES,
    empty_side,
    is_last_of_stamp,
    joined,
    quote_frame,
    quoted_prices,
    size_factor,
    size_note,
    symbol_info,
)
from replay.importers.times import refuse_night

SOURCE = "ibkr-quotes"
TIME = "time"


def read(paths: Sequence[Path], options: ImportOptions) -> Iterator[Imported]:
    """Read wide quote files; yield one `Imported` per date."""
    frames = [frame for path in paths for frame in read_file(path, options)]
    quotes = joined(frames)
    if quotes is None:
        raise DataError(f"{', '.join(map(str, paths))} hold no quotes")
    _, unit = size_factor(options, "round_lots")
    assumed = _name_note(quotes["symbol"].unique(), options) + size_note(options, "round_lots")
    for day, cut in split_days({"quotes": quotes}, options.zone):
        names = list(dict.fromkeys(cut["quotes"]["symbol"]))
        symbols = tuple(
            symbol_info(name, quoted_prices(quotes, name), options, evidence="snapshot_250ms", size_unit=unit)
            for name in sorted(names)
        )
        yield Imported(day=day, symbols=symbols, source=SOURCE, scale=options.scale, frames=cut, notes={ASSUMED: assumed})


def read_file(path: Path, options: ImportOptions) -> list[pd.DataFrame]:
    """Read one file into a quotes frame per symbol."""
    table = read_table(path, texts=(TIME,))
    numbers = _column_numbers(table)
    names = _symbol_names(numbers, options)
    ts_ns = table.times(TIME, options.zone)
    table.refuse_disorder(ts_ns, TIME)
    refuse_night(ts_ns, options, path)
    return [_quotes_of(table, ts_ns, number, names[number], options) for number in numbers]


def _column_numbers(table: Table) -> list[int]:
    found = sorted(int(match[1]) for name in table.frame.columns if (match := re.fullmatch(r"bid(\d+)", str(name))))
    if not found:
        there = ", ".join(map(str, table.frame.columns[:5]))
        known = "`bid1, bid_size1, ask1, ask_size1, ...`"
        raise DataError(
            f"`{table.path}` has no columns {known}; it starts with {there}; `replay import csv --map` reads columns of any name"
        )
    return found


def _name_note(names: Iterable[str], options: ImportOptions) -> list[str]:
    """Return a sentence on the symbols that nobody named."""
    given = {*options.symbols, *_mapped_names(options).values()}
    called = ", ".join(name for name in names if name not in given)
    if not called:
        return []
    return [f"the file does not name its symbols: {called} are called by their column; --symbol A,B or --map FILE names them"]


def _mapped_names(options: ImportOptions) -> dict[int, str]:
    """Read the names of a map file."""
    if options.map_file is None:
        return {}
    named = read_toml(options.map_file).get("symbols")
    if not isinstance(named, dict) or not all(number.isdecimal() and isinstance(name, str) for number, name in named.items()):
        raise ConfigError(f'map `{options.map_file}` must name symbols by column: the line `[symbols]` and below it `1 = "SPY"`')
    return {int(number): name for number, name in named.items()}


def _symbol_names(numbers: Sequence[int], options: ImportOptions) -> dict[int, str]:
    names = {number: f"S{number}" for number in numbers}
    if options.map_file:
        names |= _mapped_names(options)
    elif options.symbols:
        if len(options.symbols) != len(numbers):
            raise UsageError(f"the file has {len(numbers)} symbols, --symbol names {len(options.symbols)}")
        names = dict(zip(numbers, options.symbols, strict=True))
    return names


def _quotes_of(table: Table, ts_ns: np.ndarray, number: int, name: str, options: ImportOptions) -> pd.DataFrame:
    columns = {side: f"{side}{number}" for side in SIDES}
    known = _first_known(table, columns["bid"])
    own = table.tail(known)
    factor, _ = size_factor(options, "round_lots")
    sides = {}
    for side in ("bid", "ask"):
        price = own.numbers(columns[side])
        size = own.numbers(columns[f"{side}_size"])
        own.refuse((price < 0) & (price != -1), columns[side], "a price, or -1 for none")
        own.refuse((size < 0) & (size != -1), columns[f"{side}_size"], "a size, or -1 for none")
        price, size = empty_side(price, size)
        sides[side] = own.scaled(price, columns[side], options.scale)
        sides[f"{side}_size"] = np.rint(size * factor).astype(np.int64)
    times = ts_ns[known:]
    last = is_last_of_stamp(times)
    return quote_frame(name, times[last], {side: values[last] for side, values in sides.items()}, zone=options.zone)


def _first_known(table: Table, column: str) -> int:
    """Return the position of a symbol's first value: the rows before it say nothing of the symbol."""
    is_known = table.column(column).notna().to_numpy()
    return int(is_known.argmax()) if is_known.any() else len(table)
