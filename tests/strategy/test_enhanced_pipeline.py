"""The enhanced guards in the joined pipeline."""

from dataclasses import replace

import pytest

from strategy.barriers import BarrierSettings
from strategy.decision import Reason
from strategy.exits import ExitSettings
from strategy.pipeline import StrategySettings
from strategy.rebalance import RebalanceSettings
from strategy.staleness import StalenessSettings
from tests.strategy.pipeline_world import (
    MINUTE,
    OPEN,
    SECOND,
    answer,
    clock_event,
    forecast,
    make_pipeline,
    quote,
    run,
    warm_quotes,
)

T = OPEN + 15 * MINUTE
GUARDED = StrategySettings(staleness=StalenessSettings(mode="enhanced"), rebalance=RebalanceSettings(mode="off"))


def lively(until_ns, symbol=0):
    """Return a quote every half second."""
    return [quote(ts, symbol, 1_000_000, 1_000_200) for ts in range(OPEN + 12 * MINUTE, until_ns, SECOND // 2)]


def reasons(pipeline, rows):
    _, decisions = run(pipeline, [*warm_quotes(1), *rows])
    return [(Reason(int(row["reason"])).name, float(row["quality"])) for row in decisions]


@pytest.mark.parametrize(
    ("silence_s", "expected"), [(0.5, ("TARGET_SET", 1.0)), (31, ("STALE_QUOTE", 0.0)), (90, ("STALE_QUOTE", 0.0))]
)
def test_a_forecast_on_a_silent_feed_is_refused(silence_s, expected):
    """The pipeline trades on a live feed and refuses, for this symbol, on one that fell silent beyond its habit."""
    at = T + int(silence_s * SECOND)
    found = reasons(make_pipeline(1, GUARDED), [*lively(T + 1), forecast(at, 0, 5, 25.0), clock_event(at + SECOND)])

    assert expected == found[-1]


def test_a_broken_model_is_not_followed():
    """After ten nonsense forecasts in a row a sound one is not traded on."""
    broken = [forecast(T + k, 0, 5, float("nan")) for k in range(12)]
    found = reasons(
        make_pipeline(1, GUARDED),
        [*lively(T), quote(T, 0, 1_000_000, 1_000_200), *broken, forecast(T + 13, 0, 5, 25.0), clock_event(T + 3 * SECOND)],
    )

    assert "MODEL_UNHEALTHY" == found[-1][0]


EVENTFUL = StrategySettings(rebalance=RebalanceSettings(mode="enhanced"))


def test_a_target_is_set_when_it_is_worth_it_not_when_the_clock_says_so():
    """Between the times of the original a large move goes on, and a small one without a bargain is held back."""
    at = T + 2 * MINUTE
    wide = quote(at, 0, 1_000_000, 1_002_000)
    large = reasons(
        make_pipeline(1, EVENTFUL, times_min=[]),
        [quote(at, 0, 1_000_000, 1_000_200), forecast(at + 1, 0, 5, 25.0), clock_event(at + SECOND)],
    )
    small = reasons(
        make_pipeline(1, EVENTFUL, times_min=[]), [wide, forecast(at + 1, 0, 30, 30.0, 400.0), clock_event(at + SECOND)]
    )

    assert "TARGET_SET" == large[-1][0]
    assert "NO_TRADE_BAND" == small[-1][0]


def test_the_sweep_sets_small_targets_once():
    """At the sweep a held-back target is set by the timer alone, without any forecast coming."""
    at = T + 2 * MINUTE
    rows = [quote(at, 0, 1_000_000, 1_002_000), forecast(at + 1, 0, 30, 30.0, 400.0), clock_event(T + 4 * MINUTE)]
    found = reasons(make_pipeline(1, EVENTFUL, times_min=[18]), rows)

    assert ["NO_TRADE_BAND", "TARGET_SET"] == [reason for reason, _ in found]


def test_half_of_a_position_goes_once_when_a_turn_is_likely():
    """A long at a likely peak is brought down by half, once; a new long is not entered there."""
    settings = StrategySettings(barriers=BarrierSettings(mode="enhanced"), rebalance=RebalanceSettings(mode="off"))
    pipeline, at = make_pipeline(1, settings), T + SECOND
    requests, _ = run(
        pipeline, [*warm_quotes(1), quote(T, 0, 1_000_000, 1_000_200), forecast(at, 0, 30, 25.0), clock_event(at + SECOND)]
    )
    qty, price = int(requests[0]["qty"]), int(requests[0]["price"])
    run(pipeline, [answer("ACK", at + SECOND, 0, 1), answer("FILL", at + SECOND + 1, 0, 1, price, qty)])
    peak = ("FORECAST", at + MINUTE, 0, {"horizon_min": 30, "mu_bps": 25.0, "sigma_bps": 20.0, "p_peak": 0.7})
    requests, decisions = run(pipeline, [quote(at + MINUTE - 1, 0, 1_000_000, 1_000_200), peak, clock_event(at + MINUTE + 2)])
    out = qty // 2

    assert ["EXIT_SCALE_OUT"] == [Reason(int(row["reason"])).name for row in decisions]
    assert (-1, out) == (int(requests[0]["side"]), int(requests[0]["qty"]))
    order_id = int(requests[0]["order_id"])
    run(pipeline, [answer("ACK", at + MINUTE + 3, 0, order_id), answer("FILL", at + MINUTE + 4, 0, order_id, 1_000_000, out)])
    again = ("FORECAST", at + 2 * MINUTE, 0, {"horizon_min": 30, "mu_bps": 25.0, "sigma_bps": 20.0, "p_peak": 0.7})
    requests, decisions = run(pipeline, [again, clock_event(at + 2 * MINUTE + 2)])

    assert "BARRIER_PEAK" == Reason(int(decisions[-1]["reason"])).name
    assert 0 == len(requests)
    assert qty - out == pipeline.desk.positions[0]["qty"]


@pytest.mark.parametrize(("mode", "expected"), [("original", "EXIT_HORIZON"), ("enhanced", "STALE_QUOTE")])
def test_an_exit_that_nothing_presses_waits_for_fresh_data(mode, expected):
    """When its horizon ends in a silence the enhanced guard holds the position until quotes come; the original sends blindly."""
    settings = StrategySettings(staleness=StalenessSettings(mode=mode), rebalance=RebalanceSettings(mode="off"))
    pipeline, at = make_pipeline(1, settings), T + 1
    requests, _ = run(pipeline, [*warm_quotes(1), *lively(T + 1), forecast(at, 0, 5, 25.0), clock_event(at + 9)])
    order = (0, int(requests[0]["order_id"]), int(requests[0]["price"]), int(requests[0]["qty"]))
    run(pipeline, [answer("ACK", at + 10, *order[:2]), answer("FILL", at + 11, *order)])
    requests, decisions = run(pipeline, [clock_event(at + 6 * MINUTE)])

    assert expected == Reason(int(decisions[0]["reason"])).name
    assert (mode == "original") == (len(requests) > 0)
    back = [quote(at + 6 * MINUTE + k * SECOND, 0, 1_000_000, 1_000_200) for k in range(1, 13)]
    reasons_then = [Reason(int(row["reason"])).name for row in run(pipeline, back)[1]]

    assert (mode == "enhanced") == ("EXIT_HORIZON" in reasons_then)


def test_the_close_presses_even_on_stale_data():
    """A position is closed before the close, seen or not: an order on old data is better than a night nobody asked for."""
    settings = StrategySettings(staleness=StalenessSettings(mode="enhanced"), rebalance=RebalanceSettings(mode="off"))
    pipeline, at = make_pipeline(1, settings, close_min=30), T + 1
    requests, _ = run(pipeline, [*warm_quotes(1), *lively(T + 1), forecast(at, 0, 30, 25.0), clock_event(at + 9)])
    order = (0, int(requests[0]["order_id"]), int(requests[0]["price"]), int(requests[0]["qty"]))
    run(pipeline, [answer("ACK", at + 10, *order[:2]), answer("FILL", at + 11, *order)])
    requests, decisions = run(pipeline, [clock_event(OPEN + 30 * MINUTE - 1)])

    assert "EXIT_FLAT_BEFORE_CLOSE" == Reason(int(decisions[-1]["reason"])).name
    assert 1 == len(requests[requests["action"] == 1])


def test_an_exit_that_waits_for_sight_does_not_miss_the_close():
    """However long a blind exit waits between its looks, the close is looked at when it comes."""
    settings = replace(GUARDED, exits=ExitSettings(retry_ns=MINUTE))
    pipeline, at = make_pipeline(1, settings, close_min=30), T + 1
    requests, _ = run(pipeline, [*warm_quotes(1), *lively(T + 1), forecast(at, 0, 5, 25.0), clock_event(at + 9)])
    order = (0, int(requests[0]["order_id"]), int(requests[0]["price"]), int(requests[0]["qty"]))
    run(pipeline, [answer("ACK", at + 10, *order[:2]), answer("FILL", at + 11, *order)])
    decisions = run(pipeline, [clock_event(OPEN + 30 * MINUTE - 1)])[1]
    found = [(Reason(int(row["reason"])).name, int(row["ts_ns"] - OPEN) // MINUTE) for row in decisions]

    assert [("STALE_QUOTE", 20), ("EXIT_FLAT_BEFORE_CLOSE", 25)] == found[:2]
