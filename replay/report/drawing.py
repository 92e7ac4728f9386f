"""A plain picture without any script: mid, own fills and profit as SVG, for where the chart library is not installed."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from replay.report.panes import RunTables, fill_marks, price_path
from replay.tables import RunContext

if TYPE_CHECKING:
    from collections.abc import Iterable

_WIDTH, _HEIGHT, _MARGIN = 1100, 220, 8
_POINTS = 3_000


def draw(tables: RunTables, context: RunContext) -> str:
    """Return one drawing per symbol that was traded (the first symbol if none was), and one of the profit."""
    traded = [name for name in context.symbols if tables.fills.is_any("symbol", name).any()] or list(context.symbols[:1])
    pictures = [_price(name, tables, context) for name in traded]
    ms = tables.equity["ts_ns"] // 1_000_000
    pictures.append(_picture("Net profit, USD", ms, tables.equity["net_usd"], ()))
    return "".join(pictures)


def _price(name: str, tables: RunTables, context: RunContext) -> str:
    path = price_path(tables.marks.of_symbol(name), context, _POINTS)
    is_shown = (path["bid"] > 0) & (path["ask"] > 0)
    mid = (path["bid"] + path["ask"])[is_shown] / (2 * context.scale)
    own = fill_marks(tables.fills.of_symbol(name), context.scale)
    dots = zip(own["ms"].tolist(), (own["price"] / context.scale).tolist(), own["side"].tolist(), strict=True)
    return _picture(f"{name}, mid and own fills, USD", path["ms"][is_shown], mid, dots)


def _picture(title: str, ms: np.ndarray, values: np.ndarray, dots: Iterable[tuple[int, float, int]]) -> str:
    if not len(ms):
        return ""
    left, right, low, high = (float(bound) for bound in (ms.min(), ms.max(), values.min(), values.max()))

    def x(at: float) -> float:
        return _MARGIN + (_WIDTH - 2 * _MARGIN) * (at - left) / max(right - left, 1)

    def y(value: float) -> float:
        return _HEIGHT - _MARGIN - (_HEIGHT - 2 * _MARGIN) * (value - low) / max(high - low, 1e-9)

    line = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in zip(ms.tolist(), values.tolist(), strict=True))
    marks = "".join(
        f'<circle class="{"buy" if side > 0 else "sell"}" cx="{x(at):.1f}" cy="{y(v):.1f}" r="4"/>' for at, v, side in dots
    )
    return (
        f'<figure><figcaption>{escape(title)}: {low:,.2f} to {high:,.2f}</figcaption><svg viewBox="0 0 {_WIDTH} {_HEIGHT}">'
        f'<polyline points="{line}"/>{marks}</svg></figure>'
    )
