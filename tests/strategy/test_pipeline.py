"""The joined pipeline, end to end on tiny streams."""

import copy
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from replay.errors import CapacityError, ConfigError
from replay.orders import Action
from strategy.decision import CYCLE, DECISION, Component, Reason
from strategy.own_loop import DecisionPipeline
from strategy.pipeline import StrategySettings, build_state
from strategy.planner import PlannerSettings
from strategy.rebalance import RebalanceSettings
from tests.strategy.pipeline_world import (
    MINUTE,
    OPEN,
    SECOND,
    answer,
    clock_event,
    forecast,
    make_desk,
    make_pipeline,
    pack,
    quote,
    run,
    warm_quotes,
)

ROOT = Path(__file__).resolve().parents[2]
T = OPEN + 15 * MINUTE
ANY_TIME = StrategySettings(rebalance=RebalanceSettings(mode="off"))


def entered(pipeline, mu_bps=25.0, horizon_min=5):
    """Bring a pipeline to its first order (symbol 0, in the second after T) and return it."""
    rows = [
        *warm_quotes(2),
        quote(T, 0, 1_000_000, 1_000_200),
        forecast(T + SECOND, 0, horizon_min, mu_bps),
        clock_event(T + 2 * SECOND),
    ]
    requests, decisions = run(pipeline, rows)
    return requests, decisions


def filled(pipeline, mu_bps=25.0):
    """Enter and fill; return the order's quantity."""
    requests, _ = entered(pipeline, mu_bps)
    order = requests[0]
    at = T + 3 * SECOND
    run(pipeline, [answer("ACK", at, 0, 1), answer("FILL", at + 1, 0, 1, int(order["price"]), int(order["qty"]))])
    return int(order["qty"]) * int(order["side"])


def reasons(decisions):
    return [Reason(int(row["reason"])).name for row in decisions]


@pytest.mark.parametrize(("mu_bps", "side", "price"), [(25.0, 1, 1_000_100), (-25.0, -1, 1_000_100)])
def test_a_clear_forecast_becomes_one_limit_at_mid(mu_bps, side, price):
    """A forecast above threshold, cost and reserve sends one limit order, tagged with plan and decision."""
    requests, decisions = entered(make_pipeline(), mu_bps)

    assert ["TARGET_SET"] == reasons(decisions)
    assert [(Action.NEW, side, price, 1, 1)] == [
        tuple(int(row[f]) for f in ("action", "side", "price", "parent_id", "decision_id")) for row in requests
    ]
    assert decisions[0]["target_qty"] == side * requests[0]["qty"]
    assert T + SECOND + 1 == decisions[0]["ts_ns"]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([forecast(T + 1, 0, 5, 1.0)], "GATE_COST"),
        ([forecast(T + 1, 0, 5, float("nan"))], "FORECAST_NAN"),
        ([forecast(T + 1, 0, 7, 25.0)], "UNKNOWN_HORIZON"),
        ([quote(T + 1, 0, 1_000_000, 1_000_100, 0, 5), forecast(T + 2, 0, 5, 25.0)], "NO_QUOTE"),
        ([quote(T + 1, 0, 1_000_200, 1_000_100), forecast(T + 2, 0, 5, 25.0)], "QUOTE_CROSSED"),
        ([("STATUS", T + 1, 0, {"code": 1}), forecast(T + 2, 0, 5, 25.0)], "HALTED"),
        ([quote(T + 1, 0, 1_000_000, 1_004_000), forecast(T + 2, 0, 5, 25.0)], "ARBITER_RESERVE"),
        ([forecast(T + 2 * MINUTE, 0, 5, 25.0)], "NOT_REBALANCE_TIME"),
        ([forecast(OPEN + 386 * MINUTE, 0, 5, 25.0)], "OUTSIDE_HOURS"),
        ([forecast(OPEN + 391 * MINUTE, 0, 5, 25.0)], "OUTSIDE_HOURS"),
    ],
)
def test_each_refusal_has_its_reason(rows, reason):
    """A refused decision is journalled with the reason of the step that refused, and sends nothing."""
    pipeline = make_pipeline()
    requests, decisions = run(pipeline, [*warm_quotes(2), *rows, clock_event(rows[-1][1] + SECOND)])

    assert [reason] == reasons(decisions)
    assert 0 == len(requests)
    errors = {"FORECAST_NAN", "UNKNOWN_HORIZON"}
    assert (1 << Component.FORECASTS if reason in errors else 0) == decisions[0]["status"]
    assert (reason in errors) == (pipeline.cycles[0]["n_errors"] == 1)


def test_cycles_keep_their_distance():
    """Forecasts in a burst lead to one cycle at once and one a second later."""
    rows = [*warm_quotes(1), *(forecast(T + k * SECOND // 10, 0, 5, 1.0) for k in range(5)), clock_event(T + 5 * SECOND)]
    _, decisions = run(make_pipeline(1), rows)

    assert [T + 1, T + SECOND + 1] == decisions["ts_ns"].tolist()


def test_the_horizon_ends_the_trade():
    """A filled position is closed at the end of its horizon with a marketable limit at the opposite touch."""
    pipeline = make_pipeline()
    qty = filled(pipeline)
    requests, decisions = run(pipeline, [clock_event(T + SECOND + 5 * MINUTE), clock_event(T + SECOND + 5 * MINUTE + 1)])

    assert ["EXIT_HORIZON"] == reasons(decisions)
    assert [(-1, qty, 1_000_000)] == [tuple(int(row[f]) for f in ("side", "qty", "price")) for row in requests]


@pytest.mark.parametrize("bid", [998_000, 997_900])
def test_the_stop_ends_the_trade(bid):
    """A quote at or through the stop closes the position at once; the stop lies one sigma (20 bps) away."""
    pipeline = make_pipeline()
    filled(pipeline)
    at = T + MINUTE
    requests, decisions = run(pipeline, [quote(at - 1, 0, 998_100, 998_300), quote(at + SECOND, 0, bid, bid + 200)])

    assert ["EXIT_STOP"] == reasons(decisions)
    assert at + SECOND == decisions[0]["ts_ns"]
    assert bid == requests[0]["price"]


def test_positions_are_closed_before_the_close():
    """Five minutes before the close whatever is held goes, and what fails is tried again."""
    pipeline = make_pipeline(close_min=23)
    filled(pipeline, 25.0)
    requests, decisions = run(pipeline, [clock_event(OPEN + 18 * MINUTE)])

    assert ["EXIT_FLAT_BEFORE_CLOSE"] == reasons(decisions)
    assert 1 == len(requests)


def test_the_opposite_gate_ends_the_trade():
    """A forecast that opens the gate the other way closes the position, rebalance time or not."""
    pipeline = make_pipeline()
    filled(pipeline)
    _, decisions = run(pipeline, [forecast(T + MINUTE, 0, 5, -25.0), clock_event(T + 2 * MINUTE)])

    assert "EXIT_OPPOSITE" == reasons(decisions)[0]


def test_an_unfinished_exit_is_tried_again():
    """An exit that ends unfilled starts again; one that runs is left alone."""
    pipeline = make_pipeline()
    filled(pipeline)
    end = T + SECOND + 5 * MINUTE + 1
    requests, _ = run(pipeline, [clock_event(end), clock_event(end + 5 * SECOND)])
    assert [Action.NEW] == requests["action"].tolist()
    run(pipeline, [answer("CANCELLED", end + 6 * SECOND, 0, 2)])
    requests, decisions = run(pipeline, [clock_event(end + 8 * SECOND)])

    assert ["EXIT_HORIZON"] == reasons(decisions)
    assert [Action.NEW] == requests["action"].tolist()


@given(st.lists(st.integers(1, 200), max_size=12))
@hypothesis_settings(max_examples=15)
def test_cutting_the_stream_changes_nothing(cuts):
    """Any block sizes give the same requests, decisions and cycles as one block."""
    rows = busy_day()
    whole = make_pipeline(3, ANY_TIME)
    run(whole, rows)
    pieces, pipeline, at = [], make_pipeline(3, ANY_TIME), 0
    for size in [*cuts, len(rows)]:
        pipeline.process(*pack(rows[at : at + size]))
        pieces.append((pipeline.decisions, pipeline.cycles))
        at += size

    assert whole.decisions["ts_ns"].tolist() == np.concatenate([p[0] for p in pieces])["ts_ns"].tolist()
    assert whole.decisions["reason"].tobytes() == np.concatenate([p[0] for p in pieces])["reason"].tobytes()
    assert whole.cycles.tobytes() == np.concatenate([p[1] for p in pieces]).tobytes()
    assert state_bytes(whole) == state_bytes(pipeline, skip_rows=True)


def busy_day(n_symbols=3):
    """Quotes of all symbols, forecasts of the first two in turn, and fills of whatever is first sent."""
    rows = warm_quotes(n_symbols, minutes=20)
    for k in range(12):
        rows.append(forecast(T + k * 13 * SECOND + 7, k % 2, 5, 25.0 * (-1) ** (k // 3)))
    for order_id in (1, 2, 3, 5):
        at = T + order_id * 11 * SECOND
        rows += [
            answer("ACK", at, (order_id - 1) % 2, order_id),
            answer("PARTIAL", at + 5, (order_id - 1) % 2, order_id, 1_000_000, 7, 9),
        ]
    return sorted(rows, key=lambda row: row[1])


def arrays(value):
    for part in value:
        if isinstance(part, np.ndarray):
            yield part
        else:
            yield from arrays(part)


def state_bytes(pipeline, skip_rows=False):
    """Return the pipeline's own state and the desk's books; rows of journals and scratch that were emptied are not wiped."""
    state, desk = pipeline.state, pipeline.desk
    kept = state._replace(
        legs=state.legs[:0], decision=state.decision[:0], metrics=state.metrics[:0], forecasts=state.forecasts.copy()
    )
    kept.forecasts["forecast_id"] = 0
    own = [desk.clock, desk.book, desk.n_orders, desk.positions]
    return b"".join(part.tobytes() for part in [*arrays(kept), *own])


def test_a_symbol_without_forecasts_changes_nothing():
    """The decisions and orders of two symbols are the same with a silent third beside them."""
    rows = busy_day()
    alone, together = make_pipeline(2, ANY_TIME), make_pipeline(3, ANY_TIME)
    without, _ = run(alone, [row for row in rows if row[2] < 2])
    with_third, _ = run(together, rows)

    assert without.tobytes() == with_third.tobytes()
    assert reasons(alone.decisions) == reasons(together.decisions)


@pytest.mark.parametrize("cut", [40, 300, 365])
def test_a_snapshot_restores_exactly(cut):
    """A copy of all arrays in mid-stream goes on as the original does."""
    rows = busy_day()
    first = make_pipeline(3, ANY_TIME)
    run(first, rows[:cut])
    second = make_pipeline(3, ANY_TIME)
    for source, target in ((first.state, second.state), (first.desk, second.desk)):
        for old, new in zip(arrays(source), arrays(target), strict=True):
            new[...] = old
    run(first, rows[cut:])
    run(second, rows[cut:])

    assert first.decisions.tobytes() == second.decisions.tobytes()
    assert state_bytes(first) == state_bytes(second)


@pytest.mark.parametrize("dtype", [DECISION, CYCLE], ids=["DECISION", "CYCLE"])
def test_rows_of_the_journal_have_no_gaps(dtype):
    """Every byte of a journalled row belongs to a field: a digest over gaps would hash whatever lay in memory."""
    assert dtype.itemsize == sum(dtype[name].itemsize for name in dtype.names)


def test_a_small_desk_is_refused():
    """A desk that cannot hold one wake is refused with the numbers it needs."""
    with pytest.raises(CapacityError, match="at least 6 decisions"):
        DecisionPipeline(make_desk(3, rows=5), build_state(StrategySettings(), 3))


def test_unpaired_working_times_are_refused():
    """Working times that do not pair with horizons are a configuration error."""
    with pytest.raises(ConfigError, match="must pair up, got 2 and 1"):
        build_state(StrategySettings(planner=PlannerSettings(horizons_min=(5, 10), work_ns=(1,))), 1)


def test_cancels_pass_an_empty_budget():
    """The end of a plan is cancelled whatever the budget says, and the copy of an old state is not touched by it."""
    pipeline = make_pipeline()
    entered(pipeline)
    before = copy.deepcopy(pipeline.state.budget)
    pipeline.state.budget["head"] = 60
    pipeline.state.budget["stamps_ns"] = T + 10 * SECOND
    requests, _ = run(pipeline, [answer("ACK", T + 3 * SECOND, 0, 1), clock_event(T + 17 * SECOND)])

    assert [Action.CANCEL] == requests["action"].tolist()
    assert 0 == before[0]["cancel_count"]


DIGEST = """
import hashlib
from tests.strategy.test_pipeline import ANY_TIME, busy_day, make_pipeline, run, state_bytes
pipeline = make_pipeline(3, ANY_TIME)
requests, decisions = run(pipeline, busy_day())
print(hashlib.sha256(requests.tobytes() + decisions.tobytes() + pipeline.cycles.tobytes() + state_bytes(pipeline)).hexdigest())
"""


def test_compiled_and_interpreted_decide_alike():
    """With the JIT on and off the same stream gives the same bits: requests, decisions, cycles and state."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env={**os.environ, "NUMBA_DISABLE_JIT": is_off},
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        ).stdout.strip()
        for is_off in ("0", "1")
    }

    assert 1 == len(digests)
