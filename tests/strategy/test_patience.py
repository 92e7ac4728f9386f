"""Patience: the working time of an entry that its forecast runs away from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from replay.desk import BOOK
from replay.settings import as_row
from strategy.patience import patient_ns
from strategy.planner import ExecutionPlanner, PlannerSettings

S = 1_000_000_000
starts = st.sampled_from(["mid", "touch", "midprice"])
drifts = st.floats(-50.0, 50.0)


def wait_ns(side, drift, spread_ticks=2, work_ns=60 * S, **changes):
    """Return the working time at a mid of about 10 dollars."""
    row = np.zeros(1, BOOK)
    row["bid"], row["ask"], row["tick"] = 100_000 - 50 * spread_ticks, 100_000 + 50 * spread_ticks, 100
    return patient_ns(side, work_ns, drift, row[0], as_row(PlannerSettings(**changes)))


@pytest.mark.parametrize(
    ("drift", "expected_s"),
    [
        (2.5, 60),  # a quarter of 10 bps is a minute's way
        (5.0, 30),
        (25.0, 6),
        (500.0, 2),  # never below the least
        (0.0, 60),
        (-25.0, 60),
    ],
)
def test_a_fast_forecast_leaves_less_time(drift, expected_s):
    """An entry waits until its forecast has moved by a quarter of what a start at the mid saves, here one cent of ten dollars."""
    assert expected_s * S == pytest.approx(wait_ns(1, drift), abs=1)
    assert expected_s * S == pytest.approx(wait_ns(-1, -drift), abs=1)


def test_a_spread_of_one_tick_and_a_start_at_the_touch_save_the_whole_spread():
    """Waiting at the own touch saves the spread, at a mid between two ticks half of it, at one that is rounded more."""
    assert [12, 12, 12, 24] == [
        round(wait_ns(1, 12.5, spread_ticks, start=start) / S)
        for spread_ticks, start in ((1, "mid"), (1, "midprice"), (2, "mid"), (2, "touch"))
    ]


@given(st.sampled_from([1, -1]), drifts, drifts, st.integers(0, 20), st.integers(1, 90), starts)
@hypothesis_settings(max_examples=200, deadline=None)
def test_the_working_time_is_only_ever_cut(side, one, other, spread_ticks, work_s, start):
    """It never grows, never falls below the least or the working time, and a faster forecast never gets more of it."""
    slow, fast = sorted((side * one, side * other))
    times = [wait_ns(side, side * drift, spread_ticks, work_s * S, start=start) for drift in (slow, fast)]

    assert times[0] >= times[1] >= min(2 * S, work_s * S)
    assert work_s * S >= times[0]
    assert work_s * S == wait_ns(side, one, spread_ticks, work_s * S, start=start, patience=0.0)


def test_a_plan_ends_when_patience_does():
    """An entry whose forecast runs 25 bps a minute crosses within six seconds and ends there; one without a drift has 15 s."""
    ends = []
    for drift in (25.0, 0.0):
        planner = ExecutionPlanner(["A"], mode="enhanced", first_share=1.0)
        planner.quote("A", 9.99, 10.01, bid_qty=500, ask_qty=500)
        asked = planner.set_target(0, "A", 100, drift_bps_per_min=drift)
        ends.append(asked[0].work_ns)

    assert [6 * S, 15 * S] == pytest.approx(ends, abs=1)
