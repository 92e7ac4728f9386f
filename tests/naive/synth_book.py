"""The order book of a synthetic session in the plainest Python: one list of orders in the order of their arrival."""


class NaiveBook:
    def __init__(self, n_levels):
        self.n_levels = n_levels
        self.orders = []
        self.next_order_id = 1

    def join(self, side, level, qty):
        """Return the id of the new order, or None when it would touch the other side."""
        opposite = self.best(-side)
        if (side > 0 and level >= opposite) or (side < 0 and level <= opposite):
            return None
        self.orders.append({"order_id": self.next_order_id, "side": side, "level": level, "qty": qty})
        self.next_order_id += 1
        return self.orders[-1]["order_id"]

    def take(self, order_id, qty):
        order = next(order for order in self.orders if order["order_id"] == order_id)
        order["qty"] -= qty
        assert order["qty"] >= 0
        self.orders = [order for order in self.orders if order["qty"] > 0]

    def best(self, side):
        levels = [order["level"] for order in self.orders if order["side"] == side]
        if side > 0:
            return max(levels, default=-1)
        return min(levels, default=self.n_levels)

    def queue(self, level):
        return [(order["order_id"], order["qty"]) for order in self.orders if order["level"] == level]


class NaiveTouch:
    """A book rebuilt from messages, by price; says what the touch is and whether an execution hit the head of the best queue."""

    def __init__(self):
        self.orders = {}

    def apply(self, message):
        action, order_id, size = message["action"], message["order_id"], message["size"]
        if action == "add":
            assert order_id not in self.orders
            self.orders[order_id] = [message["side"], message["price"], size]
        elif action != "execute_hidden":
            side, price, rest = self.orders[order_id]
            assert (side, price) == (message["side"], message["price"])
            assert size <= rest
            assert action != "delete" or size == rest
            self.orders[order_id][2] = rest - size
            if rest == size:
                del self.orders[order_id]

    def head(self, side):
        """Return the id of the oldest order at the best price; dictionaries keep the order of arrival."""
        price = self.touch()[0 if side > 0 else 2]
        return next(key for key, order in self.orders.items() if order[0] == side and order[1] == price)

    def touch(self):
        """Return bid, bid size, ask, ask size."""
        answer = []
        for side, choose in ((1, max), (-1, min)):
            price = choose((order[1] for order in self.orders.values() if order[0] == side), default=0)
            answer += [price, sum(order[2] for order in self.orders.values() if order[:2] == [side, price])]
        return tuple(answer)
