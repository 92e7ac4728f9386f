"""Printing: results to stdout for people, or as one JSON object; everything else to stderr."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


_LONGEST_WORD = 16  # that a column keeps whole; longer ones, as paths, may be broken


class ReaderLeft(Exception):  # noqa: N818 - nothing is wrong
    """Whoever read our output has gone, as `head` does when it has enough: the command ends quietly."""


@cache
def stdout() -> Console:
    """Return the console of results."""
    return _console(is_stderr=False)


@cache
def stderr() -> Console:
    """Return the console of progress and remarks."""
    return _console(is_stderr=True)


def _console(*, is_stderr: bool) -> Console:
    from rich.console import Console

    class Quitting(Console):
        def on_broken_pipe(self) -> None:
            raise ReaderLeft  # rich would leave with exit code 1

    return Quitting(stderr=is_stderr, highlight=False)


def say(text: object, *, has_end: bool = True) -> None:
    """Print plain text on stdout."""
    try:
        typer.echo(text, nl=has_end)
    except BrokenPipeError:
        raise ReaderLeft from None  # typer would leave with exit code 1


def print_json(value: Any) -> None:
    """Print one JSON object; NaN and infinity become null, numpy's numbers plain ones."""
    say(json.dumps(_jsonable(value), indent=2, ensure_ascii=False))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()) -> Table:
    """Build a table; columns named in `right` are aligned to the right."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(title=title, box=box.SIMPLE, title_justify="left", title_style="bold", pad_edge=False)
    lines = [[str(cell) for cell in row] for row in rows]
    for k, column in enumerate(columns):
        words = " ".join([column, *(line[k] for line in lines)]).split()
        least = max((len(word) for word in words if len(word) <= _LONGEST_WORD), default=1)
        made.add_column(column, justify="right" if column in right else "left", overflow="fold", min_width=least)
    for row in lines:
        made.add_row(*[Text(cell) for cell in row])
    return made


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_jsonable(item) for item in value]
    if hasattr(value, "tolist"):
        return _jsonable(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)
