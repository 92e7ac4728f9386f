"""What a quote or a print changes in the ledgers of its symbol, and which own orders it may concern.

Every event of the tape passes here, so what is rare is left to `fills.exchange`, which asks only where a bit is set.
"""

from fills.depth import keep_taken
from fills.ledger import move, resize
from fills.prints import STRAY_SIDE, has_exchange_time, hear_side, remember_touch
from fills.venue import ASK, BID, FALL_WAITS, NO_RANK
from replay.jit import kernel, leaf

SHOWN_BIDS = 1  # bits of what an event may concern: own orders where the display of their side changed ...
SHOWN_ASKS = 2
CROSSED_BIDS = 4  # ... whom the other side reached ...
CROSSED_ASKS = 8
PRINT_ON_BIDS = 16  # ... whom a print reached
PRINT_ON_ASKS = 32
GUESSED = 64  # ... if the guess of its side is right
PASSED_BIDS = 128  # levels of which own orders took something are new
PASSED_ASKS = 256
STRAY = 512  # anybody: a print that consumed no displayed queue


@leaf
def note_quote(event, s, row, venue):
    """Book a quote in the ledgers of `s`; return which own orders it may concern (bits), 0 = none."""
    ctl = venue.ctl[0]
    bids = venue.ledgers[s, BID]
    asks = venue.ledgers[s, ASK]
    bid_qty, ask_qty = event["bid_qty"], event["ask_qty"]
    if ctl["own_in_book"] == 1:
        bid_qty = others_qty(s, 1, event["bid"], bid_qty, venue)
        ask_qty = others_qty(s, -1, -event["ask"], ask_qty, venue)
    bid = event["bid"] if event["bid_qty"] > 0 else NO_RANK
    ask = -event["ask"] if event["ask_qty"] > 0 else NO_RANK
    wait_ns = venue.pairing_ns[row["evidence"], FALL_WAITS]
    bids["seq"] = event["seq"]
    asks["seq"] = event["seq"]
    touched = _compare(event, bid, ask, bids, asks)
    if (bid == bids["rank"]) & (ask == asks["rank"]):
        touched |= SHOWN_BIDS if resize(bids, bid_qty, event["ts_ns"], wait_ns) else 0
        touched |= SHOWN_ASKS if resize(asks, ask_qty, event["ts_ns"], wait_ns) else 0
    else:
        touched |= SHOWN_BIDS if _show(bids, bid, bid_qty, event["ts_ns"], wait_ns) else 0
        touched |= SHOWN_ASKS if _show(asks, ask, ask_qty, event["ts_ns"], wait_ns) else 0
        if has_exchange_time(event["exch_ts_ns"]):
            remember_touch(event, s, venue)
    if touched != 0:
        set_source(event, row["evidence"], -1, ctl)
    return touched


@leaf
def note_print(event, s, row, venue):
    """Book a print in the ledger that it concerns; return which own orders may react (bits), 0 = none."""
    side = hear_side(event, s, row, venue.ledgers[s, BID], venue.ledgers[s, ASK], venue)
    if side == 0:
        return 0
    set_source(event, row["evidence"], event["venue"], venue.ctl[0])
    if side == STRAY_SIDE:
        return STRAY
    touched = PRINT_ON_BIDS if side > 0 else PRINT_ON_ASKS
    return touched | GUESSED if side == 2 or side == -2 else touched


@kernel
def _show(ledger, rank, qty, now_ns, wait_ns):
    """Book one side of a quote that moved a touch."""
    if rank == ledger["rank"]:
        return resize(ledger, qty, now_ns, wait_ns)
    return move(ledger, rank, qty, now_ns, wait_ns)


@leaf
def _compare(event, bid, ask, bids, asks):
    """Compare the touch with what own orders took and where they stand; return whom it crossed and what it passed.

    NO_RANK is below every rank and its negative above: an empty side passes nothing that was taken, and crosses nobody.
    """
    touched = CROSSED_BIDS if bids["best_rank"] >= -ask else 0
    touched |= CROSSED_ASKS if asks["best_rank"] >= -bid else 0
    if bid <= bids["taken_rank"] and keep_taken(bids, bid, event["bid_qty"]):
        touched |= PASSED_BIDS
    if ask <= asks["taken_rank"] and keep_taken(asks, ask, event["ask_qty"]):
        touched |= PASSED_ASKS
    return touched


@kernel
def others_qty(s, side, rank, qty, venue):
    """Return what a displayed size leaves when own orders that are part of it are taken out (rule 23)."""
    for slot in range(venue.n_orders[s]):
        order = venue.orders[s, slot]
        if order["rank"] == rank and order["side"] == side:
            qty -= order["leaves_qty"]
    return max(qty, 0)


@kernel
def set_source(event, evidence, venue_code, ctl):
    """Note on what the answers that follow are based."""
    ctl["now_ns"] = event["ts_ns"]
    ctl["source_seq"] = event["seq"]
    ctl["source_exch_ns"] = event["exch_ts_ns"]
    ctl["source_venue"] = venue_code
    ctl["evidence"] = evidence
    ctl["symbol"] = event["symbol"]
