"""Trading hours: when the regular session of a day opens and closes, half days included.

A calendar is a name of the package exchange_calendars (`XNYS`, `CMES`, `XHKG`, ...) or `24/7`, where the whole UTC day counts as
regular hours. A day without a named calendar is `XNYS` when New York trades on it and `24/7` when it does not, so that futures
recorded on a holiday keep their hours. A trading day of a calendar that opens the evening before (CMES) begins then; lunch breaks
are not taken out. Sessions store the answer in their manifest: only importing needs this module.
"""

import warnings
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from replay.errors import DataError, UsageError

NEW_YORK = "XNYS"
CONTINUOUS = "24/7"
EASTERN = "America/New_York"
_EASTERN = ZoneInfo(EASTERN)
_PRE_MARKET = time(4, 0)
_POST_MARKET = time(20, 0)
_ANY_YEAR = 2020  # zones do not depend on it


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Trading hours of one day, in nanoseconds since 1970 (UTC).

    Parameters
    ----------
    open_ns, close_ns : int
        Regular hours, half-open: a trade at `close_ns` is outside.
    pre_ns, post_ns : int
        First instant of pre-market and last of post-market trading: 04:00 and 20:00 in New York, elsewhere the regular hours.
    is_half_day : bool
        Whether the regular session ends early.
    calendar : str
        Name of the calendar that they come from.
    zone : str
        Time zone of the exchange; fixed times of day are meant in it.
    """

    open_ns: int
    close_ns: int
    pre_ns: int
    post_ns: int
    is_half_day: bool
    calendar: str
    zone: str = EASTERN


def trading_hours(day: date, calendar: str | None = None) -> Hours:
    """Return the trading hours of a day.

    Parameters
    ----------
    day : datetime.date
        The calendar date at the exchange.
    calendar : str, optional
        A name of exchange_calendars, or `24/7`. Without a name: `XNYS` on its trading days, `24/7` on all others.

    Raises
    ------
    UsageError
        For a calendar that does not exist.
    DataError
        For a day on which the named calendar does not trade.

    Examples
    --------
    >>> hours = trading_hours(date(2025, 11, 28))
    >>> hours.is_half_day, (hours.close_ns - hours.open_ns) / 3600e9
    (True, 3.5)
    """
    name = known_calendar(calendar or NEW_YORK)
    if name == CONTINUOUS or (calendar is None and not is_trading_day(day)):
        return _continuous_hours(day)
    if not is_trading_day(day, name):
        raise DataError(f"{day} is not a trading day of {name}; give the calendar '{CONTINUOUS}' or correct the date")
    return _exchange_hours(day, name)


def known_calendar(name: str) -> str:
    """Return the proper name of a calendar; an alias such as `NYSE` becomes `XNYS`.

    Raises
    ------
    UsageError
        If there is none of that name.
    """
    if name in (NEW_YORK, CONTINUOUS):
        return name
    import exchange_calendars

    names = exchange_calendars.get_calendar_names(include_aliases=True)
    if name not in names:
        close = get_close_matches(name.upper(), names, 3)
        hint = f"did you mean {' or '.join(close)}?" if close else f"use for example {NEW_YORK}, CMES, XHKG or {CONTINUOUS}"
        raise UsageError(f"there is no calendar '{name}'; {hint}")
    return str(exchange_calendars.resolve_alias(name))


def calendar_zone(name: str) -> str:
    """Return the time zone of a calendar's exchange; that of New York for `24/7`, which belongs to nobody.

    >>> calendar_zone("24/7")
    'America/New_York'
    """
    return EASTERN if name in (NEW_YORK, CONTINUOUS) else str(_exchange(known_calendar(name), _ANY_YEAR).tz)


def is_trading_day(day: date, calendar: str = NEW_YORK) -> bool:
    """Tell whether an exchange trades on a day."""
    # `is_session` refuses dates outside the year's first and last trading day, such as 1 January
    return calendar == CONTINUOUS or day.isoformat() in _exchange(calendar, day.year).sessions


@lru_cache(maxsize=8)
def _exchange(name: str, year: int) -> Any:
    """Build an exchange's calendar of one year: a tenth of the time that its whole history takes."""
    import exchange_calendars

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own use of pandas announces deprecations that are none of ours
        return exchange_calendars.get_calendar(name, start=f"{year}-01-01", end=f"{year}-12-31")


def _exchange_hours(day: date, name: str) -> Hours:
    exchange, session = _exchange(name, day.year), day.isoformat()
    open_ns, close_ns = int(exchange.session_open(session).value), int(exchange.session_close(session).value)
    pre_ns, post_ns = open_ns, close_ns
    if name == NEW_YORK:
        pre_ns, post_ns = (instant_ns(datetime.combine(day, at, _EASTERN)) for at in (_PRE_MARKET, _POST_MARKET))
    return Hours(
        open_ns=open_ns,
        close_ns=close_ns,
        pre_ns=pre_ns,
        post_ns=post_ns,
        is_half_day=session in {str(early.date()) for early in exchange.early_closes},
        calendar=name,
        zone=calendar_zone(name),
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
