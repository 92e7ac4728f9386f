"""The page of a validation: scores with their intervals, plots, what poorer feeds lose, what was left out."""

from __future__ import annotations

import math
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from replay.report.page import fill_in
from replay.report.sections import table
from replay.validation.outcomes import HORIZONS_S, Verdict
from replay.validation.plays import EDGES, FULL
from replay.validation.plots import COLOURS, Curve, Whisker, curves, stacked, whiskers
from replay.validation.scores import ALL, ERRORS, SHARES
from replay.wording import duration

if TYPE_CHECKING:
    import pandas as pd

    from replay.validation.result import FillValidation

PARTS = (("same instant", "#0f766e"), ("earlier", "#2563eb"), ("later", "#f0b35a"), ("never", "#be123c"))
NOT_SCORED = {
    "marketable": "would have met the other side of the quotes on arrival",
    "open": "still there at the end",
    "part_cancelled": "left after a part of it was filled",
    "cleared": "swept away by a clearing of the book",
    "behind": "arrived behind the touch",
    "crossing": "locked or crossed the other side of the book",
    "alone": "no best price on its side to compare with",
    "snapshot": "stood in a snapshot, its arrival unknown",
}
_ERROR_S = (1e-6, 1e2)  # the span of the plot of errors
_TICKS = {1e-6: "1 us", 1e-3: "1 ms", 1e-1: "0.1 s", 1.0: "1 s", 10.0: "10 s", 100.0: "100 s"}


def write_page(result: FillValidation, path: Path) -> Path:
    """Write the page of a validation; an older page there is replaced.

    Parameters
    ----------
    result : FillValidation
        What `validate_fills` returned.
    path : Path
        The file; its folder is made.
    """
    orders = result.orders
    days, symbols = sorted(orders["day"].unique()), list(dict.fromkeys(orders["symbol"]))
    kinds = list(dict.fromkeys(orders["kind"]))
    return fill_page(
        path,
        TITLE=escape(f"Simulated fills beside the fate of real orders: {', '.join(symbols[:8])}"),
        SUBTITLE=escape(f"{days[0]}{f' to {days[-1]}' if len(days) > 1 else ''} | {len(orders):,} real orders at the touch"),
        CARDS=_cards(orders),
        NOTES="".join(f"<p>{escape(note)}</p>" for note in result.notes),
        KINDS="".join(_kind_section(result, kind) for kind in sorted(kinds, reverse=True)),
        FEEDS=_feeds(result),
        EXCLUDED=_excluded(result.excluded),
        DETAIL="By bucket, full feed",
        BUCKETS=_buckets(result.scores),
        FOOT="Intervals hold 95 %: block bootstrap over time. The same figures as JSON: replay validate fills --json.",
    )


def fill_page(path: Path, **parts: str) -> Path:
    """Fill the template of a validation's page, whole or not at all."""
    style = files("replay.report").joinpath("page.css").read_text(encoding="utf-8")
    template = files("replay.validation").joinpath("page.html").read_text(encoding="utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    draft.write_text(fill_in(template, {"STYLE": style, **parts}), encoding="utf-8")
    draft.replace(path)
    return path


def _cards(orders: pd.DataFrame) -> str:
    cards = []
    for kind in sorted(orders["kind"].unique(), reverse=True):
        own = orders[orders["kind"] == kind]
        filled = own[own["is_filled"]]
        wait_ns = (filled["fill_ns"] - filled["arrival_ns"]).median() if len(filled) else math.nan
        cards += [
            (f"{kind}: orders", f"{len(own):,}", f"{len(filled):,} filled, {len(own) - len(filled):,} cancelled"),
            (f"{kind}: time to fill", duration(wait_ns), "median of the filled"),
            (
                f"{kind}: queue ahead",
                f"{own['ahead_qty'].median():,.0f}",
                f"median; spread {own['spread_ticks'].median():,.0f} ticks",
            ),
        ]
    return "".join(
        f'<div class="card"><div class="name">{escape(name)}</div><div class="value">{escape(value)}</div>'
        f'<div class="note">{escape(note)}</div></div>'
        for name, value, note in cards
    )


def _kind_section(result: FillValidation, kind: str) -> str:
    """Return the section of the orders that joined, or of those that improved, on the full feed."""
    scores = result.scores[(result.scores["feed"] == FULL) & (result.scores["kind"] == kind)]
    whole = scores[scores["by"] == ALL]
    plots = [
        _verdicts(whole),
        _dots("Really cancelled, wrongly filled", whole, "wrong", "{:.2%}"),
        _dots("Brier score, mean of the four horizons (less is better)", whole, "brier", "{:.5f}"),
        _errors(result, kind),
        *_reliabilities(result, kind),
        *_by_bucket(scores),
    ]
    n = int((result.orders["kind"] == kind).sum())
    grid = f'<div class="plots">{"".join(plot for plot in plots if plot)}</div>'
    return f"<section><h2>Orders that {kind} the touch: {n:,}</h2>{_scores_table(whole)}</section><section>{grid}</section>"


def _scores_table(whole: pd.DataFrame) -> str:
    names = [*SHARES, "error_p50_s", "error_p90_s", "brier"]
    rows = []
    for model in dict.fromkeys(whole["model"]):
        found = {str(row["metric"]): row for _, row in whole[whole["model"] == model].iterrows()}
        rows.append([model.replace("_", " "), *(_cell(found[name]) for name in names)])
    heads = ["model", "same instant", "earlier", "later", "never", "wrongly filled", "error p50", "error p90", "Brier"]
    return f'<div class="scroll">{table(heads, rows, n_words=1)}</div>'


def _cell(row: pd.Series) -> str:
    """Write a figure with its interval, where it has one that is wider than a point; a narrow cell breaks between the two."""
    if row["n"] == 0 or math.isnan(row["value"]):
        return "-"
    value, low, high = (_figure(row[edge], row["metric"]) for edge in ("value", "low", "high"))
    if math.isnan(row["low"]) or low == high:
        return value
    interval = f"({low.rstrip('%')} to {high.rstrip('%')})".replace(" ", "\N{NO-BREAK SPACE}")
    return f"{value} {interval}"


def _figure(value: float, metric: str) -> str:
    if metric in ERRORS:
        return duration(value * 1e9)
    return f"{value:.1%}" if metric in SHARES else f"{value:.4f}"


def _verdicts(whole: pd.DataFrame) -> str:
    rows = []
    for model in dict.fromkeys(whole["model"]):
        own = whole[whole["model"] == model].set_index("metric")["value"]
        rows.append((model.replace("_", " "), [float(own[name]) for name in ("same", "earlier", "later", "never")]))
    return stacked("Really filled: when the shadow filled", rows, PARTS)


def _dots(title: str, rows: pd.DataFrame, metric: str, form: str, label: str = "model") -> str:
    found = rows[rows["metric"] == metric]
    lines = [
        Whisker(str(row[label]).replace("_", " "), row["value"], row["low"], row["high"], form.format(row["value"]))
        for row in found.to_dict("records")
        if row["n"]
    ]
    return whiskers(title, lines) if lines else ""


def _errors(result: FillValidation, kind: str) -> str:
    """Draw, for each model, the share of filled orders whose time error is at most x."""
    lines = []
    shadows = result.shadows[result.shadows["feed"] == FULL]
    is_kind = (result.orders["kind"] == kind).to_numpy()
    for model in dict.fromkeys(shadows["model"]):
        own = shadows[(shadows["model"] == model).to_numpy() & is_kind[shadows["row"].to_numpy()]]
        own = own[own["verdict"] <= Verdict.NEVER]
        if model in EDGES or not len(own):
            continue
        at = np.geomspace(*_ERROR_S, 60)
        error_s = np.sort(np.abs(own["error_s"].dropna().to_numpy()))
        share = np.searchsorted(error_s, at, "right") / len(own)
        lines.append(Curve(model.replace("_", " "), list(zip(_log_place(at), share.tolist(), strict=True))))
    ticks = [(place, text) for place, text in zip(_log_place(np.array(list(_TICKS))), _TICKS.values(), strict=True)]
    return curves("Really filled: share of shadows filled within x of the real time", lines, ticks) if lines else ""


def _log_place(values: np.ndarray) -> list[float]:
    low, high = (math.log10(edge) for edge in _ERROR_S)
    return [(math.log10(value) - low) / (high - low) for value in values.tolist()]


def _reliabilities(result: FillValidation, kind: str) -> list[str]:
    """Draw named chance against what happened, for the bands where they were played, else for the first model."""
    rows = result.reliability[(result.reliability["feed"] == FULL) & (result.reliability["kind"] == kind)]
    models = list(dict.fromkeys(rows["model"]))
    model = "bands" if "bands" in models else models[0]
    own = rows[rows["model"] == model]
    lines = []
    for horizon_s in HORIZONS_S:
        spots = own[(own["horizon_s"] == horizon_s) & (own["n"] >= 5)]
        lines.append(Curve(f"{horizon_s:g} s", list(zip(spots["chance"], spots["value"], strict=True)), has_dots=True))
    ticks = [(0.0, "0"), (1 / 3, "1/3"), (2 / 3, "2/3"), (1.0, "1")]
    return [curves(f"Chance of a fill as named ({model}) against how often it came", lines, ticks, diagonal=True)]


def _by_bucket(scores: pd.DataFrame) -> list[str]:
    plots = []
    for by, words in {"ahead": "queue ahead", "spread": "spread in ticks", "activity": "messages a second"}.items():
        lines = []
        own = scores[(scores["by"] == by) & (scores["metric"] == "same") & (scores["n"] > 0)]
        colours = dict(zip(dict.fromkeys(own["model"]), COLOURS * 3, strict=False))
        for bucket in dict.fromkeys(own["bucket"]):
            for row in own[(own["bucket"] == bucket) & ~own["model"].isin([*EDGES, "bands"])].to_dict("records"):
                name = f"{bucket}: {row['model'].replace('_', ' ')}"
                lines.append(Whisker(name, row["value"], row["low"], row["high"], f"{row['value']:.1%}", colours[row["model"]]))
        if own["bucket"].nunique() > 1:
            plots.append(whiskers(f"Same instant by {words}", lines))
    return plots


def _feeds(result: FillValidation) -> str:
    """Return what the bands hold, and what poorer feeds lose."""
    if not len(result.coverage):
        return ""
    rows = [
        [row["feed"], row["kind"], f"{row['n']:,}", f"{row['pessimistic']:,}", f"{row['expected']:,}", f"{row['optimistic']:,}",
         f"{row['real']:,}", "yes" if row["is_covered"] else "no",
         f"{row['held']:.2%} ({row['held_low']:.2%} to {row['held_high']:.2%})"]
        for row in result.coverage.to_dict("records")
    ]  # fmt: skip
    heads = ["feed", "kind", "orders", "pessimistic", "expected", "optimistic", "really filled", "count held", "fates held"]
    plots = []
    for kind in dict.fromkeys(result.coverage["kind"]):
        own = result.scores[(result.scores["kind"] == kind) & (result.scores["by"] == ALL) & (result.scores["model"] == "bands")]
        if own["feed"].nunique() > 1:
            plots.append(_dots(f"{kind}: same instant, by feed", own, "same", "{:.1%}", "feed"))
            plots.append(_dots(f"{kind}: wrongly filled, by feed", own, "wrong", "{:.2%}", "feed"))
            plots.append(_dots(f"{kind}: Brier score of the bands, by feed", own, "brier", "{:.5f}", "feed"))
    grid = f'<div class="plots">{"".join(plots)}</div>' if plots else ""
    held = f'<div class="scroll">{table(heads, rows, n_words=2)}</div>'
    return f"<section><h2>Bands: filled orders, and the truth</h2>{held}{grid}</section>"


def _excluded(excluded: pd.DataFrame) -> str:
    rows = [
        [row["day"], row["symbol"], row["reason"].replace("_", " "), NOT_SCORED[row["reason"]], f"{row['count']:,}"]
        for row in excluded.to_dict("records")
    ]
    return table(["day", "symbol", "called", "why", "orders"], rows, n_words=4)


def _buckets(scores: pd.DataFrame) -> str:
    own = scores[(scores["feed"] == FULL) & (scores["by"] != ALL)]
    names = [*SHARES, "error_p90_s", "brier"]
    rows = []
    for key, part in own.groupby(["kind", "by", "bucket", "model"], sort=False):
        found = {str(row["metric"]): row for _, row in part.iterrows()}
        head = [str(word).replace("_", " ") for word in key]
        rows.append([*head, f"{found['brier']['n']:,}", *(_cell(found[name]) for name in names)])
    heads = ["kind", "by", "bucket", "model", "orders", *SHARES, "error p90", "Brier"]
    return table(heads, rows, n_words=4)
