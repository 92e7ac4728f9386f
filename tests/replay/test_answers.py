"""Answers bring the desk up to date."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.answers import apply_answer, take_shares
from replay.desk import BOOK, CLOCK, DESK_ORDER, POSITION, Desk, find_order, send_cancel, send_limit, send_modify
from replay.events import EVENT, Kind
from replay.orders import REQUEST, State, Tif
from strategy.decision import CYCLE, DECISION
from tests.naive import answers as naive

KINDS = ["ACK", "PARTIAL", "FILL", "CANCELLED", "REJECTED", "EXPIRED", "HELD", "MODIFIED", "CORRECTION", "COMMISSION",
         "CANCEL_REJECTED"]  # fmt: skip


def make_desk(n_symbols=2, slots=8):
    desk = Desk(
        np.zeros(1, CLOCK),
        np.zeros(n_symbols, BOOK),
        np.zeros((n_symbols, slots), DESK_ORDER),
        np.zeros(n_symbols, np.int64),
        np.zeros(n_symbols, POSITION),
        np.zeros(64, REQUEST),
        np.zeros(8, DECISION),
        np.zeros(8, CYCLE),
    )
    desk.clock["next_order_id"] = 1
    return desk


def answer(kind, ts_ns=1, symbol=0, **fields):
    event = np.zeros(1, EVENT)
    event["ts_ns"], event["symbol"], event["kind"] = ts_ns, symbol, Kind[kind]
    for name, value in fields.items():
        event[name] = value
    return event


def state_of(desk, symbol=0):
    position = desk.positions[symbol]
    orders = desk.orders[symbol][: desk.n_orders[symbol]]
    fields = ("order_id", "side", "qty", "leaves_qty", "filled_qty", "price", "ack_ts_ns")
    return (
        [tuple(int(row[f]) for f in fields) + (State(int(row["state"])).name,) for row in orders],
        [int(position[f]) for f in ("qty", "cost", "realized", "fee_micros", "traded_qty", "open_ts_ns")],
        [int(position["open_buy_qty"]), int(position["open_sell_qty"]), int(desk.clock[0]["unknown_answers"])],
    )


def naive_state_of(book):
    fields = ("id", "side", "qty", "leaves", "filled", "price", "ack", "state")
    return (
        [tuple(order[f] for f in fields) for order in book.orders],
        [book.qty, book.cost, book.realized, book.fees, book.traded, book.opened],
        [book.open_qty(1), book.open_qty(-1), book.unknown],
    )


sends = st.tuples(st.just("SEND"), st.sampled_from([1, -1]), st.integers(1, 50), st.integers(1, 1000))
asks = st.tuples(st.sampled_from(["CANCEL", "MODIFY"]), st.integers(1, 5))
said = st.tuples(st.sampled_from(KINDS), st.integers(1, 6), st.integers(1, 50), st.integers(1, 1000), st.integers(0, 50))


def play(step, ts_ns, desk, book):
    if step[0] == "SEND":
        if desk.n_orders[0] < 8:
            book.send(send_limit(desk, 0, step[1], step[2], step[3], Tif.DAY, 0), *step[1:])
    elif step[0] in ("CANCEL", "MODIFY"):
        slot = find_order(desk, 0, step[1])
        if slot >= 0 and (send_cancel(desk, 0, slot) if step[0] == "CANCEL" else send_modify(desk, 0, slot, 1, 1)):
            book.ask(step[1], f"{step[0]}_SENT")
    else:
        say(step, ts_ns, desk, book)


def say(step, ts_ns, desk, book):
    kind, order_id, qty, price, leaves = step
    if kind == "CORRECTION":
        qty = -qty
    if kind == "COMMISSION":
        apply_answer(answer(kind, ts_ns, order_id=order_id, fee_micros=price), 0, desk)
        book.answer(kind, ts_ns, order_id, fee=price)
        return
    leaves = 0 if kind == "FILL" else leaves
    apply_answer(answer(kind, ts_ns, order_id=order_id, qty=qty, price=price, leaves_qty=leaves), 0, desk)
    book.answer(kind, ts_ns, order_id, price, qty, leaves)


@given(st.lists(st.one_of(sends, asks, said), max_size=30))
@settings(max_examples=150, deadline=None)
def test_desk_equals_the_plain_twin(steps):
    """Any run of requests and answers leaves the same orders and the same position as the plain twin."""
    desk, book = make_desk(), naive.Book()
    for k, step in enumerate(steps):
        play(step, k + 1, desk, book)

    assert naive_state_of(book) == state_of(desk)


@given(st.lists(st.tuples(st.integers(-300, 300).filter(bool), st.integers(1, 10**7)), min_size=1, max_size=20))
@settings(max_examples=150, deadline=None)
def test_flat_to_flat_is_exact(fills):
    """Once flat, nothing is left in the cost and `realized` is exactly what came in less what went out."""
    positions = np.zeros(1, POSITION)
    fills = [*fills, (-sum(qty for qty, _ in fills), 12_345)]
    for qty, price in fills:
        if qty:
            take_shares(positions, 0, qty, price, 5)

    assert (0, 0, -sum(q * p for q, p in fills)) == tuple(int(positions[0][f]) for f in ("qty", "cost", "realized"))


@given(st.lists(st.tuples(st.integers(-300, 300).filter(bool), st.integers(1, 10**7)), max_size=20))
@settings(max_examples=50, deadline=None)
def test_mirrored_fills_give_mirrored_books(fills):
    """Buys for sells leave the negative position, the negative cost and the negative realized amount."""
    positions = np.zeros(2, POSITION)
    for qty, price in fills:
        take_shares(positions, 0, qty, price, 5)
        take_shares(positions, 1, -qty, price, 5)

    for name in ("qty", "cost", "realized"):
        assert -positions[name][0] == positions[name][1]


def test_large_positions_do_not_overflow():
    """A million shares at 500 dollars (scale 10,000) close to the exact amount."""
    positions = np.zeros(1, POSITION)
    take_shares(positions, 0, 1_000_000, 5_000_000, 1)
    take_shares(positions, 0, -999_999, 5_000_001, 2)

    assert (1, 5_000_000, 999_999) == tuple(int(positions[0][f]) for f in ("qty", "cost", "realized"))


@pytest.mark.parametrize("symbol", [-1, 2])
def test_stranger_symbol_is_counted(symbol):
    """An answer for a symbol that the desk does not know is counted and changes nothing else."""
    desk = make_desk()
    apply_answer(answer("FILL", symbol=symbol, order_id=1, qty=5), 0, desk)

    assert 1 == desk.clock[0]["unknown_answers"]


def test_late_cancel_rejection_is_not_an_unknown_answer():
    """A cancel refused because the order had filled is normal and not counted."""
    desk = make_desk()
    apply_answer(answer("CANCEL_REJECTED", order_id=9), 0, desk)

    assert 0 == desk.clock[0]["unknown_answers"]
