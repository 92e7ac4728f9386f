"""The exchange in the plainest Python: lists, dicts and ints, written from the numbered rules of `fills.exchange`."""

import math

from tests.naive.display import Side, better
from tests.naive.fitted_queue import MILLION, back_again, fall
from tests.naive.odd_prints import OddPrints, is_deaf
from tests.naive.order_life import BUY, SELL, OrderLife, works

PARTIAL, FILL = 17, 18
NEVER = 2**63 - 1
NO_TIME = -(2**63)
CONSUME_NOTHING = {
    1: "past limit",
    2: "unreported",
    4: "off exchange",
    16: "off tick",
    32: "late",
    128: "auction",
    8192: "average",
    16384: "hidden",
}
NAMES = (
    "ts_ns", "order_id", "price", "qty", "leaves_qty", "ahead_qty_before", "ahead_qty_after", "source_seq", "fee_micros",
    "mid2_at_arrival", "symbol", "kind", "liquidity", "venue", "rule", "evidence", "reason", "side",
)  # fmt: skip


# What each band decides where the recording is silent (rule 24).
READINGS = {
    "pessimistic": {
        "no_venue": (58, 0), "inside_lots": 1, "through": (), "gap": 1, "guess": "nobody", "depth": (0, 0), "bar": (5, False),
    },
    "expected": {
        "no_venue": (67, 50), "inside_lots": 0, "through": (1, 2, 3, 4), "gap": 0, "guess": "nearer", "depth": (2, 50),
        "bar": (10, False),
    },
    "optimistic": {
        "no_venue": (100, 50), "inside_lots": 0, "through": (1, 2, 3, 4, 5), "gap": 0, "guess": "anybody", "depth": (4, 100),
        "bar": (20, True),
    },
}  # fmt: skip


class Exchange(OddPrints, OrderLife):
    """A venue of the plainest kind; `answers` is a list of dicts."""

    def __init__(
        self,
        n_symbols,
        slots,
        *,
        model="behind_first",
        power=3.0,
        close_ns=NEVER,
        fee=None,
        windows=None,
        tick=1,
        evidence=2,
        band="expected",
        lot=1,
        terms=None,
        fits=None,
        multipliers=None,
    ):
        self.fits = fits
        self.books = [
            {"bid": 0, "bid_qty": 0, "ask": 0, "ask_qty": 0, "status": 0, "last_price": 0, "last_qty": 0}
            for _ in range(n_symbols)
        ]
        self.sides = [{BUY: Side(), SELL: Side()} for _ in range(n_symbols)]
        self.orders = [[] for _ in range(n_symbols)]
        self.slots, self.model, self.power, self.close_ns, self.tick = slots, model, power, close_ns, tick
        self.fee = fee or (lambda order: 0)
        self.windows = windows or {}
        self.evidence, self.lot = evidence, lot
        self.reads = READINGS[band]
        self.terms = {"open_ns": -NEVER, "holds_in_halt": False, "most_qty": 0, "equity": None, "is_shortable": True} | {
            "leverage": 0.0, "ticks": (0, 0, 0, 0),
        } | (terms or {})  # fmt: skip
        self.cash, self.paid = self.terms["equity"] or 0, 0
        self.multipliers = multipliers or [1] * n_symbols
        self.position = [0] * n_symbols
        self.mark = [0] * n_symbols
        self.restricted = [False] * n_symbols
        self.touches = [[] for _ in range(n_symbols)]
        self.answers = []
        self.now = 0

    # ---- answers

    def say(self, s, kind, reason=0, **values):
        row = dict.fromkeys(NAMES, 0)
        row.update(ts_ns=self.now, symbol=s, kind=kind, reason=reason, source_seq=-1, venue=-1, evidence=self.evidence)
        row.update(values)
        self.answers.append(row)

    def ahead(self, s, order):
        """Market quantity and own leaves ahead; -1 before first sight."""
        if order["ahead"] is None:
            return -1
        own = 0
        for other in self.orders[s]:
            if other is order:
                break
            if works(other) and other["side"] == order["side"] and other["price"] == order["price"]:
                own += other["leaves"]
        return order["ahead"] + own

    def say_order(self, s, order, kind, reason=0, **values):
        ahead = self.ahead(s, order)
        facts = {
            "order_id": order["id"], "price": order["price"] or 0, "qty": order["qty"], "leaves_qty": order["leaves"],
            "ahead_qty_before": ahead, "ahead_qty_after": ahead, "mid2_at_arrival": order["mid2"], "side": order["side"],
        }  # fmt: skip
        facts.update(values)
        self.say(s, kind, reason, **facts)

    def refuse(self, s, request, kind, reason):
        self.say(
            s, kind, reason, order_id=request["order_id"], price=request["price"], qty=request["qty"], side=request["side"],
            ahead_qty_before=-1, ahead_qty_after=-1,
        )  # fmt: skip

    def fill(self, s, order, price, qty, rule, liquidity, before, seq, venue=-1):
        order["leaves"] -= qty
        order["value"] += qty * price
        self.position[s] += order["side"] * qty
        self.mark[s] = price
        self.cash -= order["side"] * qty * price * self.multipliers[s]
        order["removed"] += qty if liquidity == 2 else 0
        owed = self.fee(order)
        kind = PARTIAL if order["leaves"] else FILL
        self.say_order(
            s, order, kind, price=price, qty=qty, ahead_qty_before=before, source_seq=seq, rule=rule, liquidity=liquidity,
            fee_micros=owed - order["fee"], venue=venue,
        )  # fmt: skip
        self.paid += owed - order["fee"]
        order["fee"] = owed

    def sweep(self, s):
        self.orders[s] = [order for order in self.orders[s] if order["leaves"] > 0]

    # ---- the queue model (rule 6)

    def shrink(self, front, drop, new):
        if front is None:
            return new
        if self.model == "trades_only":
            return front
        if drop == 0 or self.model == "behind_first":
            return min(front, new)
        if self.model == "all_ahead":
            est = front - drop
        elif self.model == "pro_rata":
            est = -((-front * new) // (new + drop))
        else:
            back = max(new + drop - front, 0)
            est = math.ceil(front - (1 - self.chance(front, back)) * drop + min(back - self.chance(front, back) * drop, 0))
        return max(min(est, front, new), 0)

    def chance(self, front, back):
        """The chance that a cancelled share stood behind, to the last bit by the project's own exp and log."""
        from replay.numeric import exp, log

        if back <= 0:
            return 0.0
        if front <= 0:
            return 1.0
        if self.model == "log":
            return log(1.0 + back) / (log(1.0 + back) + log(1.0 + front))
        return 1.0 / (1.0 + exp(self.power * (log(float(front)) - log(float(back)))))

    # ---- the fitted queue model: `spare` is by how many millionths of a share what is ahead is rounded up

    def case_of(self, s, side, quote):
        """What the fitted model asks besides the queue."""
        both = quote["bid_qty"] > 0 and quote["ask_qty"] > 0
        return {
            "spread": (quote["ask"] - quote["bid"]) // self.tick if both else 1,
            "other": quote["ask_qty"] if side == BUY else quote["bid_qty"],
            "quiet_s": (self.now - self.sides[s][side].heard) / 1e9,
            "fit": self.fits[s] if self.model == "fitted" else None,
            "is_of_match": quote.get("exch", NO_TIME) == self.sides[s][side].heard_exch,
        }

    def fallen(self, order, drop, new, case):
        if self.model != "fitted" or order["ahead"] is None:
            return self.shrink(order["ahead"], drop, new)
        order["seen"] = self.now
        micro = max(order["ahead"] * MILLION - order["spare"], 0)
        left = fall(case["fit"], micro, drop, new, case | {"age_s": (self.now - order["joined"]) / 1e9})
        if case["is_of_match"]:  # rule 6: taken out by the match, so first in line
            left = min(max(micro - drop * MILLION, 0), new * MILLION)
            drop = min(drop, order["ahead"])
        return self.to_whole(order, left, drop or 1, new)

    def returned(self, s, order, new):
        moves = self.sides[s][order["side"]].moves
        hidden_s, n_moves = (self.now - order["seen"]) / 1e9, moves - order["moves"]
        order["seen"], order["moves"] = self.now, moves
        if self.model not in ("fitted", "all_ahead") or order["ahead"] is None or self.fits is None:
            return self.shrink(order["ahead"], 0, new)
        micro = max(order["ahead"] * MILLION - order["spare"], 0)
        left = back_again(self.fits[s], micro, hidden_s, n_moves, new)
        return left // MILLION if self.model == "all_ahead" else self.to_whole(order, left, self.lot, new)

    def to_whole(self, order, micro, lump, shown):
        """What is ahead of an order falls lump by lump towards an estimate; the rest is kept."""
        while order["ahead"] * MILLION - micro >= lump * MILLION:
            order["ahead"] -= lump
        order["ahead"] = min(order["ahead"], shown)
        order["spare"] = max(order["ahead"] * MILLION - micro, 0)
        return order["ahead"]

    def settle(self, order, ahead, floor):
        """Set what is ahead, at least `floor`; a number that did not come from the fitted model has no fraction."""
        if order["ahead"] != max(ahead, floor):
            order["spare"] = 0
        order["ahead"] = max(ahead, floor)
        return order["ahead"]

    # ---- the market

    def on_event(self, event):
        s = event["symbol"]
        if event["kind"] == "status":
            self.on_status(range(len(self.books)) if s < 0 else [s], event)
            return
        book = self.books[s]
        if event["kind"] == "bar":
            self.on_bar(s, event)
            return
        if event["kind"] == "trade" and book["status"] != 0 and event["flags"] & 128:
            self.now = event["ts"]
            self.on_stray(s, event)
        if book["status"] == 0:
            self.now = event["ts"]
            if event["kind"] == "quote":
                self.on_quote(s, event)
            else:
                self.on_trade(s, event)
        if event["kind"] == "quote":
            book.update({name: event[name] for name in ("bid", "bid_qty", "ask", "ask_qty")})
        else:
            book.update(last_price=event["price"], last_qty=event["qty"])

    def on_status(self, symbols, event):
        """Rules 18, 30, 31 and 33."""
        if event["code"] in (8, 9):
            for k in symbols:
                self.restricted[k] = event["code"] == 8
            return
        for k in symbols:
            for side in self.sides[k].values():
                side.price, side.qty, side.drop, side.printed, side.gone, side.gone_drop = None, 0, 0, 0, None, 0
                side.seq = -1
        for k in symbols if event["code"] == 2 and event["ts"] >= self.terms["open_ns"] else ():
            self.now = event["ts"]
            self.release(k)
        for k in symbols:
            self.books[k]["status"] = 0 if event["code"] in (2, 5, 7) else event["code"]

    def waits(self):
        """How long a fall waits for its print, and a print for its quote."""
        return self.windows[self.evidence]

    def on_quote(self, s, quote):
        shown = {BUY: (quote["bid"], quote["bid_qty"]), SELL: (quote["ask"], quote["ask_qty"])}
        before = [self.sides[s][side].price for side in (BUY, SELL)]
        for side, (price, qty) in shown.items():
            self.on_display(s, side, price if qty else None, qty, quote)
        for side, (price, qty) in shown.items():
            self.sides[s][side].left(side, price, qty)
        for side in (BUY, SELL):
            self.cross(s, side, *shown[-side], quote["seq"])
        self.sweep(s)
        self.follow_mid(s)
        exch = quote.get("exch", NO_TIME)
        if before != [self.sides[s][side].price for side in (BUY, SELL)] and exch != NO_TIME and exch % 10**9:
            touch = [price if qty else 0 for price, qty in (shown[BUY], shown[SELL])]
            self.touches[s] = [*self.touches[s], (exch, *touch)][-8:]

    def on_display(self, s, side, price, qty, quote):
        display = self.sides[s][side]
        display.seq = quote["seq"]
        mine = [order for order in self.orders[s] if order["side"] == side and order["type"] != "market" and works(order)]
        if price == display.price:
            self.resize(display, mine, qty, self.case_of(s, side, quote))
            return
        display.forget_old(self.now)
        display.moves += 1
        old, had_drop = display.price, display.drop > 0
        if old is not None:
            unexplained = display.drop
            if price is not None and better(side, old, price):
                unexplained += max(display.qty - display.printed, 0)
            display.gone, display.gone_drop = (old, self.now + self.waits()[0]), unexplained
        if display.gone and display.gone[0] == price:
            display.gone = None
        display.price, display.qty, display.drop, display.printed = price, qty, 0, 0
        if price is None:
            return
        most = 0
        for order in mine:
            if order["price"] == price:
                most = self.settle(order, self.returned(s, order, qty), most)
            elif better(side, order["price"], price):
                if order["price"] == old and display.gone and not had_drop:
                    order["ghost"] = order["ahead"]
                if self.model != "trades_only" or order["ahead"] is None:
                    self.settle(order, 0, 0)

    def resize(self, display, mine, qty, case):
        """Rules 6 and 9."""
        if qty == display.qty:
            return
        display.forget_old(self.now)
        fall = display.qty - qty
        display.qty = qty
        if fall <= 0:
            return
        drop = max(fall - display.printed, 0)
        display.printed = max(display.printed - fall, 0)
        most = 0
        for order in mine:
            if order["price"] == display.price:
                if drop and not display.drop:
                    order["ghost"] = order["ahead"]
                most = self.settle(order, self.fallen(order, drop, qty, case), most)
        if drop and not display.drop:
            display.drop_end = self.now + self.waits()[0]
        display.drop += drop

    def cross(self, s, side, price, qty, seq):
        """Rules 12 and 14."""
        if not qty:
            return
        display = self.sides[s][-side]
        nearest = price + side * self.reads["gap"]
        reached = [
            o
            for o in self.orders[s]
            if works(o) and o["side"] == side and (o["type"] == "market" or not better(side, nearest, o["price"]))
        ]
        reached.sort(key=lambda o: (o["type"] != "market", -side * (o["price"] or 0)))
        for order in reached:
            amount = min(display.left(-side, price, qty), order["leaves"])
            if amount > 0:
                display.take(-side, price, amount)
                is_market = order["type"] == "market"
                self.fill(
                    s,
                    order,
                    price if is_market else order["price"],
                    amount,
                    14 if is_market else 12,
                    2 if is_market else 1,
                    self.ahead(s, order),
                    seq,
                )

    def on_trade(self, s, trade):
        book, price, qty, flags = self.books[s], trade["price"], trade["qty"], trade["flags"]
        if is_deaf(flags, CONSUME_NOTHING) or qty <= 0 or price <= 0 or price % self.tick_at(price):
            self.on_stray(s, trade)
            return
        side, is_guess = self.passive(s, book, trade)
        if side is None:
            self.on_stray(s, trade)
            return
        display = self.sides[s][side]
        display.heard = self.now
        exch = trade.get("exch", NO_TIME)
        display.heard_exch = exch if exch != NO_TIME and exch % 10**6 else None  # a coarser time names no single event
        explained = 0
        if display.price == price:
            display.forget_old(self.now)
            explained = min(qty, display.drop)
            display.drop -= explained
            if not display.printed:
                display.printed_end = self.now + self.waits()[1]
            display.printed += qty - explained
        elif display.gone and display.gone[0] == price:
            if self.now <= display.gone[1]:
                explained = min(qty, display.gone_drop)
            display.gone_drop -= explained
        if display.seq == -1 or (self.reads["guess"] == "nobody" and is_guess):
            return
        budget = self.hidden(s, side, trade, self.shared(s, trade, self.reach(trade)), is_at=False)
        self.run_through(s, side, price, budget, explained, trade)
        self.sweep(s)

    def reach(self, trade):
        """How much of a print reaches us."""
        share, extra = self.reads["no_venue"]
        return (trade["qty"] * share + extra) // 100 if trade["flags"] & 4096 else trade["qty"]

    def part(self, qty, share):
        return math.floor(qty * share + self.reads["no_venue"][1] / 100)

    def shared(self, s, trade, qty):
        """What a fitted model has learned of prints (`fills.shares`)."""
        if self.fits is None or qty <= 0 or self.reads["guess"] == "anybody":
            return qty
        if trade["flags"] & 4096 and self.fits[s]["venue_share"]:
            learned = self.part(trade["qty"], self.fits[s]["venue_share"])
            qty = min(learned, qty) if self.reads["guess"] == "nobody" else learned
        return qty if self.evidence == 5 else self.part(qty, 1.0 - self.fits[s]["hidden_share"])

    def touch_at(self, s, trade):
        """The touch in force when a print happened: at the exchange where its time is known, else as received."""
        exch = trade.get("exch", NO_TIME)
        if exch != NO_TIME and exch % 10**9:
            for at, bid, ask in reversed(self.touches[s]):
                if at < exch:
                    return bid, ask
        book = self.books[s]
        return book["bid"] if book["bid_qty"] > 0 else 0, book["ask"] if book["ask_qty"] > 0 else 0

    def passive(self, s, book, trade):
        """Whose resting orders a print consumed, and whether that is a guess inside the quote (rule 10)."""
        price, flags = trade["price"], trade["flags"]
        if flags & 256 or flags & 512:
            return {256: SELL, 512: BUY}.get(flags & 768), False
        waiting = [side for side in (BUY, SELL) if self.sides[s][side].awaits(price, self.now)]
        if len(waiting) == 1:
            return waiting[0], False
        bid, ask = self.touch_at(s, trade)
        low, high = 0 < bid and price <= bid, 0 < ask <= price
        if low != high:
            return (BUY if low else SELL), False
        if bid and ask and not low and 2 * price != bid + ask:
            return (BUY if 2 * price < bid + ask else SELL), True
        if book["last_qty"] <= 0 or price == book["last_price"]:
            return None, False
        return (BUY if price < book["last_price"] else SELL), not low

    def run_through(self, s, side, price, budget, explained, trade):
        """Rules 7 and 8."""
        mine = [o for o in self.orders[s] if o["side"] == side and o["type"] != "market" and works(o)]
        passed = [o for o in mine if o["type"] != "peg_mid" and better(side, o["price"], price)]
        trading = budget if self.evidence in self.reads["through"] else 0
        if self.fits is not None and self.reads["guess"] != "anybody":
            trading = self.part(trading, 1.0 - self.fits[s]["passed_share"])
        for order in sorted(passed, key=lambda o: -side * o["price"]):
            amount = min(trading, order["leaves"])
            trading -= amount
            budget -= amount
            if amount:
                self.fill(s, order, order["price"], amount, 8, 1, self.ahead(s, order), trade["seq"], trade["venue"])
        budget = max(budget - sum(o["leaves"] for o in passed), 0)
        line = [o for o in mine if o["price"] == price]
        explained = min(explained, budget)
        self.walk(s, line, explained, "ghost", trade)
        self.walk(s, line, budget - explained, "ahead", trade)

    def walk(self, s, line, qty, front, trade):
        """Rules 7 and 9: the line as a row of shares; prints take it from the front."""
        gone = 0
        if qty <= 0:
            return
        for order in line:
            if order[front] is None or not order["leaves"]:
                continue
            before = self.ahead(s, order)
            step = min(max(order[front] - gone, 0), qty)
            gone += step
            qty -= step
            order[front] = max(order[front] - gone, 0)
            if front == "ghost":
                self.settle(order, min(order["ahead"], order["ghost"]), 0)
            elif order["ahead"] == 0:
                order["spare"] = 0
            amount = min(qty, order["leaves"])
            if amount:
                qty -= amount
                self.fill(s, order, order["price"], amount, 7, 1, before, trade["seq"], trade["venue"])
