"""Halts and gaps lie apart, inside the day."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.errors import UsageError
from replay.synth.outages import ALL_SYMBOLS, halted_seconds, plan_outages
from replay.synth.settings import SynthSettings


@given(st.integers(0, 10_000), st.integers(0, 8), st.integers(0, 8), st.integers(10, 390))
def test_outages_never_overlap(seed, halts, gaps, minutes):
    """As many as asked for, none touching another, all between the first and the last tenth of the day."""
    n_seconds = minutes * 60
    found = plan_outages(1, n_seconds, SynthSettings(seed=seed, halts=halts, gaps=gaps, symbols=4))
    both = sorted([*found.halts, *found.gaps], key=lambda outage: outage.start_s)

    assert (halts, gaps) == (len(found.halts), len(found.gaps))
    assert all(before.end_s <= after.start_s for before, after in pairwise(both))
    assert all(n_seconds // 10 <= outage.start_s < outage.end_s <= n_seconds * 9 // 10 for outage in both)
    assert gaps // 2 == sum(gap.symbol == ALL_SYMBOLS for gap in found.gaps)


def test_halted_seconds_are_those_of_the_symbol():
    """Only the halted symbol stops, for as long as the halt lasts."""
    found = plan_outages(1, 3600, SynthSettings(halts=1, symbols=3))
    halt = found.halts[0]

    assert halt.end_s - halt.start_s == halted_seconds(found, halt.symbol, 3600).sum()
    assert 0 == halted_seconds(found, halt.symbol + 1, 3600).sum()


def test_too_many_for_the_day():
    """A day that is too short for them says so."""
    with pytest.raises(UsageError, match="no room for 40 halts and gaps"):
        plan_outages(1, 60, SynthSettings(halts=20, gaps=20))
