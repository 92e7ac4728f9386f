"""Discounted leaders: follow the horizon that is expected to earn most, at several beliefs about how often that changes.

A leader believes that the mean reward of every horizon k is drawn anew, with a size of a tenth of one reward, in a share p (its
hazard) of all rows. What it expects is the best linear guess under that belief. So each horizon has the memory that suits how
much its labels overlap: an hour's mean of overlapping outcomes is mostly luck. At each matured reward x_k of overlap h_k::

    m_k <- (1-p) m_k,         c_k <- (1-p)^2 c_k                    c: share of the mean's variance that is known, 0 at first
    a    = (1-c_k) / (1 - c_k + 100 h_k)
    m_k <- m_k + a (x_k - m_k),      c_k <- c_k + a (1-c_k)
    the leader changes only when   m_best > m_leader + .003 sc,     sc = sqrt(mean V)
    V_k <- .9995 V_k + .0005 x_k^2 (the plain mean at first)

for p in 1/500, 1/2000, 1/8000, 0. The last leader follows the mean of those four expectations, each weighed by how well it has
predicted. A prediction is judged as it was issued with the record, when no label that overlaps the outcome was known::

    e_p <- e_p - (x_k - m_pk(issued))^2 / (2 h_k sc^2),      share_p ~ prior_p exp(e_p),     e_p never more than 10 below the best

with half of that prior on p = 0: that nothing ever changes is the plainest belief. Squared errors tell one hazard from another
many times sooner than what the leaders earn: earnings differ only where two leaders disagree, and are mostly noise
(`python -m benchmarks arbiter`).

References
----------
Kalman, R. E. (1960), "A New Approach to Linear Filtering and Prediction Problems", ASME J. Basic Eng. 82: the best linear guess.
Adams, R. P. and MacKay, D. J. C. (2007), "Bayesian Online Changepoint Detection": a hazard of change.
Efron, B. and Morris, C. (1975), "Data Analysis Using Stein's Estimator", JASA 70: shrinkage of means of different precision.
"""

import math

import numpy as np

from replay.jit import kernel
from replay.numeric import exp
from strategy.decision import MAX_HORIZONS

HAZARDS = (1.0 / 500.0, 1.0 / 2000.0, 1.0 / 8000.0, 0.0)
PRIORS = (1.0 / 6.0, 1.0 / 6.0, 1.0 / 6.0, 0.5)
N_HAZARDS = len(HAZARDS)
N_LEADERS = N_HAZARDS + 1
BLEND = N_HAZARDS
HYSTERESIS = 0.003
NOISE = 100.0  # variance of one reward over that of the means
FORGET = 0.0005
BEHIND_MAX = 10.0

LEADERS = np.dtype(
    [
        ("mean", "f8", (N_HAZARDS, MAX_HORIZONS)),  # m
        ("known", "f8", (N_HAZARDS, MAX_HORIZONS)),  # c
        ("evidence", "f8", (N_HAZARDS,)),  # e, of the best one 0
        ("share", "f8", (N_HAZARDS,)),
        ("square", "f8", (MAX_HORIZONS,)),  # V
        ("label_count", "i8", (MAX_HORIZONS,)),
        ("n_eff", "f8", (MAX_HORIZONS,)),
        ("leader", "i8", (N_LEADERS,)),
    ],
    align=True,
)


@kernel
def learn_reward(leaders, k, n, reward, overlap):
    """Take in the matured reward of arm `k` of `n`, whose label overlapped `overlap` updates."""
    leaders["label_count"][k] += 1
    leaders["n_eff"][k] += min(1.0, 2.0 / overlap)
    step = max(FORGET, 1.0 / leaders["label_count"][k])
    leaders["square"][k] += step * (reward * reward - leaders["square"][k])
    for g in range(N_HAZARDS):
        _expect(leaders, g, k, reward, overlap)
    _weigh_hazards(leaders)
    margin = HYSTERESIS * math.sqrt(scale2_of(leaders, n))
    for g in range(N_LEADERS):
        _follow(leaders, g, n, margin)


@kernel
def judge_prediction(leaders, k, n, reward, overlap, predicted):
    """Add what a matured reward says of the hazards; `predicted` are their means as issued, (N_HAZARDS, MAX_HORIZONS)."""
    scale2 = scale2_of(leaders, n)
    if not scale2 > 0.0:
        return
    best = -math.inf
    for g in range(N_HAZARDS):
        error = reward - predicted[g, k]
        leaders["evidence"][g] -= error * error / (2.0 * overlap * scale2)
        best = max(best, leaders["evidence"][g])
    for g in range(N_HAZARDS):
        leaders["evidence"][g] = max(leaders["evidence"][g] - best, -BEHIND_MAX)


@kernel
def _expect(leaders, g, k, reward, overlap):
    """Move what one hazard expects of an arm."""
    keep = 1.0 - HAZARDS[g]
    mean = keep * leaders["mean"][g, k]
    known = keep * keep * leaders["known"][g, k]
    step = (1.0 - known) / (1.0 - known + NOISE * overlap)
    leaders["mean"][g, k] = mean + step * (reward - mean)
    leaders["known"][g, k] = known + step * (1.0 - known)


@kernel
def _weigh_hazards(leaders):
    total = 0.0
    for g in range(N_HAZARDS):
        leaders["share"][g] = PRIORS[g] * exp(leaders["evidence"][g])
        total += leaders["share"][g]
    for g in range(N_HAZARDS):
        leaders["share"][g] /= total


@kernel
def _follow(leaders, g, n, margin):
    """Change one leader when another arm is clearly ahead."""
    best = 0
    most = expected(leaders, g, 0)
    for k in range(1, n):
        mean = expected(leaders, g, k)
        if mean > most:
            best = k
            most = mean
    if most > expected(leaders, g, leaders["leader"][g]) + margin:
        leaders["leader"][g] = best


@kernel
def expected(leaders, g, k):
    """Return what a leader, the blend included, expects of the next rewards of an arm."""
    if g < N_HAZARDS:
        return leaders["mean"][g, k]
    total = 0.0
    for hazard in range(N_HAZARDS):
        total += leaders["share"][hazard] * leaders["mean"][hazard, k]
    return total


@kernel
def scale2_of(leaders, n):
    """Return sc squared, the typical square of a reward."""
    total = 0.0
    for k in range(n):
        total += leaders["square"][k]
    return total / n
