"""Run sessions through one state machine, and prove that a run repeats.

`run` joins the parts: sessions give blocks, forecasts are woven in, the engine carries them through exchange and strategy, the
spool takes what comes out, and the run folder is written from it. `verify` does it again from the manifest and compares row by
row.
"""

from __future__ import annotations

import datetime as dt
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from replay.bands import EXPECTED, each_band, folder_of, join, share_of
from replay.desk import Block
from replay.engine.engine import Engine
from replay.engine.spool import Spool
from replay.forecasts.table import no_forecasts
from replay.forecasts.weave import Weaver
from replay.inputs import Choices, Inputs, gather
from replay.result import Result
from replay.rundir import write_run
from replay.setup import SETTLE_NS, build_engine, build_stage, end_of_day, load, messages_of, save, start_day, trading_span

if TYPE_CHECKING:
    from replay.config import Config
    from replay.forecasts.stage import Stage
    from replay.session import Session
    from replay.session.weave import MessageWeaver

Progress = Callable[[int, int, int], None]


def run(
    sessions: Sequence[Session | str | Path],
    config: Config | None = None,
    forecasts: str | Path | None = None,
    strategy: Any = None,
    seed: int | None = None,
    *,
    symbols: Sequence[str] | None = None,
    start: dt.time | int | None = None,
    end: dt.time | int | None = None,
    state_in: str | Path | None = None,
    state_out: str | Path | None = None,
    progress: Progress | None = None,
    started_at: str = "",
    bands: bool = False,
) -> Result:
    """Replay sessions in date order and return what happened.

    Parameters
    ----------
    sessions : sequence of Session or path
    config : Config, optional
        Default: every key at its default.
    forecasts : path, optional
        Forecasts file; without one the built-in forecaster runs (or `strategy`, if it is a forecaster).
    strategy : optional
        None for the default pipeline; a `BoundKernel`; an object with `on_wake`; a forecaster with `on_bar`; or `module:Name`.
    seed : int, optional
        Seed of all private random streams; overrides `[run] seed`.
    symbols : sequence of str, optional
        Only these.
    start, end : datetime.time (New York, each day) or int (ns UTC), optional
        Events outside are not read.
    state_in, state_out : path, optional
        Strategy state to start from and to leave, by symbol name.
    progress : callable, optional
        `progress(done_events, total_events, ts_ns)`; first with `ts_ns` 0, before kernels are compiled or loaded.
    started_at : str
        Wall-clock time for the manifest; the command line gives it.
    bands : bool
        Run the pessimistic and the optimistic band too, and report the range of every headline number (`Result.bands`).
        The expected band is the run.

    Returns
    -------
    Result

    Raises
    ------
    UsageError, ConfigError, DataError, CapacityError
    """
    choices = Choices(forecasts=forecasts, strategy=strategy, seed=seed, symbols=symbols, start=start, end=end, state_in=state_in)
    inputs = gather(sessions, config, choices)
    scratch = Path(mkdtemp(prefix="replay-"))
    try:
        replay = _replay_bands if bands else _replay
        folder = replay(inputs, scratch, state_out, progress, started_at)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    return Result(folder, scratch)


def _replay(inputs: Inputs, scratch: Path, state_out: str | Path | None, progress: Progress | None, started_at: str) -> Path:
    """Drive all sessions and write the run folder inside `scratch`."""
    for session in inputs.sessions:
        messages_of(inputs, session)  # what is missing is said before anything is compiled
    spool = Spool(scratch)
    engine, stage = build_engine(inputs, spool), build_stage(inputs)
    load(inputs, engine, stage)
    if progress is not None:
        progress(0, sum(session.n_events for session in inputs.sessions), 0)
    engine.warm_up(inputs.sessions[0].folders[0])
    watch = time.perf_counter()
    _Driver(inputs, engine, stage, progress).drive()
    spool.close()
    wall_s = time.perf_counter() - watch
    if state_out is not None:
        save(inputs, engine, stage, Path(state_out))
    folder = scratch / "run"
    write_run(folder, inputs, engine, spool, scratch, wall_s=wall_s, started_at=started_at)
    return folder


def _replay_bands(
    inputs: Inputs, scratch: Path, state_out: str | Path | None, progress: Progress | None, started_at: str
) -> Path:
    """Replay once per band; the state for the next day is that of the expected one."""
    folders = {}
    for k, (name, banded) in enumerate(each_band(inputs)):
        place = scratch / name
        place.mkdir()
        left = state_out if name == EXPECTED else None
        folders[name] = _replay(banded, place, left, share_of(progress, k), started_at)
    return join(folders)


class _Driver:
    """Feeds all sessions of a run to its engine."""

    def __init__(self, inputs: Inputs, engine: Engine, stage: Stage | None, progress: Progress | None) -> None:
        self._inputs = inputs
        self._engine = engine
        self._stage = stage
        self._progress = progress
        self._total = sum(session.n_events for session in inputs.sessions)
        self._done = 0

    def drive(self) -> None:
        """Replay all sessions."""
        for session in self._inputs.sessions:
            self._drive_session(session)

    def _drive_session(self, session: Session) -> None:
        inputs, engine = self._inputs, self._engine
        start_day(inputs, engine, session)
        if self._stage is not None:
            self._stage.start_day(*trading_span(inputs, session))
        given = inputs.forecasts_of(session)
        weaver = Weaver()
        messages = messages_of(inputs, session)
        end_ns, _ = end_of_day(inputs, session)
        for block in self._blocks(session):
            fresh = given if self._stage is None else self._stage.feed(block)
            self._feed(weaver.weave(block, fresh), messages)
            given = no_forecasts()
            self._done += len(block.events)
            self._tell(int(block.events["ts_ns"][-1]))
        self._feed(weaver.rest(end_ns), messages)
        for piece in messages.rest() if messages is not None else ():
            engine.feed(piece)
        engine.settle(end_ns + SETTLE_NS)

    def _feed(self, pieces: Iterable[Block], messages: MessageWeaver | None) -> None:
        for piece in pieces:
            for part in (piece,) if messages is None else messages.weave(piece):
                self._engine.feed(part)

    def _blocks(self, session: Session) -> Iterator[Block]:
        inputs = self._inputs
        start_ns, end_ns = inputs.span_of(session)
        return session.blocks(
            inputs.symbol_index,
            start_ns=start_ns,
            end_ns=end_ns,
            block_events=inputs.config.run.block_events,
            venue_index=inputs.venue_index,
        )

    def _tell(self, ts_ns: int) -> None:
        if self._progress is not None:
            self._progress(self._done, self._total, ts_ns)


@dataclass(frozen=True, slots=True)
class VerifyOutcome:
    """Whether a run repeated, and the first difference where it did not."""

    holds: bool
    text: str


def verify(path: str | Path, progress: Progress | None = None) -> VerifyOutcome:
    """Run again from a run's manifest and compare decision by decision; a run with bands in all three.

    Raises
    ------
    UsageError, DataError
        When the run, or an input that it names, is not there or not the same.
    """
    old = Result.open(path)
    others = [name for name in old.manifest.get("bands", ()) if name != EXPECTED]
    if not others:
        return _verify(old, progress)
    folders = [old.path, *(folder_of(old.path, name) for name in others)]
    outcomes = [_verify(Result.open(folder), share_of(progress, k)) for k, folder in enumerate(folders)]
    named = zip([EXPECTED, *others], outcomes, strict=True)
    return VerifyOutcome(
        all(outcome.holds for outcome in outcomes), "\n".join(f"{name}: {outcome.text}" for name, outcome in named)
    )


def _verify(old: Result, progress: Progress | None) -> VerifyOutcome:
    """Run one run again and compare."""
    from replay.compare_runs import first_difference

    inputs = Inputs.from_manifest(old.manifest, old.path)
    new = run(
        inputs.sessions,
        inputs.config,
        inputs.forecasts_path,
        inputs.strategy_text or None,
        symbols=inputs.symbols,
        start=inputs.start,
        end=inputs.end,
        state_in=inputs.state_in,
        progress=progress,
    )
    difference = first_difference(old, new)
    if new.journal_digest == old.journal_digest and difference is None:
        counts = f"{len(new.decisions)} decisions, {len(new.orders)} order states, {len(new.fills)} fills"
        return VerifyOutcome(True, f"the run repeats: {counts}, journal {new.journal_digest[:12]}")
    return VerifyOutcome(
        False, difference or "the journals differ, their tables do not: another version wrote the run; run it again"
    )
