"""A stretch of the bundled sample, and runs over it."""

from datetime import time
from pathlib import Path

import pytest

from replay.config import Config
from replay.runner import run

SAMPLE = Path(__file__).parents[2] / "data" / "sample"


@pytest.fixture
def replay_sample():
    """Run 40 minutes of the sample; keyword arguments of `run`, settings as `sets`."""

    def replay(sets=(), **options):
        options = {"forecasts": SAMPLE / "forecasts.parquet", "start": time(9, 30), "end": time(10, 10), **options}
        return run([SAMPLE], config=Config().with_sets(sets), **options)

    return replay
