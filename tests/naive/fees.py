"""Fees of an order in exact fractions: the tiered plan of 2026-05-04 on Nasdaq, prices in 1/10000 of a dollar."""

from fractions import Fraction
from math import floor


def micros(usd):
    """Millionths of a dollar, halves up."""
    return floor(usd * 1_000_000 + Fraction(1, 2))


def order_fee_micros(order):
    """What an order of the plain exchange owes so far."""
    filled = order["qty"] - order["leaves"]
    if not filled:
        return 0
    value = Fraction(order["value"], 10_000)
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
