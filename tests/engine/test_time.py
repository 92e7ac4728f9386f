"""Whose clock: when requests act, when answers are known, and what comes first at equal times. Times worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from replay import Config, OrderRequest, Session, Watch, run

pytestmark = pytest.mark.jit_off
MS = 1_000_000
OPEN_NS = int(pd.Timestamp("2026-03-02 09:30", tz="America/New_York").value)
LATE_MS = 389 * 60_000  # a recording that ends earlier ends the day, and no order lives to see the close
LEGS = ["latency.feed_ns=5000000", "latency.compute_ns=1000000", "latency.outbound_ns=10000000"]
LEGS += ["latency.cancel_ns=20000000", "latency.answer_ns=7000000"]


def quotes(rows):
    """Make a session of one symbol from rows of (ms after the open, bid, bid size, ask, ask size)."""
    ms, bid, bid_size, ask, ask_size = zip(*rows, strict=True)
    frame = pd.DataFrame({"ts_ns": OPEN_NS + np.array(ms) * MS, "symbol": "X", "bid": bid, "bid_size": bid_size})
    frame["ask"], frame["ask_size"] = ask, ask_size
    return Session.from_frames(quotes=frame, symbols={"X": {"tick": 0.01}})


class Script:
    """Plays requests at given times (ms after the open) and notes every wake."""

    watch = Watch(quotes="any", forecasts=False)

    def __init__(self, at=None, timers=()):
        self.at = dict(at or {})
        self.timers = [OPEN_NS + t * MS for t in timers]
        self.next_timer_ns = None
        self.log = []

    def on_wake(self, view, wake):
        """Note the wake; send what is due."""
        ms = (view.now_ns - OPEN_NS) / MS
        kind = int(wake.event["kind"]) if wake.reason == "order" else 0
        self.log.append((wake.reason, ms, kind, view.touch("X")[:2]))
        self.next_timer_ns = next((t for t in self.timers if t > view.now_ns), None)
        return self.at.pop(ms, []) if wake.reason in ("quote", "timer") else []

    def state(self):
        """Have no state that a snapshot would need here."""
        return {}

    def restore(self, state):
        """Restore nothing."""


def play(session, script, sets=LEGS):
    """Run a script over a session."""
    return run([session], config=Config().with_sets(sets), strategy=script)


def test_the_four_legs():
    """An order decided at 100 ms acts at 116 (+1 compute, +10 outbound, +5 feed) on the market so far; answers come at 118."""
    session = quotes(
        [(0, 10.00, 100, 10.05, 100), (100, 10.00, 100, 10.05, 100), (116, 10.00, 100, 10.03, 100), (117, 10.0, 100, 10.09, 1)]
    )
    script = Script({100: [OrderRequest(symbol="X", side="BUY", qty=50, limit_price=10.05)]})
    result = play(session, script)

    assert [10.03] == result.fills["price"].tolist()
    assert [OPEN_NS + 116 * MS] == result.fills["ts_ns"].tolist()
    assert [16 * MS] == result.fills["latency_ns"].tolist()
    orders = [(reason, ms, kind) for reason, ms, kind, _ in script.log if reason == "order"]
    assert [118.0] * len(orders) == [ms for _, ms, _ in orders]
    assert [16, 18, 25] == [kind for _, _, kind in orders]  # ACK, FILL, COMMISSION


def test_an_answer_never_precedes_the_event_that_made_it():
    """With an answer leg shorter than the feed the answer comes with the event, after it."""
    session = quotes([(0, 10.00, 100, 10.05, 100), (50, 10.00, 100, 10.02, 100), (60, 10.0, 100, 10.02, 100)])
    script = Script({0: [OrderRequest(symbol="X", side="BUY", qty=50, limit_price=10.02)]})
    play(
        session,
        script,
        ["latency.feed_ns=5000000", *(f"latency.{leg}_ns=0" for leg in ("compute", "outbound", "cancel", "answer"))],
    )

    reasons = [(reason, ms) for reason, ms, _, _ in script.log if ms == 50.0]
    assert ("quote", 50.0) == reasons[0]
    assert {("order", 50.0)} == set(reasons[1:])
    assert len(reasons) >= 2


def test_a_signal_cannot_trade_on_the_book_it_was_made_from():
    """With zero latency an order acts after all events of its own time stamp."""
    session = quotes(
        [(0, 10.00, 100, 10.05, 100), (20, 10.00, 100, 10.01, 100), (20, 10.00, 100, 10.04, 100), (30, 10, 1, 10.04, 100)]
    )
    script = Script({20: [OrderRequest(symbol="X", side="BUY", qty=50, limit_price=10.05)]})
    result = play(session, script, [f"latency.{leg}_ns=0" for leg in ("feed", "compute", "outbound", "cancel", "answer")])

    assert [10.04] == result.fills["price"].tolist()


def test_a_timer_fires_before_the_event_of_its_time():
    """A timer at 20 ms sees the market before the quote of 20 ms; silence does not delay it."""
    session = quotes([(0, 10.00, 100, 10.05, 100), (20, 10.01, 100, 10.06, 100), (90, 10.02, 100, 10.07, 100)])
    script = Script(timers=(20, 45))
    play(session, script)

    assert ("timer", 20.0, 0, (10.00, 10.05)) in script.log
    assert ("timer", 45.0, 0, (10.01, 10.06)) in script.log
    assert script.log.index(("timer", 20.0, 0, (10.00, 10.05))) < script.log.index(("quote", 20.0, 0, (10.01, 10.06)))


def test_a_fill_beats_a_cancel_in_flight():
    """A cancel sent at 100 ms acts at 126 ms; the fill of 120 ms comes first and the cancel is refused."""
    session = quotes([
        (0, 10.00, 100, 10.05, 100), (100, 10.00, 100, 10.05, 100), (120, 9.99, 100, 10.00, 100), (200, 9.99, 100, 10.00, 100),
    ])  # fmt: skip
    script = Script(
        {0: [OrderRequest(symbol="X", side="BUY", qty=50, limit_price=10.0)], 100: [OrderRequest(symbol="X", cancel=1)]}
    )
    result = play(session, script)

    assert [OPEN_NS + 120 * MS] == result.fills["ts_ns"].tolist()
    kinds = [kind for reason, _, kind, _ in script.log if reason == "order"]
    assert [16, 18, 25, 26] == kinds  # ACK, FILL, COMMISSION, CANCEL_REJECTED


@pytest.mark.parametrize(("tif", "state"), [("IOC", "CANCELLED"), ("DAY", "EXPIRED")])
def test_what_does_not_fill_ends(tif, state):
    """An IOC that finds nothing is cancelled, a DAY order expires at the close; filled + leaves + cancelled = sent."""
    session = quotes([(0, 10.00, 100, 10.05, 100), (10, 10.00, 100, 10.05, 100), (LATE_MS, 10.00, 100, 10.05, 100)])
    script = Script({10: [OrderRequest(symbol="X", side="BUY", qty=50, limit_price=10.01, tif=tif)]})
    result = play(session, script)

    assert state == result.orders["state"].iloc[-1]
    assert 0 == len(result.fills)


def test_modify_and_reject_are_answered():
    """A change of quantity is acknowledged as MODIFIED; an order off the tick grid is rejected with its reason."""
    session = quotes([(0, 10.00, 100, 10.05, 100), (100, 10.00, 100, 10.05, 100), (LATE_MS, 10.00, 100, 10.05, 100)])
    script = Script(
        {
            0: [
                OrderRequest(symbol="X", side="BUY", qty=50, limit_price=10.0),
                OrderRequest(symbol="X", qty=10, limit_price=9.9999),
            ],
            100: [OrderRequest(symbol="X", modify=1, qty=20, limit_price=10.0)],
        }
    )
    result = play(session, script)

    states = result.orders.groupby("order_id")["state"].agg(list).to_dict()
    assert ["SENT", "WORKING", "MODIFY_SENT", "WORKING", "EXPIRED"] == states[1]
    assert ["SENT", "REJECTED"] == states[2]
    assert "OFF_TICK" in result.orders["reason"].tolist()
    assert 20 == result.orders.query("order_id == 1")["qty"].iloc[-1]
