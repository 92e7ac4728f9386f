"""Cost of a round trip, from design row 6: the original, and the enhanced with its residual."""

import math

from tests.naive.added import added


def spread(bid, ask, bid_qty, ask_qty):
    if min(bid, ask, bid_qty, ask_qty) <= 0 or bid > ask:
        return math.nan
    return (ask - bid) / ((bid + ask) / 2) * 10_000


def cost(spread_bps, vol_bps_per_min, horizon_min, share=0.15):
    if math.isnan(vol_bps_per_min) or vol_bps_per_min <= 0:
        return math.nan
    vol_bps_per_5min = vol_bps_per_min * math.sqrt(5)
    return spread_bps + share * vol_bps_per_5min * math.sqrt(horizon_min / 5)


def fee_usd(qty, price_usd, n_children, rates):
    """Commission of one side, child by child; shares need not be whole."""
    per_share, minimum, cap = rates
    return added(min(max(per_share * qty / n_children, minimum), cap * price_usd * qty / n_children) for _ in range(n_children))


def enhanced(spread_bps, vol_bps, work_min, order, volume_per_min, residual, *, n_children=1, rates=(0.005, 1.0, 0.01)):
    """Return the five parts; `order` is (shares, price)."""
    qty, price_usd = order
    if math.isnan(vol_bps) or vol_bps <= 0:
        vol = impact = math.nan
    else:
        share = qty / (volume_per_min * work_min) if volume_per_min > 0 else math.inf
        vol = 0.15 * vol_bps * work_min**0.5
        impact = 0.142 * (vol_bps * 390**0.5) * min(share, 1.0) ** 0.6
    fee = 2 * fee_usd(qty, price_usd, n_children, rates) / (qty * price_usd) * 10_000
    base = spread_bps + vol + impact
    return [spread_bps, vol, impact, fee, max(residual, -base)]


class Residual:
    """Every fill is kept; averages are made anew from all of them."""

    def __init__(self, half_life, prior, most):
        self.half_life, self.prior, self.most = half_life, prior, most
        self.fills = []

    def learn(self, cell, side, price, mid, said, weight):
        realised = 2 * 10_000 * side * (price - mid) / mid
        self.fills.append((cell, max(-self.most, min(self.most, realised - said)), weight))

    def average(self, chosen):
        """Return mean and how much it is believed."""
        total, mean = 0.0, 0.0
        for _, surprise, weight in chosen:
            total += weight
            step = max(weight / total, 1 - 0.5 ** (weight / self.half_life))
            mean = (1 - step) * mean + step * surprise
        n = min(total, 2 * self.half_life / math.log(2))
        return mean, n / (n + self.prior)

    def value(self, cell):
        pool, belief = self.average(self.fills)
        own, own_belief = self.average([fill for fill in self.fills if fill[0] == cell])
        return own_belief * own + (1 - own_belief) * belief * pool
