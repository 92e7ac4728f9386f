"""Try an own queue model against its contract before it meets a market."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

from fills.own_queue import ARGUMENTS, OwnQueue
from replay.errors import UsageError
from replay.jit import call_plainly

_SIZES = (0, 1, 2, 3, 7, 50, 100, 1_000, 1_000_000_000)
_SHARES = (0.0, 0.1, 0.5, 0.9, 1.0)
_MARKETS = ((0, 1, 1, 0), (1_000_000, 1, 100, 60_000_000_000), (3_600_000_000_000, 30, 0, 2**62))  # age, spread, other, quiet


def check_queue_model(own: OwnQueue) -> None:
    """Try a queue model that `bind_queue_model` returned on some thousand situations.

    What its functions return must be whole, between zero and what was ahead, and not above what is displayed; the same question
    must get the same answer, and the compiled function must answer as plain Python does. The functions are not told the side, so
    a mirrored market is mirrored by construction.

    Raises
    ------
    UsageError
        With the first breach: the function, its arguments, its answer.
    """
    if not isinstance(own, OwnQueue):
        raise UsageError(f"check_queue_model takes what fills.bind_queue_model returns, got {type(own).__name__}")
    functions = dict(zip(ARGUMENTS, zip(own.sources, own.addresses, strict=True), strict=True))
    for name, most, arguments in _situations():
        function, address = functions[name]
        _check_answer(name, function, arguments, most, call_plainly(address, arguments))


def _situations() -> Iterator[tuple[str, int, tuple[int, ...]]]:
    """Yield a function's name, the most it may return, and its arguments."""
    for size in _SIZES:
        yield "on_join", size, (size,)
    for ahead, taken in product(_SIZES, _SIZES):
        yield "on_trade", ahead, (ahead, taken)
    for new, drop, share, market in product(_SIZES, _SIZES[1:], _SHARES, _MARKETS):
        ahead = int((new + drop) * share)
        yield "on_level_change", min(ahead, new), (ahead, drop, new, *market)


def _check_answer(name: str, function: Callable[..., Any], arguments: tuple[int, ...], most: int, compiled: int) -> None:
    told = ", ".join(f"{key}={value}" for key, value in zip(ARGUMENTS[name], arguments, strict=True))
    answer = function(*arguments)
    if isinstance(answer, bool) or answer != answer or answer != int(answer):
        raise UsageError(f"{name}({told}) must return a whole number, got {answer!r}")
    if not 0 <= answer <= most:
        raise UsageError(f"{name}({told}) must lie between 0 and {most}: nobody comes in before us, nobody hides; got {answer}")
    if function(*arguments) != answer:
        raise UsageError(f"{name}({told}) gave two answers to one question: it must depend on its arguments alone")
    if compiled != answer:
        raise UsageError(
            f"{name}({told}) is {answer} in Python and {compiled} compiled; numbers too large, or a division of integers"
        )
