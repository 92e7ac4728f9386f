"""Start values of the gate from the past, through MAPIE."""

import math

import numpy as np
import pandas as pd
import pytest

from replay.errors import ConfigError, DataError, UsageError
from strategy import ConformalGate
from strategy.decision import Reason
from strategy.start_values import start_values, start_values_of

N = 500


def past(n=N, seed=0, scale=2.0):
    """Return forecasts whose outcomes are `scale` times as wide as they say, and shifted up by a quarter of sigma."""
    rng = np.random.default_rng(seed)
    mu, sigma = rng.normal(size=n), np.exp(rng.normal(0.0, 0.3, n))
    return mu, sigma, mu + sigma * (0.25 + scale * rng.normal(size=n))


def order_statistic(scores, tail):
    """Return the ceil((n + 1)(1 - tail))-th smallest, counted by hand."""
    return sorted(scores)[math.ceil((len(scores) + 1) * (1.0 - tail) - 1e-9) - 1]


@pytest.mark.parametrize(("gate_tail", "interval_level"), [(0.1, 0.8), (0.05, 0.6)])
def test_each_tail_has_its_own_correction(gate_tail, interval_level):
    """MAPIE's correction of a tail is the order statistic of its scores, for the gate's level and for the interval's."""
    mu, sigma, outcome = past()
    start = start_values(mu, sigma, outcome, gate_tail=gate_tail, interval_level=interval_level)
    z = 1.2815515655446004
    for t, scores in enumerate([(mu - z * sigma - outcome) / sigma, (outcome - mu - z * sigma) / sigma]):
        assert pytest.approx(order_statistic(scores, gate_tail), abs=1e-12) == start.gate[t]
        assert pytest.approx(order_statistic(scores, 0.5 - 0.5 * interval_level), abs=1e-12) == start.interval[t]

    assert start.gate[0] < start.gate[1]


def test_a_gate_begins_where_the_past_leaves_it():
    """Without one live outcome the gate is ready, and its bounds hold 80 % of new outcomes where Gaussian ones hold half."""
    gate = ConformalGate(["A"], [5])
    gate.begin("A", 5, start_values(*past(10_000)))
    gate.calibrate(0, 0, "A", 5, 100.0, 1.0)
    assert (1, Reason.TARGET_SET) == gate.verdict(0)
    mu, sigma, outcome = past(4_000, seed=1)
    bounds = np.array([gate.calibrate(k, k, "A", 5, mu[k], sigma[k]) for k in range(len(mu))])
    below, above = (outcome < bounds[:, 0]).mean(), (outcome > bounds[:, 1]).mean()

    assert gate.is_ready("A", 5)
    assert abs(below - 0.1) < 0.03
    assert abs(above - 0.1) < 0.03


def test_a_past_that_overlaps_counts_less():
    """The gate leans on the model's own word the more, the fewer effective outcomes the past has: narrower bounds here."""
    widths = []
    for overlap in (1, 30):
        gate = ConformalGate(["A"], [5])
        gate.begin("A", 5, start_values(*past(), overlap=overlap))
        low, high = gate.calibrate(0, 0, "A", 5, 0.0, 1.0)
        widths.append(high - low)

    assert widths[0] > widths[1] > 2 * 1.2815
    with pytest.raises(ConfigError, match="overlap must be at least 1, got 0"):
        start_values(*past(), overlap=0)


def test_bounds_that_were_begun_go_on_learning():
    """Outcomes move the banks that start values began."""
    gate = ConformalGate(["A"], [5])
    gate.begin("A", 5, start_values(*past()))
    before = gate.calibrate(0, 0, "A", 5, 0.0, 1.0)
    for k in range(1, 400):
        gate.calibrate(k, k, "A", 5, 0.0, 1.0)
        gate.mature(k, 0.0)
    after = gate.calibrate(1_000, 1_000, "A", 5, 0.0, 1.0)

    assert before[0] < after[0]
    assert after[1] < before[1]


def test_models_give_what_their_quantiles_give():
    """Three fitted models in MAPIE's order lead to the start values of their predictions."""

    class Line:
        def __init__(self, shift):
            self.shift = shift

        def predict(self, x):
            return x[:, 0] + self.shift

    mu, sigma, outcome = past()
    models = [Line(shift) for shift in (-1.0, 1.5, 0.0)]
    by_models = start_values_of(models, mu[:, None], outcome, sigma)
    by_rows = start_values(mu, sigma, outcome, q_lo_bps=mu - 1.0, q_hi_bps=mu + 1.5)

    assert by_rows.gate.tolist() == by_models.gate.tolist()
    with pytest.raises(UsageError, match="the order is lower, upper, median"):
        start_values_of([models[1], models[0], models[2]], mu[:, None], outcome, sigma)
    with pytest.raises(UsageError, match="models are three"):
        start_values_of(models[:2], mu[:, None], outcome, sigma)


def test_rows_that_are_not_sound_are_left_out():
    """NaN, infinite, negative ones and those without a spread change nothing but the count, and warn of nothing."""
    mu, sigma, outcome = past()
    extra = [math.nan, math.nan, 0.0], [1.0, -1.0, 0.0], [0.0, math.inf, 0.0]
    broken = [np.r_[column, more] for column, more in zip((mu, sigma, outcome), extra, strict=True)]

    assert start_values(mu, sigma, outcome).scores.tolist() == start_values(*broken).scores.tolist()


@pytest.mark.parametrize(
    ("rows", "settings", "sentence"),
    [
        (99, {}, "start values need 100 sound rows with known outcomes, got 99 of 99"),
        (150, {"gate_tail": 0.005}, "start values need 200 sound rows"),
        (150, {"gate_tail": 0.6}, "gate_tail must be below 0.5"),
        (150, {"q_lo_bps": [0.0]}, r"start values need columns of one length, got \[150, 150, 150, 1, 150\]"),
    ],
)
def test_too_little_past_is_refused(rows, settings, sentence):
    """The sentence says how many rows it takes, and how many there were."""
    with pytest.raises(ConfigError, match=sentence):
        start_values(*past(rows), **settings)


def test_levels_must_be_those_of_the_gate():
    """Start values of another tail level would begin the gate at the wrong place."""
    gate = ConformalGate(["A"], [5], gate_tail=0.2)

    with pytest.raises(
        ConfigError, match=r"the gate has interval_level and gate_tail \(0.8, 0.2\), the start values \(0.8, 0.1\)"
    ):
        gate.begin("A", 5, start_values(*past()))


def test_a_gate_is_saved_and_loaded_by_name(tmp_path):
    """A gate of other symbols goes on with those that it shares; other horizons and other files are refused."""
    gate = ConformalGate(["A", "B"], [5, 30])
    gate.begin("B", 30, start_values(*past()))
    gate.save(tmp_path / "gate.npz")
    other = ConformalGate(["B", "C"], [5, 30])
    other.load(tmp_path / "gate.npz")

    assert [False, True, False] == [other.is_ready(*cell) for cell in (("B", 5), ("B", 30), ("C", 30))]
    assert gate.calibrate(1, 0, "B", 30, 1.0, 2.0) == other.calibrate(1, 0, "B", 30, 1.0, 2.0)
    with pytest.raises(DataError, match=r"is of horizons \[5, 30\] min, expected \[5, 60\]"):
        ConformalGate(["B"], [5, 60]).load(tmp_path / "gate.npz")
    (tmp_path / "text.npz").write_text("no state")
    with pytest.raises(DataError, match="cannot be read as one"):
        other.load(tmp_path / "text.npz")


def test_tables_of_pandas_are_understood():
    """Columns may be Series, whatever their index."""
    mu, sigma, outcome = (pd.Series(column, index=range(7, 7 + N)) for column in past())

    assert start_values(*past()).gate.tolist() == start_values(mu, sigma, outcome).gate.tolist()


def test_columns_of_different_lengths_are_named():
    """Lengths are compared before anything is computed from two columns."""
    with pytest.raises(ConfigError, match=r"columns of one length, got \[200, 199, 200, 200, 200\]"):
        start_values(np.zeros(200), np.ones(199), np.zeros(200))
