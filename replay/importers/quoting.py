"""What all readers share: quote rows that mean something new, flags of prints, the tick, the entry in the manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from replay.errors import UsageError
from replay.importers.options import ImportOptions

if TYPE_CHECKING:
    import pandas as pd

    from replay.session.build import SymbolInfo

DISTINCT_PRICES_MIN = 20  # below that, a common step of the prices seen says little
SIDES = ("bid", "bid_size", "ask", "ask_size")


def empty_side(price: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Make a side without a price (-1, 0) or without a size the empty side (0, 0)."""
    is_there = (price > 0) & (size > 0)
    return np.where(is_there, price, 0), np.where(is_there, size, 0)


def is_last_of_stamp(ts_ns: np.ndarray) -> np.ndarray:
    """Mark the last row of each run of equal times: rows of one stamp are one packet and are applied together."""
    return np.append(ts_ns[1:] != ts_ns[:-1], True) if len(ts_ns) else np.zeros(0, bool)


def is_new(*columns: np.ndarray) -> np.ndarray:
    """Mark rows that differ from the row before in any column; the first is new."""
    changed = np.zeros(len(columns[0]), bool)
    changed[:1] = True
    for column in columns:
        changed[1:] |= column[1:] != column[:-1]
    return changed


def quote_frame(
    symbol: str, ts_ns: np.ndarray, sides: Mapping[str, np.ndarray], *, is_changed_only: bool = True, zone: str = ""
) -> pd.DataFrame:
    """Build a quotes frame of one symbol from int64 columns `bid, bid_size, ask, ask_size`; repeated states are left out.

    Where a file holds several dates of `zone`, the first state of each stays: its session knows nothing of the one before.
    """
    import pandas as pd

    from replay.importers.times import dates_of

    frame = pd.DataFrame({"ts_ns": ts_ns, "symbol": symbol, **{name: sides[name] for name in SIDES}})
    if is_changed_only:
        dates = [dates_of(ts_ns, zone).to_numpy()] if zone else []
        frame = frame[is_new(*(sides[name] for name in SIDES), *dates)]
    return frame.reset_index(drop=True)


def infer_tick(prices: np.ndarray, options: ImportOptions) -> int:
    """Return the tick in price units: as given, else the common step of the quoted prices, else one cent.

    >>> infer_tick(np.arange(4700, 4800) * 2500, ImportOptions())
    2500
    """
    if options.tick is not None:
        tick = round(options.tick * options.scale)
        if tick <= 0 or abs(tick - options.tick * options.scale) > 1e-6:
            raise UsageError(f"tick {options.tick} must be a positive multiple of 1/{options.scale} dollar")
        return tick
    distinct = np.unique(prices[prices > 0])
    if len(distinct) >= DISTINCT_PRICES_MIN:
        return int(np.gcd.reduce(distinct))
    return max(options.scale // 100, 1)


def symbol_info(name: str, prices: np.ndarray, options: ImportOptions, **known: Any) -> SymbolInfo:
    """Make the manifest's entry of a symbol; `prices` are its quoted prices, from which the tick is inferred."""
    from replay.session.build import SymbolInfo

    known.setdefault("multiplier", options.multiplier or 1)
    return SymbolInfo(name=name, tick=infer_tick(prices, options), round_lot=options.round_lot, **known)


def quoted_prices(quotes: pd.DataFrame | None, symbol: str) -> np.ndarray:
    """Return all bids and asks of a symbol."""
    if quotes is None:
        return np.zeros(0, np.int64)
    own = quotes[quotes["symbol"] == symbol]
    return np.concatenate([own["bid"].to_numpy(np.int64), own["ask"].to_numpy(np.int64)])


def name_of(path: Path, position: int, paths: Sequence[Path], options: ImportOptions) -> str:
    """Name the symbol of a file that holds one: from the options, else from the start of the file's name.

    >>> name_of(Path("spy_2024-01-02_trades.csv"), 0, [Path("spy_2024-01-02_trades.csv")], ImportOptions())
    'SPY'
    """
    if len(options.symbols) == 1:
        return options.symbols[0]
    if len(options.symbols) == len(paths):
        return options.symbols[position]
    if options.symbols:
        raise UsageError(f"{len(options.symbols)} symbols for {len(paths)} files; give one symbol, or one for each file")
    return path.name.split(".")[0].split("_")[0].split("-")[0].upper()


def size_factor(options: ImportOptions, default: str) -> tuple[int, str]:
    """Return shares per unit of size, and the unit as received."""
    unit = options.size_unit or default
    if unit not in ("shares", "round_lots"):
        raise UsageError(f"size unit must be `shares` or `round_lots`, got `{unit}`")
    return (options.round_lot if unit == "round_lots" else 1), unit


def size_note(options: ImportOptions, default: str) -> list[str]:
    """Return a sentence on how sizes were taken, where nobody said how."""
    if options.size_unit:
        return []
    factor, unit = size_factor(options, default)
    words = f"round lots of {factor} shares" if unit == "round_lots" else "shares"
    return [f"sizes were taken as {words}; --size-unit (shares or round_lots) and --round-lot change that"]


def joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame | None:
    """Stack frames in time order; None for none."""
    import pandas as pd

    if not frames:
        return None
    return pd.concat(frames, ignore_index=True).sort_values("ts_ns", kind="stable", ignore_index=True)


def present(**frames: pd.DataFrame | None) -> dict[str, pd.DataFrame]:
    """Keep the frames that hold rows."""
    return {name: frame for name, frame in frames.items() if frame is not None and len(frame)}
