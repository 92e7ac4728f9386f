"""The enhanced arbiter on made-up rewards: what it earns, in per cent of an oracle that always knows the best horizon.

Five horizons (5 to 60 rows) with overlapping noise of unit size, independent between horizons; their means are drawn anew, with
a size of a tenth of the noise, at every switch. A single series says little (two neighbours may be equally good), so several
are pooled.
"""

from __future__ import annotations

import numpy as np

from benchmarks.measure import Figure
from strategy.arbiter import evaluate

HORIZONS = np.array([5, 10, 15, 30, 60])
N_ROWS = 60_000
N_SERIES = 12
TARGETS = {2_000: 45.0, 6_000: 57.0, 0: 95.0}  # rows between two switches (0 = never): per cent of the oracle


def rewards(switch_rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the means and the rewards of one series."""
    draws = np.random.default_rng(seed)
    is_switch = draws.random(N_ROWS) < (1.0 / switch_rows if switch_rows else 0.0)
    means = draws.normal(0.0, 0.1, (int(is_switch.sum()) + 1, 5))[np.cumsum(is_switch)]
    noise = []
    for horizon in HORIZONS:
        total = np.concatenate([[0.0], np.cumsum(draws.standard_normal(N_ROWS + 60))])
        noise.append((total[horizon : horizon + N_ROWS] - total[:N_ROWS]) / np.sqrt(horizon))
    return means, means + np.column_stack(noise)


def main() -> list[Figure]:
    """Measure what the weights earn, and beside them equal weights."""
    figures = []
    for switch_rows, target in TARGETS.items():
        best = earned = equal = 0.0
        for seed in range(N_SERIES):
            means, seen = rewards(switch_rows, seed)
            best += float(means.max(axis=1).sum())
            earned += float((evaluate(seen, HORIZONS).to_numpy() * means).sum())
            equal += float(means.mean(axis=1).sum())
        name = f"a switch every {switch_rows:,} rows" if switch_rows else "stationary"
        figures.append(Figure.at_least(f"arbiter: {name}", 100.0 * earned / best, "% of the oracle", target))
        figures.append(Figure(f"arbiter: equal weights, {name}", 100.0 * equal / best, "% of the oracle"))
    return figures
