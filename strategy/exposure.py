"""Exposure: what the book holds, or is about to, as shares of equity, and how much of it is the bet that is asked for.

What counts of a symbol is the larger of what is held and what its plan (or the intent that waits) works towards, so that
symbols that decide in one cycle see each other::

    x_j = qty_j mid_j / equity                                             signed
    G   = sum over j != s of |x_j|,    N = sum over j != s of x_j
    C   = side sum over j != s of rho*_sj (vol_j / vol_s) x_j              in units of symbol s

`C` is how much of symbol s would carry the same risk, as far as it moves along, as all the rest together; below zero the rest
hedges it. Without a quote the last two-sided mid stands in, then the cost.
"""

from typing import NamedTuple

import numpy as np

from replay.bundle import bundle
from replay.jit import kernel
from strategy.correlation import Correlation, is_known, new_correlation, shrunk_rho
from strategy.plan import IDLE
from strategy.touch import multiplier, touch_mid2

HOLDING = np.dtype(
    [
        ("share", "f8"),  # x_j
        ("vol_bps", "f8"),  # per minute; 0 = unknown
    ],
    align=True,
)

REST = np.dtype(
    [
        ("equity_usd", "f8"),
        ("volume_per_min", "f8"),  # of the symbol in question; 0 = unknown
        ("gross", "f8"),  # G
        ("net", "f8"),  # N
        ("alike", "f8"),  # C
        ("limit", "i8"),  # Reason of the limit that had the last word
        ("is_known", "i8"),  # 0 = a correlation or a volatility of what is held is not known
    ],
    align=True,
)


@bundle
class Exposure(NamedTuple):
    """What the risk limits look at."""

    correlation: Correlation
    holdings: np.ndarray  # HOLDING (n_symbols,), scratch
    rest: np.ndarray  # REST (1,), scratch


def new_exposure(n_symbols: int) -> Exposure:
    """Return an empty book of symbols of which nothing was seen."""
    return Exposure(new_correlation(n_symbols), np.zeros(n_symbols, HOLDING), np.zeros(1, REST))


@kernel
def read_book(desk, planner, features, equity_usd, exposure):
    """Write the holdings of all symbols; a book without equity holds nothing."""
    exposure.rest[0]["equity_usd"] = equity_usd
    for j in range(len(exposure.holdings)):
        holding = exposure.holdings[j]
        holding["vol_bps"] = features[j]["vol_bps"]
        holding["share"] = 0.0
        qty = committed_qty(j, desk.positions, planner)
        if qty != 0 and equity_usd > 0.0:
            holding["share"] = qty * _unit_usd(j, desk, features) / equity_usd


@kernel
def committed_qty(s, positions, planner):
    """Return the larger of what is held, what is worked towards and what waits; what is held where they are equal."""
    qty = positions[s]["qty"]
    plan = planner.plans[s]
    intent = planner.intents[s]
    if plan["state"] != IDLE and abs(plan["target_qty"]) > abs(qty):
        qty = plan["target_qty"]
    if intent["is_set"] and abs(intent["target_qty"]) > abs(qty):
        qty = intent["target_qty"]
    return qty


@kernel
def _unit_usd(s, desk, features):
    scale = desk.clock[0]["scale"]
    position = desk.positions[s]
    mid2 = touch_mid2(s, desk.book)
    if mid2 == 0:
        mid2 = features[s]["mid2"]
    if mid2 == 0 and position["qty"] != 0:
        return position["cost"] / position["qty"] * multiplier(s, desk.book) / scale
    return 0.5 * mid2 * multiplier(s, desk.book) / scale


@kernel
def weigh_rest(s, side, exposure, params):
    """Write what all other symbols hold, gross, net and alike to a bet on `side` of symbol `s`."""
    holdings = exposure.holdings
    rest = exposure.rest[0]
    rest["gross"] = 0.0
    rest["net"] = 0.0
    rest["alike"] = 0.0
    rest["is_known"] = 1
    vol_bps = holdings[s]["vol_bps"]
    for j in range(len(holdings)):
        share = holdings[j]["share"]
        if j != s and share != 0.0:
            rest["gross"] += abs(share)
            rest["net"] += share
            ratio = 1.0
            if vol_bps > 0.0 and holdings[j]["vol_bps"] > 0.0:
                ratio = holdings[j]["vol_bps"] / vol_bps
            else:
                rest["is_known"] = 0
            if not is_known(s, j, exposure.correlation, params):
                rest["is_known"] = 0
            rest["alike"] += side * shrunk_rho(s, j, exposure.correlation, params) * ratio * share
