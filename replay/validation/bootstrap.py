"""Intervals from blocks of time: orders of one moment share one market, so whole blocks are drawn again, not single orders.

Block bootstrap with non-overlapping blocks. All figures of a report use the same draws, so that models are compared in pairs.

References
----------
Kuensch, H. R. (1989). The jackknife and the bootstrap for general stationary observations. Annals of Statistics 17(3).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from replay.errors import UsageError
from replay.validation.book import SECOND_NS

LEVEL = 0.95
MOST_CELLS = 500_000  # blocks times steps of a quantile: what one table may hold
LEAST_STEPS = 100


class Estimate(NamedTuple):
    """A figure with the interval that holds it 95 times in 100; NaN where nothing was there to measure."""

    value: float
    low: float
    high: float


class Blocks:
    """Blocks of time drawn with replacement.

    Parameters
    ----------
    block : int array
        Number of the block of each case, from 0.
    resamples : int
        How often all blocks are drawn; 0 = no intervals.
    seed : int
        Seed of the draws.
    """

    def __init__(self, block: np.ndarray, resamples: int, seed: int) -> None:
        if resamples < 0:
            raise UsageError(f"`resamples` must be 0 or more, got {resamples}")
        self.block = block
        self.n_blocks = int(block.max()) + 1 if len(block) else 0
        draws = np.random.default_rng(seed)
        even = np.full(self.n_blocks, 1.0 / max(self.n_blocks, 1))
        self.weights = draws.multinomial(self.n_blocks, even, resamples) if self.n_blocks else np.zeros((0, 0), np.int64)

    def ratio(self, part: np.ndarray, whole: np.ndarray, which: np.ndarray) -> Estimate:
        """Return sum(part) / sum(whole) over the cases `which`."""
        parts, wholes = (np.bincount(self.block[which], values[which], self.n_blocks) for values in (part, whole))
        if not wholes.sum():
            return Estimate(float("nan"), float("nan"), float("nan"))
        totals = self.weights @ wholes
        drawn = (self.weights @ parts)[totals > 0] / totals[totals > 0]
        return Estimate(float(parts.sum() / wholes.sum()), *_interval(drawn))

    def quantile(self, values: np.ndarray, share: float, which: np.ndarray, *, has_interval: bool = True) -> Estimate:
        """Return a quantile of the cases `which`: the smallest value with at least that share at or below it."""
        which = which[~np.isnan(values[which])]
        if not len(which):
            return Estimate(float("nan"), float("nan"), float("nan"))
        found = np.sort(values[which], kind="stable")
        value = float(found[max(math.ceil(share * len(found)) - 1, 0)])
        if not has_interval:
            return Estimate(value, float("nan"), float("nan"))
        steps = self._steps(found)
        cell = self.block[which] * len(steps) + np.searchsorted(steps, values[which])
        counts = np.bincount(cell, minlength=self.n_blocks * len(steps)).reshape(self.n_blocks, len(steps))
        mass = np.cumsum(self.weights.astype(np.float64) @ counts.astype(np.float64), axis=1)  # BLAS knows no integers
        mass = mass[mass[:, -1] > 0]
        drawn = steps[(mass >= share * mass[:, -1:]).argmax(axis=1)]
        return Estimate(value, *_interval(drawn))

    def _steps(self, ascending: np.ndarray) -> np.ndarray:
        """Return the values that drawn quantiles are told apart by: all, or where there are many a regular part of them."""
        distinct = np.unique(ascending)
        most = max(MOST_CELLS // max(self.n_blocks, 1), LEAST_STEPS)
        if len(distinct) <= most:
            return distinct
        every: np.ndarray = np.unique(np.quantile(ascending, np.linspace(0, 1, most), method="higher"))
        return every


def _interval(drawn: np.ndarray) -> tuple[float, float]:
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn):
        return float("nan"), float("nan")
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def blocks_of_time(day: np.ndarray, ts_ns: np.ndarray, block_s: float) -> np.ndarray:
    """Return the number of each order's block of time: one session's orders of `block_s` seconds, whatever their symbol."""
    if block_s <= 0:
        raise UsageError(f"`block_s` must be positive (seconds), got {block_s}")
    stretch = ts_ns // int(block_s * SECOND_NS)
    _, number = np.unique(np.stack([day, stretch]), axis=1, return_inverse=True)
    return np.asarray(number, np.int64).reshape(-1)
