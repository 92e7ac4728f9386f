"""The enhanced arbiter on made-up rewards: what it earns, in per cent of an oracle that always knows the best horizon.

Five horizons (5 to 60 rows) with overlapping noise of unit size; their means are drawn anew, with a size of a tenth of the noise,
at every switch. The noise is either one market's, which all horizons share as they do in life, or, harder, independent between
horizons. A single series says little (two neighbours may be equally good), so several are pooled.

Where nothing ever switches, the last figure is what the best possible choice earns: the largest posterior mean, told how means
are drawn and how noise overlaps.
"""

from __future__ import annotations

import numpy as np

from benchmarks.measure import Figure
from strategy.arbiter import evaluate

HORIZONS = np.array([5, 10, 15, 30, 60])
N_ROWS = 60_000
N_SERIES = 24
MEAN_SIZE = 0.1
TARGETS = {2_000: 45.0, 6_000: 57.0, 0: 95.0}  # rows between two switches (0 = never): per cent of the oracle


def rewards(switch_rows: int, seed: int, has_own_noise: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the means and the rewards of one series."""
    draws = np.random.default_rng(seed)
    is_switch = draws.random(N_ROWS) < (1.0 / switch_rows if switch_rows else 0.0)
    means = draws.normal(0.0, MEAN_SIZE, (int(is_switch.sum()) + 1, 5))[np.cumsum(is_switch)]
    noise = []
    for k, horizon in enumerate(HORIZONS):
        if k == 0 or has_own_noise:
            total = np.concatenate([[0.0], np.cumsum(draws.standard_normal(N_ROWS + 60))])
        noise.append((total[horizon : horizon + N_ROWS] - total[:N_ROWS]) / np.sqrt(horizon))
    return means, means + np.column_stack(noise)


def posterior_choice(seen: np.ndarray) -> np.ndarray:
    """Return the horizon of the largest posterior mean at every row, from the rewards that are known by then."""
    posterior = np.zeros_like(seen)
    for k, horizon in enumerate(HORIZONS):
        known = np.arange(1, N_ROWS - horizon + 1)
        variance = horizon / known  # of a mean of so many rewards that overlap
        shrunk = MEAN_SIZE**2 / (MEAN_SIZE**2 + variance) * np.cumsum(seen[:-horizon, k]) / known
        posterior[horizon:, k] = shrunk
    return posterior.argmax(axis=1)


def shares(switch_rows: int, has_own_noise: bool) -> tuple[float, float, float]:
    """Return what the mixture, equal weights and the posterior choice earn, in per cent of the oracle, over all series."""
    best = earned = equal = chosen = 0.0
    for seed in range(N_SERIES):
        means, seen = rewards(switch_rows, seed, has_own_noise)
        best += float(means.max(axis=1).sum())
        earned += float((evaluate(seen, HORIZONS).to_numpy() * means).sum())
        equal += float(means.mean(axis=1).sum())
        chosen += float(means[np.arange(N_ROWS), posterior_choice(seen)].sum())
    return 100.0 * earned / best, 100.0 * equal / best, 100.0 * chosen / best


def main() -> list[Figure]:
    """Measure what the weights earn, and beside them equal weights."""
    figures = []
    unit = "% of the oracle"
    for noise in ("one market", "own noise"):
        for switch_rows, target in TARGETS.items():
            name = f"{noise}, {f'a switch every {switch_rows:,} rows' if switch_rows else 'stationary'}"
            earned, equal, chosen = shares(switch_rows, noise == "own noise")
            figures.append(Figure.at_least(f"arbiter: {name}", earned, unit, target))
            figures.append(Figure(f"equal weights: {name}", equal, unit))
            if not switch_rows:
                figures.append(Figure(f"best possible: {name}", chosen, unit))
    return figures
