"""Cost of a round trip, from design row 6's original."""

import math


def spread(bid, ask, bid_qty, ask_qty):
    if min(bid, ask, bid_qty, ask_qty) <= 0 or bid > ask:
        return math.nan
    return (ask - bid) / ((bid + ask) / 2) * 10_000


def cost(spread_bps, vol_bps_per_min, horizon_min, share=0.15):
    if math.isnan(vol_bps_per_min) or vol_bps_per_min <= 0:
        return math.nan
    vol_bps_per_5min = vol_bps_per_min * math.sqrt(5)
    return spread_bps + share * vol_bps_per_5min * math.sqrt(horizon_min / 5)
