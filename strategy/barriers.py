"""Barrier gates: may this side be entered, given where the price is likely to peak or to bottom?

Design row 8 replaces nothing: the *original* form lets every decision pass, and so does `off`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from replay.jit import kernel
from replay.settings import as_row
from strategy.decision import DECISION, LEG, Reason
from strategy.modes import mode_setting


@dataclass(frozen=True, slots=True, kw_only=True)
class BarrierSettings:
    """Settings of the barrier gates."""

    mode: str = mode_setting()


@kernel
def block(decision, legs, n, params):  # noqa: ARG001 - one signature for all forms
    """Return 0: the original blocks nothing."""
    return 0


class BarrierGate:
    """Judge a side against the barrier probabilities, from plain numbers.

    Parameters
    ----------
    settings : BarrierSettings, optional
    **changes
        Single settings, by name, where no `settings` are given.

    Examples
    --------
    >>> BarrierGate().judge(side=1, p_peak=0.9, p_valley=0.1)
    (1, <Reason.TARGET_SET: 0>)
    """

    def __init__(self, settings: BarrierSettings | None = None, **changes: Any) -> None:
        self.settings = settings or BarrierSettings(**changes)
        self._params = as_row(self.settings)
        self._legs = np.zeros(1, LEG)
        self._decision = np.zeros(1, DECISION)

    def judge(self, side: int, p_peak: float, p_valley: float) -> tuple[int, Reason]:
        """Return the side that may be entered (0 = none) and why; reason TARGET_SET (0) = go on."""
        self._legs["p_peak"] = p_peak
        self._legs["p_valley"] = p_valley
        self._legs["is_alive"] = 1
        self._decision["side"] = side
        reason = Reason(block(self._decision, self._legs, 1, self._params))
        return (side if reason == 0 else 0), reason
