"""Fixed times of day, from the docstring: go on once per window."""


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
