"""Prints that consume no displayed queue and may fill all the same: auctions, mids, unknown sides (rules 10, 28 and 29)."""

from fills.bands import GUESS_ANYBODY, GUESS_NOBODY
from fills.pegs import fill_hidden
from fills.prints import BUY, SELL, budget_qty, is_between_ticks
from fills.record import compact, whole_ahead, write_fill
from fills.resting import fill_from_print
from fills.venue import ASK, BID, HELD_RANK, Rule
from replay.desk import queueless
from replay.events import Flag
from replay.jit import kernel
from replay.orders import Liquidity, OrderType

AUCTION = int(Flag.AUCTION)
DARK = int(Flag.OFF_EXCHANGE)
AT_MID = int(Flag.OFF_TICK | Flag.HIDDEN | Flag.OFF_EXCHANGE)


@kernel
def meet_stray_print(event, s, lane, venue):
    """Let a print that consumes no displayed queue of `s` fill the own orders of `lane` that it may fill."""
    choice = venue.choices[venue.ctl[0]["evidence"]]
    if event["qty"] <= 0 or event["price"] <= 0 or venue.n_orders[lane] == 0:
        return
    flags = queueless(event["flags"])
    is_off_tick = is_between_ticks(event["price"], venue.orders[lane, 0]["tick"], venue)
    if flags == AUCTION and not is_off_tick:
        _fill_in_auction(event["price"], budget_qty(event, False, choice), lane, choice["has_auction_at"], venue)
    elif flags != 0 or is_off_tick:
        if (flags & ~AT_MID) == 0 and ((flags & DARK) == 0 or choice["guess"] == GUESS_ANYBODY):
            _fill_at_mid(event, s, lane, choice, venue)
    elif choice["guess"] == GUESS_ANYBODY and (event["flags"] & (BUY | SELL)) == 0:
        side = _only_side(event["price"], lane, venue)
        if side != 0:
            fill_from_print(lane, side, side * event["price"], budget_qty(event, False, choice), 0, venue)
    compact(lane, venue)


@kernel
def _fill_at_mid(event, s, lane, choice, venue):
    """Let a print between the ticks, or with hidden interest, fill hidden mid orders at its price or better (rule 28)."""
    flags = event["flags"] & (BUY | SELL)
    price = event["price"]
    side = 0
    if flags == BUY:
        side = -1
    elif flags == SELL:
        side = 1
    elif flags == 0 and choice["guess"] != GUESS_NOBODY:
        double_mid = venue.ledgers[s, BID]["rank"] - venue.ledgers[s, ASK]["rank"]
        if 2 * price != double_mid:
            side = 1 if 2 * price < double_mid else -1
        elif choice["guess"] == GUESS_ANYBODY:
            side = _only_side(price, lane, venue)
    if side != 0:
        fill_hidden(s, lane, side, price, budget_qty(event, False, choice), side * price, venue)


@kernel
def _only_side(price, s, venue):
    """Return the side of the own orders that a print at a price could have met; 0 where both have some, or none has."""
    found = 0
    for slot in range(venue.n_orders[s]):
        order = venue.orders[s, slot]
        if order["type"] != OrderType.MARKET and order["rank"] >= order["side"] * price:
            if found == -order["side"]:
                return 0
            found = order["side"]
    return found


@kernel
def _fill_in_auction(price, qty, s, has_at, venue):
    """Fill at an auction's price the orders that ask for less, and in the optimistic band those that ask for it (rule 29)."""
    gap = 1 - has_at
    has_both = _best_slot(s, 1, price + gap, venue) >= 0 and _best_slot(s, -1, gap - price, venue) >= 0
    for k in range(2):
        side = 1 - 2 * k
        left = qty // 2 if has_both else qty
        while left > 0:
            slot = _best_slot(s, side, side * price + gap, venue)
            if slot < 0:
                break
            order = venue.orders[s, slot]
            fill = min(left, order["leaves_qty"])
            left -= fill
            write_fill(s, slot, price, fill, whole_ahead(s, slot, venue), Rule.AUCTION, Liquidity.REMOVE, venue)


@kernel
def _best_slot(s, side, least_rank, venue):
    best = -1
    best_rank = least_rank - 1
    for slot in range(venue.n_orders[s]):
        order = venue.orders[s, slot]
        is_in = order["type"] != OrderType.PEG_MID and order["rank"] != HELD_RANK and order["leaves_qty"] > 0
        if is_in and order["side"] == side and order["rank"] > best_rank:
            best = slot
            best_rank = order["rank"]
    return best
