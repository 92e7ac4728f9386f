"""Try own logic against its contract before it meets a whole day: one check per door.

Each check raises `UsageError` with the first breach it finds and returns nothing when all is well. They replay a stretch of the
bundled sample, so they take seconds, not minutes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from replay.config import Config
from replay.engine.kernel_door import BoundKernel
from replay.engine.spool import Spool, journal_digest
from replay.errors import UsageError
from replay.forecasts.door import Forecaster, ForecasterMaker
from replay.inputs import Choices, Inputs, gather
from replay.setup import build_engine, start_day
from strategy.features import MODEL_FEATURE_NAMES

if TYPE_CHECKING:
    from replay.engine.python_door import PythonStrategy
    from replay.session import Session

_FROM, _TO = time(9, 30), time(9, 45)
_RESTART_AFTER = 3  # blocks


def check_forecaster(forecaster: Forecaster) -> None:
    """Try a forecaster on made-up features.

    It must have `horizons_min`, survive features that are all unknown, return `Forecast` objects for symbols and horizons it was
    asked for, and give the same answer to the same question.

    Raises
    ------
    UsageError
        With the first breach.
    """
    name = type(forecaster).__name__
    if not list(getattr(forecaster, "horizons_min", ())):
        raise UsageError(f"{name} needs `horizons_min`, for example (5, 30)")
    maker = ForecasterMaker(forecaster, ["AAA", "BBB"], 0)
    for value in (np.nan, 0.0, 1.0):
        features = {symbol: dict.fromkeys(MODEL_FEATURE_NAMES, value) for symbol in ("AAA", "BBB")}
        answers = [list(forecaster.on_bar(features, 0) or ()) for _ in range(2)]
        for answer in answers[0]:
            maker.check(answer)
        if repr(answers[0]) != repr(answers[1]):
            raise UsageError(f"{name}.on_bar gave two answers to one question: it must depend on its arguments alone")


def check_strategy(make: Callable[[], PythonStrategy], session: Session | None = None) -> None:
    """Try a plain Python strategy on a quarter of an hour of market.

    Two runs must agree, blocks of one event must change nothing, `state()` must be something that JSON can write, and a strategy
    restored in the middle must go on as if nothing had happened.

    Parameters
    ----------
    make : callable
        Makes a fresh strategy; its class will do.
    session : Session, optional
        What to replay instead of the bundled sample.

    Raises
    ------
    UsageError
        With the first breach.
    """
    strategy = make()
    name = type(strategy).__name__
    for method in ("on_wake", "state", "restore"):
        if not callable(getattr(strategy, method, None)):
            raise UsageError(f"{name} needs the method `{method}`")
    try:
        json.dumps(strategy.state())
    except TypeError as error:
        raise UsageError(f"{name}.state() must return what JSON can write ({error})") from error
    _check_repeats(name, make, session)
    _check_restarts(name, make, session)


def check_kernel(bound: BoundKernel, session: Session | None = None) -> None:
    """Try a bound kernel on a quarter of an hour of market, as `check_strategy` does.

    Raises
    ------
    UsageError
        With the first breach.
    """
    if not isinstance(bound, BoundKernel):
        raise UsageError(f"check_kernel takes what `replay.engine.bind` returns, got {type(bound).__name__}")
    name = getattr(bound.decide, "__name__", "decide")
    _check_repeats(name, lambda: bound, session)
    _check_restarts(name, lambda: bound, session)


def _check_repeats(name: str, make: Callable[[], Any], session: Session | None) -> None:
    digests = [_replay(make, session, block_events) for block_events in (4096, 4096, 1)]
    if digests[0] != digests[1]:
        raise UsageError(
            f"{name} decided differently in a second run: it must not use clocks, global randomness or state of the process"
        )
    if digests[0] != digests[2]:
        raise UsageError(f"{name} decided differently when events came one by one: it must not depend on how the stream is cut")


def _check_restarts(name: str, make: Callable[[], Any], session: Session | None) -> None:
    if _replay(make, session, 500) != _replay(make, session, 500, restart_after=_RESTART_AFTER):
        raise UsageError(
            f"{name} went on differently after a restart: its state must hold everything that the next decision depends on"
        )


def _replay(make: Callable[[], Any], session: Session | None, block_events: int, restart_after: int = -1) -> str:
    """Replay the stretch and return its journal digest; after one block, go on in a new engine from a snapshot."""
    with TemporaryDirectory() as folder:
        spool = Spool(Path(folder))
        inputs = _inputs(make, session)
        stream = inputs.sessions[0]
        engine = build_engine(inputs, spool)
        start_day(inputs, engine, stream)
        start_ns, end_ns = inputs.span_of(stream)
        for k, block in enumerate(
            stream.blocks(inputs.symbol_index, start_ns=start_ns, end_ns=end_ns, block_events=block_events)
        ):
            engine.feed(block)
            if k == restart_after:
                engine.flush()
                saved = engine.snapshot()
                engine = build_engine(_inputs(make, session), spool)
                engine.restore(saved)
        engine.settle(stream.hours.close_ns)
        spool.close()
        return journal_digest(spool.digests)


def _inputs(make: Callable[[], Any], session: Session | None) -> Inputs:
    if session is not None:
        return gather([session], Config(), Choices(strategy=make()))
    from replay.doctor import find_sample

    sample = find_sample()
    if sample is None:
        raise UsageError("the bundled sample session is missing; pass a session to check against")
    return gather([sample], Config(), Choices(strategy=make(), start=_FROM, end=_TO))
