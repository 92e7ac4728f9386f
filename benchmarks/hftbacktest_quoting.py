"""The strategy of beside_hftbacktest.py, in hftbacktest's terms. Imported only where hftbacktest is installed.

It uses numba directly, against the rule of this project: hftbacktest's own jitclasses refuse every disk cache, ours too.
"""

from __future__ import annotations

import numba
import numpy as np
from hftbacktest import GTC, LIMIT, BacktestAsset, HashMapMarketDepthBacktest


@numba.njit
def _quote(hbt, every_ns, qty):  # type: ignore[no-untyped-def]
    order_id = 0
    while hbt.elapse(every_ns) == 0:
        hbt.clear_inactive_orders(0)
        values = hbt.orders(0).values()
        while values.has_next():
            order = values.get()
            if order.cancellable:
                hbt.cancel(0, order.order_id, False)
        depth = hbt.depth(0)
        hbt.submit_buy_order(0, order_id + 1, depth.best_bid, qty, GTC, LIMIT, False)
        hbt.submit_sell_order(0, order_id + 2, depth.best_ask, qty, GTC, LIMIT, False)
        order_id += 2
    return order_id


def run(rows: np.ndarray, latency_ns: int, every_ns: int, qty: int, tick: float) -> tuple[int, int]:
    """Replay; return the number of orders and of fills."""
    asset = (
        BacktestAsset()
        .data([rows])
        .linear_asset(1.0)
        .constant_order_latency(latency_ns, latency_ns)
        .power_prob_queue_model3(3.0)
        .no_partial_fill_exchange()
        .trading_value_fee_model(0.0, 0.0)
        .tick_size(tick)
        .lot_size(1.0)
    )
    backtest = HashMapMarketDepthBacktest([asset])
    n_orders = int(_quote(backtest, every_ns, float(qty)))
    n_fills = int(backtest.state_values(0).num_trades)
    backtest.close()
    return n_orders, n_fills
