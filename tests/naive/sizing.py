"""Sizing and the cap per name, from design section 6, in exact fractions."""

import math
from fractions import Fraction


def share(quality, net_bps, sigma_bps, settings):
    if not all(math.isfinite(x) and x > 0 for x in (quality, net_bps, sigma_bps)):
        return Fraction(0)
    edge = Fraction(net_bps) / 10_000
    variance = (Fraction(sigma_bps) / 10_000) ** 2
    return Fraction(quality) * min(Fraction(settings.name_cap), Fraction(settings.edge_weight) * edge / variance)


def shares(value_usd, mid_usd, lot):
    """Return the exact number of shares and the whole lots in it."""
    exact = Fraction(value_usd) / Fraction(mid_usd)
    return exact, math.floor(exact / lot) * lot
