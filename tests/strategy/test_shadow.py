"""The shadow: a pure look at what the other side would have decided."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.orders import Action
from replay.snapshot import arrays_of
from strategy.arbiter import ArbiterSettings
from strategy.barriers import BarrierSettings
from strategy.cost import CostSettings
from strategy.decision import DECISION, Reason
from strategy.gate import GateSettings
from strategy.pipeline import PipelineSettings, StrategySettings
from strategy.rebalance import RebalanceSettings
from strategy.renorm import RenormSettings
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

ALL = StrategySettings(
    staleness=StalenessSettings(mode="enhanced"),
    cost=CostSettings(mode="enhanced"),
    gate=GateSettings(mode="enhanced"),
    arbiter=ArbiterSettings(mode="enhanced", labels_min=2.0),
    barriers=BarrierSettings(mode="enhanced"),
    risk=RiskSettings(mode="enhanced"),
    renorm=RenormSettings(mode="enhanced"),
    rebalance=RebalanceSettings(mode="off"),
)
LEARNING = replace(ALL, gate=GateSettings())  # an enhanced gate warms up for hours
NAMES = [name for name in DECISION.names if not name.startswith("shadow_")]
T = OPEN + 13 * MINUTE
moments = st.lists(
    st.tuples(
        st.sampled_from([SECOND, 5 * SECOND, 20 * SECOND, 3 * MINUTE, 6 * MINUTE]),
        st.integers(-30, 30),
        st.sampled_from([25.0, 30.0, -25.0, 60.0, 2.0, float("nan")]),
        st.sampled_from([0.1, 0.5, 0.9]),
        st.sampled_from(["FILL", "FILL", "REJECTED", ""]),
    ),
    min_size=5,
    max_size=30,
)


def play(script, config):
    """Run a script in which orders fill at their price, are refused, or stay; return decisions, requests and the pipeline."""
    pipeline = make_pipeline(1, config, times_min=[])
    run(pipeline, warm_quotes(1))
    decided, asked, at = [], [], T
    for gap_ns, ticks, mu, p_peak, end in script:
        at += gap_ns
        bid = 1_000_000 + 100 * ticks
        told = {"horizon_min": 5, "mu_bps": mu, "sigma_bps": 20.0, "p_peak": p_peak, "p_valley": 1.0 - p_peak}
        requests, decisions = run(pipeline, [quote(at, 0, bid, bid + 200), ("FORECAST", at + 1, 0, told), clock_event(at + 9)])
        decided.append(decisions)
        asked.append(requests)
        for request in requests[requests["action"] == Action.NEW] if end else ():
            order = (0, int(request["order_id"]), int(request["price"]), int(request["qty"]))
            run(pipeline, [answer("ACK", at + 10, *order[:2]), answer(end, at + 11, *order)])
    return np.concatenate(decided), np.concatenate(asked), pipeline


@pytest.mark.jit_off
@settings(max_examples=8)
@given(moments, st.sampled_from(["enhanced", "original"]), st.sampled_from([ALL, LEARNING]))
def test_who_trades_does_the_same_with_and_without_a_shadow(script, trades, config):
    """Decisions, requests and everything that is remembered are equal, but for the columns of the shadow."""
    alone, watched = (
        play(script, replace(config, pipeline=PipelineSettings(trades=trades, shadow=shadow))) for shadow in (False, True)
    )

    assert all(np.array_equal(alone[0][name], watched[0][name], equal_nan=True) for name in NAMES)
    assert alone[1].tobytes() == watched[1].tobytes()
    for (name, ours), (_, theirs) in zip(_remembered(alone[2]), _remembered(watched[2]), strict=True):
        assert ours.tobytes() == theirs.tobytes(), name


def _remembered(pipeline):
    """Walk through all arrays that outlive a cycle."""
    scratch = (
        "legs",
        "decision",
        "params",
        "params_acting",
        "marks",
        "modes",
        "holdings",
        "rest",
        "parts",
        "metrics",
        "issued",
        "plays",
    )
    spared = ("calibration.records", "calibration.buckets", "mixture.scratch")  # their last rows, and lines drawn anew each time
    return [
        (name, array)
        for name, array in arrays_of(pipeline.state)
        if name.rsplit(".", 1)[-1] not in scratch and name not in spared
    ]


@settings(max_examples=8)
@given(moments)
def test_the_shadow_is_the_other_side(script):
    """Where nothing is learned and nothing fills, the shadow of one side says what the other side decides at that moment."""
    script = [(*moment[:4], "") for moment in script]
    config = replace(ALL, gate=GateSettings(), arbiter=ArbiterSettings())
    sides = [
        play(script, replace(config, pipeline=PipelineSettings(trades=trades, shadow=True)))[0]
        for trades in ("enhanced", "original")
    ]
    for ours, theirs in (sides, sides[::-1]):
        is_refused = (theirs["reason"] >= Reason.NO_FORECAST) & (theirs["reason"] < Reason.NOT_REBALANCE_TIME)

        assert np.where(is_refused, theirs["reason"], 0).tolist() == ours["shadow_reason"].tolist()
        assert np.where(is_refused, 0, theirs["target_qty"]).tolist() == ours["shadow_target_qty"].tolist()
        assert theirs["horizon_min"].tolist() == ours["shadow_horizon_min"].tolist()


def test_without_it_nothing_ran_beside():
    """By default the columns say so."""
    decisions, _, _ = play([(SECOND, 0, 25.0, 0.5, "")], ALL)

    assert [-1] == decisions["shadow_reason"].tolist()


@pytest.mark.parametrize("trades", ["enhanced", "original"])
def test_the_shadow_says_that_it_does_not_know_a_horizon(trades):
    """Where the only forecast is of an unknown horizon both sides say so, and the next cycle has forgotten it."""
    pipeline = make_pipeline(1, replace(ALL, pipeline=PipelineSettings(trades=trades, shadow=True)), times_min=[])
    run(pipeline, warm_quotes(1))
    row = run(pipeline, [quote(T, 0, 1_000_000, 1_000_200), forecast(T + 1, 0, 7, 25.0), clock_event(T + 9)])[1][-1]

    assert (Reason.UNKNOWN_HORIZON, Reason.UNKNOWN_HORIZON) == (row["reason"], row["shadow_reason"])
    assert 0 == pipeline.state.schedule[0]["unknown_count"]
