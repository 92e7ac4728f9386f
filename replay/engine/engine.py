"""The engine: one world, one loop, one strategy behind one of the doors, fed block by block.

It knows no files and no clock of its own. Replay feeds it a session's blocks; the paper driver feeds it what just arrived.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fills.delays import count_events, listens, received_ns
from replay.desk import NEVER, STOP_DECISIONS_FULL, STOP_ORDERS_FULL, STOP_REQUESTS_FULL, Block
from replay.engine.loop import FLUSH, STOP, make_loop
from replay.engine.python_door import PythonDoor
from replay.engine.spool import Spool
from replay.engine.traffic import STOP_IN_FLIGHT, write_mark
from replay.engine.warm import warm_up
from replay.engine.world import World
from replay.errors import CapacityError
from replay.events import BAR, EVENT, FORECAST
from replay.snapshot import put_back, take

_LIMITS = {
    STOP_ORDERS_FULL: ("the table of own live orders of one symbol", "order_slots"),
    STOP_REQUESTS_FULL: ("the outbox of one decision", "request_capacity"),
    STOP_DECISIONS_FULL: ("the table of decisions of one wake", "log_capacity"),
    STOP_IN_FLIGHT: ("the line between strategy and exchange", "in_flight_capacity"),
}


_NOTHING = Block(np.zeros(0, EVENT), np.zeros(0, BAR), np.zeros(0, FORECAST))


@dataclass(frozen=True, slots=True)
class Seat:
    """A strategy as the engine sees it: a kernel, its state, and the Python behind it where there is some."""

    decide: Any
    state: Any
    door: PythonDoor | None = None


class Engine:
    """Feeds blocks to the loop and empties its logs.

    Parameters
    ----------
    world : World
        Desk, venue, rings and logs.
    seat : Seat
        The strategy.
    spool : Spool
        Where decisions, orders, fills, cycles and marks go.

    Attributes
    ----------
    event_count : int
        Recorded events, messages and forecasts taken in.
    """

    def __init__(self, world: World, seat: Seat, spool: Spool) -> None:
        self.world = world
        self.seat = seat
        self._spool = spool
        self._loop = make_loop(seat.decide)
        self.event_count = 0

    def feed(self, block: Block) -> None:
        """Take one block through the loop."""
        self.event_count += len(block.events)
        self._note_activity(block.events)
        loop = self._loop(block, self.world, self.seat.state)
        for code in loop:
            reason = code & 7
            if reason == FLUSH:
                self.flush()
            elif reason == STOP:
                self._stop()
            else:
                self._wake(reason, code >> 3, block)

    def _note_activity(self, events: np.ndarray) -> None:
        """Count what was received, where delays depend on it; messages of the same second come before, never after."""
        if listens(self.world.legs):
            count_events(received_ns(events), self.world.legs)

    def warm_up(self, session: Path | None = None) -> None:
        """Compile the loop, or load it from the cache; a helper compiles the reader of `session` meanwhile."""
        warm_up(self.seat.decide, _NOTHING, self.world, self.seat.state, session)
        self.feed(_NOTHING)

    def settle(self, until_ns: int) -> None:
        """Let everything happen that is due before `until_ns`, after the last event of a session."""
        control = self.world.control
        control["until_ns"] = until_ns
        self.feed(_NOTHING)
        control["until_ns"] = -NEVER
        for s in range(len(self.world.touches)):
            self._make_room()
            write_mark(s, self.world)
        self.flush()

    def _make_room(self) -> None:
        if self.world.control[0]["n_marks"] >= len(self.world.log.marks) - 1:
            self.flush()

    def snapshot(self) -> dict[str, Any]:
        """Copy all state, between two blocks."""
        door = self.seat.door
        return {"world": take(self.world), "state": take(self.seat.state), "python": None if door is None else door.state()}

    def restore(self, saved: dict[str, Any]) -> None:
        """Become what `snapshot` saw, in an engine built from the same inputs."""
        put_back(self.world, saved["world"])
        put_back(self.seat.state, saved["state"])
        if self.seat.door is not None:
            self.seat.door.restore(saved["python"])

    def flush(self) -> None:
        """Move what the logs hold to the spool."""
        control, desk, log = self.world.control[0], self.world.desk, self.world.log
        self._move("orders", log.orders, control, "n_order_log")
        self._move("fills", log.fills, control, "n_fills")
        self._move("marks", log.marks, control, "n_marks")
        self._move("requests", log.sent, control, "n_sent")
        self._move("decisions", desk.decisions, desk.clock[0], "n_decisions")
        self._move("cycles", desk.cycles, desk.clock[0], "n_cycles")

    def _move(self, name: str, rows: np.ndarray, counters: Any, counter: str) -> None:
        count = int(counters[counter])
        if count:
            self._spool.add(name, rows[:count])
            counters[counter] = 0

    def _wake(self, reason: int, i: int, block: Block) -> None:
        if self.seat.door is None:
            raise AssertionError("only the watcher of a Python strategy sets clock['wake']")
        self.seat.door.wake(reason, i, block, self.world.answers)

    def _stop(self) -> None:
        code = int(self.world.control[0]["stop"] or self.world.desk.clock[0]["status"])
        what, key = _LIMITS.get(code, (f"a capacity of the simulated exchange (code {code})", "order_slots"))
        at = np.datetime64(int(self.world.desk.clock[0]["now_ns"]), "ns")
        raise CapacityError(f"{what} is full at {at} UTC; raise run.{key}")


def symbol_table(names: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Join the symbols of several sessions, in the order of first sight."""
    return tuple(dict.fromkeys(name for session in names for name in session))
