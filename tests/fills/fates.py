"""What became of real orders, read off the messages in plain Python: the truth that exact FIFO has to reproduce."""

import pandas as pd


class Fate:
    """One real order: what it asked for, where it stood when it came, and what became of it."""

    def __init__(self, row, place):
        self.order_id, self.side, self.price, self.qty = row.order_id, row.side, row.price, row.size
        self.ts_ns, self.place = row.ts_ns, place
        self.leaves = row.size
        self.fills = []
        self.end_ns = 0
        self.is_changed = False

    @property
    def is_filled(self):
        """Tell whether all that it asked for was filled."""
        return sum(qty for _, qty in self.fills) == self.qty

    def fills_by_time(self):
        """Return what was filled at each time."""
        sums = {}
        for ts_ns, qty in self.fills:
            sums[ts_ns] = sums.get(ts_ns, 0) + qty
        return sums


def fates_of(messages):
    """Return the fates of all orders that the messages of one symbol add, in the order of their arrival.

    `place` is join, improve or behind, by the best price of the order's side just before it came (none: improve).
    """
    live, depth, fates = {}, {1: {}, -1: {}}, []
    for row in messages.itertuples(index=False):
        if row.action == "clear":
            live, depth = {}, {1: {}, -1: {}}
        elif row.action == "add":
            live[row.order_id] = fate = Fate(row, _place(row, depth[row.side]))
            fates.append(fate)
            _put(depth[row.side], row.price, row.size)
        elif row.action != "execute_hidden" and row.order_id in live:
            fate = live[row.order_id]
            _change(fate, row, depth[fate.side])
            if fate.leaves == 0:
                fate.end_ns = row.ts_ns
                del live[row.order_id]
    return fates


def _place(row, levels):
    best = max((row.side * price for price in levels), default=None)
    if best is None or row.side * row.price > best:
        return "improve"
    return "join" if row.side * row.price == best else "behind"


def _put(levels, price, qty):
    levels[price] = levels.get(price, 0) + qty
    if levels[price] == 0:
        del levels[price]


def _change(fate, row, levels):
    if row.action == "modify":
        _put(levels, fate.price, -fate.leaves)
        fate.price, fate.leaves, fate.is_changed = row.price, row.size, True
        _put(levels, fate.price, fate.leaves)
        return
    qty = fate.leaves if row.action == "delete" else min(row.size, fate.leaves)
    fate.leaves -= qty
    _put(levels, fate.price, -qty)
    if row.action == "execute":
        fate.fills.append((row.ts_ns, qty))
    elif row.action == "reduce" and fate.leaves > 0:
        fate.is_changed = True


def orders_of(fates, symbol, scale, *, patience_ns=30_000_000_000):
    """Return the orders as `simulate` takes them; a filled one stays `patience_ns` longer, an open one to the end."""
    return pd.DataFrame(
        {
            "order_id": range(len(fates)), "symbol": symbol, "ts_ns": [f.ts_ns for f in fates],
            "side": ["BUY" if f.side > 0 else "SELL" for f in fates], "qty": [f.qty for f in fates],
            "limit_price": [f.price / scale for f in fates], "tif": "DAY",
            "cancel_ts_ns": [f.end_ns + patience_ns * (f.end_ns > 0 and f.is_filled) for f in fates],
        }
    )  # fmt: skip
