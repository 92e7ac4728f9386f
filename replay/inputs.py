"""Everything that decides a run's outcome, gathered and checked before the first event; and its form in the manifest."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from replay.config import Config
from replay.errors import DataError, UsageError
from replay.forecasts.table import ForecastRows, load_forecasts, no_forecasts
from replay.queues import plain_queue, queue_facts
from replay.sections import TABLES
from replay.session import Session
from replay.strategies import is_forecaster, load_strategy, source_digest
from replay.wording import et_stamp

_NEW_YORK = ZoneInfo("America/New_York")


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """The inputs of a run, opened and checked.

    Parameters
    ----------
    sessions : tuple of Session
        In date order.
    config : Config
    forecasts_path : Path, optional
    strategy : object, optional
        A bound kernel, a Python strategy or a forecaster; None is the default pipeline.
    strategy_text : str
        `module:Name` where it came as text.
    symbols : tuple of str, optional
        The symbols asked for; None is all.
    start, end : dt.time or int, optional
    state_in : Path, optional
    """

    sessions: tuple[Session, ...]
    config: Config
    forecasts_path: Path | None = None
    strategy: Any = None
    strategy_text: str = ""
    symbols: tuple[str, ...] | None = None
    start: dt.time | int | None = None
    end: dt.time | int | None = None
    state_in: Path | None = None

    @cached_property
    def symbol_index(self) -> dict[str, int]:
        """Symbol name to index, in order of first sight over the sessions."""
        names = dict.fromkeys(name for session in self.sessions for name in session.symbols)
        wanted = names if self.symbols is None else [name for name in names if name in self.symbols]
        return {name: k for k, name in enumerate(wanted)}

    @cached_property
    def venue_index(self) -> dict[str, int]:
        """Venue name to code, in order of first sight over the sessions."""
        names = dict.fromkeys(name for session in self.sessions for name in session.venues)
        return {name: k for k, name in enumerate(names)}

    @property
    def scale(self) -> int:
        """Price units per dollar."""
        return self.sessions[0].scale

    @cached_property
    def queue_facts(self) -> Mapping[str, str]:
        """Digests of what the queue model is made of, beyond its name: parameters, or a user's source."""
        return queue_facts(self.config.venue.queue)

    @property
    def forecaster(self) -> Any:
        """The user's forecaster, or None."""
        return self.strategy if is_forecaster(self.strategy) else None

    @property
    def horizons_min(self) -> tuple[int, ...]:
        """Horizons of the run, minutes, ascending."""
        given = self.config.run.horizons_min if self.forecaster is None else self.forecaster.horizons_min
        return tuple(sorted(int(horizon) for horizon in given))

    @cached_property
    def forecasts(self) -> ForecastRows:
        """The given forecasts, all days; none where no file was given."""
        if self.forecasts_path is None:
            return no_forecasts()
        known = [name for session in self.sessions for name in session.symbols]
        rows = load_forecasts(self.forecasts_path, self.symbol_index, known, self.horizons_min)
        if not any(_within(rows, session) for session in self.sessions):
            days = ", ".join(session.day.isoformat() for session in self.sessions)
            raise DataError(
                f"{self.forecasts_path} has no forecast of these symbols that was ready on {days}; give the file of those days"
            )
        return rows

    def forecasts_of(self, session: Session) -> ForecastRows:
        """Return the given forecasts that were ready on the session's day."""
        rows = self.forecasts
        ready = _within(rows, session)
        return ForecastRows(rows.ready[ready.start : ready.stop], rows.rows[ready.start : ready.stop], rows.models)

    def span_of(self, session: Session) -> tuple[int | None, int | None]:
        """Return first and last instant to read of a session, ns UTC."""
        return _moment_on(session, self.start), _moment_on(session, self.end)

    def manifest(self) -> dict[str, Any]:
        """Describe the inputs for the manifest: what `verify` needs to do it again."""
        return {
            "sessions": [_session_entry(session) for session in self.sessions],
            "forecasts": _file(self.forecasts_path),
            "state_in": _file(self.state_in),
            "tables": {f"{s}.{key}": file for s, key in TABLES if (file := _file(self._table(s, key)))},
            "queue": dict(self.queue_facts),
            "models": None,  # no command loads models yet; the key is the contract's
            "strategy": {"name": self.strategy_text or _class_name(self.strategy), "digest": source_digest(self.strategy)},
            "symbols": None if self.symbols is None else list(self.symbols),
            "start": _moment_text(self.start),
            "end": _moment_text(self.end),
        }

    def _table(self, section: str, key: str) -> Path | None:
        path = getattr(self.config.sections[section], key)
        return Path(path) if path else None

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any], run: Path) -> Inputs:
        """Open the inputs that a run names, and make sure that they are the same.

        Raises
        ------
        UsageError
            When an input cannot be found again.
        DataError
            When one has changed since.
        """
        names = manifest["inputs"]
        for entry in names["sessions"]:
            if None in entry["paths"]:
                raise UsageError(
                    f"{run} replayed a session that was made in memory; only runs over session folders can be verified"
                )
        for entry in (names["forecasts"], names["state_in"], *names.get("tables", {}).values()):
            if entry is not None and _file(Path(entry["path"])) != entry:
                raise DataError(
                    f"{entry['path']} has changed since {run} was made (digest {entry['digest'][:12]}); restore it, or run again"
                )
        if names["strategy"]["name"] and ":" not in names["strategy"]["name"]:
            raise UsageError(
                f"{run} used the Python object {names['strategy']['name']}; give strategies as module:Name to verify them"
            )
        choices = Choices(
            forecasts=names["forecasts"] and names["forecasts"]["path"],
            strategy=names["strategy"]["name"] or None,
            symbols=names["symbols"],
            start=_parse_moment(names["start"]),
            end=_parse_moment(names["end"]),
            state_in=names["state_in"] and names["state_in"]["path"],
        )
        paths = [path for entry in names["sessions"] for path in entry["paths"]]
        inputs = gather(paths, Config.from_values(manifest["config"]), choices)
        for session, entry in zip(inputs.sessions, names["sessions"], strict=True):
            session.verify()
            if session.digest != entry["digest"]:
                where = ", ".join(entry["paths"])
                raise DataError(
                    f"{where} has digest {session.digest[:12]}, the run used {entry['digest'][:12]}; restore it, or run again"
                )
        if dict(inputs.queue_facts) != names.get("queue", {}):
            raise DataError(
                f"the queue model `{inputs.config.venue.queue}` has changed since {run} was made; restore it, or run again"
            )
        return inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a caller may choose about a run besides sessions and configuration; see `replay.runner.run`."""

    forecasts: str | Path | None = None
    strategy: Any = None
    seed: int | None = None
    symbols: Sequence[str] | None = None
    start: dt.time | int | None = None
    end: dt.time | int | None = None
    state_in: str | Path | None = None


def gather(sessions: Sequence[Session | str | Path], config: Config | None, choices: Choices) -> Inputs:
    """Open and check the inputs of a run."""
    opened = _by_day(_open(sessions))
    _check_scales(opened)
    _check_multipliers(opened)
    config = _with_absolute_queue(_with_absolute_tables(config or Config()))
    if choices.seed is not None:
        config = config.with_sets([f"run.seed={choices.seed}"])
    wanted = tuple(choices.symbols or config.run.symbols) or None
    _check_symbols(wanted, opened)
    _check_span(opened, choices)
    for session in opened:
        _check_events(session)
    text = choices.strategy if isinstance(choices.strategy, str) else ""
    inputs = Inputs(
        sessions=opened,
        config=config,
        forecasts_path=_existing(choices.forecasts, "forecasts"),
        strategy=load_strategy(text) if text else choices.strategy,
        strategy_text=_absolute(text),
        symbols=wanted,
        start=choices.start,
        end=choices.end,
        state_in=_existing(choices.state_in, "state_in"),
    )
    assert inputs.forecasts is not None  # read now, so that a bad file is refused before anything is compiled
    assert inputs.queue_facts is not None
    return inputs


def _absolute(place: str) -> str:
    """Make `file.py:Name` independent of the current folder."""
    file, _, name = place.rpartition(":")
    return f"{Path(file).resolve()}:{name}" if file.endswith(".py") else place


def _with_absolute_tables(config: Config) -> Config:
    """Make the paths in a configuration independent of the current folder."""
    for section, key in TABLES:
        path = getattr(config.sections[section], key)
        if path and not Path(path).is_absolute():
            config = config.with_values({section: {key: str(Path(path).resolve())}})
    return config


def _with_absolute_queue(config: Config) -> Config:
    """Make the file of a queue model independent of the current folder, and its name independent of the case it is written in."""
    text = config.venue.queue
    full = str(Path(text).resolve()) if text.endswith(".toml") else plain_queue(_absolute(text))
    return config if full == text else config.with_values({"venue": {"queue": full}})


def _existing(path: str | Path | None, name: str) -> Path | None:
    if path is None:
        return None
    if not isinstance(path, (str, Path)):
        raise UsageError(
            f"{name} must be the path of a file, got a {type(path).__name__}: write it to a file (a table: to_parquet) and give "
            "its path, so that `replay verify` can read it again"
        )
    if not Path(path).exists():
        raise UsageError(f"{path} does not exist")
    return Path(path)


def _open(sessions: Sequence[Session | str | Path]) -> list[Session]:
    if isinstance(sessions, (str, Path, Session)):
        sessions = [sessions]
    if not sessions:
        raise UsageError("run needs at least one session")
    return [Session.open(s) if isinstance(s, (str, Path)) else s for s in sessions]


def _by_day(sessions: Sequence[Session]) -> tuple[Session, ...]:
    """Sort by date; sessions of one date are merged, which asks for disjoint symbols."""
    days = sorted({session.day for session in sessions})
    parts = [[session for session in sessions if session.day == day] for day in days]
    return tuple(part[0] if len(part) == 1 else Session.merge(part) for part in parts)


def _check_events(session: Session) -> None:
    """Refuse a session that was altered, or that has nothing to replay."""
    session.check_events()
    if session.n_events == 0:
        raise DataError(
            f"the session of {session.day} is empty: it has no quote, trade, bar or status; import it with its quotes"
        )


def _check_scales(sessions: Sequence[Session]) -> None:
    for before, after in pairwise(sessions):
        if before.scale != after.scale:
            raise DataError(
                f"the sessions of {before.day} and {after.day} have scales {before.scale} and {after.scale}; "
                "import them with one scale"
            )


def _check_multipliers(sessions: Sequence[Session]) -> None:
    known: dict[str, int] = {}
    for session in sessions:
        for info in session.manifest.symbols:
            before = known.setdefault(info.name, info.multiplier)
            if before != info.multiplier:
                raise DataError(
                    f"the sessions give {info.name} the multipliers {before} and {info.multiplier} ({session.day}); "
                    "import them with one --multiplier"
                )


def _check_symbols(wanted: Sequence[str] | None, sessions: Sequence[Session]) -> None:
    known = {name for session in sessions for name in session.symbols}
    strangers = [name for name in wanted or () if name not in known]
    if strangers:
        raise UsageError(f"no session holds {', '.join(strangers)}; they hold {', '.join(sorted(known))}")


def _check_span(sessions: Sequence[Session], choices: Choices) -> None:
    """Refuse a window that no session has an event in."""
    for session in sessions:
        start_ns, end_ns = _moment_on(session, choices.start), _moment_on(session, choices.end)
        first_ns, last_ns = session.span_ns
        if max(first_ns, start_ns or first_ns) <= min(last_ns, last_ns if end_ns is None else end_ns - 1):
            return
    asked = " to ".join(str(_moment_text(moment) or "the other end") for moment in (choices.start, choices.end))
    first_ns, last_ns = sessions[0].span_ns[0], sessions[-1].span_ns[1]
    raise UsageError(f"nothing was recorded from {asked}; the recordings cover {et_stamp(first_ns)} to {et_stamp(last_ns)}")


def _within(rows: ForecastRows, session: Session) -> range:
    """Return the places of the forecasts that were ready while a session was recorded, or could have been."""
    first_ns, last_ns = session.span_ns
    span = [min(session.hours.pre_ns, first_ns), max(session.hours.post_ns, last_ns)]
    low, high = np.searchsorted(rows.ready["ready_ts_ns"], span)
    return range(int(low), int(high))


def _session_entry(session: Session) -> dict[str, Any]:
    paths = [None if folder is None else str(folder.resolve()) for folder in session.folders]
    return {"paths": paths, "day": session.day.isoformat(), "digest": session.digest}


def _moment_on(session: Session, moment: dt.time | int | None) -> int | None:
    if moment is None or isinstance(moment, int):
        return moment
    at = dt.datetime.combine(session.day, moment, tzinfo=_NEW_YORK).astimezone(dt.UTC)
    return int(at.timestamp()) * 1_000_000_000 + at.microsecond * 1000


def _moment_text(moment: dt.time | int | None) -> str | int | None:
    return moment.isoformat() if isinstance(moment, dt.time) else moment


def _parse_moment(moment: str | int | None) -> dt.time | int | None:
    return dt.time.fromisoformat(moment) if isinstance(moment, str) else moment


def _file(path: Path | None) -> dict[str, str] | None:
    if path is None:
        return None
    try:
        return {"path": str(path.resolve()), "digest": hashlib.sha256(path.read_bytes()).hexdigest()}
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})") from error


def _class_name(strategy: Any) -> str:
    return "" if strategy is None else type(strategy).__name__
