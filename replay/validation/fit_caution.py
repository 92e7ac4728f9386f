"""How far to trust that those ahead leave: the caution of a fitted queue model.

The odds that a cancelled share stood ahead are estimated on all cancels alike. What is ahead then is a mean, and an order fills
by what really stands there: over the life of an order a mean that leaves a little too early makes a fill that never was, one that
leaves a little too late makes one that is late. Caution lowers the log-odds by one number for all cancels. It is the one of a few
under which the shadows of most real orders meet the fate of their order (filled at its instant, or not filled where it was
cancelled), on the same orders that the odds were learned from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fills.fitted import FittedQueue
from replay.validation.outcomes import Verdict, judge
from replay.validation.shadows import play_shadows

if TYPE_CHECKING:
    import pandas as pd

    from replay.session import Session

CAUTIONS = (0.0, 0.5, 1.0, 1.5)  # log-odds


def with_caution(model: FittedQueue, sessions: Sequence[Session], orders: pd.DataFrame) -> FittedQueue:
    """Return the model with the caution under which it meets most fates of the orders; the least of equals."""
    tried = [replace(model, parameters={**model.parameters, "caution": caution}) for caution in CAUTIONS]
    met = [fates_met(other, sessions, orders) for other in tried]
    return tried[int(np.argmax(met))]


def fates_met(model: FittedQueue, sessions: Sequence[Session], orders: pd.DataFrame) -> int:
    """Return how many orders' shadows are filled at the real instant, or not filled where the order was cancelled."""
    met = 0
    for number, session in enumerate(sessions):
        own = orders[orders["session"] == number]
        verdict = judge(own, play_shadows(session, own, model))["verdict"]
        met += int(verdict.isin([Verdict.SAME, Verdict.RIGHT]).sum())
    return met
