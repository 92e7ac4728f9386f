"""The rebalance trigger."""

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from replay.desk import NEVER
from strategy.rebalance import RebalanceClock, new_rebalance, next_time_ns, pop_due, set_day
from tests.naive.rebalance import Clock

times = st.lists(st.integers(0, 1000), max_size=8)


@given(times, st.integers(1, 300), st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 200)), max_size=30))
@hypothesis_settings(max_examples=100, deadline=None)
def test_trigger_equals_the_plain_twin(times_ns, window_ns, asks):
    """The trigger answers as the plain twin does, for each symbol on its own."""
    clock, twin = RebalanceClock(["A", "B"], times_ns, window_ns=window_ns), Clock(times_ns, window_ns)
    now_ns = 0
    for symbol, gap_ns in asks:
        now_ns += gap_ns

        assert twin.go_on(symbol, now_ns) == clock.go_on(symbol, now_ns)


@given(times)
@hypothesis_settings(max_examples=50, deadline=None)
def test_each_time_has_its_timer(times_ns):
    """Timers come in ascending order, and after the last there is none."""
    state = new_rebalance(1)
    set_day(state, times_ns)
    seen = []
    while next_time_ns(state) != NEVER:
        seen.append(int(next_time_ns(state)))
        pop_due(seen[-1], state)

    assert sorted(set(times_ns)) == seen


def test_off_is_always_due():
    """Without the trigger every decision goes on."""
    clock = RebalanceClock(["A"], [], mode="off")

    assert [True, True] == [clock.go_on("A", 1), clock.go_on("A", 1)]
