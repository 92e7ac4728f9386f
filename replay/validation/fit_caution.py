"""How far to trust that those ahead leave: the caution of a fitted queue model.

The odds that a cancelled share stood ahead are estimated on all cancels alike. What is ahead then is a mean, and an order fills
by what really stands there: over the life of an order a mean that leaves a little too early makes a fill that never was, one that
leaves a little too late makes one that is late. Caution lowers the log-odds by one number for all cancels. It is the one of a few
with the best Brier score of "filled within 0.1, 1, 5, 30 s" on the orders that the odds were learned from; among equals the one
under which most shadows meet the fate of their order (filled at its instant, or not filled where it was cancelled).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from fills.fitted import FittedQueue
from replay.validation.fit_scores import squared_error
from replay.validation.outcomes import Verdict, judge
from replay.validation.shadows import play_shadows

if TYPE_CHECKING:
    import pandas as pd

    from replay.session import Session

CAUTIONS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)  # log-odds


def with_caution(model: FittedQueue, sessions: Sequence[Session], orders: pd.DataFrame) -> FittedQueue:
    """Return the model with the caution under which its shadows do best; the least of equals."""
    tried = [replace(model, parameters={**model.parameters, "caution": caution}) for caution in CAUTIONS]
    return max(tried, key=lambda other: shadow_merit(other, sessions, orders))


def shadow_merit(model: FittedQueue, sessions: Sequence[Session], orders: pd.DataFrame) -> tuple[float, int]:
    """Return how good the shadows of orders are: the squared errors of "filled in time" (negative), and the fates they meet."""
    error, met = 0.0, 0
    for number, session in enumerate(sessions):
        own = orders[orders["session"] == number]
        got = play_shadows(session, own, model)
        error += float(squared_error(own, got).sum())
        met += int(judge(own, got)["verdict"].isin([Verdict.SAME, Verdict.RIGHT]).sum())
    return -error, met
