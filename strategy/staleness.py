"""Staleness guard: are the inputs of this decision fresh?

Feeds send changes only, so an unchanged quote is not stale: what is judged is the liveness of its stream. An input is beyond
its TTL when::

    quote      silence of symbol or stream     > max(1 s tick-by-tick or 3 s snapshots, gap_times g)
    bar        forecast ready - its bar close  > 90 s       (the model worked on an old bar)
    forecast   now - forecast ready            > 2 x horizon
    features   now - last closed minute        > 120 s

with g the usual longest gap of the symbol, or of its stream, as `strategy.liveness` learns it. What is beyond is marked
`is_stale`, in every form but `off`: one measure, whoever decides.

The *enhanced* form (design row 9) refuses, for this symbol only::

    STALE_QUOTE    silence > limit, of the symbol or of its whole stream; not one quote since a halt or a gap; a gap just now
    STALE_FEATURES now - start of the last minute that saw an event > max(feature TTL, gap_times g); not within the grace
    MODEL_UNHEALTHY  more than `failure_share_max` of its latest forecasts could not be used
    STALE_BAR, FORECAST_OLD    every living forecast is beyond its TTL: one that is does not take part, the others go on

What is not refused is trusted less as it grows old, and so is traded smaller::

    fade(age, limit) = clip(2 (1 - age / limit), 0, 1)            whole until half of its limit, nothing at it
    quality = min of the fades of symbol, stream and features x (1 - failures) x grace x fade of the chosen forecast

For `grace_ns` after the open and after a halt, an auction or a gap, minutes cannot have closed yet: features are not asked for
their age, and the quality is multiplied by `grace_quality` instead. In an auction nothing trades, as in a halt: HALTED.

The *original* form refuses nothing for age. It marks the decision `is_stale` and goes on; only a quote that nobody can use
stops the symbol: NO_QUOTE (a side is empty), QUOTE_CROSSED, HALTED. `quality` is 1. A stream in a gap, an auction or after a
disconnection is stale whatever its age. `off` looks at nothing.
"""

import math
from dataclasses import dataclass

from replay.events import Status
from replay.jit import kernel
from replay.orders import Evidence
from replay.settings import setting
from strategy.ages import UNKNOWN_AGE_NS, active_age_ns, age_ns, fade
from strategy.decision import Reason
from strategy.features import MINUTE_NS
from strategy.liveness import (
    patience_ns,
    silence_ns,
    stream_patience_ns,
    stream_silence_ns,
)
from strategy.modes import ENHANCED, OFF, mode_setting, rollout_setting


@dataclass(frozen=True, slots=True, kw_only=True)
class StalenessSettings:
    """The staleness guard: in its original form it marks decisions on old data and refuses none; the TTLs say what is old."""

    mode: str = mode_setting(has_enhanced=True)
    rollout: float = rollout_setting()
    tick_ttl_ns: int = setting(1_000_000_000, "silence after which a tick-by-tick stream is stale", unit="ns", gt=0)
    snapshot_ttl_ns: int = setting(3_000_000_000, "silence after which a snapshot or historical stream is stale", unit="ns", gt=0)
    bar_ttl_ns: int = setting(90_000_000_000, "age of the bar behind a forecast, and of a bars-only stream", unit="ns", gt=0)
    feature_ttl_ns: int = setting(120_000_000_000, "age of the last closed minute", unit="ns", gt=0)
    forecast_ttl_horizons: float = setting(2.0, "age of a forecast in units of its horizon", gt=0)
    gap_times: float = setting(3.0, "enhanced: silence that is still normal, in usual longest gaps of the symbol", gt=0)
    failure_share_max: float = setting(
        0.5, "enhanced: share of unusable forecasts above which a model is not followed", gt=0, le=1
    )
    grace_ns: int = setting(60_000_000_000, "enhanced: how long after an open or a halt features may be old", unit="ns", ge=0)
    grace_quality: float = setting(0.5, "enhanced: what the quality is multiplied by within the grace", ge=0, le=1)


@kernel
def judge(s, now_ns, book, features, guard, legs, params, decision):
    """Judge the inputs of one symbol; write is_stale, quality, ages, mid2 and spread; return 0 or why the quote is unusable."""
    row = decision[0]
    row["quality"] = 1.0
    row["is_stale"] = 0
    row["mid2"] = book[s]["bid"] + book[s]["ask"]
    row["spread"] = book[s]["ask"] - book[s]["bid"]
    row["quote_age_ns"] = age_ns(now_ns, book[s]["ts_ns"])
    row["forecast_age_ns"] = _oldest_forecast_ns(now_ns, legs)
    if params[0]["mode"] == OFF:
        return 0
    if (
        book[s]["status"] != 0
        or _quote_quality(s, now_ns, book, guard, params) < 0.0
        or _is_feature_stale(s, now_ns, features, params)
    ):
        row["is_stale"] = 1
    for k in range(len(legs)):
        if legs[k]["is_alive"] and is_forecast_stale(k, now_ns, legs, params):
            row["is_stale"] = 1
    return quote_reason(s, book)


@kernel
def quote_reason(s, book):
    """Return 0 for a usable quote, else HALTED, NO_QUOTE or QUOTE_CROSSED."""
    row = book[s]
    if row["status"] == Status.HALTED:
        return Reason.HALTED
    if row["bid_qty"] <= 0 or row["ask_qty"] <= 0 or row["bid"] <= 0 or row["ask"] <= 0:
        return Reason.NO_QUOTE
    if row["bid"] > row["ask"]:
        return Reason.QUOTE_CROSSED
    return 0


@kernel
def _oldest_forecast_ns(now_ns, legs):
    oldest_ns = -1
    for k in range(len(legs)):
        if legs[k]["is_alive"]:
            oldest_ns = max(oldest_ns, now_ns - legs[k]["ready_ts_ns"])
    if oldest_ns < 0:
        return UNKNOWN_AGE_NS
    return oldest_ns


@kernel
def quote_ttl_ns(evidence, params):
    """Return how long a stream of this evidence may be silent."""
    if evidence == Evidence.TICK_BY_TICK or evidence == Evidence.MESSAGE_LEVEL:
        return params[0]["tick_ttl_ns"]
    if evidence == Evidence.BARS:
        return params[0]["bar_ttl_ns"]
    return params[0]["snapshot_ttl_ns"]


@kernel
def _is_feature_stale(s, now_ns, features, params):
    minute_ns = features[s]["minute_ns"]
    return minute_ns == 0 or now_ns - (minute_ns - MINUTE_NS) > params[0]["feature_ttl_ns"]


@kernel
def is_forecast_stale(k, now_ns, legs, params):
    """Tell whether a leg's forecast, or the bar behind it, is beyond its TTL."""
    leg = legs[k]
    is_bar_old = leg["ready_ts_ns"] - leg["bar_close_ts_ns"] > params[0]["bar_ttl_ns"]
    return is_bar_old or now_ns - leg["ready_ts_ns"] > _forecast_ttl_ns(leg, params)


@kernel
def drop_old(now_ns, legs, params):
    """Take forecasts beyond their TTL out of this cycle (enhanced form); return 0, or why nothing is left of what was alive."""
    reason = 0
    n_left = 0
    if params[0]["mode"] != ENHANCED:
        return 0
    for k in range(len(legs)):
        if legs[k]["is_alive"]:
            if is_forecast_stale(k, now_ns, legs, params):
                legs[k]["is_alive"] = 0
                is_old = now_ns - legs[k]["ready_ts_ns"] > _forecast_ttl_ns(legs[k], params)
                reason = Reason.FORECAST_OLD if is_old else Reason.STALE_BAR
                legs[k]["reason"] = reason
            else:
                n_left += 1
    return 0 if n_left > 0 else reason


@kernel
def refuse(s, clock, book, features, guard, params, decision):
    """Write the quality of quote, features and model; return 0, or why they cannot be used (enhanced form)."""
    param = params[0]
    if param["mode"] != ENHANCED:
        return 0
    if book[s]["status"] != 0:
        return Reason.HALTED if book[s]["status"] == Status.AUCTION else Reason.STALE_QUOTE
    now_ns = clock[0]["now_ns"]
    decision[0]["quality"] = _quote_quality(s, now_ns, book, guard, params)
    if decision[0]["quality"] < 0.0:
        decision[0]["quality"] = 0.0
        return Reason.STALE_QUOTE
    decision[0]["quality"] *= 1.0 - guard[s]["failure_share"]
    if guard[s]["failure_share"] > param["failure_share_max"]:
        return Reason.MODEL_UNHEALTHY
    if now_ns - max(guard[s]["resumed_ns"], clock[0]["open_ns"]) < param["grace_ns"]:
        decision[0]["quality"] *= param["grace_quality"]
        return 0
    age = active_age_ns(s, now_ns, features)
    limit = patience_ns(s, param["feature_ttl_ns"], param["gap_times"], guard)
    if age > limit:
        return Reason.STALE_FEATURES
    decision[0]["quality"] = min(decision[0]["quality"], fade(age, limit) * (1.0 - guard[s]["failure_share"]))
    return 0


@kernel
def _quote_quality(s, now_ns, book, guard, params):
    """Return the fade of symbol and stream; -1 where either is beyond its limit."""
    ttl_ns = quote_ttl_ns(book[s]["evidence"], params)
    gap_times = params[0]["gap_times"]
    own_ns = silence_ns(s, now_ns, guard)
    own_limit_ns = patience_ns(s, ttl_ns, gap_times, guard)
    stream_ns = stream_silence_ns(s, now_ns, book, guard)
    stream_limit_ns = stream_patience_ns(s, ttl_ns, gap_times, book, guard)
    if own_ns > own_limit_ns or stream_ns > stream_limit_ns:
        return -1.0
    return min(fade(own_ns, own_limit_ns), fade(stream_ns, stream_limit_ns))


@kernel
def fade_forecast(now_ns, legs, params, decision):
    """Bring the age of the chosen horizon's forecast into the quality (enhanced form); call it after the arbiter."""
    if params[0]["mode"] != ENHANCED:
        return
    for k in range(len(legs)):
        if legs[k]["is_alive"] and legs[k]["horizon_min"] == decision[0]["horizon_min"]:
            decision[0]["quality"] *= fade(now_ns - legs[k]["ready_ts_ns"], _forecast_ttl_ns(legs[k], params))


@kernel
def _forecast_ttl_ns(leg, params):
    return math.floor(params[0]["forecast_ttl_horizons"] * leg["horizon_min"] * MINUTE_NS)
