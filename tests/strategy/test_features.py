"""The feature kernel."""

import hashlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.desk import BOOK, apply_market
from replay.events import EVENT, Kind
from replay.jit import kernel
from replay.settings import as_row
from strategy.decision import DECISION
from strategy.feature_stream import FeatureStream
from strategy.features import (
    FEATURE_NAMES,
    MINUTE_NS,
    MODEL_FEATURE_NAMES,
    FeatureSettings,
    new_features,
    on_market,
    roll,
    write_features,
    write_model_features,
)
from tests.naive import features as naive

TICK = 100
START_NS = 28_333_333 * MINUTE_NS  # on the grid, so that events at the very end of a minute occur
SETTINGS = FeatureSettings(min_returns=2, break_min=3)

gaps = st.sampled_from([0, 1, 1_000_000, 10_000_000_000, MINUTE_NS - 1, MINUTE_NS, MINUTE_NS + 1, 3 * MINUTE_NS, 5 * MINUTE_NS])
prices = st.integers(9_990, 10_010).map(lambda ticks: ticks * TICK)
sizes = st.integers(0, 5).map(lambda lots: lots * 100)
quotes = st.tuples(prices, st.integers(-1, 5), sizes, sizes).map(lambda q: (q[0], q[0] + q[1] * TICK, q[2], q[3]))
empties = st.just((0, 0, 0, 0))
contents = st.one_of(quotes, quotes, quotes, empties, st.integers(1, 900))
streams = st.lists(st.tuples(gaps, st.integers(0, 1), contents), min_size=1, max_size=60)


def events_of(stream):
    """Lay (gap, symbol, content) out as EVENT rows."""
    events = np.zeros(len(stream), EVENT)
    now_ns = START_NS
    for i, (gap_ns, symbol, content) in enumerate(stream):
        now_ns += gap_ns
        events[i]["ts_ns"] = now_ns
        events[i]["symbol"] = symbol
        if isinstance(content, tuple):
            events[i]["kind"] = Kind.QUOTE
            for name, value in zip(("bid", "ask", "bid_qty", "ask_qty"), content, strict=True):
                events[i][name] = value
        else:
            events[i]["kind"] = Kind.TRADE
            events[i]["price"] = 1_000_000
            events[i]["qty"] = content
    return events


def plain_of(events, symbol):
    """Give the events of one symbol to the twin."""
    plain = []
    for event in events[events["symbol"] == symbol]:
        if event["kind"] == Kind.QUOTE:
            plain.append((int(event["ts_ns"]), "quote", tuple(int(event[n]) for n in ("bid", "ask", "bid_qty", "ask_qty"))))
        else:
            plain.append((int(event["ts_ns"]), "trade", int(event["qty"])))
    return plain


class World:
    """Two symbols, their book and their features."""

    def __init__(self, settings=SETTINGS):
        self.book = np.zeros(2, BOOK)
        self.book["tick"] = TICK
        self.features, self.minutes = new_features(2)
        self.params = as_row(settings)

    def take(self, events, i):
        apply_market(events, i, self.book)
        on_market(events, i, self.book, self.features, self.minutes, self.params)

    def roll(self, symbol, now_ns):
        roll(symbol, now_ns, self.book, self.features, self.minutes, self.params)

    def read(self, symbol, now_ns):
        out = np.zeros(len(MODEL_FEATURE_NAMES))
        write_model_features(symbol, now_ns, self.book, self.features, self.minutes, self.params, out)
        return dict(zip(MODEL_FEATURE_NAMES, out.tolist(), strict=True))

    def bits(self):
        return self.features.tobytes() + self.minutes.tobytes()


@pytest.mark.jit_off
@given(streams, gaps)
def test_features_equal_the_plain_twin(stream, last_gap_ns):
    """All features equal those that the twin recomputes from the whole history."""
    events, world = events_of(stream), World()
    for i in range(len(events)):
        world.take(events, i)
    now_ns = int(events["ts_ns"][-1]) + last_gap_ns
    for symbol in (0, 1):
        expected = naive.features(plain_of(events, symbol), now_ns, TICK, SETTINGS)

        assert pytest.approx(expected, rel=1e-9, abs=1e-8, nan_ok=True) == world.read(symbol, now_ns)


@pytest.mark.jit_off
@given(streams, st.lists(st.tuples(st.integers(0, 59), st.integers(0, 1), gaps), max_size=20), gaps)
def test_features_do_not_depend_on_who_rolls(stream, rolls, last_gap_ns):
    """Rolls by timers or strangers, anywhere and as often as they like, leave the same bits."""
    events, calm, busy = events_of(stream), World(), World()
    end_ns = int(events["ts_ns"][-1]) + last_gap_ns
    for i in range(len(events)):
        next_ns = int(events["ts_ns"][i + 1]) if i + 1 < len(events) else end_ns
        calm.take(events, i)
        busy.take(events, i)
        for k, symbol, after_ns in rolls:
            now_ns = int(events["ts_ns"][i]) + after_ns
            if k == i and now_ns <= next_ns:
                busy.roll(symbol, now_ns)
    for symbol in (0, 1):
        calm.roll(symbol, end_ns)
        busy.roll(symbol, end_ns)

    assert calm.bits() == busy.bits()


@given(streams, st.integers(1, 59))
def test_features_of_a_prefix_do_not_know_the_rest(stream, cut):
    """Cutting the future changes nothing before the cut, and a stranger's events change nothing at all."""
    events, whole, part = events_of(stream), World(), World()
    alone = events[events["symbol"] == 0]
    for i in range(min(cut, len(events))):
        whole.take(events, i)
    for i in range(int((events["symbol"][:cut] == 0).sum())):
        part.take(alone, i)

    assert whole.features[0].tobytes() == part.features[0].tobytes()
    assert whole.minutes[0].tobytes() == part.minutes[0].tobytes()


@given(streams)
def test_a_mirrored_market_gives_mirrored_features(stream):
    """With bid and ask exchanged around a price, sizes and all, imbalance, flow and microprice change their sign only."""
    mirrored = [
        (g, s, c if isinstance(c, int) or c[0] == 0 else (2_000_000 - c[1], 2_000_000 - c[0], c[3], c[2])) for g, s, c in stream
    ]
    worlds = []
    for given_stream in (stream, mirrored):
        world, events = World(), events_of(given_stream)
        for i in range(len(events)):
            world.take(events, i)
        worlds.append(world)

    for name in ("flow_qty", "depth_qty", "spread_sum", "quote_count"):
        sign = -1 if name == "flow_qty" else 1
        assert (sign * worlds[0].features[name]).tolist() == worlds[1].features[name].tolist()
    assert (-worlds[0].features["flow"]).tolist() == worlds[1].features["flow"].tolist()


@given(streams)
def test_one_by_one_in_python_equals_the_class(stream):
    """The class with plain dollars gives the bits of the kernels with integers."""
    events, world = events_of(stream), World()
    dollars = FeatureStream(["A", "B"], SETTINGS)
    for i, event in enumerate(events):
        world.take(events, i)
        name, ts_ns = "AB"[event["symbol"]], int(event["ts_ns"])
        if event["kind"] == Kind.QUOTE:
            dollars.quote(
                ts_ns, name, event["bid"] / 1e4, event["ask"] / 1e4, bid_qty=int(event["bid_qty"]), ask_qty=int(event["ask_qty"])
            )
        else:
            dollars.trade(ts_ns, name, 100.0, int(event["qty"]))
    now_ns = int(events["ts_ns"][-1]) + MINUTE_NS
    ours, theirs = world.read(0, now_ns), dollars.read("A", now_ns)

    assert np.array(list(ours.values())).tobytes() == np.array(list(theirs.values())).tobytes()


@pytest.mark.jit_off
@given(streams)
def test_decision_features_are_the_first_model_features(stream):
    """What a decision records is what a model is trained on."""
    events, world, decision = events_of(stream), World(), np.zeros(1, DECISION)
    for i in range(len(events)):
        world.take(events, i)
    now_ns = int(events["ts_ns"][-1])
    write_features(0, now_ns, world.book, world.features, world.minutes, world.params, decision)
    expected = list(world.read(0, now_ns).values())[: len(FEATURE_NAMES)]

    assert np.array(expected).tobytes() == decision["features"].tobytes()


@kernel
def _batch(events, book, features, minutes, params):
    for i in range(len(events)):
        apply_market(events, i, book)
        on_market(events, i, book, features, minutes, params)


@pytest.mark.jit_off
@given(streams)
def test_batch_equals_one_by_one(stream):
    """One compiled loop over a block leaves the bits of single calls from Python."""
    events, single, batch = events_of(stream), World(), World()
    for i in range(len(events)):
        single.take(events, i)
    _batch(events, batch.book, batch.features, batch.minutes, batch.params)

    assert single.bits() == batch.bits()


@pytest.mark.jit_off
@pytest.mark.portable
def test_features_have_the_same_bits_everywhere():
    """A seeded walk of two hours has one digest, compiled or not, on every processor."""
    rng = np.random.default_rng(7)
    stream = []
    for gap_ns, symbol, step, lots in rng.integers([0, 0, -3, 1], [10_000_000_000, 2, 4, 9], (1500, 4)).tolist():
        bid = (10_000 + step) * TICK
        stream.append((gap_ns, symbol, (bid, bid + lots * TICK, 100 * lots, 100 * (10 - lots)) if step < 3 else 100 * lots))
    events, world = events_of(stream), World(FeatureSettings())
    for i in range(len(events)):
        world.take(events, i)

    assert "961a4529c4e3bc27" == hashlib.sha256(world.bits()).hexdigest()[:16]


def minute_quotes(mids, gap_min=1, settings=SETTINGS):
    """Feed one quote per `gap_min` minutes with the given mids in ticks; return the world and the end."""
    stream = [(gap_min * MINUTE_NS, 0, ((mid - 1) * TICK, (mid + 1) * TICK, 100, 100)) for mid in mids]
    events, world = events_of(stream), World(settings)
    for i in range(len(events)):
        world.take(events, i)
    return world, int(events["ts_ns"][-1]) + MINUTE_NS


def test_volatility_is_unknown_until_enough_returns():
    """Before `min_returns` returns the volatility is NaN, from then on it is a number."""
    early, early_ns = minute_quotes([10_000, 10_001])
    late, late_ns = minute_quotes([10_000, 10_001, 10_002])

    assert math.isnan(early.read(0, early_ns)["vol_bps"])
    assert math.isfinite(late.read(0, late_ns)["vol_bps"])


def test_a_still_market_has_the_volatility_of_half_a_tick():
    """A price that never moves does not make trading free of risk: the floor is half a tick over the mid."""
    world, now_ns = minute_quotes([10_000] * 5)

    assert pytest.approx(0.5) == world.read(0, now_ns)["vol_bps"]


def test_the_return_over_a_night_is_left_out():
    """After a break the volatility is that of before, momentum starts anew and drift is zero."""
    world, now_ns = minute_quotes([10_000, 10_010, 10_000, 10_010])
    before = world.read(0, now_ns)
    night_ns = now_ns + 900 * MINUTE_NS
    events = events_of([(night_ns - START_NS, 0, (20_000 * TICK, 20_002 * TICK, 100, 100)), (MINUTE_NS, 0, 5)])
    world.take(events, 0)
    world.take(events, 1)
    after = world.read(0, night_ns + MINUTE_NS)

    assert before["vol_bps"] == after["vol_bps"]
    assert 0.0 == after["drift_bps"]
    assert math.isnan(after["momentum_5min_bps"])


def test_off_learns_nothing():
    """Without the kernel every statistic stays unknown."""
    world, now_ns = minute_quotes([10_000, 10_010, 10_000, 10_010], settings=FeatureSettings(mode="off", min_returns=1))

    assert math.isnan(world.read(0, now_ns)["vol_bps"])
