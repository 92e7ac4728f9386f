"""What the cost model keeps: what own fills taught it, what it said when they were decided, and what settings imply."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from replay.bundle import bundle

PARTS = np.dtype([("spread", "f8"), ("vol", "f8"), ("impact", "f8"), ("fee", "f8"), ("residual", "f8")], align=True)

TERM = np.dtype(
    [
        ("work_min", "f8"),  # working time of an entry
        ("order_usd", "f8"),  # value of a full position
    ],
    align=True,
)

RESIDUAL = np.dtype(
    [
        ("mean_bps", "f8"),  # realised less said, of a round trip
        ("weight", "f8"),  # whole orders filled
    ],
    align=True,
)

LEAVES = 1
SCALES_OUT = 2

SAID = np.dtype(
    [
        ("decision_id", "i8"),  # 0 = none, or of a day that is over
        ("column", "i8"),  # horizon that is charged
        ("mid2", "i8"),  # at the decision
        ("qty", "i8"),  # what was to be traded, unsigned; 0 = nothing is known of an entry
        ("is_exit", "i8"),  # 0, LEAVES or SCALES_OUT
        ("base_bps", "f8"),  # spread, vol and impact of the round trip
    ],
    align=True,
)


@bundle
class Costs(NamedTuple):
    """State of the cost model."""

    residuals: np.ndarray  # RESIDUAL (n_symbols, n_horizons)
    pool: np.ndarray  # RESIDUAL (1,), of all symbols and horizons
    said: np.ndarray  # SAID (n_symbols, 2): the newest decision that went to the planner, and the one before
    parts: np.ndarray  # PARTS (1,), scratch
    params: np.ndarray  # TERM (n_horizons,), from the settings of planner, sizing and risk


def new_costs(n_symbols: int, work_ns: Sequence[int], order_usd: float = math.nan) -> Costs:
    """Return a cost model that has seen no fill.

    Parameters
    ----------
    n_symbols : int
    work_ns : sequence of int
        Working time of an entry, one per horizon.
    order_usd : float
        Value of a full position.
    """
    params = np.zeros(len(work_ns), TERM)
    params["work_min"] = np.array(work_ns) / 60e9
    params["order_usd"] = order_usd
    return Costs(
        residuals=np.zeros((n_symbols, len(work_ns)), RESIDUAL),
        pool=np.zeros(1, RESIDUAL),
        said=np.zeros((n_symbols, 2), SAID),
        parts=np.zeros(1, PARTS),
        params=params,
    )
