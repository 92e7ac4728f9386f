"""What the pipeline is made of: the settings of all components, their states side by side, and the start of a day.

Every array is a component's own (index = symbol, or symbol x horizon), so a snapshot is a copy of the arrays. The settings of
all components travel as one row with a field per component: `state.params["cost"]` is the row that `cost.py` expects.

Overnight: forecasts of yesterday and outcomes still awaited are dropped, plans end (a broker cancels DAY orders), a position that
is still held keeps its trade and is looked at when trading opens. Features know about nights themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.lib import recfunctions

from replay.bundle import bundle
from replay.desk import NEVER
from replay.errors import ConfigError
from replay.settings import as_row, setting
from strategy import budget as message_budget
from strategy import plan as plans
from strategy.barriers import BarrierSettings
from strategy.breaker import BreakerSettings
from strategy.budget import BudgetSettings, check_budget, new_budget
from strategy.calibration import Calibration, new_calibration
from strategy.cost import CostSettings
from strategy.cost_state import Costs, new_costs
from strategy.decision import CYCLE, DECISION, LEG, MAX_HORIZONS
from strategy.exits import ExitSettings, new_trades
from strategy.exposure import Exposure, new_exposure
from strategy.features import FeatureSettings, new_features
from strategy.forecasts import ForecastSettings, new_forecasts
from strategy.forms import TRADERS, Forms, new_forms
from strategy.gate import GateSettings
from strategy.learning import end_day
from strategy.liveness import new_guard, start_guard_day
from strategy.modes import MODES
from strategy.outcomes import Outcomes, new_outcomes
from strategy.plan import Planner, new_planner
from strategy.planner import PlannerSettings, check_planner
from strategy.policies import Mixture, new_mixture
from strategy.rebalance import MAX_TIMES, Rebalance, RebalanceSettings, new_rebalance, set_day
from strategy.renorm import RenormSettings
from strategy.risk import RiskSettings
from strategy.rollout import WAYS
from strategy.scores import ArbiterSettings
from strategy.sizing import SizingSettings
from strategy.staleness import StalenessSettings
from strategy.verification import VerificationSettings

SCHEDULE = np.dtype(
    [
        ("due_ns", "i8"),  # next cycle of the symbol; NEVER = none
        ("last_cycle_ns", "i8"),
        ("bar_ts_ns", "i8"),  # last bar received
        ("unknown_count", "i8"),  # forecasts of an unknown horizon since the last cycle
    ],
    align=True,
)

PIPELINE = np.dtype([("cycle", "i8"), ("equity_usd", "f8")], align=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineSettings:
    """Settings of the pipeline itself."""

    cycle_min_ns: int = setting(1_000_000_000, "shortest time between two cycles of one symbol", unit="ns", gt=0)
    pending_slots: int = setting(
        128, "forecasts of one symbol and horizon whose outcome is awaited; beyond it the oldest is dropped", ge=1, le=65_536
    )
    no_trade_band: float = setting(0.008, "moves smaller than this share of equity count as churn", ge=0, lt=1)
    trades: str = setting("enhanced", "who trades: the forms as configured, or the original of each component", choices=TRADERS)
    shadow: bool = setting(False, "the side that does not trade decides beside, on the same stream and positions")
    rollout_by: str = setting("symbol", "what the rollout of a component is a share of", choices=WAYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategySettings:
    """Settings of all components, one attribute each."""

    staleness: StalenessSettings = field(default_factory=StalenessSettings)
    forecasts: ForecastSettings = field(default_factory=ForecastSettings)
    features: FeatureSettings = field(default_factory=FeatureSettings)
    cost: CostSettings = field(default_factory=CostSettings)
    gate: GateSettings = field(default_factory=GateSettings)
    arbiter: ArbiterSettings = field(default_factory=ArbiterSettings)
    barriers: BarrierSettings = field(default_factory=BarrierSettings)
    risk: RiskSettings = field(default_factory=RiskSettings)
    renorm: RenormSettings = field(default_factory=RenormSettings)
    sizing: SizingSettings = field(default_factory=SizingSettings)
    exits: ExitSettings = field(default_factory=ExitSettings)
    rebalance: RebalanceSettings = field(default_factory=RebalanceSettings)
    planner: PlannerSettings = field(default_factory=PlannerSettings)
    budget: BudgetSettings = field(default_factory=BudgetSettings)
    pipeline: PipelineSettings = field(default_factory=PipelineSettings)
    breaker: BreakerSettings = field(default_factory=BreakerSettings)
    verification: VerificationSettings = field(default_factory=VerificationSettings)


@bundle
class PipelineState(NamedTuple):
    """All state of the default pipeline; the last six arrays are scratch or constant."""

    control: np.ndarray  # PIPELINE, one row
    schedule: np.ndarray  # SCHEDULE (n_symbols,)
    features: np.ndarray  # FEATURES (n_symbols,)
    minutes: np.ndarray  # int64 (n_symbols, 64)
    guard: np.ndarray  # GUARD (n_symbols,)
    forecasts: np.ndarray  # FORECAST_STATE (n_symbols, n_horizons)
    costs: Costs
    exposure: Exposure
    outcomes: Outcomes
    calibration: Calibration
    mixture: Mixture
    trades: np.ndarray  # TRADE (n_symbols,)
    rebalance: Rebalance
    budget: np.ndarray  # BUDGET, one row
    planner: Planner
    forms: Forms
    horizons: np.ndarray  # int64 (n_horizons,), minutes
    legs: np.ndarray  # LEG (n_horizons,)
    decision: np.ndarray  # DECISION (3,): the one in work, an empty one to start from, and one that waits for its shadow
    metrics: np.ndarray  # CYCLE (2,): likewise
    params: np.ndarray  # one row, a field per component, as configured
    params_acting: np.ndarray  # the same, with the modes in force for the symbol in work (`strategy.forms`)


def build_state(
    settings: StrategySettings,
    n_symbols: int,
    horizons_min: Sequence[int] = (5, 10, 15, 30, 60),
    equity_usd: float = 100_000.0,
    *,
    symbols: Sequence[str] = (),
    seed: int = 0,
) -> PipelineState:
    """Allocate the state of the pipeline.

    Parameters
    ----------
    settings : StrategySettings
    n_symbols : int
    horizons_min : sequence of int
        Horizons of the forecasts, minutes, ascending, at most `MAX_HORIZONS`.
    equity_usd : float
        What sizes are shares of.
    symbols : sequence of str
        Names by index, and
    seed : int
        together they say where a gradual rollout acts (`strategy.rollout`).
    """
    _check(settings, horizons_min)
    features, minutes = new_features(n_symbols)
    schedule = np.zeros(n_symbols, SCHEDULE)
    schedule["due_ns"] = NEVER
    schedule["last_cycle_ns"] = -(2**62)
    control = np.zeros(1, PIPELINE)
    control["equity_usd"] = equity_usd
    decision = np.zeros(3, DECISION)
    decision["shadow_reason"] = -1
    return PipelineState(
        control=control,
        schedule=schedule,
        features=features,
        minutes=minutes,
        guard=new_guard(n_symbols),
        forecasts=new_forecasts(n_symbols, len(horizons_min)),
        costs=_new_costs(settings, n_symbols, horizons_min, equity_usd),
        exposure=new_exposure(n_symbols),
        outcomes=new_outcomes(n_symbols, len(horizons_min), settings.pipeline.pending_slots),
        calibration=new_calibration(n_symbols, len(horizons_min), settings.pipeline.pending_slots),
        mixture=new_mixture(n_symbols, len(horizons_min), settings.pipeline.pending_slots),
        trades=new_trades(n_symbols),
        rebalance=new_rebalance(n_symbols),
        budget=new_budget(),
        planner=new_planner(n_symbols, MODES.index(settings.planner.mode)),
        forms=new_forms(n_symbols, settings, symbols, seed),
        horizons=np.array(horizons_min, np.int64),
        legs=np.zeros(len(horizons_min), LEG),
        decision=decision,
        metrics=np.zeros(2, CYCLE),
        params=pack_params(settings),
        params_acting=pack_params(settings),
    )


def _new_costs(settings: StrategySettings, n_symbols: int, horizons_min: Sequence[int], equity_usd: float) -> Costs:
    """Return a cost model that knows how long an entry is worked and what a full position is worth."""
    order_usd = min(settings.sizing.name_cap * equity_usd, settings.risk.name_cap_usd)
    pairs = list(zip(settings.planner.horizons_min, settings.planner.work_ns, strict=True))
    work_ns = [max([pair for pair in pairs if pair[0] <= horizon], default=pairs[0])[1] for horizon in horizons_min]
    return new_costs(n_symbols, work_ns, order_usd)


def _check(settings: StrategySettings, horizons_min: Sequence[int]) -> None:
    if not 0 < len(horizons_min) <= MAX_HORIZONS or list(horizons_min) != sorted(set(horizons_min)):
        raise ConfigError(f"run.horizons_min must be 1 to {MAX_HORIZONS} ascending numbers of minutes, got {tuple(horizons_min)}")
    check_planner(settings.planner)
    check_budget(settings.budget)
    if len(settings.rebalance.times_min) > MAX_TIMES:
        raise ConfigError(f"rebalance.times_min holds at most {MAX_TIMES} times, got {len(settings.rebalance.times_min)}")


def pack_params(settings: StrategySettings) -> np.ndarray:
    """Lay the settings of all components out as one row with a field per component."""
    rows = {part.name: _row(getattr(settings, part.name)) for part in fields(settings) if part.name != "verification"}
    packed = np.zeros(1, np.dtype([(name, row.dtype) for name, row in rows.items()], align=True))
    for name, row in rows.items():
        packed[name] = row
    return packed


def _row(component: Any) -> np.ndarray:
    """Leave out times of day: the kernels get them as ns, and their number would be part of the compiled type."""
    row = as_row(component)
    return recfunctions.drop_fields(row, "times_min") if "times_min" in (row.dtype.names or ()) else row


def start_day(
    state: PipelineState, clock: np.ndarray, rebalance_times_ns: Sequence[int] = (), fixed_times_ns: Sequence[int] | None = None
) -> None:
    """Begin a trading day: call it after `open_ns`, `close_ns`, `trade_from_ns` and `trade_until_ns` are set in the clock.

    Parameters
    ----------
    state : PipelineState
    clock : ndarray of CLOCK, one row
        Gets `next_timer_ns`.
    rebalance_times_ns : sequence of int
        Times of this day at which a timer asks, ns UTC (`strategy.rebalance.times_of_day_min`).
    fixed_times_ns : sequence of int, optional
        `rebalance.times_min` of this day, by which the original form judges; default the same.
    """
    set_day(state.rebalance, rebalance_times_ns, fixed_times_ns)
    state.rebalance.done_ns[:] = -(2**62)
    state.schedule["due_ns"] = NEVER
    state.forecasts["is_held"] = 0
    state.costs.said["decision_id"] = 0
    state.costs.said["qty"] = 0  # so that the exit of what is held over night is charged to no entry
    start_guard_day(state.guard)
    end_day(state.outcomes, state.calibration, state.mixture)
    plans.begin_day(state.planner)
    message_budget.begin_day(state.budget)
    held = state.trades["watch_ns"] != NEVER
    state.trades["check_ns"][held] = clock[0]["trade_from_ns"]
    state.trades["watch_ns"][held] = clock[0]["trade_from_ns"]
    first_ns = min(int(state.rebalance.times_ns[0]), int(state.trades["check_ns"].min(initial=NEVER)))
    clock[0]["next_timer_ns"] = first_ns
