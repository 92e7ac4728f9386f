"""The one door to numba: kernels that are cached on disk and never stale.

Plain numba keys its cache by the file of the function alone, so an edit of a callee in another file silently runs the old
code (numba issue 1833). Here the key is a digest over every file of ours that the kernel's module imports, directly or not:
an edit anywhere below is noticed, and an edit elsewhere recompiles nothing. Files are named by content, so two checkouts
share one cache and two processes cannot read each other's half-written index.

Measured: the data file is written after the index, so with numba's own names a second process could load the old machine
code under the new stamp; with the digest in the name it finds nothing and compiles.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core import config, types
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile, UserWideCacheLocator
from numba.core.types.misc import unliteral

_KEEP_S = 30 * 86_400.0
_OURS = ("replay", "strategy", "fills")


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a plain module-level function on first use; with the JIT off, return it unchanged."""
    return bound_kernel(function)


def leaf(function: Callable[..., Any]) -> Any:
    """Compile a kernel into each of its callers: for what every event passes through.

    Measured: with calls an event takes 52 ns, without 26. Whatever is rare stays a `kernel`, out of the way.
    """
    return _compiled(function, (), is_inlined=True)


def bound_kernel(function: Callable[..., Any], *callees: Callable[..., Any]) -> Any:
    """Compile a closure over other kernels, cached by its own sources and by those of `callees`.

    Parameters
    ----------
    function : callable
        The function to compile. What it closes over must be kernels made from `callees`, or literals of its own file.
    *callees : callable
        The plain functions (or kernels) that it closes over, in a fixed order.

    Notes
    -----
    A callee without a file (typed into a prompt) is compiled anew in each process.
    """
    return _compiled(function, callees, is_inlined=False)


def _compiled(function: Callable[..., Any], callees: tuple[Callable[..., Any], ...], *, is_inlined: bool) -> Any:
    if config.DISABLE_JIT:
        return function
    is_ours = function.__module__.split(".")[0] in _OURS  # ours allocate nothing: without reference counts they compile faster
    dispatcher = numba.njit(function, _nrt=not is_ours, no_cfunc_wrapper=True, forceinline=is_inlined)
    _accept_wide(dispatcher)
    sources = [_source_file(f) for f in (function, *callees)]
    if all(source is not None for source in sources):
        names = tuple(getattr(f, "__qualname__", "") for f in callees)
        digest = _digest_of(tuple(source for source in sources if source is not None), names)
        dispatcher._cache = _ClosureCache(dispatcher.py_func, digest)
    return dispatcher


def compile_for(function: Any, *arguments: Any) -> None:
    """Compile a kernel for arguments like these, or load it, without calling it; integers mean int64."""
    if hasattr(function, "py_func"):
        function.compile(tuple(_wide(numba.typeof(argument)) for argument in arguments))


def is_compiled(function: Any) -> bool:
    """Tell whether a kernel has an entry in the disk cache, or needs none."""
    file = getattr(getattr(function, "_cache", None), "_cache_file", None)
    return file is None or Path(file._index_path).is_file()


def _accept_wide(dispatcher: Any) -> None:
    """Let callers with narrow or literal integers use the int64 form of a kernel instead of compiling one of their own.

    Measured: `f(0)`, `f(row["symbol"])` and `f(i)` compiled three forms of f and of all that it calls; a third of a cold start.
    """
    template_of = dispatcher.get_call_template

    def get_call_template(args: Any, kws: Any) -> Any:
        template, signature, _, kws = template_of(tuple(map(_wide, args)), kws)
        return template, signature, args, kws

    dispatcher.get_call_template = get_call_template


def _wide(kind: Any) -> Any:
    kind = unliteral(kind)
    return types.int64 if isinstance(kind, types.Integer | types.IntEnumMember) else kind


@cache
def cache_folder() -> Path:
    """Return the folder of compiled kernels: `NUMBA_CACHE_DIR` where set, else the user's cache."""
    if config.CACHE_DIR:
        return Path(config.CACHE_DIR)
    root = os.environ.get("XDG_CACHE_HOME")
    folder = (Path(root) if root else Path("~/.cache").expanduser()) / "ibkr-replay" / "kernels"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        folder = Path(tempfile.gettempdir()) / f"ibkr-replay-{os.getuid() if hasattr(os, 'getuid') else 0}"
    return folder


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


def _source_file(function: Callable[..., Any]) -> Path | None:
    code = getattr(function, "py_func", function).__code__
    path = Path(code.co_filename)
    return path.resolve() if path.is_file() else None


@cache
def _digest_of(sources: tuple[Path, ...], names: tuple[str, ...]) -> str:
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
    if module.split(".")[0] not in _OURS:
        return None
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, AttributeError):
        return None
    return Path(spec.origin).resolve() if spec and spec.origin else None


class _Locator(UserWideCacheLocator):  # type: ignore[misc]
    def __init__(self, py_func: Any, py_file: str) -> None:
        super().__init__(py_func, py_file)
        self._cache_path = str(cache_folder())

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> _Locator:
        return cls(py_func, py_file)  # the folder was tried once, by `cache_folder`; numba would try it for every kernel

    def get_source_stamp(self) -> str:
        return "content-addressed"


class _Impl(CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (_Locator,)


class _ClosureCache(FunctionCache):  # type: ignore[misc]
    """numba's function cache with content-addressed names and a key that leaves closure cells to the digest."""

    _impl_class = _Impl

    def __init__(self, py_func: Any, digest: str) -> None:
        self._stem = f"{py_func.__module__}.{py_func.__qualname__}".replace("<", "").replace(">", "")
        self._digest = digest
        super().__init__(py_func)
        base = f"{self._stem}-{digest}.{self._impl.filename_base.rsplit('.', 1)[-1]}"
        self._cache_file = IndexDataCacheFile(self._cache_path, base, self._impl.locator.get_source_stamp())

    def _index_key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        return sig, codegen.magic_tuple(), self._digest

    def _load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super()._load_overload(sig, target_context)
        except (ImportError, AttributeError):  # a user's file was known by another module name when it was compiled
            return None

    def _save_overload(self, sig: Any, data: Any) -> None:
        super()._save_overload(sig, data)
        _prune(Path(self._cache_path), self._stem, self._digest)


def _prune(folder: Path, stem: str, digest: str) -> None:
    """Remove what older sources of the same kernel left behind a month ago."""
    limit = time.time() - _KEEP_S
    for file in folder.glob(f"{stem}-*"):
        if digest not in file.name and file.stat().st_mtime < limit:
            file.unlink(missing_ok=True)
