"""Weave forecasts into a stream of blocks: each stands after all recorded events up to the time it was ready."""

from collections.abc import Iterator

import numpy as np

from replay.desk import Block
from replay.events import BAR, EVENT, FORECAST, NO_TIME, Kind
from replay.forecasts.table import READY, ForecastRows


def as_block(ready: np.ndarray, rows: np.ndarray, bars: np.ndarray) -> Block:
    """Make the events of a run of forecasts; they carry no sequence number of the session (-1)."""
    events = np.zeros(len(rows), EVENT)
    events["ts_ns"] = ready["ready_ts_ns"]
    events["seq"] = -1
    events["exch_ts_ns"] = NO_TIME
    events["row"] = np.arange(len(rows))
    events["symbol"] = ready["symbol"]
    events["kind"] = Kind.FORECAST
    events["venue"] = -1
    return Block(events, bars, rows)


class Weaver:
    """Holds forecasts that are not due yet and cuts blocks where they belong.

    Examples
    --------
    >>> import numpy as np
    >>> from replay.forecasts.table import no_forecasts
    >>> len(list(Weaver().weave(Block(np.zeros(3, EVENT), np.zeros(0), np.zeros(0)), no_forecasts())))
    1
    """

    def __init__(self) -> None:
        self._ready = np.zeros(0, READY)
        self._rows = np.zeros(0, FORECAST)

    def weave(self, block: Block, fresh: ForecastRows) -> Iterator[Block]:
        """Yield the block in pieces, with every forecast that is due within it in its place."""
        if len(fresh.rows):
            ready = np.concatenate([self._ready, fresh.ready])
            order = np.argsort(ready["ready_ts_ns"], kind="stable")
            self._ready = ready[order]
            self._rows = np.concatenate([self._rows, fresh.rows])[order]
        stamps = block.events["ts_ns"]
        due = int(np.searchsorted(self._ready["ready_ts_ns"], stamps[-1])) if len(stamps) else 0
        places = np.searchsorted(stamps, self._ready["ready_ts_ns"][:due], side="right")
        start = 0
        for place in np.unique(places):
            if place > start:
                yield Block(block.events[start:place], block.bars, block.forecasts)
            low, high = np.searchsorted(places, [place, place + 1])
            yield as_block(self._ready[low:high], self._rows[low:high], block.bars)
            start = int(place)
        if start < len(stamps):
            yield Block(block.events[start:], block.bars, block.forecasts)
        self._ready, self._rows = self._ready[due:], self._rows[due:]

    def rest(self, until_ns: int) -> Iterator[Block]:
        """Yield what is due by `until_ns` after the last event."""
        due = int(np.searchsorted(self._ready["ready_ts_ns"], until_ns, side="right"))
        if due:
            yield as_block(self._ready[:due], self._rows[:due], np.zeros(0, BAR))
        self._ready, self._rows = self._ready[due:], self._rows[due:]
