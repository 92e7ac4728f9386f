"""The third door: a user's own kernel, bound into the compiled loop at the speed of the default pipeline."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from replay.errors import UsageError
from replay.jit import bound_kernel


@dataclass(frozen=True, slots=True)
class BoundKernel:
    """A user's `decide` kernel and the maker of its state; made by `bind`."""

    decide: Any
    make_state: Callable[[int], tuple[Any, ...]]


def bind(decide: Callable[..., Any], make_state: Callable[[int], tuple[Any, ...]] | None = None) -> BoundKernel:
    """Bind a user's `decide` function into the compiled loop.

    Parameters
    ----------
    decide : callable
        A module-level function `decide(wake, i, block, desk, state)` in numba's subset; see `replay.desk`.
    make_state : callable, optional
        `make_state(n_symbols)` gives the tuple of arrays handed back as `state`. Default: one float64 array (n_symbols, 16).

    Raises
    ------
    UsageError
        For a lambda, a closure, or another number of arguments.
    """
    source = getattr(decide, "py_func", decide)
    if not inspect.isfunction(source) or source.__name__ == "<lambda>":
        raise UsageError(f"bind needs a plain function, got {decide!r}; define it with `def` at the top of a module")
    if source.__closure__:
        names = ", ".join(source.__code__.co_freevars)
        raise UsageError(f"`{source.__name__}` closes over {names}; pass them through `state`, or make them module constants")
    if source.__code__.co_argcount != 5:
        raise UsageError(
            f"`{source.__name__}` takes {source.__code__.co_argcount} arguments, expected decide(wake, i, block, desk, state)"
        )
    compiled = decide if decide is not source else bound_kernel(source)
    return BoundKernel(compiled, make_state or _default_state)


def _default_state(n_symbols: int) -> tuple[Any, ...]:
    return (np.zeros((n_symbols, 16)),)
