"""Orders pegged to the middle of the quote (rules 27 and 28).

MIDPRICE is a displayed limit order whose price follows the mid in whole ticks. PEG_MID is hidden and rests at the mid itself.
"""

from fills.queue import UNKNOWN
from fills.record import whole_ahead, write_fill
from fills.venue import ASK, BID, HELD_RANK, NO_RANK, Rule
from replay.jit import kernel
from replay.orders import Liquidity, OrderType


@kernel
def is_pegged(order):
    """Tell whether an order follows the mid."""
    return order["type"] == OrderType.PEG_MID or order["type"] == OrderType.MIDPRICE


@kernel
def mid_rank(order, bid, ask):
    """Return the rank of the mid for an order, rounded against it, at most its cap; `bid` is below `ask`."""
    side = order["side"]
    rank = (bid + ask) // 2 if side > 0 else -(bid + ask) // 2
    if order["type"] == OrderType.MIDPRICE and order["tick"] > 1:
        rank -= rank % order["tick"]
    return min(rank, order["cap_rank"])


@kernel
def pegged_rank(order, s, venue):
    """Return the rank of a pegged order at the quote that symbol `s` shows; a one-sided, locked or crossed one moves nothing."""
    bid_rank = venue.ledgers[s, BID]["rank"]
    ask_rank = venue.ledgers[s, ASK]["rank"]
    if bid_rank == NO_RANK or ask_rank == NO_RANK or bid_rank >= -ask_rank:
        return order["rank"]
    return mid_rank(order, bid_rank, -ask_rank)


@kernel
def fill_hidden(s, lane, side, price, qty, least_rank, venue):
    """Let a print inside the quote of `s` fill hidden mid orders from `least_rank` up, best first; return what is left of it."""
    left = qty
    if price <= venue.ledgers[s, BID]["rank"] or -price <= venue.ledgers[s, ASK]["rank"]:
        return left
    if venue.ledgers[s, BID]["rank"] == NO_RANK or venue.ledgers[s, ASK]["rank"] == NO_RANK:
        return left
    while left > 0:
        slot = _best_hidden(lane, side, least_rank, venue)
        if slot < 0:
            return left
        order = venue.orders[lane, slot]
        if order["ahead_qty"] >= UNKNOWN:
            return left
        taken = min(order["ahead_qty"], left)
        order["ahead_qty"] -= taken
        left -= taken
        fill = min(left, order["leaves_qty"])
        if fill == 0:
            return left
        left -= fill
        write_fill(lane, slot, order["price"], fill, whole_ahead(lane, slot, venue), Rule.MID, Liquidity.ADD, venue)
    return left


@kernel
def _best_hidden(s, side, least_rank, venue):
    best = -1
    best_rank = least_rank - 1
    for slot in range(venue.n_orders[s]):
        order = venue.orders[s, slot]
        is_hidden = order["type"] == OrderType.PEG_MID and order["leaves_qty"] > 0
        if is_hidden and order["side"] == side and order["rank"] > best_rank and order["rank"] != HELD_RANK:
            best = slot
            best_rank = order["rank"]
    return best
