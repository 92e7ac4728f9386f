"""Mean edge: is the mean net outcome of forecasts with such a margin surely above zero?

The second rule of the gate. Per symbol, horizon, side and margin bucket (`strategy.margin_buckets`) it keeps mean and variance
of the net outcome in units of sigma, `x = (y - cost) / sigma` for longs and `(-y - cost) / sigma` for shorts, forgetting old
ones, and passes where the lower confidence bound of the mean is positive::

    a = max(1/n, 1/N),  mean <- mean + a (x - mean),  var <- var + a ((x - mean_old)(x - mean_new) - var)
    n_eff = min(n, N) min(1, 2 / h_b),      bound = mean - z sqrt(var / n_eff),      pass iff bound > 0

with h_b the overlap inside the bucket and N the memory. All forecasts teach, traded or not.

References
----------
West, D. (1979), "Updating Mean and Variance Estimates", CACM 22(9): the update.
"""

import math

import numpy as np

from replay.jit import kernel

EDGE = np.dtype([("mean", "f8"), ("var", "f8"), ("count", "i8"), ("n_eff", "f8")], align=True)


@kernel
def learn_edge(cell, net, overlap, memory_count):
    """Take in one net outcome (in units of sigma) of a bucket."""
    cell["count"] += 1
    a = max(1.0 / cell["count"], 1.0 / memory_count)
    off = net - cell["mean"]
    cell["mean"] += a * off
    cell["var"] += a * (off * (net - cell["mean"]) - cell["var"])
    share = min(1.0, 2.0 / overlap)
    cell["n_eff"] = min(cell["n_eff"] + share, memory_count * share)


@kernel
def edge_bound(cell, z, n_eff_min):
    """Return the lower confidence bound of the mean, in units of sigma; NaN with too few outcomes."""
    if cell["n_eff"] < n_eff_min:
        return math.nan
    return cell["mean"] - z * math.sqrt(cell["var"] / cell["n_eff"])
