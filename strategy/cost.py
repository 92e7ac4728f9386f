"""Cost of a round trip, in basis points of the mid, per horizon.

Original form (design row 6), with the spread of now and `vol5_bps` the volatility of five minutes::

    cost(h) = spread_bps + c vol5_bps sqrt(h / 5) = spread_bps + c vol_bps sqrt(h),    vol5_bps = vol_bps sqrt(5),  c = 0.15

Enhanced form, for a full position of `qty` shares worth `value` that is worked for `w(h)` minutes in `n` child orders per side::

    spread   = spread_bps                                          half of it on the way in, half on the way out
    vol      = c vol_bps sqrt(w)                                   what the mid moves away while the order works
    impact   = k vol_day_bps p^0.6,    vol_day_bps = vol_bps sqrt(390),   p = min(qty / (volume_per_min w), 1)
    fee      = 2 n min(max(per_share qty / n, minimum), cap value / n) / value      with minimum and cap per child order
    residual = max(r, -(spread + vol + impact)),                   r from `strategy.cost_residual`, own fills against this sum
    cost     = spread + vol + impact + fee + residual

It grows with spread, volatility and participation, and is never below the fees. Volume that was never seen counts as p = 1. The
full position is sizing's name cap, cut to the cap in dollars; a smaller one has less impact and, where the minimum binds, more
fees. k = 0.142 is what the reference found per side with daily volatility; here it counts once, because the crossing of the
spread that it contains stands apart.

A cost that cannot be known (no usable quote, a volatility still unknown) is NaN, and its leg is out: COST_UNKNOWN. `off` takes
every trade for free.

References
----------
Almgren, R., Thum, C., Hauptmann, E. and Li, H. (2005), "Direct Estimation of Equity Market Impact", Risk 18(7): temporary impact
0.142 sigma (X / VT)^(3/5).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from replay.errors import UsageError
from replay.jit import kernel
from replay.numeric import exp, log
from replay.settings import as_row, setting
from strategy.border import Names, check_above_zero, check_counts, check_numbers, make_settings
from strategy.cost_residual import learn_price, residual_bps
from strategy.cost_state import new_costs
from strategy.decision import Reason
from strategy.modes import ENHANCED, OFF, mode_setting, rollout_setting
from strategy.sizing import whole_lots
from strategy.touch import spread_bps, value2

__all__ = ["CostModel", "CostSettings", "fee_bps", "impact_bps", "participation", "price", "write_cost_parts"]

DAY_MIN = 390.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSettings:
    """Settings of the cost model; those from `impact_weight` on are the enhanced form's."""

    mode: str = mode_setting(has_enhanced=True)
    rollout: float = rollout_setting()
    vol_share: float = setting(0.15, "share of the volatility over the horizon (enhanced: working time) that is paid", ge=0)
    impact_weight: float = setting(0.142, "k, impact at full participation in units of the daily volatility", ge=0)
    fee_per_share_usd: float = setting(0.005, "commission per share", unit="USD", ge=0)
    fee_min_usd: float = setting(1.0, "minimum commission of a child order", unit="USD", ge=0)
    fee_cap_share: float = setting(0.01, "largest commission as a share of the order's value; wins over the minimum", ge=0, le=1)
    child_share: float = setting(1.0, "share of an order in one child; each child pays its own minimum", gt=0, le=1)
    residual_half_life: float = setting(50.0, "half-life of the residual, in whole orders filled", gt=0)
    residual_prior: float = setting(20.0, "whole orders filled at which own evidence counts as much as the pool's", gt=0)
    residual_max_bps: float = setting(50.0, "largest surprise of one fill that is believed", unit="bps", gt=0)


@kernel
def price(s, legs, n, desk, features, costs, params):
    """Write `cost_bps` of each living leg; return 0, or COST_UNKNOWN when no leg has a cost."""
    n_known = 0
    for k in range(n):
        leg = legs[k]
        if leg["is_alive"]:
            split_cost(s, k, leg["horizon_min"], desk, features, costs, params)
            leg["cost_bps"] = total_bps(costs.parts)
            if math.isfinite(leg["cost_bps"]):
                n_known += 1
            else:
                leg["is_alive"] = 0
                leg["reason"] = Reason.COST_UNKNOWN
    if n_known > 0:
        return 0
    return Reason.COST_UNKNOWN


@kernel
def split_cost(s, k, horizon_min, desk, features, costs, params):
    """Write the parts of the cost of one horizon into `costs.parts`."""
    parts = costs.parts
    if params[0]["mode"] != ENHANCED:
        simple_parts(spread_bps(s, desk.book), features[s]["vol_bps"], horizon_min, params, parts)
        return
    term = costs.params[k]
    unit2 = value2(s, desk.book)
    lot = max(desk.book[s]["lot"], 1)
    qty = lot
    unit_usd = 0.0
    if unit2 > 0:
        unit_usd = 0.5 * unit2 / desk.clock[0]["scale"]
        qty = max(whole_lots(term["order_usd"], unit2, desk.clock[0]["scale"], lot), lot)
    vol_bps = features[s]["vol_bps"]
    parts[0]["spread"] = spread_bps(s, desk.book)
    parts[0]["vol"] = vol_part_bps(vol_bps, term["work_min"], params)
    parts[0]["impact"] = impact_bps(vol_bps, participation(qty, features[s]["volume_per_min"] * term["work_min"]), params)
    parts[0]["fee"] = fee_bps(qty, unit_usd, params)
    add_residual(residual_bps(s, k, costs, params), parts)


@kernel
def simple_parts(spread, vol_bps, horizon_min, params, parts):
    """Write the parts of the original form; all are 0 where the model is off."""
    row = parts[0]
    row["spread"] = 0.0
    row["vol"] = 0.0
    row["impact"] = 0.0
    row["fee"] = 0.0
    row["residual"] = 0.0
    if params[0]["mode"] != OFF:
        row["spread"] = spread
        row["vol"] = vol_part_bps(vol_bps, horizon_min, params)


@kernel
def vol_part_bps(vol_bps, minutes, params):
    """Return the part of the cost that comes from volatility, bps; NaN when the volatility is unknown (0)."""
    if not vol_bps > 0.0:
        return math.nan
    return params[0]["vol_share"] * vol_bps * math.sqrt(minutes)


@kernel
def participation(qty, volume_qty):
    """Return the share of the volume that an order would be, at most 1; 1 where the volume is unknown (not positive)."""
    if not qty < volume_qty:
        return 1.0
    return qty / volume_qty


@kernel
def impact_bps(vol_bps, share, params):
    """Return the impact at a participation, bps; NaN when the volatility is unknown (0)."""
    if not vol_bps > 0.0:
        return math.nan
    return params[0]["impact_weight"] * vol_bps * math.sqrt(DAY_MIN) * exp(0.6 * log(share))


@kernel
def fee_bps(qty, unit_usd, params):
    """Return the commissions of both sides, bps of the value; NaN where that is unknown."""
    value_usd = qty * unit_usd
    if not value_usd > 0.0:
        return math.nan
    row = params[0]
    n_children = min(math.ceil(1.0 / row["child_share"] - 1e-9), max(qty, 1))
    child_usd = max(row["fee_per_share_usd"] * qty / n_children, row["fee_min_usd"])
    child_usd = min(child_usd, row["fee_cap_share"] * value_usd / n_children)
    return 20_000.0 * n_children * child_usd / value_usd


@kernel
def add_residual(residual, parts):
    """Write the residual, cut so that the cost without fees is never below zero."""
    row = parts[0]
    row["residual"] = max(residual, -(row["spread"] + row["vol"] + row["impact"]))


@kernel
def total_bps(parts):
    """Return the sum of the parts, bps."""
    row = parts[0]
    return row["spread"] + row["vol"] + row["impact"] + row["fee"] + row["residual"]


@kernel
def said_bps(s, k, legs, desk, features, costs, params):
    """Return spread, vol and impact of one leg, bps: what its fills are judged against (`strategy.cost_residual`)."""
    split_cost(s, k, legs[k]["horizon_min"], desk, features, costs, params)
    part = costs.parts[0]
    return part["spread"] + part["vol"] + part["impact"]


@kernel
def write_cost_parts(s, k, legs, desk, features, costs, params, decision):
    """Write the parts of one leg's cost into the decision; they sum to its `cost_bps`."""
    split_cost(s, k, legs[k]["horizon_min"], desk, features, costs, params)
    part = costs.parts[0]
    row = decision[0]
    row["cost_bps"] = legs[k]["cost_bps"]
    row["cost_spread_bps"] = part["spread"]
    row["cost_vol_bps"] = part["vol"]
    row["cost_impact_bps"] = part["impact"]
    row["cost_fee_bps"] = part["fee"]
    row["cost_residual_bps"] = part["residual"]


class CostModel:
    """Cost of a round trip from plain numbers, learning from own fills; in its enhanced form unless told otherwise.

    Parameters
    ----------
    settings : CostSettings, optional
    symbols : sequence of str, optional
    horizons_min : sequence of int, optional
        Enhanced form: each symbol and horizon learns for itself and from all; without any, all are one.
    **changes
        Single settings, by name, where no `settings` are given.

    Examples
    --------
    >>> CostModel(mode="original").price(spread_bps=2.0, vol_bps=4.0, horizon_min=25)
    5.0
    >>> model = CostModel()
    >>> order = dict(spread_bps=2.0, vol_bps=4.0, horizon_min=25, qty=200, mid_usd=50.0, volume_per_min=20_000.0)
    >>> {part: round(bps, 3) for part, bps in model.split(**order).items()}
    {'spread': 2.0, 'vol': 0.424, 'impact': 1.073, 'fee': 2.0, 'residual': 0.0}
    >>> for _ in range(100):
    ...     model.learn(side=1, price_usd=50.03, mid_usd=50.0, said_bps=3.5)
    >>> model.price(**order) > 10.0
    True
    """

    def __init__(
        self,
        settings: CostSettings | None = None,
        *,
        symbols: Sequence[str] = ("all",),
        horizons_min: Sequence[int] | None = None,
        **changes: Any,
    ) -> None:
        self.settings = make_settings(CostSettings, settings, changes, mode="enhanced")
        self._names = Names(symbols, horizons_min)
        self._params = as_row(self.settings)
        self._costs = new_costs(len(self._names), [0] * max(len(self._names.horizons_min), 1))

    def price(self, spread_bps: float, vol_bps: float, horizon_min: int, **order: Any) -> float:
        """Return the cost of a round trip, bps; NaN when it cannot be known. The arguments are those of `split`."""
        self.split(spread_bps, vol_bps, horizon_min, **order)
        return float(total_bps(self._costs.parts))

    def split(
        self,
        spread_bps: float,
        vol_bps: float,
        horizon_min: int,
        *,
        work_min: float = 0.5,
        qty: int = 100,
        mid_usd: float | None = None,
        volume_per_min: float = math.nan,
        symbol: str | None = None,
    ) -> dict[str, float]:
        """Return the parts of the cost of a round trip, bps.

        Parameters
        ----------
        spread_bps : float
            Ask minus bid over mid; below 0 (a crossed quote) = unknown.
        vol_bps : float
            Volatility per minute; not positive = unknown.
        horizon_min : int
            The original form's, and the place of the residual where the model has horizons.
        work_min : float
            Working time of the order, minutes; this and what follows: enhanced form only.
        qty : int
            Shares of the order.
        mid_usd : float
            Needed, for the fees; NaN = unknown.
        volume_per_min : float
            Shares traded by all in a minute; NaN = unknown.
        symbol : str, optional
            Whose residual, where there are several.

        Returns
        -------
        dict of str to float
            NaN for what cannot be known.

        Raises
        ------
        UsageError
            For what is no number, a horizon or working time that is not above 0, or no `mid_usd` in the enhanced form.
        """
        parts, row = self._costs.parts, self._params
        s, k = self._names.symbol(symbol), self._column(horizon_min)
        check_counts(qty=qty)
        check_numbers(spread_bps=spread_bps, vol_bps=vol_bps, volume_per_min=volume_per_min)
        check_above_zero(horizon_min=horizon_min, work_min=work_min)
        spread_bps = float(spread_bps) if spread_bps >= 0.0 else math.nan
        if self.settings.mode != "enhanced":
            simple_parts(spread_bps, float(vol_bps), float(horizon_min), row, parts)
        else:
            parts[0]["spread"] = spread_bps
            parts[0]["vol"] = vol_part_bps(float(vol_bps), float(work_min), row)
            parts[0]["impact"] = impact_bps(float(vol_bps), participation(int(qty), float(volume_per_min * work_min)), row)
            parts[0]["fee"] = fee_bps(int(qty), _needed(mid_usd), row)
            add_residual(residual_bps(s, k, self._costs, row), parts)
        return {name: float(parts[0][name]) for name in parts.dtype.names or ()}

    def learn(self, side: int, price_usd: float, mid_usd: float, said_bps: float, share: float = 1.0, **place: Any) -> None:
        """Learn from an own fill.

        Parameters
        ----------
        side : int
            +1 bought, -1 sold.
        price_usd, mid_usd : float
            Price of the fill, and the mid when the trade was decided.
        said_bps : float
            `spread + vol + impact` of then: what the model said without fees and residual.
        share : float
            Share of the order that was filled.
        **place
            `symbol` and `horizon_min`, where the model has several.
        """
        if side not in (-1, 1):
            raise UsageError(f"side must be 1 (bought) or -1 (sold), got {side!r}")
        check_numbers(price_usd=price_usd, mid_usd=mid_usd, said_bps=said_bps, share=share)
        if not (math.isfinite(price_usd) and math.isfinite(mid_usd) and 0.0 <= share <= 1.0):
            raise UsageError(f"a fill has finite prices and a share of 0 to 1, got {price_usd}, {mid_usd} and {share}")
        s, k = self._names.symbol(place.pop("symbol", None)), self._column(place.pop("horizon_min", None))
        if place:
            raise UsageError(f"learn knows symbol and horizon_min beside its own arguments, got {', '.join(place)}")
        said = self._costs.said[s, 0]
        said["column"], said["mid2"], said["qty"], said["base_bps"] = k, round(2 * mid_usd * _SCALE), _ORDER_QTY, said_bps
        price, qty = round(price_usd * _SCALE), round(share * _ORDER_QTY)
        learn_price(s, 0, int(side), price, qty, self._costs, self._params)

    def _column(self, horizon_min: int | None) -> int:
        if not self._names.horizons_min:
            return 0
        if horizon_min is None:
            raise UsageError(f"say which `horizon_min` is meant; there are {self._names.horizons_min}")
        return self._names.horizon(horizon_min)


def _needed(mid_usd: float | None) -> float:
    if mid_usd is None:
        raise UsageError('the enhanced cost needs `mid_usd` for its fees (NaN = unknown); or make the model with mode="original"')
    check_numbers(mid_usd=mid_usd)
    return float(mid_usd)


_SCALE = 10_000
_ORDER_QTY = 1_000_000
