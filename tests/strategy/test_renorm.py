"""Renormalisation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.settings import as_row
from strategy.decision import Reason
from strategy.renorm import RenormSettings, normalise, weight_sum
from tests.naive import renorm as naive
from tests.strategy.desks import edges, make_decision, make_legs

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
    assert sum(weights) == weight_sum(normalised(weights)[1], len(weights))


def test_off_does_not_look():
    """Without the check even NaN passes."""
    assert Reason.TARGET_SET == normalised([float("nan")], mode="off")[0]
