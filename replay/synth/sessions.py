"""`generate`: synthetic sessions on disk."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from replay.calendar import NEW_YORK, is_trading_day, trading_hours
from replay.errors import UsageError
from replay.session.build import SymbolInfo, write_session
from replay.session.manifest import MANIFEST_NAME
from replay.synth.draws import Purpose, Stream
from replay.synth.feed import receive
from replay.synth.forecaster import FILE_NAME, forecast_columns, plant_forecasts, write_forecasts
from replay.synth.frames import join_frames, status_frame, symbol_frames
from replay.synth.market import DayPlan, simulate
from replay.synth.outages import halted_seconds, plan_outages
from replay.synth.profiles import TICK, symbol_name
from replay.synth.settings import SynthSettings, with_changes

SOURCE = "synth"
START_DAY = date(2026, 3, 2)
Progress = Callable[[str], None]


def generate(
    out: str | Path,
    settings: SynthSettings | None = None,
    *,
    start_day: date | str | None = None,
    progress: Progress | None = None,
    **changes: Any,
) -> list[Path]:
    """Generate sessions with a known truth: order books, what IBKR would have shown of them, forecasts of known strength.

    Parameters
    ----------
    out : str or Path
        One day: the session's own folder. Several days: receives one session per day, `out/YYYY-MM-DD`. A synthetic session
        there is replaced, anything else is refused.
    settings : SynthSettings, optional
        What to make.
    start_day : date or "YYYY-MM-DD", optional
        First day, a trading day of XNYS; 2026-03-02 where absent.
    progress : callable, optional
        Gets one line per session written.
    **changes
        Fields of `SynthSettings` by name: symbols, minutes, days, seed, ic, regimes, halts, gaps, ...

    Returns
    -------
    list of Path
        The session folders in date order. Each holds `forecasts.parquet` beside the tables; several days also share one for all
        of them, `out/forecasts.parquet`.

    Raises
    ------
    UsageError
        For settings out of bounds, a day without trading, or a folder that holds something else.

    Examples
    --------
    >>> generate("demo", symbols=2, minutes=30, ic=0.5)  # doctest: +SKIP
    [PosixPath('demo')]
    """
    wish = with_changes(settings, changes)
    root = Path(out)
    if wish.days > 1 and (root / MANIFEST_NAME).exists():
        raise UsageError(f"{root} is a session itself; name another folder for {wish.days} sessions")
    folders, forecasts = [], []
    values: list[float | None] = [None] * wish.symbols
    for day in _trading_days(_as_date(start_day), wish.days):
        folder = root / day.isoformat() if wish.days > 1 else root
        values, columns = _generate_day(folder, day, wish, values)
        folders.append(folder)
        forecasts.append(columns)
        if progress:
            progress(f"{day}: {wish.symbols} symbols written to {folder}")
    if len(folders) > 1:
        write_forecasts(root, {name: np.concatenate([columns[name] for columns in forecasts]) for name in forecasts[0]})
    return folders


def _generate_day(
    folder: Path, day: date, settings: SynthSettings, values: list[float | None]
) -> tuple[list[float | None], dict[str, np.ndarray]]:
    """Write one session; return the fair values at its end, at which the next day opens, and its forecasts."""
    plan = _plan(day, settings)
    outages = plan_outages(plan.ordinal, plan.n_seconds, settings)
    frames, forecasts = [], []
    closes: list[float | None] = []
    for symbol, value in enumerate(values):
        made = simulate(plan, symbol, settings, halted_seconds(outages, symbol, plan.n_seconds), value)
        received = receive(made, plan.open_ns, Stream(settings.seed, plan.ordinal, symbol, Purpose.FEED), settings)
        stream = Stream(settings.seed, plan.ordinal, symbol, Purpose.FORECAST)
        frames.append(symbol_frames(symbol, received, plan, outages, settings))
        forecasts.append(plant_forecasts(symbol, received.quotes, made.seconds, plan, stream, settings))
        closes.append(made.close_value)
    tables = {**join_frames(frames), "status": status_frame(plan, outages, settings)}
    symbols = [_describe(number, settings) for number in range(settings.symbols)]
    _write(folder, day, settings, symbols, tables)
    columns = forecast_columns(forecasts, [info.name for info in symbols], day)
    write_forecasts(folder, columns)
    return closes, columns


def _write(folder: Path, day: date, settings: SynthSettings, symbols: list[SymbolInfo], tables: dict[str, Any]) -> None:
    notes = {"generator": "replay synth", "forecasts": FILE_NAME, "settings": dataclasses.asdict(settings)}
    write_session(folder, day=day, symbols=symbols, source=SOURCE, notes=notes, calendar=NEW_YORK, **tables)


def _describe(number: int, settings: SynthSettings) -> SymbolInfo:
    return SymbolInfo(
        name=symbol_name(number),
        tick=TICK,
        primary_exchange=("NYSE", "NASDAQ")[number % 2],
        what_to_show=("TRADES",),
        evidence="tick_by_tick" if number < settings.tick_by_tick else "snapshot_250ms",
    )


def _plan(day: date, settings: SynthSettings) -> DayPlan:
    hours = trading_hours(day, NEW_YORK)
    session_s = (hours.close_ns - hours.open_ns) // 1_000_000_000
    n_seconds = min(settings.minutes * 60, session_s)
    return DayPlan(ordinal=day.toordinal(), open_ns=hours.open_ns, session_s=session_s, n_seconds=n_seconds)


def _as_date(day: date | str | None) -> date:
    try:
        wanted = date.fromisoformat(day) if isinstance(day, str) else day or START_DAY
    except ValueError:
        raise UsageError(f"`start_day` must be a date like 2026-03-02, got {day!r}") from None
    if not is_trading_day(wanted):
        raise UsageError(
            f"`start_day` {wanted} is no trading day of {NEW_YORK}; the next one is {next(_trading_days(wanted, 1))}"
        )
    return wanted


def _trading_days(first: date, count: int) -> Iterator[date]:
    day = first
    while count:
        if is_trading_day(day):
            yield day
            count -= 1
        day += timedelta(days=1)
