"""The enhanced planner from its numbered rules, in plain Python: one desk of symbols that share a budget."""

from math import ceil, floor

from tests.naive.queue_estimate import Place

TICK = 100
SCALE = 10_000
SECOND = 10**9
MINUTE = 60 * SECOND


class Micro:
    """Symbols, their budget and the numbers of orders and plans."""

    def __init__(self, n_symbols, settings, budget, lot=1):
        self.settings, self.budget, self.lot, self.out, self.next_id = settings, budget, lot, [], 1
        self.symbols = [Symbol(self, s) for s in range(n_symbols)]

    def advance(self, now):
        for symbol in self.symbols:
            if symbol.timer is not None and symbol.timer <= now and not (symbol.wish and symbol.plan is None):
                symbol.on_timer(now)
        while waiting := [one for one in self.symbols if one.wish and one.plan is None and one.timer <= now]:
            min(waiting, key=Symbol.turn).start_waiting(now)


class Symbol:
    def __init__(self, desk, number):
        self.desk, self.settings, self.budget, self.number = desk, desk.settings, desk.budget, number
        self.position, self.plan, self.wish, self.timer = 0, None, None, None
        self.quote = (0, 0, 0, 0)
        self.place = Place(desk.settings)

    # -- what the market says
    def on_quote(self, now, quote):
        self.quote = quote
        if self.plan:
            self.place.quote(now, quote)

    def on_trade(self, now, price, qty, aggressor):
        if self.plan:
            self.place.trade(now, price, qty, aggressor)

    def usable(self):
        bid, ask, bid_qty, ask_qty = self.quote
        return bid > 0 and bid_qty > 0 and ask_qty > 0 and ask >= bid

    def limit(self, side, share, cap):
        bid, ask = self.quote[:2]
        if share >= 1:
            price = ceil(ask / TICK) * TICK if side > 0 else floor(bid / TICK) * TICK
        else:
            way = floor(share * (ask - bid))
            price = floor((bid + way) / TICK) * TICK if side > 0 else ceil((ask - way) / TICK) * TICK
        return side * min(side * price, side * cap)

    # -- targets
    def target(self, now, qty, work, **wish):
        wish = {"target": qty, "work": work, "asked": now, **wish}
        plan = self.plan
        if plan and not plan["closing"]:
            same = (plan["target"], plan["exit"]) == (qty, wish["exit"]) and plan["urgent"] >= wish["urgent"]
            if same or self.net(now, wish):
                return
            self.close(now)
        if self.plan is None:
            self.ask(now, wish)
        else:
            self.wish = wish

    def blocked(self, wish):
        return wish["target"] == self.position or not self.usable()

    def ask(self, now, wish):
        self.wish, self.timer = None, None
        if self.blocked(wish):
            return
        if self.budget.left(now) < self.settings.coalesce_below:
            self.wish, self.timer = wish, now + 1
        else:
            self.begin(now, wish)

    def turn(self):
        """Return what the symbols that wait are sorted by."""
        return (0, self.wish["asked"], self.number) if self.wish["exit"] else (1, -self.edge_value(), self.number)

    def edge_value(self):
        mid2 = self.quote[0] + self.quote[1] if self.usable() else 0
        return self.wish["edge"] * abs(self.wish["target"] - self.position) * mid2

    def start_waiting(self, now):
        wish, self.wish, self.timer = self.wish, None, None
        is_wanted = wish["exit"] or now < wish["asked"] + max(wish["wait"], self.settings.wait_ns)
        if not self.blocked(wish) and not self.begin(now, wish) and is_wanted:
            self.wish, self.timer = wish, (now // self.settings.retry_ns + 1) * self.settings.retry_ns

    def begin(self, now, wish):
        if not self.budget.new(now, "exit" if wish["exit"] else "needed"):
            return False
        delta = wish["target"] - self.position
        side = 1 if delta > 0 else -1
        mid2 = self.quote[0] + self.quote[1]
        work = self.patient(side, wish)
        self.plan = {**wish, "work": work, "side": side, "parent": abs(delta), "filled": 0, "start": now, "end": now + work}
        self.plan |= {"mid2": mid2, "closing": False, "child": None, "slices": 0, "cap": self.cap(side, wish["exit"], mid2)}
        self.plan["urgent"] = wish["urgent"] or self.budget.left(now) == 0
        self.place.volume = 0
        self.timer = self.begins(1)
        self.send(now)
        return True

    def patient(self, side, wish):
        drift, settings, (bid, ask) = side * wish["drift"], self.settings, self.quote[:2]
        far = side * 10**12
        saved = side * (self.limit(side, 1, far) - self.limit(side, 0 if settings.start == "touch" else 0.5, far))
        if drift <= 0 or settings.patience == 0:
            return wish["work"]
        loss_ns = MINUTE * (settings.patience * (20_000 * saved / (bid + ask)) / drift)
        return min(wish["work"], max(floor(loss_ns), settings.work_least_ns))

    def cap(self, side, is_exit, mid2):
        if is_exit:
            price = self.limit(side, 1, side * 10**12)
            return price + side * floor(floor(price * self.settings.exit_slippage_bps / 10_000) / TICK) * TICK
        price2 = mid2 + side * floor(mid2 * self.settings.entry_slippage_bps / 10_000)
        return (floor if side > 0 else ceil)(price2 / (2 * TICK)) * TICK

    # -- stages
    def begins(self, stage):
        plan, work = self.plan, self.plan["work"]
        cross = min(self.settings.cross_ns, work // 4)
        return plan["start"] + (0, work // 3, 2 * work // 3, work - cross, work - cross // 2, work)[stage]

    def stage(self, now):
        return sum(1 for stage in range(1, 6) if self.begins(stage) <= now)

    def share(self, now):
        stage = self.stage(now)
        if self.plan["urgent"] or stage >= 3:
            return 1
        return self.settings.step_shares[stage - 1] if stage else {"mid": 0.5, "touch": 0, "midprice": 0.5}[self.settings.start]

    # -- slices
    def rate(self, now):
        return (self.plan["volume"] + self.place.volume) / (1 + (now - self.plan["start"]) / MINUTE)

    def expected(self, now, until):
        return 0 if self.place.ahead < 0 else max(0.5 * self.rate(now) * ((until - now) / MINUTE) - self.place.ahead, 0)

    def slice(self, now):
        plan, settings = self.plan, self.settings
        left, lot = plan["parent"] - plan["filled"], self.desk.lot
        least = ceil(2 * (10_000 * settings.fee_min_usd / settings.fee_share_bps) * SCALE / plan["mid2"])
        wanted = max(settings.first_share * plan["parent"], least)
        if plan["slices"]:
            wanted = max(wanted, self.expected(now, plan["end"]))
        if self.rate(now) > 0:
            wanted = min(wanted, settings.participation * self.rate(now) * ((plan["end"] - now) / MINUTE))
        least = max(ceil(least / lot), 1) * lot
        qty = max(floor(min(wanted, left)) // lot * lot, least)
        return left if left - qty < least else qty

    # -- orders
    def send(self, now):
        plan, share = self.plan, self.share(now)
        self.place.leave()
        qty = plan["parent"] - plan["filled"] if share == 1 else self.slice(now)
        pegged = self.settings.start == "midprice" and share < 1
        price = plan["cap"] if pegged else self.limit(plan["side"], share, plan["cap"])
        child = {"id": self.desk.next_id, "qty": qty, "most": qty, "filled": 0, "price": price, "state": "sent", "kept": 1}
        child |= {"pegged": pegged, "withdrawn": False}
        self.desk.next_id += 1
        plan["child"], plan["slices"] = child, plan["slices"] + 1
        self.desk.out.append(("NEW", self.number, child["id"], plan["side"], qty, price))
        if not pegged:
            self.place.join(plan["side"], price, qty, self.quote)

    def on_timer(self, now):
        if self.plan["closing"] or now >= self.plan["end"]:
            self.close(now)
        else:
            self.timer = self.begins(self.stage(now) + 1)
            self.act(now)
        if self.plan is None and self.wish:
            self.start_waiting(now)

    def act(self, now):
        plan = self.plan
        if not self.usable():
            return
        if plan["child"]:
            self.step(now)
        elif self.budget.new(now, "exit" if plan["exit"] else "needed"):
            self.send(now)

    def step(self, now):
        plan, child, share = self.plan, self.plan["child"], self.share(now)
        if child["state"] != "live" or (share < 1 and self.expected(now, self.begins(3)) >= child["qty"] - child["filled"]):
            return
        if child["pegged"]:
            if share == 1:
                child["withdrawn"] = True
                self.withdraw(now)
            return
        price = self.limit(plan["side"], share, plan["cap"])
        nearer = plan["side"] * (price - child["price"]) > 0
        qty = child["most"]
        if share == 1:
            qty = child["filled"] + plan["parent"] - plan["filled"]
        elif nearer:
            qty = max(qty, child["filled"] + self.slice(now))
        need = "exit" if plan["exit"] else "needed" if share == 1 else "step"
        if (nearer or qty > child["most"]) and self.budget.modify(now, need):
            self.change(qty, price if nearer else child["price"])

    def change(self, qty, price):
        child = self.plan["child"]
        child["state"], child["most"] = "changing", max(child["most"], qty)
        self.desk.out.append(("MODIFY", self.number, child["id"], qty, price))

    def net(self, now, wish):
        plan, child, delta = self.plan, self.plan["child"], wish["target"] - self.position
        if wish["exit"] > plan["exit"] or plan["side"] * delta <= 0:
            return False
        parent = plan["filled"] + abs(delta)
        if child and child["most"] > abs(delta) + child["filled"]:
            if child["state"] != "live" or not self.budget.modify(now, "exit" if plan["exit"] else "needed"):
                return False
            self.change(abs(delta) + child["filled"], child["price"])
        hurries = wish["urgent"] > plan["urgent"]
        plan |= {"target": wish["target"], "exit": wish["exit"], "urgent": wish["urgent"], "parent": parent}
        if hurries and self.usable():
            plan["cap"] = self.cap(plan["side"], plan["exit"], self.quote[0] + self.quote[1])
            self.act(now)
        return True

    def close(self, now):
        plan, child = self.plan, self.plan["child"]
        plan["closing"], self.timer = True, None
        if child is None:
            self.end()
        else:
            self.withdraw(now)

    def withdraw(self, now):
        child = self.plan["child"]
        if child["state"] != "cancelling":
            if self.budget.cancel(now, child["kept"]):
                child["kept"], child["state"] = 0, "cancelling"
                self.desk.out.append(("CANCEL", self.number, child["id"]))
            else:
                self.timer = now + self.settings.retry_ns

    def end(self):
        self.plan, self.timer = None, None
        self.place.leave()

    # -- answers
    def answer(self, now, kind, order_id, price, qty):
        """Take in an answer; `qty` is what was filled, or of a change the whole quantity in force."""
        plan = self.plan
        child = plan["child"] if plan else None
        if child and child["id"] == order_id:
            self.take(now, kind, plan, child, price, qty)
            if self.plan is None and self.wish:
                self.start_waiting(now)

    def take(self, now, kind, plan, child, price, qty):
        if kind in ("PARTIAL", "FILL"):
            self.budget.executed += child["filled"] == 0
            for part in (plan, child):
                part["filled"] += qty
            self.position += plan["side"] * qty
        if kind in ("FILL", "CANCELLED", "REJECTED", "EXPIRED"):
            self.budget.kept -= child["kept"]
            plan["child"] = None
            on = kind == "FILL" or (kind == "CANCELLED" and child["withdrawn"])
            if on and not plan["closing"] and plan["filled"] < plan["parent"]:
                if now < plan["end"]:
                    self.act(now)
            else:
                self.end()
        elif kind == "PARTIAL":
            if not child["pegged"]:
                self.place.filled(child["qty"] - child["filled"])
            child["state"] = "live" if child["state"] == "sent" else child["state"]
        elif kind == "ACK":
            child["state"] = "live" if child["state"] == "sent" else child["state"]
            if not child["pegged"]:
                self.place.join(plan["side"], child["price"], child["qty"] - child["filled"], self.quote)
        elif kind == "MODIFIED" and child["pegged"]:
            child |= {"qty": qty, "most": qty, "state": "live" if child["state"] == "changing" else child["state"]}
        elif kind == "MODIFIED":
            stays = price == child["price"] and qty < child["most"]
            child |= {"price": price, "qty": qty, "most": qty}
            child["state"] = "live" if child["state"] == "changing" else child["state"]
            if stays:
                self.place.resize(qty - child["filled"])
            else:
                self.place.join(plan["side"], price, qty - child["filled"], self.quote)
        elif kind == "CANCEL_REJECTED":
            child["state"], child["withdrawn"] = "live", False
            if plan["closing"]:
                self.timer = now + self.settings.retry_ns
            else:
                child["most"] = child["qty"]
                if child["most"] > child["filled"] + plan["parent"] - plan["filled"]:
                    self.close(now)
