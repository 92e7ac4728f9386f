"""The compiled exchange against the plain-Python one, answer by answer."""

from datetime import date

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fills.bands import Band, choices
from fills.fees import FeeSchedule
from fills.queue import DISPLAY_MODELS, QUEUE_FIT, QueueModel
from fills.terms import Terms
from tests.fills.worlds import Market, bar, busy_stream, odd_steps, quotes, requests, status, streams
from tests.naive.exchange import Exchange
from tests.naive.fees import order_fee_micros

BANDS = st.sampled_from([band.value for band in Band])
FITS = np.array(
    [
        (-1.5, 0.7, 0.2, -0.3, 0.1, 0.4, -0.3, 1e5, 1e5, 0.1, 0.4, 0.25, 0.5),
        (0.5, -0.4, 0.0, 0.2, -1e5, 0.0, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    ],
    QUEUE_FIT,
)  # times in these streams are nanoseconds, so coefficients of times are large
MULTIPLIERS = [1, 3]
WINDOWS = {1: (50, 50), 2: (40, 200), 3: (0, 0), 5: (0, 0)}
FEES = FeeSchedule.on_date(date(2026, 5, 4), "tiered", scale=10).rates


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


def compare(stream, model, evidence, close_ns, band="expected", *, terms=None, tick=1):
    """Play a stream on both and compare each answer; return the number of answers by rule."""
    terms = terms or {}
    common = {"evidence": evidence, "power": 2.5, "close_ns": close_ns, "tick": tick, "lot": 3, "multipliers": MULTIPLIERS}
    fits = FITS if model in (QueueModel.FITTED, QueueModel.ALL_AHEAD) else None
    kernel = {
        "fits": fits,
        "queue": model,
        "fees": FEES,
        "pairing_ns": WINDOWS,
        "band": choices(Band(band)),
        "terms": Terms(**terms),
    }
    market = Market(2, 8, **kernel, **common)
    oracle = Exchange(
        2,
        8,
        model=model.value,
        fits=fits,
        windows=WINDOWS,
        fee=order_fee_micros,
        band=band,
        terms=terms,
        **common,
    )
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
@given(stream=streams(), evidence=st.sampled_from([1, 2, 5]), close_ns=st.sampled_from([2**63 - 1, 1500]), band=BANDS)
def test_any_stream_is_answered_as_by_the_oracle(model, stream, evidence, close_ns, band):
    """Kernel and plain Python give the same answers, to the last field, on any stream with any queue model in any band."""
    compare(stream, model, evidence, close_ns, band)


@pytest.mark.jit_off
@pytest.mark.parametrize("model", list(DISPLAY_MODELS))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**9), evidence=st.sampled_from([1, 2, 5]), band=BANDS)
def test_busy_streams_are_answered_as_by_the_oracle(model, seed, evidence, band):
    """On long streams around a moving touch, with every rule at work, both exchanges give the same answers."""
    compare(busy_stream(seed), model, evidence, 15_000, band)


def test_busy_streams_reach_every_fill_rule():
    """The streams that prove the kernel right make fills by every rule that makes fills."""
    rules = {}
    for seed in range(10):
        for rule, count in compare(busy_stream(seed), QueueModel.BEHIND_FIRST, 2, 2**63 - 1).items():
            rules[rule] = rules.get(rule, 0) + count

    assert {7, 8, 12, 13, 14} <= {rule for rule, count in rules.items() if count >= 3}, rules


TERMS = st.fixed_dictionaries(
    {
        "open_ns": st.sampled_from([-(2**63) + 1, 300, 2000]),
        "holds_in_halt": st.booleans(),
        "most_qty": st.sampled_from([0, 0, 11]),
        "equity": st.sampled_from([None, 0, 300, 5000]),
        "is_shortable": st.sampled_from([True, True, False]),
        "leverage": st.sampled_from([0.0, 1.0, 4.0]),
        "ticks": st.sampled_from([(0, 0, 0, 0), (99, 1, 2, 0)]),
    }
)


@pytest.mark.jit_off
@pytest.mark.parametrize("band", [band.value for band in Band])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(stream=streams(60, odd_steps()), evidence=st.sampled_from([1, 2, 5]), terms=TERMS, tick=st.sampled_from([1, 1, 2]))
def test_pegs_auctions_restrictions_and_terms_are_answered_as_by_the_oracle(band, stream, evidence, terms, tick):
    """Pegged orders, odd prints, exchange times, the open, halts, accounts and ticks: both exchanges give the same answers."""
    compare(stream, QueueModel.BEHIND_FIRST, evidence, 3500, band, terms=terms, tick=tick)


@pytest.mark.jit_off
@pytest.mark.parametrize("band", [band.value for band in Band])
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**9), terms=TERMS)
def test_busy_odd_streams_are_answered_as_by_the_oracle(band, seed, terms):
    """On long streams with pegged orders and odd prints both exchanges give the same answers."""
    compare(busy_stream(seed, odd=True), QueueModel.PRO_RATA, 2, 2**63 - 1, band, terms=terms)


def test_odd_streams_reach_every_fill_rule():
    """The streams that prove the kernel right make fills at modelled depth, at the mid and in auctions too."""
    rules = {}
    for seed in range(12):
        for rule, count in compare(busy_stream(seed, odd=True), QueueModel.BEHIND_FIRST, 2, 2**63 - 1, "optimistic").items():
            rules[rule] = rules.get(rule, 0) + count

    assert {7, 8, 12, 13, 14, 26, 28, 29} <= {rule for rule, count in rules.items() if count >= 3}, rules


BAR_STEPS = st.one_of(
    requests(), requests(), requests(("market", "limit", "midprice")),
    st.builds(
        lambda low, spread, volume, age, symbol: bar(low, low + spread, volume, start=age, symbol=symbol),
        st.integers(96, 105), st.integers(0, 4), st.integers(0, 200), st.integers(0, 2000), st.integers(0, 1),
    ),
    st.builds(status, st.sampled_from([1, 2, 3]), symbol=st.sampled_from([-1, 0, 1])), quotes(),
)  # fmt: skip


@pytest.mark.jit_off
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(stream=streams(40, BAR_STEPS), band=BANDS, terms=TERMS)
def test_bars_are_answered_as_by_the_oracle(stream, band, terms):
    """Where bars are the evidence, both exchanges give the same answers in every band."""
    compare(stream, QueueModel.BEHIND_FIRST, 3, 2**63 - 1, band, terms=terms)
