"""The bundled sample is what its command makes, and small."""

import json
from pathlib import Path

import pandas as pd
import pytest

from replay.synth.sample import generate_sample

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    return generate_sample(tmp_path_factory.mktemp("sample") / "sample")


@pytest.mark.portable
def test_sample_can_be_made_again(again):
    """The command in data/README.md makes the same content: session digest, and every forecast."""
    stored, made = (json.loads((folder / "manifest.json").read_text()) for folder in (SAMPLE, again))

    assert stored["digest"] == made["digest"]
    assert stored["notes"] == made["notes"]
    pd.testing.assert_frame_equal(*(pd.read_parquet(folder / "forecasts.parquet") for folder in (SAMPLE, again)))


def test_sample_is_small():
    """The sample stays under 3 MB, and each of its files under 1 MB."""
    sizes = [path.stat().st_size for path in SAMPLE.iterdir()]

    assert max(sizes) < 1_000_000
    assert sum(sizes) < 3_000_000


def test_sample_is_a_full_day_of_several_symbols():
    """The sample has four symbols, trades from the open to the close, and says which of them are snapshots."""
    manifest = json.loads((SAMPLE / "manifest.json").read_text())
    bars = pd.read_parquet(SAMPLE / "bars.parquet")
    minutes = bars[bars["bar_s"] == 60].groupby("symbol").size()

    assert ["tick_by_tick"] * 2 + ["snapshot_250ms"] * 2 == [symbol["evidence"] for symbol in manifest["symbols"]]
    assert manifest["hours"]["close_ns"] == bars["ts_ns"].max()
    assert 380 <= minutes.min()


def test_sample_gives_the_gate_something_to_do():
    """The signal is strong enough that some intervals clear a cost of 3 bps at every horizon."""
    forecasts = pd.read_parquet(SAMPLE / "forecasts.parquet")
    is_clear = (forecasts["q_lo_bps"] > 3.0) | (forecasts["q_hi_bps"] < -3.0)

    assert (is_clear.groupby(forecasts["horizon_min"]).sum() >= 3).all()
