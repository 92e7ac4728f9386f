"""Poorer feeds: what each of them loses, and what it must keep."""

import pandas as pd
import pytest

from replay.errors import UsageError
from replay.events import Flag
from replay.validation.degrade import DEGRADES, degrade
from tests.validation.worlds import MS_NS, START_NS, message, opening, session

TAPE = [
    *opening(),
    message(10, "add", 1, 1, 100, 50),
    message(20, "execute", 9000, 1, 100, 40),
    message(30, "execute", 9000, 1, 100, 60),
    message(40, "delete", 1, 1, 100, 50),
    message(300, "execute", 9002, -1, 102, 10),
    message(1700, "add", 2, 1, 100, 5),
]


def ms(frame: pd.DataFrame) -> list[float]:
    return ((frame["ts_ns"] - START_NS) / MS_NS).tolist()


def test_snapshots_keep_the_last_touch_and_the_sum_of_prints() -> None:
    """Every 250 ms: the last touch if it is new, prints of one price added up, without venue or side."""
    poor = degrade(session(TAPE), "snapshots-250ms").session
    quotes, trades = poor.quotes(), poor.trades()

    assert [0, 250, 500, 1750] == ms(quotes)
    assert [300, 200, 200, 205] == quotes["bid_size"].tolist()
    assert ([250, 500], [100, 10]) == (ms(trades), trades["size"].tolist())
    assert [int(Flag.NO_VENUE)] * 2 == (trades["flags"] & int(Flag.NO_VENUE | Flag.BUY | Flag.SELL)).tolist()
    assert "snapshot_250ms" == poor.symbol_info("ALFA").evidence


def test_unsided_prints_lose_their_side_and_nothing_else() -> None:
    """Times, order, prices and sizes stay; a feed that named no side has nothing to lose, and says so."""
    full = session(TAPE)
    poor = degrade(full, "unsided")
    again = degrade(poor.session, "unsided")

    assert [0, 0, 0] == (poor.session.trades()["flags"] & int(Flag.BUY | Flag.SELL)).tolist()
    pd.testing.assert_frame_equal(full.trades().drop(columns="flags"), poor.session.trades().drop(columns="flags"))
    pd.testing.assert_frame_equal(full.quotes(), poor.session.quotes())
    assert ("100% of the prints lost their side", "no print of the full feed names its side: nothing is lost") == (
        poor.note,
        again.note,
    )


def test_reordered_prints_stay_in_order_and_within_the_window() -> None:
    """Prints move by at most 20 ms against the quotes, never past each other; the seed says how."""
    full = session(TAPE)
    poor = degrade(full, "reordered", seed=3).session.trades()

    assert full.trades()["size"].tolist() == poor["size"].tolist()
    assert bool((poor["ts_ns"].diff().dropna() >= 0).all())
    assert bool((poor["ts_ns"] - full.trades()["ts_ns"]).abs().max() <= 40 * MS_NS)
    assert ms(poor) == ms(degrade(full, "reordered", seed=3).session.trades())
    assert ms(poor) != ms(degrade(full, "reordered", seed=4).session.trades())


def test_whole_seconds_put_prints_before_quotes() -> None:
    """All times are cut to the second, and inside one prints come first."""
    poor = degrade(session(TAPE), "seconds").session

    assert {0.0, 1000.0} == set(ms(poor.quotes()))
    assert poor.trades()["seq"].max() < poor.quotes()["seq"].min()


def test_a_second_venue_shows_what_ours_showed_and_repeats_its_prints() -> None:
    """The touch is ours and that of 200 ms ago at the same price; prints come again 200 ms later; none names a venue."""
    poor = degrade(session(TAPE), "consolidated").session
    quotes, trades = poor.quotes(), poor.trades()

    assert [20, 30, 220, 230, 300, 500] == ms(trades)
    assert [300 + 300, 350 + 300, 310 + 300] == quotes["bid_size"].tolist()[:3]
    assert 200 + 205 == quotes["bid_size"].tolist()[-1]
    assert [""] == trades["exchange"].unique().tolist()


@pytest.mark.parametrize("name", list(DEGRADES))
def test_every_poorer_feed_keeps_day_symbols_and_hours(name: str) -> None:
    """A degraded session is the same day of the same symbols, and says in words what it lost."""
    full = session(TAPE)
    poor = degrade(full, name)

    assert (full.day, full.symbols, full.hours, full.scale) == (
        poor.session.day, poor.session.symbols, poor.session.hours, poor.session.scale,
    )  # fmt: skip
    assert poor.note


def test_an_unknown_degradation_is_named() -> None:
    """The error names what is known."""
    with pytest.raises(UsageError, match="unknown degradation 'foggy'; known are snapshots-250ms, unsided"):
        degrade(session(TAPE), "foggy")
