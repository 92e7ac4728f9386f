"""From the exchange's time to ours: what a client of IBKR receives of one symbol, and when.

- Each step reaches us after the shortest way plus a delay that drifts within the jitter; order is kept per stream.
- A print comes 20 to 200 us before the quote that it caused; for a stated share of the trades the quote is up to 2 ms first.
- Tick by tick, every change of the touch and every print arrives. As 250 ms snapshots, the last touch of each quarter of a
  second arrives at its end, and the reported prints of that time at one price arrive as one, without a venue.
- In a gap nothing arrives; at its end the touch is sent anew.

`messages` carry the time at which their step would have reached us: the truth stands on the same clock.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from replay.synth.draws import Stream
from replay.synth.market import SymbolDay
from replay.synth.outages import ALL_SYMBOLS, Outages
from replay.synth.settings import SynthSettings
from replay.synth.tape import AVERAGE_PRICE, LATE, ODD_LOT, PRINT, QUOTE

SNAPSHOT_NS = 250_000_000
UNREPORTED = ODD_LOT | LATE | AVERAGE_PRICE
NO_VENUE = -1
_SECOND_NS = 1_000_000_000
_KNOT_NS = 10 * _SECOND_NS
_LEAD_MIN_NS, _LEAD_NS, _LAG_NS = 20_000, 180_000, 2_000_000


class Stamped(NamedTuple):
    """Rows of one stream with their receive times."""

    ts_ns: np.ndarray
    rows: np.ndarray

    def take(self, which: np.ndarray) -> Stamped:
        """Return some of the rows."""
        return Stamped(self.ts_ns[which], self.rows[which])


class Received(NamedTuple):
    """One symbol's day on our clock, complete: neither sampled nor cut by gaps."""

    quotes: Stamped
    prints: Stamped
    messages: Stamped


def receive(day: SymbolDay, open_ns: int, stream: Stream, settings: SynthSettings) -> Received:
    """Give every row its receive time."""
    steps, exch_ts_ns = _steps(day)
    ts_ns = _arrivals(exch_ts_ns, open_ns, stream, settings)
    lead_ns = _LEAD_MIN_NS + (stream.uniform(len(steps)) * _LEAD_NS).astype(np.int64)
    is_quote_first = stream.uniform(len(steps)) < settings.quote_first
    lag_ns = np.where(is_quote_first, lead_ns + (stream.uniform(len(steps)) * _LAG_NS).astype(np.int64), 0)
    place = {name: np.searchsorted(steps, getattr(day, name)["step"]) for name in ("quotes", "prints", "messages")}
    quotes = np.maximum.accumulate((ts_ns + np.where(is_quote_first, 0, lead_ns))[place["quotes"]])
    prints = np.maximum.accumulate((ts_ns + lag_ns)[place["prints"]])
    return Received(Stamped(quotes, day.quotes), Stamped(prints, day.prints), Stamped(ts_ns[place["messages"]], day.messages))


def _steps(day: SymbolDay) -> tuple[np.ndarray, np.ndarray]:
    numbers = np.concatenate([rows["step"] for rows in (day.messages, day.prints)])
    times = np.concatenate([rows["exch_ts_ns"] for rows in (day.messages, day.prints)])
    steps, first = np.unique(numbers, return_index=True)
    return steps, times[first]


def _arrivals(exch_ts_ns: np.ndarray, open_ns: int, stream: Stream, settings: SynthSettings) -> np.ndarray:
    since_ns = exch_ts_ns - open_ns
    knots = (stream.uniform(int(since_ns[-1] // _KNOT_NS) + 2) * (0.8 * settings.feed_jitter_ns)).astype(np.int64)
    k, rest_ns = since_ns // _KNOT_NS, since_ns % _KNOT_NS
    drift_ns = knots[k] + (knots[k + 1] - knots[k]) * rest_ns // _KNOT_NS
    noise_ns = (stream.uniform(len(since_ns)) * (0.2 * settings.feed_jitter_ns)).astype(np.int64)
    arrivals: np.ndarray = np.maximum.accumulate(exch_ts_ns + settings.feed_latency_ns + drift_ns + noise_ns)
    return arrivals


def latency_max_ns(settings: SynthSettings) -> int:
    """Return a time after which everything that happened has been received, snapshots included."""
    return settings.feed_latency_ns + settings.feed_jitter_ns + _LEAD_MIN_NS + _LEAD_NS + _LAG_NS + SNAPSHOT_NS


def sample_quotes(quotes: Stamped, open_ns: int) -> Stamped:
    """Keep the last touch of each 250 ms, stamped with their end, unless it is what was sent before."""
    ends = _sample_ends(quotes.ts_ns, open_ns)
    last = np.append(ends[1:] != ends[:-1], True) if len(ends) else np.zeros(0, bool)
    kept = Stamped(ends[last], quotes.rows[last])
    touch = np.stack([kept.rows[name] for name in ("bid", "bid_qty", "ask", "ask_qty")])
    return kept.take(np.append(True, (touch[:, 1:] != touch[:, :-1]).any(axis=0)))


def sample_prints(prints: Stamped, open_ns: int) -> Stamped:
    """Add up the reported prints of each 250 ms and price, stamped with its end, without venue."""
    prints = prints.take((prints.rows["flags"] & UNREPORTED) == 0)
    ends = _sample_ends(prints.ts_ns, open_ns)
    ranked = np.lexsort((np.arange(len(ends)), prints.rows["price"], ends))
    ends, rows = ends[ranked], prints.rows[ranked]
    is_first = np.append(True, (ends[1:] != ends[:-1]) | (rows["price"][1:] != rows["price"][:-1]))[: len(ends)]
    first = np.flatnonzero(is_first)
    merged = np.zeros(len(first), PRINT)
    if len(first):
        last = np.append(first[1:], len(rows)) - 1
        merged[:] = rows[last]
        merged["qty"] = np.add.reduceat(rows["qty"], first)
    merged["venue"] = NO_VENUE
    merged["flags"] = 0
    in_time = np.lexsort((merged["exch_ts_ns"], ends[first]))
    return Stamped(ends[first][in_time], merged[in_time])


def _sample_ends(ts_ns: np.ndarray, open_ns: int) -> np.ndarray:
    ends: np.ndarray = open_ns - (open_ns - ts_ns) // SNAPSHOT_NS * SNAPSHOT_NS
    return ends


def gaps_of(outages: Outages, symbol: int, open_ns: int) -> list[tuple[int, int]]:
    """List the gaps that a symbol suffers, in ns."""
    mine = [gap for gap in outages.gaps if gap.symbol in (symbol, ALL_SYMBOLS)]
    return [(open_ns + gap.start_s * _SECOND_NS, open_ns + gap.end_s * _SECOND_NS) for gap in mine]


def is_lost(ts_ns: np.ndarray, gaps: list[tuple[int, int]]) -> np.ndarray:
    """Return which receive times lie in a gap."""
    lost = np.zeros(len(ts_ns), bool)
    for start_ns, end_ns in gaps:
        lost |= (ts_ns >= start_ns) & (ts_ns < end_ns)
    return lost


def cut_quotes(quotes: Stamped, received: Stamped, gaps: list[tuple[int, int]]) -> Stamped:
    """Drop what falls into a gap and send the touch anew at its end."""
    kept = quotes.take(~is_lost(quotes.ts_ns, gaps))
    for _, end_ns in gaps:
        last = np.searchsorted(received.ts_ns, end_ns, "left") - 1
        place = np.searchsorted(kept.ts_ns, end_ns, "left")
        if place < len(kept.ts_ns) and kept.ts_ns[place] == end_ns:
            continue  # a snapshot at this very moment says it already
        rows = np.insert(kept.rows, place, received.rows[last].astype(QUOTE))
        kept = Stamped(np.insert(kept.ts_ns, place, end_ns), rows)
    return kept
