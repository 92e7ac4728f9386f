"""Where halts and feed gaps lie: one to a slot of the day, so that they never overlap."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from replay.errors import UsageError
from replay.synth.draws import Purpose, Stream
from replay.synth.settings import SynthSettings

ALL_SYMBOLS = -1
_LENGTH_MAX_S = 300  # a halt for volatility lasts five minutes
_LENGTH_MIN_S = 2


class Outage(NamedTuple):
    """Seconds since the open, half-open; `symbol` is a number or `ALL_SYMBOLS`."""

    symbol: int
    start_s: int
    end_s: int


class Outages(NamedTuple):
    """What goes wrong on one day."""

    halts: tuple[Outage, ...]
    gaps: tuple[Outage, ...]


def plan_outages(day_ordinal: int, n_seconds: int, settings: SynthSettings) -> Outages:
    """Draw the halts and gaps of a day; every second gap takes the whole connection.

    Raises
    ------
    UsageError
        If the day is too short for so many.
    """
    count = settings.halts + settings.gaps
    if not count:
        return Outages((), ())
    first_s = n_seconds // 10
    slot_s = n_seconds * 8 // 10 // count
    length_s = min(_LENGTH_MAX_S, slot_s // 3)
    if length_s < _LENGTH_MIN_S:
        raise UsageError(f"{n_seconds // 60} minutes have no room for {count} halts and gaps; ask for fewer, or for more minutes")
    draws = Stream(settings.seed, day_ordinal, ALL_SYMBOLS, Purpose.OUTAGE).table(count, 3)
    starts = [first_s + k * slot_s + int(draws[k, 0] * (slot_s - length_s)) for k in range(count)]
    symbols = [int(draws[k, 1] * settings.symbols) for k in range(count)]
    slots = [int(k) for k in np.argsort(draws[:, 2], kind="stable")]
    outages = [Outage(symbols[k], starts[k], starts[k] + length_s) for k in slots]
    gaps = [gap._replace(symbol=ALL_SYMBOLS) if k % 2 else gap for k, gap in enumerate(outages[settings.halts :])]
    return Outages(tuple(sorted(outages[: settings.halts])), tuple(sorted(gaps)))


def halted_seconds(outages: Outages, symbol: int, n_seconds: int) -> np.ndarray:
    """Return which seconds a symbol does not trade in."""
    halted = np.zeros(n_seconds, bool)
    for halt in outages.halts:
        if halt.symbol == symbol:
            halted[halt.start_s : halt.end_s] = True
    return halted
