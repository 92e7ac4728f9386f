"""Historical bars of IBKR."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from replay.errors import DataError, UsageError
from replay.importers import FORMATS, ImportOptions
from replay.importers.times import midnight_ns

HEADER = "date,open,high,low,close,volume,average,barCount"
ROWS = (
    "2025-12-03 09:30:00,10.00,10.05,9.99,10.02,1200.0,10.021,14",
    "2025-12-03 09:35:00,10.02,10.03,10.01,10.01,0.0,10.01,0",
    "2025-12-03 09:45:00,10.02,10.03,10.01,10.01,-1,-1,-1",
)


def read(folder: Path, *rows: str, header: str = HEADER, **options):
    (folder / "GC_5m.csv").write_text("\n".join((header, *rows)) + "\n")
    (imported,) = FORMATS["ibkr-bars"].read([folder / "GC_5m.csv"], ImportOptions(**options))
    return imported


def test_bar_is_known_at_its_end(tmp_path: Path) -> None:
    """The stamp is the start; the event comes one bar length later, which is the smallest step of the file."""
    imported = read(tmp_path, *ROWS)
    bars = imported.frames["bars"]
    start_ns = midnight_ns(date(2025, 12, 3), "America/New_York") + 34_200_000_000_000

    assert (start_ns, start_ns + 300_000_000_000, 300) == tuple(bars.iloc[0][["start_ts_ns", "ts_ns", "bar_s"]])
    assert ("GC", "bars", ("TRADES",)) == (
        imported.symbols[0].name,
        imported.symbols[0].evidence,
        imported.symbols[0].what_to_show,
    )


def test_unknown_values_stay_unknown(tmp_path: Path) -> None:
    """-1 means unknown in IBKR's bars: volume and count -1, average NaN."""
    bars = read(tmp_path, *ROWS).frames["bars"]

    assert [1200, 0, -1] == bars["volume"].tolist()
    assert [14, 0, -1] == bars["count"].tolist()
    assert [False, False, True] == np.isnan(bars["wap"]).tolist()
    assert 100210.0 == pytest.approx(bars["wap"].iloc[0])


def test_bar_length_can_be_given(tmp_path: Path) -> None:
    """One bar alone has no step; its length is an option."""
    with pytest.raises(DataError, match="holds one bar only"):
        read(tmp_path, ROWS[0])

    assert 60 == read(tmp_path, ROWS[0], bar_s=60).frames["bars"]["bar_s"].item()


def test_ibkr_text_dates_are_understood(tmp_path: Path) -> None:
    """`20251203 09:30:00 US/Eastern` is what the API writes."""
    texts = [row.replace("2025-12-03 ", "20251203 ").replace(":00,", ":00 US/Eastern,", 1) for row in ROWS[:2]]

    assert read(tmp_path, *ROWS[:2]).frames["bars"].equals(read(tmp_path, *texts).frames["bars"])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2025-12-03 09:50:00,10.0,9.0,9.5,9.9,1,1,1", "`high` of .*row 4: expected a high not below the low"),
        ("2025-12-03 09:50:00,0,9.0,9.5,9.9,1,1,1", "`open` of .*row 4: expected a price above 0"),
        ("2025-12-03 09:50:00,,9.0,9.5,9.9,1,1,1", "`open` of .*row 4: expected a number"),
        ("2025-12-03 09:45:00,10,10,10,10,1,1,1", "two bars that start at the same time .row 4."),
        ("2025-12-03 09:40:00,10,10,10,10,1,1,1", "goes back in time at row 4"),
        ("2025-12-03 09:50:00,10,10,10,10,-2,1,1", "`volume` of .*row 4: expected 0 or more, or -1"),
    ],
)
def test_bad_bars_are_named(tmp_path: Path, row: str, message: str) -> None:
    """Impossible bars are refused with their row."""
    with pytest.raises(DataError, match=message):
        read(tmp_path, *ROWS, row)


def test_daily_bars_are_refused(tmp_path: Path) -> None:
    """Daily bars are not intraday."""
    with pytest.raises(DataError, match="smallest step of 86400 s; expected intraday bars"):
        read(tmp_path, "2025-12-03,1,1,1,1,1,1,1", "2025-12-04,1,1,1,1,1,1,1", is_any_hour=True)


def test_unknown_kind_of_bar_is_refused(tmp_path: Path) -> None:
    """`what_to_show` is one of IBKR's words."""
    with pytest.raises(UsageError, match="TRADES, MIDPOINT"):
        read(tmp_path, *ROWS, what_to_show="LAST")
