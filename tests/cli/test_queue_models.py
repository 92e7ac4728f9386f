"""`replay fit fills`, and runs under a fitted and under an own queue model, as a user starts them."""

import json
from pathlib import Path

import pytest

from fills import read_fitted
from replay.config import Config
from replay.inputs import Choices, gather
from replay.synth import generate

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "sample"
OWN = f"{ROOT / 'examples' / 'queue_model.py'}:patient"
QUOTER = f"{ROOT / 'examples' / 'strategy.py'}:TouchQuoter"


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    """Return a synthetic day of ten minutes."""
    return generate(tmp_path_factory.mktemp("day"), symbols=1, minutes=10, seed=4)[0]


@pytest.fixture
def model(replay, day, tmp_path):
    """Return the file of a model fitted at the command line, and what the command said."""
    told = replay(
        "fit", "fills", day, "--out", tmp_path / "model.toml", "--folds", 2, "--resamples", 20, "--no-progress", "--json"
    )
    assert 0 == told.exit_code, told.err
    return tmp_path / "model.toml", told


def test_fit_fills_writes_a_model_and_says_how_good_it_is(model):
    """The JSON holds the parameters of the file and scores of the fitted and of every textbook rule."""
    path, told = model
    found = read_fitted(path)

    assert dict(found.parameters) == told.json["parameters"]
    assert {"fitted", "behind_first", "pro_rata"} <= {row["model"] for row in told.json["scores"]}
    assert ["2026-03-02"] == found.fitted_on["dates"]


def run_with(replay, queue, out):
    """Run half an hour of the sample under a queue model."""
    return replay(
        "run", SAMPLE, "--strategy", QUOTER, "--set", f"venue.queue={queue}", "--from", "09:30", "--to", "09:45", "--out", out,
        "--no-progress",
    )  # fmt: skip


@pytest.mark.parametrize("queue", ["fitted", OWN])
def test_a_run_takes_a_fitted_or_an_own_model_and_repeats(replay, tmp_path, queue):
    """The run names what its model is made of, and `replay verify` does it again."""
    told = run_with(replay, queue, tmp_path / "run")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())

    assert 0 == told.exit_code, told.err
    assert all(len(digest) == 64 for digest in manifest["inputs"]["queue"].values())
    assert len(manifest["inputs"]["queue"]) >= 1
    assert 0 == replay("verify", tmp_path / "run", "--no-progress").exit_code


def test_a_run_takes_the_name_of_a_model_in_either_case():
    """`FITTED` and `fitted` give the same configuration, and so the same run; FIFO is exact in either."""
    digests = {
        queue: gather([SAMPLE], Config().with_values({"venue": {"queue": queue}}), Choices()).config.digest
        for queue in ("FITTED", "fitted")
    }

    assert 1 == len(set(digests.values()))


@pytest.mark.parametrize(
    ("queue", "sentence"),
    [
        ("sideways", "unknown queue model 'sideways'; known are trades_only"),
        ("gone.toml", "there is no fitted queue model"),
        (f"{ROOT / 'examples' / 'queue_model.py'}:YOUNG_NS", "is int, expected what fills.bind_queue_model returns"),
        (f"{ROOT / 'examples' / 'gone.py'}:x", "[venue] queue: there is no file"),
    ],
)
def test_a_queue_model_that_is_none_is_refused_before_anything_runs(replay, tmp_path, queue, sentence):
    """An unknown word, an absent file, something else than a model: exit code 2 and one sentence."""
    told = run_with(replay, queue, tmp_path / "run")

    assert 2 == told.exit_code
    assert sentence in told.err
    assert not (tmp_path / "run").exists()
