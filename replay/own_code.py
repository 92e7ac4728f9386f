"""Tell a fault of a user's own code from one of ours, and say where it lies."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import NoReturn

from replay.errors import ReplayError, UsageError

_OURS = tuple(Path(__file__).parents[1] / package for package in ("replay", "strategy", "fills"))


def blame(error: Exception, what: str) -> NoReturn:
    """Raise what a call into a user's code raised, as a sentence that names `what` and the line; call it where that was caught.

    Raises
    ------
    UsageError
        The user's code raised it, or could not be called.
    Exception
        The error itself: it is one of ours already, or our own code between the call and the user's raised it.
    """
    called = [frame for frame in traceback.extract_tb(error.__traceback__)[1:] if not frame.filename.startswith("<")]
    if isinstance(error, ReplayError) or (called and _is_ours(called[0].filename)):
        raise error
    told = f"{type(error).__name__}: {_words(error)}{_line(error, called)}"
    raise UsageError(f"{what}: {told}; --debug shows the traceback") from error


def _is_ours(filename: str) -> bool:
    return any(Path(filename).is_relative_to(package) for package in _OURS)


def _words(error: Exception) -> str:
    return error.msg if isinstance(error, SyntaxError) else str(error)


def _line(error: Exception, called: list[traceback.FrameSummary]) -> str:
    """Return the line of a syntax error, or the last one reached in the file that was called."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" (`{Path(error.filename).name}`, line {error.lineno})"
    reached = [frame.lineno for frame in called if frame.filename == called[0].filename]
    return f" (`{Path(called[0].filename).name}`, line {reached[-1]})" if reached else ""
