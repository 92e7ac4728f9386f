"""Warm-up: what nobody can know yet is refused, and is no component's error."""

from dataclasses import replace

import numpy as np
import pytest

from strategy.arbiter import ArbiterSettings
from strategy.cost import CostSettings
from strategy.decision import Component, Reason
from strategy.gate import GateSettings
from strategy.pipeline import StrategySettings
from strategy.rebalance import RebalanceSettings
from strategy.renorm import RenormSettings
from strategy.risk import RiskSettings
from strategy.staleness import StalenessSettings
from tests.strategy.pipeline_world import MINUTE, OPEN, SECOND, clock_event, forecast, make_pipeline, quote, run, warm_quotes

FREE = StrategySettings(rebalance=RebalanceSettings(mode="off"))
OFF = replace(FREE, cost=CostSettings(mode="off"))
ENHANCED = replace(
    FREE,
    staleness=StalenessSettings(mode="enhanced"),
    cost=CostSettings(mode="enhanced"),
    gate=GateSettings(mode="enhanced"),
    arbiter=ArbiterSettings(mode="enhanced", labels_min=0.0),
    risk=RiskSettings(mode="enhanced"),
    renorm=RenormSettings(mode="enhanced"),
)
FORMS = {"original": FREE, "free of cost": OFF, "enhanced": ENHANCED}


def cycles(first_min, n):
    """One quote and one forecast in each of so many minutes."""
    rows = []
    for k in range(first_min, first_min + n):
        at, bid = OPEN + k * MINUTE + 30 * SECOND, 1_000_000 + 100 * (k % 2)
        rows += [quote(at, 0, bid, bid + 200), forecast(at + 1, 0, 5, 25.0), clock_event(at + SECOND)]
    return rows


@pytest.mark.parametrize("form", FORMS)
def test_a_volatility_that_is_not_known_yet_is_no_error(form):
    """The first minutes after the open are refused for their unknown cost, and no component's bit is set."""
    decisions = run(make_pipeline(1, FORMS[form], times_min=[]), cycles(0, 4))[1]

    assert {Reason.COST_UNKNOWN} == set(decisions["reason"])
    assert [0] * 4 == decisions["status"].tolist()


@pytest.mark.parametrize("form", FORMS)
def test_without_a_choice_there_are_no_weights_to_judge(form):
    """While no horizon can be scored, the cycles hold no sum of weights, which the checklist would call abnormal."""
    pipeline = make_pipeline(1, FORMS[form], times_min=[])
    run(pipeline, cycles(0, 4))
    sums = pipeline.cycles["weight_sum_min"]

    assert len(sums) > 0
    assert np.isnan(sums).all()


@pytest.mark.parametrize("form", FORMS)
def test_a_volatility_that_is_no_number_is_an_error(form):
    """Once it was known, a volatility that is lost is the error of the component that needed it."""
    pipeline = make_pipeline(1, FORMS[form], times_min=[])
    run(pipeline, warm_quotes(1))
    pipeline.state.features["vol_bps"] = pipeline.state.features["var_bps2"] = np.nan
    decisions = run(pipeline, cycles(12, 2))[1]
    component = Component.ARBITER if form == "free of cost" else Component.COST

    assert [(Reason.COST_UNKNOWN, 1 << component)] * 2 == decisions[["reason", "status"]].tolist()
