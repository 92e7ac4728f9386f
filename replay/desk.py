"""The desk: what a strategy knows of the market, of its own orders and of its positions, and where it puts its requests.

Replay and live keep it with the same kernels. It holds knowledge, not truth: an order is WORKING when its ack arrived, and the
queue ahead is unknown unless the strategy estimates it. A `decide` kernel (the pipeline is one) reads the desk and calls
`send_limit`, `send_market`, `send_cancel` and `send_modify`; nothing leaves before `decide` returns.

The signature of a `decide` kernel::

    decide(wake, i, block, desk, state)

    wake   WAKE_EVENT: block.events[i] just happened (book and own orders on the desk already know it)
           WAKE_TIMER: desk.clock[0]['next_timer_ns'] was reached; `now_ns` holds that time, `i` means nothing.
                       Set `next_timer_ns` to the next time you want (or NEVER).
    block  Block(events, bars, forecasts)
    desk   Desk, see below
    state  whatever tuple of arrays the strategy was built with
"""

from typing import NamedTuple

import numpy as np

from replay.bundle import bundle
from replay.events import INELIGIBLE, Flag, Kind, Status
from replay.jit import kernel, leaf
from replay.orders import Action, OrderType, State, Tif

ODD_LOT = int(Flag.ODD_LOT)
UNREPORTED = int(Flag.UNREPORTED)

WAKE_EVENT = 1
WAKE_TIMER = 2
NEVER = 2**63 - 1

BOOK = np.dtype(
    [
        ("ts_ns", "i8"),  # last quote
        ("bid", "i8"),
        ("ask", "i8"),
        ("bid_qty", "i8"),
        ("ask_qty", "i8"),
        ("last_price", "i8"),
        ("last_qty", "i8"),
        ("last_ts_ns", "i8"),
        ("any_ts_ns", "i8"),  # last data of any kind
        ("tick", "i8"),  # price units
        ("lot", "i8"),
        ("multiplier", "i8"),  # dollars per dollar of price of one unit; 0, in a book made by hand, counts as 1
        ("status", "i4"),  # last Status, 0 = trading
        ("evidence", "i4"),
    ],
    align=True,
)

DESK_ORDER = np.dtype(
    [
        ("order_id", "i8"),
        ("parent_id", "i8"),
        ("decision_id", "i8"),
        ("price", "i8"),
        ("qty", "i8"),
        ("filled_qty", "i8"),
        ("leaves_qty", "i8"),
        ("sent_ts_ns", "i8"),
        ("ack_ts_ns", "i8"),
        ("expire_ts_ns", "i8"),
        ("work_ns", "i8"),
        ("ahead_qty", "i8"),  # the strategy's own estimate; -1 = unknown
        ("mid2_at_decision", "i8"),
        ("side", "i4"),
        ("type", "i4"),
        ("tif", "i4"),
        ("slice", "i4"),
        ("state", "i4"),
        ("reason", "i4"),
    ],
    align=True,
)

POSITION = np.dtype(
    [
        ("qty", "i8"),  # signed shares
        ("cost", "i8"),  # signed price units x shares paid for what is held
        ("realized", "i8"),  # price units x shares, gross of fees
        ("fee_micros", "i8"),
        ("open_ts_ns", "i8"),  # when it left flat
        ("traded_qty", "i8"),
        ("open_buy_qty", "i8"),  # leaves of own buys in flight or working
        ("open_sell_qty", "i8"),
    ],
    align=True,
)

CLOCK = np.dtype(
    [
        ("now_ns", "i8"),
        ("next_timer_ns", "i8"),
        ("next_order_id", "i8"),
        ("next_decision_id", "i8"),
        ("n_requests", "i8"),
        ("n_decisions", "i8"),
        ("n_cycles", "i8"),
        ("open_ns", "i8"),  # regular session of the day in force
        ("close_ns", "i8"),
        ("trade_from_ns", "i8"),  # decisions are allowed from ... to
        ("trade_until_ns", "i8"),
        ("scale", "i8"),
        ("status", "i8"),  # 0, or a code that stops the run (see Stop)
        ("messages", "i8"),
        ("unknown_answers", "i8"),  # answers to orders that are not on the desk
        ("is_busy", "i8"),  # requests, a wake, a full table or new rows wait for the loop's attention
        ("wake", "i8"),  # not 0: give the word to Python (see replay.engine.python_door)
    ],
    align=True,
)

STOP_ORDERS_FULL = 1
STOP_REQUESTS_FULL = 2
STOP_DECISIONS_FULL = 3


@bundle
class Block(NamedTuple):
    """A run of events with the side tables that they point into."""

    events: np.ndarray
    bars: np.ndarray
    forecasts: np.ndarray


@bundle
class Desk(NamedTuple):
    """All that a strategy may read, and its outbox. Arrays are indexed by symbol."""

    clock: np.ndarray  # CLOCK, one row
    book: np.ndarray  # BOOK (n_symbols,)
    orders: np.ndarray  # DESK_ORDER (n_symbols, slots), live ones first, in the order they were sent
    n_orders: np.ndarray  # int64 (n_symbols,)
    positions: np.ndarray  # POSITION (n_symbols,)
    requests: np.ndarray  # REQUEST, the outbox; clock['n_requests'] are valid
    decisions: np.ndarray  # DECISION rows of this stretch; clock['n_decisions'] are valid
    cycles: np.ndarray  # CYCLE rows of this stretch; clock['n_cycles'] are valid


@leaf
def queueless(flags):
    """Return the flags of a print by which it consumed no displayed queue; 0 = it consumed.

    An odd lot is unreported for its size alone: on an exchange it trades with the displayed queue like any other.
    """
    found = flags & INELIGIBLE
    if (found & UNREPORTED) != 0 and (flags & ODD_LOT) != 0:
        found -= UNREPORTED
    return found


@leaf
def apply_market(events, i, book):
    """Bring the book of one symbol up to date with a quote, trade or status event."""
    event = events[i]
    kind = event["kind"]
    if kind == Kind.STATUS:
        _apply_status(events, i, book)
        return
    row = book[event["symbol"]]
    if kind == Kind.QUOTE:
        apply_quote(event, row)
    elif kind == Kind.TRADE:
        apply_trade(event, row)
    else:
        row["any_ts_ns"] = event["ts_ns"]


@leaf
def apply_quote(event, row):
    """Bring one symbol's row of the book up to date with a quote."""
    row["any_ts_ns"] = event["ts_ns"]
    row["ts_ns"] = event["ts_ns"]
    row["bid"] = event["bid"]
    row["ask"] = event["ask"]
    row["bid_qty"] = event["bid_qty"]
    row["ask_qty"] = event["ask_qty"]


@leaf
def apply_trade(event, row):
    """Bring one symbol's row of the book up to date with a trade."""
    row["any_ts_ns"] = event["ts_ns"]
    row["last_price"] = event["price"]
    row["last_qty"] = event["qty"]
    row["last_ts_ns"] = event["ts_ns"]


@kernel
def _apply_status(events, i, book):
    """Note a status; symbol -1 means all. Kept apart: measured, the rare branch made every quote five times as slow."""
    event = events[i]
    symbol = event["symbol"]
    if event["code"] == Status.SHORT_SALE_RESTRICTED or event["code"] == Status.SHORT_SALE_FREE:
        return
    if symbol >= 0:
        book[symbol]["status"] = _trading_status(event["code"])
        book[symbol]["any_ts_ns"] = event["ts_ns"]
        return
    for k in range(len(book)):
        book[k]["status"] = _trading_status(event["code"])


@kernel
def _trading_status(code):
    if code == Status.RESUMED or code == Status.CONNECTED or code == Status.GAP_END:
        return 0
    return code


@kernel
def send_limit(desk, symbol, side, qty, price, tif, expire_ts_ns):
    """Ask for a limit order; return its order id, or 0 when the outbox or the symbol's order table is full."""
    return send_order(desk, symbol, side, qty, price, OrderType.LIMIT, tif, expire_ts_ns)


@kernel
def send_market(desk, symbol, side, qty):
    """Ask for a market order; return its order id, or 0 when the outbox or the symbol's order table is full."""
    return send_order(desk, symbol, side, qty, 0, OrderType.MARKET, Tif.DAY, 0)


@kernel
def send_order(desk, symbol, side, qty, price, order_type, tif, expire_ts_ns):
    """Put a NEW request into the outbox and the order on the desk in state SENT; return its id (0 = no room)."""
    clock = desk.clock[0]
    slot = desk.n_orders[symbol]
    if slot >= desk.orders.shape[1]:
        _stop(desk, STOP_ORDERS_FULL)
        return 0
    if clock["n_requests"] >= len(desk.requests):
        _stop(desk, STOP_REQUESTS_FULL)
        return 0
    order_id = clock["next_order_id"]
    clock["next_order_id"] = order_id + 1
    order = desk.orders[symbol, slot]
    _fill_order(order, order_id, clock["now_ns"], side, qty, price)
    order["type"] = order_type
    order["tif"] = tif
    order["expire_ts_ns"] = expire_ts_ns
    book = desk.book[symbol]
    if book["bid_qty"] > 0 and book["ask_qty"] > 0:
        order["mid2_at_decision"] = book["bid"] + book["ask"]
    desk.n_orders[symbol] = slot + 1
    position = desk.positions[symbol]
    if side > 0:
        position["open_buy_qty"] += qty
    else:
        position["open_sell_qty"] += qty
    _post(desk, symbol, order, Action.NEW)
    return order_id


@kernel
def _fill_order(order, order_id, now_ns, side, qty, price):
    order["order_id"] = order_id
    order["parent_id"] = 0
    order["decision_id"] = 0
    order["price"] = price
    order["qty"] = qty
    order["filled_qty"] = 0
    order["leaves_qty"] = qty
    order["sent_ts_ns"] = now_ns
    order["ack_ts_ns"] = 0
    order["work_ns"] = 0
    order["ahead_qty"] = -1
    order["mid2_at_decision"] = 0
    order["side"] = side
    order["slice"] = 0
    order["state"] = State.SENT
    order["reason"] = 0


@kernel
def tag_order(desk, symbol, parent_id, decision_id, work_ns, slice_no):
    """Write the plan's identity on the order just sent, on the desk and in the outbox."""
    order = desk.orders[symbol, desk.n_orders[symbol] - 1]
    request = desk.requests[desk.clock[0]["n_requests"] - 1]
    _tag(order, parent_id, decision_id, work_ns, slice_no)
    _tag(request, parent_id, decision_id, work_ns, slice_no)


@kernel
def _tag(row, parent_id, decision_id, work_ns, slice_no):
    row["parent_id"] = parent_id
    row["decision_id"] = decision_id
    row["work_ns"] = work_ns
    row["slice"] = slice_no


@kernel
def send_cancel(desk, symbol, slot):
    """Ask to cancel the order in a slot of the symbol; asking twice does nothing. Return 1 when asked."""
    order = desk.orders[symbol, slot]
    if order["state"] == State.CANCEL_SENT:
        return 0
    if desk.clock[0]["n_requests"] >= len(desk.requests):
        _stop(desk, STOP_REQUESTS_FULL)
        return 0
    order["state"] = State.CANCEL_SENT
    _post(desk, symbol, order, Action.CANCEL)
    return 1


@kernel
def send_modify(desk, symbol, slot, qty, price):
    """Ask to change quantity and price of a live order; the desk keeps the old terms until the answer. Return 1 when asked."""
    order = desk.orders[symbol, slot]
    if order["state"] == State.CANCEL_SENT:
        return 0
    if desk.clock[0]["n_requests"] >= len(desk.requests):
        _stop(desk, STOP_REQUESTS_FULL)
        return 0
    order["state"] = State.MODIFY_SENT
    _post(desk, symbol, order, Action.MODIFY)
    request = desk.requests[desk.clock[0]["n_requests"] - 1]
    request["qty"] = qty
    request["price"] = price
    return 1


@kernel
def _post(desk, symbol, order, action):
    clock = desk.clock[0]
    request = desk.requests[clock["n_requests"]]
    request["ts_ns"] = clock["now_ns"]
    request["order_id"] = order["order_id"]
    request["parent_id"] = order["parent_id"]
    request["decision_id"] = order["decision_id"]
    request["price"] = order["price"]
    request["qty"] = order["qty"]
    request["expire_ts_ns"] = order["expire_ts_ns"]
    request["work_ns"] = order["work_ns"]
    request["symbol"] = symbol
    request["action"] = action
    request["side"] = order["side"]
    request["type"] = order["type"]
    request["tif"] = order["tif"]
    request["post_only"] = 0
    request["slice"] = order["slice"]
    request["reason"] = 0
    clock["n_requests"] += 1
    clock["messages"] += 1
    clock["is_busy"] = 1


@kernel
def _stop(desk, code):
    desk.clock[0]["status"] = code
    desk.clock[0]["is_busy"] = 1


@kernel
def find_order(desk, symbol, order_id):
    """Return the slot of an own order of the symbol, or -1."""
    for slot in range(desk.n_orders[symbol]):
        if desk.orders[symbol, slot]["order_id"] == order_id:
            return slot
    return -1
