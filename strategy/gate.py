"""Gate: does any horizon's forecast deserve to be traded?

Enhanced form (design row 1): the cost must lie outside a calibrated bound on the outcome of *such* a forecast::

    long  iff  gate_lo >  cost
    short iff  gate_hi < -cost            (equality does not pass)

`gate_lo` and `gate_hi` come from `strategy.calibration`: what a share `gate_tail` of the outcomes of forecasts with this margin
really fell beyond, learned from outcomes alone and judged against what was issued. The interval that is shown, `q_lo` to `q_hi`,
has a level of its own, `interval_level`. Until enough outcomes are known a leg is GATE_NOT_READY; where more than
`missing_share_max` of them never came, it is GATE_MISSING.

With `rule = "mean_edge"` the gate asks instead that the mean net outcome of such forecasts is surely above zero (see
`strategy.mean_edge`): at realistic signal strength a single outcome is mostly noise, and no interval around it clears a cost.

Original form: a point forecast above a fixed threshold; quantiles pass through as they were issued::

    long  iff  mu >  threshold_bps
    short iff  mu < -threshold_bps            (equality does not pass)

There the cost does not enter (the arbiter asks for it), but in every form a leg whose mean or cost is not finite never passes:
NaN is not a reason to trade. Each leg gets its own side. When no leg passes, the one that came closest is written into the
decision with `edge_needed_bps`: what |mu| would have had to be, the *binding distance*. `off` opens every leg in the direction
of its forecast.
"""

import math
from dataclasses import dataclass

from replay.errors import ConfigError
from replay.jit import kernel
from replay.settings import setting
from strategy.decision import Reason
from strategy.margin_buckets import MAX_EDGES
from strategy.modes import ENHANCED, OFF, mode_setting, rollout_setting
from strategy.scores import write_leg

QUANTILE = 0
MEAN_EDGE = 1
RULES = ("quantile", "mean_edge")


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """Settings of the gate."""

    mode: str = mode_setting(has_enhanced=True)
    rollout: float = rollout_setting()
    threshold_bps: float = setting(2.0, "original form: size of the point forecast above which the gate opens", unit="bps", ge=0)
    rule: str = setting("quantile", "what must clear the cost: a bound on the outcome, or one on its mean", choices=RULES)
    interval_level: float = setting(0.8, "share of outcomes that the shown interval is to hold", gt=0.0, lt=1.0)
    gate_tail: float = setting(0.1, "share of outcomes that may fall beyond the bound the gate asks for", gt=0.0, lt=0.5)
    margin_edges: tuple[float, ...] = setting(
        (0.0, 0.75, 1.25, 1.75, 2.5), "edges of the margin buckets, in units of sigma, ascending"
    )
    bucket_prior: float = setting(50.0, "effective labels at which a bucket counts as much as all forecasts", gt=0)
    model_prior: float = setting(
        100.0, "effective labels at which all forecasts count as much as the model's own word for its error", gt=0
    )
    missing_share_max: float = setting(0.05, "share of outcomes that may never come before the gate blocks", gt=0, le=1)
    mean_z: float = setting(1.645, "rule mean_edge: standard errors below the mean that must still earn", ge=0)
    mean_memory: int = setting(2000, "rule mean_edge: labels of a bucket that are remembered", ge=10)
    pending_max: int = setting(65_536, "forecasts whose outcome is awaited; beyond it the oldest is dropped", ge=1)

    def __post_init__(self) -> None:
        """Refuse edges out of order."""
        if not 0 < len(self.margin_edges) <= MAX_EDGES or list(self.margin_edges) != sorted(set(self.margin_edges)):
            raise ConfigError(f"gate.margin_edges must be 1 to {MAX_EDGES} ascending numbers, got {self.margin_edges}")


@kernel
def open_gate(legs, n, params, decision):
    """Write each living leg's side and the gate's `edge_needed_bps`; return 0, or why no leg passes.

    Why is GATE_COST where a bound was judged, else GATE_MISSING or GATE_NOT_READY.
    """
    decision[0]["edge_needed_bps"] = needed_bps(params)
    decision[0]["mean_edge_bps"] = _best_mean_edge(legs, n)
    n_open = 0
    reason = Reason.GATE_COST
    is_judged = False
    for k in range(n):
        leg = legs[k]
        leg["side"] = 0
        if leg["is_alive"]:
            leg["side"] = _side_of(leg, params)
            if leg["side"] != 0:
                n_open += 1
            elif params[0]["mode"] != ENHANCED or leg["gate_reason"] == 0:
                leg["reason"] = Reason.GATE_COST
                is_judged = True
            else:
                leg["reason"] = leg["gate_reason"]
                reason = leg["gate_reason"]
    if n_open > 0:
        return 0
    _write_nearest(legs, n, params, decision)
    if is_judged:
        return Reason.GATE_COST
    return reason


@kernel
def _best_mean_edge(legs, n):
    best = math.nan
    for k in range(n):
        edge = legs[k]["mean_edge_bps"]
        if legs[k]["is_alive"] and edge == edge and not edge <= best:
            best = edge
    return best


@kernel
def _side_of(leg, params):
    if params[0]["mode"] != ENHANCED:
        return judge_point(leg["mu_bps"], leg["cost_bps"], params)
    if leg["gate_reason"] != 0:
        return 0
    return judge_bounds(leg["gate_lo_bps"], leg["gate_hi_bps"], leg["cost_bps"])


@kernel
def needed_bps(params):
    """Return what the size of a forecast must exceed in the original form, bps."""
    if params[0]["mode"] == OFF:
        return 0.0
    return params[0]["threshold_bps"]


@kernel
def judge_point(mu_bps, cost_bps, params):
    """Return +1 (long), -1 (short) or 0 (shut) for a point forecast."""
    if not (math.isfinite(mu_bps) and math.isfinite(cost_bps)):
        return 0
    needed = needed_bps(params)
    if mu_bps > needed:
        return 1
    if mu_bps < -needed:
        return -1
    return 0


@kernel
def judge_bounds(lo_bps, hi_bps, cost_bps):
    """Return +1 (long), -1 (short) or 0 (shut) for calibrated bounds; both open is a contradiction, and shut."""
    if not (math.isfinite(lo_bps) and math.isfinite(hi_bps) and math.isfinite(cost_bps)):
        return 0
    is_long = lo_bps > cost_bps
    is_short = hi_bps < -cost_bps
    if is_long == is_short:
        return 0
    return 1 if is_long else -1


@kernel
def _missing_bps(leg, params):
    """Return how far a leg is from passing, bps; NaN where that cannot be said."""
    if params[0]["mode"] != ENHANCED:
        return needed_bps(params) - abs(leg["mu_bps"])
    return min(leg["cost_bps"] - leg["gate_lo_bps"], leg["cost_bps"] + leg["gate_hi_bps"])


@kernel
def _is_nearer(leg, missing, other, least):
    if (leg["reason"] == Reason.GATE_COST) != (other["reason"] == Reason.GATE_COST):
        return leg["reason"] == Reason.GATE_COST
    return missing < least or (least != least and missing == missing)


@kernel
def _write_nearest(legs, n, params, decision):
    """Write the leg that came closest, and what its |mu| would have had to be; one that was judged before any that was not."""
    nearest = -1
    least = math.inf
    for k in range(n):
        if legs[k]["is_alive"]:
            missing = _missing_bps(legs[k], params)
            if nearest < 0 or _is_nearer(legs[k], missing, legs[nearest], least):
                nearest = k
                least = missing
    if nearest < 0:
        return
    write_leg(nearest, legs, decision)
    if params[0]["mode"] == ENHANCED:
        decision[0]["edge_needed_bps"] = abs(legs[nearest]["mu_bps"]) + least
