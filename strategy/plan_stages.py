"""The stages of an enhanced plan: when each begins, and how near the limit then is. See `strategy.micro_plan`."""

from replay.jit import kernel
from strategy.token_budget import DISCRETIONARY, EXIT, NEEDED

CROSS = 3
LAST_STAGE = 4
TOUCH = 1  # words of the setting `start`; 0 = mid
MIDPRICE = 2


@kernel
def stage_ns(plan, stage, params):
    """Return when a stage begins."""
    work_ns = plan["end_ns"] - plan["start_ns"]
    cross_ns = min(params[0]["cross_ns"], work_ns // 4)
    if stage < CROSS:
        return plan["start_ns"] + stage * work_ns // 3
    if stage == CROSS:
        return plan["end_ns"] - cross_ns
    if stage == LAST_STAGE:
        return plan["end_ns"] - cross_ns // 2
    return plan["end_ns"]


@kernel
def stage_at(plan, now_ns, params):
    """Return the stage of the clock, 0 to 5."""
    stage = 0
    while stage <= LAST_STAGE and stage_ns(plan, stage + 1, params) <= now_ns:
        stage += 1
    return stage


@kernel
def share_at(plan, now_ns, params):
    """Return how far across the spread the limit of now lies."""
    stage = stage_at(plan, now_ns, params)
    if plan["is_urgent"] or stage >= CROSS:
        return 1.0
    if stage > 0:
        return params[0]["step_shares"][stage - 1]
    return start_share(params)


@kernel
def start_share(params):
    """Return how far across the spread a plan starts."""
    return 0.0 if params[0]["start"] == TOUCH else 0.5


@kernel
def need_at(plan, now_ns, params):
    """Return how much a message of the plan is needed: the word for the budget."""
    if plan["is_exit"]:
        return EXIT
    return NEEDED if share_at(plan, now_ns, params) >= 1.0 else DISCRETIONARY
