"""The settings of the legs between a strategy and the exchange."""

import numpy as np
import pytest

from fills.delays import profile
from fills.latency import LEGS, ZERO_LATENCY, LatencySettings
from replay.errors import ConfigError


def test_defaults_are_those_of_a_retail_line_and_none_is_zero():
    """Zero latency must be asked for: every leg of the default profile takes time, always the same."""
    legs = profile(LatencySettings())

    assert ("feed", "compute", "outbound", "cancel", "answer") == LEGS == tuple(legs)
    assert all(0 < leg["p50_ns"] == leg["p90_ns"] and leg["model"] == "constant" for leg in legs.values())
    assert all(leg["p90_ns"] == 0 for leg in profile(ZERO_LATENCY).values())


@pytest.mark.parametrize(
    ("given_keys", "sentence"),
    [
        ({"feed_ns": -1}, "`feed_ns` must not be negative, got -1 ns"),
        ({"outbound_ns": float("nan")}, "`outbound_ns` must be a number of ns, got nan"),
        ({"outbound_ns": "soon"}, "`outbound_ns` must be a number of ns, got 'soon'"),
        ({"cancel_model": "gamma"}, "`cancel_model` must be one of constant, lognormal, empirical, got 'gamma'"),
        ({"answer_sigma": 9.0}, "`answer_sigma` must be from 0 to 2, got 9.0"),
    ],
)
def test_impossible_legs_are_refused(given_keys, sentence):
    """A leg cannot take less than no time, nor be drawn by an unknown model, nor without bounds."""
    with pytest.raises(ConfigError, match=sentence):
        LatencySettings(**given_keys)


def test_a_time_may_be_a_number_of_numpy():
    """What was measured with numpy says the same as a plain number, and gives the same delays."""
    assert profile(LatencySettings(outbound_ns=5_000)) == profile(LatencySettings(outbound_ns=np.int64(5_000)))
