"""The engine: one compiled loop that ties a strategy to the exchange, and the doors through which own logic comes in.

world.py     every array of a run
loop.py      the compiled generator over blocks of events, the same for replay and live
traffic.py   what travels between strategy and exchange, and what is written down about it
engine.py    feeds blocks to the loop and empties its logs
kernel_door.py  an own kernel
python_door.py  a plain Python strategy
warm.py      the first compilation, by two processes
spool.py     rows on their way to disk, and their digest
snapshot.py  state by symbol name
"""

from typing import Any

__all__ = ["BoundKernel", "OrderRequest", "View", "Wake", "Watch", "bind"]
_HOMES = {"BoundKernel": "kernel_door", "bind": "kernel_door"} | dict.fromkeys(
    ("OrderRequest", "View", "Wake", "Watch"), "python_door"
)


def __getattr__(name: str) -> Any:
    """Load public names on first use."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'replay.engine' has no attribute '{name}'")
    return getattr(import_module(f"replay.engine.{_HOMES[name]}"), name)
