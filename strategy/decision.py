"""The decision record: one row that every step of the pipeline reads and completes, and any step may end.

A cycle of one symbol fills a DECISION row and one LEG row per horizon. A step that refuses writes its `Reason` and the
pipeline stops there; the row is journalled either way, so "why not?" has always an answer. All returns and costs are in basis
points, signed in the direction of the price (not of the trade) unless the name says `net`.
"""

from enum import IntEnum

import numpy as np

MAX_HORIZONS = 8
UNKNOWN_MODEL_AGE_NS = -1
N_FEATURES = 12


class Reason(IntEnum):
    """Why a decision ended as it did. Codes below 10 mean that it went through to the planner."""

    TARGET_SET = 0  # a new target went to the planner
    TARGET_KEPT = 1  # target equals what is held or already worked
    EXIT_HORIZON = 2
    EXIT_STOP = 3
    EXIT_OPPOSITE = 4
    EXIT_FLAT_BEFORE_CLOSE = 5
    EXIT_SCALE_OUT = 6  # half of a position that is likely at its turning point
    NO_FORECAST = 10
    FORECAST_NAN = 11
    FORECAST_OLD = 12
    UNKNOWN_HORIZON = 13
    MODEL_UNHEALTHY = 14  # too many of its latest forecasts could not be used
    FORECAST_CROSSED = 15  # its lower quantile lies above its upper one
    NO_QUOTE = 20
    QUOTE_CROSSED = 21
    STALE_QUOTE = 22
    STALE_BAR = 23
    STALE_FEATURES = 24
    HALTED = 25
    OUTSIDE_HOURS = 26
    COST_UNKNOWN = 30
    GATE_NOT_READY = 40
    GATE_COST = 41  # no horizon clears its cost
    GATE_MISSING = 42  # too many outcomes never came
    ARBITER_RESERVE = 50  # the best net score is below cost plus reserve
    BARRIER_PEAK = 60
    BARRIER_VALLEY = 61
    RISK_NAME_CAP = 70
    RISK_ZERO_SIZE = 71  # the target rounds to nothing
    WEIGHTS_ABNORMAL = 72
    RISK_CORRELATION = 73  # the book holds as much of the same bet already
    RISK_GROSS = 74
    RISK_NET = 75
    RISK_PARTICIPATION = 76
    NOT_REBALANCE_TIME = 80
    NO_TRADE_BAND = 81  # the move is too small to be worth its cost
    PLAN_RUNNING = 90
    BUDGET = 91
    COMPONENT_ERROR = 99


class Fallback(IntEnum):
    """Why the enhanced arbiter let its original act."""

    NONE = 0
    NOT_ASKED = 1  # the component is configured in its original form
    FEW_LABELS = 2  # too few outcomes known of a living horizon
    NAN_FEATURE = 3  # spread or volatility unknown
    NO_WEIGHT = 4  # the mixture puts nothing on the open horizons
    MODEL_OLD = 5  # the model behind a living horizon was trained too long ago


class Component(IntEnum):
    """Bit numbers in `status`: set when the component answered anything but OK."""

    STALENESS = 0
    FORECASTS = 1
    COST = 2
    GATE = 3
    ARBITER = 4
    BARRIERS = 5
    RISK = 6
    RENORM = 7
    REBALANCE = 8
    SIZING = 9
    PLANNER = 10
    BUDGET = 11
    EXITS = 12


LEG = np.dtype(
    [
        ("horizon_min", "i8"),
        ("forecast_id", "i8"),
        ("ready_ts_ns", "i8"),
        ("bar_close_ts_ns", "i8"),
        ("mu_bps", "f8"),
        ("sigma_bps", "f8"),
        ("q_lo_bps", "f8"),
        ("q_hi_bps", "f8"),
        ("gate_lo_bps", "f8"),  # what the gate judged; NaN in its original form
        ("gate_hi_bps", "f8"),
        ("mean_edge_bps", "f8"),  # surely earned on average, net: lower bound; NaN = unknown
        ("p_peak", "f8"),
        ("p_valley", "f8"),
        ("net_reward_bps", "f8"),  # what the meta-learner predicts; NaN where it says nothing
        ("model_age_ns", "i8"),  # since its model was trained; UNKNOWN_MODEL_AGE_NS where nobody says
        ("cost_bps", "f8"),
        ("score", "f8"),  # the arbiter's net score
        ("weight", "f8"),
        ("side", "i8"),  # +1 gate open for long, -1 for short, 0 shut
        ("is_alive", "i8"),  # 0 = left out of this cycle
        ("slot", "i8"),  # of the record that waits for its outcome
        ("gate_reason", "i8"),  # why its bounds cannot be judged; 0 = they can
        ("reason", "i8"),
    ],
    align=True,
)

DECISION = np.dtype(
    [
        ("decision_id", "i8"),
        ("ts_ns", "i8"),
        ("cycle", "i8"),
        ("forecast_id", "i8"),
        ("target_qty", "i8"),
        ("position_qty", "i8"),
        ("mid2", "i8"),
        ("spread", "i8"),  # price units
        ("mu_bps", "f8"),
        ("sigma_bps", "f8"),
        ("q_lo_bps", "f8"),
        ("q_hi_bps", "f8"),
        ("gate_lo_bps", "f8"),  # what the gate judged; NaN in its original form
        ("gate_hi_bps", "f8"),
        ("cost_bps", "f8"),
        ("cost_spread_bps", "f8"),
        ("cost_vol_bps", "f8"),
        ("cost_impact_bps", "f8"),
        ("cost_fee_bps", "f8"),
        ("cost_residual_bps", "f8"),
        ("edge_needed_bps", "f8"),  # what mu would have had to be
        ("mean_edge_bps", "f8"),  # largest of the horizons: the gate's second rule opens above zero; NaN = unknown
        ("net_edge_bps", "f8"),
        ("p_peak", "f8"),  # likeliest of the living horizons; NaN = none says
        ("p_valley", "f8"),
        ("quality", "f8"),  # 0..1, scales the size
        ("quote_age_ns", "i8"),
        ("forecast_age_ns", "i8"),
        ("shadow_target_qty", "i8"),  # what the other form of the pipeline would have done, where it runs beside
        ("weights", "f8", (MAX_HORIZONS,)),
        ("features", "f8", (N_FEATURES,)),
        ("symbol", "i4"),
        ("reason", "i4"),
        ("side", "i4"),
        ("horizon_min", "i4"),
        ("status", "i4"),  # bit per Component
        ("fallback", "i4"),  # why the arbiter acts in its original form, see `Fallback`
        ("breaker", "i4"),  # bit per Component whose breaker is open after this decision
        ("as_original", "i4"),  # bit per Component configured as enhanced that acted in its original form
        ("is_stale", "i4"),  # any input beyond its TTL, whether or not the guard acted
        ("plan_id", "i4"),
        ("risk_limit", "i4"),  # Reason of the limit that cut the target; 0 = none did
        ("risk_unknown", "i4"),  # what the limits did without: 1 correlation or volatility, 2 volume
        ("shadow_reason", "i4"),  # -1 = nothing ran beside
        ("shadow_horizon_min", "i4"),
    ],
    align=True,
)

CYCLE = np.dtype(
    [
        ("ts_ns", "i8"),
        ("cycle", "i8"),
        ("n_symbols", "i4"),  # symbols decided in this cycle
        ("n_errors", "i4"),  # decisions with a non-zero component status
        ("n_refused", "i4"),
        ("n_targets", "i4"),
        ("weight_sum_min", "f8"),
        ("weight_sum_max", "f8"),
        ("weight_var", "f8"),
        ("gross_usd", "f8"),
        ("net_usd", "f8"),
        ("messages_left", "i8"),
        ("turnover_small_usd", "f8"),  # moves smaller than the no-trade band
        ("turnover_usd", "f8"),
    ],
    align=True,
)
