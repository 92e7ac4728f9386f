"""AdaHedge: weights over policies from their matured losses, without a parameter to tune.

A policy that lost less weighs more; how much more adapts to how hard the game has been. With prior pi, and losses l of records
that are known late but in order::

    v_j  ~  pi_j exp(-eta L_j),          eta = min(ln(1 / min pi) / (4 Delta), 20)         issued with a record
    mix   = -(1/eta) ln( sum_j pi_j exp(-eta (L_j + l_j)) / sum_j pi_j exp(-eta L_j) ),      L_j <- L_j + l_j      as it matures
    gap  <- gap + v . l - mix,       Delta <- max(Delta, gap)

The mix is that of the weights that would have been issued had nothing been late, and v is what was issued. So the gap counts
what lateness costs too, the mixes add up to at most `L_j + ln(1 / pi_j) / eta`, and the loss of what was issued is at most that
of any policy j plus `ln(1 / pi_j) / eta + Delta`, however late. (Mixed with what was issued, Delta stays small, eta grows twenty
times too large where labels overlap, and the weights chase noise.) With half of the prior on the original arbiter, adding the
others costs little where they are useless. A small share `phi` of the prior is mixed in, so that no policy is ever forgotten.

Two games are played with one eta: v over all policies, and v' over all but the last (no trade). Delta is the larger gap, so that
the promise holds in both.

References
----------
De Rooij, S., Van Erven, T., Grunwald, P. and Koolen, W. (2014), "Follow the Leader If You Can, Hedge If You Must", JMLR 15,
section 2: AdaHedge.
Flaspohler, G. et al. (2021), "Online Learning with Optimism and Delay", ICML: the delayed form.
"""

import math

import numpy as np

from replay.jit import kernel
from replay.numeric import exp, log

MAX_POLICIES = 16
ETA_MAX = 20.0
DELTA_MIN = 1e-9
SHARE = 1e-4

HEDGE = np.dtype(
    [
        ("loss", "f8", (MAX_POLICIES,)),  # L
        ("prior", "f8", (MAX_POLICIES,)),
        ("gap", "f8", (2,)),  # of all policies, and of all but the last
        ("delta", "f8"),
        ("record_count", "i8"),  # records that matured
    ],
    align=True,
)


@kernel
def eta_of(hedge, n_policies):
    """Return the learning rate in force."""
    least = 1.0
    for j in range(n_policies):
        if hedge["prior"][j] > 0.0:
            least = min(least, hedge["prior"][j])
    return min(-0.25 * log(least) / max(hedge["delta"], DELTA_MIN), ETA_MAX)


def stated_regret(hedge: np.ndarray, j: int) -> float:
    """Return by how much at most the loss of what was issued exceeds that of policy `j`, over all records that matured."""
    eta = float(eta_of(hedge, MAX_POLICIES))
    return -math.log(float(hedge["prior"][j])) / eta + float(hedge["delta"])


@kernel
def weigh(hedge, n_policies, weights, trading):
    """Write the weights of all policies, and of all but the last, as they stand: positive where the prior is, with a sum of one.

    Where no prior is positive, as in a spoilt start state, there are none: all are NaN.
    """
    eta = eta_of(hedge, n_policies)
    last = n_policies - 1
    least = _least_loss(hedge, last)
    total = 0.0
    for j in range(last):
        trading[j] = hedge["prior"][j] * exp(-eta * (hedge["loss"][j] - least)) if hedge["prior"][j] > 0.0 else 0.0
        total += trading[j]
    lead = min(hedge["loss"][last] - least, 0.0)
    scale = exp(eta * lead)  # whoever is ahead counts as one, so that nothing overflows
    for j in range(last):
        weights[j] = scale * trading[j]
    weights[last] = hedge["prior"][last] * exp(-eta * (hedge["loss"][last] - least - lead))
    _normalise(hedge, last, total, trading)
    _normalise(hedge, n_policies, scale * total + weights[last], weights)
    trading[last] = 0.0


@kernel
def _normalise(hedge, n_policies, total, out):
    """Make shares of raw weights, with a little of the prior mixed in."""
    prior = 0.0
    for j in range(n_policies):
        prior += hedge["prior"][j]
    for j in range(n_policies):
        out[j] = (1.0 - SHARE) * out[j] / total + SHARE * hedge["prior"][j] / prior if total != 0.0 else math.nan


@kernel
def _least_loss(hedge, n_policies):
    least = math.inf
    for j in range(n_policies):
        if hedge["prior"][j] > 0.0:
            least = min(least, hedge["loss"][j])
    return least


@kernel
def learn_losses(hedge, n_policies, weights, trading, losses):
    """Take in the losses of one matured record; `weights` and `trading` are what it was issued with.

    A hedge without a learning rate (a prior or Delta that is no number) learns nothing.
    """
    eta = eta_of(hedge, n_policies)
    if not eta > 0.0:
        return
    before_all, before_trading = _potential(hedge, n_policies, eta)
    played_all = 0.0
    played_trading = 0.0
    for j in range(n_policies):
        played_all += weights[j] * losses[j]
        played_trading += trading[j] * losses[j]
        hedge["loss"][j] += losses[j]
    after_all, after_trading = _potential(hedge, n_policies, eta)
    hedge["gap"][0] += played_all - (after_all - before_all)
    hedge["gap"][1] += played_trading - (after_trading - before_trading)
    hedge["delta"] = max(hedge["delta"], hedge["gap"][0], hedge["gap"][1])
    hedge["record_count"] += 1


@kernel
def _potential(hedge, n_policies, eta):
    """Return -(1/eta) ln sum_j pi_j exp(-eta L_j), over all policies and over all but the last."""
    last = n_policies - 1
    least = _least_loss(hedge, last)
    total = 0.0
    for j in range(last):
        if hedge["prior"][j] > 0.0:
            total += hedge["prior"][j] * exp(-eta * (hedge["loss"][j] - least))
    trading = least - log(total) / eta
    best = min(trading, hedge["loss"][last])
    both = exp(-eta * (trading - best)) + hedge["prior"][last] * exp(-eta * (hedge["loss"][last] - best))
    return best - log(both) / eta, trading
