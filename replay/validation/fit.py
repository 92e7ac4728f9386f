"""`fit_fills`: learn a queue model from the messages of sessions, and say how good it is on time it has not seen.

Cross-validation over time: the real orders are cut into stretches of equal count. For each stretch the model is estimated on the
others alone, and plays the stretch's orders from level 1 (`replay.validation.shadows`); its verdicts over all stretches are the
scores in its file, with block-bootstrap intervals, beside those of the textbook rules on the same orders. The parameters in the
file come from all stretches together.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from fills.fitted import FittedQueue, tick_regimes
from fills.queue import DISPLAY_MODELS, QueueModel
from replay.calendar import instant_ns
from replay.errors import DataError, UsageError
from replay.session import Session
from replay.validation.fit_cases import Lessons, lessons_of, stacked
from replay.validation.fit_caution import with_caution
from replay.validation.fit_odds import choose_terms, decays_of, estimate
from replay.validation.fit_prints import shares_of
from replay.validation.fit_scores import Fold, cross_validated
from replay.validation.shadows import shadow_orders
from replay.validation.truth import real_orders

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int, str], None]  # steps done, steps in total, what comes next
TERM_BLOCKS = 8  # stretches of time over which a further term must earn its place
FEWEST_ORDERS = 100
ALWAYS_NS = 2**62
_NEW_YORK = ZoneInfo("America/New_York")


@dataclass(frozen=True, slots=True, kw_only=True)
class FillFit:
    """What a fit leaves.

    Parameters
    ----------
    model : FittedQueue
        The model, its scores inside.
    scores : pandas.DataFrame
        A row per kind of order and queue model: `same, earlier, later, never, wrong` (shares), `brier`, each with `_low` and
        `_high`; the fitted one is cross-validated.
    """

    model: FittedQueue
    scores: pd.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """The real orders and the lessons of all sessions."""

    sessions: list[Session]
    orders: pd.DataFrame  # rows of `shadow_orders`, with `session`
    lessons: list[Lessons]
    regime: str
    spread_ticks: float
    facts: dict[str, Any]


def fit_fills(
    sessions: Sequence[Session | str | Path],
    *,
    symbols: Sequence[str] | None = None,
    start: dt.time | int | None = None,
    end: dt.time | int | None = None,
    folds: int = 5,
    resamples: int = 400,
    seed: int = 0,
    progress: Progress | None = None,
) -> FillFit:
    """Fit a queue model.

    Parameters
    ----------
    sessions : sequence of Session or path
        Sessions with messages.
    symbols : sequence of str, optional
        Only these; all must be of one tick regime.
    start, end : datetime.time (New York, each day) or int (ns UTC), optional
        Learn only from `start <= time < end`.
    folds : int
        Stretches of the cross-validation, at least 2.
    resamples : int
        Draws of the bootstrap; 0 = no intervals.
    seed : int
        Seed of its draws.
    progress : callable, optional
        Called with steps done, steps in total and the name of the next one.

    Raises
    ------
    UsageError
        The symbols are of different tick regimes, or `folds` is below 2.
    DataError
        A session holds no messages, or there are too few orders to learn from.

    Examples
    --------
    >>> fit_fills(["days/2026-03-02"]).model.save("my_queue.toml")  # doctest: +SKIP
    """
    if folds < 2:
        raise UsageError(f"`folds` must be at least 2, got {folds}")
    textbook = [model for model in DISPLAY_MODELS if model is not QueueModel.FITTED]
    total = folds + len(textbook) + 3
    tell = progress or _silence
    tell(0, total, "reading messages")
    material = _collect([s if isinstance(s, Session) else Session.open(s) for s in sessions], symbols, start, end)
    tell(1, total, "estimating")
    names = choose_terms(*_blocked(material.lessons, TERM_BLOCKS))
    parts = _folds(material, names, folds)
    scores = cross_validated(material.sessions, material.orders, parts, textbook, (resamples, seed, tell, total))
    tell(total - 1, total, "fitting on all of it")
    model = _model(material, names, (ALWAYS_NS, ALWAYS_NS), material.orders)
    tell(total, total, "done")
    cases, returns = stacked(material.lessons)
    shares = shares_of(material.lessons).estimates(resamples, seed)
    model = replace(
        model,
        name=material.facts.pop("name"),
        fitted_on={"command": _command(material, start, end, folds)}
        | material.facts
        | {"n_cancels": len(cases), "n_returns": len(returns)},
        prints={name: [round(figure, 6) for figure in estimate] for name, estimate in shares.items()},
        scores={"method": f"cross-validated over {folds} stretches of time; 95 % block-bootstrap intervals"} | _summary(scores),
    )
    return FillFit(model=model, scores=scores)


def _silence(done: int, total: int, what: str) -> None:
    """Take the place of a progress bar where nobody looks."""


def _collect(
    sessions: list[Session], symbols: Sequence[str] | None, start: dt.time | int | None, end: dt.time | int | None
) -> Material:
    import pandas as pd

    orders, lessons = [], []
    spreads: dict[str, tuple[str, float]] = {}
    for number, session in enumerate(sessions):
        window = _moment(session, start, 0), _moment(session, end, ALWAYS_NS)
        names = list(session.symbols if symbols is None else symbols)
        spreads |= tick_regimes(session, names)
        for name in names:
            truth = real_orders(session, name, start_ns=window[0], end_ns=window[1])
            own = shadow_orders(truth, session)
            orders.append(own[own["end_ns"] < window[1]].assign(session=number))
            lessons.append(lessons_of(session, name, *window))
    table = pd.concat(orders, ignore_index=True) if orders else pd.DataFrame()
    if len(table) < FEWEST_ORDERS:
        raise DataError(
            f"only {len(table)} real orders joined or improved the touch; a queue model needs {FEWEST_ORDERS} at least"
        )
    regime, spread = _one_regime(spreads)
    facts = _facts(sessions, sorted(spreads), table, spread)
    return Material(
        sessions=sessions,
        orders=table,
        lessons=lessons,
        regime=regime,
        spread_ticks=spread,
        facts=facts,
    )


def _command(material: Material, start: dt.time | int | None, end: dt.time | int | None, folds: int) -> str:
    """Return the command that makes the same file of the same recordings, imported anew."""
    words = ["replay fit fills", *(f"days/{session.day}" for session in material.sessions)]
    words += ["--symbols", ",".join(material.facts["symbols"])]
    for option, moment in (("--from", start), ("--to", end)):
        if moment is not None:
            told = (
                moment.isoformat() if isinstance(moment, dt.time) else f"{np.datetime64(moment, 'ns').astype('datetime64[s]')}Z"
            )
            words += [option, told]
    return " ".join([*words, "--folds", str(folds), "--out my_queue.toml"])


def _moment(session: Session, moment: dt.time | int | None, otherwise: int) -> int:
    if moment is None:
        return otherwise
    if isinstance(moment, int):
        return moment
    return instant_ns(dt.datetime.combine(session.day, moment, tzinfo=_NEW_YORK))


def _one_regime(spreads: dict[str, tuple[str, float]]) -> tuple[str, float]:
    regimes = {regime for regime, _ in spreads.values()}
    if len(regimes) != 1:
        told = ", ".join(f"{name} {regime} ({spread:g} ticks)" for name, (regime, spread) in sorted(spreads.items()))
        raise UsageError(f"fit one model per tick regime, chosen with --symbols; here are {told or 'no quotes'}")
    return regimes.pop(), float(np.median([spread for _, spread in spreads.values()]))


def _facts(sessions: Sequence[Session], symbols: list[str], orders: pd.DataFrame, spread_ticks: float) -> dict[str, Any]:
    days = sorted({str(session.day) for session in sessions})
    first, last = (np.datetime64(int(ns), "ns") for ns in (orders["arrival_ns"].min(), orders["end_ns"].max()))
    label = days[0] if len(days) == 1 else f"{days[0]}_to_{days[-1]}"
    return {
        "name": f"{'_'.join(symbols[:4])}{'_and_more' if len(symbols) > 4 else ''}_{label}",
        "sources": sorted({session.manifest.source for session in sessions}),
        "symbols": symbols,
        "dates": days,
        "first_order_utc": str(first),
        "last_end_utc": str(last),
        "median_spread_ticks": spread_ticks,
        "n_orders": len(orders),
        "n_filled": int(orders["is_filled"].sum()),
    }


def _blocked(lessons: Sequence[Lessons], n_blocks: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all cases and the stretch of time of each, stretches of equal count."""
    cases, _ = stacked(lessons)
    borders = np.quantile(cases["ts_ns"], np.arange(1, n_blocks) / n_blocks) if len(cases) else np.zeros(0)
    return cases, np.searchsorted(borders, cases["ts_ns"])


def _folds(material: Material, names: tuple[str, ...], folds: int) -> list[Fold]:
    """Cut time into stretches with equally many orders; a stretch's model learns from all that happened outside it."""
    arrival_ns = material.orders["arrival_ns"].to_numpy()
    borders = [0, *np.quantile(arrival_ns, np.arange(1, folds) / folds).astype(np.int64).tolist(), ALWAYS_NS]
    parts = []
    for low, high in pairwise(borders):
        is_out = (arrival_ns >= low) & (arrival_ns < high)
        until_ns = int(material.orders["end_ns"].to_numpy()[is_out].max(initial=low))
        parts.append(Fold(np.flatnonzero(is_out), _model(material, names, (low, until_ns), material.orders[~is_out])))
    return parts


def _model(material: Material, names: tuple[str, ...], out_ns: tuple[int, int], orders: pd.DataFrame) -> FittedQueue:
    """Fit a model on what happened outside a stretch of time, and on these orders."""
    low, high = out_ns
    cases, returns = (rows[(rows["ts_ns"] < low) | (rows["ts_ns"] > high)] for rows in stacked(material.lessons))
    odds = estimate(names, cases) | decays_of(returns)
    shares = shares_of(material.lessons).without(low, high).values()
    model = FittedQueue(name="fold", tick_regime=material.regime, parameters=odds | shares)
    return with_caution(model, material.sessions, orders)


def _summary(scores: pd.DataFrame) -> dict[str, Any]:
    """Lay the scores out for the model file: kind, queue model, figure with its interval."""
    summary: dict[str, Any] = {}
    for row in scores.to_dict("records"):
        figures = {
            name: [round(float(row[f"{name}{end}"]), 6) for end in ("", "_low", "_high")]
            for name in ("same", "earlier", "later", "never", "wrong", "brier")
        }
        summary.setdefault(str(row["kind"]), {})[str(row["model"])] = figures
    return summary
