"""Features: what the market did, as few numbers, kept event by event by one kernel for replay, live and training.

Per quote and print only integers are summed; everything else happens when a minute closes (UTC grid). The sample of a minute
is the last two-sided mid strictly before its end, held as `mid2 = bid + ask` so that it stays an integer::

    r_t       = 1e4 (mid2_t - mid2_{t-1}) / mid2_{t-1}                          bps per minute
    v_t       = v_{t-1} + a (r_t^2 - v_{t-1}),   a = max(1/n, 1 - 2^(-1/half life))    vol_bps = max(sqrt(v), half a tick / mid)
    drift_t   = drift_{t-1} + a_d (r_t - drift_{t-1})
    e_n       = 1{b_n >= b_{n-1}} qb_n - 1{b_n <= b_{n-1}} qb_{n-1} - 1{a_n <= a_{n-1}} qa_n + 1{a_n >= a_{n-1}} qa_{n-1}
    flow      = average over minutes of (sum of e_n) / (mean size per side)     order-flow imbalance
    momentum_m = 1e4 (mid2_t / mid2_{t-m} - 1)                                  over m closed minutes
    vol_fast, vol_slow, vol_ratio, regime                                       see `strategy.regime`

A minute without any event of the symbol is *quiet*. Feeds send changes only, so quiet minutes count as returns of zero, but
only once the next event proves that the symbol was alive; after more than `break_min` quiet minutes (a night, a long halt)
samples, momentum and drift start anew and the return across the gap is left out. Until `min_returns` returns are known
`vol_bps` is 0, which means unknown.

The state after `roll(now)` is a function of the events before and of `now`: rolling once at noon or every second gives the
same bits, whoever asks. Own orders and positions never enter.

References
----------
Cont, R., Kukanov, A. and Stoikov, S. (2014), "The Price Impact of Order Book Events", Journal of Financial Econometrics 12(1),
equation 4: the increments e_n.
"""

import math
from dataclasses import dataclass

import numpy as np

from replay.errors import ConfigError
from replay.events import Kind
from replay.jit import kernel
from replay.settings import setting
from strategy.decision import N_FEATURES
from strategy.modes import OFF, mode_setting
from strategy.regime import BINS, learn_speeds, publish_regime, step_of
from strategy.touch import imbalance, microprice_bps, spread_bps

MINUTE_NS = 60_000_000_000
RING = 64

FEATURE_NAMES = (
    "vol_bps",
    "spread_bps",
    "imbalance",
    "microprice_bps",
    "flow",
    "drift_bps",
    "momentum_5min_bps",
    "trades_per_min",
    "vol_fast_bps",
    "vol_slow_bps",
    "vol_ratio",
    "regime",
)
MODEL_FEATURE_NAMES = (
    *FEATURE_NAMES,
    "momentum_10min_bps",
    "momentum_15min_bps",
    "momentum_30min_bps",
    "momentum_60min_bps",
    "spread_mean_bps",
    "volume_per_min",
)
assert len(FEATURE_NAMES) == N_FEATURES

FEATURES = np.dtype(
    [
        ("minute_ns", "i8"),  # end of the open minute; 0 = nothing seen yet
        ("event_count", "i8"),  # of the open minute, like all sums down to trade_qty
        ("bid", "i8"),  # last two-sided quote; 0 = the last quote was one-sided or crossed
        ("ask", "i8"),
        ("bid_qty", "i8"),
        ("ask_qty", "i8"),
        ("mid2", "i8"),  # last two-sided mid; 0 = none since the last break
        ("flow_qty", "i8"),
        ("depth_qty", "i8"),
        ("spread_sum", "i8"),
        ("quote_count", "i8"),
        ("trade_count", "i8"),
        ("trade_qty", "i8"),
        ("head", "i8"),  # samples ever taken; the newest lies in slot (head - 1) % RING
        ("sample_count", "i8"),  # samples since the last break, at most RING
        ("quiet_count", "i8"),  # quiet minutes since the last event
        ("return_count", "i8"),
        ("minute_count", "i8"),
        ("spread_count", "i8"),  # minutes with a usable quote
        ("var_bps2", "f8"),
        ("vol_bps", "f8"),  # per minute; 0 = unknown
        ("drift_bps", "f8"),  # per minute
        ("flow", "f8"),
        ("spread_mean_bps", "f8"),
        ("trades_per_min", "f8"),
        ("volume_per_min", "f8"),
        ("var_fast_bps2", "f8"),
        ("var_slow_bps2", "f8"),
        ("vol_ratio", "f8"),  # 0 = unknown
        ("regime", "i8"),  # -1 calm, 0 normal or unknown, 1 wild
        ("half_hour", "i8"),  # number of the half hour in work, with its minutes and their sum
        ("half_hour_count", "i8"),
        ("half_hour_sum", "f8"),
    ],
    align=True,
)

MINUTES = np.dtype(
    [
        ("mid2", "i8", (RING,)),  # ring of minute samples
        ("profile", "f8", (BINS,)),  # variance of each half hour of the day (UTC) over the usual one
        ("profile_days", "i8", (BINS,)),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSettings:
    """Settings of the feature kernel."""

    mode: str = mode_setting()
    vol_half_life_min: float = setting(60.0, "half-life of the volatility", unit="min", gt=0)
    drift_half_life_min: float = setting(30.0, "half-life of the drift", unit="min", gt=0)
    activity_half_life_min: float = setting(5.0, "half-life of flow, spread and trade intensity", unit="min", gt=0)
    min_returns: int = setting(5, "minute returns before the volatility counts as known", ge=1)
    fast_half_life_min: float = setting(10.0, "half-life of the fast volatility", unit="min", gt=0)
    slow_half_life_min: float = setting(780.0, "half-life of the slow volatility", unit="min", gt=0)
    regime_returns: int = setting(30, "minute returns before the regime counts as known", ge=1)
    regime_high: float = setting(1.5, "fast over usual volatility above which the market is wild", gt=1)
    regime_low: float = setting(0.67, "fast over usual volatility below which the market is calm", gt=0, lt=1)
    regime_back: float = setting(1.2, "ratio at which a wild market is normal again; a calm one at 1 over it", gt=1)
    break_min: int = setting(30, "quiet minutes after which samples start anew", unit="min", ge=0)

    def __post_init__(self) -> None:
        """Refuse a regime that would be left before it is entered."""
        if self.regime_back > self.regime_high or self.regime_low * self.regime_back > 1.0:
            raise ConfigError(
                f"features.regime_back must be at most regime_high ({self.regime_high}) and 1 / regime_low "
                f"({1 / self.regime_low:.3g}), got {self.regime_back}"
            )


def new_features(n_symbols: int) -> tuple[np.ndarray, np.ndarray]:
    """Return empty state: `features`, FEATURES (n_symbols,), and `minutes`, MINUTES (n_symbols,)."""
    return np.zeros(n_symbols, FEATURES), np.zeros(n_symbols, MINUTES)


@kernel
def on_market(events, i, book, features, minutes, params):
    """Take in one QUOTE or TRADE of a symbol; call it after `apply_market`. Other kinds change nothing."""
    # All records are taken before the first branch: numba then drops the reference counts of the arrays (measured 7, else 53 ns).
    event = events[i]
    s = event["symbol"]
    row = features[s]
    ring = minutes[s]
    tick = book[s]["tick"]
    param = params[0]
    kind = event["kind"]
    if kind > Kind.TRADE:  # QUOTE and TRADE are the smallest
        return
    if event["ts_ns"] >= row["minute_ns"]:
        _roll(row, ring, tick, param, event["ts_ns"])
        row["minute_ns"] = _minute_end(event["ts_ns"])
    row["event_count"] += 1
    if kind == Kind.QUOTE:
        _on_quote(row, event["bid"], event["ask"], event["bid_qty"], event["ask_qty"])
    else:
        row["trade_count"] += 1
        row["trade_qty"] += event["qty"]


@kernel
def _on_quote(row, bid, ask, bid_qty, ask_qty):
    if bid <= 0 or ask < bid or bid_qty <= 0 or ask_qty <= 0:
        row["bid"] = 0
        row["ask"] = 0
        return
    if row["bid"] > 0 and row["mid2"] > 0:
        row["flow_qty"] += _side_flow(bid - row["bid"], bid_qty, row["bid_qty"]) - _side_flow(
            row["ask"] - ask, ask_qty, row["ask_qty"]
        )
    row["bid"] = bid
    row["ask"] = ask
    row["bid_qty"] = bid_qty
    row["ask_qty"] = ask_qty
    row["mid2"] = bid + ask
    row["depth_qty"] += bid_qty + ask_qty
    row["spread_sum"] += ask - bid
    row["quote_count"] += 1


@kernel
def _side_flow(improvement, qty, qty_before):
    """Return what one side gained: all of it when its price improved, minus all that was there when it got worse.

    Without branches: a price move is a coin toss to the branch predictor.
    """
    return (improvement >= 0) * qty - (improvement <= 0) * qty_before


@kernel
def _minute_end(ts_ns):
    return (ts_ns // MINUTE_NS + 1) * MINUTE_NS


@kernel
def roll(s, now_ns, book, features, minutes, params):
    """Close all minutes of a symbol that ended by `now_ns`."""
    _roll(features[s], minutes[s], book[s]["tick"], params[0], now_ns)


@kernel
def _roll(row, ring, tick, param, now_ns):
    """Do the work of `roll` on records."""
    if row["minute_ns"] == 0 or param["mode"] == OFF:
        return
    while row["minute_ns"] <= now_ns:
        if row["event_count"] > 0:
            _close_active(row, ring, tick, param)
        elif row["quiet_count"] > param["break_min"]:
            row["minute_ns"] = _minute_end(now_ns)
            return
        else:
            _close_quiet(row, ring, param)
        row["minute_ns"] += MINUTE_NS


@kernel
def _close_quiet(row, ring, param):
    row["quiet_count"] += 1
    _learn_activity(row, param)
    if row["quiet_count"] > param["break_min"]:
        row["sample_count"] = 0
        row["mid2"] = 0
        row["drift_bps"] = 0.0
        row["flow"] = 0.0
    elif row["sample_count"] > 0:
        _push(row, ring)


@kernel
def _close_active(row, ring, tick, param):
    if row["mid2"] > 0:
        if row["sample_count"] > 0:
            _learn_returns(row, ring, param)
            _publish_vol(row, tick, param)
            publish_regime(row, ring, row["minute_ns"] - MINUTE_NS, param)
        _push(row, ring)
    _learn_activity(row, param)
    row["quiet_count"] = 0
    row["event_count"] = 0
    row["flow_qty"] = 0
    row["depth_qty"] = 0
    row["spread_sum"] = 0
    row["quote_count"] = 0
    row["trade_count"] = 0
    row["trade_qty"] = 0


@kernel
def _push(row, ring):
    ring["mid2"][row["head"] % RING] = row["mid2"]
    row["head"] += 1
    if row["sample_count"] < RING:
        row["sample_count"] += 1


@kernel
def _learn_returns(row, ring, param):
    """Blend in the return since the last sample, preceded by a zero for each quiet minute."""
    mid2_before = ring["mid2"][(row["head"] - 1) % RING]
    start_ns = row["minute_ns"] - (row["quiet_count"] + 1) * MINUTE_NS
    for _ in range(row["quiet_count"]):
        _learn_return(row, ring, 0.0, start_ns, param)
        start_ns += MINUTE_NS
    _learn_return(row, ring, 10_000.0 * (row["mid2"] - mid2_before) / mid2_before, start_ns, param)


@kernel
def _learn_return(row, ring, return_bps, start_ns, param):
    row["return_count"] += 1
    first = 1.0 / row["return_count"]
    vol_step = max(first, step_of(param["vol_half_life_min"]))
    drift_step = max(first, step_of(param["drift_half_life_min"]))
    row["var_bps2"] += vol_step * (return_bps * return_bps - row["var_bps2"])
    row["drift_bps"] += drift_step * (return_bps - row["drift_bps"])
    learn_speeds(row, ring, return_bps, start_ns, param)


@kernel
def _publish_vol(row, tick, param):
    if row["return_count"] >= param["min_returns"]:
        row["vol_bps"] = max(math.sqrt(row["var_bps2"]), 10_000.0 * tick / row["mid2"])


@kernel
def _learn_activity(row, param):
    row["minute_count"] += 1
    least = step_of(param["activity_half_life_min"])
    step = max(1.0 / row["minute_count"], least)
    flow = 0.0
    if row["quote_count"] > 0:
        flow = 2.0 * row["flow_qty"] * row["quote_count"] / row["depth_qty"]
        spread = 20_000.0 * row["spread_sum"] / (row["quote_count"] * row["mid2"])
        row["spread_count"] += 1
        row["spread_mean_bps"] += max(1.0 / row["spread_count"], least) * (spread - row["spread_mean_bps"])
    row["flow"] += step * (flow - row["flow"])
    row["trades_per_min"] += step * (row["trade_count"] - row["trades_per_min"])
    row["volume_per_min"] += step * (row["trade_qty"] - row["volume_per_min"])


@kernel
def momentum_bps(s, back_min, features, minutes):
    """Return the move over the last `back_min` closed minutes, bps; NaN while fewer samples are known."""
    row = features[s]
    if back_min < 1 or back_min >= row["sample_count"]:
        return math.nan
    ring = minutes[s]["mid2"]
    newest = ring[(row["head"] - 1) % RING]
    oldest = ring[(row["head"] - 1 - back_min) % RING]
    return 10_000.0 * (newest - oldest) / oldest


@kernel
def write_features(s, now_ns, book, features, minutes, params, decision):
    """Roll the symbol to `now_ns` and write the features named FEATURE_NAMES into `decision['features']`; NaN = unknown."""
    roll(s, now_ns, book, features, minutes, params)
    _write_first(s, book, features, minutes, decision[0]["features"])


@kernel
def write_model_features(s, now_ns, book, features, minutes, params, out):
    """Roll the symbol to `now_ns` and write the features named MODEL_FEATURE_NAMES into `out`; NaN = unknown."""
    roll(s, now_ns, book, features, minutes, params)
    _write_first(s, book, features, minutes, out)
    row = features[s]
    out[N_FEATURES] = momentum_bps(s, 10, features, minutes)
    out[N_FEATURES + 1] = momentum_bps(s, 15, features, minutes)
    out[N_FEATURES + 2] = momentum_bps(s, 30, features, minutes)
    out[N_FEATURES + 3] = momentum_bps(s, 60, features, minutes)
    out[N_FEATURES + 4] = row["spread_mean_bps"] if row["spread_count"] > 0 else math.nan
    out[N_FEATURES + 5] = row["volume_per_min"]


@kernel
def _write_first(s, book, features, minutes, out):
    row = features[s]
    out[0] = row["vol_bps"] if row["vol_bps"] > 0.0 else math.nan
    out[1] = spread_bps(s, book)
    out[2] = imbalance(s, book)
    out[3] = microprice_bps(s, book)
    out[4] = row["flow"]
    out[5] = row["drift_bps"]
    out[6] = momentum_bps(s, 5, features, minutes)
    out[7] = row["trades_per_min"]
    is_known = row["vol_bps"] > 0.0
    out[8] = math.sqrt(row["var_fast_bps2"]) if is_known else math.nan
    out[9] = math.sqrt(row["var_slow_bps2"]) if is_known else math.nan
    out[10] = row["vol_ratio"] if row["vol_ratio"] > 0.0 else math.nan
    out[11] = row["regime"]
