"""Faults put into one symbol, through the whole engine: it is skipped with a reason, and nobody else notices."""

from datetime import time
from pathlib import Path

import numpy as np
import pytest

from replay.config import Config
from replay.engine.spool import Spool
from replay.forecasts.table import no_forecasts
from replay.forecasts.weave import Weaver
from replay.inputs import Choices, gather
from replay.setup import build_engine, start_day
from strategy.decision import DECISION, Component, Reason
from strategy.policies import n_policies

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
COLUMNS = ("ts_ns", "reason", "status", "target_qty", "position_qty", "horizon_min", "breaker", "as_original")
WARM_UP = 1 << Component.COST  # no volatility is known in the first minutes
LEARNING = [
    "arbiter.mode=enhanced",
    "arbiter.labels_min=0.0",
    "rebalance.mode=off",
    "breaker.failure_count_max=2",
    "breaker.cool_down_ns=120_000_000_000",
]


def nan_model(rows, _state):
    rows["mu_bps"] = np.nan


def crossed_quantiles(rows, _state):
    rows["q_lo_bps"], rows["q_hi_bps"] = 50.0, -50.0


def late_rows(rows, _state):
    rows["bar_close_ts_ns"] = rows["bar_close_ts_ns"][0] - np.arange(len(rows))


def broken_weights(_rows, state):
    state.mixture.hedges[0]["loss"] = np.nan


def broken_share(_rows, state):
    state.mixture.hedges[0]["loss"][n_policies(len(state.legs)) - 1] = np.nan


def lost_prior(_rows, state):
    state.mixture.hedges[0]["prior"] = np.nan


def decided(folder, break_it, sets, restart_after=()):
    """Replay 25 minutes of the sample with the first symbol's forecasts, or state, broken; return all decisions.

    After some blocks of 500 events it goes on in a new engine, restored from a snapshot.
    """
    folder.mkdir()
    config = Config().with_sets(sets)
    inputs = gather([SAMPLE], config, Choices(forecasts=SAMPLE / "forecasts.parquet", start=time(9, 30), end=time(9, 55)))
    spool, session = Spool(folder), inputs.sessions[0]
    engine = build_engine(inputs, spool)
    start_day(inputs, engine, session)
    given, weaver = inputs.forecasts_of(session), Weaver()
    rows, own = given.rows.copy(), given.ready["symbol"] == 0
    broken = rows[own]
    break_it(broken, engine.seat.state)
    rows[own] = broken
    given = given._replace(rows=rows)
    start_ns, end_ns = inputs.span_of(session)
    blocks = session.blocks(inputs.symbol_index, start_ns=start_ns, end_ns=end_ns, block_events=500)
    for k, block in enumerate(blocks):
        for piece in weaver.weave(block, given):
            engine.feed(piece)
        given = no_forecasts()
        if k in restart_after:
            engine.flush()
            saved, engine = engine.snapshot(), build_engine(inputs, spool)
            engine.restore(saved)
    engine.flush()
    spool.close()
    return np.fromfile(folder / "decisions.rows", DECISION)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    """Return what is decided without a fault, by settings."""
    root = tmp_path_factory.mktemp("healthy")
    return {k: decided(root / str(k), lambda *_: None, sets) for k, sets in enumerate(([], LEARNING))}


@pytest.mark.parametrize(
    ("break_it", "is_learning", "reasons", "component"),
    [
        (nan_model, False, {"FORECAST_NAN"}, Component.FORECASTS),
        (crossed_quantiles, False, {"FORECAST_CROSSED"}, Component.FORECASTS),
        (late_rows, False, None, None),
        (broken_weights, True, {"WEIGHTS_ABNORMAL"}, Component.ARBITER),
        (broken_share, True, {"WEIGHTS_ABNORMAL"}, Component.ARBITER),
        (lost_prior, True, {"WEIGHTS_ABNORMAL"}, Component.ARBITER),
    ],
)
def test_a_fault_of_one_symbol_stays_with_it(tmp_path, healthy, break_it, is_learning, reasons, component):
    """The run goes on, the other symbols decide as without the fault, and the broken one says why it is skipped."""
    found = decided(tmp_path / "broken", break_it, LEARNING if is_learning else [])
    sound = healthy[int(is_learning)]
    ours, theirs = (rows[rows["symbol"] == 0] for rows in (sound, found))
    is_failed = (theirs["status"] & ~WARM_UP) != 0

    for name in COLUMNS:
        assert sound[name][sound["symbol"] != 0].tolist() == found[name][found["symbol"] != 0].tolist(), name
    assert len(ours) > 20
    assert (component is None) == (not is_failed.any())
    if component is not None:
        assert {1 << component} == set((theirs["status"] & ~WARM_UP)[is_failed].tolist())
        assert reasons == {Reason(int(code)).name for code in theirs["reason"][is_failed]}


def test_broken_weights_give_way_to_the_original(tmp_path, healthy):
    """Two failures, then the original arbiter trades the symbol, but for a trial after each wait."""
    found = decided(tmp_path / "broken", broken_weights, LEARNING)
    own = found[found["symbol"] == 0]
    is_failed, is_open = (own["status"] & ~WARM_UP) != 0, own["breaker"] != 0
    acting = own[is_open & ~is_failed]

    assert 3 <= is_failed.sum() <= 6
    assert (acting["as_original"] == 1 << Component.ARBITER).all()
    assert (acting["reason"] < Reason.NO_FORECAST).any()
    assert not (healthy[1]["breaker"] != 0).any()


def test_a_snapshot_restores_breakers_rollout_and_shadow_exactly(tmp_path):
    """Restarted with a breaker open, a rollout by cycle and a shadow, a run goes on as the one that was never stopped."""
    sets = [*LEARNING, "cost.mode=enhanced", "cost.rollout=0.5", "pipeline.rollout_by=cycle", "pipeline.shadow=true"]
    whole = decided(tmp_path / "whole", broken_weights, sets)
    parts = decided(tmp_path / "parts", broken_weights, sets, restart_after=(2, 5, 9))

    assert (whole["breaker"] != 0).any()
    assert 0 < (whole["as_original"] >> Component.COST & 1).mean() < 1
    assert (whole["shadow_reason"] >= 0).any()
    assert [row.tobytes() for row in whole] == [row.tobytes() for row in parts]
