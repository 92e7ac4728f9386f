"""The simulated exchange on level-1 data: three kernels that tell a venue what happened, and the rules they keep.

Prices of the two sides are mirrored; "better" means higher for buys and lower for sells. *Ahead* is the market quantity that
stands before an own order at its price; own orders at one price stand in time priority, and the first one's leaves are ahead
of the second. "The touch" is the best displayed price of the order's own side.

Where an order stands
    1.  Joins the touch: ahead = displayed size.
    2.  Improves the touch: ahead = 0, or the hidden interest that the band assumes there.
    3.  Behind the touch, or with nothing displayed or a halt at its arrival: ahead is unknown (-1), and no print at its
        price fills it, until the touch arrives there: then ahead = the size displayed (an upper bound).
    4.  A better price hides its level: ahead is frozen, an upper bound; when the level is the touch again, ahead is at most
        the size displayed.
    5.  The touch falls past its price: nobody displayed is ahead, ahead = 0; whoever comes back to the level is behind.
        (TRADES_ONLY keeps its ahead: there only prints count.) A side that shows nothing says nothing: ahead is frozen.
    6.  The display falls while the level is the touch: what no print explains is a cancel, shared by the queue model
        (`fills.queue`, `fills.place`). Ahead never grows while the order rests. FITTED alone looks at exchange times: who leaves
        in the very event of a print was taken out by the match, as orders of the aggressor's owner are, so from the front.

Prints (the aggressor's side decides which own orders may trade; a print never touches both)
    7.  At our price: it consumes what is ahead, then us, then what is behind. All own orders at all prices share it.
    8.  Through our price: it fills us at our price, at most the printed size, best price first; ahead stays as it is. Where the
        band or the evidence says no, it fills nothing, and better own orders hold it up; a fitted model may let part of it pass.
    9.  A quote and its print are one event, whichever comes first: a fall of the display that a print explains, in either
        order, moves the queue once, as the print alone would. A fall waits for its print, and a print for its quote, as long
        as the symbol's evidence says (`pairing_ns`), counted from the first that waits. A touch that fell away or was hidden
        is remembered as long. A level that comes back starts anew.
    10. Prints that consume nothing: off-exchange, average-price, late, auction, hidden, unreported, past the limit, off the tick
        grid (rule 32), or without size. Off-exchange is what its venue's name says. Late is what the feed calls late or out of
        sequence, or what was received more than ten seconds after the exchange's own time (eleven where that is in whole
        seconds): such a print may be older than the order (`replay.session.tape`). A younger one happens when it is received,
        also where the exchange made it before a quote that came first. Odd lots consume, unreported as they are. A print
        without a venue reaches our queue with the band's share of its size. A print without a side belongs to the side whose
        pending drop it explains; else by the quote in force when it happened (at the exchange, where its time is known finer
        than to the second, else as received): at or below the bid it is a sell, at or above the ask a buy, between them the
        nearer side decides, and the last trade's tick where that says nothing; then no side, and it is counted. Guesses
        between bid and ask fill nobody in the pessimistic band; in the optimistic one a print without a side fills whom it can
        reach, if they are all on one side.

Displayed size
    11. What own orders took from a displayed size is gone until the feed shows more of it at that price; a level that moved
        away and came back is new, a level hidden by a better one is not. Sixteen levels are remembered, those nearest the
        touch.
    12. The displayed other side reaches a resting order's price: it fills at its own price, at most the size displayed, best
        price first. Nothing else is needed and nothing ahead is asked. In the pessimistic band it has to go beyond that price.
    13. A limit order that arrives at or through the other side's touch takes what is left of the displayed size at the
        displayed price. DAY and GTD: the rest rests at its limit. IOC: the rest is cancelled. FOK: all or nothing.
    14. A market order takes what is displayed; the rest waits and takes what the other side shows next, at that price. It is
        rejected where the other side is empty.
    26. An arriving order that is larger than the touch goes on into the depth that the band assumes beyond it: so many ticks
        of so much of the touch's size each, up to its limit, each level once (rule 11), and counted as displayed when the touch
        comes there. FOK counts on it. In the pessimistic band there is none.

Life of an order
    15. An order, cancel or change acts at its arrival on the book as it then stands; nothing fills before.
    16. Post-only is rejected where it would lock or cross.
    17. Rejected: quantity not positive or above the limit that was set, price not positive or off tick, the id of a live order
        of the symbol, the symbol halted, the symbol's table full; and by rules 30 to 33.
    18. No fill while the symbol is not trading (halt, auction, gap, lost connection) but by an auction, and no pairing across
        it. What was ahead before bounds what is ahead after it; until its side is shown again no print fills. DAY orders expire
        at the close, GTD at their time or at the close, whichever is first; an order that comes after its end expires at once.
        (`fills.simulate`, asked for all hours, lets those that come after the close live on, GTD until their time.)
    19. A fill beats a cancel: a cancel or change of an order that is gone answers CANCEL_REJECTED.
    20. A change keeps the place in the queue only when the price stays and the quantity does not grow; `qty` is the whole
        quantity, what is filled included. Any other change joins anew. A change that is refused leaves the order as it was.
    21. Own orders never trade with each other.
    22. Fees are charged per order (`fills.fees`): what everything filled so far costs, less what was charged.
    23. Real orders played again (`own_in_book`): their leaves are taken out of the displayed size of their level before any
        other rule looks at it. That a level is there because the order itself stands in it tells nothing.

Pegged orders, auctions, bars
    27. MIDPRICE is displayed and follows the mid, rounded against it to a tick, at most its cap; PEG_MID is hidden at the mid
        itself. They move when the quote has two sides apart, silently, and join anew where they come to stand. A quote whose
        other side reaches the old price fills first (rule 12), then they move. MIDPRICE fills like any limit order.
    28. PEG_MID fills by prints between bid and ask: eligible ones beyond its price or at it, and those that are off tick or met
        hidden interest; off-exchange ones in the optimistic band alone. A print at the touch passes it by.
    29. The print of an auction fills at its price own orders with better limits and waiting market orders, at most its size; in
        the optimistic band those at its price too. Where own orders stand on both sides each has half. Charged as removal.
    34. Where bars are all the evidence, a bar of trades fills own orders that stood before it began: a limit that it went
        through (in the optimistic band: reached), at the limit; a market order at the bar's worst price; all together at most
        the band's share of its volume. Market orders need no quote there.

Terms
    30. An order that comes before the open is held until it, then joins; IOC and FOK are rejected. A post-only order that would
        take then is cancelled.
    31. An order sent during a halt is rejected, or held until trading resumes: a choice. It then joins an unknown queue.
    32. The tick is the symbol's own; below one dollar that of Rule 612 on the trade date, where the symbol's own is a cent, or
        half a cent once the table has it. Orders and prints are judged by the same one.
    33. Where there is an account: a sell of more than is held and not yet for sale is a short sale, rejected where shares cannot
        be borrowed, and at or below the bid while short sales are restricted. An order that would take positions and orders,
        at their worst and at the bid, beyond `leverage` times the equity after fees is rejected; a contract counts with its
        multiplier.

Bands
    24. What the recording leaves open is decided by the band, per evidence, by the table in `fills.bands`. One order alone fills,
        at every moment, at least as much in the expected band as in the pessimistic, and in the optimistic as in the expected.
    25. `ibkr-paper`: prints fill nobody and move no queue; the other side's touch fills us when it reaches our price, at most the
        size displayed (rules 11 to 14). So paper accounts fill, by report; it explains their fills and measures no queue.
"""

from fills.depth import forget_passed
from fills.fifo import MESSAGE_ON_ASKS, MESSAGE_ON_BIDS, follow, note_message
from fills.ledger import RESIZED, UNSEEN
from fills.lifecycle import MOST_ANSWERS, expire, follow_mid, on_cancel, on_modify, on_new
from fills.marketable import cross_resting
from fills.notes import (
    CROSSED_ASKS,
    CROSSED_BIDS,
    GUESSED,
    PASSED_ASKS,
    PASSED_BIDS,
    PRINT_ON_ASKS,
    PRINT_ON_BIDS,
    SHOWN_BIDS,
    STRAY,
    note_print,
    note_quote,
    set_source,
)
from fills.pegs import fill_hidden
from fills.prints import budget_qty
from fills.queue import FIFO
from fills.record import compact, has_room, summarise
from fills.resting import fill_from_print, meet_touch, shrink_queue
from fills.shares import fitted_qty
from fills.stray import AUCTION, meet_stray_print
from fills.trading_status import change_status, market_of, release_held
from fills.venue import (
    ANSWER,
    ASK,
    BID,
    LEDGER,
    MARKET_RANK,
    NEVER,
    STOP_ANSWERS_FULL,
    VENUE_CTL,
    VENUE_ORDER,
    Rule,
    Venue,
    make_venue,
)
from replay.events import Kind
from replay.jit import kernel, leaf
from replay.orders import Action

__all__ = [
    "ANSWER", "LEDGER", "VENUE_CTL", "VENUE_ORDER", "Rule", "Venue", "make_venue", "on_event", "on_expiry", "on_request",
]  # fmt: skip


@leaf
def on_event(events, i, book, venue):
    """Tell the venue of a recorded event; `book` still holds the state before it."""
    event = events[i]
    kind = event["kind"]
    if kind == Kind.STATUS:
        change_status(event["symbol"], event["code"], event["ts_ns"], book, venue)
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
    if event["kind"] == Kind.QUOTE:
        on_quote(event, s, row, venue)
    else:
        on_trade(event, s, row, venue)


@leaf
def on_quote(event, s, row, venue):
    """Show a quote to the venue's symbol `s`, whose market before it is `row`."""
    if not _is_open(event, s, row, venue):
        return
    touched = note_quote(event, s, row, venue)
    if touched != 0:
        _react_to_quote(event, s, s, touched, venue)


@leaf
def on_trade(event, s, row, venue):
    """Show a print to the venue's symbol `s`, whose market before it is `row`."""
    if not _is_open(event, s, row, venue):
        return
    touched = note_print(event, s, row, venue)
    if touched != 0:
        react(event, s, s, touched, venue)


@leaf
def _is_open(event, s, row, venue):
    """Tell whether quotes and prints concern the symbol, and all answers to one would fit; else do what is left to do."""
    ctl = venue.ctl[0]
    if ctl["model"] == FIFO:
        return False
    if row["status"] != 0:
        meet_halted(event, s, row, venue)
        return False
    if ctl["n_answers"] + 2 * venue.n_orders[s] > len(venue.answers):
        ctl["status"] = STOP_ANSWERS_FULL
        return False
    return True


@kernel
def is_auction(event):
    """Tell whether an event is the print of an auction, which may come while the symbol does not trade."""
    return event["kind"] == Kind.TRADE and (event["flags"] & AUCTION) != 0


@kernel
def meet_halted(event, s, row, venue):
    """Show an event to a symbol that does not trade: only the print of an auction fills (rules 18 and 29)."""
    if is_auction(event) and has_room(venue.n_orders[s], venue):
        set_source(event, row["evidence"], event["venue"], venue.ctl[0])
        meet_stray_print(event, s, s, venue)


@kernel
def react(event, s, lane, touched, venue):
    """Let the own orders of `lane` react to what was noted in the ledgers of `s`; the two differ for shadow orders only."""
    if (touched & (MESSAGE_ON_BIDS | MESSAGE_ON_ASKS)) != 0:
        follow(s, lane, venue)
    elif (touched & (PRINT_ON_BIDS | PRINT_ON_ASKS)) != 0:
        _react_to_print(event, s, lane, touched, venue)
    elif (touched & STRAY) != 0:
        meet_stray_print(event, s, lane, venue)
    else:
        _react_to_quote(event, s, lane, touched, venue)


@kernel
def _react_to_print(event, s, lane, touched, venue):
    k = BID if (touched & PRINT_ON_BIDS) != 0 else ASK
    side = 1 - 2 * k
    ledger = venue.ledgers[s, k]
    budget = budget_qty(event, (touched & GUESSED) != 0, venue.choices[venue.ctl[0]["evidence"]])
    if venue.ctl[0]["has_shares"] == 1:
        budget = fitted_qty(event, budget, venue)
    if budget > 0 and ledger["seq"] != UNSEEN:
        is_pegged = venue.ledgers[lane, k]["best_rank"] == MARKET_RANK
        if is_pegged:
            budget = fill_hidden(s, lane, side, event["price"], budget, side * event["price"] + 1, venue)
        n_answers = venue.ctl[0]["n_answers"]
        fill_from_print(lane, side, side * event["price"], budget, ledger["explained_qty"], venue)
        if is_pegged or venue.ctl[0]["n_answers"] != n_answers:
            compact(lane, venue)


@kernel
def _react_to_quote(event, s, lane, touched, venue):
    ctl = venue.ctl[0]
    for k in range(2):
        if (touched & (SHOWN_BIDS << k)) != 0:
            ledger = venue.ledgers[s, k]
            if ledger["change"] == RESIZED:
                shrink_queue(s, lane, 1 - 2 * k, venue)
            else:
                meet_touch(s, lane, 1 - 2 * k, venue)
    if (touched & PASSED_BIDS) != 0:
        forget_passed(lane, BID, event["bid"], event["bid_qty"], venue)
    if (touched & PASSED_ASKS) != 0:
        forget_passed(lane, ASK, -event["ask"], event["ask_qty"], venue)
    n_answers = ctl["n_answers"]
    if (touched & CROSSED_BIDS) != 0:
        cross_resting(lane, 1, ASK, -event["ask"], event["ask_qty"], venue)
    if (touched & CROSSED_ASKS) != 0:
        cross_resting(lane, -1, BID, event["bid"], event["bid_qty"], venue)
    if (touched & (CROSSED_BIDS | CROSSED_ASKS)) != 0:
        if ctl["n_answers"] != n_answers:
            compact(lane, venue)
        if venue.ledgers[lane, BID]["best_rank"] == MARKET_RANK or venue.ledgers[lane, ASK]["best_rank"] == MARKET_RANK:
            follow_mid(s, lane, venue)
            summarise(lane, venue)


@kernel
def on_request(requests, k, now_ns, book, venue):
    """Let a request act now, on the book as it stands."""
    s = requests[k]["symbol"]
    act(requests[k], s, now_ns, market_of(s, book, venue), venue)


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
def on_expiry(now_ns, book, venue):
    """Expire all orders whose time has come, let those go that waited for the open, and find the next such time."""
    ctl = venue.ctl[0]
    open_ns = venue.terms[0]["open_ns"]
    upcoming = open_ns if now_ns < open_ns else NEVER
    for s in range(len(venue.n_orders)):
        ctl["now_ns"] = now_ns
        ctl["evidence"] = 0
        if venue.n_orders[s] > 0:
            if not has_room(venue.n_orders[s], venue):
                return
            expire(s, now_ns, venue)
            if now_ns >= open_ns and not release_held(s, now_ns, book, venue):
                return
        for slot in range(venue.n_orders[s]):
            upcoming = min(upcoming, venue.orders[s, slot]["expire_ts_ns"])
    ctl["next_expiry_ns"] = upcoming
