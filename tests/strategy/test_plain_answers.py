"""Answers of a broker that cannot be true are refused by name, and move nothing."""

import math

import pytest

from replay.errors import UnknownNameError, UsageError
from strategy import ExecutionPlanner


@pytest.fixture
def planner():
    """Return a planner that works a buy order of 100 shares of A, acknowledged."""
    planner = ExecutionPlanner(["A", "B"], mode="original")
    planner.quote("A", 10.00, 10.02, bid_qty=500, ask_qty=500)
    order = planner.set_target(0, "A", 100)[0]
    planner.answer(1, "A", "ACK", order.order_id)
    return planner


IMPOSSIBLE = {
    "no shares": ("FILL", {"price_usd": 10.0}, "needs the shares of this fill"),
    "shares taken back": ("FILL", {"price_usd": 10.0, "qty": -10}, "needs the shares of this fill"),
    "more than was asked": ("FILL", {"price_usd": 10.0, "qty": 100_000}, "of which 100 are left"),
    "half a share": ("FILL", {"price_usd": 10.0, "qty": 1.5}, "whole number"),
    "NaN shares": ("FILL", {"price_usd": 10.0, "qty": math.nan}, "whole number"),
    "no price": ("FILL", {"qty": 100}, "price must be above 0"),
    "NaN price": ("FILL", {"price_usd": math.nan, "qty": 100}, "price must be above 0"),
    "a price below 0": ("PARTIAL", {"price_usd": -5.0, "qty": 10}, "price must be above 0"),
    "a price like no other": ("PARTIAL", {"price_usd": 1e15, "qty": 10}, "price must be in USD"),
    "a FILL that is a part": ("FILL", {"price_usd": 10.0, "qty": 10}, 'say "PARTIAL"'),
    "a PARTIAL that is all": ("PARTIAL", {"price_usd": 10.0, "qty": 100}, 'say "FILL"'),
    "a rest that does not add up": ("PARTIAL", {"price_usd": 10.0, "qty": 10, "leaves_qty": 50}, "90 shares left"),
    "a new size of nothing": ("MODIFIED", {"price_usd": 10.0}, "needs its new `leaves_qty`"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_an_answer_that_cannot_be_true_moves_nothing(planner, name):
    """It is refused with a sentence; the order works on as it was, and its true end is taken afterwards."""
    kind, known, words = IMPOSSIBLE[name]
    with pytest.raises(UsageError, match=words):
        planner.answer(2, "A", kind, 1, **known)

    assert 0 == planner.position("A")
    assert [] == planner.answer(2, "A", "FILL", 1, price_usd=10.01, qty=100)
    assert 100 == planner.position("A")


def test_an_order_of_nobody_or_of_another_symbol_is_named(planner):
    """Neither an id never given out nor one of another symbol is ignored."""
    with pytest.raises(UnknownNameError, match="no order 99 was asked for"):
        planner.answer(2, "A", "FILL", 99, price_usd=10.0, qty=100)
    with pytest.raises(UnknownNameError, match="order 1 is of 'A', not of 'B'"):
        planner.answer(2, "B", "FILL", 1, price_usd=10.0, qty=100)


def test_a_fill_in_parts_ends_with_what_is_left(planner):
    """PARTIAL counts what is left itself; a repeated FILL is refused, a late one comes as a correction, late acks pass."""
    planner.answer(2, "A", "PARTIAL", 1, price_usd=10.01, qty=30)
    planner.answer(3, "A", "FILL", 1, price_usd=10.01, qty=70)
    with pytest.raises(UsageError, match="order 1, which is over"):
        planner.answer(4, "A", "FILL", 1, price_usd=10.01, qty=70)
    planner.answer(4, "A", "ACK", 1)
    planner.answer(5, "A", "CORRECTION", 1, price_usd=10.01, qty=-30)

    assert 70 == planner.position("A")


def test_a_fill_may_overtake_the_answer_to_a_modify():
    """While a larger size is on its way the broker may fill up to it, and not a share more."""
    planner = ExecutionPlanner(["A"])
    planner.quote("A", 10.00, 10.02, bid_qty=500, ask_qty=500)
    first = planner.set_target(0, "A", 4_000)[0]
    planner.answer(1, "A", "ACK", first.order_id)
    asked = []
    while not asked:
        asked = planner.advance(planner.next_timer_ns)
    larger = asked[0]
    now_ns = larger.ts_ns + 1
    with pytest.raises(UsageError, match=f"of which {larger.qty} are left"):
        planner.answer(now_ns, "A", "FILL", first.order_id, price_usd=10.01, qty=larger.qty + 1)
    planner.answer(now_ns, "A", "FILL", first.order_id, price_usd=10.01, qty=larger.qty)

    assert ("MODIFY", larger.qty) == (larger.action.name, planner.position("A"))
    assert first.qty < larger.qty


@pytest.mark.parametrize(
    ("qty", "known"),
    [
        (1.5, {}),
        (math.nan, {}),
        (10**12, {}),
        (100, {"horizon_min": -3}),
        (100, {"horizon_min": math.nan}),
        (100, {"edge_bps": math.nan}),
        (100, {"volume_per_min": -1.0}),
        (100, {"wait_ns": 1e30}),
        (100, {"wait_ns": -1}),
        (100, {"is_urgent": "yes"}),
        (100, {"is_exit": "no"}),
    ],
)
def test_a_target_that_cannot_be_meant_is_refused_before_it_is_set(qty, known):
    """Shares and waits are whole, a horizon is above 0, a word is no yes; the target before stays."""
    planner = ExecutionPlanner(["A"], mode="original")
    planner.quote("A", 10.00, 10.02, bid_qty=500, ask_qty=500)
    with pytest.raises(UsageError, match="must be"):
        planner.set_target(0, "A", qty, **known)

    assert 0 == planner.position("A")
    assert [] == planner.advance(1)


@pytest.mark.parametrize(
    ("bid", "ask", "reason"), [(math.nan, 10.0, "NO_QUOTE"), (-1.0, 10.0, "NO_QUOTE"), (10.0, 0.0, "NO_QUOTE")]
)
def test_a_planner_without_a_usable_touch_says_so(bid, ask, reason):
    """Nothing is sent, and `reason` has why; a size below 0 is no touch at all."""
    planner = ExecutionPlanner(["A"], mode="original")
    planner.quote("A", bid, ask, bid_qty=500, ask_qty=500)

    assert ([], reason) == (planner.set_target(0, "A", 100), planner.reason.name)
    with pytest.raises(UsageError, match="bid_qty must be a whole number"):
        planner.quote("A", 10.0, 10.01, bid_qty=-5, ask_qty=500)
