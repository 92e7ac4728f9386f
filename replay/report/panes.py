"""What the charts of a report draw, as columns of integers: milliseconds, price units and cents."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from replay.events import NO_TIME
from replay.orders import State
from replay.report.columns import Columns
from replay.report.encode import encode_columns
from replay.tables import RunContext
from replay.wording import rule_meaning, rule_name

MAX_POINTS = 300_000  # drawn without delay; above it, the extremes of each stretch are kept
_MS_NS = 1_000_000
_ENDED = (State.FILLED.name, State.CANCELLED.name, State.REJECTED.name, State.EXPIRED.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTables:
    """The tables of a run folder that a report needs."""

    orders: Columns
    fills: Columns
    marks: Columns
    equity: Columns
    round_trips: Columns
    positions: Columns

    @classmethod
    def read(cls, folder: Path) -> RunTables:
        """Read them all."""
        return cls(**{name: Columns.read(folder / f"{name}.parquet") for name in cls.__dataclass_fields__})


def chart_data(tables: RunTables, context: RunContext) -> dict[str, Any]:
    """Return everything the charts draw, ready to be written as JSON."""
    budget = MAX_POINTS * 4 // max(len(context.symbols), 4)
    days = [[span.day, span.start_ns / 1e9, span.end_ns / 1e9] for span in context.sessions]
    return {
        "scale": context.scale,
        "days": days,
        "rules": {number: f"{rule_name(number)}: {rule_meaning(number)}" for number in np.unique(tables.fills["rule"]).tolist()},
        "symbols": [_symbol(name, tables, context, budget) for name in context.symbols],
        "equity": _equity(tables.equity),
    }


def price_path(marks: Columns, context: RunContext, max_points: int) -> dict[str, np.ndarray]:
    """Return the touch of one symbol where a price changed, ended at the end of each session.

    Parameters
    ----------
    marks : Columns
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
    bid, ask = (_whole(np.nan_to_num(marks[side]) * context.scale) for side in ("bid", "ask"))
    path = np.stack([marks["ts_ns"] // _MS_NS, bid, ask])
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


def order_segments(orders: Columns, scale: int) -> dict[str, np.ndarray]:
    """Return one horizontal line per order and price: from when it was sent or changed until it changed again or ended."""
    until_ns = _next_ns(orders)
    lines = np.flatnonzero(~np.isnan(orders["limit_price"]) & (until_ns != NO_TIME) & ~orders.is_any("state", *_ENDED))
    price = _whole(orders["limit_price"][lines] * scale)
    sorting = np.lexsort((lines, price, orders["order_id"][lines]))
    rows, price = lines[sorting], price[sorting]
    order_id = orders["order_id"][rows]
    first = np.flatnonzero(np.r_[True, (np.diff(order_id) != 0) | (np.diff(price) != 0)][: len(rows)])
    last = np.r_[first[1:], len(rows)][: len(first)] - 1
    spans = {
        "start": orders["ts_ns"][rows[first]] // _MS_NS,
        "end": until_ns[rows[last]] // _MS_NS,
        "price": price[first],
        "side": _signs(orders)[rows[first]],
        "qty": orders["qty"][rows[last]],
        "id": order_id[first],
    }
    by_appearance = np.argsort(rows[first])
    return {name: values[by_appearance] for name, values in spans.items()}


def fill_marks(fills: Columns, scale: int) -> dict[str, np.ndarray]:
    """Return time, price, side, size and kind of each fill."""
    ahead = fills["ahead_qty_before"]
    return {
        "ms": fills["ts_ns"] // _MS_NS,
        "price": _whole(fills["price"] * scale),
        "side": _signs(fills),
        "qty": fills["qty"],
        "added": fills.is_any("liquidity", "ADD").astype(np.int64),
        "rule": fills["rule"],
        "ahead": np.where(ahead == NO_TIME, -1, ahead),
        "id": fills["fill_id"],
    }


def _symbol(name: str, tables: RunTables, context: RunContext, budget: int) -> dict[str, Any]:
    orders, fills, marks = (table.of_symbol(name) for table in (tables.orders, tables.fills, tables.marks))
    return {
        "name": name,
        "price": encode_columns(price_path(marks, context, budget)),
        "orders": encode_columns(order_segments(orders, context.scale)),
        "fills": encode_columns(fill_marks(fills, context.scale)),
    }


def _equity(equity: Columns) -> dict[str, Any]:
    cents = {key: _whole(equity[f"{key}_usd"] * 100) for key in ("net", "gross", "drawdown")}
    return encode_columns({"ms": equity["ts_ns"] // _MS_NS, **cents})


def _next_ns(orders: Columns) -> np.ndarray:
    """Return when each order's next row came; `NO_TIME` after its last."""
    sorting = np.argsort(orders["order_id"], kind="stable")
    is_followed = np.diff(orders["order_id"][sorting]) == 0
    next_ns = np.full(len(orders), NO_TIME, np.int64)
    next_ns[sorting[:-1][is_followed]] = orders["ts_ns"][sorting[1:][is_followed]]
    return next_ns


def _whole(values: np.ndarray) -> np.ndarray:
    return np.round(values).astype(np.int64)


def _changes(path: np.ndarray) -> np.ndarray:
    is_new = np.r_[True, (np.diff(path[1]) != 0) | (np.diff(path[2]) != 0)]
    changed: np.ndarray = path[:, is_new]
    return changed


def _signs(rows: Columns) -> np.ndarray:
    return np.where(rows.is_any("side", "BUY"), 1, -1).astype(np.int64)
