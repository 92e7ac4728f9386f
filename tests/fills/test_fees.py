"""Commissions and fees: IBKR's worked examples, per order over partial fills, by trade date."""

from dataclasses import replace
from datetime import date
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fills.fee_table import FeeSettings, rule_on, rules_of
from fills.fees import PARTS, FeeSchedule, add_fill, exchange_nanos, minimum_tick, order_fee_micros
from fills.venue import VENUE_ORDER
from replay.errors import ConfigError, DataError, UsageError
from replay.orders import Liquidity
from tests.fills.worlds import BUY, Market, modify, new, quote, trade
from tests.naive import fees as naive

PAGE = {"sec_nanos": 8_000, "taf_nanos": 145_000, "taf_cap_micros": 7_270_000, "finra_ppm": 560}  # of the broker's example
OLDER = PAGE | {"sec_nanos": 17_400, "taf_nanos": 119_000, "taf_cap_micros": 5_950_000}


def schedule(plan, rates=None, **options):
    """Return the schedule of 2025-06-02, with some rates replaced."""
    found = FeeSchedule.on_date(date(2025, 6, 2), plan, **options)
    row = found.rates.copy()
    for name, value in (rates or {}).items():
        if plan == "tiered" or name != "finra_ppm":
            row[name] = value
    return replace(found, rates=row)


@pytest.mark.parametrize(
    ("qty", "price", "usd"),
    [
        (100, 25, 1.00), (1000, 25, 5.00), (1000, 0.25, 2.50), (199, 100, 1.00), (200, 100, 1.00), (201, 100, 1.005),
        (1, 50, 0.50), (10, 0.20, 0.02), (1300, 187.03, 6.50),
    ],
)  # fmt: skip
def test_fixed_plan_examples(qty, price, usd):
    """Examples 1 to 6: half a cent per share, at least a dollar, at most 1 % of the value, and the cap wins."""
    assert usd * 1e6 == pytest.approx(schedule("fixed").fee_micros(side="BUY", qty=qty, price=price), abs=0.5)


@pytest.mark.parametrize(("qty", "month_qty", "usd"), [(50, 0, 0.35), (200, 299_900, 0.55)])
def test_tiered_commission_examples(qty, month_qty, usd):
    """Examples 7 and 8: the minimum, and a tier that ends within the order."""
    no_pass = dict.fromkeys(("clearing_nanos", "add_nanos", "remove_nanos", "finra_ppm", "nyse_ppm"), 0)

    assert usd * 1e6 == schedule("tiered", no_pass, month_qty=month_qty).fee_micros(side="BUY", qty=qty, price=100.0)


@pytest.mark.parametrize(
    ("plan", "qty", "is_removed", "rates", "usd"),
    [
        ("tiered", 30_000_000, False, PAGE, -13_811.90),
        ("tiered", 30_000_000, True, PAGE, 139_188.10),
        ("tiered", 200_000, True, PAGE, 1_355.78),
        ("tiered", 30_000_000, False, OLDER, -12_403.22),
        ("tiered", 200_000, True, OLDER, 1_363.86),
        ("fixed", 30_000_000, True, PAGE, 151_207.27),
        ("fixed", 200_000, True, PAGE, 1_015.27),
    ],
)
def test_sell_examples_with_all_fees(plan, qty, is_removed, rates, usd):
    """Examples 9 to 13, to the cent: commission, exchange, clearing, SEC, FINRA, NYSE and TAF on sells at 5 dollars."""
    fee = schedule(plan, rates).fee_micros(side="SELL", qty=qty, price=5.0, removed_qty=qty if is_removed else 0)

    assert round(usd * 100) == round(fee / 10_000)


@pytest.mark.parametrize(
    ("day", "sec_usd", "taf_usd"),
    [
        (date(2025, 1, 15), 0.695, 0.166),
        (date(2025, 6, 2), 0, 0.166),
        (date(2026, 5, 4), 0.515, 0.195),
        (date(2026, 11, 16), 0.515, 0),
    ],
)
def test_regulatory_fees_by_date(day, sec_usd, taf_usd):
    """Example 14: what a sell of 1,000 at 25 pays to SEC and FINRA depends on the trade date, and a buy pays nothing."""
    found = FeeSchedule.on_date(day, "fixed")

    assert round(5e6 + sec_usd * 1e6 + taf_usd * 1e6) == found.fee_micros(side="SELL", qty=1000, price=25.0)
    assert 5_000_000 == found.fee_micros(side="BUY", qty=1000, price=25.0)


def test_the_activity_fee_is_capped():
    """Example 15: selling 60,000 at 25 pays 30.90 to the SEC and the TAF's cap of 9.79."""
    found = FeeSchedule.on_date(date(2026, 5, 4), "fixed")

    assert 300_000_000 + 30_900_000 + 9_790_000 == found.fee_micros(side="SELL", qty=60_000, price=25.0)


def test_a_date_without_a_rule_is_an_error():
    """There is no default: a date before or after the table is refused, with what the table covers."""
    with pytest.raises(DataError, match="no rule `fixed` for 2031-01-02; it covers 2010-01-01 to 2026-12-31"):
        FeeSchedule.on_date(date(2031, 1, 2), "fixed")


def test_old_dates_use_assumed_rules_and_say_so():
    """Recordings of 2013 can be costed, and the schedule names the rules that nobody confirmed."""
    assert ("fixed", "us.sec", "us.taf") == FeeSchedule.on_date(date(2013, 10, 7), "fixed").assumed
    assert () == FeeSchedule.on_date(date(2026, 5, 4), "fixed").assumed


def test_the_plan_none_charges_nothing_on_any_date():
    """Futures have no table here: the plan 'none' must be asked for, and charges nothing."""
    assert 0 == FeeSchedule.on_date(date(2040, 1, 1), "none").fee_micros(side="SELL", qty=5, price=5000.0)
    with pytest.raises(UsageError, match="unknown fee plan 'free'"):
        FeeSchedule.on_date(date(2026, 5, 4), "free")


def test_rules_of_one_name_never_overlap_and_leave_no_gap():
    """On each day of the table exactly one rule of a name is in force, and every rule has source and status."""
    for name in {rule["id"] for rule in rules_of()}:
        spans = sorted((r["valid_from"], r["valid_to"]) for r in rules_of() if r["id"] == name)
        assert all((b[0] - a[1]).days == 1 for a, b in pairwise(spans)), name
    assert all(rule["source"] and rule["status"] in ("verified", "reported", "assumed") for rule in rules_of())
    assert all("note" in rule for rule in rules_of() if rule["status"] == "assumed")
    assert all(rule["status"] == "assumed" for rule in rules_of() if rule["valid_from"].year < 2023 and rule["id"] != "us.tick")


def test_minimum_tick_by_price():
    """A quote at a dollar or more moves in cents, below in hundredths of a cent."""
    assert [100, 100, 1] == [minimum_tick(date(2026, 5, 4), price) for price in (1_000_000, 10_000, 9_999)]
    assert "17 CFR 242.612" == rule_on("us.tick", date(2026, 5, 4))["source"]


@pytest.mark.parametrize(
    ("qty", "is_removed", "rates", "items"),
    [
        (30_000_000, False, PAGE, (41_950, -63_000, 6_000, 1_200, 23.49, 7.34, 7.27)),
        (30_000_000, True, PAGE, (41_950, 90_000, 6_000, 1_200, 23.49, 7.34, 7.27)),
        (200_000, True, PAGE, (700, 600, 40, 8.00, 0.39, 0.12, 7.27)),
    ],
)
def test_the_items_of_the_examples(qty, is_removed, rates, items):
    """Examples 9 to 11 item by item, each rounded to the cent, half up: commission, exchange, clearing, SEC, FINRA, NYSE, TAF."""
    parts = schedule("tiered", rates).parts_micros(side="SELL", qty=qty, price=5.0, removed_qty=qty if is_removed else 0)

    assert PARTS == tuple(parts)
    assert [round(usd * 100) for usd in items] == [(part + 5_000) // 10_000 for part in parts.values()]


@pytest.mark.parametrize(("plan", "side"), [("fixed", "BUY"), ("tiered", "SELL"), ("none", "SELL"), ("flat", "BUY")])
def test_the_parts_of_a_fee_are_the_whole(plan, side):
    """What a statement lists adds up to what is charged, under every plan."""
    found = FeeSchedule.of(date(2026, 5, 4), FeeSettings(plan=plan, per_contract_usd=2.25))
    order = {"side": side, "qty": 700, "price": 12.34, "removed_qty": 300}

    assert found.fee_micros(**order) == sum(found.parts_micros(**order).values())


FILLS = st.lists(
    st.tuples(
        st.integers(0, 2), st.integers(1, 200_000), st.integers(5_000, 50_000), st.sampled_from(Liquidity), st.integers(-1, 3)
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(fills=FILLS, side=st.sampled_from([1, -1]), month_qty=st.integers(0, 3_500_000))
def test_every_fill_is_charged_as_the_plain_statement_has_it(fills, side, month_qty):
    """Three orders filled in turns, at any venue: each owes what exact fractions over the month's shares give."""
    terms = FeeSettings(plan="tiered", month_qty=month_qty)
    rates = FeeSchedule.of(date(2026, 5, 4), terms, venues=("EDGX", "XX", "MEMX", "ISLAND")).rates
    orders = np.zeros(3, VENUE_ORDER)
    totals = np.zeros((3, 2), np.int64)
    for number, qty, price, liquidity, venue in fills:
        add_fill(orders[number], price, qty, int(liquidity), venue, rates)
        totals[number] += (qty, qty * price)
    owed = [
        order_fee_micros(side, qty, value, order["commission_nanos"], order["exchange_nanos"], rates)
        for order, (qty, value) in zip(orders, totals, strict=True)
    ]

    assert naive.owed_micros(fills, side, month_qty) == owed


def test_tiers_count_all_orders_of_the_month():
    """Two orders of 200,000 pay as one of 400,000 would, whoever is filled first; the venue keeps count."""
    fees = schedule("tiered").rates
    market = Market(tick=100, fees=fees)
    book = quote(1_000_000, 0, 1_000_100, 200_000)
    more = quote(1_000_000, 0, 1_000_100, 900_000)
    orders = [new(k, BUY, 200_000, 1_000_100) for k in (1, 2)]
    charged = [a["fee_micros"] for a in market.play(book, orders[0], more, orders[1]) if a["rule"]]
    whole = schedule("tiered").fee_micros(side="BUY", qty=400_000, price=100.01)

    assert [200_000 * 0.0035, 100_000 * 0.0035 + 100_000 * 0.0020] == [
        pytest.approx(fee / 1e6 - 200_000 * (0.0030 + 0.0002), rel=1e-3) for fee in charged
    ]
    assert whole == pytest.approx(sum(charged), abs=2)
    assert (400_000, 0) == (market.venue.fees["month_qty"][0], fees["month_qty"][0])


def test_a_change_of_an_order_pays_no_second_minimum():
    """An order filled in part, moved to another price and filled again owes one dollar in all: it stays one order."""
    market = Market(tick=100, fees=FeeSchedule.on_date(date(2026, 5, 4), "fixed").rates)
    start = [quote(1_000_000, 10, 1_000_100, 10), new(1, BUY, 100, 1_000_000), trade(1_000_000, 60)]
    later = [modify(1, 100, 1_000_100), quote(1_000_000, 10, 1_000_100, 40), trade(1_000_100, 90)]
    fills = [a for a in market.play(*start, *later) if a["rule"]]

    assert len(fills) > 1
    assert 1_000_000 == sum(a["fee_micros"] for a in fills)


def test_venues_charge_by_name_and_strangers_as_the_default():
    """EDGX pays less for adding than Nasdaq, MEMX more, by any of their names; an unknown venue is as the setting says."""
    found = FeeSchedule.of(
        date(2026, 5, 4), FeeSettings(plan="tiered", venue="EDGX"), venues=("K", "ISLAND", "MEMX", "NYSE")
    ).rates
    rebates = [exchange_nanos(50_000, 1, int(Liquidity.ADD), venue, found) for venue in (-1, 0, 1, 2, 3)]

    assert [-1_600_000, -1_600_000, -2_100_000, -2_600_000, -1_600_000] == rebates
    with pytest.raises(DataError, match=r"no rule holds for the venue 'MOON' on 2026-05-04; add `venue.MOON`"):
        FeeSchedule.of(date(2026, 5, 4), FeeSettings(plan="tiered", venue="MOON"))


def test_below_a_dollar_venues_charge_by_value():
    """Removing 1,000 at 0.50 costs .3 % of 500 dollars on Nasdaq, .28 % on MEMX; adding pays nothing there, .075 % here."""
    found = FeeSchedule.of(date(2026, 5, 4), FeeSettings(plan="tiered"), venues=("MEMX",)).rates
    fees = {(x, venue): exchange_nanos(5_000, 1000, int(x), venue, found) / 1e9 for x in Liquidity for venue in (-1, 0)}

    assert {
        (Liquidity.REMOVE, -1): 1.5, (Liquidity.REMOVE, 0): 1.4, (Liquidity.ADD, -1): 0.0, (Liquidity.ADD, 0): -0.375,
    } == fees  # fmt: skip


def test_contracts_pay_a_flat_sum():
    """Under the plan flat a contract costs what the setting says, on any date; without a sum the plan is refused."""
    assert 11_250_000 == FeeSchedule.of(date(2040, 1, 1), FeeSettings(plan="flat", per_contract_usd=2.25)).fee_micros(
        side="SELL", qty=5, price=5000.0
    )
    with pytest.raises(ConfigError, match="the fee plan flat needs `per_contract_usd` above 0"):
        FeeSchedule.on_date(date(2026, 5, 4), "flat")


def test_rule_22_the_exchange_charges_the_minimum_once_per_order():
    """Two partial fills of one order pay one dollar together: the first pays it all, the second nothing."""
    fees = FeeSchedule.on_date(date(2026, 5, 4), "fixed").rates
    market = Market(tick=100, fees=fees)
    steps = [quote(1_000_000, 10, 1_000_100, 10), new(1, BUY, 100, 1_000_000), trade(1_000_000, 60), trade(1_000_000, 60)]
    fills = [a for a in market.play(*steps) if a["rule"]]

    assert [(50, 1_000_000), (50, 0)] == [(a["qty"], a["fee_micros"]) for a in fills]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"side": "buy"}, "`side` must be BUY or SELL, got 'buy'"),
        ({"side": 1}, "`side` must be BUY or SELL, got 1"),
        ({"price": float("nan")}, "`price` must be a positive price in dollars, got nan"),
        ({"price": "ten"}, "`price` must be a positive price in dollars, got 'ten'"),
        ({"price": -1.0}, "`price` must be a positive price in dollars, got -1.0"),
        ({"price": 1e6, "qty": 10**6}, "`qty` x `price` must be at most 10,000,000,000 dollars, got 1000000 x 1000000.0"),
        ({"price": 2**63}, f"`qty` x `price` must be at most 10,000,000,000 dollars, got 100 x {2**63}"),
        ({"qty": 0}, "`qty` must be a positive number of shares, got 0"),
        ({"qty": 1.5}, "`qty` must be a positive number of shares, got 1.5"),
        ({"removed_qty": 101}, "`removed_qty` must be a part of the 100 shares, or None for all, got 101"),
    ],
)
def test_what_is_no_order_pays_no_fee(changes, sentence):
    """Each impossible argument is one clear sentence, for the sum and for its parts."""
    schedule = FeeSchedule.on_date(date(2026, 5, 4), "fixed")
    for ask in (schedule.fee_micros, schedule.parts_micros):
        with pytest.raises(UsageError) as caught:
            ask(**({"side": "BUY", "qty": 100, "price": 25.0} | changes))

        assert sentence == str(caught.value)


def test_a_trade_date_is_a_date():
    """A text in place of the date is one clear sentence."""
    with pytest.raises(UsageError, match=r"`day` must be a datetime\.date, .*, got '2026-05-04'"):
        FeeSchedule.on_date("2026-05-04", "fixed")
