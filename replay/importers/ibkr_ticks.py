"""IBKR historical ticks (`reqHistoricalTicks`) as `util.df` of ib_async lays them out, saved as csv or Parquet.

A file holds trades (`time, price, size, exchange, specialConditions, tickAttribLast`) or quotes (`time, priceBid, priceAsk,
sizeBid, sizeAsk, tickAttribBidAsk`) of one symbol, told apart by their columns. Rules:

T1  Stamps are whole seconds of the exchange's clock: `ts_resolution_ns` is 1e9, `ts_source` is `exchange`.
T2  The order inside a second is lost between the two requests. Within a second status comes first, then all trades, then all
    quotes, each in the order of its file: a print meets the quotes as they stood when its second began.
T3  Equal rows are real: nothing is removed.
T4  A print with price 0 and size 0 is no print: with `pastLimit` it says HALTED, the next one says RESUMED.
T5  Prints without a size (odd lots of a feed that counts round lots) are left out and counted in the notes.
T6  A price finer than the scale is rounded (average-price prints) and flagged AVERAGE_PRICE.

Of the SIP's sale conditions (one letter each), `I` means ODD_LOT, `L U Z` LATE, `B W H 4` AVERAGE_PRICE, `O Q 5 6 M` AUCTION,
`T` EXTENDED. Which exchanges mean OFF_EXCHANGE is decided where the session is built (`replay.session.tape`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from replay.errors import DataError
from replay.events import Flag
from replay.importers.files import Table, read_table
from replay.importers.imported import Imported, split_days
from replay.importers.options import ImportOptions
from replay.importers.quoting import (
    empty_side,
    joined,
    name_of,
    present,
    quote_frame,
    quoted_prices,
    size_factor,
    symbol_info,
)
from replay.importers.times import refuse_night

SOURCE = "ibkr-ticks"
CONDITION_FLAGS = {
    Flag.ODD_LOT: "I",
    Flag.LATE: "LUZ",
    Flag.AVERAGE_PRICE: "BWH4",
    Flag.AUCTION: "OQ56M",
    Flag.EXTENDED: "T",
}
_TRADE_ATTRIBUTES = ("pastLimit", "unreported")  # bits 0 and 1
_QUOTE_ATTRIBUTES = ("askPastHigh", "bidPastLow")


def read(paths: Sequence[Path], options: ImportOptions) -> Iterator[Imported]:
    """Read files of historical ticks; yield one `Imported` per date."""
    parts: dict[str, list[pd.DataFrame]] = {"quotes": [], "trades": [], "status": []}
    dropped: Counter[str] = Counter()
    for position, path in enumerate(paths):
        name = name_of(path, position, paths, options)
        table, ts_ns = _open(path, options)
        if "priceBid" in table.frame.columns:
            parts["quotes"].append(_quotes(table, ts_ns, name, options))
        else:
            trades, status, n_dropped = _trades(table, ts_ns, name, options)
            parts["trades"].append(trades)
            parts["status"].append(status)
            dropped[name] += n_dropped
    stacked = present(**{stream: joined(frames) for stream, frames in parts.items()})
    yield from _by_day(stacked, dict(dropped), options)


def _by_day(stacked: dict[str, pd.DataFrame], dropped: dict[str, int], options: ImportOptions) -> Iterator[Imported]:
    _, unit = size_factor(options, "shares")
    known = {"evidence": "historical", "ts_source": "exchange", "ts_resolution_ns": 1_000_000_000, "size_unit": unit}
    for day, cut in split_days(stacked, options.zone):
        names = sorted({name for frame in cut.values() for name in frame["symbol"].unique()})
        yield Imported(
            day=day,
            symbols=tuple(symbol_info(name, quoted_prices(stacked.get("quotes"), name), options, **known) for name in names),
            source=SOURCE,
            scale=options.scale,
            frames=cut,
            notes={"order_inside_a_second": "status, trades, quotes; each in file order", "prints_without_size": dropped},
        )


def _open(path: Path, options: ImportOptions) -> tuple[Table, np.ndarray]:
    table = read_table(path, texts=("exchange", "specialConditions"))
    if "priceBid" not in table.frame.columns and "tickAttribLast" not in table.frame.columns:
        _refuse_midpoints(table)
    ts_ns = table.times("time", options.zone)
    table.refuse_disorder(ts_ns, "time")
    refuse_night(ts_ns, options, path)
    return table, ts_ns


def _refuse_midpoints(table: Table) -> None:
    """Refuse MIDPOINT ticks: with time, price and size only they are neither quotes nor prints."""
    if not {"exchange", "pastLimit", "specialConditions"} & set(table.frame.columns):
        there = ", ".join(map(str, table.frame.columns))
        raise DataError(f"`{table.path}` holds neither TRADES nor BID_ASK ticks (columns: {there}); request one of those")


def _quotes(table: Table, ts_ns: np.ndarray, name: str, options: ImportOptions) -> pd.DataFrame:
    factor, _ = size_factor(options, "shares")
    sides: dict[str, np.ndarray] = {}
    for side, price, size in (("bid", "priceBid", "sizeBid"), ("ask", "priceAsk", "sizeAsk")):
        values = table.numbers(price)
        table.refuse((values < 0) & (values != -1), price, "a price, or -1 for none")
        scaled = table.scaled(np.maximum(values, 0), price, options.scale)
        sides[side], sides[f"{side}_size"] = empty_side(scaled, table.sizes(size, factor))
    frame = quote_frame(name, ts_ns, sides, is_changed_only=False)
    frame["exch_ts_ns"] = ts_ns
    frame["past_limit"] = _attribute(table, "tickAttribBidAsk", _QUOTE_ATTRIBUTES, "askPastHigh") | _attribute(
        table, "tickAttribBidAsk", _QUOTE_ATTRIBUTES, "bidPastLow"
    )
    return frame


def _trades(table: Table, ts_ns: np.ndarray, name: str, options: ImportOptions) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    factor, _ = size_factor(options, "shares")
    price = table.prices("price", options.scale, is_rounding=True)
    size = table.sizes("size", factor)
    past_limit = _attribute(table, "tickAttribLast", _TRADE_ATTRIBUTES, "pastLimit")
    is_status = (price == 0) & (size == 0)
    table.refuse((price == 0) & ~is_status, "price", "a price above 0 (or price 0 with size 0 at a halt)")
    trades = pd.DataFrame({"ts_ns": ts_ns, "exch_ts_ns": ts_ns, "symbol": name, "price": price, "size": size})
    trades["exchange"] = _texts(table, "exchange")
    trades["conditions"] = _texts(table, "specialConditions")
    trades["past_limit"] = past_limit
    trades["unreported"] = _attribute(table, "tickAttribLast", _TRADE_ATTRIBUTES, "unreported")
    is_finer = np.abs(table.numbers("price") * options.scale - price) > 1e-3
    trades["flags"] = _flags(trades["conditions"]) | np.where(is_finer, int(Flag.AVERAGE_PRICE), 0)
    kept = size > 0
    return (
        trades[kept].reset_index(drop=True),
        _status(ts_ns[is_status], past_limit[is_status], name),
        int((~kept & ~is_status).sum()),
    )


def _status(ts_ns: np.ndarray, past_limit: np.ndarray, name: str) -> pd.DataFrame:
    """Turn 0/0 prints into halts and resumptions (rule T4)."""
    words, is_halted = [], False
    for is_limit in past_limit.tolist():
        is_halted = not is_halted and is_limit
        words.append("halted" if is_halted else "resumed")
    return pd.DataFrame({"ts_ns": ts_ns, "exch_ts_ns": ts_ns, "symbol": name, "status": pd.Series(words, dtype="str")})


def _flags(conditions: pd.Series) -> np.ndarray:
    flags = np.zeros(len(conditions), np.int64)
    for flag, letters in CONDITION_FLAGS.items():
        flags |= np.where(conditions.str.contains(f"[{letters}]", regex=True), int(flag), 0)
    return flags


def _texts(table: Table, name: str) -> pd.Series:
    if name not in table.frame.columns:
        return pd.Series([""] * len(table), dtype="str")
    return table.frame[name].fillna("").astype("str").reset_index(drop=True)


def _attribute(table: Table, column: str, bits: Sequence[str], name: str) -> np.ndarray:
    """Find one attribute: as a column of its own, in a dict, in the text of the object, or as a bit of a mask."""
    if name in table.frame.columns:
        return table.frame[name].astype("str").str.lower().isin(("true", "1", "1.0")).to_numpy()
    if column not in table.frame.columns:
        return np.zeros(len(table), bool)
    held = table.frame[column]
    if held.dtype.kind in "iu":
        return np.asarray((held.to_numpy(np.int64) >> bits.index(name)) & 1 == 1, bool)
    return np.asarray(held.astype("str").str.contains(rf"{name}['\"]?\s*[=:]\s*True", regex=True), bool)
