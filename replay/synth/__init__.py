"""Synthetic sessions: a limit order book per symbol, recorded as IBKR would have shown it, with the truth beside it.

A map, in the order in which a session-day is made:

============ =====================================================================================================
settings     what a person can ask for (`SynthSettings`)
profiles     four kinds of stock and three regimes, as tables
draws        random numbers: one private stream per (seed, day, symbol, purpose), the same bits everywhere
outages      where halts and feed gaps lie
drive        second by second: fair value with its latent alpha, regime, spread, activity
book         the order book: price levels, FIFO queues, order ids
flow         step by step: limit orders, cancels, market orders, off-exchange prints
tape         the rows that come out, in exchange time
market       one symbol over one day: drive and flow run to the close
feed         receive clock, 250 ms sampling, status events, gaps, frames
bars         5-second and 1-minute bars
forecaster   the planted forecasts of known strength
sessions     `generate`: all of it, written as sessions
============ =====================================================================================================
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from replay.synth.sessions import generate as generate
    from replay.synth.settings import SynthSettings as SynthSettings

__all__ = ["SynthSettings", "generate"]


def __getattr__(name: str) -> Any:
    """Load on first use: the command line lists its commands without numba."""
    if name == "generate":
        from replay.synth.sessions import generate

        return generate
    if name == "SynthSettings":
        from replay.synth.settings import SynthSettings

        return SynthSettings
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
