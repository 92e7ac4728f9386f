"""Raw ticks of the IBKR API (`reqMktData`): rows of `time, price, size, tickType`, csv or json, of one symbol per file.

Rules:

A1  Rows of one stamp are one packet and are applied together: at most one quote per packet, after its prints.
A2  Types 1 and 0 set bid price and size, 2 and 3 the ask's. A row without a price (-1 or NaN) sets only the size, one without
    a size only the price; price -1 or 0 together with size 0 empties the side.
A3  Type 4 (last) is a print of its size. Type 5 (last size) is a print at its price, or at the last one, unless it repeats the
    type 4 before it in the packet: the API sends both.
A4  A packet in which type 8 (day volume) rises without 4 or 5 is a print too: clients swallow a size equal to the one before.
    Its price is the last price, its size the last size, at most the rise.
A5  Volume that rises by more than its packet's prints was traded unseen between two snapshots. No print is invented for it; the
    notes count it as `unseen_volume`.

The feed does not name venues (flag NO_VENUE) and is sampled (evidence `snapshot_250ms`). Sizes are shares unless the options say
`round_lots`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from replay.errors import DataError
from replay.events import Flag
from replay.importers.files import Table, read_table
from replay.importers.imported import Imported, split_days
from replay.importers.options import ImportOptions
from replay.importers.quoting import (
    joined,
    name_of,
    present,
    quote_frame,
    quoted_prices,
    size_factor,
    symbol_info,
)
from replay.importers.times import refuse_night

SOURCE = "ibkr-api"
BID_SIZE, BID, ASK, ASK_SIZE, LAST, LAST_SIZE, VOLUME = 0, 1, 2, 3, 4, 5, 8
_BIDS = (BID, BID_SIZE)
_ASKS = (ASK, ASK_SIZE)


def read(paths: Sequence[Path], options: ImportOptions) -> Iterator[Imported]:
    """Read tick files, one symbol each; yield one `Imported` per date."""
    quotes, trades = [], []
    unseen: dict[str, int] = {}
    for position, path in enumerate(paths):
        name = name_of(path, position, paths, options)
        tape = _read_tape(path, options)
        quotes.append(tape.quotes(name))
        trades.append(tape.trades(name))
        unseen[name] = unseen.get(name, 0) + tape.unseen_volume
    all_quotes = joined(quotes)
    _, unit = size_factor(options, "shares")
    for day, cut in split_days(present(quotes=all_quotes, trades=joined(trades)), options.zone):
        names = sorted({name for frame in cut.values() for name in frame["symbol"].unique()})
        yield Imported(
            day=day,
            symbols=tuple(
                symbol_info(name, quoted_prices(all_quotes, name), options, evidence="snapshot_250ms", size_unit=unit)
                for name in names
            ),
            source=SOURCE,
            scale=options.scale,
            frames=cut,
            notes={"unseen_volume": unseen},
        )


@dataclass(slots=True)
class Tape:
    """The state of one symbol's line and what it has said so far; prices in units, sizes in shares."""

    bid: int = 0
    bid_size: int = 0
    ask: int = 0
    ask_size: int = 0
    last: int = 0
    last_size: int = 0
    volume: int = -1
    unseen_volume: int = 0
    quote_rows: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    trade_rows: list[tuple[int, int, int]] = field(default_factory=list)

    def play(self, ts_ns: int, packet: Sequence[tuple[int, int, int]]) -> None:
        """Apply the rows (type, price or -1, size or -1) of one packet (rule A1)."""
        rise, printed, is_quoted = 0, [], False
        before = None
        for kind, price, size in packet:
            if kind in _BIDS or kind in _ASKS:
                self._quote(kind, price, size)
                is_quoted = True
            elif kind in (LAST, LAST_SIZE):
                is_repeat = kind == LAST_SIZE and before in ((price, size), (self.last, size))
                if not is_repeat and size > 0:
                    printed.append(self._print(price, size))
                before = (self.last, size) if kind == LAST else None
            elif kind == VOLUME:
                rise += self._volume(size)
        if rise > 0 and not printed and self.last_size > 0:
            printed.append((self.last, min(self.last_size, rise)))
        self.trade_rows += [(ts_ns, price, size) for price, size in printed if price > 0]
        self.unseen_volume += max(rise - sum(size for _, size in printed), 0)
        if is_quoted:
            self.quote_rows.append((ts_ns, *_side(self.bid, self.bid_size), *_side(self.ask, self.ask_size)))

    def _quote(self, kind: int, price: int, size: int) -> None:
        side = "bid" if kind in _BIDS else "ask"
        if price > 0 or (price <= 0 and size == 0):
            setattr(self, side, max(price, 0))
        if size >= 0:
            setattr(self, f"{side}_size", size)

    def _print(self, price: int, size: int) -> tuple[int, int]:
        self.last = price if price > 0 else self.last
        self.last_size = size
        return self.last, size

    def _volume(self, volume: int) -> int:
        rise = volume - self.volume if self.volume >= 0 else 0
        self.volume = max(self.volume, volume)
        return max(rise, 0)

    def quotes(self, symbol: str) -> pd.DataFrame:
        """Return the quotes frame."""
        columns = np.array(self.quote_rows, np.int64).reshape(-1, 5).T
        return quote_frame(symbol, columns[0], dict(zip(("bid", "bid_size", "ask", "ask_size"), columns[1:], strict=True)))

    def trades(self, symbol: str) -> pd.DataFrame:
        """Return the trades frame."""
        ts_ns, price, size = np.array(self.trade_rows, np.int64).reshape(-1, 3).T
        return pd.DataFrame({"ts_ns": ts_ns, "symbol": symbol, "price": price, "size": size, "flags": int(Flag.NO_VENUE)})


def _side(price: int, size: int) -> tuple[int, int]:
    return (price, size) if price > 0 and size > 0 else (0, 0)


def _read_tape(path: Path, options: ImportOptions) -> Tape:
    table = read_table(path)
    ts_ns = table.times("time", options.zone)
    table.refuse_disorder(ts_ns, "time")
    refuse_night(ts_ns, options, path)
    factor, _ = size_factor(options, "shares")
    kinds = table.integers("tickType")
    prices = _prices(table, options)
    sizes = _sizes(table, factor)
    tape = Tape()
    edges = np.append(np.flatnonzero(np.append(True, np.diff(ts_ns) > 0)), len(table))
    rows = list(zip(kinds.tolist(), prices.tolist(), sizes.tolist(), strict=True))
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        tape.play(int(ts_ns[start]), rows[start:stop])
    if not tape.quote_rows and not tape.trade_rows:
        raise DataError(f"`{path}` holds no tick of the types 0-5 and 8; it holds {sorted(set(kinds.tolist()))[:8]}")
    return tape


def _prices(table: Table, options: ImportOptions) -> np.ndarray:
    prices = table.numbers("price", is_nan_allowed=True)
    prices = np.where(np.isnan(prices), -1.0, prices)
    table.refuse((prices < 0) & (prices != -1), "price", "a price, or -1 for none")
    scaled = table.scaled(np.maximum(prices, 0), "price", options.scale)
    return np.where(prices < 0, -1, scaled)


def _sizes(table: Table, factor: int) -> np.ndarray:
    sizes = table.numbers("size", is_nan_allowed=True)
    sizes = np.where(np.isnan(sizes), -1.0, sizes)
    table.refuse((sizes < 0) & (sizes != -1), "size", "a size, or -1 for none")
    return np.where(sizes < 0, -1, np.rint(sizes * factor)).astype(np.int64)
