"""Answers: bring the desk up to date with what the exchange said about an own order.

The rules, by number:

1. ACK makes a SENT or HELD order WORKING and stamps `ack_ts_ns`. Its price, quantity and leaves are not read.
2. PARTIAL and FILL move `qty` shares at `price` into the position. PARTIAL takes `leaves_qty` from the answer, FILL removes
   the order. A request that is still in flight keeps its state (CANCEL_SENT, MODIFY_SENT).
3. CANCELLED, REJECTED and EXPIRED remove the order and release what it left.
4. HELD: the order exists but does not work. It keeps its leaves.
5. MODIFIED brings the new price and leaves; the order's quantity is what was filled plus what is left.
6. CANCEL_REJECTED (of a cancel or a modify): the order is as it was before the request.
7. COMMISSION adds to the fees of the event's symbol, whether or not the order still lives: it comes after the last fill.
8. CORRECTION changes the position of the event's symbol by `qty` signed shares at `price`: a bust is the opposite of its fill,
   a new price is a bust and a fill. An order that still lives gets back what a bust took from it.
9. Any other answer to an order that is not on the desk is counted in `clock['unknown_answers']` and changes nothing. A
   CANCEL_REJECTED of an order that is gone is not counted: that is what happens when a fill beats a cancel.

Positions use the average-cost method in integers (price units x shares). Closing `k` of `n` shares takes `|cost| * k / n` off the
cost, rounded towards zero, so that a mirrored market gives mirrored books; the rounded part stays in the cost of what is still
held and comes out with the last share. From flat to flat `realized` is exact.
"""

from replay.desk import find_order
from replay.events import Kind
from replay.jit import kernel
from replay.orders import Side, State


@kernel
def apply_answer(events, i, desk):
    """Apply answer `events[i]` (any kind from ACK on) to the orders, the position and the clock of the desk."""
    event = events[i]
    kind = event["kind"]
    symbol = event["symbol"]
    if symbol < 0 or symbol >= len(desk.positions):
        desk.clock[0]["unknown_answers"] += 1
        return
    if kind == Kind.COMMISSION:
        desk.positions[symbol]["fee_micros"] += event["fee_micros"]
        return
    slot = find_order(desk, symbol, event["order_id"])
    if kind == Kind.CORRECTION:
        _correct(event, slot, desk)
    elif slot >= 0:
        _answer_order(event, slot, desk)
    elif kind != Kind.CANCEL_REJECTED:
        desk.clock[0]["unknown_answers"] += 1


@kernel
def _answer_order(event, slot, desk):
    kind = event["kind"]
    order = desk.orders[event["symbol"], slot]
    if kind == Kind.ACK:
        order["ack_ts_ns"] = event["ts_ns"]
        if order["state"] == State.SENT or order["state"] == State.HELD:
            order["state"] = State.WORKING
    elif kind == Kind.PARTIAL or kind == Kind.FILL:
        _fill(event, slot, desk)
    elif kind == Kind.CANCELLED or kind == Kind.REJECTED or kind == Kind.EXPIRED:
        _release(desk.positions[event["symbol"]], order, 0)
        _remove(desk, event["symbol"], slot)
    elif kind == Kind.HELD:
        order["state"] = State.HELD
    elif kind == Kind.MODIFIED:
        order["price"] = event["price"]
        _release(desk.positions[event["symbol"]], order, event["leaves_qty"])
        order["qty"] = order["filled_qty"] + event["leaves_qty"]
        if order["state"] == State.MODIFY_SENT:
            order["state"] = _working_state(order)
    elif kind == Kind.CANCEL_REJECTED:
        order["state"] = _working_state(order)


@kernel
def _fill(event, slot, desk):
    symbol = event["symbol"]
    order = desk.orders[symbol, slot]
    position = desk.positions[symbol]
    take_shares(desk.positions, symbol, order["side"] * event["qty"], event["price"], event["ts_ns"])
    order["filled_qty"] += event["qty"]
    if event["kind"] == Kind.FILL:
        _release(position, order, 0)
        _remove(desk, symbol, slot)
        return
    _release(position, order, event["leaves_qty"])
    if order["state"] != State.CANCEL_SENT and order["state"] != State.MODIFY_SENT:
        order["state"] = State.PARTIAL


@kernel
def _correct(event, slot, desk):
    symbol = event["symbol"]
    take_shares(desk.positions, symbol, event["qty"], event["price"], event["ts_ns"])
    if slot >= 0:
        order = desk.orders[symbol, slot]
        order["filled_qty"] += order["side"] * event["qty"]
        _release(desk.positions[symbol], order, order["qty"] - order["filled_qty"])


@kernel
def take_shares(positions, symbol, qty, price, ts_ns):
    """Book `qty` signed shares at `price` into a position by the average-cost method."""
    position = positions[symbol]
    held = position["qty"]
    position["traded_qty"] += abs(qty)
    opening = qty
    if held * qty < 0:
        closing = min(abs(held), abs(qty))
        if qty < 0:
            closing = -closing
        released = _cost_share(position["cost"], abs(closing), abs(held))
        position["realized"] -= closing * price + released
        position["cost"] -= released
        opening = qty - closing
    if opening != 0 and held + qty - opening == 0:
        position["open_ts_ns"] = ts_ns
    position["cost"] += opening * price
    position["qty"] = held + qty
    if held + qty == 0:
        position["open_ts_ns"] = 0


@kernel
def _cost_share(cost, part, whole):
    """Return `cost * part / whole` rounded towards zero, without the product that would overflow."""
    magnitude = abs(cost)
    share = (magnitude // whole) * part + (magnitude % whole) * part // whole
    return share if cost > 0 else -share


@kernel
def _release(position, order, leaves_qty):
    """Bring an order to new leaves, and the symbol's open quantity with it."""
    change = leaves_qty - order["leaves_qty"]
    order["leaves_qty"] = leaves_qty
    if order["side"] == Side.BUY:
        position["open_buy_qty"] += change
    else:
        position["open_sell_qty"] += change


@kernel
def _working_state(order):
    return State.PARTIAL if order["filled_qty"] > 0 else State.WORKING


@kernel
def _remove(desk, symbol, slot):
    """Close the gap; the order in which orders were sent is kept."""
    last = desk.n_orders[symbol] - 1
    for k in range(slot, last):
        desk.orders[symbol, k] = desk.orders[symbol, k + 1]
    desk.n_orders[symbol] = last
