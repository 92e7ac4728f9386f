"""Rules for the life of an order: arrival, cancel, modify, expiry (rules 15 to 20)."""

from fills.fifo import join_line, rests_as_recorded
from fills.ledger import displayed_left, take_displayed
from fills.queue import FIFO, UNKNOWN, on_join
from fills.record import compact, write_answer, write_fill, write_refusal
from fills.venue import ASK, BID, MARKET_RANK, NO_RANK, Rule
from replay.events import Kind, Status
from replay.jit import kernel
from replay.orders import Liquidity, OrderReason, OrderType, Tif

MOST_ANSWERS = 3  # of one request


@kernel
def on_new(request, s, now_ns, row, venue):
    """Accept or refuse an order; take what is displayed; let the rest wait, or cancel it (rules 13 to 18)."""
    reason = _refusal(request, s, now_ns, row, venue)
    if reason != OrderReason.NONE:
        is_late = reason == OrderReason.END_OF_DAY or reason == OrderReason.GOOD_TILL_DATE
        write_refusal(s, request, Kind.EXPIRED if is_late else Kind.REJECTED, reason, venue)
        return
    slot = venue.n_orders[s]
    venue.n_orders[s] = slot + 1
    _store(s, slot, request, row, venue)
    _join(s, slot, row, venue)
    write_answer(s, slot, Kind.ACK, 0, venue)
    _trade_on_arrival(s, slot, row, venue)
    compact(s, venue)


@kernel
def _refusal(request, s, now_ns, row, venue):
    """Return why an order cannot be accepted, or NONE."""
    if request["qty"] <= 0:
        return OrderReason.BAD_QUANTITY
    if row["status"] == Status.HALTED:
        return OrderReason.HALTED
    reason = _price_refusal(request["type"], request["side"], request["price"], request["post_only"], row)
    if reason != OrderReason.NONE:
        return reason
    if now_ns >= venue.ctl[0]["close_ns"]:
        return OrderReason.END_OF_DAY
    if request["tif"] == Tif.GTD and request["expire_ts_ns"] <= now_ns:
        return OrderReason.GOOD_TILL_DATE
    if venue.n_orders[s] >= venue.orders.shape[1]:
        return OrderReason.TABLE_FULL
    return OrderReason.NONE


@kernel
def _price_refusal(order_type, side, price, post_only, row):
    other_price = row["ask"] if side > 0 else row["bid"]
    other_qty = row["ask_qty"] if side > 0 else row["bid_qty"]
    if order_type == OrderType.MARKET:
        return OrderReason.NO_MARKET if other_qty <= 0 else OrderReason.NONE
    if price <= 0 or (row["tick"] > 1 and price % row["tick"] != 0):
        return OrderReason.OFF_TICK
    if post_only != 0 and other_qty > 0 and side * price >= side * other_price:
        return OrderReason.WOULD_CROSS
    return OrderReason.NONE


@kernel
def _store(s, slot, request, row, venue):
    order = venue.orders[s, slot]
    order["order_id"] = request["order_id"]
    order["side"] = request["side"]
    order["type"] = request["type"]
    order["tif"] = request["tif"]
    order["post_only"] = request["post_only"]
    order["qty"] = request["qty"]
    order["leaves_qty"] = request["qty"]
    order["mid2_at_arrival"] = row["bid"] + row["ask"] if row["bid_qty"] > 0 and row["ask_qty"] > 0 else 0
    order["value"] = 0
    order["removed_qty"] = 0
    order["fee_micros"] = 0
    _price(order, request["type"], request["price"])
    _expire_at(order, request["expire_ts_ns"], venue)


@kernel
def _price(order, order_type, price):
    if order_type == OrderType.MARKET:
        order["price"] = 0
        order["rank"] = MARKET_RANK
    else:
        order["price"] = price
        order["rank"] = order["side"] * price


@kernel
def _expire_at(order, expire_ts_ns, venue):
    ctl = venue.ctl[0]
    order["expire_ts_ns"] = ctl["close_ns"]
    if order["tif"] == Tif.GTD:
        order["expire_ts_ns"] = min(expire_ts_ns, ctl["close_ns"])
    ctl["next_expiry_ns"] = min(ctl["next_expiry_ns"], order["expire_ts_ns"])


@kernel
def _join(s, slot, row, venue):
    """Set the quantity ahead of the order in the last slot by where it joins (rules 1 to 3)."""
    order = venue.orders[s, slot]
    side = order["side"]
    touch_qty = row["bid_qty"] if side > 0 else row["ask_qty"]
    touch_rank = side * (row["bid"] if side > 0 else row["ask"])
    order["ghost_qty"] = UNKNOWN
    order["ahead_qty"] = UNKNOWN
    if venue.ctl[0]["model"] == FIFO:
        join_line(order, venue.symbol_of[s], venue)
    elif order["type"] == OrderType.MARKET:
        order["ahead_qty"] = 0
    elif touch_qty > 0 and row["status"] == 0 and order["rank"] >= touch_rank:
        floor = _ahead_of_peers(s, slot, venue)
        shown = touch_qty if order["rank"] == touch_rank else 0
        order["ahead_qty"] = on_join(venue.ctl[0]["model"], shown, floor)


@kernel
def _ahead_of_peers(s, slot, venue):
    order = venue.orders[s, slot]
    floor = 0
    for k in range(slot):
        other = venue.orders[s, k]
        if other["rank"] == order["rank"] and other["side"] == order["side"]:
            floor = max(floor, other["ahead_qty"])
    return floor


@kernel
def _trade_on_arrival(s, slot, row, venue):
    """Take the displayed other side up to the limit, then rest, wait or cancel (rules 13 and 14)."""
    order = venue.orders[s, slot]
    side = order["side"]
    other = ASK if side > 0 else BID
    qty = row["ask_qty"] if side > 0 else row["bid_qty"]
    price = row["ask"] if side > 0 else row["bid"]
    rank = -side * price if qty > 0 else NO_RANK
    left = 0
    if row["status"] == 0 and qty > 0 and order["rank"] >= side * price and not rests_as_recorded(venue):
        left = displayed_left(venue.ledgers[s, other], rank, qty)
    fill = min(left, order["leaves_qty"])
    if order["tif"] == Tif.FOK and fill < order["leaves_qty"]:
        fill = 0
    if fill > 0:
        take_displayed(venue.ledgers[s, other], rank, fill)
        venue.ctl[0]["source_seq"] = venue.ledgers[s, other]["seq"]
        rule = Rule.MARKET if order["type"] == OrderType.MARKET else Rule.TAKE
        write_fill(s, slot, price, fill, 0, rule, Liquidity.REMOVE, venue)
    if order["leaves_qty"] > 0 and (order["tif"] == Tif.IOC or order["tif"] == Tif.FOK):
        _close(s, slot, Kind.CANCELLED, OrderReason.NOT_MARKETABLE, venue)


@kernel
def _close(s, slot, kind, reason, venue):
    """Answer with the quantity that is withdrawn, and empty the slot; the caller compacts the table."""
    answer = write_answer(s, slot, kind, reason, venue)
    answer["qty"] = venue.orders[s, slot]["leaves_qty"]
    answer["leaves_qty"] = 0
    venue.orders[s, slot]["leaves_qty"] = 0


@kernel
def find_slot(s, order_id, venue):
    """Return the slot of a live order, or -1."""
    for slot in range(venue.n_orders[s]):
        if venue.orders[s, slot]["order_id"] == order_id:
            return slot
    return -1


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
    keeps_place = request["price"] == order["price"] and request["qty"] <= order["qty"]
    reason = _modify_refusal(request, order, filled, keeps_place, row)
    if reason != OrderReason.NONE:
        write_refusal(s, request, Kind.CANCEL_REJECTED, reason, venue)
        return
    order["qty"] = request["qty"]
    order["leaves_qty"] = request["qty"] - filled
    if keeps_place:
        write_answer(s, slot, Kind.MODIFIED, 0, venue)
        return
    _price(order, order["type"], request["price"])
    slot = _move_last(s, slot, venue)
    _join(s, slot, row, venue)
    write_answer(s, slot, Kind.MODIFIED, 0, venue)
    _trade_on_arrival(s, slot, row, venue)
    compact(s, venue)


@kernel
def _modify_refusal(request, order, filled, keeps_place, row):
    if request["qty"] <= filled:
        return OrderReason.BAD_QUANTITY
    if keeps_place:
        return OrderReason.NONE
    if row["status"] == Status.HALTED:
        return OrderReason.HALTED
    if order["type"] == OrderType.MARKET:
        return OrderReason.NONE
    return _price_refusal(order["type"], order["side"], request["price"], order["post_only"], row)


@kernel
def _move_last(s, slot, venue):
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
