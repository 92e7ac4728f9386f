"""The queue model that a user chose, whatever way it was named: by a word, the file of a fitted model, or three own functions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fills.fitted import FittedQueue, bundled, read_fitted, tick_regimes
from fills.own_queue import OwnQueue
from fills.queue import QUEUE_FIT, QueueModel
from replay.errors import UsageError

if TYPE_CHECKING:
    from replay.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenQueue:
    """Hold a queue model and, where it is a fitted one, its parameters by tick regime."""

    model: QueueModel | OwnQueue
    fitted: Mapping[str, FittedQueue] = field(default_factory=dict)

    def fits(self, session: Session, symbols: Sequence[str], wanted: Collection[str]) -> np.ndarray | None:
        """Return the parameters for each symbol of a session; None where the model has none.

        Parameters
        ----------
        session : Session
            Tells the tick regimes.
        symbols : sequence of str
            The symbols of the rows.
        wanted : collection of str
            Those that orders may be sent for; the others' regimes are not asked.

        Raises
        ------
        UsageError
            The model was fitted on another tick regime than that of a symbol.
        """
        if not self.fitted:
            return None
        rows = np.zeros(len(symbols), QUEUE_FIT)
        rows[:] = next(iter(self.fitted.values())).row
        present = [name for name in symbols if name in wanted and name in session.symbols]
        for name, (regime, spread) in tick_regimes(session, present).items():
            rows[list(symbols).index(name)] = self._of(regime, name, spread).row
        return rows

    def _of(self, regime: str, symbol: str, spread: float) -> FittedQueue:
        if regime in self.fitted:
            return self.fitted[regime]
        model = next(iter(self.fitted.values()))
        raise UsageError(
            f"the queue model `{model.name}` was fitted on a {model.tick_regime} tick; the spread of {symbol} is {spread:g} "
            f"ticks, a {regime} tick: fit one on its like (`replay fit fills`), leave it out with --symbols, or choose `fitted`, "
            "which holds one of each"
        )

    @property
    def facts(self) -> dict[str, str]:
        """Return what the manifest of a run says of it."""
        return {model.name: model.digest for model in self.fitted.values()}


def choose_queue(queue: QueueModel | OwnQueue | FittedQueue | str | Path) -> ChosenQueue:
    """Return the queue model that a user named.

    Parameters
    ----------
    queue : QueueModel, OwnQueue, FittedQueue, str or Path
        A word (`behind_first`), the path of a fitted model (`*.toml`), or the object itself.

    Raises
    ------
    UsageError
        For an unknown word, or a file that holds no fitted model.
    """
    if isinstance(queue, OwnQueue):
        return ChosenQueue(model=queue)
    if isinstance(queue, str | Path) and str(queue).endswith(".toml"):
        queue = read_fitted(queue)
    if isinstance(queue, FittedQueue):
        return ChosenQueue(model=QueueModel.FITTED, fitted={queue.tick_regime: queue})
    model = QueueModel(str(queue))
    return ChosenQueue(model=model, fitted=bundled() if model is QueueModel.FITTED else {})
