"""Real orders as shadow orders in hftbacktest, all in one pass. Imported only where hftbacktest is installed.

Its own orders neither see each other nor change the book, so one pass holds them all. It cannot be told that a real order is part
of the recorded display: its size stays in the level that the shadow joins, as market quantity.

It uses numba directly, against the rule of this project: hftbacktest's own jitclasses refuse every disk cache, ours too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from hftbacktest import FILLED, GTC, LIMIT, BacktestAsset, HashMapMarketDepthBacktest

MODELS: dict[str, Callable[[Any], Any]] = {
    "risk adverse": lambda asset: asset.risk_adverse_queue_model(),
    "power (3)": lambda asset: asset.power_prob_queue_model(3.0),
    "power2 (3)": lambda asset: asset.power_prob_queue_model2(3.0),
    "power3 (3)": lambda asset: asset.power_prob_queue_model3(3.0),
    "log": lambda asset: asset.log_prob_queue_model(),
    "log2": lambda asset: asset.log_prob_queue_model2(),
}
NEW = 0


@numba.njit
def _play(hbt, times_ns, kinds, orders, sides, prices, quantities):  # type: ignore[no-untyped-def]
    """Send and cancel each order at its time."""
    hbt.elapse(1)
    for k in range(len(times_ns)):
        wait_ns = times_ns[k] - hbt.current_timestamp
        if wait_ns > 0 and hbt.elapse(wait_ns) != 0:
            return
        i = orders[k]
        if kinds[k] != NEW:
            hbt.cancel(0, i, False)
        elif sides[i] > 0:
            hbt.submit_buy_order(0, i, prices[i], quantities[i], GTC, LIMIT, False)
        else:
            hbt.submit_sell_order(0, i, prices[i], quantities[i], GTC, LIMIT, False)
    hbt.elapse(1_000_000_000)


@numba.njit
def _collect(hbt, fill_ns):  # type: ignore[no-untyped-def]
    """Write when each order was filled."""
    values = hbt.orders(0).values()
    while values.has_next():
        order = values.get()
        if order.status == FILLED:
            fill_ns[order.order_id] = order.exch_timestamp


def run(rows: np.ndarray, model: str, plan: tuple[np.ndarray, ...], tick: float, never_ns: int) -> np.ndarray:
    """Return when each order was filled, `never_ns` where it was not."""
    asset = BacktestAsset().data([rows]).linear_asset(1.0).constant_order_latency(0, 0)
    asset = MODELS[model](asset).no_partial_fill_exchange().trading_value_fee_model(0.0, 0.0).tick_size(tick).lot_size(1.0)
    backtest = HashMapMarketDepthBacktest([asset])
    fill_ns = np.full(len(plan[3]), never_ns)
    _play(backtest, *plan)
    _collect(backtest, fill_ns)
    backtest.close()
    return fill_ns
