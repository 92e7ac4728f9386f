"""Sums of floats from left to right, as kernels add: since Python 3.12 the built-in `sum` rounds less than that."""

from collections.abc import Iterable


def added(values: Iterable[float]) -> float:
    """Return the sum, rounded after every step."""
    total = 0.0
    for value in values:
        total += value
    return total
