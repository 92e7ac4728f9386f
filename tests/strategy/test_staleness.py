"""The staleness guard."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.events import Status
from replay.orders import Evidence
from replay.settings import as_row
from strategy.decision import LEG, Reason
from strategy.features import MINUTE_NS, new_features
from strategy.guard import Quote, StalenessGuard
from strategy.liveness import new_guard
from strategy.staleness import StalenessSettings, judge
from tests.naive import staleness as naive
from tests.strategy.desks import make_book, make_decision, touches

SECOND_NS = 1_000_000_000
NOW_NS = 10_000 * SECOND_NS

ages = st.sampled_from(
    [
        0,
        1,
        SECOND_NS,
        SECOND_NS + 1,
        3 * SECOND_NS,
        4 * SECOND_NS,
        90 * SECOND_NS,
        91 * SECOND_NS,
        150 * SECOND_NS,
        700 * SECOND_NS,
    ]
)
mostly_fresh = st.one_of(st.just(0), st.just(0), st.just(0), st.none(), ages)
forecasts = st.lists(st.tuples(st.sampled_from([5, 10, 60]), ages, ages), max_size=3)


def judged(touch, status, evidence, data_age_ns, minute_age_ns, issued, mode="original"):
    book = make_book(*touch)
    book["status"] = Status[status] if status else 0
    book["evidence"] = Evidence[evidence]
    book["any_ts_ns"] = book["ts_ns"] = 0 if data_age_ns is None else NOW_NS - data_age_ns
    guard = new_guard(1)
    guard["last_ns"] = book["any_ts_ns"]
    features, _ = new_features(1)
    features["minute_ns"] = 0 if minute_age_ns is None else NOW_NS - minute_age_ns + MINUTE_NS
    legs = np.zeros(3, LEG)
    for k, (horizon, ready_age_ns, bar_age_ns) in enumerate(issued):
        legs[k]["horizon_min"], legs[k]["is_alive"] = horizon, 1
        legs[k]["ready_ts_ns"] = NOW_NS - ready_age_ns
        legs[k]["bar_close_ts_ns"] = NOW_NS - ready_age_ns - bar_age_ns
    decision = make_decision()
    reason = judge(0, NOW_NS, book, features, guard, legs, as_row(StalenessSettings(mode=mode)), decision)
    return Reason(reason), decision[0]


@pytest.mark.jit_off
@given(
    touches,
    st.sampled_from([None, None, None, None, "HALTED", "AUCTION", "GAP_START"]),
    st.sampled_from([e.name for e in Evidence]),
    mostly_fresh,
    mostly_fresh,
    forecasts,
)
@settings(max_examples=300)
def test_guard_equals_the_plain_twin(touch, status, evidence, data_age_ns, minute_age_ns, issued):
    """Reason and is_stale equal the twin's for every mixture of ages, statuses and quotes."""
    reason, decision = judged(touch, status, evidence, data_age_ns, minute_age_ns, issued)
    legs = [(h, NOW_NS - ready, NOW_NS - ready - bar) for h, ready, bar in issued]
    last_data, last_minute = (None if age is None else NOW_NS - age for age in (data_age_ns, minute_age_ns))

    assert naive.quote_reason(status, *touch) == reason.name
    assert naive.stale(NOW_NS, status, evidence, last_data, last_minute, legs) == bool(decision["is_stale"])
    assert 1.0 == decision["quality"]


@given(ages, ages)
def test_staleness_is_monotone_in_age(first_ns, second_ns):
    """What is stale does not become fresh by getting older."""
    young, old = sorted((first_ns, second_ns))
    stale = [judged((1, 2, 1, 1), None, "SNAPSHOT_250MS", age_ns, 0, [])[1]["is_stale"] for age_ns in (young, old)]

    assert stale[0] <= stale[1]


@pytest.mark.parametrize(
    ("ttl_s", "aged"),
    [
        (1, lambda age_ns: {"evidence": "TICK_BY_TICK", "data_age_ns": age_ns}),
        (3, lambda age_ns: {"evidence": "SNAPSHOT_250MS", "data_age_ns": age_ns}),
        (90, lambda age_ns: {"evidence": "BARS", "data_age_ns": age_ns}),
        (120, lambda age_ns: {"minute_age_ns": age_ns}),
        (600, lambda age_ns: {"issued": [(5, age_ns, 0)]}),
        (90, lambda age_ns: {"issued": [(60, 0, age_ns)]}),
    ],
)
def test_each_limit_is_exact(ttl_s, aged):
    """At its TTL an input is fresh, one nanosecond later it is stale."""
    fresh = {"status": None, "evidence": "TICK_BY_TICK", "data_age_ns": 0, "minute_age_ns": 0, "issued": []}
    stale = [judged((1, 2, 1, 1), **{**fresh, **aged(ttl_s * SECOND_NS + late_ns)})[1]["is_stale"] for late_ns in (0, 1)]

    assert [0, 1] == stale


def test_an_unchanged_quote_on_a_live_stream_is_not_stale():
    """The quote may be old as long as the stream says anything."""
    book = make_book()
    book["evidence"], book["ts_ns"], book["any_ts_ns"] = Evidence.TICK_BY_TICK, 1, NOW_NS
    features, _ = new_features(1)
    features["minute_ns"] = NOW_NS
    decision, guard = make_decision(), new_guard(1)
    guard["last_ns"] = NOW_NS

    assert 0 == judge(0, NOW_NS, book, features, guard, np.zeros(1, LEG), as_row(StalenessSettings()), decision)
    assert (0, NOW_NS - 1) == (decision[0]["is_stale"], decision[0]["quote_age_ns"])


def test_off_looks_at_nothing():
    """Without the guard even an empty book passes."""
    reason, decision = judged((0, 0, 0, 0), "HALTED", "TICK_BY_TICK", None, None, [], mode="off")

    assert (Reason.TARGET_SET, 0) == (reason, decision["is_stale"])


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 0.0, -1.0])
def test_the_class_takes_a_nonsense_price_for_no_quote(bad):
    """NaN, infinite, zero and negative prices are no quote."""
    assert Reason.NO_QUOTE == StalenessGuard().judge(1, 1, Quote(bad, 10.0, 1, 1)).reason


@given(st.integers(0, 5 * SECOND_NS), st.integers(0, 300), st.booleans(), st.sampled_from(["enhanced", "original", "off"]))
def test_an_answer_may_trade_exactly_when_it_has_no_reason_against_it(age_ns, ask_qty, is_halted, mode):
    """`may_trade` is true for TARGET_SET alone, whatever the age: an empty side is not stale, and is not traded either."""
    quote = Quote(bid_usd=10.00, ask_usd=10.01, bid_qty=100, ask_qty=ask_qty)
    found = StalenessGuard(mode=mode).judge(NOW_NS + age_ns, NOW_NS, quote, is_halted=is_halted)

    assert (found.reason.name == "TARGET_SET") is found.may_trade
