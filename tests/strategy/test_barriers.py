"""The barrier gates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategy.barriers import BarrierGate
from strategy.decision import Reason
from tests.naive import barriers as naive
from tests.strategy.desks import positives


@pytest.mark.jit_off
@given(st.sampled_from([-1, 0, 1]), positives, positives, st.sampled_from(["original", "off"]))
def test_the_original_blocks_nothing(side, p_peak, p_valley, mode):
    """Whatever the barrier probabilities are, NaN included, every side passes."""
    assert (naive.judge(side, p_peak, p_valley), Reason.TARGET_SET) == BarrierGate(mode=mode).judge(side, p_peak, p_valley)
