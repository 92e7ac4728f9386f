"""The built-in forecaster."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.settings import as_row
from strategy.decision import Reason
from strategy.features import new_features
from strategy.simple_forecast import SimpleForecastSettings, simple_forecast
from tests.naive import simple_forecast as naive
from tests.strategy.desks import make_book, make_features

SETTINGS = SimpleForecastSettings()
minutes_of = st.lists(st.integers(9_900, 10_100).map(lambda ticks: 200 * ticks), max_size=64)


def forecast(horizon, book, features, samples, settings=SETTINGS):
    _, minutes = new_features(1)
    minutes[0]["mid2"][: len(samples)] = samples
    features["sample_count"] = features["head"] = len(samples)
    out = np.zeros(2)
    reason = simple_forecast(0, 0, horizon, book, features, minutes, as_row(settings), out)
    return Reason(reason), *out.tolist()


@pytest.mark.jit_off
@given(
    st.sampled_from([5, 15, 60]),
    st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 5)),
    st.floats(-2.0, 2.0),
    st.sampled_from([0.0, 0.1, 5.0]),
    minutes_of,
)
def test_forecast_equals_the_plain_twin(horizon, touch, flow, vol_bps, samples):
    """Mu and sigma equal the twin's; without quote or volatility both are NaN."""
    ticks, bid_qty, ask_qty = touch
    features = make_features(vol_bps)
    features["flow"] = flow
    reason, mu, sigma = forecast(horizon, make_book(100_000, 100_000 + 100 * ticks, bid_qty, ask_qty), features, samples)
    spread = 10_000 * ticks * 100 / (100_000 + 50 * ticks) if bid_qty and ask_qty else math.nan
    micro = spread / 2 * (bid_qty - ask_qty) / max(bid_qty + ask_qty, 1)
    momentum = 10_000 * (samples[-1] / samples[-1 - horizon] - 1) if len(samples) > horizon else math.nan
    expected = naive.forecast(horizon, micro, spread, flow, momentum, vol_bps or math.nan, SETTINGS)

    assert (expected is not None) == (reason == Reason.TARGET_SET)
    assert pytest.approx(expected or (math.nan, math.nan), abs=1e-9, nan_ok=True) == (mu, sigma)


@given(st.integers(1, 9), st.integers(1, 9))
def test_mirrored_sizes_mirror_the_forecast(bid_qty, ask_qty):
    """Sizes exchanged: the forecast changes its sign."""
    book, mirrored = (make_book(bid_qty=a, ask_qty=b) for a, b in ((bid_qty, ask_qty), (ask_qty, bid_qty)))

    assert forecast(5, book, make_features(), [])[1] == -forecast(5, mirrored, make_features(), [])[1]


def test_the_forecast_is_bounded_by_sigma():
    """A violent move does not become a violent forecast."""
    samples = [2_000_000] * 6 + [4_000_000]
    _, mu, sigma = forecast(5, make_book(), make_features(1.0), samples)

    assert pytest.approx(0.5 * sigma) == mu


def test_off_makes_no_forecast():
    """Without the forecaster there is nothing."""
    reason, mu, _ = forecast(5, make_book(), make_features(), [], SimpleForecastSettings(mode="off"))

    assert Reason.NO_FORECAST == reason
    assert math.isnan(mu)
