"""Contracts: what a table must hold before it is trusted, and what an own component must keep to before it is used.

A `Contract` says which columns a table has, which of them may be NaN, within which bounds they lie, and how old its newest row
may be. `check_table` holds a table against it: shape, NaN, bounds, order in time, TTL. The other checks try a component with
hard questions; each raises `UsageError` with the first breach and returns nothing when all is well::

    check_gate      no trade on NaN; a higher cost never opens it; the mirrored question has the mirrored answer
    check_guard     older is never trusted more; a quality lies in [0, 1]; what is refused stays refused
    check_weights   not negative, sum one, whatever is NaN; the caller's list is left alone

They are part of the tests of the components here, and meant for those of anybody else.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from replay.errors import DataError, UsageError
from strategy.features import MODEL_FEATURE_NAMES

_HARD = (-5.0, -1.0, -0.0, 0.5, 2.0, 9.0, math.nan, math.inf, -math.inf)
_TINY = 1e-9  # what is to be positive
_COSTS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What one column holds: bounds, both allowed, and whether a value may be unknown."""

    name: str
    low: float = -math.inf
    high: float = math.inf
    is_nan_allowed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What a table holds; `ttl_ns` 0 = it never grows old."""

    name: str
    columns: tuple[Column, ...]
    time: str = "ts_ns"
    ttl_ns: int = 0


FORECASTS = Contract(
    name="forecasts",
    columns=(
        Column(name="mu_bps"),
        Column(name="sigma_bps", low=_TINY),
        Column(name="q_lo_bps", is_nan_allowed=True),
        Column(name="q_hi_bps", is_nan_allowed=True),
        Column(name="p_peak", low=0.0, high=1.0, is_nan_allowed=True),
        Column(name="p_valley", low=0.0, high=1.0, is_nan_allowed=True),
    ),
    time="ready_ts_ns",
)
BARS = Contract(
    name="bars", columns=tuple(Column(name=name, low=_TINY) for name in ("high", "low", "close")), ttl_ns=90_000_000_000
)
FEATURES = Contract(
    name="features",
    columns=tuple(Column(name=name, is_nan_allowed=True) for name in MODEL_FEATURE_NAMES),
    ttl_ns=120_000_000_000,
)


def check_table(table: Mapping[str, Any], contract: Contract, now_ns: int | None = None) -> None:
    """Hold a table against a contract.

    Parameters
    ----------
    table : mapping of str to array, pandas.DataFrame or structured array
        One row per entry; the time column ascends (equal times are allowed).
    contract : Contract
    now_ns : int, optional
        Where given, the newest row must not be older than the TTL, nor lie in the future.

    Raises
    ------
    DataError
        With the first breach: what, column, row, expected, got.

    Examples
    --------
    >>> bars = {"ts_ns": [0, 60], "high": [10.1, 10.2], "low": [10.0, float("nan")], "close": [10.0, 10.1]}
    >>> check_table(bars, BARS)
    Traceback (most recent call last):
    replay.errors.DataError: bars, column `low`, row 1: expected a number from 1e-09 to inf, got nan
    """
    times = _column(table, contract, contract.time)
    back = np.flatnonzero(np.diff(times) < 0)
    if len(back):
        raise DataError(
            f"{contract.name}, column `{contract.time}`, row {back[0] + 1}: expected no time before {times[back[0]]}, "
            f"got {times[back[0] + 1]}"
        )
    for column in contract.columns:
        _check_column(_column(table, contract, column.name), column, contract, len(times))
    if now_ns is not None:
        _check_age(times, contract, now_ns)


def _column(table: Mapping[str, Any], contract: Contract, name: str) -> np.ndarray:
    try:
        values = np.asarray(table[name])
    except (KeyError, ValueError, IndexError):
        names = ", ".join(column.name for column in contract.columns)
        raise DataError(f"{contract.name}: column `{name}` is missing; expected {contract.time}, {names}") from None
    if values.ndim != 1 or values.dtype.kind not in "iufb":
        raise DataError(
            f"{contract.name}, column `{name}`: expected one number per row, got {values.dtype} of shape {values.shape}"
        )
    return values


def _check_column(values: np.ndarray, column: Column, contract: Contract, n_rows: int) -> None:
    if len(values) != n_rows:
        raise DataError(f"{contract.name}, column `{column.name}`: expected {n_rows} rows, got {len(values)}")
    is_unknown = np.isnan(values)
    is_bad = np.isinf(values) | (values < column.low) | (values > column.high) | (is_unknown & (not column.is_nan_allowed))
    bad = np.flatnonzero(is_bad)
    if len(bad):
        also = " or NaN" if column.is_nan_allowed else ""
        raise DataError(
            f"{contract.name}, column `{column.name}`, row {bad[0]}: expected a number from {column.low:g} to "
            f"{column.high:g}{also}, got {values[bad[0]]}"
        )


def _check_age(times: np.ndarray, contract: Contract, now_ns: int) -> None:
    if not len(times):
        raise DataError(f"{contract.name}: expected at least one row, got none")
    age_ns = now_ns - int(times[-1])
    if age_ns < 0:
        raise DataError(f"{contract.name}, row {len(times) - 1}: {contract.time} lies {-age_ns} ns in the future")
    if 0 < contract.ttl_ns < age_ns:
        raise DataError(
            f"{contract.name}: the newest row is {age_ns / 1e9:g} s old; expected at most {contract.ttl_ns / 1e9:g} s"
        )


class Gate(Protocol):
    """What `check_gate` tries."""

    def judge(self, q_lo_bps: float, q_hi_bps: float, cost_bps: float) -> tuple[int, Any]:
        """Return the side that may be traded (1, -1, or 0 for none) and why."""


def check_gate(gate: Gate) -> None:
    """Try a gate with bounds and costs of every kind.

    Raises
    ------
    UsageError
        With the first breach.
    """
    name = type(gate).__name__
    for low in _HARD:
        for high in _HARD:
            if low > high:
                continue  # crossed bounds are the caller's to mend
            sides = [gate.judge(low, high, cost)[0] for cost in _COSTS]
            _check_sides(name, low, high, sides)
            if [-gate.judge(-high, -low, cost)[0] for cost in _COSTS] != sides:
                raise UsageError(f"{name} treats longs and shorts differently: bounds {low}, {high} and their mirror")
            if gate.judge(low, high, math.nan)[0] != 0:
                raise UsageError(f"{name} trades although the cost is NaN: bounds {low}, {high}")


def _check_sides(name: str, low: float, high: float, sides: Sequence[int]) -> None:
    if not all(side in (-1, 0, 1) for side in sides):
        raise UsageError(f"{name}.judge({low}, {high}, ...) answered {sides}; expected sides -1, 0 or 1")
    if math.isnan(low + high) and any(sides):
        raise UsageError(f"{name} trades on bounds that are not numbers: {low}, {high}")
    for cheap, dear, before, after in zip(_COSTS, _COSTS[1:], sides, sides[1:], strict=False):
        if after not in (before, 0):
            raise UsageError(f"{name} opens as cost rises: side {before} at {cheap}, {after} at {dear} (bounds {low}, {high})")


def check_guard(trust: Callable[[int], float], ages_ns: Sequence[int]) -> None:
    """Try a staleness guard: `trust(age_ns)` is the quality of an input of that age, 0 where it is refused.

    Raises
    ------
    UsageError
        With the first breach.
    """
    before = 1.0
    for age_ns in sorted(ages_ns):
        quality = trust(age_ns)
        if not 0.0 <= quality <= 1.0:
            raise UsageError(f"the quality at an age of {age_ns} ns is {quality}; expected a number in [0, 1]")
        if quality > before:
            raise UsageError(f"the quality rises with age: {before} before, {quality} at {age_ns} ns")
        before = quality


def check_weights(weigh: Callable[[list[float]], Sequence[float]], n: int = 3) -> None:
    """Try whatever turns `n` raw weights into weights that are used.

    Raises
    ------
    UsageError
        With the first breach.
    """
    for first in (*_HARD, 1e300, 1e-300):
        for second in _HARD:
            raw = [first, second, *[0.25] * (n - 2)]
            kept = list(raw)
            found = [float(weight) for weight in weigh(raw)]
            if repr(raw) != repr(kept):
                raise UsageError(f"weights {kept} were changed in the caller's list")
            if len(found) != n or not all(0.0 <= weight < math.inf for weight in found):
                raise UsageError(f"weights {kept} became {found}; expected {n} finite numbers that are not negative")
            if not math.isclose(math.fsum(found), 1.0, abs_tol=1e-9):
                raise UsageError(f"weights {kept} became {found}, which sum to {math.fsum(found)} instead of 1")
