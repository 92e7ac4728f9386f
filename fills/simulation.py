"""Play given orders against a session, without any strategy: what would they have got?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from fills.batch import BATCH_CTL, NO_LANE, Batch, act_until, play
from fills.given import GivenOrders, read_orders
from fills.latency import LatencySettings
from fills.queue import QueueModel
from fills.venue import ANSWER, NEVER, make_venue
from replay.desk import BOOK
from replay.errors import UsageError
from replay.events import Kind
from replay.orders import REQUEST, Action, Evidence, Liquidity, Tif

if TYPE_CHECKING:
    import pandas as pd

    from replay.session import Session

ANSWER_CAPACITY = 1 << 16
EXPIRY, NEW, CANCEL = 0, 1, 2  # of requests due at one time


def simulate(
    session: Session,
    orders: pd.DataFrame,
    queue: QueueModel | str = QueueModel.BEHIND_FIRST,
    latency: int | LatencySettings | None = None,
    independent: bool = False,
    own_in_book: bool = False,
) -> pd.DataFrame:
    """Return the fills that given orders would have had, one row per fill, in time order.

    Parameters
    ----------
    session : Session
        The recorded market.
    orders : pandas.DataFrame
        `order_id` (int, unique), `symbol`, `ts_ns` (sent), `side` (BUY, SELL), `qty`, `limit_price` (dollars, NaN = market),
        `tif` (DAY, IOC, FOK, GTD); optional `expire_ts_ns` (GTD), `cancel_ts_ns` (sent; 0 or NaN = never), `post_only`.
    queue : QueueModel
        How falls of the display that no print explains are shared.
    latency : int or LatencySettings, optional
        None is the default profile; an int is a fixed way from sending to acting, in ns, for orders and cancels alike.
    independent : bool
        Each order alone in the market (shadow orders).
    own_in_book : bool
        The orders are real ones played again: the recorded book holds them from their arrival on, so they act before the events
        of their own time stamp and not after.

    Returns
    -------
    pandas.DataFrame
        `order_id, ts_ns, price` (dollars), `qty, liquidity` (ADD, REMOVE), `rule` (number in `fills.exchange`), `evidence`.
        `ts_ns` is when the exchange filled, on the session's receive clock.

    Notes
    -----
    DAY orders that act before the regular close expire there, later ones with the session. No fees are charged.
    """
    given = read_orders(orders, session, _span_ns(session))
    batch = _make_batch(session, given, QueueModel(queue), _legs(latency), independent, own_in_book)
    fills = np.concatenate([np.zeros(0, ANSWER), *_fills(session, batch)])
    return _frame(fills[np.argsort(fills["ts_ns"], kind="stable")], session.scale)


def _span_ns(session: Session) -> tuple[int, int]:
    """Return the time in which orders make sense: the trading day, and all that was recorded."""
    streams = session.manifest.streams.values()
    first = min([session.hours.pre_ns, *[info.first_ts_ns for info in streams]])
    last = max([session.hours.post_ns, *[info.last_ts_ns for info in streams]])
    return first, last


def _legs(latency: int | LatencySettings | None) -> tuple[int, int]:
    """Return the way of an order and of a cancel to the market as recorded."""
    if latency is None or isinstance(latency, LatencySettings):
        legs = latency or LatencySettings()
        return legs.outbound_ns + legs.feed_ns, legs.cancel_ns + legs.feed_ns
    if isinstance(latency, bool) or latency != int(latency) or latency < 0:
        raise UsageError(f"`latency` must be whole and not negative (ns), LatencySettings or None, got {latency!r}")
    return int(latency), int(latency)


def _make_batch(
    session: Session, given: GivenOrders, queue: QueueModel, legs: tuple[int, int], is_independent: bool, acts_first: bool
) -> Any:
    n_symbols, n_orders = len(session.symbols), len(given.order_id)
    requests, due_ns, owner = _schedule(given, legs, session.hours.close_ns, acts_first)
    own = np.arange(n_symbols)
    slots = 1 if is_independent else max(int(np.bincount(given.symbol, minlength=1).max()), 1)
    n_lanes = n_symbols + (n_orders if is_independent else 0)
    return Batch(
        requests=requests,
        due_ns=due_ns,
        request_lanes=n_symbols + owner if is_independent else given.symbol[owner],
        first_lane=own,
        last_lane=own.copy(),
        next_lane=np.full(n_lanes, NO_LANE),
        book=_book(session),
        venue=make_venue(
            n_lanes, slots, queue=queue, answer_capacity=max(ANSWER_CAPACITY, 2 * slots + 16), own_in_book=acts_first
        ),
        ctl=np.array([(0, 0, NO_LANE, int(acts_first))], BATCH_CTL),
    )


def _schedule(
    given: GivenOrders, legs: tuple[int, int], close_ns: int, acts_first: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return all requests by the time after whose events they act, those times, and the row of the order each belongs to.

    An order that acts before the events of its own time stamp acts after those of the nanosecond before; so does an expiry.
    """
    arrival_ns = given.ts_ns + legs[0] - int(acts_first)
    end_ns = np.where(arrival_ns < close_ns, close_ns, NEVER)
    end_ns = np.where(given.tif == Tif.GTD, given.expire_ts_ns, end_ns) - 1
    cancelled = np.flatnonzero(given.cancel_ts_ns > 0)
    ending = np.flatnonzero(end_ns < NEVER - 1)
    new = given.new_requests()
    owner = np.concatenate([np.arange(len(new)), cancelled, ending])
    cancel_ns = np.maximum(given.cancel_ts_ns + legs[1] - int(acts_first), arrival_ns)  # one connection: nothing overtakes
    due_ns = np.concatenate([arrival_ns, cancel_ns[cancelled], end_ns[ending]])
    rank = np.repeat([NEW, CANCEL, EXPIRY], [len(new), len(cancelled), len(ending)])
    requests = np.concatenate([new, _cancels(new[cancelled]), _cancels(new[ending])]).astype(REQUEST)
    order = np.lexsort((owner, rank, due_ns))
    return requests[order], due_ns[order], owner[order]


def _cancels(rows: np.ndarray) -> np.ndarray:
    rows = rows.copy()
    rows["action"] = Action.CANCEL
    return rows


def _book(session: Session) -> np.ndarray:
    book = np.zeros(len(session.symbols), BOOK)
    for row, name in zip(book, session.symbols, strict=True):
        info = session.symbol_info(name)
        row["tick"], row["lot"] = info.tick, info.lot
        row["evidence"] = Evidence[info.evidence.upper()]
    return book


def _fills(session: Session, batch: Any) -> Iterator[np.ndarray]:
    """Play the whole session; yield the fills whenever the answers have to be collected."""
    for block in session.blocks(symbol_index={name: k for k, name in enumerate(session.symbols)}):
        batch.ctl["event"] = 0
        while not play(block.events, len(block.events), batch):
            yield _collect(batch)
        yield _collect(batch)
    while not act_until(NEVER, batch):
        yield _collect(batch)
    yield _collect(batch)


def _collect(batch: Any) -> np.ndarray:
    venue = batch.venue
    rows: np.ndarray = venue.answers[: venue.ctl["n_answers"][0]]
    venue.ctl["n_answers"] = 0
    fills: np.ndarray = rows[(rows["kind"] == Kind.PARTIAL) | (rows["kind"] == Kind.FILL)]
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
