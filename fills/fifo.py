"""Own orders among real ones, exactly: the rules of `QueueModel.FIFO`, which sees messages and neither quotes nor prints.

F1  An own order joins the end of its level: ahead is what rests there. It may rest at any price, seen by level 1 or not. A change
    that loses the place (rule 20) joins anew.
F2  What an order that joined earlier loses, by cancel, reduction, change or execution, is no longer ahead.
F3  An order that joined later trades at our price: it would have traded with us first. We fill by that quantity, own orders in
    time priority, all of them together at most what was executed; whether somebody is still listed ahead does not matter, for a
    feed may list the fills of one sweep out of turn.
F4  An order at a worse price trades: own orders at better prices fill first, best first, likewise (rule 8).
F5  The book follows the messages; what we took from an execution is not put back behind us.
F6  The other side's touch, from the messages, reaches us: rules 11 to 14. Hidden orders stand behind all that is displayed, and
    what they trade says nothing about the line.
F7  A real order played again (rule 23) is in the book as it came to rest: it takes nothing on arrival, the other side's touch
    does not reach it, and nothing trades past it at worse prices; only executions at its own price fill it.
F8  No fill while the symbol is halted or in auction. A CLEAR forgets the book: what is ahead is unknown, and everybody stands
    ahead, until the order joins anew.
F9  Pegged orders stay at the mid at which they came: the messages do not move them. `simulate` refuses them.
"""

from fills.depth import forget_passed, keep_taken
from fills.marketable import cross_resting
from fills.queue import FIFO, UNKNOWN
from fills.real_book import NOBODY_SEQ, apply_message, level_qty
from fills.real_tables import NO_RANK
from fills.record import compact, whole_ahead, write_fill
from fills.resting import fill_through
from fills.venue import ASK, BID, NEVER, Rule
from replay.jit import kernel
from replay.orders import Liquidity, OrderType

MESSAGE_ON_BIDS = 1 << 10  # bits, beside those of `fills.exchange`
MESSAGE_ON_ASKS = 1 << 11


@kernel
def join_line(order, s, venue):
    """Put an own order at the end of its level (rule F1)."""
    order["join_seq"] = venue.real_ctl[0]["next_seq"]
    order["ahead_qty"] = 0
    if order["type"] != OrderType.MARKET:
        order["ahead_qty"] = level_qty(s, order["side"], order["price"], venue)


@kernel
def rests_as_recorded(venue):
    """Tell whether orders are in the recorded book itself, so that only what is recorded happens to them (rule F7)."""
    ctl = venue.ctl[0]
    return ctl["model"] == FIFO and ctl["own_in_book"] == 1


@kernel
def note_message(event, s, tick, venue):
    """Bring the book up to date; return bits: own bids, own asks that may be concerned."""
    row = venue.real_book[s]
    row["tick"] = tick
    if not apply_message(event, s, venue):
        return 0
    real = venue.real_ctl[0]
    if row["status"] != 0:
        real["is_execution"] = 0
    ctl = venue.ctl[0]
    ctl["now_ns"] = event["ts_ns"]
    ctl["source_seq"] = event["seq"]
    ctl["source_venue"] = -1
    ctl["evidence"] = row["evidence"]
    _keep_taken(s, s, venue)
    touched = 0
    if venue.ledgers[s, BID]["best_rank"] >= reach(s, BID, venue):
        touched |= MESSAGE_ON_BIDS
    if venue.ledgers[s, ASK]["best_rank"] >= reach(s, ASK, venue):
        touched |= MESSAGE_ON_ASKS
    return touched


@kernel
def reach(s, k, venue):
    """Return the least rank of own orders on one side that the last message may concern."""
    real = venue.real_ctl[0]
    row = venue.real_book[s]
    side = 1 - 2 * k
    least = NEVER
    if real["gone_qty"] > 0 and real["gone_side"] == side:
        least = real["gone_rank"]
    if real["is_cleared"] == 1:
        least = NO_RANK + 1
    other_qty = row["ask_qty"] if side > 0 else row["bid_qty"]
    if real["is_moved"] == 1 and other_qty > 0:
        least = min(least, side * (row["ask"] if side > 0 else row["bid"]))
    return least


@kernel
def follow(s, lane, venue):
    """Let the own orders of `lane` react to the last message about the symbol `s` (rules F2 to F8)."""
    real = venue.real_ctl[0]
    if real["is_cleared"] == 1:
        _forget_line(lane, venue)
    if real["gone_qty"] > 0:
        _lose(lane, venue)
    if lane != s:
        _keep_taken(s, lane, venue)
    if real["is_moved"] == 1 and venue.real_book[s]["status"] == 0 and venue.ctl[0]["own_in_book"] == 0:
        _meet_touch(s, lane, venue)
    compact(lane, venue)


@kernel
def _forget_line(lane, venue):
    for slot in range(venue.n_orders[lane]):
        order = venue.orders[lane, slot]
        if order["type"] != OrderType.MARKET:
            order["ahead_qty"] = UNKNOWN
            order["join_seq"] = NEVER


@kernel
def _lose(lane, venue):
    """Rules F2 to F4."""
    real = venue.real_ctl[0]
    side, rank, seq = real["gone_side"], real["gone_rank"], real["gone_seq"]
    left = 0
    if real["is_execution"] == 1:
        left = real["gone_qty"]
        if venue.ctl[0]["own_in_book"] == 0:
            left = fill_through(lane, side, rank, left, venue)
    for slot in range(venue.n_orders[lane]):
        order = venue.orders[lane, slot]
        if order["rank"] != rank or order["side"] != side or order["leaves_qty"] <= 0:
            continue
        if seq < order["join_seq"]:
            if seq != NOBODY_SEQ and order["ahead_qty"] < UNKNOWN:
                order["ahead_qty"] = max(order["ahead_qty"] - real["gone_qty"], 0)
            continue
        fill = min(left, order["leaves_qty"])
        if fill > 0:
            left -= fill
            write_fill(lane, slot, order["price"], fill, whole_ahead(lane, slot, venue), Rule.AT_PRICE, Liquidity.ADD, venue)


@kernel
def _keep_taken(s, lane, venue):
    """Keep what own orders took from the touch in step with it (rule 11)."""
    if venue.real_ctl[0]["is_moved"] == 0:
        return
    row = venue.real_book[s]
    for k in range(2):
        ledger = venue.ledgers[lane, k]
        line = venue.real_sides[s, k]
        ledger["seq"] = venue.ctl[0]["source_seq"]
        qty = row["bid_qty"] if k == BID else row["ask_qty"]
        if keep_taken(ledger, line["rank"], qty):
            forget_passed(lane, k, line["rank"], qty, venue)


@kernel
def _meet_touch(s, lane, venue):
    """Rules 11 to 14, by the touch that the messages make."""
    row = venue.real_book[s]
    if row["ask_qty"] > 0 and venue.ledgers[lane, BID]["best_rank"] >= row["ask"]:
        cross_resting(lane, 1, ASK, -row["ask"], row["ask_qty"], venue)
    if row["bid_qty"] > 0 and venue.ledgers[lane, ASK]["best_rank"] >= -row["bid"]:
        cross_resting(lane, -1, BID, row["bid"], row["bid_qty"], venue)
