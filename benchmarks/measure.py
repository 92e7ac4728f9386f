"""Measure: CPU time beside a yardstick, figures with their targets, and the table that shows them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from replay.jit import kernel

YARDSTICK_STEPS = 100_000_000


class CannotRunError(Exception):
    """A benchmark needs something that this machine does not have; the message says what."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number.

    Parameters
    ----------
    name : str
    value : float
    unit : str
    target : str
        What it should be; empty for a figure that only informs.
    is_ok : bool, optional
        None without a target.
    """

    name: str
    value: float
    unit: str
    target: str = ""
    is_ok: bool | None = None

    @classmethod
    def at_least(cls, name: str, value: float, unit: str, bound: float) -> Figure:
        """Make a figure that should reach `bound`."""
        return cls(name, value, unit, f">= {bound:g}", value >= bound)

    @classmethod
    def at_most(cls, name: str, value: float, unit: str, bound: float) -> Figure:
        """Make a figure that should not exceed `bound`."""
        return cls(name, value, unit, f"<= {bound:g}", value <= bound)


def table(figures: Sequence[Figure]) -> str:
    """Lay figures out as a table: figure, value, target, ok?"""
    words = {True: "yes", False: "NO", None: ""}
    rows = [("figure", "value", "target", "ok?")]
    rows += [(f.name, f"{f.value:,.4g} {f.unit}".rstrip(), f.target, words[f.is_ok]) for f in figures]
    widths = [max(len(row[k]) for row in rows) for k in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def cpu_s(work: Callable[[], object]) -> float:
    """Return the CPU seconds of this process that one call takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def least_cpu_s(makers: Sequence[Callable[[], Callable[[], object]]], repeats: int = 5) -> list[float]:
    """Make and time all in turn, several times; return the least CPU seconds of each.

    Each maker prepares one piece of work, untimed, and returns it. Turns and least values spare nobody a busy neighbour.
    """
    least = [float("inf")] * len(makers)
    for _ in range(repeats):
        least = [min(best, cpu_s(make())) for best, make in zip(least, makers, strict=True)]
    return least


@kernel
def stride(n_steps, seed):  # type: ignore[no-untyped-def]
    """Take steps of a 64-bit xorshift (13, 7, 17)."""
    state = seed
    for _ in range(n_steps):
        state ^= state << 13
        state ^= (state >> 7) & 0x1FFFFFFFFFFFFFF
        state ^= state << 17
    return state


def yardstick() -> Callable[[], object]:
    """Prepare 1e8 steps of a 64-bit xorshift: about .2 s on the machines of today, whatever else is measured."""
    stride(1, 1)
    return lambda: stride(YARDSTICK_STEPS, 88172645463325252)
