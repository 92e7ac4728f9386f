"""Horizon arbiter 2.0: a mixture of policies instead of one formula.

Every cycle with a new forecast makes a record of what each policy would do with the living horizons (`strategy.policies`); their
outcomes move the mixture's weights W. What acts is W on the horizons whose gate is open, brought back to a sum of one::

    w_k  = W_k / sum of W over the open horizons
    net  = sum_k w_k side_k (|mu_k| - cost_k),       side = sign(net),      enter iff |net| > reserve_bps
    horizon = the open one of that side with the largest weight;      quality is scaled by the mixture's wish to trade at all

The original has half of the prior, so what W earns on all horizons, in units of their volatility and over the records that
matured, is never less than what the original earns less `ln(2) / eta + Delta` (`strategy.hedge.stated_regret`), however late.

The meta-learner's predictions arrive with the forecasts as `net_reward_bps`; the share of horizon k is
`exp(r_k / temperature) / sum`. Where a living horizon has none, its policy is the original.

The original arbiter acts instead, its output untouched to the last bit, where fewer than `labels_min` effective outcomes of a
living horizon are known, where the model behind one was trained longer than `model_age_max_days` ago, where spread or volatility
is unknown, or where W has nothing on what is open; `fallback` says which.
"""

import math

from replay.jit import kernel
from replay.numeric import exp
from strategy.decision import Fallback, Reason
from strategy.modes import ENHANCED
from strategy.policies import META, ORIGINAL, mix, open_record, set_play, spare_slot
from strategy.scores import best_alive, choose, spread_seen_bps, write_leg

NEGLIGIBLE = 1e-9
DAY_NS = 86_400_000_000_000


@kernel
def write_play(s, legs, n, features, params, mixture):
    """Write what every policy would do now into the spare record."""
    play = mixture.plays[s, spare_slot(mixture)]
    best = best_alive(s, legs, n, features, params)
    for k in range(n):
        play["policy"][ORIGINAL, k] = 1.0 if k == best else 0.0
    write_meta(play["policy"], legs, n, params)
    set_play(s, spare_slot(mixture), n, mixture)


@kernel
def write_meta(policy, legs, n, params):
    """Write the softmax of the predicted net rewards, or the original's choice where one is missing."""
    most = -math.inf
    is_known = True
    for k in range(n):
        if legs[k]["is_alive"]:
            is_known = is_known and math.isfinite(legs[k]["net_reward_bps"])
            most = max(most, legs[k]["net_reward_bps"])
    total = 0.0
    for k in range(n):
        policy[META, k] = policy[ORIGINAL, k]
        if is_known and legs[k]["is_alive"]:
            policy[META, k] = exp((legs[k]["net_reward_bps"] - most) / params[0]["meta_temperature_bps"])
            total += policy[META, k]
    if total > 0.0:
        for k in range(n):
            policy[META, k] = policy[META, k] / total if legs[k]["is_alive"] else 0.0


@kernel
def keep_play(s, n_waiting, mixture):
    """Let the spare record wait for its outcomes; return its number, -1 when there are none to wait for."""
    if n_waiting == 0:
        return -1
    return open_record(s, n_waiting, mixture)


@kernel
def choose_blend(s, legs, n, features, params, mixture, decision):
    """Choose with the mixture, or with the original arbiter where that is the rule; return as `strategy.scores.choose` does."""
    reason = choose(s, legs, n, features, params, decision)
    decision[0]["fallback"] = Fallback.NOT_ASKED
    if params[0]["mode"] != ENHANCED or reason == Reason.GATE_COST:
        return reason
    decision[0]["fallback"] = _fallback(s, legs, n, features, params, mixture)
    if decision[0]["fallback"] != Fallback.NONE:
        return reason
    share = mix(mixture.plays[s, spare_slot(mixture)], n, mixture.scratch)
    open_sum = 0.0
    for k in range(n):
        if legs[k]["is_alive"] and legs[k]["side"] != 0:
            open_sum += mixture.scratch[k]
    if open_sum <= NEGLIGIBLE:
        decision[0]["fallback"] = Fallback.NO_WEIGHT
        return reason
    return _act(legs, n, share, open_sum, params, mixture.scratch, decision)


@kernel
def _fallback(s, legs, n, features, params, mixture):
    if not (math.isfinite(spread_seen_bps(s, features)) and features[s]["vol_bps"] > 0.0):
        return Fallback.NAN_FEATURE
    for k in range(n):
        if legs[k]["is_alive"] and legs[k]["model_age_ns"] > params[0]["model_age_max_days"] * DAY_NS:
            return Fallback.MODEL_OLD
    for k in range(n):
        if legs[k]["is_alive"] and mixture.leaders[s]["n_eff"][k] < params[0]["labels_min"]:
            return Fallback.FEW_LABELS
    return Fallback.NONE


@kernel
def _act(legs, n, share, open_sum, params, weights, decision):
    """Write weights, side, horizon and net edge of the open horizons; return 0 or ARBITER_RESERVE."""
    row = decision[0]
    net = 0.0
    for k in range(n):
        leg = legs[k]
        is_open = leg["is_alive"] and leg["side"] != 0
        leg["weight"] = weights[k] / open_sum if is_open else 0.0
        row["weights"][k] = leg["weight"]
        if is_open:
            net += leg["weight"] * leg["side"] * (abs(leg["mu_bps"]) - leg["cost_bps"])
    best = _heaviest(legs, n, 1 if net >= 0.0 else -1)
    write_leg(best, legs, decision)
    row["net_edge_bps"] = abs(net)
    row["quality"] *= share
    row["edge_needed_bps"] = max(row["edge_needed_bps"], legs[best]["cost_bps"] + params[0]["reserve_bps"])
    if abs(net) > params[0]["reserve_bps"]:
        return 0
    return Reason.ARBITER_RESERVE


@kernel
def _heaviest(legs, n, side):
    """Return the open leg of a side with the largest weight, of any side where it has none; the shorter horizon on ties."""
    best = -1
    for k in range(n):
        leg = legs[k]
        if leg["is_alive"] and leg["side"] == side and (best < 0 or leg["weight"] > legs[best]["weight"]):
            best = k
    if best < 0:
        return _heaviest_open(legs, n)
    return best


@kernel
def _heaviest_open(legs, n):
    best = 0
    for k in range(n):
        if legs[k]["is_alive"] and legs[k]["side"] != 0 and legs[k]["weight"] >= legs[best]["weight"]:
            best = k
    return best
