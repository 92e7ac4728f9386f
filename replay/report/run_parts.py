"""What a run did in each period that its sessions lie in: sums of its tables, cut between two sessions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from replay.report.columns import Columns
from replay.result import Result
from replay.tables import RunContext, read_context

SUMS = ("net_usd", "gross_usd", "fee_usd", "turnover_usd", "round_trips", "round_trips_won", "decisions", "orders", "fills")
_MONEY = ("net_usd", "gross_usd", "fee_usd")


class RunPart(NamedTuple):
    """What a run did on some of its days; `sums` holds dollars and counts."""

    run: Result
    days: tuple[str, ...]
    sums: Mapping[str, float]
    max_drawdown_usd: float


def parts_of(run: Result, name_of: Callable[[str], str]) -> dict[str, RunPart]:
    """Cut a run into parts, by the name that each of its days is given.

    A round trip belongs to the day on which it was closed, an order to that on which it was sent; profit is marked to mid at the
    end of a part. A run within one part is told by its summary.
    """
    days = run.summary["sessions"]
    names = [name_of(day) for day in days]
    parts = list(dict.fromkeys(names))
    if len(parts) < 2:
        whole = {name: float(run.summary[name]) for name in SUMS}
        return dict.fromkeys(parts, RunPart(run, tuple(days), whole, float(run.summary["max_drawdown_usd"])))
    context = read_context(run.path)
    starts_ns = np.array([context.sessions[names.index(part)].start_ns for part in parts], np.int64)
    sums = _counts(run, context, starts_ns)
    money, falls = _money(run, starts_ns)
    return {
        part: RunPart(
            run,
            tuple(day for day, name in zip(days, names, strict=True) if name == part),
            {name: float(values[k]) for name, values in (sums | money).items()},
            float(falls[k]),
        )
        for k, part in enumerate(parts)
    }


def _counts(run: Result, context: RunContext, starts_ns: np.ndarray) -> dict[str, np.ndarray]:
    """Return what is counted, and the turnover, of each part."""

    def added(ts_ns: np.ndarray, values: np.ndarray | None = None) -> np.ndarray:
        place = np.maximum(np.searchsorted(starts_ns, ts_ns, side="right") - 1, 0)
        return np.bincount(place, weights=values, minlength=len(starts_ns))

    read = {
        "fills": ("ts_ns", "price", "qty", "symbol"),
        "round_trips": ("exit_ts_ns", "net_usd"),
        "orders": ("ts_ns", "order_id"),
        "decisions": ("ts_ns",),
    }
    fills, trips, orders, decisions = (Columns.read(run.path / f"{name}.parquet", names) for name, names in read.items())
    multipliers = dict(zip(context.symbols, context.multipliers or [1] * len(context.symbols), strict=True))
    dollars = fills["price"] * fills["qty"] * fills.of_words("symbol", multipliers, 1.0)
    _, first = np.unique(orders["order_id"], return_index=True)
    return {
        "turnover_usd": added(fills["ts_ns"], dollars),
        "fills": added(fills["ts_ns"]),
        "round_trips": added(trips["exit_ts_ns"]),
        "round_trips_won": added(trips["exit_ts_ns"], (trips["net_usd"] > 0.0).astype(float)),
        "orders": added(orders["ts_ns"][first]),
        "decisions": added(decisions["ts_ns"]),
    }


def _money(run: Result, starts_ns: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return profit and fees of each part, and its worst fall from a peak."""
    path = Columns.read(run.path / "equity.parquet", ("ts_ns", *_MONEY))
    cuts = [*np.searchsorted(path["ts_ns"], starts_ns[1:], side="left").tolist(), len(path)]
    money = {}
    for name in _MONEY:
        known = np.r_[0.0, path[name]]
        money[name] = np.diff(known[cuts], prepend=0.0)
    net, falls = np.r_[0.0, path["net_usd"]], []
    for start, end in zip([0, *cuts[:-1]], cuts, strict=True):
        part = net[start : end + 1]
        falls.append((np.maximum.accumulate(part) - part).max())
    return money, np.array(falls)
