"""Foreign times become nanoseconds in UTC."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from replay.errors import DataError, UsageError
from replay.importers.options import ImportOptions
from replay.importers.times import clock_ns, dates_of, midnight_ns, refuse_night, to_ns

NOON = 1_633_104_000_000_000_000  # 2021-10-01 12:00 in New York
NEW_YORK = "America/New_York"


@pytest.mark.parametrize(
    "stamp",
    [
        "2021-10-01 12:00:00",
        "2021-10-01 12:00:00-04:00",
        "2021-10-01T16:00:00Z",
        "2021-10-01T16:00:00.000000+00:00",
        "20211001 12:00:00",
        "20211001  12:00:00",
        "20211001 12:00:00 US/Eastern",
        "20211001-12:00:00",
        1_633_104_000,
        1_633_104_000.0,
        1_633_104_000_000,
        1_633_104_000_000_000,
        NOON,
        pd.Timestamp("2021-10-01 12:00", tz=NEW_YORK),
        pd.Timestamp("2021-10-01 12:00"),
    ],
)
def test_every_common_way_to_write_a_time_means_the_same(stamp) -> None:
    """Texts with and without offset, IBKR's own form, numbers in any unit and datetimes give one instant."""
    assert [NOON] == to_ns(pd.Series([stamp]), NEW_YORK).tolist()


def test_nanoseconds_survive() -> None:
    """The last digit of a nanosecond text is kept."""
    assert [NOON + 1] == to_ns(pd.Series(["2021-10-01T16:00:00.000000001Z"]), NEW_YORK).tolist()


def test_text_that_is_no_time_is_named() -> None:
    """The position and the text of the first stamp that cannot be read are in the error."""
    with pytest.raises(ValueError, match="soon") as caught:
        to_ns(pd.Series(["2021-10-01 12:00:00", "soon"]), NEW_YORK)

    assert 1 == caught.value.args[0]


def test_unclear_stamp_is_refused() -> None:
    """A wall-clock time that the clock change makes ambiguous is an error and not a guess."""
    with pytest.raises(ValueError, match="clock change"):
        to_ns(pd.Series(["2021-11-07 01:30:00"]), NEW_YORK)


def test_unknown_zone_is_a_usage_error() -> None:
    """A zone that does not exist says how a zone is written."""
    with pytest.raises(UsageError, match="`Mars/Olympus` is not a time zone"):
        midnight_ns(date(2021, 10, 1), "Mars/Olympus")


def test_clock_times_follow_the_zone_of_the_day() -> None:
    """09:30 is 13:30 UTC in summer and 14:30 UTC in winter, also on the day of the change."""
    half_past_nine = np.array([34_200_000_000_000])
    hours = [
        (clock_ns(half_past_nine, day, NEW_YORK)[0] // 3_600_000_000_000) % 24
        for day in (date(2021, 7, 1), date(2021, 12, 1), date(2021, 11, 7))
    ]

    assert [13, 14, 14] == hours


def test_dates_are_cut_in_the_zone() -> None:
    """An instant after midnight UTC still belongs to the evening of the day before in New York."""
    assert [pd.Timestamp("2021-09-30")] == list(dates_of(np.array([NOON - 15 * 3_600_000_000_000]), NEW_YORK))


def test_night_is_refused_with_the_first_time() -> None:
    """A file whose times all fall into the night says so, and which option mends it."""
    with pytest.raises(DataError, match=r"night of America/New_York \(the first is 2021-10-01 00:00:00\).*--tz"):
        refuse_night(np.array([NOON - 12 * 3_600_000_000_000]), ImportOptions(), Path("a.csv"))


def test_night_is_accepted_on_request() -> None:
    """`is_any_hour` switches the check off."""
    refuse_night(np.array([NOON - 12 * 3_600_000_000_000]), ImportOptions(is_any_hour=True), Path("a.csv"))
