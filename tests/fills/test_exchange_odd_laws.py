"""The laws of the exchange for pegged orders, auctions, bars, and the fitted queue model."""

import random

import numpy as np
from hypothesis import HealthCheck, given, settings

from fills.bands import Band, choices
from fills.queue import QUEUE_FIT, QueueModel
from replay.events import Kind
from tests.fills.test_exchange_laws import FAST, FILLS, SEEDS, live_orders
from tests.fills.test_exchange_laws import mirrored as turned
from tests.fills.worlds import BUY, SELL, Market, bar, busy_stream, fills_of, new

ODD = settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
BARS = 3  # evidence


def bar_stream(seed, n_steps=120):
    """Make a seeded stream of bars and own requests for two symbols whose evidence is bars alone."""
    rng = random.Random(seed)
    now, stream = 1, []
    for seq in range(n_steps):
        now += rng.choice([1, 5, 40])
        symbol, low = rng.randrange(2), rng.randint(96, 104)
        if rng.random() < 0.6:
            step = bar(low, low + rng.randint(0, 4), rng.randint(0, 300), start=max(now - rng.randint(0, 90), 1), symbol=symbol)
        else:
            kind = rng.choice(["limit", "limit", "market"])
            price = rng.randint(96, 104) if kind == "limit" else 0
            step = new(seq, rng.choice([BUY, SELL]), rng.randint(1, 30), price, kind=kind, symbol=symbol)
        stream.append(step | {"ts": now, "seq": seq})
    return stream


def mirrored(step):
    """Turn a step into that of a market upside down, bars too."""
    step = turned(step)
    if step["kind"] == "bar":
        step.update(low=1000 - step["high"], high=1000 - step["low"])
    return step


def odd_markets(seed):
    """Return streams with pegged orders, auctions and hidden prints, and of bars alone, each with how its market is made."""
    return [(busy_stream(seed, odd=True), {"queue": QueueModel.PRO_RATA}), (bar_stream(seed), {"evidence": BARS})]


@ODD
@given(seed=SEEDS)
def test_pegs_auctions_and_bars_create_and_lose_nothing(seed):
    """Filled, left and withdrawn add up to what was sent, and no event fills more than it printed, or a fifth of a bar."""
    for stream, made in odd_markets(seed):
        market, sent, done = Market(2, 6, **made), {}, {}
        for step in stream:
            answers = market.step(step)
            for a in answers:
                if a["kind"] in (Kind.ACK, Kind.MODIFIED, Kind.HELD):
                    sent[a["order_id"]] = a["qty"]
                elif a["kind"] in FILLS or (a["kind"] in (Kind.CANCELLED, Kind.EXPIRED) and a["order_id"] in sent):
                    done[a["order_id"]] = done.get(a["order_id"], 0) + a["qty"]
            filled = sum(a["qty"] for a in answers if a["rule"] in (7, 8, 28, 29, 34))
            assert filled <= step.get("volume", 5 * step.get("qty", 0)) // 5
        left = {order[1]: order[5] for order in live_orders(market)}

        assert sent == {order_id: done.get(order_id, 0) + left.get(order_id, 0) for order_id in sent}


@ODD
@given(seed=SEEDS)
def test_pegs_auctions_and_bars_fill_nobody_before_he_came(seed):
    """Every fill is of an order that was acknowledged before; a bar that had begun by then does not count."""
    for stream, made in odd_markets(seed):
        market, since = Market(2, 6, **made), {}
        for step in stream:
            for a in market.step(step):
                if a["kind"] in (Kind.ACK, Kind.HELD):
                    since.setdefault(a["order_id"], a["ts_ns"])
                elif a["kind"] in FILLS:
                    assert since[a["order_id"]] <= (step["start"] if step["kind"] == "bar" else a["ts_ns"])


@ODD
@given(seed=SEEDS)
def test_pegs_auctions_and_bars_are_mirrored(seed):
    """Turning the market upside down turns the fills of pegged orders, auctions and bars upside down, and nothing else."""
    names = ("order_id", "qty", "leaves_qty", "ahead_qty_before", "ahead_qty_after", "kind", "rule", "reason", "source_seq")
    for stream, made in odd_markets(seed):
        market, mirror = Market(2, 6, **made), Market(2, 6, **made)
        for step in stream:
            upright = [[a[name] for name in names] for a in market.step(step)]
            inverted = [[a[name] for name in names] for a in mirror.step(mirrored(step))]

            assert sorted(upright) == sorted(inverted)


@FAST
@given(seed=SEEDS)
def test_the_fitted_model_lies_between_the_extremes(seed):
    """Whatever its odds, at every moment an order alone fills as much as with trades only at least, as with all ahead at most.

    Among the textbook rules it has no fixed place: its odds may be those of behind first at one fall, of all ahead at the next.
    """
    rng = random.Random(seed)
    fits = np.zeros(2, QUEUE_FIT)
    for name in ("base", "position", "level", "drop", "spread", "balance"):
        fits[name] = [rng.uniform(-3, 3)] * 2
    fits["hidden_decay"], fits["hidden_move"] = rng.choice([0.0, 1e6]), rng.uniform(0, 0.3)  # these streams last nanoseconds
    models = [
        {"queue": QueueModel.TRADES_ONLY},
        {"queue": QueueModel.FITTED, "fits": fits},
        {"queue": QueueModel.ALL_AHEAD, "fits": fits},
    ]
    stream = [step for step in busy_stream(seed, faults=False) if step["kind"] != "request"]
    place, markets, filled = rng.randrange(len(stream)), [Market(2, 6, **made) for made in models], [0] * 3
    for k, step in enumerate(stream):
        for m, market in enumerate(markets):
            if k == place:
                market.step(new(10**6, BUY, 7, int(market.book[0]["bid"]), ts=step["ts"]))
            filled[m] += sum(qty for _, _, qty in fills_of(market.step(step)))

        assert sorted(filled) == filled


@ODD
@given(seed=SEEDS)
def test_bars_fill_one_order_by_band(seed):
    """An order alone on bars fills at every moment no more in the more pessimistic band."""
    rng = random.Random(seed)
    markets, filled = [Market(2, 6, evidence=BARS, band=choices(band)) for band in Band], [0] * 3
    order = new(10**6, rng.choice([BUY, SELL]), 60, rng.randint(97, 103), ts=1)
    for step in [order, *(step for step in bar_stream(seed) if step["kind"] == "bar")]:
        for m, market in enumerate(markets):
            filled[m] += sum(qty for _, _, qty in fills_of(market.step(step | {"seq": step.get("seq", 0)})))

        assert sorted(filled) == filled


def test_these_streams_reach_the_rules_they_are_about():
    """The streams of the laws above make fills at the mid, in auctions and by bars."""
    rules = {a["rule"] for seed in range(8) for stream, made in odd_markets(seed) for a in played(stream, made)}

    assert {28, 29, 34} <= rules


def played(stream, made):
    """Return all answers to a stream."""
    market = Market(2, 6, **made)
    return [answer for step in stream for answer in market.step(step)]
