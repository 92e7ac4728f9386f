"""The order book of `replay.importers.book`, in the plainest Python: orders in a dict, the touch by looking at all of them."""

from replay.importers.book import Deed


def rebuild(messages):
    """Return touches (row, bid, bid_qty, ask, ask_qty) and effects (deed, qty, excess) of all messages."""
    orders = {}  # id -> [side, price, qty]
    fills = {}  # id -> quantity filled in this event
    touches, effects, last = [], [], (0, 0, 0, 0)
    for row, (deed, order_id, side, price, qty, is_end) in enumerate(messages):
        effects.append(_apply(orders, fills, deed, order_id, [-1 if side < 0 else 1, price, qty]))
        if is_end:
            fills.clear()
            now = (*_best(orders, 1), *_best(orders, -1))
            if now != last:
                touches.append((row, *now))
                last = now
    return touches, effects


def _best(orders, side):
    prices = [price for s, price, _ in orders.values() if s == side]
    if not prices:
        return 0, 0
    best = max(prices) if side == 1 else min(prices)
    return best, sum(qty for s, price, qty in orders.values() if s == side and price == best)


def _apply(orders, fills, deed, order_id, terms):
    qty = terms[2]
    if deed == Deed.NOTHING:
        return 0, 0, 0
    if deed == Deed.CLEAR:
        orders.clear()
        for name in fills:
            fills[name] = 0
        return Deed.CLEAR, 0, 0
    if deed in (Deed.ADD, Deed.MODIFY):
        if order_id in fills:
            fills[order_id] = 0
        if orders.get(order_id) == terms:
            return 0, 0, 0
        was_there = order_id in orders
        orders[order_id] = terms
        return Deed.MODIFY if was_there else Deed.ADD, qty, 0
    if order_id not in orders and order_id not in fills:
        return Deed.UNKNOWN, qty, 0
    rests = orders[order_id][2] if order_id in orders else 0
    if deed == Deed.DELETE:
        return _take(orders, order_id, rests, Deed.REDUCE)
    if deed in (Deed.FILL, Deed.EXECUTE):
        if deed == Deed.FILL:
            fills[order_id] = fills.get(order_id, 0) + min(rests, qty)
        return _take(orders, order_id, qty, Deed.EXECUTE)
    explained = min(fills.get(order_id, 0), qty)
    if order_id in fills:
        fills[order_id] -= explained
    return _take(orders, order_id, qty - explained, Deed.REDUCE)


def _take(orders, order_id, qty, deed):
    rests = orders[order_id][2] if order_id in orders else 0
    taken = min(rests, qty)
    if taken == 0:
        return 0, 0, qty
    orders[order_id][2] -= taken
    if orders[order_id][2] == 0:
        del orders[order_id]
        deed = Deed.DELETE if deed == Deed.REDUCE else deed
    return deed, taken, qty - taken
