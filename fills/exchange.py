"""The simulated exchange on level-1 data: three kernels that tell a venue what happened, and the rules they keep.

Prices of the two sides are mirrored; "better" means higher for buys and lower for sells. *Ahead* is the market quantity that
stands before an own order at its price; own orders at one price stand in time priority, and the first one's leaves are ahead
of the second. "The touch" is the best displayed price of the order's own side.

Where an order stands
    1.  Joins the touch: ahead = displayed size.
    2.  Improves the touch: ahead = 0.
    3.  Behind the touch, or with nothing displayed or a halt at its arrival: ahead is unknown (-1), and no print at its
        price fills it, until the touch arrives there: then ahead = the size displayed (an upper bound).
    4.  A better price hides its level: ahead is frozen, an upper bound; when the level is the touch again, ahead is at most
        the size displayed.
    5.  The touch falls past its price: nobody displayed is ahead, ahead = 0; whoever comes back to the level is behind.
        (TRADES_ONLY keeps its ahead: there only prints count.) A side that shows nothing says nothing: ahead is frozen.
    6.  The display falls while the level is the touch: what no print explains is a cancel, shared by the queue model
        (`fills.queue`). Ahead never grows while the order rests.

Prints (the aggressor's side decides which own orders may trade; a print never touches both)
    7.  At our price: it consumes what is ahead, then us, then what is behind. All own orders at all prices share it.
    8.  Through our price: it fills us at our price, at most the printed size, best price first; ahead stays as it is.
    9.  A quote and its print are one event, whichever comes first: a fall of the display that a print explains, in either
        order, moves the queue once, as the print alone would. A fall waits for its print, and a print for its quote, as long
        as the symbol's evidence says (`pairing_ns`), counted from the first that waits. A touch that fell away or was hidden
        is remembered as long. A level that comes back starts anew.
    10. Prints that consume nothing: off-exchange, average-price, late, auction, hidden, unreported, past the limit, off the
        tick grid, or without size. Odd lots consume. A print without a venue reaches our queue with `no_venue_share` of its
        size, rounded down. A print without a side belongs to the side whose pending drop it explains; else at or below the bid
        it is a sell, at or above the ask a buy, between them the nearer side decides, and the last trade's tick where that
        says nothing; then no side, and it is counted.

Displayed size
    11. What own orders took from a displayed size is gone until the feed shows more of it at that price; a level that moved
        away and came back is new, a level hidden by a better one is not.
    12. The displayed other side reaches a resting order's price: it fills at its own price, at most the size displayed, best
        price first. Nothing else is needed and nothing ahead is asked.
    13. A limit order that arrives at or through the other side's touch takes what is left of the displayed size at the
        displayed price. DAY and GTD: the rest rests at its limit. IOC: the rest is cancelled. FOK: all or nothing.
    14. A market order takes what is displayed; the rest waits and takes what the other side shows next, at that price. It is
        rejected where the other side is empty.

Life of an order
    15. An order, cancel or change acts at its arrival on the book as it then stands; nothing fills before.
    16. Post-only is rejected where it would lock or cross.
    17. Rejected: quantity not positive, price not positive or off tick, the symbol halted, the symbol's table full.
    18. No fill while the symbol is not trading (halt, auction, gap, lost connection), and no pairing across it. DAY orders
        expire at the close, GTD at their time or at the close; an order that comes after its end expires at once.
    19. A fill beats a cancel: a cancel or change of an order that is gone answers CANCEL_REJECTED.
    20. A change keeps the place in the queue only when the price stays and the quantity does not grow; `qty` is the whole
        quantity, what is filled included. Any other change joins anew. A change that is refused leaves the order as it was.
    21. Own orders never trade with each other.
    22. Fees are charged per order (`fills.fees`): what everything filled so far costs, less what was charged.
    23. Real orders played again (`own_in_book`): their leaves are taken out of the displayed size of their level before any
        other rule looks at it. That a level is there because the order itself stands in it tells nothing.
"""

from fills.fifo import MESSAGE_ON_ASKS, MESSAGE_ON_BIDS, follow, note_message
from fills.ledger import RESIZED, awaits_print, displayed_left, forget_display, hear, show
from fills.lifecycle import MOST_ANSWERS, expire, on_cancel, on_modify, on_new
from fills.marketable import cross_resting
from fills.queue import FIFO
from fills.real_book import note_status
from fills.record import compact, has_room
from fills.resting import fill_from_print, meet_touch, shrink_queue
from fills.venue import (
    ANSWER,
    ASK,
    BID,
    FALL_WAITS,
    LEDGER,
    NEVER,
    NO_RANK,
    PRINT_WAITS,
    STOP_ANSWERS_FULL,
    VENUE_CTL,
    VENUE_ORDER,
    Rule,
    Venue,
    make_venue,
)
from replay.events import Flag, Kind
from replay.jit import kernel, leaf
from replay.orders import Action

INELIGIBLE = int(
    Flag.OFF_EXCHANGE
    | Flag.AVERAGE_PRICE
    | Flag.LATE
    | Flag.OFF_TICK
    | Flag.AUCTION
    | Flag.UNREPORTED
    | Flag.PAST_LIMIT
    | Flag.HIDDEN
)
NO_VENUE = int(Flag.NO_VENUE)
BUY = int(Flag.BUY)
SELL = int(Flag.SELL)

SHOWN_BIDS = 1  # bits of what an event may concern: own orders where the display of their side changed ...
SHOWN_ASKS = 2
CROSSED_BIDS = 4  # ... whom the other side reached ...
CROSSED_ASKS = 8
PRINT_ON_BIDS = 16  # ... whom a print reached
PRINT_ON_ASKS = 32

__all__ = [
    "ANSWER", "LEDGER", "VENUE_CTL", "VENUE_ORDER", "Rule", "Venue", "make_venue", "on_event", "on_expiry", "on_request",
]  # fmt: skip


@leaf
def on_event(events, i, book, venue):
    """Tell the venue of a recorded event; `book` still holds the state before it."""
    event = events[i]
    kind = event["kind"]
    if kind == Kind.STATUS:
        on_status(event["symbol"], event["code"], venue)
    elif kind == Kind.QUOTE or kind == Kind.TRADE:
        s = event["symbol"]
        see(event, s, book[s], venue)
    elif kind == Kind.MESSAGE:
        hear_message(event, event["symbol"], book, venue)


@kernel
def hear_message(event, s, book, venue):
    """Tell own orders of a message of the full order book (`fills.fifo`)."""
    if has_room(2 * venue.n_orders[s], venue) and note_message(event, s, book[s]["tick"], venue) != 0:
        follow(s, s, venue)


@leaf
def see(event, s, row, venue):
    """Show a quote or print to the venue's symbol `s`, whose market before it is `row`."""
    ctl = venue.ctl[0]
    if row["status"] != 0 or ctl["model"] == FIFO:
        return
    if ctl["n_answers"] + 2 * venue.n_orders[s] > len(venue.answers):
        ctl["status"] = STOP_ANSWERS_FULL
        return
    touched = note(event, s, row, venue)
    if touched != 0:
        react(event, s, s, touched, venue)


@leaf
def note(event, s, row, venue):
    """Book a quote or print in the ledgers of `s`; return which own orders it may concern (bits), 0 = none."""
    ctl = venue.ctl[0]
    bids = venue.ledgers[s, BID]
    asks = venue.ledgers[s, ASK]
    if event["kind"] == Kind.QUOTE:
        bid_qty, ask_qty = event["bid_qty"], event["ask_qty"]
        if ctl["own_in_book"] == 1:
            bid_qty = others_qty(s, 1, event["bid"], bid_qty, venue)
            ask_qty = others_qty(s, -1, -event["ask"], ask_qty, venue)
        touched = _show_both(event, bid_qty, ask_qty, bids, asks, venue.pairing_ns[row["evidence"], FALL_WAITS])
        if touched != 0:
            _set_source(event, row["evidence"], -1, ctl)
        return touched
    side = _hear_side(event, row, bids, asks, ctl, venue.pairing_ns[row["evidence"], PRINT_WAITS])
    if side == 0:
        return 0
    _set_source(event, row["evidence"], event["venue"], ctl)
    return PRINT_ON_BIDS if side > 0 else PRINT_ON_ASKS


@kernel
def react(event, s, lane, touched, venue):
    """Let the own orders of `lane` react to what was noted in the ledgers of `s`; the two differ for shadow orders only."""
    if (touched & (MESSAGE_ON_BIDS | MESSAGE_ON_ASKS)) != 0:
        follow(s, lane, venue)
        return
    if (touched & (PRINT_ON_BIDS | PRINT_ON_ASKS)) == 0:
        _react_to_quote(event, s, lane, touched, venue)
        return
    side = 1 if (touched & PRINT_ON_BIDS) != 0 else -1
    explained = venue.ledgers[s, BID if side > 0 else ASK]["explained_qty"]
    fill_from_print(lane, side, side * event["price"], _budget_qty(event, venue.ctl[0]), explained, venue)
    compact(lane, venue)


@kernel
def others_qty(s, side, rank, qty, venue):
    """Return what a displayed size leaves when own orders that are part of it are taken out (rule 23)."""
    for slot in range(venue.n_orders[s]):
        order = venue.orders[s, slot]
        if order["rank"] == rank and order["side"] == side:
            qty -= order["leaves_qty"]
    return max(qty, 0)


@leaf
def _show_both(event, bid_qty, ask_qty, bids, asks, wait_ns):
    """Book a quote on both sides; return which own orders it may concern."""
    bid = event["bid"] if event["bid_qty"] > 0 else NO_RANK
    ask = -event["ask"] if event["ask_qty"] > 0 else NO_RANK
    touched = 0
    if show(bids, bid, bid_qty, event["seq"], event["ts_ns"], wait_ns):
        touched |= SHOWN_BIDS
    if show(asks, ask, ask_qty, event["seq"], event["ts_ns"], wait_ns):
        touched |= SHOWN_ASKS
    if bids["taken_rank"] != NO_RANK:
        displayed_left(bids, bid, event["bid_qty"])
    if asks["taken_rank"] != NO_RANK:
        displayed_left(asks, ask, event["ask_qty"])
    if ask != NO_RANK and bids["best_rank"] >= -ask:
        touched |= CROSSED_BIDS
    if bid != NO_RANK and asks["best_rank"] >= -bid:
        touched |= CROSSED_ASKS
    return touched


@kernel
def _react_to_quote(event, s, lane, touched, venue):
    ctl = venue.ctl[0]
    for k in range(2):
        if (touched & (SHOWN_BIDS << k)) != 0:
            ledger = venue.ledgers[s, k]
            if ledger["change"] == RESIZED:
                shrink_queue(venue.orders[lane], venue.n_orders[lane], 1 - 2 * k, ledger, ctl)
            else:
                meet_touch(venue.orders[lane], venue.n_orders[lane], 1 - 2 * k, ledger, ctl)
    if (touched & CROSSED_BIDS) != 0:
        cross_resting(lane, 1, ASK, -event["ask"], event["ask_qty"], venue)
    if (touched & CROSSED_ASKS) != 0:
        cross_resting(lane, -1, BID, event["bid"], event["bid_qty"], venue)
    if (touched & (CROSSED_BIDS | CROSSED_ASKS)) != 0:
        compact(lane, venue)


@kernel
def _set_source(event, evidence, venue_code, ctl):
    ctl["now_ns"] = event["ts_ns"]
    ctl["source_seq"] = event["seq"]
    ctl["source_venue"] = venue_code
    ctl["evidence"] = evidence


@leaf
def _hear_side(event, row, bids, asks, ctl, wait_ns):
    """Book a print on the side it consumed; return that side when own orders are within its reach, else 0."""
    qty = event["qty"]
    price = event["price"]
    if (event["flags"] & INELIGIBLE) != 0 or qty <= 0 or price <= 0 or (row["tick"] > 1 and price % row["tick"] != 0):
        ctl["n_ineligible"] += 1
        return 0
    side = passive_side(event, row, bids, asks)
    if side == 0:
        ctl["n_unsided"] += 1
        return 0
    ledger = bids if side > 0 else asks
    return side if hear(ledger, side * price, qty, event["ts_ns"], wait_ns) else 0


@kernel
def _budget_qty(event, ctl):
    """Return how much of a print reaches our queue (rule 10)."""
    if (event["flags"] & NO_VENUE) != 0:
        return int(event["qty"] * ctl["no_venue_share"])
    return event["qty"]


@leaf
def passive_side(event, row, bids, asks):
    """Return which side's resting orders a print consumed: 1 bids, -1 asks, 0 unknown (rule 10)."""
    flags = event["flags"]
    if (flags & (BUY | SELL)) != 0:
        if (flags & BUY) != 0 and (flags & SELL) != 0:
            return 0
        return 1 if (flags & SELL) != 0 else -1
    price = event["price"]
    explains_bid = awaits_print(bids, price, event["ts_ns"])
    explains_ask = awaits_print(asks, -price, event["ts_ns"])
    if explains_bid != explains_ask:
        return 1 if explains_bid else -1
    return _side_by_quote(price, row)


@kernel
def _side_by_quote(price, row):
    """Return the passive side by the quote, and by the last trade's tick where the quote says nothing (rule 10)."""
    has_bid = row["bid_qty"] > 0
    has_ask = row["ask_qty"] > 0
    is_low = has_bid and price <= row["bid"]
    is_high = has_ask and price >= row["ask"]
    if is_low != is_high:
        return 1 if is_low else -1
    if has_bid and has_ask and not is_low and 2 * price != row["bid"] + row["ask"]:
        return 1 if 2 * price < row["bid"] + row["ask"] else -1
    if row["last_qty"] <= 0 or price == row["last_price"]:
        return 0
    return 1 if price < row["last_price"] else -1


@kernel
def on_status(symbol, code, venue):
    """Forget the display of one symbol, or of all."""
    note_status(symbol, code, venue)
    first = max(symbol, 0)
    last = symbol + 1 if symbol >= 0 else len(venue.n_orders)
    for s in range(first, last):
        forget_display(venue.ledgers[s, BID])
        forget_display(venue.ledgers[s, ASK])


@kernel
def on_request(requests, k, now_ns, book, venue):
    """Let a request act now, on the book as it stands."""
    s = requests[k]["symbol"]
    act(requests[k], s, now_ns, market_of(s, book, venue), venue)


@kernel
def market_of(s, book, venue):
    """Return the market of a symbol that a request meets: as recorded, or as the messages make it."""
    if venue.ctl[0]["model"] != FIFO:
        return book[s]
    venue.real_book[s]["tick"] = book[s]["tick"]
    return venue.real_book[s]


@kernel
def act(request, s, now_ns, row, venue):
    """Let a request act on the venue's symbol `s`, whose market is `row`."""
    if not has_room(MOST_ANSWERS, venue):
        return
    ctl = venue.ctl[0]
    ctl["now_ns"] = now_ns
    ctl["source_seq"] = -1
    ctl["source_venue"] = -1
    ctl["evidence"] = row["evidence"]
    action = request["action"]
    if action == Action.NEW:
        on_new(request, s, now_ns, row, venue)
    elif action == Action.CANCEL:
        on_cancel(request, s, venue)
    elif action == Action.MODIFY:
        on_modify(request, s, row, venue)


@kernel
def on_expiry(now_ns, venue):
    """Expire all orders whose time has come, symbol by symbol, and find the next such time."""
    ctl = venue.ctl[0]
    ctl["now_ns"] = now_ns
    ctl["evidence"] = 0
    upcoming = NEVER
    for s in range(len(venue.n_orders)):
        if venue.n_orders[s] > 0:
            if not has_room(venue.n_orders[s], venue):
                return
            expire(s, now_ns, venue)
        for slot in range(venue.n_orders[s]):
            upcoming = min(upcoming, venue.orders[s, slot]["expire_ts_ns"])
    ctl["next_expiry_ns"] = upcoming
