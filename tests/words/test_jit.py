"""The door to numba: never stale, never compiled twice, and the same function with the JIT off."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from replay.jit import import_closure

CALLER = """
from callee import twice
from replay.jit import kernel

@kernel
def total(n):
    out = 0
    for k in range(n):
        out += twice(k)
    return out
"""
CALLEE = """
from replay.jit import kernel

FACTOR = 2

@kernel
def twice(k):
    return FACTOR * k
"""
STRANGER = """
from replay.jit import kernel

@kernel
def square(k):
    return k * k
"""
FACTORY = """
from replay.jit import bound_kernel, kernel

def make(step):
    def loop(n):
        out = 0
        for k in range(n):
            out += step(k)
        return out
    return bound_kernel(loop, step)

@kernel
def one(k):
    return k

@kernel
def three(k):
    return 3 * k
"""
CHAIN = """
from errors import check
from replay.jit import kernel, leaf

@leaf
def near(k):
    return check(k) + 1

@kernel
def middle(k):
    return near(k) * 10

@kernel
def top(k):
    return middle(k)
"""
ERRORS = """
from replay.jit import kernel

@kernel
def check(k):
    if k > 3:
        raise ValueError("too large", k)
    if k < 0:
        raise IndexError("negative")
    return k
"""
CHAIN_PROBE = """
import json
from chain import middle, top
from errors import check

def tried(function, k):
    try:
        return function(k)
    except Exception as error:
        return repr(error)

values = [tried(f, k) for f in (top, middle, check) for k in (2, 9, -1)]
hits = [bool(sum(k.entry.stats.cache_hits.values())) for k in (top, middle, check)]
print(json.dumps({"values": values, "hits": hits}))
"""
REFUSED = ["ValueError('too large', 9)", "IndexError('negative')"]
PROBE = """
import json
from caller import total
from stranger import square
from factory import make, one, three
loops = make(one), make(three)
values = [total(10), square(7), loops[0](10), loops[1](10)]
hits = [bool(sum(k.entry.stats.cache_hits.values())) for k in (total, square, *loops)]
print(json.dumps({"values": values, "hits": hits}))
"""


FILES = {
    "caller": CALLER, "callee": CALLEE, "stranger": STRANGER, "factory": FACTORY, "probe": PROBE,
    "chain": CHAIN, "errors": ERRORS, "chain_probe": CHAIN_PROBE,
}  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Write a small project of kernels in several files."""
    for name, text in FILES.items():
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


def start(project: Path, script: str = "probe.py", **extra: str) -> subprocess.Popen[str]:
    """Start a script of the project in a process of its own, with a cache of its own."""
    root = Path(__file__).parents[2]
    env = {**os.environ, "NUMBA_CACHE_DIR": str(project / "cache"), "PYTHONPATH": str(root), **extra}
    env.pop("NUMBA_DISABLE_JIT", None)
    return subprocess.Popen([sys.executable, script], cwd=project, env=env, stdout=subprocess.PIPE, text=True)


def answer(process: subprocess.Popen[str]) -> Any:
    """Wait for a script of the project and return what it printed."""
    printed, _ = process.communicate(timeout=120)
    assert 0 == process.returncode
    return json.loads(printed)


def probe(project: Path, script: str = "probe.py", **extra: str) -> Any:
    """Run a script of the project and return what it printed."""
    return answer(start(project, script, **extra))


def test_second_start_compiles_nothing(project: Path) -> None:
    """A second process finds every kernel in the cache, closures over other kernels included."""
    first = probe(project)
    second = probe(project)

    assert {"values": [90, 49, 45, 135], "hits": [False] * 4} == first
    assert {"values": [90, 49, 45, 135], "hits": [True] * 4} == second


def test_edited_callee_is_noticed(project: Path) -> None:
    """Editing a constant of a callee in another file changes the caller's answer; kernels that do not use it stay cached."""
    probe(project)
    (project / "callee.py").write_text(CALLEE.replace("FACTOR = 2", "FACTOR = 5"))

    edited = probe(project)

    assert [225, 49, 45, 135] == edited["values"]
    assert [False, True, True, True] == edited["hits"]


def test_edit_at_the_end_of_a_chain_is_noticed(project: Path) -> None:
    """A kernel two calls away, compiled into its callers through a leaf, is compiled anew in all of them after an edit."""
    first = probe(project, "chain_probe.py")
    (project / "errors.py").write_text(ERRORS.replace("return k", "return 2 * k"))
    edited = probe(project, "chain_probe.py")

    assert [30, *REFUSED, 30, *REFUSED, 2, *REFUSED] == first["values"]
    assert [50, *REFUSED, 50, *REFUSED, 4, *REFUSED] == edited["values"]
    assert [False] * 3 == edited["hits"]


@pytest.mark.slow
def test_errors_of_callees_survive_the_cache(project: Path) -> None:
    """What a callee raises, with values of the moment in it, arrives in Python from a cached caller as from a fresh one."""
    fresh = probe(project, "chain_probe.py")
    cached = probe(project, "chain_probe.py")

    assert [True] * 3 == cached["hits"]
    assert fresh["values"] == cached["values"]


@pytest.mark.slow
def test_two_first_starts_at_once(project: Path) -> None:
    """Two processes that compile the same kernels at the same time both answer right, and leave a cache that a third one uses."""
    both = [answer(process) for process in [start(project), start(project)]]

    assert [[90, 49, 45, 135]] * 2 == [each["values"] for each in both]
    assert {"values": [90, 49, 45, 135], "hits": [True] * 4} == probe(project)


@pytest.mark.slow
def test_damaged_cache_is_compiled_anew(project: Path) -> None:
    """A file of the cache that was cut short is replaced, not believed."""
    probe(project)
    for file in (project / "cache").iterdir():
        file.write_bytes(file.read_bytes()[:100])

    assert {"values": [90, 49, 45, 135], "hits": [False] * 4} == probe(project)
    assert [True] * 4 == probe(project)["hits"]


def test_only_what_python_calls_becomes_machine_code(project: Path) -> None:
    """A kernel that only kernels call is kept for linking; numba's wrapper and machine code are made for the others alone."""
    probe(project, "chain_probe.py")
    kept: dict[str, set[str]] = {}
    for file in (project / "cache").iterdir():
        kept.setdefault(file.name.partition("-")[0], set()).add(file.suffix)

    assert {".callee"} == kept["chain.near"]
    assert {".entry"} == kept["chain.top"]
    assert {".callee", ".entry"} == kept["chain.middle"]


def test_cache_does_not_grow_with_starts(project: Path) -> None:
    """Starting again leaves the number of cache files as it was."""
    probe(project)
    before = len(list((project / "cache").iterdir()))
    probe(project)

    assert before == len(list((project / "cache").iterdir()))


@pytest.mark.slow
def test_bounds_checks_have_their_own_entries(project: Path) -> None:
    """A run with bounds checks does not use kernels compiled without them."""
    probe(project)

    assert [False] * 4 == probe(project, NUMBA_BOUNDSCHECK="1")["hits"]


def test_jit_off_gives_the_plain_function() -> None:
    """With the JIT off a kernel is the function itself."""
    code = "from replay.jit import kernel\ndef f(x): return x\nassert kernel(f) is f\nprint('ok')"
    env = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(Path(__file__).parents[2])}

    assert "ok\n" == subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout


def test_import_closure_follows_relative_imports(tmp_path: Path) -> None:
    """The closure holds files reached through relative and package imports, and no library."""
    package = tmp_path / "pack"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "one.py").write_text("import numpy\nfrom .two import f\n")
    (package / "two.py").write_text("from pack import three\nf = three\n")
    (package / "three.py").write_text("")

    assert ["one.py", "three.py", "two.py"] == [file.name for file in import_closure(package / "one.py")]
