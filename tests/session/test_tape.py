"""What a print tells of itself: off the exchanges, late, between two ticks; the same at every door into a session."""

import numpy as np
import pandas as pd
import pytest

from fills import simulate
from fills.terms import tick_table
from replay.events import Flag
from replay.importers import ImportOptions, import_sessions
from replay.session import Session, SymbolInfo
from replay.session.check import check_session
from replay.session.ticks import ticks_by_name
from tests.session.days import DAY, OPEN_NS, SECOND_NS

FACILITIES = ["D", "FINRA", "TRF", "trf", "FINN", "FINY", "FINC", "TRFQ", "FINRA TRF", "FINRATRF", "NASDAQ-TRF", "XADF", "ADF"]
EXCHANGES = ["Q", "N", "ARCA", "NASDAQ", "IEX", "EDGX", "FINEX", "DRCTEDGE", "CME"]
MS = SECOND_NS // 1000


def quotes(**columns):
    """Show 300 to buy at 100.00 for three minutes."""
    frame = {"ts_ns": [OPEN_NS, OPEN_NS + 180 * SECOND_NS], "symbol": "A", "bid": 100.0, "bid_size": 300, "ask": 100.01}
    return pd.DataFrame(frame | {"ask_size": 300} | columns)


def session_of(*, price=100.0, tick=0.01, show=None, **columns):
    """Hold a quote and, a minute and a bit later, one print of 600 for each venue."""
    rows = {"ts_ns": OPEN_NS + 60 * SECOND_NS + MS, "symbol": "A", "price": price, "size": 600, "flags": int(Flag.SELL)}
    trades = pd.DataFrame(rows | {"exchange": ["N"]} | columns)
    return Session.from_frames(
        quotes=quotes(**(show or {})), trades=trades, symbols={"A": {"tick": tick, "evidence": "tick_by_tick"}}
    )


def flagged(session, flag):
    """Return which prints have a flag."""
    return ((session.trades()["flags"] & int(flag)) != 0).tolist()


def bought(session, price=100.0):
    """Return how much of an order to buy 100 at the first quote fills."""
    row = {"order_id": 1, "symbol": "A", "ts_ns": OPEN_NS, "side": "BUY", "qty": 100, "limit_price": price, "tif": "DAY"}
    return int(simulate(session, pd.DataFrame([row]), latency=0)["qty"].sum())


def test_a_facility_of_finra_is_no_exchange_by_any_of_its_names():
    """Frames whose venues are FINRA's facilities come out flagged off exchange, those of exchanges do not."""
    session = session_of(exchange=FACILITIES + EXCHANGES)

    assert [True] * len(FACILITIES) + [False] * len(EXCHANGES) == flagged(session, Flag.OFF_EXCHANGE)


def test_prints_off_the_exchanges_consume_no_queue():
    """600 at our price on an exchange fill 100 behind 300; the same off the exchanges fill nothing."""
    assert (100, 0) == (bought(session_of()), bought(session_of(exchange=FACILITIES)))


def test_a_source_may_know_more_venues_off_the_exchanges():
    """A print that its source flags stays flagged, whatever the venue is called."""
    flags = int(Flag.SELL | Flag.OFF_EXCHANGE)

    assert [True] == flagged(session_of(exchange=["4"], flags=flags), Flag.OFF_EXCHANGE)


@pytest.mark.parametrize(
    ("format_name", "name", "content"),
    [
        ("csv", "A.csv", "ts,price,size,exchange\n{},100.0,600,D\n{},100.0,600,N\n"),
        (
            "ibkr-ticks",
            "A.csv",
            "time,price,size,exchange,specialConditions,tickAttribLast\n{},100.0,600,FINRA,,0\n{},100.0,600,NYSE,,0\n",
        ),
    ],
)
def test_importers_leave_the_venue_to_the_session(tmp_path, format_name, name, content):
    """What an importer hands over unflagged is flagged in the session on disk, without a map or an option."""
    at = pd.Timestamp(OPEN_NS, tz="UTC").isoformat(sep=" ")
    (tmp_path / name).write_text(content.format(at, at))
    (folder,) = import_sessions(format_name, [tmp_path / name], tmp_path / "out", ImportOptions())

    assert [True, False] == flagged(Session.open(folder), Flag.OFF_EXCHANGE)


@pytest.mark.parametrize(
    ("lag_ns", "is_whole", "expected"),
    [
        (60 * SECOND_NS, False, True),
        (10 * SECOND_NS + 1, False, True),
        (10 * SECOND_NS, False, False),
        (-SECOND_NS, False, False),
        (10 * SECOND_NS + MS, True, False),
        (11 * SECOND_NS + MS, True, True),
    ],
)
def test_a_print_of_long_ago_is_late(lag_ns, is_whole, expected):
    """More than ten seconds from exchange to receipt is late; a whole second may stand for any moment of it."""
    at_ns = OPEN_NS + 60 * SECOND_NS + MS
    session = session_of(exch_ts_ns=[at_ns - lag_ns])

    assert is_whole == ((at_ns - lag_ns) % SECOND_NS == 0)
    assert [expected] == flagged(session, Flag.LATE)
    assert (0 if expected else 100) == bought(session)


def test_a_print_without_exchange_time_is_not_late():
    """Nothing is judged where the feed says nothing."""
    assert [False] == flagged(session_of(), Flag.LATE)


def test_prints_below_a_dollar_are_judged_by_the_tick_there():
    """Below one dollar a stock that trades in cents has prints at .5001: they are on tick, and fill an order there (rule 32)."""
    show = {"bid": 0.5001, "ask": 0.5003}
    low = session_of(price=0.5001, show=show)

    assert [False] == flagged(low, Flag.OFF_TICK)
    assert 100 == bought(low, 0.5001)
    assert [] == [finding for finding in check_session(low) if finding.code in ("off_tick", "between_ticks")]
    assert [True] == flagged(session_of(price=1.0001, show=show), Flag.OFF_TICK)
    assert [True] == flagged(session_of(price=0.5001, tick=0.05, show=show), Flag.OFF_TICK)


@pytest.mark.parametrize(("tick", "multiplier"), [(100, 1), (50, 1), (2500, 1), (100, 50)])
def test_ticks_below_a_dollar_are_those_of_the_dated_table(tick, multiplier):
    """Sessions and the exchange agree on the steps of a stock; a contract keeps its own."""
    edge, low, *own = tick_table(DAY.replace(year=2028), 10_000)
    info = SymbolInfo(name="A", tick=tick, multiplier=multiplier)
    expected = low if tick in own and multiplier == 1 else tick

    assert 10_000 == edge
    assert {"A": (tick, expected)} == ticks_by_name([info], 10_000)


def test_a_quote_below_a_dollar_is_on_tick():
    """A bid of .5001 is no finding, one of 1.0001 is."""
    found = [
        np.asarray(session_of(show={"bid": bid, "ask": bid + 0.0002}).quotes()["flags"] & int(Flag.OFF_TICK)).any()
        for bid in (0.5001, 1.0001)
    ]

    assert [False, True] == found
