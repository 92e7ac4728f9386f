"""Real orders at the touch, in the plainest Python: one dictionary of orders, every look at the book a loop over all of them."""

from dataclasses import dataclass, field

SNAPSHOT_NS = 60_000_000_000


@dataclass
class Order:
    id: int
    side: int
    price: int
    qty: int
    leaves: int
    at: int
    kind: str
    ahead: int = 0
    spread: int = 0
    fills: list = field(default_factory=list)
    fate: str = "open"
    end: int = 0


def best(book, side):
    prices = [order.price for order in book.values() if order.side == side]
    return None if not prices else max(prices) if side > 0 else min(prices)


def kind_at(book, message, first_ts):
    if message["ts_ns"] == first_ts or (message["exch"] is not None and message["ts_ns"] - message["exch"] > SNAPSHOT_NS):
        return "snapshot"
    bid, ask = best(book, 1), best(book, -1)
    side, price = message["side"], message["price"]
    if bid is not None and ask is not None and bid >= ask:
        return "crossing"
    if (side > 0 and ask is not None and price >= ask) or (side < 0 and bid is not None and price <= bid):
        return "crossing"
    if bid is None or ask is None:
        return "alone"
    gain = side * (price - (bid if side > 0 else ask))
    return "join" if gain == 0 else "improve" if gain > 0 else "behind"


def real_orders(messages):
    """Return the orders that joined or improved, in order of arrival, and the number of arrivals by kind."""
    book, found, counts = {}, [], {}
    for message in messages:
        order = book.get(message["id"])
        action = message["action"]
        if action in ("add", "modify"):
            if (
                order is not None
                and (order.side, order.price) == (message["side"], message["price"])
                and message["qty"] <= order.leaves
            ):
                withdraw(book, order, order.leaves - message["qty"], message)
                continue
            if order is not None:
                withdraw(book, order, order.leaves, message)
            if message["qty"] > 0:
                arrive(book, message, found, counts, messages[0]["ts_ns"])
        elif action == "clear":
            for order in list(book.values()):
                end(book, order, "cleared", message)
        elif order is not None and action in ("reduce", "delete"):
            withdraw(book, order, message["qty"], message)
        elif order is not None and action == "execute":
            qty = min(message["qty"], order.leaves)
            order.leaves -= qty
            order.fills.append((message["ts_ns"], qty))
            if order.leaves == 0:
                end(book, order, "filled", message)
    return found, counts


def arrive(book, message, found, counts, first_ts):
    kind = kind_at(book, message, first_ts)
    counts[kind] = counts.get(kind, 0) + 1
    qty = message["qty"]
    order = Order(message["id"], message["side"], message["price"], qty, qty, message["ts_ns"], kind)
    if kind in ("join", "improve"):
        order.ahead = sum(o.leaves for o in book.values() if (o.side, o.price) == (order.side, order.price))
        order.spread = best(book, -1) - best(book, 1)
        found.append(order)
    book[order.id] = order


def withdraw(book, order, qty, message):
    order.leaves -= min(qty, order.leaves)
    if order.leaves == 0:
        end(book, order, "part_cancelled" if order.fills else "cancelled", message)


def end(book, order, fate, message):
    order.fate, order.end = fate, message["ts_ns"]
    del book[order.id]
