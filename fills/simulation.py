"""Play given orders against a session, without any strategy: what would they have got?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fills.arrivals import Arrivals, arrivals_of
from fills.bands import Band, choices, queue_of
from fills.batch import ANSWERS_AT_ONCE, BATCH_CTL, SPARE_ANSWERS, STEP, Batch, act_until, play
from fills.chosen import choose_queue
from fills.fitted import FittedQueue
from fills.given import GivenOrders, read_orders
from fills.latency import LatencySettings
from fills.own_queue import OwnQueue
from fills.queue import FIFO, QueueModel
from fills.real_book import STOP_BOOK_FULL
from fills.real_tables import MOST_LIVE
from fills.shadows import make_shadows
from fills.terms import Terms, tick_table
from fills.venue import NEVER, make_venue
from replay.desk import BOOK, Block
from replay.errors import CapacityError, UsageError
from replay.events import Kind
from replay.orders import Action, Evidence, Liquidity, OrderType, Tif
from replay.session.weave import MessageWeaver, message_count

if TYPE_CHECKING:
    import pandas as pd

    from replay.session import Session

EXPIRY, NEW, CANCEL, EXPIRY_AT_ONCE = 0, 1, 2, 3  # of steps due at one time
LAST_SEQ = 2**62  # beyond that of any event

FILL = np.dtype(
    [
        ("ts_ns", "i8"),
        ("order_id", "i8"),
        ("price", "i8"),
        ("qty", "i8"),
        ("liquidity", "i2"),
        ("rule", "i2"),
        ("evidence", "i2"),
    ]
)


def simulate(
    session: Session,
    orders: pd.DataFrame,
    queue: QueueModel | FittedQueue | OwnQueue | str | Path = QueueModel.BEHIND_FIRST,
    latency: int | LatencySettings | None = None,
    independent: bool = False,
    own_in_book: bool = False,
    *,
    band: Band | str = Band.EXPECTED,
    hours: str = "all",
) -> pd.DataFrame:
    """Return the fills that given orders would have had, one row per fill, in time order.

    Parameters
    ----------
    session : Session
        The recorded market.
    orders : pandas.DataFrame
        `order_id` (int, unique), `symbol`, `ts_ns` (sent), `side` (BUY, SELL), `qty`, `limit_price` (dollars, NaN = market),
        `tif` (DAY, IOC, FOK, GTD); optional `expire_ts_ns` (GTD), `cancel_ts_ns` (sent; 0 or NaN = never), `post_only`, `type`
        (LIMIT; PEG_MID and MIDPRICE follow the mid, with `limit_price` as cap, NaN for none).
    queue : QueueModel, path, FittedQueue or OwnQueue
        How falls of the display that no print explains are shared; a path is that of a fitted model (`replay fit fills`). FIFO
        follows the messages of the full order book instead of quotes and prints, where the session has them.
    latency : int or LatencySettings, optional
        None is the default profile; an int is a fixed way from sending to acting, in ns, for orders and cancels alike.
        `LatencySettings` may draw its legs; `compute` is over when an order is sent and does not count here. All orders and
        cancels share one line, on which none overtakes another; independent ones have a line each.
    independent : bool
        Each order alone in the market (shadow orders).
    own_in_book : bool
        The orders are real ones played again: the recorded book holds them from their arrival on, so they act before the events
        of their own time stamp and not after. Where several events share it, `before_seq` and `cancel_before_seq` (0 = before
        all of them) name by its `seq` the quote that shows the order, or its end: it acts just before that one. (FIFO, which
        follows messages, does not look at them.)
    band : Band
        How all that the recording leaves open is read (`fills.bands`); `queue` is the model of the expected band.

    hours : {"all", "rth"}
        With "rth", DAY and GTD orders that arrive before the regular open are held until it (rule 30).

    Returns
    -------
    pandas.DataFrame
        `order_id, ts_ns, price` (dollars), `qty, liquidity` (ADD, REMOVE), `rule` (number in `fills.exchange`), `evidence`.
        `ts_ns` is when the exchange filled, on the session's receive clock.

    Notes
    -----
    DAY and GTD orders that act before the regular close expire there, GTD at its time where that is earlier; those that come
    after it live on, DAY to the end of the session. No fees are charged.

    Examples
    --------
    An order joins 300 shares at 100.00; a print of 350 there reaches 50 of its 100.

    >>> import pandas as pd
    >>> from replay import Session
    >>> at_ns = pd.Timestamp("2026-03-02 10:00", tz="America/New_York").value
    >>> shown = {"ts_ns": [at_ns], "symbol": "A", "bid": 100.0, "bid_size": 300, "ask": 100.01, "ask_size": 300}
    >>> printed = {"ts_ns": [at_ns + 10**9], "symbol": "A", "price": 100.0, "size": 350, "exchange": "NYSE"}
    >>> session = Session.from_frames(quotes=pd.DataFrame(shown), trades=pd.DataFrame(printed))
    >>> order = {"order_id": 1, "symbol": "A", "ts_ns": at_ns, "side": "BUY", "qty": 100, "limit_price": 100.0, "tif": "DAY"}
    >>> fills = simulate(session, pd.DataFrame([order]))
    >>> fills[["order_id", "price", "qty", "liquidity", "rule"]].to_dict("records")
    [{'order_id': 1, 'price': 100.0, 'qty': 50, 'liquidity': 'ADD', 'rule': 7}]
    """
    given = read_orders(orders, session, span_ns(session))
    if not own_in_book and (given.before_seq.any() or given.cancel_before_seq.any()):
        raise UsageError("`before_seq` places real orders that are played again; it needs `own_in_book=True`")
    chosen = choose_queue(queue)
    if chosen.model is QueueModel.FIFO:
        if (given.type > OrderType.MARKET).any():
            raise UsageError("exact FIFO does not follow pegged orders; ask for another queue model, or leave them out")
        given = replace(given, before_seq=np.zeros_like(given.before_seq), cancel_before_seq=np.zeros_like(given.before_seq))
    venue = {
        "queue": queue_of(Band(band), chosen.model),
        "fits": chosen.fits(session, session.symbols, {session.symbols[k] for k in np.unique(given.symbol)}),
        "band": choices(Band(band)),
        "own_in_book": own_in_book,
        "terms": _terms(session, hours),
    }
    batch = make_batch(session, given, arrivals_of(session, given, latency, independent), independent, venue)
    fills = np.concatenate([np.zeros(0, FILL), *stream_fills(session, batch)])
    return _frame(fills[np.argsort(fills["ts_ns"], kind="stable")], session.scale)


def span_ns(session: Session) -> tuple[int, int]:
    """Return the time in which orders make sense: the trading day, and all that was recorded."""
    streams = session.manifest.streams.values()
    first = min([session.hours.pre_ns, *[info.first_ts_ns for info in streams]])
    last = max([session.hours.post_ns, *[info.last_ts_ns for info in streams]])
    return first, last


def _terms(session: Session, hours: str) -> Terms:
    if hours not in ("all", "rth"):
        raise UsageError(f"`hours` must be 'all' or 'rth', got {hours!r}")
    open_ns = session.hours.open_ns if hours == "rth" else -NEVER
    return Terms(open_ns=open_ns, ticks=tick_table(session.day, session.scale))


def make_batch(session: Session, given: GivenOrders, arrivals: Arrivals, is_independent: bool, venue: dict[str, Any]) -> Any:
    """Lay orders and market out for `stream_fills`; `arrivals` is what `fills.arrivals` makes.

    `venue` holds what `make_venue` is told of how to fill: `queue`, `fits`, `band`, `own_in_book`, `terms`.
    """
    n_symbols, acts_first = len(session.symbols), venue["own_in_book"]
    steps = _schedule(given, arrivals, (venue["terms"].open_ns, session.hours.close_ns), acts_first)
    most = _most_live(steps, len(given.order_id)) if is_independent else 0
    slots = 1 if is_independent else max(int(np.bincount(given.symbol, minlength=1).max()), 1)
    n_messages = message_count(session) if venue["queue"] is QueueModel.FIFO else 0
    room = max(ANSWERS_AT_ONCE, 2 * max(slots, most) + SPARE_ANSWERS)
    return Batch(
        requests=given.new_requests(),
        steps=steps,
        shadows=make_shadows(given.symbol, given.side, n_symbols, most),
        book=_book(session),
        venue=make_venue(n_symbols + most, slots, answer_capacity=room, n_messages=n_messages, **venue),
        ctl=np.array([(0, 0, int(is_independent), 0)], BATCH_CTL),
    )


def _schedule(given: GivenOrders, arrivals: Arrivals, hours_ns: tuple[int, int], acts_first: bool) -> np.ndarray:
    """Return all steps in the order in which they act: each order's arrival, its cancel and its end.

    An order that acts before the events of its own time stamp acts after those of the nanosecond before; so does an expiry. One
    that names an event acts after those before it.
    """
    open_ns, close_ns = hours_ns
    early_ns = int(acts_first)
    arrival_ns, arrival_seq = _place_of(arrivals.new_ns, given.before_seq, early_ns)
    cancel_ns, cancel_seq = _place_of(arrivals.cancel_ns, given.cancel_before_seq, early_ns)
    is_early = (cancel_ns < arrival_ns) | ((cancel_ns == arrival_ns) & (cancel_seq < arrival_seq))
    cancel_ns, cancel_seq = np.where(is_early, arrival_ns, cancel_ns), np.where(is_early, arrival_seq, cancel_seq)
    gone_ns = np.where(given.cancel_ts_ns > 0, arrivals[1], NEVER)
    gone_ns = np.where(given.tif == Tif.GTD, np.minimum(gone_ns, given.expire_ts_ns), gone_ns)
    is_waiting = (arrival_ns < open_ns) & np.isin(given.tif, (Tif.DAY, Tif.GTD)) & (gone_ns > open_ns)
    arrival_ns, arrival_seq = np.where(is_waiting, open_ns, arrival_ns), np.where(is_waiting, LAST_SEQ, arrival_seq)  # rule 30
    end_ns = np.where(arrival_ns < close_ns, close_ns, NEVER)
    end_ns = np.where(given.tif == Tif.GTD, np.minimum(given.expire_ts_ns, end_ns), end_ns) - 1  # rule 18
    cancelled = np.flatnonzero(given.cancel_ts_ns > 0)
    ending = np.flatnonzero(end_ns < NEVER - 1)
    due_ns = np.concatenate([arrival_ns, cancel_ns[cancelled], end_ns[ending]])
    due_seq = np.concatenate([arrival_seq, cancel_seq[cancelled], np.full(len(ending), LAST_SEQ)])
    owner = np.concatenate([np.arange(len(arrival_ns)), cancelled, ending])
    rank = np.repeat([NEW, CANCEL, EXPIRY], [len(arrival_ns), len(cancelled), len(ending)])
    rank[len(rank) - len(ending) :][end_ns[ending] == arrival_ns[ending]] = EXPIRY_AT_ONCE
    order = np.lexsort((owner, rank, due_seq, due_ns))
    steps = np.zeros(len(order), STEP)
    steps["due_ns"], steps["due_seq"], steps["owner"] = due_ns[order], due_seq[order], owner[order]
    steps["now_ns"] = steps["due_ns"] + early_ns * (steps["due_seq"] == LAST_SEQ)
    steps["action"] = np.where(rank[order] == NEW, Action.NEW, Action.CANCEL)
    return steps


def _place_of(at_ns: np.ndarray, before_seq: np.ndarray, early_ns: int) -> tuple[np.ndarray, np.ndarray]:
    """Return time and `seq` of the last event that each step lets pass."""
    is_named = before_seq > 0
    return np.where(is_named, at_ns, at_ns - early_ns), np.where(is_named, before_seq - 1, LAST_SEQ)


def _most_live(steps: np.ndarray, n_orders: int) -> int:
    """Return how many orders are live at once at most, were none of them filled."""
    at = np.arange(len(steps))
    arrival, end = np.zeros((2, n_orders), np.int64)
    is_new = steps["action"] == Action.NEW
    arrival[steps["owner"][is_new]] = at[is_new]
    is_end = ~is_new & (at > arrival[steps["owner"]])
    last = np.flatnonzero(is_end)[::-1]
    end[steps["owner"][last]] = last  # backwards: the first of two ends stays
    change = np.zeros(len(steps) + 1, np.int64)
    change[arrival] += 1
    change[end[end > 0]] -= 1
    return int(np.cumsum(change).max())


def _book(session: Session) -> np.ndarray:
    book = np.zeros(len(session.symbols), BOOK)
    for row, name in zip(book, session.symbols, strict=True):
        info = session.symbol_info(name)
        row["tick"], row["lot"] = info.tick, info.lot
        row["evidence"] = Evidence[info.evidence.upper()]
    return book


def stream_fills(session: Session, batch: Any) -> Iterator[np.ndarray]:
    """Play the whole session through a batch, once; yield FILL rows whenever the answers have to be collected."""
    for block in _blocks(session, batch):
        batch.ctl["event"] = 0
        while not play(block, len(block.events), batch):
            yield _collect(batch)
        yield _collect(batch)
    while not act_until(NEVER, 0, batch):
        yield _collect(batch)
    yield _collect(batch)


def _blocks(session: Session, batch: Any) -> Iterator[Block]:
    """Stream the session, with the messages of the symbols that have orders where the queue is exact."""
    blocks = session.blocks(symbol_index={name: k for k, name in enumerate(session.symbols)})
    if batch.venue.ctl["model"][0] != FIFO:
        yield from blocks
        return
    traded = {session.symbols[k]: int(k) for k in np.unique(batch.requests["symbol"])}
    weaver = MessageWeaver(session, traded)
    for block in blocks:
        yield from weaver.weave(block)
    yield from weaver.rest()


def _collect(batch: Any) -> np.ndarray:
    venue = batch.venue
    if venue.ctl["status"][0] == STOP_BOOK_FULL:
        raise CapacityError(f"more than {MOST_LIVE} real orders or price levels at once; simulate fewer symbols at a time")
    rows = venue.answers[: venue.ctl["n_answers"][0]]
    venue.ctl["n_answers"] = 0
    rows = rows[(rows["kind"] == Kind.PARTIAL) | (rows["kind"] == Kind.FILL)]
    fills = np.zeros(len(rows), FILL)
    for name in FILL.names or ():
        fills[name] = rows[name]
    return fills


def _frame(fills: np.ndarray, scale: int) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {
            "order_id": fills["order_id"],
            "ts_ns": fills["ts_ns"],
            "price": fills["price"] / scale,
            "qty": fills["qty"],
            "liquidity": _words(fills["liquidity"], {int(x): x.name for x in Liquidity}),
            "rule": fills["rule"],
            "evidence": _words(fills["evidence"], {int(x): x.name.lower() for x in Evidence}),
        }
    )


def _words(codes: np.ndarray, names: dict[int, str]) -> Any:
    import pandas as pd

    return pd.array([names.get(int(code), "") for code in codes], dtype="str")
