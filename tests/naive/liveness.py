"""Habits and refusals of the enhanced staleness guard, from `strategy/liveness.py` and `strategy/staleness.py`."""

import math
from itertools import pairwise

from tests.naive.staleness import SECOND, STREAM_TTL

MINUTE = 60 * SECOND


def usual_gap(times):
    """Learn the usual longest gap from the arrival times of one symbol (ascending)."""
    moments = sorted(set(times))
    gaps = [after - before for before, after in pairwise(moments)]
    usual = float(max(gaps[:100], default=0))
    for gap in gaps[100:]:
        usual *= 1 + 0.05 * 0.99 if gap > usual else 1 - 0.05 * (1 - 0.99)
    return usual


def fade(age, limit):
    return min(max(2 * (1 - age / limit), 0), 1)


def silences(now, symbol, arrivals, evidence):
    """Return (silence, limit) of a symbol and of its stream."""
    kin = [name for name in arrivals if evidence[name] == evidence[symbol]]
    limits = {name: max(STREAM_TTL[evidence[symbol]] * SECOND, 3 * usual_gap(arrivals[name])) for name in kin}
    ages = {name: now - max(arrivals[name]) if arrivals[name] else math.inf for name in kin}
    spoke = [limits[name] for name in kin if arrivals[name]]
    return (ages[symbol], limits[symbol]), (min(ages.values()), min([limits[symbol], *spoke]))


def verdict(now, symbol, arrivals, evidence, minute_start, failures, grace_from):
    """Return reason and quality of a symbol that trades; `failures` are 0 and 1 in order."""
    pairs = silences(now, symbol, arrivals, evidence)
    if any(age > limit for age, limit in pairs):
        return "STALE_QUOTE", None
    share = 0.0
    for failed in failures:
        share += (failed - share) / 16
    quality = min(fade(age, limit) for age, limit in pairs) * (1 - share)
    if share > 0.5:
        return "MODEL_UNHEALTHY", None
    if now - grace_from < MINUTE:
        return "TARGET_SET", quality * 0.5
    limit = max(120 * SECOND, 3 * usual_gap(arrivals[symbol]))
    if now - minute_start > limit:
        return "STALE_FEATURES", None
    return "TARGET_SET", min(quality, fade(now - minute_start, limit) * (1 - share))
