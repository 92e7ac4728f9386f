"""What is allowed and rarely meant is said."""

from pathlib import Path

import pytest

from replay.cautions import cautions_of
from replay.config import Config
from replay.inputs import Choices, gather
from replay.synth import generate

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
ENHANCED = ["gate.mode=enhanced"]


@pytest.mark.parametrize(
    ("sets", "is_told"),
    [
        (["gate.rollout=1e-9"], True),
        (["gate.rollout=1e-9", "pipeline.rollout_by=cycle"], False),
        (["gate.rollout=1.0"], False),
        (["gate.rollout=0.0"], False),
        (["gate.rollout=1e-9", "gate.mode=original"], False),
    ],
)
def test_a_rollout_that_takes_in_nobody_is_told(sets, is_told):
    """A share of the symbols that is none of them is told; all, none as asked, a share of cycles and an original gate are not."""
    inputs = gather([SAMPLE], Config().with_sets([*ENHANCED, *sets]), Choices())

    assert is_told == any("gate.rollout = 1e-09 takes in none of 4 symbols" in line for line in cautions_of(inputs))


def test_days_that_have_no_forecast_are_named(tmp_path):
    """With the forecasts of one of two days the other is named; with none given, the built-in forecaster serves both."""
    (other,) = generate(tmp_path, symbols=1, minutes=2, days=1, seed=5, activity=0.1, start_day="2026-03-03")
    given = Choices(forecasts=SAMPLE / "forecasts.parquet")

    assert [] == cautions_of(gather([SAMPLE], None, given))
    assert [] == cautions_of(gather([SAMPLE, other], None, Choices()))
    (told,) = cautions_of(gather([SAMPLE, other], None, given))
    assert "no forecast that was ready on 2026-03-03:" in told
