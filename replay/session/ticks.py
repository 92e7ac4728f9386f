"""The price step in force at a price: the symbol's own, or that of Rule 612 below one dollar.

17 CFR 242.612 sets the step of US stocks below one dollar at a hundredth of a cent. Who trades in cents, or in half cents once
they are allowed, trades so there; a symbol with a step of its own, or a contract with a multiplier, keeps it at every price.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from replay.session.manifest import SymbolInfo

LOW_EDGE_USD = 1
LOW_STEPS_PER_USD = 10_000
OWN_STEPS_PER_USD = (100, 200)


def ticks_by_name(symbols: Sequence[SymbolInfo], scale: int) -> dict[str, tuple[int, int]]:
    """Return for each symbol its tick and the one below a dollar, in price units."""
    low = max(scale // LOW_STEPS_PER_USD, 1)
    own = {scale // steps for steps in OWN_STEPS_PER_USD if scale % steps == 0}
    return {info.name: (info.tick, low if info.tick in own and info.multiplier == 1 else info.tick) for info in symbols}


def is_off_tick(price: np.ndarray, ticks: Mapping[str, np.ndarray], scale: int) -> np.ndarray:
    """Tell which prices are no multiple of the tick in force there.

    Parameters
    ----------
    price : numpy.ndarray
        Price units; 0 is on every grid.
    ticks : mapping of str to numpy.ndarray
        `tick` and `low_tick` of each row's symbol.
    scale : int
        Price units per dollar.
    """
    tick = np.where(price < LOW_EDGE_USD * scale, ticks["low_tick"], ticks["tick"])
    return np.asarray(price % np.maximum(tick, 1) != 0)
