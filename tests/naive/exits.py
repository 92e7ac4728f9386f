"""The exit rules, from their docstring, for one position in plain numbers."""


class Trade:
    """What is remembered of a position: side, entry price, stop price and horizon."""

    def __init__(self):
        self.side = 0
        self.stop = None
        self.end = 0

    def fill(self, qty, cost, plan_side, plan_is_exit, plan_end, sigma_bps, stop_sigmas):
        """Take in a fill of a plan after which `qty` shares are held for `cost`."""
        if qty == 0:
            self.__init__()
        elif not plan_is_exit and plan_side * qty > 0 and plan_end > 0:
            if self.side * qty <= 0:
                self.side = plan_side
                entry2 = (2 * cost) // qty
                distance_bps = stop_sigmas * sigma_bps
                self.stop = None
                if 0 < distance_bps < 10_000:  # NaN is no distance
                    self.stop = entry2 - plan_side * int(entry2 * distance_bps / 10_000)
            self.end = plan_end
        elif self.side * qty <= 0:
            self.__init__()

    def exit(self, qty, now, close, flat_min, mid2):
        """Name the exit that holds; `mid2` None = no usable quote."""
        if qty == 0:
            return None
        if close > 0 and now >= close - flat_min * 60_000_000_000:
            return "EXIT_FLAT_BEFORE_CLOSE"
        planned = self.side * qty > 0
        if planned and self.stop and mid2 is not None and self.side * (mid2 - self.stop) <= 0:
            return "EXIT_STOP"
        if not planned or now >= self.end:
            return "EXIT_HORIZON"
        return None


def opposite(qty, legs):
    """Tell whether a living leg is open against the position and none is open for it; legs are (is_alive, side)."""
    open_sides = {side for is_alive, side in legs if is_alive and side}
    own = 1 if qty > 0 else -1
    return bool(qty) and -own in open_sides and own not in open_sides
