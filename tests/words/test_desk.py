"""The desk: requests and the book, and that a refusal leaves nothing half done."""

import numpy as np
import pytest

from replay.desk import (
    STOP_ORDERS_FULL,
    STOP_REQUESTS_FULL,
    apply_market,
    find_order,
    send_cancel,
    send_limit,
    send_market,
    send_modify,
    tag_order,
)
from replay.engine.world import Sizes, build_desk
from replay.events import EVENT, Kind, Status
from replay.orders import Action, OrderType, State, Tif
from replay.snapshot import take
from strategy.decision import CYCLE, DECISION

pytestmark = pytest.mark.jit_off


def desk_of(**sizes):
    """Make a desk of two symbols."""
    return build_desk(2, DECISION, CYCLE, Sizes(**{"slots": 2, "requests": 4, "log": 8, **sizes}))


def unchanged(before, desk):
    """Tell whether all of a desk but its status is as it was."""
    after = take(desk)
    for rows in (before, after):
        rows["clock"]["status"] = rows["clock"]["is_busy"] = 0
    return all(before[name].tobytes() == after[name].tobytes() for name in before)


def test_a_request_stands_in_the_outbox_and_on_the_desk():
    """A limit order is SENT on the desk, NEW in the outbox, and counted in the symbol's open quantity."""
    desk = desk_of()
    desk.clock["now_ns"] = 7
    order_id = send_limit(desk, 1, -1, 30, 990_000, int(Tif.GTD), 99)
    tag_order(desk, 1, 5, 6, 8, 2)
    order, request = desk.orders[1, 0], desk.requests[0]

    assert (1, State.SENT, 30, 990_000) == (order_id, order["state"], order["leaves_qty"], order["price"])
    assert (Action.NEW, 1, 7, Tif.GTD, 99) == tuple(
        request[name] for name in ("action", "symbol", "ts_ns", "tif", "expire_ts_ns")
    )
    assert (5, 6, 8, 2) == tuple(request[name] for name in ("parent_id", "decision_id", "work_ns", "slice"))
    assert (30, 0) == (desk.positions[1]["open_sell_qty"], desk.positions[1]["open_buy_qty"])


def test_cancel_and_modify_once():
    """A cancel is asked once; what is being cancelled cannot be modified; a modify keeps the old terms until the answer."""
    desk = desk_of()
    send_limit(desk, 0, 1, 30, 990_000, int(Tif.DAY), 0)

    assert 1 == send_modify(desk, 0, 0, 20, 980_000)
    assert (990_000, State.MODIFY_SENT) == (desk.orders[0, 0]["price"], desk.orders[0, 0]["state"])
    assert (1, 0, 0) == (send_cancel(desk, 0, 0), send_cancel(desk, 0, 0), send_modify(desk, 0, 0, 10, 1))
    assert [Action.NEW, Action.MODIFY, Action.CANCEL] == desk.requests["action"][: desk.clock[0]["n_requests"]].tolist()


def test_a_full_table_changes_nothing():
    """Where the symbol's orders or the outbox are full, the answer is 0, the status says which, and nothing else has changed."""
    orders, requests = desk_of(slots=1), desk_of(requests=1)
    for desk in (orders, requests):
        send_market(desk, 0, 1, 10)
    saved = take(orders), take(requests)

    assert 0 == send_limit(orders, 0, 1, 10, 990_000, int(Tif.DAY), 0)
    assert (0, 0) == (send_cancel(requests, 0, 0), send_modify(requests, 0, 0, 5, 1))
    assert (STOP_ORDERS_FULL, STOP_REQUESTS_FULL) == (orders.clock[0]["status"], requests.clock[0]["status"])
    assert unchanged(saved[0], orders)
    assert unchanged(saved[1], requests)


def test_find_order_and_market_orders():
    """Orders are found by id within their symbol; a market order has no price."""
    desk = desk_of()
    first, second = send_market(desk, 0, 1, 10), send_market(desk, 1, -1, 10)

    assert (0, -1, 0) == (find_order(desk, 0, first), find_order(desk, 0, second), find_order(desk, 1, second))
    assert (OrderType.MARKET, 0) == (desk.orders[0, 0]["type"], desk.requests[0]["price"])


@pytest.mark.parametrize(
    ("symbol", "code", "expected"),
    [(0, Status.HALTED, [1, 0]), (-1, Status.DISCONNECTED, [4, 4]), (1, Status.RESUMED, [0, 0])],
)
def test_status_of_one_symbol_or_of_all(symbol, code, expected):
    """A halt concerns its symbol, a lost connection all; resuming clears it."""
    desk = desk_of()
    events = np.zeros(1, EVENT)
    events["kind"], events["symbol"], events["code"] = Kind.STATUS, symbol, code
    apply_market(events, 0, desk.book)

    assert expected == desk.book["status"].tolist()
