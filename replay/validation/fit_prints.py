"""Learn from messages how much of a print reaches a displayed queue: the shares of `fills.shares`, each with its interval.

    hidden_share   of the shares executed at a displayed price or beyond, those that met hidden orders
    passed_share   of the shares executed beyond a better displayed price, as far as better ones were displayed, those for which
                   no better order was executed within 2 ms: the print passed them by
    venue_share    of the shares printed without a venue, those that our venue's messages executed

On the E-mini and on Nasdaq the first two are 0: a hidden order trades only when nothing is displayed at its price any more, and
what printed beyond a better price came with the execution of that price. A share of which the data show nothing (no such print)
is left out: the model then takes what the band says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from replay.importers.book import BID
from replay.validation.bootstrap import Blocks, Estimate, blocks_of_time
from replay.validation.fit_cases import Lessons

BLOCK_S = 30.0
TOGETHER_NS = 2_000_000


class Shares(NamedTuple):
    """Parts and wholes of the three shares, a row per execution or print."""

    day: np.ndarray
    ts_ns: np.ndarray
    parts: dict[str, np.ndarray]
    wholes: dict[str, np.ndarray]

    def without(self, low_ns: int, high_ns: int) -> Shares:
        """Return what happened outside a stretch of time."""
        keep = (self.ts_ns < low_ns) | (self.ts_ns > high_ns)
        parts, wholes = ({name: rows[keep] for name, rows in table.items()} for table in (self.parts, self.wholes))
        return Shares(self.day[keep], self.ts_ns[keep], parts, wholes)

    def estimates(self, resamples: int, seed: int) -> dict[str, Estimate]:
        """Return each share that the data say something of, with its interval."""
        blocks = Blocks(blocks_of_time(self.day, self.ts_ns, BLOCK_S), resamples, seed)
        which = np.arange(len(self.ts_ns))
        known = [name for name, whole in self.wholes.items() if whole.sum() > 0]
        return {name: blocks.ratio(self.parts[name], self.wholes[name], which) for name in known}

    def values(self) -> dict[str, float]:
        """Return the shares alone; the parameters of a model."""
        return {name: min(estimate.value, 1.0) for name, estimate in self.estimates(0, 0).items()}


def shares_of(lessons: Sequence[Lessons]) -> Shares:
    """Lay out what the executions and prints of all symbols and days say."""
    rows = [_of_executions(k, lesson) for k, lesson in enumerate(lessons)]
    rows += [_of_prints(k, lesson) for k, lesson in enumerate(lessons)]
    day, ts_ns, *columns = (np.concatenate(column) for column in zip(*rows, strict=True))
    names = ("venue_share", "hidden_share", "passed_share")
    return Shares(day, ts_ns, dict(zip(names, columns[::2], strict=True)), dict(zip(names, columns[1::2], strict=True)))


def _of_executions(number: int, lesson: Lessons) -> tuple[np.ndarray, ...]:
    rows = lesson.executions
    qty, hidden = rows["qty"], rows["qty"] * rows["is_hidden"]
    displayed = rows["better_qty"] * (1 - rows["is_hidden"])
    passed = np.array([_passed(k, rows) if displayed[k] else 0 for k in range(len(rows))], np.int64)
    venueless = (qty, np.zeros_like(qty)) if len(lesson.prints) else (np.zeros_like(qty),) * 2
    return np.full(len(rows), number), rows["ts_ns"], *venueless, hidden, qty, passed, displayed


def _of_prints(number: int, lesson: Lessons) -> tuple[np.ndarray, ...]:
    rows = lesson.prints
    none = np.zeros(len(rows), np.int64)
    return np.full(len(rows), number), rows["ts_ns"], none, rows["qty"], none, none, none, none


def _passed(k: int, rows: np.ndarray) -> int:
    """Return how much of an execution's size no better order met within the window."""
    own = rows[k]
    near = rows[
        np.searchsorted(rows["ts_ns"], own["ts_ns"]) : np.searchsorted(rows["ts_ns"], own["ts_ns"] + TOGETHER_NS, "right")
    ]
    is_better = near["level"] > own["level"] if own["side"] == BID else near["level"] < own["level"]
    met = near["qty"][is_better & (near["side"] == own["side"]) & (near["is_hidden"] == 0)].sum()
    return max(int(own["better_qty"]) - int(met), 0)
