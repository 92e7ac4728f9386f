"""What latency does: a strategy that follows the touch is filled more often, and at worse moments, the later it hears and acts.

replay run data/sample --strategy examples/pegger.py:Pegger --config examples/no_latency.toml
replay run data/sample --strategy examples/pegger.py:Pegger
replay run data/sample --strategy examples/pegger.py:Pegger --config examples/slow_line.toml
"""

from replay import OrderRequest, Watch

QTY = 100
MOST_HELD = 300


class Pegger:
    """Rest a hundred shares at bid and ask, and follow whenever one of the two prices moves."""

    watch = Watch(quotes="touch", forecasts=False, own_orders=False)

    def __init__(self):
        self.next_timer_ns = None
        self.touch = {}

    def on_wake(self, view, wake):
        """Return the requests of this wake: away with what stands at an old price, one order at the new one."""
        if wake.reason != "quote":
            return
        symbol, held = wake.symbol, view.position(wake.symbol)
        bid, ask, bid_qty, ask_qty = view.touch(symbol)
        old_bid, old_ask = self.touch.get(symbol, (0.0, 0.0))
        self.touch[symbol] = [bid, ask]
        wanted = {"BUY": bid_qty > 0 and held < MOST_HELD, "SELL": ask_qty > 0 and held > -MOST_HELD}
        has_moved = {"BUY": bid != old_bid, "SELL": ask != old_ask}
        for order in view.open_orders(symbol):
            side = "BUY" if order["side"] > 0 else "SELL"
            if wanted[side] and not has_moved[side]:
                wanted[side] = False  # it already stands where it should
            else:
                yield OrderRequest(symbol=symbol, cancel=int(order["order_id"]))
        for side, price in (("BUY", bid), ("SELL", ask)):
            if wanted[side]:
                yield OrderRequest(symbol=symbol, side=side, qty=QTY, limit_price=price)

    def state(self):
        """Return everything that the next decision depends on; it must be something JSON can write."""
        return {"touch": self.touch}

    def restore(self, state):
        """Become what `state` described."""
        self.touch = dict(state["touch"])
