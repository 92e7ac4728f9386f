"""Small worlds for the tests of components: one symbol's book, features, legs and decision."""

import numpy as np
from hypothesis import strategies as st

from replay.desk import BOOK, CLOCK, DESK_ORDER, POSITION, Desk
from replay.orders import REQUEST
from strategy.decision import CYCLE, DECISION, LEG
from strategy.features import new_features

SPECIAL = [0.0, -0.0, float("nan"), float("inf"), float("-inf")]

edges = st.one_of(st.floats(-50.0, 50.0), st.sampled_from(SPECIAL))
positives = st.one_of(st.floats(0.01, 500.0), st.sampled_from(SPECIAL))
horizons = st.lists(st.sampled_from([5, 10, 15, 30, 60]), min_size=1, max_size=5, unique=True).map(sorted)
touches = st.tuples(st.integers(-1, 3), st.integers(-1, 3), st.integers(0, 2), st.integers(0, 2)).map(
    lambda q: (q[0] * 100 + 100_000 * (q[0] > 0), q[1] * 100 + 100_000 * (q[1] > 0), q[2] * 100, q[3] * 100)
)


def make_book(bid=100_000, ask=100_100, bid_qty=200, ask_qty=100, lot=1):
    book = np.zeros(1, BOOK)
    book["bid"], book["ask"], book["bid_qty"], book["ask_qty"] = bid, ask, bid_qty, ask_qty
    book["lot"], book["tick"] = lot, 100
    return book


def make_desk(*touch, lot=1, n_symbols=1):
    """Put the same book before `n_symbols` symbols; prices in ten-thousandths of a dollar."""
    dtypes = (1, CLOCK), (1, DESK_ORDER), (n_symbols, "i8"), (n_symbols, POSITION), (1, REQUEST), (1, DECISION), (1, CYCLE)
    clock, orders, n_orders, positions, *tables = [np.zeros(count, dtype) for count, dtype in dtypes]
    clock["scale"] = 10_000
    book = np.repeat(make_book(*touch, lot=lot), n_symbols)
    return Desk(clock, book, orders.reshape(1, 1), n_orders, positions, *tables)


def make_features(vol_bps=2.0, bid=100_000, ask=100_100):
    features, _ = new_features(1)
    features["vol_bps"] = vol_bps
    features["bid"], features["ask"], features["mid2"] = bid, ask, bid + ask
    return features


def make_legs(rows):
    """Lay (horizon, mu, sigma, cost, side) out as living legs."""
    legs = np.zeros(len(rows), LEG)
    legs["is_alive"] = 1
    for k, row in enumerate(rows):
        for name, value in zip(("horizon_min", "mu_bps", "sigma_bps", "cost_bps", "side"), row, strict=True):
            legs[k][name] = value
        legs[k]["forecast_id"] = 100 + k
    return legs


def make_decision(**values):
    decision = np.zeros(1, DECISION)
    for name, value in values.items():
        decision[name] = value
    return decision
