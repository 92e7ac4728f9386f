"""Intervals from blocks of time: orders of one moment share one market, so whole blocks are drawn again, not single orders.

Block bootstrap with non-overlapping blocks. All figures of a report use the same draws, so that models are compared in pairs.

References
----------
Kuensch, H. R. (1989). The jackknife and the bootstrap for general stationary observations. Annals of Statistics 17(3).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from replay.errors import UsageError
from replay.validation.book import SECOND_NS

LEVEL = 0.95


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

    def quantile(self, values: np.ndarray, share: float, which: np.ndarray) -> Estimate:
        """Return a quantile of the cases `which`: the smallest value with at least that share at or below it."""
        which = which[~np.isnan(values[which])]
        if not len(which):
            return Estimate(float("nan"), float("nan"), float("nan"))
        ranked = which[np.argsort(values[which], kind="stable")]
        block, found = self.block[ranked], values[ranked]
        drawn = [_quantile_at(found, weights[block], share) for weights in self.weights]
        return Estimate(_quantile_at(found, np.ones(len(found)), share), *_interval(np.array(drawn)))


def _quantile_at(ascending: np.ndarray, weights: np.ndarray, share: float) -> float:
    """Return the quantile of weighted values; NaN where no value has weight."""
    mass = np.cumsum(weights)
    return float(ascending[np.searchsorted(mass, share * mass[-1])]) if mass[-1] > 0 else float("nan")


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
