"""Cost and risk in their enhanced forms, in whole runs: blocks, days, and symbols by name."""

from datetime import time

import pandas as pd
import pytest

from replay import Config, Session, run
from replay.snapshot import Lasting, load_state
from replay.synth import generate
from strategy.pipeline import StrategySettings, build_state

ENHANCED = [
    "cost.mode=enhanced", "risk.mode=enhanced", "risk.gross_share=0.15", "risk.correlation_minutes_min=10",
    "rebalance.times_min=" + str(list(range(570, 960, 5))),
]  # fmt: skip


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    """Two days of an hour, three symbols with a strong signal."""
    return generate(tmp_path_factory.mktemp("days"), symbols=3, minutes=60, days=2, seed=5, ic=0.5, activity=0.3)


def enhanced(sessions, **options):
    return run(sessions, config=Config().with_sets(ENHANCED + options.pop("sets", [])), **options)


def test_enhanced_costs_and_limits_do_not_depend_on_blocks(replay_sample):
    """Costs that learn and limits that see each other give the same bits however the stream is cut."""
    results = [replay_sample([*ENHANCED, f"run.block_events={n}"], end=time(10, 0)) for n in (131_072, 7)]

    assert len(results[0].fills) > 5
    assert results[0].journal_digest == results[1].journal_digest
    assert (results[0].decisions["cost_residual_bps"] != 0.0).any()
    assert (results[0].decisions["risk_limit"] != 0).any()


def test_what_was_learned_travels_to_the_next_day(days, tmp_path):
    """Two days at once equal two days one by one with carried state: residuals and correlations go on."""
    both = enhanced(days)
    enhanced(days[:1], state_out=tmp_path / "state.npz")
    second = enhanced(days[1:], state_in=tmp_path / "state.npz")
    columns = ["ts_ns", "symbol", "reason", "cost_bps", "cost_residual_bps", "target_qty", "risk_limit", "risk_unknown"]
    late = both.decisions[both.decisions["ts_ns"] >= second.decisions["ts_ns"].min()]

    assert len(second.decisions) > 20
    pd.testing.assert_frame_equal(late[columns].reset_index(drop=True), second.decisions[columns])


def test_correlations_travel_by_pairs_of_names(days, tmp_path):
    """A state of A, B and C starts a day of C, X and A: the pair of A and C goes on, pairs with X start new."""
    a, b, c = Session.open(days[0]).symbols
    enhanced(days[:1], state_out=tmp_path / "state.npz")
    old, new = build_state(StrategySettings(), 3), build_state(StrategySettings(), 3)
    load_state(tmp_path / "state.npz", Lasting(old), [a, b, c])
    load_state(tmp_path / "state.npz", Lasting(new), [c, "X", a])
    was, now = old.exposure.correlation.pairs, new.exposure.correlation.pairs

    assert was[0, 2]["minute_count"] > 20
    assert (was[0, 2], was[2, 0]) == (now[2, 0], now[0, 2])
    assert not now[1]["minute_count"].any()
