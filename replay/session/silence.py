"""When is silence before the close the end of the recording? When it is longer than any silence that the day had before.

A recording of busy symbols that stops six minutes before the close broke off; one of a symbol that is quoted every ten minutes
did not. Less than `BROKEN_OFF_NS` is never taken for an end. The silence is that of all streams and symbols together: a recorder
that dies takes all of them along.
"""

from collections.abc import Sequence

import numpy as np

from replay.session.arrays import column_array
from replay.session.reader import Recording, groups_between
from replay.session.tables import EVENT_STREAMS

BROKEN_OFF_NS = 300_000_000_000
_BIN_NS = 1_000_000_000
_NONE_YET = np.iinfo(np.int64).max


def longest_silence_ns(recordings: Sequence[Recording], start_ns: int, end_ns: int) -> int:
    """Return the longest time between two neighbouring events with `start_ns <= ts_ns < end_ns`, 0 for fewer than two.

    Events are gathered in bins of a second, so memory does not grow with the session, and silences below a second count as 0.
    """
    edges = np.arange(start_ns, end_ns + _BIN_NS, _BIN_NS)
    first, last = np.full(len(edges) - 1, _NONE_YET), np.full(len(edges) - 1, -_NONE_YET)
    for recording in recordings:
        for stream in EVENT_STREAMS:
            source = recording.sources.get(stream)
            for group in [] if source is None else groups_between(source, start_ns, end_ns):
                assert source is not None
                ts_ns = column_array(source.read(group, ["ts_ns"]), "ts_ns")
                _gather(ts_ns[(ts_ns >= start_ns) & (ts_ns < end_ns)], edges, first, last)
    is_used = last >= first
    silences: np.ndarray = first[is_used][1:] - last[is_used][:-1]
    return int(silences.max(initial=0))


def _gather(ts_ns: np.ndarray, edges: np.ndarray, first: np.ndarray, last: np.ndarray) -> None:
    """Bring the first and last time of each bin up to date with sorted times."""
    places = np.searchsorted(ts_ns, edges)
    used = np.flatnonzero(places[1:] > places[:-1])
    first[used] = np.minimum(first[used], ts_ns[places[used]])
    last[used] = np.maximum(last[used], ts_ns[places[used + 1] - 1])
