"""The border: what callers hand in, checked once, so that kernels may trust it.

Settings keep to the bounds that they state, symbols and horizons are those that a component was made for, and numbers are what
they are said to be. What cannot be meant is one sentence: the value, what was expected, and what to do. What a market or a model
may well say (NaN, an empty side) is no mistake of the caller and passes: it gets a verdict with a reason.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, TypeVar

import numpy as np

from replay.errors import ConfigError, UnknownNameError, UsageError
from strategy.decision import MAX_HORIZONS

S = TypeVar("S")
MAX_SHARES = 1_000_000_000
MAX_PRICE_USD = 1e9  # with it a price in units and a position of some size stay within int64
_MAX_INT = 2**63 - 1
_YEAR_2017_S, _YEAR_2033_S = 1_483_228_800, 1_988_150_400

_BOUNDS = {
    "gt": ("above", lambda value, bound: value > bound),
    "ge": ("at least", lambda value, bound: value >= bound),
    "lt": ("below", lambda value, bound: value < bound),
    "le": ("at most", lambda value, bound: value <= bound),
}


def make_settings(kind: type[S], settings: S | None, changes: Mapping[str, Any], **defaults: Any) -> S:
    """Return the settings of a component: those given whole, or its defaults with single ones changed.

    Raises
    ------
    ConfigError
        For both at once, a name that there is not, a value of another type or beyond its bounds.

    Examples
    --------
    >>> from strategy.budget import BudgetSettings
    >>> make_settings(BudgetSettings, None, {"messages_per_min": 0})
    Traceback (most recent call last):
    replay.errors.ConfigError: messages_per_min must be at least 1, got 0 (messages of all symbols in any 60 s)
    """
    if settings is not None and changes:
        raise ConfigError(f"give either `settings` or single settings, got both: settings and {', '.join(changes)}")
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    for name in changes:
        if name not in known:
            raise ConfigError(f"{kind.__name__} has no '{name}'{suggestion(name, known)}")
    given = kind(**{**defaults, **changes}) if settings is None else settings
    checked = {name: _checked(field, getattr(given, name)) for name, field in known.items()}
    return kind(**checked)


def _checked(field: Any, value: Any) -> Any:
    if isinstance(field.default, tuple):
        if not isinstance(value, (tuple, list, np.ndarray)):
            raise ConfigError(_sentence(field, "a list", value))
        item = field.default[0] if field.default else 0
        return tuple(_one(field, each, type(item)) for each in value)
    return _one(field, value, type(field.default))


def _one(field: Any, value: Any, kind: type) -> Any:
    choices = field.metadata.get("choices")
    if choices is not None:
        if value not in choices:
            raise ConfigError(_sentence(field, "one of " + ", ".join(map(repr, choices)), value))
        return value
    if kind not in (int, float):
        return value
    number = _number(field, value, kind)
    for key, (words, holds) in _BOUNDS.items():
        bound = field.metadata.get(key)
        if bound is not None and not holds(number, bound):
            raise ConfigError(_sentence(field, f"{words} {bound:g}", value))
    return number


def _number(field: Any, value: Any, kind: type) -> Any:
    """Return a value as the type that the kernels were compiled for."""
    is_number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value):
        raise ConfigError(_sentence(field, "a finite number", value))
    if kind is int and value != int(value):
        raise ConfigError(_sentence(field, "a whole number", value))
    return kind(value)


def _sentence(field: Any, expected: str, value: Any) -> str:
    unit = f" {field.metadata['unit']}" if field.metadata.get("unit") else ""
    return f"{field.name} must be {expected}{unit}, got {value!r} ({field.metadata.get('meaning', '')})"


def suggestion(name: Any, known: Iterable[Any]) -> str:
    """Return the end of a sentence about an unknown name: what was probably meant, or what there is."""
    names = [str(each) for each in known]
    close = get_close_matches(str(name), names, n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else f"; known are {', '.join(names)}"


class Names:
    """The symbols and horizons that a component was made for, and where they stand in its arrays.

    Parameters
    ----------
    symbols : sequence of str
    horizons_min : sequence of int, optional
        Ascending, at most MAX_HORIZONS.

    Examples
    --------
    >>> names = Names(["AAPL", "MSFT"], [5, 30])
    >>> names.symbol("MSFT"), names.horizon(30)
    (1, 1)
    >>> names.symbol("MSTF")
    Traceback (most recent call last):
    replay.errors.UnknownNameError: unknown symbol 'MSTF'; did you mean 'MSFT'? Name all in `symbols` when it is made
    """

    def __init__(self, symbols: Sequence[str], horizons_min: Sequence[int] | None = None) -> None:
        self.symbols = tuple(symbols) if not isinstance(symbols, str) else ()
        if not self.symbols or len(set(self.symbols)) < len(self.symbols):
            raise ConfigError(f"symbols must be a list of different names, at least one, got {symbols!r}")
        self._places = {name: k for k, name in enumerate(self.symbols)}
        self.horizons_min = () if horizons_min is None else checked_horizons(horizons_min)

    def __len__(self) -> int:
        return len(self.symbols)

    def symbol(self, symbol: str | None) -> int:
        """Return the place of a symbol; None is the only one there is."""
        if symbol is None and len(self.symbols) == 1:
            return 0
        if symbol not in self._places:
            if symbol is None:
                raise UsageError(f"say which `symbol` is meant; there are {', '.join(self.symbols)}")
            raise UnknownNameError(
                f"unknown symbol {symbol!r}{_ended(suggestion(symbol, self.symbols))} Name all in `symbols` when it is made"
            )
        return self._places[symbol]

    def horizon(self, horizon_min: int) -> int:
        """Return the place of a horizon."""
        return self.horizons_min.index(checked_horizon(horizon_min, self.horizons_min))


def checked_horizon(horizon_min: int, horizons_min: Sequence[int]) -> int:
    """Return a horizon; refuse one that is not among those known."""
    if horizon_min not in horizons_min:
        known = ", ".join(str(each) for each in horizons_min)
        raise UnknownNameError(
            f"unknown horizon_min {horizon_min!r}; known are {known}. Name all in `horizons_min` when it is made"
        )
    return horizon_min


def _ended(text: str) -> str:
    return text if text.endswith("?") else f"{text}."


def checked_horizons(horizons_min: Sequence[int]) -> tuple[int, ...]:
    """Return horizons; refuse those that are not whole positive minutes, ascending, or too many."""
    is_whole = all(int(each) == each and each > 0 for each in horizons_min)
    if not 0 < len(horizons_min) <= MAX_HORIZONS or not is_whole or list(horizons_min) != sorted(set(horizons_min)):
        raise ConfigError(
            f"horizons_min must be 1 to {MAX_HORIZONS} ascending whole numbers of minutes above 0, got {list(horizons_min)}"
        )
    return tuple(int(each) for each in horizons_min)


def check_time(ts_ns: int, last_ns: int, what: str) -> int:
    """Return a time as ns since 1970 (a datetime is understood); refuse one that goes back."""
    now_ns = as_ns(ts_ns)
    if last_ns <= 0 or now_ns < last_ns:
        _check_unit(now_ns)
    if now_ns < last_ns:
        raise UsageError(
            f"{what} go back in time: ts_ns {now_ns} after {last_ns}; hand them in as they come, or drop the late one"
        )
    return now_ns


def _check_unit(ts_ns: int) -> None:
    """Refuse the first time of a stream, or one that goes back, where it is a moment of these years in a coarser unit."""
    for unit, per_s in (("seconds", 1), ("milliseconds", 10**3), ("microseconds", 10**6)):
        if _YEAR_2017_S * per_s <= ts_ns < _YEAR_2033_S * per_s:
            raise UsageError(
                f"ts_ns {ts_ns} looks like {unit} since 1970; times are ns: multiply by {10**9 // per_s:,}, or use time.time_ns()"
            )


def as_ns(moment: Any) -> int:
    """Return a moment as ns since 1970: a whole number is ns already; an aware datetime or a numpy or pandas time is turned.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> as_ns(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)), as_ns(7)
    (1000000000, 7)
    """
    if isinstance(moment, (int, np.integer)) and not isinstance(moment, bool):
        return int(moment)
    if hasattr(moment, "utcoffset") and moment.utcoffset() is not None:
        whole_s = int(moment.replace(microsecond=0).timestamp())
        return whole_s * 1_000_000_000 + int(moment.microsecond) * 1_000 + int(getattr(moment, "nanosecond", 0))
    if isinstance(moment, np.datetime64):
        return int(moment.astype("datetime64[ns]").astype(np.int64))
    raise UsageError(f"a time must be ns since 1970 (UTC) as a whole number, or a datetime with a time zone, got {moment!r}")


def check_numbers(**numbers: Any) -> None:
    """Refuse what is no number at all; NaN and infinity are numbers that get a verdict."""
    for name, value in numbers.items():
        if not isinstance(value, (int, float, np.integer, np.floating)) or isinstance(value, bool):
            raise UsageError(f"{name} must be a number (NaN where it is unknown), got {value!r}")


def check_quantiles(forecast_id: Any, q_lo_bps: float, q_hi_bps: float) -> None:
    """Refuse quantiles that cross; what is NaN stands for itself."""
    if q_lo_bps > q_hi_bps:
        raise UsageError(
            f"forecast {forecast_id} has crossed quantiles: q_lo_bps {q_lo_bps} above q_hi_bps {q_hi_bps}; "
            "sort them, or leave them out and Gaussian ones stand in"
        )


def check_counts(**counts: Any) -> None:
    """Refuse sizes and quantities that are negative or not whole."""
    for name, value in counts.items():
        if not _is_whole(value) or value < 0:
            raise UsageError(f"{name} must be a whole number, 0 or more, got {value!r}")


def check_lot(lot: Any) -> None:
    """Refuse a lot that is no whole number of shares above 0."""
    if not _is_whole(lot) or lot < 1:
        raise UsageError(f"lot must be a whole number, at least 1, got {lot!r}")


def check_whole(**numbers: Any) -> None:
    """Refuse signed shares that are not whole, or more than anybody has."""
    for name, value in numbers.items():
        if not _is_whole(value) or abs(value) > MAX_SHARES:
            raise UsageError(f"{name} must be a whole number of shares, at most {MAX_SHARES:,}, got {value!r}")


def _is_whole(value: Any) -> bool:
    is_number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    return is_number and -_MAX_INT <= value <= _MAX_INT and value == int(value)


def check_above_zero(**numbers: Any) -> None:
    """Refuse what is no finite number above 0."""
    check_finite(**numbers)
    for name, value in numbers.items():
        if value <= 0:
            raise UsageError(f"{name} must be above 0, got {value!r}")


def check_share(**numbers: Any) -> None:
    """Refuse what is no share, or chance, of 0 to 1; NaN is not one either."""
    check_numbers(**numbers)
    for name, value in numbers.items():
        if not 0.0 <= value <= 1.0:
            raise UsageError(f"{name} must be 0 to 1, got {value!r}")


def check_finite(**numbers: Any) -> None:
    """Refuse what is no finite number."""
    for name, value in numbers.items():
        check_numbers(**{name: value})
        if not math.isfinite(value):
            raise UsageError(f"{name} must be a finite number, got {value!r}")


def check_price(price_usd: Any) -> None:
    """Refuse what cannot be a price."""
    check_numbers(price=price_usd)
    if not 0.0 < price_usd < math.inf:
        raise UsageError(f"a price must be above 0, got {price_usd}")
    if price_usd > MAX_PRICE_USD:
        raise UsageError(f"a price must be in USD, at most {MAX_PRICE_USD:,.0f}, got {price_usd}")


def check_row(name: str, values: Sequence[float], n: int) -> None:
    """Refuse a list that has not one number per horizon."""
    if len(values) != n:
        raise UsageError(f"{name} must have one number per horizon, {n} in all, got {len(values)}")
    for value in values:
        check_numbers(**{f"each of {name}": value})
