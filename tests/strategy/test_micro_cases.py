"""The enhanced planner, case by case: its rules by number."""

import pytest

from replay.errors import ConfigError
from replay.orders import OrderType
from strategy.budget import BudgetSettings
from strategy.planner import ExecutionPlanner
from tests.strategy.planner_world import S

WIDE = (10.00, 10.04)


def make(symbols=("A",), budget=None, **changes):
    """Return an enhanced planner whose slices no commission floor holds up, with a wide quote."""
    settings = {"fee_min_usd": 0.0, "first_share": 1.0, "entry_slippage_bps": 50.0, **changes}
    planner = ExecutionPlanner(list(symbols), mode="enhanced", budget=budget or BudgetSettings(mode="enhanced"), **settings)
    for name in symbols:
        planner.quote(name, *WIDE, bid_qty=500, ask_qty=500, now_ns=0)
    return planner


def working(planner, qty=100, **known):
    """Set a target at time 0 and acknowledge the order; return its id."""
    order_id = planner.set_target(0, "A", qty, **known)[0].order_id
    planner.answer(1, "A", "ACK", order_id)
    return order_id


def said(requests):
    return [(ask.action.name, ask.qty, ask.price_usd) for ask in requests]


def change(planner, now_ns, order_id, ask):
    """Let the exchange accept a modify."""
    planner.answer(now_ns, "A", "MODIFIED", order_id, price_usd=ask.price_usd, leaves_qty=ask.qty)


def test_a_plan_goes_from_mid_through_a_step_to_the_cross_and_ends():
    """An entry of 15 s starts at the mid, steps at 10 s, crosses at 13 s and cancels the rest at 15 s (rules 1, 2, 3, 5)."""
    planner = make()
    order_id = planner.set_target(0, "A", 100)[0].order_id
    planner.answer(1, "A", "ACK", order_id)
    seen = {}
    for second in (5, 10, 13, 14, 15):
        asked = planner.advance(second * S)
        seen[second] = said(asked)
        for ask in asked:
            change(planner, second * S + 1, order_id, ask)

    assert {5: [], 10: [("MODIFY", 100, 10.03)], 13: [("MODIFY", 100, 10.04)], 14: [], 15: [("CANCEL", 100, 10.04)]} == seen


def test_a_midprice_child_is_withdrawn_for_the_cross():
    """It follows the mid without a message; at 13 s it is cancelled, and what it left crosses as a limit (rules 1, 3)."""
    planner = make(start="midprice")
    first = planner.set_target(0, "A", 100)[0]
    planner.answer(1, "A", "ACK", first.order_id)
    planner.answer(2, "A", "PARTIAL", first.order_id, price_usd=10.02, qty=30, leaves_qty=70)
    asked = [said(planner.advance(second * S)) for second in (5, 10, 13)]
    ahead_qty = planner.ahead("A")
    rest = planner.answer(13 * S + 1, "A", "CANCELLED", first.order_id)

    assert (OrderType.MIDPRICE, 10.07, -1) == (first.order_type, first.price_usd, ahead_qty)
    assert [[], [], ["CANCEL"]] == [[name for name, *_ in step] for step in asked]
    assert [(OrderType.LIMIT, 70, 10.04)] == [(ask.order_type, ask.qty, ask.price_usd) for ask in rest]


def test_a_midprice_child_that_the_broker_ends_ends_its_plan():
    """Before the cross a cancel was not ours: nothing is sent after it (rule 5)."""
    planner = make(start="midprice")
    order_id = working(planner)

    assert [] == planner.answer(2 * S, "A", "CANCELLED", order_id)
    assert [] == planner.advance(20 * S)


def test_no_step_where_the_child_is_expected_to_fill():
    """With 60,000 shares printed a minute a child alone at its price is left where it is until the cross (rule 2)."""
    planner = make()
    working(planner, volume_per_min=60_000.0)

    assert [[], [], ["MODIFY"]] == [[ask.action.name for ask in planner.advance(t * S)] for t in (5, 10, 13)]


def test_the_cross_stops_at_the_cap():
    """A cross never goes beyond 10 bps from the mid of the start, wherever the touch went (rule 3)."""
    planner = make(entry_slippage_bps=10.0)
    working(planner)
    planner.quote("A", 10.06, 10.10, bid_qty=500, ask_qty=500, now_ns=12 * S)

    assert [("MODIFY", 100, 10.03)] == said(planner.advance(13 * S))


def test_a_filled_slice_is_followed_by_the_next():
    """A first slice of a quarter that fills leads to the next child at once, and the four add up to the parent (rule 4)."""
    planner = make(first_share=0.25)
    asked, sizes = planner.set_target(0, "A", 100), []
    while asked:
        sizes.append(asked[0].qty)
        planner.answer(2, "A", "ACK", asked[0].order_id)
        asked = planner.answer(2, "A", "FILL", asked[0].order_id, price_usd=10.02, qty=asked[0].qty)

    assert ([25, 25, 25, 25], 100) == (sizes, planner.position("A"))


def test_a_slice_bears_its_minimum_commission():
    """Where 1 USD may be 10 bps of a slice, a slice at 10.02 is 100 shares, so 150 are not split and 300 begin with 100."""
    sizes = [make(first_share=0.1, fee_min_usd=1.0, fee_share_bps=10.0).set_target(0, "A", qty)[0].qty for qty in (150, 300)]

    assert [150, 100] == sizes


def test_a_slice_of_futures_bears_it_by_what_a_contract_is_worth():
    """A dollar may be 50 bps of 200 dollars: of a contract of 50 dollars a point at 10 that is one contract."""
    planner = make(fee_min_usd=1.0, fee_share_bps=50.0, first_share=0.25)
    planner._desk.book["multiplier"] = 50

    assert [("NEW", 2, 10.02)] == said(planner.set_target(0, "A", 8))


def test_participation_caps_a_slice():
    """With 1,000 shares a minute and a tenth of them at most, a first slice of 15 s is at most 25 shares."""
    assert 25 == make(participation=0.1).set_target(0, "A", 100, volume_per_min=1_000.0)[0].qty


def test_an_urgent_exit_crosses_at_once():
    """A stop starts at the opposite touch with all of it (rule 6)."""
    planner = make(first_share=0.1)

    assert [("NEW", 100, 10.04)] == said(planner.set_target(0, "A", 100, is_exit=True, is_urgent=True))


def test_a_patient_exit_that_becomes_urgent_is_moved():
    """The child of an exit that waits at the mid is moved to the opposite touch, not cancelled (rule 7)."""
    planner = make()
    working(planner, is_exit=True)

    assert [("MODIFY", 100, 10.04)] == said(planner.set_target(S, "A", 100, is_exit=True, is_urgent=True))


@pytest.mark.parametrize(("target", "asked"), [(250, []), (60, [("MODIFY", 60, 10.02)]), (-50, [("CANCEL", 100, 10.02)])])
def test_a_new_target_is_netted_into_the_plan(target, asked):
    """More of the same side only changes the parent, less cuts the child, the other side cancels first (rule 7)."""
    planner = make()
    working(planner)

    assert asked == said(planner.set_target(S, "A", target))


def test_a_refused_cut_is_followed_by_a_cancel():
    """A child that could not be made smaller, and is too large for the new target, is cancelled (rule 7)."""
    planner = make()
    order_id = working(planner)
    planner.set_target(S, "A", 60)

    assert ["CANCEL"] == [ask.action.name for ask in planner.answer(2 * S, "A", "CANCEL_REJECTED", order_id)]


def test_nothing_steps_without_a_quote():
    """While the quote is one-sided a stage passes without a request, and the end still cancels (rule 8)."""
    planner = make()
    working(planner)
    planner.quote("A", 10.00, 10.04, bid_qty=500, ask_qty=0, now_ns=2)

    assert [[], [], ["CANCEL"]] == [[ask.action.name for ask in planner.advance(t * S)] for t in (10, 13, 15)]


def test_a_tight_budget_goes_to_exits_first_and_then_to_the_larger_edge():
    """Of four symbols that want to start at once three get a message: the exit, then the edges 5 and 2 (rule 9)."""
    names = ["A", "B", "C", "D"]
    planner = make(names, BudgetSettings(mode="enhanced", messages_per_min=6, burst_share=1.0))
    for name, edge_bps in zip("ABC", (1.0, 5.0, 2.0), strict=True):
        assert [] == planner.set_target(0, name, 100, edge_bps=edge_bps)
    planner.set_target(0, "D", -100, is_exit=True, is_urgent=True)

    assert ["D", "B", "C"] == [ask.symbol for ask in planner.advance(1)]


def test_an_edge_on_futures_counts_what_a_contract_is_worth():
    """Ten bps on two contracts of fifty dollars a point are more money than fifty bps on ten shares (rule 9)."""
    planner = make(["A", "B"], BudgetSettings(mode="enhanced", messages_per_min=3, burst_share=0.7))
    planner._desk.book["multiplier"] = 1, 50
    planner.set_target(0, "A", 10, edge_bps=50.0)
    planner.set_target(0, "B", 2, edge_bps=10.0)

    assert "B" == planner.advance(1)[0].symbol


def test_a_buy_and_a_sell_of_one_instant_are_netted():
    """Two targets of a symbol that waits for the budget lead to one order, for the last (rule 9)."""
    planner = make(["A", "B"], BudgetSettings(mode="enhanced", messages_per_min=3, burst_share=1.0))
    assert [] == planner.set_target(0, "A", 100)
    assert [] == planner.set_target(0, "A", -50)

    assert [("NEW", -1, 50)] == [(ask.action.name, ask.side, ask.qty) for ask in planner.advance(1)]


def test_an_entry_that_waits_too_long_is_dropped_and_an_exit_is_not():
    """After five seconds without a message an entry is forgotten; the exit starts when a message is there (rule 9)."""
    planner = make(["A", "B", "C"], BudgetSettings(mode="enhanced", messages_per_min=3, burst_share=0.7))
    planner.set_target(0, "A", 100, edge_bps=9.0)
    planner.set_target(0, "B", 100)
    assert ["A"] == [ask.symbol for ask in planner.advance(1)]
    planner.set_target(2, "C", -100, is_exit=True)
    asked = [ask.symbol for second in range(1, 70) for ask in planner.advance(second * S) if ask.action.name == "NEW"]

    assert ["C"] == asked


def test_an_entry_waits_as_long_as_its_edge_lasts():
    """What is worth waiting for starts when a message is there, what is not is dropped after five seconds (rule 9)."""
    planner = make(["A", "B", "C"], BudgetSettings(mode="enhanced", messages_per_min=3, burst_share=0.7))
    planner.set_target(0, "A", 100, edge_bps=9.0)
    planner.set_target(0, "B", 100, edge_bps=5.0)
    planner.set_target(0, "C", 100, edge_bps=1.0, wait_ns=300 * S)
    asked = [ask.symbol for step in (1, *range(S, 200 * S, S)) for ask in planner.advance(step) if ask.action.name == "NEW"]

    assert ["A", "C"] == asked


def test_an_entry_may_wait_for_ever():
    """The longest wait that there is, on a clock of today, is no wait that is over already (rule 9)."""
    planner, now_ns = make(["A", "B"], BudgetSettings(mode="enhanced", messages_per_min=2, burst_share=1.0)), 1_772_462_700 * S
    planner.set_target(now_ns, "A", 100, edge_bps=9.0)
    planner.set_target(now_ns, "B", 100, wait_ns=2**63 - 1)
    steps = (now_ns + 1, *range(now_ns + S, now_ns + 200 * S, S))

    assert ["A", "B"] == [ask.symbol for step in steps for ask in planner.advance(step) if ask.action.name == "NEW"]


def test_of_two_exits_the_one_that_waits_longer_starts_first():
    """Exits have no edge to be ranked by; the earlier one gets the next message, whatever the order of symbols (rule 9)."""
    planner = make(["A", "B", "C"], BudgetSettings(mode="enhanced", messages_per_min=3, burst_share=0.7))
    planner.set_target(0, "A", 100)
    planner.advance(1)
    planner.set_target(S, "C", -100, is_exit=True)
    planner.set_target(3 * S, "B", -100, is_exit=True)
    asked = [ask.symbol for step in range(4, 300) for ask in planner.advance(step * S) if ask.action.name == "NEW"]

    assert ["C", "B"] == asked


def test_a_plan_with_the_last_message_crosses_at_once():
    """Where no message is left for a later cross the plan begins with it, for all that it wants (rule 10)."""
    first = {}
    for messages in (2, 3):
        budget = BudgetSettings(mode="enhanced", messages_per_min=messages, burst_share=1.0)
        planner = make(budget=budget, coalesce_below=0, first_share=0.5)
        first[messages] = said(planner.set_target(0, "A", 100))

    assert {2: [("NEW", 100, 10.04)], 3: [("NEW", 50, 10.02)]} == first


def test_unfit_lists_are_refused():
    """The steps across the spread must be two, ascending."""
    with pytest.raises(ConfigError, match="two ascending shares"):
        make(step_shares=(0.75, 0.5))
