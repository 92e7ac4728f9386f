"""`generate`: same seed, same bits; the layout on disk; what is refused."""

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from replay.errors import UsageError
from replay.synth import SynthSettings, generate

ROOT = Path(__file__).resolve().parents[2]
TINY = {"symbols": 1, "minutes": 8, "seed": 11, "ic": 0.4, "halts": 1, "gaps": 1, "activity": 0.3, "depth": 0.3}
# Taken once; a change of the generator changes it, a change of machine, numpy or numba must not.
TINY_DIGEST = "88c45f2a15906b170aca0f9389e75717ec6525dc1a3564cbc9d795975804fcf5"
PROGRAM = "import sys, json; from replay.synth import generate; print(generate(sys.argv[1], **json.loads(sys.argv[2]))[0])"


def digest(folder):
    return json.loads((folder / "manifest.json").read_text())["digest"]


def forecasts(folder):
    return pd.read_parquet(folder / "forecasts.parquet")


@pytest.mark.portable
def test_same_seed_same_bits(tmp_path):
    """A tiny session has the digest that it had when it was written down."""
    folder = generate(tmp_path / "a", **TINY)[0]

    assert TINY_DIGEST == digest(folder)


@pytest.mark.jit_off
def test_interpreted_equals_compiled(tmp_path):
    """Without the compiler, another process makes the same session and the same forecasts."""
    folder = generate(tmp_path / "a", **TINY)[0]
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONHASHSEED": "77"}
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "b"), json.dumps(TINY)]
    subprocess.run(command, check=True, cwd=ROOT, env=environment, capture_output=True)

    assert digest(folder) == digest(tmp_path / "b")
    pd.testing.assert_frame_equal(forecasts(folder), forecasts(tmp_path / "b"))


def test_another_seed_is_another_session(tmp_path):
    """The seed matters."""
    one, two = (generate(tmp_path / str(seed), symbols=1, minutes=2, seed=seed)[0] for seed in (1, 2))

    assert digest(one) != digest(two)


def test_another_symbol_changes_nobody(tmp_path):
    """Adding a symbol leaves the rows of the others as they were."""
    one, two = (generate(tmp_path / str(n), symbols=n, minutes=6, seed=4, tick_by_tick=1)[0] for n in (1, 2))
    for stream in ("quotes", "trades", "bars", "messages", "forecasts"):
        alone, beside = (pd.read_parquet(folder / f"{stream}.parquet") for folder in (one, two))
        beside = beside[beside["symbol"] == "ALFA"].reset_index(drop=True)
        numbers = ["seq"] if stream != "forecasts" else ["forecast_id"]

        pd.testing.assert_frame_equal(alone.drop(columns=numbers), beside.drop(columns=numbers))


def test_one_day_is_the_folder_itself(tmp_path):
    """A single day lies in the folder named; writing it again replaces it."""
    first = generate(tmp_path / "one", symbols=1, minutes=2, seed=1)
    second = generate(tmp_path / "one", symbols=1, minutes=3, seed=1)

    assert [tmp_path / "one"] == first == second
    assert {"manifest.json", "forecasts.parquet", "messages.parquet"} <= {path.name for path in first[0].iterdir()}


def test_several_days_lie_in_folders_of_their_own(tmp_path):
    """Several days skip the weekend, carry prices on, and report each session."""
    said = []
    folders = generate(tmp_path, symbols=1, minutes=2, days=2, seed=1, start_day="2026-03-06", progress=said.append)
    closes, opens = (
        pd.read_parquet(folder / "quotes.parquet")["bid"].iloc[place] for folder, place in zip(folders, (-1, 0), strict=True)
    )

    assert [tmp_path / "2026-03-06", tmp_path / "2026-03-09"] == folders
    assert abs(closes - opens) <= 300
    assert 2 == len(said)


def test_several_days_share_a_file_of_forecasts(tmp_path):
    """Beside the days lies one file with the forecasts of all of them, which a run over the days takes."""
    folders = generate(tmp_path, symbols=1, minutes=3, days=2, seed=1)

    pd.testing.assert_frame_equal(pd.concat([forecasts(folder) for folder in folders], ignore_index=True), forecasts(tmp_path))


def test_half_day_ends_early(tmp_path):
    """On a half-day the session ends at its early close, however many minutes were asked for."""
    folder = generate(tmp_path / "half", symbols=1, seed=1, start_day=date(2026, 11, 27), activity=0.03, depth=0.3)[0]
    bars = pd.read_parquet(folder / "bars.parquet")

    assert pd.Timestamp("2026-11-27 13:00", tz="America/New_York").value == bars["ts_ns"].max()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ic": 1.5}, "`ic` must be at most 0.95, got 1.5"),
        ({"ic": float("nan")}, "`ic` must be at least 0.0, got nan"),
        ({"symbols": 0}, "`symbols` must be at least 1, got 0"),
        ({"minutes": 400}, "`minutes` must be at most 390 min, got 400"),
        ({"days": 1.5}, "`days` must be an integer, got 1.5"),
        ({"regimes": "wild"}, "`regimes` must be one of mixed, calm, normal, stressed, got 'wild'"),
        ({"activty": 2.0}, "no setting `activty`; did you mean `activity`"),
        ({"start_day": "2026-03-01"}, "no trading day of XNYS; the next one is 2026-03-02"),
        ({"start_day": "tomorrow"}, "must be a date like 2026-03-02"),
        ({"minutes": 1, "halts": 20}, "no room for 20 halts and gaps"),
    ],
)
def test_impossible_wishes_are_refused(tmp_path, changes, words):
    """A wish that cannot be met gets one sentence, and nothing is written."""
    with pytest.raises(UsageError, match=words.replace("?", r"\?")):
        generate(tmp_path / "out", **changes)

    assert not (tmp_path / "out").exists()


def test_sessions_are_not_put_into_a_session(tmp_path):
    """Several days do not go into the folder of one."""
    generate(tmp_path / "one", symbols=1, minutes=1)

    with pytest.raises(UsageError, match="is a session itself"):
        generate(tmp_path / "one", symbols=1, minutes=1, days=2)


@pytest.mark.parametrize("regimes", ["calm", "stressed"])
def test_regimes_differ(tmp_path, regimes):
    """A calm day has a tighter spread and a smaller range than a stressed one."""
    wish = SynthSettings(symbols=1, minutes=30, seed=2, regimes=regimes, activity=0.3, depth=0.5)
    quotes = pd.read_parquet(generate(tmp_path / regimes, wish)[0] / "quotes.parquet")
    spread, moves = (quotes["ask"] - quotes["bid"]).mean(), np.abs(np.diff(quotes["bid"])).sum() / len(quotes)

    assert (spread < 180) == (regimes == "calm")
    assert moves > 0
