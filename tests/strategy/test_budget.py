"""The message budget."""

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from replay.settings import as_row
from strategy.budget import WINDOW_NS, BudgetSettings, messages_left, new_budget, take, take_cancel
from tests.naive.budget import Budget

steps = st.lists(st.tuples(st.integers(0, 20_000_000_000), st.integers(0, 3)), max_size=60)


@given(steps, st.integers(1, 8))
@hypothesis_settings(max_examples=100, deadline=None)
def test_budget_equals_the_plain_twin(calls, limit):
    """Grants and what is left equal a count over the list of all messages (0 messages asked = a cancel)."""
    state, params, twin = new_budget(), as_row(BudgetSettings(messages_per_min=limit)), Budget(limit)
    now_ns = 0
    for gap_ns, count in calls:
        now_ns += gap_ns
        if count == 0:
            twin.cancel(now_ns)
            take_cancel(1, now_ns, state, params)
        else:
            assert twin.take(count, now_ns) == take(count, now_ns, state, params)
        assert twin.left(now_ns) == messages_left(now_ns, state, params)


@given(steps, st.integers(1, 8))
@hypothesis_settings(max_examples=100, deadline=None)
def test_no_window_exceeds_the_budget_by_more_than_its_cancels(calls, limit):
    """Every window of 60 s holds at most the budget, cancels aside."""
    state, params = new_budget(), as_row(BudgetSettings(messages_per_min=limit))
    now_ns, granted = 0, []
    for gap_ns, count in calls:
        now_ns += gap_ns
        if count == 0:
            take_cancel(1, now_ns, state, params)
        elif take(count, now_ns, state, params):
            granted += [now_ns] * count

    for end_ns in granted:
        assert limit >= sum(1 for stamp in granted if end_ns - WINDOW_NS < stamp <= end_ns)


def test_off_grants_everything_and_counts():
    """Without the budget every message passes and is counted."""
    state, params = new_budget(), as_row(BudgetSettings(mode="off", messages_per_min=1))

    assert [1, 1, 1] == [take(1, 5, state, params) for _ in range(3)]
    assert 3 == state[0]["granted_count"]
