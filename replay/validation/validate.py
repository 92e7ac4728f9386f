"""`validate_fills`: every real order at the touch as a shadow order, per queue model, scored against its own fate."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from replay.calendar import instant_ns
from replay.errors import DataError, UsageError
from replay.session import Session
from replay.validation.bootstrap import Blocks, blocks_of_time
from replay.validation.degrade import check_names
from replay.validation.plays import FULL, Progress, middle_of, name_models, plan, play_all
from replay.validation.result import Collector, FillValidation
from replay.validation.scores import with_buckets
from replay.validation.shadows import shadow_orders
from replay.validation.truth import real_orders
from replay.wording import et_stamp

if TYPE_CHECKING:
    import pandas as pd

MARKETABLE = "marketable"
_NEW_YORK = ZoneInfo("America/New_York")


def validate_fills(
    sessions: Sequence[Session | str | Path],
    models: Sequence[Any] | None = None,
    *,
    degrades: Sequence[str] = (),
    bands: bool = True,
    symbols: Sequence[str] | None = None,
    start: dt.time | int | None = None,
    end: dt.time | int | None = None,
    resamples: int = 400,
    block_s: float = 30.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> FillValidation:
    """Score queue models against the fate of real orders.

    Parameters
    ----------
    sessions : sequence of Session or path
        Sessions with messages.
    models : sequence of QueueModel, name or path, optional
        Queue models as `fills.simulate` takes them; all that are known where absent.
    degrades : sequence of str
        Poorer feeds to score beside the full one (`replay.validation.degrade`).
    bands : bool
        Play the pessimistic and the optimistic edge too, and say whether they hold the truth.
    symbols : sequence of str, optional
        Only these.
    start, end : datetime.time (New York, each day) or int (ns UTC), optional
        Only real orders that arrived in `start <= arrival < end`.
    resamples : int
        Draws of the block bootstrap; 0 = no intervals.
    block_s : float
        Length of its blocks, seconds.
    seed : int
        Seed of its draws, and of those of a degraded feed.
    progress : callable, optional
        Called with steps done, steps in total and the name of the next one.

    Returns
    -------
    FillValidation
        Tables of orders, shadows, scores, reliability and coverage.

    Raises
    ------
    UsageError
        For an unknown model, degradation or symbol, or a window in which nothing was recorded.
    DataError
        Where a session holds no messages, or none of the real orders can be scored.

    Examples
    --------
    >>> validate_fills(["days/2026-03-02"]).table()  # doctest: +SKIP
    """
    named, feeds = name_models(models), [FULL, *check_names(degrades)]
    opened = [session if isinstance(session, Session) else Session.open(session) for session in sessions]
    _refuse_empty(opened, start, end)
    found = [_cases(k, session, symbols, _window(session, start, end)) for k, session in enumerate(opened)]
    orders, excluded = (_stacked(tables) for tables in zip(*found, strict=True))
    if not len(orders):
        raise DataError("no real order can be scored: in these sessions and times none at the touch was filled or cancelled")
    orders = with_buckets(orders)
    blocks = Blocks(blocks_of_time(orders["session"].to_numpy(), orders["arrival_ns"].to_numpy(), block_s), resamples, seed)
    collector = Collector(orders=orders, blocks=blocks, middle=middle_of(named))
    for played, remarks in play_all(opened, orders, plan(named, feeds, bands), seed, progress):
        collector.add(played, remarks)
    if progress:
        progress(1, 1, "done")
    return collector.finish(excluded)


def _refuse_empty(sessions: Sequence[Session], start: dt.time | int | None, end: dt.time | int | None) -> None:
    """Refuse a window in which nothing was recorded."""
    spans = [session.span_ns for session in sessions]
    windows = [_window(session, start, end) for session in sessions]
    for (first_ns, last_ns), (start_ns, end_ns) in zip(spans, windows, strict=True):
        if max(first_ns, start_ns or first_ns) <= min(last_ns, last_ns if end_ns is None else end_ns - 1):
            return
    if spans:
        covered = f"{et_stamp(min(first for first, _ in spans))} to {et_stamp(max(last for _, last in spans))}"
        raise UsageError(f"nothing was recorded between start (--from) and end (--to); the recordings cover {covered}")


def _window(session: Session, start: dt.time | int | None, end: dt.time | int | None) -> tuple[int | None, int | None]:
    return _moment(session, start), _moment(session, end)


def _moment(session: Session, moment: dt.time | int | None) -> int | None:
    if moment is None or isinstance(moment, int):
        return moment
    return instant_ns(dt.datetime.combine(session.day, moment, tzinfo=_NEW_YORK))


def _cases(
    number: int, session: Session, symbols: Sequence[str] | None, window: tuple[int | None, int | None]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the real orders of a session that are scored, and the count of the others by reason."""
    import pandas as pd

    tables, reasons = [], []
    for name in session.symbols if symbols is None else symbols:
        tick = session.symbol_info(name).tick
        truth = real_orders(session, name, start_ns=window[0], end_ns=window[1])
        shadows = shadow_orders(truth, session)
        is_taker = shadows.pop("is_marketable")
        tables.append(shadows[~is_taker].assign(spread_ticks=shadows["spread"] // tick))
        counts = {MARKETABLE: int(is_taker.sum()), **truth.excluded}
        reasons += [{"symbol": name, "reason": reason, "count": count} for reason, count in counts.items()]
    day = session.day.isoformat()
    counted = pd.DataFrame(reasons).assign(session=number, day=day)
    return pd.concat(tables, ignore_index=True).assign(session=number, day=day), counted


def _stacked(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    return pd.concat(tables, ignore_index=True)
