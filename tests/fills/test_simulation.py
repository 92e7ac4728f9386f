"""`simulate`: given orders against a session, together or each alone."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from fills import LatencySettings, QueueModel, simulate
from replay.errors import UsageError
from replay.session import Session
from tests.fills.worlds import BUY, busy_stream
from tests.naive.exchange import Exchange

START_NS = 1_700_000_000_000_000_000
TICK = 100
STATUS = {1: "halted", 2: "resumed", 3: "auction", 5: "connected"}


def session_of(stream):
    """Make a session of two symbols whose events are those of a busy stream, a tick being one cent."""
    quotes = [s for s in stream if s["kind"] == "quote"]
    trades = [s for s in stream if s["kind"] == "trade" and s["qty"] > 0]
    names = "AB"

    def common(rows):
        return {
            "ts_ns": [START_NS + r["ts"] for r in rows],
            "symbol": [names[r["symbol"]] for r in rows],
            "order": [r["seq"] for r in rows],
        }

    quote_frame = pd.DataFrame(
        common(quotes)
        | {name: [r[name] / 100 for r in quotes] for name in ("bid", "ask")}
        | {f"{name}_size": [r[f"{name}_qty"] for r in quotes] for name in ("bid", "ask")}
    )
    for name in ("bid", "ask"):
        quote_frame.loc[quote_frame[f"{name}_size"] == 0, name] = np.nan
    trade_frame = pd.DataFrame(
        common(trades)
        | {
            "price": [r["price"] / 100 for r in trades],
            "size": [r["qty"] for r in trades],
            "exchange": ["" if r["flags"] & 4096 else "N" for r in trades],
            "flags": np.array([r["flags"] for r in trades], np.int32),
        }
    )
    halts = [s for s in stream if s["kind"] == "status"]
    marks = common([h | {"symbol": max(h["symbol"], 0)} for h in halts]) | {"status": [STATUS[h["code"]] for h in halts]}
    marks["symbol"] = [names[h["symbol"]] if h["symbol"] >= 0 else "" for h in halts]
    return Session.from_frames(
        quotes=quote_frame,
        trades=trade_frame,
        status=pd.DataFrame(marks) if halts else None,
        symbols={n: {"tick": 0.01, "evidence": "tick_by_tick"} for n in names},
    )


def orders_of(stream):
    """Return the orders of a busy stream as a frame, cancelled where the stream cancels them later."""
    rows = {}
    for s in stream:
        if s["kind"] != "request":
            continue
        if s["action"] == "new" and s["qty"] > 0:
            price = np.nan if s["type"] == "market" else s["price"] / 100
            rows[s["order_id"]] = {
                "order_id": s["order_id"], "symbol": "AB"[s["symbol"]], "ts_ns": START_NS + s["ts"], "qty": s["qty"],
                "limit_price": price, "side": "BUY" if s["side"] == BUY else "SELL",
                "tif": "DAY" if s["tif"] == "gtd" else s["tif"].upper(),
                "post_only": s["post_only"] if s["type"] != "market" else 0, "cancel_ts_ns": 0,
            }  # fmt: skip
        elif s["action"] == "cancel" and s["order_id"] in rows and "AB"[s["symbol"]] == rows[s["order_id"]]["symbol"]:
            rows[s["order_id"]]["cancel_ts_ns"] = rows[s["order_id"]]["cancel_ts_ns"] or START_NS + s["ts"]
    return pd.DataFrame(list(rows.values()))


def naive_fills(stream, orders, model):
    """Return the plain exchange's fills for the same orders as (id, ts, price, qty, rule)."""
    exchange = Exchange(2, 10**6, model=model.value, evidence=1, windows={1: (50_000_000, 50_000_000)}, tick=1)
    todo = []
    for row in orders.to_dict("records"):
        request = {
            "action": "new", "order_id": row["order_id"], "symbol": "AB".index(row["symbol"]),
            "side": 1 if row["side"] == "BUY" else -1, "qty": row["qty"],
            "price": 0 if np.isnan(row["limit_price"]) else round(row["limit_price"] * 100),
            "type": "market" if np.isnan(row["limit_price"]) else "limit", "tif": row["tif"].lower(),
            "post_only": row["post_only"], "expire": 0,
        }  # fmt: skip
        todo.append((row["ts_ns"] - START_NS, 1, row["order_id"], request))
        if row["cancel_ts_ns"]:
            todo.append((row["cancel_ts_ns"] - START_NS, 2, row["order_id"], request | {"action": "cancel"}))
    todo.sort(key=lambda entry: entry[:3])
    for event in stream:
        if event["kind"] in ("quote", "trade") and not (event["kind"] == "trade" and event["qty"] == 0):
            while todo and todo[0][0] < event["ts"]:
                due, _, _, request = todo.pop(0)
                exchange.on_request(request, due)
            exchange.on_event(event)
    for due, _, _, request in todo:
        exchange.on_request(request, due)
    return [(a["order_id"], a["ts_ns"], a["price"], a["qty"], a["rule"]) for a in exchange.answers if a["rule"]]


def fills_of(frame):
    """Return the rows of `simulate` as (id, ts, price, qty, rule) in ticks and from the start."""
    prices = (frame["price"] * 100).round().astype(int)
    return list(zip(frame["order_id"], frame["ts_ns"] - START_NS, prices, frame["qty"], frame["rule"], strict=True))


def clean(seed):
    """Make a busy stream without the faults that a session refuses."""
    return [
        s
        for s in busy_stream(seed, 400)
        if s["kind"] in ("quote", "trade", "request") and not (s["kind"] == "trade" and not s["qty"])
    ]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("model", [QueueModel.BEHIND_FIRST, QueueModel.PRO_RATA])
def test_simulate_fills_as_the_plain_exchange_does(seed, model):
    """Orders that meet each other get the fills of the plain-Python exchange on the same session."""
    stream = clean(seed)
    orders = orders_of(stream)

    assert naive_fills(stream, orders, model) == fills_of(simulate(session_of(stream), orders, model, latency=0))


@pytest.mark.parametrize("seed", range(3))
def test_independent_orders_fill_as_if_each_were_alone(seed):
    """All shadow orders in one pass get what each gets when it is simulated alone."""
    stream = clean(seed)
    session, orders = session_of(stream), orders_of(stream)
    together = fills_of(simulate(session, orders, latency=0, independent=True))
    alone = [fill for k in range(len(orders)) for fill in fills_of(simulate(session, orders.iloc[k : k + 1], latency=0))]

    assert len(together) > 20
    assert sorted(alone) == sorted(together)


def tiny(queue_first=300):
    """Show a bid of 300 at 100.00, a print of 400 a second later."""
    quotes = pd.DataFrame(
        {
            "ts_ns": [START_NS, START_NS + 2_000_000_000],
            "symbol": "A",
            "bid": 100.0,
            "bid_size": [queue_first, 50],
            "ask": 100.01,
            "ask_size": 300,
        }
    )
    trades = pd.DataFrame({"ts_ns": [START_NS + 1_000_000_000], "symbol": "A", "price": 100.0, "size": [400], "exchange": "N"})
    return Session.from_frames(quotes=quotes, trades=trades, symbols={"A": {"tick": 0.01}})


def order(**changes):
    """One order to buy 100 at 100.00, sent with the first quote."""
    row = {"order_id": 1, "symbol": "A", "ts_ns": START_NS, "side": "BUY", "qty": 100, "limit_price": 100.0, "tif": "DAY"}
    return pd.DataFrame([row | changes])


def test_fills_have_the_promised_columns():
    """A fill says when, at what price, how much, how, by which rule and on what evidence."""
    fills = simulate(tiny(), order(), latency=0)

    assert ["order_id", "ts_ns", "price", "qty", "liquidity", "rule", "evidence"] == list(fills.columns)
    assert [1, START_NS + 1_000_000_000, 100.0, 100, "ADD", 7, "snapshot_250ms"] == fills.iloc[0].tolist()
    assert 0 == len(simulate(tiny(), order(cancel_ts_ns=START_NS + 1), latency=0))


def test_latency_is_the_way_to_the_exchange():
    """An order that arrives after the print gets nothing; the default profile is that of `LatencySettings`."""
    legs = LatencySettings()

    assert 1 == len(simulate(tiny(), order(), latency=999_999_999))
    assert 0 == len(simulate(tiny(), order(), latency=1_000_000_000))
    late = order(ts_ns=START_NS + 1_000_000_000 - legs.outbound_ns - legs.feed_ns)
    assert 0 == len(simulate(tiny(), late))
    assert 1 == len(simulate(tiny(), late.assign(ts_ns=late["ts_ns"] - 1)))


def test_an_order_acts_after_the_events_of_its_time_unless_it_is_in_the_book():
    """The print of its own time stamp passes a new order by, but not a real one that is played again."""
    now = START_NS + 1_000_000_000

    assert 0 == len(simulate(tiny(), order(ts_ns=now), latency=0))
    assert 1 == len(simulate(tiny(), order(ts_ns=now), latency=0, own_in_book=True))


def test_a_real_order_stands_before_the_event_that_it_names():
    """Of three quotes with one time stamp the third shows the order: it joins behind the ten of the second, else it is first."""
    quotes = pd.DataFrame({"ts_ns": START_NS, "symbol": "A", "bid": [99.99, 100.0, 100.0], "bid_size": [5, 10, 110]})
    trades = pd.DataFrame({"ts_ns": [START_NS + 1000], "symbol": "A", "price": 100.0, "size": [12], "exchange": "N"})
    session = Session.from_frames(
        quotes=quotes.assign(ask=100.01, ask_size=300), trades=trades.assign(flags=512), symbols={"A": {"tick": 0.01}}
    )
    own_seq = int(session.quotes()["seq"].iloc[2])

    assert [2] == simulate(session, order(before_seq=own_seq), latency=0, own_in_book=True)["qty"].tolist()
    assert [12] == simulate(session, order(), latency=0, own_in_book=True)["qty"].tolist()
    with pytest.raises(UsageError, match="needs `own_in_book=True`"):
        simulate(session, order(before_seq=own_seq))


def test_gtd_orders_end_at_their_time():
    """An order good till just before the print gets nothing, also when it would only arrive later."""
    print_ns = START_NS + 1_000_000_000

    assert 0 == len(simulate(tiny(), order(tif="GTD", expire_ts_ns=print_ns), latency=0))
    assert 1 == len(simulate(tiny(), order(tif="GTD", expire_ts_ns=print_ns + 1), latency=0))
    assert 0 == len(simulate(tiny(), order(tif="GTD", expire_ts_ns=START_NS + 5), latency=10))


def test_gtd_orders_end_at_the_close():
    """A print after the close fills neither a DAY nor a GTD order sent before it; sent after it, both live on (rule 18)."""
    close_ns = tiny().hours.close_ns
    frames = {name: getattr(tiny(), name)(prices="float") for name in ("quotes", "trades")}
    for frame in frames.values():
        frame["ts_ns"] += close_ns - START_NS
    late = Session.from_frames(**frames, symbols={"A": {"tick": 0.01}})
    sent = pd.concat([order(tif=tif, ts_ns=close_ns + at) for tif in ("DAY", "GTD") for at in (-1, 0)], ignore_index=True)
    sent["order_id"], sent["expire_ts_ns"] = range(1, 5), close_ns + 3_000_000_000

    assert [2, 4] == simulate(late, sent, latency=0, independent=True)["order_id"].tolist()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"symbol": "Q"}, "row 0: `symbol` must be one of A, got 'Q'"),
        ({"qty": 0}, "row 0: `qty` must be a positive number of shares, got 0"),
        ({"qty": 1.5}, "row 0: `qty` must be a whole number, got 1.5"),
        ({"limit_price": 100.005}, "row 0: `limit_price` must be a multiple of the tick 0.01, got 100.005"),
        ({"limit_price": -1.0}, "row 0: `limit_price` must be a positive price"),
        ({"ts_ns": 5}, "row 0: `ts_ns` must be a time inside the session"),
        ({"side": "LONG"}, "row 0: `side` must be one of BUY, SELL, got 'LONG'"),
        ({"tif": "GTC"}, "row 0: `tif` must be one of DAY, IOC, FOK, GTD, got 'GTC'"),
        ({"tif": "GTD"}, "row 0: `expire_ts_ns` must be a time after `ts_ns`"),
        ({"cancel_ts_ns": 7}, "row 0: `cancel_ts_ns` must be a time not before `ts_ns`"),
        ({"qty": 2**62}, "row 0: `qty` must be at most 1,000,000,000 shares, got 4611686018427387904"),
        ({"limit_price": np.nan, "post_only": 1}, "row 0: `post_only` must be 0 for a market order, which always takes, got 1"),
        ({"type": "PEG_MID", "tif": "IOC"}, "row 0: `tif` must be DAY or GTD for an order that follows the mid, got 'IOC'"),
        ({"limit_price": "cheap"}, "row 0: `limit_price` must be a price in dollars, or NaN for market, got 'cheap'"),
        ({"order_id": 2**64}, "row 0: `order_id` must be a whole number of 64 bits, got 18446744073709551616"),
        ({"order_id": 2**63}, "row 0: `order_id` must be a whole number of 64 bits, got 9223372036854775808"),
        ({"tif": "GTD", "expire_ts_ns": 1e30}, "row 0: `expire_ts_ns` must be a whole number of 64 bits, got 1e+30"),
    ],
)
def test_an_impossible_order_is_refused_with_its_row(changes, message):
    """Each impossible field is one clear sentence with the row, what was expected and what came."""
    with pytest.raises(UsageError) as caught:
        simulate(tiny(), order(**changes))

    assert message in str(caught.value)


def test_duplicate_ids_and_missing_columns_are_refused():
    """An order id twice, or a column that is not there, is one clear sentence."""
    with pytest.raises(UsageError, match="row 1: `order_id` must be a number of its own, got 1"):
        simulate(tiny(), pd.concat([order(), order()]))
    with pytest.raises(UsageError, match="lack the column `tif`"):
        simulate(tiny(), order().drop(columns="tif"))


@pytest.mark.parametrize("orders", [[1, 2], {"order_id": [1]}, None])
def test_what_is_no_frame_of_orders_is_refused(orders):
    """A list, a dictionary or nothing is one clear sentence that names the columns."""
    with pytest.raises(UsageError, match=rf"`orders` must be a pandas\.DataFrame with order_id, .*, got {type(orders).__name__}"):
        simulate(tiny(), orders)


def test_a_column_given_twice_is_refused():
    """Two columns of one name are named, not summed up or guessed at."""
    with pytest.raises(UsageError, match="orders have the column `qty` more than once"):
        simulate(tiny(), pd.concat([order(), order()[["qty"]]], axis=1))


def test_a_missing_price_is_a_market_order_whatever_stands_for_it():
    """None, NA and NaN all mean that there is no limit."""
    sent = [order().assign(limit_price=pd.Series([none], dtype=object)) for none in (None, pd.NA, np.nan)]

    assert [[100.01]] * 3 == [simulate(tiny(), one, latency=0)["price"].tolist() for one in sent]


def test_a_decimal_is_a_price():
    """Prices that came from a table of decimals are as good as floats."""
    sent = order().assign(limit_price=pd.Series([Decimal("100.01")], dtype=object))

    assert [100.01] == simulate(tiny(), sent, latency=0)["price"].tolist()


def test_a_cancel_of_the_far_future_never_comes():
    """The last time that 64 bits hold is no cancel: the order fills as without one."""
    assert 1 == len(simulate(tiny(), order(cancel_ts_ns=2**63 - 1)))


@pytest.mark.parametrize("latency", [-1, 1.5, "x", True, [5], float("nan"), 2**63])
def test_a_wrong_latency_is_refused(latency):
    """A latency below zero, beyond a life or of a strange type is one clear sentence."""
    with pytest.raises(UsageError, match="`latency` must be whole"):
        simulate(tiny(), order(), latency=latency)


@pytest.mark.parametrize("queue", ["FITTED", "Fitted", "fitted"])
def test_queue_models_are_named_in_either_case(queue):
    """The names of the contract and those of the configuration are the same model."""
    assert QueueModel.FITTED is QueueModel(queue)
    assert 1 == len(simulate(tiny(), order(), queue=queue, band="EXPECTED", latency=0))


def test_no_orders_give_no_fills():
    """An empty frame of orders gives an empty frame of fills with its columns."""
    fills = simulate(tiny(), order().iloc[:0])

    assert 0 == len(fills)
    assert "order_id" in fills.columns
