"""Fees of an order in exact fractions: the tiered plan of 2026-05-04."""

from fractions import Fraction
from math import floor


def micros(usd):
    """Millionths of a dollar, halves up."""
    return floor(usd * 1_000_000 + Fraction(1, 2))


def order_fee_micros(order):
    """What an order of the plain exchange owes so far: Nasdaq, prices in tenths of a dollar."""
    filled = order["qty"] - order["leaves"]
    if not filled:
        return 0
    value = Fraction(order["value"], 10)
    assert filled <= 300_000
    commission = min(max(micros(filled * Fraction("0.0035")), micros(Fraction("0.35"))), micros(value / 100))
    total = commission + micros(filled * Fraction("0.0002"))
    total += micros((filled - order["removed"]) * Fraction("-0.0021") + order["removed"] * Fraction("0.0030"))
    total += micros(Fraction(commission, 1_000_000) * Fraction("0.000565")) + micros(
        Fraction(commission, 1_000_000) * Fraction("0.000175")
    )
    if order["side"] < 0:
        total += micros(value * Fraction("20.60") / 1_000_000) + min(
            micros(filled * Fraction("0.000195")), micros(Fraction("9.79"))
        )
    return total


VENUES = {  # of the test's codes: add and remove per share, then below a dollar: add per share, add and remove by value
    -1: ("-.0021", ".003", "0", "0", ".003"), 0: ("-.0016", ".003", "-.00003", "0", ".003"),
    1: ("-.0021", ".003", "0", "0", ".003"),
    2: ("-.0026", ".003", "0", "-.00075", ".0028"), 3: ("-.0021", ".003", "0", "0", ".003"),
}  # fmt: skip
TIERS = ((300_000, ".0035"), (3_000_000, ".0020"), (20_000_000, ".0015"), (100_000_000, ".0010"), (10**18, ".0005"))


def tier_usd(first, last):
    """The marginal commission of the shares of a month from one count to another."""
    total, low = Fraction(0), 0
    for high, usd in TIERS:
        total += max(min(last, high) - max(first, low), 0) * Fraction(usd)
        low = high
    return total


def exchange_usd(price, qty, is_added, venue):
    """What a venue asks for one fill."""
    add, remove, add_below, add_share, remove_share = map(Fraction, VENUES[venue])
    usd = Fraction(price, 10_000)
    if usd >= 1:
        return qty * (add if is_added else remove)
    return qty * (add_below + usd * add_share if is_added else usd * remove_share)


def owed_micros(fills, side, month_qty):
    """What each of three orders owes in the end: fills are (order, qty, price, liquidity, venue), the day is 2026-05-04."""
    orders = [{"qty": 0, "value": Fraction(0), "tiers": Fraction(0), "exchange": Fraction(0)} for _ in range(3)]
    for number, qty, price, liquidity, venue in fills:
        order = orders[number]
        order["qty"] += qty
        order["value"] += Fraction(qty * price, 10_000)
        order["tiers"] += tier_usd(month_qty, month_qty + qty)
        order["exchange"] += exchange_usd(price, qty, liquidity.name == "ADD", venue)
        month_qty += qty
    return [_owed(order, side) for order in orders]


def _owed(order, side):
    if not order["qty"]:
        return 0
    commission = min(max(micros(order["tiers"]), 350_000), micros(order["value"] / 100))
    passed = [Fraction(commission, 1_000_000) * Fraction(share) for share in ("0.000565", "0.000175")]
    parts = [order["exchange"], order["qty"] * Fraction("0.0002"), *passed]
    if side < 0:
        parts += [order["value"] * Fraction("20.60") / 1_000_000, min(order["qty"] * Fraction("0.000195"), Fraction("9.79"))]
    return commission + sum(micros(part) for part in parts)
