"""What a kernel is made of: the digest over every file of ours that its module imports, directly or not."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba.core import config

OURS = ("replay", "strategy", "fills")


def import_closure(path: Path) -> list[Path]:
    """List the source files that `path` imports from its own project, itself included, in sorted order."""
    seen: set[Path] = set()
    todo = [path.resolve()]
    while todo:
        file = todo.pop()
        if file not in seen:
            seen.add(file)
            todo += [found for found in _imports(file) if found not in seen]
    return sorted(seen)


def source_file(function: Callable[..., Any]) -> Path | None:
    """Return the file of a function; None for one typed into a prompt."""
    code = getattr(function, "py_func", function).__code__
    path = Path(code.co_filename)
    return path.resolve() if path.is_file() else None


@cache
def digest_of(sources: tuple[Path, ...], names: tuple[str, ...]) -> str:
    """Digest all that a kernel in these files may be made of, and how it is compiled; `names` tells closures apart."""
    files = sorted({file for source in sources for file in import_closure(source)})
    total = hashlib.sha256(f"{names} {config.BOUNDSCHECK} {config.OPT}".encode())
    for file in files:
        total.update(file.name.encode() + b"\0" + file.read_bytes())
    return total.hexdigest()[:20]


@cache
def _imports(file: Path) -> tuple[Path, ...]:
    """Find the project files that one file imports at its top level or inside functions.

    Read by pattern, not parsed (a quarter of a second at every start): an import that stands in a docstring makes a closure
    larger than it needs to be, never smaller.
    """
    found: list[Path] = []
    text = _COMMENT.sub("", file.read_text(encoding="utf-8"))
    for base, names, modules in _IMPORT.findall(text):
        parts = [part.split(" as ")[0].strip() for part in (names or modules).strip("()").split(",") if part.strip()]
        if base:
            found += _imported_from(_absolute(base, file), parts, file)
        else:
            found += [path for part in parts if (path := _locate(part, file))]
    return tuple(found)


_COMMENT = re.compile(r"#[^\n]*")
_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n]+)|import[ \t]+([^\n]+))", re.MULTILINE)


def _imported_from(base: str, names: list[str], file: Path) -> list[Path]:
    children = [path for name in names if (path := _locate(f"{base}.{name}", file))]
    parent = _locate(base, file)
    return children + ([parent] if parent and len(children) < len(names) else [])


def _absolute(base: str, file: Path) -> str:
    name = base.lstrip(".")
    level = len(base) - len(name)
    if not level:
        return name
    parts = _package_of(file)
    return ".".join([*parts[: len(parts) - (level - 1)], *([name] if name else [])])


def _package_of(file: Path) -> list[str]:
    parts: list[str] = []
    folder = file.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return parts


@cache
def _locate(module: str, importer: Path) -> Path | None:
    """Return the file of a module that lies beside the importer's top package; None for libraries."""
    root = _root_of(importer.parent)
    stem = root.joinpath(*module.split("."))
    for candidate in (stem.with_suffix(".py"), stem / "__init__.py"):
        if candidate.is_file():
            return candidate.resolve()
    return _locate_installed(module)


@cache
def _root_of(folder: Path) -> Path:
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    return folder


@cache
def _locate_installed(module: str) -> Path | None:
    """Find a module of ours that a user's file imports from where we are installed."""
    if module.split(".")[0] not in OURS:
        return None
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, AttributeError):
        return None
    return Path(spec.origin).resolve() if spec and spec.origin else None
