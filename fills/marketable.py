"""Rules for resting orders to which the displayed other side comes (rules 12 and 14)."""

from fills.depth import left_of, take_from
from fills.record import whole_ahead, write_fill
from fills.venue import Rule
from replay.jit import kernel
from replay.orders import Liquidity, OrderType


@kernel
def cross_resting(s, side, other, rank, qty, venue):
    """Fill own orders of `side` that the displayed other side reached, best price first (rules 12 and 14).

    `rank` and `qty` are the other side's touch in its own ranks; `other` is the index of its ledger.
    """
    left = left_of(s, other, rank, qty, venue)
    gap = venue.choices[venue.ctl[0]["evidence"]]["cross_gap"]
    while left > 0:
        slot = _best_crossed(s, side, gap - rank, venue)
        if slot < 0:
            return
        order = venue.orders[s, slot]
        fill = min(left, order["leaves_qty"])
        left -= fill
        take_from(s, other, rank, fill, venue)
        before = whole_ahead(s, slot, venue)
        if order["type"] == OrderType.MARKET:
            write_fill(s, slot, -side * rank, fill, before, Rule.MARKET, Liquidity.REMOVE, venue)
        else:
            write_fill(s, slot, order["price"], fill, before, Rule.CROSSED, Liquidity.ADD, venue)


@kernel
def _best_crossed(s, side, limit_rank, venue):
    best = -1
    best_rank = limit_rank - 1
    for slot in range(venue.n_orders[s]):
        order = venue.orders[s, slot]
        if order["side"] == side and order["leaves_qty"] > 0 and order["rank"] > best_rank:
            best = slot
            best_rank = order["rank"]
    return best
