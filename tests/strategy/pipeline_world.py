"""Tiny worlds for the pipeline: a desk, a day, and events made of plain tuples."""

import numpy as np

from replay.desk import BOOK, CLOCK, DESK_ORDER, NEVER, POSITION, Desk
from replay.events import BAR, EVENT, FORECAST, Kind
from replay.orders import REQUEST, Evidence
from strategy.decision import CYCLE, DECISION
from strategy.own_loop import DecisionPipeline
from strategy.pipeline import StrategySettings, build_state, start_day

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
OPEN = 1_700_000_000 * SECOND // MINUTE * MINUTE
HORIZONS = (5, 30)


def make_desk(n_symbols=2, *, close_min=390, slots=8, rows=64):
    desk = Desk(
        np.zeros(1, CLOCK),
        np.zeros(n_symbols, BOOK),
        np.zeros((n_symbols, slots), DESK_ORDER),
        np.zeros(n_symbols, np.int64),
        np.zeros(n_symbols, POSITION),
        np.zeros(rows, REQUEST),
        np.zeros(rows, DECISION),
        np.zeros(rows, CYCLE),
    )
    clock = desk.clock
    clock["next_order_id"] = clock["next_decision_id"] = 1
    clock["scale"] = 10_000
    clock["next_timer_ns"] = NEVER
    clock["now_ns"] = OPEN
    clock["open_ns"] = clock["trade_from_ns"] = OPEN
    clock["close_ns"] = clock["trade_until_ns"] = OPEN + close_min * MINUTE
    desk.book["tick"] = 100
    desk.book["lot"] = 1
    desk.book["evidence"] = Evidence.TICK_BY_TICK
    return desk


def make_pipeline(n_symbols=2, settings=None, times_min=range(0, 390, 15), **kwargs):
    desk = make_desk(n_symbols, **kwargs)
    state = build_state(settings or StrategySettings(), n_symbols, HORIZONS)
    start_day(state, desk.clock, [OPEN + m * MINUTE for m in times_min])
    return DecisionPipeline(desk, state)


def quote(ts, symbol, bid, ask, bid_qty=300, ask_qty=300):
    return ("QUOTE", ts, symbol, {"bid": bid, "ask": ask, "bid_qty": bid_qty, "ask_qty": ask_qty})


def trade(ts, symbol, price, qty):
    return ("TRADE", ts, symbol, {"price": price, "qty": qty})


def clock_event(ts):
    return ("CLOCK", ts, -1, {})


def forecast(ts, symbol, horizon_min, mu_bps, sigma_bps=20.0):
    return ("FORECAST", ts, symbol, {"horizon_min": horizon_min, "mu_bps": mu_bps, "sigma_bps": sigma_bps})


def answer(kind, ts, symbol, order_id, price=0, qty=0, leaves=0):
    return (kind, ts, symbol, {"order_id": order_id, "price": price, "qty": qty, "leaves_qty": leaves})


def pack(rows):
    """Turn tuples into EVENT rows and the forecasts that they point into."""
    events, forecasts = np.zeros(len(rows), EVENT), []
    for k, (kind, ts, symbol, values) in enumerate(rows):
        events[k]["ts_ns"], events[k]["seq"], events[k]["symbol"], events[k]["kind"] = ts, k, symbol, Kind[kind]
        if kind == "FORECAST":
            events[k]["row"] = len(forecasts)
            forecasts.append({"bar_close_ts_ns": ts - SECOND, "forecast_id": k + 1, **values})
        else:
            for name, value in values.items():
                events[k][name] = value
    table = np.zeros(len(forecasts), FORECAST)
    for name in ("q_lo_bps", "q_hi_bps", "p_peak", "p_valley", "net_reward_bps"):
        table[name] = np.nan
    for k, row in enumerate(forecasts):
        for name, value in row.items():
            table[k][name] = value
    return events, np.zeros(0, BAR), table


def warm_quotes(n_symbols, start=OPEN, minutes=12, bid=1_000_000):
    """Quotes every ten seconds that wobble by a few ticks, enough for a volatility."""
    rows = []
    for k in range(minutes * 6):
        for s in range(n_symbols):
            wobble = 100 * ((k * 7 + s) % 5 - 2)
            rows.append(quote(start + k * 10 * SECOND + s, s, bid + wobble, bid + wobble + 100))
    return rows


def run(pipeline, rows):
    """Process tuples at once; return requests and decisions."""
    return pipeline.process(*pack(rows)), pipeline.decisions
