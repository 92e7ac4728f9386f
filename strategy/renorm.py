"""Renormalisation: do the weights that are used add up, whatever was lost on the way?

*Enhanced* (design row 10). Weights of horizons: those that did not survive the cycle, and those that are NaN, infinite or
negative, are dropped, the others share what is left::

    w_k = w_k / sum of w over the survivors                       nothing left: all 0, and WEIGHTS_ABNORMAL where it is to be used

Weights of the portfolio: what is not finite is 0, then the gross is brought down to its limit, then each name to its cap. Caps
come last and only shrink, so nothing undoes them, and the gross stays within its limit; cash is the rest::

    w_i  = v_i / equity,      w_i = w_i min(1, gross_max / sum |w|),      w_i = clip(w_i, -cap_i, cap_i),      cash = 1 - sum w

In the loop symbols decide one by one: a target takes the room that the positions of the others leave, never more than it asked,
and what has no room for one lot is RISK_ZERO_SIZE. Same inputs, same bits: sums run in the order of the horizons and symbols.

The *original* changes nothing. It refuses weights that are not finite or negative (WEIGHTS_ABNORMAL); their sum is reported
(`weight_sum`), not enforced. `off` does not look.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from replay.jit import kernel
from replay.settings import as_row, setting
from strategy.decision import DECISION, LEG, MAX_HORIZONS, Reason
from strategy.modes import ENHANCED, OFF, mode_setting, rollout_setting
from strategy.sizing import whole_lots
from strategy.touch import multiplier, value2

TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class RenormSettings:
    """Settings of the renormalisation."""

    mode: str = mode_setting(has_enhanced=True)
    rollout: float = rollout_setting()
    gross_max: float = setting(1.0, "enhanced: largest sum of all positions, long and short, as a share of equity", gt=0)


@kernel
def share_out(legs, n, decision, params):
    """Let the horizons that survived share the decision's weights (enhanced form); call it after the arbiter."""
    if params[0]["mode"] != ENHANCED:
        return
    weights = decision[0]["weights"]
    total = 0.0
    for k in range(n):
        if not (legs[k]["is_alive"] and 0.0 <= weights[k] < math.inf):
            weights[k] = 0.0
        total += weights[k]
    if 0.0 < total < math.inf:
        for k in range(n):
            weights[k] /= total


@kernel
def normalise(legs, n, decision, params):  # noqa: ARG001 - one signature for all forms
    """Return 0, or WEIGHTS_ABNORMAL for a weight that is NaN, infinite or negative; enhanced: for a sum that is not one, too."""
    if params[0]["mode"] == OFF:
        return 0
    for k in range(n):
        weight = decision[0]["weights"][k]
        if not 0.0 <= weight < math.inf:
            return Reason.WEIGHTS_ABNORMAL
    if params[0]["mode"] == ENHANCED and not abs(weight_sum(decision, n) - 1.0) <= TOLERANCE:
        return Reason.WEIGHTS_ABNORMAL
    return 0


@kernel
def weight_sum(decision, n):
    """Return the sum of the decision's horizon weights."""
    total = 0.0
    for k in range(n):
        total += decision[0]["weights"][k]
    return total


@kernel
def fit_portfolio(s, decision, book, positions, clock, params, equity_usd):
    """Cut `target_qty` to the room that the other positions leave (enhanced form); return 0, NO_QUOTE or RISK_ZERO_SIZE."""
    if params[0]["mode"] != ENHANCED:
        return 0
    unit2 = value2(s, book)
    if unit2 == 0:
        return Reason.NO_QUOTE
    room_usd = params[0]["gross_max"] * equity_usd - _others_usd(s, book, positions, clock)
    limit_qty = whole_lots(room_usd, unit2, clock[0]["scale"], book[s]["lot"])
    row = decision[0]
    row["target_qty"] = min(max(row["target_qty"], -limit_qty), limit_qty)
    return Reason.RISK_ZERO_SIZE if row["target_qty"] == 0 else 0


@kernel
def _others_usd(s, book, positions, clock):
    """Return the gross value of all other positions, at the mid, or at cost where there is none."""
    gross = 0.0
    for j in range(len(positions)):
        if j != s and positions[j]["qty"] != 0:
            unit2 = value2(j, book)
            gross += abs(0.5 * positions[j]["qty"] * unit2 if unit2 != 0 else positions[j]["cost"] * multiplier(j, book))
    return gross / clock[0]["scale"]


@kernel
def fit_weights(weights, caps, gross_max):
    """Bring portfolio weights in place to a finite, capped vector within the gross limit; return the weight of cash."""
    gross = 0.0
    for i in range(len(weights)):
        if not math.isfinite(weights[i]):
            weights[i] = 0.0
        gross += abs(weights[i])
    shrink = gross_max / gross if gross > gross_max else 1.0
    cash = 1.0
    for i in range(len(weights)):
        cap = 0.0
        if caps[i] > 0.0:  # a cap that is NaN allows nothing
            cap = caps[i]
        weights[i] = min(max(weights[i] * shrink, -cap), cap)
        cash -= weights[i]
    return cash


class Portfolio(NamedTuple):
    """Weights of the names and of cash; together they are one."""

    weights: list[float]
    cash: float


class Renormaliser:
    """Bring weights to what they must add up to, from plain numbers; in its enhanced form unless told otherwise.

    Parameters
    ----------
    settings : RenormSettings, optional
    **changes
        Single settings, by name, where no `settings` are given.

    Examples
    --------
    >>> renormaliser = Renormaliser()
    >>> renormaliser.horizons([0.75, float("nan"), 0.25], is_alive=[True, True, True])
    [0.75, 0.0, 0.25]
    >>> renormaliser.horizons([0.25, 0.5, 0.25], is_alive=[True, False, True])
    [0.5, 0.0, 0.5]
    >>> renormaliser.portfolio([0.75, -0.75, float("nan")], caps=[0.5, 0.25, 0.5])
    Portfolio(weights=[0.5, -0.25, 0.0], cash=0.75)
    """

    def __init__(self, settings: RenormSettings | None = None, **changes: Any) -> None:
        self.settings = settings or RenormSettings(**{"mode": "enhanced", **changes})
        self._params = as_row(self.settings)
        self._decision = np.zeros(1, DECISION)
        self._legs = np.zeros(MAX_HORIZONS, LEG)

    def horizons(self, weights: Sequence[float], is_alive: Sequence[bool]) -> list[float]:
        """Return the weights of the horizons that survive, summing to one; all 0 where no weight is left."""
        n = len(weights)
        self._decision[0]["weights"][:n] = weights
        self._legs["is_alive"][:n] = is_alive
        share_out(self._legs, n, self._decision, self._params)
        return [float(weight) for weight in self._decision[0]["weights"][:n]]

    def portfolio(self, weights: Sequence[float], caps: Sequence[float]) -> Portfolio:
        """Return the weights within the gross limit and their caps (shares of equity), and what is left in cash."""
        fitted = np.array(weights, np.float64)
        cash = float(fit_weights(fitted, np.array(caps, np.float64), self.settings.gross_max))
        return Portfolio(fitted.tolist(), cash)
