"""Records that wait for their outcome."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.desk import NEVER
from strategy.decision import LEG
from strategy.outcomes import (
    due_column,
    is_new,
    keep,
    new_outcomes,
    oldest_slot,
    outcome_bps,
    release,
    waiting_count,
)
from tests.naive.outcomes import Outcomes

MINUTE_NS = 60_000_000_000
HORIZONS = (1, 2, 5)
CLOSE_NS = 30 * MINUTE_NS


def leg(k, forecast_id=1):
    row = np.zeros(1, LEG)
    row["horizon_min"], row["forecast_id"], row["mu_bps"], row["sigma_bps"], row["cost_bps"] = HORIZONS[k], forecast_id, 2, 5, 3
    return row[0]


def mature(now_ns, mid2, outcomes):
    """Take out everything that is due, as the pipeline does."""
    found = []
    while (k := due_column(0, now_ns, outcomes)) >= 0:
        record = outcomes.records[0, k, oldest_slot(0, k, outcomes)]
        found.append((int(record["forecast_id"]), float(outcome_bps(0, k, mid2, outcomes)), int(waiting_count(0, k, outcomes))))
        release(0, k, outcomes)
    return found


def test_an_outcome_is_the_move_of_the_mid_over_its_horizon():
    """From a mid of 100.00 to one of 100.10 in five minutes is ten basis points, by hand."""
    outcomes = new_outcomes(1, 3, 8)
    keep(0, 2, leg(2), 0, 2_000_000, CLOSE_NS, outcomes)

    assert [] == mature(5 * MINUTE_NS, 2_002_000, outcomes)
    assert [(1, 10.0, 1)] == mature(5 * MINUTE_NS + 1, 2_002_000, outcomes)


def test_a_label_that_would_cross_the_close_is_never_made():
    """A five-minute forecast one minute before the close is dropped and counted."""
    outcomes = new_outcomes(1, 3, 8)

    assert -1 == keep(0, 2, leg(2), CLOSE_NS - MINUTE_NS, 2_000_000, CLOSE_NS, outcomes)
    assert 1 == outcomes.queues[0, 2]["dropped_count"]
    assert NEVER == outcomes.due_ns[0]


def test_a_forecast_is_kept_once():
    """The forecast that was kept last is not new; the next one is."""
    outcomes = new_outcomes(1, 3, 8)
    keep(0, 0, leg(0, 7), 0, 2_000_000, CLOSE_NS, outcomes)

    assert (False, True) == (is_new(0, 0, 7, outcomes), is_new(0, 0, 8, outcomes))


steps = st.lists(
    st.tuples(st.integers(0, 90), st.sampled_from([0, 1_999_000, 2_000_000, 2_000_100]), st.sampled_from([-1, 0, 1, 2])),
    max_size=60,
)


@pytest.mark.jit_off
@given(steps, st.integers(1, 4))
def test_outcomes_equal_the_plain_twin(steps, slots):
    """Kept, dropped and matured in any order: the same forecasts, outcomes and overlaps as the twin's."""
    ours, naive = new_outcomes(1, 3, slots), Outcomes(HORIZONS, slots, CLOSE_NS)
    now_ns = 0
    for forecast_id, (gap_s, mid2, k) in enumerate(steps):
        now_ns += gap_s * 1_000_000_000
        expected, actual = naive.mature(now_ns, mid2), mature(now_ns, mid2, ours)
        assert [(i, w) for i, _, w in expected] == [(i, w) for i, _, w in actual]
        assert all(a == b or (math.isnan(a) and math.isnan(b)) for (_, a, _), (_, b, _) in zip(expected, actual, strict=True))
        if k >= 0:
            naive.keep(k, forecast_id, now_ns, mid2)
            keep(0, k, leg(k, forecast_id), now_ns, mid2, CLOSE_NS, ours)

    assert naive.dropped == ours.queues["dropped_count"][0].tolist()
