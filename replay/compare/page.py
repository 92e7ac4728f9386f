"""A comparison as one page: what came out, the table, the intervals drawn, both profit paths, and what differs."""

from __future__ import annotations

from html import escape
from pathlib import Path

import numpy as np

from replay.compare.bootstrap import Line
from replay.compare.comparison import Comparison
from replay.compare.view import HEADS, cells, headline, how, setting_lines
from replay.report.plain import chip, paths, sentences, write_plain

_KINDS = {"better": "good", "worse": "bad", "more": "warn", "less": "warn"}
_COLOURS = {"better": "#0f766e", "worse": "#be123c"}
_WIDTH, _ROW, _NAME = 1100, 24, 300
_SPAN = 1.0  # a share of A at which an interval leaves the drawing
_COSTS = """Costs are per share and positive when bad. Spread is the price against the mid at the fill; impact is the mid's move
from the order's arrival to its fill; timing its move from the decision to the arrival; the four parts add up to the cost.
Adverse selection is the mid's move against us after the fill, a view of its own."""
_ALPHA = """Alpha kept is net profit over forecast edge of the round trips; of the run that entered more dollars only the most
promising trips count, up to the other's dollars. The drawdown is that of the profit at the ends of blocks."""
_VERDICTS = """Better and worse are said where the 95 % interval of B - A does not hold zero. Of twenty lines about one would say
so by chance alone."""


def write_page(comparison: Comparison, path: Path) -> Path:
    """Write the page of a comparison."""
    ends_ns, a, b = comparison.paths
    sections = [
        ("What came out", sentences([headline(comparison), *comparison.notes])),
        ("Figure by figure", _table(comparison)),
        ("Difference in per cent of A, 95 % interval", _forest(comparison.lines)),
        ("Net profit, USD", paths(np.r_[0, ends_ns], [("A", np.r_[0.0, a]), ("B", np.r_[0.0, b])], "USD")),
        ("What differs", sentences(setting_lines(comparison))),
        ("How to read it", sentences([f"{how(comparison)}.", _COSTS, _ALPHA, _VERDICTS])),
    ]
    subtitle = f"A {comparison.a} | B {comparison.b} | {comparison.days[0]} to {comparison.days[-1]}"
    return write_plain(path, "Two runs compared", subtitle, sections)


def _table(comparison: Comparison) -> str:
    heads = "".join(f"<th{'' if k in (0, 6) else _NUMBER}>{escape(head)}</th>" for k, head in enumerate(HEADS))
    body = ""
    for line in comparison.lines:
        row = cells(line)
        name = escape(row[0]).replace("  ", "&nbsp;&nbsp;&nbsp;")
        numbers = "".join(f"<td{_NUMBER}>{escape(cell)}</td>" for cell in row[1:-1])
        body += f"<tr><td>{name}</td>{numbers}<td>{chip(line.verdict, _KINDS.get(line.verdict, ''))}</td></tr>"
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'


_NUMBER = ' class="number"'


def _forest(lines: tuple[Line, ...]) -> str:
    """Draw each interval as a bar around its difference; what has no share of A is left out."""
    shown = [line for line in lines if line.relative is not None and line.relative_low is not None]
    if not shown:
        return "<p>No figure has an interval in per cent of A.</p>"
    height = _ROW * (len(shown) + 1)
    is_cut = any(abs(value or 0.0) > _SPAN for line in shown for value in (line.relative_low, line.relative_high))
    beyond = '<p class="quiet">What lies beyond 100 % is drawn at the edge; the table has the numbers.</p>' if is_cut else ""
    grid = "".join(
        f'<line x1="{_x(v):.0f}" x2="{_x(v):.0f}" y1="0" y2="{height - _ROW}" stroke="{"#94a3b8" if v == 0 else "#e2e8f0"}"/>'
        f'<text x="{_x(v):.0f}" y="{height - 8}" text-anchor="middle" font-size="11" fill="#64748b">{_percent(v)}</text>'
        for v in (-1.0, -0.5, 0.0, 0.5, 1.0)
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" width="100%">{grid}{"".join(_bar(k, line) for k, line in enumerate(shown))}</svg>'
        f"{beyond}"
    )


def _percent(share: float) -> str:
    return f"{100 * share:+.0f} %" if share else "0 %"


def _bar(k: int, line: Line) -> str:
    y = _ROW * k + _ROW / 2
    colour = _COLOURS.get(line.verdict, "#64748b")
    low, high, middle = (_x(value or 0.0) for value in (line.relative_low, line.relative_high, line.relative))
    name = f'<text x="0" y="{y + 4}" font-size="13" fill="#1b2430">{escape(line.title.strip())}</text>'
    bar = f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="3" stroke-linecap="round"/>'
    return f'{name}{bar}<circle cx="{middle:.1f}" cy="{y}" r="5" fill="{colour}"/>'


def _x(share: float) -> float:
    half = (_WIDTH - _NAME) / 2 - 30
    return _NAME + 30 + half + half * max(-_SPAN, min(_SPAN, share)) / _SPAN
