"""The estimate of our place in the queue."""

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings

from replay.events import Flag
from strategy.planner import ExecutionPlanner
from tests.strategy import planner_world as world
from tests.strategy.planner_world import NAMES, Pair


def joined(**changes):
    """Return a planner whose buy of 100 works at the bid of 10.00, with 300 shares displayed."""
    planner = ExecutionPlanner(["A"], mode="enhanced", start="touch", fee_min_usd=1_000.0, **changes)
    planner.quote("A", 10.00, 10.03, bid_qty=300, ask_qty=300, now_ns=0)
    order_id = planner.set_target(0, "A", 100)[0].order_id
    planner.answer(1, "A", "ACK", order_id)
    return planner


def test_at_the_ack_all_that_is_displayed_is_ahead():
    """Who joins the touch stands behind its displayed size."""
    assert 300 == joined().ahead("A")


def test_our_own_size_is_taken_out_of_a_feed_that_shows_it():
    """Where the feed contains our own order of 100, only the other 200 of 300 displayed shares are ahead."""
    assert 200 == joined(own_displayed=True).ahead("A")


@pytest.mark.parametrize(("flags", "ahead"), [(0, 200), (Flag.SELL, 200), (Flag.BUY, 300), (Flag.OFF_EXCHANGE, 300)])
def test_prints_at_our_price_bring_us_forward(flags, ahead):
    """A print of 100 against our side takes 100 off; one of the other side, or off the exchange, takes nothing."""
    planner = joined()
    planner.trade("A", 10.00, 100, now_ns=2, flags=int(flags))

    assert ahead == planner.ahead("A")


@pytest.mark.parametrize(("share", "ahead"), [(1.0, 200), (0.5, 250), (0.0, 280)])
def test_cancels_are_shared_by_the_stated_rule(share, ahead):
    """When a third of 420 displayed shares leaves without a print, `cancel_share` of a third of the 300 ahead leaves."""
    planner = joined(cancel_share=share)
    planner.quote("A", 10.00, 10.03, bid_qty=420, ask_qty=300, now_ns=2)
    planner.quote("A", 10.00, 10.03, bid_qty=280, ask_qty=300, now_ns=3)

    assert ahead == planner.ahead("A")


def test_quote_and_print_count_once_in_either_order():
    """A print of 100 and the fall of the display by 100 are one event, whichever comes first."""
    by_print, by_quote = joined(), joined()
    by_print.trade("A", 10.00, 100, now_ns=2)
    by_print.quote("A", 10.00, 10.03, bid_qty=200, ask_qty=300, now_ns=3)
    by_quote.quote("A", 10.00, 10.03, bid_qty=200, ask_qty=300, now_ns=2)
    by_quote.trade("A", 10.00, 100, now_ns=3)

    assert (200, 200) == (by_print.ahead("A"), by_quote.ahead("A"))


def test_a_touch_that_falls_past_us_leaves_nobody_ahead():
    """When the bid falls below our price, nobody displayed is ahead; who comes back is behind us."""
    planner = joined()
    planner.quote("A", 9.99, 10.03, bid_qty=500, ask_qty=300, now_ns=2)
    planner.quote("A", 10.00, 10.03, bid_qty=500, ask_qty=300, now_ns=3)

    assert 0 == planner.ahead("A")


def test_the_original_planner_estimates_nothing():
    """Without the enhanced form the place stays unknown."""
    planner = ExecutionPlanner(["A"], mode="original")
    planner.quote("A", 10.00, 10.03, bid_qty=300, ask_qty=300)
    planner.set_target(0, "A", 100)

    assert -1 == planner.ahead("A")


@given(world.scripts, world.settings)
@hypothesis_settings(max_examples=100, deadline=None)
def test_ahead_never_grows_while_an_order_rests(script, changes):
    """Between two answers the estimate falls or becomes known; it never grows and is never below zero."""
    pair = Pair(changes)
    before = [-1, -1]
    for step in script:
        asked = pair.play(step)
        for s, name in enumerate(NAMES):
            ahead = pair.planner.ahead(name)
            if step[0] in ("quote", "trade") and before[s] >= 0 and not asked:
                assert 0 <= ahead <= before[s]
            before[s] = ahead
