"""The defect cases T1 to T26 of public simulators, each as a sentence about ours. Prices are in ticks: 100 is the bid."""

import pytest

from fills.bands import Band, choices
from fills.queue import DISPLAY_MODELS, QueueModel, on_level_change
from fills.venue import FALL_WAITS, PAIRING_NS, PRINT_WAITS
from replay.events import Kind
from replay.orders import Evidence, OrderReason
from tests.fills.worlds import BUY, BUY_PRINT, SELL, Market, cancel, fills_of, modify, new, quote, status, trade

START = quote(100, 300, 101, 300)
JOIN = new(1, BUY, 100, 100)
US = 1_000


def play(*steps, **settings):
    """Play steps a microsecond apart on a fresh market; return market and answers."""
    market = Market(**settings)
    return market, market.play(*steps, every_ns=US)


def filled(*steps, **settings):
    """Return the fills of steps on a fresh market as (order, price, qty)."""
    return fills_of(play(*steps, **settings)[1])


def ahead_of(market, slot=0):
    """Market quantity ahead of a live order."""
    return int(market.venue.orders[0, slot]["ahead_qty"])


def test_rule_1_what_is_displayed_at_our_price_is_ahead():
    """An order at the bid of 300 stands behind 300, whatever was printed before it came."""
    market, answers = play(START, trade(100, 50), quote(100, 250, 101, 300), START, JOIN)

    assert [300] == [a["ahead_qty_after"] for a in answers]
    assert 300 == ahead_of(market)


def test_rule_2_a_better_price_has_nobody_ahead():
    """A bid of 101 between 100 and 102 fills with the first share printed there."""
    _, answers = play(quote(100, 300, 102, 300), new(1, BUY, 5, 101), trade(101, 1))

    assert [0] == [a["ahead_qty_after"] for a in answers if a["kind"] == Kind.ACK]
    assert [(1, 101, 1)] == fills_of(answers)


def test_rule_12_an_other_side_that_locks_our_bid_fills_us():
    """A quote of 100 on both sides with 50 offered fills 50 of our bid at 100, though the queue before us stands."""
    assert [(1, 100, 50)] == filled(START, JOIN, quote(100, 300, 100, 50))


def test_rule_10_odd_lots_consume_the_queue():
    """Three shares sold on an exchange are three shares fewer ahead of us, unreported as they are; off exchange they are none."""
    prints = [trade(100, 3, flags=512 | 8 | 2), trade(100, 5, flags=512 | 2), trade(100, 7, flags=512 | 8 | 4)]
    market, _ = play(START, JOIN, *prints)

    assert 297 == ahead_of(market)


PAIR = (quote(100, 100, 101, 300), trade(100, 200))


@pytest.mark.parametrize("pair", [PAIR, PAIR[::-1]], ids=["quote first", "print first"])
@pytest.mark.parametrize("model", [m for m in DISPLAY_MODELS if m is not QueueModel.TRADES_ONLY])
def test_t1_t2_rule_9_a_quote_and_its_print_count_once_in_either_order(pair, model):
    """A fall of 200 and the print of 200 that made it leave 100 ahead; 100 more leave none, and the next share fills us."""
    market, answers = play(START, JOIN, *pair, queue=model)

    assert [] == fills_of(answers)
    assert 100 == ahead_of(market)
    assert [] == fills_of(market.play(trade(100, 100, ts=20 * US)))
    assert [(1, 100, 1)] == fills_of(market.play(trade(100, 1, ts=21 * US)))


@pytest.mark.parametrize("evidence", [Evidence.TICK_BY_TICK, Evidence.SNAPSHOT_250MS, Evidence.HISTORICAL])
@pytest.mark.parametrize("late_share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("first", [FALL_WAITS, PRINT_WAITS])
def test_t1_t2_rule_9_however_late_the_second_is_it_counts_once(evidence, late_share, first):
    """A quote and its print are one event at every delay up to what the evidence of the symbol allows, in either order."""
    wait_ns = PAIRING_NS[evidence][first]
    market = Market(evidence=int(evidence))
    market.play(START, JOIN)
    pair = PAIR if first == FALL_WAITS else PAIR[::-1]

    assert [] == fills_of(market.play(pair[0] | {"ts": US}, pair[1] | {"ts": US + int(late_share * wait_ns)}))
    assert 100 == ahead_of(market)


@pytest.mark.parametrize("is_quote_first", [True, False])
def test_t3_rule_9_a_print_that_reaches_us_fills_the_same_after_its_quote(is_quote_first):
    """With 150 ahead in a level grown to 300, a print of 200 fills 50, whether its quote came before or after."""
    pair = [trade(100, 200), quote(100, 100, 101, 300)]

    assert [(1, 100, 50)] == filled(quote(100, 150, 101, 300), JOIN, START, *(pair[::-1] if is_quote_first else pair))


def test_t4_rule_7_own_orders_share_a_print_in_time_priority():
    """Of a print of 401 with 300 ahead, the first of two own orders of 101 gets 101 and the second nothing."""
    _, answers = play(START, new(1, BUY, 101, 100), new(2, BUY, 101, 100), trade(100, 401))

    assert [(1, 100, 101)] == fills_of(answers)
    assert [300, 401] == [a["ahead_qty_after"] for a in answers if a["kind"] == Kind.ACK]


def test_t4_rule_7_the_quantity_between_two_own_orders_is_consumed_between_them():
    """What joined between two own orders trades after the first and before the second."""
    steps = [START, new(1, BUY, 10, 100), quote(100, 340, 101, 300), new(2, BUY, 10, 100)]

    assert [(1, 100, 10)] == filled(*steps, trade(100, 350))
    assert [(1, 100, 10), (2, 100, 1)] == filled(*steps, trade(100, 351))


def test_t5_rule_7_partial_fills_are_reported_one_by_one():
    """Prints of 340, 20 and 200 fill 40, 20 and 40; the last closes the order."""
    _, answers = play(START, JOIN, trade(100, 340), trade(100, 20), trade(100, 200))

    assert [(Kind.PARTIAL, 40, 60), (Kind.PARTIAL, 20, 40), (Kind.FILL, 40, 0)] == [
        (a["kind"], a["qty"], a["leaves_qty"]) for a in answers if a["rule"]
    ]


def test_t6_an_exact_fill_closes_the_order():
    """A print of 400 fills exactly 100, and later prints find nobody."""
    market, answers = play(START, JOIN, trade(100, 400), trade(100, 50), trade(100, 50))

    assert [(1, 100, 100)] == fills_of(answers)
    assert 0 == market.venue.n_orders[0]


@pytest.mark.parametrize("model", list(DISPLAY_MODELS))
@pytest.mark.parametrize(("front", "grown", "left"), [(100, 1000, 50), (500, 1000, 100), (900, 1000, 300), (900, 1000, 10)])
@pytest.mark.parametrize("power", [0.5, 1.0, 3.0])
def test_t7_rule_6_cancels_never_help_below_zero(model, front, grown, left, power):
    """After a fall by cancels what is ahead is between 0 and the display, and a print of 1 fills only where it is 0."""
    market, _ = play(
        quote(100, front, 101, 9), JOIN, quote(100, grown, 101, 9), quote(100, left, 101, 9), queue=model, power=power
    )
    ahead = ahead_of(market)
    late = market.play(trade(100, 1, ts=10**12))

    assert 0 <= ahead <= (front if model is QueueModel.TRADES_ONLY else left)
    assert ([(1, 100, 1)] if ahead == 0 else []) == fills_of(late)


@pytest.mark.parametrize(
    ("front", "grown", "left", "expected"),
    [(100, 1000, 50, 5), (500, 1000, 100, 50), (900, 1000, 300, 270), (900, 1000, 10, 9)],
)
def test_t7_power_one_is_pro_rata(front, grown, left, expected):
    """With exponent 1 the power family shares a fall in proportion."""
    assert expected == on_level_change(QueueModel.PRO_RATA.code, front, grown - left, left, 0.0)
    assert expected == pytest.approx(on_level_change(QueueModel.POWER.code, front, grown - left, left, 1.0), abs=1)


def test_t8_rule_3_behind_the_touch_is_unknown_until_the_touch_arrives():
    """An order one tick behind has an unknown queue; when the touch arrives with 500, 500 are ahead."""
    market, answers = play(START, new(1, BUY, 100, 99), quote(99, 500, 101, 300), trade(99, 10))

    assert -1 == answers[0]["ahead_qty_after"]
    assert [] == fills_of(answers)
    assert 490 == ahead_of(market)
    assert [(1, 99, 10)] == fills_of(market.play(trade(99, 500, ts=10**9)))


def test_t8_rule_3_a_print_at_a_price_never_seen_fills_nobody():
    """A print at the price of an order whose level was never displayed consumes nothing of a queue nobody knows."""
    assert [] == filled(START, new(1, BUY, 100, 99), trade(99, 10_000))


def test_t9_rule_4_a_hidden_level_comes_back_with_its_bound():
    """Hidden by a better bid and back with 500, the 300 ahead stay 300: 50 fill nothing, 300 more fill 50."""
    hide = [quote(100, 300, 102, 300), quote(101, 200, 102, 300), quote(100, 500, 102, 300)]

    assert [] == filled(START, JOIN, *hide, trade(100, 50))
    assert [(1, 100, 50)] == filled(START, JOIN, *hide, trade(100, 50), trade(100, 300))


def test_t10_rule_5_when_the_touch_fell_past_us_nobody_is_ahead():
    """The bid falls below us without a print and comes back with 400: they are behind us, and a print of 100 fills us."""
    assert [(1, 100, 100)] == filled(START, JOIN, quote(99, 500, 101, 300), quote(100, 400, 101, 300), trade(100, 100))


def test_t10_rule_9_the_print_that_took_the_level_away_counts_once():
    """A print of 50 that arrives after the quote in which its level vanished fills nobody, as it would have before it."""
    fall = quote(99, 500, 101, 300)

    assert [] == filled(START, JOIN, fall, trade(100, 50))
    assert [] == filled(START, JOIN, trade(100, 50), fall)
    assert [(1, 100, 50)] == filled(START, JOIN, fall, trade(100, 50, ts=10**9))


def test_t11_rule_12_a_crossing_quote_fills_at_most_its_size():
    """An ask of 50 at our price fills 50 of 5000, once; 30 more shown fill 30 more."""
    steps = [START, new(1, BUY, 5000, 100), quote(99, 10, 100, 50)]

    assert [(1, 100, 50)] == filled(*steps)
    assert [(1, 100, 50)] == filled(*steps, quote(99, 20, 100, 50))
    assert [(1, 100, 50), (1, 100, 30)] == filled(*steps, quote(99, 10, 100, 80))
    assert [(1, 100, 50), (1, 100, 50)] == filled(*steps, quote(99, 10, 101, 50), quote(99, 10, 100, 50))


def test_t12_rule_8_a_print_through_us_fills_at_most_its_size():
    """One share printed below our bid fills one share, at our price, and says THROUGH."""
    _, answers = play(START, new(1, BUY, 5000, 100), trade(99, 1))

    assert [(1, 100, 1)] == fills_of(answers)
    assert 8 == answers[-1]["rule"]


def test_rule_8_own_orders_at_several_prices_share_one_print():
    """A print of 30 below three own bids fills the best first and never more than 30."""
    orders = [new(1, BUY, 20, 98), new(2, BUY, 20, 100), new(3, BUY, 20, 99)]

    assert [(2, 100, 20), (3, 99, 10)] == filled(START, *orders, trade(97, 30))


def test_t13_rule_10_a_sub_penny_print_is_neither_at_nor_through_a_price():
    """A print off the tick grid touches neither queue nor fills."""
    market, answers = play(quote(10_000, 300, 10_100, 300), new(1, BUY, 5000, 10_000), trade(9_994, 400), tick=100)

    assert [] == fills_of(answers)
    assert 300 == ahead_of(market)


def test_t14_rule_10_a_print_without_a_side_gets_it_from_the_quote():
    """Below the bid it is a sell, above the ask a buy, in the middle the last tick decides, and else it is counted."""
    own_sell = new(2, SELL, 100, 101)

    assert [(1, 100, 100)] == filled(START, JOIN, own_sell, trade(90, 10_000, flags=0))
    assert [(2, 101, 100)] == filled(START, JOIN, own_sell, trade(110, 10_000, flags=0))
    market, answers = play(quote(100, 5, 102, 5), trade(101, 3, flags=0))
    assert [1, []] == [market.venue.ctl[0]["n_unsided"], answers]


def test_t14_rule_10_a_print_that_explains_a_drop_belongs_to_its_side():
    """The ask of 101 is lifted and the bid follows: the late print at 101 is a buy although the bid is there now."""
    steps = [START, new(1, BUY, 50, 101, post_only=0), quote(101, 10, 102, 10), trade(101, 300, flags=0)]

    assert [(1, 101, 50)] == filled(*steps)  # taken on arrival; the print added nothing
    assert [] == filled(START, quote(101, 10, 102, 10), new(1, BUY, 50, 101), trade(101, 300, flags=0))


@pytest.mark.parametrize(
    ("request_row", "expected", "resting"),
    [
        (new(1, BUY, 1000, 101), [(1, 101, 300)], 700),
        (new(1, BUY, 1000, 101, tif="ioc"), [(1, 101, 300)], 0),
        (new(1, BUY, 1000, 101, tif="fok"), [], 0),
        (new(1, BUY, 300, 101, tif="fok"), [(1, 101, 300)], 0),
        (new(1, BUY, 1000, 102), [(1, 101, 300), (1, 102, 150)], 550),
        (new(1, BUY, 450, 102, tif="fok"), [(1, 101, 300), (1, 102, 150)], 0),
        (new(1, BUY, 451, 102, tif="fok"), [], 0),
        (new(1, BUY, 1000, 0, kind="market"), [(1, 101, 300), (1, 102, 150), (1, 103, 150)], 400),
        (new(1, BUY, 1000, 0, kind="market", tif="ioc"), [(1, 101, 300), (1, 102, 150), (1, 103, 150)], 0),
    ],
)
def test_t15_rules_13_14_26_a_marketable_order_takes_what_is_displayed_and_the_depth_beyond(request_row, expected, resting):
    """Beyond the touch two ticks hold half as much; DAY rests with the remainder, IOC cancels it, FOK is all or nothing."""
    market, answers = play(START, request_row)

    assert expected == fills_of(answers)
    assert resting == sum(int(o["leaves_qty"]) for o in market.venue.orders[0, : market.venue.n_orders[0]])


def test_t15_rule_11_the_displayed_size_is_taken_once():
    """A second order finds nothing of the 300 that the first took; 50 more shown go to the first, which rests."""
    steps = [START, new(1, BUY, 320, 101), new(2, BUY, 100, 101, tif="ioc")]

    assert [(1, 101, 300)] == filled(*steps)
    assert [(1, 101, 300), (1, 101, 20)] == filled(*steps, quote(100, 300, 101, 350))


def test_t15_rule_14_the_rest_of_a_market_order_takes_what_is_shown_next():
    """Without depth beyond, a market order for 400 takes 300 at 101 and, when 102 is shown, the rest there as taker."""
    _, answers = play(START, new(1, BUY, 400, 0, kind="market"), quote(100, 300, 102, 500), band=choices(Band.PESSIMISTIC))

    assert [(1, 101, 300), (1, 102, 100)] == fills_of(answers)
    assert [2, 2] == [a["liquidity"] for a in answers if a["rule"]]


def test_rule_26_what_was_taken_beyond_the_touch_stays_taken():
    """Of 150 taken at 102 when 101 was shown, 50 are left when 102 shows 200, and all of 90 once the level came back."""
    steps = [START, new(1, BUY, 450, 102), new(2, BUY, 900, 102), quote(100, 300, 102, 200)]

    assert [(1, 101, 300), (1, 102, 150), (2, 102, 50)] == filled(*steps)
    assert [(2, 102, 90)] == filled(*steps, quote(100, 300, 103, 5), quote(100, 300, 102, 90))[3:]


def test_rule_11_a_level_hidden_by_a_better_one_stays_taken():
    """The ask of 101 is taken, hidden by one of 100, and shown again with 310: only 10 are new."""
    steps = [quote(99, 5, 101, 300), new(1, BUY, 300, 101), quote(99, 5, 100, 7), new(2, BUY, 7, 100), quote(99, 5, 101, 310)]

    assert [(3, 101, 10)] == filled(*steps, new(3, BUY, 50, 101))[2:]
    assert [(3, 101, 50)] == filled(*steps, quote(99, 5, 102, 1), quote(99, 5, 101, 60), new(3, BUY, 50, 101))[2:]


def test_rule_11_sixteen_levels_are_remembered():
    """After twenty ever better asks were taken, the one taken last but fifteen is remembered, that before it is new."""
    steps = []
    for k in range(20):
        steps += [quote(10, 5, 100 - k, 8), new(k, BUY, 8, 100 - k)]

    assert [] == filled(*steps, quote(10, 5, 96, 8), new(50, BUY, 8, 96, tif="ioc"))[20:]
    assert [(50, 97, 8)] == filled(*steps, quote(10, 5, 97, 8), new(50, BUY, 8, 97, tif="ioc"))[20:]


def test_t16_rule_21_own_orders_never_trade_with_each_other():
    """A print touches one side only, and an own buy above an own sell finds nothing."""
    both = [quote(99, 5, 102, 5), new(1, BUY, 100, 100), new(2, SELL, 100, 100)]

    assert [] == filled(*both)
    assert [(1, 100, 10)] == filled(*both, trade(100, 10))
    assert [(2, 100, 10)] == filled(*both, trade(100, 10, flags=BUY_PRINT))


@pytest.mark.parametrize(
    ("request_row", "reason"),
    [
        (new(1, BUY, 0, 100), OrderReason.BAD_QUANTITY),
        (new(1, BUY, -5, 100), OrderReason.BAD_QUANTITY),
        (new(1, BUY, 5, 0), OrderReason.OFF_TICK),
        (new(1, BUY, 5, 101, post_only=1), OrderReason.WOULD_CROSS),
    ],
)
def test_t18_rules_16_17_impossible_orders_are_rejected_with_a_reason(request_row, reason):
    """Quantities and prices that cannot be, and post-only orders that would take, are answered with REJECTED."""
    _, answers = play(START, request_row)

    assert [(Kind.REJECTED, reason)] == [(a["kind"], a["reason"]) for a in answers]


def test_rule_17_off_tick_no_market_and_full_tables_are_rejected():
    """A price between ticks, a market order without a market and a ninth order for eight slots are answered with REJECTED."""
    off_tick = play(quote(10_000, 3, 10_100, 3), new(1, BUY, 5, 10_050), tick=100)[1]
    no_market = play(quote(100, 3, 0, 0), new(1, BUY, 5, 0, kind="market"))[1]
    full = play(START, *[new(k, BUY, 1, 90) for k in range(9)])[1]

    assert [OrderReason.OFF_TICK, OrderReason.NO_MARKET] == [off_tick[0]["reason"], no_market[0]["reason"]]
    assert [(Kind.REJECTED, OrderReason.TABLE_FULL)] == [(a["kind"], a["reason"]) for a in full[8:]]


def test_t24_rule_20_a_smaller_quantity_keeps_the_place():
    """After 200 of 300 printed and the level grew to 900, 50 at the same price keep 100 ahead; 200 start anew behind 900."""
    steps = [START, JOIN, trade(100, 200), quote(100, 100, 101, 300), quote(100, 900, 101, 300)]

    assert [(1, 100, 50)] == filled(*steps, modify(1, 50, 100), trade(100, 150))
    _, answers = play(*steps, modify(1, 200, 100), trade(100, 150))
    assert [] == fills_of(answers)
    assert [900] == [a["ahead_qty_after"] for a in answers if a["kind"] == Kind.MODIFIED]


def test_rule_20_a_change_that_is_refused_leaves_the_order():
    """A change to less than was filled is refused, and the order rests on."""
    market, answers = play(START, JOIN, trade(100, 350), modify(1, 50, 100))

    assert (Kind.CANCEL_REJECTED, OrderReason.BAD_QUANTITY) == (answers[-1]["kind"], answers[-1]["reason"])
    assert 50 == market.venue.orders[0, 0]["leaves_qty"]


def test_t25_rule_15_no_fill_before_arrival():
    """A print before the order arrives is not its print, and what is ahead is what the book shows at arrival."""
    _, answers = play(START, trade(100, 400), quote(100, 120, 101, 300), JOIN)

    assert [120] == [a["ahead_qty_after"] for a in answers]


def test_t26_rule_19_a_fill_beats_a_cancel():
    """A cancel that arrives after the fill is refused as unknown; nothing counts twice."""
    _, answers = play(START, JOIN, trade(100, 400), cancel(1))

    assert [(Kind.ACK, 0), (Kind.FILL, 0), (Kind.CANCEL_REJECTED, OrderReason.UNKNOWN_ORDER)] == [
        (a["kind"], a["reason"]) for a in answers
    ]


@pytest.mark.parametrize("flag", [1, 2, 4, 16, 32, 8192, 16384])
def test_rule_10_prints_that_reach_no_displayed_queue_consume_nothing(flag):
    """Off-exchange, average-price, late, hidden and other such prints leave queue and order alone."""
    market, answers = play(START, JOIN, trade(100, 900, flags=512 | flag), trade(99, 900, flags=512 | flag))

    assert [] == fills_of(answers)
    assert 300 == ahead_of(market)
    assert 2 == market.venue.ctl[0]["n_ineligible"]


def test_rule_10_a_print_without_a_venue_reaches_us_in_part():
    """With a share of one half, 600 printed somewhere count as 300 here."""
    market, _ = play(START, JOIN, trade(100, 600, flags=512 | 4096), band=choices(no_venue_share=0.5))

    assert 0 == ahead_of(market)


def test_rule_18_nothing_fills_during_a_halt():
    """Between halt and resumption neither prints nor quotes fill, new orders are rejected, cancels work."""
    steps = [START, JOIN, status(1), trade(90, 900), quote(90, 5, 95, 5), new(2, BUY, 5, 90), status(2)]
    market, answers = play(*steps)

    assert [] == fills_of(answers)
    assert OrderReason.HALTED == answers[-1]["reason"]
    assert [(1, 100, 5)] == fills_of(market.play(quote(90, 5, 95, 5, ts=10**9)))


def test_rule_18_day_and_gtd_orders_expire():
    """GTD orders expire at their time, DAY orders at the close, and an order that comes too late expires at once."""
    market = Market(close_ns=5000)
    market.play(START, new(1, BUY, 1, 90), new(2, BUY, 1, 90, tif="gtd", expire=2000))

    assert 2000 == market.venue.ctl[0]["next_expiry_ns"]
    assert [(2, OrderReason.GOOD_TILL_DATE)] == [
        (a["order_id"], a["reason"]) for a in market.step({"kind": "expiry", "ts": 2000})
    ]
    assert [(1, OrderReason.END_OF_DAY)] == [(a["order_id"], a["reason"]) for a in market.step({"kind": "expiry", "ts": 5000})]
    assert [(Kind.EXPIRED, OrderReason.END_OF_DAY)] == [
        (a["kind"], a["reason"]) for a in market.play(new(3, BUY, 1, 90, ts=6000))
    ]


def test_full_answers_stop_the_run_and_change_nothing():
    """When the answers are full the venue says so, and the event that found no room has done nothing."""
    market = Market(answer_capacity=9)
    market.play(START, JOIN)
    market.venue.ctl["n_answers"] = 8
    before = [array.copy() for array in market.venue if array is not market.venue.ctl]
    market._write_event(trade(100, 400) | {"seq": 9})
    from fills.exchange import on_event

    on_event(market.events, 0, market.book, market.venue)

    assert 1 == market.venue.ctl[0]["status"]
    assert all((a == b).all() for a, b in zip(before, [x for x in market.venue if x is not market.venue.ctl], strict=True))


def test_rule_9_a_fall_waits_for_its_print_only_so_long():
    """A print long after a fall is another event: it consumes what is ahead now."""
    market, _ = play(START, JOIN, quote(100, 100, 101, 300))

    assert [(1, 100, 50)] == fills_of(market.play(trade(100, 150, ts=10**9)))


def test_rule_9_falls_that_go_on_do_not_keep_old_ones_waiting():
    """The wait counts from the first fall: a level that is cancelled share by share cannot swallow prints for ever."""
    market, _ = play(START, JOIN, pairing_ns={2: (100, 100)})
    for k in range(20):
        market.play(quote(100, 299 - k, 101, 300, ts=10_000 + 60 * k))
    market.play(trade(100, 270, ts=11_500))

    assert 280 - 270 == ahead_of(market)


def test_rule_23_the_own_size_in_the_book_is_not_ahead_of_us():
    """A real order of 100 behind 300 is part of the 400 shown: when 120 are left, 20 are ahead."""
    market, _ = play(START, JOIN, quote(100, 400, 101, 300), quote(100, 120, 101, 300), own_in_book=True)

    assert 20 == ahead_of(market)
