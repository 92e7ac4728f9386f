"""What a validation plays: every feed, every queue model, and the bands; one pass over a session for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fills import QueueModel, simulate
from fills.queue import DISPLAY_MODELS
from replay.errors import UsageError
from replay.validation.degrade import Degraded, degrade, full_feed
from replay.validation.shadows import Feed, play_shadows

if TYPE_CHECKING:
    import pandas as pd

    from replay.session import Session

Progress = Callable[[int, int, str], None]  # steps done, steps in total, what comes next

FULL = "full"
EXPECTED = "expected"
EDGES = {"pessimistic": QueueModel.TRADES_ONLY, "optimistic": QueueModel.ALL_AHEAD}
DEFAULT_MODEL = QueueModel.BEHIND_FIRST


class Play(NamedTuple):
    """One pass: a feed, a model, and in a band how the rest is read."""

    feed: str
    label: str
    model: Any
    band: str = EXPECTED

    @property
    def options(self) -> dict[str, str]:
        """Return what `fills.simulate` is told about the band, where it knows bands."""
        is_known = "band" in signature(simulate).parameters
        return {"band": self.band} if is_known and self.band != EXPECTED else {}


class Played(NamedTuple):
    """What the shadows of all orders got in one pass."""

    play: Play
    got: pd.DataFrame
    same_ns: int  # what the feed's clock can tell apart


def name_models(models: Sequence[Any] | None) -> dict[str, Any]:
    """Return the models to score by name; None = all that level 1 is enough for."""
    if models is not None and not len(models):
        raise UsageError("`models` is empty; leave it out to score all that are known")
    named: dict[str, Any] = {}
    for model in DISPLAY_MODELS if models is None else models:
        is_file = isinstance(model, Path) or (isinstance(model, str) and ("/" in model or "." in model))
        chosen = str(model) if is_file else QueueModel(model)
        named[Path(model).stem if is_file else str(chosen)] = chosen
    return named


def middle_of(models: Mapping[str, Any]) -> str:
    """Return the name of the model whose answer the bands surround: the default one, else the first."""
    return str(DEFAULT_MODEL) if str(DEFAULT_MODEL) in models else next(iter(models))


def plan(models: Mapping[str, Any], feeds: Sequence[str], has_bands: bool) -> list[Play]:
    """Return all passes, feed by feed: the models, then the edges of the band.

    `fills.simulate` makes the edges of the model in the middle, as runs do: around a fitted one the optimistic edge knows it.
    Exact FIFO is right in every band; around it stand the edges of level 1.
    """
    middle = models[middle_of(models)]
    plays = []
    for feed in feeds:
        plays += [Play(feed, label, model) for label, model in models.items()]
        if has_bands:
            edges = EDGES if middle == QueueModel.FIFO else dict.fromkeys(EDGES, middle)
            plays += [Play(feed, band, model, band) for band, model in edges.items()]
    return plays


def play_all(
    sessions: Sequence[Session], orders: pd.DataFrame, plays: Sequence[Play], seed: int, progress: Progress | None
) -> Iterator[tuple[Played, list[str]]]:
    """Yield what the shadows got in each pass, and what there is to say about its feed."""
    import pandas as pd

    feeds: list[Degraded] = []
    last = ""
    for k, play in enumerate(plays):
        if play.feed != last:
            last = play.feed
            feeds = [full_feed(s) if last == FULL else degrade(s, last, seed) for s in sessions]
        parts = []
        for j, feed in enumerate(feeds):
            if progress:
                progress(k * len(feeds) + j, len(plays) * len(feeds), f"{play.feed}: {play.label}, {feed.session.day}")
            own = lives(orders[orders["session"] == j], feed, play.band)
            parts.append(play_shadows(feed.session, own, play.model, **play.options))
        resolution_ns = max(feed.early_ns + feed.late_ns for feed in feeds)
        yield Played(play, pd.concat(parts), resolution_ns), sorted({feed.note for feed in feeds})


def lives(orders: pd.DataFrame, feed: Degraded, band: str) -> pd.DataFrame:
    """Return the orders with the lives that a band gives them on a poorer feed: as they stand, longest, shortest.

    An event stamped s happened between s - `late_ns` and s + `early_ns`. An order that the stale touch of a poorer feed would let
    trade at once is known to have rested: but in the optimistic band it waits for the first quote that lets it rest;
    where none comes before its end it is refused.
    """
    import pandas as pd

    if not feed.is_poor:
        return orders
    orders = orders.assign(before_seq=0, end_seq=0)  # its rows are others
    if band == "optimistic":
        longer = {"arrival_ns": orders["arrival_ns"] - feed.early_ns, "end_ns": orders["end_ns"] + feed.late_ns}
        return orders.assign(**longer)
    if band == "pessimistic":
        orders = orders.assign(arrival_ns=orders["arrival_ns"] + feed.late_ns, end_ns=orders["end_ns"] - feed.early_ns)
    parts = [_resting(own, Feed.of(feed.session, str(name))) for name, own in orders.groupby("symbol", sort=False)]
    return pd.concat(parts).loc[orders.index] if parts else orders


def _resting(orders: pd.DataFrame, feed: Feed) -> pd.DataFrame:
    """Let the orders of one symbol wait until they can rest."""
    side = np.where(orders["side"] == "BUY", 1, -1)
    arrival_ns = orders["arrival_ns"].to_numpy()
    end_ns = np.maximum(orders["end_ns"].to_numpy(), arrival_ns)
    arrival_ns = feed.rests_from(side, orders["price"].to_numpy(), arrival_ns, end_ns)
    return orders.assign(arrival_ns=arrival_ns, end_ns=end_ns, post_only=1)
