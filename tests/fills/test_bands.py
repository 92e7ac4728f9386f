"""Bands: one reading of everything that the recording leaves open, and the order among the three (rule 24)."""

import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fills.bands import Band, FillRule, choices, queue_of
from fills.queue import DISPLAY_MODELS, QUEUE_FIT, QueueModel
from replay.errors import UsageError
from tests.fills.worlds import BUY, SELL, Market, busy_stream, fills_of, new, quote, trade

SEEDS = st.integers(0, 10**9)
FAST = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
START = quote(100, 300, 101, 300)
SHARES = np.zeros(2, QUEUE_FIT)
SHARES["venue_share"], SHARES["hidden_share"], SHARES["passed_share"] = [0.3, 0.9], [0.2, 0.0], [0.5, 0.1]
SHARES["hidden_decay"], SHARES["hidden_move"] = [1e5, 0.0], [0.1, 0.02]  # these streams last nanoseconds


def filled(*steps, band=Band.EXPECTED, **settings):
    """Return the fills of steps on a fresh market in a band as (order, price, qty)."""
    market = Market(band=choices(band), queue=queue_of(band, QueueModel.BEHIND_FIRST), **settings)
    return fills_of(market.play(*steps, every_ns=1000))


def in_all_bands(*steps, **settings):
    """Return what steps fill in the pessimistic, the expected and the optimistic band."""
    return [sum(qty for _, _, qty in filled(*steps, band=band, **settings)) for band in Band]


def test_the_bands_have_their_names():
    """Configurations hold the names; an unknown one is refused with the known."""
    assert ["pessimistic", "expected", "optimistic"] == [band.value for band in Band]
    with pytest.raises(UsageError, match="unknown band 'rosy'; known are pessimistic, expected, optimistic"):
        Band("rosy")
    with pytest.raises(UsageError, match="unknown fill rule 'magic'; known are queue, ibkr-paper"):
        FillRule("magic")


def test_the_queue_model_is_fixed_in_the_outer_bands():
    """The chosen queue model is that of the expected band; the other two have the extremes, which bound every model."""
    found = [queue_of(band, QueueModel.PRO_RATA) for band in Band]

    assert [QueueModel.TRADES_ONLY, QueueModel.PRO_RATA, QueueModel.ALL_AHEAD] == found


def test_rule_2_hidden_interest_inside_the_spread_is_ahead_of_the_pessimist():
    """Alone at 101 in a spread of 100 to 102, a print of 1 fills the order, but not where a lot is thought to be hidden there."""
    steps = [quote(100, 300, 102, 300), new(1, BUY, 5, 101), trade(101, 1)]

    assert [0, 1, 1] == in_all_bands(*steps)
    assert [2, 3, 3] == in_all_bands(*steps[:2], trade(101, 3))


@pytest.mark.parametrize(("evidence", "expected"), [(1, [0, 7, 7]), (2, [0, 7, 7]), (5, [0, 0, 7])])
def test_rule_8_a_print_through_us_is_read_by_band_and_evidence(evidence, expected):
    """A print below our bid fills its size, but nothing for the pessimist, nor where every message of one venue is on record."""
    assert expected == in_all_bands(START, new(1, BUY, 50, 100), trade(99, 7), evidence=evidence)


def test_rule_8_what_stands_better_holds_up_a_print_that_does_not_fill_it():
    """Where a print through us fills nothing, the better own order still stands before the worse one."""
    steps = [quote(98, 1, 103, 1), new(1, BUY, 5, 100), new(2, BUY, 5, 99)]

    assert [] == filled(*steps, trade(99, 6), band=Band.PESSIMISTIC)
    assert [(2, 99, 1)] == filled(*steps, trade(99, 7), band=Band.PESSIMISTIC)


def test_rule_10_a_print_inside_the_spread_without_a_side_reaches_nobody_in_the_pessimistic_band():
    """At 101 between 100 and 104 the nearer side sold, or nobody knows."""
    steps = [quote(100, 300, 104, 300), new(1, BUY, 5, 101), trade(101, 3, flags=0)]

    assert [0, 3, 3] == in_all_bands(*steps)
    assert [2, 3, 3] == in_all_bands(*steps[:2], trade(101, 3))


def test_rule_10_a_print_without_a_venue_reaches_us_by_band():
    """Of 400 printed nobody knows where, 232, 268 or all of 400 reach a queue of 200; of one share none, one or one."""
    steps = [quote(100, 200, 101, 300), new(1, BUY, 500, 100)]

    assert [32, 68, 200] == in_all_bands(*steps, trade(100, 400, flags=512 | 4096))
    alone = [quote(99, 200, 101, 300), new(1, BUY, 500, 100), trade(100, 2), trade(100, 1, flags=512 | 4096)]
    assert [1, 3, 3] == in_all_bands(*alone)


def test_rule_12_an_other_side_that_stops_at_our_price_does_not_convince_the_pessimist():
    """An ask of 50 at our bid fills 50 in two bands, and in all three where it goes through."""
    order = new(1, BUY, 500, 100)

    assert [0, 50, 50] == in_all_bands(START, order, quote(98, 10, 100, 50))
    assert [50, 50, 50] == in_all_bands(START, order, quote(98, 10, 99, 50))


def test_an_own_share_stands_in_for_that_of_the_band():
    """A share of prints without a venue may be given; it is rounded as the band rounds."""
    rows = choices(Band.PESSIMISTIC, no_venue_share=0.5)

    assert [500_000] == np.unique(rows["no_venue_ppm"]).tolist()
    assert [0] == np.unique(rows["no_venue_round_ppm"]).tolist()


@pytest.mark.parametrize("queue", DISPLAY_MODELS)
@FAST
@given(seed=SEEDS, evidence=st.sampled_from([1, 2, 4, 5]), lot=st.sampled_from([1, 4]))
def test_rule_24_pessimistic_is_never_above_expected_and_expected_never_above_optimistic(queue, seed, evidence, lot):
    """For one order, at every moment of any stream, whatever the queue model: the bands are ordered in quantity filled."""
    rng = random.Random(seed)
    stream = [step for step in busy_stream(seed, 120, odd=seed % 2 == 0) if step["kind"] != "request"]
    place = rng.randrange(len(stream))
    fits = SHARES if queue is QueueModel.FITTED else None
    markets = [Market(2, 6, queue=queue_of(band, queue), band=choices(band), evidence=evidence, fits=fits) for band in Band]
    filled = [0, 0, 0]
    order = None
    for k, step in enumerate(stream):
        for m, market in enumerate(markets):
            market.book["lot"] = lot
            if k == place:
                order = order or any_order(rng, market.book[0])
                filled[m] += sum(qty for _, _, qty in fills_of(market.step(order | {"ts": step["ts"]})))
            filled[m] += sum(qty for _, _, qty in fills_of(market.step(step)))

        assert sorted(filled) == filled


def any_order(rng, row):
    """Draw an order near the touch, of any kind."""
    side = rng.choice([BUY, SELL])
    price = int(row["bid"] if side == BUY else row["ask"]) + side * rng.choice([-2, -1, 0, 0, 0, 1, 2, 3])
    kind = rng.choice(["limit"] * 5 + ["market", "peg_mid", "midprice"])
    tif = rng.choice(["day"] * 4 + ["ioc", "fok"])
    return new(10**6, side, rng.randint(1, 30), price if kind == "limit" else 0, tif=tif, kind=kind)


def test_rule_25_paper_accounts_fill_from_the_other_side_of_the_book_alone():
    """Prints at and through our bid fill nothing; an ask that comes to it fills what it shows."""
    market = Market(band=choices(rule=FillRule.IBKR_PAPER))
    steps = [START, new(1, BUY, 500, 100), trade(100, 900), trade(99, 900)]

    assert [] == fills_of(market.play(*steps))
    assert 300 == market.venue.orders[0, 0]["ahead_qty"]
    assert [(1, 100, 50)] == fills_of(market.play(quote(98, 10, 100, 50, ts=10**9)))


def test_rule_25_paper_accounts_take_the_top_of_the_book_on_arrival():
    """A marketable order takes what the touch shows and nothing beyond."""
    market = Market(band=choices(Band.OPTIMISTIC, FillRule.IBKR_PAPER))

    assert [(1, 101, 300)] == fills_of(market.play(START, new(1, BUY, 500, 105)))
