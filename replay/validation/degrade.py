"""Poorer feeds made of a good one, to show what each kind of poverty costs.

snapshots-250ms   the last touch of each 250 ms, stamped with their end; the prints of that time at one price as one, without
                  venue, side or conditions: what IBKR's market data shows of US stocks
unsided           prints do not say who was the aggressor
reordered         each print comes up to 20 ms earlier or later against the quotes; prints keep their order
seconds           all times cut to the second; inside a second the order of quotes against prints is lost (historical ticks)
consolidated      our venue is one of two: another quotes the same prices with the size that ours had 200 ms before, and repeats
                  our prints 200 ms later where they are still at the touch. Quotes show the sum, prints do not name their venue.
                  A session holds one book, so the other venue is made up; the real orders and their fates are those of ours

A poor clock widens the life of an order. Its own times are known exactly, those of the market only to the resolution of the feed:
the expected reading takes the times as they stand, the optimistic one the longest life that is possible, the pessimistic one the
shortest (`replay.validation.plays.lives`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from replay.errors import UsageError
from replay.events import Flag
from replay.session import Session
from replay.validation.book import SECOND_NS

if TYPE_CHECKING:
    import pandas as pd

SNAPSHOT_NS = 250_000_000
REORDER_NS = 20_000_000
OTHER_VENUE_NS = 200_000_000
_SIDES = int(Flag.BUY | Flag.SELL)
_NO_VENUE = int(Flag.NO_VENUE)
_INEXACT = int(Flag.OFF_EXCHANGE | Flag.AVERAGE_PRICE | Flag.LATE | Flag.UNREPORTED)


class Degraded(NamedTuple):
    """A poorer feed: how well it knows the time, and what there is to say about it."""

    session: Session
    early_ns: int  # an event may be stamped this much before it happened ...
    late_ns: int  # ... or this much after
    note: str
    is_poor: bool = True


class Frames(NamedTuple):
    """Quotes and trades of a session, prices in units, with `seq`."""

    quotes: pd.DataFrame
    trades: pd.DataFrame


def full_feed(session: Session) -> Degraded:
    """Return the session as it is."""
    return Degraded(session, 0, 0, "the feed as recorded", is_poor=False)


def degrade(session: Session, name: str, seed: int = 0) -> Degraded:
    """Make a poorer feed of a session.

    Parameters
    ----------
    session : Session
        The full feed.
    name : str
        One of `DEGRADES`.
    seed : int
        Seed of what is drawn (`reordered`).

    Raises
    ------
    UsageError
        For an unknown name.
    """
    check_names([name])
    frames = Frames(session.quotes(), session.trades())
    poor, early_ns, late_ns, evidence, note = DEGRADES[name](frames, np.random.default_rng(seed))
    return Degraded(_session(session, poor, evidence), early_ns, late_ns, note)


def check_names(names: Sequence[str]) -> list[str]:
    """Return the names of degradations, or say which is none."""
    for name in names:
        if name not in DEGRADES:
            raise UsageError(f"unknown degradation '{name}'; known are {', '.join(DEGRADES)}")
    return list(names)


Poor = tuple[Frames, int, int, str, str]


def _snapshots(frames: Frames, _: np.random.Generator) -> Poor:
    quotes, trades = (frame.assign(ts_ns=-(-frame["ts_ns"] // SNAPSHOT_NS) * SNAPSHOT_NS) for frame in frames)
    quotes = quotes.drop_duplicates(["symbol", "ts_ns"], keep="last")
    touch = ["bid", "bid_size", "ask", "ask_size"]
    is_new = (quotes.groupby("symbol")[touch].shift() != quotes[touch]).any(axis=1)
    reported = trades[(trades["flags"] & _INEXACT) == 0]
    trades = reported.groupby(["symbol", "ts_ns", "price"], as_index=False, sort=False).agg(
        size=("size", "sum"), seq=("seq", "max")
    )
    note = "quotes and prints are sampled every 250 ms: what happened in between is a sum"
    return Frames(quotes[is_new], trades.sort_values("seq")), 0, SNAPSHOT_NS, "snapshot_250ms", note


def _unsided(frames: Frames, _: np.random.Generator) -> Poor:
    flags = frames.trades["flags"]
    share = float(((flags & _SIDES) != 0).mean()) if len(flags) else 0.0
    note = f"{share:.0%} of the prints lost their side" if share else "no print of the full feed names its side: nothing is lost"
    return Frames(frames.quotes, frames.trades.assign(flags=flags & ~_SIDES)), 0, 0, "", note


def _reordered(frames: Frames, draws: np.random.Generator) -> Poor:
    shift_ns = draws.integers(-REORDER_NS, REORDER_NS, len(frames.trades), endpoint=True)
    trades = frames.trades.assign(ts_ns=frames.trades["ts_ns"] + shift_ns)
    trades["ts_ns"] = trades.groupby("symbol")["ts_ns"].cummax()
    note = "prints come up to 20 ms before or after the quotes they belong to"
    return Frames(frames.quotes, trades), REORDER_NS, REORDER_NS, "tick_by_tick", note


def _seconds(frames: Frames, _: np.random.Generator) -> Poor:
    quotes, trades = (frame.assign(ts_ns=frame["ts_ns"] // SECOND_NS * SECOND_NS) for frame in frames)
    note = "times are whole seconds, prints of a second come before its quotes"
    return Frames(quotes.drop(columns="seq"), trades.drop(columns="seq")), SECOND_NS, 0, "historical", note


def _consolidated(frames: Frames, _: np.random.Generator) -> Poor:
    import pandas as pd

    parts = []
    for name in frames.quotes["symbol"].unique():
        own = Frames(*(frame[frame["symbol"] == name] for frame in frames))
        parts.append(Frames(_doubled(own.quotes), _echoed(own)))
    quotes, trades = (pd.concat(tables, ignore_index=True) for tables in zip(*parts, strict=True))
    note = "a second venue is made up: it quotes what ours showed 200 ms before and repeats its prints; a session holds one book"
    return Frames(quotes, trades), 0, 0, "tick_by_tick", note


def _doubled(quotes: pd.DataFrame) -> pd.DataFrame:
    """Add the other venue's size to the touch: what ours showed at that price 200 ms ago, else what it shows now."""
    ts_ns = quotes["ts_ns"].to_numpy()
    then = np.maximum(np.searchsorted(ts_ns, ts_ns - OTHER_VENUE_NS, "right") - 1, 0)
    sizes = {}
    for side in ("bid", "ask"):
        price, size = quotes[side].to_numpy(), quotes[f"{side}_size"].to_numpy()
        sizes[f"{side}_size"] = size + np.where(price[then] == price, size[then], size)
    return quotes.assign(**sizes)


def _echoed(own: Frames) -> pd.DataFrame:
    """Let the other venue repeat our prints 200 ms later, where their price is still the touch; no print names its venue."""
    import pandas as pd

    later = own.trades.assign(ts_ns=own.trades["ts_ns"] + OTHER_VENUE_NS)
    at = np.searchsorted(own.quotes["ts_ns"].to_numpy(), later["ts_ns"].to_numpy(), "right") - 1
    touch = own.quotes[["bid", "ask"]].to_numpy()[np.maximum(at, 0)]
    is_still = (at >= 0) & (touch == later["price"].to_numpy()[:, None]).any(axis=1)
    later = later[is_still].assign(seq=own.quotes["seq"].to_numpy()[at[is_still]])
    both = pd.concat([own.trades, later], ignore_index=True).sort_values(["ts_ns", "seq"], kind="stable", ignore_index=True)
    both["flags"] |= _NO_VENUE
    return pd.DataFrame(both.assign(exchange=""))


DEGRADES: dict[str, Callable[[Frames, np.random.Generator], Poor]] = {
    "snapshots-250ms": _snapshots,
    "unsided": _unsided,
    "reordered": _reordered,
    "seconds": _seconds,
    "consolidated": _consolidated,
}


def _session(session: Session, frames: Frames, evidence: str) -> Session:
    """Build a session in memory from changed frames; symbols, hours and status are those of the original."""
    infos = [session.symbol_info(name) for name in session.symbols]
    symbols = {info.name: replace(info, evidence=evidence or info.evidence) for info in infos}
    status = session.status()
    given: dict[str, Any] = {"quotes": _dollars(frames.quotes, session.scale), "trades": _dollars(frames.trades, session.scale)}
    return Session.from_frames(
        **given,
        status=status.drop(columns="seq") if len(status) else None,
        symbols=symbols,
        day=session.day,
        scale=session.scale,
        calendar=session.hours.calendar,
    )


def _dollars(frame: pd.DataFrame, scale: int) -> pd.DataFrame:
    """Return a frame as `Session.from_frames` takes it; `seq` becomes the order of equal times."""
    prices = {name: frame[name] / scale for name in ("bid", "ask", "price") if name in frame.columns}
    return frame.assign(**prices).rename(columns={"seq": "order"})
