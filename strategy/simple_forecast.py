"""A simple forecaster for sessions that come without forecasts: a baseline, fitted to nothing.

For a horizon of h minutes, from the feature kernel's state at a bar's close::

    mu    = w_micro microprice_bps + w_flow flow spread_bps + w_momentum momentum_h      bps, clipped to +- c sigma
    sigma = vol_bps sqrt(h)                                                              bps

- The microprice term says where the mid goes next when nothing else happens; it does not grow with h.
- Order-flow imbalance adds in units of the spread.
- Momentum is the move over the last h closed minutes; a negative weight makes it reversion. A momentum that is not known
  yet (too few minutes) counts as zero.

The weights are round numbers, chosen without looking at any data. Expect an edge far below cost: its purpose is that the whole
pipeline runs on any recording, and that a real model has something to beat.
"""

import math
from dataclasses import dataclass

from replay.jit import kernel
from replay.settings import setting
from strategy.decision import Reason
from strategy.features import momentum_bps
from strategy.modes import OFF, mode_setting
from strategy.touch import microprice_bps, spread_bps


@dataclass(frozen=True, slots=True, kw_only=True)
class SimpleForecastSettings:
    """Settings of the built-in forecaster; `off` makes no forecasts."""

    mode: str = mode_setting()
    micro_weight: float = setting(1.0, "share of the microprice's deviation from the mid")
    flow_weight: float = setting(0.1, "share of order-flow imbalance times spread")
    momentum_weight: float = setting(0.05, "share of the last move that goes on; negative = reversion")
    edge_sigma_max: float = setting(0.5, "bound of |mu| in units of sigma", gt=0)


@kernel
def simple_forecast(s, now_ns, horizon_min, book, features, minutes, params, out):  # noqa: ARG001 - one signature for all forms
    """Write mu and sigma (bps) into `out[0]`, `out[1]`; return 0, or why there is no forecast.

    Call `features.roll` to `now_ns` first. `params` is the row of SimpleForecastSettings. Returns NO_QUOTE without a usable
    quote, STALE_FEATURES while the volatility is unknown, NO_FORECAST when off; `out` is NaN then.
    """
    out[0] = math.nan
    out[1] = math.nan
    row = params[0]
    if row["mode"] == OFF:
        return Reason.NO_FORECAST
    spread = spread_bps(s, book)
    if math.isnan(spread):
        return Reason.NO_QUOTE
    vol_bps = features[s]["vol_bps"]
    if not vol_bps > 0.0:
        return Reason.STALE_FEATURES
    move = momentum_bps(s, horizon_min, features, minutes)
    if math.isnan(move):
        move = 0.0
    sigma = vol_bps * math.sqrt(horizon_min)
    mu = row["micro_weight"] * microprice_bps(s, book) + row["flow_weight"] * features[s]["flow"] * spread
    mu += row["momentum_weight"] * move
    bound = row["edge_sigma_max"] * sigma
    out[0] = min(max(mu, -bound), bound)
    out[1] = sigma
    return 0
