"""The start state of the sample: it fits, it is what its command makes, and it spares the long horizons their warm-up."""

import tomllib
from datetime import time
from pathlib import Path

import numpy as np
import pytest

from replay import Config, Session, run
from replay.project import enhanced_toml
from replay.synth.sample import SAMPLE as SETTINGS
from replay.synth.sessions import generate
from replay.synth.start import DAYS, FIRST_DAY, LEARNED, make_start
from strategy import ConformalGate

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"
START = SAMPLE / "start.npz"


def test_the_start_state_fits():
    """Every gate of the sample is ready with it; after a change of layout `python -m replay.synth.start` makes it anew."""
    symbols, horizons_min = Session.open(SAMPLE).symbols, [5, 10, 15, 30, 60]
    gate = ConformalGate(symbols, horizons_min)
    gate.load(START)

    assert all(gate.is_ready(symbol, horizon_min) for symbol in symbols for horizon_min in horizons_min)


def test_the_long_horizons_spend_no_time_in_warm_up():
    """From the first minutes on all enhanced forms decide on the sample; without the start state they wait."""
    enhanced = Config.from_values(tomllib.loads(enhanced_toml()))
    given = {"config": enhanced, "forecasts": SAMPLE / "forecasts.parquet", "start": time(9, 30), "end": time(9, 50)}
    cold, warm = (run([SAMPLE], state_in=state, **given).decisions for state in (None, START))

    assert "GATE_NOT_READY" in set(cold["reason"])
    assert "GATE_NOT_READY" not in set(warm["reason"])
    assert len(warm) > 20


@pytest.mark.slow
@pytest.mark.portable
def test_the_start_state_can_be_made_again(tmp_path):
    """The command in data/README.md makes the same arrays, from days that are not the sample's own."""
    with np.load(START) as stored, np.load(make_start(tmp_path / "start.npz")) as made:
        assert sorted(f"array:{name}" for name in LEARNED) == sorted(set(stored.files) - {"meta"})
        assert str(stored["meta"]) == str(made["meta"])
        assert [name for name in stored.files if stored[name].tobytes() != made[name].tobytes()] == []
    days = [Session.open(path) for path in generate(tmp_path / "days", SETTINGS, days=DAYS, start_day=FIRST_DAY)]

    assert Session.open(SAMPLE).digest not in {day.digest for day in days}
    assert max(day.day for day in days) < Session.open(SAMPLE).day
