"""Find a user's strategy by name, and tell what it is."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from replay.errors import UsageError
from replay.own_code import blame


def load_strategy(place: str) -> Any:
    """Import `module:Name` or `file.py:Name`; a class is called without arguments, anything else is taken as it is."""
    return load_named(place, "--strategy")


def load_named(place: str, option: str) -> Any:
    """Import something of a user's by name; `option` is how it was named, for the message.

    Raises
    ------
    UsageError
        There is no such module, file or name.
    """
    module_name, colon, name = place.rpartition(":")
    if not (colon and module_name and name):
        raise UsageError(f"{option} takes `module:Class` or `file.py:Class`, got '{place}'")
    module = _import_file(Path(module_name), option) if module_name.endswith(".py") else _import_module(module_name, option)
    if not hasattr(module, name):
        known = ", ".join(sorted(key for key in vars(module) if not key.startswith("_")))
        raise UsageError(f"`{module_name}` has no `{name}`; it has {known}")
    found = getattr(module, name)
    return _begin(found, f"{option}: `{place}`") if inspect.isclass(found) else found


def _begin(own: type, what: str) -> Any:
    try:
        return own()
    except Exception as error:  # noqa: BLE001 (raised again, with the line of the user's code)
        blame(error, f"{what} does not begin")


def _import_module(name: str, option: str) -> ModuleType:
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))  # last: a user's `strategy.py` must not hide our package
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and name.split(".")[0] == error.name.split(".")[0]:
            raise UsageError(f"{option}: there is no module `{name}` (looked in `{Path.cwd()}` and the environment)") from error
        raise UsageError(f"{option}: `{name}` imports `{error.name}`, which is not installed") from error
    except Exception as error:  # noqa: BLE001 (raised again, with the line of the user's code)
        blame(error, f"{option}: `{name}` cannot be imported")


def _import_file(path: Path, option: str) -> ModuleType:
    """Import a file under its own name, once; kernels in it are cached by that file."""
    if not path.is_file():
        raise UsageError(f"{option}: there is no file `{path}`")
    name = f"_strategy_{path.resolve().stem}_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # noqa: BLE001 (raised again, with the line of the user's code)
        del sys.modules[name]
        blame(error, f"{option}: `{path}` cannot be imported")
    return module


def is_forecaster(strategy: Any) -> bool:
    """Tell whether the object is a forecaster for the default pipeline rather than a strategy of its own."""
    return hasattr(strategy, "on_bar") and not hasattr(strategy, "on_wake")


def source_digest(strategy: Any) -> str:
    """Digest the source files of a user's strategy, with what they import beside them; empty where there is no file."""
    from replay.jit import import_closure

    subject = getattr(strategy, "decide", strategy)
    subject = getattr(subject, "py_func", subject)
    subject = subject if inspect.isfunction(subject) else type(subject)
    try:
        files = import_closure(Path(inspect.getfile(subject)))
    except (OSError, TypeError):
        return ""
    ours = Path(__file__).parents[1]
    total = hashlib.sha256()
    for file in files:
        if not any(file.is_relative_to(ours / package) for package in ("replay", "strategy", "fills")):
            total.update(file.read_bytes())
    return total.hexdigest()
