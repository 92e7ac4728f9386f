"""Triple-barrier labels."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from replay.errors import ConfigError, DataError, UsageError
from replay.settings import as_row
from strategy.labels import LABEL, LABEL_BAR, LabelSettings, TripleBarrier, label_all, label_bars, on_bar
from tests.naive import labels as naive

SETTINGS = LabelSettings(mode="enhanced", bars_max=4)
steps = st.tuples(
    st.integers(-30, 30),
    st.integers(0, 20),
    st.integers(0, 20),
    st.sampled_from([0.0, 3.0, 10.0, 40.0]),
    st.sampled_from([-1, 0, 1, 1]),
)
walks = st.lists(st.tuples(steps, st.sampled_from([0, 0, 0, 0, 0, 1])), max_size=25)


def bars_of(walk):
    """Lay steps of a price out as bars; a 1 begins a new day."""
    bars, close, day = np.zeros(len(walk), LABEL_BAR), 100_000, 0
    for k, ((step, up, down, vol_bps, side), night) in enumerate(walk):
        close, day = close + step, day + night
        bars[k] = ((k + 1) * 100, day, close + up, close - down, close, vol_bps, side)
    return bars


def streamed(bars, settings=SETTINGS):
    """Return the labels in the order in which they came."""
    pending, out = np.zeros(settings.bars_max, LABEL), np.zeros(settings.bars_max, LABEL)
    counts, found = np.zeros(1, np.int64), []
    for i in range(len(bars)):
        n_out = on_bar(bars, i, counts, pending, as_row(settings), out)
        found += [out[k].copy() for k in range(n_out)]

        assert all(label["known_ns"] == bars[i]["ts_ns"] for label in out[:n_out])
    return np.array(found, LABEL)


def at_once(bars, settings=SETTINGS):
    out = np.zeros(len(bars), LABEL)
    label_all(bars, as_row(settings), np.zeros(len(bars)), out)
    return out[out["known_ns"] != 0]


@pytest.mark.jit_off
@given(walks)
@hypothesis_settings(max_examples=200, deadline=None)
def test_labels_equal_the_plain_twin(walk):
    """Outcome, time to event and uniqueness of every label equal the twin's, worked out in fractions."""
    bars = bars_of(walk)
    plain = [{name: bar[name].item() for name in LABEL_BAR.names} for bar in bars]
    expected = naive.labels(plain, Fraction(3, 2), 1, 4)
    found = {int(row["start_ns"]) // 100 - 1: row for row in at_once(bars)}

    assert list(expected) == list(found)
    for start, (outcome, count, uniqueness) in expected.items():
        assert (outcome, count) == (found[start]["outcome"], found[start]["bars"])
        assert pytest.approx(uniqueness) == found[start]["uniqueness"]


@pytest.mark.jit_off
@given(walks, st.sampled_from(["enhanced", "original"]))
def test_one_by_one_equals_batch(walk, mode):
    """Labels that come bar by bar have the bits of those made at once."""
    bars, settings = bars_of(walk), LabelSettings(mode=mode, bars_max=4)
    stream = streamed(bars, settings)

    assert at_once(bars, settings).tobytes() == stream[np.argsort(stream["start_ns"])].tobytes()


@given(walks, st.integers(0, 25))
def test_a_label_never_acts_before_its_time(walk, cut):
    """Cutting the future changes no label that was known before the cut, and adds none."""
    bars = bars_of(walk)
    whole = streamed(bars)

    assert whole[whole["known_ns"] <= cut * 100].tobytes() == streamed(bars[:cut]).tobytes()


@given(walks)
def test_longs_and_shorts_are_mirrors(walk):
    """Turning every move around the entry, a short ends as the long did, after as many bars."""
    bars = bars_of(walk)
    bars["close"] = 100_000  # all labels start at one price, so one mirror serves them all
    turned = bars.copy()
    turned["side"] = -bars["side"]
    turned["high"], turned["low"] = 200_000 - bars["low"], 200_000 - bars["high"]
    ours, theirs = at_once(bars), at_once(turned)

    assert ours["outcome"].tolist() == theirs["outcome"].tolist()
    assert ours["bars"].tolist() == theirs["bars"].tolist()
    assert ours["uniqueness"].tolist() == theirs["uniqueness"].tolist()


@pytest.mark.parametrize("horizon", [1, 4, 6])
def test_inside_a_fixed_horizon_each_label_weighs_one_over_it(horizon):
    """With a label per bar and no barrier in reach, uniqueness inside is 1/h; labels of a night are left out."""
    bars = bars_of([((1, 0, 0, 10.0, 1), 0)] * 30)
    found = at_once(bars, LabelSettings(mode="original", bars_max=horizon))

    assert 30 - horizon == len(found)
    assert pytest.approx([1 / horizon] * (30 - 3 * horizon)) == found["uniqueness"][horizon : 30 - 2 * horizon].tolist()


@given(walks)
@hypothesis_settings(max_examples=30, deadline=None)
def test_people_get_the_same_labels(walk):
    """The class bar by bar and the table at once, in dollars, give the same labels."""
    bars = bars_of(walk)
    table = pd.DataFrame({name: bars[name] for name in LABEL_BAR.names})
    table[["high", "low", "close"]] /= 10_000
    one, found = TripleBarrier(SETTINGS), []
    for row in table.itertuples():
        found += one.bar(row.ts_ns, row.high, row.low, row.close, row.vol_bps, side=row.side, day=row.day)

    assert sorted(found) == [tuple(row) for row in label_bars(table, SETTINGS).itertuples(index=False)]


BAD = [
    ({"vol_bps": None}, "need the columns vol_bps"),
    ({"ts_ns": [2, 2]}, "row 1 is not after row 0"),
    ({"ts_ns": np.array([2, 1], np.uint64)}, "row 1 is not after row 0"),
    ({"ts_ns": [1.0, 2.0]}, "ns since 1970 as whole numbers, got float64"),
    ({"side": [1, 5]}, r"side must be 1 \(long\), -1 \(short\) or 0 \(no label\), got 5 in row 1"),
    ({"high": [1.0, 0.5]}, "row 1 of the bars to label has high 0.5, low 1 and close 1"),
    ({"close": [np.nan, 1.0]}, "row 0 of the bars to label has high 1, low 1 and close nan"),
    ({"low": 0.0}, "0 < low <= close <= high"),
    ({"high": ["a", "b"]}, "column high must hold numbers"),
]


@pytest.mark.parametrize(("change", "words"), BAD)
def test_bad_bars_are_refused_in_one_sentence(change, words):
    """A missing column, times that do not ascend, prices and sides that cannot be are named with their row."""
    table = pd.DataFrame({"ts_ns": [1, 2], "high": 1.0, "low": 1.0, "close": 1.0, "vol_bps": 1.0})
    for name, values in change.items():
        table = table.drop(columns=name) if values is None else table.assign(**{name: values})

    with pytest.raises(DataError, match=words):
        label_bars(table)


@pytest.mark.parametrize(
    "changes", [{"bars_max": 0}, {"profit_times": -1.0}, {"stop_times": 0.0}, {"bars_max": "six"}, {"bar_max": 3}]
)
def test_labels_refuse_settings_that_cannot_be(changes):
    """A setting beyond its bounds, of another type or of another name is refused by both doors."""
    table = pd.DataFrame({"ts_ns": [1, 2], "high": 1.0, "low": 1.0, "close": 1.0, "vol_bps": 1.0})

    with pytest.raises(ConfigError, match="bar_max" if "bar_max" in changes else next(iter(changes))):
        TripleBarrier(**changes)
    with pytest.raises(ConfigError):
        label_bars(table, **changes)


@pytest.mark.parametrize(
    ("bar", "words"),
    [
        ((1, 2.0, 1.0, 1.5, 3.0), "ts_ns 1 after 2"),
        ((2, 2.0, 1.0, 1.5, 3.0), "two that closed at ts_ns 2"),
        ((3, 1.0, 2.0, 1.5, 3.0), "0 < low <= close <= high"),
        ((3, np.nan, 1.0, 1.5, 3.0), "high nan"),
        ((3, 2.0, 1.0, "1.5", 3.0), "close_usd must be a number"),
        ((3, 2.0, 1.0, 1.5, 3.0, 5), "side must be 1"),
    ],
)
def test_a_bar_that_cannot_be_is_refused_and_changes_nothing(bar, words):
    """Time going back, prices that cross and another side are one sentence, and the labels go on as if nothing had come."""
    labels, untouched = TripleBarrier(bars_max=1), TripleBarrier(bars_max=1)
    for one in (labels, untouched):
        one.bar(2, 1.0, 1.0, 1.0, 1.0)

    with pytest.raises(UsageError, match=words):
        labels.bar(*bar[:5], side=bar[5] if len(bar) > 5 else 1)
    assert untouched.bar(3, 1.0, 1.0, 1.0, 1.0) == labels.bar(3, 1.0, 1.0, 1.0, 1.0)


def test_days_may_be_anything_that_differs():
    """A column of dates cuts the labels where a column of numbers does."""
    table = pd.DataFrame({"ts_ns": np.arange(1, 9), "high": 1.0, "low": 1.0, "close": 1.0, "vol_bps": 1.0})
    found = [label_bars(table.assign(day=np.repeat(days, 4)), bars_max=2) for days in ([7, 8], ["Monday", "Tuesday"])]

    assert 4 == len(found[0])
    assert found[0].equals(found[1])
