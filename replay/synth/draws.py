"""Random numbers: one private stream per (seed, day, symbol, purpose), so that an extra draw changes nobody else's numbers.

Only the raw 64-bit output of PCG64 is used, which numpy promises never to change; its distributions are not promised, and
some of them call the C library. Uniform numbers are made here by exact arithmetic, everything else in the kernels.
"""

from enum import IntEnum

import numpy as np

_STEP = 1.0 / 2.0**52


class Purpose(IntEnum):
    """Who draws."""

    DRIVE = 1
    FLOW = 2
    FEED = 3
    FORECAST = 4
    OUTAGE = 5


class Stream:
    """Uniform numbers strictly between 0 and 1, each a multiple of 2**-53.

    Parameters
    ----------
    seed : int
        The user's seed.
    day_ordinal : int
        `date.toordinal()`.
    symbol : int
        Number of the symbol; -1 for what all symbols share.
    purpose : Purpose
        Who draws.
    """

    def __init__(self, seed: int, day_ordinal: int, symbol: int, purpose: Purpose) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence([seed, day_ordinal, symbol + 1, int(purpose)]))

    def uniform(self, count: int) -> np.ndarray:
        """Draw `count` numbers."""
        raw = self._bits.random_raw(count)
        return ((raw >> np.uint64(12)).astype(np.float64) + 0.5) * _STEP

    def table(self, rows: int, columns: int) -> np.ndarray:
        """Draw a table, row by row."""
        return self.uniform(rows * columns).reshape(rows, columns)
