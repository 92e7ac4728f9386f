"""Outcomes in plain Python: lists of records per column, and a price path to look the mid up in."""

import math


class Outcomes:
    """One symbol: records wait per horizon, oldest first."""

    def __init__(self, horizons_min, slots, close_ns):
        self.horizons_min, self.slots, self.close_ns = horizons_min, slots, close_ns
        self.waiting = [[] for _ in horizons_min]
        self.dropped = [0 for _ in horizons_min]

    def keep(self, k, forecast_id, now_ns, mid2):
        """Remember a forecast, or drop it when its outcome can never be known."""
        due_ns = now_ns + self.horizons_min[k] * 60_000_000_000
        if mid2 <= 0 or due_ns > self.close_ns:
            self.dropped[k] += 1
            return
        if len(self.waiting[k]) == self.slots:
            self.waiting[k].pop(0)
            self.dropped[k] += 1
        self.waiting[k].append((due_ns, forecast_id, mid2))

    def mature(self, now_ns, mid2):
        """Return (forecast_id, outcome, overlap) of all that were due strictly before `now_ns`, the earliest first."""
        found = []
        while True:
            due = [(column[0][0], k) for k, column in enumerate(self.waiting) if column and column[0][0] < now_ns]
            if not due:
                return found
            k = min(due)[1]
            overlap = len(self.waiting[k])
            _, forecast_id, mid2_then = self.waiting[k].pop(0)
            found.append((forecast_id, 10_000.0 * (mid2 - mid2_then) / mid2_then if mid2 > 0 else math.nan, overlap))
