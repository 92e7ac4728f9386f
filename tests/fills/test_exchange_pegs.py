"""Orders that follow the mid, prints between bid and ask, and auctions (rules 10 and 27 to 29)."""

import pytest

from fills.bands import Band, choices
from replay.events import Flag, Kind
from tests.fills.worlds import BUY, BUY_PRINT, SELL, SELL_PRINT, Market, cancel, fills_of, modify, new, quote, status, trade

WIDE = quote(100, 300, 106, 300)
OFF_TICK, HIDDEN, DARK, AUCTION = int(Flag.OFF_TICK), int(Flag.HIDDEN), int(Flag.OFF_EXCHANGE), int(Flag.AUCTION)


def play(*steps, band=Band.EXPECTED, **settings):
    """Play steps a microsecond apart on a fresh market in a band; return market and answers."""
    market = Market(band=choices(band), **settings)
    return market, market.play(*steps, every_ns=1000)


def filled(*steps, band=Band.EXPECTED, **settings):
    """Return the fills of steps on a fresh market as (order, price, qty)."""
    return fills_of(play(*steps, band=band, **settings)[1])


def in_all_bands(*steps, **settings):
    """Return what steps fill in the pessimistic, the expected and the optimistic band."""
    return [sum(qty for _, _, qty in filled(*steps, band=band, **settings)) for band in Band]


def peg(order_id, side, qty, cap=0, kind="peg_mid", **more):
    """Write a request for an order pegged to the mid."""
    return new(order_id, side, qty, cap, kind=kind, **more)


def prices_of(market):
    """Return the prices of the live orders."""
    return [int(o["price"]) for o in market.venue.orders[0, : market.venue.n_orders[0]]]


def test_rule_27_midprice_is_the_mid_rounded_against_the_order():
    """In a quote of 100 to 105 with ticks of 2 a buy stands at 102, a sell at 104, and both follow the quote."""
    both = [peg(1, BUY, 5, kind="midprice"), peg(2, SELL, 5, kind="midprice")]
    market, _ = play(quote(100, 3, 105, 3), *both, tick=2)

    assert [102, 104] == prices_of(market)
    market.play(quote(110, 3, 114, 3, ts=10**6))
    assert [112, 112] == prices_of(market)


def test_rule_27_peg_mid_stands_at_half_a_tick():
    """Between 100 and 102 with ticks of 2 the mid is 101, off the grid, and that is where it stands."""
    market, _ = play(quote(100, 3, 102, 3), peg(1, BUY, 5), tick=2)

    assert [101] == prices_of(market)


def test_rule_27_a_cap_holds_the_order_back():
    """A buy with a cap of 101 stays there while the mid is 103, and follows it below."""
    market, _ = play(WIDE, peg(1, BUY, 5, 101, kind="midprice"))

    assert [101] == prices_of(market)
    market.play(quote(96, 3, 100, 3, ts=10**6))
    assert [98] == prices_of(market)


def test_rule_27_in_a_spread_of_one_tick_midprice_joins_the_touch():
    """With the mid between two ticks the buy stands at the bid, behind the 300 displayed there."""
    market, answers = play(quote(100, 300, 101, 300), peg(1, BUY, 5, kind="midprice"))

    assert [300] == [a["ahead_qty_after"] for a in answers]
    assert [(1, 100, 5)] == fills_of(market.play(trade(100, 310, ts=10**6)))


def test_rule_27_who_moves_joins_anew():
    """After 290 of 300 ahead traded, a quote that moves the mid and back puts the order behind all that is shown then."""
    steps = [quote(100, 300, 101, 300), peg(1, BUY, 5, kind="midprice"), trade(100, 290)]
    moved = [quote(98, 10, 101, 5), quote(100, 80, 101, 5)]

    assert [(1, 100, 5)] == filled(*steps, trade(100, 15))
    assert [] == filled(*steps, *moved, trade(100, 80))


def test_rule_27_without_two_sides_apart_a_pegged_order_waits_or_stays():
    """Sent into an empty book it waits for the first mid; a locked quote leaves it where it was."""
    market, answers = play(quote(100, 5, 0, 0), peg(1, BUY, 5), trade(90, 50))

    assert [] == fills_of(answers)
    market.play(quote(100, 5, 104, 5, ts=10**6), quote(104, 5, 104, 0, ts=10**6 + 1))
    assert [102] == prices_of(market)


def test_rule_12_and_27_the_other_side_that_reaches_the_old_mid_fills_before_the_move():
    """An ask of 3 that comes down to the mid of 103 fills 3 there; the rest follows the new mid."""
    market, answers = play(WIDE, peg(1, BUY, 5), quote(100, 300, 103, 3))

    assert [(1, 103, 3)] == fills_of(answers)
    assert [101] == prices_of(market)


def test_rule_28_a_hidden_order_fills_by_prints_inside_the_quote_alone():
    """A sell print at 101 or at the mid of 103 fills a hidden buy there; one at the bid of 100 passes it by."""
    order = peg(1, BUY, 5)

    assert [(1, 103, 2)] == filled(WIDE, order, trade(101, 2))
    assert [(1, 103, 2)] == filled(WIDE, order, trade(103, 2))
    assert [] == filled(WIDE, order, trade(100, 2))
    assert [] == filled(WIDE, order, trade(103, 2, flags=BUY_PRINT))
    assert [(1, 103, 5)] == filled(WIDE, peg(1, BUY, 5, kind="midprice"), trade(100, 9))


@pytest.mark.parametrize(("flag", "expected"), [(OFF_TICK, [4, 5, 5]), (HIDDEN, [4, 5, 5]), (DARK, [0, 0, 5]), (32, [0, 0, 0])])
def test_rule_28_half_tick_and_hidden_prints_fill_a_hidden_order(flag, expected):
    """A print of 5 between the ticks, or with hidden interest, reaches it; a dark one for the optimist; a late one never."""
    steps = [quote(100, 3, 102, 3), peg(1, BUY, 9), trade(101, 5, flags=SELL_PRINT | flag)]

    assert expected == in_all_bands(*steps, tick=2)


def test_rule_28_a_print_at_the_very_mid_without_a_side_is_read_by_band():
    """Nobody knows who bought: only in the optimistic band it was our sell that met it."""
    assert [0, 0, 4] == in_all_bands(quote(100, 3, 102, 3), peg(1, BUY, 4), trade(101, 5, flags=OFF_TICK), tick=2)


def test_rule_29_an_auction_fills_better_limits_at_its_price():
    """At 101 a buy at 103 and a waiting market order trade, one at 101 in the optimistic band alone, one at 100 not."""
    orders = [new(1, BUY, 3, 103), new(2, BUY, 3, 101), new(3, BUY, 3, 100)]
    print_ = trade(101, 50, flags=AUCTION)

    assert [(1, 101, 3)] == filled(quote(99, 5, 110, 5), *orders, print_)
    assert [3, 3, 6] == in_all_bands(quote(99, 5, 110, 5), *orders, print_)
    assert [29] == [a["rule"] for a in play(quote(99, 5, 110, 5), *orders, print_)[1] if a["rule"]]


def test_rule_29_an_auction_prints_while_nothing_else_trades():
    """During a halt an auction's print fills, and no other print."""
    steps = [quote(99, 5, 110, 5), new(1, BUY, 3, 103), status(1)]

    assert [(1, 101, 3)] == filled(*steps, trade(101, 9), trade(101, 50, flags=AUCTION))


def test_rule_29_both_sides_share_an_auction():
    """Of 10 printed a buy of 8 and a sell of 8 get 5 each: together not more than the print."""
    orders = [new(1, BUY, 8, 103), new(2, SELL, 8, 100)]
    market = Market()
    market.play(quote(90, 5, 110, 5), orders[0])
    market.play(orders[1] | {"ts": 50})

    assert [(1, 101, 5), (2, 101, 5)] == fills_of(market.play(trade(101, 10, flags=AUCTION, ts=60)))


def test_rule_18_after_a_halt_no_print_fills_before_its_side_is_shown():
    """Whether the queue is still there nobody knows: prints before the first quote pass by, and the old bound holds after it."""
    steps = [quote(100, 30, 101, 9), new(1, BUY, 5, 100), status(1), status(2)]

    assert [] == filled(*steps, trade(100, 90))
    assert [] == filled(*steps, quote(100, 50, 101, 9), trade(100, 30))
    assert [(1, 100, 1)] == filled(*steps, quote(100, 50, 101, 9), trade(100, 31))


def test_rule_10_the_side_of_a_print_is_that_of_the_quote_at_the_exchange():
    """Received after the bid rose from 100 to 101, a print at 101 that happened before met the ask and not our bid."""
    early, late = 1_500_000_001, 1_500_000_900
    steps = [
        quote(100, 30, 101, 9) | {"exch": early},
        quote(101, 30, 102, 9) | {"exch": late},
        new(1, BUY, 5, 101),
    ]

    assert [(1, 101, 5)] == filled(*steps, trade(101, 40, flags=0), evidence=5)
    assert [] == filled(*steps, trade(101, 40, flags=0) | {"exch": early + 5}, evidence=5)
    assert [(1, 101, 5)] == filled(*steps, trade(101, 40, flags=0) | {"exch": 1_000_000_000}, evidence=5)


def test_rule_10_a_touch_with_the_print_s_own_exchange_time_is_what_the_print_left_behind():
    """The quote that a print made carries its exchange time: the print met the quote before it, whichever was received first."""
    before, same = 1_500_000_001, 1_500_000_900
    start = [quote(100, 30, 101, 9) | {"exch": before}, new(1, SELL, 5, 101)]
    made = quote(101, 30, 102, 9) | {"exch": same}
    lifted = trade(101, 14, flags=0) | {"exch": same}

    for pair in ([made, lifted], [lifted, made]):
        assert [(1, 101, 5)] == filled(*start, *pair, evidence=5)


def test_rule_10_a_print_without_a_side_meets_whom_it_can_reach_in_the_optimistic_band():
    """In the middle, with no trade before it, nobody knows its side: the only own order there may have been it."""
    steps = [quote(100, 5, 104, 5), new(1, BUY, 5, 102)]

    assert [0, 0, 3] == in_all_bands(*steps, trade(102, 3, flags=0))
    assert [0, 0, 0] == in_all_bands(*steps, new(2, SELL, 5, 102), trade(102, 3, flags=0))


def test_cancel_and_change_reach_pegged_orders():
    """A pegged order can be cancelled, and its cap changed."""
    market, answers = play(WIDE, peg(1, BUY, 5), modify(1, 5, 101), cancel(1))

    assert [Kind.ACK, Kind.MODIFIED, Kind.CANCELLED] == [a["kind"] for a in answers]
    assert [103, 101, 101] == [a["price"] for a in answers]
    assert 0 == market.venue.n_orders[0]
