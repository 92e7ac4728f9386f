"""The table of forecasts of one symbol, from the docstring of `strategy/forecasts.py`."""

import math

Z = 1.2815515655446004


def sound(mu, sigma, lo, hi):
    return math.isfinite(mu) and math.isfinite(sigma) and sigma > 0 and not math.isinf(lo) and not math.isinf(hi)


def quantiles(mu, sigma, lo, hi):
    """Return (lo, hi) of a sound forecast, the reason of a broken one."""
    if not sound(mu, sigma, lo, hi):
        return "FORECAST_NAN"
    lo = mu - Z * sigma if math.isnan(lo) else lo
    hi = mu + Z * sigma if math.isnan(hi) else hi
    return (lo, hi) if lo <= hi else "FORECAST_CROSSED"


class Table:
    def __init__(self, horizons):
        self.held = dict.fromkeys(horizons)

    def take(self, horizon, close, mu, sigma, lo, hi):
        if horizon not in self.held:
            return "UNKNOWN_HORIZON"
        if self.held[horizon] and close < self.held[horizon][0]:
            return "FORECAST_OLD"
        self.held[horizon] = (close, mu, quantiles(mu, sigma, lo, hi))
        found = self.held[horizon][2]
        return found if isinstance(found, str) else "TARGET_SET"

    def load(self):
        """Return the reason and, for each living horizon, (mu, lo, hi)."""
        alive = {h: (cell[1], *cell[2]) for h, cell in self.held.items() if cell and not isinstance(cell[2], str)}
        if alive:
            return "TARGET_SET", alive
        broken = [cell[2] for cell in self.held.values() if cell]
        return (broken[-1] if broken else "NO_FORECAST"), alive
