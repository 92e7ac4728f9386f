"""Answers to own orders, from the numbered rules of `replay/answers.py`, in dicts and fractions."""

from fractions import Fraction

DONE = ("FILL", "CANCELLED", "REJECTED", "EXPIRED")


class Book:
    """Orders and the position of one symbol."""

    def __init__(self):
        self.orders = []
        self.qty = self.cost = self.realized = self.fees = self.traded = self.opened = self.unknown = 0

    def send(self, order_id, side, qty, price):
        self.orders.append(
            {"id": order_id, "side": side, "qty": qty, "leaves": qty, "filled": 0, "price": price, "state": "SENT", "ack": 0}
        )

    def ask(self, order_id, state):
        for order in self.orders:
            if order["id"] == order_id:
                order["state"] = state

    def answer(self, kind, ts, order_id=0, price=0, qty=0, leaves=0, fee=0):
        if kind == "COMMISSION":
            self.fees += fee
            return
        found = [order for order in self.orders if order["id"] == order_id]
        if kind == "CORRECTION":
            self.take(qty, price, ts)
            for order in found:
                order["filled"] += order["side"] * qty
                order["leaves"] = order["qty"] - order["filled"]
        elif found:
            getattr(self, kind.lower())(found[0], ts, price, qty, leaves)
            if kind in DONE:
                self.orders.remove(found[0])
        elif kind != "CANCEL_REJECTED":
            self.unknown += 1

    def ack(self, order, ts, price, qty, leaves):
        order["ack"] = ts
        if order["state"] in ("SENT", "HELD"):
            order["state"] = "WORKING"

    def partial(self, order, ts, price, qty, leaves):
        self.take(order["side"] * qty, price, ts)
        order["filled"] += qty
        order["leaves"] = leaves
        if order["state"] not in ("CANCEL_SENT", "MODIFY_SENT"):
            order["state"] = "PARTIAL"

    fill = partial

    def held(self, order, ts, price, qty, leaves):
        order["state"] = "HELD"

    def modified(self, order, ts, price, qty, leaves):
        order["price"], order["leaves"], order["qty"] = price, leaves, order["filled"] + leaves
        if order["state"] == "MODIFY_SENT":
            order["state"] = "PARTIAL" if order["filled"] else "WORKING"

    def cancel_rejected(self, order, ts, price, qty, leaves):
        order["state"] = "PARTIAL" if order["filled"] > 0 else "WORKING"

    def gone(self, order, ts, price, qty, leaves):
        """Leave everything else to the removal."""

    cancelled = rejected = expired = gone

    def take(self, qty, price, ts):
        """Book share by share what closes; what is left over opens."""
        self.traded += abs(qty)
        sign = 1 if qty > 0 else -1
        closing = min(abs(qty), abs(self.qty)) if self.qty * qty < 0 else 0
        if closing:
            released = int(Fraction(self.cost * closing, abs(self.qty)))  # int() cuts towards zero
            self.realized += -sign * closing * price - released
            self.cost -= released
            self.qty += sign * closing
        opening = qty - sign * closing
        if opening and self.qty == 0:
            self.opened = ts
        self.cost += opening * price
        self.qty += opening
        if self.qty == 0:
            self.opened = 0

    def open_qty(self, side):
        return sum(order["leaves"] for order in self.orders if order["side"] == side)
