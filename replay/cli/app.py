"""The table of commands, and what becomes of an error: one sentence on stderr and an exit code."""

from __future__ import annotations

import gc
import sys
import traceback
from collections.abc import Callable
from typing import Annotated, Any

import typer

from replay.cli import compare, fit, house, report, run, sessions, validate
from replay.cli.output import ReaderLeft
from replay.errors import ReplayError, UsageError

EXIT_CODES = (
    "Exit codes: 0 done; 1 the thing checked did not hold; 2 wrong usage or configuration; 3 bad data; 4 another system failed; "
    "70 a fault of the program; 130 interrupted. "
    "Every command takes --json: one JSON object on stdout."
)
_EXTERNAL, _UNEXPECTED, _INTERRUPTED = 4, 70, 130
# Objects between two collections: imports alone make so many that collecting in between took a tenth of a warm start.
_GARBAGE_EVERY = 200_000

app = typer.Typer(
    name="replay",
    help="Replay recorded trading days, event by event, through the components that trade live.",
    epilog=EXIT_CODES,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_COMMANDS: dict[str, dict[str, Callable[..., None]]] = {
    "Replay": {
        "run": run.run,
        "demo": run.demo,
        "verify": run.verify,
        "explain": run.explain,
        "compare": compare.compare,
        "report": report.report,
    },
    "Sessions": {
        "import": sessions.import_,
        "synth": sessions.synth,
        "info": sessions.info,
        "check": sessions.check,
    },
    "House": {"init": house.init, "config": house.config, "doctor": house.doctor},
}
for _panel, _commands in _COMMANDS.items():
    for _name, _command in _commands.items():
        app.command(_name, rich_help_panel=_panel)(_command)
app.add_typer(fit.app, name="fit", rich_help_panel="Replay")
app.add_typer(validate.app, name="validate", rich_help_panel="Replay")
app.add_typer(fit.app, name="fit", rich_help_panel="Replay")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"ibkr-replay {version('ibkr-replay')}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    _debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error. Works at any place of the line.")
    ] = False,
) -> None:
    pass


def main(arguments: list[str] | None = None) -> None:
    """Run one command line and leave with its exit code.

    Parameters
    ----------
    arguments : list of str, optional
        What follows `replay`; left out, what the shell gave.
    """
    gc.set_threshold(_GARBAGE_EVERY)
    given = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    is_debug = "--debug" in given
    try:
        code = app([argument for argument in given if argument != "--debug"], prog_name="replay", standalone_mode=False)
        sys.stdout.flush()  # a reader that left is noticed here, not when the interpreter ends
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 (every error ends as one sentence and a code)
        if is_debug and not isinstance(error, ReaderLeft | BrokenPipeError):
            traceback.print_exception(error)
        raise SystemExit(_report(error)) from None
    raise SystemExit(_say("interrupted", code) if code == _INTERRUPTED else code or 0)


def _report(error: BaseException) -> int:
    """Print an error as one sentence and return the exit code it stands for."""
    if isinstance(error, ReaderLeft | BrokenPipeError):
        sys.stdout = None  # nothing is left to flush
        return 0
    if isinstance(error, KeyboardInterrupt):
        return _say("interrupted", _INTERRUPTED)
    if isinstance(error, ReplayError):
        return _say(f"error: {error}", error.exit_code)
    if callable(getattr(error, "format_message", None)):  # typer's own: a command, option or argument that does not exist
        return _say(_misuse(error), UsageError.exit_code)
    if isinstance(error, OSError):
        place = f" (`{error.filename}`)" if error.filename else ""
        return _say(f"error: {error.strerror or error}{place}", _EXTERNAL)
    return _say(f"unexpected {type(error).__name__}: {error} (--debug shows where it came from)", _UNEXPECTED)


def _misuse(error: Any) -> str:
    """Make one sentence of a complaint about the command line."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "replay"
    return f"error: {error.format_message().rstrip('.')}; `{command} --help` shows what it takes"


def _say(sentence: str, exit_code: int) -> int:
    print(" ".join(sentence.split()), file=sys.stderr)  # noqa: T201 (the one place that speaks without rich)
    return exit_code
