"""The exit rules."""

import numpy as np
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from replay.desk import BOOK, CLOCK, NEVER, POSITION
from replay.settings import as_row
from strategy.decision import LEG, Reason
from strategy.exits import (
    MINUTE_NS,
    ExitSettings,
    after_fill,
    check_exit,
    check_opposite,
    new_trades,
    retry_later,
    wait_for_sight,
)
from strategy.plan import PLAN
from tests.naive.exits import Trade, opposite

fills = st.tuples(
    st.just("fill"),
    st.integers(-3, 3),
    st.integers(900, 1100),
    st.sampled_from([1, -1]),
    st.booleans(),
    st.integers(0, 30),
    st.sampled_from([0.0, 5.0, 100.0, 20_000.0, float("nan")]),
)
looks = st.tuples(st.just("look"), st.integers(0, 40), st.one_of(st.none(), st.integers(880, 1120)))


def make_world(close_min):
    clock, book, positions, trades = np.zeros(1, CLOCK), np.zeros(1, BOOK), np.zeros(1, POSITION), new_trades(1)
    clock["trade_until_ns"] = close_min * MINUTE_NS
    return clock, book, positions, trades


@given(st.lists(st.one_of(fills, looks), max_size=25), st.integers(0, 40), st.sampled_from([0.0, 1.0, 2.0]))
@hypothesis_settings(max_examples=150)
def test_exits_equal_the_plain_twin(script, close_min, stop_sigmas):
    """Any run of fills and looks gives the exits of the plain twin, and a flat symbol has neither watch nor timer."""
    clock, book, positions, trades = make_world(close_min)
    params, twin = as_row(ExitSettings(stop_sigmas=stop_sigmas)), Trade()
    for step in script:
        if step[0] == "fill":
            _, qty, price, side, is_exit, end_min, sigma_bps = step
            plan = np.zeros(1, PLAN)
            plan["side"], plan["is_exit"], plan["horizon_end_ns"], plan["stop_bps"] = (
                side,
                is_exit,
                end_min * MINUTE_NS,
                sigma_bps,
            )
            positions["qty"], positions["cost"] = qty, qty * price * 100
            after_fill(0, 1, plan, positions, trades, clock, params)
            twin.fill(qty, qty * price * 100, side, is_exit, end_min * MINUTE_NS, sigma_bps, stop_sigmas)
            assert (qty == 0) == (trades[0]["check_ns"] == NEVER) == (trades[0]["watch_ns"] == NEVER)
        else:
            _, now_min, mid = step
            book["bid"] = book["ask"] = 0 if mid is None else mid * 100
            book["bid_qty"] = book["ask_qty"] = 1
            found = check_exit(0, now_min * MINUTE_NS, book, positions, trades, clock, params)
            wanted = twin.exit(
                int(positions[0]["qty"]), now_min * MINUTE_NS, close_min * MINUTE_NS, 5, None if mid is None else mid * 200
            )

            assert (Reason[wanted] if wanted else 0) == found


@given(st.integers(-2, 2), st.lists(st.tuples(st.booleans(), st.integers(-1, 1)), min_size=1, max_size=5))
@hypothesis_settings(max_examples=100)
def test_opposite_gate_equals_the_plain_twin(qty, sides):
    """The opposite gate closes a position only when no living leg speaks for it."""
    legs, positions = np.zeros(len(sides), LEG), np.zeros(1, POSITION)
    positions["qty"] = qty
    for k, (is_alive, side) in enumerate(sides):
        legs[k]["is_alive"], legs[k]["side"] = is_alive, side
    found = check_opposite(0, positions, legs, len(legs), as_row(ExitSettings()))

    assert (Reason.EXIT_OPPOSITE if opposite(qty, sides) else 0) == found


def test_off_never_exits():
    """Without exit rules a position has no timer and nothing closes it."""
    clock, book, positions, trades = make_world(10)
    params, plan = as_row(ExitSettings(mode="off")), np.zeros(1, PLAN)
    plan["side"], plan["horizon_end_ns"], positions["qty"], positions["cost"] = 1, 5, 1, 100
    after_fill(0, 1, plan, positions, trades, clock, params)

    assert NEVER == trades[0]["check_ns"]
    assert 0 == check_exit(0, 20 * MINUTE_NS, book, positions, trades, clock, params)


@given(st.sampled_from([retry_later, wait_for_sight]), st.integers(0, 40), st.integers(1, 20), st.integers(0, 8))
def test_no_retry_jumps_over_the_close(again, now_min, retry_min, flat_min):
    """Before positions have to be closed the next look is then at the latest, and always later than now."""
    clock, _, _, trades = make_world(30)
    params = as_row(ExitSettings(retry_ns=retry_min * MINUTE_NS, flat_before_close_min=flat_min))
    again(0, now_min * MINUTE_NS, trades, clock, params)
    look_min = trades[0]["check_ns"] / MINUTE_NS

    assert look_min > now_min
    assert now_min >= 30 - flat_min or look_min <= 30 - flat_min
