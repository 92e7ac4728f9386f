"""Foreign times become int64 nanoseconds in UTC.

A stamp with an offset is what it says. A stamp without one is read in the zone of the options, and since a wrong zone is the
most common mistake of all, a file whose times all fall into the night of that zone (20:00-04:00) is refused.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from replay.errors import DataError, UsageError
from replay.importers.options import ImportOptions

if TYPE_CHECKING:
    import pandas as pd

DAY_NS = 86_400_000_000_000
UNITS_NS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}

_OFFSET = re.compile(r"(Z|[+-]\d\d:?\d\d| UTC)$")
_ZONE_NAME = re.compile(r"\s+([A-Za-z]+/[A-Za-z_]+)$")  # IBKR writes "20251124 09:30:00 US/Eastern"


def to_ns(column: pd.Series, zone: str, unit: str = "") -> np.ndarray:
    """Convert a column of stamps (numbers since 1970, texts or datetimes) to ns in UTC.

    Parameters
    ----------
    column : Series
        Numbers are read in `unit`, or in the unit that their size gives away.
    zone : str
        Zone of stamps without an offset.
    unit : str
        `s`, `ms`, `us` or `ns`.

    Raises
    ------
    ValueError
        A stamp cannot be read; `args` are the position and what is wrong.
    """
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column):
        return _from_numbers(column, unit)
    if not pd.api.types.is_datetime64_any_dtype(column):
        column, zone = _parse_texts(column, zone)
    missing = column.isna().to_numpy()
    if missing.any():
        raise ValueError(int(missing.argmax()), "is empty")
    if column.dt.tz is None:
        column = _localize(column, zone)
    stamps: np.ndarray = column.dt.tz_convert("UTC").dt.as_unit("ns").astype("int64").to_numpy()
    return stamps


def _from_numbers(column: pd.Series, unit: str) -> np.ndarray:
    missing = column.isna().to_numpy()
    if missing.any():
        raise ValueError(int(missing.argmax()), "is empty")
    factor = UNITS_NS[unit or guess_unit(float(column.abs().max()))]
    numbers: np.ndarray = column.to_numpy()
    if numbers.dtype.kind in "iu":
        return numbers.astype(np.int64) * factor
    # a float64 of seconds since 1970 still holds about 200 ns
    whole: np.ndarray = np.floor(numbers.astype(np.float64))
    rest: np.ndarray = np.rint((numbers - whole) * factor).astype(np.int64)
    stamps: np.ndarray = whole.astype(np.int64) * factor + rest
    return stamps


def guess_unit(largest: float) -> str:
    """Name the unit in which a number since 1970 lies between 1973 and 5138.

    >>> guess_unit(1_700_000_000), guess_unit(1_700_000_000_000_000_000)
    ('s', 'ns')
    """
    for unit, limit in (("s", 1e11), ("ms", 1e14), ("us", 1e17)):
        if largest < limit:
            return unit
    return "ns"


def _parse_texts(column: pd.Series, zone: str) -> tuple[pd.Series, str]:
    import pandas as pd

    texts = column.astype("str")
    first = str(texts.iloc[0])
    named = _ZONE_NAME.search(first)
    if named:
        zone = named.group(1)
        texts = texts.str.replace(_ZONE_NAME, "", regex=True)
    has_offset = bool(_OFFSET.search(first))
    texts = texts.str.replace(r"^(\d{8})[ -]+", r"\1 ", regex=True)
    form: Any = "%Y%m%d %H:%M:%S" if re.match(r"^\d{8} ", first) and not has_offset else "ISO8601"
    parsed = pd.to_datetime(texts, format=form, utc=has_offset, errors="coerce")
    if parsed.isna().any():
        row = int(parsed.isna().to_numpy().argmax())
        raise ValueError(row, f"`{column.iloc[row]}` is not a time like the first one, `{first}`")
    return parsed, zone


def _localize(column: pd.Series, zone: str) -> pd.Series:
    check_zone(zone)
    try:
        local: pd.Series = column.dt.tz_localize(zone)
        return local
    except ValueError as error:  # pandas names the stamp that a clock change made ambiguous or impossible
        raise ValueError(0, f"has a stamp that the clock change of {zone} makes unclear ({error}); give stamps in UTC") from error


def check_zone(zone: str) -> None:
    """Refuse a zone that does not exist."""
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise UsageError(f"`{zone}` is not a time zone; write it like `America/New_York`") from None


def dates_of(ts_ns: np.ndarray, zone: str) -> pd.DatetimeIndex:
    """Return the calendar dates of times in a zone, as naive midnights."""
    import pandas as pd

    check_zone(zone)
    return pd.DatetimeIndex(ts_ns, tz="UTC").tz_convert(zone).tz_localize(None).normalize()


def midnight_ns(day: date, zone: str) -> int:
    """Return the start of a date in a zone, ns in UTC.

    >>> midnight_ns(date(2013, 10, 7), "America/New_York")
    1381118400000000000
    """
    import pandas as pd

    check_zone(zone)
    return int(pd.Timestamp(day).tz_localize(zone).as_unit("ns").value)


def clock_ns(since_midnight_ns: np.ndarray, day: date, zone: str) -> np.ndarray:
    """Turn wall-clock times of one day into ns in UTC; days without a clock change between them and midnight are exact."""
    import pandas as pd

    check_zone(zone)
    naive = pd.DatetimeIndex(pd.Timestamp(day).as_unit("ns").value + since_midnight_ns)
    return naive.tz_localize(zone, ambiguous=np.ones(len(naive), bool), nonexistent="shift_forward").as_unit("ns").asi8


def refuse_night(ts_ns: np.ndarray, options: ImportOptions, path: Path) -> None:
    """Refuse times that all lie between 20:00 and 04:00: the zone is wrong, unless the options accept any hour."""
    import pandas as pd

    if options.is_any_hour or not len(ts_ns):
        return
    local = pd.DatetimeIndex(ts_ns, tz="UTC").tz_convert(options.zone)
    if not ((local.hour >= 4) & (local.hour < 20)).any():
        raise DataError(
            f"all times in `{path}` fall into the night of {options.zone} (the first is {local[0]:%Y-%m-%d %H:%M:%S}); give the "
            "zone of the exchange with --tz, or import with --all-hours if the market really trades then"
        )
