"""Does the selector adapt? A paired test against its own static weights, and how much of its movement follows the regime.

The paired gain of decision t is what its weights earned above the mean of all weights before it, of the same symbol::

    g_t = (w_t - mean of w before t) . x_t / sqrt(h)      x_t: matured net rewards, in units of the volatility over h

Divided by the root of the horizon once more, a reward is one per minute held, and a horizon whose labels overlap sixty times
does not drown the others in its noise: far more selectors that follow a switching market are then seen to adapt
(`python -m benchmarks verification` counts them).

`t` is that of the means over blocks of 13 longest horizons, all symbols together: outcomes of one block hardly touch the next,
and symbols that move together count once. Above 1.65 the selector is seen to adapt; only what is surely worse than static (one in
a hundred) fails. The raw variance of the weights passes on noise, so that it only warns when it is next to nothing.

The share of the variance that lies between regimes (terciles of volatility x spread x time of day) is shown beside it, with the
share of shuffled days that reach it.
"""

import math
from typing import Any

import numpy as np

from strategy.check import FAIL, PASS, WARN, Check, Modes, VerificationSettings, column, judged, switch, unknown

ADAPTS_T = 1.65
VARIANCE_MIN = 0.01
_NAME = "selector_adapts"
_Z_99 = 2.3263
_MINUTE_NS = 60_000_000_000
_DAY_NS = 86_400_000_000_000
_SHUFFLES = 99
_DAYS_MIN = 5


def check_selector(
    decisions: Any,
    rewards: np.ndarray | None,
    settings: VerificationSettings,
    horizons_min: Any = None,
    *,
    has_regimes: bool = True,
    modes: Modes | None = None,
) -> Check:
    """Judge whether changing weights earned more than the mean of the weights so far."""
    if decisions is None or rewards is None or rewards.ndim != 2 or rewards.shape[1] < 2:
        return unknown(_NAME, "t above -2.3", 0.0, "it takes decisions, and matured rewards of at least two horizons")
    weights = np.asarray(decisions["weights"], float)[:, : rewards.shape[1]]
    is_known = np.isfinite(rewards).all(axis=1) & np.isfinite(weights).all(axis=1) & (weights.sum(axis=1) > 0)
    weights, rewards = weights[is_known], rewards[is_known]
    longest_min = float(np.max(np.asarray(decisions["horizon_min"] if horizons_min is None else horizons_min), initial=1))
    symbols, times = (np.asarray(decisions[name])[is_known] for name in ("symbol", "ts_ns"))
    blocks = blocks_of(times, longest_min * _MINUTE_NS, settings.block_horizons)
    n_blocks = len(np.unique(blocks))
    if n_blocks < settings.blocks_min:
        need = f"it takes {settings.blocks_min} blocks of {settings.block_horizons * longest_min:.0f} min"
        return unknown(_NAME, "t above -2.3", n_blocks, f"{need}, {n_blocks} are there: replay more sessions")
    per_minute = rewards if horizons_min is None else rewards / np.sqrt(np.asarray(horizons_min, float))
    value, n_blocks = block_t(paired_gains(weights, per_minute, symbols), blocks)
    variance = float(weights.var(axis=0).sum())
    details: dict[str, Any] = {"is_adapting": value > ADAPTS_T, "variance": variance, "decisions": len(weights)}
    if has_regimes:
        details |= regime_share(weights, _regimes(decisions, is_known), times // _DAY_NS)
    return _judge(value, n_blocks, details, modes)


def _judge(value: float, n_blocks: int, details: dict[str, Any], modes: Modes | None) -> Check:
    limit = -student_99(n_blocks - 1)
    target = f"t above {limit:.1f}"
    if value < limit:
        advice = f"moving weights earned less than their own mean (t = {value:.2f} over {n_blocks} blocks): "
        learn = 'set arbiter.mode = "enhanced", which learns from outcomes'
        return judged(_NAME, FAIL, value, target, n_blocks, advice + switch("arbiter", "original", modes, learn), **details)
    status = WARN if details["variance"] < VARIANCE_MIN else PASS
    enhance = 'set arbiter.mode = "enhanced", or '
    if (modes or {}).get("arbiter") == "enhanced":
        enhance = ""
    advice = f"weights hardly move (variance {details['variance']:.4f}, below {VARIANCE_MIN}): {enhance}let it see more horizons"
    return judged(_NAME, status, value, target, n_blocks, advice, **details)


def paired_gains(weights: np.ndarray, rewards: np.ndarray, symbols: np.ndarray) -> np.ndarray:
    """Return what each decision's weights earned above the mean of the same symbol's weights before it."""
    gains = np.zeros(len(weights))
    for symbol in np.unique(symbols):
        rows = np.flatnonzero(symbols == symbol)
        own = weights[rows]
        before = np.vstack([own[:1], np.cumsum(own[:-1], axis=0) / np.arange(1, len(own))[:, None]])
        gains[rows] = ((own - before) * rewards[rows]).sum(axis=1)
    return gains


def blocks_of(ts_ns: np.ndarray, longest_ns: float, block_horizons: float) -> np.ndarray:
    """Return the block that each decision falls into; a pause counts as one longest horizon at most, so nights take no room."""
    if not len(ts_ns):
        return np.zeros(0, np.int64)
    order = np.argsort(ts_ns, kind="stable")
    passed = np.cumsum(np.minimum(np.diff(ts_ns[order], prepend=ts_ns[order][:1]), longest_ns))
    blocks = np.zeros(len(ts_ns), np.int64)
    blocks[order] = (passed / (longest_ns * block_horizons)).astype(np.int64)
    return blocks


def block_t(gains: np.ndarray, blocks: np.ndarray) -> tuple[float, int]:
    """Return the t of block means (0 where nothing varies) and their number; a last block of less than half is left out."""
    _, place, sizes = np.unique(blocks, return_inverse=True, return_counts=True)
    means = np.bincount(place, weights=gains) / sizes
    if len(sizes) > 2 and sizes[-1] < np.median(sizes) / 2:
        means = means[:-1]
    spread = float(means.std(ddof=1)) if len(means) > 1 else 0.0
    value = float(means.mean() / (spread / math.sqrt(len(means)))) if spread > 0 else 0.0
    return value, len(means)


def student_99(freedom: int) -> float:
    """Return the 99 % quantile of Student's t, by the expansion of Cornish and Fisher.

    >>> round(student_99(20), 2), round(student_99(10**9), 2)
    (2.53, 2.33)
    """
    z, n = _Z_99, max(freedom, 1)
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / n + second / n**2 + third / n**3


def regime_share(weights: np.ndarray, regimes: np.ndarray | None, days: np.ndarray) -> dict[str, float | None]:
    """Return the share of the variance of weights between regimes, and how often shuffled days reach it.

    None where no features are known; the shuffled share takes at least five days.
    """
    total = float(weights.var(axis=0).sum())
    if regimes is None or total <= 0.0:
        return {"regime_share": None, "regime_p": None}
    share = _between(weights, regimes) / total
    parts = [np.flatnonzero(days == day) for day in np.unique(days)]
    if len(parts) < _DAYS_MIN:
        return {"regime_share": share, "regime_p": None}
    rng = np.random.default_rng(0)
    shuffled = [np.concatenate([parts[k] for k in rng.permutation(len(parts))]) for _ in range(_SHUFFLES)]
    reached = sum(_between(weights[order], regimes) / total >= share for order in shuffled)
    return {"regime_share": share, "regime_p": (1.0 + reached) / (1.0 + _SHUFFLES)}


def _between(weights: np.ndarray, regimes: np.ndarray) -> float:
    counts = np.bincount(regimes)
    shares = counts / len(regimes)
    means = [np.bincount(regimes, weights=column) / np.maximum(counts, 1) for column in weights.T]
    return float(sum((shares * (mean - column.mean()) ** 2).sum() for mean, column in zip(means, weights.T, strict=True)))


def _regimes(decisions: Any, is_known: np.ndarray) -> np.ndarray | None:
    """Return regimes by number: terciles of volatility and spread (features 0 and 1) and of the time of day."""
    features = column(decisions, "features")
    if features is None:
        return None
    times = np.asarray(decisions["ts_ns"])[is_known]
    parts = [features[is_known][:, 0], features[is_known][:, 1], times % _DAY_NS]
    code = np.zeros(len(times), np.int64)
    for values in parts:
        plain = np.nan_to_num(np.asarray(values, float))
        code = 3 * code + np.searchsorted(np.quantile(plain, [1 / 3, 2 / 3]), plain)
    return code
