"""Rolling correlations of minute returns."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from replay.settings import as_row
from strategy.correlation import (
    MINUTE_NS,
    catch_up,
    is_known,
    judge_pairs,
    learn_minute,
    new_correlation,
    return_bps,
    sample_mid2,
    sample_rho,
    shrunk_rho,
)
from strategy.features import FeatureSettings, roll
from strategy.pipeline import StrategySettings, build_state
from strategy.risk import RiskModel, RiskSettings
from tests.naive import risk as naive
from tests.strategy.pipeline_world import MINUTE, OPEN, SECOND, clock_event, forecast, make_pipeline, pack, quote, run

PARAMS = as_row(RiskSettings(mode="enhanced", correlation_minutes_min=3, correlation_half_life_min=5.0))
returns = st.sampled_from([0.0, 1.0, -1.0, 2.5, -4.0, math.nan])
minutes_of = st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(returns, min_size=n, max_size=n), min_size=1, max_size=12))


def learned(rows, params=PARAMS):
    correlation = new_correlation(len(rows[0]))
    for row in rows:
        correlation.returns[:] = row
        learn_minute(correlation, params)
    judge_pairs(correlation, params)
    return correlation


@pytest.mark.jit_off
@given(minutes_of)
def test_correlations_equal_the_plain_twin(rows):
    """Averages, shrinkage and shrunk correlations equal the twin's, whatever is missing, one symbol included."""
    correlation = learned(rows)
    shrunk, known, delta = naive.correlations([list(column) for column in zip(*rows, strict=True)], 5.0, 3)

    assert len(known) == 2 * correlation.alike[0]["pair_count"]
    spread = [sample_rho(i, j, correlation) for i, j in known]
    if max(spread, default=0.0) - min(spread, default=0.0) > 1e-6:
        assert pytest.approx(delta, rel=1e-5) == correlation.alike[0]["shrink"]
    for (i, j), rho in shrunk.items():
        assert ((i, j) in known) == is_known(i, j, correlation, PARAMS)
        assert pytest.approx(rho, abs=1e-6) == shrunk_rho(i, j, correlation, PARAMS)


@given(minutes_of)
def test_correlations_are_symmetric_and_within_one(rows):
    """rho* of i and j is that of j and i, and no correlation is beyond 1."""
    correlation = learned(rows)
    for i in range(len(rows[0])):
        for j in range(i):
            assert shrunk_rho(i, j, correlation, PARAMS) == shrunk_rho(j, i, correlation, PARAMS)
            assert -1.0 <= shrunk_rho(i, j, correlation, PARAMS) <= 1.0


@given(minutes_of, st.sampled_from([0.5, 3.0, 1000.0]))
def test_correlations_do_not_depend_on_units(rows, factor):
    """Returns in other units give the same correlations."""
    one, other = learned(rows), learned([[value * factor for value in row] for row in rows])
    for i in range(len(rows[0])):
        for j in range(i):
            assert pytest.approx(shrunk_rho(i, j, one, PARAMS), abs=1e-9) == shrunk_rho(i, j, other, PARAMS)


def test_planted_correlations_are_found_and_noise_is_shrunk():
    """Two groups of three with rho .64 inside and 0 across are told apart; six strangers are shrunk nearly to their mean."""
    draws = np.random.default_rng(11)
    groups, strangers = [RiskModel(symbols=list("abcdef"), mode="enhanced") for _ in range(2)]
    for _ in range(300):
        common, own, noise = draws.normal(size=2), draws.normal(size=6), draws.normal(size=6)
        groups.observe({name: 0.8 * common[k // 3] + 0.6 * own[k] for k, name in enumerate("abcdef")})
        strangers.observe(dict(zip("abcdef", noise, strict=True)))
    inside = [groups.correlation(a, b) for a, b in ("ab", "ac", "bc", "de", "df", "ef")]
    across = [groups.correlation(a, b) for a in "abc" for b in "def"]
    rest = [strangers.correlation(a, b) for a in "abcdef" for b in "abcdef" if a < b]

    assert 0.5 < min(inside)
    assert max(inside) < 0.8
    assert max(map(abs, across)) < 0.25
    assert max(rest) - min(rest) < 0.12


scripts = st.lists(st.tuples(st.integers(1, 300), st.integers(-3, 3), st.booleans()), min_size=1, max_size=30)


@given(scripts, st.integers(0, 40), st.integers(0, 40))
@example([(60, 0, True), (61, 1, True)], 5, 25)
@example([(60, 0, True), (61, 1, True)], 5, 26)
def test_samples_are_those_of_the_rolled_features(script, rolled_min, later_min):
    """What is read before rolling is what the feature kernel holds after it, as far as no break came between.

    A cycle may have rolled the symbol before, so that its open minute is empty.
    """
    pipeline, at = make_pipeline(1), OPEN
    rows = []
    for gap_s, ticks, is_usable in script:
        at += gap_s * SECOND
        rows.append(quote(at, 0, 10**6 + 100 * ticks, 10**6 + 100 * ticks + 100, 300 * is_usable))
    run(pipeline, rows)
    state, params = pipeline.state, as_row(FeatureSettings())
    roll(0, at + rolled_min * MINUTE, pipeline.desk.book, state.features, state.minutes, params)
    now = at + (rolled_min + later_min) * MINUTE
    ends = [now // MINUTE_NS * MINUTE_NS - back * MINUTE_NS for back in range(63)]
    before = [sample_mid2(0, end, state.features, state.minutes, params) for end in ends]
    roll(0, now, pipeline.desk.book, state.features, state.minutes, params)
    after = [sample_mid2(0, end, state.features, state.minutes, params) for end in ends]

    if state.features[0]["sample_count"] > 0:
        assert after == before
    else:
        assert 0 == before[0]


def test_catching_up_often_or_rarely_is_the_same():
    """Learning every minute and learning after half an hour leave the same correlations: a cycle more changes nothing."""
    often, rarely = [build_state(StrategySettings(risk=RiskSettings(mode="enhanced")), 2) for _ in range(2)]
    features, minutes, book = often.features, often.minutes, make_pipeline(2).desk.book
    feed = pack(
        [quote(OPEN + k * 20 * SECOND, k % 2, 10**6 + 100 * (k * k % 7), 10**6 + 100 * (k * k % 7) + 100) for k in range(99)]
    )
    from strategy.features import on_market

    for i in range(len(feed[0])):
        on_market(feed[0], i, book, features, minutes, often.params["features"])
        catch_up(int(feed[0][i]["ts_ns"]), features, minutes, often.exposure.correlation, often.params)
    catch_up(int(feed[0][-1]["ts_ns"]), features, minutes, rarely.exposure.correlation, often.params)

    assert often.exposure.correlation.pairs[0, 1]["minute_count"] > 25
    assert often.exposure.correlation.pairs.tobytes() == rarely.exposure.correlation.pairs.tobytes()
    assert often.exposure.correlation.alike.tobytes() == rarely.exposure.correlation.alike.tobytes()


def test_a_night_has_no_return():
    """Nothing is learned of the hours in which nothing was seen."""
    pipeline = make_pipeline(2, StrategySettings(risk=RiskSettings(mode="enhanced")))
    later = OPEN + 120 * MINUTE
    rows = [quote(OPEN + SECOND + s, s, 10**6, 10**6 + 100) for s in range(2)]
    rows += [quote(later + s, s, 2 * 10**6, 2 * 10**6 + 100) for s in range(2)]
    run(pipeline, [*rows, forecast(later + 90 * SECOND, 0, 5, 20.0), clock_event(later + 100 * SECOND)])
    state = pipeline.state

    assert state.exposure.correlation.alike[0]["minute_ns"] > later
    assert math.isnan(return_bps(0, later + MINUTE, state.features, state.minutes, state.params["features"]))
    assert 0 == state.exposure.correlation.pairs[0, 1]["minute_count"]
