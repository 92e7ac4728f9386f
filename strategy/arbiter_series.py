"""A whole series through the mixture at once: the weights that it would have given to each horizon, row by row.

The policies stand in `strategy.policies`, how they are weighed in `strategy.hedge`.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from replay.bundle import bundle
from replay.errors import ConfigError
from replay.jit import kernel
from replay.settings import as_row
from strategy.blend import write_meta
from strategy.border import make_settings
from strategy.decision import LEG, MAX_HORIZONS
from strategy.hedge import stated_regret
from strategy.policies import (
    FIRST_PURE,
    META,
    ORIGINAL,
    REWARD_MAX,
    learn_outcome,
    mix,
    new_mixture,
    open_record,
    prior_of,
    set_play,
    spare_slot,
)
from strategy.renorm import TOLERANCE
from strategy.scores import ArbiterSettings

if TYPE_CHECKING:
    import pandas as pd

SIZE_STEP = 0.0005  # weight of the newest square in the running size of rewards


@bundle
class Scales(NamedTuple):
    """How large the rewards of a series are, as far as they are known."""

    square: np.ndarray  # float64 (n_horizons,): running mean square
    known_count: np.ndarray  # int64 (n_horizons,): rewards in it
    size: np.ndarray  # float64 (n_rows,): of all horizons, when the first reward of the row was known; 0 = not yet


def evaluate(rewards: Any, delays: Sequence[int], **settings: Any) -> "pd.DataFrame":
    """Return the weights that the mixture would have given to each horizon of a whole series.

    Parameters
    ----------
    rewards : array (n, horizons)
        Net reward of each horizon per row, bps; what is not finite was never known.
    delays : sequence of int
        Rows until a reward of that horizon is known, at least 1 each; beyond the last row it never is.
    **settings
        `original`: array (n, horizons), the weights of the original arbiter; `predicted`: array (n, horizons), the meta-learner's
        net rewards, bps. What is not given takes no part. And single settings of the arbiter, by name.

    Returns
    -------
    pandas.DataFrame
        One column per horizon; every row sums to one. Until something is known, the first (and the original) have nearly all.
        Rewards enter in units of their running size, one for all horizons, so that ten bps count ten times one bps: the root
        of the mean square of what was known when the first reward of a row was. Beyond four of these units they are cut. In
        those units, and over the rows whose rewards all became known, the weights earn no less than the original less
        `attrs["regret_to_original"]` (NaN where none is given), and no less than any one horizon less
        `attrs["regret_to_horizon"]`. Both are NaN where a row of `original` sums to less than one: what stays out now and
        then cannot be kept up with by weights that never do.

    Raises
    ------
    ConfigError
        For shapes that do not fit, a delay that is no whole number above 0, weights that are none, or a setting that cannot be.

    Examples
    --------
    >>> weights = evaluate([[1.0, -1.0]] * 400, delays=[1, 2])
    >>> bool(weights.iloc[-1, 0] > 0.9), bool((abs(weights.sum(axis=1) - 1.0) < 1e-12).all())
    (True, True)
    """
    import pandas as pd

    table, waits = _numbers("rewards", rewards), _numbers("delays", delays)
    is_shaped = table.ndim == 2 and 0 < table.shape[1] <= MAX_HORIZONS and waits.shape == table.shape[1:]
    if not is_shaped or not (waits >= 1).all() or (waits != np.floor(waits)).any():
        raise ConfigError(
            f"evaluate needs rewards of shape (n, 1 to {MAX_HORIZONS}) and a whole delay of at least 1 per column, "
            f"got {table.shape} and delays {waits.tolist()}"
        )
    given = tuple(policy for policy, name in ((ORIGINAL, "original"), (META, "predicted")) if name in settings)
    inputs = [
        np.where(np.isfinite(table), table, np.nan),
        _numbers("original", settings.pop("original", np.full_like(table, 1.0 / table.shape[1]))),
        _numbers("predicted", settings.pop("predicted", np.full_like(table, np.nan))),
    ]
    if any(array.shape != table.shape for array in inputs):
        raise ConfigError(f"`original` (weights) and `predicted` must have the shape of the rewards, {table.shape}")
    for row in np.flatnonzero(~((inputs[1] >= 0.0).all(axis=1) & (inputs[1].sum(axis=1) <= 1.0 + TOLERANCE)))[:1]:
        raise ConfigError(f"`original` must hold weights of 0 or more that sum to at most 1, got {inputs[1][row]} in row {row}")
    params = as_row(make_settings(ArbiterSettings, None, settings, mode="enhanced"))
    out = np.zeros_like(table)
    delays_rows = np.minimum(waits, max(len(table), 1)).astype(np.int64)
    mixture = new_mixture(1, table.shape[1], int(delays_rows.max()) + 1)
    mixture.hedges["prior"] = prior_of(table.shape[1], given)
    legs = np.zeros(table.shape[1], LEG)
    scales = Scales(np.zeros(table.shape[1]), np.zeros(table.shape[1], np.int64), np.zeros(len(table)))
    _evaluate(np.ascontiguousarray(np.stack(inputs)), delays_rows, legs, params, mixture, scales, out)
    weights = pd.DataFrame(out)
    stays_out = bool((inputs[1].sum(axis=1) < 1.0 - TOLERANCE).any())
    for whom, policy in (("original", ORIGINAL), ("horizon", FIRST_PURE)):
        is_stated = not stays_out and (policy in given or policy == FIRST_PURE)
        weights.attrs[f"regret_to_{whom}"] = stated_regret(mixture.hedges[0], policy) if is_stated else math.nan
    return weights


def _numbers(name: str, values: Any) -> np.ndarray:
    try:
        return np.array(values, float)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"`{name}` of evaluate must be numbers in rows of one length: {error}") from None


@kernel
def _evaluate(inputs, delays, legs, params, mixture, scales, out):
    """Play a series: rewards, the original's weights and the predictions stand in the three layers of `inputs`."""
    n = len(delays)
    for i in range(len(out)):
        for k in range(n):
            if i >= delays[k]:
                row = i - delays[k]
                learn_outcome(0, k, n, row, _scaled(inputs[0, row, k], k, row, scales), delays[k], mixture)
            legs[k]["is_alive"] = 1
            legs[k]["net_reward_bps"] = inputs[2, i, k]
        play = mixture.plays[0, spare_slot(mixture)]
        for k in range(n):
            play["policy"][ORIGINAL, k] = inputs[1, i, k]
        write_meta(play["policy"], legs, n, params)
        set_play(0, spare_slot(mixture), n, mixture)
        mix(play, n, out[i])
        open_record(0, n, mixture)


@kernel
def _scaled(reward, k, row, scales):
    """Return a reward in units of the size that its row has, clipped; NaN stays NaN."""
    if reward != reward:
        return reward
    scales.known_count[k] += 1
    scales.square[k] += max(SIZE_STEP, 1.0 / scales.known_count[k]) * (reward * reward - scales.square[k])
    if scales.size[row] <= 0.0:
        scales.size[row] = _size(scales)
    if scales.size[row] <= 0.0:
        return 0.0
    return min(max(reward / scales.size[row], -REWARD_MAX), REWARD_MAX)


@kernel
def _size(scales):
    """Return the root of the mean square over the horizons of which anything is known."""
    total = 0.0
    n_known = 0
    for k in range(len(scales.square)):
        total += scales.square[k]
        n_known += min(scales.known_count[k], 1)
    return math.sqrt(total / n_known)
