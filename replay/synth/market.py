"""One symbol over one day: drive and order flow run to the close, everything that came out in three arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from replay.synth import flow as order_flow
from replay.synth.book import empty_book
from replay.synth.draws import Purpose, Stream
from replay.synth.drive import COLUMNS, MOTION, SECOND, Drive, drive
from replay.synth.profiles import VENUE_SHARE, profile_of, regime_table
from replay.synth.settings import REGIME_CHOICES, SynthSettings
from replay.synth.tape import empty_tape

N_LEVELS = 1 << 14
_CAPACITY = 1 << 13  # resting orders
_STEPS = 1 << 15  # per call of the kernel
_TAPE_ROWS = 1 << 17
_MARGIN = 256  # levels that the fair value keeps away from both ends


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolDay:
    """What one symbol did on one day, in the exchange's time."""

    messages: np.ndarray  # tape.MESSAGE
    quotes: np.ndarray  # tape.QUOTE
    prints: np.ndarray  # tape.PRINT
    seconds: np.ndarray  # drive.SECOND
    tick: int  # price units
    close_value: float  # fair value at the end, ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPlan:
    """When a day trades."""

    ordinal: int  # date.toordinal()
    open_ns: int
    session_s: int  # length of the whole regular session
    n_seconds: int  # how much of it is simulated


def simulate(plan: DayPlan, symbol: int, settings: SynthSettings, halted: np.ndarray, value: float | None) -> SymbolDay:
    """Simulate one symbol over one day.

    Parameters
    ----------
    plan : DayPlan
        When to trade.
    symbol : int
        Number of the symbol; it chooses profile and random streams.
    settings : SynthSettings
        What was asked.
    halted : ndarray of bool, (n_seconds,)
        Seconds in which this symbol does not trade.
    value : float or None
        Fair value at the open in ticks; None = the profile's start price.
    """
    profile = profile_of(symbol, settings)
    start = float(profile["start_price"][0] // profile["tick"][0]) if value is None else value
    lowest = max(1, int(start) - N_LEVELS // 2)
    seconds, close_value = _drive(plan, symbol, settings, profile, (start, lowest))
    seconds["is_halted"] = halted
    rows = _trade(plan, symbol, settings, (profile, seconds, lowest))
    return SymbolDay(**rows, seconds=seconds, tick=int(profile["tick"][0]), close_value=close_value)


def _drive(
    plan: DayPlan, symbol: int, settings: SynthSettings, profile: np.ndarray, start: tuple[float, int]
) -> tuple[np.ndarray, float]:
    value, lowest = start
    motion = np.zeros(1, MOTION)
    motion["value"] = value
    motion["value_min"], motion["value_max"] = lowest + _MARGIN, lowest + N_LEVELS - _MARGIN
    motion["ic"] = settings.ic
    motion["session_s"] = plan.session_s
    motion["regime"] = REGIME_CHOICES.index(settings.regimes) - 1
    draws = Stream(settings.seed, plan.ordinal, symbol, Purpose.DRIVE).table(plan.n_seconds, COLUMNS)
    seconds = np.zeros(plan.n_seconds, SECOND)
    drive(Drive(profile, regime_table(), motion, draws), seconds)
    return seconds, float(motion["value"][0])


def _trade(
    plan: DayPlan, symbol: int, settings: SynthSettings, market: tuple[np.ndarray, np.ndarray, int]
) -> dict[str, np.ndarray]:
    """Run the order flow to the close, emptying the tape whenever it is full."""
    profile, seconds, lowest = market
    stream = Stream(settings.seed, plan.ordinal, symbol, Purpose.FLOW)
    state = np.zeros(1, order_flow.STATE)
    state["open_ns"] = state["now_ns"] = plan.open_ns
    state["lowest"] = lowest
    tape = empty_tape(_TAPE_ROWS)
    world = order_flow.Flow(empty_book(_CAPACITY, N_LEVELS), profile, seconds, np.array(VENUE_SHARE), state, tape)
    n_first = max(2 * order_flow.MIN_SIDE + 4, int(profile["orders"][0]))
    order_flow.open_book(world, stream.table(n_first, order_flow.COLUMNS))
    tape.used["step"] = 1
    parts: list[dict[str, np.ndarray]] = []
    while not state["is_done"][0]:
        draws = stream.table(_STEPS, order_flow.COLUMNS)
        while len(draws) and not state["is_done"][0]:
            draws = draws[order_flow.run(world, draws) :]
            parts.append(_empty(tape))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _empty(tape: Any) -> dict[str, np.ndarray]:
    """Copy what is on the tape and rewind it."""
    rows = {}
    for name in ("messages", "quotes", "prints"):
        rows[name] = getattr(tape, name)[: tape.used[name][0]].copy()
        tape.used[name] = 0
    return rows
