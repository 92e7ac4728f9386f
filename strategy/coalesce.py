"""Coalescing: which of the symbols that wait for the message budget starts next. See rule 9 of `strategy.micro_plan`.

Exits go first, that which was asked for earliest before the others; then entries by net edge in money; then the order of symbols.
"""

import math

from replay.desk import NEVER
from replay.jit import kernel
from strategy.plan import IDLE
from strategy.touch import value2


@kernel
def is_waiting(s, now_ns, planner):
    """Tell whether a symbol without a plan waits for the budget, and its time has come."""
    return planner.intents[s]["is_set"] != 0 and planner.plans[s]["state"] == IDLE and planner.plans[s]["timer_ns"] <= now_ns


@kernel
def next_waiting(desk, planner):
    """Return the symbol that starts next of those that wait; -1 = none."""
    best = -1
    for s in range(len(planner.plans)):
        if is_waiting(s, desk.clock[0]["now_ns"], planner) and (best < 0 or _is_before(s, best, desk, planner)):
            best = s
    return best


@kernel
def _is_before(s, other, desk, planner):
    """Tell whether a symbol starts before another one that has a smaller number."""
    mine = planner.intents[s]
    theirs = planner.intents[other]
    if mine["is_exit"] != theirs["is_exit"]:
        return mine["is_exit"] > theirs["is_exit"]
    if mine["is_exit"]:
        return mine["asked_ns"] < theirs["asked_ns"]
    return _edge_value(s, desk, planner) > _edge_value(other, desk, planner)


@kernel
def _edge_value(s, desk, planner):
    """Return the net edge of the move in money; every start costs the same two messages."""
    intent = planner.intents[s]
    return intent["edge_bps"] * abs(intent["target_qty"] - desk.positions[s]["qty"]) * value2(s, desk.book)


@kernel
def lasting_ns(net_edge_bps, cost_bps, horizon_ns):
    """Return how long an edge pays its cost, if the forecast comes true evenly over its horizon; 0 where it never did.

    With gross = net + cost, gross (1 - t / horizon) falls to the cost at t = horizon net / gross.
    """
    gross_bps = net_edge_bps + max(cost_bps, 0.0)
    if not 0.0 < net_edge_bps <= gross_bps < math.inf:
        return 0
    return int(horizon_ns * (net_edge_bps / gross_bps))


@kernel
def forget_waiting(s, planner):
    """Drop the entry that a symbol waits to start, if any: the latest decision wants none."""
    if planner.plans[s]["state"] == IDLE and planner.intents[s]["is_set"] != 0 and planner.intents[s]["is_exit"] == 0:
        planner.intents[s]["is_set"] = 0
        planner.plans[s]["timer_ns"] = NEVER
