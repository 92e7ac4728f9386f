"""What a shadow got beside what the real order got.

Of a real order that was filled, the shadow's verdict is SAME (the last of it filled within a microsecond of the real time; on a
feed that knows the time less well, within what it can tell apart), EARLIER, LATER or NEVER (within 30 s after the real fill). Of
a real order that was cancelled without a fill it is WRONG as soon as the shadow got a single share before the cancel, else RIGHT.

The chance of a fill within a horizon h after arrival. One simulation says 0 or 1. Several readings of what the recording cannot
know (pessimistic, expected, optimistic) make a chance: the share of the readings that were filled in time, 0, 1/3, 2/3 or 1. The
real order's answer is 1 where it was filled within h. Cancelled orders answer 0, and their shadows were withdrawn at the same
moment: fate and forecast are censored alike.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from replay.validation.book import SECOND_NS
from replay.validation.shadows import NEVER_NS

if TYPE_CHECKING:
    import pandas as pd

SAME_NS = 1_000
HORIZONS_S = (0.1, 1.0, 5.0, 30.0)


class Verdict(IntEnum):
    """How a shadow's fate compares with the real one."""

    SAME = 0
    EARLIER = 1
    LATER = 2
    NEVER = 3
    WRONG = 4
    RIGHT = 5


def judge(shadows: pd.DataFrame, got: pd.DataFrame, same_ns: int = SAME_NS) -> pd.DataFrame:
    """Return verdict and time error of each shadow.

    Parameters
    ----------
    shadows : pandas.DataFrame
        Rows of `shadow_orders`.
    got : pandas.DataFrame
        What `play_shadows` returned for them.
    same_ns : int
        How far apart the same instant may be: a microsecond, or what the clock of a poorer feed can tell apart.

    Returns
    -------
    pandas.DataFrame
        `verdict` (a `Verdict`), `error_s` (shadow less real, NaN where one of them was not filled).
    """
    import pandas as pd

    is_filled = shadows["is_filled"].to_numpy(bool)
    whole_ns, real_ns = got["whole_ns"].to_numpy(), shadows["fill_ns"].to_numpy()
    is_whole = whole_ns < NEVER_NS
    late_ns = np.where(is_filled & is_whole, whole_ns - real_ns, 0)
    verdict = np.select(
        [~is_filled & (got["filled_qty"].to_numpy() > 0), ~is_filled, ~is_whole, late_ns < -same_ns, late_ns > same_ns],
        [Verdict.WRONG, Verdict.RIGHT, Verdict.NEVER, Verdict.EARLIER, Verdict.LATER],
        Verdict.SAME,
    )
    error_s = np.where(is_filled & is_whole, late_ns / SECOND_NS, np.nan)
    return pd.DataFrame({"verdict": verdict.astype(np.int8), "error_s": error_s}, index=shadows.index)


def filled_within(shadows: pd.DataFrame, whole_ns: np.ndarray, horizon_s: float) -> np.ndarray:
    """Return 1.0 for each order that was wholly filled within a horizon of its arrival, else 0.0."""
    until_ns = shadows["arrival_ns"].to_numpy() + int(horizon_s * SECOND_NS)
    return np.asarray(whole_ns <= until_ns, np.float64)
