"""The enhanced planner, against its plain twin and its laws."""

import heapq

import numpy as np
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from replay.settings import as_row
from strategy.budget import BudgetSettings
from strategy.planner import ExecutionPlanner
from tests.strategy import planner_world as world
from tests.strategy.planner_world import NAMES, Pair, S

lots = st.sampled_from([1, 1, 10])


@given(world.scripts, world.settings, world.budgets, lots)
@hypothesis_settings(max_examples=300, deadline=None)
def test_planner_equals_the_plain_twin(script, changes, limits, lot):
    """Requests, timers, positions and the place in the queue equal those of the plain twin, step by step."""
    pair = Pair(changes, limits, lot)
    for step in script:
        pair.play(step)


@given(world.scripts, world.settings)
@hypothesis_settings(max_examples=150, deadline=None)
def test_children_never_ask_beyond_the_target(script, changes):
    """What a request may still fill never brings the position beyond the target in force."""
    pair, targets = Pair(changes), [0, 0]
    for step in script:
        if step[0] == "target":
            targets[step[1]] = 0 if step[4] != "entry" else step[2]
        asked = pair.play(step)
        for name, s, number, *terms in asked:
            order = next(one for one in pair.exchange.orders if one["id"] == number)
            if name != "CANCEL":
                left_qty = (terms[1] if name == "NEW" else terms[0]) - order["filled"]
                reached = pair.planner.position(NAMES[s]) + order["side"] * left_qty
                assert order["side"] * reached <= order["side"] * targets[s]


@given(world.scripts, world.settings)
@hypothesis_settings(max_examples=150, deadline=None)
def test_no_entry_is_limited_beyond_its_cap(script, changes):
    """No limit of a plan that began as an entry lies farther from the mid of its start than `entry_slippage_bps`."""
    pair, starts = Pair(changes), {}
    share = pair.planner.settings.entry_slippage_bps / 10_000
    for step in script:
        for name, s, _, *terms in pair.play(step):
            symbol = pair.twin.symbols[s]
            if name == "NEW" and symbol.plan["slices"] == 1:
                starts[s] = None if symbol.plan["exit"] else sum(symbol.quote[:2]) / 2
            if name != "CANCEL" and starts[s]:
                side = symbol.plan["side"]
                assert side * terms[-1] <= side * starts[s] * (1 + side * share) + 1e-6


@given(world.scripts, world.budgets)
@hypothesis_settings(max_examples=150, deadline=None)
def test_no_window_exceeds_a_limit(script, limits):
    """Every window of a minute and of a second holds at most its limit of messages, cancels included."""
    pair = Pair(None, limits)
    for step in script:
        pair.play(step)
    times = [ts_ns for ts_ns, _ in pair.asked]

    for end_ns in times:
        assert limits["messages_per_min"] >= sum(1 for ts_ns in times if end_ns - 60 * S < ts_ns <= end_ns)
        assert limits["messages_per_s"] >= sum(1 for ts_ns in times if end_ns - S < ts_ns <= end_ns)


@given(world.scripts, world.settings)
@hypothesis_settings(max_examples=100, deadline=None)
def test_a_plentiful_budget_changes_nothing(script, changes):
    """Where messages never run short the planner asks for what it asks for without any budget, to the last request."""
    changes = {**changes, "coalesce_below": 0}
    plenty = {"messages_per_min": 512, "messages_per_s": 512, "burst_share": 1.0, "efficiency_from": 10_000}
    pair, free = Pair(changes, plenty), Pair(changes, plenty)
    free.planner = ExecutionPlanner(NAMES, free.planner.settings, BudgetSettings(mode="off"))
    for step in script:
        assert free.play(step) == pair.play(step)


def mirrored(script):
    """Return a script with both sides of the market, prints and targets exchanged about tick 10,000."""
    for step in script:
        if step[0] == "quote":
            _, s, bid, width, bid_qty, ask_qty = step
            yield ("quote", s, 20_000 - bid - width, width, ask_qty, bid_qty)
        elif step[0] == "trade":
            yield None
        elif step[0] == "target":
            yield (*step[:2], -step[2], *step[3:-1], -step[-1])
        else:
            yield step


@given(world.scripts, st.sampled_from(["mid", "touch"]))
@hypothesis_settings(max_examples=100, deadline=None)
def test_a_mirrored_market_gives_mirrored_requests(script, start):
    """With both sides exchanged the planner asks for the same quantities at mirrored prices."""
    changes = {"start": start, "fee_min_usd": 0.0, "patience": 0.0, "entry_slippage_bps": 5_000.0, "exit_slippage_bps": 4_000.0}
    script = [step for step in script if step[0] != "trade" and not (step[0] == "quote" and step[1] == 1)]
    script = [step for step in script if step[1] != 1 or step[0] == "wait"]
    pair, twin = Pair(changes), Pair(changes)
    for step, other in zip(script, mirrored(script), strict=True):
        expected = [flipped(ask) for ask in pair.play(step)]
        assert expected == twin.play(other)


def flipped(ask):
    """Return the mirrored request."""
    name, s, number, *terms = ask
    if name == "NEW":
        return (name, s, number, -terms[0], terms[1], 2_000_000 - terms[2])
    return ask if name == "CANCEL" else (name, s, number, terms[0], 2_000_000 - terms[1])


LATENCY_NS = 50_000_000
RETRY_NS = S


class Line:
    """A broker that answers everything after a latency, fills at random and refuses a cancel now and then, never twice."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.planner = ExecutionPlanner(["A"], mode="enhanced", fee_min_usd=0.0)
        self.exchange, self.due, self.refused = world.Exchange(), [], set()
        self.plans = {}  # by id: start, end of the working time, when its last order died

    def run(self):
        for k in range(400):
            now_ns = k * S // 4
            while self.due and self.due[0][0] <= now_ns:
                at_ns, _, number, act = heapq.heappop(self.due)
                self.take(at_ns, number, act)
            self.send(now_ns, self.planner.advance(now_ns))
            bid = 9_990 + int(self.rng.integers(20))
            self.planner.quote(
                "A", bid / 100, (bid + int(self.rng.integers(1, 9))) / 100, bid_qty=300, ask_qty=300, now_ns=now_ns
            )
            if self.rng.random() < 0.1:
                target = int(self.rng.integers(-3, 4)) * 100
                self.send(now_ns, self.planner.set_target(now_ns, "A", target, is_exit=target == 0))
            if self.rng.random() < 0.1:
                self.later(now_ns, 0, "fill")

    def later(self, now_ns, number, act):
        heapq.heappush(self.due, (now_ns + LATENCY_NS, len(self.due), number, act))

    def send(self, now_ns, requests):
        plan = self.planner._planner.plans[0]
        for request in requests:
            ask = world.as_tuple(request)
            self.exchange.send(ask)
            is_refused = ask[0] == "CANCEL" and ask[2] not in self.refused and self.rng.random() < 0.3
            if is_refused:
                self.refused.add(ask[2])
            if ask[0] == "NEW":
                self.plans.setdefault(int(plan["plan_id"]), [int(plan["end_ns"]), now_ns, {ask[2]}])[2].add(ask[2])
            self.later(now_ns, ask[2], "refuse" if is_refused else "next")

    def take(self, now_ns, number, act):
        found = self.exchange.answer(0, act, int(self.rng.choice([10, 50, 100])))
        if found:
            kind, order_id, price, qty, leaves = found
            known = {"price_usd": price / 10_000, "qty": qty, "leaves_qty": leaves}
            self.send(now_ns, self.planner.answer(now_ns, "A", kind, order_id, **known))
            if kind in ("FILL", "CANCELLED", "REJECTED", "EXPIRED"):
                for plan in self.plans.values():
                    plan[1] = now_ns if order_id in plan[2] else plan[1]


@given(st.integers(0, 2**31))
@hypothesis_settings(max_examples=40, deadline=None)
def test_every_plan_ends_within_its_time_a_latency_and_a_retry(seed):
    """When the broker answers, the last order of every plan is dead by end + latency, and a retry later at most."""
    line = Line(seed)
    line.run()
    clock_ns = S // 4  # the market's and our own timers are looked at this often

    assert len(line.plans) > 1
    for end_ns, died_ns, _ in line.plans.values():
        assert died_ns <= end_ns + 2 * LATENCY_NS + RETRY_NS + 3 * clock_ns


@given(world.scripts, world.settings, world.budgets, st.integers(1, 60))
@hypothesis_settings(max_examples=60, deadline=None)
def test_a_snapshot_restores_exactly(script, changes, limits, cut):
    """A planner restored from the arrays of another goes on as that one does."""
    pair = Pair(changes, limits)
    for step in script[:cut]:
        pair.play(step)
    first = pair.planner
    second = ExecutionPlanner(NAMES, first.settings, tick_usd=0.01)
    second._budget = (second._budget[0], first._budget[1])
    assert as_row(first.settings).tobytes() == second._params.tobytes()
    for old, new in ((first._desk, second._desk), (first._planner, second._planner), (first._budget[:1], second._budget[:1])):
        for source, target in zip(old, new, strict=True):
            target[...] = source
    pair.planner = second
    for step in script[cut:]:
        pair.play(step)
