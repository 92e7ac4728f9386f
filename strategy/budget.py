"""Message budget: how much the strategy may say to the broker.

*Original*: over all symbols, new orders and modifies are granted only while at most `messages_per_min` messages lie in the last
minute, the granted ones included::

    grant n at t  iff  #{messages in (t - 60 s, t]} + n <= messages_per_min

Cancels always pass, because an order that cannot be taken back is the larger evil; they are counted like the others, so that
a burst of cancels makes new orders wait. So no window of 60 s that ends with a granted message holds more than the budget, and
any other window exceeds it by no more than its cancels. *Off* grants everything and still counts.

The last `CAPACITY` stamps are kept in a ring; more than `messages_per_min` of them are never needed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from replay.jit import kernel
from replay.settings import as_row, setting
from strategy.modes import OFF, mode_setting

CAPACITY = 512
WINDOW_NS = 60_000_000_000

BUDGET = np.dtype(
    [
        ("stamps_ns", "i8", (CAPACITY,)),  # ring of message times
        ("head", "i8"),  # messages ever counted
        ("granted_count", "i8"),
        ("refused_count", "i8"),
        ("cancel_count", "i8"),
    ],
    align=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetSettings:
    """Settings of the message budget."""

    mode: str = mode_setting()
    messages_per_min: int = setting(60, "messages of all symbols in any 60 s", ge=1, le=CAPACITY)


def new_budget() -> np.ndarray:
    """Return an unused budget, BUDGET (1,)."""
    return np.zeros(1, BUDGET)


@kernel
def take(n_messages, now_ns, budget, params):
    """Ask for `n_messages` new orders or modifies at `now_ns`; return 1 when granted (and counted), else 0."""
    row = budget[0]
    if params[0]["mode"] != OFF and n_messages > messages_left(now_ns, budget, params):
        row["refused_count"] += n_messages
        return 0
    row["granted_count"] += n_messages
    _count(n_messages, now_ns, row)
    return 1


@kernel
def take_cancel(now_ns, budget):
    """Count a cancel; it always passes."""
    budget[0]["cancel_count"] += 1
    _count(1, now_ns, budget[0])


@kernel
def messages_left(now_ns, budget, params):
    """Return how many messages would be granted at `now_ns`."""
    row = budget[0]
    limit = params[0]["messages_per_min"]
    used = 0
    while used < min(row["head"], limit) and row["stamps_ns"][(row["head"] - 1 - used) % CAPACITY] > now_ns - WINDOW_NS:
        used += 1
    return limit - used


@kernel
def _count(n_messages, now_ns, row):
    for _ in range(n_messages):
        row["stamps_ns"][row["head"] % CAPACITY] = now_ns
        row["head"] += 1


class MessageBudget:
    """Count messages and grant new ones, in anybody's loop.

    Parameters
    ----------
    settings : BudgetSettings, optional
    **changes
        Single settings, by name, where no `settings` are given.

    Examples
    --------
    >>> budget = MessageBudget(messages_per_min=2)
    >>> [budget.take(ts_ns) for ts_ns in (0, 1, 2)]
    [True, True, False]
    >>> budget.take_cancel(3)
    >>> budget.take(60_000_000_001), budget.left(60_000_000_001)
    (True, 0)
    >>> budget.left(60_000_000_003)
    1
    """

    def __init__(self, settings: BudgetSettings | None = None, **changes: Any) -> None:
        self.settings = settings or BudgetSettings(**changes)
        self._params = as_row(self.settings)
        self._state = new_budget()

    def take(self, now_ns: int, messages: int = 1) -> bool:
        """Ask for messages; times must not go back."""
        return bool(take(messages, now_ns, self._state, self._params))

    def take_cancel(self, now_ns: int) -> None:
        """Count a cancel."""
        take_cancel(now_ns, self._state)

    def left(self, now_ns: int) -> int:
        """Return how many messages would be granted now."""
        return int(messages_left(now_ns, self._state, self._params))
