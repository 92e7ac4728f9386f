"""The cost model."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.settings import as_row
from strategy.cost import CostModel, CostSettings, price, write_cost_parts
from strategy.cost_state import new_costs
from strategy.decision import Reason
from tests.naive import cost as naive
from tests.naive.added import added
from tests.strategy.desks import horizons, make_decision, make_desk, make_features, make_legs, positives, touches

WORK_NS = {5: 15, 10: 20, 15: 30, 30: 45, 60: 60}
PARTS = ("spread", "vol", "impact", "fee", "residual")
finite_vols = positives.filter(lambda vol: vol != math.inf and vol != -math.inf)
volumes = st.one_of(st.just(0.0), st.floats(0.5, 1e7))
residuals = st.sampled_from([0.0, 0.0, 3.5, -2.0, -1000.0])


def made(minutes, order_usd=10_000.0, residual=0.0):
    """Return empty costs for the horizons whose residual is `residual`, by a pool with a belief of one half."""
    costs = new_costs(1, [WORK_NS[h] * 10**9 for h in minutes], order_usd)
    costs.pool["weight"], costs.pool["mean_bps"] = 20.0, 2 * residual
    return costs


@pytest.mark.jit_off
@given(touches, finite_vols, horizons)
def test_cost_equals_the_plain_twin(touch, vol_bps, minutes):
    """Each leg's cost equals spread + 0.15 vol of five minutes sqrt(h / 5); an unknown one takes the leg out."""
    legs = make_legs([(h, 1.0, 1.0, 0.0, 0) for h in minutes])
    params = as_row(CostSettings())
    reason = price(0, legs, len(legs), make_desk(*touch), make_features(vol_bps), made(minutes), params)
    expected = [naive.cost(naive.spread(*touch), vol_bps, h) for h in minutes]

    assert pytest.approx(expected, rel=1e-12, nan_ok=True) == legs["cost_bps"].tolist()
    assert [math.isfinite(cost) for cost in expected] == legs["is_alive"].astype(bool).tolist()
    assert (Reason.TARGET_SET if legs["is_alive"].any() else Reason.COST_UNKNOWN) == reason


@pytest.mark.jit_off
@given(
    touches, finite_vols, horizons, volumes, residuals, st.sampled_from([1.0, 0.5, 0.34]), st.sampled_from([5.0, 900.0, 10_000.0])
)
def test_enhanced_cost_equals_the_plain_twin(touch, vol_bps, minutes, volume, residual, child_share, order_usd):
    """Spread, volatility of the working time, impact, fees with their minimums and residual are the twin's, part by part."""
    params = as_row(CostSettings(mode="enhanced", child_share=child_share))
    costs, desk, features = made(minutes, order_usd, residual), make_desk(*touch), make_features(vol_bps)
    features["volume_per_min"] = volume
    legs, decision = make_legs([(h, 1.0, 1.0, 0.0, 0) for h in minutes]), make_decision()
    price(0, legs, len(legs), desk, features, costs, params)
    for k, h in enumerate(minutes):
        write_cost_parts(0, k, legs, desk, features, costs, params, decision)
        parts = [float(decision[0][f"cost_{part}_bps"]) for part in PARTS]
        spread = naive.spread(*touch)
        if math.isnan(spread) or math.isnan(vol_bps) or vol_bps <= 0:
            assert math.isnan(legs[k]["cost_bps"])
            assert legs[k]["is_alive"] == 0
            continue
        price_usd = (touch[0] + touch[1]) / 20_000
        order = max(int(order_usd / price_usd), 1), price_usd
        n_children = min({1.0: 1, 0.5: 2, 0.34: 3}[child_share], order[0])
        expected = naive.enhanced(spread, vol_bps, WORK_NS[h] / 60, order, volume, residual, n_children=n_children)

        assert pytest.approx(expected, rel=1e-9, abs=1e-9) == parts
        assert legs[k]["cost_bps"] == decision[0]["cost_bps"] == added(parts)


@pytest.mark.jit_off
@pytest.mark.parametrize("mode", ["original", "enhanced", "off"])
def test_parts_sum_to_the_cost(mode):
    """What the decision tells apart adds up, in every form."""
    legs, desk, features, costs = make_legs([(30, 1.0, 1.0, 0.0, 0)]), make_desk(), make_features(3.0), made([30], residual=1.7)
    params, decision = as_row(CostSettings(mode=mode)), make_decision()
    price(0, legs, 1, desk, features, costs, params)
    write_cost_parts(0, 0, legs, desk, features, costs, params, decision)

    assert legs[0]["cost_bps"] == decision[0]["cost_bps"] == added(decision[0][f"cost_{part}_bps"] for part in PARTS)


@given(finite_vols, horizons)
def test_cost_grows_with_spread_volatility_and_horizon(vol_bps, minutes):
    """More of anything never costs less."""
    model, vol_bps = CostModel(mode="original"), abs(vol_bps) if 0.0 < abs(vol_bps) < math.inf else 1.0

    assert model.price(1.0, vol_bps, minutes[0]) <= model.price(2.0, vol_bps, minutes[0])
    assert model.price(1.0, vol_bps, minutes[0]) <= model.price(1.0, 2 * vol_bps, minutes[0])
    assert model.price(1.0, vol_bps, minutes[0]) <= model.price(1.0, vol_bps, minutes[-1])


ORDER = {"spread_bps": 1.0, "vol_bps": 3.0, "horizon_min": 5, "qty": 100, "mid_usd": 40.0, "volume_per_min": 5_000.0}


@given(
    st.floats(0.0, 30.0),
    st.floats(0.1, 50.0),
    st.floats(1.0, 1e6),
    st.integers(1, 10_000),
    st.floats(1.0, 10.0),
    st.floats(-40, 40),
)
def test_enhanced_cost_grows_with_spread_volatility_and_participation(spread, vol, volume, qty, more, surprise):
    """More spread, more volatility or less volume never costs less, whatever was learned; no trade is below its fees.

    Up to the last bits: where the residual is cut, it is the negative of a sum.
    """
    model = CostModel()
    for _ in range(30):
        model.learn(1, 100.0 * (1 + surprise / 20_000), 100.0, 0.0)
    order = {"spread_bps": spread, "vol_bps": vol, "horizon_min": 5, "qty": qty, "mid_usd": 40.0, "volume_per_min": volume}
    cost = model.price(**order) - 1e-9

    assert cost <= model.price(**{**order, "spread_bps": spread * more})
    assert cost <= model.price(**{**order, "vol_bps": vol * more})
    assert cost <= model.price(**{**order, "volume_per_min": volume / more})
    assert cost <= model.price(**{**order, "volume_per_min": math.nan})
    assert cost >= model.split(**order)["fee"] - 2e-9


@pytest.mark.parametrize(
    ("qty", "mid_usd", "side_usd"),
    [
        (100, 25.0, 1.0),
        (1000, 25.0, 5.0),
        (1000, 0.25, 2.5),
        (199, 100.0, 1.0),
        (201, 100.0, 1.005),
        (1, 50.0, 0.5),
        (10, 0.2, 0.02),
    ],
)
def test_fees_are_those_of_the_published_examples(qty, mid_usd, side_usd):
    """Minimum and cap act as in the broker's own examples of the fixed plan; both sides pay."""
    fee = CostModel().split(**{**ORDER, "qty": qty, "mid_usd": mid_usd})["fee"]

    assert pytest.approx(2 * side_usd) == fee * qty * mid_usd / 10_000


def test_children_pay_a_minimum_each():
    """Four children of 25 shares cost four dollars where one order of 100 costs one."""
    whole = CostModel().split(**ORDER)["fee"]

    assert 4 * whole == CostModel(child_share=0.25).split(**ORDER)["fee"]


@pytest.mark.parametrize("wrong", [math.nan, 0.0, -1.0])
def test_what_is_unknown_has_no_cost(wrong):
    """Without volatility or price the cost is unknown, not zero."""
    model = CostModel()

    assert math.isnan(model.price(**{**ORDER, "vol_bps": wrong}))
    assert math.isnan(model.price(**{**ORDER, "mid_usd": wrong}))


def test_off_is_free():
    """Without the model a trade costs nothing, whatever is unknown."""
    assert 0.0 == CostModel(mode="off").price(math.nan, math.nan, 5)


def test_state_has_no_gaps():
    """No byte of what is kept lies between fields: a snapshot says it all."""
    for array in made([5]):
        names = array.dtype.names

        assert array.dtype.itemsize == sum(np.dtype(array.dtype[name]).itemsize for name in names)
