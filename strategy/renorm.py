"""Renormalisation: are the weights fit to be used?

The *original* changes nothing. It refuses weights that are not finite or negative (WEIGHTS_ABNORMAL); their sum is reported
(`weight_sum`), not enforced. `off` does not look.
"""

import math
from dataclasses import dataclass

from replay.jit import kernel
from strategy.decision import Reason
from strategy.modes import OFF, mode_setting


@dataclass(frozen=True, slots=True, kw_only=True)
class RenormSettings:
    """Settings of the renormalisation."""

    mode: str = mode_setting()


@kernel
def normalise(legs, n, decision, params):  # noqa: ARG001 - one signature for all forms
    """Return 0, or WEIGHTS_ABNORMAL when a weight is NaN, infinite or negative."""
    if params[0]["mode"] == OFF:
        return 0
    for k in range(n):
        weight = decision[0]["weights"][k]
        if not 0.0 <= weight < math.inf:
            return Reason.WEIGHTS_ABNORMAL
    return 0


@kernel
def weight_sum(decision, n):
    """Return the sum of the decision's horizon weights."""
    total = 0.0
    for k in range(n):
        total += decision[0]["weights"][k]
    return total
