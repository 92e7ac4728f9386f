"""State that travels between an own loop and runs: gates begun offline, pipelines saved, by symbol name."""

from datetime import time

import numpy as np
import pytest

from replay import Config
from replay.errors import DataError
from replay.snapshot import arrays_of
from strategy import ConformalGate, DecisionPipeline
from strategy.start_values import start_values

HORIZONS_MIN = [5, 10, 15, 30, 60]
ENHANCED = ["gate.mode=enhanced"]


def test_a_run_starts_from_start_values(replay_sample, tmp_path):
    """With the gate's start values as --state-in no decision of the morning waits for outcomes; without them all do."""
    rng = np.random.default_rng(0)
    start = start_values(np.zeros(400), np.ones(400), rng.normal(size=400))
    gate = ConformalGate(["ALFA", "BRVO", "CHRL", "DLTA"], HORIZONS_MIN)
    for symbol in ("ALFA", "BRVO", "CHRL", "DLTA"):
        for horizon_min in HORIZONS_MIN:
            gate.begin(symbol, horizon_min, start)
    gate.save(tmp_path / "start.npz")
    cold = replay_sample(ENHANCED, end=time(9, 40)).decisions
    warm = replay_sample(ENHANCED, end=time(9, 40), state_in=tmp_path / "start.npz").decisions

    assert "GATE_NOT_READY" in set(cold["reason"])
    assert "GATE_NOT_READY" not in set(warm["reason"])
    assert len(cold) == len(warm)


def test_a_run_leaves_what_an_own_loop_goes_on_from(replay_sample, tmp_path):
    """A pipeline of some of the symbols, in another order, has their rows of the state that a run wrote, and so has a gate."""
    replay_sample(ENHANCED, end=time(9, 55), state_out=tmp_path / "run.npz")
    settings = Config().with_sets(ENHANCED).strategy
    all_four, two = (
        DecisionPipeline(symbols=names, horizons_min=HORIZONS_MIN, settings=settings)
        for names in (["ALFA", "BRVO", "CHRL", "DLTA"], ["CHRL", "ALFA"])
    )
    for pipeline in (all_four, two):
        pipeline.load(tmp_path / "run.npz")
    gate = ConformalGate(["CHRL"], HORIZONS_MIN)
    gate.load(tmp_path / "run.npz")

    assert all_four.state.features["return_count"].min() > 3
    assert all_four.state.features[[2, 0]].tobytes() == two.state.features.tobytes()
    assert all_four.state.calibration.label_counts[2].tolist() == gate._state.label_counts[0].tolist()
    assert gate._state.label_counts.sum() > 0
    two.save(tmp_path / "two.npz")
    again = DecisionPipeline(symbols=["CHRL", "ALFA"], horizons_min=HORIZONS_MIN, settings=settings)
    again.load(tmp_path / "two.npz")
    left, right = dict(arrays_of(two.state)), dict(arrays_of(again.state))
    assert [name for name in left if left[name].tobytes() != right[name].tobytes()] == []


def test_a_state_of_other_horizons_is_refused(replay_sample, tmp_path):
    """Rows per horizon mean something else there, although their shape may be the same."""
    ConformalGate(["ALFA"], [1, 2, 3, 4, 6]).save(tmp_path / "start.npz")

    with pytest.raises(DataError, match=r"is of horizons \[1, 2, 3, 4, 6\] min, expected \[5, 10, 15, 30, 60\]"):
        replay_sample(ENHANCED, end=time(9, 32), state_in=tmp_path / "start.npz")


def test_a_state_brings_no_equity(tmp_path):
    """What a loop has today is what it was told, not what the loop that saved had."""
    old, new = (DecisionPipeline(symbols=["A"], horizons_min=HORIZONS_MIN, equity_usd=usd) for usd in (100_000.0, 250_000.0))
    old.save(tmp_path / "old.npz")
    new.load(tmp_path / "old.npz")

    assert 250_000.0 == new.state.control[0]["equity_usd"]


def test_a_refused_state_changes_nothing(tmp_path):
    """A file that does not fit in one array is refused before any other is taken over."""
    small = Config().with_sets(["pipeline.pending_slots=64"]).strategy
    old = DecisionPipeline(symbols=["A"], horizons_min=HORIZONS_MIN, settings=small)
    old.state.features["vol_bps"] = 7.0
    old.save(tmp_path / "old.npz")
    new = DecisionPipeline(symbols=["A"], horizons_min=HORIZONS_MIN)
    before = {name: array.tobytes() for name, array in arrays_of(new.state)}

    with pytest.raises(DataError, match="does not fit"):
        new.load(tmp_path / "old.npz")
    assert [name for name, array in arrays_of(new.state) if before[name] != array.tobytes()] == []


def test_a_state_from_later_is_refused(replay_sample, tmp_path):
    """A run may begin where the state was left, not before: both times are named, and nothing runs."""
    replay_sample(ENHANCED, end=time(9, 40), state_out=tmp_path / "later.npz")

    assert len(replay_sample(ENHANCED, start=time(9, 40), end=time(9, 45), state_in=tmp_path / "later.npz").decisions) > 0
    with pytest.raises(DataError, match=r"left at 2026-03-02 09:39:59.*, after 2026-03-02 09:35:00.*, where this run begins"):
        replay_sample(ENHANCED, start=time(9, 35), end=time(9, 45), state_in=tmp_path / "later.npz")
