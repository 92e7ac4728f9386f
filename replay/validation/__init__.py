"""How good are simulated fills? Every real order at the touch is played again from level 1 only and scored against its own fate.

book        follows every displayed order of the message stream: the kernel and its rules
truth       `real_orders`: the real orders at the touch of a session, with queue ahead, fate and fill times
shadows     plays them as shadow orders through `fills.simulate`, per queue model
outcomes    what a shadow got beside what the real order got
scores      shares, errors, Brier scores and reliability, over all and by bucket
bootstrap   intervals from blocks of time
degrade     poorer feeds made of a good one; coverage: do the bands of a poor feed hold the truth
plays       every feed, model and band in turn; result: the tables that come out
validate    `validate_fills`, which does it all; page: its page
executions  own orders: `validate_executions`; flex reads IBKR's Flex XML, own_runs the folder of a run
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from replay.validation.executions import OwnValidation, validate_executions
    from replay.validation.result import FillValidation
    from replay.validation.truth import Truth, real_orders
    from replay.validation.validate import validate_fills

__all__ = ["FillValidation", "OwnValidation", "Truth", "real_orders", "validate_executions", "validate_fills"]

_HOMES = {
    "FillValidation": "replay.validation.result",
    "OwnValidation": "replay.validation.executions",
    "Truth": "replay.validation.truth",
    "real_orders": "replay.validation.truth",
    "validate_executions": "replay.validation.executions",
    "validate_fills": "replay.validation.validate",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'replay.validation' has no attribute {name!r}")
