"""A user's own queue model: three small functions of integers, bound once, called from the compiled exchange.

::

    def on_join(displayed_qty): ...
    def on_trade(ahead_qty, taken_qty): ...
    def on_level_change(ahead_qty, drop_qty, new_qty, age_ns, spread_ticks, other_qty, quiet_ns): ...

Each returns what is ahead of the order now. The exchange keeps its laws whatever they say: an answer is cut to what lies between
zero and what was ahead, and to what is displayed. `fills.check_queue_model` says beforehand where it would have to be.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fills.queue import OWN
from replay.errors import UsageError
from replay.jit import address_of

ARGUMENTS = {
    "on_join": ("displayed_qty",),
    "on_trade": ("ahead_qty", "taken_qty"),
    "on_level_change": ("ahead_qty", "drop_qty", "new_qty", "age_ns", "spread_ticks", "other_qty", "quiet_ns"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnQueue:
    """Hold a user's queue model; made by `bind_queue_model`."""

    on_join: Callable[..., int]
    on_trade: Callable[..., int]
    on_level_change: Callable[..., int]
    addresses: tuple[int, int, int]

    @property
    def code(self) -> int:
        """Return the number of the model in `VENUE_CTL`."""
        return OWN

    @property
    def value(self) -> str:
        """Return its name: that of the module and function that shares falls."""
        return f"{self.on_level_change.__module__}.{self.on_level_change.__name__}"

    @property
    def sources(self) -> tuple[Callable[..., int], ...]:
        """Return the three functions."""
        return self.on_join, self.on_trade, self.on_level_change


def join_the_display(displayed_qty: int) -> int:
    """Join behind all that is displayed: what `bind_queue_model` takes where no `on_join` is given."""
    return displayed_qty


def take_from_the_front(ahead_qty: int, taken_qty: int) -> int:
    """Let prints take from the front: what `bind_queue_model` takes where no `on_trade` is given."""
    return max(ahead_qty - taken_qty, 0)


def bind_queue_model(
    *,
    on_level_change: Callable[..., int],
    on_join: Callable[..., int] = join_the_display,
    on_trade: Callable[..., int] = take_from_the_front,
) -> OwnQueue:
    """Bind a user's queue model into the compiled exchange; use it as `queue` of `simulate`, or name it in `[venue] queue`.

    Parameters
    ----------
    on_level_change : callable
        `on_level_change(ahead_qty, drop_qty, new_qty, age_ns, spread_ticks, other_qty, quiet_ns)`: the display of the order's
        level fell to `new_qty`, `drop_qty` of it unexplained by prints; `age_ns` since the order joined, `other_qty` displayed on
        the other side, `quiet_ns` since the last print on this side.
    on_join : callable, optional
        `on_join(displayed_qty)`: the order joins a visible level.
    on_trade : callable, optional
        `on_trade(ahead_qty, taken_qty)`: prints took `taken_qty` at the order's price.

    Raises
    ------
    UsageError
        For a lambda, a closure or another number of arguments, or for a function outside numba's subset of Python.
    """
    functions = {"on_join": on_join, "on_trade": on_trade, "on_level_change": on_level_change}
    addresses = tuple(_address(name, function) for name, function in functions.items())
    return OwnQueue(**functions, addresses=addresses)  # type: ignore[arg-type]


def _address(name: str, function: Any) -> int:
    expected = ARGUMENTS[name]
    if not inspect.isfunction(function) or function.__name__ == "<lambda>":
        raise UsageError(f"`{name}` must be a plain function, got {function!r}; define it with `def` at the top of a module")
    if function.__closure__:
        names = ", ".join(function.__code__.co_freevars)
        raise UsageError(f"`{function.__name__}` closes over {names}; make them constants of the module")
    if function.__code__.co_argcount != len(expected):
        raise UsageError(
            f"`{function.__name__}` takes {function.__code__.co_argcount} arguments, expected {name}({', '.join(expected)})"
        )
    try:
        return address_of(function)
    except Exception as error:
        first = str(error).strip().splitlines()[0]
        raise UsageError(
            f"`{function.__name__}` cannot be used: {name} must return an integer made of integers ({first})"
        ) from error
