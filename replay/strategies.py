"""Find a user's strategy by name, and tell what it is."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import sys
from pathlib import Path
from typing import Any

from replay.errors import UsageError


def load_strategy(text: str) -> Any:
    """Import `module:Name`; a class is instantiated, anything else is taken as it is.

    The current folder is searched first, as `python -m` does.
    """
    module_name, colon, name = text.partition(":")
    if not colon:
        raise UsageError(f"--strategy takes module:Class, got '{text}'")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise UsageError(f"cannot import '{module_name}' of --strategy {text} ({error}); is its folder the current one?") from error
    if not hasattr(module, name):
        raise UsageError(f"module '{module_name}' has no '{name}'; it has {', '.join(n for n in dir(module) if n[0] != '_')}")
    found = getattr(module, name)
    return found() if inspect.isclass(found) else found


def is_forecaster(strategy: Any) -> bool:
    """Tell whether the object is a forecaster for the default pipeline rather than a strategy of its own."""
    return hasattr(strategy, "on_bar") and not hasattr(strategy, "on_wake")


def source_digest(strategy: Any) -> str:
    """Digest the source file of a user's strategy; empty when there is none."""
    subject = getattr(strategy, "decide", strategy)
    subject = getattr(subject, "py_func", subject)
    subject = subject if inspect.isfunction(subject) else type(subject)
    try:
        return hashlib.sha256(Path(inspect.getfile(subject)).read_bytes()).hexdigest()
    except (OSError, TypeError):
        return ""
