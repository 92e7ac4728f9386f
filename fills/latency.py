"""The four legs between a strategy and the exchange, and the cancel's own: constant delays, in ns.

An order decided at `t` (receive clock) acts at the exchange on the recorded market up to `t + compute + outbound + feed`: the
recorded times are receive times, and the exchange is `feed` ahead of them. A fill made by the event received at `T` is known to
the strategy at `max(T, T - feed + answer)`.
"""

from dataclasses import dataclass

import numpy as np

from replay.errors import ConfigError
from replay.settings import as_row, setting

MS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencySettings:
    """Hold the legs of a retail line to IBKR.

    The defaults are assumptions, not measurements: a line of some 20 ms to the gateway's servers and a few ms inside IBKR each
    way. A recorded session's own acknowledgements are the better source. Zero must be asked for.
    """

    feed_ns: int = setting(15 * MS, "exchange event until its data reaches us (assumed: retail line)", unit="ns", ge=0)
    compute_ns: int = setting(1 * MS, "data in hand until the order leaves (assumed: one slow decision)", unit="ns", ge=0)
    outbound_ns: int = setting(25 * MS, "order leaves until it is at the exchange (assumed: line + router)", unit="ns", ge=0)
    cancel_ns: int = setting(25 * MS, "cancel leaves until it is at the exchange (assumed: as outbound)", unit="ns", ge=0)
    answer_ns: int = setting(25 * MS, "exchange answers until we know (assumed: as outbound)", unit="ns", ge=0)

    def __post_init__(self) -> None:
        """Refuse negative legs."""
        for name in self.__slots__:
            if getattr(self, name) < 0:
                raise ConfigError(f"`{name}` must not be negative, got {getattr(self, name)} ns")

    def row(self) -> np.ndarray:
        """Return the legs as a structured array of one row, for kernels."""
        return as_row(self)


ZERO_LATENCY = LatencySettings(feed_ns=0, compute_ns=0, outbound_ns=0, cancel_ns=0, answer_ns=0)
