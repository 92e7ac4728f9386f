"""Make the table of measured delays from the acknowledgements of own orders in recorded runs.

What a run knows is the round trip: an order was decided on, and some time later its acknowledgement was in hand. Per order,
with the answer's way back taken as a stated share of it::

    round trip = first acknowledgement - decision - compute        (`compute` as the run's settings have it)
    outbound   = share x round trip            answer = (1 - share) x round trip
    cancel     = (cancelled - cancel decided - compute) - the median answer, at least 0

Outbound and answer keep the order of the round trips, so that `fills.delays` can draw both halves of one. Activity, the number of
events received in the whole second before, decides the bucket; the buckets hold about equally many orders.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fills.delays import SECOND_NS, received_ns
from fills.latency_table import LONGEST_NS, Bucket, LatencyTable
from replay.errors import DataError, UsageError
from replay.result import Result

if TYPE_CHECKING:
    import pandas as pd

LEAST = 30  # measurements per bucket: below that a ninth decile is a guess
_MOST = 200  # delays kept per bucket and leg, evenly spaced in rank


class Trips(NamedTuple):
    """Round trips of messages: how long, and how many events came in the second before."""

    ns: np.ndarray
    activity: np.ndarray


def fit_latency(runs: Sequence[str | Path], *, buckets: int = 3, outbound_share: float = 0.5) -> LatencyTable:
    """Measure the delays of own orders.

    Parameters
    ----------
    runs : sequence of path
        Run folders; live ones measure a line, replayed ones give back what was assumed.
    buckets : int
        Levels of activity; 1 does not look at the market at all.
    outbound_share : float
        Share of an order's round trip that is the way out, 0 to 1.

    Returns
    -------
    LatencyTable

    Raises
    ------
    UsageError, DataError
        No run, too few acknowledged orders, or sessions that cannot be found.
    """
    if buckets < 1 or not 0.0 <= outbound_share <= 1.0:
        raise UsageError(f"buckets must be at least 1 and the share from 0 to 1, got {buckets} and {outbound_share}")
    opened = [Result.open(run) for run in runs]
    parts = [_measure(result, needs_activity=buckets > 1) for result in opened]
    orders, cancels = (_joined([part[k] for part in parts]) for k in range(2))
    if len(orders.ns) < LEAST * buckets:
        raise DataError(
            f"{', '.join(map(str, runs))}: {len(orders.ns)} acknowledged orders, {LEAST * buckets} are needed for {buckets} "
            f"buckets ({LEAST} each); give more runs, or fewer --buckets"
        )
    edges = _edges(orders.activity, buckets)
    return LatencyTable(
        made_from=tuple(str(result.manifest["run_id"]) for result in opened),
        outbound_share=outbound_share,
        buckets=tuple(_bucket(k, edges, orders, cancels, outbound_share) for k in range(len(edges) + 1)),
    )


def write_table(table: LatencyTable, path: str | Path) -> Path:
    """Write a table; to a temporary name first."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    part.write_text(table.to_toml(), encoding="utf-8")
    part.replace(target)
    return target


def _measure(result: Result, *, needs_activity: bool) -> tuple[Trips, Trips]:
    """Return the round trips of a run's orders and of its cancels."""
    compute_ns = int(result.manifest["config"]["latency"]["compute_ns"])
    rows = result.orders
    events = _activity(result) if needs_activity else {}
    acked = rows[rows["ack_ts_ns"] > 0].groupby("order_id")["ack_ts_ns"].first()
    cancelled = rows[rows["state"] == "CANCELLED"].groupby("order_id")["ts_ns"].first()
    return (
        _trips(rows[rows["state"] == "SENT"], acked, compute_ns, events),
        _trips(rows[rows["state"] == "CANCEL_SENT"], cancelled, compute_ns, events),
    )


def _trips(sent: pd.DataFrame, answered: pd.Series, compute_ns: int, events: dict[int, int]) -> Trips:
    first = sent.groupby("order_id")["ts_ns"].first()
    both = first.index.intersection(answered.index)
    left_ns = first[both].to_numpy() + compute_ns
    trip_ns = answered[both].to_numpy() - left_ns
    is_possible = (trip_ns >= 0) & (trip_ns <= 2 * LONGEST_NS)
    seconds = left_ns[is_possible] // SECOND_NS - 1
    return Trips(trip_ns[is_possible], np.array([events.get(int(second), 0) for second in seconds], np.int64))


def _activity(result: Result) -> dict[int, int]:
    """Count the events of a run's symbols by second, from its sessions."""
    from replay.session import Session

    inputs: dict[str, Any] = result.manifest["inputs"]
    counts: dict[int, int] = {}
    for path in (path for entry in inputs["sessions"] for path in entry["paths"]):
        if path is None or not Path(path).is_dir():
            raise DataError(f"{result.path} names the session {path}, which is not there; restore it, or give --buckets 1")
        session = Session.open(path)
        names = [name for name in session.symbols if inputs["symbols"] is None or name in inputs["symbols"]]
        for block in session.blocks({name: k for k, name in enumerate(names)}):
            seconds, events = np.unique(received_ns(block.events) // SECOND_NS, return_counts=True)
            for second, count in zip(seconds.tolist(), events.tolist(), strict=True):
                counts[second] = counts.get(second, 0) + count
    return counts


def _joined(parts: Sequence[Trips]) -> Trips:
    return Trips(np.concatenate([part.ns for part in parts]), np.concatenate([part.activity for part in parts]))


def _edges(activity: np.ndarray, buckets: int) -> list[int]:
    """Return the activities at which the next bucket begins, each bucket with enough orders."""
    shares = np.arange(1, buckets) / buckets
    edges: list[int] = np.unique(np.maximum(np.ceil(np.quantile(activity, shares)), 1)).astype(int).tolist()
    counts = np.bincount(np.searchsorted(edges, activity, side="right"), minlength=len(edges) + 1)
    if counts.min() < LEAST:
        raise DataError(
            f"activity leaves {counts.min()} orders in a bucket (edges {edges} events a second), {LEAST} are needed; "
            "give more runs, or fewer --buckets"
        )
    return edges


def _bucket(k: int, edges: list[int], orders: Trips, cancels: Trips, outbound_share: float) -> Bucket:
    of_orders, of_cancels = (trips.ns[np.searchsorted(edges, trips.activity, side="right") == k] for trips in (orders, cancels))
    counts = {"orders": len(of_orders), "cancels": len(of_cancels)}
    outbound = _thinned(of_orders * outbound_share)
    answer = _thinned(of_orders * (1.0 - outbound_share))
    enough = of_cancels if len(of_cancels) >= LEAST else cancels.ns
    cancel = outbound if len(enough) < LEAST else _thinned(np.maximum(enough - answer[len(answer) // 2], 0))
    return Bucket(
        below_events=edges[k] if k < len(edges) else None,
        counts=counts,
        delays_ns={"outbound": outbound, "cancel": cancel, "answer": answer},
    )


def _thinned(delays_ns: np.ndarray) -> tuple[int, ...]:
    """Return at most `_MOST` delays, ascending, evenly spaced in rank."""
    ascending = np.sort(np.rint(delays_ns).astype(np.int64))
    count = min(len(ascending), _MOST)
    places = ((np.arange(count) + 0.5) * len(ascending) / count).astype(int)
    return tuple(np.minimum(ascending[places], LONGEST_NS).tolist())
