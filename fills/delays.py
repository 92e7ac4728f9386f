"""How long a message takes on one leg: the kernels that draw it, and the arrays that they draw from.

A delay is a pure function of (seed, symbol, order id, leg, count) and of the activity at the time; see `fills.draws`. The count
is 0 for a new order and for its acknowledgement, and the message's own time for everything later. Where way out and answer are
both empirical, an order's acknowledgement takes the rank that its way out had: the table was made of round trips, and the two
halves of one belong together.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fills.draws import normal
from fills.latency import LEGS, MODELS, Z_90, LatencySettings
from fills.latency_table import LatencyTable, read_table
from replay.bundle import bundle
from replay.errors import ConfigError
from replay.events import Kind
from replay.jit import kernel
from replay.numeric import exp, uniform

FEED_LEG, COMPUTE_LEG, OUTBOUND_LEG, CANCEL_LEG, ANSWER_LEG = range(5)  # as in LEGS
CONSTANT, LOGNORMAL, EMPIRICAL = range(3)  # as in MODELS
COMPONENT = 1  # of this file among all that draw from the seed of a run
SECOND_NS = 1_000_000_000
_SECONDS = 1 << 17  # of activity kept: more than a day, so that no block of events overwrites itself

LEG = np.dtype([("model", "i8"), ("typical_ns", "i8"), ("floor_ns", "i8"), ("sigma", "f8")], align=True)
LOAD = np.dtype([("second", "i8"), ("events", "i8")], align=True)


@bundle
class Delays(NamedTuple):
    """Everything that decides how long messages take."""

    legs: np.ndarray  # LEG, by leg
    seed: np.ndarray  # int64, one
    symbol_keys: np.ndarray  # int64 (n_symbols,), from the names: another symbol beside it changes nothing
    edges: np.ndarray  # int64: events per second at which the next bucket begins
    spans: np.ndarray  # int64 (5, n_buckets, 2): place and number of a bucket's samples
    samples_ns: np.ndarray  # int64
    load: np.ndarray  # LOAD, a ring by second; one row where nothing asks for it


@kernel
def delay_ns(leg, symbol, order_id, count, ts_ns, delays):
    """Return how long a message of an order takes on a leg when it leaves at `ts_ns`."""
    model = delays.legs[leg]["model"]
    if model == CONSTANT:
        return delays.legs[leg]["typical_ns"]
    stream = OUTBOUND_LEG if model == EMPIRICAL and leg == ANSWER_LEG else leg
    u = uniform(delays.seed[0], COMPONENT, delays.symbol_keys[symbol], order_id, stream, count)
    if model == LOGNORMAL:
        return _lognormal_ns(u, delays.legs[leg])
    span = delays.spans[leg, _bucket(ts_ns, delays)]
    return delays.samples_ns[span[0] + int(u * span[1])]


@kernel
def _lognormal_ns(u, leg):
    median_ns = leg["typical_ns"] - leg["floor_ns"]
    late_ns = median_ns * exp(leg["sigma"] * normal(u)) + 0.5
    return leg["floor_ns"] + int(min(late_ns, 60_000_000_000.0))


@kernel
def _bucket(ts_ns, delays):
    """Return the bucket of the activity in the whole second before `ts_ns`."""
    second = ts_ns // SECOND_NS - 1
    row = delays.load[second % len(delays.load)]
    events = row["events"] if row["second"] == second else 0
    bucket = 0
    while bucket < len(delays.edges) and events >= delays.edges[bucket]:
        bucket += 1
    return bucket


@kernel
def way_ns(leg, symbol, order_id, count, ts_ns, delays):
    """Return how long after its decision a message acts, on the receive clock; `leg` is OUTBOUND_LEG or CANCEL_LEG."""
    compute_ns = delay_ns(COMPUTE_LEG, symbol, order_id, count, ts_ns, delays)
    return (
        compute_ns
        + delay_ns(leg, symbol, order_id, count, ts_ns + compute_ns, delays)
        + delay_ns(FEED_LEG, symbol, order_id, count, ts_ns, delays)
    )


@kernel
def travel(leg, symbols, order_ids, counts, sent_ns, delays, out_ns):
    """Write how long each of many messages that leave at `sent_ns` is on its way: the leg and the feed, no `compute`."""
    for k in range(len(out_ns)):
        out_ns[k] = delay_ns(leg, symbols[k], order_ids[k], counts[k], sent_ns[k], delays)
        out_ns[k] += delay_ns(FEED_LEG, symbols[k], order_ids[k], counts[k], sent_ns[k], delays)


def build_delays(settings: LatencySettings, *, seed: int, symbols: Sequence[str]) -> Delays:
    """Make the delays of a run.

    Parameters
    ----------
    settings : LatencySettings
    seed : int
        Seed of the run.
    symbols : sequence of str
        Names by index.

    Raises
    ------
    ConfigError
        The table cannot be read, or lacks a leg that is to be sampled from it.
    """
    settings.check()
    rows = np.zeros(len(LEGS), LEG)
    for row, leg in zip(rows, LEGS, strict=True):
        row["model"] = MODELS.index(settings.of(leg, "model"))
        row["typical_ns"] = settings.of(leg, "ns")
        row["floor_ns"], row["sigma"] = settings.of(leg, "floor_ns"), settings.of(leg, "sigma")
    table = table_of(settings)
    spans, samples = _lay_out(settings, table)
    edges = [bucket.below_events for bucket in table.buckets if bucket.below_events is not None]
    load = np.zeros(_SECONDS if edges else 1, LOAD)
    load["second"] = -1
    keys = [int.from_bytes(sha256(name.encode()).digest()[:7], "big") for name in symbols]
    return Delays(
        legs=rows,
        seed=np.array([seed], np.int64),
        symbol_keys=np.array(keys or [0], np.int64),
        edges=np.array(edges, np.int64),
        spans=spans,
        samples_ns=samples,
        load=load,
    )


def fixed_delays(n_symbols: int, **legs_ns: int) -> Delays:
    """Make constant delays of the given legs (`feed_ns`, ...); a leg not given takes no time."""
    keys: dict[str, Any] = {f"{leg}_ns": 0 for leg in LEGS} | legs_ns
    settings = LatencySettings(**keys)
    return build_delays(settings, seed=0, symbols=[str(k) for k in range(n_symbols)])


def table_of(settings: LatencySettings) -> LatencyTable:
    """Return the table that the empirical legs are sampled from; an empty one where there are none."""
    if not settings.empirical_legs:
        return LatencyTable()
    table = read_table(Path(settings.table))
    for leg in settings.empirical_legs:
        if leg not in table.buckets[0].delays_ns:
            held = ", ".join(table.buckets[0].delays_ns)
            raise ConfigError(f'`{leg}_model` is "empirical", but `{settings.table}` holds only {held}; set it to constant')
    return table


def _lay_out(settings: LatencySettings, table: LatencyTable) -> tuple[np.ndarray, np.ndarray]:
    """Return where each bucket's samples lie, and all samples in one row."""
    spans = np.zeros((len(LEGS), max(len(table.buckets), 1), 2), np.int64)
    samples: list[int] = []
    for leg in settings.empirical_legs:
        for k, bucket in enumerate(table.buckets):
            spans[LEGS.index(leg), k] = len(samples), len(bucket.delays_ns[leg])
            samples += bucket.delays_ns[leg]
    return spans, np.array(samples or [0], np.int64)


def received_ns(events: np.ndarray) -> np.ndarray:
    """Return the times of the events that count as activity: what the market sent."""
    times: np.ndarray = events["ts_ns"][events["kind"] < Kind.FORECAST]
    return times


def listens(delays: Delays) -> bool:
    """Tell whether any delay depends on the activity."""
    return len(delays.load) > 1


def count_events(ts_ns: np.ndarray, delays: Delays) -> None:
    """Note recorded events, in time order, as activity; only where `listens` says so."""
    seconds, events = np.unique(ts_ns // SECOND_NS, return_counts=True)
    rows = delays.load[seconds % len(delays.load)]
    rows["events"] = np.where(rows["second"] == seconds, rows["events"], 0) + events
    rows["second"] = seconds
    delays.load[seconds % len(delays.load)] = rows


def profile(settings: LatencySettings) -> dict[str, dict[str, Any]]:
    """Return by leg its model, the median and what nine in ten messages stay below, in ns."""
    table = table_of(settings)
    return {leg: _leg_profile(leg, settings, table) for leg in LEGS}


def _leg_profile(leg: str, settings: LatencySettings, table: LatencyTable) -> dict[str, Any]:
    model, typical_ns = settings.of(leg, "model"), settings.of(leg, "ns")
    p50_ns = p90_ns = typical_ns
    if model == "lognormal":
        floor_ns = settings.of(leg, "floor_ns")
        p90_ns = floor_ns + round((typical_ns - floor_ns) * exp(settings.of(leg, "sigma") * Z_90))
    elif model == "empirical":
        pooled = table.pooled_ns(leg)
        p50_ns, p90_ns = (_quantile(pooled, share) for share in (0.5, 0.9))
    return {"model": model, "p50_ns": int(p50_ns), "p90_ns": int(p90_ns)}


def _quantile(values: Sequence[int], share: float) -> int:
    return values[min(int(share * len(values)), len(values) - 1)]


def in_order(due_ns: Iterable[int]) -> np.ndarray:
    """Return arrival times on one connection, in the order sent: none before the one that was sent earlier."""
    return np.maximum.accumulate(np.asarray(due_ns, np.int64))
