"""The package's public names."""

import subprocess
import sys

import pytest

import strategy


def test_import_loads_nothing():
    """`import strategy` compiles nothing and loads neither numba nor pandas."""
    program = "import sys, strategy; print([m for m in ('numba', 'numpy', 'pandas') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "[]" == done.stdout.strip()


@pytest.mark.parametrize("name", strategy.__all__)
def test_every_public_name_is_there(name):
    """Each name in `__all__` is a class or a module with a docstring."""
    assert getattr(strategy, name).__doc__


def test_modules_need_no_other_import():
    """`import strategy` is enough for `strategy.conformal.evaluate`."""
    program = "import strategy; print(strategy.conformal.evaluate([0.0], [1.0], [0.0], delay=1).shape)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "(1, 2)" == done.stdout.strip()


def test_an_unknown_name_is_an_attribute_error():
    """A misspelt name says which package lacks it."""
    with pytest.raises(AttributeError, match="module 'strategy' has no attribute 'Gate'"):
        _ = strategy.Gate
