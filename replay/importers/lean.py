"""QuantConnect LEAN: tick and second zips of US equities, single files or whole folders.

A zip is `symbol_yyyymmdd_{quote,trade}.zip`, or `.../{tick,second}/symbol/yyyymmdd_{quote,trade}.zip` in LEAN's own layout; the
name of the csv inside tells tick from second. Times are milliseconds of the day in New York, prices 1e-4 dollars. Rules:

L1  Tick quotes are one-sided rows of an already consolidated quote; a row without a side leaves that side as it is. All rows
    of a millisecond are applied at once; books per exchange cannot be built from them.
L2  Suspicious quotes (last column 1) are left out and counted; suspicious prints are kept and flagged AVERAGE_PRICE: not a
    market price.
L3  Trade conditions are kept as they stand (hexadecimal bit mask of LEAN's TradeConditionFlags) and mapped: bits of
    `CONDITION_BITS`, and a size below a round lot is ODD_LOT. Exchanges keep their names; `D` is a facility of FINRA.
L4  Quote seconds give the closing bid and ask of the second, known at its end. Trade seconds are bars of one second.
L5  Trades come before quotes of the same millisecond.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from replay.errors import DataError, UsageError
from replay.events import Flag
from replay.importers.files import Table, read_zip
from replay.importers.imported import Imported
from replay.importers.options import ImportOptions
from replay.importers.quoting import (
    SIDES,
    empty_side,
    is_last_of_stamp,
    joined,
    present,
    quote_frame,
    quoted_prices,
    symbol_info,
)
from replay.importers.times import clock_ns

SOURCE = "lean"
FILE_SCALE = 10_000
DAY_MS = 86_400_000
MS_NS = 1_000_000
SECOND_NS = 1_000_000_000
CONDITION_BITS = {
    Flag.ODD_LOT: (31,),
    Flag.LATE: (11, 14, 25),  # sold (late report), out of sequence, prior reference price
    Flag.AUCTION: (6, 7, 8, 21),  # opening, closing and reopening prints, crosses
    Flag.EXTENDED: (10, 13),  # form T, extended hours
    # cash, next day, seller, derivatively priced, stock option, distribution, average price, price variation, rule 155, official
    # close and open: the price or the settlement is not that of the market
    Flag.AVERAGE_PRICE: (1, 2, 3, 9, 18, 19, 20, 22, 23, 24, 26),
}
_NAME = re.compile(r"(?:(?P<symbol>[a-z0-9.\-]+)_)?(?P<day>\d{8})_(?P<kind>quote|trade)\.zip", re.IGNORECASE)
_QUOTE_TICK = ("ms", "bid", "bid_size", "ask", "ask_size", "exchange", "condition", "suspicious")
_TRADE_TICK = ("ms", "price", "size", "exchange", "condition", "suspicious")
_QUOTE_SECOND = ("ms", "bid_o", "bid_h", "bid_l", "bid", "bid_size", "ask_o", "ask_h", "ask_l", "ask", "ask_size")
_TRADE_SECOND = ("ms", "open", "high", "low", "close", "volume")
_LAYOUTS = {  # by kind, and whether the csv holds ticks
    ("quote", True): _QUOTE_TICK,
    ("quote", False): _QUOTE_SECOND,
    ("trade", True): _TRADE_TICK,
    ("trade", False): _TRADE_SECOND,
}


@dataclass(frozen=True, slots=True)
class Zip:
    """One file with what its name says."""

    path: Path
    symbol: str
    day: date
    kind: str


def read(paths: Sequence[Path], options: ImportOptions) -> Iterator[Imported]:
    """Read zips or folders of zips; yield one `Imported` per date."""
    if options.scale % FILE_SCALE:
        raise UsageError(f"LEAN prices are 1/{FILE_SCALE} dollars: the scale must be a multiple of it, got {options.scale}")
    zips = _find_zips(paths, options)
    for day in sorted({found.day for found in zips}):
        yield _read_day(day, [found for found in zips if found.day == day], options)


def _find_zips(paths: Sequence[Path], options: ImportOptions) -> list[Zip]:
    files = [file for path in paths for file in (sorted(path.rglob("*_*.zip")) if path.is_dir() else [path])]
    zips = [_read_name(file) for file in files]
    wanted = {name.upper() for name in options.symbols}
    zips = [found for found in zips if (not wanted or found.symbol in wanted) and options.day in (None, found.day)]
    if not zips:
        raise DataError(
            f"there are no zips `symbol_yyyymmdd_quote.zip` or `..._trade.zip` for this import in {', '.join(map(str, paths))}"
        )
    return zips


def _read_name(file: Path) -> Zip:
    match = _NAME.fullmatch(file.name)
    if not match:
        raise DataError(
            f"`{file}` is not named `symbol_yyyymmdd_quote.zip` or `yyyymmdd_trade.zip` in a folder of the symbol's name"
        )
    symbol = match["symbol"] or file.parent.name
    day = datetime.strptime(match["day"], "%Y%m%d").date()  # noqa: DTZ007 - a date has no zone
    return Zip(file, symbol.upper(), day, match["kind"].lower())


def _read_day(day: date, zips: Sequence[Zip], options: ImportOptions) -> Imported:
    quotes, trades, bars, suspicious, seconds = [], [], [], {}, set()
    for found in zips:
        table, is_tick = _open(found)
        if not is_tick:
            seconds.add(found.symbol)
        if found.kind == "quote":
            frame, n_suspicious = _quotes(table, found, is_tick, options)
            quotes.append(frame)
            suspicious[found.symbol] = n_suspicious
        elif is_tick:
            trades.append(_trades(table, found, options))
        else:
            bars.append(_bars(table, found, options))
    frames = present(quotes=joined(quotes), trades=joined(trades), bars=joined(bars))
    names = sorted({found.symbol for found in zips})
    return Imported(
        day=day,
        symbols=tuple(_info(name, frames, name in seconds, options) for name in names),
        source=SOURCE,
        scale=options.scale,
        frames=frames,
        notes={"suspicious_quotes_left_out": suspicious, "order_inside_a_millisecond": "trades, quotes"},
    )


def _info(name: str, frames: dict[str, pd.DataFrame], is_second: bool, options: ImportOptions) -> Any:
    known = {"ts_source": "exchange", "ts_resolution_ns": SECOND_NS if is_second else MS_NS}
    if is_second:
        known |= {"evidence": "bars", "what_to_show": ("TRADES",)}
    else:
        known["evidence"] = "tick_by_tick"
    return symbol_info(name, quoted_prices(frames.get("quotes"), name), options, **known)


def _open(found: Zip) -> tuple[Table, bool]:
    """Read the csv of a zip with the columns of its kind; say whether it holds ticks."""

    def layout(member: str) -> Sequence[str]:
        return _LAYOUTS[found.kind, "second" not in member.lower()]

    table = read_zip(found.path, layout, ("exchange", "condition"))
    return table, "suspicious" in table.frame.columns


def _times(table: Table, found: Zip, offset_ms: int, options: ImportOptions) -> np.ndarray:
    ms = table.integers("ms")
    table.refuse((ms < 0) | (ms >= DAY_MS), "ms", f"milliseconds of one day (0 to {DAY_MS - 1})")
    table.refuse_disorder(ms, "ms")
    return clock_ns((ms + offset_ms) * MS_NS, found.day, options.zone)


def _units(table: Table, name: str, options: ImportOptions) -> np.ndarray:
    values = table.integers(name)
    table.refuse(values < 0, name, "a price of 0 or more")
    return values * (options.scale // FILE_SCALE)


def _quotes(table: Table, found: Zip, is_tick: bool, options: ImportOptions) -> tuple[pd.DataFrame, int]:
    ts_ns = _times(table, found, 0 if is_tick else 1000, options)
    is_good = table.integers("suspicious") == 0 if is_tick else np.ones(len(table), bool)
    sides: dict[str, np.ndarray] = {}
    for side in ("bid", "ask"):
        price, size = _units(table, side, options), table.sizes(f"{side}_size")
        is_said = (price > 0) & is_good if is_tick else np.ones(len(table), bool)
        latest = np.maximum.accumulate(np.where(is_said, np.arange(len(table)), -1))
        held = [np.where(latest >= 0, values[np.maximum(latest, 0)], 0) for values in (price, size)]
        sides[side], sides[f"{side}_size"] = empty_side(*held)
    last = is_last_of_stamp(ts_ns)
    frame = quote_frame(found.symbol, ts_ns[last], {name: sides[name][last] for name in SIDES})
    frame["exch_ts_ns"] = frame["ts_ns"]
    return frame, int((~is_good).sum())


def _trades(table: Table, found: Zip, options: ImportOptions) -> pd.DataFrame:
    price = _units(table, "price", options)
    table.refuse(price == 0, "price", "a price above 0")
    ts_ns = _times(table, found, 0, options)
    frame = pd.DataFrame(
        {"ts_ns": ts_ns, "exch_ts_ns": ts_ns, "symbol": found.symbol, "price": price, "size": table.sizes("size")}
    )
    frame["exchange"] = table.frame["exchange"].to_numpy()
    frame["conditions"] = table.frame["condition"].fillna("").to_numpy()
    frame["flags"] = _trade_flags(table, frame, options)
    return frame[frame["size"] > 0].reset_index(drop=True)


def _trade_flags(table: Table, frame: pd.DataFrame, options: ImportOptions) -> np.ndarray:
    codes, words = pd.factorize(frame["conditions"])
    mapped = np.array([_mask_flags(table, str(word)) for word in words], np.int64)
    flags: np.ndarray = mapped[codes]
    flags |= np.where(frame["size"] < options.round_lot, int(Flag.ODD_LOT), 0)
    flags |= np.where(table.integers("suspicious") != 0, int(Flag.AVERAGE_PRICE), 0)
    return flags


def _mask_flags(table: Table, word: str) -> int:
    """Map one hexadecimal mask of conditions to our flags (rule L3)."""
    try:
        mask = int(word or "0", 16)
    except ValueError:
        table.refuse((table.frame["condition"] == word).to_numpy(), "condition", "a hexadecimal mask")
        raise
    return sum(int(flag) for flag, bits in CONDITION_BITS.items() if any(mask >> bit & 1 for bit in bits))


def _bars(table: Table, found: Zip, options: ImportOptions) -> pd.DataFrame:
    ts_ns = _times(table, found, 1000, options)
    frame = pd.DataFrame(
        {"ts_ns": ts_ns, "exch_ts_ns": ts_ns, "symbol": found.symbol, "start_ts_ns": ts_ns - SECOND_NS, "bar_s": 1}
    )
    for name in ("open", "high", "low", "close"):
        frame[name] = _units(table, name, options)
        table.refuse(frame[name].to_numpy() == 0, name, "a price above 0")
    frame["volume"] = table.sizes("volume")
    frame["wap"], frame["count"], frame["what_to_show"] = np.nan, -1, "TRADES"
    return frame
