"""Margin buckets: quantiles for the trades that are taken, not for all forecasts.

Whoever trades only large forecasts picks those that are large by mistake: an interval that holds for all misses more often on
what is taken. So the gate has quantiles of its own by the *margin*, how far a forecast is above its cost, in units of sigma::

    m = (mu - cost) / sigma for longs,  (-mu - cost) / sigma for shorts;     bucket b = number of edges e <= m

Each bucket has a bank and the mean margin x_b of its labels. Its overlap counts the labels of its own that wait, not all: large
margins are rare and hardly overlap. A bucket with few labels leans on the global quantile, that one, while it has few, on the
model's own (`model_q`), and between the x_b the quantile is a line, so that the largest margins of a bucket are not taken for
its average::

    q_g  = v q_global + (1 - v) q_model,        v = n_eff / (n_eff + m_0)
    q_b  = w q_bucket + (1 - w) q_g,            w = n_eff,b / (n_eff,b + n_0)
    r_b  = min(q_b, r_{b-1} + x_b - x_{b-1}),       r of the first bucket = its q
    q(m) = r on the line through (x_b, r_b); constant below the first x, on with the last slope (0 to 1) beyond the last

The slope never exceeds one, so `m - q(m)` grows with m: a higher cost never opens the gate.

Leaning keeps the gate from opening on its own errors: a quantile learned from n labels is off by about 1.3 sigma / sqrt(n), an
hour's labels are six a day, and of several horizons, sides and minutes the one that errs most passes first.

Measured once: steps instead of lines let 16.9 % instead of 13.2 % of the trades miss when both mean and sigma are noisy. What the
lines let pass: `python -m benchmarks gate`.

References
----------
Bao, Y. et al. (2025), "CAP: A General Algorithm for Online Selective Conformal Prediction", JMLR 26:287: selection changes
coverage. Romano, Y. et al. (2020), "With Malice Toward None", Harvard Data Science Review: Mondrian groups.
"""

import numpy as np

from replay.jit import kernel
from strategy.tracker_bank import quantile

INTERVAL = 0  # cells of a tail: the interval that is shown ...
GLOBAL = 1  # ... the gate's quantile over all forecasts ...
FIRST_BUCKET = 2  # ... and by margin
MAX_EDGES = 7
BUCKETS = MAX_EDGES + 1
CELLS = FIRST_BUCKET + BUCKETS
MEMORY = 0.001  # least weight of a new label in the mean margin

BUCKET = np.dtype(
    [
        ("margin", "f8"),  # x_b
        ("waiting_count", "i8"),  # forecasts of the bucket whose outcome is awaited
        ("line", "f8"),  # r_b, scratch
    ],
    align=True,
)


@kernel
def bucket_of(margin, edges):
    """Return the bucket of a margin; `edges` ascend."""
    b = 0
    for i in range(len(edges)):
        if margin >= edges[i]:
            b = i + 1
    return b


@kernel
def learn_margin(bucket, margin, label_count):
    """Bring one more label into the mean margin of its bucket; `label_count` counts those before it."""
    bucket["margin"] += max(1.0 / (label_count + 1), MEMORY) * (margin - bucket["margin"])


@kernel
def place_buckets(buckets, edges):
    """Put the mean margin of buckets without labels in the middle between their edges."""
    n = len(edges)
    for b in range(n + 1):
        below = edges[b - 1] if b > 0 else edges[0] - 1.0
        above = edges[b] if b < n else edges[n - 1] + 1.0
        buckets[b]["margin"] = 0.5 * (below + above)


@kernel
def blended(cells, b, model_q, params):
    """Return q_b of one tail: the sparser the bucket the closer to the global quantile, and that to the model's."""
    trust = cells[GLOBAL]["n_eff"] / (cells[GLOBAL]["n_eff"] + params[0]["model_prior"])
    whole = trust * quantile(cells[GLOBAL]) + (1.0 - trust) * model_q
    cell = cells[FIRST_BUCKET + b]
    prior_count = params[0]["bucket_prior"]
    w = cell["n_eff"] / (cell["n_eff"] + prior_count)
    return w * quantile(cell) + (1.0 - w) * whole


@kernel
def draw_line(cells, buckets, n_buckets, model_q, params):
    """Write r_b of all buckets of one tail."""
    buckets[0]["line"] = blended(cells, 0, model_q, params)
    for b in range(1, n_buckets):
        step = buckets[b]["margin"] - buckets[b - 1]["margin"]
        buckets[b]["line"] = min(blended(cells, b, model_q, params), buckets[b - 1]["line"] + step)


@kernel
def quantile_at(buckets, margin, n_buckets):
    """Return q(m) from the line drawn last."""
    last = n_buckets - 1
    if margin <= buckets[0]["margin"]:
        return buckets[0]["line"]
    for b in range(last):
        if margin <= buckets[b + 1]["margin"]:
            return buckets[b]["line"] + _slope(buckets, b) * (margin - buckets[b]["margin"])
    beyond = max(_slope(buckets, last - 1), 0.0)
    return buckets[last]["line"] + beyond * (margin - buckets[last]["margin"])


@kernel
def _slope(buckets, b):
    """Return the slope between two buckets; at most one, up to rounding."""
    step = buckets[b + 1]["margin"] - buckets[b]["margin"]
    return min((buckets[b + 1]["line"] - buckets[b]["line"]) / step, 1.0) if step > 0.0 else 0.0
