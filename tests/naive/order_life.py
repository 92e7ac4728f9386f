"""Arrival, cancel, change and expiry in the plain exchange (rules 13 to 20)."""

from tests.naive.display import better

NONE, ACK, PARTIAL, FILL, CANCELLED, REJECTED, EXPIRED, MODIFIED, CANCEL_REJECTED = 0, 16, 17, 18, 19, 20, 21, 23, 26
BUY, SELL = 1, -1
NOT_MARKETABLE, END_OF_DAY, GOOD_TILL_DATE, OFF_TICK, HALTED = 1, 2, 3, 4, 5
BAD_QUANTITY, UNKNOWN_ORDER, WOULD_CROSS, TABLE_FULL, NO_MARKET = 6, 7, 8, 9, 10


class OrderLife:
    """The half of the plain exchange that own requests reach; the other half has books, sides, orders and answers."""

    def on_request(self, request, now):
        self.now = now
        s = request["symbol"]
        if request["action"] == "new":
            self.new(s, request)
            return
        order = next((o for o in self.orders[s] if o["id"] == request["order_id"]), None)
        if order is None:
            self.refuse(s, request, CANCEL_REJECTED, UNKNOWN_ORDER)
        elif request["action"] == "cancel":
            self.close(s, order, CANCELLED, 0)
        else:
            self.modify(s, order, request)
        self.sweep(s)

    def close(self, s, order, kind, reason):
        self.say_order(s, order, kind, reason, qty=order["leaves"], leaves_qty=0)
        order["leaves"] = 0

    def price_problem(self, kind, side, price, post_only, book):
        other, other_qty = (book["ask"], book["ask_qty"]) if side == BUY else (book["bid"], book["bid_qty"])
        if kind == "market":
            return 0 if other_qty else NO_MARKET
        if price <= 0 or price % self.tick:
            return OFF_TICK
        return WOULD_CROSS if post_only and other_qty and not better(side, other, price) else 0

    def new(self, s, request):
        book, side = self.books[s], request["side"]
        problem = 0
        if request["qty"] <= 0:
            problem = BAD_QUANTITY
        elif book["status"] == 1:
            problem = HALTED
        else:
            problem = self.price_problem(request["type"], side, request["price"], request["post_only"], book)
        kind = REJECTED
        if not problem and self.now >= self.close_ns:
            problem, kind = END_OF_DAY, EXPIRED
        if not problem and request["tif"] == "gtd" and request["expire"] <= self.now:
            problem, kind = GOOD_TILL_DATE, EXPIRED
        if not problem and len(self.orders[s]) >= self.slots:
            problem = TABLE_FULL
        if problem:
            self.refuse(s, request, kind, problem)
            return
        both = book["bid_qty"] > 0 and book["ask_qty"] > 0
        order = {
            "id": request["order_id"], "side": side, "type": request["type"], "tif": request["tif"], "qty": request["qty"],
            "leaves": request["qty"], "price": request["price"] if request["type"] == "limit" else None, "value": 0, "removed": 0,
            "fee": 0, "post_only": request["post_only"], "mid2": book["bid"] + book["ask"] if both else 0,
            "expires": min(request["expire"], self.close_ns) if request["tif"] == "gtd" else self.close_ns,
        }  # fmt: skip
        self.orders[s].append(order)
        self.join(s, order)
        self.say_order(s, order, ACK)
        self.take(s, order)
        self.sweep(s)

    def join(self, s, order):
        """Rules 1 to 3."""
        book, side = self.books[s], order["side"]
        touch, touch_qty = (book["bid"], book["bid_qty"]) if side == BUY else (book["ask"], book["ask_qty"])
        order["ghost"] = order["ahead"] = None
        if order["type"] == "market":
            order["ahead"] = 0
        elif touch_qty and book["status"] == 0 and not better(side, touch, order["price"]):
            fronts = [o["ahead"] for o in self.orders[s] if o is not order and o["side"] == side and o["price"] == order["price"]]
            if None not in fronts:
                hidden = self.reads["inside_lots"] * self.lot
                order["ahead"] = max([touch_qty if order["price"] == touch else hidden, *fronts])

    def take(self, s, order):
        """Rules 13, 14 and 26: level after level, the touch as displayed, the others as the band assumes."""
        book, side = self.books[s], order["side"]
        touch, shown = (book["ask"], book["ask_qty"]) if side == BUY else (book["bid"], book["bid_qty"])
        display = self.sides[s][-side]
        ticks, percent = self.reads["depth"]
        plan = []
        for k in range(ticks + 1 if book["status"] == 0 and shown else 0):
            price = touch + side * k * self.tick
            left = display.left(-side, price, shown * percent // 100 if k else shown, is_touch=k == 0)
            if price > 0 and (order["type"] == "market" or not better(side, price, order["price"])):
                plan.append((price, left, 26 if k else 14 if order["type"] == "market" else 13))
        if order["tif"] == "fok" and sum(left for _, left, _ in plan) < order["leaves"]:
            plan = []
        for price, left, rule in plan:
            amount = min(left, order["leaves"])
            if amount:
                display.take(-side, price, amount)
                self.fill(s, order, price, amount, rule, 2, 0, display.seq)
        if order["leaves"] and order["tif"] in ("ioc", "fok"):
            self.close(s, order, CANCELLED, NOT_MARKETABLE)

    def modify(self, s, order, request):
        """Rule 20."""
        filled = order["qty"] - order["leaves"]
        keeps = request["price"] == (order["price"] or 0) and request["qty"] <= order["qty"]
        problem = 0
        if request["qty"] <= filled:
            problem = BAD_QUANTITY
        elif not keeps and self.books[s]["status"] == 1:
            problem = HALTED
        elif not keeps and order["type"] == "limit":
            problem = self.price_problem("limit", order["side"], request["price"], order["post_only"], self.books[s])
        if problem:
            self.refuse(s, request, CANCEL_REJECTED, problem)
            return
        order["qty"], order["leaves"] = request["qty"], request["qty"] - filled
        if not keeps:
            order["price"] = request["price"] if order["type"] == "limit" else None
            self.orders[s].remove(order)
            self.orders[s].append(order)
            self.join(s, order)
        self.say_order(s, order, MODIFIED)
        if not keeps:
            self.take(s, order)

    def on_expiry(self, now):
        self.now = now
        evidence, self.evidence = self.evidence, 0
        for s in range(len(self.orders)):
            for order in self.orders[s]:
                if order["expires"] <= now:
                    self.close(s, order, EXPIRED, GOOD_TILL_DATE if order["expires"] < self.close_ns else END_OF_DAY)
            self.sweep(s)
        self.evidence = evidence
