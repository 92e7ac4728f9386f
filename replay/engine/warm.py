"""Compile with two processes what one would compile alone: the first run after an installation waits half as long.

The strategy's kernels and the exchange's do not know each other. While this process compiles the first, a helper compiles the
second into the same cache, and the loop around both finds everything there. Should the helper fail, this process compiles the
rest itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

from fills.delays import fixed_delays
from fills.exchange import ANSWER, make_venue
from replay.desk import Block
from replay.engine.loop import is_paused, meet
from replay.engine.traffic import act, next_due, start_timer, take_answer
from replay.engine.world import Sizes, World, build_desk, build_world
from replay.jit import compile_for, is_compiled
from replay.session import Session
from strategy.decision import CYCLE, DECISION

_SMALL = Sizes(slots=1, requests=1, in_flight=1, log=64)


def warm_up(decide: Any, block: Block, world: World, state: Any, session: Path | None) -> None:
    """Compile a `decide` kernel and everything of the exchange that the loop needs; quick when both are cached.

    The helper goes on to compile the reader of `session` while this process compiles the loop.
    """
    if is_compiled(is_paused) and is_compiled(decide):
        return
    path = os.pathsep.join([*(part for part in sys.path if part), os.environ.get("PYTHONPATH", "")])
    helper = subprocess.Popen(  # noqa: S603  # our own interpreter and module
        [sys.executable, "-m", "replay.engine.warm", *([] if session is None else [str(session)])],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    compile_for(decide, 0, 0, block, world.desk, state)
    while helper.poll() is None and not is_compiled(is_paused):
        with suppress(subprocess.TimeoutExpired):
            helper.wait(0.05)
    Thread(target=helper.wait, daemon=True).start()  # it ends on its own; somebody has to take notice


def main(sessions: list[str]) -> None:
    """Compile the exchange's side of the loop, then the reader of a session."""
    desk = build_desk(1, DECISION, CYCLE, _SMALL)
    world = build_world(desk, make_venue(1, 1), ANSWER, fixed_delays(1), _SMALL)
    compile_for(meet, world.answer_block, 0, world)
    compile_for(act, 0, world)
    compile_for(take_answer, world)
    compile_for(next_due, world, 0)
    compile_for(start_timer, world)
    compile_for(is_paused, world)  # the last: others wait for it
    for path in sessions:
        next(Session.open(path).blocks(block_events=1), None)


if __name__ == "__main__":
    main(sys.argv[1:])
