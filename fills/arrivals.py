"""When given orders and their cancels meet the market: the line between their sender and the exchange, for `fills.simulate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fills.delays import CANCEL_LEG, OUTBOUND_LEG, build_delays, count_events, in_order, listens, received_ns, travel
from fills.latency import LatencySettings
from replay.errors import UsageError

if TYPE_CHECKING:
    from fills.given import GivenOrders
    from replay.session import Session


MOST_NS = 2**60  # 36 years: what is added to a time of day stays in 64 bits


class Arrivals(NamedTuple):
    """Times on the receive clock, by order; that of a cancel means something only where one was sent."""

    new_ns: np.ndarray
    cancel_ns: np.ndarray


def arrivals_of(session: Session, given: GivenOrders, latency: int | LatencySettings | None, is_independent: bool) -> Arrivals:
    """Return when each order and each cancel acts.

    Parameters
    ----------
    session : Session
        Its symbols and, where delays depend on it, its activity.
    given : GivenOrders
    latency : int or LatencySettings, optional
        As in `fills.simulate`.
    is_independent : bool
        Each order has a line of its own; else all messages share one, in the order sent, and none overtakes another.

    Raises
    ------
    UsageError, ConfigError
        An impossible latency.
    """
    new_ns, cancel_ns = _ways(session, given, latency)
    new_ns, cancel_ns = given.ts_ns + new_ns, given.cancel_ts_ns + cancel_ns
    if not is_independent:
        is_sent = np.concatenate([np.ones(len(new_ns), bool), given.cancel_ts_ns > 0])
        sent_ns, due_ns = np.concatenate([given.ts_ns, given.cancel_ts_ns]), np.concatenate([new_ns, cancel_ns])
        order = np.flatnonzero(is_sent)[np.argsort(sent_ns[is_sent], kind="stable")]
        due_ns[order] = in_order(due_ns[order])
        new_ns, cancel_ns = np.split(due_ns, 2)
    return Arrivals(new_ns, np.maximum(cancel_ns, new_ns))  # no cancel overtakes its order


def _is_way(latency: Any) -> bool:
    """Tell whether something is a whole number of nanoseconds that a message may be on its way."""
    is_number = isinstance(latency, int | float | np.integer) and not isinstance(latency, bool)
    return is_number and 0 <= latency < MOST_NS and bool(latency == int(latency))


def _ways(session: Session, given: GivenOrders, latency: int | LatencySettings | None) -> tuple[np.ndarray, np.ndarray]:
    """Return how long each order and each cancel is on its way."""
    if latency is not None and not isinstance(latency, LatencySettings):
        if not _is_way(latency):
            raise UsageError(f"`latency` must be whole and not negative (ns), LatencySettings or None, got {latency!r}")
        ways_ns = np.full(len(given.order_id), int(latency), np.int64)
        return ways_ns, ways_ns
    delays = build_delays(latency or LatencySettings(), seed=0, symbols=session.symbols)
    if listens(delays):
        for block in session.blocks(symbol_index={name: k for k, name in enumerate(session.symbols)}):
            count_events(received_ns(block.events), delays)
    new_ns, cancel_ns = np.zeros((2, len(given.order_id)), np.int64)
    travel(OUTBOUND_LEG, given.symbol, given.order_id, np.zeros_like(given.ts_ns), given.ts_ns, delays, new_ns)
    travel(CANCEL_LEG, given.symbol, given.order_id, given.cancel_ts_ns, given.cancel_ts_ns, delays, cancel_ns)
    return new_ns, cancel_ns
