"""The message budget, from its docstring: a list of all messages ever."""

WINDOW = 60_000_000_000


class Budget:
    def __init__(self, limit):
        self.limit = limit
        self.messages = []

    def left(self, now):
        return max(0, self.limit - sum(1 for stamp in self.messages if now - WINDOW < stamp <= now))

    def take(self, count, now):
        if count > self.left(now):
            return 0
        self.messages += [now] * count
        return 1

    def cancel(self, now):
        self.messages.append(now)
