"""Intervals of differences between two runs: stretches of time are drawn with replacement, the same ones for both.

What happened in one stretch stays together (its trips, fills, decisions, and both runs' part in it); what the market did to both
cancels in the difference. The percentiles of the differences are the interval.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from replay.compare.measures import DRAWDOWN, MEASURES, OF_TRIPS, TRIPS_MIN, Measure

STRETCHES_MIN = 8
LEVEL = 0.95
_ROWS = 250  # draws at a time, which bounds the memory


class Line(NamedTuple):
    """One figure of both runs; what cannot be known is None."""

    name: str
    title: str
    unit: str
    a: float | None
    b: float | None
    difference: float | None
    low: float | None
    high: float | None
    relative: float | None  # of a
    relative_low: float | None
    relative_high: float | None
    verdict: str


Sums = Mapping[str, np.ndarray]


def compare_sums(a: Sums, b: Sums, n_draws: int, seed: int) -> list[Line]:
    """Compare all figures of two runs.

    Parameters
    ----------
    a, b : mapping of str to array
        Sums by stretch, the same stretches in both.
    n_draws : int
        Draws of all stretches.
    seed : int
        Of the draws.
    """
    n = len(a["net_usd"])
    draws = np.random.default_rng(seed).integers(0, n, (n_draws, n))
    counts = np.stack([np.bincount(draw, minlength=n) for draw in draws]).astype(float)
    lines = []
    for measure in MEASURES:
        drawn = [_ratio(counts, run, measure) for run in (a, b)]
        whole = [float(_ratio(np.ones((1, n)), run, measure)[0]) for run in (a, b)]
        line = _line(measure, whole, drawn, n)
        is_few = measure.name in OF_TRIPS and min(run["trips"].sum() for run in (a, b)) < TRIPS_MIN
        lines.append(line._replace(verdict="cannot tell") if is_few else line)
    drawn = [_drawdowns(run["net_usd"], draws) for run in (a, b)]
    whole = [float(_drawdowns(run["net_usd"], np.arange(n)[None])[0]) for run in (a, b)]
    return [*lines, _line(DRAWDOWN, whole, drawn, n)]


def _ratio(counts: np.ndarray, sums: Sums, measure: Measure) -> np.ndarray:
    """Return one figure for each draw; NaN where its denominator is not positive."""
    whole = sum((sums[part] for part in measure.parts), np.zeros(counts.shape[1]))
    above: np.ndarray = measure.scale * (counts @ whole)
    if not measure.over:
        return above
    below = counts @ sums[measure.over]
    ratio: np.ndarray = np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
    return ratio


def _drawdowns(profit: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Return the worst fall from a peak of the profit of each draw, stretch by stretch."""
    worst = []
    for start in range(0, len(draws), _ROWS):
        path = np.cumsum(profit[draws[start : start + _ROWS]], axis=1)
        peak = np.maximum.accumulate(np.maximum(path, 0.0), axis=1)
        worst.append((peak - path).max(axis=1))
    return np.concatenate(worst)


def _line(measure: Measure, whole: list[float], drawn: list[np.ndarray], n: int) -> Line:
    """Write one line; a verdict needs enough stretches, nearly all draws, and an interval without zero."""
    a, b = (value if np.isfinite(value) else None for value in whole)
    difference = None if a is None or b is None else b - a
    is_sure = np.mean(drawn[0] * whole[0] > 0) >= (1 + LEVEL) / 2  # a share of next to nothing says nothing
    relative = difference / abs(a) if difference is not None and a and is_sure else None
    gaps = drawn[1] - drawn[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = gaps / np.abs(drawn[0])
    low, high = _interval(gaps, n)
    relative_low, relative_high = _interval(shares, n) if relative is not None else (None, None)
    verdict = _verdict(measure.better, low, high) if difference is not None else "cannot tell"
    names = (measure.name, measure.title, measure.unit)
    return Line(*names, a, b, difference, low, high, relative, relative_low, relative_high, verdict)


def _interval(values: np.ndarray, n: int) -> tuple[float | None, float | None]:
    known = values[np.isfinite(values)]
    if n < STRETCHES_MIN or len(known) < LEVEL * len(values):
        return None, None
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _verdict(better: int, low: float | None, high: float | None) -> str:
    if low is None or high is None or low <= 0.0 <= high:
        return "cannot tell"
    way = 1 if low > 0.0 else -1
    if better == 0:
        return "more" if way > 0 else "less"
    return "better" if way == better else "worse"
