"""When given orders act: their drawn delays are their own, and one line carries them in order."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fills import delays, simulate
from fills.arrivals import arrivals_of
from fills.given import read_orders
from fills.latency import LatencySettings
from fills.latency_table import Bucket, LatencyTable
from replay.session import Session
from tests.fills.test_simulation import START_NS

S = 1_000_000_000
DRAWN = LatencySettings(outbound_model="lognormal", cancel_model="lognormal", feed_model="lognormal")


@pytest.fixture(scope="module")
def session():
    """Return two symbols that are quoted once a second for a minute, A ten times a second from second 30 on."""
    steady = START_NS + np.arange(60) * S
    frame = pd.DataFrame({"ts_ns": np.concatenate([steady, steady]), "symbol": ["A"] * 60 + ["B"] * 60})
    busy = pd.DataFrame({"ts_ns": START_NS + 30 * S + np.arange(300) * S // 10 + 7, "symbol": "A"})
    quotes = pd.concat([frame, busy]).sort_values("ts_ns").assign(bid=9.99, bid_size=500, ask=10.0, ask_size=500)
    return Session.from_frames(quotes=quotes, symbols={"A": {"tick": 0.01}, "B": {"tick": 0.01}})


def orders_of(*rows):
    """Orders to buy 100 at 9.99 from (id, symbol, second sent, second of the cancel or 0)."""
    frame = pd.DataFrame(rows, columns=["order_id", "symbol", "second", "cancel"])
    sent = {
        "ts_ns": START_NS + (frame["second"] * S).astype("int64"),
        "side": "BUY",
        "qty": 100,
        "limit_price": 9.99,
        "tif": "DAY",
    }
    cancel = np.where(frame["cancel"] > 0, START_NS + (frame["cancel"] * S).astype("int64"), 0)
    return frame[["order_id", "symbol"]].assign(**sent, cancel_ts_ns=cancel)


def arrivals(session, orders, latency, *, is_independent):
    """Return arrivals of orders and cancels, in ns after they were sent."""
    given_orders = read_orders(orders, session, (START_NS, START_NS + 100 * S))
    found = arrivals_of(session, given_orders, latency, is_independent)
    return found.new_ns - given_orders.ts_ns, found.cancel_ns - given_orders.cancel_ts_ns


ROWS = st.lists(st.tuples(st.sampled_from("AB"), st.floats(0, 20), st.floats(0, 5)), min_size=1, max_size=8).map(
    lambda rows: [(k + 1, name, round(at, 3), round(at + more, 3)) for k, (name, at, more) in enumerate(rows)]
)


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_an_order_s_delay_is_its_own(session, rows):
    """Independent orders take the delays of their key, whoever else is sent, before or after them or in another symbol."""
    together, _ = arrivals(session, orders_of(*rows), DRAWN, is_independent=True)
    alone = [arrivals(session, orders_of(row), DRAWN, is_independent=True)[0][0] for row in rows]
    made = delays.build_delays(DRAWN, seed=0, symbols=["A", "B"])
    legs = (delays.OUTBOUND_LEG, delays.FEED_LEG)
    drawn = [sum(delays.delay_ns(leg, "AB".index(name), k, 0, 0, made) for leg in legs) for k, name, _, _ in rows]

    assert drawn == together.tolist() == alone


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_on_one_line_nothing_overtakes(session, rows):
    """Sorted by when they were sent, orders and cancels act in that order, and none earlier than alone."""
    orders = orders_of(*rows)
    new_ns, cancel_ns = arrivals(session, orders, DRAWN, is_independent=False)
    own_new_ns, _ = arrivals(session, orders, DRAWN, is_independent=True)
    has_cancel = orders["cancel_ts_ns"] > 0
    sent = np.concatenate([orders["ts_ns"], orders["cancel_ts_ns"][has_cancel]])
    acts = sent + np.concatenate([new_ns, cancel_ns[has_cancel]])

    assert (np.diff(acts[np.argsort(sent, kind="stable")]) >= 0).all()
    assert (new_ns >= own_new_ns).all()


def test_busy_seconds_take_the_busy_delays(session, tmp_path):
    """With two events a second the way takes 5 ms, with more than ten 50 ms, as the table of measured delays says."""
    quiet, busy = ({"outbound": (ms * 1_000_000,)} for ms in (5, 50))
    path = tmp_path / "t.toml"
    path.write_text(LatencyTable(buckets=(Bucket(below_events=10, delays_ns=quiet), Bucket(delays_ns=busy))).to_toml())
    latency = LatencySettings(outbound_model="empirical", table=str(path), feed_ns=0)
    ways_ns, _ = arrivals(session, orders_of((1, "B", 20.5, 0), (2, "B", 40.5, 0)), latency, is_independent=True)

    assert [5_000_000, 50_000_000] == ways_ns.tolist()


def test_drawn_delays_reach_the_fills(session):
    """Marketable orders are filled when they arrive: a fill's time is the order's, plus its drawn way."""
    orders = orders_of(*((k, "A", float(k), 0) for k in range(1, 21))).assign(limit_price=10.0)
    fills = simulate(session, orders, latency=DRAWN, independent=True)
    ways_ns, _ = arrivals(session, orders, DRAWN, is_independent=True)

    assert (orders["ts_ns"] + ways_ns).tolist() == fills["ts_ns"].tolist()
    assert 20 == len(set(ways_ns.tolist()))
