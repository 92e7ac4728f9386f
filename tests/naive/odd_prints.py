"""Prints that consume no displayed queue in the plain exchange, and the orders that follow the mid (rules 10, 27 to 29)."""

from tests.naive.display import better
from tests.naive.order_life import BUY, SELL, works

DEAF = {1: "past limit", 2: "unreported", 32: "late", 8192: "average"}


def is_deaf(flags, reasons):
    """Whether a print has one of the reasons; being an odd lot (8) explains why it is unreported (2), which then is none."""
    return any(flags & bit and not (bit == 2 and flags & 8) for bit in reasons)


class OddPrints:
    """The part of the plain exchange that knows auctions, hidden mids and prints whose side nobody knows."""

    def on_stray(self, s, trade):
        price, flags = trade["price"], trade["flags"]
        if trade["qty"] <= 0 or price <= 0 or not self.orders[s]:
            return
        off_tick = price % self.tick_at(price) != 0
        odd = off_tick or bool(flags & (4 | 16 | 16384))
        if flags & 128:
            if not odd and not is_deaf(flags, DEAF):
                self.auction(s, trade)
        elif is_deaf(flags, DEAF):
            return
        elif odd:
            if not flags & 4 or self.reads["guess"] == "anybody":
                self.at_mid(s, trade)
        elif self.reads["guess"] == "anybody" and not flags & 768:
            side = self.only_side(s, price)
            if side:
                self.run_through(s, side, price, self.reach(trade), 0, trade)
        self.sweep(s)

    def only_side(self, s, price):
        met = {
            o["side"] for o in self.orders[s] if o["type"] != "market" and works(o) and not better(o["side"], price, o["price"])
        }
        return met.pop() if len(met) == 1 else None

    def auction(self, s, trade):
        """Rule 29."""
        price, is_at = trade["price"], self.reads["guess"] == "anybody"

        def wants(o):
            if o["type"] == "peg_mid" or not works(o):
                return False
            return o["type"] == "market" or better(o["side"], o["price"], price) or (is_at and o["price"] == price)

        mine = {side: [o for o in self.orders[s] if o["side"] == side and wants(o)] for side in (BUY, SELL)}
        qty = self.reach(trade)
        if mine[BUY] and mine[SELL]:
            qty //= 2
        for side in (BUY, SELL):
            left = qty
            for o in sorted(mine[side], key=lambda o: (o["type"] != "market", -side * (o["price"] or 0))):
                amount = min(left, o["leaves"])
                if amount:
                    left -= amount
                    self.fill(s, o, price, amount, 29, 2, self.ahead(s, o), trade["seq"], trade["venue"])

    def at_mid(self, s, trade):
        """Rule 28."""
        price, flags = trade["price"], trade["flags"] & 768
        side = {256: SELL, 512: BUY}.get(flags)
        bid, ask = self.sides[s][BUY].price, self.sides[s][SELL].price
        if bid is None or ask is None:
            return
        if not flags and self.reads["guess"] != "nobody":
            if 2 * price != bid + ask:
                side = BUY if 2 * price < bid + ask else SELL
            elif self.reads["guess"] == "anybody":
                side = self.only_side(s, price)
        if side:
            self.hidden(s, side, trade, self.reach(trade), is_at=True)

    def hidden(self, s, side, trade, qty, *, is_at):
        """Let an inside print fill hidden mid orders beyond its price, and at it where that is asked; return the rest."""
        price = trade["price"]
        bid, ask = self.sides[s][BUY].price, self.sides[s][SELL].price
        if bid is None or ask is None or not bid < price < ask:
            return qty
        mine = [o for o in self.orders[s] if o["type"] == "peg_mid" and o["side"] == side and works(o)]
        mine = [o for o in mine if better(side, o["price"], price) or (is_at and o["price"] == price)]
        for o in sorted(mine, key=lambda o: -side * o["price"]):
            if o["ahead"] is None or not qty:
                break
            step = min(o["ahead"], qty)
            o["ahead"] -= step
            qty -= step
            amount = min(qty, o["leaves"])
            if not amount:
                break
            qty -= amount
            self.fill(s, o, o["price"], amount, 28, 1, self.ahead(s, o), trade["seq"], trade["venue"])
        return qty

    def on_bar(self, s, bar):
        """Rule 34."""
        if self.evidence != 3 or self.books[s]["status"] != 0 or bar["what"] != 0:
            return
        self.now = bar["ts"]
        percent, is_at = self.reads["bar"]
        left = bar["volume"] * percent // 100
        for o in self.orders[s]:
            far, worst = (bar["low"], bar["high"]) if o["side"] == BUY else (bar["high"], bar["low"])
            amount = min(left, o["leaves"])
            if amount <= 0 or not works(o) or o["since"] > bar["start"]:
                continue
            is_market = o["type"] == "market"
            if is_market or better(o["side"], o["price"], far) or (is_at and o["price"] == far):
                left -= amount
                price = worst if is_market or better(o["side"], o["price"], worst) else o["price"]
                self.fill(s, o, price, amount, 34, 2 if is_market else 1, -1, bar["seq"])
        self.sweep(s)

    def mid_price(self, order, bid, ask):
        """The mid for an order, rounded against it, at most its cap."""
        unit = self.tick if order["type"] == "midprice" else 1
        if order["side"] == BUY:
            price = (bid + ask) // (2 * unit) * unit
            return min(price, order["cap"]) if order["cap"] else price
        price = -(-(bid + ask) // (2 * unit)) * unit
        return max(price, order["cap"]) if order["cap"] else price

    def follow_mid(self, s):
        """Rule 27."""
        bid, ask = self.sides[s][BUY], self.sides[s][SELL]
        if bid.price is None or ask.price is None or bid.price >= ask.price:
            return
        for order in list(self.orders[s]):
            if order["type"] not in ("peg_mid", "midprice") or order["held"]:
                continue
            price = self.mid_price(order, bid.price, ask.price)
            if price != order["price"]:
                order["price"] = price
                self.orders[s].remove(order)
                self.orders[s].append(order)
                own = bid if order["side"] == BUY else ask
                self.join_at(s, order, own.price, own.qty)
