"""Forecasts as they arrive: one cell per symbol and horizon, and the legs of a cycle made from them.

A forecast is kept until one with the same or a later bar close arrives; an older one is ignored. One with a NaN or infinite
mean, an infinite quantile, without a positive finite sigma, or whose quantiles cross (FORECAST_CROSSED), is kept as *broken*:
its horizon is out until a sound one arrives, because a model that answers nonsense now should not trade on what it said
before. Quantiles that the file does not give are Gaussian::

    q_lo = mu - Z sigma,   q_hi = mu + Z sigma,   Z = 1.2815515655446004     (80 %)

With each comes the age of its model, where somebody says when that was trained.
"""

import math
from dataclasses import dataclass

import numpy as np

from replay.jit import kernel
from strategy.decision import UNKNOWN_MODEL_AGE_NS, Reason
from strategy.modes import OFF, mode_setting

Z = 1.2815515655446004

FORECAST_STATE = np.dtype(
    [
        ("forecast_id", "i8"),
        ("ready_ts_ns", "i8"),
        ("bar_close_ts_ns", "i8"),
        ("mu_bps", "f8"),
        ("sigma_bps", "f8"),
        ("q_lo_bps", "f8"),
        ("q_hi_bps", "f8"),
        ("p_peak", "f8"),
        ("p_valley", "f8"),
        ("net_reward_bps", "f8"),
        ("trained_ts_ns", "i8"),
        ("model", "i8"),
        ("reason", "i8"),  # FORECAST_NAN or FORECAST_CROSSED when broken
        ("is_held", "i8"),
        ("received_count", "i8"),
        ("old_count", "i8"),
        ("broken_count", "i8"),
    ],
    align=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastSettings:
    """Settings of the forecast table; `off` loads no leg at all."""

    mode: str = mode_setting()


def new_forecasts(n_symbols: int, n_horizons: int) -> np.ndarray:
    """Return an empty table, FORECAST_STATE (n_symbols, n_horizons)."""
    return np.zeros((n_symbols, n_horizons), FORECAST_STATE)


@kernel
def on_forecast(block, i, horizons, table):
    """Keep the forecast of a FORECAST event; return 0 or UNKNOWN_HORIZON, FORECAST_OLD, FORECAST_NAN, FORECAST_CROSSED.

    `horizons` is int64 minutes; its order is that of the columns of `table`.
    """
    event = block.events[i]
    forecast = block.forecasts[event["row"]]
    k = find_horizon(horizons, forecast["horizon_min"])
    if k < 0:
        return Reason.UNKNOWN_HORIZON
    cell = table[event["symbol"], k]
    cell["received_count"] += 1
    if cell["is_held"] and forecast["bar_close_ts_ns"] < cell["bar_close_ts_ns"]:
        cell["old_count"] += 1
        return Reason.FORECAST_OLD
    _keep(cell, forecast, event["ts_ns"])
    complete(table[event["symbol"]], k)
    return cell["reason"]


@kernel
def find_horizon(horizons, horizon_min):
    """Return the column of a horizon, or -1."""
    for k in range(len(horizons)):
        if horizons[k] == horizon_min:
            return k
    return -1


@kernel
def _keep(cell, forecast, ready_ts_ns):
    cell["is_held"] = 1
    cell["forecast_id"] = forecast["forecast_id"]
    cell["ready_ts_ns"] = ready_ts_ns
    cell["bar_close_ts_ns"] = forecast["bar_close_ts_ns"]
    cell["mu_bps"] = forecast["mu_bps"]
    cell["sigma_bps"] = forecast["sigma_bps"]
    cell["q_lo_bps"] = forecast["q_lo_bps"]
    cell["q_hi_bps"] = forecast["q_hi_bps"]
    cell["p_peak"] = forecast["p_peak"]
    cell["p_valley"] = forecast["p_valley"]
    cell["net_reward_bps"] = forecast["net_reward_bps"]
    cell["trained_ts_ns"] = forecast["trained_ts_ns"]
    cell["model"] = forecast["model"]


@kernel
def complete(cells, k):
    """Fill in the quantiles of a held forecast, or mark it broken (its quantiles are NaN then)."""
    cell = cells[k]
    if not is_sound(cell["mu_bps"], cell["sigma_bps"]) or math.isinf(cell["q_lo_bps"]) or math.isinf(cell["q_hi_bps"]):
        _break(cell, Reason.FORECAST_NAN)
        return
    if math.isnan(cell["q_lo_bps"]):
        cell["q_lo_bps"] = cell["mu_bps"] - Z * cell["sigma_bps"]
    if math.isnan(cell["q_hi_bps"]):
        cell["q_hi_bps"] = cell["mu_bps"] + Z * cell["sigma_bps"]
    if cell["q_lo_bps"] > cell["q_hi_bps"]:
        _break(cell, Reason.FORECAST_CROSSED)
        return
    cell["reason"] = 0


@kernel
def _break(cell, reason):
    cell["q_lo_bps"] = math.nan
    cell["q_hi_bps"] = math.nan
    cell["reason"] = reason
    cell["broken_count"] += 1


@kernel
def is_sound(mu_bps, sigma_bps):
    """Tell whether a forecast can be judged: a finite mean and a positive finite sigma."""
    return math.isfinite(mu_bps) and 0.0 < sigma_bps < math.inf


@kernel
def load_legs(s, now_ns, horizons, table, legs, params, decision):  # noqa: ARG001 - one signature for all forms
    """Write one leg per horizon; `is_alive` marks the usable ones. Return 0, or why no leg is alive."""
    n_alive = 0
    reason = Reason.NO_FORECAST
    for k in range(len(horizons)):
        cell = table[s, k]
        leg = legs[k]
        leg["horizon_min"] = horizons[k]
        _copy(cell, leg)
        leg["model_age_ns"] = now_ns - cell["trained_ts_ns"] if cell["trained_ts_ns"] > 0 else UNKNOWN_MODEL_AGE_NS
        if not cell["is_held"] or params[0]["mode"] == OFF:
            leg["is_alive"] = 0
            leg["reason"] = Reason.NO_FORECAST
        elif cell["reason"]:
            reason = cell["reason"]
        n_alive += leg["is_alive"]
    if n_alive > 0:
        return 0
    return reason


@kernel
def _copy(cell, leg):
    leg["forecast_id"] = cell["forecast_id"]
    leg["ready_ts_ns"] = cell["ready_ts_ns"]
    leg["bar_close_ts_ns"] = cell["bar_close_ts_ns"]
    leg["mu_bps"] = cell["mu_bps"]
    leg["sigma_bps"] = cell["sigma_bps"]
    leg["q_lo_bps"] = cell["q_lo_bps"]
    leg["q_hi_bps"] = cell["q_hi_bps"]
    leg["p_peak"] = cell["p_peak"]
    leg["p_valley"] = cell["p_valley"]
    leg["net_reward_bps"] = cell["net_reward_bps"]
    leg["gate_lo_bps"] = math.nan
    leg["gate_hi_bps"] = math.nan
    leg["mean_edge_bps"] = math.nan
    leg["gate_reason"] = Reason.GATE_NOT_READY
    leg["cost_bps"] = math.nan
    leg["score"] = math.nan
    leg["weight"] = 0.0
    leg["side"] = 0
    leg["is_alive"] = 1 if cell["reason"] == 0 else 0
    leg["reason"] = cell["reason"]
