"""Why an order, or a change of one, is refused (rules 16, 17, 30 to 33)."""

from fills.account import lacks_power, shorts_more
from fills.venue import MARKET_RANK
from replay.events import Status
from replay.jit import kernel
from replay.orders import Evidence, OrderReason, OrderType, Tif


@kernel
def refusal(request, s, now_ns, row, venue):
    """Return why an order cannot be accepted, or NONE."""
    terms = venue.terms[0]
    if request["qty"] <= 0:
        return OrderReason.BAD_QUANTITY
    if terms["most_qty"] > 0 and request["qty"] > terms["most_qty"]:
        return OrderReason.TOO_LARGE
    if find_slot(s, request["order_id"], venue) >= 0:
        return OrderReason.DUPLICATE_ID
    if row["status"] == Status.HALTED and (terms["holds_in_halt"] == 0 or is_immediate(request["tif"])):
        return OrderReason.HALTED
    if now_ns < terms["open_ns"] and is_immediate(request["tif"]):
        return OrderReason.NOT_OPEN
    reason = price_refusal(request["type"], request["side"], request["price"], request["post_only"], row, terms)
    if reason == OrderReason.WOULD_CROSS and is_held(now_ns, row, terms):
        reason = OrderReason.NONE
    if reason == OrderReason.NO_MARKET and is_held(now_ns, row, terms):
        reason = OrderReason.NONE
    if reason != OrderReason.NONE:
        return reason
    if now_ns >= venue.ctl[0]["close_ns"]:
        return OrderReason.END_OF_DAY
    if request["tif"] == Tif.GTD and request["expire_ts_ns"] <= now_ns:
        return OrderReason.GOOD_TILL_DATE
    if venue.n_orders[s] >= venue.orders.shape[1]:
        return OrderReason.TABLE_FULL
    return account_refusal(request, s, 0, row, venue)


@kernel
def is_immediate(tif):
    """Tell whether an order cannot wait."""
    return tif == Tif.IOC or tif == Tif.FOK


@kernel
def is_held(now_ns, row, terms):
    """Tell whether an order that comes now has to wait for the open or for the end of a halt (rules 30 and 31)."""
    return now_ns < terms["open_ns"] or (row["status"] == Status.HALTED and terms["holds_in_halt"] == 1)


@kernel
def find_slot(s, order_id, venue):
    """Return the slot of a live order, or -1."""
    for slot in range(venue.n_orders[s]):
        if venue.orders[s, slot]["order_id"] == order_id:
            return slot
    return -1


@kernel
def price_refusal(order_type, side, price, post_only, row, terms):
    """Return what speaks against a price, or NONE."""
    other_price = row["ask"] if side > 0 else row["bid"]
    other_qty = row["ask_qty"] if side > 0 else row["bid_qty"]
    if order_type == OrderType.MARKET:
        return OrderReason.NO_MARKET if other_qty <= 0 and row["evidence"] != Evidence.BARS else OrderReason.NONE
    is_pegged = order_type == OrderType.PEG_MID or order_type == OrderType.MIDPRICE
    if is_pegged and price == 0:
        return OrderReason.NONE
    tick = tick_at(price, row["tick"], terms)
    if price <= 0 or (tick > 1 and price % tick != 0):
        return OrderReason.OFF_TICK
    if post_only != 0 and other_qty > 0 and side * price >= side * other_price and not is_pegged:
        return OrderReason.WOULD_CROSS
    return OrderReason.NONE


@kernel
def tick_at(price, tick, terms):
    """Return the tick in force at a price; `tick` is the symbol's own (rule 32)."""
    if price < terms["low_edge"] and (tick == terms["cent_tick"] or tick == terms["half_tick"]):
        return terms["low_tick"]
    return tick


@kernel
def account_refusal(request, s, own_leaves_qty, row, venue):
    """Return what speaks against an order in the light of the account, or NONE; `own_leaves_qty` is what it replaces."""
    terms = venue.terms[0]
    if terms["has_account"] == 0:
        return OrderReason.NONE
    side = request["side"]
    more_qty = request["qty"] - own_leaves_qty
    if side < 0 and shorts_more(s, more_qty, venue):
        if terms["is_shortable"] == 0:
            return OrderReason.NOT_SHORTABLE
        if venue.accounts[s]["is_restricted"] == 1 and not _is_above_bid(request, row):
            return OrderReason.SHORT_SALE
    if terms["leverage_percent"] > 0:
        price = request["price"]
        if request["type"] == OrderType.MARKET or price == 0:
            price = row["ask"] if side > 0 else row["bid"]
        if lacks_power(s, side, more_qty, price, venue):
            return OrderReason.BUYING_POWER
    return OrderReason.NONE


@kernel
def _is_above_bid(request, row):
    """Tell whether a short sale asks for more than the bid; a pegged one does while the mid is above it."""
    if row["bid_qty"] <= 0 or request["type"] == OrderType.MARKET:
        return False
    if request["type"] != OrderType.LIMIT and row["ask_qty"] > 0 and row["ask"] > row["bid"]:
        return True
    return request["price"] > row["bid"]


@kernel
def change_refusal(request, s, slot, row, venue):
    """Return why a change of a live order cannot be, or NONE; the caller knows that the place is not kept."""
    order = venue.orders[s, slot]
    terms = venue.terms[0]
    if terms["most_qty"] > 0 and request["qty"] > terms["most_qty"]:
        return OrderReason.TOO_LARGE
    if row["status"] == Status.HALTED and terms["holds_in_halt"] == 0:
        return OrderReason.HALTED
    if order["rank"] == MARKET_RANK:
        return OrderReason.NONE
    reason = price_refusal(order["type"], order["side"], request["price"], order["post_only"], row, terms)
    if reason != OrderReason.NONE and not (order["is_held"] == 1 and reason != OrderReason.OFF_TICK):
        return reason
    venue.scratch_request[0] = request
    asked = venue.scratch_request[0]
    asked["side"] = order["side"]
    asked["type"] = order["type"]
    return account_refusal(asked, s, order["qty"], row, venue)
