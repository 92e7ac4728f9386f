"""The compiled exchange against the plain-Python one, answer by answer."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fills.fees import FeeSchedule
from fills.queue import DISPLAY_MODELS, QueueModel
from tests.fills.worlds import Market, busy_stream, streams
from tests.naive.exchange import Exchange
from tests.naive.fees import order_fee_micros

WINDOWS = {1: (50, 50), 2: (40, 200), 5: (0, 0)}
FEES = FeeSchedule.on_date(date(2026, 5, 4), "tiered").rates


def play_naive(exchange, step):
    """Play one step on the oracle; return its answers."""
    before = len(exchange.answers)
    if step["kind"] == "request":
        exchange.on_request(step, step["ts"])
    elif step["kind"] == "expiry":
        exchange.on_expiry(step["ts"])
    else:
        exchange.on_event(step)
    return exchange.answers[before:]


def compare(stream, model, evidence, close_ns, slots=8):
    """Play a stream on both and compare each answer; return the number of answers by rule."""
    common = {"power": 2.5, "close_ns": close_ns, "no_venue_share": 0.6}
    market = Market(2, slots, queue=model, evidence=evidence, fees=FEES, pairing_ns=WINDOWS, **common)
    oracle = Exchange(2, slots, model=model.value, evidence=evidence, windows=WINDOWS, fee=order_fee_micros, **common)
    rules = {}
    for step in stream:
        expected = play_naive(oracle, step)
        for answer in expected:
            rules[answer["rule"]] = rules.get(answer["rule"], 0) + 1

        assert expected == market.step(step)
    return rules


@pytest.mark.jit_off
@pytest.mark.parametrize("model", list(DISPLAY_MODELS))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(stream=streams(), evidence=st.sampled_from([1, 2, 5]), close_ns=st.sampled_from([2**63 - 1, 1500]))
def test_any_stream_is_answered_as_by_the_oracle(model, stream, evidence, close_ns):
    """Kernel and plain Python give the same answers, to the last field, on any stream with any queue model."""
    compare(stream, model, evidence, close_ns)


@pytest.mark.jit_off
@pytest.mark.parametrize("model", list(DISPLAY_MODELS))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**9), evidence=st.sampled_from([1, 2, 5]))
def test_busy_streams_are_answered_as_by_the_oracle(model, seed, evidence):
    """On long streams around a moving touch, with every rule at work, both exchanges give the same answers."""
    compare(busy_stream(seed), model, evidence, 15_000)


def test_busy_streams_reach_every_fill_rule():
    """The streams that prove the kernel right make fills by every rule that makes fills."""
    rules = {}
    for seed in range(10):
        for rule, count in compare(busy_stream(seed), QueueModel.BEHIND_FIRST, 2, 2**63 - 1).items():
            rules[rule] = rules.get(rule, 0) + count

    assert {7, 8, 12, 13, 14} <= {rule for rule, count in rules.items() if count >= 3}, rules
