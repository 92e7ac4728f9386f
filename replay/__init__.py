"""Deterministic event replay, queue-position fills and paper trading for intraday strategies at Interactive Brokers.

The public names load on first use, so that importing the package (and `replay --help`) costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from replay.checks import check_forecaster, check_kernel, check_strategy
    from replay.config import Config
    from replay.engine import OrderRequest, Watch, bind
    from replay.forecasts.door import Forecast
    from replay.result import Result
    from replay.runner import run, verify
    from replay.session import Session

__all__ = [
    "Config",
    "Forecast",
    "OrderRequest",
    "Result",
    "Session",
    "Watch",
    "bind",
    "check_forecaster",
    "check_kernel",
    "check_strategy",
    "run",
    "verify",
]

_HOMES = {
    "Config": "replay.config",
    "Forecast": "replay.forecasts.door",
    "OrderRequest": "replay.engine.python_door",
    "Result": "replay.result",
    "Session": "replay.session",
    "Watch": "replay.engine.python_door",
    "bind": "replay.engine.kernel_door",
    "check_forecaster": "replay.checks",
    "check_kernel": "replay.checks",
    "check_strategy": "replay.checks",
    "run": "replay.runner",
    "verify": "replay.runner",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'replay' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
