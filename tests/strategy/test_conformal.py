"""The gate and its score."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.errors import ConfigError, UsageError
from replay.settings import as_row
from strategy.conformal import ConformalGate, evaluate
from strategy.decision import Reason
from strategy.gate import GateSettings, judge_point, open_gate
from tests.naive import conformal as naive
from tests.naive.forecasts import quantiles
from tests.strategy.desks import edges, make_decision, make_legs, positives

rows = st.lists(st.tuples(st.just(5), edges, st.just(1.0), edges, st.just(0)), min_size=1, max_size=5)
thresholds = st.floats(0.0, 10.0)


def gated(given_rows, threshold_bps, mode="original"):
    legs, decision = make_legs(given_rows), make_decision()
    params = as_row(GateSettings(mode=mode, threshold_bps=threshold_bps))
    return Reason(open_gate(legs, len(legs), params, decision)), legs, decision[0]


@pytest.mark.jit_off
@given(rows, thresholds)
def test_gate_equals_the_plain_twin(given_rows, threshold_bps):
    """Sides equal the twin's; the reason is GATE_COST exactly when none is open."""
    reason, legs, decision = gated(given_rows, threshold_bps)
    expected = [naive.side(mu, cost, threshold_bps) for _, mu, _, cost, _ in given_rows]

    assert expected == legs["side"].tolist()
    assert (Reason.TARGET_SET if any(expected) else Reason.GATE_COST) == reason
    assert threshold_bps == decision["edge_needed_bps"]


@pytest.mark.jit_off
@given(rows, thresholds, st.sampled_from(["original", "off"]))
def test_nan_never_passes(given_rows, threshold_bps, mode):
    """A leg whose mean or cost is not finite stays shut in every mode."""
    _, legs, _ = gated(given_rows, threshold_bps, mode)
    for leg in legs:
        if not (math.isfinite(leg["mu_bps"]) and math.isfinite(leg["cost_bps"])):
            assert 0 == leg["side"]


@given(rows, thresholds)
def test_gate_is_its_own_mirror(given_rows, threshold_bps):
    """Forecasts of the other sign open the other side."""
    mirrored = [(h, -mu, sigma, cost, side) for h, mu, sigma, cost, side in given_rows]

    assert (-gated(given_rows, threshold_bps)[1]["side"]).tolist() == gated(mirrored, threshold_bps)[1]["side"].tolist()


@given(edges, st.floats(0.0, 20.0), st.floats(0.0, 20.0), thresholds)
def test_gate_is_monotone_in_cost(mu_bps, first, second, threshold_bps):
    """Raising the cost never turns a block into a pass."""
    params = as_row(GateSettings(threshold_bps=threshold_bps))
    cheap, dear = sorted((first, second))

    assert abs(judge_point(mu_bps, cheap, params)) >= abs(judge_point(mu_bps, dear, params))


@pytest.mark.jit_off
def test_a_shut_gate_says_who_came_closest():
    """The refused decision carries the largest |mu| and what it would have needed."""
    _, _, decision = gated([(5, 1.0, 1.0, 2.0, 0), (30, -1.5, 1.0, 2.0, 0)], 2.0)

    assert (30, -1.5, 2.0, 101) == tuple(decision[n] for n in ("horizon_min", "mu_bps", "edge_needed_bps", "forecast_id"))


@pytest.mark.jit_off
def test_who_came_closest_was_judged():
    """A leg in warm-up, however wide its bounds are of the cost, does not stand for those that were judged and refused."""
    legs, decision = make_legs([(5, 9.0, 1.0, 2.0, 0), (30, 40.0, 1.0, 2.0, 0)]), make_decision()
    legs["gate_lo_bps"], legs["gate_hi_bps"] = [1.0, 30.0], [17.0, 50.0]
    legs["gate_reason"] = [0, Reason.GATE_NOT_READY]

    assert Reason.GATE_COST == open_gate(legs, 2, as_row(GateSettings(mode="enhanced")), decision)
    assert (5, 10.0) == tuple(decision[0][name] for name in ("horizon_min", "edge_needed_bps"))


def test_equality_does_not_pass():
    """A forecast of exactly the threshold is refused."""
    assert [0, 0] == gated([(5, 2.0, 1.0, 0.0, 0), (5, -2.0, 1.0, 0.0, 0)], 2.0)[1]["side"].tolist()


def test_off_opens_in_the_direction_of_the_forecast():
    """Without the gate any forecast but zero passes."""
    assert [1, -1, 0] == gated([(5, m, 1.0, 0.0, 0) for m in (0.1, -0.1, 0.0)], 2.0, "off")[1]["side"].tolist()


def in_order(lo, hi):
    """Sort two quantiles, where both are numbers."""
    if lo is None or hi is None or not (math.isfinite(lo) and math.isfinite(hi)):
        return lo, hi
    return min(lo, hi), max(lo, hi)


@given(st.lists(st.tuples(edges, positives, st.one_of(st.none(), edges), st.one_of(st.none(), edges), edges), max_size=20))
def test_issued_quantiles_and_coverage_equal_the_plain_twin(forecasts):
    """The class issues the twin's quantiles and counts the twin's misses."""
    gate, issued, outcomes = ConformalGate(["A"], [5], mode="original"), [], []
    sorted_ones = [(mu, sigma, *in_order(lo, hi), outcome) for mu, sigma, lo, hi, outcome in forecasts]
    for k, (mu, sigma, lo, hi, outcome) in enumerate(sorted_ones):
        expected = quantiles(mu, sigma, *(math.nan if q is None else q for q in (lo, hi)))
        actual = gate.calibrate(k, k, "A", 5, mu, sigma, lo, hi)
        is_broken = isinstance(expected, str)
        assert pytest.approx((math.nan, math.nan) if is_broken else expected, nan_ok=True) == actual
        assert not is_broken or gate.verdict(k)[1].name == expected
        gate.mature(k, outcome)
        if not is_broken:
            issued.append(actual)
            outcomes.append(outcome)
    n, below, above, dropped = naive.misses(issued, outcomes)
    score = gate.coverage("A", 5)

    assert (n, dropped) == (score.matured_count, score.dropped_count)
    assert n == 0 or (below / n, above / n) == (score.miss_below, score.miss_above)
    assert len(forecasts) - len(issued) == gate.unknown_count


def test_an_outcome_counts_once():
    """The second outcome of a forecast is ignored and counted as unknown."""
    gate = ConformalGate(["A"], [5], mode="original")
    gate.calibrate(1, 0, "A", 5, 0.0, 1.0)
    gate.mature(1, 0.0)
    gate.mature(1, 9.0)

    assert (1, 1.0, 1) == (gate.coverage("A", 5).matured_count, gate.coverage("A", 5).coverage, gate.unknown_count)


def test_memory_is_bounded():
    """Beyond `pending_max` the oldest forecast is dropped and counted."""
    gate = ConformalGate(["A"], [5], pending_max=2)
    for k in range(3):
        gate.calibrate(k, k, "A", 5, 0.0, 1.0)
    gate.mature(0, 0.0)

    assert (1, 1) == (gate.coverage("A", 5).dropped_count, gate.unknown_count)


def test_an_unknown_symbol_or_horizon_is_an_error_that_names_the_known_ones():
    """The border says what it has."""
    gate = ConformalGate(["AAPL", "MSFT"], [5, 30])

    with pytest.raises(KeyError, match=r"^unknown symbol 'MSTF'; did you mean 'MSFT'\? Name all in `symbols` when it is made$"):
        gate.calibrate(1, 0, "MSTF", 5, 0.0, 1.0)
    with pytest.raises(UsageError, match=r"^unknown horizon_min 15; known are 5, 30"):
        gate.calibrate(1, 0, "AAPL", 15, 0.0, 1.0)


def test_crossed_quantiles_and_forecasts_from_the_past_are_refused():
    """Each is one sentence with the values, and the gate is as it was before."""
    gate = ConformalGate(["A"], [5])
    gate.calibrate(1, 1_000, "A", 5, 0.0, 1.0)

    with pytest.raises(UsageError, match=r"^forecast 2 has crossed quantiles: q_lo_bps 3.0 above q_hi_bps 1.0; sort them"):
        gate.calibrate(2, 2_000, "A", 5, 0.0, 1.0, 3.0, 1.0)
    with pytest.raises(UsageError, match=r"^forecasts of 'A' at 5 min go back in time: ts_ns 999 after 2000"):
        gate.calibrate(3, 999, "A", 5, 0.0, 1.0)
    gate.mature(2, 0.0)
    gate.mature(3, 0.0)

    assert 2 == gate.unknown_count


def test_a_forecast_asked_again_is_issued_once():
    """The same id gives the same bounds without a second record: only one outcome is awaited, and learned from."""
    gate = ConformalGate(["A"], [5], mode="original")
    first = [gate.calibrate(7, ts, "A", 5, 1.0, 2.0) for ts in (0, 10)]
    gate.mature(7, 0.0)

    assert first[0] == first[1]
    assert (1, 0) == (gate.coverage("A", 5).matured_count, gate.unknown_count)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"gate_tail": 0.5}, "gate_tail must be below 0.5, got 0.5"),
        ({"pending_max": 0}, "pending_max must be at least 1, got 0"),
        ({"mode": "better"}, "mode must be one of 'original', 'off', 'enhanced', got 'better'"),
        ({"gate_tial": 0.1}, "GateSettings has no 'gate_tial'; did you mean 'gate_tail'?"),
        ({"settings": GateSettings(), "gate_tail": 0.2}, "give either `settings` or single settings"),
    ],
)
def test_impossible_settings_are_refused(settings, sentence):
    """The sentence names the setting, what was expected and what came."""
    with pytest.raises(ConfigError) as caught:
        ConformalGate(["A"], [5], **settings)

    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(("symbols", "horizons"), [([], [5]), ("AB", [5]), (["A", "A"], [5]), (["A"], []), (["A"], [30, 5])])
def test_a_gate_needs_names_and_ascending_horizons(symbols, horizons):
    """No symbols, the same twice, or horizons out of order are a configuration that cannot be meant."""
    with pytest.raises(ConfigError, match=r"symbols must be|horizons_min must be"):
        ConformalGate(symbols, horizons)


@pytest.mark.parametrize("rule", ["quantile", "mean_edge"])
def test_a_verdict_waits_for_the_warm_up_and_then_judges(rule):
    """Before enough outcomes are known the reason is GATE_NOT_READY; afterwards a sure edge passes and the other side never."""
    gate, rng = ConformalGate(["A"], [5], rule=rule), np.random.default_rng(0)
    seen = []
    for k in range(300):
        gate.calibrate(k, k, "A", 5, 10.0, 1.0, cost_bps=2.0)
        seen.append(gate.verdict(k))
        gate.mature(k, 10.0 + float(rng.normal()))

    assert (0, Reason.GATE_NOT_READY) == seen[0]
    assert (1, Reason.TARGET_SET) == seen[-1]
    assert {0, 1} == {side for side, _ in seen}


def test_a_verdict_blocks_where_outcomes_are_missing():
    """More than a twentieth of the outcomes lost: GATE_MISSING."""
    gate = ConformalGate(["A"], [5])
    for k in range(150):
        gate.calibrate(k, k, "A", 5, 10.0, 1.0)
        gate.mature(k, math.nan if k % 10 == 0 else 10.0)
    gate.calibrate(200, 200, "A", 5, 10.0, 1.0)

    assert (0, Reason.GATE_MISSING) == gate.verdict(200)
    with pytest.raises(UsageError, match=r"^no outcome of forecast 3 is awaited"):
        gate.verdict(3)


@pytest.mark.parametrize(
    ("q_lo", "reason"), [(math.nan, Reason.FORECAST_NAN), (-1.0, Reason.GATE_COST), (5.0, Reason.FORECAST_CROSSED)]
)
def test_judge_refuses_with_a_reason(q_lo, reason):
    """NaN quantiles, a weak forecast and bounds that cross are told apart."""
    assert (0, reason) == ConformalGate(["A"], [5]).judge(q_lo, 1.0, 0.5)


def test_evaluate_does_not_look_ahead():
    """Quantiles of the first rows do not change with what comes later."""
    mu, sigma = np.linspace(-1, 1, 20), np.ones(20)
    calm = evaluate(mu, sigma, np.zeros(20), 3)
    wild = evaluate(mu, sigma, np.r_[np.zeros(10), np.full(10, 99.0)], 3)

    assert calm.iloc[:13].equals(wild.iloc[:13])


def test_evaluate_takes_nothing_short_and_broken_series():
    """No rows, a delay beyond the last row, and rows that are not numbers have their answers."""
    nan = math.nan

    assert [] == evaluate([], [], [], 5).to_numpy().tolist()
    assert evaluate([0.0] * 3, [1.0] * 3, [9.0] * 3, 10**12).equals(evaluate([0.0] * 3, [1.0] * 3, [nan] * 3, 1))
    broken = evaluate([0.0, nan, 0.0, 0.0], [1.0, 1.0, -1.0, math.inf], [0.0] * 4, 1)
    assert [False, True, True, True] == broken["q_lo"].isna().tolist()
    assert broken["q_lo"].isna().equals(broken["q_hi"].isna())


@pytest.mark.parametrize("delay", [0, -1, 1.5])
def test_evaluate_refuses_a_delay_that_knows_outcomes_at_once(delay):
    """An outcome is known one row later at the earliest."""
    with pytest.raises(ConfigError, match="a whole delay of at least 1"):
        evaluate([0.0], [1.0], [0.0], delay)


@pytest.mark.parametrize("delay", ["a", None, math.nan, math.inf, [1]])
def test_evaluate_refuses_a_delay_that_is_no_number(delay):
    """Words, nothing and NaN get the same sentence."""
    with pytest.raises(ConfigError, match="a whole delay of at least 1"):
        evaluate([0.0], [1.0], [0.0], delay)


@pytest.mark.parametrize("column", range(4))
def test_evaluate_names_a_column_of_words(column):
    """The sentence says which column holds something else than numbers."""
    columns = [[0.0], [1.0], [0.0], [0.0]]
    columns[column] = ["much"]
    with pytest.raises(ConfigError, match=f"^{('mu', 'sigma', 'outcome', 'cost_bps')[column]} must hold numbers"):
        evaluate(*columns[:3], 1, cost_bps=columns[3])


@pytest.mark.parametrize("settings", [{"gate_tail": 0.7}, {"cost_bps": [1.0, 2.0]}, {"rule": "mean_edge"}, {"tail": 0.1}])
def test_evaluate_refuses_settings_that_cannot_be(settings):
    """A tail above one half, costs of another length, a rule without bounds, an unknown name."""
    with pytest.raises(ConfigError):
        evaluate([0.0], [1.0], [0.0], 1, **settings)


def test_a_forecast_that_is_not_sound_has_a_verdict():
    """NaN, or a sigma that is not positive, is refused as FORECAST_NAN, until the same forecast comes with numbers."""
    gate = ConformalGate(["A", "B"], [5])
    for number, (mu, sigma) in enumerate([(math.nan, 1.0), (1.0, 0.0), (1.0, -1.0)]):
        gate.calibrate(number, 0, "A", 5, mu, sigma)
        assert (0, Reason.FORECAST_NAN) == gate.verdict(number)
        assert all(math.isnan(bound) for bound in gate.interval(number))
    gate.calibrate(0, 1, "A", 5, 1.0, 1.0)

    assert Reason.GATE_NOT_READY == gate.verdict(0)[1]
    with pytest.raises(UsageError, match="forecast 0 waits already for 'A' at 5 min"):
        gate.calibrate(0, 2, "B", 5, 1.0, 1.0)
    with pytest.raises(UsageError, match="forecast_id must be a whole number"):
        gate.calibrate("0", 2, "A", 5, 1.0, 1.0)


def test_a_gate_begins_from_start_values_alone():
    """Anything else is named, with where start values come from."""
    with pytest.raises(UsageError, match=r"what `strategy\.start_values` returns, got list"):
        ConformalGate(["A"], [5]).begin("A", 5, [1, 2, 3])
