"""`replay fit`."""

from collections.abc import Callable
from pathlib import Path


def test_fit_latency_explains_itself(replay: Callable) -> None:
    """The command has help and offers one JSON object."""
    told = replay("fit", "latency", "--help")

    assert (0, True, True) == (told.exit_code, "--json" in told.out, "acknowledged" in told.out)


def test_fit_latency_refuses_what_is_no_run(replay: Callable, tmp_path: Path) -> None:
    """A folder that is no run is bad data, in one sentence, and no table is left."""
    told = replay("fit", "latency", tmp_path, "--out", tmp_path / "t.toml")

    assert (3, False) == (told.exit_code, (tmp_path / "t.toml").exists())
    assert "is not a run folder" in told.err
