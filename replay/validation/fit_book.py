"""Learn from messages where each cancelled share stood: the cases that a fitted queue model is estimated from.

Every order has its place in the line of its price. When an order leaves the touch, each real order of ours in the same line (one
that arrived at the touch) makes a *case*: what stood ahead of it and behind it, how much left, and whether that stood ahead.
Cases in which only one answer was possible (more left than stood on one side, or it left in the event of an execution, taken out
by the match) teach nothing and are left out. When a better price hides a line and it becomes the touch again, each of them makes
a *return*: what was ahead before and after, and how often the touch moved, from event to event as level 1 shows it. An
*execution* tells what stood displayed at better prices than its own.

The line of an order is a linked list through `orders`; levels are indices into the sorted prices.
"""

from typing import NamedTuple

import numpy as np

from replay.bundle import bundle
from replay.events import NO_TIME, MessageAction
from replay.importers.book import ASK, BID
from replay.jit import kernel

NOBODY = -1
MILLISECOND_NS = 1_000_000  # exchange times that are no finer name no single event
VISIBLE = -1

QUEUED = np.dtype(
    [
        ("side", "i8"),
        ("level", "i8"),
        ("qty", "i8"),  # 0 = not in the book
        ("before", "i8"),
        ("after", "i8"),
        ("is_ours", "i8"),
        ("ahead_qty", "i8"),
        ("join_ns", "i8"),
        ("seen_ns", "i8"),  # when its level last fell as the touch, or became the touch
        ("hidden_qty", "i8"),  # ahead when a better price hid its level; VISIBLE = it is not hidden
        ("hidden_moves", "i8"),  # moves of the touch by then
    ],
    align=True,
)
CASE = np.dtype(
    [
        ("ts_ns", "i8"),
        ("ahead_qty", "i8"),
        ("behind_qty", "i8"),
        ("drop_qty", "i8"),
        ("other_qty", "i8"),
        ("spread", "i8"),
        ("age_ns", "i8"),
        ("quiet_ns", "i8"),
        ("is_ahead", "i8"),
    ],
    align=True,
)
EXECUTION = np.dtype(
    [
        ("ts_ns", "i8"),
        ("side", "i8"),
        ("level", "i8"),
        ("qty", "i8"),
        ("better_qty", "i8"),  # displayed at better prices, at most its own size
        ("is_hidden", "i8"),  # it met an order that was not displayed
    ],
    align=True,
)
RETURN = np.dtype(
    [("ts_ns", "i8"), ("ahead_qty", "i8"), ("left_qty", "i8"), ("hidden_ns", "i8"), ("n_moves", "i8")],
    align=True,
)
LINE_CTL = np.dtype(
    [
        ("n_cases", "i8"),  # all that were met; the arrays hold the first of them
        ("n_returns", "i8"),
        ("n_arrived", "i8"),
        ("n_executions", "i8"),
        ("start_ns", "i8"),
        ("end_ns", "i8"),
        ("one_in", "i8"),  # of this many orders at the touch one is ours
        ("ts_ns", "i8"),  # of the event at hand
        ("exch_ts_ns", "i8"),
    ],
    align=True,
)


@bundle
class Lines(NamedTuple):
    """The book as lines of orders, and what has been learned."""

    orders: np.ndarray  # QUEUED
    heads: np.ndarray  # int64 (2, n_levels): first order of each line
    tails: np.ndarray  # int64 (2, n_levels)
    depth: np.ndarray  # int64 (2, n_levels)
    prices: np.ndarray  # int64 (n_levels,), ascending
    best: np.ndarray  # int64 (2,): level; -1 and n_levels = empty
    shown: np.ndarray  # int64 (2,): `best` as the last event left it
    moves: np.ndarray  # int64 (2,): how often an event moved it
    heard_ns: np.ndarray  # int64 (2,): last execution on that side ...
    heard_exch_ns: np.ndarray  # int64 (2,): ... at the exchange
    cases: np.ndarray  # CASE
    returns: np.ndarray  # RETURN
    executions: np.ndarray  # EXECUTION: at the touch or beyond, at most one per message
    ctl: np.ndarray  # LINE_CTL, one row


def make_lines(n_orders: int, prices: np.ndarray, capacity: int, n_executions: int) -> Lines:
    """Make an empty book for so many order ids, prices and executions; `capacity` cases and returns at most are kept."""
    n_levels = len(prices)
    return Lines(
        orders=np.zeros(n_orders, QUEUED),
        heads=np.full((2, n_levels), NOBODY),
        tails=np.full((2, n_levels), NOBODY),
        depth=np.zeros((2, n_levels), np.int64),
        prices=np.asarray(prices, np.int64),
        best=np.array([-1, n_levels], np.int64),
        shown=np.array([-1, n_levels], np.int64),
        moves=np.zeros(2, np.int64),
        heard_ns=np.zeros(2, np.int64),
        heard_exch_ns=np.full(2, NO_TIME),
        cases=np.zeros(capacity, CASE),
        returns=np.zeros(capacity, RETURN),
        executions=np.zeros(n_executions, EXECUTION),
        ctl=np.zeros(1, LINE_CTL),
    )


@kernel
def learn(messages, rows, levels, lines):
    """Apply messages; `rows` and `levels` are the order's and the price's number of each."""
    for i in range(len(messages)):
        message = messages[i]
        action = message["action"]
        _note_event(message, lines)
        order = lines.orders[rows[i]]
        if action == MessageAction.CLEAR:
            _clear(lines)
        elif action == MessageAction.ADD or action == MessageAction.MODIFY:
            side = BID if message["side"] > 0 else ASK
            stays = order["level"] == levels[i] and order["side"] == side and message["qty"] <= order["qty"]
            if order["qty"] > 0:
                left = message["qty"] if stays else 0
                _leave(rows[i], order["qty"] - left, message["ts_ns"], _is_free(message, order["side"], lines), lines)
            if order["qty"] == 0 and message["qty"] > 0:
                _arrive(message, rows[i], side, levels[i], lines)
        elif action == MessageAction.EXECUTE_HIDDEN:
            _note_execution(message, BID if message["side"] > 0 else ASK, levels[i], 1, lines)
        elif order["qty"] > 0 and action == MessageAction.EXECUTE:
            _note_execution(message, order["side"], order["level"], 0, lines)
            lines.heard_ns[order["side"]] = message["ts_ns"]
            lines.heard_exch_ns[order["side"]] = message["exch_ts_ns"]
            _leave(rows[i], min(message["qty"], order["qty"]), message["ts_ns"], False, lines)
        elif order["qty"] > 0 and (action == MessageAction.REDUCE or action == MessageAction.DELETE):
            qty = min(message["qty"], order["qty"])
            _leave(rows[i], qty, message["ts_ns"], _is_free(message, order["side"], lines), lines)


@kernel
def _note_event(message, lines):
    """Count the moves of each touch when an event is over."""
    ctl = lines.ctl[0]
    if message["ts_ns"] == ctl["ts_ns"] and message["exch_ts_ns"] == ctl["exch_ts_ns"]:
        return
    ctl["ts_ns"] = message["ts_ns"]
    ctl["exch_ts_ns"] = message["exch_ts_ns"]
    for side in range(2):
        lines.moves[side] += 1 if lines.best[side] != lines.shown[side] else 0
        lines.shown[side] = lines.best[side]


@kernel
def _is_free(message, side, lines):
    """Tell whether who leaves does so of its own will, not in the event of an execution (as `fills.place` tells it)."""
    exch_ts_ns = message["exch_ts_ns"]
    return exch_ts_ns == NO_TIME or exch_ts_ns % MILLISECOND_NS == 0 or exch_ts_ns != lines.heard_exch_ns[side]


@kernel
def _note_execution(message, side, level, is_hidden, lines):
    """Note what an execution at the touch or beyond it passed by; one at a better price than any displayed tells nothing."""
    ctl = lines.ctl[0]
    step = -1 if side == BID else 1
    best = lines.best[side]
    if best < 0 or best >= len(lines.prices) or (level - best) * step < 0:
        return
    better_qty = 0
    k = best
    while k != level and better_qty < message["qty"]:
        better_qty += lines.depth[side, k]
        k += step
    execution = lines.executions[ctl["n_executions"]]
    execution["ts_ns"] = message["ts_ns"]
    execution["side"] = side
    execution["level"] = level
    execution["qty"] = message["qty"]
    execution["better_qty"] = min(better_qty, message["qty"])
    execution["is_hidden"] = is_hidden
    ctl["n_executions"] += 1


@kernel
def _arrive(message, row, side, level, lines):
    ctl = lines.ctl[0]
    order = lines.orders[row]
    order["is_ours"] = 0
    bid = lines.best[BID]
    ask = lines.best[ASK]
    is_two_sided = bid >= 0 and ask < len(lines.prices) and bid < ask
    is_inside = bid <= level < ask if side == BID else bid < level <= ask
    if is_two_sided and is_inside and ctl["start_ns"] <= message["ts_ns"] < ctl["end_ns"]:
        ctl["n_arrived"] += 1
        order["is_ours"] = 1 if ctl["n_arrived"] % ctl["one_in"] == 0 else 0
    order["side"] = side
    order["level"] = level
    order["qty"] = message["qty"]
    order["ahead_qty"] = lines.depth[side, level]
    order["join_ns"] = message["ts_ns"]
    order["seen_ns"] = message["ts_ns"]
    order["hidden_qty"] = VISIBLE
    order["after"] = NOBODY
    order["before"] = lines.tails[side, level]
    if order["before"] == NOBODY:
        lines.heads[side, level] = row
    else:
        lines.orders[order["before"]]["after"] = row
    lines.tails[side, level] = row
    lines.depth[side, level] += message["qty"]
    if (side == BID and level > bid) or (side == ASK and level < ask):
        _hide(side, bid if side == BID else ask, lines)
        lines.best[side] = level


@kernel
def _hide(side, level, lines):
    """Note what is ahead of our orders in a line that a better price hides."""
    if level < 0 or level >= len(lines.prices):
        return
    k = lines.heads[side, level]
    while k != NOBODY:
        lines.orders[k]["hidden_qty"] = lines.orders[k]["ahead_qty"]
        lines.orders[k]["hidden_moves"] = lines.moves[side]
        k = lines.orders[k]["after"]


@kernel
def _leave(row, qty, ts_ns, is_cancel, lines):
    """Take size off an order, teach the others of its line, and look for the new best price."""
    order = lines.orders[row]
    side = order["side"]
    level = order["level"]
    if qty <= 0:
        return
    if is_cancel and lines.best[side] == level:
        _teach(row, qty, ts_ns, lines)
    k = order["after"]
    while k != NOBODY:
        lines.orders[k]["ahead_qty"] -= qty
        if lines.best[side] == level:
            lines.orders[k]["seen_ns"] = ts_ns
        k = lines.orders[k]["after"]
    order["qty"] -= qty
    lines.depth[side, level] -= qty
    if order["qty"] == 0:
        _unlink(row, lines)
    if lines.depth[side, level] == 0 and lines.best[side] == level:
        _show_next(side, ts_ns, lines)


@kernel
def _teach(row, qty, ts_ns, lines):
    """Make a case of the cancel for each order of ours in the line that it could have stood ahead of or behind."""
    other_side = ASK if lines.orders[row]["side"] == BID else BID
    other = lines.best[other_side]
    is_two_sided = 0 <= other < len(lines.prices)
    is_ahead = 1
    for direction in range(2):
        k = lines.orders[row]["after"] if direction == 0 else lines.orders[row]["before"]
        while k != NOBODY:
            order = lines.orders[k]
            if order["is_ours"] == 1:
                if is_two_sided:
                    _write_case(k, qty, ts_ns, is_ahead, lines)
                order["seen_ns"] = ts_ns
            k = order["after"] if direction == 0 else order["before"]
        is_ahead = 0


@kernel
def _write_case(k, qty, ts_ns, is_ahead, lines):
    ctl = lines.ctl[0]
    order = lines.orders[k]
    side = order["side"]
    other_side = ASK if side == BID else BID
    behind_qty = lines.depth[side, order["level"]] - order["qty"] - order["ahead_qty"]
    if qty > behind_qty or qty > order["ahead_qty"]:
        return
    if ctl["n_cases"] < len(lines.cases):
        case = lines.cases[ctl["n_cases"]]
        case["ts_ns"] = ts_ns
        case["ahead_qty"] = order["ahead_qty"]
        case["behind_qty"] = behind_qty
        case["drop_qty"] = qty
        case["other_qty"] = lines.depth[other_side, lines.best[other_side]]
        case["spread"] = lines.prices[lines.best[ASK]] - lines.prices[lines.best[BID]]
        case["age_ns"] = ts_ns - order["join_ns"]
        case["quiet_ns"] = ts_ns - lines.heard_ns[side]
        case["is_ahead"] = is_ahead
    ctl["n_cases"] += 1


@kernel
def _unlink(row, lines):
    order = lines.orders[row]
    side = order["side"]
    if order["before"] == NOBODY:
        lines.heads[side, order["level"]] = order["after"]
    else:
        lines.orders[order["before"]]["after"] = order["after"]
    if order["after"] == NOBODY:
        lines.tails[side, order["level"]] = order["before"]
    else:
        lines.orders[order["after"]]["before"] = order["before"]


@kernel
def _show_next(side, ts_ns, lines):
    """Find the next best line; its orders of ours that were hidden make returns."""
    step = -1 if side == BID else 1
    level = lines.best[side]
    while 0 <= level < len(lines.prices) and lines.depth[side, level] == 0:
        level += step
    lines.best[side] = level
    if level < 0 or level >= len(lines.prices):
        return
    ctl = lines.ctl[0]
    n_moves = lines.moves[side] + (1 if level != lines.shown[side] else 0)
    k = lines.heads[side, level]
    while k != NOBODY:
        order = lines.orders[k]
        if order["is_ours"] == 1 and order["hidden_qty"] > 0:
            if ctl["n_returns"] < len(lines.returns):
                back = lines.returns[ctl["n_returns"]]
                back["ts_ns"] = ts_ns
                back["ahead_qty"] = order["hidden_qty"]
                back["left_qty"] = order["ahead_qty"]
                back["hidden_ns"] = ts_ns - order["seen_ns"]
                back["n_moves"] = n_moves - order["hidden_moves"]
            ctl["n_returns"] += 1
        order["hidden_qty"] = VISIBLE
        order["seen_ns"] = ts_ns
        k = order["after"]


@kernel
def _clear(lines):
    for k in range(len(lines.orders)):
        lines.orders[k]["qty"] = 0
    for side in range(2):
        for level in range(len(lines.prices)):
            lines.heads[side, level] = NOBODY
            lines.tails[side, level] = NOBODY
            lines.depth[side, level] = 0
    lines.best[BID] = -1
    lines.best[ASK] = len(lines.prices)
