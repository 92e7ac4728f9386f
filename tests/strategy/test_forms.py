"""Who acts: breakers, rollout and shadow in the joined pipeline."""

from dataclasses import replace

import numpy as np
import pytest

from strategy.arbiter import ArbiterSettings
from strategy.breaker import STATES, BreakerSettings
from strategy.cost import CostSettings
from strategy.decision import Component, Reason
from strategy.gate import GateSettings
from strategy.pipeline import PipelineSettings, StrategySettings
from strategy.planner import PlannerSettings
from strategy.rebalance import RebalanceSettings
from strategy.risk import RiskSettings
from strategy.staleness import StalenessSettings
from tests.strategy.pipeline_world import (
    MINUTE,
    OPEN,
    SECOND,
    answer,
    clock_event,
    forecast,
    make_pipeline,
    quote,
    run,
    warm_quotes,
)

T = OPEN + 13 * MINUTE
OPEN_STATE = STATES.index("open")
STEP = 20 * SECOND
BREAKER = BreakerSettings(failure_count_max=2, window_ns=MINUTE, cool_down_ns=3 * STEP - SECOND, cool_down_max_ns=MINUTE)
FREE = StrategySettings(rebalance=RebalanceSettings(mode="off"), breaker=BREAKER)
ENHANCED = {
    "staleness": StalenessSettings(mode="enhanced"),
    "cost": CostSettings(mode="enhanced"),
    "gate": GateSettings(mode="enhanced"),
    "arbiter": ArbiterSettings(mode="enhanced", labels_min=0.0),
    "risk": RiskSettings(mode="enhanced"),
}
REASONS = {
    "staleness": "COMPONENT_ERROR",
    "cost": "COST_UNKNOWN",
    "gate": "COMPONENT_ERROR",
    "arbiter": "WEIGHTS_ABNORMAL",
    "risk": "COMPONENT_ERROR",
}


def poison(name, state, value):
    """Put a number into what one enhanced component has learned of the first symbol alone."""
    if name == "staleness":
        state.guard[0]["failure_share"] = value
    elif name == "cost":
        state.costs.residuals[0]["mean_bps"] = value
    elif name == "gate":
        state.calibration.banks[0]["is_started"] = 1
        state.calibration.banks[0]["w"] = 1.0 / 6.0
        state.calibration.banks[0]["p"] = value
        state.calibration.label_counts[0] = 10_000
    elif name == "arbiter":
        state.mixture.hedges[0]["loss"][0] = value
    elif name == "risk":
        state.exposure.correlation.pairs[:] = (value, 1.0, 100)  # a correlation belongs to both
        state.exposure.correlation.alike["mean"] = state.exposure.correlation.alike["shrink"] = value


def moments(first, last):
    """Quotes and forecasts of both symbols every twenty seconds."""
    rows = []
    for k in range(first, last):
        at = T + k * STEP
        rows += [quote(at, s, 1_000_000, 1_000_200) for s in (0, 1)]
        rows += [forecast(at + 1 + s, s, 5, 25.0) for s in (0, 1)]
        rows += [clock_event(at + SECOND // 2)]
    return rows


def told(decisions, symbol=0):
    """Return reason, and names of failed and of open components, of one symbol's decisions."""
    rows = decisions[decisions["symbol"] == symbol]
    return [(Reason(int(row["reason"])).name, names(row["status"]), names(row["breaker"])) for row in rows]


def names(bits):
    return [component.name.lower() for component in Component if int(bits) >> component & 1]


@pytest.mark.parametrize("name", ENHANCED)
def test_a_component_that_keeps_failing_gives_way_and_is_tried_again(name):
    """Two failures skip the symbol with a reason, then the original acts; a sound trial after the cool-down closes it."""
    pipeline = make_pipeline(2, replace(FREE, **{name: ENHANCED[name]}))
    pipeline.desk.positions[1]["qty"] = 100
    pipeline.desk.positions[1]["cost"] = 100 * 1_000_000
    run(pipeline, warm_quotes(2))
    poison(name, pipeline.state, np.nan)
    sick = run(pipeline, moments(0, 4))[1]
    poison(name, pipeline.state, 0.0)
    well = run(pipeline, moments(4, 6))[1]
    failed, found = (REASONS[name], [name]), told(sick)

    assert [(*failed, []), (*failed, [name])] == found[:2]
    assert [([], [name])] * 2 == [part[1:] for part in found[2:]]
    assert {"TARGET_SET", "TARGET_KEPT"} >= {part[0] for part in found[2:]}
    assert [([], []), ([], [])] == [part[1:] for part in told(well)]
    if name != "risk":
        assert [([], [])] * 4 == [part[1:] for part in told(sick, symbol=1)]


def test_a_failed_trial_opens_the_breaker_again():
    """A component that is still broken after its cool-down fails once, and waits for another cool-down."""
    pipeline = make_pipeline(2, replace(FREE, staleness=ENHANCED["staleness"]), times_min=[])
    run(pipeline, warm_quotes(2))
    poison("staleness", pipeline.state, np.nan)
    found = told(run(pipeline, moments(0, 8))[1])

    assert [1, 1, 0, 0, 1, 0, 0, 1] == [len(part[1]) for part in found]
    assert 3 == pipeline.state.forms.breakers[0, Component.STALENESS]["open_count"]


def test_both_forms_keep_learning_while_one_acts():
    """What the gate has learned after a stretch on its fallback is what it learns when it acts itself."""
    learned = []
    for breaker in (replace(BREAKER, mode="off"), replace(BREAKER, cool_down_ns=10**15, cool_down_max_ns=10**15)):
        pipeline = make_pipeline(2, replace(FREE, gate=ENHANCED["gate"], breaker=breaker))
        run(pipeline, warm_quotes(2))
        pipeline.state.forms.breakers[0, Component.GATE]["state"] = 1
        pipeline.state.forms.breakers[0, Component.GATE]["wait_ns"] = 2**62 if breaker.mode == "on" else 0
        run(pipeline, moments(0, 30))
        learned.append(pipeline.state.calibration.label_counts.tolist())

    assert learned[0] == learned[1]
    assert learned[0][0][0] > 5


def trade_to_and_fro(config, originals):
    """Go in and out once a minute, filled at the mid; in the rounds of `originals` the cost model is on its fallback."""
    pipeline = make_pipeline(1, config, times_min=[])
    run(pipeline, warm_quotes(1))
    for k in range(6):
        breaker = pipeline.state.forms.breakers[0, Component.COST]
        breaker["state"], breaker["wait_ns"] = (OPEN_STATE, 2**62) if k in originals else (0, 0)
        at, bid = T + k * MINUTE, 1_000_000 + 500 * k
        rows = [quote(at, 0, bid, bid + 200), forecast(at + 1, 0, 5, -25.0 if k % 2 else 25.0), clock_event(at + 9)]
        requests, _ = run(pipeline, rows)
        order = (0, int(requests[0]["order_id"]), bid + 100, int(requests[0]["qty"]))
        run(pipeline, [answer("ACK", at + 10, *order[:2]), answer("FILL", at + 11, *order)])
    return pipeline.state.costs


@pytest.mark.parametrize(("trades", "originals"), [("original", []), ("enhanced", [2, 4, 5]), ("enhanced", range(6))])
def test_the_cost_model_learns_the_same_whichever_form_acts(trades, originals):
    """Six orders filled at the mid teach the same residual, decided by the enhanced form, the original, or in turns."""
    config = replace(FREE, cost=ENHANCED["cost"])
    expected = trade_to_and_fro(config, [])
    found = trade_to_and_fro(replace(config, pipeline=PipelineSettings(trades=trades)), originals)

    assert 6.0 == found.pool[0]["weight"]
    assert expected.pool.tolist() == found.pool.tolist()
    assert expected.residuals.tolist() == found.residuals.tolist()


def test_a_breaker_that_is_off_holds_nothing_back():
    """An open breaker that a saved state brings along changes nothing where breakers are off, and is not reported."""
    pipeline = make_pipeline(2, replace(FREE, gate=ENHANCED["gate"], breaker=replace(BREAKER, mode="off")))
    run(pipeline, warm_quotes(2))
    pipeline.state.forms.breakers[0, Component.GATE]["state"] = OPEN_STATE
    pipeline.state.forms.breakers[0, Component.GATE]["wait_ns"] = 2**62
    pipeline.state.forms.not_closed[0] = 1 << Component.GATE
    decisions = run(pipeline, moments(0, 2))[1]

    assert [[]] * 4 == [names(bits) for bits in decisions["as_original"]]
    assert [0] * 4 == decisions["breaker"].tolist()


def test_an_order_that_is_refused_counts_against_the_planner():
    """After two refused orders the original planner works the next plan; an order that is taken at the trial closes it again."""
    pipeline = make_pipeline(1, replace(FREE, planner=PlannerSettings(mode="enhanced")))
    run(pipeline, warm_quotes(1))
    forms, states = [], []
    for k, kind in enumerate(["REJECTED", "REJECTED", "REJECTED", "ACK"]):
        at = T + k * MINUTE // 2
        rows = [quote(at, 0, 1_000_000, 1_000_200), forecast(at + 1, 0, 5, 25.0), clock_event(at + 9)]
        requests, decisions = run(pipeline, rows)
        forms.append(names(decisions[-1]["as_original"]))
        run(pipeline, [answer(kind, at + SECOND, 0, int(requests[0]["order_id"]))])
        states.append(STATES[pipeline.state.forms.breakers[0, Component.PLANNER]["state"]])

    assert [[], [], ["planner"], []] == forms
    assert ["closed", "open", "open", "closed"] == states
