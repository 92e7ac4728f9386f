"""The loop: one compiled generator over blocks of events, the same for replay and live, for every kind of strategy.

`make_loop(decide)` compiles the loop around a `decide` kernel (the default pipeline, a user's kernel, or the watcher behind a
Python strategy). It yields only when Python is needed: a log is nearly full, a Python strategy has to be woken, or a capacity was
reached. Measured: resuming the generator costs .13 us, where a call with the same arrays costs 2 to 5 us.

What a yield means stands in its low three bits; the rest is the index of the event that woke::

    FLUSH = 1    WAKE_ON_EVENT = 2    WAKE_ON_TIMER = 3    WAKE_ON_ANSWER = 4    STOP = 5
"""

from collections.abc import Callable
from typing import Any

from fills.bars import on_bar
from fills.exchange import hear_message, on_event, on_quote, on_trade
from replay.desk import WAKE_EVENT, WAKE_TIMER, apply_market, apply_quote, apply_trade
from replay.engine.traffic import (
    ANSWER,
    NOTHING,
    TIMER,
    act,
    collect,
    dispatch,
    mark,
    needs_flush,
    next_due,
    start_timer,
    take_answer,
    tell_desk,
)
from replay.events import Kind
from replay.jit import bound_kernel, kernel, leaf

FLUSH = 1
WAKE_ON_EVENT = 2
WAKE_ON_TIMER = 3
WAKE_ON_ANSWER = 4
STOP = 5


def make_loop(decide: Callable[..., Any]) -> Any:
    """Compile the loop around one `decide` kernel; cached on disk by the sources of both.

    Returns
    -------
    callable
        `loop(block, world, state)`, a generator of yield codes that ends when the block is through.
    """
    stretch = _make_stretch(decide)

    def loop(block, world, state):
        i = 0
        while i <= len(block.events):
            i = stretch(i, block, world, state)
            if world.control[0]["pause"] != 0:
                yield world.control[0]["pause"]

    return bound_kernel(loop, _make_stretch, decide)


def _make_stretch(decide: Callable[..., Any]) -> Any:
    """Compile the part between two yields: from event `i` on, until Python is needed or the block is through.

    It is no generator itself: measured, a generator's body runs at half the speed of a plain kernel's.
    """
    settle = _make_settle(decide)

    def stretch(i, block, world, state):
        clock = world.desk.clock
        control = world.control
        n = len(block.events)
        if is_paused(world):
            return i
        i = max(i, 0)  # which it is; the compiler then knows that no index counts from the end
        while i < n:
            ts_ns = block.events[i]["ts_ns"]
            if min(clock[0]["next_timer_ns"], control[0]["other_due_ns"]) <= ts_ns and not settle(ts_ns, block, world, state):
                return i
            if meet(block, i, world):
                decide(WAKE_EVENT, i, block, world.desk, state)
            if clock[0]["is_busy"] != 0:
                control[0]["woken"] = i << 3 | WAKE_ON_EVENT
                if is_paused(world):
                    return i + 1
            i += 1
        return n + 1 if settle(control[0]["until_ns"], block, world, state) else n

    return bound_kernel(stretch, _make_settle, decide)


def _make_settle(decide: Callable[..., Any]) -> Any:
    """Compile what lets happen all that is due before a recorded event at `ts_ns`; False when Python is needed first."""

    def settle(ts_ns, block, world, state):
        desk = world.desk
        control = world.control
        while min(desk.clock[0]["next_timer_ns"], control[0]["other_due_ns"]) <= ts_ns:
            what = next_due(world, ts_ns)
            if what == NOTHING:
                return True
            if what == TIMER:
                start_timer(world)
                decide(WAKE_TIMER, 0, block, desk, state)
                control[0]["woken"] = WAKE_ON_TIMER
            elif what == ANSWER:
                k = take_answer(world)
                decide(WAKE_EVENT, k, world.answer_block, desk, state)
                control[0]["woken"] = k << 3 | WAKE_ON_ANSWER
            else:
                act(what, world)
            if is_paused(world):
                return False
        return True

    return bound_kernel(settle, decide)


@kernel
def is_paused(world):
    """Send the outbox on its way, unless Python has to be asked first; tell whether to yield, and why in `pause`."""
    control = world.control[0]
    clock = world.desk.clock[0]
    control["pause"] = 0
    if clock["wake"] != 0:
        control["pause"] = control["woken"]
        return True
    dispatch(world)
    if clock["status"] != 0 or control["stop"] != 0:
        control["pause"] = STOP
    elif needs_flush(world):
        control["pause"] = FLUSH
    return control["pause"] != 0


@leaf
def meet(block, i, world):
    """Let exchange and desk meet one recorded event, first the exchange, which compares it with the book before.

    Returns whether the strategy is told of it. Quotes and trades, nearly all that comes, are told apart here and nowhere below.
    """
    event = block.events[i]
    kind = event["kind"]
    s = event["symbol"]
    world.desk.clock[0]["now_ns"] = event["ts_ns"]
    if kind == Kind.QUOTE and s >= 0:
        row = world.desk.book[s]
        on_quote(event, s, row, world.venue)
        apply_quote(event, row)
        mark(event, s, world)
    elif kind == Kind.TRADE and s >= 0:
        row = world.desk.book[s]
        on_trade(event, s, row, world.venue)
        apply_trade(event, row)
    else:
        return meet_rest(block, i, world)
    if world.venue.ctl[0]["n_answers"] != 0:
        collect(world)
    return True


@kernel
def meet_rest(block, i, world):
    """Let exchange and desk meet what is neither quote nor trade; messages of the full order book are for the exchange alone."""
    events = block.events
    event = events[i]
    kind = event["kind"]
    book, venue = world.desk.book, world.venue
    if kind >= Kind.ACK:
        tell_desk(events, i, -1, 0, world)
        return True
    if kind == Kind.STATUS:
        on_event(events, i, book, venue)
        apply_market(events, i, book)
    elif kind == Kind.BAR:
        on_bar(block.bars, events, i, event["symbol"], book[event["symbol"]], venue)
    elif kind == Kind.MESSAGE:
        hear_message(event, event["symbol"], book, venue)
    if venue.ctl[0]["n_answers"] != 0 or (kind == Kind.MESSAGE and venue.ctl[0]["status"] != 0):
        collect(world)
    return kind != Kind.MESSAGE
