"""What own fills teach the cost model."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.desk import BOOK
from replay.events import EVENT
from replay.orders import Action
from replay.settings import as_row
from strategy.cost import CostModel, CostSettings
from strategy.cost_residual import learn_fill, learn_price, learn_rest, note_entry, note_exit, residual_bps
from strategy.cost_state import new_costs
from strategy.decision import Reason
from strategy.pipeline import StrategySettings, start_day
from strategy.plan import PLAN
from strategy.planner import PlannerSettings
from tests.naive.cost import Residual
from tests.strategy.desks import make_decision
from tests.strategy.pipeline_world import (
    MINUTE,
    OPEN,
    SECOND,
    answer,
    clock_event,
    forecast,
    make_pipeline,
    quote,
    run,
    warm_quotes,
)

PARAMS = as_row(CostSettings(mode="enhanced"))
fills = st.tuples(
    st.integers(0, 1),
    st.integers(0, 1),
    st.sampled_from([1, -1]),
    st.integers(990_000, 1_010_000),
    st.floats(0.0, 20.0),
    st.sampled_from([1, 50, 100]),
)

ends = st.tuples(st.sampled_from([1, -1]), st.integers(0, 100), st.integers(9_950, 10_050), st.integers(0, 9))


def entry(costs, decision_id=7, side=1, k=1, mid2=2_000_000, qty=100, params=PARAMS):
    decision = make_decision(decision_id=decision_id, mid2=mid2, target_qty=side * qty, cost_fee_bps=9.0, cost_residual_bps=5.0)
    note_entry(0, k, 4.0, decision, costs, params)


def leave(costs, decision_id, mid2=2_000_000, held=100, params=PARAMS, keep=0):
    note_exit(0, make_decision(decision_id=decision_id, mid2=mid2, position_qty=held, target_qty=keep), costs, params)


def fill(costs, decision_id, side, price, qty=100, params=PARAMS, order_id=3):
    events, plans = np.zeros(1, EVENT), np.zeros(1, PLAN)
    events["order_id"], events["price"], events["qty"] = order_id, price, qty
    plans["order_id"], plans["decision_id"], plans["side"] = 3, decision_id, side
    learn_fill(0, events, 0, plans, costs, params)


def end(costs, decision_id, side, touches, filled_qty=0, params=PARAMS):
    """End a plan over 100 shares while the market stands at `touches` (bid, ask)."""
    book, plans = np.zeros(1, BOOK), np.zeros(1, PLAN)
    book["bid"], book["ask"] = touches
    book["bid_qty"] = book["ask_qty"] = book["tick"] = 100
    plans["decision_id"], plans["side"], plans["qty"], plans["filled_qty"] = decision_id, side, 100, filled_qty
    learn_rest(0, book, plans, costs, params)


@pytest.mark.jit_off
@given(st.lists(fills, max_size=12))
def test_residual_equals_the_plain_twin(sequence):
    """After any fills every cell's residual is the twin's: own average, leaning on the pool, leaning on zero."""
    costs, twin = new_costs(2, [15 * 10**9] * 2), Residual(half_life=50.0, prior=20.0, most=50.0)
    for s, k, side, price, said, qty in sequence:
        row = costs.said[s, 0]
        row["column"], row["mid2"], row["qty"], row["base_bps"] = k, 2_000_000, 100, said
        learn_price(s, 0, side, price, qty, costs, PARAMS)
        twin.learn((s, k), side, price, 1_000_000, said, qty / 100)

    for s in range(2):
        for k in range(2):
            assert pytest.approx(twin.value((s, k)), rel=1e-9, abs=1e-9) == residual_bps(s, k, costs, PARAMS)


def test_a_fill_is_judged_against_what_was_said_without_fees_and_residual():
    """Half a round trip of 4 bps said, bought 5 bps above the mid: a surprise of 6."""
    costs = new_costs(1, [15 * 10**9] * 2)
    entry(costs)
    fill(costs, 7, 1, 1_000_500)

    assert pytest.approx(6.0) == costs.residuals[0, 1]["mean_bps"]
    assert (0.0, 1.0) == (costs.residuals[0, 0]["weight"], costs.residuals[0, 1]["weight"])


def test_slices_count_as_one_order():
    """Four fills of a quarter at one price teach what one fill of the whole teaches."""
    whole, sliced = new_costs(1, [15 * 10**9] * 2), new_costs(1, [15 * 10**9] * 2)
    for costs, n in ((whole, 1), (sliced, 4)):
        entry(costs)
        for _ in range(n):
            fill(costs, 7, 1, 1_000_500, qty=100 // n)

    assert pytest.approx(whole.residuals[0, 1].tolist()) == sliced.residuals[0, 1].tolist()


@pytest.mark.jit_off
@given(
    st.lists(st.tuples(st.sampled_from([1, -1]), st.integers(0, 100), st.integers(9_950, 10_050), st.integers(0, 9)), max_size=12)
)
def test_what_an_entry_missed_counts_at_the_touch(plans):
    """A plan filled in part teaches what its fill and one of the rest at the opposite touch of its end would teach the twin."""
    costs, twin = new_costs(1, [15 * 10**9] * 2), Residual(half_life=50.0, prior=20.0, most=50.0)
    for number, (side, filled_qty, bid_ticks, width_ticks) in enumerate(plans, 7):
        bid, ask = 100 * bid_ticks, 100 * (bid_ticks + width_ticks)
        entry(costs, number, side)
        if filled_qty:
            fill(costs, number, side, 1_000_100, filled_qty)
            twin.learn(1, side, 1_000_100, 1_000_000, 4.0, filled_qty / 100)
        end(costs, number, side, (bid, ask), filled_qty)
        if filled_qty < 100:
            twin.learn(1, side, ask if side > 0 else bid, 1_000_000, 4.0, (100 - filled_qty) / 100)

    assert pytest.approx(len(plans)) == costs.pool[0]["weight"]
    assert pytest.approx(twin.value(1), rel=1e-9, abs=1e-9) == residual_bps(0, 1, costs, PARAMS)


def test_the_rest_of_an_exit_and_what_nobody_can_price_teach_nothing():
    """An exit is tried again and judged when it fills; without a usable quote, or in the original form, nothing is learned."""
    costs = new_costs(1, [15 * 10**9] * 2)
    entry(costs)
    end(costs, 7, 1, (0, 1_000_300))
    end(costs, 7, 1, (1_000_100, 1_000_300), params=as_row(CostSettings()))
    end(costs, 99, 1, (1_000_100, 1_000_300))
    leave(costs, 8)
    end(costs, 8, -1, (1_000_100, 1_000_300))

    assert 0.0 == costs.pool[0]["weight"]


def test_an_exit_is_charged_to_the_horizon_of_its_entry_from_the_first_mid():
    """Leaving takes three decisions while the price runs away; the sale is judged from the mid of the first."""
    costs = new_costs(1, [15 * 10**9] * 2)
    entry(costs, mid2=2_020_000)
    for number, mid2 in ((8, 2_000_000), (9, 1_999_000), (10, 1_998_000)):
        leave(costs, number, mid2)
    fill(costs, 10, -1, 999_000)

    assert pytest.approx(20.0 - 4.0) == costs.residuals[0, 1]["mean_bps"]


def test_what_is_kept_for_later_is_judged_from_its_own_mid():
    """Half goes at 100.00, the rest at 101.00, each at the mid of its decision: two whole orders, 4 bps below what was said."""
    costs = new_costs(1, [15 * 10**9] * 2)
    entry(costs)
    leave(costs, 8, keep=50)
    fill(costs, 8, -1, 1_000_000, qty=50)
    leave(costs, 9, mid2=2_020_000, held=50)
    fill(costs, 9, -1, 1_010_000, qty=50)

    assert [-4.0, 2.0] == pytest.approx([costs.residuals[0, 1]["mean_bps"], costs.residuals[0, 1]["weight"]])


def test_a_late_fill_of_the_plan_before_still_counts():
    """A fill that comes after the next decision is judged against its own."""
    costs = new_costs(1, [15 * 10**9] * 2)
    entry(costs, 7, k=0)
    entry(costs, 8, k=1)
    fill(costs, 7, 1, 1_000_200)

    assert [1.0, 0.0] == costs.residuals[0]["weight"].tolist()


@pytest.mark.parametrize("change", [{"decision_id": 99}, {"order_id": 4}, {"params": as_row(CostSettings())}])
def test_strange_fills_teach_nothing(change):
    """A fill of an unknown decision, of another order, or in the original form leaves no trace."""
    costs = new_costs(1, [15 * 10**9] * 2)
    entry(costs)
    fill(costs, **{"decision_id": 7, "side": 1, "price": 1_000_500, **change})

    assert 0.0 == costs.pool[0]["weight"]


def test_an_exit_without_a_known_entry_teaches_nothing():
    """What is held from yesterday was decided by another run."""
    costs = new_costs(1, [15 * 10**9] * 2)
    leave(costs, 7)
    fill(costs, 7, -1, 999_000)

    assert 0.0 == costs.pool[0]["weight"]


def test_what_is_held_over_night_teaches_nothing():
    """A position whose exit of yesterday never filled is sold today: the mid of yesterday is no mid to judge that by."""
    pipeline = make_pipeline(1, StrategySettings(cost=CostSettings(mode="enhanced")))
    costs = pipeline.state.costs
    entry(costs)
    leave(costs, 8)
    start_day(pipeline.state, pipeline.desk.clock)
    leave(costs, 9, mid2=1_800_000)
    fill(costs, 9, -1, 900_000)

    assert 0.0 == costs.pool[0]["weight"]


@pytest.mark.parametrize("form", ["original", "enhanced"])
def test_the_pipeline_learns_from_an_entry_that_never_filled(form):
    """An entry is cancelled at its end after the price ran up by 10 bps: it counts as bought at the ask of that moment."""
    settings = StrategySettings(cost=CostSettings(mode="enhanced"), planner=PlannerSettings(mode=form))
    pipeline = make_pipeline(1, settings)
    start = OPEN + 14 * MINUTE
    rows = [*warm_quotes(1), quote(start, 0, 10**6, 10**6 + 200), forecast(start + MINUTE, 0, 5, 40.0)]
    requests, decisions = run(pipeline, [*rows, clock_event(start + MINUTE + SECOND)])
    number, first, at = int(requests[0]["order_id"]), decisions[-1], start + MINUTE + 2 * SECOND
    after = [answer("ACK", at, 0, number), quote(at + 1, 0, 1_001_000, 1_001_200), clock_event(at + MINUTE // 2)]
    asked, _ = run(pipeline, after)
    run(pipeline, [answer("CANCELLED", at + MINUTE // 2 + 1, 0, number)])
    said = sum(first[f"cost_{part}_bps"] for part in ("spread", "vol", "impact"))
    cell = pipeline.state.costs.residuals[0, 0]

    assert Action.CANCEL == asked["action"][-1]
    assert [1.0, 2e4 * 1_100 / 1_000_100 - said] == pytest.approx([cell["weight"], cell["mean_bps"]])


@given(st.floats(-45.0, 45.0))
def test_cost_comes_to_what_fills_really_cost(surprise):
    """Where every fill costs `surprise` more than said, the residual approaches it; it never oversteps."""
    model = CostModel(mode="enhanced", residual_half_life=1e6, residual_prior=1.0)
    for _ in range(300):
        model.learn(1, 1000.0 * (1 + (60.0 + surprise) / 20_000), 1000.0, 60.0)
    residual = model.split(60.0, 3.0, 5, qty=100, mid_usd=50.0)["residual"]

    assert pytest.approx(surprise, abs=0.1) == residual
    assert abs(residual) <= abs(surprise) + 0.02


def test_one_broken_print_is_not_believed():
    """A fill 10 % off moves the residual by no more than the largest surprise that is believed."""
    model = CostModel(mode="enhanced")
    model.learn(1, 110.0, 100.0, 0.0)

    assert 0.0 < model.split(1.0, 3.0, 5, qty=100, mid_usd=50.0)["residual"] <= 50.0


def test_the_pipeline_learns_from_its_own_fills():
    """An entry at the mid, then an exit that crosses: both are charged to the horizon entered, and the next decision says so."""
    settings = StrategySettings(cost=CostSettings(mode="enhanced", fee_min_usd=0.0))
    pipeline = make_pipeline(1, settings)
    start = OPEN + 14 * MINUTE
    rows = [*warm_quotes(1), quote(start, 0, 10**6, 10**6 + 200), forecast(start + MINUTE, 0, 5, 40.0)]
    requests, decisions = run(pipeline, [*rows, clock_event(start + MINUTE + SECOND)])
    first = decisions[-1]
    order_id, qty = int(requests[0]["order_id"]), int(requests[0]["qty"])
    run(pipeline, [answer("FILL", start + MINUTE + 2 * SECOND, 0, order_id, 10**6 + 300, qty)])
    said = sum(first[f"cost_{part}_bps"] for part in ("spread", "vol", "impact"))

    assert Reason.TARGET_SET == first["reason"]
    assert 1.0 == pipeline.state.costs.residuals[0, 0]["weight"]
    assert pytest.approx(2 * 1e4 * 200 / 1_000_100 - said) == pipeline.state.costs.residuals[0, 0]["mean_bps"]
    at = start + 7 * MINUTE
    requests, _ = run(pipeline, [quote(at - SECOND, 0, 10**6, 10**6 + 200), clock_event(at)])
    order_id = int(requests[-1]["order_id"])
    run(pipeline, [answer("FILL", at + SECOND, 0, order_id, 10**6, qty), quote(at + MINUTE, 0, 10**6, 10**6 + 200)])
    at += 9 * MINUTE
    rows = [forecast(at, 0, 5, 40.0), quote(at, 0, 10**6, 10**6 + 200), clock_event(at + SECOND)]
    _, decisions = run(pipeline, rows)

    assert 2.0 == pipeline.state.costs.residuals[0, 0]["weight"]
    assert 0.0 == first["cost_residual_bps"] != decisions[-1]["cost_residual_bps"]
    assert residual_bps(0, 0, pipeline.state.costs, as_row(settings.cost)) == decisions[-1]["cost_residual_bps"]
