"""Rules for resting orders: what a changed display and a print do to the queue ahead and to us (rules 1 to 10)."""

from fills.place import after_fall, after_print, after_return, set_ahead, take_ahead
from fills.queue import TRADES_ONLY, UNKNOWN
from fills.record import whole_ahead, write_fill
from fills.shares import through_qty
from fills.venue import ASK, BID, Rule
from replay.jit import kernel, leaf
from replay.orders import Liquidity, OrderType


@kernel
def shrink_queue(s, lane, side, venue):
    """Share a fall of the touch among those ahead and behind (rule 6), or only cap what is ahead when prints explain it."""
    ledger = venue.ledgers[s, BID if side > 0 else ASK]
    other = venue.ledgers[s, ASK if side > 0 else BID]
    rank = ledger["rank"]
    floor = 0
    for slot in range(venue.n_orders[lane]):
        order = venue.orders[lane, slot]
        if order["rank"] == rank and order["side"] == side:
            if ledger["is_first_drop"] == 1:
                order["ghost_qty"] = order["ahead_qty"]
            after_fall(order, ledger["fresh_drop_qty"], ledger, other, venue)
            floor = max(order["ahead_qty"], floor)
            set_ahead(order, floor)


@kernel
def meet_touch(s, lane, side, venue):
    """Set what is ahead of own orders at the new touch and above it (rules 3, 4 and 5)."""
    ledger = venue.ledgers[s, BID if side > 0 else ASK]
    rank = ledger["rank"]
    floor = 0
    for slot in range(venue.n_orders[lane]):
        order = venue.orders[lane, slot]
        if order["side"] != side or order["rank"] < rank:
            continue
        if order["rank"] == rank:
            after_return(order, ledger, venue)
            floor = max(order["ahead_qty"], floor)
            set_ahead(order, floor)
        else:
            if order["rank"] == ledger["gone_rank"] and ledger["is_first_drop"] == 1:
                order["ghost_qty"] = order["ahead_qty"]
            if venue.ctl[0]["model"] != TRADES_ONLY or order["ahead_qty"] == UNKNOWN:
                set_ahead(order, 0)


@kernel
def fill_from_print(s, side, rank, budget_qty, explained_qty, venue):
    """Let a print run through own orders: those at better prices first, then the line at its own price (rules 7 to 9)."""
    if venue.choices[venue.ctl[0]["evidence"]]["has_through"] == 1:
        most = through_qty(budget_qty, venue) if venue.ctl[0]["has_shares"] == 1 else budget_qty
        left = fill_through(s, side, rank, most, venue)
        if most < budget_qty:
            left = _stand_before(s, side, rank, budget_qty - most + left, venue)
    else:
        left = _stand_before(s, side, rank, budget_qty, venue)
    explained = min(explained_qty, left)
    if explained > 0:
        _walk(s, side, rank, explained, True, venue)
    if left > explained:
        _walk(s, side, rank, left - explained, False, venue)


@kernel
def _walk(s, side, rank, qty, is_explained, venue):
    """Consume the line at one price: market ahead, first own order, market between, second own order, and so on (rule 7)."""
    left = qty
    used = 0
    for slot in range(venue.n_orders[s]):
        order = venue.orders[s, slot]
        if order["rank"] != rank or order["side"] != side or order["leaves_qty"] <= 0:
            continue
        front = order["ghost_qty"] if is_explained else order["ahead_qty"]
        if front >= UNKNOWN:
            continue
        before = whole_ahead(s, slot, venue)
        taken = min(max(front - used, 0), left)
        used += taken
        left -= taken
        front = after_print(front, used, venue)
        if is_explained:
            order["ghost_qty"] = front
            set_ahead(order, min(order["ahead_qty"], front))
        else:
            take_ahead(order, front)
        fill = min(left, order["leaves_qty"])
        if fill > 0:
            left -= fill
            write_fill(s, slot, order["price"], fill, before, Rule.AT_PRICE, Liquidity.ADD, venue)


@kernel
def fill_through(s, side, rank, qty, venue):
    """Fill own orders at prices better than the print, best first, at most the print (rule 8); return what is left."""
    left = qty
    while left > 0:
        slot = best_slot(s, side, rank, venue)
        if slot < 0:
            return left
        order = venue.orders[s, slot]
        fill = min(left, order["leaves_qty"])
        left -= fill
        write_fill(s, slot, order["price"], fill, whole_ahead(s, slot, venue), Rule.THROUGH, Liquidity.ADD, venue)
    return left


@kernel
def _stand_before(s, side, rank, qty, venue):
    """Return what a print leaves when own orders at better prices hold it up without being filled (rules 8 and 24)."""
    left = qty
    for slot in range(venue.n_orders[s]):
        order = venue.orders[s, slot]
        if order["side"] == side and order["rank"] > rank and _is_shown(order):
            left -= order["leaves_qty"]
    return max(left, 0)


@leaf
def _is_shown(order):
    """Tell whether an order stands in the displayed book, where a print beyond its price has passed it by."""
    return order["type"] == OrderType.LIMIT or order["type"] == OrderType.MIDPRICE


@kernel
def best_slot(s, side, above_rank, venue):
    """Return the own limit order with the best price beyond `above_rank`, the earliest of equals; -1 = none."""
    best = -1
    best_rank = above_rank
    for slot in range(venue.n_orders[s]):
        order = venue.orders[s, slot]
        if order["rank"] > best_rank and order["side"] == side and order["leaves_qty"] > 0 and _is_shown(order):
            best = slot
            best_rank = order["rank"]
    return best
