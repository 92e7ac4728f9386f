"""AdaHedge: weights over policies from their matured losses, without a parameter to tune.

A policy that lost less weighs more; how much more adapts to how hard the game has been. With prior pi and everything known late::

    v_j  ~  pi_j exp(-eta L_j),          eta = min(ln(1 / min pi) / Delta, 20)
    L_j  <- L_j + l_j                                                            l the losses of a record, as it matures
    mix   = -(1/eta) ln sum_j v_j exp(-eta l_j),      Delta <- Delta + max(v . l - mix, 0)      v as issued with the record

so that the loss is at most that of any policy j plus `ln(1 / pi_j) / eta + Delta`: with half of the prior on the original
arbiter, adding the others costs next to nothing where they are useless. A small share `phi` of the prior is mixed in, so that
no policy is ever forgotten.

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
    return min(-log(least) / max(hedge["delta"], DELTA_MIN), ETA_MAX)


@kernel
def weigh(hedge, n_policies, out):
    """Write the weights of the policies as they stand; they are positive where the prior is, and sum to one.

    Where no prior is positive, as in a spoilt start state, there are none: all are NaN.
    """
    eta = eta_of(hedge, n_policies)
    least = math.inf
    for j in range(n_policies):
        if hedge["prior"][j] > 0.0:
            least = min(least, hedge["loss"][j])
    total = 0.0
    for j in range(n_policies):
        out[j] = hedge["prior"][j] * exp(-eta * (hedge["loss"][j] - least)) if hedge["prior"][j] > 0.0 else 0.0
        total += out[j]
    for j in range(n_policies):
        out[j] = (1.0 - SHARE) * out[j] / total + SHARE * hedge["prior"][j] if total != 0.0 else math.nan


@kernel
def learn_losses(hedge, n_policies, issued, losses):
    """Take in the losses of one matured record; `issued` are the weights that it was issued with.

    A hedge without a learning rate (a prior or Delta that is no number) learns nothing.
    """
    eta = eta_of(hedge, n_policies)
    if not eta > 0.0:
        return
    least = math.inf
    for j in range(n_policies):
        least = min(least, losses[j])
    expected = 0.0
    mixed = 0.0
    for j in range(n_policies):
        expected += issued[j] * losses[j]
        mixed += issued[j] * exp(-eta * (losses[j] - least))
        hedge["loss"][j] += losses[j]
    mix = least - log(mixed) / eta
    hedge["delta"] += max(expected - mix, 0.0)
    hedge["record_count"] += 1
