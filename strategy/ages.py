"""Ages: how old an input is, and how far it is still trusted."""

from replay.jit import kernel
from strategy.features import MINUTE_NS

UNKNOWN_AGE_NS = 2**62


@kernel
def age_ns(now_ns, ts_ns):
    """Return the age of a stamp; UNKNOWN_AGE_NS where it is 0, that is never."""
    if ts_ns == 0:
        return UNKNOWN_AGE_NS
    return now_ns - ts_ns


@kernel
def active_age_ns(s, now_ns, features):
    """Return the age of the last closed minute that saw an event; UNKNOWN_AGE_NS where there is none."""
    row = features[s]
    if row["minute_ns"] == 0:
        return UNKNOWN_AGE_NS
    return now_ns - (row["minute_ns"] - (1 + row["quiet_count"]) * MINUTE_NS)


@kernel
def fade(age_ns, limit_ns):
    """Return how far something of this age is trusted: 1 until half of its limit, 0 from the limit on."""
    return min(max(2.0 * (1.0 - age_ns / limit_ns), 0.0), 1.0)
