"""Numbers drawn from keys: the same everywhere, spread as they should be, private to their key."""

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fills.draws import normal
from replay.numeric import uniform
from tests.naive import delays as naive

PARTS = st.tuples(*[st.integers(0, 2**62)] * 6)


@settings(max_examples=100, deadline=None)
@given(PARTS)
def test_the_number_of_a_key_is_that_of_the_plain_hash(key):
    """Compiled or not, a key gives the number that whole-number arithmetic gives, strictly between 0 and 1."""
    actual = uniform(*key)

    assert naive.uniform(*key) == actual
    assert 0.0 < actual < 1.0


def test_known_numbers():
    """Three keys have the numbers they always had: a change here would change every run with drawn delays."""
    assert [0.9404734097290016, 0.7470630496898923, 0.012996451681733023] == [
        uniform(0, 1, 0, 1, 2, 0), uniform(0, 1, 0, 2, 2, 0), uniform(7, 1, 12345, 1, 4, 10**18),
    ]  # fmt: skip


@pytest.mark.parametrize("part", range(6))
def test_keys_that_differ_in_one_part_give_independent_even_numbers(part):
    """Over 4,000 values of one part the numbers are even (Kolmogorov, 1 per mille) and do not follow each other."""
    numbers = np.array([uniform(*[(5, 1, 77, 3, 2, 9)[p] if p != part else k for p in range(6)]) for k in range(4000)])
    steps = np.arange(1, 4001) / 4000
    distance = np.max(np.abs(np.sort(numbers) - steps + 0.5 / 4000)) + 0.5 / 4000

    assert distance < 1.95 / np.sqrt(4000)
    assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 3.3 / np.sqrt(4000)


@settings(max_examples=200, deadline=None)
@given(st.floats(1e-300, 1 - 1e-16))
def test_normal_is_the_inverse_of_the_normal_distribution(u):
    """The number of a share equals the standard library's within 1e-12 of its size, tails included."""
    assert NormalDist().inv_cdf(u) == pytest.approx(normal(u), rel=1e-12, abs=1e-12)


def test_normal_is_odd_and_ascends():
    """Shares mirrored about a half give mirrored numbers, and a larger share a larger number."""
    shares = [k / 4096 for k in range(1, 4096)]
    numbers = [normal(share) for share in shares]

    assert numbers == sorted(numbers)
    assert [-number for number in reversed(numbers)] == numbers
