"""What a validation leaves: tables of orders, shadows, scores, reliability and coverage, and what to know about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from replay.validation.bootstrap import Blocks
from replay.validation.coverage import coverage
from replay.validation.outcomes import HORIZONS_S, SAME_NS, filled_within, judge
from replay.validation.plays import EDGES, Played
from replay.validation.scores import reliability, score, wide

if TYPE_CHECKING:
    import pandas as pd

BANDS = "bands"
HIDDEN_NOTE = (
    "The recorded book holds the real order. Its shadow's leaves are taken out of the displayed size of its level before any "
    "rule looks at it, and the shadow acts before the events of its own time stamp: a level that only the order itself holds up "
    "says nothing."
)
CHANCE_NOTE = (
    "One simulation is a chance of 0 or 1. The row `bands` is a chance of 0, 1/3, 2/3 or 1: the share of the pessimistic, the "
    "expected and the optimistic simulation that were filled in time; the share of shadows that are early, late or wrong is that "
    "of the expected one."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FillValidation:
    """What came out of `validate_fills`.

    Parameters
    ----------
    orders : pandas.DataFrame
        A row per real order that was scored: `session, day, symbol, track, real_id, kind, side, qty, price` (units), `ahead_qty,
        spread, spread_ticks, activity, arrival_ns, end_ns, is_filled, fill_ns, is_matched`, and its buckets.
    shadows : pandas.DataFrame
        A row per order and pass: `feed, model, row` (of `orders`), `filled_qty, first_ns, whole_ns, verdict, error_s`.
    scores : pandas.DataFrame
        `feed, model, kind, by, bucket, metric, value, low, high, n`; shares are ratios, errors seconds.
    reliability : pandas.DataFrame
        `feed, model, kind, horizon_s, chance, n, value` (how often it happened), `low, high`.
    coverage : pandas.DataFrame
        `feed, kind, n, real, pessimistic, expected, optimistic` (filled orders), `is_covered, held` (share of orders whose fate
        the bands hold), `held_low, held_high`; empty without bands.
    excluded : pandas.DataFrame
        `session, day, symbol, reason, count` of the orders that are not scored.
    notes : list of str
        What a reader must know.
    """

    orders: pd.DataFrame
    shadows: pd.DataFrame
    scores: pd.DataFrame
    reliability: pd.DataFrame
    coverage: pd.DataFrame
    excluded: pd.DataFrame
    notes: list[str]

    def table(self) -> pd.DataFrame:
        """Return the scores over all orders, a row per feed, kind and model."""
        return wide(self.scores)

    def facts(self) -> dict[str, Any]:
        """Return everything but the single orders as plain values, for JSON."""
        counts = self.orders.groupby(["symbol", "kind"], sort=False)["is_filled"].agg(["size", "sum"]).reset_index()
        return {
            "orders": [
                {"symbol": symbol, "kind": kind, "n": int(n), "filled": int(filled), "cancelled": int(n - filled)}
                for symbol, kind, n, filled in counts.itertuples(index=False)
            ],
            **{name: getattr(self, name).to_dict("records") for name in ("scores", "reliability", "coverage", "excluded")},
            "notes": self.notes,
        }

    def save_page(self, path: str | Path) -> Path:
        """Write the report as one HTML page that opens from disk and loads nothing."""
        from replay.validation.page import write_page

        return write_page(self, Path(path))


@dataclass(slots=True, kw_only=True)
class Collector:
    """Score one pass after the other and keep what the tables need.

    Parameters
    ----------
    orders : pandas.DataFrame
        The real orders.
    blocks : Blocks
        Blocks of time of the orders.
    middle : str
        The model whose answer the bands surround.
    """

    orders: pd.DataFrame
    blocks: Blocks
    middle: str
    shadows: list[pd.DataFrame] = field(default_factory=list)
    scores: list[dict[str, Any]] = field(default_factory=list)
    reliability: list[dict[str, Any]] = field(default_factory=list)
    coverage: list[dict[str, Any]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    bands: dict[str, pd.DataFrame] = field(default_factory=dict)

    def add(self, played: Played, remarks: list[str]) -> None:
        """Score one pass; with the last edge of a feed, score its bands too."""
        play, got = played.play, played.got
        self.remarks += [line for note in remarks if (line := f"{play.feed}: {note}") not in self.remarks]
        judged = judge(self.orders, got, max(played.same_ns, SAME_NS))
        self.shadows.append(got.assign(feed=play.feed, model=play.label, row=np.arange(len(got)), **judged))
        chances = {h: filled_within(self.orders, got["whole_ns"].to_numpy(), h) for h in HORIZONS_S}
        self._score(play.feed, play.label, judged, chances)
        if play.label == self.middle:
            self.bands = {"expected": got}
        elif play.band in EDGES:
            self.bands[play.band] = got
            if len(self.bands) == len(EDGES) + 1:
                self._add_bands(play.feed, max(played.same_ns, SAME_NS))

    def finish(self, excluded: pd.DataFrame) -> FillValidation:
        """Make the tables."""
        import pandas as pd

        return FillValidation(
            orders=self.orders,
            shadows=pd.concat(self.shadows, ignore_index=True),
            scores=pd.DataFrame(self.scores),
            reliability=pd.DataFrame(self.reliability),
            coverage=pd.DataFrame(self.coverage),
            excluded=excluded,
            notes=[HIDDEN_NOTE, *self._match_note(), *([CHANCE_NOTE] if self.coverage else []), *self.remarks],
        )

    def _match_note(self) -> list[str]:
        """Say how many orders a match took out, for whom they could be counted otherwise."""
        count, total = int(self.orders["is_matched"].sum()), int((~self.orders["is_filled"]).sum())
        told = (
            f"{count} of the {total} cancelled orders were taken out by the match of a print, as exchanges do with orders of the "
            "aggressor's own owner: their shadows end before that print, because no model can know whose an order was"
        )
        return [told] if count else []

    def _add_bands(self, feed: str, same_ns: int) -> None:
        whole = [got["whole_ns"].to_numpy() for got in self.bands.values()]
        chances = {h: np.mean([filled_within(self.orders, ns, h) for ns in whole], axis=0) for h in HORIZONS_S}
        self._score(feed, BANDS, judge(self.orders, self.bands["expected"], same_ns), chances)
        self.coverage += coverage(self.orders, feed, self.bands, self.blocks)

    def _score(self, feed: str, model: str, judged: pd.DataFrame, chances: dict[float, np.ndarray]) -> None:
        head = {"feed": feed, "model": model}
        self.scores += [head | row for row in score(self.orders, judged, chances, self.blocks)]
        self.reliability += [head | row for row in reliability(self.orders, chances, self.blocks)]
