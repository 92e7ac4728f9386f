"""What a run earned, paid and did wrong in each stretch of time: sums that ratios are made of.

Stretches are equal for both runs, so that a ratio may be drawn from the same ones for both. A round trip counts where it was
entered, a fill and a decision where it happened, profit where it was marked.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from replay.compare.execution import fill_costs
from replay.compare.parents import shortfalls
from replay.events import NO_TIME
from replay.reasons import TAKEN
from replay.report.columns import Columns
from replay.tables import RunContext
from strategy.decision import Reason

MINUTE_NS = 60_000_000_000
_TAKEN = tuple(Reason(code).name for code in TAKEN)
_TRIPS = ("entry_ts_ns", "qty", "entry_price", "net_usd", "net_bps", "edge_bps", "symbol")
_DECISIONS = ("ts_ns", "reason", "status", "is_stale")


class Stretches(NamedTuple):
    """Stretches of time, none across a night."""

    starts_ns: np.ndarray
    ends_ns: np.ndarray

    @classmethod
    def of(cls, context: RunContext, minutes: int) -> Stretches:
        """Cut each session from its start on; a rest shorter than half a stretch joins the one before."""
        starts, ends = [], []
        for span in context.sessions:
            n = max(1, round((span.end_ns - span.start_ns) / (minutes * MINUTE_NS)))
            cuts = [span.start_ns + k * minutes * MINUTE_NS for k in range(n)]
            starts += cuts
            ends += [*cuts[1:], span.end_ns + 1]
        return cls(np.array(starts, np.int64), np.array(ends, np.int64))

    def add_up(self, ts_ns: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Add values up by the stretch of their time; a time before the first belongs to the first."""
        place = np.maximum(np.searchsorted(self.starts_ns, ts_ns, side="right") - 1, 0)
        return np.bincount(place, weights=values, minlength=len(self.starts_ns))


class Trips(NamedTuple):
    """Round trips whose edge was forecast."""

    entry_ts_ns: np.ndarray
    entered_usd: np.ndarray
    net_usd: np.ndarray
    edge_bps: np.ndarray

    def best(self, entered_usd: float) -> Trips:
        """Return those with the highest forecast edge that together enter no more dollars than given; at least one."""
        order = np.argsort(-self.edge_bps, kind="stable")
        n = max(1, int(np.searchsorted(np.cumsum(self.entered_usd[order]), entered_usd * (1 + 1e-9), side="right")))
        chosen = np.sort(order[:n])
        return Trips(*(values[chosen] for values in self))


def read_trips(folder: Path, context: RunContext) -> tuple[Trips, np.ndarray, np.ndarray]:
    """Return the round trips with a known edge; and entry time and profit of all."""
    table = Columns.read(folder / "round_trips.parquet", _TRIPS)
    multipliers = dict(zip(context.symbols, context.multipliers or [1] * len(context.symbols), strict=True))
    entered = table["qty"] * table["entry_price"] * table.of_words("symbol", multipliers, 1.0)
    known = np.isfinite(table["edge_bps"])
    whole = Trips(table["entry_ts_ns"], entered, table["net_usd"], table["edge_bps"])
    return Trips(*(values[known] for values in whole)), table["entry_ts_ns"], table["net_usd"]


def sums_of(folder: Path, context: RunContext, stretches: Stretches) -> dict[str, np.ndarray]:
    """Return everything that adds up, by stretch."""
    _, entered_ns, trip_usd = read_trips(folder, context)
    costs = fill_costs(folder, context)
    sums = {
        name: stretches.add_up(part["ts_ns"], values)
        for part in (costs, shortfalls(folder, context))
        for name, values in part.items()
        if name != "ts_ns"
    }
    decisions = Columns.read(folder / "decisions.parquet", _DECISIONS)
    taken = decisions.is_any("reason", *_TAKEN)
    stale = decisions["is_stale"] != 0
    is_error = (decisions["status"] != 0) & (decisions["status"] != NO_TIME)
    return {
        **sums,
        "trips": stretches.add_up(entered_ns, np.ones(len(entered_ns))),
        "bad_trips": stretches.add_up(entered_ns, (trip_usd <= 0.0).astype(float)),
        "net_usd": _profit(folder, stretches),
        "decisions": stretches.add_up(decisions["ts_ns"], np.ones(len(decisions))),
        "stale_taken": stretches.add_up(decisions["ts_ns"], (taken & stale).astype(float)),
        "errors": stretches.add_up(decisions["ts_ns"], is_error.astype(float)),
    }


def retention_sums(trips: Trips, stretches: Stretches) -> dict[str, np.ndarray]:
    """Return what round trips earned and what had been forecast for them, by stretch."""
    return {
        "kept_usd": stretches.add_up(trips.entry_ts_ns, trips.net_usd),
        "edge_usd": stretches.add_up(trips.entry_ts_ns, trips.edge_bps * trips.entered_usd / 1e4),
    }


def _profit(folder: Path, stretches: Stretches) -> np.ndarray:
    """Return the profit of each stretch, marked to mid at its end."""
    path = Columns.read(folder / "equity.parquet", ("ts_ns", "net_usd"))
    known = np.r_[0.0, path["net_usd"]]
    ends = known[np.searchsorted(path["ts_ns"], stretches.ends_ns, side="left")]
    if len(ends):
        ends[-1] = known[-1]
    profit: np.ndarray = np.diff(ends, prepend=0.0)
    return profit
