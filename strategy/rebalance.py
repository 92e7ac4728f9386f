"""Rebalance trigger: when may a new target replace what is held?

*Original*: at fixed times of day. A time opens a window; the first decision of a symbol that gets as far as this step inside the
window goes on, and closes it for this symbol::

    due  iff  some T_k <= now < T_k + window_ns  and the symbol has not gone on since T_k

A timer at each T_k asks for a cycle of every symbol that ever had a forecast; forecasts that arrive later inside the window ask
themselves. Exits do not pass here. *Off*: always due.

Times of day are minutes after midnight at the exchange (New York, unless a session has another calendar); `set_day` gets them as
ns of the day in force.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from replay.bundle import bundle
from replay.desk import NEVER
from replay.jit import kernel
from replay.settings import as_row, setting
from strategy.decision import Reason
from strategy.modes import OFF, mode_setting

MAX_TIMES = 512
_EVERY_QUARTER = tuple(range(9 * 60 + 45, 15 * 60 + 46, 15))


@dataclass(frozen=True, slots=True, kw_only=True)
class RebalanceSettings:
    """Settings of the rebalance trigger."""

    mode: str = mode_setting()
    times_min: tuple[int, ...] = setting(
        _EVERY_QUARTER,
        "times of day at the exchange (minutes after midnight) at which targets may change",
        unit="min",
        ge=0,
        lt=1440,
    )
    window_ns: int = setting(60_000_000_000, "how long after such a time a decision still counts as on time", unit="ns", gt=0)


@bundle
class Rebalance(NamedTuple):
    """State of the trigger."""

    times_ns: np.ndarray  # int64 (MAX_TIMES,), ascending, NEVER behind the last
    next_index: np.ndarray  # int64 (1,), first time whose timer has not fired
    done_ns: np.ndarray  # int64 (n_symbols,), when the symbol last went on


def new_rebalance(n_symbols: int) -> Rebalance:
    """Return a trigger without times."""
    return Rebalance(np.full(MAX_TIMES, NEVER, np.int64), np.zeros(1, np.int64), np.full(n_symbols, -NEVER, np.int64))


def set_day(state: Rebalance, times_ns: Sequence[int]) -> None:
    """Put the times of one day (ns UTC) in place; they need not be sorted."""
    state.times_ns[:] = NEVER
    state.times_ns[: len(times_ns)] = np.sort(np.asarray(times_ns, np.int64))
    state.next_index[0] = 0


@kernel
def is_due(s, now_ns, rebalance, params):
    """Return 0 when a new target may be set now, else NOT_REBALANCE_TIME."""
    if params[0]["mode"] == OFF:
        return 0
    last_ns = last_time_ns(now_ns, rebalance)
    if now_ns - last_ns < params[0]["window_ns"] and rebalance.done_ns[s] < last_ns:
        return 0
    return Reason.NOT_REBALANCE_TIME


@kernel
def last_time_ns(now_ns, rebalance):
    """Return the latest time of day that has come, or a stamp long ago."""
    last_ns = -(2**62)
    for k in range(len(rebalance.times_ns)):
        if rebalance.times_ns[k] > now_ns:
            break
        last_ns = rebalance.times_ns[k]
    return last_ns


@kernel
def mark_done(s, now_ns, rebalance):
    """Note that the symbol went on at `now_ns`."""
    rebalance.done_ns[s] = now_ns


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


class RebalanceClock:
    """Say when targets may change, in anybody's loop.

    Parameters
    ----------
    symbols : sequence of str
    times_ns : sequence of int
        Times of the day, ns UTC.
    settings : RebalanceSettings, optional
    **changes
        Single settings, by name, where no `settings` are given.

    Examples
    --------
    >>> clock = RebalanceClock(["AAPL"], [1_000, 2_000], window_ns=100)
    >>> [clock.go_on("AAPL", now_ns) for now_ns in (999, 1_050, 1_060, 2_100)]
    [False, True, False, False]
    """

    def __init__(
        self, symbols: Sequence[str], times_ns: Sequence[int], settings: RebalanceSettings | None = None, **changes: Any
    ) -> None:
        self.settings = settings or RebalanceSettings(**changes)
        self._index = {name: k for k, name in enumerate(symbols)}
        self._params = as_row(self.settings)
        self._state = new_rebalance(len(self._index))
        set_day(self._state, times_ns)

    def go_on(self, symbol: str, now_ns: int) -> bool:
        """Tell whether the symbol may set a new target now; if so, its window is closed."""
        s = self._index[symbol]
        if is_due(s, now_ns, self._state, self._params):
            return False
        mark_done(s, now_ns, self._state)
        return True
