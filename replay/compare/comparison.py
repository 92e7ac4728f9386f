"""Join the parts of a comparison: two run folders in, lines with verdicts out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from replay.compare.bootstrap import STRETCHES_MIN, Line, compare_sums
from replay.compare.measures import TRIPS_MIN
from replay.compare.pairing import differences, paired
from replay.compare.sums import Stretches, Trips, read_trips, retention_sums, sums_of
from replay.errors import UsageError
from replay.result import Result
from replay.tables import RunContext
from replay.wording import several

N_DRAWS = 2_000
BLOCK_MIN = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two runs side by side.

    Parameters
    ----------
    a, b : str
        Their folders.
    days : tuple of str
        Sessions that both replayed.
    band : str
        Reading of all that the recording leaves open, under which the fills were made.
    differs : dict
        Settings and inputs in which they differ: `section.key: [in a, in b]`.
    lines : tuple of Line
        The figures.
    blocks, block_min, draws, seed : int
        How the intervals were made: stretches of time, their length in minutes, draws, seed.
    notes : tuple of str
        What a reader must know.
    paths : tuple of array
        Ends of the stretches (ns), and the net profit of both runs up to there, dollars.
    """

    a: str
    b: str
    days: tuple[str, ...]
    band: str
    differs: dict[str, list[Any]]
    lines: tuple[Line, ...]
    blocks: int
    block_min: int
    draws: int
    seed: int
    notes: tuple[str, ...]
    paths: tuple[np.ndarray, np.ndarray, np.ndarray]

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as plain values, ready for JSON."""
        plain = {key: value for key, value in asdict(self).items() if key != "paths"}
        return {**plain, "lines": [line._asdict() for line in self.lines]}


def compare(a: str | Path, b: str | Path, *, block_min: int = BLOCK_MIN, draws: int = N_DRAWS, seed: int = 0) -> Comparison:
    """Compare two run folders over the same sessions; `b` is judged against `a`.

    Parameters
    ----------
    a, b : path
        Folders of runs.
    block_min : int
        Length of a stretch of time, minutes.
    draws : int
        Draws of the bootstrap.
    seed : int
        Of the draws.

    Raises
    ------
    UsageError
        When the runs are not over the same sessions, or a number is impossible.
    DataError
        When a folder holds no complete run.
    """
    if block_min < 1 or draws < 100:
        raise UsageError(f"blocks take at least 1 minute and a bootstrap at least 100 draws, got {block_min} and {draws}")
    first, second, context = paired(Path(a), Path(b))
    stretches = Stretches.of(context, block_min)
    sums = _sums(first, second, context, stretches)
    return Comparison(
        a=str(a),
        b=str(b),
        days=tuple(span.day for span in context.sessions),
        band=context.band,
        differs=differences(first, second),
        lines=tuple(compare_sums(sums[0], sums[1], draws, seed)),
        blocks=len(stretches.starts_ns),
        block_min=block_min,
        draws=draws,
        seed=seed,
        notes=_notes(first.journal_digest == second.journal_digest, len(stretches.starts_ns), sums),
        paths=(stretches.ends_ns, *(np.cumsum(run["net_usd"]) for run in sums)),  # type: ignore[arg-type]
    )


def pair_sums(a: str | Path, b: str | Path, *, block_min: int = BLOCK_MIN) -> tuple[dict[str, np.ndarray], ...]:
    """Return what the figures of two runs over the same sessions are made of, by block: joined, pairs of runs can be pooled."""
    first, second, context = paired(Path(a), Path(b))
    return _sums(first, second, context, Stretches.of(context, block_min))


def _sums(first: Result, second: Result, context: RunContext, stretches: Stretches) -> tuple[dict[str, np.ndarray], ...]:
    trips = [read_trips(run.path, context)[0] for run in (first, second)]
    kept = [retention_sums(part, stretches) for part in _equal_turnover(*trips)]
    return tuple(sums_of(run.path, context, stretches) | kept[k] for k, run in enumerate((first, second)))


def _equal_turnover(a: Trips, b: Trips) -> tuple[Trips, Trips]:
    """Cut the run that entered more dollars down to its most promising round trips, until both entered about the same."""
    entered = [float(trips.entered_usd.sum()) for trips in (a, b)]
    if not len(a.net_usd) or not len(b.net_usd):
        return a, b
    return (a.best(entered[1]), b) if entered[0] > entered[1] else (a, b.best(entered[0]))


def _notes(is_same: bool, n_blocks: int, sums: tuple[dict[str, np.ndarray], ...]) -> tuple[str, ...]:
    """Say what keeps the figures from meaning much."""
    notes = ["Both runs did exactly the same: their journals are equal."] if is_same else []
    if n_blocks < STRETCHES_MIN:
        short = f"{several(n_blocks, 'block')} {'is' if n_blocks == 1 else 'are'} too few for intervals, it takes {STRETCHES_MIN}"
        notes.append(f"{short}: compare more sessions, or shorten --block-min.")
    for name, run in zip("AB", sums, strict=True):
        n = int(run["trips"].sum())
        if not run["turnover_usd"].any():
            notes.append(
                f"Run {name} traded nothing: who stays out has no loss and no drawdown, which is no merit of its trades."
            )
        elif n < TRIPS_MIN:
            told = several(n, "round trip")
            notes.append(f"Run {name} made {told}: their rate takes {TRIPS_MIN} of each run to get a verdict.")
    return tuple(notes)
