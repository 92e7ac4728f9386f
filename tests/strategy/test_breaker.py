"""The circuit breaker against its twin, and its laws."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.errors import ConfigError
from replay.settings import as_row
from strategy.breaker import BREAKER, MAX_FAILURES, OPEN, BreakerSettings, CircuitBreaker, may_act, note_failure, note_sound
from tests.naive.breaker import Breaker

COOL_DOWN, COOL_DOWN_MAX = 20, 70
steps = st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["failed", "failed", "sound", "silent"])), max_size=60)
limits = st.tuples(st.integers(1, MAX_FAILURES), st.integers(1, 90))


def play(breakers, params, script):
    """Yield the time, whether the enhanced form might act, and the row after it answered."""
    now = 0
    for gap, answer in script:
        now += gap
        is_acting = bool(may_act(breakers, 0, 1, now, params))
        if is_acting and answer == "failed":
            note_failure(breakers, 0, 1, now, params)
        elif is_acting and answer == "sound":
            note_sound(breakers, 0, 1)
        yield now, is_acting, breakers[0, 1]


def params_of(most, window):
    return as_row(
        BreakerSettings(failure_count_max=most, window_ns=window, cool_down_ns=COOL_DOWN, cool_down_max_ns=COOL_DOWN_MAX)
    )


@pytest.mark.jit_off
@given(steps, limits)
def test_the_breaker_equals_its_twin(script, limit):
    """Whatever fails when, the kernel and the rules agree on who acts and how often the breaker opened."""
    twin, breakers = Breaker(*limit, COOL_DOWN, COOL_DOWN_MAX), np.zeros((1, 2), BREAKER)
    for (now, is_acting, row), (_, answer) in zip(play(breakers, params_of(*limit), script), script, strict=True):
        expected = twin.may_act(now)
        if expected and answer != "silent":
            twin.failed(now) if answer == "failed" else twin.sound()

        assert (expected, twin.openings) == (is_acting, int(row["open_count"]))
        assert (twin.state == "open") == (row["state"] == OPEN)


@given(steps, limits)
def test_it_cannot_flap_faster_than_its_cool_down(script, limit):
    """Two openings are a cool-down apart, and in between the enhanced form waits until it is over."""
    breakers, opened = np.zeros((1, 2), BREAKER), []
    for now, is_acting, row in play(breakers, params_of(*limit), script):
        if opened and now - opened[-1] < COOL_DOWN and int(row["open_count"]) == len(opened):
            assert not is_acting or now == opened[-1]
        if int(row["open_count"]) > len(opened):
            opened.append(now)

    assert all(later - earlier >= COOL_DOWN for earlier, later in pairwise(opened))


@given(steps, limits, st.integers(0, 59))
def test_a_copy_goes_on_as_the_original_does(script, limit, cut):
    """The array is the whole state: a copy taken anywhere goes on exactly as the breaker that it was taken from."""
    params, whole, first = params_of(*limit), np.zeros((1, 2), BREAKER), np.zeros((1, 2), BREAKER)
    full = [(now, acting) for now, acting, _ in play(whole, params, script)]
    start = ([now for now, _, _ in play(first, params, script[:cut])] or [0])[-1]
    rest = [(now + start, acting) for now, acting, _ in play(_moved(first, start), params, script[cut:])]

    assert full[cut:] == rest


def _moved(breakers, by):
    """Return a copy whose clock starts anew at `by`."""
    copy = breakers.copy()
    copy["opened_ns"] -= by
    copy["failed_ns"] -= by
    return copy


def test_off_never_opens():
    """With `mode = "off"` a component may fail for ever and still acts."""
    breaker = CircuitBreaker(mode="off", failure_count_max=1)
    for now in range(10):
        breaker.report("gate", now, is_failed=True)

    assert ("closed", True) == (breaker.state("gate"), breaker.may_act("gate", 11))


def test_a_failed_trial_opens_it_again():
    """After the cool-down one failure is enough, and the next wait counts from there, twice as long."""
    breaker = CircuitBreaker(failure_count_max=2, window_ns=100, cool_down_ns=1_000)
    for now in (0, 1, 1_001):
        if breaker.may_act("gate", now):
            breaker.report("gate", now, is_failed=True)

    assert (2, "open") == (breaker.open_count("gate"), breaker.state("gate"))
    assert [False, True] == [breaker.may_act("gate", now) for now in (3_000, 3_001)]


def test_the_longest_wait_is_no_shorter_than_the_first():
    """A bound that the first wait already breaks would hold nothing back; both numbers are named."""
    assert 5 == BreakerSettings(cool_down_ns=5, cool_down_max_ns=5).cool_down_max_ns
    with pytest.raises(ConfigError, match=r"cool_down_max_ns must be at least breaker\.cool_down_ns \(6\), got 5"):
        BreakerSettings(cool_down_ns=6, cool_down_max_ns=5)
