"""The message budget."""

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from replay.errors import ConfigError
from replay.settings import as_row
from strategy.budget import (
    WINDOW_NS,
    BudgetSettings,
    MessageBudget,
    messages_left,
    new_budget,
    take,
    take_cancel,
)
from strategy.token_budget import DISCRETIONARY, EXIT, NEEDED
from tests.naive.budget import Budget
from tests.naive.token_budget import Tokens

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


S = 1_000_000_000
NEEDS = {"step": DISCRETIONARY, "needed": NEEDED, "exit": EXIT}
asks = st.sampled_from(["new", "new", "modify", "cancel", "cancel", "again", "end", "executed"])
gaps = st.one_of(st.sampled_from([0, 0, 0, 1, S // 2, S, 20 * S]), st.integers(0, 5 * S))
calls = st.lists(st.tuples(gaps, asks, st.sampled_from(sorted(NEEDS))), max_size=80)
limits = st.builds(
    BudgetSettings,
    mode=st.just("enhanced"),
    messages_per_min=st.integers(2, 40),
    messages_per_s=st.integers(2, 12),
    burst_share=st.sampled_from([0.1, 0.5, 0.77, 1.0]),
    efficiency_max=st.sampled_from([2.0, 7.5, 20.0]),
    efficiency_from=st.sampled_from([0, 5, 100]),
)


def played(script, settings):
    """Drive budget and twin alike; return them and the times of what was granted."""
    budget, twin, now_ns, n_live = MessageBudget(settings), Tokens(settings), 0, 0
    for gap_ns, ask, need in script:
        now_ns += gap_ns
        if ask == "new":
            granted = twin.new(now_ns, need)
            assert granted == budget.take_new(now_ns, NEEDS[need])
            n_live += granted
        elif ask == "modify":
            assert twin.modify(now_ns, need) == budget.take_modify(now_ns, NEEDS[need])
        elif ask == "again":
            assert twin.cancel(now_ns, 0) == budget.take_cancel(now_ns, is_repeated=True)
        elif n_live > 0 and ask == "cancel":
            n_live -= 1
            assert twin.cancel(now_ns, 1)
            assert budget.take_cancel(now_ns)
        elif n_live > 0 and ask == "end":
            n_live, twin.kept = n_live - 1, twin.kept - 1
            budget.end_order()
        elif ask == "executed":
            twin.executed += 1
            budget.executed()
        assert twin.left(now_ns) == budget.left(now_ns)
    return twin


@given(calls, limits)
@hypothesis_settings(max_examples=200, deadline=None)
def test_token_buckets_equal_the_plain_twin(script, settings):
    """Grants and what is left equal those of buckets of exact fractions; the first cancel of an order is always granted."""
    played(script, settings)


@given(calls, limits)
@hypothesis_settings(max_examples=200, deadline=None)
def test_no_window_of_any_length_exceeds_its_buckets(script, settings):
    """From any message to any other lie at most the burst and what came back meanwhile, and no window more than its limit."""
    twin = played(script, settings)
    for first, start_ns in enumerate(twin.log):
        for last in range(first, len(twin.log)):
            span_ns, count = twin.log[last] - start_ns, last - first + 1
            for burst, interval_ns in zip(twin.burst, twin.interval, strict=True):
                assert count <= burst + span_ns // interval_ns
            assert span_ns >= 60 * S or count <= settings.messages_per_min
            assert span_ns >= S or count <= settings.messages_per_s


@given(calls, limits)
@hypothesis_settings(max_examples=200, deadline=None)
def test_the_day_keeps_its_ratio_without_exits(script, settings):
    """Without exits and repeated cancels a day never has more messages than its ratio allows."""
    script = [(gap_ns, ask, "needed" if need == "exit" else need) for gap_ns, ask, need in script if ask != "again"]
    twin = played(script, settings)

    assert twin.day <= max(settings.efficiency_from, settings.efficiency_max * (twin.executed + 1))


def test_limits_that_let_no_order_pass_are_refused():
    """An enhanced budget of one message a minute is a configuration error: an order and its cancel are two."""
    with pytest.raises(ConfigError, match=r"at least 2 in enhanced mode .*got 1 and 40"):
        MessageBudget(mode="enhanced", messages_per_min=1)
