"""The order flow of one symbol: step by step, somebody acts on the book.

One step is one decision of one participant. Between steps passes an exponential time whose rate `drive` gives. With `pull` =
(fair value - mid) / half the wanted spread, cut at +-3:

F1. The side is a buy with chance 1/2 + pull/4 (at most 95 %): value moves the flow, the flow moves the price.
F2. Market orders: more of them the further the value is away. They take the best price first, oldest first, at most three
    levels deep; what is left of them is dropped. Where the spread has room, some meet a hidden order at the mid.
F3. Limit orders improve a wide spread, join the touch, or lie behind it; nobody quotes better than the value allows.
F4. Cancels: touch orders on the side that the value has left, orders just placed, or any order. A few only reduce.
F5. Off-exchange prints: at the touch, at the mid, inside the touch by less than a tick, now and then late or an average
    price. They never touch the book.
F6. A side with at most `MIN_SIDE` orders loses none: the step adds one there instead.
F7. A halted second lets no step through; time jumps to its end.

One step uses one row of random numbers, whatever it does: cutting the rows into pieces changes nothing.
"""

from typing import NamedTuple

import numpy as np

from replay.jit import kernel
from replay.numeric import log
from replay.synth.book import Book, join, side_index, take
from replay.synth.tape import (
    ADD,
    AVERAGE_PRICE,
    DELETE,
    EXECUTE,
    EXECUTE_HIDDEN,
    LATE,
    OFF_EXCHANGE,
    REDUCE,
    Tape,
    has_room,
    write_message,
    write_print,
    write_quote,
)

COLUMNS = 10  # draws per step
MIN_SIDE = 4
MAX_FILLS = 32
_SECOND_NS = 1_000_000_000

STATE = np.dtype(
    [
        ("open_ns", "i8"),
        ("now_ns", "i8"),
        ("lowest", "i8"),  # tick of level 0
        ("last_slot", "i8"),  # the order placed last
        ("last_order_id", "i8"),
        ("is_done", "i8"),
    ],
    align=True,
)


class Flow(NamedTuple):
    """Everything that a step reads or changes."""

    book: Book
    profile: np.ndarray  # PROFILE, one row
    seconds: np.ndarray  # SECOND
    venue_share: np.ndarray  # cumulative
    state: np.ndarray  # STATE, one row
    tape: Tape


@kernel
def open_book(flow, draws):
    """Place one order per row of draws around the fair value, in turn bid and ask, and show the first quote."""
    row = flow.seconds[0]
    value = row["value"] - flow.state[0]["lowest"]
    for i in range(len(draws)):
        u = draws[i]
        side = 1 - 2 * (i % 2)
        back = int(-log(u[4]) * flow.profile[0]["behind"]) if i > 1 else 0
        level = int(value - 0.5 * row["spread"]) - back if side > 0 else int(value + 0.5 * row["spread"]) + 1 + back
        _place(flow, side, level, u)
    _show(flow)


@kernel
def run(flow, draws):
    """Make one step per row of draws until the session ends or the tape is full; return the rows used."""
    for i in range(len(draws)):
        if not has_room(flow.tape, MAX_FILLS):
            return i
        _advance(flow, draws[i, 0])
        if flow.state[0]["is_done"]:
            return i
        _act(flow, draws[i])
        _show(flow)
        flow.tape.used[0]["step"] += 1
    return len(draws)


@kernel
def _advance(flow, u):
    """Move time to the next step, past halted seconds (F7)."""
    state = flow.state[0]
    n_seconds = len(flow.seconds)
    second = (state["now_ns"] - state["open_ns"]) // _SECOND_NS
    now_ns = state["now_ns"] + 1 + int(-log(u) / flow.seconds[second]["rate"] * 1e9)
    second = (now_ns - state["open_ns"]) // _SECOND_NS
    while second < n_seconds and flow.seconds[second]["is_halted"]:
        second += 1
        now_ns += _SECOND_NS
    state["is_done"] = 1 if second >= n_seconds else 0
    if second < n_seconds:
        state["now_ns"] = now_ns


@kernel
def _act(flow, u):
    row = _second(flow)
    pull = _pull(flow, row)
    strength = abs(pull)
    side = 1 if u[2] < 0.5 + min(max(0.25 * pull, -0.45), 0.45) else -1  # F1
    off_exchange = row["market"] * flow.profile[0]["off_exchange"]
    market = min(row["market"] * (1.0 + 1.5 * strength), 0.7)
    n_live = flow.book.tally[0]["n_live"]
    rest = (u[1] - off_exchange - market) / (1.0 - off_exchange - market)
    if u[1] < off_exchange:
        _print_off_exchange(flow, side, u)  # F5
    elif rest < 0.0:
        _send_market(flow, side, u)
    else:
        slot = _victim(flow, pull, u) if rest * (n_live + flow.profile[0]["orders"]) < n_live else -1
        if slot >= 0:
            side = flow.book.orders[slot]["side"]
        if slot >= 0 and flow.book.n_orders[side_index(side)] > MIN_SIDE:
            _cancel(flow, slot, u)  # F4
        else:
            _add(flow, side, u)  # F3, F6


@kernel
def _second(flow):
    state = flow.state[0]
    return flow.seconds[(state["now_ns"] - state["open_ns"]) // _SECOND_NS]


@kernel
def _pull(flow, row):
    mid = 0.5 * (flow.book.best[0] + flow.book.best[1]) + flow.state[0]["lowest"]
    pull = (row["value"] - mid) / max(0.5 * row["spread"], 0.5)
    return min(max(pull, -3.0), 3.0)


@kernel
def _quantity(flow, u):
    """Draw an order's size: round lots, geometric; one in ten an odd lot."""
    if u[6] < 0.1:
        return 1 + int(u[5] * 99.0)
    return 100 * (1 + int(-log(u[5]) * flow.profile[0]["mean_lots"]))


@kernel
def _venue(flow, u):
    for k in range(len(flow.venue_share)):
        if u < flow.venue_share[k]:
            return k
    return len(flow.venue_share) - 1


@kernel
def _price(flow, level):
    return (flow.state[0]["lowest"] + level) * flow.profile[0]["tick"]


@kernel
def _say(flow, action, slot, qty):
    order = flow.book.orders[slot]
    now_ns = flow.state[0]["now_ns"]
    write_message(flow.tape, now_ns, action, order["side"], order["order_id"], _price(flow, order["level"]), qty)


@kernel
def _place(flow, side, level, u):
    level = min(max(level, 0), len(flow.book.levels) - 1)
    qty = _quantity(flow, u)
    slot = join(flow.book, side, level, qty, _venue(flow, u[8]))
    if slot >= 0:
        _say(flow, ADD, slot, qty)
        flow.state[0]["last_slot"] = slot
        flow.state[0]["last_order_id"] = flow.book.orders[slot]["order_id"]


@kernel
def _add(flow, side, u):
    """Improve, join or lie behind (F3)."""
    row = _second(flow)
    own = flow.book.best[side_index(side)]
    opposite = flow.book.best[side_index(-side)]
    room = side * (_limit(flow, row, side, opposite) - own)
    spread = side * (opposite - own)
    inside = 0.0
    if room > 0:
        inside = min(0.9, 0.3 * spread / row["spread"]) if spread > row["spread"] else 0.03
    level = own
    if u[3] < inside:
        level = own + side * (1 + int(u[4] * room))
    elif room < -1 or u[3] > inside + 0.5 * (1.0 - inside):
        back = 1 + int(-log(u[4]) * flow.profile[0]["behind"])
        level = own + side * (min(room, 0) - back)
    _place(flow, side, level, u)


@kernel
def _limit(flow, row, side, opposite):
    """Return the best level at which a maker still quotes: behind the value, and not across the other side."""
    value = row["value"] - flow.state[0]["lowest"]
    edge = 0.35 * max(row["spread"] - 1.0, 0.0)
    if side > 0:
        return min(int(value - edge), opposite - 1)
    return max(int(value + edge) + 1, opposite + 1)


@kernel
def _cancel(flow, slot, u):
    """Cancel an order, or reduce it."""
    qty = flow.book.orders[slot]["qty"]
    action = DELETE
    if u[8] < 0.12 and qty > 1:
        action = REDUCE
        qty = 1 + int(u[9] * (qty - 1))
    _say(flow, action, slot, qty)
    take(flow.book, slot, qty)


@kernel
def _victim(flow, pull, u):
    """Choose who cancels (F4)."""
    book = flow.book
    if u[3] < 0.35 * min(abs(pull), 2.0):
        queue = book.levels[book.best[1 if pull > 0.0 else 0]]
        return queue["oldest"] if u[4] < 0.4 else queue["newest"]
    slot = flow.state[0]["last_slot"]
    order = book.orders[slot]
    is_alive = order["order_id"] == flow.state[0]["last_order_id"] and order["qty"] > 0
    if u[3] > 0.75 and is_alive:
        return slot
    return book.live[int(u[7] * book.tally[0]["n_live"])]


@kernel
def _send_market(flow, side, u):
    """Take what rests on the other side, best price and oldest first (F2)."""
    book = flow.book
    k = side_index(-side)
    if book.best[1] - book.best[0] > 1 and u[8] < 0.06:
        _meet_hidden(flow, side, u)
        return
    left = _quantity(flow, u)
    first = book.best[k]
    for _ in range(MAX_FILLS):
        level = book.best[k]
        if left == 0 or book.n_orders[k] <= MIN_SIDE or abs(level - first) > 2:
            return
        slot = book.levels[level]["oldest"]
        order = book.orders[slot]
        qty = min(left, order["qty"])
        _say(flow, EXECUTE, slot, qty)
        write_print(flow.tape, flow.state[0]["now_ns"], _price(flow, level), qty, order["venue"], 0)
        take(book, slot, qty)
        left -= qty


@kernel
def _meet_hidden(flow, side, u):
    now_ns = flow.state[0]["now_ns"]
    price = (_price(flow, flow.book.best[0]) + _price(flow, flow.book.best[1])) // 2
    qty = _quantity(flow, u)
    write_message(flow.tape, now_ns, EXECUTE_HIDDEN, -side, 0, price, qty)
    write_print(flow.tape, now_ns, price, qty, _venue(flow, u[7]), 0)


@kernel
def _print_off_exchange(flow, side, u):
    """Print a trade of a dark pool or a wholesaler (F5)."""
    bid = _price(flow, flow.book.best[0])
    ask = _price(flow, flow.book.best[1])
    tick = flow.profile[0]["tick"]
    touch = ask if side > 0 else bid
    price = touch
    flags = OFF_EXCHANGE
    if 0.45 <= u[9] < 0.62:
        price = (bid + ask) // 2
    elif 0.62 <= u[9] < 0.96:
        price = touch - side * (1 + int(u[4] * 0.5 * (tick - 1)))
    elif u[9] >= 0.98:
        price = touch + side * tick * int(u[4] * 8.0)
        flags |= LATE
    elif u[9] >= 0.96:
        price = (bid + ask) // 2 + int((u[4] - 0.5) * 8.0 * tick)
        flags |= AVERAGE_PRICE
    write_print(flow.tape, flow.state[0]["now_ns"], max(price, 1), _quantity(flow, u), len(flow.venue_share), flags)


@kernel
def _show(flow):
    """Put the touch on the tape when it changed."""
    best = flow.book.best
    levels = flow.book.levels
    bid, ask = _price(flow, best[0]), _price(flow, best[1])
    write_quote(flow.tape, flow.state[0]["now_ns"], bid, levels[best[0]]["qty"], ask, levels[best[1]]["qty"])
