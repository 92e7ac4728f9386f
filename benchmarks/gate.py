"""The calibrated gate on made-up series: coverage, width beside simpler ways to the same bounds, and misses on what is taken.

Series: returns of regimes of volatility (1, 2.5 or 6 bps, redrawn every 4,000 rows or so), t noise with five degrees of freedom
and a slow signal; outcomes are sums over a horizon, so labels overlap. The simpler ways, each judged against what it issued: a
rolling window, and a quantile that takes a step towards each score, of .02 of the scores' spread or of one that decays with
their number, divided by the horizon as the gate's steps are. Taken trades: forecasts of known strength whose mean or
sigma the model gets wrong in five ways.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from benchmarks.measure import Figure
from strategy.conformal import evaluate

N_ROWS = 60_000
N_TAKEN = 184_000
HORIZON = 30
WARM_UP = 4_000
COST_BPS = 2.0
CASES = {  # noise believed in the mean, spread of the believed sigma, factor on the mean, most misses allowed in %
    "model right": (0.0, 0.0, 1.0, 12.0),
    "noisy mean": (0.6, 0.0, 1.0, 12.0),
    "noisy sigma": (0.0, 0.4, 1.0, 12.0),
    "noisy mean and sigma": (0.6, 0.4, 1.0, 13.5),
    "overconfident": (0.0, 0.0, 1.6, 12.0),
}


def regimes(seed: int) -> np.ndarray:
    """Return one-step returns in bps."""
    draws = np.random.default_rng(seed)
    starts = np.flatnonzero(draws.random(N_ROWS) < 1 / 4000)
    levels = draws.choice([1.0, 2.5, 6.0], len(starts) + 1)
    size = np.repeat(levels, np.diff(np.concatenate([[0], starts, [N_ROWS]])))
    signal = np.zeros(N_ROWS)
    noise = draws.standard_normal(N_ROWS)
    for i in range(1, N_ROWS):
        signal[i] = 0.98 * signal[i - 1] + 0.199 * noise[i]
    return size * (draws.standard_t(5, N_ROWS) / np.sqrt(5 / 3) + 0.15 * signal)


def ewma(returns: np.ndarray, half_life: float = 120.0) -> np.ndarray:
    """Return the volatility known before each return."""
    decay, var = 0.5 ** (1.0 / half_life), float(returns[:200].var())
    out = np.zeros(len(returns))
    for i, r in enumerate(returns):
        out[i] = np.sqrt(var)
        var = decay * var + (1.0 - decay) * r * r
    return out


def winkler(outcome: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    """Return the mean interval score at level 80 %."""
    return float(np.mean(high - low + 10.0 * (np.maximum(low - outcome, 0.0) + np.maximum(outcome - high, 0.0))))


def rolling(outcome: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of a rolling window over the scores, delayed by the horizon."""
    import pandas as pd

    window = int(np.clip(100 * HORIZON, 1000, 4000))
    scores = pd.Series(outcome / sigma).rolling(window)
    low, high = (scores.quantile(level).shift(HORIZON).to_numpy() * sigma for level in (0.1, 0.9))
    return low, high


def stepping(outcome: np.ndarray, sigma: np.ndarray, step_of: Callable[[int], float]) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of a quantile per tail that takes a step of `step_of(labels known)` spreads with every label.

    It begins at the quantile of the first 500 scores; their spread is the distance from the lowest tenth to the highest.
    """
    scores = outcome / sigma
    bounds = np.zeros((2, len(scores)))
    for k, sign in enumerate((-1.0, 1.0)):
        tail = sign * scores
        quantile = float(np.quantile(tail[:500], 0.9))
        spread = quantile - float(np.quantile(tail[:500], 0.1))
        for i in range(len(tail)):
            known = i - HORIZON
            if known >= 0:
                quantile += step_of(known + 1) / HORIZON * spread * (float(tail[known] > sign * bounds[k, known]) - 0.1)
            bounds[k, i] = sign * quantile
    return bounds[0] * sigma, bounds[1] * sigma


WAYS: dict[str, Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]] = {
    "rolling window": rolling,
    "tracker .02/h": lambda outcome, sigma: stepping(outcome, sigma, lambda _: 0.02),
    "decaying step": lambda outcome, sigma: stepping(outcome, sigma, lambda n: max(n / HORIZON, 1.0) ** -0.6),
}


def series() -> list[Figure]:
    """Judge coverage and width on overlapping labels."""
    returns = regimes(7)
    total = np.concatenate([[0.0], np.cumsum(returns)])
    outcome = total[HORIZON:] - total[:-HORIZON]
    scaled = ewma(returns)[: len(outcome)] * np.sqrt(HORIZON)
    figures = []
    for name, sigma in (("normalised", scaled), ("raw", np.full(len(outcome), float(outcome.std())))):
        bounds = evaluate(np.zeros(len(outcome)), sigma, outcome, HORIZON).to_numpy()
        rows = slice(WARM_UP + HORIZON, None)
        y = outcome[rows]
        below, above = 100.0 * np.mean(y < bounds[rows, 0]), 100.0 * np.mean(y > bounds[rows, 1])
        own = winkler(y, bounds[rows, 0], bounds[rows, 1])
        ratios = {way: own / winkler(y, *(bound[rows] for bound in make(outcome, sigma))) for way, make in WAYS.items()}
        if name == "normalised":
            figures.append(
                Figure("gate: coverage", 100.0 - below - above, "%", "79 to 81", 79.0 <= 100.0 - below - above <= 81.0)
            )
            figures.append(Figure.at_most("gate: tails off 10 %", max(abs(below - 10.0), abs(above - 10.0)), "%", 0.7))
            figures.append(
                Figure.at_most("gate: interval score / best of the three, normalised", max(ratios.values()), "x", 1.015)
            )
        else:
            figures.append(Figure.at_most("gate: interval score / rolling window, raw", ratios.pop("rolling window"), "x", 0.98))
        figures += [Figure(f"gate: interval score / {way}, {name}", ratio, "x") for way, ratio in ratios.items()]
    return figures


def taken() -> list[Figure]:
    """Judge the one-sided misses of what passes the gate."""
    figures = []
    for k, (name, (noise, spread, factor, bound)) in enumerate(CASES.items()):
        draws = np.random.default_rng(100 + k)
        true = 0.96 * draws.standard_normal(N_TAKEN)
        moving = np.convolve(draws.standard_normal(N_TAKEN + 9), np.ones(10), "valid") / np.sqrt(10)
        outcome = 10.0 * (true + moving)
        mu = 10.0 * factor * (true + noise * draws.standard_normal(N_TAKEN))
        sigma = 10.0 * np.exp(spread * draws.standard_normal(N_TAKEN))
        bounds = evaluate(mu, sigma, outcome, 10, cost_bps=COST_BPS).to_numpy()[WARM_UP:]
        y = outcome[WARM_UP:]
        is_long, is_short = bounds[:, 0] > COST_BPS, bounds[:, 1] < -COST_BPS
        n_missed = int(((y < bounds[:, 0]) & is_long).sum() + ((y > bounds[:, 1]) & is_short).sum())
        n_taken = int(is_long.sum() + is_short.sum())
        figures.append(Figure.at_most(f"gate: misses on taken trades, {name}", 100.0 * n_missed / n_taken, "%", bound))
        figures.append(Figure(f"gate: taken, {name}", 100.0 * n_taken / len(y), "%"))
    return figures


def speed() -> list[Figure]:
    """Time one forecast issued and its outcome learned: both tails, each with a bank for the interval and two for the gate.

    The goal is per update and tail: one update is what one tail learns from one outcome.
    """
    rows = np.random.default_rng(0).standard_normal((2, N_ROWS))
    evaluate(rows[0, :500], np.ones(500), rows[1, :500], 5)
    least = float("inf")
    for _ in range(5):
        start = time.process_time()
        evaluate(rows[0], np.ones(N_ROWS), rows[1], 5)
        least = min(least, time.process_time() - start)
    whole_us = 1e6 * least / N_ROWS
    return [
        Figure("gate: a forecast issued and its outcome learned, both tails", whole_us, "us"),
        Figure.at_most("gate: the same, per update and tail", whole_us / 2, "us", 0.5),
    ]


def main() -> list[Figure]:
    """Measure everything."""
    return [*series(), *taken(), *speed()]
