"""The rebalance trigger."""

import math

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from replay.desk import NEVER
from strategy.decision import Reason
from strategy.rebalance import (
    Move,
    RebalanceClock,
    RebalanceSettings,
    new_rebalance,
    next_time_ns,
    pop_due,
    set_day,
    times_of_day_min,
)
from tests.naive.rebalance import Clock, Trigger

moves = st.builds(
    Move,
    equity_share=st.sampled_from([0.0, 0.001, 0.002, 0.004, 0.008, 0.0081, 0.5, math.nan]),
    spread_bps=st.sampled_from([0.5, 4.99, 5.0, 9.0, math.nan]),
    net_edge_bps=st.sampled_from([-9.0, 0.0, 3.0, 9.0, 40.0, math.nan]),
    sigma_bps=st.sampled_from([0.0, 8.0, 20.0, math.nan, math.inf]),
    horizon_min=st.sampled_from([5, 30, 60]),
    regime=st.sampled_from([-1, 0, 0, 1]),
)
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


@pytest.mark.jit_off
@given(times, st.integers(1, 300), st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 200), moves), max_size=30))
@hypothesis_settings(max_examples=150, deadline=None)
def test_enhanced_trigger_equals_the_plain_twin(times_ns, window_ns, asks):
    """Drift, bargains, regimes and the sweep let moves through as the plain twin says, for each symbol on its own."""
    clock, twin = RebalanceClock(["A", "B"], times_ns, mode="enhanced", window_ns=window_ns), Trigger(times_ns, window_ns)
    now_ns = 0
    for symbol, gap_ns, move in asks:
        now_ns += gap_ns
        expected = Reason.TARGET_SET if twin.judge(symbol, now_ns, *move) else Reason.NO_TRADE_BAND

        assert expected == clock.judge(symbol, now_ns, move)


def test_a_handful_of_shares_waits_for_the_sweep():
    """A bargain of a share or two does not go on, because it would pay a minimum commission; the sweep takes it along."""
    trigger = RebalanceClock(["A"], [500], mode="enhanced", window_ns=100)
    rounding = Move(equity_share=0.0001, spread_bps=1.0, net_edge_bps=40.0, sigma_bps=20.0, horizon_min=30)
    move = rounding._replace(equity_share=0.004)

    assert Reason.NO_TRADE_BAND == trigger.judge("A", 0, rounding)
    assert Reason.TARGET_SET == trigger.judge("A", 0, move)
    assert Reason.TARGET_SET == trigger.judge("A", 500, rounding)


@given(moves, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_larger_move_is_never_held_back_where_a_smaller_one_goes_on(move, one, other):
    """The trigger is monotone in the size of the move (a move of nothing is none)."""
    answers = [
        RebalanceClock(["A"], [], mode="enhanced").judge("A", 0, move._replace(equity_share=share)) == 0
        for share in sorted((one + 1e-9, other + 1e-9))
    ]

    assert answers[0] <= answers[1]


@pytest.mark.parametrize(("close_min", "sweep_min"), [(960, 870), (780, 690), (900, 810), (1020, 870)])
def test_the_sweep_moves_with_an_early_close(close_min, sweep_min):
    """The sweep is at 14:30, or ninety minutes before the close where that is earlier; the original keeps its times."""
    assert (sweep_min,) == times_of_day_min(RebalanceSettings(mode="enhanced"), close_min)
    assert RebalanceSettings().times_min == times_of_day_min(RebalanceSettings(), close_min)
