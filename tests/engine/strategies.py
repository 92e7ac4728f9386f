"""Small strategies for the laws: a Python one and a kernel, both of which trade."""

import numpy as np

from replay.desk import WAKE_EVENT, send_cancel, send_limit
from replay.engine import OrderRequest, Watch, bind
from replay.events import Kind


class Quoter:
    """Quotes both sides at the touch, renewed every ten seconds, within a thousand shares."""

    watch = Watch(quotes="", forecasts=False, status=False)

    def __init__(self) -> None:
        self.next_timer_ns: int | None = None
        self.wakes = 0

    def on_wake(self, view, wake):
        """Renew all quotes at each timer."""
        self.wakes += 1
        if wake.reason == "day":
            self.next_timer_ns = view.hours()[0]
        if wake.reason != "timer":
            return []
        self.next_timer_ns = view.now_ns + 10_000_000_000
        return [request for symbol in view.symbols for request in self._quote(view, symbol)]

    def _quote(self, view, symbol):
        bid, ask, bid_qty, ask_qty = view.touch(symbol)
        yield from (OrderRequest(symbol=symbol, cancel=int(order["order_id"])) for order in view.open_orders(symbol))
        if bid_qty and ask_qty and view.position(symbol) < 1000:
            yield OrderRequest(symbol=symbol, side="BUY", qty=100, limit_price=bid)
        if bid_qty and ask_qty and view.position(symbol) > -1000:
            yield OrderRequest(symbol=symbol, side="SELL", qty=100, limit_price=ask)

    def state(self):
        """Return all that the next decision depends on."""
        return {"next_timer_ns": self.next_timer_ns, "wakes": self.wakes}

    def restore(self, state):
        """Become what `state` described."""
        self.next_timer_ns = state["next_timer_ns"]
        self.wakes = state["wakes"]


def join_bid(wake, i, block, desk, state):
    """Keep one order at the bid of each symbol; cancel it when the bid has moved."""
    if wake != WAKE_EVENT or block.events[i]["kind"] != Kind.QUOTE:
        return
    s = block.events[i]["symbol"]
    bid = block.events[i]["bid"]
    if bid <= 0 or desk.clock[0]["now_ns"] < state[0][s]:
        return
    state[0][s] = desk.clock[0]["now_ns"] + 1_000_000_000
    if desk.n_orders[s] == 0:
        send_limit(desk, s, 1 if desk.positions[s]["qty"] <= 0 else -1, 100, bid, 1, 0)
    elif desk.orders[s, 0]["price"] != bid:
        send_cancel(desk, s, 0)


def join_state(n_symbols: int) -> tuple[np.ndarray, ...]:
    """Return the time before which each symbol rests."""
    return (np.zeros(n_symbols, np.int64),)


def bound():
    """Bind `join_bid`."""
    return bind(join_bid, join_state)


def count_kinds(wake, i, block, desk, state):
    """Count the events that it is woken by, by kind."""
    if wake == WAKE_EVENT:
        state[0][block.events[i]["kind"]] += 1
