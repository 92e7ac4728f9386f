"""The enhanced planner and budget inside the joined pipeline."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.orders import Action
from strategy.budget import BudgetSettings
from strategy.coalesce import lasting_ns
from strategy.pipeline import StrategySettings
from strategy.planner import PlannerSettings
from strategy.rebalance import RebalanceSettings
from tests.strategy.pipeline_world import (
    MINUTE,
    SECOND,
    answer,
    clock_event,
    forecast,
    make_pipeline,
    pack,
    quote,
    run,
    trade,
    warm_quotes,
)
from tests.strategy.test_pipeline import T, arrays, busy_day, entered, filled, reasons, state_bytes

ROOT = Path(__file__).resolve().parents[2]
ENHANCED = StrategySettings(
    planner=PlannerSettings(mode="enhanced", fee_min_usd=0.0, coalesce_below=40, patience=1.2),  # cuts 15 s to 14.4
    budget=BudgetSettings(mode="enhanced", messages_per_min=20),
    rebalance=RebalanceSettings(mode="off"),
)


def market_day():
    """Return a busy day with prints and quotes that move the estimate of our place in the queue."""
    rows = busy_day()
    for k in range(60):
        at = T + k * 3 * SECOND + 11
        rows += [quote(at, k % 2, 1_000_000, 1_000_300, 300 - k), trade(at + 1, k % 2, 1_000_100, 10 + k)]
    return sorted(rows, key=lambda row: row[1])


def test_one_by_one_equals_batch():
    """Events given one at a time lead to the same requests, decisions and state as all at once."""
    rows = market_day()
    whole, single = make_pipeline(3, ENHANCED), make_pipeline(3, ENHANCED)
    together, _ = run(whole, rows)
    parts = [single.process(*pack([row])) for row in rows]

    assert len(together) > 4
    assert together.tobytes() == b"".join(part.tobytes() for part in parts)
    assert state_bytes(whole) == state_bytes(single, skip_rows=True)


@pytest.mark.parametrize("cut", [130, 200, 300])
def test_a_snapshot_restores_exactly(cut):
    """A copy of all arrays in mid-plan goes on as the original does."""
    rows = market_day()
    first, second = make_pipeline(3, ENHANCED), make_pipeline(3, ENHANCED)
    run(first, rows[:cut])
    for source, target in ((first.state, second.state), (first.desk, second.desk)):
        for old, new in zip(arrays(source), arrays(target), strict=True):
            new[...] = old
    left, right = run(first, rows[cut:])[0], run(second, rows[cut:])[0]

    assert left.tobytes() == right.tobytes()
    assert state_bytes(first) == state_bytes(second)


def test_a_symbol_without_forecasts_changes_nothing():
    """The requests of two symbols are the same with a silent third beside them."""
    rows = market_day()
    without, _ = run(make_pipeline(2, ENHANCED), [row for row in rows if row[2] < 2])
    beside, _ = run(make_pipeline(3, ENHANCED), rows)

    assert without.tobytes() == beside.tobytes()


def test_orders_carry_the_estimate_of_their_place():
    """The desk's order says how many shares we believe ahead: all that is displayed when the mid is the touch."""
    pipeline = make_pipeline(2, ENHANCED)
    requests, _ = entered(pipeline)
    touch = quote(T + 3 * SECOND, 0, int(requests[0]["price"]), 1_000_200, 400)
    run(pipeline, [touch, answer("ACK", T + 3 * SECOND + 1, 0, 1), trade(T + 4 * SECOND, 0, int(requests[0]["price"]), 150)])

    assert 250 == pipeline.desk.orders[0, 0]["ahead_qty"]


def test_a_patient_exit_becomes_urgent_with_the_stop():
    """An exit by horizon waits at the mid; when the stop is hit meanwhile its child is moved to the opposite touch."""
    pipeline = make_pipeline(2, replace(ENHANCED, planner=replace(ENHANCED.planner, first_share=1.0)))
    filled_qty = filled(pipeline)
    at = T + SECOND + 1 + 5 * MINUTE
    requests, decisions = run(pipeline, [quote(at - SECOND, 0, 1_000_000, 1_000_600), clock_event(at + 1)])
    order = requests[-1]
    moved, hurried = run(
        pipeline,
        [
            answer("ACK", at + 2, 0, int(order["order_id"])),
            quote(at + 2 * SECOND, 0, 900_000, 900_600),
            clock_event(at + 4 * SECOND),
        ],
    )

    assert filled_qty > 0
    assert ["EXIT_HORIZON"] == reasons(decisions)
    assert ("EXIT_STOP", Action.MODIFY) == (reasons(hurried)[0], int(moved[0]["action"]))


def leaving():
    """Return a pipeline that holds a long whose horizon is over and whose exit waits at the mid, and the exit's order id."""
    pipeline = make_pipeline(2, replace(ENHANCED, planner=replace(ENHANCED.planner, first_share=1.0)))
    filled(pipeline)
    at = T + SECOND + 1 + 5 * MINUTE
    requests, _ = run(pipeline, [quote(at - SECOND, 0, 1_000_000, 1_000_600), clock_event(at + 1)])
    order_id = int(requests[-1]["order_id"])
    run(pipeline, [answer("ACK", at + 2, 0, order_id)])
    return pipeline, at, order_id


def test_an_exit_that_waits_turns_with_a_signal_for_the_other_side():
    """A short signal during a patient exit is netted into it: the plan sells what is held and what is to be short."""
    pipeline, at, _ = leaving()
    held_qty = int(pipeline.desk.positions[0]["qty"])
    requests, decisions = run(pipeline, [forecast(at + SECOND, 0, 5, -25.0), clock_event(at + 2 * SECOND)])
    plan = pipeline.state.planner.plans[0]

    assert (["TARGET_SET"], 0) == (reasons(decisions), len(requests))
    assert (held_qty - int(decisions[0]["target_qty"]), 0) == (int(plan["qty"]), int(plan["is_exit"]))


def test_an_exit_that_waits_is_given_up_for_a_signal_of_its_own_side():
    """A long signal during the patient exit of a long cancels it, and the position gets the new horizon."""
    pipeline, at, _ = leaving()
    requests, decisions = run(pipeline, [forecast(at + SECOND, 0, 5, 25.0), clock_event(at + 2 * SECOND)])

    assert (["TARGET_SET"], [Action.CANCEL]) == (reasons(decisions), requests["action"].tolist())
    assert at + SECOND + 1 + 5 * MINUTE == pipeline.state.trades[0]["horizon_end_ns"]


@pytest.mark.parametrize(("later", "symbols"), [([], [1]), ([forecast(T + 40 * SECOND, 1, 5, 0.5)], [])])
def test_an_entry_that_waits_is_dropped_when_the_latest_decision_wants_none(later, symbols):
    """With two messages a minute the second entry waits for minutes and starts; a forecast without edge meanwhile drops it."""
    pipeline = make_pipeline(2, replace(ENHANCED, budget=BudgetSettings(mode="enhanced", messages_per_min=2)))
    rows = [*warm_quotes(2), forecast(T, 0, 5, 25.0), forecast(T, 1, 5, 20.0), clock_event(T + SECOND)]
    first, decisions = run(pipeline, rows)
    at = T + 2 * SECOND
    rows = [*later, clock_event(T + 50 * SECOND), *(clock_event(T + minute * MINUTE) for minute in range(1, 5))]
    requests, _ = run(pipeline, [answer("REJECTED", at, 0, int(first[0]["order_id"])), *rows])

    assert (["TARGET_SET", "TARGET_SET"], [0]) == (reasons(decisions), first["symbol"].tolist())
    assert symbols == requests["symbol"][requests["action"] == Action.NEW].tolist()


@given(st.floats(0.01, 50.0), st.floats(-1.0, 50.0), st.integers(1, 60))
def test_an_edge_lasts_until_what_is_left_of_it_is_its_cost(net_bps, cost_bps, horizon_min):
    """At the end of `lasting_ns` the part of the gross edge that is still to come equals the cost; without an edge it is over."""
    horizon_ns = horizon_min * MINUTE
    left_bps = (net_bps + max(cost_bps, 0.0)) * (1.0 - lasting_ns(net_bps, cost_bps, horizon_ns) / horizon_ns)

    assert max(cost_bps, 0.0) == pytest.approx(left_bps, abs=1e-6)
    assert [0, 0, 0] == [lasting_ns(net, cost_bps, horizon_ns) for net in (0.0, -net_bps, float("nan"))]


DIGEST = """
import hashlib
from tests.strategy.test_pipeline_planner import ENHANCED, market_day, make_pipeline, run, state_bytes
pipeline = make_pipeline(3, ENHANCED)
requests, decisions = run(pipeline, market_day())
print(hashlib.sha256(requests.tobytes() + decisions.tobytes() + pipeline.cycles.tobytes() + state_bytes(pipeline)).hexdigest())
"""


def test_compiled_and_interpreted_decide_alike():
    """With the JIT on and off the same stream gives the same bits: requests, decisions, cycles and state."""
    environments = [{**os.environ, "NUMBA_DISABLE_JIT": is_off} for is_off in ("0", "1")]
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST], env=env, capture_output=True, text=True, check=True, cwd=ROOT
        ).stdout.strip()
        for env in environments
    }

    assert 1 == len(digests)
