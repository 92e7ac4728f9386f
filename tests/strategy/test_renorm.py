"""Renormalisation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.desk import CLOCK, POSITION
from replay.settings import as_row
from strategy.decision import Reason
from strategy.renorm import Renormaliser, RenormSettings, fit_portfolio, normalise, weight_sum
from tests.naive import renorm as naive
from tests.naive.added import added
from tests.strategy.desks import edges, make_book, make_decision, make_legs

weights_of = st.lists(st.one_of(st.floats(0.0, 1.0), edges), min_size=1, max_size=8)


def normalised(weights, mode="original"):
    decision = make_decision()
    decision[0]["weights"][: len(weights)] = weights
    legs = make_legs([(5, 0.0, 1.0, 0.0, 0)] * len(weights))
    return Reason(normalise(legs, len(weights), decision, as_row(RenormSettings(mode=mode)))), decision


@pytest.mark.jit_off
@given(weights_of)
def test_abnormal_weights_are_refused_as_the_twin_says(weights):
    """NaN, infinite and negative weights never pass; all others do, unchanged."""
    reason, decision = normalised(weights)

    assert (Reason.TARGET_SET if naive.is_normal(weights) else Reason.WEIGHTS_ABNORMAL) == reason
    assert pytest.approx(weights, nan_ok=True) == decision[0]["weights"][: len(weights)].tolist()


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8))
def test_the_sum_is_reported(weights):
    """`weight_sum` adds in the order of the horizons."""
    assert added(weights) == weight_sum(normalised(weights)[1], len(weights))


def test_off_does_not_look():
    """Without the check even NaN passes."""
    assert Reason.TARGET_SET == normalised([float("nan")], mode="off")[0]


@pytest.mark.jit_off
@given(weights_of, st.lists(st.booleans(), min_size=8, max_size=8))
def test_survivors_share_what_is_left(weights, alive):
    """Weights of living horizons, as the twin says, are not negative and sum to one, whatever is NaN; or there are none."""
    found = Renormaliser().horizons(weights, alive[: len(weights)])

    assert pytest.approx(naive.horizons(weights, alive[: len(weights)])) == found
    assert all(weight >= 0.0 for weight in found)
    assert sum(found) == 0.0 or pytest.approx(1.0, abs=1e-12) == sum(found)


@given(weights_of)
def test_enhanced_refuses_weights_that_do_not_add_up(weights):
    """What reaches the target has a sum of one, to a billionth."""
    expected = naive.is_normal(weights) and abs(math.fsum(weights) - 1.0) <= 1e-9

    assert (Reason.TARGET_SET if expected else Reason.WEIGHTS_ABNORMAL) == normalised(weights, mode="enhanced")[0]


@pytest.mark.jit_off
@given(st.lists(st.tuples(st.one_of(st.floats(-3.0, 3.0), edges), st.floats(0.0, 1.0)), max_size=12), st.floats(0.1, 2.0))
def test_weights_and_cash_are_one_and_caps_hold(rows, gross_max):
    """Names and cash sum to one, no cap is exceeded, the gross stays within its limit, no sign changes; NaN is no position."""
    weights, caps = [row[0] for row in rows], [row[1] for row in rows]
    found = Renormaliser(gross_max=gross_max).portfolio(weights, caps)
    expected = naive.portfolio(weights, caps, gross_max)

    assert (pytest.approx(expected[0], abs=1e-12), pytest.approx(expected[1], abs=1e-12)) == (found.weights, found.cash)
    assert pytest.approx(1.0, abs=1e-12) == sum(found.weights) + found.cash
    assert all(abs(weight) <= cap for weight, cap in zip(found.weights, caps, strict=True))
    assert sum(map(abs, found.weights)) <= gross_max * (1.0 + 1e-12)


@pytest.mark.jit_off
@given(st.integers(-3_000, 3_000), st.lists(st.integers(-4_000, 4_000), min_size=2, max_size=2), st.sampled_from([1, 100]))
def test_a_target_takes_the_room_that_the_others_leave(target, others, lot):
    """A target is cut to equity less the other positions, in whole lots, and never grows or changes its side."""
    book = np.concatenate([make_book(lot=lot)] * 3)
    positions, clock = np.zeros(3, POSITION), np.zeros(1, CLOCK)
    positions["qty"][1:], clock["scale"] = others, 10_000
    target = target // lot * lot
    decision = make_decision(target_qty=target)
    mid = 200_100 / 20_000
    reason = fit_portfolio(0, decision, book, positions, clock, as_row(RenormSettings(mode="enhanced")), 50_000.0)
    expected = naive.room(target, mid, lot, [qty * mid for qty in others], 50_000.0, 1.0)

    assert expected == decision[0]["target_qty"]
    assert (Reason.RISK_ZERO_SIZE if expected == 0 else 0) == reason
