"""The planted forecasts are as strong as asked, calibrated, and never early."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.synth import generate
from replay.synth.forecaster import HORIZONS_MIN, PLANTED, Z80, plant
from tests.synth.test_market import read

MINUTE_NS = 60_000_000_000


def outcomes(folder):
    """Read the forecasts with what the quotes of the session did afterwards, in bps."""
    forecasts, quotes = read(folder, "forecasts"), read(folder, "quotes")
    forecasts["outcome"] = np.nan
    for symbol, part in forecasts.groupby("symbol"):
        mine = quotes[quotes["symbol"] == symbol]
        times, mid = mine["ts_ns"].to_numpy(), ((mine["bid"] + mine["ask"]) / 2).to_numpy()
        ready = part["ready_ts_ns"].to_numpy()
        now = np.searchsorted(times, ready, "right") - 1
        then = np.searchsorted(times, ready + part["horizon_min"].to_numpy() * MINUTE_NS, "right") - 1
        forecasts.loc[part.index, "outcome"] = (mid[then] / mid[now] - 1.0) * 1e4
    return forecasts


@pytest.fixture(scope="module")
def full_days(tmp_path_factory):
    """Return the forecasts of two full days of four symbols at IC 0.3."""
    out = tmp_path_factory.mktemp("ic")
    folders = generate(out, symbols=4, days=2, seed=3, ic=0.3, activity=0.1, depth=0.4)
    return pd.concat([outcomes(folder) for folder in folders], ignore_index=True)


@pytest.mark.parametrize("horizon_min", HORIZONS_MIN)
def test_realised_ic_is_the_one_asked_for(full_days, horizon_min):
    """The correlation of mu with what the mid did is within 0.05 of the IC asked for, at every horizon."""
    part = full_days[full_days["horizon_min"] == horizon_min]

    assert abs(0.3 - np.corrcoef(part["mu_bps"], part["outcome"])[0, 1]) < 0.05


@pytest.mark.parametrize("horizon_min", HORIZONS_MIN)
def test_intervals_cover_what_they_say(full_days, horizon_min):
    """An 80 % interval holds 70 to 90 % of the outcomes of two days."""
    part = full_days[full_days["horizon_min"] == horizon_min]
    inside = (part["outcome"] >= part["q_lo_bps"]) & (part["outcome"] <= part["q_hi_bps"])

    assert 0.7 < inside.mean() < 0.9


def test_no_forecast_is_early(full_days):
    """Every forecast is ready two seconds after its bar closed, in order of time, with an id of its own."""
    assert {2_000_000_000} == set(full_days["ready_ts_ns"] - full_days["bar_close_ts_ns"])
    assert full_days["ready_ts_ns"].is_monotonic_increasing
    assert full_days["forecast_id"].is_unique


def test_no_horizon_crosses_the_close(synth_folder):
    """The last forecast of each horizon ends before the session does; horizons that do not fit are left out."""
    forecasts = read(synth_folder, "forecasts")
    close_ns = read(synth_folder, "bars")["ts_ns"].max()
    ends = forecasts["ready_ts_ns"] + forecasts["horizon_min"] * MINUTE_NS

    assert {5, 10, 15} == set(forecasts["horizon_min"])
    assert ends.max() <= close_ns


def test_forecasts_are_complete(synth_folder):
    """The file has the columns of the contract, finite numbers, and probabilities that add up to one."""
    forecasts = read(synth_folder, "forecasts")
    names = "ready_ts_ns bar_close_ts_ns symbol horizon_min forecast_id mu_bps sigma_bps q_lo_bps q_hi_bps p_peak p_valley"

    assert [*names.split(), "net_reward_bps", "model_id"] == list(forecasts.columns)
    assert np.isfinite(forecasts.select_dtypes("number")).all().all()
    assert np.allclose(1.0, forecasts["p_peak"] + forecasts["p_valley"], atol=2e-3)
    assert np.allclose(2 * Z80 * forecasts["sigma_bps"], forecasts["q_hi_bps"] - forecasts["q_lo_bps"], atol=0.04)


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 0.95), st.integers(3, 60))
def test_strength_is_exact_around_zero(seed, ic, count):
    """For any outcomes, the correlation around zero is the IC and the slope of the outcome on mu is one."""
    draws = np.random.Generator(np.random.PCG64(seed))
    rows = np.zeros(count, PLANTED)
    rows["outcome_bps"], rows["noise"] = draws.normal(size=(2, count)) * 7.0
    rows["vol_bps"] = draws.uniform(1.0, 9.0, count)
    plant(rows, ic)
    mu, outcome = rows["mu_bps"], rows["outcome_bps"]

    assert ic == pytest.approx((mu * outcome).sum() / np.sqrt((mu * mu).sum() * (outcome * outcome).sum()), abs=1e-9)
    assert pytest.approx((mu * mu).sum(), rel=1e-6) == (mu * outcome).sum()


def test_a_market_that_stands_still_gives_no_edge():
    """With outcomes of zero, mu is zero and nothing divides by zero."""
    rows = np.zeros(5, PLANTED)
    rows["vol_bps"], rows["noise"] = 2.0, [1.0, -1.0, 0.5, 0.0, 2.0]
    plant(rows, 0.5)

    assert [0.0] * 5 == rows["mu_bps"].tolist()
    assert [0.5] * 5 == rows["p_valley"].tolist()
