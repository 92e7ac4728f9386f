"""Run the command line as a user does, and look at what came out."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from replay.cli import main
from replay.cli.output import stderr, stdout


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit code and both streams."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def replay(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """Return a function that runs one command line in this process."""
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments: object) -> Outcome:
        stdout.cache_clear()
        stderr.cache_clear()
        capsys.readouterr()
        code = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as leave:
            code = leave.code if isinstance(leave.code, int) else 0
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small synthetic session: two symbols, ten minutes."""
    from replay.synth import generate

    (folder,) = generate(tmp_path_factory.mktemp("sessions") / "made-up", symbols=2, minutes=10, seed=1, ic=0.5)
    return folder
