"""Fills where bars are all the evidence (rule 34)."""

import pandas as pd
import pytest

from fills import simulate
from fills.bands import Band, choices
from replay.session import Session
from tests.fills.worlds import BUY, SELL, Market, bar, fills_of, new

START_NS = 1_700_000_000_000_000_000
MINUTE_NS = 60_000_000_000


def in_all_bands(*steps):
    """Return what steps fill in the pessimistic, the expected and the optimistic band, as (order, price, qty)."""
    return [fills_of(Market(evidence=3, band=choices(band)).play(*steps)) for band in Band]


def test_rule_34_a_bar_fills_a_limit_that_it_went_through():
    """A bar from 98 to 105 with 100 shares fills a buy at 99 with 5, 10 or 20; one that stops at 99 is for the optimist."""
    order = new(1, BUY, 50, 99)

    assert [[(1, 99, 5)], [(1, 99, 10)], [(1, 99, 20)]] == in_all_bands(order, bar(98, 105, 100, start=1))
    assert [[], [], [(1, 99, 20)]] == in_all_bands(order, bar(99, 105, 100, start=1))
    assert [[], [], []] == in_all_bands(order, bar(100, 105, 100, start=1))


def test_rule_34_only_orders_that_stood_before_the_bar_began_fill():
    """An order that came at 1 has no part in a bar that began at 0."""
    assert [[], [], []] == in_all_bands(new(1, BUY, 50, 99), bar(98, 105, 100, start=0))


def test_rule_34_a_market_order_gets_the_worst_price_of_the_bar():
    """Buys pay the high, sells get the low, and a limit beyond the bar does no worse."""
    market = Market(evidence=3)
    orders = [new(1, BUY, 1, 0, kind="market"), new(2, SELL, 1, 0, kind="market"), new(3, BUY, 1, 200), new(4, SELL, 1, 5)]

    assert [(1, 105, 1), (2, 98, 1), (3, 105, 1), (4, 98, 1)] == fills_of(market.play(*orders, bar(98, 105, 1000, start=9)))


def test_rule_34_all_own_orders_share_the_volume_of_a_bar():
    """Of 100 shares ten go round, in the order in which the orders came."""
    orders = [new(1, BUY, 6, 99), new(2, SELL, 6, 101), new(3, BUY, 6, 100)]

    assert [(1, 99, 6), (2, 101, 4)] == fills_of(Market(evidence=3).play(*orders, bar(90, 110, 100, start=9)))


def test_rule_34_bars_fill_nobody_where_there_is_better_evidence():
    """Beside quotes and prints a bar says nothing new, and bars of quotes say nothing of trades."""
    order = new(1, BUY, 50, 99)

    assert [] == fills_of(Market(evidence=1).play(order, bar(90, 105, 100, start=1)))
    assert [] == fills_of(Market(evidence=3).play(order, bar(90, 105, 100, start=1, what=1)))


@pytest.mark.parametrize("independent", [False, True])
def test_rule_34_a_session_of_bars_can_be_simulated(independent):
    """Given orders fill from a session that holds nothing but bars, and each fill says on what evidence."""
    bars = pd.DataFrame(
        {
            "ts_ns": [START_NS + k * MINUTE_NS for k in (1, 2)], "start_ts_ns": [START_NS, START_NS + MINUTE_NS], "symbol": "A",
            "open": 100.0, "high": 101.0, "low": [99.0, 98.0], "close": 100.0, "volume": 1000,
            "bar_s": 60, "what_to_show": "TRADES",
        }
    )  # fmt: skip
    session = Session.from_frames(bars=bars, symbols={"A": {"tick": 0.01, "evidence": "bars"}})
    order = {"order_id": 1, "symbol": "A", "ts_ns": START_NS + 5, "side": "BUY", "qty": 150, "limit_price": 99.5, "tif": "DAY"}
    fills = simulate(session, pd.DataFrame([order]), latency=0, independent=independent)

    assert [(99.5, 100, 34, "bars")] == list(zip(fills["price"], fills["qty"], fills["rule"], fills["evidence"], strict=True))
