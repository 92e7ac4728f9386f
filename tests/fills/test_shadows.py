"""Shadow orders: one pass over many gives each what it would have had alone."""

import random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fills import simulate
from fills.batch import ANSWERS_AT_ONCE
from fills.queue import DISPLAY_MODELS
from replay.session import Session
from tests.fills.test_simulation import START_NS, session_of
from tests.fills.worlds import BUY, busy_stream, streams

MODELS = list(DISPLAY_MODELS)


def sent_of(stream, seed):
    """Return the orders that a stream sends, each cancelled, expiring or left alone by chance."""
    rng = random.Random(seed)
    rows = []
    for s in stream:
        if s["kind"] == "request" and s["action"] == "new" and s["qty"] > 0:
            ts_ns = START_NS + s["ts"]
            later_ns = ts_ns + rng.randint(1, 3000)
            rows.append(
                {
                    "order_id": s["seq"], "symbol": "AB"[s["symbol"]], "ts_ns": ts_ns, "qty": s["qty"],
                    "limit_price": np.nan if s["type"] == "market" else s["price"] / 100,
                    "side": "BUY" if s["side"] == BUY else "SELL", "tif": s["tif"].upper(), "expire_ts_ns": later_ns,
                    "post_only": s["post_only"] * (s["type"] != "market"), "cancel_ts_ns": rng.choice([0, 0, later_ns]),
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def both_ways(stream, seed, model, **settings):
    """Return the fills of all orders in one pass, and those of each order simulated alone, as sorted rows."""
    session, orders = session_of(stream), sent_of(stream, seed)
    together = simulate(session, orders, model, independent=True, **settings)
    alone = [simulate(session, orders.iloc[k : k + 1], model, **settings) for k in range(len(orders))]
    return [sorted(rows.itertuples(index=False, name=None)) for rows in (pd.concat(alone), together)]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("own_in_book", [False, True])
def test_one_pass_fills_as_many_passes_with_one_order_each(model, own_in_book):
    """In a long stream with halts, cancels and every life span, each order gets what it gets alone, under every queue model."""
    seed = MODELS.index(model)
    alone, together = both_ways(busy_stream(seed, 250), seed, model, latency=seed, own_in_book=own_in_book)

    assert len(alone) > 10
    assert alone == together


def has_work(stream):
    """Tell whether a stream has a quote and a print for a session, and an order for a pass."""
    kinds = {s["kind"] for s in stream if s["kind"] != "trade" or s["qty"] > 0}
    news = [s for s in stream if s["kind"] == "request" and s["action"] == "new" and s["qty"] > 0]
    return {"quote", "trade"} <= kinds and bool(news)


@settings(max_examples=40, deadline=None)
@given(streams(50).filter(has_work), st.sampled_from(MODELS), st.booleans(), st.sampled_from([0, 3, 50]))
def test_no_stream_tells_one_pass_from_many(stream, model, own_in_book, latency):
    """Whatever the stream, the model and the latency, shadow orders in one pass equal orders alone."""
    alone, together = both_ways(stream, 1, model, latency=latency, own_in_book=own_in_book)

    assert alone == together


def crowd(n_orders, limit_price):
    """Return many orders of one share at one price, sent at one time."""
    return pd.DataFrame(
        {
            "order_id": np.arange(n_orders), "symbol": "A", "ts_ns": START_NS, "side": "BUY", "qty": 1,
            "limit_price": limit_price, "tif": "DAY",
        }
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("own_in_book", [False, True])
def test_one_event_may_fill_more_orders_than_the_answers_hold(own_in_book):
    """A print that fills every shadow at once fills them all, however many there are."""
    n_orders = ANSWERS_AT_ONCE + 10
    quotes = pd.DataFrame({"ts_ns": [START_NS], "symbol": "A", "bid": 99.99, "bid_size": 5, "ask": 100.01, "ask_size": 5})
    trades = pd.DataFrame({"ts_ns": [START_NS + 5], "symbol": "A", "price": 99.99, "size": 1, "exchange": "N"})
    session = Session.from_frames(quotes=quotes, trades=trades, symbols={"A": {"tick": 0.01}})
    fills = simulate(session, crowd(n_orders, 100.0), latency=1, independent=True, own_in_book=own_in_book)

    assert list(range(n_orders)) == fills["order_id"].tolist()
    assert {(1, 8)} == set(zip(fills["qty"], fills["rule"], strict=True))
