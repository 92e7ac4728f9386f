"""What the venue writes down: answers, fills with their fee, and the summary that lets it skip quiet symbols."""

from fills.account import book_fee, book_fill
from fills.fees import add_fill, order_fee_micros
from fills.queue import UNKNOWN
from fills.venue import ASK, BID, MARKET_RANK, NO_RANK
from replay.events import Kind
from replay.jit import kernel
from replay.orders import OrderType


@kernel
def write_answer(s, slot, kind, reason, venue):
    """Append an answer about a live order; return its row."""
    order = venue.orders[s, slot]
    answer = _new_answer(s, order["order_id"], kind, reason, venue)
    answer["price"] = order["price"]
    answer["qty"] = order["qty"]
    answer["leaves_qty"] = order["leaves_qty"]
    ahead = whole_ahead(s, slot, venue)
    answer["ahead_qty_before"] = ahead
    answer["ahead_qty_after"] = ahead
    answer["mid2_at_arrival"] = order["mid2_at_arrival"]
    answer["side"] = order["side"]
    return answer


@kernel
def write_refusal(s, request, kind, reason, venue):
    """Append an answer about a request that changed nothing."""
    answer = _new_answer(s, request["order_id"], kind, reason, venue)
    answer["price"] = request["price"]
    answer["qty"] = request["qty"]
    answer["leaves_qty"] = 0
    answer["ahead_qty_before"] = -1
    answer["ahead_qty_after"] = -1
    answer["mid2_at_arrival"] = 0
    answer["side"] = request["side"]


@kernel
def _new_answer(s, order_id, kind, reason, venue):
    ctl = venue.ctl[0]
    answer = venue.answers[ctl["n_answers"]]
    ctl["n_answers"] += 1
    answer["ts_ns"] = ctl["now_ns"]
    answer["order_id"] = order_id
    answer["source_seq"] = -1
    answer["fee_micros"] = 0
    answer["symbol"] = s
    answer["kind"] = kind
    answer["liquidity"] = 0
    answer["venue"] = -1
    answer["rule"] = 0
    answer["evidence"] = ctl["evidence"]
    answer["reason"] = reason
    return answer


@kernel
def write_fill(s, slot, price, qty, ahead_before, rule, liquidity, venue):
    """Take `qty` from an order at `price`, charge its fee and append the answer; the caller compacts the table."""
    ctl = venue.ctl[0]
    order = venue.orders[s, slot]
    order["leaves_qty"] -= qty
    order["value"] += price * qty
    filled = order["qty"] - order["leaves_qty"]
    book_fill(s, order["side"], price, qty, venue)
    add_fill(order, price, qty, liquidity, ctl["source_venue"], venue.fees)
    owed = order_fee_micros(order["side"], filled, order["value"], order["commission_nanos"], order["exchange_nanos"], venue.fees)
    answer = write_answer(s, slot, Kind.PARTIAL if order["leaves_qty"] > 0 else Kind.FILL, 0, venue)
    answer["price"] = price
    answer["qty"] = qty
    answer["ahead_qty_before"] = ahead_before
    answer["source_seq"] = ctl["source_seq"]
    answer["fee_micros"] = owed - order["fee_micros"]
    answer["liquidity"] = liquidity
    answer["venue"] = ctl["source_venue"]
    answer["rule"] = rule
    book_fee(owed - order["fee_micros"], venue)
    order["fee_micros"] = owed


@kernel
def whole_ahead(s, slot, venue):
    """Return the market quantity and the own leaves ahead of an order; -1 before its level was seen."""
    order = venue.orders[s, slot]
    if order["ahead_qty"] >= UNKNOWN:
        return -1
    ahead = order["ahead_qty"]
    for k in range(slot):
        other = venue.orders[s, k]
        if other["rank"] == order["rank"] and other["side"] == order["side"]:
            ahead += other["leaves_qty"]
    return ahead


@kernel
def has_room(n_answers, venue):
    """Return True when that many more answers fit; else stop the run with the venue as it is."""
    ctl = venue.ctl[0]
    if ctl["n_answers"] + n_answers > len(venue.answers):
        ctl["status"] = 1  # STOP_ANSWERS_FULL
        return False
    return True


@kernel
def compact(s, venue):
    """Drop the orders without leaves, keep the others in time priority, and renew the symbol's summary."""
    kept = 0
    for k in range(venue.n_orders[s]):
        if venue.orders[s, k]["leaves_qty"] > 0:
            if kept != k:
                venue.orders[s, kept] = venue.orders[s, k]
            kept += 1
    venue.n_orders[s] = kept
    summarise(s, venue)


@kernel
def summarise(s, venue):
    """Renew the best and worst own price of both sides, by which events skip a symbol."""
    bids = venue.ledgers[s, BID]
    asks = venue.ledgers[s, ASK]
    bids["best_rank"] = NO_RANK
    bids["worst_rank"] = NO_RANK
    asks["best_rank"] = NO_RANK
    asks["worst_rank"] = NO_RANK
    has_pegs = False
    for k in range(venue.n_orders[s]):
        order = venue.orders[s, k]
        ledger = bids if order["side"] > 0 else asks
        rank = order["rank"]
        if ledger["best_rank"] == NO_RANK or rank > ledger["best_rank"]:
            ledger["best_rank"] = rank
        if ledger["worst_rank"] == NO_RANK or rank < ledger["worst_rank"]:
            ledger["worst_rank"] = rank
        if order["type"] == OrderType.PEG_MID or order["type"] == OrderType.MIDPRICE:
            has_pegs = True
    if has_pegs:  # both sides concern whoever follows the mid
        bids["best_rank"] = MARKET_RANK
        asks["best_rank"] = MARKET_RANK
