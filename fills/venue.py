"""The simulated venue's memory: its order table, one ledger of liquidity per symbol and side, its answers and its settings.

Prices of both sides are compared as *ranks*: `rank = side * price`. A larger rank is a better price for buys and sells alike, so
each rule is written once and a mirrored market gives mirrored fills by construction.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from fills.bands import CHOICE, choices
from fills.fees import FEES, no_fees
from fills.own_queue import OwnQueue
from fills.queue import QUEUE_FIT, UNKNOWN, QueueModel
from fills.real_tables import NO_RANK, make_tables
from fills.terms import Terms
from replay.bundle import bundle
from replay.events import NO_TIME
from replay.orders import REQUEST, Evidence

NEVER = 2**63 - 1
MARKET_RANK = 2**61  # a waiting market order outranks every limit
HELD_RANK = NO_RANK + 1  # of an order that does not work yet: worse than every price
STOP_ANSWERS_FULL = 1
BID = 0
ASK = 1

FALL_WAITS = 0  # columns of `pairing_ns`: how long a fall of the display waits for its print ...
PRINT_WAITS = 1  # ... and a print for the quote that shows it
PAIRING_NS = {
    Evidence.TICK_BY_TICK: (50_000_000, 50_000_000),  # assumption: two streams of one line, tens of ms apart
    Evidence.SNAPSHOT_250MS: (50_000_000, 300_000_000),  # quotes are sampled every 250 ms, prints are not
    Evidence.BARS: (0, 0),
    Evidence.HISTORICAL: (1_000_000_000, 1_000_000_000),  # whole-second stamps: the order inside a second is lost
    Evidence.MESSAGE_LEVEL: (0, 2_000_000),  # CME's quote follows its print by 8 us (99 %: 0.4 ms), others' has its stamp
}


class Rule(IntEnum):
    """Number of the fill rule in the docstring of `fills.exchange`."""

    NONE = 0
    AT_PRICE = 7
    THROUGH = 8
    CROSSED = 12
    TAKE = 13
    MARKET = 14
    BEYOND = 26
    MID = 28
    AUCTION = 29
    BAR = 34


VENUE_ORDER = np.dtype(
    [
        ("order_id", "i8"),
        ("rank", "i8"),  # side * price; HELD_RANK while it waits
        ("leaves_qty", "i8"),
        ("ahead_qty", "i8"),  # of the market, own orders not counted; UNKNOWN before first sight
        ("join_seq", "i8"),  # exact FIFO: real orders that joined earlier stand ahead
        ("spare_micro", "i8"),  # FITTED: by how many millionths of a share `ahead_qty` lies above the estimate
        ("ghost_qty", "i8"),  # ahead before the pending drop, less the prints that explained it; UNKNOWN = came later
        ("side", "i4"),
        ("type", "i4"),
        ("price", "i8"),
        ("qty", "i8"),
        ("expire_ts_ns", "i8"),
        ("mid2_at_arrival", "i8"),
        ("value", "i8"),  # filled, price units x shares
        ("commission_nanos", "i8"),  # of what is filled, minimum and cap apart
        ("exchange_nanos", "i8"),
        ("fee_micros", "i8"),  # charged so far
        ("cap_rank", "i8"),  # its limit: what a pegged order may not go beyond
        ("since_ns", "i8"),  # when it came or was released
        ("tick", "i8"),
        ("lot", "i8"),
        ("join_ns", "i8"),  # when it took its place in the queue
        ("seen_ns", "i8"),  # when its level last fell, or became the touch
        ("seen_moves", "i8"),  # how often the touch of its side had moved by the time its level last became it
        ("tif", "i4"),
        ("post_only", "i4"),
        ("is_held", "i4"),
        ("evidence", "i4"),  # of its symbol
    ],
    align=True,
)

LEDGER = np.dtype(
    [
        ("rank", "i8"),  # the touch as last seen
        ("qty", "i8"),
        ("seq", "i8"),  # of the quote that showed it
        ("drop_qty", "i8"),  # fall of the display that no print has explained yet
        ("drop_until_ns", "i8"),
        ("print_qty", "i8"),  # prints that no quote has shown yet
        ("print_until_ns", "i8"),
        ("gone_rank", "i8"),  # the touch before this one, and the drop it left behind
        ("gone_drop_qty", "i8"),
        ("gone_until_ns", "i8"),
        ("taken_rank", "i8"),  # best level of which own orders took something; NO_RANK = none
        ("taken_qty", "i8"),
        ("n_deep", "i8"),  # how many taken levels lie behind it, in `Venue.deep`
        ("best_rank", "i8"),  # best own order of this side; NO_RANK = none
        ("worst_rank", "i8"),
        ("change", "i8"),  # what the last quote that concerned own orders did: RESIZED or MOVED ...
        ("fresh_drop_qty", "i8"),  # ... the part of a fall that no print had explained ...
        ("is_first_drop", "i8"),  # ... and whether it opened the drop
        ("heard_ns", "i8"),  # the last print on this side ...
        ("heard_exch_ns", "i8"),  # ... at the exchange; NO_TIME where that names no single event
        ("n_moves", "i8"),  # how often the touch moved
        ("explained_qty", "i8"),  # how much of the last print explained a drop
    ],
    align=True,
)

ACCOUNT = np.dtype([("position", "i8"), ("mark", "i8"), ("multiplier", "i8"), ("is_restricted", "i8")], align=True)
TOUCH = np.dtype([("exch_ts_ns", "i8"), ("bid", "i8"), ("ask", "i8")], align=True)
TOUCHES = 8
LEVEL = np.dtype([("rank", "i8"), ("qty", "i8")], align=True)
DEEP_LEVELS = 15

ANSWER = np.dtype(
    [
        ("ts_ns", "i8"),
        ("order_id", "i8"),
        ("price", "i8"),
        ("qty", "i8"),
        ("leaves_qty", "i8"),
        ("ahead_qty_before", "i8"),  # market and own orders ahead; -1 = unknown
        ("ahead_qty_after", "i8"),
        ("source_seq", "i8"),  # seq of the quote or print; -1 = none
        ("fee_micros", "i8"),
        ("mid2_at_arrival", "i8"),  # bid + ask; 0 = unknown
        ("symbol", "i4"),
        ("kind", "i4"),
        ("liquidity", "i4"),
        ("venue", "i4"),
        ("rule", "i4"),
        ("evidence", "i4"),
        ("reason", "i4"),
        ("side", "i4"),
    ],
    align=True,
)

VENUE_CTL = np.dtype(
    [
        ("n_answers", "i8"),
        ("status", "i8"),  # 0, or STOP_ANSWERS_FULL
        ("next_expiry_ns", "i8"),
        ("now_ns", "i8"),
        ("close_ns", "i8"),  # DAY orders expire then
        ("source_seq", "i8"),
        ("source_exch_ns", "i8"),
        ("source_venue", "i8"),
        ("evidence", "i8"),
        ("symbol", "i8"),  # of the event that own orders react to
        ("model", "i8"),
        ("own_join", "i8"),  # addresses of a user's own queue model
        ("own_trade", "i8"),
        ("own_change", "i8"),
        ("n_unsided", "i8"),  # prints whose side could not be told
        ("n_ineligible", "i8"),  # prints that consume nothing
        ("power", "f8"),
        ("own_in_book", "i8"),  # 1 = the recorded display contains the own orders
        ("has_shares", "i8"),  # 1 = a fitted model has something to say of prints (`fills.shares`)
    ],
    align=True,
)


@bundle
class Venue(NamedTuple):
    """Everything the simulated exchange remembers; index 0 is the symbol."""

    orders: np.ndarray  # VENUE_ORDER (n_symbols, slots), live ones first, in time priority
    n_orders: np.ndarray  # int64 (n_symbols,)
    ledgers: np.ndarray  # LEDGER (n_symbols, 2): bids, asks
    deep: np.ndarray  # LEVEL (n_symbols, 2, DEEP_LEVELS): what own orders took behind the best taken level, worst first
    answers: np.ndarray  # ANSWER (capacity,); ctl['n_answers'] are valid, the engine takes them and sets it back to 0
    ctl: np.ndarray  # VENUE_CTL, one row
    pairing_ns: np.ndarray  # int64 (8, 2), by Evidence: FALL_WAITS, PRINT_WAITS
    choices: np.ndarray  # CHOICE (8,), by Evidence: what the band decides
    fits: np.ndarray  # QUEUE_FIT (n_symbols,) where the queue model is FITTED, else one row of zeros
    fees: np.ndarray  # FEES, one row
    terms: np.ndarray  # TERMS, one row
    accounts: np.ndarray  # ACCOUNT (n_symbols,)
    touches: np.ndarray  # TOUCH (n_symbols, TOUCHES): a ring of the last touches with an exchange time
    n_touches: np.ndarray  # int64 (n_symbols,): how many were ever written to it
    scratch: np.ndarray  # VENUE_ORDER, one row, for moving orders
    scratch_request: np.ndarray  # REQUEST, one row
    symbol_of: np.ndarray  # int64 (n_symbols,): itself, but for the lanes of shadow orders
    real_orders: np.ndarray  # REAL_ORDER, see `fills.real_tables`; used by exact FIFO alone, as are the next four
    real_levels: np.ndarray  # REAL_LEVEL
    real_sides: np.ndarray  # REAL_SIDE (n_symbols, 2)
    real_book: np.ndarray  # BOOK (n_symbols,): the market as the messages make it
    real_ctl: np.ndarray  # REAL_CTL, one row


def make_venue(
    n_symbols: int,
    slots: int = 64,
    *,
    queue: QueueModel | OwnQueue = QueueModel.BEHIND_FIRST,
    fits: np.ndarray | None = None,
    power: float = 3.0,
    close_ns: int = NEVER,
    fees: np.ndarray | None = None,
    band: np.ndarray | None = None,
    pairing_ns: Mapping[Evidence, tuple[int, int]] | None = None,
    terms: Terms | None = None,
    multipliers: Sequence[int] | None = None,
    answer_capacity: int = 4096,
    own_in_book: bool = False,
    n_messages: int = 0,
) -> Venue:
    """Make an empty venue.

    Parameters
    ----------
    n_symbols, slots : int
        Size of the order table: own live orders per symbol at most `slots`.
    queue : QueueModel or OwnQueue
        How unexplained falls of the display are shared.
    fits : numpy.ndarray, optional
        Parameters of `QueueModel.FITTED`, a row of `QUEUE_FIT` per symbol.
    power : float
        Exponent n of `QueueModel.POWER`.
    close_ns : int
        When DAY orders expire.
    fees : numpy.ndarray, optional
        One `FEES` row, see `fills.fees.FeeSchedule`, copied; None charges nothing.
    band : numpy.ndarray, optional
        What `fills.bands.choices` returns; None is the expected band (rule 24).
    pairing_ns : mapping, optional
        By `Evidence`: how long a fall of the display waits for its print, and a print for its quote (rule 9).
    terms : Terms, optional
        What is asked of an order before it may trade (rules 30 to 33).
    multipliers : sequence of int, optional
        Units of value that one unit of each symbol stands for, for the buying power; 1 where absent.
    answer_capacity : int
        Answers between two collections; reaching it sets `ctl['status']` and leaves the venue as it was.
    own_in_book : bool
        The orders are real ones played again: what is displayed contains them (rule 23).
    n_messages : int
        Messages of the full order book at most; `QueueModel.FIFO` needs them.
    """
    waits = np.zeros((8, 2), np.int64)
    for evidence, wait_ns in (PAIRING_NS | dict(pairing_ns or {})).items():
        waits[int(evidence)] = wait_ns
    accounts = np.zeros(n_symbols, ACCOUNT)
    accounts["multiplier"] = 1 if multipliers is None else multipliers
    ledgers = np.zeros((n_symbols, 2), LEDGER)
    for name in ("rank", "gone_rank", "taken_rank", "best_rank", "worst_rank"):
        ledgers[name] = NO_RANK
    ledgers["heard_exch_ns"] = NO_TIME
    ctl = np.zeros(1, VENUE_CTL)
    ctl["next_expiry_ns"] = NEVER
    ctl["close_ns"] = close_ns
    ctl["model"] = queue.code
    if isinstance(queue, OwnQueue):
        ctl["own_join"], ctl["own_trade"], ctl["own_change"] = queue.addresses
    ctl["power"] = power
    ctl["own_in_book"] = own_in_book
    ctl["has_shares"] = fits is not None and any(fits[name].any() for name in ("venue_share", "hidden_share", "passed_share"))
    return Venue(
        orders=np.zeros((n_symbols, slots), VENUE_ORDER),
        n_orders=np.zeros(n_symbols, np.int64),
        ledgers=ledgers,
        deep=np.zeros((n_symbols, 2, DEEP_LEVELS), LEVEL),
        answers=np.zeros(answer_capacity, ANSWER),
        ctl=ctl,
        pairing_ns=waits,
        choices=choices() if band is None else np.asarray(band, CHOICE),
        fits=np.zeros(n_symbols if queue is QueueModel.FITTED else 1, QUEUE_FIT) if fits is None else fits,
        fees=no_fees() if fees is None else np.array(fees, FEES).reshape(1),
        terms=(terms or Terms()).row(),
        accounts=accounts,
        touches=np.zeros((n_symbols, TOUCHES), TOUCH),
        n_touches=np.zeros(n_symbols, np.int64),
        scratch=np.zeros(1, VENUE_ORDER),
        scratch_request=np.zeros(1, REQUEST),
        symbol_of=np.arange(n_symbols),
        **make_tables(n_symbols, n_messages)._asdict(),
    )


__all__ = ["ANSWER", "LEDGER", "NO_RANK", "UNKNOWN", "VENUE_CTL", "VENUE_ORDER", "Rule", "Venue", "make_venue"]
