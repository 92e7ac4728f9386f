"""The world of one run: every array that the loop reads or writes, and the rows that leave it."""

from typing import Any, NamedTuple

import numpy as np

from replay.bundle import bundle
from replay.desk import BOOK, CLOCK, DESK_ORDER, NEVER, POSITION, Block, Desk
from replay.events import BAR, EVENT, FORECAST
from replay.orders import FILL, MARK, ORDER_LOG, REQUEST

MARK_EVERY_NS = 1_000_000_000

TOUCH = np.dtype(
    [
        ("ts_ns", "i8"),
        ("due_ns", "i8"),  # end of the second in which it changed; NEVER = nothing waits to be logged
        ("bid", "i8"),
        ("ask", "i8"),
        ("marked_bid", "i8"),
        ("marked_ask", "i8"),
    ],
    align=True,
)  # the touch now, and the one that was logged last

CONTROL = np.dtype(
    [
        ("other_due_ns", "i8"),  # earliest arrival, answer or expiry at the exchange
        ("until_ns", "i8"),  # settle what is due before this time once the block is through
        ("arrival_head", "i8"),
        ("arrival_count", "i8"),
        ("arrival_last_ns", "i8"),
        ("answer_head", "i8"),
        ("answer_count", "i8"),
        ("answer_last_ns", "i8"),
        ("n_order_log", "i8"),
        ("n_fills", "i8"),
        ("n_marks", "i8"),
        ("n_sent", "i8"),
        ("is_live", "i8"),
        ("woken", "i8"),  # what was decided on last, as the yield code of a wake
        ("pause", "i8"),  # why the loop yields; 0 = it does not
        ("stop", "i8"),
    ],
    align=True,
)


@bundle
class Log(NamedTuple):
    """Rows that leave the loop, emptied by the driver whenever it asks."""

    orders: np.ndarray  # ORDER_LOG
    fills: np.ndarray  # FILL
    marks: np.ndarray  # MARK
    sent: np.ndarray  # REQUEST, in live only: what has to go to the broker


@bundle
class World(NamedTuple):
    """All state of the engine except the strategy's own."""

    control: np.ndarray  # CONTROL, one row
    legs: Any  # fills.delays.Delays
    desk: Desk
    venue: Any  # fills.Venue
    arrivals: np.ndarray  # REQUEST ring: on their way to the exchange
    arrival_due_ns: np.ndarray
    answers: np.ndarray  # EVENT ring: on their way back
    answer_block: Block  # the ring as the block that the strategy sees
    answer_rows: np.ndarray  # ANSWER ring beside it
    touches: np.ndarray  # TOUCH (n_symbols,)
    log: Log


class Sizes(NamedTuple):
    """Capacities; reaching one is an error that names it, never a loss."""

    slots: int = 16  # own live orders per symbol
    requests: int = 4096
    in_flight: int = 1 << 14
    log: int = 1 << 15


def build_desk(n_symbols: int, decision: np.dtype[Any], cycle: np.dtype[Any], sizes: Sizes) -> Desk:
    """Allocate an empty desk."""
    desk = Desk(
        clock=np.zeros(1, CLOCK),
        book=np.zeros(n_symbols, BOOK),
        orders=np.zeros((n_symbols, sizes.slots), DESK_ORDER),
        n_orders=np.zeros(n_symbols, np.int64),
        positions=np.zeros(n_symbols, POSITION),
        requests=np.zeros(sizes.requests, REQUEST),
        decisions=np.zeros(sizes.log + 2 * n_symbols, decision),
        cycles=np.zeros(sizes.log + 1, cycle),
    )
    desk.clock["next_timer_ns"] = NEVER
    desk.clock["next_order_id"] = 1
    desk.clock["next_decision_id"] = 1
    return desk


def build_world(desk: Desk, venue: Any, answer: np.dtype[Any], legs: Any, sizes: Sizes) -> World:
    """Allocate the rings and logs around a desk and a venue."""
    n_symbols = len(desk.book)
    control = np.zeros(1, CONTROL)
    control["other_due_ns"] = NEVER
    control["until_ns"] = -NEVER
    control["arrival_last_ns"] = -NEVER
    control["answer_last_ns"] = -NEVER
    margin = len(venue.answers) + sizes.requests
    answers = np.zeros(sizes.in_flight, EVENT)
    return World(
        control=control,
        legs=legs,
        desk=desk,
        venue=venue,
        arrivals=np.zeros(sizes.in_flight, REQUEST),
        arrival_due_ns=np.zeros(sizes.in_flight, np.int64),
        answers=answers,
        answer_block=Block(answers, np.zeros(0, BAR), np.zeros(0, FORECAST)),
        answer_rows=np.zeros(sizes.in_flight, answer),
        touches=np.zeros(n_symbols, TOUCH),
        log=Log(
            orders=np.zeros(sizes.log + margin, ORDER_LOG),
            fills=np.zeros(sizes.log + margin, FILL),
            marks=np.zeros(sizes.log + 1, MARK),
            sent=np.zeros(sizes.requests * 2, REQUEST),
        ),
    )
