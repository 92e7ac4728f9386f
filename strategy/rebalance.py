"""Rebalance trigger: when may a new target replace what is held?

*Enhanced* (design row 4): when something happened, not when the clock says so. `aim` is what is held, or what a running plan
works towards. A move goes on when one of these holds, else it is NO_TRADE_BAND::

    drift     |target - aim| value / equity > band
    bargain   spread < tight_bps  and  confidence > confidence_min,    confidence = net edge sqrt(horizon) / sigma
    regime    the symbol's regime (`strategy.regime`) is not that of its last move
    sweep     once per day and symbol, within `window_ns` of the sweep time, whatever the size

Bargain and regime let nothing through of at most `least` of equity: a target of as many dollars is another number of shares
whenever the price moves, and the edge that was judged bears the commission of a whole position, not the minimum of one share.

`sigma` is the forecast's standard deviation over its horizon in minutes, so the confidence is the net edge in standard deviations
of one minute. The sweep is at `sweep_min`, or `sweep_before_close_min` before the close where that is earlier: 14:30 of a whole
day in New York is 11:30 of a day that closes at 13:00. A timer asks for it, no message of anybody is needed.

*Original*: at fixed times of day. A time opens a window; the first decision of a symbol that gets as far as this step inside the
window goes on, and closes it for this symbol::

    due  iff  some T_k <= now < T_k + window_ns  and the symbol has not gone on since T_k

A timer at each T_k asks for a cycle of every symbol that ever had a forecast; forecasts that arrive later inside the window ask
themselves. Exits do not pass here. *Off*: always due. Where the original stands in for the enhanced form, its times have no
timer: the forecasts of the window ask.

Times of day are minutes after midnight at the exchange (New York, unless a session has another calendar); `set_day` gets them as
ns of the day in force.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from replay.bundle import bundle
from replay.desk import NEVER
from replay.jit import kernel
from replay.settings import as_row, setting
from strategy.decision import DECISION, Reason
from strategy.features import new_features
from strategy.modes import ENHANCED, OFF, mode_setting, rollout_setting

MAX_TIMES = 512
_EVERY_QUARTER = tuple(range(9 * 60 + 45, 15 * 60 + 46, 15))


@dataclass(frozen=True, slots=True, kw_only=True)
class RebalanceSettings:
    """Settings of the rebalance trigger."""

    mode: str = mode_setting(has_enhanced=True)
    rollout: float = rollout_setting()
    times_min: tuple[int, ...] = setting(
        _EVERY_QUARTER,
        "times of day at the exchange (minutes after midnight) at which targets may change",
        unit="min",
        ge=0,
        lt=1440,
    )
    window_ns: int = setting(60_000_000_000, "how long after such a time a decision still counts as on time", unit="ns", gt=0)
    band: float = setting(0.008, "enhanced: moves up to this share of equity wait for a better reason", ge=0, lt=1)
    tight_bps: float = setting(5.0, "enhanced: spread below which a small move may go on", unit="bps", ge=0)
    confidence_min: float = setting(2.0, "enhanced: net edge it then needs, in standard deviations of one minute", ge=0)
    least: float = setting(0.002, "enhanced: moves up to this share of equity go on in the sweep alone", ge=0, lt=1)
    sweep_min: int = setting(
        870, "enhanced: time of day at which every target is set once, whatever its size", unit="min", ge=0, lt=1440
    )
    sweep_before_close_min: int = setting(90, "enhanced: the sweep is at least this long before the close", unit="min", ge=0)


@bundle
class Rebalance(NamedTuple):
    """State of the trigger."""

    times_ns: np.ndarray  # int64 (MAX_TIMES,), ascending, NEVER behind the last: when timers ask
    fixed_ns: np.ndarray  # int64 (MAX_TIMES,), likewise: the fixed times of the original form
    next_index: np.ndarray  # int64 (1,), first time whose timer has not fired
    done_ns: np.ndarray  # int64 (n_symbols,), when the symbol last went on
    regimes: np.ndarray  # int64 (n_symbols,), its regime then, plus 2; 0 = it never did


def new_rebalance(n_symbols: int) -> Rebalance:
    """Return a trigger without times."""
    return Rebalance(
        np.full(MAX_TIMES, NEVER, np.int64),
        np.full(MAX_TIMES, NEVER, np.int64),
        np.zeros(1, np.int64),
        np.full(n_symbols, -NEVER, np.int64),
        np.zeros(n_symbols, np.int64),
    )


def set_day(state: Rebalance, times_ns: Sequence[int], fixed_ns: Sequence[int] | None = None) -> None:
    """Put the times of one day (ns UTC) in place, and those of the original form where they are others; in any order."""
    for table, times in ((state.times_ns, times_ns), (state.fixed_ns, times_ns if fixed_ns is None else fixed_ns)):
        table[:] = NEVER
        table[: len(times)] = np.sort(np.asarray(times, np.int64))
    state.next_index[0] = 0


def times_of_day_min(settings: RebalanceSettings, close_min: int) -> tuple[int, ...]:
    """Return the minutes after midnight at which a timer asks, on a day that closes at `close_min`."""
    if settings.mode == "enhanced":
        return (min(settings.sweep_min, close_min - settings.sweep_before_close_min),)
    return settings.times_min


def day_times_ns(settings: RebalanceSettings, day: date, zone: str, close_ns: int) -> tuple[list[int], list[int]]:
    """Return the times of a day at which a timer asks, and the fixed ones of the original form, ns UTC.

    Its times of day are meant in the exchange's zone.
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    close_min = (close_ns - int(midnight.timestamp()) * 1_000_000_000) // 60_000_000_000

    def at(minutes: Sequence[int]) -> list[int]:
        times = [midnight + timedelta(minutes=int(minute)) for minute in minutes]
        return [int(time.timestamp()) * 1_000_000_000 for time in times]

    return at(times_of_day_min(settings, close_min)), at(settings.times_min)


@kernel
def may_move(s, now_ns, move_share, decision, features, rebalance, params):
    """Return 0 when the decision's target may be set now, else NOT_REBALANCE_TIME or NO_TRADE_BAND.

    `move_share` is the value of the move as a share of equity.
    """
    param = params[0]
    if param["mode"] != ENHANCED:
        return is_due(s, now_ns, rebalance, params)
    if math.isnan(move_share):
        return Reason.NO_TRADE_BAND
    if move_share == 0.0 or move_share > param["band"]:  # no move at all is none to refuse
        return 0
    if is_due(s, now_ns, rebalance, params) == 0:
        return 0
    is_other = rebalance.regimes[s] != 0 and rebalance.regimes[s] != features[s]["regime"] + 2
    if move_share > param["least"] and (is_other or _is_bargain(decision[0], param)):
        return 0
    return Reason.NO_TRADE_BAND


@kernel
def _is_bargain(row, param):
    if row["mid2"] <= 0 or 20_000.0 * row["spread"] / row["mid2"] >= param["tight_bps"]:
        return False
    return confidence(row["net_edge_bps"], row["sigma_bps"], row["horizon_min"]) > param["confidence_min"]


@kernel
def confidence(net_edge_bps, sigma_bps, horizon_min):
    """Return the net edge in standard deviations of one minute; 0 for a NaN or without a standard deviation."""
    if not (net_edge_bps > 0.0 and 0.0 < sigma_bps < math.inf):
        return 0.0
    return net_edge_bps * math.sqrt(horizon_min) / sigma_bps


@kernel
def is_due(s, now_ns, rebalance, params):
    """Return 0 when the clock lets a new target be set now, else NOT_REBALANCE_TIME."""
    if params[0]["mode"] == OFF:
        return 0
    last_ns = last_time_ns(now_ns, rebalance.times_ns if params[0]["mode"] == ENHANCED else rebalance.fixed_ns)
    if now_ns - last_ns < params[0]["window_ns"] and rebalance.done_ns[s] < last_ns:
        return 0
    return Reason.NOT_REBALANCE_TIME


@kernel
def last_time_ns(now_ns, times_ns):
    """Return the latest time of day that has come, or a stamp long ago."""
    last_ns = -(2**62)
    for k in range(len(times_ns)):
        if times_ns[k] > now_ns:
            break
        last_ns = times_ns[k]
    return last_ns


@kernel
def mark_done(s, now_ns, features, rebalance):
    """Note that the symbol went on at `now_ns`, and in which regime."""
    rebalance.done_ns[s] = now_ns
    rebalance.regimes[s] = features[s]["regime"] + 2


@kernel
def next_time_ns(rebalance):
    """Return when the next timer is due, or NEVER."""
    k = rebalance.next_index[0]
    return rebalance.times_ns[k] if k < len(rebalance.times_ns) else NEVER


@kernel
def pop_due(now_ns, rebalance):
    """Step over all times that have come; return 1 when there was one."""
    was_due = 0
    while next_time_ns(rebalance) <= now_ns:
        rebalance.next_index[0] += 1
        was_due = 1
    return was_due


class Move(NamedTuple):
    """A move that is to be judged: its size, what it costs, what it promises, and the regime (-1 calm, 0 normal, 1 wild)."""

    equity_share: float
    spread_bps: float
    net_edge_bps: float
    sigma_bps: float
    horizon_min: int
    regime: int = 0


class RebalanceClock:
    """Say when targets may change, in anybody's loop: `go_on` asks the clock, `judge` the enhanced form all of its reasons.

    Parameters
    ----------
    symbols : sequence of str
    times_ns : sequence of int
        Times of the day, ns UTC; in the enhanced form that of the sweep.
    settings : RebalanceSettings, optional
    **changes
        Single settings, by name, where no `settings` are given.

    Examples
    --------
    >>> clock = RebalanceClock(["AAPL"], [1_000, 2_000], window_ns=100)
    >>> [clock.go_on("AAPL", now_ns) for now_ns in (999, 1_050, 1_060, 2_100)]
    [False, True, False, False]
    >>> trigger = RebalanceClock(["AAPL"], [], mode="enhanced")
    >>> small = Move(equity_share=0.004, spread_bps=2.0, net_edge_bps=3.0, sigma_bps=20.0, horizon_min=30)
    >>> [trigger.judge("AAPL", 0, move).name for move in (small, small._replace(net_edge_bps=9.0))]
    ['NO_TRADE_BAND', 'TARGET_SET']
    """

    def __init__(
        self, symbols: Sequence[str], times_ns: Sequence[int], settings: RebalanceSettings | None = None, **changes: Any
    ) -> None:
        self.settings = settings or RebalanceSettings(**changes)
        self._index = {name: k for k, name in enumerate(symbols)}
        self._params = as_row(self.settings)
        self._state = new_rebalance(len(self._index))
        self._features, _ = new_features(len(self._index))
        self._decision = np.zeros(1, DECISION)
        set_day(self._state, times_ns)

    def go_on(self, symbol: str, now_ns: int) -> bool:
        """Tell whether the clock lets the symbol set a new target now; if so, its window is closed."""
        s = self._index[symbol]
        if is_due(s, now_ns, self._state, self._params):
            return False
        mark_done(s, now_ns, self._features, self._state)
        return True

    def judge(self, symbol: str, now_ns: int, move: Move) -> Reason:
        """Return TARGET_SET (0) where the move may go on, and take it for done; else why not."""
        s, row = self._index[symbol], self._decision[0]
        row["mid2"] = 20_000 * _FINE
        row["spread"] = round(move.spread_bps * _FINE) if math.isfinite(move.spread_bps) else row["mid2"]
        for name in ("net_edge_bps", "sigma_bps", "horizon_min"):
            row[name] = getattr(move, name)
        self._features[s]["regime"] = move.regime
        share = float(move.equity_share)
        reason = may_move(s, now_ns, share, self._decision, self._features, self._state, self._params)
        if reason == 0:
            mark_done(s, now_ns, self._features, self._state)
        return Reason(reason)


_FINE = 1_000_000
