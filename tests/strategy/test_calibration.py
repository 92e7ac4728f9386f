"""The calibrated gate: twin, laws and edge cases."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategy.calibration import upper_z
from strategy.conformal import ConformalGate, evaluate
from strategy.gate import GateSettings, judge_bounds
from strategy.margin_buckets import BUCKET, bucket_of, quantile_at
from strategy.tracker_bank import BANK, ISSUED, issue, learn, start
from tests.naive.calibration import Bank, Gate

Z = 1.2815515655446004


def series(n, seed=0, signal=0.9, noise=0.0):
    """Return (mu, sigma, outcome): unit noise around a signal, of which `noise` more is believed than is true."""
    draws = np.random.default_rng(seed)
    true = signal * draws.standard_normal(n)
    outcome = 10.0 * (true + draws.standard_normal(n))
    return 10.0 * (true + noise * draws.standard_normal(n)), np.full(n, 10.0), outcome


@pytest.mark.jit_off
@pytest.mark.parametrize("delay", [1, 4])
def test_gate_equals_the_plain_twin(delay):
    """Bounds, interval and counts of a series equal the twin's, warm-up and outcomes that never come included."""
    mu, sigma, outcome = series(420, seed=3, noise=0.5)
    outcome[::37] = math.nan
    gate, twin = ConformalGate(["A"], [5]), Gate(GateSettings())
    records = []
    for i in range(len(mu)):
        if i >= delay:
            gate.mature(i - delay, outcome[i - delay])
            twin.mature(records[i - delay], outcome[i - delay], delay)
        expected = twin.issue(mu[i], sigma[i], 2.0, [mu[i] - Z * sigma[i], mu[i] + Z * sigma[i]])
        actual = gate.calibrate(i, i, "A", 5, mu[i], sigma[i], cost_bps=2.0)
        records.append(expected)
        assert pytest.approx(expected["gate"], rel=1e-9) == list(actual)
        assert pytest.approx(expected["bound"], rel=1e-9) == list(gate.interval(i))
    score = gate.coverage("A", 5)

    assert records[-1]["begun"]
    assert (twin.matured, twin.dropped) == (score.matured_count, score.dropped_count)
    assert pytest.approx((twin.below / twin.matured, twin.above / twin.matured)) == (score.miss_below, score.miss_above)


@pytest.mark.jit_off
@given(st.floats(1e-6, 0.4999))
def test_the_normal_quantile_is_that_of_the_book(tail):
    """It is within 4.5e-4 of the true one, the bound that the book gives."""
    assert abs(NormalDist().inv_cdf(1.0 - tail) - upper_z(tail)) < 4.6e-4


@pytest.mark.parametrize("tail", [0.1, 0.3])
def test_without_much_evidence_the_gate_believes_the_model(tail):
    """However wrong 300 outcomes say it is, with a large `model_prior` the bounds are the model's own at the gate's tail."""
    mu, sigma, outcome = series(301, noise=2.0)
    leaning = evaluate(mu, sigma, outcome, 1, gate_tail=tail, model_prior=1e9, bucket_prior=1e9).to_numpy()[-1]
    learned = evaluate(mu, sigma, outcome, 1, gate_tail=tail, model_prior=1e-9, bucket_prior=1e9).to_numpy()[-1]
    own = mu[-1] + 10.0 * NormalDist().inv_cdf(1.0 - tail) * np.array([-1.0, 1.0])

    assert own.tolist() == pytest.approx(leaning.tolist(), abs=0.01)
    assert learned[0] < own[0] - 2.0
    assert learned[1] > own[1] + 2.0


@pytest.mark.jit_off
def test_the_class_and_the_series_are_the_same_gate():
    """Forecast by forecast or a whole series at once: the same bits."""
    mu, sigma, outcome = series(300, seed=1)
    gate, rows = ConformalGate(["A"], [5]), []
    for i in range(len(mu)):
        if i >= 3:
            gate.mature(i - 3, outcome[i - 3])
        rows.append(gate.calibrate(i, i, "A", 5, mu[i], sigma[i]))

    assert np.array_equal(np.array(rows), evaluate(mu, sigma, outcome, 3).to_numpy())


scores = st.lists(st.floats(-5.0, 5.0), min_size=1, max_size=40)


@pytest.mark.jit_off
@given(scores, st.integers(1, 9))
def test_bank_equals_the_plain_twin(given_scores, overlap):
    """Trackers, weights and correction of one bank equal the twin's to the last digits."""
    first = [0.5, -1.0, 2.0, 0.1, -0.3]
    bank, issued, twin = np.zeros(1, BANK), np.zeros(1, ISSUED), Bank(first, 0.1)
    start(bank[0], np.sort(first), len(first), 0.1)
    for score in given_scores:
        p, q = list(twin.p), twin.q()
        issue(bank[0], issued[0])
        assert pytest.approx(q, abs=1e-12) == issued[0]["q"]
        twin.learn(p, q, score, overlap)
        learn(bank[0], issued[0], score, overlap, 0.1)

    assert pytest.approx(twin.p, abs=1e-9) == bank[0]["p"].tolist()
    assert pytest.approx(twin.w, abs=1e-9) == bank[0]["w"].tolist()


@pytest.mark.jit_off
@given(scores)
def test_weights_are_a_distribution(given_scores):
    """Weights stay positive and sum to one, whatever the scores."""
    bank, issued = np.zeros(1, BANK), np.zeros(1, ISSUED)
    start(bank[0], np.array([-1.0, 0.0, 1.0]), 3, 0.1)
    for score in given_scores:
        issue(bank[0], issued[0])
        learn(bank[0], issued[0], score * 1e6, 1, 0.1)

    assert bank[0]["w"].min() > 0
    assert pytest.approx(1.0, abs=1e-12) == bank[0]["w"].sum()


@given(scores, st.integers(0, 5), st.integers(1, 5))
def test_the_steps_of_a_tracker_telescope(given_scores, delay, overlap):
    """The way of a tracker is the sum of its steps, each (miss - a) against what was issued, however late the labels come."""
    bank, kept, way = np.zeros(1, BANK), [], 0.0
    start(bank[0], np.array([-1.0, 0.0, 1.0]), 3, 0.1)
    first = bank[0]["p"][2]
    for i, score in enumerate(given_scores):
        issued = np.zeros(1, ISSUED)
        issue(bank[0], issued[0])
        kept.append((issued, score))
        if i >= delay:
            issued, old_score = kept[i - delay]
            learn(bank[0], issued[0], old_score, overlap, 0.1)
            way += 0.02 / overlap * bank[0]["ratio"] * bank[0]["mean_abs"] * ((old_score > issued[0]["p"][2]) - 0.1)

    assert pytest.approx(bank[0]["p"][2] - first, abs=1e-9) == way


def test_a_miss_is_judged_by_what_was_issued():
    """What the bank thinks when the outcome comes does not change whether the forecast missed."""
    gates = [ConformalGate(["A"], [5]) for _ in range(2)]
    mu, sigma, outcome = series(160)
    for gate in gates:
        for i in range(150):
            gate.calibrate(i, i, "A", 5, mu[i], sigma[i])
            gate.mature(i, outcome[i])
        low, _ = gate.calibrate(999, 999, "A", 5, 0.0, 10.0)
    gates[1]._state.banks["p"] += 50.0
    for gate in gates:
        gate.mature(999, low - 1.0)

    assert gates[0].coverage("A", 5).miss_below == gates[1].coverage("A", 5).miss_below


@pytest.mark.jit_off
def test_the_lower_tail_is_the_mirror_of_the_upper():
    """A mirrored series has mirrored bounds, to the last bit."""
    mu, sigma, outcome = series(400, noise=0.4)
    bounds, mirrored = (evaluate(sign * mu, sigma, sign * outcome, 5).to_numpy() for sign in (1, -1))

    assert np.array_equal(bounds, -mirrored[:, ::-1])


@given(st.floats(0.1, 50.0), st.floats(-20.0, 20.0))
@settings(max_examples=20)
def test_bounds_follow_scale_and_shift(scale, shift_bps):
    """Another unit of return, or a known drift in mean and outcome, moves the bounds and nothing else."""
    mu, sigma, outcome = series(200)
    plain = evaluate(mu, sigma, outcome, 2, cost_bps=shift_bps)
    scaled = evaluate(mu * scale, sigma * scale, outcome * scale, 2, cost_bps=shift_bps * scale)

    assert np.allclose(plain.to_numpy() * scale, scaled.to_numpy(), rtol=1e-6, atol=1e-6 * scale)


@given(st.lists(st.sampled_from([math.nan, math.inf, -math.inf]), min_size=1, max_size=5))
def test_what_is_not_finite_changes_no_bank(values):
    """Outcomes that are not finite are counted and teach nothing; NaN forecasts get NaN bounds and are not remembered."""
    gate = ConformalGate(["A"], [5])
    mu, sigma, outcome = series(120)
    for i in range(120):
        gate.calibrate(i, i, "A", 5, mu[i], sigma[i])
        gate.mature(i, outcome[i])
    before = gate._state.banks.copy()
    for i, value in enumerate(values):
        assert all(math.isnan(q) for q in gate.calibrate(500 + i, 500, "A", 5, value, 1.0))
        gate.calibrate(900 + i, 500, "A", 5, 1.0, 1.0)
        gate.mature(900 + i, value)

    assert np.array_equal(before, gate._state.banks)
    assert len(values) == gate.coverage("A", 5).dropped_count


lines = st.lists(st.tuples(st.floats(-3.0, 6.0), st.floats(0.01, 2.0)), min_size=2, max_size=8)


@pytest.mark.jit_off
@given(lines, st.floats(-5.0, 9.0), st.floats(0.0, 4.0))
def test_the_gate_is_monotone_in_cost(points, margin, drop):
    """Whatever the buckets learned, a lower margin never passes where a higher one does not."""
    buckets = np.zeros(len(points), BUCKET)
    buckets["margin"] = np.cumsum([step for _, step in points])
    buckets["line"][0] = points[0][0]
    for b in range(1, len(points)):
        buckets["line"][b] = min(points[b][0], buckets["line"][b - 1] + buckets["margin"][b] - buckets["margin"][b - 1])
    high = margin - quantile_at(buckets, margin, len(points))
    low = (margin - drop) - quantile_at(buckets, margin - drop, len(points))

    assert low <= high + 1e-9


@given(st.floats(-10.0, 10.0))
def test_buckets_are_the_count_of_edges_reached(margin):
    """The bucket of a margin is the number of edges at or below it."""
    edges = np.array([0.0, 0.75, 1.25, 1.75, 2.5])

    assert int((margin >= edges).sum()) == bucket_of(margin, edges)


@given(st.floats(-20, 20), st.floats(0, 20), st.floats(0, 10))
def test_sides_follow_the_definition(low, width, cost):
    """Long iff q_lo > cost, short iff q_hi < -cost, never both."""
    expected = 1 if low > cost else -1 if low + width < -cost else 0

    assert expected == judge_bounds(low, low + width, cost)


def test_the_gate_says_when_it_is_ready():
    """With labels that do not overlap, the hundredth outcome makes it ready, not the ninety-ninth."""
    gate, ready = ConformalGate(["A"], [5]), []
    mu, sigma, outcome = series(100)
    for i in range(100):
        gate.calibrate(i, i, "A", 5, mu[i], sigma[i])
        gate.mature(i, outcome[i])
        ready.append(gate.is_ready("A", 5))

    assert [False] * 99 + [True] == ready


CASES = [("right", 0.0, 1.0), ("noisy mean", 0.6, 1.0), ("overconfident", 0.0, 1.6)]


@pytest.mark.parametrize(("name", "noise", "factor"), CASES)
def test_bounds_hold_for_all_forecasts_and_for_those_taken(name, noise, factor):
    """Both tails near 10 % over all, and near 10 % of what passes a cost of 2 bps, although the model is wrong."""
    mu, sigma, outcome = series(40_000, seed=5, signal=1.1, noise=noise)
    mu *= factor
    bounds = evaluate(mu, sigma, outcome, 1, cost_bps=2.0).to_numpy()[2000:]
    y = outcome[2000:]
    is_below, is_above = y < bounds[:, 0], y > bounds[:, 1]
    is_long, is_short = bounds[:, 0] > 2.0, bounds[:, 1] < -2.0
    taken = is_long.sum() + is_short.sum()

    assert abs(is_below.mean() - 0.1) < 0.007, name
    assert abs(is_above.mean() - 0.1) < 0.007, name
    assert taken > 1000
    assert ((is_below & is_long).sum() + (is_above & is_short).sum()) / taken < 0.12


def test_mapie_and_the_start_of_a_bank_agree():
    """The first quantile of a bank is MAPIE's conformal offset of that tail: the ceil((n + 1) 0.9)-th score."""
    mapie = pytest.importorskip("mapie.regression")
    from sklearn.base import BaseEstimator, RegressorMixin

    class Constant(RegressorMixin, BaseEstimator):
        def __init__(self, value=0.0):
            self.value = value

        def fit(self, x, y):
            self.fitted_ = True
            return self

        def predict(self, x):
            return np.full(len(x), self.value)

        def __sklearn_is_fitted__(self):
            return True

    y = np.random.default_rng(0).normal(size=157)
    x = np.zeros((157, 1))
    models = [Constant(v).fit(x, y) for v in (-1.0, 1.0, 0.0)]
    conformal = mapie.ConformalizedQuantileRegressor(models, confidence_level=0.8, prefit=True).conformalize(x, y)
    _, intervals = conformal.predict_interval(x[:1], symmetric_correction=False)
    banks = np.zeros(2, BANK)
    start(banks[0], np.sort(-1.0 - y), len(y), 0.1)
    start(banks[1], np.sort(y - 1.0), len(y), 0.1)

    assert pytest.approx(intervals[0, 0, 0]) == -1.0 - banks[0]["p"][0]
    assert pytest.approx(intervals[0, 1, 0]) == 1.0 + banks[1]["p"][0]
