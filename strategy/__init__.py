"""The decisions: one component per file, no I/O, no clock, no random state of their own.

The order of a cycle, and where each step lives:

===================  ==============================================================
`features`, `touch`  what the market did and says, as numbers (for all steps)
`staleness`          are the inputs fresh? `guard`: the same for people
`forecasts`          what the models said, per symbol and horizon
`simple_forecast`    a baseline where no model is at hand
`cost`               what a round trip costs; `cost_residual`: what own fills say
`gate`               may any horizon be traded? `conformal`: the same for people,
                     `gate_series`: over a whole series
`calibration`        the gate's bounds: `tracker_bank`, `margin_buckets`, `mean_edge`;
                     `start_values`: where they begin
`outcomes`           what really happened, when it is known; `learning` brings it in
`scores`             which horizon, by a formula; `arbiter`: the same for people,
                     `arbiter_series`: over a whole series
`blend`              which horizon, by what paid: `policies`, `hedge`, `leaders`;
                     `temperature` fits how closely a meta-learner is followed
`barriers`           peaks and valleys
`sizing`, `risk`     how many shares, and the limits on them: `exposure`, `correlation`
`renorm`             are the weights normal?
`exits`              when to leave a position
`rebalance`          when to act on a new target
`planner`, `budget`  orders, and how many messages they may cost: `simple_plan` and
                     `micro_plan` (`plan_stages`, `plan_prices`, `slices`,
                     `queue_estimate`, `coalesce`), `token_budget`
`pipeline`           all of them, joined: `cycle`, `targets`; `own_loop`: for people
`forms`              who acts, original or enhanced: `breaker`, `rollout`; `shadow`
`verification`       the six-point checklist
===================  ==============================================================

Each is usable alone, with plain numbers, through the classes named here; `border` checks what callers hand in,
`plain_events` turns their events into rows, `requests` what comes out into plain objects.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOMES = {
    "BarrierGate": "barriers",
    "CircuitBreaker": "breaker",
    "ConformalGate": "conformal",
    "CostModel": "cost",
    "DecisionPipeline": "own_loop",
    "ExecutionPlanner": "planner",
    "FeatureStream": "feature_stream",
    "HorizonArbiter": "arbiter",
    "RiskModel": "risk",
    "Rollout": "rollout",
    "StalenessGuard": "guard",
    "Verification": "verification",
}

# `strategy.conformal.evaluate` needs no other import
_MODULES = ("arbiter", "conformal", "contracts", "labels", "plain_events", "start_values")

if TYPE_CHECKING:
    from strategy import arbiter, conformal, contracts, labels, plain_events, start_values
    from strategy.arbiter import HorizonArbiter
    from strategy.barriers import BarrierGate
    from strategy.breaker import CircuitBreaker
    from strategy.conformal import ConformalGate
    from strategy.cost import CostModel
    from strategy.feature_stream import FeatureStream
    from strategy.guard import StalenessGuard
    from strategy.own_loop import DecisionPipeline
    from strategy.planner import ExecutionPlanner
    from strategy.risk import RiskModel
    from strategy.rollout import Rollout
    from strategy.verification import Verification

__all__ = [
    "BarrierGate",
    "CircuitBreaker",
    "ConformalGate",
    "CostModel",
    "DecisionPipeline",
    "ExecutionPlanner",
    "FeatureStream",
    "HorizonArbiter",
    "RiskModel",
    "Rollout",
    "StalenessGuard",
    "Verification",
    "arbiter",
    "conformal",
    "contracts",
    "labels",
    "plain_events",
    "start_values",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its file on first use, so that `import strategy` compiles and loads nothing."""
    if name in _MODULES:
        return import_module(f"strategy.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'strategy' has no attribute {name!r}")
    return getattr(import_module(f"strategy.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
