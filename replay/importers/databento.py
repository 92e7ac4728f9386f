"""Databento market-by-order (MBO) and market-by-price (MBP-1, MBP-10): csv (plain, gz, xz, zst), dbn and dbn.zst.

Rules:

D1  `ts_ns` is `ts_recv`, `exch_ts_ns` is `ts_event`. Dates are UTC, as Databento cuts its files, unless a zone is given. The book
    is carried over the cut; the messages of a later date may refer to orders of the date before.
D2  MBO actions: A adds, C takes size off, M sets price and size (an unknown order is added), R clears, T is a print by the
    aggressor of its side, F fills a resting order. After a fill Databento also sends the C or M that shows it in the book: the
    fill executes, and the C or M takes only what goes beyond it. An F of the order that the event's T names is the aggressor's
    own (a resting order was re-priced to trade): it executes nothing, the C or M that follows takes the order off its level.
D3  Rows belong to one event until a row with flag F_LAST (128) after which `ts_recv` or `ts_event` changes (Nasdaq feeds set the
    flag on each of T, F and C); the quote is taken at the end of the event.
D4  A print whose event fills no resting order is flagged HIDDEN.
D5  MBP rows carry the book after the row: its first level is the quote at the end of the event, T is a print.

Inside an event rows keep the order of the feed, which at CME is not always that of the queue: an order that self-match prevention
cancels is reported after the fills that passed it, and the fills of one sweep may be listed out of turn.

The tick is inferred from the prices of orders unless it is given, and the multiplier of well-known CME futures is known
(`products`). Reading dbn needs the package `databento-dbn`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from replay.errors import DataError
from replay.events import Flag
from replay.importers.book import Deed, rebuild_book
from replay.importers.databento_rows import Rows, read_rows
from replay.importers.imported import ASSUMED, Imported, split_days
from replay.importers.options import ImportOptions
from replay.importers.orders_feed import message_frame, rebuild_notes, touch_frame
from replay.importers.products import cme_multiplier
from replay.importers.quoting import is_new, joined, present, symbol_info

SOURCE = "databento"
F_LAST = 128
DEEDS = {"A": Deed.ADD, "C": Deed.REDUCE, "M": Deed.MODIFY, "R": Deed.CLEAR, "F": Deed.FILL, "T": Deed.NOTHING, "N": Deed.NOTHING}
_CME = 1
EXCHANGES = {_CME: "CME", 2: "NASDAQ"}  # Databento's publisher ids; others are named by their number
_SIDES = {"B": 1, "A": -1, "N": 0}
_AGGRESSOR = {"B": int(Flag.BUY), "A": int(Flag.SELL), "N": 0}


def read(paths: Sequence[Path], options: ImportOptions) -> Iterator[Imported]:
    """Read files of one schema; yield one `Imported` per date."""
    rows = _stack([read_rows(path, options) for path in paths])
    parts, notes, prices = [], {}, {}
    for name in sorted(rows.frame["symbol"].unique()):
        own = rows.frame[rows.frame["symbol"] == name].reset_index(drop=True)
        part, notes[name] = _book_frames(own, name) if rows.is_by_order else _level_frames(own, name)
        parts.append(part)
        prices[name] = own["price"].to_numpy()[own["action"].isin(["A", "M"]).to_numpy()]
    stacked = present(
        **{stream: joined([part[stream] for part in parts if stream in part]) for stream in ("quotes", "trades", "messages")}
    )
    known = _known_multipliers(rows.frame)
    evidence = "message_level" if rows.is_by_order else "tick_by_tick"
    for day, cut in split_days(stacked, options.tz or "UTC"):
        names = sorted({name for frame in cut.values() for name in frame["symbol"].unique()})
        sizes = {name: options.multiplier or known.get(name, 1) for name in names}
        symbols = tuple(symbol_info(name, prices[name], options, evidence=evidence, multiplier=sizes[name]) for name in names)
        assumed = [] if options.multiplier else _multiplier_note({name: sizes[name] for name in names if name in known})
        yield Imported(
            day=day, symbols=symbols, source=SOURCE, scale=options.scale, frames=cut, notes={**notes, ASSUMED: assumed}
        )


def _known_multipliers(frame: pd.DataFrame) -> dict[str, int]:
    """Return the multiplier of each symbol from CME, 1 where it is not known."""
    names = frame["symbol"][frame["publisher_id"] == _CME].unique()
    return {str(name): cme_multiplier(str(name)) or 1 for name in names}


def _multiplier_note(sizes: dict[str, int]) -> list[str]:
    words = ", ".join(f"{size} for {name}" for name, size in sizes.items())
    return (
        [f"the multiplier was taken as {words} (contract specifications of CME Group); --multiplier changes that"]
        if words
        else []
    )


def _stack(parts: Sequence[Rows]) -> Rows:
    if len({part.is_by_order for part in parts}) > 1:
        raise DataError("the files mix MBO and MBP rows; import one schema at a time")
    ordered = sorted(parts, key=lambda part: int(part.frame["ts_ns"].iloc[0]))
    frame = pd.concat([part.frame for part in ordered], ignore_index=True)
    frame["row"] = np.arange(len(frame))
    back = np.flatnonzero(np.diff(frame["ts_ns"].to_numpy()) < 0)
    if len(back):
        raise DataError("the files overlap in time: give files that follow each other")
    return Rows(frame, parts[0].is_by_order)


def _event_ends(own: pd.DataFrame) -> np.ndarray:
    """Mark the last row of each event (rule D3); a feed without F_LAST ends an event at each new time."""
    is_flagged = (own["flag_bits"].to_numpy() & F_LAST) != 0
    is_same = np.ones(len(own) - 1, bool)
    for column in ("ts_ns", "exch_ts_ns"):
        is_same &= np.diff(own[column].to_numpy()) == 0
    is_change = np.append(~is_same, True)
    return np.asarray(is_change & (is_flagged | (not is_flagged.any())), bool)


def _book_frames(own: pd.DataFrame, name: str) -> tuple[dict[str, pd.DataFrame], dict[str, object]]:
    is_end = _event_ends(own)
    action = own["action"]
    sides = own["side"].map(_SIDES).to_numpy(np.int64)
    event = np.cumsum(is_end) - is_end
    is_fill = (action == "F").to_numpy() & ~_is_aggressor(own, event)
    deeds = np.where((action == "F") & ~is_fill, Deed.NOTHING, action.map(DEEDS)).astype(np.int64)
    columns = [own[column].to_numpy() for column in ("order_id", "price", "size")]
    rebuilt = rebuild_book(deeds, columns[0], sides, columns[1], columns[2], is_end)
    times = own["ts_ns"].to_numpy(), own["exch_ts_ns"].to_numpy(), own["row"].to_numpy()
    messages = own[["ts_ns", "exch_ts_ns", "symbol", "order_id", "price", "size"]].copy()
    messages["side"], messages["is_hidden"], messages["order"] = sides, False, own["row"]
    frames = {
        "quotes": touch_frame(rebuilt, *times, name),
        "trades": _trades(own, np.where(np.bincount(event, weights=is_fill)[event] == 0, int(Flag.HIDDEN), 0)),
        "messages": message_frame(rebuilt, messages),
    }
    return frames, dict(rebuild_notes(rebuilt))


def _is_aggressor(own: pd.DataFrame, event: np.ndarray) -> np.ndarray:
    """Mark the rows of orders that a T of the same event names (rule D2)."""
    pairs = pd.MultiIndex.from_arrays([event, own["order_id"]])
    is_named = ((own["action"] == "T") & (own["order_id"] != 0)).to_numpy()
    return np.asarray(pairs.isin(pairs[is_named]), bool)


def _trades(own: pd.DataFrame, extra_flags: np.ndarray | int) -> pd.DataFrame:
    trades = own[["ts_ns", "exch_ts_ns", "symbol", "price", "size"]].copy()
    names = {number: EXCHANGES.get(number, f"publisher-{number}") for number in own["publisher_id"].unique()}
    trades["exchange"] = own["publisher_id"].map(names)
    trades["flags"] = own["side"].map(_AGGRESSOR) | extra_flags
    trades["order"] = own["row"] * 2
    is_print = (own["action"] == "T") & (own["size"] > 0) & (own["price"] > 0)
    return trades[is_print].reset_index(drop=True)


def _level_frames(own: pd.DataFrame, name: str) -> tuple[dict[str, pd.DataFrame], dict[str, object]]:
    """Cut quotes and prints out of MBP rows (rule D5)."""
    ends = own[_event_ends(own)]
    columns = ["bid", "bid_size", "ask", "ask_size"]
    quotes = ends[is_new(*(ends[column].to_numpy() for column in columns))]
    quotes = quotes[["ts_ns", "exch_ts_ns", "symbol", *columns]].assign(order=quotes["row"] * 2 + 1)
    found: dict[str, Any] = {"quotes": quotes.reset_index(drop=True), "trades": _trades(own, 0)}
    return found, {"rows": len(own), "schema": "mbp", "symbol": name}
