"""The touch: what the best bid and offer on the book say now.

A quote is usable when both sides are there and it is not crossed (a locked one is usable)::

    spread_bps     = 1e4 (ask - bid) / mid = 2e4 (ask - bid) / mid2,   mid2 = bid + ask
    imbalance      = (qb - qa) / (qb + qa)
    microprice_bps = spread_bps imbalance / 2                       size-weighted mid minus mid

References
----------
Stoikov, S. (2018), "The micro-price", Quantitative Finance 18(12), section 2: the size-weighted mid is its simple form.
"""

import math

from replay.jit import kernel


@kernel
def touch_mid2(s, book):
    """Return bid + ask of a usable quote (two-sided, not crossed); 0 otherwise."""
    row = book[s]
    if row["bid"] <= 0 or row["bid_qty"] <= 0 or row["ask_qty"] <= 0 or row["ask"] < row["bid"]:
        return 0
    return row["bid"] + row["ask"]


@kernel
def value2(s, book):
    """Return twice the value of one unit at the mid, in price units: mid2 times the multiplier; 0 without a usable quote."""
    return touch_mid2(s, book) * multiplier(s, book)


@kernel
def multiplier(s, book):
    """Return dollars per dollar of price of one unit: 1 for a share, more for a future."""
    return max(book[s]["multiplier"], 1)


@kernel
def spread_bps(s, book):
    """Return ask minus bid over mid, bps; NaN without a usable quote."""
    mid2 = touch_mid2(s, book)
    if mid2 == 0:
        return math.nan
    return 20_000.0 * (book[s]["ask"] - book[s]["bid"]) / mid2


@kernel
def imbalance(s, book):
    """Return (bid size - ask size) / (bid size + ask size), in [-1, 1]; NaN without a usable quote."""
    if touch_mid2(s, book) == 0:
        return math.nan
    bid_qty = book[s]["bid_qty"]
    ask_qty = book[s]["ask_qty"]
    return (bid_qty - ask_qty) / (bid_qty + ask_qty)


@kernel
def microprice_bps(s, book):
    """Return microprice minus mid, bps of mid; NaN without a usable quote."""
    return 0.5 * spread_bps(s, book) * imbalance(s, book)
