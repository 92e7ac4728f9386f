"""The defect cases T17 to T23 of public simulators: what must not get in, and what must not depend on how it came in."""

import gc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fills import simulate
from replay.errors import DataError, UsageError
from replay.importers import ImportOptions, import_sessions
from replay.session import Session
from tests.fills.test_shadows import sent_of
from tests.fills.test_simulation import START_NS, order, session_of, tiny
from tests.fills.worlds import Market, busy_stream

QUOTES = {"ts_ns": [START_NS], "symbol": "A", "bid": 100.0, "bid_size": 5, "ask": 100.01, "ask_size": 5}
TRADES = {"ts_ns": [START_NS + 1], "symbol": "A", "price": 100.0, "size": 5, "exchange": "N"}
TICKS = {"A": {"tick": 0.01}}


def test_t17_rows_that_go_back_in_time_are_refused_by_row_and_both_times(tmp_path: Path):
    """A file whose third row is earlier than its second is not replayed: the row and both stamps are named."""
    late, early = START_NS + 7_000, START_NS + 2_000
    rows = pd.DataFrame(QUOTES).loc[[0, 0, 0]].assign(ts_ns=[START_NS, late, early])
    rows.to_csv(tmp_path / "quotes.csv", index=False)

    with pytest.raises(DataError, match=rf"goes back in time at row 3: `ts_ns` {early} after {late}"):
        import_sessions("csv", [tmp_path / "quotes.csv"], tmp_path / "days", ImportOptions())
    assert not (tmp_path / "days").exists() or [] == list((tmp_path / "days").iterdir())


def test_t17_frames_in_any_order_are_the_same_session():
    """Rows of a frame carry their times: in memory they are sorted, and the fills are those of the sorted frame."""
    rows = pd.DataFrame(QUOTES).loc[[0, 0, 0]].assign(ts_ns=[START_NS, START_NS + 5, START_NS + 9], bid_size=[5, 6, 7])
    both = [Session.from_frames(quotes=frame, trades=pd.DataFrame(TRADES), symbols=TICKS) for frame in (rows, rows[::-1])]

    assert [5, 6, 7] == both[1].quotes()["bid_size"].tolist()
    assert both[0].quotes().equals(both[1].quotes())


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("size", 0, "trades.size is 0 at row 0; expected a positive number of shares"),
        ("size", -5, "trades.size is -5 at row 0; expected a positive number of shares"),
        ("price", np.nan, r"trades.price is missing \(NaN\) at row 0"),
    ],
)
def test_t18_numbers_that_cannot_be_are_named_with_field_and_value(column, value, told):
    """Prints of nothing, of less than nothing and at no price stop at the border."""
    with pytest.raises(DataError, match=told):
        Session.from_frames(quotes=pd.DataFrame(QUOTES), trades=pd.DataFrame(TRADES | {column: value}), symbols=TICKS)


def test_t18_an_order_off_the_tick_is_refused_and_not_moved():
    """A limit of 99.006 with a tick of a cent is an error with the row, the tick and the price; no tick is chosen for it."""
    with pytest.raises(UsageError, match=r"row 0: `limit_price` must be a multiple of the tick 0.01, got 99.006"):
        simulate(tiny(), order(limit_price=99.006))


def test_t19_quotes_of_the_touch_alone_are_a_market():
    """Best bids and offers need no depth rows beside them: an order fills from what they show."""
    session = Session.from_frames(quotes=pd.DataFrame(QUOTES), trades=pd.DataFrame(TRADES), symbols=TICKS)

    assert [5] == simulate(session, order(limit_price=100.01, qty=5), latency=0)["qty"].tolist()


@pytest.mark.parametrize(
    ("stream", "rows", "told"),
    [
        ("status", {"status": "bingo"}, "status.status is 'bingo' at row 0; known are: halted"),
        (
            "messages",
            {"action": "trample", "order_id": 1, "side": 1, "price": 1.0, "size": 1},
            "messages.action is 'trample' at row 0; known are: add",
        ),
    ],
)
def test_t19_an_unknown_kind_of_row_is_refused_with_the_known_ones(stream, rows, told):
    """What nobody knows how to replay is not skipped in silence."""
    frame = pd.DataFrame([{"ts_ns": START_NS, "symbol": "A"} | rows])
    with pytest.raises(DataError, match=told):
        Session.from_frames(quotes=pd.DataFrame(QUOTES), symbols=TICKS, **{stream: frame})


@pytest.mark.parametrize("seed", range(3))
def test_t21_every_accessor_of_the_touch_tells_what_was_shown(seed):
    """After every event the book and the venue's ledgers hold price and size of both sides as the last quote had them."""
    market, shown = Market(2, 6), {}
    for step in busy_stream(seed):
        market.step(step)
        if step["kind"] == "quote":
            shown[step["symbol"]] = {name: step[name] for name in ("bid", "bid_qty", "ask", "ask_qty")}
            if market.book[step["symbol"]]["status"] == 0:
                ledgers = market.venue.ledgers[step["symbol"]]
                told = [(int(ledger["rank"]), int(ledger["qty"])) for ledger in ledgers if ledger["qty"] > 0]
                both = ((step["bid"], step["bid_qty"]), (-step["ask"], step["ask_qty"]))
                assert [side for side in both if side[1] > 0] == told
        for s, touch in shown.items():
            assert touch == {name: int(market.book[s][name]) for name in touch}


def test_t22_what_was_given_may_be_forgotten():
    """The frames a session was made of can be changed and freed; the fills are those of the data as they were given."""
    stream = busy_stream(5, 250, faults=False)
    orders = sent_of(stream, 5)
    expected = simulate(session_of(stream), orders, latency=0, independent=True)
    quotes, trades = pd.DataFrame(QUOTES), pd.DataFrame(TRADES)
    kept, session = session_of(stream), Session.from_frames(quotes=quotes, trades=trades, symbols=TICKS)
    quotes.loc[:, ["bid", "ask"]] = np.nan
    del quotes, trades
    gc.collect()

    assert expected.equals(simulate(kept, orders, latency=0, independent=True))
    assert len(expected) > 10
    assert [(100.0, 100.01)] == list(session.quotes()[["bid", "ask"]].div(session.scale).itertuples(index=False, name=None))
