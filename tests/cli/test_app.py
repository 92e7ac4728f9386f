"""The command line as a whole: help, exit codes, one sentence per error."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.markup import render

from replay.cli import app as cli
from replay.errors import CapacityError, ConfigError, DataError, ExternalError, ReplayError, UsageError, VerificationError

COMMANDS = ("run", "demo", "verify", "explain", "import", "synth", "info", "check", "init", "config", "doctor")


def test_help_lists_every_command(replay: Callable) -> None:
    """`replay --help` names each command and the exit codes."""
    told = replay("--help")

    assert [] == [name for name in COMMANDS if f" {name} " not in told.out]
    assert (0, True) == (told.exit_code, "Exit codes" in told.out)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_json(replay: Callable, command: str) -> None:
    """Each command explains itself and offers one JSON object."""
    told = replay(command, "--help")

    assert (0, True) == (told.exit_code, "--json" in told.out)


def test_every_option_is_explained(replay: Callable) -> None:
    """No option stands in a help text without a word about it."""
    for command, function in [(name, entry) for panel in cli._COMMANDS.values() for name, entry in panel.items()]:
        for parameter in function.__annotations__.values():
            assert "help=" in str(parameter) or parameter in (
                "None",
                "Json",
                "NoProgress",
                "ConfigFile",
                "Sets",
                "Run",
                "SessionFolders",
            ), command


def test_no_help_text_is_taken_for_markup() -> None:
    """Words in brackets, as names of sections, come out as they were written."""
    texts = list(help_texts(typer.main.get_command(cli.app)))

    assert len(texts) > 100
    assert [] == [text for text in texts if render(text).plain != text]


def help_texts(command: Any) -> Iterator[str]:
    """Yield the texts of a command, its parameters and the commands below it."""
    yield from (text for text in (command.help, command.epilog) if text)
    yield from (parameter.help for parameter in command.params if getattr(parameter, "help", None))
    for below in getattr(command, "commands", {}).values():
        yield from help_texts(below)


def test_version_is_the_distribution_s(replay: Callable) -> None:
    """`replay --version` prints name and version."""
    assert replay("--version").out.startswith("ibkr-replay ")


@pytest.mark.parametrize(
    "line", [["nonsense"], ["run"], ["info"], ["run", "x", "--seed", "abc"], ["--nonsense"], ["import", "lean"]]
)
def test_wrong_usage_exits_with_2(replay: Callable, line: list[str]) -> None:
    """An unknown command, a missing argument and a wrong option are wrong usage, without a traceback."""
    told = replay(*line)

    assert (2, False) == (told.exit_code, "Traceback" in told.err)


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (UsageError("no such thing"), 2),
        (ConfigError("no such key"), 2),
        (CapacityError("full"), 2),
        (DataError("row 3"), 3),
        (ExternalError("no disk"), 4),
        (VerificationError("differs"), 1),
    ],
)
def test_our_errors_become_one_sentence(
    replay: Callable, monkeypatch: pytest.MonkeyPatch, error: ReplayError, exit_code: int
) -> None:
    """Each kind of error prints its sentence on stderr, nothing on stdout, and leaves with its own exit code."""
    monkeypatch.setattr(cli, "app", fail_with(error))

    told = replay("doctor")

    assert (exit_code, "", f"error: {error}\n") == (told.exit_code, told.out, told.err)


def fail_with(error: BaseException) -> Callable:
    def app(_arguments: list[str], **_options: object) -> None:
        raise error

    return app


def test_operating_system_errors_are_external(replay: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is not the user's fault: the sentence names the file, the exit code is 4."""
    monkeypatch.setattr(cli, "app", fail_with(OSError(28, "No space left on device", "runs/x")))

    told = replay("doctor")

    assert (4, "error: No space left on device (`runs/x`)\n") == (told.exit_code, told.err)


def test_a_fault_of_ours_is_one_line_too(replay: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected error shows its kind and how to see where it came from."""
    monkeypatch.setattr(cli, "app", fail_with(ZeroDivisionError("division by zero")))

    told = replay("doctor")

    assert (70, "unexpected ZeroDivisionError: division by zero (--debug shows where it came from)\n") == (
        told.exit_code,
        told.err,
    )


def test_debug_shows_the_traceback(replay: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --debug anywhere on the line the traceback comes before the sentence, and the exit code stays that of the error."""
    monkeypatch.setattr(cli, "app", fail_with(DataError("row 3")))

    told = replay("doctor", "--debug")

    assert 3 == told.exit_code
    assert told.err.startswith("Traceback")
    assert told.err.endswith("\nerror: row 3\n")


def test_interrupt_is_quiet(replay: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends with one word and the shell's usual code."""
    monkeypatch.setattr(cli, "app", fail_with(KeyboardInterrupt()))

    told = replay("run", "x")

    assert (130, "interrupted\n") == (told.exit_code, told.err)


def test_module_runs_like_the_command(tmp_path: Path) -> None:
    """`python -m replay` is the command `replay`."""
    done = subprocess.run(
        [sys.executable, "-m", "replay", "info", tmp_path / "none"], capture_output=True, text=True, check=False
    )

    assert (2, 1) == (done.returncode, len(done.stderr.splitlines()))
