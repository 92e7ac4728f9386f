"""Our place in the queue as we believe it, from the rules of the docstring; prices of sells are mirrored, so higher is better."""

from fractions import Fraction
from math import ceil


class Place:
    def __init__(self, settings):
        self.settings = settings
        self.side, self.price, self.ahead, self.shown, self.own = 1, None, -1, None, 0
        self.volume = 0
        self.clear()

    def clear(self):
        self.printed = self.dropped = self.explained = self.before = self.since = 0

    def own_side(self, quote):
        bid, ask, bid_qty, ask_qty = quote
        return (bid, bid_qty) if self.side > 0 else (-ask, ask_qty)

    def resize(self, leaves):
        self.own = leaves if self.settings.own_displayed else 0

    def join(self, side, price, leaves, quote):
        self.side, self.price = side, side * price
        self.resize(leaves)
        self.clear()
        touch, qty = self.own_side(quote)
        self.shown = None
        if qty <= 0 or touch > self.price:
            self.ahead = -1
        elif touch < self.price:
            self.ahead = 0
        else:
            self.shown = self.ahead = max(qty - self.own, 0)

    def leave(self):
        self.price, self.ahead = None, -1

    def filled(self, leaves):
        self.ahead = 0
        self.resize(leaves)
        self.clear()

    def quote(self, now, quote):
        if self.price is None:
            return
        touch, qty = self.own_side(quote)
        if qty <= 0:
            self.shown = None
        elif touch == self.price:
            shown = max(qty - self.own, 0)
            if self.shown is None:
                self.ahead = shown if self.ahead < 0 else min(self.ahead, shown)
            else:
                self.changed(now, self.shown, shown)
            self.shown = shown
        else:
            self.ahead = 0 if touch < self.price else self.ahead
            self.shown = None
            self.clear()

    def changed(self, now, before, after):
        self.expire(now)
        drop = before - after
        unexplained = drop - self.printed
        self.printed = max(self.printed - max(drop, 0), 0)
        if unexplained > 0:
            if self.dropped == 0:
                self.before, self.explained = self.ahead, 0
                self.since = now if self.printed == 0 else self.since
            self.dropped += unexplained
            self.ahead -= ceil(Fraction(self.settings.cancel_share) * unexplained * self.ahead / before)
        self.ahead = max(min(self.ahead, after), 0)

    def trade(self, now, price, qty, aggressor):
        self.volume += qty
        if self.price is None or self.side * price != self.price or self.ahead < 0 or aggressor == self.side:
            return
        self.expire(now)
        paired = min(qty, self.dropped)
        if paired:
            self.dropped -= paired
            self.explained += paired
            self.ahead = min(self.ahead, max(self.before - self.explained, 0))
        if qty > paired and self.shown is not None:
            self.since = now if self.printed == self.dropped == 0 else self.since
            self.printed += qty - paired
        self.ahead = max(self.ahead - (qty - paired), 0)

    def expire(self, now):
        if now - self.since > self.settings.pairing_ns:
            self.clear()
