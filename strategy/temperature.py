"""The temperature of the meta-learner's softmax, fitted where its predictions can be held against what horizons really earned.

For a stretch of validation with predictions r and net rewards x, both in bps, over a grid of temperatures::

    W_tk  = exp(r_tk / temperature) / sum_k exp(r_tk / temperature),      earned(temperature) = mean over t of sum_k W_tk x_tk

The one that earned most is taken, provided that it surely earned more than the hottest (nearly equal weights): the differences
of the two, in 20 blocks of neighbours because labels overlap, have t > 1.729. Else the predictions say nothing about what pays,
and the hottest is the answer. On ties the hotter one is taken.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from replay.errors import ConfigError

TEMPERATURES_BPS = tuple(10.0 ** (step / 10.0) for step in range(-10, 21))
BLOCKS = 20
_T_SURE = 1.729  # one-sided 5 % with 19 degrees of freedom


def fit_temperature(predicted_bps: Any, rewards_bps: Any, temperatures_bps: Sequence[float] = TEMPERATURES_BPS) -> float:
    """Return the temperature with which a meta-learner's predictions earned most.

    Parameters
    ----------
    predicted_bps : array (n, horizons)
        Net reward that the meta-learner predicted for each horizon, of a stretch that it was not trained on.
    rewards_bps : array (n, horizons)
        Net reward that each horizon then earned. A row with a number missing on either side is left out.
    temperatures_bps : sequence of float
        Those to try; default .1 to 100 bps, ten per decade.

    Returns
    -------
    float
        For the setting `arbiter.meta_temperature_bps`. The largest of all where the predictions say nothing about what pays.

    Raises
    ------
    ConfigError
        For shapes that differ, fewer than 20 whole rows, or a temperature that is not above 0.

    Examples
    --------
    >>> draws = np.random.default_rng(0)
    >>> means = draws.normal(0.0, 2.0, (2_000, 3))
    >>> rewards = means + draws.normal(0.0, 5.0, means.shape)
    >>> fit_temperature(means, rewards), round(fit_temperature(draws.normal(size=means.shape), rewards))
    (0.1, 100)
    >>> round(fit_temperature(means + draws.normal(0.0, 8.0, means.shape), rewards), 1)  # a poor model is followed less
    0.5
    """
    grid = np.sort(_numbers("temperatures_bps", temperatures_bps))[::-1]
    predicted, rewards = (_numbers(*given) for given in (("predicted_bps", predicted_bps), ("rewards_bps", rewards_bps)))
    if predicted.ndim != 2 or predicted.shape != rewards.shape:
        raise ConfigError(
            f"predicted_bps and rewards_bps must both have the shape (n, horizons), got {predicted.shape} and {rewards.shape}"
        )
    if grid.ndim != 1 or not len(grid) or not (grid > 0.0).all() or not np.isfinite(grid).all():
        raise ConfigError(f"temperatures_bps must be numbers above 0, at least one, got {list(temperatures_bps)}")
    is_whole = np.isfinite(predicted).all(axis=1) & np.isfinite(rewards).all(axis=1)
    if is_whole.sum() < BLOCKS:
        raise ConfigError(f"a temperature needs {BLOCKS} rows without a missing number, got {is_whole.sum()} of {len(is_whole)}")
    earned = np.array([_earned(predicted[is_whole], rewards[is_whole], each) for each in grid])
    best = int(earned.mean(axis=1).argmax())
    return float(grid[best] if _is_sure(earned[best] - earned[0]) else grid[0])


def _numbers(name: str, values: Any) -> np.ndarray:
    try:
        return np.array(values, float)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{name} must hold numbers, NaN where one is unknown ({error})") from error


def _earned(predicted: np.ndarray, rewards: np.ndarray, temperature_bps: float) -> np.ndarray:
    """Return what each row earned."""
    raw = np.exp((predicted - predicted.max(axis=1, keepdims=True)) / temperature_bps)
    earned: np.ndarray = (raw * rewards).sum(axis=1) / raw.sum(axis=1)
    return earned


def _is_sure(gains: np.ndarray) -> bool:
    """Tell whether the mean gain is surely above zero."""
    means = np.array([block.mean() for block in np.array_split(gains, BLOCKS)])
    return float(means.mean()) > _T_SURE * float(means.std(ddof=1)) / math.sqrt(BLOCKS)
