"""Gradual rollout: the share that was asked for, the same for ever, nobody else's business."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategy.decision import Component
from strategy.forms import new_forms
from strategy.gate import GateSettings
from strategy.pipeline import PipelineSettings, StrategySettings
from strategy.rebalance import RebalanceSettings
from strategy.rollout import Rollout, is_chosen, symbol_key
from strategy.staleness import StalenessSettings
from tests.naive import delays as naive
from tests.strategy.pipeline_world import MINUTE, OPEN, SECOND, clock_event, forecast, make_pipeline, quote, run, warm_quotes

SYMBOLS = [f"S{k}" for k in range(400)]
seeds, shares = st.integers(0, 2**62), st.floats(0.0, 1.0)


@pytest.mark.jit_off
@given(seeds, st.sampled_from(list(Component)), st.text(max_size=6), st.integers(0, 10**6), shares)
def test_who_acts_is_what_the_plain_hash_says(seed, component, symbol, count, share):
    """The kernel chooses where the number of the key lies below the share; at a share of one, everywhere."""
    number = naive.uniform(seed, 2, symbol_key(symbol), int(component), 0, count)

    assert (share == 1.0 or number < share) == bool(is_chosen(seed, symbol_key(symbol), int(component), count, share))


@given(seeds, shares, shares)
def test_a_larger_share_only_adds_symbols(seed, share, other):
    """Whoever acts at a share acts at every larger one."""
    rollout = Rollout(seed)
    small, large = ({name for name in SYMBOLS[:50] if rollout.is_chosen("gate", name, part)} for part in sorted((share, other)))

    assert small <= large


def test_the_share_is_kept_and_components_draw_for_themselves():
    """Of 400 symbols about three in ten are chosen, by cycle likewise, and not the same ones for two components."""
    rollout = Rollout(3)
    gate, cost = ([rollout.is_chosen(name, symbol, 0.3) for symbol in SYMBOLS] for name in ("gate", "cost"))
    cycles = [rollout.is_chosen("gate", "AAPL", 0.3, count) for count in range(400)]

    assert all(90 <= sum(chosen) <= 150 for chosen in (gate, cost, cycles))
    assert 10 <= sum(a and b for a, b in zip(gate, cost, strict=True)) <= 65


def test_another_symbol_changes_nothing():
    """A symbol is chosen by its name: its place among others does not matter."""
    few, many = new_forms(2, StrategySettings(), ["AAPL", "MSFT"], 1), new_forms(3, StrategySettings(), ["AA", "AAPL", "MSFT"], 1)

    assert np.array_equal(few.rollout_keys, many.rollout_keys[1:])


def decided(way, share):
    """Return which of forty decisions of one symbol the enhanced gate and guard made."""
    settings = StrategySettings(
        gate=GateSettings(mode="enhanced", rollout=share),
        staleness=StalenessSettings(mode="enhanced"),
        rebalance=RebalanceSettings(mode="off"),
    )
    pipeline = make_pipeline(1, replace(settings, pipeline=PipelineSettings(rollout_by=way)), times_min=[])
    rows = warm_quotes(1)
    for k in range(40):
        at = OPEN + 12 * MINUTE + k * 2 * SECOND
        rows += [quote(at, 0, 1_000_000, 1_000_200), forecast(at + 1, 0, 5, 25.0), clock_event(at + 9)]
    return run(pipeline, rows)[1]["as_original"] >> Component.GATE & 1


def test_cycles_are_shared_out_one_by_one_and_symbols_as_a_whole():
    """By cycle a symbol's decisions are made by both forms in about that share; by symbol by one of them for ever."""
    cycles, symbol = decided("cycle", 0.5), decided("symbol", 0.5)

    assert 10 <= cycles.sum() <= 30
    assert symbol.sum() in (0, 40)
    assert [40, 0] == [decided("symbol", share).sum() for share in (0.0, 1.0)]
