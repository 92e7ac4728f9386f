"""Sizing: how many shares the chosen edge is worth.

Design section 6, with edge and standard deviation as fractions (bps / 1e4)::

    share  = quality min(name_cap, k net_edge / sigma^2)          of equity
    target = side floor(share equity / mid / lot) lot             shares

`sigma` is that of the chosen horizon. Rounding is towards zero, so that the target never exceeds what was asked; what rounds to
nothing, a net edge that is not positive, or a NaN anywhere is RISK_ZERO_SIZE. `off` does not weigh the edge: share = quality
name_cap. The cap in dollars of `strategy.risk` comes after.
"""

import math
from dataclasses import dataclass

from replay.jit import kernel
from replay.settings import setting
from strategy.decision import Reason
from strategy.modes import OFF, mode_setting
from strategy.touch import value2

_QTY_MAX = 2.0**53


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingSettings:
    """Settings of the sizing."""

    mode: str = mode_setting()
    name_cap: float = setting(0.10, "largest share of equity in one name", gt=0, le=1)
    edge_weight: float = setting(0.01, "k, share of the variance-optimal bet that is taken", gt=0)


@kernel
def size(s, decision, book, positions, clock, params, equity_usd):
    """Write `target_qty` and `position_qty`; return 0, NO_QUOTE or RISK_ZERO_SIZE (target 0)."""
    row = decision[0]
    row["position_qty"] = positions[s]["qty"]
    row["target_qty"] = 0
    unit2 = value2(s, book)
    if unit2 == 0:
        return Reason.NO_QUOTE
    share = equity_share(row["quality"], row["net_edge_bps"], row["sigma_bps"], params)
    qty = whole_lots(share * equity_usd, unit2, clock[0]["scale"], book[s]["lot"])
    row["target_qty"] = row["side"] * qty
    if row["target_qty"] == 0:
        return Reason.RISK_ZERO_SIZE
    return 0


@kernel
def equity_share(quality, net_edge_bps, sigma_bps, params):
    """Return the share of equity that an edge is worth, 0 for a NaN or an edge that is not positive."""
    share = params[0]["name_cap"]
    if params[0]["mode"] != OFF:
        if not (0.0 < net_edge_bps < math.inf and 0.0 < sigma_bps < math.inf):
            return 0.0
        edge = params[0]["edge_weight"] * 10_000.0 * net_edge_bps
        variance = sigma_bps * sigma_bps
        if edge < share * variance:  # so the division is safe
            share = edge / variance
    if not 0.0 < quality < math.inf:
        return 0.0
    return quality * share


@kernel
def whole_lots(value_usd, unit2, scale, lot):
    """Return the largest whole number of lots (in shares) that `value_usd` buys at half of `unit2` each; 0 for a NaN."""
    qty = 2.0 * value_usd * scale / unit2
    if not 0.0 < qty < _QTY_MAX:
        return 0
    return int(qty) // lot * lot
