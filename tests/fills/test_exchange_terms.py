"""What exchange and broker ask of an order: the open, halts, ticks, short sales, buying power (rules 17 and 30 to 33)."""

from datetime import date

import pytest

from fills.fees import no_fees
from fills.terms import Terms, tick_table
from replay.events import Kind, Status
from replay.orders import OrderReason
from tests.fills.worlds import BUY, SELL, Market, cancel, fills_of, modify, new, quote, status, trade

START = quote(100, 300, 101, 300)
OPEN_NS = 50_000


def answers_to(*steps, tick=1, **terms):
    """Play steps a microsecond apart under terms; return the answers."""
    return Market(terms=Terms(**terms), tick=tick).play(*steps, every_ns=1000)


def verdicts(*steps, **terms):
    """Return kind and reason of each answer that is no fill."""
    return [(a["kind"], a["reason"]) for a in answers_to(*steps, **terms) if not a["rule"]]


def rejected(*steps, **terms):
    """Return the reasons of rejections."""
    return [OrderReason(reason) for kind, reason in verdicts(*steps, **terms) if kind == Kind.REJECTED]


def test_rule_30_an_order_before_the_open_is_held_until_it():
    """It is held, nothing fills it, and at the open it is acknowledged, joins the queue and takes what it can."""
    market = Market(terms=Terms(open_ns=OPEN_NS))
    early = market.play(START, new(1, BUY, 5, 100), new(2, BUY, 5, 101), trade(99, 50))

    assert [Kind.HELD, Kind.HELD] == [a["kind"] for a in early]
    assert OPEN_NS == market.venue.ctl[0]["next_expiry_ns"]
    opened = market.step({"kind": "expiry", "ts": OPEN_NS})
    assert [(1, Kind.ACK, 300), (2, Kind.ACK, 0), (2, Kind.FILL, 0)] == [
        (a["order_id"], a["kind"], a["ahead_qty_after"]) for a in opened
    ]
    assert [Kind.ACK] == [a["kind"] for a in market.play(new(3, BUY, 5, 100, ts=OPEN_NS))]


def test_rule_30_what_cannot_wait_is_rejected_before_the_open():
    """IOC and FOK before the open are rejected; a market order waits although nobody offers anything."""
    assert [OrderReason.NOT_OPEN] * 2 == rejected(
        START, new(1, BUY, 5, 101, tif="ioc"), new(2, BUY, 5, 101, tif="fok"), open_ns=OPEN_NS
    )
    assert [(Kind.HELD, 0)] == verdicts(quote(100, 5, 0, 0), new(1, BUY, 5, 0, kind="market"), open_ns=OPEN_NS)


def test_rule_30_a_held_order_can_be_changed_and_cancelled():
    """A change is answered and waits on; a cancel withdraws it; a post-only order that would take at the open is cancelled."""
    market = Market(terms=Terms(open_ns=OPEN_NS))
    answers = market.play(START, new(1, BUY, 5, 90), modify(1, 7, 95), cancel(1), new(2, BUY, 5, 101, post_only=1))

    assert [Kind.HELD, Kind.MODIFIED, Kind.CANCELLED, Kind.HELD] == [a["kind"] for a in answers]
    assert [(Kind.CANCELLED, OrderReason.WOULD_CROSS)] == [
        (a["kind"], a["reason"]) for a in market.step({"kind": "expiry", "ts": OPEN_NS})
    ]


def test_rule_31_an_order_during_a_halt_is_rejected_or_held():
    """By choice it is rejected, or held until trading resumes; then it stands in an unknown queue until its level is shown."""
    steps = [START, status(1), new(1, BUY, 5, 100), status(2)]

    assert [(Kind.REJECTED, OrderReason.HALTED)] == verdicts(*steps)
    assert [(Kind.HELD, 0), (Kind.ACK, 0)] == verdicts(*steps, holds_in_halt=True)
    late = answers_to(*steps, trade(100, 900), quote(100, 40, 101, 9), trade(100, 42), holds_in_halt=True)
    assert [-1, (1, 100, 2)] == [late[1]["ahead_qty_after"], *fills_of(late)]


def test_rule_31_what_cannot_wait_is_rejected_in_a_halt():
    """IOC during a halt is rejected although other orders are held."""
    assert [OrderReason.HALTED] == rejected(START, status(1), new(1, BUY, 5, 101, tif="ioc"), holds_in_halt=True)


def test_rule_32_below_a_dollar_the_tick_is_that_of_rule_612():
    """With a tick of 100 a price of 1.2345 is off tick, one of 0.2345 is not; a symbol with ticks of its own keeps them."""
    table = tick_table(date(2026, 5, 4), 10_000)
    steps = [new(1, BUY, 5, 2_345), new(2, BUY, 5, 12_345), new(3, BUY, 5, 12_300)]

    assert [Kind.ACK, Kind.REJECTED, Kind.ACK] == [kind for kind, _ in verdicts(*steps, tick=100, ticks=table)]
    assert [Kind.REJECTED] * 2 == [kind for kind, _ in verdicts(*steps[:2], tick=2500, ticks=table)]


def test_rule_32_half_pennies_come_with_the_table():
    """From November 2027 a symbol may have ticks of half a cent, and then Rule 612 knows it below a dollar too."""
    before, after = tick_table(date(2027, 10, 31), 10_000), tick_table(date(2027, 11, 1), 10_000)
    order = new(1, BUY, 5, 2_345)

    assert [(10_000, 1, 100, 0), (10_000, 1, 100, 50)] == [before, after]
    assert [OrderReason.OFF_TICK] == rejected(order, tick=50, ticks=before)
    assert [(Kind.ACK, 0)] == verdicts(order, tick=50, ticks=after)


def test_rule_17_sizes_and_ids_that_cannot_be():
    """An order above the limit, and a second one with the id of a live order, are rejected; once it is gone the id is free."""
    twice = [START, new(1, BUY, 5, 90), new(1, BUY, 5, 90)]

    assert [OrderReason.TOO_LARGE] == rejected(START, new(1, BUY, 11, 90), most_qty=10)
    assert [OrderReason.DUPLICATE_ID] == rejected(*twice)
    assert [] == rejected(*twice[:2], cancel(1), twice[2])
    assert [(Kind.ACK, 0), (Kind.CANCEL_REJECTED, OrderReason.TOO_LARGE)] == verdicts(
        START, new(1, BUY, 10, 90), modify(1, 11, 90), most_qty=10
    )


RESTRICT = status(Status.SHORT_SALE_RESTRICTED)


def test_rule_33_a_short_sale_is_one_of_more_than_is_held():
    """With 10 held, 10 may be sold; with 10 for sale already, one more is short; without shares to borrow it is rejected."""
    bought = [START, new(1, BUY, 10, 101)]

    assert [] == rejected(*bought, new(2, SELL, 10, 105), equity=0, is_shortable=False)
    assert [OrderReason.NOT_SHORTABLE] == rejected(
        *bought, new(2, SELL, 10, 105), new(3, SELL, 1, 105), equity=0, is_shortable=False
    )
    assert [] == rejected(START, new(2, SELL, 10, 105), is_shortable=False)  # no account, no short sale


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (new(1, SELL, 5, 100), OrderReason.SHORT_SALE),
        (new(1, SELL, 5, 0, kind="market"), OrderReason.SHORT_SALE),
        (new(1, SELL, 5, 101), None),
        (new(1, SELL, 5, 0, kind="midprice"), None),
    ],
)
def test_rule_33_while_restricted_a_short_sale_must_ask_for_more_than_the_bid(order, reason):
    """At the bid it is rejected, above it accepted; trading goes on, and the end of the restriction ends it."""
    assert ([reason] if reason else []) == rejected(START, RESTRICT, order, equity=0)
    assert [] == rejected(START, RESTRICT, status(Status.SHORT_SALE_FREE), order, equity=0)
    assert [] == rejected(START, RESTRICT, order)


def test_rule_33_a_restriction_leaves_the_market_as_it_is():
    """Prints fill resting orders while short sales are restricted."""
    assert [(1, 100, 5)] == fills_of(answers_to(START, new(1, BUY, 5, 100), RESTRICT, trade(100, 305)))


def test_rule_33_fees_that_were_paid_are_gone():
    """With 1000 and no leverage, nine bought at 100 and 108 of fees leave no room for a tenth; without fees they do."""
    fees = no_fees(scale=1)
    fees["is_free"], fees["contract_micros"] = 0, 12 * 1_000_000
    for row, expected in ((fees, [OrderReason.BUYING_POWER]), (no_fees(scale=1), [])):
        market = Market(terms=Terms(equity=1000, leverage=1.0), fees=row)
        answers = market.play(quote(100, 300, 100, 300), new(1, BUY, 9, 100), new(2, BUY, 1, 100))

        assert [(1, 100, 9)] == fills_of(answers)[:1]
        assert expected == [a["reason"] for a in answers if a["kind"] == Kind.REJECTED]


def test_rule_33_a_contract_counts_with_its_multiplier():
    """Of a contract of 50 units at 100 one costs 5000: with 10000 two may be wanted and not three."""
    rich = Terms(equity=10_000, leverage=1.0)
    for qty, expected in ((2, []), (3, [OrderReason.BUYING_POWER])):
        answers = Market(terms=rich, multipliers=[50]).play(START, new(1, BUY, qty, 100))

        assert expected == [a["reason"] for a in answers if a["kind"] == Kind.REJECTED]


def test_rule_33_buying_power_counts_positions_and_orders_at_their_worst():
    """With 1000 and a leverage of 2, 20 at 100 may be wanted; sells beside them are covered; what closes always may."""
    rich = {"equity": 1000, "leverage": 2.0}

    assert [] == rejected(START, new(1, BUY, 20, 100), **rich)
    assert [OrderReason.BUYING_POWER] == rejected(START, new(1, BUY, 21, 100), **rich)
    assert [OrderReason.BUYING_POWER] == rejected(START, new(1, BUY, 15, 99), new(2, BUY, 6, 99), **rich)
    assert [] == rejected(START, new(1, BUY, 15, 99), new(2, SELL, 15, 105), **rich)
    assert [] == rejected(START, new(1, BUY, 19, 101), quote(50, 5, 51, 5), new(2, SELL, 19, 60), **rich)
    assert [(Kind.ACK, 0), (Kind.CANCEL_REJECTED, OrderReason.BUYING_POWER)] == verdicts(
        START, new(1, BUY, 20, 100), modify(1, 25, 100), **rich
    )
