"""What fills cost, in dollars, split where the price can be seen to come from. Positive is bad for us.

For one fill of a buy (a sale is mirrored), per share::

    price - mid at decision  =  (mid at arrival - mid at decision)     timing: the market moved before the order was there
                              + (mid at fill - mid at arrival)         impact: it moved while the order worked
                              + (price - mid at fill)                  spread: paid for taking, earned for waiting
    fees                                                               beside it

    mid at fill - mid after 1, 10, 60 s                                adverse selection, a view of its own, not a part of the sum

The decision is the first of the fill's parent: what the market did before a later child was sent is timing. Own orders do not
move a recorded market, so "impact" is what it did anyway while we waited, and what our fills were selected by. What was never
filled costs nothing here; `replay.compare.parents` counts it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from replay.compare.parents import decided_mids, read_parents
from replay.report.columns import Columns
from replay.tables import RunContext

PARTS = ("spread_usd", "fee_usd", "impact_usd", "timing_usd")
MARKOUT_S = (1, 10, 60)
_S_NS = 1_000_000_000
_COLUMNS = ("ts_ns", "order_id", "symbol", "side", "price", "qty", "fee_usd", "mid_at_arrival", "mid_at_fill")


def fill_costs(folder: Path, context: RunContext) -> dict[str, np.ndarray]:
    """Return a row per fill: `ts_ns`, `qty`, `turnover_usd`, the parts of its cost, and adverse selection with its quantity.

    A part is 0 where a mid that it needs is not known.
    """
    fills = Columns.read(folder / "fills.parquet", _COLUMNS)
    side = np.where(fills.is_any("side", "BUY"), 1.0, -1.0)
    multipliers = dict(zip(context.symbols, context.multipliers or [1] * len(context.symbols), strict=True))
    qty = fills["qty"].astype(float)
    dollars = qty * fills.of_words("symbol", multipliers, 1.0)
    arrived, filled = (fills[f"mid_at_{when}"] for when in ("arrival", "fill"))
    decided = decided_mids(fills, read_parents(folder, context))
    costs = {
        "ts_ns": fills["ts_ns"],
        "qty": qty,
        "turnover_usd": fills["price"] * dollars,
        "timing_usd": np.nan_to_num(side * (arrived - decided) * dollars),
        "impact_usd": np.nan_to_num(side * (filled - arrived) * dollars),
        "spread_usd": np.nan_to_num(side * (fills["price"] - filled) * dollars),
        "fee_usd": fills["fee_usd"],
    }
    marks = Columns.read(folder / "marks.parquet", ("ts_ns", "symbol", "bid", "ask"))
    for delay_s in MARKOUT_S:
        adverse = side * (filled - _mids_after(fills, marks, context, delay_s * _S_NS))
        costs[f"adverse_{delay_s}s_usd"] = np.nan_to_num(adverse * dollars)
        costs[f"known_{delay_s}s_qty"] = np.where(np.isfinite(adverse), qty, 0.0)
    return costs


def _mids_after(fills: Columns, marks: Columns, context: RunContext, delay_ns: int) -> np.ndarray:
    """Return the mid a while after each fill; NaN where the session had ended."""
    until_ns = fills["ts_ns"] + delay_ns
    mids = np.full(len(fills), np.nan)
    for symbol in context.symbols:
        rows = np.flatnonzero(fills.is_any("symbol", symbol))
        own = marks.of_symbol(symbol)
        own = own.where(np.isfinite(own["bid"]) & np.isfinite(own["ask"]))
        if len(rows) and len(own):
            place = np.searchsorted(own["ts_ns"], until_ns[rows], side="right") - 1
            known = (own["bid"] + own["ask"])[np.maximum(place, 0)] / 2.0
            mids[rows] = np.where(place >= 0, known, np.nan)
    is_within = np.zeros(len(fills), bool)
    for span in context.sessions:
        is_within |= (fills["ts_ns"] >= span.start_ns) & (until_ns <= span.end_ns)
    return np.where(is_within, mids, np.nan)
