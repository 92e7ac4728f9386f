"""Delays of messages: each leg apart, constant, lognormal or measured, by activity."""

from math import exp

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fills import delays
from fills.latency import LEGS, LatencySettings
from fills.latency_table import Bucket, LatencyTable
from replay.errors import ConfigError
from tests.naive import delays as naive

S = 1_000_000_000
LOGNORMAL = LatencySettings(outbound_model="lognormal", outbound_ns=20_000_000, outbound_floor_ns=5_000_000, outbound_sigma=0.6)


def drawn(settings, leg, count, **build):
    """Draw the delays of orders 1 to `count` on one leg."""
    made = delays.build_delays(settings, seed=build.pop("seed", 3), symbols=["A", "B"])
    return np.array([delays.delay_ns(LEGS.index(leg), 0, k, 0, 5 * S, made) for k in range(1, count + 1)])


@pytest.fixture
def measured(tmp_path):
    """Return settings with a table of two buckets, quiet and busy."""
    quiet = {"outbound": (10, 20, 30, 40), "cancel": (5,), "answer": (100, 200, 300, 400)}
    busy = {"outbound": (1000, 2000), "cancel": (50,), "answer": (7000, 9000)}
    table = LatencyTable(buckets=(Bucket(below_events=3, delays_ns=quiet), Bucket(delays_ns=busy)))
    path = tmp_path / "latency.toml"
    path.write_text(table.to_toml())
    models = dict.fromkeys(("outbound_model", "cancel_model", "answer_model"), "empirical")
    return LatencySettings(**models, table=str(path))


def test_a_constant_leg_is_its_number():
    """Without a model every message of a leg takes the same time."""
    assert [25_000_000] == np.unique(drawn(LatencySettings(), "outbound", 20)).tolist()


@settings(max_examples=60, deadline=None)
@given(
    order=st.integers(1, 2**40), seed=st.integers(0, 2**62), median=st.integers(2, 10**9), sigma=st.floats(0, 2), data=st.data()
)
def test_a_lognormal_leg_is_the_formula(order, seed, median, sigma, data):
    """A draw equals floor + (median - floor) exp(sigma z), to the nanosecond, z by the standard library."""
    floor = data.draw(st.integers(0, median - 1))
    legs = LatencySettings(cancel_model="lognormal", cancel_ns=median, cancel_floor_ns=floor, cancel_sigma=sigma)
    made = delays.build_delays(legs, seed=seed, symbols=["A"])
    u = naive.uniform(seed, 1, int(made.symbol_keys[0]), order, delays.CANCEL_LEG, 7)
    actual = delays.delay_ns(delays.CANCEL_LEG, 0, order, 7, 0, made)

    assert min(naive.lognormal_ns(u, median, floor, sigma), floor + 6e10) == pytest.approx(actual, abs=1, rel=1e-11)


def test_lognormal_delays_have_the_stated_quantiles():
    """Of 5,000 orders half take the median at most, nine in ten the ninth decile, and none is quicker than the floor."""
    found = drawn(LOGNORMAL, "outbound", 5000)
    profile = delays.profile(LOGNORMAL)["outbound"]

    assert 20_000_000 == profile["p50_ns"]
    assert 5_000_000 + 15_000_000 * exp(0.6 * 1.2815515655446004) == pytest.approx(profile["p90_ns"], abs=1)
    assert 0.5 == pytest.approx((found <= profile["p50_ns"]).mean(), abs=0.023)  # 3.3 standard errors
    assert 0.9 == pytest.approx((found <= profile["p90_ns"]).mean(), abs=0.014)
    assert found.min() >= 5_000_000


def test_lognormal_delays_agree_with_numpys_distribution():
    """The logarithm of 5,000 delays above the floor has the mean and spread of numpy's lognormal of the same parameters."""
    logs = np.log(drawn(LOGNORMAL, "outbound", 5000) - 5_000_000)
    theirs = np.log(np.random.default_rng(1).lognormal(np.log(15_000_000), 0.6, 200_000))

    assert theirs.mean() == pytest.approx(logs.mean(), abs=3.5 * 0.6 / np.sqrt(5000))
    assert theirs.std() == pytest.approx(logs.std(), abs=3.5 * 0.6 / np.sqrt(10_000))


def test_a_measured_leg_gives_back_what_was_measured(measured):
    """Every delay is one of the table's, each about equally often, whatever the leg's constant says."""
    values, counts = np.unique(drawn(measured, "outbound", 4000), return_counts=True)

    assert [10, 20, 30, 40] == values.tolist()
    assert [1000] * 4 == pytest.approx(counts.tolist(), abs=100)


def test_both_halves_of_a_round_trip_belong_together(measured):
    """An order's acknowledgement takes the rank its way out had: 10 goes with 100, never with 400."""
    out, back = drawn(measured, "outbound", 200), drawn(measured, "answer", 200)

    assert (10 * out).tolist() == back.tolist()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 6 * S), max_size=20), st.integers(0, 8 * S), st.integers(0, 10))
def test_activity_is_what_came_in_the_second_before(measured_edges, event_ns, ts_ns, cut):
    """Events told in any two pieces give the bucket that counting them one by one gives."""
    event_ns = np.sort(np.array(event_ns, np.int64))
    delays.count_events(event_ns[:cut], measured_edges)
    delays.count_events(event_ns[cut:], measured_edges)
    actual = delays._bucket(ts_ns, measured_edges)
    measured_edges.load["second"] = -1

    assert naive.bucket(ts_ns, event_ns.tolist(), [3]) == actual


@pytest.fixture(scope="module")
def measured_edges(tmp_path_factory):
    """Return delays with an edge at three events per second."""
    table = LatencyTable(buckets=(Bucket(below_events=3, delays_ns={"cancel": (1,)}), Bucket(delays_ns={"cancel": (9,)})))
    path = tmp_path_factory.mktemp("latency") / "t.toml"
    path.write_text(table.to_toml())
    return delays.build_delays(LatencySettings(cancel_model="empirical", table=str(path)), seed=0, symbols=["A"])


def test_a_busy_second_draws_from_the_busy_bucket(measured):
    """With three events in the second before, delays come from the second bucket; with two from the first."""
    made = delays.build_delays(measured, seed=0, symbols=["A"])
    assert delays.listens(made)
    delays.count_events(np.array([1 * S, 1 * S + 5, 1 * S + 9, 3 * S, 3 * S + 1]), made)
    found = [delays.delay_ns(delays.CANCEL_LEG, 0, 1, 0, at_ns, made) for at_ns in (2 * S, 3 * S, 4 * S)]

    assert [50, 5, 5] == found


def test_draws_are_private():
    """An order's delay depends on its symbol's name, not on which symbols stand beside it, nor on other orders' draws."""
    alone = delays.build_delays(LOGNORMAL, seed=3, symbols=["B"])
    beside = delays.build_delays(LOGNORMAL, seed=3, symbols=["A", "B"])
    drawn(LOGNORMAL, "outbound", 10)
    expected = delays.delay_ns(delays.OUTBOUND_LEG, 0, 8, 0, S, alone)

    assert expected == delays.delay_ns(delays.OUTBOUND_LEG, 1, 8, 0, S, beside)
    assert expected != delays.delay_ns(delays.OUTBOUND_LEG, 0, 8, 0, S, beside)
    assert expected != delays.delay_ns(delays.OUTBOUND_LEG, 1, 9, 0, S, beside)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 100), max_size=12))
def test_messages_of_one_connection_keep_their_order(due_ns):
    """A message arrives when it is due or with the one before it, whichever is later."""
    assert [max(due_ns[: k + 1]) for k in range(len(due_ns))] == delays.in_order(due_ns).tolist()


@pytest.mark.parametrize(
    ("given_keys", "sentence"),
    [
        ({"outbound_model": "lognormal", "outbound_floor_ns": 25_000_000}, "`outbound_floor_ns` must be below the median"),
        ({"cancel_model": "empirical"}, '`cancel_model` is "empirical", but [latency] names no table'),
        ({"table": "t.toml"}, "names the table `t.toml`, but no leg is empirical"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(given_keys, sentence):
    """A floor above its median, sampling without a table and a table that nobody asks are one clear sentence each."""
    with pytest.raises(ConfigError) as caught:
        delays.build_delays(LatencySettings(**given_keys), seed=0, symbols=["A"])

    assert sentence in str(caught.value)


def test_a_leg_that_the_table_lacks_is_refused(measured):
    """The feed cannot be sampled from a table that holds own messages only."""
    with pytest.raises(
        ConfigError, match=r'`feed_model` is "empirical", but `.*latency.toml` holds only outbound, cancel, answer'
    ):
        delays.build_delays(LatencySettings(feed_model="empirical", table=measured.table), seed=0, symbols=["A"])
