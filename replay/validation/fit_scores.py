"""Score a fitted queue model on stretches of time it was not fitted on, beside the textbook rules on the same orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fills.fitted import FittedQueue
from fills.queue import QueueModel
from replay.validation.bootstrap import Blocks, blocks_of_time
from replay.validation.outcomes import HORIZONS_S, Verdict, filled_within, judge
from replay.validation.shadows import play_shadows

if TYPE_CHECKING:
    import pandas as pd

    from replay.session import Session

BLOCK_S = 30.0
_OF_FILLED = {"same": Verdict.SAME, "earlier": Verdict.EARLIER, "later": Verdict.LATER, "never": Verdict.NEVER}
FITTED = "fitted"


class Fold(NamedTuple):
    """Rows of orders left out, and the model fitted without their stretch of time."""

    rows: np.ndarray
    model: FittedQueue


def cross_validated(
    sessions: Sequence[Session],
    orders: pd.DataFrame,
    folds: Sequence[Fold],
    textbook: Sequence[QueueModel],
    how: tuple[int, int, Callable[[int, int, str], None], int],
) -> pd.DataFrame:
    """Return the scores, a row per kind of order and queue model.

    Parameters
    ----------
    sessions : sequence of Session
        Those that the column `session` of the orders counts.
    orders : pandas.DataFrame
        Rows of `shadow_orders`.
    folds : sequence of Fold
        The cross-validation of the fitted model.
    textbook : sequence of QueueModel
        Rules without parameters of their own.
    how : tuple
        Draws and seed of the bootstrap, progress and its number of steps.
    """
    import pandas as pd

    resamples, seed, tell, total = how
    blocks = Blocks(blocks_of_time(orders["session"].to_numpy(), orders["arrival_ns"].to_numpy(), BLOCK_S), resamples, seed)
    parts = []
    for k, fold in enumerate(folds):
        tell(1 + k, total, f"playing stretch {k + 1} of {len(folds)}")
        parts.append(_played(sessions, orders.iloc[fold.rows], fold.model))
    found = _scored(orders, FITTED, pd.concat(parts).loc[orders.index], blocks)
    for k, model in enumerate(textbook):
        tell(1 + len(folds) + k, total, f"playing {model.value}")
        found += _scored(orders, model.value, _played(sessions, orders, model), blocks)
    return pd.DataFrame(found)


def _played(sessions: Sequence[Session], orders: pd.DataFrame, model: FittedQueue | QueueModel) -> pd.DataFrame:
    import pandas as pd

    parts = [play_shadows(session, orders[orders["session"] == k], model) for k, session in enumerate(sessions)]
    return pd.concat(parts)


def _scored(orders: pd.DataFrame, model: str, got: pd.DataFrame, blocks: Blocks) -> list[dict[str, Any]]:
    """Return a row per kind of order."""
    verdict = judge(orders, got)["verdict"].to_numpy()
    is_filled = orders["is_filled"].to_numpy(float)
    columns = {name: ((verdict == code).astype(float), is_filled) for name, code in _OF_FILLED.items()}
    columns["wrong"] = ((verdict == Verdict.WRONG).astype(float), 1.0 - is_filled)
    columns["brier"] = (squared_error(orders, got), np.ones(len(orders)))
    rows = []
    for kind in sorted(orders["kind"].unique(), reverse=True):
        which = np.flatnonzero(orders["kind"].to_numpy() == kind)
        row: dict[str, Any] = {"kind": kind, "model": model}
        for name, (part, whole) in columns.items():
            found = blocks.ratio(part, whole, which)
            row |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
        rows.append(row)
    return rows


def squared_error(orders: pd.DataFrame, got: pd.DataFrame) -> np.ndarray:
    """Return the squared error of "filled within each horizon", averaged over the horizons."""
    total = np.zeros(len(orders))
    for horizon_s in HORIZONS_S:
        said = filled_within(orders, got["whole_ns"].to_numpy(), horizon_s)
        total += (said - filled_within(orders, orders["fill_ns"].to_numpy(), horizon_s)) ** 2
    return total / len(HORIZONS_S)
