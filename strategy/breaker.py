"""Circuit breaker: a component that keeps failing for a symbol lets its original form act for a while, then tries again.

One breaker per symbol and component. It is *closed* while the component's enhanced form acts, *open* while the original does,
and *half-open* while one trial of the enhanced form decides::

    closed      the failure_count_max-th failure within window_ns       -> open, at the time of that failure
    open        now >= opening + wait,  wait = cool_down_ns at first    -> half-open: the enhanced form may act again
    half-open   its first answer: sound                                 -> closed, all failures forgotten
                                  a failure       -> open again,  wait = min(2 wait, cool_down_max_ns)

A component fails where its kernel gives an answer that no sound input can lead to; what a component refuses is no failure.
A decision that never asks the component is no trial. Two openings of one breaker are at least cool_down_ns apart: it cannot flap
faster. What opened for one symbol changes nothing for the others, and nothing ever stops them all.

References
----------
Nygard, M. (2007), "Release It!", section 5.2: the circuit breaker.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from replay.errors import ConfigError
from replay.jit import kernel
from replay.settings import as_row, setting
from strategy.border import as_ns, make_settings

CLOSED = 0
OPEN = 1
HALF_OPEN = 2
STATES = ("closed", "open", "half-open")
MAX_FAILURES = 8
SWITCH = ("on", "off")
_ON = SWITCH.index("on")

BREAKER = np.dtype(
    [
        ("state", "i8"),
        ("opened_ns", "i8"),
        ("wait_ns", "i8"),  # of the last opening
        ("open_count", "i8"),  # how often it opened
        ("failure_count", "i8"),  # since it was last closed
        ("failed_ns", "i8", (MAX_FAILURES,)),  # when: a ring
    ],
    align=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerSettings:
    """Settings of the circuit breakers of all components that have an enhanced form."""

    mode: str = setting(
        "on", "on: a component that keeps failing falls back to its original form; off: it never does", choices=SWITCH
    )
    failure_count_max: int = setting(3, "failures for one symbol within the window that open its breaker", ge=1, le=MAX_FAILURES)
    window_ns: int = setting(600_000_000_000, "within how long they must happen", unit="ns", gt=0)
    cool_down_ns: int = setting(
        300_000_000_000, "how long the original form acts before the enhanced one is tried", unit="ns", gt=0
    )
    cool_down_max_ns: int = setting(
        3_600_000_000_000, "how long it acts at most: each trial that fails doubles the wait", unit="ns", gt=0
    )

    def __post_init__(self) -> None:
        """Refuse a longest wait below the first."""
        if self.cool_down_max_ns < self.cool_down_ns:
            raise ConfigError(
                f"breaker.cool_down_max_ns must be at least breaker.cool_down_ns ({self.cool_down_ns}), got "
                f"{self.cool_down_max_ns}; raise it, or lower the other"
            )


@kernel
def is_off(params):
    """Tell whether no breaker holds anything back, not even one that an older state says is open."""
    return params[0]["mode"] != _ON


@kernel
def may_act(breakers, s, c, now_ns, params):
    """Tell whether the enhanced form of component `c` may act for symbol `s` now; a cool-down that is over makes it a trial."""
    if is_off(params):
        return True
    row = breakers[s, c]
    if row["state"] == OPEN and now_ns - row["opened_ns"] >= row["wait_ns"]:
        row["state"] = HALF_OPEN
    return row["state"] != OPEN


@kernel
def note_sound(breakers, s, c):
    """Take in a sound answer of the enhanced form."""
    row = breakers[s, c]
    if row["state"] == HALF_OPEN:
        row["state"] = CLOSED
        row["failure_count"] = 0


@kernel
def note_failure(breakers, s, c, now_ns, params):
    """Take in a failure of the enhanced form; return 1 where it opened the breaker."""
    row = breakers[s, c]
    if is_off(params) or row["state"] == OPEN:
        return 0
    row["failed_ns"][row["failure_count"] % MAX_FAILURES] = now_ns
    row["failure_count"] += 1
    if row["state"] == CLOSED and not _is_too_much(row, now_ns, params):
        return 0
    least_ns = params[0]["cool_down_ns"]
    row["wait_ns"] = least_ns if row["state"] == CLOSED else min(2 * row["wait_ns"], params[0]["cool_down_max_ns"])
    row["state"] = OPEN
    row["opened_ns"] = now_ns
    row["open_count"] += 1
    row["failure_count"] = 0
    return 1


@kernel
def _is_too_much(row, now_ns, params):
    most = params[0]["failure_count_max"]
    if row["failure_count"] < most:
        return False
    return now_ns - row["failed_ns"][(row["failure_count"] - most) % MAX_FAILURES] <= params[0]["window_ns"]


class CircuitBreaker:
    """Keep one breaker per name from plain numbers, for components of anybody's own loop.

    Parameters
    ----------
    settings : BreakerSettings, optional
    **changes
        Single settings, by name, where no `settings` are given.

    Examples
    --------
    >>> breaker = CircuitBreaker(failure_count_max=2, window_ns=100, cool_down_ns=1_000)
    >>> for now_ns in (10, 20):
    ...     if breaker.may_act("gate", now_ns):
    ...         breaker.report("gate", now_ns, is_failed=True)
    >>> breaker.state("gate"), breaker.may_act("gate", 1_019), breaker.may_act("gate", 1_020)
    ('open', False, True)
    >>> breaker.report("gate", 1_020, is_failed=False)
    >>> breaker.state("gate")
    'closed'
    """

    def __init__(self, settings: BreakerSettings | None = None, **changes: Any) -> None:
        self.settings = make_settings(BreakerSettings, settings, changes)
        self._params = as_row(self.settings)
        self._rows: dict[str, np.ndarray] = {}

    def may_act(self, name: str, now_ns: int) -> bool:
        """Tell whether the component may act now, or its fallback has to.

        Parameters
        ----------
        name : str
            Any; a breaker is made for each new one.
        now_ns : int
        """
        return bool(may_act(self._row(name), 0, 0, as_ns(now_ns), self._params))

    def report(self, name: str, now_ns: int, *, is_failed: bool) -> None:
        """Tell what became of an answer of the component.

        Parameters
        ----------
        name : str
        now_ns : int
            When it answered.
        is_failed : bool
            It erred, or its answer cannot be.
        """
        if is_failed:
            note_failure(self._row(name), 0, 0, as_ns(now_ns), self._params)
        else:
            note_sound(self._row(name), 0, 0)

    def state(self, name: str) -> str:
        """Return `closed`, `open` or `half-open`."""
        return STATES[int(self._row(name)[0, 0]["state"])]

    def open_count(self, name: str) -> int:
        """Return how often the breaker opened."""
        return int(self._row(name)[0, 0]["open_count"])

    def _row(self, name: str) -> np.ndarray:
        return self._rows.setdefault(name, np.zeros((1, 1), BREAKER))
