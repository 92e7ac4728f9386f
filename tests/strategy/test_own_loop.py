"""The pipeline in somebody's own loop, with nothing but names, dollars and dates."""

import math

import pytest

from replay.errors import ConfigError, DataError, UsageError
from strategy import DecisionPipeline
from strategy.own_desk import Products
from strategy.pipeline import StrategySettings
from strategy.plain_events import answer, bar, clock, forecast, quote, status, trade

S = 1_000_000_000
MINUTE = 60 * S
OPEN = 1_772_461_800 * S  # 2026-03-02, 9:30 in New York
T = OPEN + 15 * MINUTE
ANY_TIME = {"rebalance": {"mode": "off"}}


def make(symbols=("AAPL", "MSFT"), **given):
    """Return a pipeline on the morning of 2 March 2026."""
    pipeline = DecisionPipeline(symbols=list(symbols), horizons_min=[5, 30], **given)
    pipeline.begin_day("2026-03-02")
    return pipeline


def warm_quotes(symbol="AAPL", minutes=12):
    """Return quotes every ten seconds that wobble by a few cents."""
    mids = [100.0 + 0.01 * ((k * 7) % 5 - 2) for k in range(minutes * 6)]
    return [quote(OPEN + k * 10 * S, symbol, round(mid, 2), 300, round(mid + 0.01, 2), 300) for k, mid in enumerate(mids)]


def test_a_day_in_plain_numbers():
    """Quote, forecast and time lead to an order in dollars; its answers move the position, the horizon's end closes it."""
    pipeline = make(**ANY_TIME)
    rows = [*warm_quotes(), bar(T - 2, "AAPL"), trade(T - 1, "AAPL", 100.0, 50), quote(T, "AAPL", 100.00, 300, 100.02, 300)]
    asked = pipeline.process([*rows, forecast(T + S, "AAPL", 5, 25.0, 20.0), clock(T + 2 * S)])

    assert [("NEW", "AAPL", 1, 100.01, "LIMIT")] == [
        (one.action.name, one.symbol, one.side, one.price_usd, one.order_type.name) for one in asked
    ]
    assert [("AAPL", "TARGET_SET", 1, 5)] == [
        (one.symbol, one.reason.name, one.side, one.horizon_min) for one in pipeline.verdicts
    ]
    order = asked[0]
    answers = [
        answer(T + 3 * S, "AAPL", "ACK", order.order_id),
        answer(T + 4 * S, "AAPL", "FILL", order.order_id, price=100.01, size=order.qty),
        answer(T + 4 * S, "AAPL", "COMMISSION", order.order_id, fee_usd=1.0),
    ]
    assert [] == pipeline.process(answers)
    assert order.qty == pipeline.position("AAPL")
    assert T < pipeline.next_timer_ns <= T + S + 1 + 5 * MINUTE
    asked = pipeline.process([clock(T + 2 * S + 5 * MINUTE)])

    assert [(-1, order.qty)] == [(one.side, one.qty) for one in asked]


def test_no_forecast_before_its_time_and_none_in_a_halt():
    """A halt of the symbol refuses with its name; after the resumption the same forecast is traded."""
    pipeline = make(**ANY_TIME)
    pipeline.process([*warm_quotes(), status(T, "AAPL", "HALTED"), forecast(T + 1, "AAPL", 5, 25.0, 20.0), clock(T + S)])
    halted = [one.reason.name for one in pipeline.verdicts]
    after = [status(T + 2 * S, None, "RESUMED"), quote(T + 3 * S, "AAPL", 100.0, 300, 100.02, 300)]
    pipeline.process([*after, forecast(T + 4 * S, "AAPL", 5, 25.0, 20.0), clock(T + 6 * S)])

    assert (["HALTED"], ["TARGET_SET"]) == (halted, [one.reason.name for one in pipeline.verdicts])


def test_orders_of_yesterday_are_over_and_positions_are_not():
    """A new day drops live orders, keeps what is held, and begins with empty books."""
    pipeline = make(**ANY_TIME)
    rows = [*warm_quotes(), quote(T, "AAPL", 100.0, 300, 100.02, 300), forecast(T + S, "AAPL", 5, 25.0, 20.0), clock(T + 2 * S)]
    order = pipeline.process(rows)[0]
    pipeline.process([answer(T + 3 * S, "AAPL", "PARTIAL", order.order_id, price=100.01, size=7, leaves=order.qty - 7)])
    pipeline.begin_day("2026-03-03")

    assert (7, 0, 0) == (pipeline.position("AAPL"), pipeline.desk.n_orders[0], pipeline.desk.positions[0]["open_buy_qty"])
    assert 0 == pipeline.desk.book[0]["bid"]


def test_one_event_needs_no_list():
    """A single dict is a run of one."""
    alone, listed = make(), make()
    given = quote(OPEN, "AAPL", 100.0, 300, 100.01, 200)

    assert listed.process([given]) == alone.process(given) == []
    assert listed.desk.book.tobytes() == alone.desk.book.tobytes()


def test_what_is_held_already_goes_on_with_its_trade(tmp_path):
    """After a restart with yesterday's state a position ends with its own horizon; without any state it is closed at once."""
    first = make(**ANY_TIME)
    rows = [*warm_quotes(), quote(T, "AAPL", 100.0, 300, 100.02, 300), forecast(T + S, "AAPL", 30, 25.0, 20.0), clock(T + 2 * S)]
    order = first.process(rows)[0]
    first.process(answer(T + 3 * S, "AAPL", "ACK", order.order_id))
    first.process(answer(T + 4 * S, "AAPL", "FILL", order.order_id, price=100.01, size=order.qty))
    first.save(tmp_path / "state.npz")
    ended = {}
    for name in ("known", "known late", "unknown"):
        pipeline = DecisionPipeline(symbols=["AAPL", "MSFT"], horizons_min=[5, 30], first_order_id=100, **ANY_TIME)
        if name == "known":
            pipeline.load(tmp_path / "state.npz")
        pipeline.hold("AAPL", order.qty, 100.01)
        if name == "known late":
            pipeline.load(tmp_path / "state.npz")
        pipeline.begin_day("2026-03-02")
        rows = [quote(T + 5 * S + k * MINUTE, "AAPL", 100.0, 300, 100.02, 300) for k in range(40)]
        ended[name] = next(one for row in rows for one in pipeline.process(row))

    assert T + S + 1 + 30 * MINUTE == ended["known"].ts_ns == ended["known late"].ts_ns
    assert T + 5 * S <= ended["unknown"].ts_ns < T + 10 * S
    assert {(100, -1, order.qty)} == {(one.order_id, one.side, one.qty) for one in ended.values()}
    with pytest.raises(UsageError, match="tell what is held before `begin_day`"):
        first.hold("AAPL", 1, 100.0)
    with pytest.raises(UsageError, match="qty must be a whole number"):
        DecisionPipeline(symbols=["AAPL"], horizons_min=[5]).hold("AAPL", 10.5, 100.0)


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        ({"ts_ns": T}, "event 1 of 2 (None of None): its kind is None; expected one of quote, trade"),
        ("quote", "event 1 of 2 (str): its kind is None"),
        ({"kind": "quote", "ts_ns": T, "symbol": "AAPL", "bid": 1.0}, "event 1 of 2 (quote of AAPL): it lacks bid_size, ask"),
        ({**clock(T), "symbl": "A"}, "event 1 of 2 (clock of None): it has no 'symbl'"),
        (bar(T, "APPL"), "event 1 of 2 (bar of APPL): unknown symbol 'APPL'; did you mean 'AAPL'?"),
        (quote(T, "AAPL", 1.0, -3, 1.1, 5), "event 1 of 2 (quote of AAPL): bid_size must be a whole number, 0 or more, got -3"),
        (quote(T, "AAPL", None, 3, 1.1, 5), "event 1 of 2 (quote of AAPL): bid must be a number"),
        (trade(T, "AAPL", math.nan, 5), "event 1 of 2 (trade of AAPL): a price must be above 0, got nan"),
        (trade(OPEN - 1, "AAPL", 1.0, 5), f"event 1 of 2 (trade of AAPL): events go back in time: ts_ns {OPEN - 1} after {OPEN}"),
        (status(T, "AAPL", "HALT"), "event 1 of 2 (status of AAPL): unknown status 'HALT'; did you mean 'HALTED'?"),
        (answer(T, "AAPL", "FILLED", 1), "event 1 of 2 (answer of AAPL): unknown answer 'FILLED'; did you mean 'FILL'?"),
        (answer(T, "AAPL", "FILL", 1, size=5), "event 1 of 2 (answer of AAPL): a price must be above 0, got 0.0"),
        (forecast(T, "AAPL", 5, 1.0, 1.0, bar_close_ts_ns=T + 1), "event 1 of 2 (forecast of AAPL): a forecast cannot be ready"),
        (forecast(T, "AAPL", 5, 1.0, 1.0, trained_ts_ns=T + 1), "event 1 of 2 (forecast of AAPL): a forecast cannot be ready"),
        (
            forecast(T, "AAPL", 5, 1.0, 1.0, q_lo_bps=5.0, q_hi_bps=1.0, forecast_id=9),
            "event 1 of 2 (forecast of AAPL): forecast 9 has crossed quantiles: q_lo_bps 5.0 above q_hi_bps 1.0; sort them",
        ),
        (forecast(T, "AAPL", 5, "1", 1.0), "event 1 of 2 (forecast of AAPL): mu_bps must be a number"),
    ],
)
def test_an_event_that_cannot_be_meant_is_named_by_its_place(event, sentence):
    """The sentence says which event, what is wrong with it, and what there is; nothing of the list was taken."""
    pipeline = make()
    before = pipeline.desk.book.copy()
    with pytest.raises(UsageError) as caught:
        pipeline.process([quote(OPEN, "AAPL", 1.0, 3, 1.1, 5), event])

    assert str(caught.value).startswith(sentence)
    assert before.tobytes() == pipeline.desk.book.tobytes()


def test_what_a_model_may_say_is_a_verdict():
    """NaN and a horizon that nobody has are no mistake of the loop: the decision says so, and is no error here."""
    pipeline = make(**ANY_TIME)
    rows = [forecast(T + 1, "AAPL", 5, math.nan, 20.0), clock(T + S), forecast(T + 2 * S, "AAPL", 7, 9.0, 20.0), clock(T + 4 * S)]
    pipeline.process([*warm_quotes(), *rows])

    assert ["FORECAST_NAN", "FORECAST_NAN"] == [one.reason.name for one in pipeline.verdicts]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"gate": {"gate_tail": 0.6}}, "gate_tail must be below 0.5"),
        ({"gaet": {}}, "there is no component 'gaet'; did you mean 'gate'?"),
        ({"settings": StrategySettings(), "gate": {}}, "give either `settings` or single sections"),
        ({"equity_usd": 0.0}, "equity_usd must be above 0"),
        ({"products": Products(lot=0)}, "lot of 'AAPL' must be above 0"),
        ({"products": Products(tick_usd={"AAPL": 0.01})}, "tick_usd has no value for 'MSFT'"),
        ({"products": Products(evidence="ticks")}, "unknown evidence 'ticks'"),
        ({"symbols": []}, "symbols must be a list of different names"),
    ],
)
def test_a_pipeline_that_cannot_be_is_refused(given, sentence):
    """The sentence names setting, symbol or component."""
    with pytest.raises(ConfigError) as caught:
        make(**given)

    assert str(caught.value).startswith(sentence)


def test_a_day_must_begin():
    """Events before the first day, and days that are none, are refused."""
    pipeline = DecisionPipeline(symbols=["AAPL"])

    with pytest.raises(UsageError, match="call begin_day"):
        pipeline.process([clock(T)])
    with pytest.raises(UsageError, match="a day is a date such as 2026-03-02, got 'monday'"):
        pipeline.begin_day("monday")
    with pytest.raises(DataError, match="2026-03-01 is not a trading day of XNYS"):
        pipeline.begin_day("2026-03-01", calendar="XNYS")
