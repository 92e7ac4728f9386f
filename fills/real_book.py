"""The book of real orders, kept message by message: who rests where, since when, and what the touch is (exact FIFO).

An order that is added, or changed to another price or a larger size, joins the end of its level and gets the next `join_seq`.
Whoever joined a level earlier stands ahead. The kernels write what a message took off a level to `real_ctl`; `fills.fifo` tells
own orders.
"""

from fills.real_tables import NO_RANK
from replay.events import MessageAction, Status
from replay.jit import kernel

NOBODY_SEQ = -1  # an order that nobody has announced: it is older than the recording
STOP_BOOK_FULL = 2  # of VENUE_CTL status


@kernel
def apply_message(event, s, venue):
    """Bring the book up to date with one message; return False when the tables are full."""
    ctl = venue.real_ctl[0]
    ctl["gone_qty"] = 0
    ctl["is_execution"] = 0
    ctl["is_cleared"] = 0
    ctl["is_moved"] = 0
    action = event["action"]
    if action == MessageAction.CLEAR:
        _clear(s, venue)
        return True
    if action == MessageAction.EXECUTE_HIDDEN:
        return True
    slot = find_order(s, event["order_id"], venue)
    if action == MessageAction.ADD or action == MessageAction.MODIFY:
        if slot >= 0 and _keeps_place(event, venue.real_orders[slot]):
            _reduce(slot, venue.real_orders[slot]["qty"] - event["qty"], venue)
            return True
        if slot >= 0:
            _reduce(slot, venue.real_orders[slot]["qty"], venue)
        return _add(event, s, venue)
    if action == MessageAction.EXECUTE:
        ctl["is_execution"] = 1
    if slot >= 0:
        whole = venue.real_orders[slot]["qty"]
        _reduce(slot, whole if action == MessageAction.DELETE else min(event["qty"], whole), venue)
    elif action == MessageAction.EXECUTE:
        _note_gone(event["side"], event["price"], event["qty"], NOBODY_SEQ, venue)
    return True


@kernel
def _keeps_place(event, order):
    """Tell whether a change leaves an order where it stands: same level, and no larger."""
    return event["price"] == order["price"] and event["side"] == order["side"] and event["qty"] <= order["qty"]


@kernel
def _note_gone(side, price, qty, seq, venue):
    ctl = venue.real_ctl[0]
    ctl["gone_side"] = side
    ctl["gone_rank"] = side * price
    ctl["gone_qty"] = qty
    ctl["gone_seq"] = seq


@kernel
def _add(event, s, venue):
    ctl = venue.real_ctl[0]
    most = len(venue.real_orders) // 2
    if ctl["n_orders"] >= most or ctl["n_levels"] >= most:
        venue.ctl[0]["status"] = STOP_BOOK_FULL
        return False
    if event["qty"] <= 0:
        return True
    slot = _order_slot(s, event["order_id"], venue)
    order = venue.real_orders[slot]
    order["order_id"] = event["order_id"]
    order["price"] = event["price"]
    order["qty"] = event["qty"]
    order["join_seq"] = ctl["next_seq"]
    order["symbol"] = s
    order["side"] = event["side"]
    ctl["next_seq"] += 1
    ctl["n_orders"] += 1
    _grow_level(s, event["side"], event["price"], event["qty"], venue)
    return True


@kernel
def _grow_level(s, side, price, qty, venue):
    slot = _level_slot(s, side, price, venue)
    level = venue.real_levels[slot]
    if level["side"] == 0:
        level["price"] = price
        level["symbol"] = s
        level["side"] = side
        level["qty"] = 0
        venue.real_ctl[0]["n_levels"] += 1
    level["qty"] += qty
    line = venue.real_sides[s, 0 if side > 0 else 1]
    rank = side * price
    line["n_orders"] += 1
    if line["n_orders"] == 1 or rank < line["worst_rank"]:
        line["worst_rank"] = rank
    if rank >= line["rank"]:
        _set_touch(s, side, rank, level["qty"], venue)


@kernel
def _reduce(slot, qty, venue):
    """Take shares off an order; it leaves when none are left."""
    order = venue.real_orders[slot]
    s, side, price = order["symbol"], order["side"], order["price"]
    _note_gone(side, price, qty, order["join_seq"], venue)
    order["qty"] -= qty
    line = venue.real_sides[s, 0 if side > 0 else 1]
    if order["qty"] == 0:
        line["n_orders"] -= 1
        venue.real_ctl[0]["n_orders"] -= 1
        _close_gap(slot, venue)
    level = venue.real_levels[_level_slot(s, side, price, venue)]
    level["qty"] -= qty
    if side * price == line["rank"]:
        if level["qty"] > 0:
            _set_touch(s, side, line["rank"], level["qty"], venue)
        else:
            _find_touch(s, side, venue)


@kernel
def _set_touch(s, side, rank, qty, venue):
    line = venue.real_sides[s, 0 if side > 0 else 1]
    row = venue.real_book[s]
    if rank == line["rank"] and qty == line["qty"]:
        return
    line["rank"] = rank
    line["qty"] = qty
    venue.real_ctl[0]["is_moved"] = 1
    price = side * rank if qty > 0 else 0
    if side > 0:
        row["bid"] = price
        row["bid_qty"] = qty
    else:
        row["ask"] = price
        row["ask_qty"] = qty


@kernel
def _find_touch(s, side, venue):
    """Walk from the touch that emptied to the next level with orders; prices that are off the grid of ticks are never a touch."""
    line = venue.real_sides[s, 0 if side > 0 else 1]
    tick = max(venue.real_book[s]["tick"], 1)
    rank = line["rank"]
    while line["n_orders"] > 0 and rank > line["worst_rank"]:
        rank -= tick
        qty = level_qty(s, side, side * rank, venue)
        if qty > 0:
            _set_touch(s, side, rank, qty, venue)
            return
    _set_touch(s, side, NO_RANK, 0, venue)


@kernel
def level_qty(s, side, price, venue):
    """Return what rests at a price."""
    return venue.real_levels[_level_slot(s, side, price, venue)]["qty"]


@kernel
def find_order(s, order_id, venue):
    """Return the slot of a resting order, or -1."""
    slot = _order_slot(s, order_id, venue)
    return slot if venue.real_orders[slot]["qty"] > 0 else -1


@kernel
def _order_home(s, order_id, mask):
    return (order_id ^ (order_id >> 20) ^ (order_id >> 41) ^ (s * 7919)) & mask


@kernel
def _order_slot(s, order_id, venue):
    """Return where an order stands, or the free slot where it would."""
    mask = len(venue.real_orders) - 1
    slot = _order_home(s, order_id, mask)
    while venue.real_orders[slot]["qty"] > 0:
        order = venue.real_orders[slot]
        if order["order_id"] == order_id and order["symbol"] == s:
            return slot
        slot = (slot + 1) & mask
    return slot


@kernel
def _level_slot(s, side, price, venue):
    """Return where a level stands, or the free slot where it would."""
    mask = len(venue.real_levels) - 1
    slot = ((price & 0xFFFFFFFFFF) * 40503 // 16 + s * 7919 + side) & mask
    while venue.real_levels[slot]["side"] != 0:
        level = venue.real_levels[slot]
        if level["price"] == price and level["symbol"] == s and level["side"] == side:
            return slot
        slot = (slot + 1) & mask
    return slot


@kernel
def _close_gap(slot, venue):
    """Move up whoever was placed further on because this slot was taken, so that no search ends too early."""
    orders = venue.real_orders
    mask = len(orders) - 1
    at = slot
    while True:
        at = (at + 1) & mask
        if orders[at]["qty"] == 0:
            break
        home = _order_home(orders[at]["symbol"], orders[at]["order_id"], mask)
        if ((at - home) & mask) >= ((at - slot) & mask):
            orders[slot] = orders[at]
            slot = at
    orders[slot]["qty"] = 0


@kernel
def _clear(s, venue):
    """Empty the book of one symbol."""
    slot = 0
    while slot < len(venue.real_orders):
        if venue.real_orders[slot]["qty"] > 0 and venue.real_orders[slot]["symbol"] == s:
            venue.real_ctl[0]["n_orders"] -= 1
            _close_gap(slot, venue)
        else:
            slot += 1
    for k in range(len(venue.real_levels)):
        if venue.real_levels[k]["symbol"] == s:
            venue.real_levels[k]["qty"] = 0
    for side in (1, -1):
        venue.real_sides[s, 0 if side > 0 else 1]["n_orders"] = 0
        _set_touch(s, side, NO_RANK, 0, venue)
    venue.real_ctl[0]["is_cleared"] = 1


@kernel
def note_status(symbol, code, venue):
    """Keep what of a status concerns the exchange; gaps of the feed do not: the messages have none."""
    is_shut = code == Status.HALTED or code == Status.AUCTION
    first = max(symbol, 0)
    last = symbol + 1 if symbol >= 0 else len(venue.real_book)
    for s in range(first, last):
        venue.real_book[s]["status"] = code if is_shut else 0
