"""Our own source files as syntax trees, for the tests of the architecture."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("replay", "strategy", "fills")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One file: its path below the project, its module name, its tree."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def module(self) -> str:
        return self.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @cached_property
    def lines(self) -> list[str]:
        return self.path.read_text(encoding="utf-8").splitlines()

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse("\n".join(self.lines))

    @cached_property
    def imports(self) -> list[tuple[str, int]]:
        """Every module that the file imports, anywhere, with its line; imports for type checkers do not count."""
        typing_only = {id(node) for block in _typing_blocks(self.tree) for node in ast.walk(block)}
        nodes = [node for node in ast.walk(self.tree) if id(node) not in typing_only]
        return [(name, node.lineno) for node in nodes for name in _imported(node)]

    @cached_property
    def top_imports(self) -> list[tuple[str, int]]:
        """The modules imported when the file itself is imported."""
        inside = {id(node) for function in self.functions for node in ast.walk(function)}
        names = {(name, node.lineno) for node in ast.walk(self.tree) if id(node) in inside for name in _imported(node)}
        return [found for found in self.imports if found not in names]

    @cached_property
    def functions(self) -> list[Function]:
        return [node for node in ast.walk(self.tree) if isinstance(node, Function)]

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    @cached_property
    def kernels(self) -> list[Function]:
        """Functions that numba compiles: decorated with `kernel` or `leaf`, or handed to `bound_kernel`."""
        bound = {
            call.args[0].id
            for call in ast.walk(self.tree)
            if isinstance(call, ast.Call) and _called(call) == "bound_kernel" and call.args and isinstance(call.args[0], ast.Name)
        }
        return [function for function in self.functions if function.name in bound or _is_kernel(function)]

    def at(self, node: ast.AST, text: str) -> str:
        """Name a place in this file."""
        return f"{self.name}:{getattr(node, 'lineno', 0)}: {text}"


@cache
def sources(*folders: str) -> list[Source]:
    """Read all Python files below the given folders of the project once; by default, our packages."""
    return [Source(path) for folder in folders or PACKAGES for path in sorted((ROOT / folder).rglob("*.py"))]


def body_lines(function: Function) -> int:
    """Count the lines of a function's own statements: without signature, docstring and inner functions."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    inner = sum(_span(node) for node in body if isinstance(node, Function))
    return (function.end_lineno or 0) - body[0].lineno + 1 - inner if body else 0


def _span(node: Function) -> int:
    return (node.end_lineno or 0) - node.lineno + 1


def _typing_blocks(tree: ast.Module) -> Iterator[ast.If]:
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            yield node


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _is_kernel(function: Function) -> bool:
    return any(ast.unparse(decorator) in ("kernel", "leaf", "jit.kernel", "jit.leaf") for decorator in function.decorator_list)
