"""Tracker bank: the running quantile of a stream of scores whose truth comes late.

K trackers of different speed follow the quantile that a share `a` of the scores exceeds; weights say which of them has been
right lately, and an outer correction `c` holds the long run. Everything is judged against what was *issued* at the time::

    issue    q = sum_j w_j p_j + c;                       the p_j and q are kept with the forecast
    mature   s = the score, h = how many updates its label overlaps
      m    <- m + rho (|s - s_0| - m),   S = r m                         s_0 the median of the first scores
      c    <- c + (g_o / h) S (1{s > q} - a)
      u_j  =  s - p_j,   l_j = max((1 - a) u_j, -a u_j) / S,   lbar = sum_j w_j l_j            p_j and q as issued
      V    <- .9995 V + sum_j w_j (l_j - lbar)^2,   eta = min(sqrt(ln K / (h V)), 20)
      w_j  <- w_j exp(-eta (l_j - lbar)),   w_j <- (1 - phi) w_j / sum w + phi / K
      p_j  <- p_j + (g_j / h) S (1{u_j > 0} - a)

Steps are divided by the overlap h: without that coverage looks perfect and the intervals are far too wide. With S frozen the
steps of one tracker telescope, `sum (1{miss} - a) = (p_T - p_1) / (g / h)`, whatever the scores and however late they come.

A bank begins with the order statistics of its first scores: `p_j` is the `ceil((n + 1)(1 - a))`-th, S their interdecile range.

References
----------
Angelopoulos, A., Candes, E. and Tibshirani, R. (2023), "Conformal PID Control for Time Series Prediction", section 2.2: the
quantile tracker.
Herbster, M. and Warmuth, M. (1998), "Tracking the Best Expert", Machine Learning 32: the fixed share phi.
"""

import math

import numpy as np

from replay.jit import kernel
from replay.numeric import exp

K = 6
GAINS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
OUTER_GAIN = 0.005
SHARE = 1e-4
SCALE_STEP = 0.0005
FORGET = 0.9995
ETA_MAX = 20.0
LN_K = 1.791759469228055
SCALE_MIN = 1e-9

BANK = np.dtype(
    [
        ("p", "f8", (K,)),
        ("w", "f8", (K,)),
        ("loss", "f8", (K,)),  # scratch
        ("correction", "f8"),
        ("centre", "f8"),  # s_0
        ("mean_abs", "f8"),  # m
        ("ratio", "f8"),  # r
        ("loss_var", "f8"),  # V
        ("label_count", "i8"),
        ("n_eff", "f8"),
        ("is_started", "i8"),
    ],
    align=True,
)

ISSUED = np.dtype([("p", "f8", (K,)), ("q", "f8"), ("is_started", "i8")], align=True)


@kernel
def start(bank, scores, n, tail):
    """Begin a bank with `n` sorted scores; `tail` is the share that is to lie above the quantile."""
    bank["correction"] = 0.0
    bank["loss_var"] = 1e-6
    bank["label_count"] = 0
    bank["n_eff"] = 0.0
    bank["centre"] = _order_statistic(scores, n, 0.5)
    total = 0.0
    for i in range(n):
        total += abs(scores[i] - bank["centre"])
    span = _order_statistic(scores, n, 0.9) - _order_statistic(scores, n, 0.1)
    bank["mean_abs"] = max(total / n, SCALE_MIN)
    bank["ratio"] = max(span, SCALE_MIN) / bank["mean_abs"]
    first = _order_statistic(scores, n, 1.0 - tail)
    for j in range(K):
        bank["p"][j] = first
        bank["w"][j] = 1.0 / K
    bank["is_started"] = 1


@kernel
def _order_statistic(scores, n, level):
    """Return the ceil((n + 1) level)-th smallest of the sorted scores, the largest where there are not so many."""
    rank = math.ceil((n + 1) * level - 1e-9)
    return scores[min(max(rank, 1), n) - 1]


@kernel
def copy_start(source, target):
    """Begin a bank where another stands, with no labels of its own."""
    for j in range(K):
        target["p"][j] = source["p"][j]
        target["w"][j] = source["w"][j]
    target["correction"] = source["correction"]
    target["centre"] = source["centre"]
    target["mean_abs"] = source["mean_abs"]
    target["ratio"] = source["ratio"]
    target["loss_var"] = source["loss_var"]
    target["label_count"] = 0
    target["n_eff"] = 0.0
    target["is_started"] = source["is_started"]


@kernel
def quantile(bank):
    """Return q as it would be issued now."""
    total = bank["correction"]
    for j in range(K):
        total += bank["w"][j] * bank["p"][j]
    return total


@kernel
def issue(bank, issued):
    """Write down what the bank says now; the label will be judged against it."""
    for j in range(K):
        issued["p"][j] = bank["p"][j]
    issued["q"] = quantile(bank)
    issued["is_started"] = bank["is_started"]


@kernel
def learn(bank, issued, score, overlap, tail):
    """Take in a matured score, judged against what was issued; `overlap` is h, at least 1."""
    bank["mean_abs"] += SCALE_STEP * (abs(score - bank["centre"]) - bank["mean_abs"])
    scale = max(bank["ratio"] * bank["mean_abs"], SCALE_MIN)
    is_miss = 1.0 if score > issued["q"] else 0.0
    bank["correction"] += OUTER_GAIN / overlap * scale * (is_miss - tail)
    _weigh(bank, issued, score, scale, overlap, tail)
    for j in range(K):
        is_above = 1.0 if score > issued["p"][j] else 0.0
        bank["p"][j] += GAINS[j] / overlap * scale * (is_above - tail)
    bank["label_count"] += 1
    bank["n_eff"] += min(1.0, 2.0 / overlap)


@kernel
def _weigh(bank, issued, score, scale, overlap, tail):
    """Move the weights to the trackers that lost less."""
    w = bank["w"]
    loss = bank["loss"]
    mean = 0.0
    for j in range(K):
        loss[j] = pinball(score - issued["p"][j], tail) / scale
        mean += w[j] * loss[j]
    spread = 0.0
    for j in range(K):
        spread += w[j] * (loss[j] - mean) * (loss[j] - mean)
    bank["loss_var"] = FORGET * bank["loss_var"] + spread
    eta = ETA_MAX
    if overlap * bank["loss_var"] * ETA_MAX * ETA_MAX > LN_K:
        eta = math.sqrt(LN_K / (overlap * bank["loss_var"]))
    total = 0.0
    for j in range(K):
        w[j] *= exp(-eta * (loss[j] - mean))
        total += w[j]
    for j in range(K):
        w[j] = (1.0 - SHARE) * w[j] / total + SHARE / K


@kernel
def pinball(excess, tail):
    """Return the loss of a quantile that the score exceeded by `excess`, when the share `tail` is to lie above it."""
    return max((1.0 - tail) * excess, -tail * excess)
