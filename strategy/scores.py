"""Net scores: the original horizon arbiter, which of the open horizons to trade by a formula.

Design row 3, over the legs whose gate is open, with `vol5_bps = vol_bps sqrt(5)`::

    score(h) = (|mu| - k1 spread_bps - k2 vol5_bps sqrt(h/5) - k3 impact_bps) / sqrt(h/5)
    k*       = argmax score, the shorter horizon on ties
    enter iff  |mu_k*| - cost_k* > reserve_bps          (equality does not pass)

Weights are one-hot. The chosen leg is written into the decision whether or not it is entered, so that a refusal can be read:
`edge_needed_bps` becomes the larger of what the gate asked and cost + reserve. `off` takes the first open leg and asks no
reserve.
"""

import math
from dataclasses import dataclass

from replay.jit import kernel
from replay.settings import setting
from strategy.decision import Reason
from strategy.modes import OFF, mode_setting, rollout_setting


@dataclass(frozen=True, slots=True, kw_only=True)
class ArbiterSettings:
    """Settings of the horizon arbiter."""

    mode: str = mode_setting(has_enhanced=True)
    rollout: float = rollout_setting()
    spread_weight: float = setting(1.0, "k1, weight of the spread in the score", ge=0)
    vol_weight: float = setting(0.15, "k2, weight of the volatility over the horizon", ge=0)
    impact_weight: float = setting(1.0, "k3, weight of the impact", ge=0)
    impact_bps: float = setting(0.5, "assumed impact of an entry", unit="bps", ge=0)
    labels_min: float = setting(200.0, "enhanced: effective outcomes per horizon before the mixture acts", ge=0)
    meta_temperature_bps: float = setting(
        2.0, "enhanced: temperature of the meta-learner's softmax; strategy.arbiter.fit_temperature fits it", unit="bps", gt=0
    )
    model_age_max_days: float = setting(
        7.0, "enhanced: age of a model (forecasts' trained_ts_ns) beyond which the original arbiter acts", unit="days", gt=0
    )
    reserve_bps: float = setting(1.0, "what the best horizon must earn above its cost", unit="bps", ge=0)


@kernel
def choose(s, legs, n, features, params, decision):
    """Write scores, weights and the chosen leg; return 0, ARBITER_RESERVE, GATE_COST (no leg open) or COST_UNKNOWN."""
    best = -1
    n_open = 0
    for k in range(n):
        leg = legs[k]
        leg["weight"] = 0.0
        decision[0]["weights"][k] = 0.0
        if leg["is_alive"] and leg["side"] != 0:
            n_open += 1
            leg["score"] = _score(leg, s, features, params)
            if leg["score"] == leg["score"] and (best < 0 or _is_better(leg["score"], legs[best]["score"], params)):
                best = k
    if n_open == 0:
        return Reason.GATE_COST
    if best < 0:
        return Reason.COST_UNKNOWN
    return _enter(best, legs, params, decision)


@kernel
def best_alive(s, legs, n, features, params):
    """Return the living leg with the best net score, whether or not its gate is open; -1 = none has one."""
    best = -1
    most = -math.inf
    for k in range(n):
        if legs[k]["is_alive"]:
            score = _score(legs[k], s, features, params)
            if score > most:
                best = k
                most = score
    return best


@kernel
def _is_better(score, best_score, params):
    return params[0]["mode"] != OFF and score > best_score


@kernel
def _score(leg, s, features, params):
    row = params[0]
    if row["mode"] == OFF:
        return abs(leg["mu_bps"]) - leg["cost_bps"]
    return net_score(leg["mu_bps"], leg["horizon_min"], spread_seen_bps(s, features), features[s]["vol_bps"], params)


@kernel
def spread_seen_bps(s, features):
    """Return the spread of the last quote that the feature kernel saw, bps; NaN when it was unusable."""
    row = features[s]
    if row["bid"] <= 0:
        return math.nan
    return 20_000.0 * (row["ask"] - row["bid"]) / (row["bid"] + row["ask"])


@kernel
def net_score(mu_bps, horizon_min, spread, vol_bps, params):
    """Return the net score of one horizon; `vol_bps` per minute, 0 = unknown (NaN score)."""
    if not vol_bps > 0.0:
        return math.nan
    row = params[0]
    span = math.sqrt(horizon_min / 5.0)
    vol5_bps = vol_bps * math.sqrt(5.0)
    net = abs(mu_bps) - row["spread_weight"] * spread - row["vol_weight"] * vol5_bps * span
    return (net - row["impact_weight"] * row["impact_bps"]) / span


@kernel
def _enter(best, legs, params, decision):
    write_leg(best, legs, decision)
    leg = legs[best]
    leg["weight"] = 1.0
    row = decision[0]
    row["weights"][best] = 1.0
    row["net_edge_bps"] = abs(leg["mu_bps"]) - leg["cost_bps"]
    if params[0]["mode"] == OFF:
        return 0
    row["edge_needed_bps"] = max(row["edge_needed_bps"], leg["cost_bps"] + params[0]["reserve_bps"])
    if row["net_edge_bps"] > params[0]["reserve_bps"]:
        return 0
    return Reason.ARBITER_RESERVE


@kernel
def write_leg(k, legs, decision):
    """Copy one leg into the decision."""
    leg = legs[k]
    row = decision[0]
    row["mu_bps"] = leg["mu_bps"]
    row["sigma_bps"] = leg["sigma_bps"]
    row["q_lo_bps"] = leg["q_lo_bps"]
    row["q_hi_bps"] = leg["q_hi_bps"]
    row["gate_lo_bps"] = leg["gate_lo_bps"]
    row["gate_hi_bps"] = leg["gate_hi_bps"]
    row["cost_bps"] = leg["cost_bps"]
    row["side"] = leg["side"]
    row["horizon_min"] = leg["horizon_min"]
    row["forecast_id"] = leg["forecast_id"]
