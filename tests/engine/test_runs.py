"""Runs: several days, state by symbol name, verify and what it notices, tables that agree with the engine."""

import json
from datetime import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from replay import Config, Result, Session, run, verify
from replay.errors import DataError, UsageError
from replay.inputs import Choices, gather
from replay.setup import build_engine
from replay.snapshot import Lasting, arrays_of, load_state
from replay.synth import generate
from strategy.pipeline import StrategySettings, build_state
from tests.engine.strategies import Quoter

SAMPLE = Path(__file__).parents[2] / "data" / "sample"


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    """Two days of an hour, three symbols."""
    return generate(tmp_path_factory.mktemp("days"), symbols=3, minutes=60, days=2, seed=5, ic=0.5, activity=0.3)


def test_days_in_a_row_equal_days_with_carried_state(days, tmp_path):
    """Running two days at once equals running them one by one with --state-out and --state-in."""
    both = run(days)
    run(days[:1], state_out=tmp_path / "state.npz")
    second = run(days[1:], state_in=tmp_path / "state.npz")

    assert len(second.decisions) > 20
    columns = ["ts_ns", "symbol", "reason", "mu_bps", "cost_bps", "target_qty"]
    late = both.decisions[both.decisions["ts_ns"] >= second.decisions["ts_ns"].min()]
    pd.testing.assert_frame_equal(late[columns].reset_index(drop=True), second.decisions[columns])


def test_state_is_addressed_by_symbol_name(days, tmp_path):
    """A state of symbols A and B starts a day of B and C: B goes on, C starts new."""
    names = Session.open(days[0]).symbols
    run(days[:1], symbols=names[:2], state_out=tmp_path / "state.npz")
    old = build_state(StrategySettings(), 2)
    new = build_state(StrategySettings(), 2)
    fresh = build_state(StrategySettings(), 1)
    load_state(tmp_path / "state.npz", Lasting(old), list(names[:2]))
    load_state(tmp_path / "state.npz", Lasting(new), list(names[1:]))

    assert old.features[1]["return_count"] > 20
    assert old.features[1] == new.features[0]
    assert fresh.features[0] == new.features[1]


def test_what_was_held_does_not_travel_with_the_state(days, tmp_path):
    """A state written while shares were held starts the next day flat, with no trade to look after."""
    first = run([SAMPLE], forecasts=SAMPLE / "forecasts.parquet", end=time(9, 50), state_out=tmp_path / "state.npz")
    second = run(days[1:], state_in=tmp_path / "state.npz")

    assert (first.positions["qty"] != 0).any()
    assert len(second.decisions) > 20


def test_a_state_of_another_strategy_is_refused(days, tmp_path):
    """A start state names the strategy it belongs to; garbage is refused as data."""
    run(days[:1], state_out=tmp_path / "state.npz")
    with pytest.raises((UsageError, DataError), match=r"state\.npz (does not fit|belongs to)"):
        run(days[1:], strategy=Quoter(), state_in=tmp_path / "state.npz")
    (tmp_path / "garbage.npz").write_text("no")
    with pytest.raises(DataError, match=r"garbage\.npz cannot be read"):
        run(days[1:], state_in=tmp_path / "garbage.npz")


def test_settings_do_not_travel_with_the_state(days, tmp_path):
    """A start state brings yesterday's memory, not yesterday's configuration."""
    run(days[:1], state_out=tmp_path / "state.npz")
    config = Config().with_sets(["gate.threshold_bps=1000.0"])

    assert {"GATE_COST"} >= set(run(days[1:], config=config, state_in=tmp_path / "state.npz").decisions["reason"]) - {
        "COST_UNKNOWN",
        "NO_QUOTE",
    }


def test_sessions_of_one_date_are_merged_and_order_does_not_matter(days):
    """Sessions run in date order, whatever order they are given in; the same symbols twice on one date are refused."""
    assert run(days).journal_digest == run(days[::-1]).journal_digest
    with pytest.raises((UsageError, DataError), match="symbol"):
        run([days[0], days[0]])


def test_verify_holds_and_notices_a_changed_table(days, tmp_path):
    """Verify repeats a run; a changed decision on disk, a changed input or a lost one is noticed."""
    folder = run(days[:1]).save(tmp_path / "run")
    outcome = verify(folder)
    decisions = pd.read_parquet(folder / "decisions.parquet")
    decisions.loc[3, "mu_bps"] += 1.0
    decisions.to_parquet(folder / "decisions.parquet")
    changed = verify(folder)

    assert (True, False) == (outcome.holds, changed.holds)
    assert "the run repeats" in outcome.text
    assert "decisions row 3" in changed.text
    assert "mu_bps" in changed.text


def test_verify_refuses_inputs_that_changed(tmp_path):
    """A forecasts file that changed since the run is named."""
    forecasts = pd.read_parquet(SAMPLE / "forecasts.parquet")
    forecasts.to_parquet(tmp_path / "f.parquet")
    folder = run([SAMPLE], forecasts=tmp_path / "f.parquet", end=time(9, 45)).save(tmp_path / "run")
    forecasts["mu_bps"] *= 2
    forecasts.to_parquet(tmp_path / "f.parquet")

    with pytest.raises(DataError, match=r"f\.parquet has changed since"):
        verify(folder)


def test_the_tables_agree_with_the_engine(days):
    """Positions, fees and realised profit computed from fills equal what the desk kept event by event."""
    inputs = gather(days, Config(), Choices())
    result = run(days)
    engine = build_engine(inputs, None)
    fills = result.fills
    signed = np.where(fills["side"] == "BUY", 1, -1) * fills["qty"]

    assert engine.world.desk.positions["qty"].sum() == 0
    assert len(fills) > 5
    held = fills.assign(signed=signed).groupby("symbol")["signed"].sum()
    final = result.positions.drop_duplicates("symbol", keep="last").set_index("symbol")["qty"]
    for symbol, qty in held.items():
        assert final.get(symbol, 0) == qty
    assert result.summary["fee_usd"] == pytest.approx(fills["fee_usd"].sum())


def test_a_saved_run_is_complete_and_opens_again(days, tmp_path):
    """A run folder holds everything of the contract, and opens without the session."""
    result = run(days[:1])
    folder = result.save(tmp_path / "run")
    again = Result.open(folder)

    names = {"manifest.json", "summary.json", "verification.json", "report.html", "journal", "events.log"} | {
        f"{name}.parquet" for name in ("decisions", "orders", "fills", "round_trips", "positions", "equity", "cycles")
    }
    assert names <= {path.name for path in folder.iterdir()}
    assert result.journal_digest == again.journal_digest
    keys = {
        "run_id",
        "started_at",
        "config",
        "config_digest",
        "seed",
        "versions",
        "journal_digest",
        "events",
        "wall_s",
        "events_per_s",
    }
    assert keys <= set(json.loads((folder / "manifest.json").read_text()))
    with pytest.raises(DataError, match="not a run folder"):
        Result.open(days[0].parent)


@pytest.mark.parametrize("name", ["forecasts", "state_in"])
def test_a_table_in_memory_is_no_file(days, name):
    """What `verify` could not read again is refused with the way to give it."""
    with pytest.raises(UsageError, match=f"{name} must be the path of a file, got a DataFrame: write it to a file"):
        run([days[0]], **{name: pd.DataFrame({"symbol": ["A"]})})


def test_nothing_is_half_written(days, tmp_path):
    """Saving over something that is no run is refused; saving over a run replaces it whole."""
    result = run(days[:1])
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("keep me")
    with pytest.raises(UsageError, match="is not a run folder"):
        result.save(tmp_path / "mine")
    result.save(tmp_path / "run")
    result.save(tmp_path / "run")

    assert ["diary.txt"] == [path.name for path in (tmp_path / "mine").iterdir()]
    assert not list(tmp_path.glob("*.part"))


def test_every_array_of_the_state_is_reached_by_snapshots():
    """A snapshot walks nested bundles and finds every array once."""
    names = [name for name, _ in arrays_of(build_state(StrategySettings(), 2))]

    assert len(set(names)) == len(names)
    assert {"features", "planner.plans", "rebalance.times_ns"} <= set(names)
