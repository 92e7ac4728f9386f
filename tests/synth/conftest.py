"""One small faulty session for all tests of this folder."""

from pathlib import Path

import pytest

from replay.synth import generate


@pytest.fixture(scope="session")
def synth_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a session of 25 minutes with a halt, a gap of one symbol and a lost connection."""
    out = tmp_path_factory.mktemp("synth") / "session"
    return generate(out, symbols=3, minutes=25, seed=5, ic=0.3, halts=1, gaps=2, activity=0.5)[0]
