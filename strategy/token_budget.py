"""Token buckets: the enhanced message budget, with a token kept aside for the cancel of every order that lives.

Two buckets hold tokens of time, in whole ns; a message takes one interval from each::

    burst    = max(2, floor(limit burst_share))                          most messages at once
    interval = ceil(window / (limit - burst + 1))                        ns a token takes to come back
    credit   = min(credit + (now - last), burst interval),   tokens = floor(credit / interval)

So any stretch of length L holds at most `burst + floor(L / interval)` messages, and no window `(t - window, t]` more than
`limit`, wherever it lies, cancels included. The third limit is that of the day (IBKR's order efficiency ratio)::

    messages of the day + cancels kept aside <= max(efficiency_from, efficiency_max (executed orders + 1))

Who gets a token, with `kept` the number of live orders whose first cancel is still to come::

    new order   tokens >= kept + 2    it takes one and keeps one aside for its own cancel
    change      tokens >= kept + 1
    cancel      always the first of an order; a repeated one like a change

The ratio of the day stops step-ups at `discretionary_share` of it, new orders and crosses at all of it; exits and
cancels pass: a position that cannot be left is the larger evil.

References
----------
Turner, J. S. (1986), "New directions in communications", IEEE Communications Magazine 24(10): the leaky bucket.
"""

from replay.jit import kernel

DISCRETIONARY = 0  # a step-up: nice to have
NEEDED = 1  # new entries, crosses, smaller quantities
EXIT = 2

MINUTE = 0
SECOND = 1
N_BUCKETS = 2
WINDOWS_NS = (60_000_000_000, 1_000_000_000)
LONG_AGO_NS = -(2**62)


@kernel
def limit_of(k, param):
    """Return the limit of a bucket: messages in its window."""
    if k == MINUTE:
        return param["messages_per_min"]
    return param["messages_per_s"]


@kernel
def burst_of(k, param):
    """Return how many messages may go out at once."""
    return max(2, int(limit_of(k, param) * param["burst_share"]))


@kernel
def interval_ns_of(k, param):
    """Return how long a token takes to come back."""
    return -(-WINDOWS_NS[k] // (limit_of(k, param) - burst_of(k, param) + 1))


@kernel
def credit_ns_at(k, now_ns, row, param):
    """Return the credit of a bucket at `now_ns`, which is not before the last message."""
    gap_ns = max(0, now_ns - row["refill_ns"])
    return min(row["credit_ns"][k] + gap_ns, burst_of(k, param) * interval_ns_of(k, param))


@kernel
def tokens(now_ns, row, param):
    """Return how many messages both buckets would let pass, those kept for cancels included."""
    least = credit_ns_at(MINUTE, now_ns, row, param) // interval_ns_of(MINUTE, param)
    for k in range(1, N_BUCKETS):
        least = min(least, credit_ns_at(k, now_ns, row, param) // interval_ns_of(k, param))
    return least


@kernel
def draw(n_messages, n_kept, need, now_ns, row, param):
    """Ask for messages and cancels to be kept aside; return 1 when granted (and counted), else 0."""
    wanted = n_messages + n_kept
    if tokens(now_ns, row, param) < row["kept_count"] + wanted or _is_inefficient(wanted, need, row, param):
        row["refused_count"] += n_messages
        return 0
    row["kept_count"] += n_kept
    row["granted_count"] += n_messages
    _spend(n_messages, now_ns, row, param)
    return 1


@kernel
def draw_cancel(is_kept, now_ns, row, param):
    """Ask for a cancel; `is_kept` says that one is kept aside for it. Return 1 when it may go."""
    if is_kept == 0 and tokens(now_ns, row, param) <= row["kept_count"]:
        row["refused_count"] += 1
        return 0
    row["kept_count"] -= is_kept
    row["cancel_count"] += 1
    _spend(1, now_ns, row, param)
    return 1


@kernel
def _is_inefficient(wanted, need, row, param):
    """Tell whether the ratio of the day would be broken, or for a step-up come too near."""
    if need == EXIT:
        return False
    most = max(param["efficiency_from"] * 1.0, param["efficiency_max"] * (row["executed_count"] + 1))
    if need == DISCRETIONARY:
        most *= param["discretionary_share"]
    return row["day_count"] + row["kept_count"] + wanted > most


@kernel
def _spend(n_messages, now_ns, row, param):
    for k in range(N_BUCKETS):
        row["credit_ns"][k] = credit_ns_at(k, now_ns, row, param) - n_messages * interval_ns_of(k, param)
    row["refill_ns"] = max(row["refill_ns"], now_ns)
    row["day_count"] += n_messages
