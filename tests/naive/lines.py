"""Lines of orders in plain lists: what each cancel and each return of a level teaches (twin of `replay.validation.fit_book`)."""


class Lines:
    """A book of lists; orders are dicts with id, qty, ours, joined, seen, hidden and moves."""

    def __init__(self):
        self.lines = {}  # (side, price) -> orders, first in line first
        self.heard = {1: 0, -1: 0}
        self.heard_exch = {1: None, -1: None}
        self.event = None
        self.touches = {1: [None], -1: [None]}  # what level 1 showed, one after the other
        self.cases, self.returns, self.executions = [], [], []

    def best(self, side):
        prices = [price for (s, price), line in self.lines.items() if s == side and line]
        return (max(prices) if side > 0 else min(prices)) if prices else None

    def find(self, order_id):
        for key, line in self.lines.items():
            for order in line:
                if order["id"] == order_id:
                    return key, line, order
        return None

    def ahead(self, line, order):
        return sum(other["qty"] for other in line[: line.index(order)])

    def play(self, ts, action, order_id, side, price, qty, exch):
        if (ts, exch) != self.event:
            self.event = (ts, exch)
            for one_side in (1, -1):
                if self.best(one_side) != self.touches[one_side][-1]:
                    self.touches[one_side].append(self.best(one_side))
        if action == "add":
            self.arrive(ts, order_id, side, price, qty)
            return
        if action == "hidden":
            self.execute(ts, side, price, qty, 1)
            return
        found = self.find(order_id)
        if found is None:
            return
        key, line, order = found
        before = self.best(key[0])
        is_match = exch % 10**6 != 0 and exch == self.heard_exch[key[0]]
        if action == "cancel" and key[1] == before and not is_match:
            self.teach(ts, key, line, order, min(qty, order["qty"]))
        if action == "execute":
            self.execute(ts, *key, qty, 0)
            self.heard[key[0]], self.heard_exch[key[0]] = ts, exch
        if (action == "execute" or is_match) and key[1] == before:
            for other in line[line.index(order) + 1 :]:
                other["seen"] = ts
        order["qty"] -= min(qty, order["qty"])
        if order["qty"] == 0:
            line.remove(order)
        now = self.best(key[0])
        if now != before and now is not None:
            self.come_back(ts, self.lines[key[0], now], len(self.touches[key[0]]) + (now != self.touches[key[0]][-1]))

    def execute(self, ts, side, price, qty, hidden):
        """Note an execution at the touch or beyond it, with what was displayed at better prices."""
        best = self.best(side)
        if best is not None and side * price <= side * best:
            better = sum(o["qty"] for (s, p), line in self.lines.items() if s == side and side * p > side * price for o in line)
            self.executions.append((ts, side, price, qty, min(better, qty), hidden))

    def arrive(self, ts, order_id, side, price, qty):
        bid, ask = self.best(1), self.best(-1)
        at_touch = bid is not None and ask is not None and bid < ask
        at_touch = at_touch and (bid <= price < ask if side > 0 else bid < price <= ask)
        old = self.best(side)
        if old is not None and (price > old if side > 0 else price < old):
            for order in self.lines[side, old]:
                order["hidden"] = self.ahead(self.lines[side, old], order)
                order["moves"] = len(self.touches[side])
        line = self.lines.setdefault((side, price), [])
        line.append({"id": order_id, "qty": qty, "ours": at_touch, "joined": ts, "seen": ts, "hidden": -1})

    def teach(self, ts, key, line, gone, qty):
        side, price = key
        other_best = self.best(-side)
        for order in line:
            if order is gone or not order["ours"]:
                continue
            ahead = self.ahead(line, order)
            behind = sum(o["qty"] for o in line) - ahead - order["qty"]
            if other_best is not None and qty <= ahead and qty <= behind:
                self.cases.append(
                    (
                        ts, ahead, behind, qty, sum(o["qty"] for o in self.lines[-side, other_best]),
                        abs(other_best - price), ts - order["joined"], ts - self.heard[side],
                        int(line.index(gone) < line.index(order)),
                    )
                )  # fmt: skip
        for order in line:
            if order is not gone and order["ours"]:
                order["seen"] = ts
        if other_best is None:
            return

    def come_back(self, ts, line, moves):
        for order in line:
            if order["ours"] and order["hidden"] > 0:
                hidden = (order["hidden"], self.ahead(line, order), ts - order["seen"], moves - order["moves"])
                self.returns.append((ts, *hidden))
            order["hidden"] = -1
            order["seen"] = ts
