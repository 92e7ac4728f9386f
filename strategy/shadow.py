"""Shadow: what the side that does not trade would have decided, on the same stream and the actual positions.

With `pipeline.shadow` a cycle is decided twice: first by the side that trades, which sends what it decided, then by the other,
which sends nothing. With `pipeline.trades = "enhanced"` the other side is every component in its original form; with "original"
it is every component as configured. It goes as far as the target; the rebalance trigger, plan and budget belong to who trades::

    shadow_reason        TARGET_SET: it wants `shadow_target_qty`; an EXIT_*: it would leave; else why it wants nothing new
    shadow_target_qty    what it wants to hold; what is held where it wants nothing new
    shadow_horizon_min   over which horizon; 0 = it looked at none

It is a pure look: learners, stops, metrics and plans are as if it had not run, so who trades does the same with and without it.
"""

from replay.jit import kernel
from strategy.barriers import kept_qty
from strategy.decision import Reason
from strategy.exits import check_exit, check_opposite, flat_ns
from strategy.forms import set_forms, settle
from strategy.targets import choose_target, open_legs, read_inputs
from strategy.touch import touch_mid2


@kernel
def decide_beside(s, reason, desk, state):
    """Let the other side decide, and write what it came to into the decision; return `reason`, that of the side that trades."""
    rows = state.decision
    clock = desk.clock[0]
    settle(s, clock["now_ns"], state)
    rows[2] = rows[0]
    rows[0] = rows[1]
    rows[0]["position_qty"] = desk.positions[s]["qty"]
    rows[0]["target_qty"] = desk.positions[s]["qty"]
    set_forms(s, clock["now_ns"], 1, state)
    answer = _aim(s, desk, state)
    rows[2]["shadow_reason"] = answer
    rows[2]["shadow_target_qty"] = rows[0]["target_qty"] if answer == 0 or _is_exit(answer) else desk.positions[s]["qty"]
    rows[2]["shadow_horizon_min"] = rows[0]["horizon_min"]
    rows[0] = rows[2]
    return reason


@kernel
def _is_exit(reason):
    return Reason.EXIT_HORIZON <= reason <= Reason.EXIT_SCALE_OUT


@kernel
def _aim(s, desk, state):
    """Return 0 where the row holds a target, else the exit or refusal that ended the look."""
    now_ns = desk.clock[0]["now_ns"]
    row = state.decision[0]
    usable = read_inputs(s, desk, state)
    if now_ns < desk.clock[0]["trade_from_ns"] or now_ns >= desk.clock[0]["trade_until_ns"]:
        return Reason.OUTSIDE_HOURS
    reason = check_exit(s, now_ns, desk.book, desk.positions, state.trades, desk.clock, state.params["exits"])
    if reason != 0:
        row["target_qty"] = 0
        return reason
    if desk.positions[s]["qty"] == 0 and now_ns >= flat_ns(desk.clock, state.params["exits"]):
        return Reason.OUTSIDE_HOURS
    if usable != 0:
        return usable
    lot, mid2 = desk.book[s]["lot"], touch_mid2(s, desk.book)
    params = state.params_acting["barriers"]
    row["target_qty"] = kept_qty(s, mid2, lot, desk.positions, state.trades, state.legs, params)
    if row["target_qty"] != desk.positions[s]["qty"]:
        return Reason.EXIT_SCALE_OUT
    reason = open_legs(s, desk, state)
    if reason != 0:
        return reason
    reason = check_opposite(s, desk.positions, state.legs, len(state.legs), state.params["exits"])
    if reason != 0:
        row["target_qty"] = 0
        return reason
    return choose_target(s, desk, state)
