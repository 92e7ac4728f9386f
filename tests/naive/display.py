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
        self.drop = self.drop_end = self.printed = self.printed_end = 0
        self.gone = None  # (price, remembered until)
        self.gone_drop = 0
        self.taken_price = None
        self.taken = 0

    def forget_old(self, now):
        if now > self.drop_end:
            self.drop = 0
        if now > self.printed_end:
            self.printed = 0

    def awaits(self, price, now):
        if self.gone and self.gone[0] == price:
            return self.gone_drop > 0 and now <= self.gone[1]
        return self.price == price and self.drop > 0 and now <= self.drop_end

    def left(self, side, price, qty):
        """Rule 11."""
        if not qty:
            return 0
        if self.taken_price == price:
            self.taken = min(self.taken, qty)
            return qty - self.taken
        if self.taken_price is not None and better(side, self.taken_price, price):
            self.taken_price = None
        return qty

    def take(self, price, qty):
        self.taken = qty + (self.taken if self.taken_price == price else 0)
        self.taken_price = price
