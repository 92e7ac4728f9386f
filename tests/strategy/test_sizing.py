"""Sizing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.desk import CLOCK, POSITION
from replay.settings import as_row
from strategy.decision import Reason
from strategy.sizing import SizingSettings, size
from tests.naive import sizing as naive
from tests.strategy.desks import edges, make_book, make_decision, positives

SETTINGS = SizingSettings()
qualities = st.one_of(st.floats(0.0, 1.0), st.sampled_from([math.nan, math.inf]))


def sized(quality, net_bps, sigma_bps, side=1, lot=1, equity_usd=1e6, settings=SETTINGS, **book):
    positions, clock = np.zeros(1, POSITION), np.zeros(1, CLOCK)
    positions["qty"], clock["scale"] = 7, 10_000
    decision = make_decision(quality=quality, net_edge_bps=net_bps, sigma_bps=sigma_bps, side=side)
    reason = size(0, decision, make_book(lot=lot, **book), positions, clock, as_row(settings), equity_usd)
    return Reason(reason), decision[0]


@pytest.mark.jit_off
@given(qualities, edges, positives, st.sampled_from([-1, 1]), st.sampled_from([1, 10, 100]))
def test_size_equals_the_plain_twin(quality, net_bps, sigma_bps, side, lot):
    """The target is the exact number of shares, rounded towards zero to lots."""
    reason, decision = sized(quality, net_bps, sigma_bps, side, lot)
    exact, lots = naive.shares(naive.share(quality, net_bps, sigma_bps, SETTINGS) * 10**6, 10.005, lot)
    is_on_the_edge = abs(exact / lot - round(exact / lot)) < 1e-9

    assert is_on_the_edge or side * lots == decision["target_qty"]
    assert (Reason.TARGET_SET if decision["target_qty"] else Reason.RISK_ZERO_SIZE) == reason
    assert 7 == decision["position_qty"]


@given(st.floats(0.1, 50.0), st.floats(0.1, 50.0), positives)
def test_more_edge_never_gives_less(first, second, sigma_bps):
    """The size grows with the edge, up to the cap."""
    low, high = sorted((first, second))
    targets = [sized(1.0, net_bps, sigma_bps)[1]["target_qty"] for net_bps in (low, high)]

    assert targets[0] <= targets[1] <= 0.10 * 1e6 / 10.005


@given(qualities, edges, positives)
def test_buys_mirror_sells(quality, net_bps, sigma_bps):
    """The other side has the same size."""
    assert sized(quality, net_bps, sigma_bps, 1)[1]["target_qty"] == -sized(quality, net_bps, sigma_bps, -1)[1]["target_qty"]


def test_no_quote_no_size():
    """Without a usable quote there is no price to size by."""
    assert Reason.NO_QUOTE == sized(1.0, 5.0, 10.0, ask_qty=0)[0]


@pytest.mark.parametrize("equity_usd", [0.0, -5.0, math.nan])
def test_no_equity_no_size(equity_usd):
    """Nothing is bought with nothing."""
    assert Reason.RISK_ZERO_SIZE == sized(1.0, 5.0, 10.0, equity_usd=equity_usd)[0]


def test_off_does_not_weigh_the_edge():
    """Without sizing the name cap is taken whole."""
    assert 9_995 == sized(1.0, math.nan, math.nan, settings=SizingSettings(mode="off"))[1]["target_qty"]
