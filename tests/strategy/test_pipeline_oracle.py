"""The pipeline against its plain twin, as long as nothing fills."""

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from replay.orders import Action
from strategy.decision import Reason
from strategy.pipeline import StrategySettings
from tests.naive.pipeline import Pipeline
from tests.strategy.pipeline_world import (
    HORIZONS,
    MINUTE,
    OPEN,
    SECOND,
    clock_event,
    forecast,
    make_pipeline,
    quote,
    run,
    warm_quotes,
)

T = OPEN + 15 * MINUTE - 20 * SECOND
gaps = st.one_of(st.sampled_from([0, 1, SECOND, 20 * SECOND]), st.integers(0, 40 * SECOND))
mus = st.sampled_from([25.0, 25.0, 26.0, -25.0, 60.0, 12.0, 1.0, 2.0, float("nan")])
forecasts = st.tuples(
    st.just("forecast"),
    gaps,
    st.integers(0, 1),
    st.sampled_from([5, 5, 30, 30, 7]),
    mus,
    st.sampled_from([20.0, 20.0, 80.0, 0.0]),
)
quotes = st.tuples(
    st.just("quote"),
    gaps,
    st.integers(0, 1),
    st.integers(-20, 20),
    st.sampled_from([1, 1, 2, 5, 40, -1]),
    st.sampled_from([300, 300, 300, 0]),
)
steps = st.lists(st.one_of(forecasts, forecasts, quotes), max_size=25)
starts = st.sampled_from([T, T, T, OPEN + 15 * MINUTE, OPEN + 384 * MINUTE])


def rows_of(script, start):
    rows, at = warm_quotes(2, start - 14 * MINUTE, minutes=8), start
    for kind, gap_ns, symbol, *values in script:
        at += gap_ns
        if kind == "forecast":
            rows.append(forecast(at, symbol, *values))
        else:
            bid = 1_000_000 + 100 * values[0]
            rows.append(quote(at, symbol, bid, bid + 100 * values[1], values[2], 300))
    return [*rows, clock_event(at + 2 * MINUTE)]


@given(steps, starts)
@hypothesis_settings(max_examples=60)
def test_pipeline_equals_the_plain_twin(script, start):
    """Times, symbols, reasons, targets and requests equal those of the plain twin."""
    times = [OPEN + m * MINUTE for m in range(0, 390, 15)]
    twin = Pipeline(2, HORIZONS, StrategySettings(), OPEN, OPEN + 390 * MINUTE, times)
    pipeline, rows = make_pipeline(2), rows_of(script, start)
    for row in rows:
        twin.process(*row)
    requests, decisions = run(pipeline, rows)

    assert twin.decisions == [
        (int(row["ts_ns"]), int(row["symbol"]), Reason(int(row["reason"])).name, int(row["target_qty"])) for row in decisions
    ]
    for s, symbol in enumerate(twin.symbols):
        assert symbol.planner.out == [as_tuple(row) for row in requests if row["symbol"] == s]


def as_tuple(row):
    name, order_id, price = Action(int(row["action"])).name, int(row["order_id"]), int(row["price"])
    if name == "NEW":
        return (name, order_id, int(row["side"]), int(row["qty"]), price)
    return (name, order_id) if name == "CANCEL" else (name, order_id, int(row["qty"]), price)
