"""The progress bar of a replay: simulated clock, events per second, time left; on stderr, and only where somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from replay.cli.output import stderr
from replay.wording import et_stamp

if TYPE_CHECKING:
    from rich.progress import Progress, Task

ReplayProgress = Callable[[int, int, int], None]  # events done, events in total, simulated time in ns
LineProgress = Callable[[str], None]  # what is being done
StepProgress = Callable[[int, int, str], None]  # steps done, steps in total, what comes next

_COMPILE_AFTER_S = 1.5  # a warm start is quicker than this: who waits longer waits for the compiler


@contextmanager
def replay_progress(is_wanted: bool = True, parts: Sequence[str] = ()) -> Iterator[ReplayProgress | None]:
    """Show a bar while a replay runs; yields what the runner calls, or None where nobody looks.

    `parts` names runs of equal length that follow one another, such as the bands; the bar says which one is on.
    """
    if not is_wanted:
        yield None
        return
    with _bar() as bar:
        task = bar.add_task("", total=None, clock="", part="")

        def update(done_events: int, total_events: int, ts_ns: int) -> None:
            if ts_ns == 0:  # all inputs are good; what takes time now is the compiler
                _announce_compile()
            clock = et_stamp(ts_ns, digits=0) if done_events else ""
            part = part_at(parts, done_events, total_events)
            bar.update(task, completed=done_events, total=total_events or None, clock=clock, part=part)

        yield update


@contextmanager
def line_progress(is_wanted: bool = True) -> Iterator[LineProgress | None]:
    """Show the latest line of a worker (an import, a generator) beside a spinner; yields what it calls, or None."""
    if not is_wanted:
        yield None
        return
    from rich.markup import escape

    with stderr().status("working") as status:
        yield lambda text: status.update(escape(text))


@contextmanager
def step_progress(is_wanted: bool = True) -> Iterator[StepProgress | None]:
    """Show a bar over steps of about equal length, with the time left; yields what a worker calls, or None."""
    if not is_wanted:
        yield None
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
    hidden = not stderr().is_terminal
    with Progress(*columns, TimeRemainingColumn(), console=stderr(), transient=True, disable=hidden) as bar:
        task = bar.add_task("reading", total=None)
        yield lambda done, total, text: bar.update(task, completed=done, total=total, description=text)


def part_at(parts: Sequence[str], done_events: int, total_events: int) -> str:
    """Name the part that is on; a part that is just through is still the one.

    >>> [part_at(("first", "second"), done, 10) for done in (1, 5, 6, 10)]
    ['first', 'first', 'second', 'second']
    """
    return parts[max(done_events - 1, 0) * len(parts) // total_events] if parts and total_events else ""


def _announce_compile() -> None:
    """Say on a log (no terminal, no bar) why the first run takes longer."""
    from replay.jit import cache_folder

    if not stderr().is_terminal and not any(cache_folder().glob("*.entry")):
        stderr().print("compiling kernels (once; later runs start warm)")


def _bar() -> Progress:
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        SpinnerColumn,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class State(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(_state(task))

    class Speed(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.0f} events/s" if task.speed else "")

    columns = (SpinnerColumn(), State(), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[clock]}"), Speed())
    return Progress(*columns, TimeRemainingColumn(), console=stderr(), transient=True, disable=not stderr().is_terminal)


def _state(task: Task) -> str:
    if task.completed:
        return f"replaying {task.fields['part']}".strip()
    return "compiling kernels (once)" if (task.elapsed or 0.0) > _COMPILE_AFTER_S else "loading"
