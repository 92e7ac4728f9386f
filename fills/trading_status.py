"""Halts, resumptions, restrictions: what a status does to a venue, and the market that a request meets (rules 18, 30 to 33)."""

from fills.ledger import forget_display
from fills.lifecycle import MOST_ANSWERS, held_count, release
from fills.queue import FIFO
from fills.real_book import note_status
from fills.record import has_room
from fills.venue import ASK, BID
from replay.events import Status
from replay.jit import kernel


@kernel
def market_of(s, book, venue):
    """Return the market of a symbol that a request meets: as recorded, or as the messages make it."""
    if venue.ctl[0]["model"] != FIFO:
        return book[s]
    venue.real_book[s]["tick"] = book[s]["tick"]
    return venue.real_book[s]


@kernel
def change_status(symbol, code, now_ns, book, venue):
    """Take a status of one symbol, or of all (-1): forget what was displayed, let held orders go, or restrict short sales."""
    if code == Status.SHORT_SALE_RESTRICTED or code == Status.SHORT_SALE_FREE:
        restrict(symbol, code, venue)
        return
    on_status(symbol, code, venue)
    if code == Status.RESUMED and now_ns >= venue.terms[0]["open_ns"]:
        first = max(symbol, 0)
        last = symbol + 1 if symbol >= 0 else len(venue.n_orders)
        for s in range(first, last):
            release_held(s, now_ns, book, venue)


@kernel
def restrict(symbol, code, venue):
    """Note that short sales of one symbol, or of all, are restricted, or free again (rule 33)."""
    for s in range(max(symbol, 0), symbol + 1 if symbol >= 0 else len(venue.n_orders)):
        venue.accounts[s]["is_restricted"] = 1 if code == Status.SHORT_SALE_RESTRICTED else 0


@kernel
def release_held(s, now_ns, book, venue):
    """Let the held orders of a symbol go to work; return False when the answers would not fit."""
    n_held = held_count(s, venue)
    if n_held == 0:
        return True
    if not has_room(n_held * MOST_ANSWERS, venue):
        return False
    ctl = venue.ctl[0]
    ctl["now_ns"] = now_ns
    ctl["source_seq"] = -1
    ctl["source_venue"] = -1
    row = market_of(s, book, venue)
    ctl["evidence"] = row["evidence"]
    release(s, row, venue)
    return True


@kernel
def on_status(symbol, code, venue):
    """Forget the display of one symbol, or of all; exact FIFO forgets none, since its messages go on."""
    note_status(symbol, code, venue)
    if venue.ctl[0]["model"] == FIFO:
        return
    first = max(symbol, 0)
    last = symbol + 1 if symbol >= 0 else len(venue.n_orders)
    for s in range(first, last):
        forget_display(venue.ledgers[s, BID])
        forget_display(venue.ledgers[s, ASK])
