"""Words on the command line become values, or one sentence."""

from collections.abc import Callable
from datetime import date, time

import pytest

from replay.cli.options import moment_on, parse_day, parse_moment, split_names
from replay.errors import UsageError


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("09:45", time(9, 45)),
        ("9:45", time(9, 45)),
        ("09:45 ET", time(9, 45)),
        ("2013-10-07 09:45:00.000 ET", 1_381_153_500_000_000_000),
        ("945", None),
        ("15:59:59.5", time(15, 59, 59, 500_000)),
        ("2013-10-07T09:45", 1_381_153_500_000_000_000),
        ("2013-10-07T13:45Z", 1_381_153_500_000_000_000),
        ("2013-10-07T15:45+02:00", 1_381_153_500_000_000_000),
        ("1381153500000000000", 1_381_153_500_000_000_000),
        ("quarter to ten", None),
        ("25:00", None),
        ("", None),
    ],
)
def test_moments(text: str, moment: time | int | None) -> None:
    """A time is a New York time of day, an instant with or without an offset, or nanoseconds; anything else is refused."""
    if moment is None:
        with pytest.raises(UsageError, match="--at takes a New York time"):
            parse_moment(text, "--at")
    else:
        assert moment == parse_moment(text, "--at")


def test_time_of_day_follows_the_clock_change() -> None:
    """Half past nine in New York is another instant in summer than in winter."""
    summer, winter = moment_on(date(2025, 7, 1), time(9, 30)), moment_on(date(2025, 12, 1), time(9, 30))

    assert (13, 14) == (summer // 3_600_000_000_000 % 24, winter // 3_600_000_000_000 % 24)


def test_names_are_split() -> None:
    """Names come with or without blanks, and empty ones are nobody."""
    assert ("A", "B", "C") == split_names(" A,B , ,C,")


def test_dates() -> None:
    """A date is ISO, or refused with an example."""
    with pytest.raises(UsageError, match=r"--date takes a date such as `2013-10-07`, got `7\.10\.2013`"):
        parse_day("7.10.2013", "--date")

    assert (date(2013, 10, 7), None) == (parse_day("2013-10-07", "--date"), parse_day(None, "--date"))


def test_run_refuses_a_wrong_time_before_it_works(replay: Callable) -> None:
    """`--from` is read before any session is opened."""
    told = replay("run", "nowhere", "--from", "dawn")

    assert (2, True) == (told.exit_code, "--from takes a New York time" in told.err)
