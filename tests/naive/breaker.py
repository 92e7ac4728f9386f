"""A circuit breaker from its rules: a word and a list."""


class Breaker:
    def __init__(self, most, window, cool_down, cool_down_max):
        self.most, self.window, self.cool_down, self.cool_down_max = most, window, cool_down, cool_down_max
        self.trials_failed = 0
        self.state, self.opened, self.openings, self.failures = "closed", None, 0, []

    def may_act(self, now):
        if self.state == "open" and now >= self.opened + min(self.cool_down * 2**self.trials_failed, self.cool_down_max):
            self.state = "half-open"
        return self.state in ("closed", "half-open")

    def sound(self):
        if self.state == "half-open":
            self.state, self.failures = "closed", []

    def failed(self, now):
        if self.state == "open":
            return
        self.failures.append(now)
        recent = [time for time in self.failures if now - time <= self.window]
        if self.state == "half-open" or len(recent) >= self.most:
            self.trials_failed = self.trials_failed + 1 if self.state == "half-open" else 0
            self.state, self.opened, self.failures = "open", now, []
            self.openings += 1
