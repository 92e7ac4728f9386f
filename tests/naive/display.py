"""What one side displays in the plain exchange, and what quotes and prints have not yet explained to each other."""

BUY = 1


def better(side, price, than):
    """Is `price` a better price than the other for that side?"""
    return price > than if side == BUY else price < than


class Side:
    """What one side displays, and what is not yet explained."""

    def __init__(self):
        self.price = None
        self.qty = 0
        self.seq = 0
        self.heard = 0  # when a print of this side was last heard, and its time at the exchange
        self.heard_exch = None
        self.moves = 0  # how often the touch moved
        self.drop = self.drop_end = self.printed = self.printed_end = 0
        self.gone = None  # (price, remembered until)
        self.gone_drop = 0
        self.taken = {}  # price -> quantity

    def forget_old(self, now):
        if now > self.drop_end:
            self.drop = 0
        if now > self.printed_end:
            self.printed = 0

    def awaits(self, price, now):
        if self.gone and self.gone[0] == price:
            return self.gone_drop > 0 and now <= self.gone[1]
        return self.price == price and self.drop > 0 and now <= self.drop_end

    def left(self, side, price, qty, is_touch=True):
        """Rule 11: what is not taken yet of a level; seeing the touch forgets the levels it has left behind."""
        if not qty:
            return 0
        if is_touch:
            self.taken = {p: q for p, q in self.taken.items() if not better(side, p, price)}
            if price in self.taken:
                self.taken[price] = min(self.taken[price], qty)
        return max(qty - self.taken.get(price, 0), 0)

    def take(self, side, price, qty):
        self.taken[price] = self.taken.get(price, 0) + qty
        best_first = sorted(self.taken, key=lambda p: -p if side == BUY else p)
        self.taken = {p: self.taken[p] for p in best_first[:16]}
