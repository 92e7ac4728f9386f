"""The rebalance trigger from its docstring: once per window, or for a reason of its own."""

import math


class Clock:
    def __init__(self, times, window):
        self.times = sorted(times)
        self.window = window
        self.last = {}

    def go_on(self, symbol, now):
        come = [time for time in self.times if time <= now]
        if not come or now >= come[-1] + self.window or self.last.get(symbol, -1) >= come[-1]:
            return False
        self.last[symbol] = now
        return True


class Trigger:
    """The enhanced form with its default numbers."""

    def __init__(self, times, window):
        self.clock = Clock(times, window)
        self.regimes = {}

    def judge(self, symbol, now, share, spread, net, sigma, horizon, regime):
        confident = net > 0 and 0 < sigma < math.inf and net / (sigma / math.sqrt(horizon)) > 2
        reasons = [share == 0, share > 0.008]
        reasons += [share > 0.002 and spread < 5 and confident, share > 0.002 and self.regimes.get(symbol, regime) != regime]
        if math.isnan(share) or not (any(reasons) or self.clock.go_on(symbol, now)):
            return False
        self.regimes[symbol] = regime
        self.clock.last[symbol] = now
        return True
