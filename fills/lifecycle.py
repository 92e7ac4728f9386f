"""Rules for the life of an order: arrival, waiting, release, cancel, modify, expiry (rules 13 to 20, 30 and 31)."""

from fills.depth import take_on_arrival
from fills.fifo import join_line, rests_as_recorded
from fills.pegs import is_pegged, mid_rank, pegged_rank
from fills.place import join_queue
from fills.queue import FIFO, UNKNOWN
from fills.record import compact, write_answer, write_refusal
from fills.refusal import change_refusal, find_slot, is_held, refusal
from fills.venue import ASK, BID, HELD_RANK, MARKET_RANK
from replay.events import Kind
from replay.jit import kernel
from replay.orders import OrderReason, OrderType, Tif

MOST_ANSWERS = 8  # of one request: an ack, a fill at the touch and at four levels beyond, a cancel


@kernel
def on_new(request, s, now_ns, row, venue):
    """Accept, hold or refuse an order; take what is displayed; let the rest wait, or cancel it (rules 13 to 18)."""
    reason = refusal(request, s, now_ns, row, venue)
    if reason != OrderReason.NONE:
        is_late = reason == OrderReason.END_OF_DAY or reason == OrderReason.GOOD_TILL_DATE
        write_refusal(s, request, Kind.EXPIRED if is_late else Kind.REJECTED, reason, venue)
        return
    slot = venue.n_orders[s]
    venue.n_orders[s] = slot + 1
    _store(s, slot, request, now_ns, row, venue)
    if is_held(now_ns, row, venue.terms[0]):
        _hold(s, slot, now_ns, venue)
    else:
        _start(s, slot, row, Kind.ACK, venue)
    compact(s, venue)


@kernel
def _store(s, slot, request, now_ns, row, venue):
    order = venue.orders[s, slot]
    order["order_id"] = request["order_id"]
    order["side"] = request["side"]
    order["type"] = request["type"]
    order["tif"] = request["tif"]
    order["post_only"] = request["post_only"]
    order["qty"] = request["qty"]
    order["leaves_qty"] = request["qty"]
    order["mid2_at_arrival"] = row["bid"] + row["ask"] if row["bid_qty"] > 0 and row["ask_qty"] > 0 else 0
    order["since_ns"] = now_ns
    order["tick"] = row["tick"]
    order["lot"] = row["lot"]
    order["evidence"] = row["evidence"]
    order["is_held"] = 0
    order["value"] = 0
    order["commission_nanos"] = 0
    order["exchange_nanos"] = 0
    order["fee_micros"] = 0
    order["ghost_qty"] = UNKNOWN
    order["ahead_qty"] = UNKNOWN
    order["price"] = 0 if request["type"] == OrderType.MARKET else request["price"]
    _expire_at(order, request["expire_ts_ns"], venue)


@kernel
def _expire_at(order, expire_ts_ns, venue):
    ctl = venue.ctl[0]
    order["expire_ts_ns"] = ctl["close_ns"]
    if order["tif"] == Tif.GTD:
        order["expire_ts_ns"] = min(expire_ts_ns, ctl["close_ns"])
    ctl["next_expiry_ns"] = min(ctl["next_expiry_ns"], order["expire_ts_ns"])


@kernel
def _hold(s, slot, now_ns, venue):
    """Let an order wait, out of reach of every event (rules 30 and 31)."""
    order = venue.orders[s, slot]
    order["is_held"] = 1
    order["rank"] = HELD_RANK
    open_ns = venue.terms[0]["open_ns"]
    if now_ns < open_ns:
        venue.ctl[0]["next_expiry_ns"] = min(venue.ctl[0]["next_expiry_ns"], open_ns)
    write_answer(s, slot, Kind.HELD, 0, venue)


@kernel
def _start(s, slot, row, kind, venue):
    """Put an order to work: its price, its place, the answer, and what it takes at once (rules 1 to 3, 13, 14, 26 and 27)."""
    order = venue.orders[s, slot]
    order["is_held"] = 0
    set_rank(order, row)
    _join(s, slot, row, venue)
    write_answer(s, slot, kind, 0, venue)
    if order["rank"] != HELD_RANK and not rests_as_recorded(venue):
        take_on_arrival(s, slot, row, venue)
    if order["leaves_qty"] > 0 and (order["tif"] == Tif.IOC or order["tif"] == Tif.FOK):
        _close(s, slot, Kind.CANCELLED, OrderReason.NOT_MARKETABLE, venue)


@kernel
def set_rank(order, row):
    """Rank an order by its price; a pegged one by the mid, where there is one, at most its cap (rule 27)."""
    order["cap_rank"] = order["side"] * order["price"] if order["price"] > 0 else MARKET_RANK
    order["rank"] = order["cap_rank"]
    if is_pegged(order):
        order["rank"] = HELD_RANK
        if row["bid_qty"] > 0 and row["ask_qty"] > 0 and row["bid"] < row["ask"]:
            order["rank"] = mid_rank(order, row["bid"], row["ask"])
        order["price"] = order["side"] * order["rank"] if order["rank"] != HELD_RANK else 0


@kernel
def _join(s, slot, row, venue):
    """Set the quantity ahead of the order in the last slot by where it joins (rules 1 to 3)."""
    order = venue.orders[s, slot]
    side = order["side"]
    touch_qty = row["bid_qty"] if side > 0 else row["ask_qty"]
    touch_rank = side * (row["bid"] if side > 0 else row["ask"])
    order["ghost_qty"] = UNKNOWN
    order["ahead_qty"] = UNKNOWN
    order["spare_micro"] = 0
    order["join_ns"] = venue.ctl[0]["now_ns"]
    if venue.ctl[0]["model"] == FIFO:
        join_line(order, venue.symbol_of[s], venue)
    elif order["type"] == OrderType.MARKET:
        order["ahead_qty"] = 0
    elif touch_qty > 0 and row["status"] == 0 and order["rank"] >= touch_rank:
        join_shown(s, slot, touch_rank, touch_qty, row["evidence"], venue)


@kernel
def join_shown(s, slot, touch_rank, touch_qty, evidence, venue):
    """Set the quantity ahead of the order in the last slot, at or above the touch (rules 1 and 2)."""
    order = venue.orders[s, slot]
    hidden_qty = venue.choices[evidence]["inside_lots"] * order["lot"]
    floor = 0
    for k in range(slot):
        other = venue.orders[s, k]
        if other["rank"] == order["rank"] and other["side"] == order["side"]:
            floor = max(floor, other["ahead_qty"])
    shown_qty = touch_qty if order["rank"] == touch_rank else hidden_qty
    join_queue(order, shown_qty, floor, venue.ledgers[s, BID if order["side"] > 0 else ASK], venue)


@kernel
def release(s, row, venue):
    """Put the orders of a symbol to work that waited for the open or for the end of a halt (rules 30 and 31)."""
    for slot in range(venue.n_orders[s]):
        order = venue.orders[s, slot]
        if order["is_held"] == 1:
            other_price = row["ask"] if order["side"] > 0 else row["bid"]
            other_qty = row["ask_qty"] if order["side"] > 0 else row["bid_qty"]
            crosses = other_qty > 0 and order["side"] * order["price"] >= order["side"] * other_price
            if order["post_only"] != 0 and order["type"] == OrderType.LIMIT and crosses:
                _close(s, slot, Kind.CANCELLED, OrderReason.WOULD_CROSS, venue)
            else:
                order["since_ns"] = venue.ctl[0]["now_ns"]
                _start(s, slot, row, Kind.ACK, venue)
    compact(s, venue)


@kernel
def follow_mid(s, lane, venue):
    """Move the pegged orders of `lane` to the mid of the quote that `s` shows; who moves joins anew, behind all (rule 27)."""
    slot = 0
    for _ in range(venue.n_orders[lane]):
        order = venue.orders[lane, slot]
        rank = pegged_rank(order, s, venue) if is_pegged(order) and order["is_held"] == 0 else order["rank"]
        if rank == order["rank"]:
            slot += 1
            continue
        order["rank"] = rank
        order["price"] = order["side"] * rank
        order["ghost_qty"] = UNKNOWN
        order["ahead_qty"] = UNKNOWN
        shown = venue.ledgers[s, 0 if order["side"] > 0 else 1]
        last = move_last(lane, slot, venue)
        if rank >= shown["rank"]:
            join_shown(lane, last, shown["rank"], shown["qty"], venue.ctl[0]["evidence"], venue)


@kernel
def held_count(s, venue):
    """Return how many orders of a symbol wait."""
    count = 0
    for slot in range(venue.n_orders[s]):
        count += venue.orders[s, slot]["is_held"]
    return count


@kernel
def _close(s, slot, kind, reason, venue):
    """Answer with the quantity that is withdrawn, and empty the slot; the caller compacts the table."""
    answer = write_answer(s, slot, kind, reason, venue)
    answer["qty"] = venue.orders[s, slot]["leaves_qty"]
    answer["leaves_qty"] = 0
    venue.orders[s, slot]["leaves_qty"] = 0


@kernel
def on_cancel(request, s, venue):
    """Withdraw what is left; an order that is gone answers CANCEL_REJECTED (rule 19)."""
    slot = find_slot(s, request["order_id"], venue)
    if slot < 0:
        write_refusal(s, request, Kind.CANCEL_REJECTED, OrderReason.UNKNOWN_ORDER, venue)
        return
    _close(s, slot, Kind.CANCELLED, 0, venue)
    compact(s, venue)


@kernel
def on_modify(request, s, row, venue):
    """Change quantity and price; the place in the queue is kept only when the quantity falls at the same price (rule 20)."""
    slot = find_slot(s, request["order_id"], venue)
    if slot < 0:
        write_refusal(s, request, Kind.CANCEL_REJECTED, OrderReason.UNKNOWN_ORDER, venue)
        return
    order = venue.orders[s, slot]
    filled = order["qty"] - order["leaves_qty"]
    keeps_place = request["qty"] <= order["qty"] and _asks_same(request, order)
    reason = OrderReason.BAD_QUANTITY if request["qty"] <= filled else OrderReason.NONE
    if reason == OrderReason.NONE and not keeps_place:
        reason = change_refusal(request, s, slot, row, venue)
    if reason != OrderReason.NONE:
        write_refusal(s, request, Kind.CANCEL_REJECTED, reason, venue)
        return
    order["qty"] = request["qty"]
    order["leaves_qty"] = request["qty"] - filled
    if not keeps_place and order["type"] != OrderType.MARKET:
        order["price"] = request["price"]
    if keeps_place or order["is_held"] == 1:
        write_answer(s, slot, Kind.MODIFIED, 0, venue)
        return
    slot = move_last(s, slot, venue)
    _start(s, slot, row, Kind.MODIFIED, venue)
    compact(s, venue)


@kernel
def _asks_same(request, order):
    """Tell whether a change leaves the price, of a pegged order the cap, as it is."""
    if is_pegged(order) and order["is_held"] == 0:
        cap_rank = order["side"] * request["price"] if request["price"] > 0 else MARKET_RANK
        return cap_rank == order["cap_rank"]
    return request["price"] == order["price"]


@kernel
def move_last(s, slot, venue):
    """Put one order behind all others of its symbol; return its new slot."""
    last = venue.n_orders[s] - 1
    venue.scratch[0] = venue.orders[s, slot]
    for k in range(slot, last):
        venue.orders[s, k] = venue.orders[s, k + 1]
    venue.orders[s, last] = venue.scratch[0]
    return last


@kernel
def expire(s, now_ns, venue):
    """Expire what is due in one symbol (rule 18)."""
    ctl = venue.ctl[0]
    has_any = False
    for slot in range(venue.n_orders[s]):
        order = venue.orders[s, slot]
        if order["expire_ts_ns"] <= now_ns:
            has_any = True
            reason = OrderReason.GOOD_TILL_DATE if order["expire_ts_ns"] < ctl["close_ns"] else OrderReason.END_OF_DAY
            _close(s, slot, Kind.EXPIRED, reason, venue)
    if has_any:
        compact(s, venue)
