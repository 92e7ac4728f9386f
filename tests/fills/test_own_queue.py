"""A user's own queue model: three functions in the compiled exchange."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fills import QueueModel, bind_queue_model, check_queue_model
from replay.errors import UsageError
from tests.fills.worlds import Market, busy_stream


def behind_first(ahead_qty, drop_qty, new_qty, age_ns, spread_ticks, other_qty, quiet_ns):
    """Cap what is ahead by what is shown."""
    return min(ahead_qty, new_qty)


def pro_rata(ahead_qty, drop_qty, new_qty, age_ns, spread_ticks, other_qty, quiet_ns):
    """Let every share be as likely to go as any other."""
    whole = new_qty + drop_qty
    return min((ahead_qty * new_qty + whole - 1) // whole, ahead_qty, new_qty)


def greedy(ahead_qty, drop_qty, new_qty, age_ns, spread_ticks, other_qty, quiet_ns):
    """Say what cannot be."""
    return -5 if age_ns % 2 == 0 else ahead_qty + drop_qty


def fractional(ahead_qty, drop_qty, new_qty, age_ns, spread_ticks, other_qty, quiet_ns):
    """Divide."""
    return ahead_qty / 2


def too_few(ahead_qty, drop_qty):
    """Ask for too little."""
    return ahead_qty


def join_nowhere(displayed_qty):
    """Join in front of everybody, or behind those who are not there."""
    return -1 if displayed_qty % 2 else displayed_qty + 7


OWN = {"BEHIND_FIRST": bind_queue_model(on_level_change=behind_first), "PRO_RATA": bind_queue_model(on_level_change=pro_rata)}
IMPOSSIBLE = bind_queue_model(on_level_change=greedy, on_join=join_nowhere)


@pytest.mark.jit_off
@pytest.mark.parametrize("model", list(OWN))
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_a_textbook_rule_written_by_a_user_fills_as_the_built_in_one(model, seed):
    """The same rule as three functions of the user's gives the same answers, to the last field."""
    built_in, own = Market(2, 8, queue=QueueModel[model]), Market(2, 8, queue=OWN[model])
    for step in busy_stream(seed):
        assert built_in.step(step) == own.step(step)


@pytest.mark.jit_off
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_an_impossible_answer_cannot_break_the_laws(seed):
    """Whatever the functions say, what is ahead of a resting order never falls below zero and never grows."""
    market = Market(2, 8, queue=IMPOSSIBLE)
    before = {}
    for step in busy_stream(seed):
        market.step(step)
        orders = [row for s in range(2) for row in market.venue.orders[s, : market.venue.n_orders[s]]]
        after = {int(row["order_id"]): int(row["ahead_qty"]) for row in orders}
        changed = step["order_id"] if step["kind"] == "request" else None
        for order_id, ahead in after.items():
            assert 0 <= ahead
            assert ahead <= before.get(order_id, ahead) or order_id == changed
        before = after


@pytest.mark.parametrize("model", list(OWN))
def test_a_sound_model_passes_its_check(model):
    """Nothing is said about a model that keeps the contract."""
    assert check_queue_model(OWN[model]) is None


@pytest.mark.parametrize(
    ("functions", "sentence"),
    [
        ({"on_join": join_nowhere}, r"on_join\(displayed_qty=0\) must lie between 0 and 0"),
        ({"on_level_change": greedy}, r"on_level_change\(ahead_qty=0, drop_qty=1, .*\) must lie between 0 and 0.*got -5"),
    ],
)
def test_a_breach_is_named_with_its_arguments(functions, sentence):
    """The check says which function, asked what, answered what."""
    with pytest.raises(UsageError, match=sentence):
        check_queue_model(bind_queue_model(**({"on_level_change": behind_first} | functions)))


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda a, b, c, d, e, f, g: a, r"must be a plain function"),
        (too_few, r"`too_few` takes 2 arguments, expected on_level_change\(ahead_qty, drop_qty, new_qty, age_ns"),
        (3, r"`on_level_change` must be a plain function, got 3"),
    ],
)
def test_what_cannot_be_bound_is_refused(function, sentence):
    """A lambda, a wrong number of arguments, no function at all: one sentence each."""
    with pytest.raises(UsageError, match=sentence):
        bind_queue_model(on_level_change=function)


def test_an_answer_that_is_no_integer_is_refused():
    """A model that divides is told so before it meets a market: at binding, or by its check where nothing is compiled."""
    with pytest.raises(UsageError, match=r"must return (an integer|a whole number)"):
        check_queue_model(bind_queue_model(on_level_change=fractional))


def test_the_check_takes_bound_models_only():
    """A plain function is refused by name of its type."""
    with pytest.raises(UsageError, match=r"check_queue_model takes what fills.bind_queue_model returns, got function"):
        check_queue_model(behind_first)
