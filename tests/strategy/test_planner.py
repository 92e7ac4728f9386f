"""The execution planner, against its plain twin and its laws."""

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from replay.orders import OrderType
from strategy.budget import BudgetSettings
from strategy.planner import ExecutionPlanner
from tests.naive.budget import Budget
from tests.naive.planner import Planner

S = 1_000_000_000
is_there = st.sampled_from([True, True, True, False])
quotes = st.tuples(st.just("quote"), st.integers(9_960, 10_040), st.integers(0, 30), st.sampled_from([0, 0, 0, 50]), is_there)
targets = st.tuples(st.just("target"), st.integers(-3, 3), st.sampled_from([5, 10, 15, 30, 60]), st.booleans())
waits = st.tuples(st.just("wait"), st.one_of(st.sampled_from([S, 5 * S, 7 * S + S // 2, 15 * S]), st.integers(0, 12 * S)))
kinds = ["ACK", "PARTIAL", "PARTIAL", "FILL", "CANCELLED", "REJECTED", "EXPIRED", "MODIFIED", "CANCEL_REJECTED"]
answers = st.tuples(st.just("answer"), st.sampled_from(kinds), st.sampled_from([10, 35, 39, 40, 41, 90]))
any_step = st.one_of(quotes, targets, waits, waits, answers, answers)
first_answers = st.sampled_from([("answer", "ACK", 0), ("answer", "HELD", 0), ("wait", 0)])
partials = st.tuples(st.just("answer"), st.just("PARTIAL"), st.sampled_from([1, 39, 40]))
begun = st.tuples(
    quotes, targets, st.sampled_from([("wait", 0), ("answer", "FILL", 0)]), targets, first_answers, partials, quotes, waits
)
steps = st.tuples(begun, st.lists(any_step, max_size=25)).map(lambda parts: [*parts[0], *parts[1]])


class Pair:
    """Planner and twin, driven alike; the exchange answers only what can be."""

    def __init__(self, limit=60, start="mid"):
        self.planner = ExecutionPlanner(["A"], budget=BudgetSettings(messages_per_min=limit), mode="original", start=start)
        self.twin = Planner(Budget(limit), start)
        self.now_ns = 0
        self.asked = []
        self.limits = {}

    def play(self, step):
        kind, *values = step
        before = len(self.twin.out)
        got = getattr(self, kind)(*values)
        assert self.twin.out[before:] == [as_tuple(request) for request in got]
        assert (self.twin.timer() or 2**63 - 1) == self.planner.next_timer_ns
        assert self.twin.position == self.planner.position("A")
        self.asked += self.twin.out[before:]

    def quote(self, bid_ticks, width_ticks, off, is_there):
        bid, ask = bid_ticks * 100 + off, (bid_ticks + width_ticks) * 100 + off
        self.twin.touch = (bid, ask) if is_there else None
        self.planner.quote("A", bid / 10_000, ask / 10_000, bid_qty=100, ask_qty=100 if is_there else 0)
        return []

    def target(self, lots, horizon_min, is_exit):
        qty = 0 if is_exit else lots * 100
        self.twin.target(self.now_ns, qty, horizon_min, is_exit)
        return self.planner.set_target(self.now_ns, "A", qty, horizon_min=horizon_min, is_exit=is_exit)

    def wait(self, gap_ns):
        self.now_ns += gap_ns
        self.twin.advance(self.now_ns)
        return self.planner.advance(self.now_ns)

    def answer(self, kind, percent):
        plan = self.twin.plan
        if plan is None:
            return []
        if kind == "MODIFIED" and not any(ask[:2] == ("MODIFY", plan["id"]) for ask in self.asked):
            return []
        left, qty = plan["qty"] - plan["filled"], max(plan["qty"] * percent // 100, 1)
        if kind == "PARTIAL" and qty >= left:
            kind = "FILL"
        qty = left if kind == "FILL" else qty
        price = next((ask[3] for ask in reversed(self.asked) if ask[0] == "MODIFY"), plan["price"])
        price = price if kind == "MODIFIED" else plan["price"]
        order_id, leaves = plan["id"], 0 if kind == "FILL" else left - qty * (kind == "PARTIAL")
        self.twin.answer(self.now_ns, kind, price, qty)
        return self.planner.answer(self.now_ns, "A", kind, order_id, price_usd=price / 10_000, qty=qty, leaves_qty=leaves)


def as_tuple(request):
    name, price = request.action.name, round(request.price_usd * 10_000)
    if name == "NEW":
        return (name, request.order_id, request.side, request.qty, price)
    return (name, request.order_id) if name == "CANCEL" else (name, request.order_id, request.qty, price)


@given(steps, st.sampled_from([2, 5, 60]), st.sampled_from(["mid", "midprice"]))
@hypothesis_settings(max_examples=200)
def test_planner_equals_the_plain_twin(script, limit, start):
    """Requests, timers and positions equal those of the plain twin, step by step."""
    pair = Pair(limit, start)
    for step in script:
        pair.play(step)


@given(steps)
@hypothesis_settings(max_examples=100)
def test_slices_never_exceed_their_parent(script):
    """A new order asks exactly for target minus position, and no modify asks for more."""
    pair = Pair()
    for step in script:
        pair.play(step)

    parents = {ask[1]: ask[3] for ask in pair.asked if ask[0] == "NEW"}
    assert all(ask[2] == parents[ask[1]] for ask in pair.asked if ask[0] == "MODIFY")


@given(steps)
@hypothesis_settings(max_examples=100)
def test_an_entry_never_crosses_when_it_is_sent(script):
    """A new entry lies at or inside the touch on our side of the mid; only exits start at the opposite touch."""
    pair = Pair()
    for step in script:
        touch, before = pair.twin.touch, len(pair.asked)
        pair.play(step)
        for ask in pair.asked[before:]:
            if ask[0] == "NEW" and not pair.twin.plan["exit"]:
                assert ask[2] * (2 * ask[4] - sum(touch)) <= 0


def test_a_midprice_entry_is_left_alone_until_its_end():
    """It is capped 10 bps from the mid, knows no step at half time, and its exit is a limit order as ever."""
    planner = ExecutionPlanner(["A"], mode="original", start="midprice")
    planner.quote("A", 99.98, 100.03, bid_qty=500, ask_qty=500)
    entry = planner.set_target(0, "A", 100)[0]
    planner.answer(1, "A", "ACK", entry.order_id)

    assert (OrderType.MIDPRICE, 100.10) == (entry.order_type, entry.price_usd)
    assert [[], ["CANCEL"]] == [[ask.action.name for ask in planner.advance(t * S)] for t in (8, 15)]
    planner.answer(15 * S, "A", "FILL", entry.order_id, price_usd=100.0, qty=100)
    leaving = planner.set_target(16 * S, "A", 0, is_exit=True)[0]
    assert (OrderType.LIMIT, 99.98) == (leaving.order_type, leaving.price_usd)


@pytest.mark.parametrize(("side", "price_usd"), [(1, 10.01), (-1, 10.02)])
def test_off_tick_mid_rounds_to_the_safe_side(side, price_usd):
    """A mid between two ticks rounds down for a buy and up for a sell."""
    planner = ExecutionPlanner(["A"], mode="original")
    planner.quote("A", 10.00, 10.03, bid_qty=100, ask_qty=100)

    assert price_usd == planner.set_target(0, "A", side * 100)[0].price_usd


def test_off_plans_nothing():
    """With the planner off no target leads to a request."""
    planner = ExecutionPlanner(["A"], mode="off")
    planner.quote("A", 10.00, 10.03, bid_qty=100, ask_qty=100)

    assert [] == planner.set_target(0, "A", 100)


@pytest.mark.parametrize(("filled_qty", "n_modifies"), [(39, 1), (40, 0)])
def test_step_only_below_forty_percent(filled_qty, n_modifies):
    """After half the working time the limit moves when less than 40 % is filled, and not at 40 %."""
    planner = ExecutionPlanner(["A"], mode="original")
    planner.quote("A", 10.00, 10.03, bid_qty=100, ask_qty=100)
    order_id = planner.set_target(0, "A", 100)[0].order_id
    planner.answer(1, "A", "PARTIAL", order_id, price_usd=10.01, qty=filled_qty, leaves_qty=100 - filled_qty)

    assert n_modifies == len(planner.advance(7 * S + S // 2))


@pytest.mark.parametrize(("ask_usd", "price_usd"), [(100.05, 100.05), (100.30, 100.10)])
def test_an_exit_follows_the_opposite_touch_to_its_cap(ask_usd, price_usd):
    """A closing buy at 100.00 follows the ask, and no further than 10 bps."""
    planner = ExecutionPlanner(["A"], mode="original")
    planner.quote("A", 99.99, 100.00, bid_qty=100, ask_qty=100)
    order_id = planner.set_target(0, "A", 100, is_exit=True)[0].order_id
    planner.answer(1, "A", "ACK", order_id)
    planner.quote("A", ask_usd - 0.01, ask_usd, bid_qty=100, ask_qty=100)

    assert [price_usd] == [step.price_usd for step in planner.advance(5 * S)]


def test_a_changed_target_cancels_first():
    """A new target waits for the answer to the cancel, and then starts from the position of then."""
    planner = ExecutionPlanner(["A"], mode="original")
    planner.quote("A", 10.00, 10.01, bid_qty=100, ask_qty=100)
    order_id = planner.set_target(0, "A", 100)[0].order_id
    planner.answer(1, "A", "ACK", order_id)

    assert ["CANCEL"] == [ask.action.name for ask in planner.set_target(2, "A", -50)]
    assert [] == planner.answer(3, "A", "PARTIAL", order_id, price_usd=10.00, qty=30, leaves_qty=70)
    assert [("NEW", -1, 80)] == [(a.action.name, a.side, a.qty) for a in planner.answer(4, "A", "CANCELLED", order_id)]
