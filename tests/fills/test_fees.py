"""Commissions and fees: IBKR's worked examples, per order over partial fills, by trade date."""

from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fills.fees import FeeSchedule, minimum_tick, order_fee_micros, rule_on
from replay.errors import DataError, UsageError
from tests.fills.worlds import BUY, Market, new, quote, trade

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
    from fills.fees import _rules

    for name in {rule["id"] for rule in _rules()}:
        spans = sorted((r["valid_from"], r["valid_to"]) for r in _rules() if r["id"] == name)
        assert all((b[0] - a[1]).days == 1 for a, b in pairwise(spans)), name
    assert all(rule["source"] and rule["status"] in ("verified", "reported", "assumed") for rule in _rules())


def test_minimum_tick_by_price():
    """A quote at a dollar or more moves in cents, below in hundredths of a cent."""
    assert [100, 100, 1] == [minimum_tick(date(2026, 5, 4), price) for price in (1_000_000, 10_000, 9_999)]
    assert "17 CFR 242.612" == rule_on("us.tick", date(2026, 5, 4))["source"]


@settings(max_examples=50, deadline=None)
@given(
    fills=st.lists(st.tuples(st.integers(1, 5000), st.integers(50, 50_000)), min_size=1, max_size=6),
    side=st.sampled_from([1, -1]),
)
def test_fees_of_the_parts_add_up_to_the_fee_of_the_order(fills, side):
    """Charging each fill what the order owes by then, less what was charged, ends at the fee of the whole order."""
    rates = FeeSchedule.on_date(date(2026, 5, 4), "tiered").rates
    qty = value = charged = 0
    for part, price in fills:
        qty, value = qty + part, value + part * price
        charged += order_fee_micros(side, qty, 0, value, rates) - charged

    assert charged == order_fee_micros(side, sum(q for q, _ in fills), 0, sum(q * p for q, p in fills), rates)


def test_the_exchange_charges_the_minimum_once_per_order():
    """Two partial fills of one order pay one dollar together: the first pays it all, the second nothing."""
    fees = FeeSchedule.on_date(date(2026, 5, 4), "fixed").rates
    market = Market(tick=100, fees=fees)
    steps = [quote(1_000_000, 10, 1_000_100, 10), new(1, BUY, 100, 1_000_000), trade(1_000_000, 60), trade(1_000_000, 60)]
    fills = [a for a in market.play(*steps) if a["rule"]]

    assert [(50, 1_000_000), (50, 0)] == [(a["qty"], a["fee_micros"]) for a in fills]
