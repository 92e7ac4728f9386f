"""Machine code by its address: what kernels call without being compiled anew."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir
from numba.core import cgutils, config, types
from numba.extending import intrinsic

_PLAIN_CALLS: list[Callable[..., int]] = []  # what addresses stand for where the JIT is off
_KEPT_ALIVE: list[Any] = []  # machine code whose address arrays of ours may hold


def address_of(function: Callable[..., Any]) -> int:
    """Compile a plain function of integers into machine code of its own; return its address.

    A kernel that reads the address from an array calls whatever stands there (`call_address`) without being compiled anew.
    The code lives as long as the process.
    """
    n_arguments = function.__code__.co_argcount
    if config.DISABLE_JIT:
        _PLAIN_CALLS.append(lambda *given: int(function(*given[:n_arguments])))
        return len(_PLAIN_CALLS) - 1
    arguments = [types.int64] * n_arguments
    plain = numba.njit(function)
    plain.compile(tuple(arguments))
    returned = next(iter(plain.overloads.values())).signature.return_type
    if not isinstance(returned, types.Integer):
        raise TypeError(f"it returns {returned}")
    code = numba.cfunc(types.int64(*arguments))(function)
    _KEPT_ALIVE.append(code)
    return int(code.address)


def _call_pointer(_typing: Any, _address: Any, values: Any) -> Any:
    """Make numba's form of `call_address`; by the C convention what is called may take fewer arguments than it gets."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args[1].types
        parts = cgutils.unpack_tuple(builder, arguments[1])
        words = [context.cast(builder, part, kind, types.int64) for part, kind in zip(parts, kinds, strict=True)]
        kind = ir.FunctionType(ir.IntType(64), [word.type for word in words])
        return builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), words)

    return types.int64(types.int64, values), build


def _call_listed(address: int, values: tuple[int, ...]) -> int:
    return _PLAIN_CALLS[address](*values)


# Call what `address_of` compiled, from a kernel, with a tuple of integers; it takes as many of them as it needs.
call_address: Any = _call_listed if config.DISABLE_JIT else intrinsic(_call_pointer)


def call_plainly(address: int, arguments: tuple[int, ...]) -> int:
    """Call what `address_of` compiled from plain Python."""
    if config.DISABLE_JIT:
        return _PLAIN_CALLS[address](*arguments)
    kind = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * len(arguments))
    return int(kind(address)(*arguments))
