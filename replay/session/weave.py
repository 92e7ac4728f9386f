"""Weave the messages of the full order book into blocks of events, for an exchange that follows single orders.

A message stands before all events of its time: the quotes and prints that came of it follow. Only one group of messages and one
buffer of events are in memory.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from replay.desk import Block
from replay.errors import UsageError
from replay.events import BAR, EVENT, FORECAST, Kind, MessageAction
from replay.jit import kernel
from replay.session.arrays import column_array, column_words
from replay.session.reader import Recording, groups_between

if TYPE_CHECKING:
    from replay.session.session import Session

BUFFER_EVENTS = 1 << 16
_NAMES = ("ts_ns", "seq", "exch_ts_ns", "symbol", "action", "order_id", "side", "price", "size")
_ALL = 2**63 - 1


class MessageWeaver:
    """Weaves the messages of some symbols of a session into its blocks.

    Parameters
    ----------
    session : Session
        Where the messages are.
    symbol_index : mapping of str to int
        Index in the run of each symbol that needs them.
    end_ns : int, optional
        No message at or after this time.

    Raises
    ------
    UsageError
        For a symbol of the session without messages.
    """

    def __init__(self, session: "Session", symbol_index: Mapping[str, int], end_ns: int | None = None) -> None:
        self._feeds = []
        for recording in session.recordings:
            wanted = {name: symbol_index[name] for name in recording.manifest.names if name in symbol_index}
            _refuse_silent(recording, set(wanted))
            if wanted:
                self._feeds.append(_Feed(recording, wanted, end_ns))

    def weave(self, block: Block) -> Iterator[Block]:
        """Yield the block with every message that is due by its last event in its place."""
        pieces: Iterator[Block] = iter((block,))
        for feed in self._feeds:
            pieces = feed.weave(pieces)
        return pieces

    def rest(self) -> Iterator[Block]:
        """Yield the messages after the last event."""
        for feed in self._feeds:
            yield from feed.rest()


def message_count(session: "Session") -> int:
    """Return how many messages a session holds."""
    streams = session.manifest.streams
    return int(streams["messages"].rows) if "messages" in streams else 0


def _refuse_silent(recording: Recording, wanted: set[str]) -> None:
    """Raise the sentence for the first wanted symbol that no message names."""
    source = recording.sources.get("messages")
    for group in range(source.n_groups if source is not None else 0):
        if not wanted:
            return
        assert source is not None
        codes, words = column_words(source.read(group, ["symbol"]), "symbol")
        wanted -= {words[code] for code in np.unique(codes)}
    if wanted:
        raise UsageError(
            f"exact FIFO needs every message of the order book, and the session of {recording.manifest.day} has none of "
            f"'{min(wanted)}'; choose another queue model, or import a feed of single orders (databento MBO, lobster)"
        )


class _Feed:
    """The messages of one recording as events, a group at a time."""

    def __init__(self, recording: Recording, wanted: Mapping[str, int], end_ns: int | None) -> None:
        self._source = recording.sources["messages"]
        self._groups = iter(groups_between(self._source, None, end_ns))
        self._wanted = wanted
        self._end_ns = _ALL if end_ns is None else end_ns
        self._rows = np.zeros(0, EVENT)
        self._at = np.zeros(3, np.int64)  # next message, next event, events written
        self._out = np.zeros(BUFFER_EVENTS, EVENT)

    def weave(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """Yield blocks with the messages in their places."""
        for block in blocks:
            self._at[1] = 0
            while self._at[1] < len(block.events):
                has_more = self._fill()
                self._at[2] = 0
                merge_messages(self._rows, block.events, has_more, self._at, self._out)
                if self._at[2]:
                    yield Block(self._out[: self._at[2]], block.bars, block.forecasts)

    def rest(self) -> Iterator[Block]:
        """Yield what is left."""
        while self._fill():
            yield Block(self._rows[self._at[0] :], np.zeros(0, BAR), np.zeros(0, FORECAST))
            self._at[0] = len(self._rows)

    def _fill(self) -> bool:
        """Read groups until there is a message; tell whether there is one."""
        while self._at[0] == len(self._rows):
            group = next(self._groups, None)
            if group is None:
                return False
            self._rows, self._at[0] = self._read(group), 0
        return True

    def _read(self, group: int) -> np.ndarray:
        table = self._source.read(group, _NAMES)
        codes, words = column_words(table, "symbol")
        symbols = np.array([self._wanted.get(word, -1) for word in words] or [-1], np.int64)[codes]
        keep = (symbols >= 0) & (column_array(table, "ts_ns") < self._end_ns)
        rows = np.zeros(int(keep.sum()), EVENT)
        for name in ("ts_ns", "seq", "exch_ts_ns", "order_id", "side", "price"):
            rows[name] = column_array(table, name)[keep]
        codes, words = column_words(table, "action")
        rows["action"] = np.array([int(MessageAction[word.upper()]) for word in words] or [0], np.int64)[codes][keep]
        rows["qty"] = column_array(table, "size")[keep]
        rows["symbol"] = symbols[keep]
        rows["kind"] = Kind.MESSAGE
        return rows


@kernel
def merge_messages(messages, events, has_more, at, out):  # type: ignore[no-untyped-def]
    """Merge from where `at` says until a side runs out of rows or `out` is full; messages come before events of their time.

    While there are messages at all, events wait for the one in hand; `at` is next message, next event, rows written.
    """
    while at[2] < len(out) and at[1] < len(events):
        if at[0] < len(messages) and messages[at[0]]["ts_ns"] <= events[at[1]]["ts_ns"]:
            out[at[2]] = messages[at[0]]
            at[0] += 1
        elif at[0] == len(messages) and has_more:
            return
        else:
            out[at[2]] = events[at[1]]
            at[1] += 1
        at[2] += 1
