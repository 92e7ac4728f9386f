"""Horizon arbiter: which of the open horizons to trade.

Original form (design row 3), over the legs whose gate is open, with `vol5_bps = vol_bps sqrt(5)`::

    score(h) = (|mu| - k1 spread_bps - k2 vol5_bps sqrt(h/5) - k3 impact_bps) / sqrt(h/5)
    k*       = argmax score, the shorter horizon on ties
    enter iff  |mu_k*| - cost_k* > reserve_bps          (equality does not pass)

Weights are one-hot. The chosen leg is written into the decision whether or not it is entered, so that a refusal can be read:
`edge_needed_bps` becomes the larger of what the gate asked and cost + reserve. `off` takes the first open leg and asks no
reserve.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from replay.jit import kernel
from replay.settings import as_row, setting
from strategy.decision import DECISION, LEG, MAX_HORIZONS, Reason
from strategy.features import FEATURES
from strategy.modes import OFF, mode_setting


@dataclass(frozen=True, slots=True, kw_only=True)
class ArbiterSettings:
    """Settings of the horizon arbiter."""

    mode: str = mode_setting()
    spread_weight: float = setting(1.0, "k1, weight of the spread in the score", ge=0)
    vol_weight: float = setting(0.15, "k2, weight of the volatility over the horizon", ge=0)
    impact_weight: float = setting(1.0, "k3, weight of the impact", ge=0)
    impact_bps: float = setting(0.5, "assumed impact of an entry", unit="bps", ge=0)
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


class Choice(NamedTuple):
    """Answer of the arbiter; `reason` TARGET_SET (0) = enter."""

    reason: Reason
    horizon_min: int
    side: int
    net_edge_bps: float
    edge_needed_bps: float
    weights: tuple[float, ...]


class HorizonArbiter:
    """Choose a horizon from plain numbers.

    Parameters
    ----------
    horizons_min : sequence of int
        At most MAX_HORIZONS, shortest first.
    settings : ArbiterSettings, optional
    **changes
        Single settings, by name, where no `settings` are given.

    Examples
    --------
    >>> arbiter = HorizonArbiter([5, 30], reserve_bps=0.5)
    >>> choice = arbiter.choose(mu_bps=[4.0, -12.0], cost_bps=[3.0, 5.0], sides=[1, -1], spread_bps=2.0, vol_bps=1.0)
    >>> choice.horizon_min, choice.side, choice.net_edge_bps, choice.weights
    (30, -1, 7.0, (0.0, 1.0))
    """

    def __init__(self, horizons_min: Sequence[int], settings: ArbiterSettings | None = None, **changes: Any) -> None:
        assert 0 < len(horizons_min) <= MAX_HORIZONS
        self.settings = settings or ArbiterSettings(**changes)
        self._params = as_row(self.settings)
        self._features = np.zeros(1, FEATURES)
        self._legs = np.zeros(len(horizons_min), LEG)
        self._legs["horizon_min"] = horizons_min
        self._decision = np.zeros(1, DECISION)

    def choose(
        self,
        mu_bps: Sequence[float],
        cost_bps: Sequence[float],
        sides: Sequence[int],
        *,
        spread_bps: float,
        vol_bps: float,
    ) -> Choice:
        """Choose among the horizons whose side is not 0; `vol_bps` is per minute."""
        self._legs["mu_bps"] = mu_bps
        self._legs["cost_bps"] = cost_bps
        self._legs["side"] = sides
        self._legs["is_alive"] = np.isfinite(mu_bps) & np.isfinite(cost_bps)
        self._decision[:] = 0
        self._write_features(spread_bps, vol_bps)
        reason = choose(0, self._legs, len(self._legs), self._features, self._params, self._decision)
        return self._answer(reason)

    def _write_features(self, spread_bps: float, vol_bps: float) -> None:
        half = round(spread_bps * _HALF_SPREAD_UNITS) if math.isfinite(spread_bps) else 0
        is_known = math.isfinite(spread_bps)
        self._features["bid"] = _MID - half if is_known else 0
        self._features["ask"] = _MID + half if is_known else 0
        self._features["mid2"] = 2 * _MID if is_known else 0
        self._features["vol_bps"] = max(0.0, vol_bps)

    def _answer(self, reason: int) -> Choice:
        row = self._decision[0]
        weights = tuple(row["weights"][: len(self._legs)].tolist())
        edges = float(row["net_edge_bps"]), float(row["edge_needed_bps"])
        return Choice(Reason(reason), int(row["horizon_min"]), int(row["side"]), *edges, weights)


_MID = 1_000_000_000_000
_HALF_SPREAD_UNITS = _MID // 20_000  # one basis point of spread, half on each side
