"""A message-level exchange in the plainest Python: own orders stand in the queues among the real ones (rules F1 to F8)."""

from tests.naive.display import better
from tests.naive.exchange import Exchange
from tests.naive.order_life import BUY, SELL

CANCELLED, NOT_MARKETABLE = 19, 1


class FifoExchange(Exchange):
    """A venue whose queues are lists of real entries `[id, qty]` and own orders (dicts), oldest first."""

    def __init__(self, n_symbols, slots, *, own_in_book=False, **settings):
        super().__init__(n_symbols, slots, evidence=5, **settings)
        self.queues = [{} for _ in range(n_symbols)]
        self.own_in_book = own_in_book

    # ---- where own orders stand

    def join(self, s, order):
        """F1: leave the old place, if any, and go to the end of the queue."""
        for queue in self.queues[s].values():
            queue[:] = [entry for entry in queue if entry is not order]
        order["ghost"] = None
        if order["type"] == "limit":
            self.queues[s].setdefault((order["side"], order["price"]), []).append(order)

    def ahead(self, s, order):
        order["ahead"] = self.front(s, order)
        return super().ahead(s, order)

    def front(self, s, order):
        """What real orders stand before an own one; None when a CLEAR took its place away."""
        if order["type"] == "market":
            return 0
        queue = self.queues[s].get((order["side"], order["price"]), [])
        front = 0
        for entry in queue:
            if entry is order:
                return front
            front += entry[1] if isinstance(entry, list) else 0
        return None

    def take(self, s, order):
        """F7: a real order played again takes nothing on arrival."""
        if not self.own_in_book:
            super().take(s, order)
        elif order["tif"] in ("ioc", "fok"):
            self.close(s, order, CANCELLED, NOT_MARKETABLE)

    # ---- the book of real orders

    def find(self, s, order_id):
        for place, queue in self.queues[s].items():
            for entry in queue:
                if isinstance(entry, list) and entry[0] == order_id:
                    return place, entry
        return None, None

    def touch(self, s, side):
        """Best price and the real quantity there; 0, 0 where nobody is."""
        sums = {}
        for (its_side, price), queue in self.queues[s].items():
            qty = sum(entry[1] for entry in queue if isinstance(entry, list))
            if its_side == side and qty:
                sums[price] = qty
        if not sums:
            return 0, 0
        price = max(sums) if side == BUY else min(sums)
        return price, sums[price]

    # ---- what happens

    def on_event(self, event):
        if event["kind"] == "status":
            for s in range(len(self.books)) if event["symbol"] < 0 else [event["symbol"]]:
                self.books[s]["status"] = event["code"] if event["code"] in (1, 3) else 0
        elif event["kind"] == "message":
            self.now = event["ts"]
            self.on_message(event["symbol"], event)

    def on_message(self, s, message):
        before = self.touch(s, BUY), self.touch(s, SELL)
        lost = self.change_book(s, message)
        after = self.touch(s, BUY), self.touch(s, SELL)
        book = self.books[s]
        (book["bid"], book["bid_qty"]), (book["ask"], book["ask_qty"]) = after
        if before != after:
            for side, (price, qty) in zip((BUY, SELL), after, strict=True):
                self.sides[s][side].seq = message["seq"]
                self.sides[s][side].left(side, price, qty)
        if lost and message["action"] == "execute" and book["status"] == 0:
            self.trade(s, message, *lost)
        self.drop_empty(s)
        if before != after and book["status"] == 0 and not self.own_in_book:
            self.cross(s, BUY, *after[1], message["seq"])
            self.cross(s, SELL, *after[0], message["seq"])
        self.sweep(s)

    def change_book(self, s, message):
        """Do what the message says; return the place, entry and quantity of what left. Empty entries stay for the moment."""
        action, qty = message["action"], message["qty"]
        place, entry = self.find(s, message["order_id"])
        if action == "clear":
            self.queues[s] = {}
        elif action in ("add", "modify"):
            self.put(s, message, place, entry)
        elif action == "execute" and entry is None:
            return (message["side"], message["price"]), None, qty
        elif action in ("reduce", "delete", "execute") and entry is not None:
            gone = entry[1] if action == "delete" else min(qty, entry[1])
            entry[1] -= gone
            return place, entry, gone
        return None

    def put(self, s, message, place, entry):
        new_place = (message["side"], message["price"])
        if entry is not None and new_place == place and message["qty"] <= entry[1]:
            entry[1] = message["qty"]
        else:
            if entry is not None:
                self.queues[s][place].remove(entry)
            entry = [message["order_id"], message["qty"]]
            self.queues[s].setdefault(new_place, []).append(entry)

    def drop_empty(self, s):
        """Take real entries without quantity out."""
        for queue in self.queues[s].values():
            queue[:] = [entry for entry in queue if not isinstance(entry, list) or entry[1] > 0]

    def trade(self, s, message, place, entry, qty):
        """F3 and F4: own orders at better prices, then those before the real order that traded."""
        side, price = place
        mine = [o for o in self.orders[s] if o["type"] == "limit" and o["side"] == side and o["leaves"]]
        first = sorted((o for o in mine if better(side, o["price"], price)), key=lambda o: -side * o["price"])
        first = [] if self.own_in_book else first
        queue = self.queues[s].get(place, [])
        line = [o for o in queue[: _index(queue, entry)] if isinstance(o, dict) and o["leaves"]]
        for rule, order in [(8, o) for o in first] + [(7, o) for o in line]:
            amount = min(qty, order["leaves"])
            if amount:
                qty -= amount
                self.fill(s, order, order["price"], amount, rule, 1, self.ahead(s, order), message["seq"])


def _index(queue, entry):
    """Where an entry stands; an order that nobody announced stands before all others."""
    return next((k for k, other in enumerate(queue) if other is entry), 0)
