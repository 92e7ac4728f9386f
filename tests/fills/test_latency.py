"""The legs between a strategy and the exchange."""

import pytest

from fills.latency import ZERO_LATENCY, LatencySettings
from replay.errors import ConfigError


def test_defaults_are_those_of_a_retail_line_and_none_is_zero():
    """Zero latency must be asked for: every leg of the default profile takes time."""
    row = LatencySettings().row()[0]

    assert all(row[name] > 0 for name in row.dtype.names)
    assert {"feed_ns", "compute_ns", "outbound_ns", "cancel_ns", "answer_ns"} == set(row.dtype.names)
    assert all(ZERO_LATENCY.row()[0][name] == 0 for name in row.dtype.names)


def test_negative_legs_are_refused():
    """A leg cannot take less than no time."""
    with pytest.raises(ConfigError, match="`feed_ns` must not be negative, got -1 ns"):
        LatencySettings(feed_ns=-1)
