"""Estimate the odds of a fitted queue model: a logistic regression held near pro rata, its terms chosen by time blocks left out.

The log-odds that a cancelled share stood ahead of us are a sum of terms (`fills.queue.QUEUE_FIT`). A Gaussian prior centred on
pro rata (`position` 1, all else 0) keeps small samples sane; a cancel counts once, however many orders it is a case for. Terms
beyond the position are added one at a time while that lowers the held-out log loss by more than two standard errors of its change
over the blocks, and while there are enough cancels for one more; the blocks are stretches of time, because orders of one moment
share one market. Few terms travel better to another day.

`decays_of` finds what goes from ahead of hidden orders: with the time, and with each move of the touch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fills.queue import MOST_MOVES, MOST_QUIET_NS

CORE = ("base", "position")
MORE = ("level", "drop", "age", "spread", "balance", "quiet")
PRIOR_DEVIATION = 1.0  # of each coefficient, in units of log-odds
CANCELS_PER_TERM = 200
CLEAR = 2.0  # standard errors
_STEPS = 50
_MOST_DECAY = 5.0
_FIRST_DECAYS = (0.05, 0.005)
_SWEEPS = 100
_HALVINGS = 40
_EXACT = 1e-7
_LEAST_LOSS = 1e-9


def terms(cases: np.ndarray) -> dict[str, np.ndarray]:
    """Return each term of the log-odds, a value per case; `spread` of the cases is in ticks."""
    ahead, behind = cases["ahead_qty"].astype(float), cases["behind_qty"].astype(float)
    return {
        "base": np.ones(len(cases)),
        "position": np.log(ahead / behind),
        "level": np.log(ahead + behind),
        "drop": np.log(cases["drop_qty"]),
        "age": np.log1p(cases["age_ns"] / 1e9),
        "spread": np.log(np.maximum(cases["spread"], 1)),
        "balance": np.log((ahead + behind) / np.maximum(cases["other_qty"], 1)),
        "quiet": np.log1p(np.minimum(cases["quiet_ns"], MOST_QUIET_NS) / 1e9),
    }


def estimate(names: Sequence[str], cases: np.ndarray) -> dict[str, float]:
    """Return the most probable coefficients of the named terms (Newton's method on a concave function)."""
    found = terms(cases)
    x = np.stack([found[name] for name in names], axis=1)
    y = cases["is_ahead"].astype(float)
    weight = one_per_cancel(cases)
    prior = np.array([1.0 if name == "position" else 0.0 for name in names])
    beta, precision = prior.copy(), np.eye(len(names)) / PRIOR_DEVIATION**2
    for _ in range(_STEPS):
        chance = _chance(x @ beta)
        slope = x.T @ (weight * (y - chance)) - precision @ (beta - prior)
        curve = (x * (weight * chance * (1.0 - chance))[:, None]).T @ x + precision
        step = np.linalg.solve(curve, slope)
        beta = beta + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-9:
            break
    return dict(zip(names, beta.tolist(), strict=True))


def one_per_cancel(cases: np.ndarray) -> np.ndarray:
    """Return weights that let each cancel count once, however many orders of ours were in its line."""
    _, cancel, count = np.unique(cases["ts_ns"], return_inverse=True, return_counts=True)
    return np.asarray(1.0 / count[cancel])


def log_loss(parameters: dict[str, float], cases: np.ndarray) -> np.ndarray:
    """Return the log loss of each case."""
    found = terms(cases)
    odds = sum(value * found[name] for name, value in parameters.items() if name in found)
    chance = np.clip(_chance(np.asarray(odds, float)), 1e-9, 1.0 - 1e-9)
    loss: np.ndarray = -np.where(cases["is_ahead"] == 1, np.log(chance), np.log1p(-chance))
    return loss


def choose_terms(cases: np.ndarray, block: np.ndarray) -> tuple[str, ...]:
    """Return the terms that earn their place out of sample; `block` numbers the stretch of time of each case."""
    names: tuple[str, ...] = CORE
    if len(cases) == 0:
        return names
    most = len(np.unique(cases["ts_ns"])) // CANCELS_PER_TERM
    best = _held_out(names, cases, block)
    while len(names) < most:
        tried = {name: _held_out((*names, name), cases, block) for name in MORE if name not in names}
        gains = {name: best - loss for name, loss in tried.items()}
        worthy = {
            name: gain.mean() for name, gain in gains.items() if gain.mean() > CLEAR * gain.std(ddof=1) / np.sqrt(len(gain))
        }
        if not worthy:
            return names
        chosen = max(worthy, key=lambda name: worthy[name])
        names, best = (*names, chosen), tried[chosen]
    return names


def _held_out(names: Sequence[str], cases: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Return the mean log loss of each block under what the others teach."""
    losses = []
    for k in np.unique(block):
        left_out = cases[block == k]
        losses.append(np.average(log_loss(estimate(names, cases[block != k]), left_out), weights=one_per_cancel(left_out)))
    return np.array(losses)


def decays_of(returns: np.ndarray) -> dict[str, float]:
    """Return `hidden_decay` and `hidden_move`; 0 where nothing was hidden or nothing left.

    Each share ahead stays with the chance exp(-decay ln(1 + seconds) - move moves): the likelihood of what stayed is concave in
    both, and is climbed along one and the other in turn. A return counts once, however many orders of ours came back with it.
    """
    n_moves = np.minimum(returns["n_moves"], MOST_MOVES).astype(float)
    x = np.stack([np.log1p(np.maximum(returns["hidden_ns"], 0) / 1e9), n_moves])
    kept = np.clip(returns["left_qty"], 0, returns["ahead_qty"]) / np.maximum(returns["ahead_qty"], 1)
    weight = returns["ahead_qty"] * one_per_cancel(returns)
    found = np.zeros(2)
    if len(returns) and kept.min() < 1.0:
        found[:] = _FIRST_DECAYS
        for _ in range(_SWEEPS):
            before = found.copy()
            for j in range(2):
                found[j] = _climbed(found, j, x, kept, weight)
            if np.abs(found - before).max() < _EXACT:
                break
    return {"hidden_decay": float(found[0]), "hidden_move": float(found[1])}


def _climbed(found: np.ndarray, j: int, x: np.ndarray, kept: np.ndarray, weight: np.ndarray) -> float:
    """Return the most likely value of one coefficient given the other, by bisection of the slope; at least 0."""
    rest = found @ x - found[j] * x[j]
    low, high = 0.0, _MOST_DECAY
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        loss = np.maximum(rest + middle * x[j], _LEAST_LOSS)
        slope = float((weight * x[j] * ((1.0 - kept) / np.expm1(loss) - kept)).sum())
        low, high = (middle, high) if slope > 0.0 else (low, middle)
    return low


def _chance(odds: np.ndarray) -> np.ndarray:
    chance: np.ndarray = 1.0 / (1.0 + np.exp(-np.clip(odds, -30.0, 30.0)))
    return chance
