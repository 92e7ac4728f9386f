"""Arrival, cancel, change and expiry in the plain exchange (rules 13 to 20)."""

import math
from fractions import Fraction

from tests.naive.display import better

NONE, ACK, PARTIAL, FILL, CANCELLED, REJECTED, EXPIRED, HELD, MODIFIED, CANCEL_REJECTED = 0, 16, 17, 18, 19, 20, 21, 22, 23, 26
BUY, SELL = 1, -1
NOT_MARKETABLE, END_OF_DAY, GOOD_TILL_DATE, OFF_TICK, HALTED = 1, 2, 3, 4, 5
BAD_QUANTITY, UNKNOWN_ORDER, WOULD_CROSS, TABLE_FULL, NO_MARKET = 6, 7, 8, 9, 10
NOT_OPEN, TOO_LARGE, DUPLICATE_ID, SHORT_SALE, NOT_SHORTABLE, BUYING_POWER = 11, 12, 13, 14, 15, 16


def works(order):
    """Is the order in the market: not held back, and with a price, or a market order?"""
    return not order["held"] and (order["type"] == "market" or order["price"] is not None)


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

    def tick_at(self, price):
        """Rule 32."""
        edge, low, *others = self.terms["ticks"]
        return low if price < edge and self.tick in others else self.tick

    def price_problem(self, kind, side, price, post_only, book):
        other, other_qty = (book["ask"], book["ask_qty"]) if side == BUY else (book["bid"], book["bid_qty"])
        if kind == "market":
            return 0 if other_qty or self.evidence == 3 else NO_MARKET
        if kind != "limit" and price == 0:
            return 0
        if price <= 0 or price % self.tick_at(price):
            return OFF_TICK
        return WOULD_CROSS if kind == "limit" and post_only and other_qty and not better(side, other, price) else 0

    def must_wait(self, s):
        """Rules 30 and 31."""
        return self.now < self.terms["open_ns"] or (self.books[s]["status"] == 1 and self.terms["holds_in_halt"])

    def first_problem(self, s, request):
        """Rules 16, 17 and 30 to 33, in the order in which they are asked."""
        book, at_once = self.books[s], request["tif"] in ("ioc", "fok")
        if request["qty"] <= 0:
            return BAD_QUANTITY
        if 0 < self.terms["most_qty"] < request["qty"]:
            return TOO_LARGE
        if any(o["id"] == request["order_id"] for o in self.orders[s]):
            return DUPLICATE_ID
        if book["status"] == 1 and (at_once or not self.terms["holds_in_halt"]):
            return HALTED
        if self.now < self.terms["open_ns"] and at_once:
            return NOT_OPEN
        problem = self.price_problem(request["type"], request["side"], request["price"], request["post_only"], book)
        if problem and not (self.must_wait(s) and problem in (WOULD_CROSS, NO_MARKET)):
            return problem
        if self.now >= self.close_ns:
            return END_OF_DAY
        if request["tif"] == "gtd" and request["expire"] <= self.now:
            return GOOD_TILL_DATE
        if len(self.orders[s]) >= self.slots:
            return TABLE_FULL
        return self.account_problem(s, request["side"], request["type"], request["price"], request["qty"])

    def wanted(self, s, side):
        return sum(o["leaves"] for o in self.orders[s] if o["side"] == side)

    def account_problem(self, s, side, kind, price, more):
        """Rule 33."""
        if self.terms["equity"] is None:
            return 0
        book = self.books[s]
        if side == SELL and more > 0 and more > self.position[s] - self.wanted(s, SELL):
            if not self.terms["is_shortable"]:
                return NOT_SHORTABLE
            has_mid = kind in ("peg_mid", "midprice") and book["ask_qty"] and book["ask"] > book["bid"]
            above = book["bid_qty"] and kind != "market" and (has_mid or price > book["bid"])
            if self.restricted[s] and not above:
                return SHORT_SALE
        if self.terms["leverage"]:
            if kind == "market" or price == 0:
                price = book["ask"] if side == BUY else book["bid"]
            if self.too_dear(s, side, more, price):
                return BUYING_POWER
        return 0

    def worst(self, s, buys=0, sells=0):
        held = self.position[s]
        return max(abs(held + self.wanted(s, BUY) + buys), abs(held - self.wanted(s, SELL) - sells))

    def worth(self, s, price):
        shown = [side.price for side in (self.sides[s][BUY], self.sides[s][SELL]) if side.price is not None]
        return shown[0] if shown else self.mark[s] or price

    def too_dear(self, s, side, more, price):
        before = self.worst(s)
        after = self.worst(s, buys=more) if side == BUY else self.worst(s, sells=more)
        if after <= before:
            return False
        equity = self.cash - math.ceil(Fraction(self.paid * 10, 10**6))  # prices are tenths of a dollar
        gross = (after - before) * self.worth(s, price) * self.multipliers[s]
        for k in range(len(self.books)):
            worth = self.worth(k, price if k == s else 0) * self.multipliers[k]
            equity += self.position[k] * worth
            gross += self.worst(k) * worth
        return gross > equity * round(100 * self.terms["leverage"]) // 100

    def new(self, s, request):
        book, side = self.books[s], request["side"]
        problem = self.first_problem(s, request)
        if problem:
            self.refuse(s, request, EXPIRED if problem in (END_OF_DAY, GOOD_TILL_DATE) else REJECTED, problem)
            return
        both = book["bid_qty"] > 0 and book["ask_qty"] > 0
        order = {
            "id": request["order_id"], "side": side, "type": request["type"], "tif": request["tif"], "qty": request["qty"],
            "leaves": request["qty"], "cap": None if request["type"] == "market" else request["price"], "value": 0, "removed": 0,
            "fee": 0, "post_only": request["post_only"], "mid2": book["bid"] + book["ask"] if both else 0, "ahead": None,
            "ghost": None, "held": self.must_wait(s), "since": self.now,
            "expires": min(request["expire"], self.close_ns) if request["tif"] == "gtd" else self.close_ns,
        }  # fmt: skip
        order["price"] = order["cap"]
        self.orders[s].append(order)
        if order["held"]:
            self.say_order(s, order, HELD)
        else:
            self.start(s, order, ACK)
        self.sweep(s)

    def start(self, s, order, kind):
        """Rules 1 to 3, 13, 14, 26 and 27."""
        book = self.books[s]
        order["held"] = False
        order["price"] = order["cap"]
        if order["type"] in ("peg_mid", "midprice"):
            two_sided = book["bid_qty"] > 0 and book["ask_qty"] > 0 and book["bid"] < book["ask"]
            order["price"] = self.mid_price(order, book["bid"], book["ask"]) if two_sided else None
        self.join(s, order)
        self.say_order(s, order, kind)
        if works(order):
            self.take(s, order)
        if order["leaves"] and order["tif"] in ("ioc", "fok"):
            self.close(s, order, CANCELLED, NOT_MARKETABLE)

    def release(self, s):
        """Rules 30 and 31."""
        for order in self.orders[s]:
            if order["held"]:
                book = self.books[s]
                other, qty = (book["ask"], book["ask_qty"]) if order["side"] == BUY else (book["bid"], book["bid_qty"])
                if order["post_only"] and order["type"] == "limit" and qty and not better(order["side"], other, order["price"]):
                    self.close(s, order, CANCELLED, WOULD_CROSS)
                else:
                    order["since"] = self.now
                    self.start(s, order, ACK)
        self.sweep(s)

    def join(self, s, order):
        """Rules 1 to 3."""
        book, side = self.books[s], order["side"]
        touch, touch_qty = (book["bid"], book["bid_qty"]) if side == BUY else (book["ask"], book["ask_qty"])
        order["ghost"] = order["ahead"] = None
        order["spare"], order["joined"], order["seen"] = 0, self.now, self.now
        order["moves"] = self.sides[s][side].moves
        if order["type"] == "market":
            order["ahead"] = 0
        elif touch_qty and book["status"] == 0 and works(order):
            self.join_at(s, order, touch, touch_qty)

    def join_at(self, s, order, touch, touch_qty):
        """Rules 1 to 3 where a touch is shown."""
        side = order["side"]
        order["ghost"] = order["ahead"] = None
        if better(side, touch, order["price"]):
            return
        peers = [o for o in self.orders[s] if o is not order and works(o) and o["side"] == side and o["price"] == order["price"]]
        fronts = [o["ahead"] for o in peers]
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

    def modify(self, s, order, request):
        """Rule 20."""
        filled = order["qty"] - order["leaves"]
        keeps = request["price"] == (order["cap"] or 0) and request["qty"] <= order["qty"]
        problem = 0
        if request["qty"] <= filled:
            problem = BAD_QUANTITY
        elif not keeps:
            problem = self.change_problem(s, order, request)
        if problem:
            self.refuse(s, request, CANCEL_REJECTED, problem)
            return
        order["qty"], order["leaves"] = request["qty"], request["qty"] - filled
        if not keeps and order["type"] != "market":
            order["cap"] = request["price"]
        if order["held"]:
            order["price"] = order["cap"]
        if keeps or order["held"]:
            self.say_order(s, order, MODIFIED)
            return
        self.orders[s].remove(order)
        self.orders[s].append(order)
        self.start(s, order, MODIFIED)

    def change_problem(self, s, order, request):
        if 0 < self.terms["most_qty"] < request["qty"]:
            return TOO_LARGE
        if self.books[s]["status"] == 1 and not self.terms["holds_in_halt"]:
            return HALTED
        if order["type"] == "market" and not order["held"]:
            return 0
        problem = self.price_problem(order["type"], order["side"], request["price"], order["post_only"], self.books[s])
        if problem and not (order["held"] and problem != OFF_TICK):
            return problem
        return self.account_problem(s, order["side"], order["type"], request["price"], request["qty"] - order["qty"])

    def on_expiry(self, now):
        self.now = now
        evidence = self.evidence
        for s in range(len(self.orders)):
            self.evidence = 0
            for order in self.orders[s]:
                if order["expires"] <= now:
                    self.close(s, order, EXPIRED, GOOD_TILL_DATE if order["expires"] < self.close_ns else END_OF_DAY)
            self.sweep(s)
            self.evidence = evidence
            if now >= self.terms["open_ns"] and any(order["held"] for order in self.orders[s]):
                self.release(s)
