"""The door to numba: never stale, never compiled twice, and the same function with the JIT off."""

import json
import os
import subprocess
import sys
from pathlib import Path

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


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Write a small project of kernels in several files."""
    for name, text in {"caller": CALLER, "callee": CALLEE, "stranger": STRANGER, "factory": FACTORY, "probe": PROBE}.items():
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


def probe(project: Path, **extra: str) -> dict[str, list[int]]:
    """Run the project in a process of its own, with a cache of its own."""
    root = Path(__file__).parents[2]
    env = {**os.environ, "NUMBA_CACHE_DIR": str(project / "cache"), "PYTHONPATH": str(root), **extra}
    env.pop("NUMBA_DISABLE_JIT", None)
    done = subprocess.run([sys.executable, "probe.py"], cwd=project, env=env, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


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


def test_cache_does_not_grow_with_starts(project: Path) -> None:
    """Starting again leaves the number of cache files as it was."""
    probe(project)
    before = len(list((project / "cache").iterdir()))
    probe(project)

    assert before == len(list((project / "cache").iterdir()))


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
