"""Trading hours against days that are known from the exchange's own announcements."""

from datetime import UTC, date, datetime

import pytest

from replay.calendar import is_trading_day, new_york_date, trading_hours
from replay.errors import DataError, UsageError

# day, open, close (UTC), half day
KNOWN = [
    ("2008-10-10", "13:30", "20:00", False),  # crisis, summer time
    ("2012-06-21", "13:30", "20:00", False),
    ("2013-10-07", "13:30", "20:00", False),
    ("2025-01-02", "14:30", "21:00", False),
    ("2025-07-03", "13:30", "17:00", True),
    ("2025-11-28", "14:30", "18:00", True),
]


def _utc(ns):
    return datetime.fromtimestamp(ns // 1_000_000_000, UTC)


@pytest.mark.parametrize(("day", "opens", "closes", "is_half_day"), KNOWN)
def test_known_days(day, opens, closes, is_half_day):
    """Open, close and early close are those that the exchange announced."""
    hours = trading_hours(date.fromisoformat(day))
    found = f"{_utc(hours.open_ns):%Y-%m-%d %H:%M}", f"{_utc(hours.close_ns):%Y-%m-%d %H:%M}"

    assert (f"{day} {opens}", f"{day} {closes}") == found
    assert (is_half_day, "XNYS") == (hours.is_half_day, hours.calendar)


@pytest.mark.parametrize(("day", "pre", "post"), [("2025-01-02", "02 09:00", "03 01:00"), ("2025-07-03", "03 08:00", "04 00:00")])
def test_pre_and_post_market_follow_new_york(day, pre, post):
    """Pre-market begins at 04:00 and post-market ends at 20:00 in New York, in winter and in summer."""
    hours = trading_hours(date.fromisoformat(day))

    assert (pre, post) == (f"{_utc(hours.pre_ns):%d %H:%M}", f"{_utc(hours.post_ns):%d %H:%M}")


def test_a_holiday_is_continuous():
    """On a day without trading in New York the whole UTC day counts, so futures keep their hours."""
    hours = trading_hours(date(2023, 12, 25))

    assert not is_trading_day(date(2023, 12, 25))
    assert ("24/7", False) == (hours.calendar, hours.is_half_day)
    assert ("25 00:00", "26 00:00") == (f"{_utc(hours.open_ns):%d %H:%M}", f"{_utc(hours.close_ns):%d %H:%M}")


@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2023, 12, 31), date(2022, 1, 1), date(2023, 1, 2)])
def test_days_before_the_first_and_after_the_last_trading_day_of_a_year(day):
    """A closed day at either end of a year is a closed day, and no error."""
    assert (False, "24/7") == (is_trading_day(day), trading_hours(day).calendar)


def test_a_calendar_can_be_named():
    """A named calendar wins over the rule; New York on a holiday is refused."""
    assert "24/7" == trading_hours(date(2025, 1, 2), "24/7").calendar
    with pytest.raises(DataError, match="2023-12-25 is not a trading day of XNYS; give the calendar '24/7'"):
        trading_hours(date(2023, 12, 25), "XNYS")
    with pytest.raises(UsageError, match="there is no calendar 'XNYC'; did you mean XNYS"):
        trading_hours(date(2025, 1, 2), "XNYC")
    assert "XNYS" == trading_hours(date(2025, 1, 2), "NYSE").calendar


def test_date_in_new_york():
    """An instant after midnight UTC belongs to the evening before in New York."""
    midnight_ns = trading_hours(date(2025, 1, 3), "24/7").open_ns

    assert date(2025, 1, 2) == new_york_date(midnight_ns + 1)
