"""The table of measured delays: a small TOML file, a bucket of activity per block, made by `replay fit latency`.

Every bucket holds, in ascending order, delays of the legs `outbound`, `cancel` and `answer` (and `feed` or `compute` where
somebody measured them). The buckets go by *activity*: how many events of all replayed symbols were received in the whole second
before the one in which a message leaves. `below_events` is the upper edge of a bucket; the last bucket has none.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from fills.latency import LEGS
from replay.errors import ConfigError

VERSION = 1
LONGEST_NS = 60_000_000_000  # a message that takes longer is a lost line, a fault and no delay


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Hold the delays measured at one level of activity.

    Parameters
    ----------
    below_events : int, optional
        Events per second from which the next bucket holds; None for the last.
    counts : dict
        How many measurements were taken, by kind of message.
    delays_ns : dict
        By leg, ascending.
    """

    below_events: int | None = None
    counts: dict[str, int] = field(default_factory=dict)
    delays_ns: dict[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyTable:
    """Hold measured delays, the quietest bucket first.

    Parameters
    ----------
    made_from : tuple of str
        Names of the runs.
    outbound_share : float
        Share of an order's round trip that was taken for the way out.
    buckets : tuple of Bucket
    """

    made_from: tuple[str, ...] = ()
    outbound_share: float = 0.5
    buckets: tuple[Bucket, ...] = ()

    def to_toml(self) -> str:
        """Write the table as TOML."""
        names = ", ".join(f'"{name}"' for name in self.made_from)
        lines = [
            "# Delays of own messages, measured; written by `replay fit latency`. [latency] table = this file.",
            "# Per bucket of activity (events of all symbols in the whole second before): delays in ns, ascending.",
            f"version = {VERSION}",
            f"made_from = [{names}]",
            f"outbound_share = {self.outbound_share!r}  # of an order's round trip; the rest is the answer's way back",
        ]
        return "\n".join([*lines, *(line for bucket in self.buckets for line in _bucket_lines(bucket))]) + "\n"

    def pooled_ns(self, leg: str) -> list[int]:
        """Return all delays of a leg, ascending."""
        return sorted(delay for bucket in self.buckets for delay in bucket.delays_ns.get(leg, ()))


def _bucket_lines(bucket: Bucket) -> list[str]:
    lines = ["", "[[bucket]]"]
    if bucket.below_events is not None:
        lines.append(f"below_events = {bucket.below_events}")
    counts = ", ".join(f"{name} = {count}" for name, count in bucket.counts.items())
    lines.append(f"measured = {{ {counts} }}")
    lines += [f"{leg}_ns = [{', '.join(f'{delay:_}' for delay in delays)}]" for leg, delays in bucket.delays_ns.items()]
    return lines


@cache
def read_table(path: Path) -> LatencyTable:
    """Read a table of measured delays.

    Raises
    ------
    ConfigError
        The file is missing, no TOML, of another version, or holds something else; file, bucket and key are named.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the latency table `{path}`: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the latency table `{path}` is not valid TOML: {error}") from error
    if content.get("version") != VERSION:
        found = content.get("version", "none")
        raise ConfigError(
            f"the latency table `{path}` must have version = {VERSION}, got {found}; `replay fit latency` makes one"
        )
    rows = content.get("bucket")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise ConfigError(f"the latency table `{path}` has no [[bucket]]; `replay fit latency` makes one")
    buckets = tuple(_read_bucket(row, f"the latency table `{path}`, bucket {k}") for k, row in enumerate(rows))
    _check_order(path, buckets)
    return LatencyTable(
        made_from=tuple(str(name) for name in content.get("made_from", ())),
        outbound_share=float(content.get("outbound_share", 0.5)),
        buckets=buckets,
    )


def _read_bucket(row: dict[str, Any], place: str) -> Bucket:
    known = {"below_events", "measured", *(f"{leg}_ns" for leg in LEGS)}
    if strangers := set(row) - known:
        raise ConfigError(f"{place} has the unknown key `{min(strangers)}`; known are {', '.join(sorted(known))}")
    below = row.get("below_events")
    if below is not None and (type(below) is not int or below < 1):
        raise ConfigError(f"{place}: `below_events` must be a whole number above 0, got {below!r}")
    delays = {leg: _read_delays(row[f"{leg}_ns"], f"{place}: `{leg}_ns`") for leg in LEGS if f"{leg}_ns" in row}
    if not delays:
        raise ConfigError(f"{place} holds no delays; give outbound_ns, cancel_ns and answer_ns")
    return Bucket(below_events=below, counts=dict(row.get("measured", {})), delays_ns=delays)


def _read_delays(values: Any, place: str) -> tuple[int, ...]:
    if not isinstance(values, list) or not values:
        raise ConfigError(f"{place} must be a list of delays in ns, got {values!r}")
    for value in values:
        if type(value) is not int or not 0 <= value <= LONGEST_NS:
            raise ConfigError(f"{place} must hold whole ns from 0 to {LONGEST_NS}, got {value!r}")
    if any(b < a for a, b in pairwise(values)):
        raise ConfigError(f"{place} must ascend")
    return tuple(values)


def _check_order(path: Path, buckets: tuple[Bucket, ...]) -> None:
    edges = [bucket.below_events for bucket in buckets]
    whole = [edge for edge in edges[:-1] if edge is not None]
    if len(whole) < len(edges) - 1 or edges[-1] is not None or any(b <= a for a, b in pairwise(whole)):
        raise ConfigError(
            f"the latency table `{path}`: `below_events` must ascend, and only the last bucket goes without, got {edges}"
        )
    legs = {tuple(bucket.delays_ns) for bucket in buckets}
    if len(legs) > 1:
        raise ConfigError(f"the latency table `{path}`: every bucket must hold the same legs")
