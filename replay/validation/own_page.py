"""The page of own executions beside their shadows: scores per account kind and queue model, and the orders one by one."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replay.report.sections import table
from replay.validation.outcomes import Verdict
from replay.validation.page import PARTS, fill_page
from replay.validation.plots import stacked
from replay.wording import duration

if TYPE_CHECKING:
    import pandas as pd

    from replay.validation.executions import OwnValidation

MOST_ORDERS = 500
_SHARES = ("same", "earlier", "later", "never")
_HEADS = [
    "model",
    "same instant",
    "earlier",
    "later",
    "never",
    "wrongly filled",
    "error p50",
    "error p90",
    "price bps",
    "quantity",
]


def write_own_page(result: OwnValidation, path: Path) -> Path:
    """Write the page of own orders; an older page there is replaced.

    Parameters
    ----------
    result : OwnValidation
        What `validate_executions` returned.
    path : Path
        The file; its folder is made.
    """
    orders, kinds = result.orders, list(dict.fromkeys(result.scores["account_kind"]))
    filled = int((orders["filled_qty"] > 0).sum())
    left_out = [[reason, f"{count:,}"] for reason, count in result.excluded.items() if count]
    return fill_page(
        path,
        TITLE=escape(f"Simulated fills beside own executions: {', '.join(sorted(orders['symbol'].unique())[:8])}"),
        SUBTITLE=escape(f"{told_orders(orders)}, {filled:,} of them filled"),
        CARDS="".join(_card(kind, orders[orders["account_kind"] == kind]) for kind in kinds),
        NOTES="".join(f"<p>{escape(note)}</p>" for note in result.notes),
        KINDS="".join(_section(kind, result.scores[result.scores["account_kind"] == kind]) for kind in kinds),
        FEEDS="",
        EXCLUDED=table(["why", "orders"], left_out, n_words=1) if left_out else "<p>Every order was played.</p>",
        DETAIL=f"Order by order, those that differ first{_of_all(len(result.shadows))}",
        BUCKETS=_orders(_worst_first(result.shadows).head(MOST_ORDERS)),
        FOOT="The same figures as JSON: replay validate fills --executions ... --json.",
    )


def told_orders(orders: pd.DataFrame) -> str:
    """Count own orders; where changes cut some into several (`7.0`, `7.1`), say how many were sent.

    >>> import pandas as pd
    >>> told_orders(pd.DataFrame({"order_ref": ["7.0", "7.1", "8.0"]})), told_orders(pd.DataFrame({"order_ref": ["501"]}))
    ('3 own orders (2 sent, cut at changes)', '1 own orders')
    """
    n_sent = orders["order_ref"].astype(str).str.split(".").str[0].nunique()
    cut = f" ({n_sent:,} sent, cut at changes)" if n_sent < len(orders) else ""
    return f"{len(orders):,} own orders{cut}"


def _of_all(n_rows: int) -> str:
    return f": {MOST_ORDERS:,} of {n_rows:,} rows, one per order and queue model" if n_rows > MOST_ORDERS else ""


def _worst_first(shadows: pd.DataFrame) -> pd.DataFrame:
    """Put what differs before what agrees; an order keeps its rows together, and orders of a kind their order."""
    is_alike = shadows["verdict"].isin([Verdict.SAME, Verdict.RIGHT])
    agrees = is_alike.groupby([shadows["account_kind"], shadows["order_ref"]]).transform("all").astype(int)
    place = shadows.groupby(["account_kind", "order_ref"], sort=False).ngroup()
    return shadows.assign(agrees=agrees, place=place).sort_values(["agrees", "place"], kind="stable")


def _card(kind: str, orders: pd.DataFrame) -> str:
    filled = orders[orders["filled_qty"] > 0]
    return (
        f'<div class="card"><div class="name">{escape(kind)}: orders</div><div class="value">{len(orders):,}</div>'
        f'<div class="note">{len(filled):,} filled, {int(filled["filled_qty"].sum()):,} shares</div></div>'
    )


def _section(kind: str, scores: pd.DataFrame) -> str:
    """Return table and plot of one kind of account."""
    rows = scores.to_dict("records")
    lines = [(_name(row["model"]), [float(row[name]) for name in _SHARES]) for row in rows if row["filled"]]
    plot = stacked("Really filled: when the shadow filled", lines, PARTS) if lines else ""
    body = f'<div class="scroll">{table(_HEADS, [_score(row) for row in rows], n_words=1)}</div><div class="plots">{plot}</div>'
    return f"<section><h2>{escape(kind.capitalize())} orders: {rows[0]['orders']:,}</h2>{body}</section>"


def _score(row: dict[Any, Any]) -> list[str]:
    shares = [_known(row[name], "{:.1%}") for name in (*_SHARES, "wrong")]
    errors = [duration(row[name] * 1e9) for name in ("error_p50_s", "error_p90_s")]
    return [_name(row["model"]), *shares, *errors, _known(row["price_bps"], "{:.2f}"), _known(row["qty_ratio"], "{:.1%}")]


def _orders(shadows: pd.DataFrame) -> str:
    """Return a row per order and queue model."""
    rows = [
        [
            *(_name(str(row[name])) for name in ("account_kind", "symbol", "order_ref", "model")),
            Verdict(row["verdict"]).name.lower(),
            f"{row['real_qty']:,}",
            f"{row['filled_qty']:,}",
            duration(row["error_s"] * 1e9),
            _known(row["price_bps"], "{:.2f}"),
        ]
        for row in shadows.to_dict("records")
    ]
    heads = ["account", "symbol", "order", "model", "verdict", "really filled", "shadow filled", "error", "price bps"]
    return table(heads, rows, n_words=5)


def _name(word: str) -> str:
    return word.replace("_", " ")


def _known(value: float, form: str) -> str:
    return "-" if value != value else form.format(value)
