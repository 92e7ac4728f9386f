"""What the charts of a report draw, as columns of integers: milliseconds, price units and cents."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from replay.orders import State
from replay.report.encode import encode_columns
from replay.tables import RunContext

if TYPE_CHECKING:
    import pandas as pd

MAX_POINTS = 300_000  # drawn without delay; above it, the extremes of each stretch are kept
_MS_NS = 1_000_000
_ENDED = (State.FILLED.name, State.CANCELLED.name, State.REJECTED.name, State.EXPIRED.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTables:
    """The tables of a run folder that a report needs, as data frames."""

    orders: pd.DataFrame
    fills: pd.DataFrame
    marks: pd.DataFrame
    equity: pd.DataFrame
    round_trips: pd.DataFrame
    positions: pd.DataFrame

    @classmethod
    def read(cls, folder: Path) -> RunTables:
        """Read them all."""
        import pyarrow.parquet as pq

        files = {name: pq.ParquetFile(folder / f"{name}.parquet") for name in cls.__dataclass_fields__}
        return cls(**{name: file.read().to_pandas() for name, file in files.items()})


def chart_data(tables: RunTables, context: RunContext) -> dict[str, Any]:
    """Return everything the charts draw, ready to be written as JSON."""
    budget = MAX_POINTS * 4 // max(len(context.symbols), 4)
    days = [[span.day, span.start_ns / 1e9, span.end_ns / 1e9] for span in context.sessions]
    return {
        "scale": context.scale,
        "days": days,
        "symbols": [_symbol(name, tables, context, budget) for name in context.symbols],
        "equity": _equity(tables.equity),
    }


def price_path(marks: pd.DataFrame, context: RunContext, max_points: int) -> dict[str, np.ndarray]:
    """Return the touch of one symbol where a price changed, ended at the end of each session.

    Parameters
    ----------
    marks : DataFrame
        Rows of one symbol.
    context : RunContext
        Sessions and scale.
    max_points : int
        Above it the path is thinned, keeping each stretch's lowest bid and highest ask.

    Returns
    -------
    dict
        `ms`, `bid`, `ask`; a price of 0 is a gap (an empty side, or the night).
    """
    units = {side: (marks[side].fillna(0.0) * context.scale).round().to_numpy(np.int64) for side in ("bid", "ask")}
    path = np.stack([marks["ts_ns"].to_numpy(np.int64) // _MS_NS, units["bid"], units["ask"]])
    parts = []
    for span in context.sessions:
        first, last = span.start_ns // _MS_NS, span.end_ns // _MS_NS
        own = path[:, (path[0] >= first) & (path[0] <= last)]
        if own.shape[1]:
            end = np.array([[last, last + 1], [own[1, -1], 0], [own[2, -1], 0]])
            parts.append(np.concatenate([thin(_changes(own), max_points // len(context.sessions)), end], axis=1))
    whole = np.concatenate(parts, axis=1) if parts else np.zeros((3, 0), np.int64)
    return dict(zip(("ms", "bid", "ask"), whole, strict=True))


def thin(path: np.ndarray, max_points: int) -> np.ndarray:
    """Keep at most about `max_points` columns: of each stretch the first, the lowest bid and the highest ask."""
    n = path.shape[1]
    if n <= max_points:
        return path
    edges = np.linspace(0, n, max(max_points // 3, 1) + 1).astype(int)[:-1]
    stretch = np.searchsorted(edges, np.arange(n), side="right")
    by_bid, by_ask = np.lexsort((path[1], stretch)), np.lexsort((-path[2], stretch))
    kept: np.ndarray = path[:, np.unique(np.concatenate([edges, by_bid[edges], by_ask[edges]]))]
    return kept


def order_segments(orders: pd.DataFrame, scale: int) -> dict[str, np.ndarray]:
    """Return one horizontal line per order and price: from when it was sent or changed until it changed again or ended."""
    until = orders.groupby("order_id", sort=False)["ts_ns"].shift(-1)
    is_line = orders["limit_price"].notna() & until.notna() & ~orders["state"].isin(_ENDED)
    own = orders[is_line].assign(until_ns=until[is_line].astype("int64"))
    price = (own["limit_price"] * scale).round().astype("int64")
    lines = own.assign(price=price).groupby(["order_id", "price"], sort=False)
    spans = lines.agg(start=("ts_ns", "min"), end=("until_ns", "max"), side=("side", "first"), qty=("qty", "last")).reset_index()
    return {
        "start": spans["start"].to_numpy(np.int64) // _MS_NS,
        "end": spans["end"].to_numpy(np.int64) // _MS_NS,
        "price": spans["price"].to_numpy(np.int64),
        "side": _signs(spans["side"]),
        "qty": spans["qty"].to_numpy(np.int64),
        "id": spans["order_id"].to_numpy(np.int64),
    }


def fill_marks(fills: pd.DataFrame, scale: int) -> dict[str, np.ndarray]:
    """Return time, price, side, size and kind of each fill."""
    return {
        "ms": fills["ts_ns"].to_numpy(np.int64) // _MS_NS,
        "price": (fills["price"] * scale).round().to_numpy(np.int64),
        "side": _signs(fills["side"]),
        "qty": fills["qty"].to_numpy(np.int64),
        "added": (fills["liquidity"] == "ADD").to_numpy(np.int64),
        "rule": fills["rule"].to_numpy(np.int64),
        "ahead": fills["ahead_qty_before"].fillna(-1).to_numpy(np.int64),
        "id": fills["fill_id"].to_numpy(np.int64),
    }


def _symbol(name: str, tables: RunTables, context: RunContext, budget: int) -> dict[str, Any]:
    orders, fills, marks = (frame[frame["symbol"] == name] for frame in (tables.orders, tables.fills, tables.marks))
    return {
        "name": name,
        "price": encode_columns(price_path(marks, context, budget)),
        "orders": encode_columns(order_segments(orders, context.scale)),
        "fills": encode_columns(fill_marks(fills, context.scale)),
    }


def _equity(equity: pd.DataFrame) -> dict[str, Any]:
    cents = {key: (equity[f"{key}_usd"] * 100).round().to_numpy(np.int64) for key in ("net", "gross", "drawdown")}
    return encode_columns({"ms": equity["ts_ns"].to_numpy(np.int64) // _MS_NS, **cents})


def _changes(path: np.ndarray) -> np.ndarray:
    is_new = np.r_[True, (np.diff(path[1]) != 0) | (np.diff(path[2]) != 0)]
    changed: np.ndarray = path[:, is_new]
    return changed


def _signs(sides: pd.Series[Any]) -> np.ndarray:
    return np.where(sides == "BUY", 1, -1).astype(np.int64)
