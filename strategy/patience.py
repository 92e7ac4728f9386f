"""Patience: how long an entry waits before it crosses, when its own forecast says that the price will run away.

With x the price that the plan starts at (`strategy.plan_stages`), and drift where the forecast says that the mid goes::

    saving = side (opposite touch - x) / mid      bps: what a fill at the start saves against a cross
    drift  = side mu / horizon                    bps per minute: what a minute of waiting costs if the forecast is right
    T      = min(working time, max(patience saving / drift, work_least_ns))

An entry that fills at a rate of r per minute gains r saving and loses drift with each minute of waiting. While r saving > drift
waiting pays; but r is known too poorly to be asked for each child, so the time is cut where the loss has become a stated share
of the most that can be gained. No drift, or one in favour of waiting (a position that is reduced), leaves the working time whole,
and so does `patience` 0. A spread of one tick saves the whole spread, because a limit at its mid is rounded to the own touch.

References
----------
Almgren, R. and Chriss, N. (2001), "Optimal Execution of Portfolio Transactions", Journal of Risk 3(2), section 4.1: drift, known
beforehand, shifts the optimal trajectory by what it adds to the cost of waiting.
"""

from replay.jit import kernel
from strategy.plan_prices import limit_price, opposite_price
from strategy.plan_stages import start_share

MINUTE_NS = 60_000_000_000.0


@kernel
def patient_ns(side, work_ns, drift_bps_per_min, row, params):
    """Return the working time of a plan that begins now; `row` is a usable quote."""
    drift = side * drift_bps_per_min
    if params[0]["patience"] <= 0.0 or not drift > 0.0:
        return work_ns
    opposite = opposite_price(side, row)
    start = limit_price(side, start_share(params), opposite, row)
    most_bps = params[0]["patience"] * (20_000.0 * side * (opposite - start) / (row["bid"] + row["ask"]))
    if drift * (work_ns / MINUTE_NS) <= most_bps:  # so the division is safe
        return work_ns
    return min(max(int(most_bps / drift * MINUTE_NS), params[0]["work_least_ns"]), work_ns)
