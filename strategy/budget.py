"""Message budget: how much the strategy may say to the broker.

*Original*: over all symbols, new orders and modifies are granted only while at most `messages_per_min` messages lie in the last
minute, the granted ones included::

    grant n at t  iff  #{messages in (t - 60 s, t]} + n <= messages_per_min

Cancels always pass, because an order that cannot be taken back is the larger evil; they are counted like the others, so that
a burst of cancels makes new orders wait. So no window of 60 s that ends with a granted message holds more than the budget, and
any other window exceeds it by no more than its cancels. *Off* grants everything and still counts.

The last `CAPACITY` stamps are kept in a ring; more than `messages_per_min` of them are never needed.

*Enhanced*: token buckets per minute and per second and the ratio of the day, cancels within them (`strategy.token_budget`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from replay.errors import ConfigError
from replay.jit import kernel
from replay.settings import as_row, setting
from strategy.border import make_settings
from strategy.modes import ENHANCED, MODES, OFF, mode_setting
from strategy.token_budget import LONG_AGO_NS, N_BUCKETS, NEEDED, draw, draw_cancel, tokens

CAPACITY = 512
WINDOW_NS = 60_000_000_000

BUDGET = np.dtype(
    [
        ("stamps_ns", "i8", (CAPACITY,)),  # ring of message times
        ("head", "i8"),  # messages ever counted
        ("granted_count", "i8"),
        ("refused_count", "i8"),
        ("cancel_count", "i8"),
        ("credit_ns", "i8", (N_BUCKETS,)),  # of the enhanced form, like all that follow
        ("refill_ns", "i8"),
        ("kept_count", "i8"),  # live orders for whose first cancel a token is kept
        ("day_count", "i8"),  # messages of the day
        ("executed_count", "i8"),  # orders of the day that filled, in part or whole
    ],
    align=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetSettings:
    """Settings of the message budget."""

    mode: str = mode_setting(has_enhanced=True)
    messages_per_min: int = setting(60, "messages of all symbols in any 60 s", ge=1, le=CAPACITY)
    messages_per_s: int = setting(40, "messages of all symbols in any second (enhanced)", ge=1)
    burst_share: float = setting(0.5, "share of each limit that may go out at once (enhanced)", gt=0, le=1)
    efficiency_max: float = setting(20.0, "most messages of a day per executed order and one (enhanced)", gt=0)
    efficiency_from: int = setting(100, "messages of a day before that ratio counts (enhanced)", ge=0)
    discretionary_share: float = setting(0.9, "share of that ratio at which step-ups stop (enhanced)", gt=0, le=1)


def new_budget() -> np.ndarray:
    """Return an unused budget, BUDGET (1,)."""
    budget = np.zeros(1, BUDGET)
    budget["refill_ns"] = LONG_AGO_NS
    return budget


def begin_day(budget: np.ndarray) -> None:
    """Start the counts of a day; no order lives overnight."""
    for name in ("kept_count", "day_count", "executed_count"):
        budget[name] = 0


def check_budget(settings: BudgetSettings) -> None:
    """Refuse limits that would never let an order and its cancel pass."""
    least = min(settings.messages_per_min, settings.messages_per_s)
    if settings.mode == MODES[ENHANCED] and least < 2:
        raise ConfigError(
            f"budget.messages_per_min and budget.messages_per_s must be at least 2 in enhanced mode (an order and its cancel), "
            f"got {settings.messages_per_min} and {settings.messages_per_s}"
        )


def message_limits(settings: BudgetSettings) -> tuple[int, int]:
    """Return the most messages that any 60 s and any second may hold in the form in force; 0 = no limit."""
    if settings.mode == MODES[OFF]:
        return 0, 0
    return settings.messages_per_min, settings.messages_per_s if settings.mode == MODES[ENHANCED] else 0


@kernel
def take(n_messages, now_ns, budget, params):
    """Ask for `n_messages` messages that need no cancel later; return 1 when granted (and counted), else 0."""
    if params[0]["mode"] == ENHANCED:
        return draw(n_messages, 0, NEEDED, now_ns, budget[0], params[0])
    row = budget[0]
    if params[0]["mode"] != OFF and n_messages > messages_left(now_ns, budget, params):
        row["refused_count"] += n_messages
        return 0
    row["granted_count"] += n_messages
    _count(n_messages, now_ns, row)
    return 1


@kernel
def take_new(need, now_ns, budget, params):
    """Ask for a new order; `need` is DISCRETIONARY, NEEDED or EXIT. Return 1 when granted."""
    if params[0]["mode"] == ENHANCED:
        return draw(1, 1, need, now_ns, budget[0], params[0])
    return take(1, now_ns, budget, params)


@kernel
def take_modify(need, now_ns, budget, params):
    """Ask for a change of an order; return 1 when granted."""
    if params[0]["mode"] == ENHANCED:
        return draw(1, 0, need, now_ns, budget[0], params[0])
    return take(1, now_ns, budget, params)


@kernel
def take_cancel(is_kept, now_ns, budget, params):
    """Ask for a cancel; return 0 only when it is a repeated one (`is_kept` 0) of the enhanced form and has to wait."""
    if params[0]["mode"] == ENHANCED:
        return draw_cancel(is_kept, now_ns, budget[0], params[0])
    budget[0]["cancel_count"] += 1
    _count(1, now_ns, budget[0])
    return 1


@kernel
def release(is_kept, budget, params):
    """Free the token that was kept for the cancel of an order which ended without one."""
    if params[0]["mode"] == ENHANCED:
        budget[0]["kept_count"] -= is_kept


@kernel
def count_executed(budget):
    """Count an order that had its first fill."""
    budget[0]["executed_count"] += 1


@kernel
def messages_left(now_ns, budget, params):
    """Return how many messages would be granted at `now_ns`."""
    row = budget[0]
    if params[0]["mode"] == ENHANCED:
        return max(0, tokens(now_ns, row, params[0]) - row["kept_count"])
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
    """Count messages and grant new ones, in anybody's loop; in its original form unless told otherwise.

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
    True
    >>> budget.take(60_000_000_001), budget.left(60_000_000_001)
    (True, 0)
    >>> budget.left(60_000_000_003)
    1

    The enhanced form keeps a token for the cancel of every new order, until the order ends:

    >>> budget = MessageBudget(mode="enhanced", messages_per_min=4, burst_share=1.0)
    >>> budget.take_new(0), budget.take_new(0), budget.take_new(0)
    (True, True, False)
    >>> budget.take_cancel(0), budget.take_cancel(0), budget.take_new(0)
    (True, True, False)
    """

    def __init__(self, settings: BudgetSettings | None = None, **changes: Any) -> None:
        self.settings = make_settings(BudgetSettings, settings, changes)
        check_budget(self.settings)
        self._params = as_row(self.settings)
        self._state = new_budget()

    def take(self, now_ns: int, messages: int = 1) -> bool:
        """Ask for messages that need no cancel later; times must not go back."""
        return bool(take(messages, now_ns, self._state, self._params))

    def take_new(self, now_ns: int, need: int = NEEDED) -> bool:
        """Ask for a new order; `need` is DISCRETIONARY, NEEDED or EXIT of `strategy.token_budget`."""
        return bool(take_new(need, now_ns, self._state, self._params))

    def take_modify(self, now_ns: int, need: int = NEEDED) -> bool:
        """Ask for a change of an order."""
        return bool(take_modify(need, now_ns, self._state, self._params))

    def take_cancel(self, now_ns: int, *, is_repeated: bool = False) -> bool:
        """Ask for a cancel; the first of an order always passes."""
        return bool(take_cancel(0 if is_repeated else 1, now_ns, self._state, self._params))

    def end_order(self) -> None:
        """Tell that an order ended without a cancel."""
        release(1, self._state, self._params)

    def executed(self) -> None:
        """Tell that an order had its first fill."""
        count_executed(self._state)

    def left(self, now_ns: int) -> int:
        """Return how many messages would be granted now."""
        return int(messages_left(now_ns, self._state, self._params))
