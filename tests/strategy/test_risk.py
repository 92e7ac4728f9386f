"""The cap per name."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.desk import CLOCK, POSITION
from replay.settings import as_row
from strategy.decision import Reason
from strategy.risk import RiskModel, RiskSettings, cap
from tests.naive import risk as naive
from tests.strategy.desks import make_book, make_decision

targets = st.integers(-100_000, 100_000)
lots = st.sampled_from([1, 10, 100])
caps = st.sampled_from([5.0, 1_234.5, 50_000.0])


def capped(target_qty, lot, cap_usd, mode="original", **book):
    clock, decision = np.zeros(1, CLOCK), make_decision(target_qty=target_qty)
    clock["scale"] = 10_000
    params = as_row(RiskSettings(mode=mode, name_cap_usd=cap_usd))
    reason = cap(0, decision, make_book(lot=lot, **book), np.zeros(1, POSITION), clock, params)
    return Reason(reason), int(decision[0]["target_qty"])


@pytest.mark.jit_off
@given(targets, lots, caps)
def test_cap_equals_the_plain_twin(target_qty, lot, cap_usd):
    """What is left equals the twin's; RISK_NAME_CAP when it is nothing."""
    reason, left_qty = capped(target_qty, lot, cap_usd)

    assert naive.cap(target_qty, 10.005, lot, cap_usd) == left_qty
    assert (Reason.RISK_NAME_CAP if target_qty and not left_qty else Reason.TARGET_SET) == reason


@given(targets, lots, caps)
def test_cap_is_never_exceeded_and_never_turns_a_target(target_qty, lot, cap_usd):
    """The value stays within the cap, the sign and the bound of the target hold, and capping twice changes nothing."""
    left_qty = capped(target_qty, lot, cap_usd)[1]

    assert abs(left_qty) * 10.005 <= cap_usd or left_qty == 0
    assert 0 <= left_qty * target_qty <= target_qty * target_qty
    assert left_qty == capped(left_qty, lot, cap_usd)[1]


@pytest.mark.parametrize("mid_usd", [0.0, -1.0, math.nan, math.inf])
def test_a_nonsense_price_allows_nothing(mid_usd):
    """Without a price there is no position."""
    assert 0 == RiskModel().cap(100, mid_usd)


def test_the_class_equals_the_kernel():
    """Dollars in, the kernel's shares out."""
    assert capped(90_000, 1, 50_000.0)[1] == RiskModel().cap(90_000, 10.005)


def test_no_quote_is_said():
    """Without a usable quote nothing can be capped."""
    assert Reason.NO_QUOTE == capped(5, 1, 50_000.0, bid_qty=0)[0]


def test_off_caps_nothing():
    """Without risk limits a target passes as it is."""
    assert (Reason.TARGET_SET, 10**9) == capped(10**9, 1, 5.0, mode="off")
    assert 10**9 == RiskModel(mode="off").cap(10**9, 10.0)
