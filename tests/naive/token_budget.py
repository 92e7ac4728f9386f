"""The token buckets, from their docstring, in tokens that are exact fractions."""

from fractions import Fraction
from math import ceil, floor

WINDOWS_NS = (60 * 10**9, 10**9)


class Tokens:
    def __init__(self, settings):
        self.settings = settings
        limits = (settings.messages_per_min, settings.messages_per_s)
        self.burst = [max(2, floor(limit * settings.burst_share)) for limit in limits]
        parts = zip(WINDOWS_NS, limits, self.burst, strict=True)
        self.interval = [ceil(Fraction(window, limit - burst + 1)) for window, limit, burst in parts]
        self.held = [Fraction(burst) for burst in self.burst]
        self.last = 0
        self.kept = self.day = self.executed = 0
        self.log = []

    def now_held(self, now):
        gap = max(0, now - self.last)
        return [min(Fraction(b), h + Fraction(gap, i)) for b, h, i in zip(self.burst, self.held, self.interval, strict=True)]

    def whole(self, now):
        return min(floor(held) for held in self.now_held(now))

    def left(self, now):
        return max(0, self.whole(now) - self.kept)

    def pay(self, now):
        self.held = [held - 1 for held in self.now_held(now)]
        self.last = max(self.last, now)
        self.day += 1
        self.log.append(now)

    def fits_day(self, wanted, need):
        most = max(self.settings.efficiency_from, self.settings.efficiency_max * (self.executed + 1))
        most *= self.settings.discretionary_share if need == "step" else 1
        return need == "exit" or self.day + self.kept + wanted <= most

    def new(self, now, need):
        if self.whole(now) < self.kept + 2 or not self.fits_day(2, need):
            return False
        self.kept += 1
        self.pay(now)
        return True

    def modify(self, now, need):
        if self.whole(now) < self.kept + 1 or not self.fits_day(1, need):
            return False
        self.pay(now)
        return True

    def cancel(self, now, is_kept):
        if not is_kept and self.whole(now) <= self.kept:
            return False
        self.kept -= is_kept
        self.pay(now)
        return True
