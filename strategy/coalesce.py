"""Coalescing: which of the symbols that wait for the message budget starts next. See rule 9 of `strategy.micro_plan`."""

from replay.jit import kernel
from strategy.plan import IDLE
from strategy.touch import touch_mid2


@kernel
def is_waiting(s, now_ns, planner):
    """Tell whether a symbol without a plan waits for the budget, and its time has come."""
    return planner.intents[s]["is_set"] != 0 and planner.plans[s]["state"] == IDLE and planner.plans[s]["timer_ns"] <= now_ns


@kernel
def next_waiting(desk, planner):
    """Return the symbol that starts next of those that wait: exits first, then net edge in dollars; -1 = none."""
    best = -1
    best_is_exit = 0
    best_value = 0.0
    for s in range(len(planner.plans)):
        if is_waiting(s, desk.clock[0]["now_ns"], planner):
            intent = planner.intents[s]
            value = _edge_value(intent, desk.positions[s]["qty"], touch_mid2(s, desk.book))
            if best < 0 or intent["is_exit"] > best_is_exit or (intent["is_exit"] == best_is_exit and value > best_value):
                best = s
                best_is_exit = intent["is_exit"]
                best_value = value
    return best


@kernel
def _edge_value(intent, held_qty, mid2):
    """Return the net edge of the move in money; every start costs the same two messages."""
    return intent["edge_bps"] * abs(intent["target_qty"] - held_qty) * mid2
