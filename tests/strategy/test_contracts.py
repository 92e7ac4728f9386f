"""Contracts for tables and for own components."""

import math

import numpy as np
import pytest

from replay.errors import DataError, UsageError
from strategy.conformal import ConformalGate
from strategy.contracts import BARS, FEATURES, FORECASTS, check_gate, check_guard, check_table, check_weights
from strategy.features import MODEL_FEATURE_NAMES
from strategy.guard import Quote, StalenessGuard
from strategy.renorm import Renormaliser

SECOND_NS = 1_000_000_000
NOW_NS = 1_000 * SECOND_NS


def forecasts(**changes):
    table = {"ready_ts_ns": [1, 1, 2], "mu_bps": [0.0, -3.0, 9.0], "sigma_bps": [1.0, 2.0, 3.0]}
    table |= {name: [math.nan, 0.0, 1.0] for name in ("q_lo_bps", "q_hi_bps", "p_peak", "p_valley")}
    return table | changes


def test_sound_tables_pass():
    """Plain lists, arrays and structured arrays that keep the contract pass, NaN included where it is allowed."""
    features = np.zeros(2, [("ts_ns", "i8"), *((name, "f8") for name in MODEL_FEATURE_NAMES)])
    features["ts_ns"] = NOW_NS - 120 * SECOND_NS
    features["vol_bps"] = math.nan
    check_table(features, FEATURES, NOW_NS)

    assert None is check_table(forecasts(), FORECASTS)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mu_bps": [0.0, math.nan, 1.0]}, "column `mu_bps`, row 1: .* got nan"),
        ({"mu_bps": [0.0, 1.0, math.inf]}, "row 2: .* got inf"),
        ({"sigma_bps": [0.0, 1.0, 1.0]}, "column `sigma_bps`, row 0"),
        ({"p_peak": [0.0, 1.1, 0.0]}, "from 0 to 1 or NaN, got 1.1"),
        ({"mu_bps": [0.0]}, "expected 3 rows, got 1"),
        ({"mu_bps": ["a", "b", "c"]}, "expected one number per row"),
        ({"mu_bps": [[0.0]] * 3}, "shape"),
        ({"ready_ts_ns": [2, 1, 2]}, "row 1: expected no time before 2, got 1"),
    ],
)
def test_each_breach_is_named(changes, words):
    """Shape, NaN, bounds and order are told apart, with column and row."""
    with pytest.raises(DataError, match=words):
        check_table(forecasts(**changes), FORECASTS)


def test_a_missing_column_is_named():
    """A table without a column says which, and which are expected."""
    with pytest.raises(DataError, match="column `close` is missing; expected ts_ns, high, low, close"):
        check_table({"ts_ns": [1], "high": [1.0], "low": [1.0]}, BARS)


@pytest.mark.parametrize(("age_s", "words"), [(90, None), (91, "91 s old; expected at most 90 s"), (-1, "in the future")])
def test_old_tables_and_those_of_tomorrow_are_refused(age_s, words):
    """At its TTL a table passes, later it is refused; so is one that knows the future."""
    table = {"ts_ns": [NOW_NS - age_s * SECOND_NS], "high": [1.0], "low": [1.0], "close": [1.0]}
    if words is None:
        assert None is check_table(table, BARS, NOW_NS)
    else:
        with pytest.raises(DataError, match=words):
            check_table(table, BARS, NOW_NS)


@pytest.mark.parametrize("mode", ["original", "enhanced"])
def test_our_gate_keeps_its_contract(mode):
    """Neither form trades on NaN, opens as cost rises, or prefers a side."""
    assert None is check_gate(ConformalGate(["A"], [5], mode=mode))


def symmetric(is_open):
    """Make a gate of a rule for longs; what is not a number stays shut."""
    return lambda low, high, cost: 0 if math.isnan(low + high) else is_open(low, cost) - is_open(-high, cost)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (lambda low, high, cost: 1, "not numbers|differently"),
        (lambda low, high, cost: int(low > cost) if math.isfinite(low + high) else 0, "differently"),
        (symmetric(lambda edge, cost: int(edge > 0 and 1 < cost < 9)), "opens as cost rises"),
        (symmetric(lambda edge, cost: int(edge > 0 and not cost >= edge)), "cost is NaN"),
        (lambda low, high, cost: 2, "expected sides"),
    ],
)
def test_bad_gates_are_found(rule, words):
    """A gate that trades on NaN, opens as cost rises, prefers a side or answers nonsense is refused."""

    class Bad:
        def judge(self, low, high, cost):
            return rule(low, high, cost), None

    with pytest.raises(UsageError, match=words):
        check_gate(Bad())


def test_our_guard_keeps_its_contract():
    """Trust in a quote falls with its age, from whole to none."""

    def trust(age_ns):
        answer = StalenessGuard().judge(NOW_NS, NOW_NS - age_ns, Quote(1.0, 1.01, 1, 1))
        return answer.quality if answer.reason == 0 else 0.0

    assert None is check_guard(trust, range(0, 2 * SECOND_NS, 50_000_000))


@pytest.mark.parametrize(
    ("trust", "words"), [(lambda age_ns: age_ns / 10, "rises"), (lambda age_ns: math.nan, "expected a number")]
)
def test_bad_guards_are_found(trust, words):
    """Trust that grows with age, or is no number, is refused."""
    with pytest.raises(UsageError, match=words):
        check_guard(trust, [0, 5])


def test_our_weights_keep_their_contract():
    """Survivors sum to one whatever is NaN, infinite, tiny or huge, and nobody's list is changed."""
    assert None is check_weights(lambda raw: Renormaliser().horizons(raw, [True] * 3))


@pytest.mark.parametrize(
    ("weigh", "words"),
    [
        (lambda raw: raw, "finite numbers"),
        (lambda raw: [0.5, 0.5, 0.5], "instead of 1"),
        (lambda raw: [1.0], "expected 3"),
        (lambda raw: [raw.pop(), 0.0, 0.0], "caller's list"),
    ],
)
def test_bad_weights_are_found(weigh, words):
    """Weights that are negative, do not add up, go missing or are changed in place are refused."""
    with pytest.raises(UsageError, match=words):
        check_weights(weigh)
