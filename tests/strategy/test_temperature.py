"""The fitted temperature of the meta-learner's softmax."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.errors import ConfigError
from strategy.arbiter import fit_temperature

GRID = [0.5, 2.0, 8.0, 32.0]


def earned_plainly(predicted, rewards, temperature):
    """Return the mean net reward of softmax weights, one row after the other."""
    total = 0.0
    for row, paid in zip(predicted, rewards, strict=True):
        raw = [math.exp((value - max(row)) / temperature) for value in row]
        total += sum(share * reward for share, reward in zip(raw, paid, strict=True)) / sum(raw)
    return total / len(predicted)


def series(seed, noise_bps, n=400):
    """Return what a model predicts with that much noise, and what was earned."""
    draws = np.random.default_rng(seed)
    means = draws.normal(0.0, 2.0, (n, 3))
    return means + draws.normal(0.0, noise_bps, means.shape), means + draws.normal(0.0, 4.0, means.shape)


@pytest.mark.parametrize("seed", range(5))
def test_no_other_temperature_earns_more_with_a_model_that_knows(seed):
    """The answer is the best of the grid, computed row by row."""
    predicted, rewards = series(seed, 1.0)
    earned = {each: earned_plainly(predicted.tolist(), rewards.tolist(), each) for each in GRID}

    assert max(earned, key=earned.__getitem__) == fit_temperature(predicted, rewards, GRID)


def test_predictions_that_say_nothing_get_the_largest():
    """Constant ones always; random ones but for the luck of one in twenty."""
    _, rewards = series(0, 0.0)
    found = [fit_temperature(np.random.default_rng(seed).normal(size=rewards.shape), rewards, GRID) for seed in range(40)]

    assert 32.0 == fit_temperature(np.ones_like(rewards), rewards, GRID)
    assert found.count(32.0) >= 32


def test_predictions_that_are_wrong_get_the_largest():
    """Who names the worst horizon is not followed."""
    predicted, rewards = series(1, 0.0)

    assert 32.0 == fit_temperature(-predicted, rewards, GRID)


@given(st.floats(0.01, 100.0), st.floats(-50.0, 50.0))
def test_the_temperature_has_the_unit_of_the_predictions(scale, shift):
    """Predictions in another unit are as good with a temperature in that unit; a common shift changes nothing."""
    predicted, rewards = series(2, 1.0, n=60)
    expected = fit_temperature(predicted, rewards, GRID) * scale

    assert math.isclose(expected, fit_temperature(predicted * scale + shift, rewards, [each * scale for each in GRID]))


def test_rows_with_a_gap_are_left_out():
    """A row that lacks a number on either side takes no part."""
    predicted, rewards = series(3, 1.0)
    holed = [np.vstack([table, table[:2]]) for table in (predicted, rewards)]
    holed[0][-1, 0], holed[1][-2, 1] = math.nan, math.inf

    assert fit_temperature(predicted, rewards, GRID) == fit_temperature(*holed, GRID)


@pytest.mark.parametrize(
    ("predicted", "rewards", "grid", "sentence"),
    [
        (np.ones((30, 2)), np.ones((30, 3)), GRID, r"both have the shape \(n, horizons\), got \(30, 2\) and \(30, 3\)"),
        (np.ones(30), np.ones(30), GRID, "shape"),
        (np.ones((19, 2)), np.ones((19, 2)), GRID, "needs 20 rows without a missing number, got 19 of 19"),
        (np.full((30, 2), np.nan), np.ones((30, 2)), GRID, "got 0 of 30"),
        (np.ones((30, 2)), np.ones((30, 2)), [0.0, 1.0], "temperatures_bps must be numbers above 0"),
        (np.ones((30, 2)), np.ones((30, 2)), [], "at least one"),
        ([["a", "b"]] * 30, np.ones((30, 2)), GRID, "predicted_bps must hold numbers"),
    ],
)
def test_what_cannot_be_fitted_is_refused(predicted, rewards, grid, sentence):
    """Shapes, too few rows, temperatures that are none, and words."""
    with pytest.raises(ConfigError, match=sentence):
        fit_temperature(predicted, rewards, grid)
