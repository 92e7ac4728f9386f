"""The default pipeline in anybody's loop: events in, requests out."""

from collections.abc import Sequence

import numpy as np

from replay.desk import Block, Desk
from replay.errors import CapacityError
from replay.events import BAR, FORECAST
from strategy.pipeline import advance
from strategy.pipeline_state import PipelineState


class DecisionPipeline:
    """The default pipeline for anybody's loop: events in, requests out.

    Market events and the answers to own orders go through `process` in the order in which they came; what it returns has to be
    sent to the broker. Cutting the stream into other blocks changes nothing. Timers fire when an event of their time
    or later comes; a CLOCK event carries time through silence.

    Parameters
    ----------
    desk : Desk
        Its tables must hold two decisions and three requests per symbol at least.
    state : PipelineState
        From `build_state`, after `start_day`.

    Attributes
    ----------
    decisions, cycles : ndarray of DECISION and of CYCLE
        What the last call of `process` journalled.
    """

    def __init__(self, desk: Desk, state: PipelineState) -> None:
        n_symbols = len(desk.book)
        if len(desk.decisions) < 2 * n_symbols or len(desk.cycles) < 1 or len(desk.requests) < 3 * n_symbols:
            raise CapacityError(
                f"the desk is too small for {n_symbols} symbols: expected at least {2 * n_symbols} decisions, 1 cycle and "
                f"{3 * n_symbols} requests, got {len(desk.decisions)}, {len(desk.cycles)} and {len(desk.requests)}"
            )
        self.desk = desk
        self.state = state
        self.decisions = desk.decisions[:0].copy()
        self.cycles = desk.cycles[:0].copy()

    def process(self, events: np.ndarray, bars: np.ndarray | None = None, forecasts: np.ndarray | None = None) -> np.ndarray:
        """Take a run of events and return the requests they led to.

        Parameters
        ----------
        events : ndarray of EVENT
            In order of `(ts_ns, seq)`; prices and sizes as the desk holds them.
        bars, forecasts : ndarray of BAR and of FORECAST, optional
            The side tables that `row` of BAR and FORECAST events points into.

        Returns
        -------
        ndarray of REQUEST
        """
        block = Block(events, _table(bars, BAR), _table(forecasts, FORECAST))
        parts: list[Sequence[np.ndarray]] = []
        i = 0
        while i < len(events):
            i = int(advance(i, block, self.desk, self.state))
            parts.append(self._drain())
        requests, decisions, cycles = zip(*parts, strict=True) if parts else ((), (), ())
        self.decisions = np.concatenate([self.desk.decisions[:0], *decisions])
        self.cycles = np.concatenate([self.desk.cycles[:0], *cycles])
        return np.concatenate([self.desk.requests[:0], *requests])

    def _drain(self) -> Sequence[np.ndarray]:
        """Copy what came out, empty the tables, and stop on a capacity that draining cannot mend."""
        clock = self.desk.clock[0]
        if clock["status"]:
            raise CapacityError(
                f"an order or request table of the desk is full at {int(clock['now_ns'])} ns (code {int(clock['status'])}); "
                f"build the desk with more order slots or requests"
            )
        tables = (self.desk.requests, self.desk.decisions, self.desk.cycles)
        counts = ("n_requests", "n_decisions", "n_cycles")
        rows = [table[: clock[count]].copy() for table, count in zip(tables, counts, strict=True)]
        for count in counts:
            clock[count] = 0
        return rows


def _table(rows: np.ndarray | None, dtype: np.dtype) -> np.ndarray:
    return np.zeros(0, dtype) if rows is None else rows
