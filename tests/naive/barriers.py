"""The barrier gates, from the docstring of `strategy/barriers.py`."""


def judge(side, p_peak, p_valley):
    """Return the side the original lets pass."""
    return side


def largest(values):
    known = [value for value in values if 0 <= value <= 1]
    return max(known) if known else None


def enter(side, peaks, valleys):
    """Return the side that may be entered; `peaks` and `valleys` are what the living horizons say."""
    against = largest(peaks if side > 0 else valleys)
    return 0 if against is not None and against > 0.6 else side


class Trade:
    """One position of `qty` (signed), prices in whole units that count double."""

    def __init__(self, qty, entry, stop):
        self.qty, self.entry, self.stop, self.distance = qty, entry, stop, abs(entry - stop)
        self.side = 1 if qty > 0 else -1
        self.supported = self.scaled = False

    def see(self, mid, peaks, valleys):
        against, support = largest(peaks), largest(valleys)
        if self.side < 0:
            against, support = support, against
        if support is not None and support >= 0.3:
            self.supported = True
        elif support is not None and self.supported:
            self.supported = False
            closer = mid - self.side * int(self.distance * 0.5)
            if self.stop != 0:
                self.stop = max(self.stop, closer) if self.side > 0 else min(self.stop, closer)
        if against is not None and against > 0.65 and not self.scaled:
            out = int(abs(self.qty) * 0.5)
            self.scaled = out > 0
            self.qty -= self.side * out
        return self.qty, self.stop
