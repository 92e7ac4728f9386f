"""The laws of the exchange on generated streams: nothing is created or lost, and nobody jumps the queue."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fills.queue import DISPLAY_MODELS, UNKNOWN, QueueModel
from replay.events import Kind
from tests.fills.worlds import BUY, BUY_PRINT, SELL, SELL_PRINT, Market, busy_stream, fills_of, new, quote, trade

SEEDS = st.integers(0, 10**9)
FAST = settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
MODELS = pytest.mark.parametrize("model", list(DISPLAY_MODELS))
FILLS = (Kind.PARTIAL, Kind.FILL)
ORDERED = [QueueModel.TRADES_ONLY, QueueModel.BEHIND_FIRST, QueueModel.PRO_RATA, QueueModel.ALL_AHEAD]


def live_orders(market):
    """Copy all live orders as (symbol, id, side, price, ahead, leaves), in time priority."""
    venue = market.venue
    return [
        (s, int(o["order_id"]), int(o["side"]), int(o["price"]), int(o["ahead_qty"]), int(o["leaves_qty"]))
        for s in range(len(venue.n_orders))
        for o in venue.orders[s, : venue.n_orders[s]]
    ]


@MODELS
@FAST
@given(seed=SEEDS)
def test_filled_and_leaves_and_cancelled_are_what_was_sent(model, seed):
    """For each order the fills, what is left and what was withdrawn add up to its quantity, after every answer."""
    market = Market(2, 6, queue=model)
    qty, filled, closed = {}, {}, {}
    for step in busy_stream(seed):
        for answer in market.step(step):
            order_id = answer["order_id"]
            if answer["kind"] in (Kind.ACK, Kind.MODIFIED):
                qty[order_id] = answer["qty"]
            elif answer["kind"] in FILLS:
                filled[order_id] = filled.get(order_id, 0) + answer["qty"]
            elif answer["kind"] in (Kind.CANCELLED, Kind.EXPIRED) and order_id in qty:
                closed[order_id] = answer["qty"]
    leaves = {order[1]: order[5] for order in live_orders(market)}
    for order_id, sent in qty.items():
        assert sent == filled.get(order_id, 0) + closed.get(order_id, 0) + leaves.get(order_id, 0)


@MODELS
@FAST
@given(seed=SEEDS)
def test_own_fills_never_exceed_the_print(model, seed):
    """Over all own orders at all prices, the fills made by one print are at most its size."""
    market = Market(2, 6, queue=model)
    for step in busy_stream(seed):
        fills = [a for a in market.step(step) if a["rule"] in (7, 8)]
        if fills:
            assert step["kind"] == "trade"
            assert step["qty"] >= sum(a["qty"] for a in fills)


@FAST
@given(seed=SEEDS)
def test_own_fills_never_exceed_the_displayed_size(seed):
    """What own orders take of one level while it is displayed is at most what was shown first plus what was added."""
    market = Market(2, 6)
    shown = {}
    for step in busy_stream(seed):
        if step["kind"] == "quote" and market.book[step["symbol"]]["status"] == 0:
            _note_display(shown, step)
        for answer in market.step(step):
            if answer["rule"] in (12, 13, 14):
                key = (answer["symbol"], -answer["side"])
                shown[key][2] += answer["qty"]

                assert shown[key][2] <= shown[key][1]
        if step["kind"] == "quote" and market.book[step["symbol"]]["status"] != 0:
            _note_display(shown, step)


def _note_display(shown, step):
    for side, price, qty in ((BUY, step["bid"], step["bid_qty"]), (SELL, step["ask"], step["ask_qty"])):
        key = (step["symbol"], side)
        old = shown.get(key)
        if qty and old and old[0] == price:
            old[1] += max(qty - old[3], 0)
            old[3] = qty
        elif qty:
            shown[key] = [price, qty, 0, qty]


@MODELS
@FAST
@given(seed=SEEDS)
def test_the_queue_ahead_is_never_negative_and_never_grows(model, seed):
    """While an order rests unchanged, what is ahead of it only falls, and not below zero."""
    market = Market(2, 6, queue=model)
    before = {}
    for step in busy_stream(seed):
        market.step(step)
        after = {order[1]: order for order in live_orders(market)}
        changed = step["order_id"] if step["kind"] == "request" else None
        for order_id, order in after.items():
            assert 0 <= order[4] <= UNKNOWN
            if order_id in before and order_id != changed:
                assert order[4] <= before[order_id][4]
        before = after


@MODELS
@FAST
@given(seed=SEEDS)
def test_a_later_order_never_fills_before_an_earlier_one_at_its_price(model, seed):
    """When an order fills, every earlier own order at its price was filled first."""
    market = Market(2, 6, queue=model)
    for step in busy_stream(seed):
        before = live_orders(market)
        filled = {a["order_id"] for a in market.step(step) if a["kind"] in FILLS}
        left = {order[1] for order in live_orders(market)}
        if step["kind"] == "request":
            continue
        for k, order in enumerate(before):
            if order[1] in filled:
                ahead = [o for o in before[:k] if o[0] == order[0] and o[2:4] == order[2:4]]

                assert [] == [o for o in ahead if o[1] in left]


def mirrored(step):
    """Turn a step into that of a market upside down."""
    step = dict(step)
    if step["kind"] == "quote":
        bid, ask = (step["ask"], step["ask_qty"]), (step["bid"], step["bid_qty"])
        step.update(bid=1000 - bid[0], bid_qty=bid[1], ask=1000 - ask[0], ask_qty=ask[1])
    elif step["kind"] == "trade":
        sides = step["flags"] & (SELL_PRINT | BUY_PRINT)
        step["price"] = 1000 - step["price"]
        if sides in (SELL_PRINT, BUY_PRINT):
            step["flags"] ^= SELL_PRINT | BUY_PRINT
    elif step["kind"] == "request":
        step["side"] = -step["side"]
        step["price"] = 1000 - step["price"] if step["price"] else 0
    return step


@MODELS
@FAST
@given(seed=SEEDS)
def test_a_mirrored_market_gives_mirrored_answers(model, seed):
    """Turning prices and sides upside down turns the fills upside down and changes nothing else."""
    market, mirror = Market(2, 6, queue=model), Market(2, 6, queue=model)
    names = ("order_id", "qty", "leaves_qty", "ahead_qty_before", "ahead_qty_after", "kind", "rule", "reason", "source_seq")
    for step in busy_stream(seed):
        upright = [[a[name] for name in names] for a in market.step(step)]
        inverted = [[a[name] for name in names] for a in mirror.step(mirrored(step))]

        assert sorted(upright) == sorted(inverted)


@FAST
@given(seed=SEEDS)
def test_queue_models_are_ordered_by_their_optimism(seed):
    """For a single order, at every moment: trades only <= behind first <= pro rata <= all ahead in quantity filled."""
    stream = [step for step in busy_stream(seed, faults=False) if step["kind"] != "request"]
    place = random.Random(seed).randrange(len(stream))
    filled = [0] * len(ORDERED)
    markets = [Market(2, 6, queue=model) for model in ORDERED]
    for k, step in enumerate(stream):
        for m, market in enumerate(markets):
            if k == place:
                row = market.book[0]
                market.step(new(10**6, BUY, 7, int(row["bid"]), ts=step["ts"]))
            filled[m] += sum(qty for _, _, qty in fills_of(market.step(step)))

        assert sorted(filled) == filled


@MODELS
@FAST
@given(seed=SEEDS)
def test_a_stranger_symbol_changes_nothing(model, seed):
    """Leaving the other symbol out leaves every answer of this one as it was."""
    both, alone = Market(2, 6, queue=model), Market(2, 6, queue=model)
    for step in busy_stream(seed):
        if step.get("symbol", -1) in (0, -1):
            expected = [a for a in both.step(step) if a["symbol"] == 0]

            assert expected == [a for a in alone.step(step) if a["symbol"] == 0]
        else:
            both.step(step)


def paired_stream(rng, n_steps, is_swapped):
    """One level of changing size: cancels, joins, and prints with their quotes, some of which change places."""
    qty, stream = 12, [quote(100, 12, 101, 9), new(1, BUY, 5, 100)]
    for _ in range(n_steps):
        draw = rng.random()
        if draw < 0.25:
            qty += rng.randint(1, 8)
            stream.append(quote(100, qty, 101, 9))
        elif draw < 0.5 and qty > 1:
            qty -= rng.randint(1, qty - 1)
            stream.append(quote(100, qty, 101, 9))
        elif qty > 1:
            printed = rng.randint(1, qty - 1)
            qty -= printed
            pair = [trade(100, printed), quote(100, qty, 101, 9)]
            stream += pair[::-1] if rng.random() < 0.5 and is_swapped else pair
    return stream


@pytest.mark.parametrize("model", [QueueModel.BEHIND_FIRST, QueueModel.ALL_AHEAD])
@settings(FAST, max_examples=30)
@given(seed=SEEDS)
def test_quote_first_and_print_first_give_the_same_queue_and_fills(model, seed):
    """Swapping prints with the quotes that show them changes neither what is ahead nor what is filled."""
    straight, swapped = Market(queue=model), Market(queue=model)
    expected = straight.play(*paired_stream(random.Random(seed), 30, False))
    actual = swapped.play(*paired_stream(random.Random(seed), 30, True))

    assert sum(qty for _, _, qty in fills_of(expected)) == sum(qty for _, _, qty in fills_of(actual))
    assert [o[4:] for o in live_orders(straight)] == [o[4:] for o in live_orders(swapped)]
