"""What a fitted model has learned of prints: how much of one reaches the queue (rule 10), and whom it passes by (rule 8).

    reaches    qty x venue_share          of a print that names no venue; 0 = not learned, the band's share stands
               x (1 - hidden_share)       where the feed does not tell which prints met hidden orders
    through    x (1 - passed_share)       of a print beyond our price trades with us, where the band lets such prints fill

In the optimistic band all of a print counts. In the pessimistic one fractions are cut and no share is larger than the band's own.
"""

import math

from fills.bands import FIT_AT_MOST, FIT_NOTHING, MILLION
from replay.events import Flag
from replay.jit import kernel
from replay.orders import Evidence

NO_VENUE = int(Flag.NO_VENUE)


@kernel
def fitted_qty(event, band_qty, venue):
    """Return how much of a print reaches our queue by the shares of its symbol; `band_qty` is what the band alone says."""
    ctl = venue.ctl[0]
    choice = venue.choices[ctl["evidence"]]
    if band_qty <= 0 or choice["fit"] == FIT_NOTHING:
        return band_qty
    fit = venue.fits[ctl["symbol"]]
    qty = band_qty
    if (event["flags"] & NO_VENUE) != 0 and fit["venue_share"] > 0.0 and choice["has_own_share"] == 0:
        qty = _part(event["qty"], fit["venue_share"], choice)
        if choice["fit"] == FIT_AT_MOST:
            qty = min(qty, band_qty)
    if ctl["evidence"] != Evidence.MESSAGE_LEVEL:
        qty = _part(qty, 1.0 - fit["hidden_share"], choice)
    return qty


@kernel
def through_qty(qty, venue):
    """Return how much of a print trades with orders at better prices than its own."""
    ctl = venue.ctl[0]
    choice = venue.choices[ctl["evidence"]]
    if choice["fit"] == FIT_NOTHING:
        return qty
    return _part(qty, 1.0 - venue.fits[ctl["symbol"]]["passed_share"], choice)


@kernel
def _part(qty, share, choice):
    """Return a share of a quantity in whole shares, rounded as the band rounds."""
    return math.floor(qty * share + choice["no_venue_round_ppm"] / MILLION)
