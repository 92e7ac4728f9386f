"""The execution planner for one symbol, from its numbered rules, in plain Python."""

from math import ceil, floor

WORK_S = {5: 15, 10: 20, 15: 30, 30: 45, 60: 60}
EXIT_S, RETRY_S, STEP_BELOW, SLIPPAGE = 10, 1, 0.4, 10 / 10_000
TICK = 100


class Planner:
    def __init__(self, budget, start="mid"):
        self.budget, self.start = budget, start
        self.position = 0
        self.plan = self.waiting = self.touch = None
        self.next_id = 1
        self.out = []

    def target(self, now, qty, horizon, is_exit):
        wish = {"target": qty, "exit": is_exit, "work": EXIT_S if is_exit else WORK_S[horizon]}
        if self.plan is None:
            self.begin(now, wish)
        elif self.plan["closing"] or (self.plan["target"], self.plan["exit"]) != (qty, is_exit):
            self.waiting = wish
            if not self.plan["closing"]:
                self.cancel(now)

    def begin(self, now, wish):
        delta = wish["target"] - self.position
        if delta == 0 or self.touch is None or not self.budget.take(1, now):
            return
        side = 1 if delta > 0 else -1
        bid, ask = self.touch
        pegged = self.start == "midprice" and not wish["exit"]
        price = self.opposite(side) if wish["exit"] else self.mid(side, bid, ask)
        if pegged:
            price = (floor if side > 0 else ceil)((bid + ask + side * floor((bid + ask) * SLIPPAGE)) / (2 * TICK)) * TICK
        cap = price + side * floor(floor(price * SLIPPAGE) / TICK) * TICK
        ends = {"half": now + wish["work"] * 10**9 // 2, "end": now + wish["work"] * 10**9, "retry": None}
        flags = dict.fromkeys(("stepped", "closing", "acked", "cancelling"), False) | {"pegged": pegged}
        order = {"id": self.next_id, "side": side, "qty": abs(delta), "filled": 0, "price": price, "cap": cap}
        self.plan = {**wish, **ends, **flags, **order}
        self.out.append(("NEW", self.next_id, side, abs(delta), price))
        self.next_id += 1

    @staticmethod
    def mid(side, bid, ask):
        half_ticks = (bid + ask) / 2 / TICK
        return (floor(half_ticks) if side > 0 else ceil(half_ticks)) * TICK

    def opposite(self, side):
        return ceil(self.touch[1] / TICK) * TICK if side > 0 else floor(self.touch[0] / TICK) * TICK

    def cancel(self, now):
        plan = self.plan
        plan["closing"], plan["retry"] = True, None
        if not plan["cancelling"]:
            plan["cancelling"] = True
            self.budget.cancel(now)
            self.out.append(("CANCEL", plan["id"]))

    def timer(self):
        plan = self.plan
        if plan is None:
            return None
        if plan["closing"]:
            return plan["retry"]
        return plan["end"] if plan["stepped"] else plan["half"]

    def advance(self, now):
        if self.timer() is None or self.timer() > now:
            return
        plan = self.plan
        if plan["closing"] or now >= plan["end"]:
            self.cancel(now)
        elif not plan["stepped"]:
            plan["stepped"] = True
            self.step(now)

    def step(self, now):
        plan, side = self.plan, self.plan["side"]
        if plan["pegged"] or plan["filled"] >= STEP_BELOW * plan["qty"] or not plan["acked"] or self.touch is None:
            return
        wanted = plan["cap"] if plan["exit"] else plan["price"] + side * TICK
        price = side * min(side * wanted, side * self.opposite(side))
        if side * price > side * plan["price"] and self.budget.take(1, now):
            self.out.append(("MODIFY", plan["id"], plan["qty"], price))

    def answer(self, now, kind, price, qty):
        plan = self.plan
        plan["acked"] = plan["acked"] or kind != "HELD"
        if kind in ("PARTIAL", "FILL"):
            plan["filled"] += qty
            self.position += plan["side"] * qty
        elif kind == "MODIFIED":
            plan["price"] = price
        elif kind == "CANCEL_REJECTED":
            plan["cancelling"] = False
            if plan["closing"]:
                plan["retry"] = now + RETRY_S * 10**9
        if kind in ("FILL", "CANCELLED", "REJECTED", "EXPIRED"):
            self.plan = None
            wish, self.waiting = self.waiting, None
            if wish:
                self.begin(now, wish)
