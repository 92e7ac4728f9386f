"""The one door to numba: kernels that are cached on disk and never stale.

Plain numba keys its cache by the file of the function alone, so an edit of a callee in another file silently runs the old
code (numba issue 1833). Here the key is a digest over every file of ours that the kernel's module imports, directly or not:
an edit anywhere below is noticed, and an edit elsewhere recompiles nothing. Files are named by content, so two checkouts
share one cache and two processes cannot read each other's half-written files.

A kernel leads two lives. Called from Python it is an entry, with machine code. Called from another kernel it is a callee, which
becomes part of its callers; see `replay.jit.callee`. Neither exists before somebody asks for it: most kernels of a warm start are
inside what was compiled long ago.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, update_wrapper
from typing import Any

import numba
from numba.core import config

from replay.jit.address import address_of, call_address, call_plainly
from replay.jit.callee import Callee, wide
from replay.jit.entry import Entry
from replay.jit.sources import OURS, digest_of, import_closure, source_file
from replay.jit.store import CalleeStore, Store, cache_folder


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a plain module-level function on first use; with the JIT off, return it unchanged."""
    return bound_kernel(function)


def leaf(function: Callable[..., Any]) -> Any:
    """Compile a kernel into each of its callers: for what every event passes through.

    Measured: with calls an event takes 52 ns, without 26. Whatever is rare stays a `kernel`, out of the way.
    """
    return function if config.DISABLE_JIT else Kernel(function, (), is_inlined=True)


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
    return function if config.DISABLE_JIT else Kernel(function, callees, is_inlined=False)


class Kernel:
    """A function that compiles itself when it is first called, by Python or by another kernel."""

    def __init__(self, function: Callable[..., Any], callees: tuple[Callable[..., Any], ...], *, is_inlined: bool) -> None:
        self.py_func = function
        self._callees = callees
        self._is_inlined = is_inlined
        update_wrapper(self, function)

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call the compiled function."""
        return self.entry(*args, **named)

    @cached_property
    def entry(self) -> Any:
        """The form that Python calls."""
        return self._cached(Entry(self.py_func, self._options), Store)

    @cached_property
    def callee(self) -> Any:
        """The form that other kernels call."""
        return self._cached(Callee(self.py_func, self._options), CalleeStore)

    @property
    def _numba_type_(self) -> Any:
        return self.callee._numba_type_

    @property
    def _options(self) -> dict[str, Any]:
        """Return numba's options; our own kernels allocate nothing, and compile faster without reference counts."""
        is_counting = not _is_ours(self.py_func)
        return {
            "nopython": True,
            "boundscheck": None,
            "_nrt": is_counting,
            "no_cfunc_wrapper": True,
            "forceinline": self._is_inlined,
        }

    def _cached(self, dispatcher: Any, store: type[Store]) -> Any:
        sources = [source_file(f) for f in (self.py_func, *self._callees)]
        if all(source is not None for source in sources):
            names = tuple(getattr(f, "__qualname__", "") for f in self._callees)
            digest = digest_of(tuple(source for source in sources if source is not None), names)
            name = f"{self.py_func.__module__}.{self.py_func.__qualname__}"
            dispatcher._cache = store(name, digest, needs_registries=not all(map(_is_ours, (self.py_func, *self._callees))))
        return dispatcher


def _is_ours(function: Callable[..., Any]) -> bool:
    return function.__module__.split(".")[0] in OURS


def compile_for(function: Any, *arguments: Any) -> None:
    """Compile a kernel for other kernels that pass arguments like these, or load it; integers mean int64."""
    if isinstance(function, Kernel):
        function.callee.compile(tuple(wide(numba.typeof(argument)) for argument in arguments))


def is_compiled(function: Any) -> bool:
    """Tell whether other kernels find a kernel in the disk cache, or need not look there."""
    return not isinstance(function, Kernel) or not isinstance(function.callee._cache, Store) or function.callee._cache.is_filled()


__all__ = [
    "Kernel", "address_of", "bound_kernel", "cache_folder", "call_address", "call_plainly", "compile_for", "import_closure",
    "is_compiled", "kernel", "leaf",
]  # fmt: skip
