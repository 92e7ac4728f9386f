"""What is installed, where compiled kernels lie, what is wrong and how to mend it."""

from __future__ import annotations

import ctypes.util
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

State = Literal["ok", "note", "broken"]

CORE = ("numpy", "pandas", "pyarrow", "numba", "lightgbm", "mapie", "typer", "rich", "pydantic", "exchange_calendars")
EXTRAS = {  # extra, its module, what is missing without it
    "report": ("uplot", "uplot-python", "charts in report.html"),
    "databento": ("databento_dbn", "databento-dbn", "import of .dbn and .dbn.zst"),
    "notebooks": ("nbmake", "nbmake", "the notebooks"),
    "test": ("hypothesis", "hypothesis", "the test suite"),
}
_DISK_BYTES_MIN = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Parameters
    ----------
    name : str
        What was looked at.
    state : {"ok", "note", "broken"}
        `note` restricts something, `broken` must be mended.
    value : str
        What was found.
    remedy : str
        How to mend it; empty when there is nothing to mend.
    """

    name: str
    state: State
    value: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Look at everything a run needs.

    >>> {finding.state for finding in examine()} <= {"ok", "note", "broken"}
    True
    """
    return [finding for look in _LOOKS for finding in look()]


def find_sample() -> Path | None:
    """Return the bundled sample session: the one inside the installed package, or the one of the checkout."""
    package = Path(__file__).resolve().parent
    for folder in (package / "_sample", package.parent / "data" / "sample"):
        if (folder / "manifest.json").is_file():
            return folder
    return None


def _python() -> Iterator[Finding]:
    is_good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    value = f"{platform.python_version()} at {sys.executable}"
    yield Finding(
        name="python", state="ok" if is_good else "broken", value=value, remedy="" if is_good else "use Python 3.11, 3.12 or 3.13"
    )
    yield Finding(
        name="platform", state="ok", value=f"{platform.system()} {platform.release()} {platform.machine()}, {os.cpu_count()} CPUs"
    )


def _packages() -> Iterator[Finding]:
    yield _package("ibkr-replay", is_needed=True, remedy='pip install "." in the checkout')
    for name in CORE:
        yield _package(name, is_needed=True, remedy=f"pip install {name}")
    for extra, (module, distribution, loss) in EXTRAS.items():
        if importlib.util.find_spec(module):
            yield _package(distribution, is_needed=False, remedy="")
        else:
            remedy = f'pip install ".[{extra}]" in the checkout, for {loss}'
            yield Finding(name=f"extra {extra}", state="note", value="not installed", remedy=remedy)


def _package(name: str, *, is_needed: bool, remedy: str) -> Finding:
    try:
        return Finding(name=name, state="ok", value=importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(name=name, state="broken" if is_needed else "note", value="not installed", remedy=remedy)


def _packages_of_the_same_name() -> Iterator[Finding]:
    """Find another distribution that installs a top-level `replay`: the two would share one folder."""
    owners = importlib.metadata.packages_distributions().get("replay", [])
    others = sorted(set(owners) - {"ibkr-replay"})
    if others:
        yield Finding(
            name="package names",
            state="broken",
            value=f"`replay` also belongs to {', '.join(others)}",
            remedy="use a venv of its own",
        )


def _kernel_cache() -> Iterator[Finding]:
    if importlib.util.find_spec("numba") is None:
        return
    from replay.jit import cache_folder
    from replay.jit.store import CalleeStore, Store

    folder = cache_folder()
    files = [file for file in folder.glob("*") if file.is_file()] if folder.is_dir() else []
    count = sum(file.suffix[1:] in (Store.suffix, CalleeStore.suffix) for file in files)
    value = f"{folder}: {count} compiled kernels, {sum(file.stat().st_size for file in files) / 1e6:.1f} MB"
    if not _is_writable(folder):
        yield Finding(
            name="kernel cache",
            state="broken",
            value=f"{value}, not writable: every start compiles anew",
            remedy="make it writable, or set NUMBA_CACHE_DIR to a folder that is",
        )
    elif not count:
        yield Finding(name="kernel cache", state="note", value=f"{value}; the first run compiles", remedy="replay demo")
    else:
        yield Finding(name="kernel cache", state="ok", value=f"{value}; safe to delete")


def _is_writable(folder: Path) -> bool:
    while not folder.exists():
        folder = folder.parent
    return os.access(folder, os.W_OK | os.X_OK)


def _jit() -> Iterator[Finding]:
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        remedy = "unset NUMBA_DISABLE_JIT; same results, some hundred times slower"
        yield Finding(name="compiler", state="note", value="switched off by NUMBA_DISABLE_JIT", remedy=remedy)


def _openmp() -> Iterator[Finding]:
    """LightGBM needs the system's OpenMP library on Linux; training needs it, replaying does not."""
    if sys.platform != "linux" or importlib.util.find_spec("lightgbm") is None:
        return
    if ctypes.util.find_library("gomp"):
        yield Finding(name="libgomp", state="ok", value="found")
    else:
        remedy = "apt-get install libgomp1 (Debian, Ubuntu) or dnf install libgomp; only training models needs it"
        yield Finding(name="libgomp", state="note", value="not found", remedy=remedy)


def _disk() -> Iterator[Finding]:
    free = shutil.disk_usage(Path.cwd()).free
    is_enough = free >= _DISK_BYTES_MIN
    remedy = "" if is_enough else "free some space: a run of a busy day writes some 100 MB"
    yield Finding(
        name="free disk", state="ok" if is_enough else "note", value=f"{free / 1e9:.1f} GB in {Path.cwd()}", remedy=remedy
    )


def _sample() -> Iterator[Finding]:
    sample = find_sample()
    if sample:
        yield Finding(name="sample session", state="ok", value=str(sample))
    else:
        remedy = "reinstall ibkr-replay, or make one: replay synth --out sessions"
        yield Finding(name="sample session", state="note", value="not found", remedy=remedy)


_LOOKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _python,
    _packages,
    _packages_of_the_same_name,
    _kernel_cache,
    _jit,
    _openmp,
    _disk,
    _sample,
)
