"""Intervals and verdicts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.compare.bootstrap import compare_sums
from replay.compare.measures import MEASURES

COLUMNS = {part for measure in MEASURES for part in (*measure.parts, measure.over) if part}


def sums(n=60, seed=1, **columns):
    rng = np.random.default_rng(seed)
    made = {name: rng.uniform(1, 2, n) for name in sorted(COLUMNS)}
    return made | {name: np.asarray(values, float) for name, values in columns.items()}


def line_of(name, a, b, **kw):
    return next(line for line in compare_sums(a, b, kw.get("n_draws", 500), kw.get("seed", 0)) if line.name == name)


def test_a_run_compared_with_itself_cannot_be_told_apart():
    """All differences are zero, and no verdict is given."""
    lines = compare_sums(sums(), sums(), 200, 0)

    assert {"cannot tell"} == {line.verdict for line in lines}
    assert {0.0} == {line.difference for line in lines}


def test_a_few_round_trips_get_no_verdict():
    """Below thirty round trips of either run a difference of rates has its interval but no verdict; at thirty it has one."""
    always, never = {"bad_trips": np.ones(30)}, {"bad_trips": np.zeros(30)}
    few, enough = np.r_[np.zeros(1), np.ones(29)], np.ones(30)
    lines = [
        line_of("unprofitable_rate", sums(30, trips=trips, **never), sums(30, trips=enough, **always)) for trips in (few, enough)
    ]

    assert ["cannot tell", "worse"] == [line.verdict for line in lines]
    assert all(line.low is not None for line in lines)


@pytest.mark.parametrize(
    ("name", "column", "verdict"),
    [
        ("net_usd", "net_usd", "better"),
        ("errors", "errors", "worse"),
        ("turnover_kusd", "turnover_usd", "more"),
        ("cost_per_share", "timing_usd", "worse"),
        ("unprofitable_rate", "bad_trips", "worse"),
    ],
)
def test_a_figure_that_rises_everywhere_has_its_verdict(name, column, verdict):
    """Where every stretch has more of it, the verdict is that of the figure's better way; the other way round it is mirrored."""
    a = sums()
    b = a | {column: a[column] * 1.5}
    mirrored = {"better": "worse", "worse": "better", "more": "less"}

    assert verdict == line_of(name, a, b).verdict
    assert mirrored[verdict] == line_of(name, b, a).verdict


def test_pairing_cancels_what_the_market_did_to_both():
    """A gain of one per stretch shows under noise a hundred times as large that both runs share."""
    noise = np.random.default_rng(2).normal(0, 100, 60)
    line = line_of("net_usd", sums(net_usd=noise), sums(net_usd=noise + 1.0))

    assert (60.0, "better") == (pytest.approx(line.difference), line.verdict)
    assert (pytest.approx(60.0), pytest.approx(60.0)) == (line.low, line.high)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """Of 200 differences with a mean of zero at most twenty are called better or worse; ten are to be expected."""
    rng = np.random.default_rng(3)
    told = [
        line_of("net_usd", sums(net_usd=rng.normal(0, 1, 60)), sums(net_usd=rng.normal(0, 1, 60)), n_draws=300, seed=k).verdict
        for k in range(200)
    ]

    assert 200 - told.count("cannot tell") <= 20


def test_too_few_stretches_have_no_interval():
    """Seven stretches are not enough, whatever they show."""
    line = line_of("net_usd", sums(7), sums(7, net_usd=np.full(7, 99.0)))

    assert (None, None, "cannot tell") == (line.low, line.high, line.verdict)


def test_what_cannot_be_known_is_none():
    """A rate of round trips that nobody made is no number, and no verdict."""
    line = line_of("unprofitable_rate", sums(trips=np.zeros(60)), sums())

    assert (None, None, "cannot tell") == (line.a, line.difference, line.verdict)


def test_a_share_of_next_to_nothing_is_not_told():
    """The relative difference is left out where the first run's own figure may have either sign."""
    noise = np.random.default_rng(4).normal(0, 1, 60)

    assert line_of("net_usd", sums(net_usd=noise), sums(net_usd=noise + 5)).relative is None
    assert pytest.approx(0.5) == line_of("net_usd", sums(net_usd=np.ones(60)), sums(net_usd=np.full(60, 1.5))).relative


def test_the_drawdown_is_the_worst_fall_from_a_peak():
    """Profits of +5, -3, -4, +9, -2 fall by seven at worst; a first loss counts from zero."""
    profit = [5, -3, -4, 9, -2, 0, 0, 0]

    assert 7.0 == line_of("max_drawdown_usd", sums(8, net_usd=profit), sums(8)).a
    assert 3.0 == line_of("max_drawdown_usd", sums(8, net_usd=[-3, 0, 0, 0, 0, 0, 0, 0]), sums(8)).a


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(8, 40))
def test_swapping_the_runs_mirrors_every_line(seed, n):
    """B against A is A against B with the sign turned: difference, interval and verdict."""
    a, b = sums(n, seed), sums(n, seed + 1)
    mirrored = {"better": "worse", "worse": "better", "more": "less", "less": "more", "cannot tell": "cannot tell"}
    for one, other in zip(compare_sums(a, b, 100, 0), compare_sums(b, a, 100, 0), strict=True):
        assert mirrored[one.verdict] == other.verdict
        assert -one.difference == pytest.approx(other.difference)
        assert -one.low == pytest.approx(other.high)
