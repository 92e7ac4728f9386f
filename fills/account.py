"""The venue's own record of what a run holds: position, cash and fees, for short sales and buying power (rule 33)."""

from fills.venue import ASK, BID, NO_RANK
from replay.jit import kernel

MICROS = 1_000_000


@kernel
def book_fill(s, side, price, qty, venue):
    """Move position and cash by a fill."""
    account = venue.accounts[s]
    account["position"] += side * qty
    account["mark"] = price
    venue.terms[0]["cash"] -= side * price * qty * account["multiplier"]


@kernel
def book_fee(fee_micros, venue):
    """Charge the account."""
    venue.terms[0]["fee_micros"] += fee_micros


@kernel
def open_qty(s, side, venue):
    """Return what own orders of one side of a symbol still want."""
    total = 0
    for slot in range(venue.n_orders[s]):
        if venue.orders[s, slot]["side"] == side:
            total += venue.orders[s, slot]["leaves_qty"]
    return total


@kernel
def shorts_more(s, qty, venue):
    """Tell whether selling `qty` more would sell shares that are not held."""
    return qty > 0 and qty > venue.accounts[s]["position"] - open_qty(s, -1, venue)


@kernel
def lacks_power(s, side, qty, price, venue):
    """Tell whether an order would take positions and orders, at their worst, beyond the buying power.

    Of each symbol the worse of two cases counts: all own buys filled and no sell, or the reverse. An order that makes its
    symbol's worse case no worse is always affordable.
    """
    before = _worst_qty(s, 0, 0, venue)
    after = _worst_qty(s, qty if side > 0 else 0, qty if side < 0 else 0, venue)
    if after <= before:
        return False
    terms = venue.terms[0]
    equity = terms["cash"] + -terms["fee_micros"] * venue.fees[0]["scale"] // MICROS
    gross = (after - before) * _worth(s, price, venue)
    for k in range(len(venue.n_orders)):
        worth = _worth(k, price if k == s else 0, venue)
        equity += venue.accounts[k]["position"] * worth
        gross += _worst_qty(k, 0, 0, venue) * worth
    return gross > equity * terms["leverage_percent"] // 100


@kernel
def _worst_qty(s, more_buy_qty, more_sell_qty, venue):
    position = venue.accounts[s]["position"]
    bought = position + open_qty(s, 1, venue) + more_buy_qty
    sold = position - open_qty(s, -1, venue) - more_sell_qty
    return max(abs(bought), abs(sold))


@kernel
def _worth(s, price, venue):
    """Return what one unit is worth, a contract its multiplier times the price."""
    return _mark(s, price, venue) * venue.accounts[s]["multiplier"]


@kernel
def _mark(s, price, venue):
    """Return the price at which a symbol counts: the bid, else the ask, else the last own fill, else the price asked."""
    if venue.ledgers[s, BID]["rank"] != NO_RANK:
        return venue.ledgers[s, BID]["rank"]
    if venue.ledgers[s, ASK]["rank"] != NO_RANK:
        return -venue.ledgers[s, ASK]["rank"]
    return venue.accounts[s]["mark"] if venue.accounts[s]["mark"] > 0 else price
