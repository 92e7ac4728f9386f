"""The third door: a strategy as a kernel, compiled into the loop, at millions of events a second.

    replay run data/sample --strategy examples/kernel.py:imbalance_taker

A kernel is a module-level function in numba's subset. `replay.desk` describes what it may read and how it sends orders; its own
memory is the tuple of arrays that `make_state` returns.
"""

import numpy as np

from replay import bind
from replay.desk import WAKE_EVENT, send_limit
from replay.events import Kind
from replay.orders import Side, Tif

REST_NS = 60_000_000_000
QTY = 100


def decide(wake, i, block, desk, state):
    """Buy at the ask when four fifths of the touch stands on the bid, sell back a minute later; mirrored for the ask."""
    if wake != WAKE_EVENT or block.events[i]["kind"] != Kind.QUOTE:
        return
    quote = block.events[i]
    s = quote["symbol"]
    now_ns = desk.clock[0]["now_ns"]
    both = quote["bid_qty"] + quote["ask_qty"]
    if now_ns < state[0][s] or desk.n_orders[s] > 0 or quote["bid_qty"] == 0 or quote["ask_qty"] == 0:
        return
    held = desk.positions[s]["qty"]
    side = 0
    if held != 0:
        side = -1 if held > 0 else 1
    elif now_ns < desk.clock[0]["trade_until_ns"] - 5 * REST_NS and now_ns >= desk.clock[0]["trade_from_ns"]:
        side = 1 if 5 * quote["bid_qty"] > 4 * both else (-1 if 5 * quote["ask_qty"] > 4 * both else 0)
    if side != 0:
        send_limit(desk, s, side, abs(held) if held != 0 else QTY, quote["ask"] if side == Side.BUY else quote["bid"], Tif.IOC, 0)
        state[0][s] = now_ns + REST_NS


def make_state(n_symbols):
    """Return the time before which each symbol rests."""
    return (np.zeros(n_symbols, np.int64),)


imbalance_taker = bind(decide, make_state)
