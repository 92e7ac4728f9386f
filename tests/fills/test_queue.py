"""Queue models: bounds, order among them, and what each is for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fills.queue import DISPLAY_MODELS, UNKNOWN, QueueModel, on_join, on_level_change, on_trade
from replay.errors import UsageError

SIZES = st.integers(0, 10**6)
POWERS = st.floats(0.1, 8.0)


@pytest.mark.jit_off
@settings(max_examples=300, deadline=None)
@given(model=st.sampled_from(list(DISPLAY_MODELS)), new=SIZES, drop=SIZES, share=st.floats(0, 1), power=POWERS)
def test_what_is_ahead_stays_between_zero_and_the_display(model, new, drop, share, power):
    """No model lets a fall by cancels push the queue below zero, above what is shown, or above what it was."""
    ahead = int((new + drop) * share)
    after = on_level_change(model.code, ahead, drop, new, power)

    assert 0 <= after <= ahead
    assert model is QueueModel.TRADES_ONLY or after <= new


@settings(max_examples=300, deadline=None)
@given(new=SIZES, drop=SIZES, share=st.floats(0, 1))
def test_models_are_ordered_by_their_optimism(new, drop, share):
    """All ahead <= pro rata <= behind first <= trades only in what stays ahead."""
    ahead = int((new + drop) * share)
    names = ("ALL_AHEAD", "PRO_RATA", "BEHIND_FIRST", "TRADES_ONLY")
    fronts = [on_level_change(QueueModel[name].code, ahead, drop, new, 1.0) for name in names]

    assert sorted(fronts) == fronts


@pytest.mark.parametrize(
    ("model", "power", "expected"),
    [
        ("BEHIND_FIRST", 0, 300),
        ("PRO_RATA", 0, 270),
        ("POWER", 3.0, 201),
        ("POWER", 1.0, 270),
        ("LOG", 0, 300),
        ("ALL_AHEAD", 0, 200),
    ],
)
def test_900_of_1000_falls_to_300(model, power, expected):
    """The worked example with 900 of 1000 ahead and a fall to 300; fractions round up, against us."""
    assert expected == on_level_change(QueueModel[model].code, 900, 700, 300, power)


@pytest.mark.parametrize("model", list(DISPLAY_MODELS))
def test_first_sight_is_the_display(model):
    """An unknown queue becomes the displayed size with any model."""
    assert 500 == on_level_change(model.code, UNKNOWN, 0, 500, 1.0)


def test_joining_is_behind_the_display_and_behind_own_orders():
    """A new order has at least as much ahead as an own order that came before; prints take from the front, not below zero."""
    assert [300, 400] == [on_join(1, 300, 0), on_join(1, 300, 400)]
    assert [50, 0] == [on_trade(1, 100, 50), on_trade(1, 100, 150)]


def test_names_and_codes_are_fixed():
    """Configuration files hold the names, kernels the codes."""
    names = ["trades_only", "behind_first", "pro_rata", "all_ahead", "power", "log", "fifo", "fitted"]

    assert names == [m.value for m in QueueModel]
    assert list(range(8)) == [m.code for m in QueueModel]


def test_an_unknown_model_is_named_with_the_known_ones():
    """A queue model that does not exist, a file of a fitted one included, is refused in one sentence."""
    with pytest.raises(UsageError, match=r"unknown queue model 'model\.json'; known are trades_only, behind_first"):
        QueueModel("model.json")
