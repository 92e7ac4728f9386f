"""The cache of compiled kernels on disk: one file per kernel, sources and signature, named by content.

numba keeps an index beside numbered data files; two processes that write both at once can leave an index that names the other's
data. Here the name of the one file says everything: what is found under it was made from the same sources for the same arguments.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
import tempfile
import time
import uuid
from contextlib import suppress
from copy import copy
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba.core import config, types, typing
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps
from numba.core.types import iterators

from replay.jit.callee import CalleeLibrary, NoExecutable

_KEEP_S = 30 * 86_400.0


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


class Store:
    """The files of one kernel, with the methods that numba calls on a cache.

    Parameters
    ----------
    name : str
        Module and name of the kernel.
    digest : str
        What it is made of.
    needs_registries : bool
        Whether its machine code may call what numba registers when it first compiles. Ours does not: it allocates nothing.
    """

    suffix = "entry"

    def __init__(self, name: str, digest: str, *, needs_registries: bool) -> None:
        self._stem = name.replace("<", "").replace(">", "")
        self._digest = digest
        self._needs_registries = needs_registries

    @property
    def cache_path(self) -> str:
        """Return the folder."""
        return str(cache_folder())

    def is_filled(self) -> bool:
        """Tell whether the kernel was compiled for some arguments."""
        return next(cache_folder().glob(f"{self._stem}-{self._digest}.*.{self.suffix}"), None) is not None

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled form for these arguments, or None."""
        try:
            parts = pickle.loads(self._file(sig, target_context).read_bytes())  # noqa: S301  # our own file
            return self.rebuild(target_context, parts)
        except (OSError, EOFError, pickle.UnpicklingError, ImportError, AttributeError):
            return None  # not there, cut short, or from a user's file that was known by another name

    def save_overload(self, sig: Any, cres: Any) -> None:
        """Keep a compiled form, unless it holds addresses of this process."""
        if not self.can_keep(cres):
            return
        file = self._file(sig, cres.target_context)
        file.parent.mkdir(parents=True, exist_ok=True)
        scratch = file.with_suffix(f".{uuid.uuid4().hex[:16]}.tmp")
        scratch.write_bytes(dumps(self.reduce(cres)))
        scratch.replace(file)
        self._prune()

    def can_keep(self, cres: Any) -> bool:
        """Tell whether a compiled form means the same in another process."""
        return not cres.lifted and not cres.library.has_dynamic_globals

    def reduce(self, cres: Any) -> tuple[Any, ...]:
        """Take a compiled form apart."""
        described = _lighter(cres.fndesc)
        described.restype = None  # a generator's type holds its function, and that all it closes over
        environments = tuple(cres._find_referenced_environments())
        arguments = tuple(cres.signature.args)
        library = (cres.library.name, cres.library._get_compiled_object())
        return (*library, described, cres.environment, arguments, cres.reload_init, environments)

    def rebuild(self, context: Any, parts: tuple[Any, ...]) -> Any:
        """Put a compiled form together again, ready to be called."""
        name, machine_code, fndesc, environment, arguments, reload_init, environments = parts
        if self._needs_registries or b"NRT_" in machine_code:
            context.refresh()
        for reload in reload_init:
            reload()
        codegen = context.codegen()
        library = codegen.create_library(name)
        library.enable_object_caching()
        library._set_compiled_object(machine_code)
        library._finalize_final_module()
        codegen._engine._defined_symbols.add(fndesc.llvm_cpython_wrapper_name)
        entry = context.get_executable(library, fndesc, environment)
        signature = typing.signature(types.none, *arguments)
        return _result(context, library, fndesc, signature, entry)._replace(referenced_envs=environments)

    def _file(self, sig: Any, context: Any) -> Path:
        machine = (*context.codegen().magic_tuple(), numba.__version__, llvmlite.__version__, sys.implementation.cache_tag)
        key = hashlib.sha256(f"{sig} {machine}".encode()).hexdigest()[:20]
        return cache_folder() / f"{self._stem}-{self._digest}.{key}.{self.suffix}"

    def _prune(self) -> None:
        """Remove what older sources of the same kernel left behind a month ago."""
        limit = time.time() - _KEEP_S
        for file in cache_folder().glob(f"{self._stem}-*"):
            with suppress(FileNotFoundError):
                if self._digest not in file.name and file.stat().st_mtime < limit:
                    file.unlink(missing_ok=True)


class CalleeStore(Store):
    """The files of a kernel as its callers take it in."""

    suffix = "callee"

    def can_keep(self, cres: Any) -> bool:
        """Tell whether a compiled form means the same in another process; a generator's type holds a function of this one."""
        return super().can_keep(cres) and not isinstance(cres.fndesc.restype, iterators.Generator)

    def reduce(self, cres: Any) -> tuple[Any, ...]:
        """Take a compiled form apart."""
        return cres.library.name, cres.library.to_bitcode(), _lighter(cres.fndesc), cres.environment, cres.signature

    def rebuild(self, context: Any, parts: tuple[Any, ...]) -> Any:
        """Put a compiled form together again, ready to be linked."""
        name, bitcode, fndesc, environment, signature = parts
        library = CalleeLibrary.of_bitcode(context.codegen(), name, bitcode)
        return _result(context, library, fndesc, signature, NoExecutable())._replace(environment=environment)


def _lighter(fndesc: Any) -> Any:
    """Leave out what is large, and of no use once compiled."""
    lighter = copy(fndesc)
    lighter.typemap = lighter.calltypes = lighter.global_dict = None
    return lighter


def _result(context: Any, library: Any, fndesc: Any, signature: Any, entry: Any) -> Any:
    known = {
        "typing_context": context.typing_context,
        "target_context": context,
        "entry_point": entry,
        "signature": signature,
        "objectmode": False,
        "lifted": (),
        "fndesc": fndesc,
        "library": library,
        "reload_init": (),
    }
    return CompileResult(**{field: known.get(field) for field in CompileResult._fields})
