"""Liveness: how long is this symbol usually silent, when did its stream last speak, and how often does its model fail?

Feeds send changes only, so silence must be judged against the symbol's own habit. Its usual longest gap g is the quantile
`QUANTILE` of the times between arrivals, learned one arrival at a time (rows of one stamp are one arrival)::

    the first WARM gaps    g = max(g, gap)
    then                   g = g (1 + STEP QUANTILE)          where gap > g
                           g = g (1 - STEP (1 - QUANTILE))    elsewhere

In balance a share 1 - QUANTILE of the gaps is longer than g. One dead hour moves g by a twentieth, so a broken stream does not
teach patience. Nights, halts, auctions and gaps of the recording are no gaps of the symbol: what ends them starts a new count.

A *stream* is all symbols of one evidence class: they come down one line. Its silence is that of whoever spoke last, its habit
that of its liveliest symbol::

    silence(stream) = now - max over its symbols of the last arrival,      g(stream) = min over its symbols of g

The health of a model is the recent share of its forecasts that could not be used (NaN, crossed, or older than what was held)::

    failures = failures + (1{failed} - failures) / MEMORY

Forecasts that arrive while the symbol is halted, in an auction or cut off are not held against it.
"""

import numpy as np

from replay.desk import NEVER
from replay.events import Status
from replay.jit import kernel, leaf

QUANTILE = 0.99
STEP = 0.05
WARM = 100
MEMORY = 16.0

GUARD = np.dtype(
    [
        ("last_ns", "i8"),  # last quote, print or bar; 0 = none since the day, a halt or a gap began
        ("resumed_ns", "i8"),  # end of the last halt, auction or gap of the day; 0 = there was none
        ("gap_count", "i8"),
        ("gap_ns", "f8"),
        ("forecast_count", "i8"),
        ("failure_count", "i8"),
        ("failure_share", "f8"),
    ],
    align=True,
)


def new_guard(n_symbols: int) -> np.ndarray:
    """Return GUARD rows (n_symbols,) that know nothing yet."""
    return np.zeros(n_symbols, GUARD)


def start_guard_day(guard: np.ndarray) -> None:
    """Begin a day: what was learned stays, the night is no gap."""
    guard["last_ns"] = 0
    guard["resumed_ns"] = 0


@leaf
def hear(events, i, guard):
    """Note the arrival of data of a symbol."""
    event = events[i]
    row = guard[event["symbol"]]
    gap_ns = event["ts_ns"] - row["last_ns"]
    if gap_ns <= 0:
        return
    if row["last_ns"] > 0:
        row["gap_count"] += 1
        if row["gap_count"] <= WARM:
            row["gap_ns"] = max(row["gap_ns"], gap_ns)
        elif gap_ns > row["gap_ns"]:
            row["gap_ns"] *= 1.0 + STEP * QUANTILE
        else:
            row["gap_ns"] *= 1.0 - STEP * (1.0 - QUANTILE)
    row["last_ns"] = event["ts_ns"]


@kernel
def hear_status(events, i, guard):
    """Note a change of trading; symbol -1 means all."""
    event = events[i]
    for s in range(len(guard)):
        if event["symbol"] < 0 or event["symbol"] == s:
            guard[s]["last_ns"] = 0
            if event["code"] == Status.RESUMED or event["code"] == Status.CONNECTED or event["code"] == Status.GAP_END:
                guard[s]["resumed_ns"] = event["ts_ns"]


@kernel
def count_forecast(s, is_failed, book, guard):
    """Note whether a forecast could be used."""
    if book[s]["status"] != 0:
        return
    row = guard[s]
    row["forecast_count"] += 1
    row["failure_count"] += is_failed
    row["failure_share"] += (is_failed - row["failure_share"]) / MEMORY


@kernel
def silence_ns(s, now_ns, guard):
    """Return how long a symbol has been silent; NEVER where it has not spoken yet."""
    if guard[s]["last_ns"] == 0:
        return NEVER
    return now_ns - guard[s]["last_ns"]


@kernel
def stream_silence_ns(s, now_ns, book, guard):
    """Return how long no symbol of the same evidence has spoken."""
    least_ns = NEVER
    for j in range(len(guard)):
        if book[j]["evidence"] == book[s]["evidence"]:
            least_ns = min(least_ns, silence_ns(j, now_ns, guard))
    return least_ns


@kernel
def patience_ns(s, ttl_ns, gap_times, guard):
    """Return how long a symbol may be silent: its TTL, or `gap_times` its usual longest gap where that is longer."""
    return max(float(ttl_ns), gap_times * guard[s]["gap_ns"])


@kernel
def stream_patience_ns(s, ttl_ns, gap_times, book, guard):
    """Return how long a whole stream may be silent: as long as its liveliest symbol that has spoken today."""
    least_ns = patience_ns(s, ttl_ns, gap_times, guard)
    for j in range(len(guard)):
        if book[j]["evidence"] == book[s]["evidence"] and guard[j]["last_ns"] > 0:
            least_ns = min(least_ns, patience_ns(j, ttl_ns, gap_times, guard))
    return least_ns
