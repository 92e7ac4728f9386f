"""The laws of the house that a machine can check: who imports whom, what a kernel may do, how long a thing may be."""

import ast
import subprocess
import sys

import pytest

from tests.source import ROOT, Source, body_lines, sources

WORDS = {
    f"replay.{word}"
    for word in (
        "errors", "events", "orders", "jit", "numeric", "bundle", "desk", "settings", "answers", "calendar", "session",
        "snapshot", "own_code",
    )
}  # fmt: skip
HEAVY = {"exchange_calendars", "lightgbm", "mapie", "numba", "pandas", "pyarrow", "pydantic", "rich", "scipy", "sklearn", "uplot"}
COMPILER_FILES = {
    "replay/bundle.py",
    *(f"replay/jit/{name}.py" for name in ("__init__", "address", "callee", "entry", "sources", "store")),
}
EDGES = {"replay.importers"}  # loaded by name, one reader at a time, by `replay import` alone
PUBLIC_SIGNATURES = {"strategy/conformal.py:calibrate"}  # longer than six, and what users were promised
MODEL_FILES = {"strategy/start_values.py"}  # files that train or load models; they alone know lightgbm and mapie
CLOCK_FILES = {
    "replay/doctor.py",
    "replay/jit/store.py",
    "replay/runner.py",
}  # store: age of cache files; runner: when a run started
CLOCKS = {
    "time.time",
    "time.time_ns",
    "time.monotonic",
    "time.monotonic_ns",
    "time.perf_counter",
    "time.perf_counter_ns",
    "time.sleep",
}
CLOCKS |= {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "datetime.datetime.now", "datetime.date.today"}
SEEDED = {"Generator", "Philox", "PCG64", "SeedSequence", "BitGenerator", "default_rng"}
EXACT_MATH = {"sqrt", "floor", "ceil", "trunc", "fabs", "copysign", "ldexp", "frexp", "isnan", "isinf", "isfinite", "inf", "nan"}
ALLOCATORS = {
    "zeros",
    "empty",
    "ones",
    "full",
    "arange",
    "array",
    "zeros_like",
    "empty_like",
    "ones_like",
    "full_like",
    "concatenate",
}
INEXACT_NP = {
    "exp",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "power",
    "sin",
    "cos",
    "tan",
    "tanh",
    "arctan",
    "cbrt",
    "dot",
    "argsort",
}

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 40
ARGUMENTS_MAX = 6
KERNEL_ARGUMENTS_MAX = 8


def is_within(module: str, names: set[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in names)


def is_ours(module: str) -> bool:
    return is_within(module, {"replay", "strategy", "fills", "tests", "benchmarks", "examples"})


def strangers(source: Source, allowed: set[str]) -> list[str]:
    """Name the imports of ours that a file may not have; `from replay import x` counts as `replay.x`."""
    return [
        f"{source.name}:{line}: imports {name}" for name, line in source.imports if is_ours(name) and not is_within(name, allowed)
    ]


def in_package(source: Source, *packages: str) -> bool:
    return is_within(source.module, set(packages))


def test_words_import_only_words() -> None:
    """The words stand on the ground: they import nothing of ours but words."""
    found = [line for source in sources("replay") if is_within(source.module, WORDS) for line in strangers(source, WORDS)]

    assert [] == found


@pytest.mark.parametrize("package", ["fills", "strategy"])
def test_fills_and_strategy_import_only_words(package: str) -> None:
    """Exchange and strategy know the words and themselves, and never each other."""
    found = [line for source in sources(package) for line in strangers(source, WORDS | {package})]

    assert [] == found


def test_engine_knows_nothing_above_it() -> None:
    """The engine ties words, exchange and strategy together and knows no report, command or store above it."""
    allowed = WORDS | {"fills", "strategy", "replay.engine", "replay.ledger", "replay.forecasts"}
    found = [line for source in sources("replay/engine") for line in strangers(source, allowed)]

    assert [] == found


def test_nobody_imports_the_command_line() -> None:
    """The command line is the top of the house."""
    others = [source for source in sources() if not in_package(source, "replay.cli", "replay.__main__")]
    found = [f"{source.name}:{line}" for source in others for name, line in source.imports if is_within(name, {"replay.cli"})]

    assert [] == found


def test_broker_library_stays_at_the_edge() -> None:
    """Only replay/ibkr knows ib_async."""
    found = [
        f"{source.name}:{line}"
        for source in sources()
        for name, line in source.imports
        if is_within(name, {"ib_async"}) and not in_package(source, "replay.ibkr")
    ]

    assert [] == found


def test_model_libraries_stay_with_the_models() -> None:
    """Only the files that train or load models know lightgbm, mapie and scikit-learn."""
    found = [
        f"{source.name}:{line}: {name}"
        for source in sources()
        for name, line in source.imports
        if is_within(name, {"lightgbm", "mapie", "sklearn"}) and source.name not in MODEL_FILES
    ]

    assert [] == found


def test_numba_has_one_door() -> None:
    """Only `jit` and `bundle` import numba: the one notices an edited callee, the other makes tuples of arrays cheap to pass."""
    found = [
        f"{s.name}:{line}"
        for s in sources()
        for name, line in s.imports
        if is_within(name, {"numba"}) and s.name not in COMPILER_FILES
    ]

    assert [] == found


def test_heavy_libraries_are_imported_where_they_are_used() -> None:
    """Importing one of our modules never pulls in pandas, pyarrow or another slow library at once."""
    found = [
        f"{source.name}:{line}: {name}"
        for source in sources()
        for name, line in source.top_imports
        if is_within(name, HEAVY) and source.name not in COMPILER_FILES and not is_within(source.module, EDGES)
    ]

    assert [] == found


def test_pandas_stays_out_of_the_loop() -> None:
    """The engine has no pandas and no pyarrow, not even inside a function."""
    found = [
        f"{s.name}:{line}: {name}"
        for s in sources("replay/engine")
        for name, line in s.imports
        if is_within(name, {"pandas", "pyarrow"})
    ]

    assert [] == found


def test_wall_clock_is_read_at_the_edges_only() -> None:
    """Only the command line, the doctor, the cache's housekeeping and the runner's start stamp ask what time it is."""
    found = [
        source.at(node, ast.unparse(node))
        for source in sources()
        if source.name not in CLOCK_FILES and not in_package(source, "replay.cli", "replay.ibkr")
        for node in source.nodes
        if isinstance(node, ast.Attribute) and ast.unparse(node) in CLOCKS
    ]

    assert [] == found


def test_clocks_are_called_by_their_full_name() -> None:
    """`from time import time` would hide a clock from the test above."""
    found = [f"{source.name}:{line}: {name}" for source in sources() for name, line in source.imports if name in CLOCKS]

    assert [] == found


def test_nothing_draws_from_global_randomness() -> None:
    """Every random number comes from a generator that was given its seed."""
    found = [source.at(node, ast.unparse(node)) for source in sources() for node in source.nodes if draws_globally(node)]
    found += [
        f"{source.name}:{line}" for source in sources() for name, line in source.imports if is_within(name, {"random", "secrets"})
    ]

    assert [] == found


def draws_globally(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("random.default_rng"):
        return not node.args and not node.keywords
    is_numpy = isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("np.random", "numpy.random")
    return is_numpy and node.attr not in SEEDED  # type: ignore[attr-defined]


def test_kernels_compute_the_same_bits_everywhere() -> None:
    """A kernel uses + - * / and sqrt: powers, numpy's and the C library's transcendentals differ between processors."""
    found = [
        source.at(node, f"{kernel.name}: {ast.unparse(node)}")
        for source in sources()
        for kernel in source.kernels
        for node in ast.walk(kernel)
        if is_inexact(node)
    ]

    assert [] == found


def is_inexact(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Pow):
        return not all(
            isinstance(part, ast.Constant) and isinstance(part.value, int)
            for part in ast.iter_child_nodes(node)
            if part is not node.op
        )
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return False
    return (node.value.id == "math" and node.attr not in EXACT_MATH) or (
        node.value.id in ("np", "numpy") and node.attr in INEXACT_NP
    )


def test_kernels_allocate_nothing() -> None:
    """What a kernel writes to is handed in: no arrays, lists, sets or dicts are made in the loop."""
    containers = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp)
    found = [
        source.at(node, f"{kernel.name}: {ast.unparse(node)}")
        for source in sources()
        for kernel in source.kernels
        for node in ast.walk(kernel)
        if isinstance(node, containers)
        or (isinstance(node, ast.Attribute) and ast.unparse(node) in {f"np.{name}" for name in ALLOCATORS})
    ]

    assert [] == found


def test_kernels_are_compiled_plainly() -> None:
    """No fast-math, no parallel loops, no other door to the compiler."""
    words = {"fastmath", "parallel", "nogil", "njit", "prange"}
    found = [
        source.at(node, str(name))
        for source in sources()
        if source.name not in COMPILER_FILES
        for node in source.nodes
        if (name := getattr(node, "arg", None) or getattr(node, "attr", None) or getattr(node, "id", None)) in words
    ]

    assert [] == found


def test_files_are_short() -> None:
    """One idea per file: none is longer than 400 lines."""
    found = [
        f"{s.name}: {len(s.lines)} lines"
        for s in sources("replay", "strategy", "fills", "benchmarks", "examples")
        if len(s.lines) > FILE_LINES_MAX
    ]

    assert [] == found


def test_functions_are_short() -> None:
    """A function does one thing: none is longer than 40 lines, its docstring and inner functions apart."""
    found = [
        source.at(function, f"{function.name} has {body_lines(function)} lines")
        for source in sources()
        for function in source.functions
        if body_lines(function) > FUNCTION_LINES_MAX
    ]

    assert [] == found


def test_functions_take_few_arguments() -> None:
    """Six arguments by position (eight in a kernel) are enough; a command of the command line has one for each option."""
    found = []
    for source in [source for source in sources() if not in_package(source, "replay.cli")]:
        for function in [function for function in source.functions if f"{source.name}:{function.name}" not in PUBLIC_SIGNATURES]:
            names = [argument.arg for argument in function.args.args if argument.arg not in ("self", "cls")]
            if len(names) > (KERNEL_ARGUMENTS_MAX if function in source.kernels else ARGUMENTS_MAX):
                found.append(source.at(function, f"{function.name} has {len(names)} arguments"))

    assert [] == found


def test_public_things_are_documented() -> None:
    """Every module, and every public class and function in it, says what it is for."""
    found = []
    for source in sources():
        things = [node for node in source.tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
        nodes = [source.tree, *[node for node in things if not node.name.startswith("_")]]
        found += [source.at(node, getattr(node, "name", "module")) for node in nodes if not ast.get_docstring(node)]

    assert [] == found


def test_everything_but_kernels_is_annotated() -> None:
    """Numba infers the types of a kernel; every other function states those of its arguments and of its result."""
    found = [
        source.at(function, function.name)
        for source in sources()
        for function in source.functions
        if function not in source.kernels and not is_annotated(function)
    ]

    assert [] == found


def is_annotated(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return function.returns is not None and all(
        argument.annotation or argument.arg in ("self", "cls", "this") for argument in arguments
    )


def test_tests_say_what_they_prove() -> None:
    """The docstring of a test is the sentence that it proves."""
    found = [
        source.at(function, function.name)
        for source in sources("tests")
        for function in source.functions
        if function.name.startswith("test_") and not ast.get_docstring(function)
    ]

    assert [] == found


def test_help_loads_nothing_heavy() -> None:
    """`replay --help` answers without numba, pandas or any other slow library."""
    program = """
import sys
from replay.cli import main
try:
    main(["--help"])
except SystemExit as leave:
    assert not leave.code, leave.code
heavy = ("numba", "numpy", "pandas", "pyarrow", "lightgbm", "mapie", "sklearn", "scipy", "exchange_calendars", "pydantic")
print("loaded:", [name for name in heavy if name in sys.modules])
"""

    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert (0, "loaded: []") == (done.returncode, done.stdout.splitlines()[-1] if done.stdout else done.stderr)
