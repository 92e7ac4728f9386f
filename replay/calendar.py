"""Trading hours: when the regular session of a day opens and closes, half days included.

Two calendars exist: `XNYS` (New York Stock Exchange, from exchange_calendars) and `24/7` (the whole UTC day counts as regular
hours). A day without a named calendar is `XNYS` when New York trades on it and `24/7` when it does not, so that futures
recorded on a holiday keep their hours. Sessions store the answer in their manifest: only importing needs this module.
"""

import warnings
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from replay.errors import DataError, UsageError

NEW_YORK = "XNYS"
CONTINUOUS = "24/7"
_EASTERN = ZoneInfo("America/New_York")
_PRE_MARKET = time(4, 0)
_POST_MARKET = time(20, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Trading hours of one day, in nanoseconds since 1970 (UTC).

    Parameters
    ----------
    open_ns, close_ns : int
        Regular hours, half-open: a trade at `close_ns` is outside.
    pre_ns, post_ns : int
        First instant of pre-market and last of post-market trading (04:00 and 20:00 in New York).
    is_half_day : bool
        Whether the regular session ends early.
    calendar : str
        `XNYS` or `24/7`.
    """

    open_ns: int
    close_ns: int
    pre_ns: int
    post_ns: int
    is_half_day: bool
    calendar: str


def trading_hours(day: date, calendar: str | None = None) -> Hours:
    """Return the trading hours of a day.

    Parameters
    ----------
    day : datetime.date
        The calendar date in New York.
    calendar : {"XNYS", "24/7"}, optional
        Without a name: `XNYS` on its trading days, `24/7` on all others.

    Examples
    --------
    >>> hours = trading_hours(date(2025, 11, 28))
    >>> hours.is_half_day, (hours.close_ns - hours.open_ns) / 3600e9
    (True, 3.5)
    """
    if calendar not in (None, NEW_YORK, CONTINUOUS):
        raise UsageError(f"calendar must be '{NEW_YORK}' or '{CONTINUOUS}', got {calendar!r}")
    is_open = calendar != CONTINUOUS and is_trading_day(day)
    if calendar == NEW_YORK and not is_open:
        raise DataError(f"{day} is not a trading day of {NEW_YORK}; give the calendar '{CONTINUOUS}' or correct the date")
    return _new_york_hours(day) if is_open else _continuous_hours(day)


def is_trading_day(day: date) -> bool:
    """Tell whether the New York Stock Exchange trades on a day."""
    # `is_session` refuses dates outside the year's first and last trading day, such as 1 January
    return day.isoformat() in _exchange(day.year).sessions


@lru_cache(maxsize=8)
def _exchange(year: int) -> Any:
    """Build the exchange's calendar of one year: a tenth of the time that its whole history takes."""
    import exchange_calendars

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own use of pandas announces deprecations that are none of ours
        return exchange_calendars.get_calendar(NEW_YORK, start=f"{year}-01-01", end=f"{year}-12-31")


def _new_york_hours(day: date) -> Hours:
    exchange = _exchange(day.year)
    session = day.isoformat()
    return Hours(
        open_ns=int(exchange.session_open(session).value),
        close_ns=int(exchange.session_close(session).value),
        pre_ns=instant_ns(datetime.combine(day, _PRE_MARKET, _EASTERN)),
        post_ns=instant_ns(datetime.combine(day, _POST_MARKET, _EASTERN)),
        is_half_day=session in {str(early.date()) for early in exchange.early_closes},
        calendar=NEW_YORK,
    )


def _continuous_hours(day: date) -> Hours:
    start_ns = instant_ns(datetime.combine(day, time(0), UTC))
    end_ns = instant_ns(datetime.combine(day + timedelta(days=1), time(0), UTC))
    return Hours(open_ns=start_ns, close_ns=end_ns, pre_ns=start_ns, post_ns=end_ns, is_half_day=False, calendar=CONTINUOUS)


def instant_ns(instant: datetime) -> int:
    """Return an instant as nanoseconds since 1970, without the rounding of a float."""
    since = instant - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000


def new_york_date(ts_ns: int) -> date:
    """Return the calendar date in New York of an instant."""
    return datetime.fromtimestamp(ts_ns // 1_000_000_000, _EASTERN).date()
