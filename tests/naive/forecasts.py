"""The table of forecasts of one symbol, from the docstring of `strategy/forecasts.py`."""

import math

Z = 1.2815515655446004


def sound(mu, sigma, lo, hi):
    return math.isfinite(mu) and math.isfinite(sigma) and sigma > 0 and not math.isinf(lo) and not math.isinf(hi)


def quantiles(mu, sigma, lo, hi):
    """Return (lo, hi) of a sound forecast, None for a broken one."""
    if not sound(mu, sigma, lo, hi):
        return None
    lo = mu - Z * sigma if math.isnan(lo) else lo
    hi = mu + Z * sigma if math.isnan(hi) else hi
    return (lo, hi) if lo <= hi else ((lo + hi) / 2, (lo + hi) / 2)


class Table:
    def __init__(self, horizons):
        self.held = dict.fromkeys(horizons)

    def take(self, horizon, close, mu, sigma, lo, hi):
        if horizon not in self.held:
            return "UNKNOWN_HORIZON"
        if self.held[horizon] and close < self.held[horizon][0]:
            return "FORECAST_OLD"
        self.held[horizon] = (close, mu, quantiles(mu, sigma, lo, hi))
        return "TARGET_SET" if self.held[horizon][2] else "FORECAST_NAN"

    def load(self):
        """Return the reason and, for each living horizon, (mu, lo, hi)."""
        alive = {h: (cell[1], *cell[2]) for h, cell in self.held.items() if cell and cell[2]}
        if alive:
            return "TARGET_SET", alive
        return ("FORECAST_NAN" if any(self.held.values()) else "NO_FORECAST"), alive
