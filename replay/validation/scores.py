"""Scores: shares, time errors, Brier scores and reliability, over all orders and by bucket, each with its interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from replay.validation.bootstrap import Blocks
from replay.validation.outcomes import HORIZONS_S, Verdict, filled_within

if TYPE_CHECKING:
    import pandas as pd

ALL = "all"
BUCKETS = {"ahead": "ahead_qty", "spread": "spread_ticks", "activity": "activity"}
N_BUCKETS = 3
_OF_FILLED = {
    "same": Verdict.SAME,
    "earlier": Verdict.EARLIER,
    "later": Verdict.LATER,
    "never": Verdict.NEVER,
}
SHARES = (*_OF_FILLED, "wrong")
ERRORS = {"error_p50_s": 0.5, "error_p90_s": 0.9}
METRICS = (*SHARES, *ERRORS, *(f"brier_{h:g}s" for h in HORIZONS_S), "brier")


def with_buckets(orders: pd.DataFrame) -> pd.DataFrame:
    """Add `bucket_ahead`, `bucket_spread` and `bucket_activity`: thirds of the orders of the same kind, named by their range."""
    orders = orders.copy()
    for name, column in BUCKETS.items():
        labels = np.full(len(orders), "", dtype=object)
        for kind in orders["kind"].unique():
            own = (orders["kind"] == kind).to_numpy()
            labels[own] = _thirds(orders[column].to_numpy()[own])
        orders[f"bucket_{name}"] = labels.astype(str)
    return orders


def _thirds(values: np.ndarray) -> np.ndarray:
    """Name the third in which each value lies; equal values share one, so that there may be fewer."""
    inner = np.unique(np.quantile(values, np.arange(1, N_BUCKETS) / N_BUCKETS, method="lower"))
    number = np.searchsorted(inner, values, "left")
    labels = np.full(len(values), "", dtype=object)
    for k in np.unique(number):
        found = values[number == k]
        labels[number == k] = f"{found.min():g}" if found.min() == found.max() else f"{found.min():g} to {found.max():g}"
    return labels


def score(
    orders: pd.DataFrame, judged: pd.DataFrame, chances: Mapping[float, np.ndarray], blocks: Blocks
) -> list[dict[str, Any]]:
    """Return the scores of one model, a row per kind, bucket and metric.

    Parameters
    ----------
    orders : pandas.DataFrame
        Real orders with buckets; row k is case k of `blocks`.
    judged : pandas.DataFrame
        What `judge` said of each.
    chances : mapping of float to float array
        The model's chance of a fill within each horizon (s).
    blocks : Blocks
        Blocks of time of the orders.
    """
    columns = _columns(orders, judged, chances)
    error_s = np.abs(judged["error_s"].to_numpy())
    rows = []
    for kind, by, label, which in _groups(orders):
        head = {"kind": kind, "by": by, "bucket": label}
        for metric, (part, whole) in columns.items():
            estimate = blocks.ratio(part, whole, which)
            rows.append({**head, "metric": metric, **estimate._asdict(), "n": int(whole[which].sum())})
        for metric, share in ERRORS.items():
            estimate = blocks.quantile(error_s, share, which, has_interval=by == ALL)
            rows.append({**head, "metric": metric, **estimate._asdict(), "n": int((~np.isnan(error_s[which])).sum())})
    return rows


def _columns(
    orders: pd.DataFrame, judged: pd.DataFrame, chances: Mapping[float, np.ndarray]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return numerator and denominator of each share."""
    verdict = judged["verdict"].to_numpy()
    is_filled = orders["is_filled"].to_numpy(np.float64)
    one = np.ones(len(orders))
    columns = {name: ((verdict == code).astype(np.float64), is_filled) for name, code in _OF_FILLED.items()}
    columns["wrong"] = ((verdict == Verdict.WRONG).astype(np.float64), 1.0 - is_filled)
    total = np.zeros(len(orders))
    for horizon_s, chance in chances.items():
        squared = (chance - filled_within(orders, orders["fill_ns"].to_numpy(), horizon_s)) ** 2
        columns[f"brier_{horizon_s:g}s"] = (squared, one)
        total += squared / len(chances)
    return columns | {"brier": (total, one)}


def _groups(orders: pd.DataFrame) -> Iterator[tuple[str, str, str, np.ndarray]]:
    """Yield kind, bucket dimension, bucket and the cases in it."""
    for kind in sorted(orders["kind"].unique(), reverse=True):
        own = (orders["kind"] == kind).to_numpy()
        yield kind, ALL, ALL, np.flatnonzero(own)
        for by in (*BUCKETS, *(("symbol",) if orders["symbol"].nunique() > 1 else ())):
            labels = orders["symbol" if by == "symbol" else f"bucket_{by}"].to_numpy()
            for label in _in_order(labels[own]):
                yield kind, by, label, np.flatnonzero(own & (labels == label))


def _in_order(labels: np.ndarray) -> list[str]:
    return sorted(set(labels.tolist()), key=lambda label: (_leading(label), label))


def _leading(label: str) -> float:
    try:
        return float(label.split(" ")[0])
    except ValueError:
        return 0.0


def reliability(orders: pd.DataFrame, chances: Mapping[float, np.ndarray], blocks: Blocks) -> list[dict[str, Any]]:
    """Return, for each horizon and each chance that the model named, how often the real orders were filled in time."""
    rows = []
    for kind in sorted(orders["kind"].unique(), reverse=True):
        own = (orders["kind"] == kind).to_numpy()
        for horizon_s, chance in chances.items():
            real = filled_within(orders, orders["fill_ns"].to_numpy(), horizon_s)
            for named in np.unique(chance[own]):
                which = np.flatnonzero(own & (chance == named))
                estimate = blocks.ratio(real, np.ones(len(real)), which)
                head = {"kind": kind, "horizon_s": horizon_s, "chance": float(named), "n": len(which)}
                rows.append({**head, **estimate._asdict()})
    return rows


def wide(scores: pd.DataFrame, metrics: Sequence[str] = METRICS) -> pd.DataFrame:
    """Return the scores over all orders, a row per feed, kind and model."""
    whole = scores[scores["by"] == ALL]
    heads = ["feed", "kind", "model"]
    rank = {name: k for k, name in enumerate(dict.fromkeys(zip(*(whole[name] for name in heads), strict=True)))}
    table = whole.pivot(index=heads, columns="metric", values="value")[list(metrics)].reset_index()
    table["rank"] = [rank[key] for key in zip(*(table[name] for name in heads), strict=True)]
    return table.sort_values("rank", ignore_index=True).drop(columns="rank").rename_axis(columns=None)
