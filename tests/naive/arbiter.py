"""The original arbiter, from design row 3."""

import math


def score(mu, horizon, spread, vol_per_min, settings):
    vol5 = vol_per_min * math.sqrt(5)
    span = math.sqrt(horizon / 5)
    edge = abs(mu) - settings.spread_weight * spread - settings.vol_weight * vol5 * span
    return (edge - settings.impact_weight * settings.impact_bps) / span


def choose(legs, spread, vol_per_min, settings):
    """Return (reason, position of the chosen leg or None); `legs` are (horizon, mu, cost, side)."""
    candidates = [k for k, leg in enumerate(legs) if leg[3] != 0 and math.isfinite(leg[1]) and math.isfinite(leg[2])]
    if not candidates:
        return "GATE_COST", None
    if math.isnan(spread) or not vol_per_min > 0:
        return "COST_UNKNOWN", None
    best = max(candidates, key=lambda k: score(legs[k][1], legs[k][0], spread, vol_per_min, settings))
    net = abs(legs[best][1]) - legs[best][2]
    return ("TARGET_SET" if net > settings.reserve_bps else "ARBITER_RESERVE"), best
