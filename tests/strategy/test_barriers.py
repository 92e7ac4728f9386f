"""The barrier gates."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from replay.settings import as_row
from strategy.barriers import BarrierGate, BarrierSettings, block
from strategy.decision import Reason
from tests.naive import barriers as naive
from tests.strategy.desks import make_decision, make_legs

chances = st.one_of(
    st.sampled_from([0.0, 0.29, 0.3, 0.6, 0.61, 0.65, 0.66, 1.0, 1.01, -0.1, math.nan, math.inf]), st.floats(0.0, 1.0)
)
told = chances.filter(lambda p: math.isnan(p) or 0.0 <= p <= 1.0)  # what the border lets through
sights = st.lists(st.tuples(st.integers(90, 110), told, told), max_size=12)


@pytest.mark.jit_off
@given(st.sampled_from([-1, 0, 1]), told, told, st.sampled_from(["original", "off"]))
def test_the_original_blocks_nothing(side, p_peak, p_valley, mode):
    """Whatever the barrier probabilities are, NaN included, every side passes."""
    assert (naive.judge(side, p_peak, p_valley), Reason.TARGET_SET) == BarrierGate(mode=mode).judge(side, p_peak, p_valley)


@pytest.mark.jit_off
@given(st.sampled_from([-1, 1]), st.lists(st.tuples(chances, chances, st.booleans()), min_size=1, max_size=5))
def test_entries_equal_the_plain_twin(side, rows):
    """Of all living horizons the likeliest turn decides; what is NaN, or of a horizon left out, counts for nothing."""
    legs = make_legs([(5, 0.0, 1.0, 0.0, 0)] * len(rows))
    for k, (p_peak, p_valley, is_alive) in enumerate(rows):
        legs[k]["p_peak"], legs[k]["p_valley"], legs[k]["is_alive"] = p_peak, p_valley, is_alive
    alive = [row for row in rows if row[2]]
    may = naive.enter(side, [row[0] for row in alive], [row[1] for row in alive])
    blocked = Reason.BARRIER_PEAK if side > 0 else Reason.BARRIER_VALLEY
    decision = make_decision(side=side)
    reason = block(decision, legs, len(legs), as_row(BarrierSettings(mode="enhanced")))

    assert (0 if may else blocked) == reason
    for name, chances_told in (("p_peak", [row[0] for row in alive]), ("p_valley", [row[1] for row in alive])):
        known = naive.largest(chances_told)
        np.testing.assert_equal(decision[0][name], math.nan if known is None else known)


@pytest.mark.jit_off
@given(st.sampled_from([-301, -2, -1, 1, 2, 301]), st.sampled_from([0, 1, 4, 9]), sights)
@hypothesis_settings(max_examples=200, deadline=None)
def test_positions_equal_the_plain_twin(qty, distance, seen):
    """What is kept and where the stop is equal the twin's after every sight, for longs and for shorts."""
    side, gate = int(np.sign(qty)), BarrierGate()
    stop = 100 - side * distance if distance else None
    gate.open(qty, 100.0, stop)
    twin = naive.Trade(qty, 2_000_000, 0 if stop is None else 20_000 * stop)
    for mid, p_peak, p_valley in seen:
        keep, stop2 = twin.see(20_000 * mid, [p_peak], [p_valley])
        found = gate.hold(float(mid), p_peak, p_valley)

        assert (keep, stop2 / 20_000) == (found.keep_qty, 0.0 if math.isnan(found.stop_usd) else found.stop_usd)


@given(st.integers(1, 400), sights)
@hypothesis_settings(max_examples=100, deadline=None)
def test_longs_and_shorts_are_mirrors(qty, seen):
    """A short in the mirrored market, with peaks and valleys exchanged, is kept and stopped like the long."""
    long, short = BarrierGate(), BarrierGate()
    long.open(qty, 100.0, 96.0)
    short.open(-qty, 100.0, 104.0)
    for mid, p_peak, p_valley in seen:
        ours, theirs = long.hold(float(mid), p_peak, p_valley), short.hold(200.0 - mid, p_valley, p_peak)

        assert (ours.keep_qty, round(ours.stop_usd, 4)) == (-theirs.keep_qty, round(200.0 - theirs.stop_usd, 4))
        assert long.judge(1, p_peak, p_valley)[0] == -short.judge(-1, p_valley, p_peak)[0]


@given(st.integers(1, 400), sights)
@hypothesis_settings(max_examples=100, deadline=None)
def test_stops_only_come_closer_and_positions_only_shrink(qty, seen):
    """No sight loosens a stop or adds to a position, and none takes it to the other side."""
    gate = BarrierGate()
    gate.open(qty, 100.0, 96.0)
    held, stop_usd = qty, 96.0
    for mid, p_peak, p_valley in seen:
        found = gate.hold(float(mid), p_peak, p_valley)

        assert 0 <= found.keep_qty <= held
        assert found.stop_usd >= stop_usd
        held, stop_usd = found
