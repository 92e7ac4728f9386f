"""The cost model."""

import math

import pytest
from hypothesis import given

from replay.settings import as_row
from strategy.cost import CostModel, CostSettings, price, write_cost_parts
from strategy.decision import Reason
from tests.naive import cost as naive
from tests.strategy.desks import horizons, make_book, make_decision, make_features, make_legs, positives, touches


@pytest.mark.jit_off
@given(touches, positives.filter(lambda vol: vol != math.inf and vol != -math.inf), horizons)
def test_cost_equals_the_plain_twin(touch, vol_bps, minutes):
    """Each leg's cost equals spread + 0.15 vol of five minutes sqrt(h / 5); an unknown one takes the leg out."""
    legs = make_legs([(h, 1.0, 1.0, 0.0, 0) for h in minutes])
    reason = price(0, legs, len(legs), make_book(*touch), make_features(vol_bps), as_row(CostSettings()), make_decision())
    expected = [naive.cost(naive.spread(*touch), vol_bps, h) for h in minutes]

    assert pytest.approx(expected, rel=1e-12, nan_ok=True) == legs["cost_bps"].tolist()
    assert [math.isfinite(cost) for cost in expected] == legs["is_alive"].astype(bool).tolist()
    assert (Reason.TARGET_SET if legs["is_alive"].any() else Reason.COST_UNKNOWN) == reason


@pytest.mark.jit_off
def test_parts_sum_to_the_cost():
    """What the decision tells apart adds up."""
    legs, book, features, params, decision = (
        make_legs([(30, 1.0, 1.0, 0.0, 0)]),
        make_book(),
        make_features(3.0),
        as_row(CostSettings()),
        make_decision(),
    )
    price(0, legs, 1, book, features, params, decision)
    write_cost_parts(0, 0, legs, book, features, params, decision)
    parts = sum(decision[0][f"cost_{part}_bps"] for part in ("spread", "vol", "impact", "fee", "residual"))

    assert legs[0]["cost_bps"] == decision[0]["cost_bps"] == parts


@given(positives, horizons)
def test_cost_grows_with_spread_volatility_and_horizon(vol_bps, minutes):
    """More of anything never costs less."""
    model, vol_bps = CostModel(), abs(vol_bps) if 0.0 < abs(vol_bps) < math.inf else 1.0

    assert model.price(1.0, vol_bps, minutes[0]) <= model.price(2.0, vol_bps, minutes[0])
    assert model.price(1.0, vol_bps, minutes[0]) <= model.price(1.0, 2 * vol_bps, minutes[0])
    assert model.price(1.0, vol_bps, minutes[0]) <= model.price(1.0, vol_bps, minutes[-1])


def test_off_is_free():
    """Without the model a trade costs nothing, whatever is unknown."""
    assert 0.0 == CostModel(mode="off").price(math.nan, math.nan, 5)
