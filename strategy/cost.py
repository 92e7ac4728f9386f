"""Cost of a round trip, in basis points of the mid, per horizon.

Original form (design row 6), with the spread of now and `vol5_bps` the volatility of five minutes::

    cost(h) = spread_bps + c vol5_bps sqrt(h / 5) = spread_bps + c vol_bps sqrt(h),    vol5_bps = vol_bps sqrt(5),  c = 0.15

The whole spread counts once (half of it on the way in, half on the way out). A cost that cannot be known (no usable quote, a
volatility still unknown) is NaN, and its leg is out: COST_UNKNOWN. `off` takes every trade for free.
"""

import math
from dataclasses import dataclass
from typing import Any

from replay.jit import kernel
from replay.settings import as_row, setting
from strategy.decision import Reason
from strategy.modes import OFF, mode_setting
from strategy.touch import spread_bps


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSettings:
    """Settings of the cost model."""

    mode: str = mode_setting()
    vol_share: float = setting(0.15, "share of the volatility over the horizon that a round trip pays", ge=0)


@kernel
def price(s, legs, n, book, features, params, decision):  # noqa: ARG001 - one signature for all forms
    """Write `cost_bps` of each living leg; return 0, or COST_UNKNOWN when no leg has a cost."""
    spread = spread_bps(s, book)
    n_known = 0
    for k in range(n):
        leg = legs[k]
        if leg["is_alive"]:
            leg["cost_bps"] = round_trip_bps(spread, features[s]["vol_bps"], leg["horizon_min"], params)
            if math.isfinite(leg["cost_bps"]):
                n_known += 1
            else:
                leg["is_alive"] = 0
                leg["reason"] = Reason.COST_UNKNOWN
    if n_known > 0:
        return 0
    return Reason.COST_UNKNOWN


@kernel
def round_trip_bps(spread, vol_bps, horizon_min, params):
    """Return the cost of a round trip from spread and volatility per minute (0 = unknown), bps; NaN when unknown."""
    if params[0]["mode"] == OFF:
        return 0.0
    return spread + vol_part_bps(vol_bps, horizon_min, params)


@kernel
def vol_part_bps(vol_bps, horizon_min, params):
    """Return the part of the cost that comes from volatility, bps; NaN when the volatility is unknown."""
    if not vol_bps > 0.0:
        return math.nan
    return params[0]["vol_share"] * vol_bps * math.sqrt(horizon_min)


@kernel
def write_cost_parts(s, leg_index, legs, book, features, params, decision):
    """Write the parts of one leg's cost into the decision; they sum to its `cost_bps`."""
    row = decision[0]
    row["cost_bps"] = legs[leg_index]["cost_bps"]
    row["cost_spread_bps"] = 0.0
    row["cost_vol_bps"] = 0.0
    row["cost_impact_bps"] = 0.0
    row["cost_fee_bps"] = 0.0
    row["cost_residual_bps"] = 0.0
    if params[0]["mode"] != OFF:
        row["cost_spread_bps"] = spread_bps(s, book)
        row["cost_vol_bps"] = vol_part_bps(features[s]["vol_bps"], legs[leg_index]["horizon_min"], params)


class CostModel:
    """Cost of a round trip from plain numbers.

    Parameters
    ----------
    settings : CostSettings, optional
    **changes
        Single settings, by name, where no `settings` are given.

    Examples
    --------
    >>> CostModel().price(spread_bps=2.0, vol_bps=4.0, horizon_min=25)
    5.0
    """

    def __init__(self, settings: CostSettings | None = None, **changes: Any) -> None:
        self.settings = settings or CostSettings(**changes)
        self._params = as_row(self.settings)

    def price(self, spread_bps: float, vol_bps: float, horizon_min: int) -> float:
        """Return the cost of a round trip, bps.

        Parameters
        ----------
        spread_bps : float
            Ask minus bid over mid.
        vol_bps : float
            Volatility per minute; not positive = unknown.
        horizon_min : int

        Returns
        -------
        float
            NaN when the cost cannot be known.
        """
        return float(round_trip_bps(float(spread_bps), float(vol_bps), int(horizon_min), self._params))
