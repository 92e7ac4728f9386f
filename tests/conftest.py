"""What all tests share: hypothesis profiles, and the folder of real recordings where there is one."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

_ROOT = Path(__file__).resolve().parents[1]

# The first example of a property compiles its kernels, so there is no deadline.
_SHARED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]}
settings.register_profile("default", max_examples=40, **_SHARED)
settings.register_profile("ci", max_examples=100, derandomize=True, print_blob=True, **_SHARED)
settings.register_profile("thorough", max_examples=2000, **_SHARED)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real recordings; they are not part of the project, so most machines skip these tests."""
    folder = Path(os.environ.get("REPLAY_REAL_DATA") or _ROOT.parent / "shared" / "data")
    if not (folder / "ticks").is_dir():
        pytest.skip(f"no real recordings in {folder}; set REPLAY_REAL_DATA to a folder that has them")
    return folder
