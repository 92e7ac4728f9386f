"""The command line as a user meets it: one line in, exit code and both streams out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from replay.cli import main
from replay.cli.output import stderr, stdout


@dataclass(frozen=True)
class Told:
    """What a command left."""

    exit_code: int
    out: str
    err: str


@pytest.fixture
def replay(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Told]:
    """Return a function that runs one command line in this process, in an empty folder."""
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Told:
        stdout.cache_clear()
        stderr.cache_clear()
        capsys.readouterr()
        code = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as leave:
            code = leave.code if isinstance(leave.code, int) else 0
        captured = capsys.readouterr()
        return Told(code, captured.out, captured.err)

    return run
