"""A strategy of your own in plain Python, woken when something happens that it watches.

Run it with `replay run SESSION --strategy my_strategy:MyStrategy --config replay.toml`.
"""

from typing import Any

from replay import OrderRequest, Watch
from replay.engine import View, Wake

MINUTE_NS = 60_000_000_000


class MyStrategy:
    """Every five minutes, bid for a hundred shares where none are held, and offer at the ask what is."""

    watch = Watch(quotes="", forecasts=False)  # quotes and forecasts do not wake it; its timer and its own orders do

    def __init__(self) -> None:
        self.next_timer_ns = 0  # when to be woken next; set at each start of a day

    def on_wake(self, view: View, wake: Wake) -> list[OrderRequest]:
        """Answer a wake with requests; they leave after the compute latency."""
        if wake.reason == "day":
            self.next_timer_ns = view.hours()[0] + MINUTE_NS
        if wake.reason != "timer":
            return []
        self.next_timer_ns = view.now_ns + 5 * MINUTE_NS
        return [request for symbol in view.symbols for request in self._requests(view, symbol)]

    def _requests(self, view: View, symbol: str) -> list[OrderRequest]:
        old = [OrderRequest(symbol=symbol, cancel=int(order["order_id"])) for order in view.open_orders(symbol)]
        bid, ask, bid_qty, ask_qty = view.touch(symbol)
        if not (bid_qty and ask_qty) or view.now_ns >= view.hours()[1]:
            return old
        held = view.position(symbol)
        if held > 0:
            return [*old, OrderRequest(symbol=symbol, side="SELL", qty=held, limit_price=ask)]
        return [*old, OrderRequest(symbol=symbol, side="BUY", qty=100, limit_price=bid)]

    def state(self) -> Any:
        """Return everything that the next decision depends on, in a form that JSON can write."""
        return {"next_timer_ns": self.next_timer_ns}

    def restore(self, state: Any) -> None:
        """Become what `state()` described."""
        self.next_timer_ns = state["next_timer_ns"]
