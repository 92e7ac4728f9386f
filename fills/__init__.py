"""The exchange that we simulate.

exchange    the numbered fill rules and the three kernels `on_event`, `on_request`, `on_expiry`
venue       its memory: order table, ledgers, answers; `make_venue`
bands       what the recording leaves open, read pessimistically, as expected or optimistically
resting     rules for resting orders; marketable: for those that the other side reaches; pegs: for those that follow the mid
prints      whose side a print was on, and how much of it reaches us; stray: auctions, mids, unknown sides; bars
lifecycle   arrival, release, cancel, change, expiry; refusal: why not; terms: what is asked; account: what is held
depth       what was taken of displayed and modelled size, and how an arrival takes it
ledger      what one side shows, and what quotes and prints have not yet explained to each other
notes       what a quote or print changes there, and which own orders it may concern
fifo        exact queues, from the messages of the full order book; real_book: that book; real_tables: its memory
record      answers, fills with their fee
queue       queue models, place: one order in its queue under any of them; chosen: how a user names one;
            fitted: files of fitted models; own_queue, check_queue: a user's own
fees        IBKR's commissions by date, from the rules in fee_table
latency     the legs as settings; delays: how they are drawn (draws, latency_table); arrivals: those of given orders
simulation  `simulate`: given orders against a session, without a strategy; given: their checks; batch: their loop;
            shadows: many orders, each alone in the market, in one pass
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fills.bands import Band
    from fills.check_queue import check_queue_model
    from fills.fees import FeeSchedule
    from fills.fitted import FittedQueue, read_fitted
    from fills.latency import LatencySettings
    from fills.own_queue import OwnQueue, bind_queue_model
    from fills.queue import QueueModel
    from fills.simulation import simulate
    from fills.venue import Rule, Venue, make_venue

__all__ = [
    "Band", "FeeSchedule", "FittedQueue", "LatencySettings", "OwnQueue", "QueueModel", "Rule", "Venue", "bind_queue_model",
    "check_queue_model", "make_venue", "read_fitted", "simulate",
]  # fmt: skip

_HOMES = {
    "Band": "fills.bands",
    "FeeSchedule": "fills.fees",
    "FittedQueue": "fills.fitted",
    "LatencySettings": "fills.latency",
    "OwnQueue": "fills.own_queue",
    "QueueModel": "fills.queue",
    "Rule": "fills.venue",
    "Venue": "fills.venue",
    "bind_queue_model": "fills.own_queue",
    "check_queue_model": "fills.check_queue",
    "make_venue": "fills.venue",
    "read_fitted": "fills.fitted",
    "simulate": "fills.simulation",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'fills' has no attribute {name!r}")
