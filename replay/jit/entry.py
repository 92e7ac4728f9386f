"""Kernels as Python calls them."""

from __future__ import annotations

from typing import Any

from numba.core.registry import CPUDispatcher


class Entry(CPUDispatcher):  # type: ignore[misc]
    """What a kernel is to Python: machine code with all its callees inside."""

    def __init__(self, function: Any, options: dict[str, Any]) -> None:
        super().__init__(function, {}, options)

    def add_overload(self, cres: Any) -> None:
        """Keep a compiled form, and tell it where its callees find their Python objects: nobody executed them alone."""
        for environment in cres.referenced_envs or cres._find_referenced_environments():
            cres.library.codegen.set_env(environment.env_name, environment)
        super().add_overload(cres)
