"""The forecast table and its legs."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.desk import Block
from replay.events import BAR, EVENT, FORECAST, Kind
from replay.settings import as_row
from strategy.decision import LEG, UNKNOWN_MODEL_AGE_NS, Reason
from strategy.forecasts import ForecastSettings, load_legs, new_forecasts, on_forecast
from tests.naive import forecasts as naive
from tests.strategy.desks import edges, make_decision, positives

HORIZONS = np.array([5, 30], np.int64)

arrivals = st.lists(
    st.tuples(st.sampled_from([5, 30, 7]), st.integers(0, 4), edges, positives, edges, edges),
    max_size=8,
)


def block_of(rows):
    events = np.zeros(len(rows), EVENT)
    forecasts = np.zeros(len(rows), FORECAST)
    events["kind"] = Kind.FORECAST
    for i, (horizon, close, mu, sigma, lo, hi) in enumerate(rows):
        events[i]["row"] = i
        events[i]["ts_ns"] = 1000 + i
        for name, value in zip(
            ("horizon_min", "bar_close_ts_ns", "mu_bps", "sigma_bps", "q_lo_bps", "q_hi_bps"),
            (horizon, close, mu, sigma, lo, hi),
            strict=True,
        ):
            forecasts[i][name] = value
    return Block(events, np.zeros(0, BAR), forecasts)


def load(table, mode="original"):
    legs = np.zeros(len(HORIZONS), LEG)
    reason = load_legs(0, 5000, HORIZONS, table, legs, as_row(ForecastSettings(mode=mode)), make_decision())
    return Reason(reason), legs


@pytest.mark.jit_off
@given(arrivals)
def test_forecasts_equal_the_plain_twin(rows):
    """Each arrival's answer and the legs afterwards equal the twin's."""
    block, table, twin = block_of(rows), new_forecasts(1, 2), naive.Table(HORIZONS.tolist())
    for i, row in enumerate(rows):
        assert twin.take(*row) == Reason(on_forecast(block, i, HORIZONS, table)).name
    expected_reason, expected = twin.load()
    reason, legs = load(table)
    actual = {int(leg["horizon_min"]): (leg["mu_bps"], leg["q_lo_bps"], leg["q_hi_bps"]) for leg in legs if leg["is_alive"]}

    assert (expected_reason, expected) == (reason.name, actual)


@pytest.mark.jit_off
@given(arrivals)
def test_living_legs_are_finite_and_ordered(rows):
    """No NaN or infinity lives, and q_lo <= q_hi always."""
    block, table = block_of(rows), new_forecasts(1, 2)
    for i in range(len(rows)):
        on_forecast(block, i, HORIZONS, table)
    for leg in load(table)[1]:
        if leg["is_alive"]:
            assert all(math.isfinite(leg[name]) for name in ("mu_bps", "sigma_bps", "q_lo_bps", "q_hi_bps"))
            assert leg["q_lo_bps"] <= leg["q_hi_bps"]
            assert leg["sigma_bps"] > 0.0


def test_crossed_quantiles_break_a_forecast():
    """q_lo above q_hi: the model contradicts itself, and its horizon is out, with a reason of its own."""
    table = new_forecasts(1, 2)
    answer = on_forecast(block_of([(5, 1, 0.0, 1.0, 3.0, 1.0)]), 0, HORIZONS, table)
    reason, legs = load(table)

    assert (Reason.FORECAST_CROSSED, Reason.FORECAST_CROSSED) == (answer, reason)
    assert (0, 1) == (legs[0]["is_alive"], table[0, 0]["broken_count"])


def test_a_leg_knows_the_age_of_its_model():
    """Now less the time of training; where nobody says when that was, it is unknown."""
    block, table = block_of([(5, 1, 1.0, 1.0, math.nan, math.nan), (30, 1, 1.0, 1.0, math.nan, math.nan)]), new_forecasts(1, 2)
    block.forecasts["trained_ts_ns"] = 400, 0
    for i in range(2):
        on_forecast(block, i, HORIZONS, table)

    assert [4600, UNKNOWN_MODEL_AGE_NS] == load(table)[1]["model_age_ns"].tolist()


def test_a_broken_forecast_takes_its_horizon_out_until_a_sound_one():
    """After NaN the old forecast does not come back; the next sound one does."""
    rows = [(5, 1, 1.0, 1.0, math.nan, math.nan), (5, 2, math.nan, 1.0, 0.0, 0.0), (5, 3, 2.0, 1.0, math.nan, math.nan)]
    block, table, states = block_of(rows), new_forecasts(1, 2), []
    for i in range(3):
        on_forecast(block, i, HORIZONS, table)
        states.append(load(table)[0])

    assert [Reason.TARGET_SET, Reason.FORECAST_NAN, Reason.TARGET_SET] == states


def test_off_loads_nothing():
    """Without the table no leg is alive."""
    table = new_forecasts(1, 2)
    on_forecast(block_of([(5, 1, 1.0, 1.0, math.nan, math.nan)]), 0, HORIZONS, table)
    reason, legs = load(table, mode="off")

    assert (Reason.NO_FORECAST, 0) == (reason, legs["is_alive"].sum())
