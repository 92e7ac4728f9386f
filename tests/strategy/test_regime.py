"""Volatility at several speeds, the profile of the day, and the regime."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from replay.errors import ConfigError
from replay.settings import as_row
from strategy.features import FeatureSettings, new_features
from strategy.regime import MINUTE_NS, learn_speeds, next_regime, profile_at, publish_regime
from tests.naive import regime as naive

SETTINGS = FeatureSettings(regime_returns=3, fast_half_life_min=4.0, slow_half_life_min=200.0)
ROW = as_row(SETTINGS)[0]
moves = st.floats(-30, 30).filter(lambda bps: abs(bps) > 1e-6)  # two mids that differ do not lie closer
returns_of = st.lists(st.one_of(st.just(0.0), moves), min_size=1, max_size=60)


class World:
    def __init__(self, settings=SETTINGS):
        self.features, self.minutes = new_features(1)
        self.param = as_row(settings)[0]

    def learn(self, minute, return_bps):
        row, ring = self.features[0], self.minutes[0]
        row["return_count"] += 1
        learn_speeds(row, ring, return_bps, minute * MINUTE_NS, self.param)
        publish_regime(row, ring, minute * MINUTE_NS, self.param)

    def read(self):
        row = self.features[0]
        ratio = float(row["vol_ratio"]) or math.nan
        return math.sqrt(row["var_fast_bps2"]), math.sqrt(row["var_slow_bps2"]), ratio, int(row["regime"])


@pytest.mark.jit_off
@given(
    returns_of, st.lists(st.sampled_from([1, 1, 1, 1, 2, 29, 31, 1440, 1441, 2880]), min_size=60, max_size=60), st.integers(0, 60)
)
@hypothesis_settings(max_examples=150, deadline=None)
def test_regime_equals_the_plain_twin(returns, gaps, first):
    """Speeds, ratio and state after every minute equal those recomputed from all returns."""
    minutes = (first + np.cumsum(gaps[: len(returns)])).tolist()
    expected, world = naive.regimes(minutes, returns, SETTINGS), World()
    for k in range(len(returns)):
        world.learn(minutes[k], returns[k])
        found = world.read()
        if not math.isnan(expected[k][2]) and min(abs(expected[k][2] - level) for level in (1.5, 0.67, 1.2, 1 / 1.2)) < 1e-9:
            return  # on the very edge the last bit decides

        assert pytest.approx(expected[k][:2], rel=1e-9, abs=1e-12) == found[:2]
        assert math.isnan(found[2]) or pytest.approx(expected[k][2], rel=1e-9) == found[2]
        assert expected[k][3] == found[3]


@pytest.mark.jit_off
@given(st.lists(st.floats(0.0, 3.0), min_size=2, max_size=40))
def test_a_state_never_flips_without_crossing_the_band(ratios):
    """Wild ends only below `regime_back`, calm only above one over it: within the band the state stays what it was."""
    state = 0
    for ratio in ratios:
        after = int(next_regime(state, ratio, ROW))
        if state == 1 and after != 1:
            assert ratio < 1.2
        if state == -1 and after != -1:
            assert ratio * 1.2 > 1.0
        if after == state == 0:
            assert 0.67 <= ratio <= 1.5
        state = after


def test_a_wild_open_is_normal_for_an_open():
    """A half hour that always moves four times as much is called wild on the first days only."""
    states = []
    for day in range(8):
        for minute in range(390):
            if not states:
                world = World(FeatureSettings(slow_half_life_min=780.0))
            size = 8.0 if minute < 30 else 2.0
            world.learn(day * 1440 + 870 + minute, size if minute % 2 else -size)
            states.append((day, minute, int(world.features[0]["regime"])))

    assert 1 == max(state for day, minute, state in states if day == 1 and 15 < minute < 30)
    assert {0} == {state for day, minute, state in states if day >= 5 and 15 < minute < 30}


def test_a_day_is_not_compared_with_itself():
    """The profile of a half hour changes when the half hour is over, not before."""
    world = World()
    for minute in range(30):
        world.learn(minute, 5.0 + minute)
        seen = profile_at(world.minutes[0], minute * MINUTE_NS)

        assert 1.0 == seen
    world.learn(30, 5.0)

    assert profile_at(world.minutes[0], 29 * MINUTE_NS) > 1.0


@pytest.mark.parametrize("changes", [{"regime_back": 1.6}, {"regime_low": 0.9}])
def test_a_band_that_is_none_is_refused(changes):
    """A state that would be left before it is entered is refused by name."""
    with pytest.raises(ConfigError, match="regime_back"):
        FeatureSettings(**changes)
