"""The second door: a whole strategy in plain Python, woken only when it asked to be.

replay run data/sample --strategy examples/strategy.py:TouchQuoter
"""

from replay import OrderRequest, Watch

EVERY_NS = 5_000_000_000


class TouchQuoter:
    """Quote a hundred shares on both sides of the touch, renewed every five seconds, holding at most five hundred."""

    watch = Watch(quotes="", forecasts=False, own_orders=False)

    def __init__(self) -> None:
        self.next_timer_ns = None

    def on_wake(self, view, wake):
        """Return the requests of this wake; they leave after the compute latency."""
        open_ns, close_ns = view.hours()
        if wake.reason == "day":
            self.next_timer_ns = open_ns
        if wake.reason != "timer":
            return
        self.next_timer_ns = view.now_ns + EVERY_NS if view.now_ns < close_ns - 60_000_000_000 else None
        for symbol in view.symbols:
            yield from (OrderRequest(symbol=symbol, cancel=int(order["order_id"])) for order in view.open_orders(symbol))
            if self.next_timer_ns:
                yield from self.quotes(symbol, *view.touch(symbol), held=view.position(symbol))

    def quotes(self, symbol, bid, ask, bid_qty, ask_qty, held):
        """Yield the two quotes of a symbol, where its touch is two-sided and the position allows them."""
        if bid_qty and ask_qty and held < 500:
            yield OrderRequest(symbol=symbol, side="BUY", qty=100, limit_price=bid)
        if bid_qty and ask_qty and held > -500:
            yield OrderRequest(symbol=symbol, side="SELL", qty=100, limit_price=ask)

    def state(self):
        """Return everything that the next decision depends on; it must be something JSON can write."""
        return {"next_timer_ns": self.next_timer_ns}

    def restore(self, state):
        """Become what `state` described."""
        self.next_timer_ns = state["next_timer_ns"]
