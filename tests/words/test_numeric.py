"""Own exp and log: within one unit in the last place of the true value, the same bits everywhere."""

import math
import os
import subprocess
import sys
from pathlib import Path

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.numeric import exp, log

DIGEST = "127209d9"  # of what PRINT_DIGEST prints
PRINT_DIGEST = """
import hashlib, struct
from replay.numeric import exp, log
state = 12345
digest = hashlib.sha256()
for _ in range(3000):
    state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
    x = state / 2**64
    digest.update(struct.pack('<3d', exp(1400.0 * x - 700.0), exp(2.0 * x - 1.0), log(x + 2.0**-70)))
print(digest.hexdigest())
"""


def ulps(got: float, true: mpmath.mpf) -> float:
    """Distance in units of the last place of the true value."""
    return float(abs((mpmath.mpf(got) - true) / math.ulp(float(true))))


@given(st.floats(-745.0, 709.7))
def test_exp_is_within_one_ulp(x: float) -> None:
    """Exp is within one ulp of the true value over its whole range."""
    with mpmath.workprec(150):
        assert ulps(exp(x), mpmath.exp(mpmath.mpf(x))) <= 1.0


@given(st.floats(min_value=5e-324, allow_infinity=False))
def test_log_is_within_one_ulp(x: float) -> None:
    """Log is within one ulp of the true value for every positive number, subnormals included."""
    with mpmath.workprec(150):
        true = mpmath.log(mpmath.mpf(x))
        assert log(x) == 0.0 if true == 0 else ulps(log(x), true) <= 1.0


def test_edges() -> None:
    """Infinities, zeros, NaN and overflow answer as mathematics does."""
    assert [math.inf, 0.0, 1.0, math.inf, 0.0] == [exp(math.inf), exp(-math.inf), exp(0.0), exp(709.79), exp(-746.0)]
    assert [-math.inf, math.inf, 0.0] == [log(0.0), log(math.inf), log(1.0)]
    assert all(math.isnan(value) for value in (exp(math.nan), log(math.nan), log(-1.0)))


@pytest.mark.parametrize(
    "masked",
    [
        {},
        {"NUMBA_DISABLE_JIT": "1"},
        {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4"},
        {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
    ],
    ids=["plain", "jit off", "no fma in libm", "generic processor"],
)
def test_bits_do_not_depend_on_processor_or_jit(masked: dict[str, str]) -> None:
    """The same bits come out compiled, interpreted, for a generic processor and with the C library's FMA variants masked."""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    env.pop("NUMBA_DISABLE_JIT", None)
    run = subprocess.run([sys.executable, "-c", PRINT_DIGEST], env={**env, **masked}, capture_output=True, text=True, check=True)

    assert DIGEST == run.stdout.strip()[:8]
