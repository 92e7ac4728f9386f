"""A small world for the enhanced planner: scripts, an exchange that answers only what can be, planner and twin side by side."""

from math import ceil

import numpy as np
from hypothesis import strategies as st

from replay.events import Flag
from strategy.budget import BudgetSettings
from strategy.planner import ExecutionPlanner, PlannerSettings
from tests.naive.micro_planner import Micro
from tests.naive.token_budget import Tokens

S = 1_000_000_000
NAMES = ["A", "B"]
NEVER = 2**63 - 1
AGGRESSORS = {0: 0, 1: int(Flag.BUY), -1: int(Flag.SELL)}

BOOKS = [("quote", 0, 10_000, 3, 300, 300), ("quote", 1, 5_000, 1, 300, 300)]
EDGES = (0.0, 1.0, 2.5, 5.0)
VOLUMES = (0.0, 20.0, 3_000.0)
DRIFTS = (0.0, 0.5, 3.0, 40.0, -3.0)  # bps per minute


class Writer:
    """Write a script that is likely to lead somewhere: phrases of steps about one symbol, most of them in a sensible order."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def pick(self, *values):
        return values[int(self.rng.integers(len(values)))]

    def script(self, n_phrases=24):
        steps = [*BOOKS, *self.begin(0), *self.begin(1)]
        for _ in range(n_phrases):
            s = self.pick(0, 0, 0, 1)
            steps += self.pick(self.begin, self.begin, self.go_on, self.go_on, self.go_on, self.market, self.fill, self.oddity)(s)
        return steps

    def begin(self, s):
        return [self.quote(s), self.target(s), ("wait", 1), self.reply(s)]

    def go_on(self, s):
        gap_ns = self.pick(S, 2 * S, 3 * S, 5 * S, 5 * S, int(self.rng.integers(12 * S)))
        return [("wait", gap_ns), self.reply(s), self.reply(1 - s)]

    def market(self, s):
        return [self.trade(s), self.quote(s), ("wait", self.pick(0, 1, S // 2)), self.trade(s)]

    def fill(self, s):
        return [("answer", s, "fill", self.pick(5, 10, 35, 60, 100)), self.reply(s)]

    def oddity(self, s):
        odd_quote = ("quote", s, 10_000, self.pick(-1, 0, 40), 100, self.pick(0, 100))
        return [self.pick(odd_quote, self.target(s), ("answer", s, "expire", 0), ("answer", s, "refuse", 0))]

    def quote(self, s):
        sizes = [self.pick(100, 100, 300, 301, 2_000) for _ in range(2)]
        return ("quote", s, int(self.rng.integers(9_996, 10_005)), self.pick(1, 2, 3, 6, 9), *sizes)

    def trade(self, s):
        return ("trade", s, self.pick(-1, 0, 1, 2, 3), self.pick(1, 50, 100, 250, 4_000), self.pick(0, 1, -1))

    def target(self, s):
        kind, qty = self.pick("entry", "entry", "entry", "exit", "stop"), self.pick(100, 300, 300, 200, -300, 137, 40, 0)
        return ("target", s, qty, self.pick(5, 10, 60), kind, self.pick(*EDGES), self.pick(*VOLUMES), self.pick(*DRIFTS))

    def reply(self, s):
        return ("answer", s, self.pick("next", "next", "next", "next", "refuse"), 0)


scripts = st.integers(0, 2**31).map(lambda seed: Writer(seed).script())
settings = st.fixed_dictionaries(
    {
        "start": st.sampled_from(["mid", "touch", "midprice"]),
        "fee_min_usd": st.sampled_from([0.0, 0.0, 0.0, 1.0]),
        "fee_share_bps": st.sampled_from([1.0, 50.0]),
        "cancel_share": st.sampled_from([1.0, 0.0, 0.5]),
        "own_displayed": st.booleans(),
        "entry_slippage_bps": st.sampled_from([1.0, 10.0, 10.0]),
        "coalesce_below": st.sampled_from([0, 4, 20]),
        "participation": st.sampled_from([0.1, 1.0, 1.0]),
        "patience": st.sampled_from([0.0, 0.25, 0.25, 2.0]),
        "work_least_ns": st.sampled_from([S // 2, 2 * S]),
    }
)
budgets = st.fixed_dictionaries(
    {
        "messages_per_min": st.sampled_from([4, 9, 60, 60, 60, 500]),
        "messages_per_s": st.sampled_from([3, 40, 40]),
        "burst_share": st.sampled_from([0.3, 0.5, 1.0]),
        "efficiency_max": st.sampled_from([4.0, 20.0]),
        "efficiency_from": st.sampled_from([3, 100, 100]),
    }
)


class Exchange:
    """Remember what is on its way and what is alive, and give the answers that are possible: (kind, id, price, qty, leaves)."""

    def __init__(self):
        self.orders = []

    def send(self, ask):
        if ask[0] == "NEW":
            _, s, number, side, qty, price = ask
            order = {"id": number, "s": s, "side": side, "qty": qty, "price": price, "filled": 0, "life": "new"}
            self.orders.append({**order, "queue": [ask]})
        else:
            next(order for order in self.orders if order["id"] == ask[2])["queue"].append(ask)

    def answer(self, s, act, percent):
        order = next((one for one in self.orders if one["s"] == s and (one["queue"] or one["life"] == "live")), None)
        if order is None:
            return None
        if act in ("fill", "expire"):
            return self.trade(order, act, percent) if order["life"] == "live" else None
        if not order["queue"]:
            return None
        ask = order["queue"].pop(0)
        is_dead = order["life"] == "gone" or (ask[0] == "MODIFY" and ask[3] <= order["filled"])
        if ask[0] == "NEW":
            order["life"] = "gone" if act == "refuse" else "live"
            return ("REJECTED" if act == "refuse" else "ACK"), order["id"], 0, 0, 0
        if act == "refuse" or is_dead:
            return "CANCEL_REJECTED", order["id"], 0, 0, 0
        if ask[0] == "CANCEL":
            order["life"] = "gone"
            return "CANCELLED", order["id"], 0, 0, 0
        order["qty"], order["price"] = ask[3:]
        return "MODIFIED", order["id"], order["price"], order["qty"], order["qty"] - order["filled"]

    def trade(self, order, act, percent):
        if act == "expire":
            order["life"] = "gone"
            return "EXPIRED", order["id"], 0, 0, 0
        left = order["qty"] - order["filled"]
        qty = ceil(left * percent / 100)
        order["filled"] += qty
        order["life"] = "gone" if qty == left else "live"
        return ("FILL" if qty == left else "PARTIAL"), order["id"], order["price"], qty, left - qty


class Pair:
    """Planner and twin, driven alike by scripts."""

    def __init__(self, changes=None, limits=None, lot=1):
        planner = PlannerSettings(mode="enhanced", **(changes or {}))
        budget = BudgetSettings(mode="enhanced", **(limits or {}))
        self.planner = ExecutionPlanner(NAMES, planner, budget, lot=lot)
        self.twin = Micro(2, planner, Tokens(budget), lot)
        self.exchange = Exchange()
        self.now_ns = 0
        self.asked = []  # (time, request)

    def play(self, step):
        """Play one step on both; return what the planner asked for."""
        before = len(self.twin.out)
        got = [as_tuple(request) for request in getattr(self, step[0])(*step[1:])]
        assert self.twin.out[before:] == got
        assert self.facts() == self.twin_facts()
        for ask in got:
            self.exchange.send(ask)
            self.asked.append((self.now_ns, ask))
        return got

    def facts(self):
        return self.planner.next_timer_ns, *((self.planner.position(name), self.planner.ahead(name)) for name in NAMES)

    def twin_facts(self):
        timers = [one.timer for one in self.twin.symbols if one.timer is not None]
        return min(timers, default=NEVER), *((one.position, one.place.ahead) for one in self.twin.symbols)

    def quote(self, s, bid_ticks, width_ticks, bid_qty, ask_qty):
        bid, ask = bid_ticks * 100, (bid_ticks + width_ticks) * 100
        self.twin.symbols[s].on_quote(self.now_ns, (bid, ask, bid_qty, ask_qty))
        self.planner.quote(NAMES[s], bid / 10_000, ask / 10_000, bid_qty=bid_qty, ask_qty=ask_qty, now_ns=self.now_ns)
        return []

    def trade(self, s, ticks, qty, aggressor):
        price = self.twin.symbols[s].quote[0] + ticks * 100
        self.twin.symbols[s].on_trade(self.now_ns, price, qty, aggressor)
        self.planner.trade(NAMES[s], price / 10_000, qty, now_ns=self.now_ns, flags=AGGRESSORS[aggressor])
        return []

    def target(self, s, qty, horizon_min, kind, edge_bps, volume_per_min, drift_bps_per_min):
        is_exit, is_urgent = kind != "entry", kind == "stop"
        qty = 0 if is_exit else qty
        work = self.planner.settings.exit_work_ns if is_exit else {5: 15, 10: 20, 60: 60}[horizon_min] * S
        wait_ns = int(2 * edge_bps) * S
        wish = {"exit": is_exit, "urgent": is_urgent, "edge": edge_bps, "volume": volume_per_min, "wait": wait_ns}
        wish["drift"] = drift_bps_per_min
        self.twin.symbols[s].target(self.now_ns, qty, work, **wish)
        known = {"is_urgent": is_urgent, "edge_bps": edge_bps, "volume_per_min": volume_per_min, "wait_ns": wait_ns}
        known["drift_bps_per_min"] = drift_bps_per_min
        return self.planner.set_target(self.now_ns, NAMES[s], qty, horizon_min=horizon_min, is_exit=is_exit, **known)

    def wait(self, gap_ns):
        self.now_ns += gap_ns
        self.twin.advance(self.now_ns)
        return self.planner.advance(self.now_ns)

    def answer(self, s, act, percent):
        found = self.exchange.answer(s, act, percent)
        if found is None:
            return []
        kind, number, price, qty, leaves = found
        self.twin.symbols[s].answer(self.now_ns, kind, number, price, qty)
        return self.planner.answer(self.now_ns, NAMES[s], kind, number, price_usd=price / 10_000, qty=qty, leaves_qty=leaves)


def as_tuple(request):
    """Return a request as the twin writes it."""
    name, s, price = request.action.name, NAMES.index(request.symbol), round(request.price_usd * 10_000)
    if name == "NEW":
        return (name, s, request.order_id, request.side, request.qty, price)
    return (name, s, request.order_id) if name == "CANCEL" else (name, s, request.order_id, request.qty, price)
