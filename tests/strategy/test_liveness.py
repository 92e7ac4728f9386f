"""The enhanced staleness guard: habits, liveness, health, grace and quality."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.desk import CLOCK
from replay.events import EVENT, Kind, Status
from replay.orders import Evidence
from replay.settings import as_row
from strategy.decision import LEG, Reason
from strategy.features import MINUTE_NS, new_features
from strategy.guard import Issued, Quote, StalenessGuard
from strategy.liveness import GUARD, count_forecast, hear, hear_status, new_guard
from strategy.staleness import StalenessSettings, drop_old, refuse
from tests.naive import liveness as naive
from tests.strategy.desks import make_book, make_decision

SECOND_NS = 1_000_000_000
START_NS = 10_000 * SECOND_NS
ENHANCED = as_row(StalenessSettings(mode="enhanced"))
QUOTE = Quote(10.0, 10.01, 100, 100)

gaps = st.lists(st.sampled_from([0, 1_000_000, SECOND_NS // 4, SECOND_NS, 5 * SECOND_NS, 40 * SECOND_NS]), max_size=130)
classes = st.sampled_from([e.name for e in Evidence])


def heard(guard, s, times):
    event = np.zeros(1, EVENT)
    event["symbol"], event["kind"] = s, Kind.QUOTE
    for ts_ns in times:
        event["ts_ns"] = ts_ns
        hear(event, 0, guard)


def status(guard, ts_ns, code, symbol=-1):
    event = np.zeros(1, EVENT)
    event["ts_ns"], event["symbol"], event["kind"], event["code"] = ts_ns, symbol, Kind.STATUS, code
    hear_status(event, 0, guard)


def refusal(now_ns, book, guard, minute_start_ns, open_ns):
    features, _ = new_features(len(guard))
    features["minute_ns"] = minute_start_ns + MINUTE_NS
    clock, decision = np.zeros(1, CLOCK), make_decision(quality=1.0)
    clock["now_ns"], clock["open_ns"] = now_ns, open_ns
    return Reason(refuse(0, clock, book, features, guard, ENHANCED, decision)).name, float(decision[0]["quality"])


def two_books(evidence):
    book = np.concatenate([make_book(), make_book()])
    book["evidence"] = [Evidence[name] for name in evidence]
    return book


@pytest.mark.jit_off
@given(
    st.tuples(gaps, gaps),
    st.tuples(classes, classes),
    st.sampled_from([0, 1, SECOND_NS, 2 * SECOND_NS, 20 * SECOND_NS, 130 * SECOND_NS]),
    st.sampled_from([0, 60, 119, 121, 400]),
    st.lists(st.integers(0, 1), max_size=20),
    st.sampled_from([0, 59, 61]),
)
@settings(max_examples=150, deadline=None)
def test_guard_equals_the_plain_twin(waits, evidence, age_ns, minute_s, failures, open_s):
    """Reason and quality of two symbols that share a feed, or do not, equal the twin's."""
    guard, book = new_guard(2), two_books(evidence)
    times = [(START_NS + np.cumsum(wait)).tolist() for wait in waits]
    for s in (0, 1):
        heard(guard, s, times[s])
    for failed in failures:
        count_forecast(0, failed, book, guard)
    now_ns = max([START_NS, *times[0], *times[1]]) + age_ns
    minute_ns, open_ns = now_ns - minute_s * SECOND_NS, now_ns - open_s * SECOND_NS
    names = dict(enumerate(times))
    reason, quality = naive.verdict(now_ns, 0, names, dict(enumerate(evidence)), minute_ns, failures, open_ns)
    found = refusal(now_ns, book, guard, minute_ns, open_ns)

    assert reason == found[0]
    assert quality is None or pytest.approx(quality, abs=1e-9) == found[1]


@given(gaps, st.lists(st.floats(0, 500), min_size=2, max_size=2), st.lists(st.floats(0, 500), min_size=2, max_size=2))
@settings(max_examples=100, deadline=None)
def test_staleness_is_monotone_in_age(wait, ages_s, minutes_s):
    """Older data and older features are never trusted more: the quality does not rise, a refusal is not taken back."""
    guard = new_guard(1)
    heard(guard, 0, (START_NS + np.cumsum(wait)).tolist())
    now_ns, found = 2 * START_NS, []
    for age_s, minute_s in zip(sorted(ages_s), sorted(minutes_s), strict=True):
        guard["last_ns"] = now_ns - int(age_s * SECOND_NS)
        reason, quality = refusal(now_ns, make_book(), guard, now_ns - int(minute_s * SECOND_NS), 0)
        found.append(quality if reason == "TARGET_SET" else -1.0)

    assert found[0] >= found[1]


def test_an_unchanged_quote_of_a_quiet_symbol_on_a_live_feed_is_fresh():
    """A symbol that speaks every half minute is not stale after twenty seconds, as long as others of its feed speak."""
    guard = new_guard(2)
    heard(guard, 0, range(START_NS, START_NS + 600 * SECOND_NS, 30 * SECOND_NS))
    now_ns = START_NS + 590 * SECOND_NS
    heard(guard, 1, range(START_NS, now_ns, SECOND_NS // 10))

    assert ("TARGET_SET", 1.0) == refusal(now_ns, two_books(["TICK_BY_TICK"] * 2), guard, now_ns - 1, 0)


def test_a_dead_feed_is_stale_even_for_its_quiet_symbols():
    """When nobody of a busy feed speaks for more than a second, its quiet symbol is stale as well."""
    guard = new_guard(2)
    heard(guard, 0, range(START_NS, START_NS + 600 * SECOND_NS, 30 * SECOND_NS))
    last_ns = START_NS + 590 * SECOND_NS
    heard(guard, 1, range(START_NS, last_ns + 1, SECOND_NS // 10))
    found = [
        refusal(last_ns + late_ns, two_books(["TICK_BY_TICK"] * 2), guard, last_ns, 0)[0]
        for late_ns in (SECOND_NS, SECOND_NS + 1)
    ]

    assert ["TARGET_SET", "STALE_QUOTE"] == found


def test_a_dead_hour_does_not_teach_patience():
    """After the data come back, the same silence is refused as before."""
    guard = new_guard(1)
    heard(guard, 0, range(START_NS, START_NS + 100 * SECOND_NS, SECOND_NS // 4))
    before = float(guard[0]["gap_ns"])
    heard(guard, 0, [START_NS + 3_700 * SECOND_NS])

    assert before < guard[0]["gap_ns"] <= 1.05 * before


def test_a_share_of_the_gaps_is_longer_than_the_usual_longest():
    """About one gap in a hundred is longer than what was learned, whatever their distribution."""
    for seed, draw in enumerate((lambda r: r.exponential(1e9, 40_000), lambda r: r.lognormal(18, 2, 40_000))):
        waits = draw(np.random.default_rng(seed)).astype(np.int64) + 1
        guard, longer = new_guard(1), 0
        for k, ts_ns in enumerate(np.cumsum(waits).tolist()):
            longer += k > 5_000 and waits[k] > guard[0]["gap_ns"]
            heard(guard, 0, [ts_ns])

        assert pytest.approx(0.01, abs=0.003) == longer / 35_000


@pytest.mark.parametrize("code", [Status.RESUMED, Status.CONNECTED, Status.GAP_END])
def test_after_a_halt_the_old_quote_is_stale_and_the_new_one_is_trusted_by_half(code):
    """A quote from before a halt or gap is refused; the first new one is used within the grace, with half the quality."""
    guard, book = new_guard(1), make_book()
    heard(guard, 0, range(START_NS, START_NS + 100 * SECOND_NS, SECOND_NS))
    back_ns = START_NS + 700 * SECOND_NS
    status(guard, back_ns - 600 * SECOND_NS, Status.HALTED)
    status(guard, back_ns, code)
    old = refusal(back_ns + 1, book, guard, back_ns - 600 * SECOND_NS, 0)
    heard(guard, 0, [back_ns + 2])

    assert "STALE_QUOTE" == old[0]
    assert ("TARGET_SET", 0.5) == refusal(back_ns + 3, book, guard, back_ns - 600 * SECOND_NS, 0)
    assert 1e9 == guard[0]["gap_ns"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [("AUCTION", "HALTED"), ("DISCONNECTED", "STALE_QUOTE"), ("GAP_START", "STALE_QUOTE")],
)
def test_what_does_not_trade_has_its_reason(code, reason):
    """An auction is a halt, a lost feed is a stale quote; forecasts of that time do not count against the model."""
    guard, book = new_guard(1), make_book()
    heard(guard, 0, [START_NS])
    book["status"] = Status[code]
    count_forecast(0, 1, book, guard)

    assert reason == refusal(START_NS, book, guard, START_NS, 0)[0]
    assert 0 == guard[0]["failure_count"]


def test_old_forecasts_leave_and_young_ones_stay():
    """A forecast beyond its TTL takes no part; only when none is left is the symbol refused, with the reason."""
    legs = np.zeros(3, LEG)
    legs["is_alive"] = 1
    legs["horizon_min"] = 5, 30, 60
    ages_s = np.array([601, 600, 0])
    legs["ready_ts_ns"] = START_NS - ages_s * SECOND_NS
    legs["bar_close_ts_ns"] = legs["ready_ts_ns"] - np.array([0, 0, 91]) * SECOND_NS

    assert 0 == drop_old(START_NS, legs, ENHANCED)
    assert [0, 1, 0] == legs["is_alive"].tolist()
    assert [Reason.FORECAST_OLD, 0, Reason.STALE_BAR] == legs["reason"].tolist()
    legs["is_alive"] = 1, 0, 0

    assert Reason.FORECAST_OLD == drop_old(START_NS, legs, ENHANCED)


def test_people_see_trust_fade():
    """Half way to its limit a quote is trusted in full, then less and less, then refused; a forecast likewise."""
    guard = StalenessGuard()
    found = [guard.judge(START_NS + ms * 1_000_000, START_NS, QUOTE) for ms in (500, 750, 1_000, 1_001)]
    aged = [
        guard.judge(START_NS, START_NS, QUOTE, Issued(5, START_NS - s * SECOND_NS, START_NS - s * SECOND_NS))
        for s in (300, 450, 601)
    ]

    assert [1.0, 0.5, 0.0] == [answer.quality for answer in found[:3]]
    assert ["TARGET_SET"] * 3 + ["STALE_QUOTE"] == [answer.reason.name for answer in found]
    assert [1.0, 0.5] == [answer.quality for answer in aged[:2]]
    assert Reason.FORECAST_OLD == aged[2].reason


def test_people_see_a_sick_model_refused():
    """A model whose forecasts fail in a row is trusted less and then not at all, until it gives sound ones again."""
    guard, seen = StalenessGuard(), []
    for failed in [1] * 12 + [0] * 12:
        guard.answered(is_failed=failed == 1)
        seen.append(guard.judge(START_NS, START_NS, QUOTE).reason.name)

    assert ["TARGET_SET"] * 10 + ["MODEL_UNHEALTHY"] * 3 == seen[:13]
    assert "TARGET_SET" == seen[-1]


def test_rows_have_no_gaps():
    """The guard's rows are journalled byte by byte: nothing undefined lies between the fields."""
    assert GUARD.itemsize == sum(GUARD[name].itemsize for name in GUARD.names)
    assert math.isfinite(float(new_guard(1)["gap_ns"][0]))
