"""Kernels as other kernels call them: simplified once, and turned into machine code only inside what Python calls.

numba compiles each kernel as if Python called it: a wrapper for Python, all optimisations, machine code. Its callers take the
optimised code in and optimise it again, and so do theirs. Measured: two thirds of the seconds of a first start. A callee here has
no wrapper and no machine code of its own; whoever Python calls is optimised once, with all its callees inside.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as ll
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.callconv import CPUCallConv, excinfo_t
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_lock import global_compiler_lock
from numba.core.cpu import CPUContext
from numba.core.registry import CPUDispatcher
from numba.core.runtime import rtsys
from numba.core.sigutils import normalize_signature
from numba.core.types.misc import unliteral


class CalleeLibrary(JITCodeLibrary):  # type: ignore[misc]
    """Code that only ever becomes part of its callers: one optimised function, and all that it calls."""

    def _optimize_functions(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout  # `finalize` optimises once, and knows what is called

    def finalize(self) -> None:
        """Optimise one function, with what it calls in sight, then take along what was not compiled into it."""
        callees = [library for library in dict.fromkeys(self._linking_libraries) if library is not rtsys.library]
        own = {function.name for function in self._final_module.functions if not function.is_declaration}
        for library in callees:
            self._final_module.link_in(_own_module(library), preserve=True)
        for function in self._final_module.functions:
            if not function.is_declaration and function.name not in own:
                function.linkage = "available_externally"  # may be compiled in; what is left of it is dropped
        passes, builder = self._codegen._module_pass_manager(opt=1, loop_vectorize=False, slp_vectorize=False)
        passes.run(self._final_module, builder)
        for function in self._final_module.functions:
            if not function.is_declaration and function.linkage == ll.Linkage.external:
                function.linkage = "linkonce_odr"  # callers that meet in one module share it
        self._own_module = self._final_module.clone()
        for library in callees:
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalize_dynamic_globals()
        self._shared_module = self._final_module
        self._finalized = True

    def to_bitcode(self) -> tuple[bytes, bytes]:
        """Return what `of_bitcode` needs."""
        return self._final_module.as_bitcode(), self._own_module.as_bitcode()

    @classmethod
    def of_bitcode(cls, codegen: Any, name: str, bitcode: tuple[bytes, bytes]) -> CalleeLibrary:
        """Make a library of what was cached."""
        library = cls(codegen, name)
        whole, own = map(ll.parse_bitcode, bitcode)
        library._final_module = library._shared_module = whole
        library._own_module = own
        library._finalized = True
        return library


def _own_module(library: Any) -> Any:
    return library._own_module if isinstance(library, CalleeLibrary) else library._get_module_for_linking()


class Calls(CPUCallConv):  # type: ignore[misc]
    """How kernels call kernels: as in numba, but a call alone prepares the places for its result and its error.

    numba clears them where the caller begins, which for a leaf is every event. Measured: 19 of an event's 450 instructions.
    """

    def call_function(self, builder: Any, callee: Any, resty: Any, argtys: Any, args: Any, attrs: Any = ()) -> Any:
        """Emit a call; return its status and its result."""
        kind = self.get_return_type(resty).pointee
        result, error = (_place(builder, what) for what in (kind, ir.PointerType(excinfo_t)))
        builder.store(cgutils.get_null_value(kind), result)
        values = self._get_arg_packer(argtys).as_arguments(builder, args)
        code = builder.call(callee, [result, error, *values], attrs=attrs or ())
        status = self._get_return_status(builder, code, builder.load(error))
        return status, self.context.get_returned_value(builder, resty, builder.load(result))


def _place(builder: Any, kind: Any) -> Any:
    with builder.goto_entry_block():
        return builder.alloca(kind)


class NoExecutable:
    """Stands where numba keeps the function that Python would call; its identity is the key of the overload."""


_NEEDLESS = {"WithLifting", "InlineClosureLikes", "InlineInlinables", "InlineOverloads", "NopythonRewrites"}


class Context(CPUContext):  # type: ignore[misc]
    """What numba asks while it compiles a callee."""

    @property
    def call_conv(self) -> Any:
        """How to call."""
        return Calls(self)

    def get_executable(self, _library: Any, _fndesc: Any, _env: Any) -> NoExecutable:
        """Make nothing that Python could call."""
        return NoExecutable()

    def refresh(self) -> None:
        """Look for no news in numba's registries, as it does at every name not found at once: it looked a moment ago."""


class CalleeCompiler(Compiler):  # type: ignore[misc]
    """numba's compiler up to the point where machine code would be made."""

    def compile_extra(self, func: Any) -> Any:
        """Compile a function into a library that nobody executes."""
        self.state.library = CalleeLibrary(self.state.targetctx.codegen(), func.__qualname__)
        self.state.targetctx.__class__ = Context  # of a copy, made for this function
        return super().compile_extra(func)

    def define_pipelines(self) -> Any:
        """Leave out what rewrites array expressions, comprehensions and `with`: our own kernels have none."""
        pipelines = super().define_pipelines()
        if not self.state.flags.nrt:
            for pipeline in pipelines:
                pipeline.passes = [(kind, text) for kind, text in pipeline.passes if kind.__name__ not in _NEEDLESS]
                pipeline._finalized = False
                pipeline.finalize()
        return pipelines

    def _compile_core(self) -> Any:
        result = super()._compile_core()
        result.library._ensure_finalized()
        return result


class Callee(CPUDispatcher):  # type: ignore[misc]
    """What a kernel is to the kernels that call it."""

    def __init__(self, function: Any, options: dict[str, Any]) -> None:
        super().__init__(function, {}, {**options, "no_cpython_wrapper": True}, CalleeCompiler)

    def compile(self, sig: Any) -> Any:
        """Compile or load the form for these arguments; without numba's timers, which all hear of each other's events."""
        args, return_type = normalize_signature(sig)
        with global_compiler_lock, self._compiling_counter:
            cres = self.overloads.get(tuple(args))
            if cres is None:
                cres = self._cache.load_overload(sig, self.targetctx)
                if cres is None:
                    self._cache_misses[sig] += 1
                    cres = self._compiler.compile(args, return_type)
                    self._cache.save_overload(sig, cres)
                else:
                    self._cache_hits[sig] += 1
                    self.targetctx.insert_user_function(cres.entry_point, cres.fndesc, [cres.library])
                self.add_overload(cres)
            return cres.entry_point

    def add_overload(self, cres: Any) -> None:
        """Keep a compiled form; Python's table of callables does not learn of it."""
        self.overloads[tuple(cres.signature.args)] = cres

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Let callers with narrow or literal integers use the int64 form of a kernel instead of compiling one of their own.

        Measured: `f(0)`, `f(row["symbol"])` and `f(i)` compiled three forms of f and of all that it calls.
        """
        template, signature, _, kws = super().get_call_template(tuple(map(wide, args)), kws)
        return template, signature, args, kws


def wide(kind: Any) -> Any:
    """Return int64 for every kind of integer, and what a literal is a literal of."""
    kind = unliteral(kind)
    return types.int64 if isinstance(kind, types.Integer | types.IntEnumMember) else kind
