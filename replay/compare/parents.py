"""What each parent wanted, got and paid: implementation shortfall, with what was never filled in it.

A *parent* is a plan of the strategy, or an order that belongs to none. Per parent, a buy (a sale is mirrored)::

    wanted    = target of its last decision - position when it began, at least what it filled;    an order alone: its quantity
    paid      = sum over fills of (price - mid at decision) qty + fees
    missed    = (wanted - filled) (ask at its end - mid at decision + f)          as if the rest were taken when it ended
    shortfall = paid + missed

with f the commission per share that the run paid in the symbol (where it never traded it: in all symbols).

Cost per share *traded* is kind to whoever waits: a patient order fills where the price comes to it, and what ran away from it
costs nothing because it was never bought. Here it counts, at the price that it had run to. The mid at decision is that of the
parent's first decision, for all of its children: a later child would otherwise be excused for what the market did meanwhile.

References
----------
Perold, A. (1988), "The Implementation Shortfall: Paper versus Reality", Journal of Portfolio Management 14(3).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from replay.report.columns import Columns
from replay.tables import RunContext

_ORDERS = ("ts_ns", "order_id", "parent_id", "decision_id", "symbol", "side", "qty")
_DECISIONS = ("decision_id", "plan_id", "target_qty", "mid")
_FILLS = ("ts_ns", "order_id", "symbol", "side", "price", "qty", "fee_usd")


class Parents(NamedTuple):
    """One row per parent, in the order of their numbers."""

    keys: np.ndarray  # plan id; minus the order id where there is no plan
    symbols: np.ndarray  # index in the context
    side: np.ndarray  # +1 bought, -1 sold
    start_ns: np.ndarray
    end_ns: np.ndarray  # last that was heard of its orders
    mid: np.ndarray  # at the first decision, dollars; NaN = unknown
    wanted_qty: np.ndarray
    order_ids: np.ndarray  # ascending ...
    order_parents: np.ndarray  # ... and the row of each one's parent


def read_parents(folder: Path, context: RunContext) -> Parents:
    """Read the parents of a run."""
    orders = Columns.read(folder / "orders.parquet", _ORDERS)
    decisions = Columns.read(folder / "decisions.parquet", _DECISIONS)
    marks = Columns.read(folder / "marks.parquet", ("ts_ns", "symbol", "bid", "ask"))
    own = np.where(orders["parent_id"] > 0, orders["parent_id"], -orders["order_id"])
    keys, first, rows = np.unique(own, return_index=True, return_inverse=True)
    order_ids, places = np.unique(orders["order_id"], return_index=True)
    end_ns = np.zeros(len(keys), np.int64)
    np.maximum.at(end_ns, rows, orders["ts_ns"])
    order_qty = np.zeros(len(keys))
    np.maximum.at(order_qty, rows, orders["qty"])
    index = {name: float(k) for k, name in enumerate(context.symbols)}
    parents = Parents(
        keys=keys,
        symbols=orders.of_words("symbol", index, -1.0)[first].astype(np.int64),
        side=np.where(orders.is_any("side", "BUY"), 1.0, -1.0)[first],
        start_ns=orders["ts_ns"][first],
        end_ns=end_ns,
        mid=np.full(len(keys), np.nan),
        wanted_qty=order_qty,
        order_ids=order_ids,
        order_parents=rows[places],
    )
    mids = _decided_mids(orders["decision_id"][first], decisions)
    bid, ask = touches(parents.symbols, parents.start_ns, marks, context)
    return parents._replace(
        mid=np.where(np.isfinite(mids), mids, (bid + ask) / 2.0),
        wanted_qty=_wanted(parents, decisions, Columns.read(folder / "fills.parquet", _FILLS), context),
    )


def _decided_mids(decision_ids: np.ndarray, decisions: Columns) -> np.ndarray:
    """Return the mid of decisions, NaN where a run does not hold them; decisions are in order of their ids."""
    place = np.searchsorted(decisions["decision_id"], decision_ids)
    found = np.append(decisions["decision_id"], -1)[place] == decision_ids
    mids: np.ndarray = np.where(found, np.append(decisions["mid"], np.nan)[place], np.nan)
    return mids


def _wanted(parents: Parents, decisions: Columns, fills: Columns, context: RunContext) -> np.ndarray:
    """Return what each parent wanted, shares."""
    planned = decisions.where(decisions["plan_id"] > 0)
    plans, last = np.unique(planned["plan_id"][::-1], return_index=True)
    place = np.searchsorted(plans, parents.keys)
    is_known = np.append(plans, -1)[place] == parents.keys
    target = np.append(planned["target_qty"][::-1][last], 0)[place]
    aimed = parents.side * (target - _held_at(parents, fills, context))
    filled = np.bincount(_parent_of(fills, parents), weights=fills["qty"], minlength=len(parents.keys))
    wanted: np.ndarray = np.maximum(np.where(is_known, aimed, parents.wanted_qty), filled)
    return wanted


def _held_at(parents: Parents, fills: Columns, context: RunContext) -> np.ndarray:
    """Return the position of its symbol when each parent began, without what it filled itself."""
    held = np.zeros(len(parents.keys))
    signed = np.where(fills.is_any("side", "BUY"), 1, -1) * fills["qty"]
    for k, symbol in enumerate(context.symbols):
        rows = np.flatnonzero(fills.is_any("symbol", symbol))
        mine = parents.symbols == k
        path = np.r_[0, np.cumsum(signed[rows])]
        held[mine] = path[np.searchsorted(fills["ts_ns"][rows], parents.start_ns[mine], side="right")]
    own = _parent_of(fills, parents)
    is_early = fills["ts_ns"] <= parents.start_ns[own]  # a marketable first child can fill in the instant that it is sent
    without: np.ndarray = held - np.bincount(own[is_early], weights=signed[is_early], minlength=len(held))
    return without


def _parent_of(fills: Columns, parents: Parents) -> np.ndarray:
    place: np.ndarray = parents.order_parents[np.searchsorted(parents.order_ids, fills["order_id"])]
    return place


def _fees(parents: Parents, fills: Columns, of: np.ndarray) -> np.ndarray:
    """Return what a share of each parent's symbol paid in commission, on average, dollars."""
    n = int(parents.symbols.max(initial=0)) + 1
    paid = np.bincount(parents.symbols[of], weights=fills["fee_usd"], minlength=n)
    qty = np.bincount(parents.symbols[of], weights=fills["qty"], minlength=n)
    usual = paid.sum() / max(qty.sum(), 1.0)
    fees: np.ndarray = np.where(qty > 0, paid / np.maximum(qty, 1.0), usual)[parents.symbols]
    return fees


def touches(symbols: np.ndarray, ts_ns: np.ndarray, marks: Columns, context: RunContext) -> tuple[np.ndarray, np.ndarray]:
    """Return bid and ask of each symbol at a time, dollars; NaN before its first two-sided mark."""
    sides = np.full((2, len(ts_ns)), np.nan)
    for k, symbol in enumerate(context.symbols):
        own = marks.of_symbol(symbol)
        own = own.where(np.isfinite(own["bid"]) & np.isfinite(own["ask"]))
        rows = np.flatnonzero(symbols == k)
        place = np.searchsorted(own["ts_ns"], ts_ns[rows], side="right") - 1
        for side, name in enumerate(("bid", "ask")):
            sides[side, rows] = np.append(own[name], np.nan)[place]
    return sides[0], sides[1]


def decided_mids(fills: Columns, parents: Parents) -> np.ndarray:
    """Return the mid at the first decision of each fill's parent."""
    mids: np.ndarray = parents.mid[_parent_of(fills, parents)]
    return mids


def shortfalls(folder: Path, context: RunContext) -> dict[str, np.ndarray]:
    """Return a row per parent: `ts_ns` of its start, and `wanted_usd`, `got_usd`, `paid_usd`, `missed_usd`.

    A parent whose mid or touch is not known counts nothing.
    """
    parents = read_parents(folder, context)
    fills = Columns.read(folder / "fills.parquet", _FILLS)
    marks = Columns.read(folder / "marks.parquet", ("ts_ns", "symbol", "bid", "ask"))
    of = _parent_of(fills, parents)
    units = np.array(context.multipliers or [1] * len(context.symbols), float)[parents.symbols]
    bid, ask = touches(parents.symbols, parents.end_ns, marks, context)
    opposite = np.where(parents.side > 0, ask, bid)
    above = parents.side[of] * (fills["price"] - parents.mid[of]) * fills["qty"] * units[of] + fills["fee_usd"]
    filled = np.bincount(of, weights=fills["qty"], minlength=len(parents.keys))
    left = parents.wanted_qty - filled
    sums = {
        "wanted_usd": parents.wanted_qty * parents.mid * units,
        "got_usd": filled * parents.mid * units,
        "paid_usd": np.bincount(of, weights=above, minlength=len(parents.keys)),
        "missed_usd": np.where(
            left > 0, left * (parents.side * (opposite - parents.mid) * units + _fees(parents, fills, of)), 0.0
        ),
    }
    is_known = np.isfinite(sum(sums.values(), np.zeros(len(parents.keys))))
    return {"ts_ns": parents.start_ns} | {name: np.where(is_known, values, 0.0) for name, values in sums.items()}
