"""Plots as plain SVG: they need no script and no network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH = 560
ROW = 24
LABEL = 150  # the least room for labels
LETTER = 6.6  # of a 12 px font: the mean width is 6.2
RIGHT = 74
TOP = 8
COLOURS = ("#0f766e", "#2563eb", "#b45309", "#be123c", "#7c3aed", "#0891b2", "#4d7c0f", "#64748b", "#a16207", "#db2777")


class Whisker(NamedTuple):
    """A value with its interval on a line of its own; NaN values leave the line empty."""

    label: str
    value: float
    low: float
    high: float
    text: str
    colour: str = COLOURS[0]


class Curve(NamedTuple):
    """A line through points, with dots where `has_dots`."""

    label: str
    points: Sequence[tuple[float, float]]
    has_dots: bool = False


def stacked(title: str, rows: Sequence[tuple[str, Sequence[float]]], parts: Sequence[tuple[str, str]]) -> str:
    """Draw shares as stacked bars.

    Parameters
    ----------
    title : str
        Stands above the plot.
    rows : sequence of (str, sequence of float)
        Label and shares (0..1) of each bar.
    parts : sequence of (str, str)
        Name and colour of each share.
    """
    left = _room([label for label, _ in rows])
    span = WIDTH - left - RIGHT
    body = ""
    for k, (label, shares) in enumerate(rows):
        y, x = TOP + k * ROW, left
        body += _label(label, left, y)
        for (name, colour), share in zip(parts, shares, strict=True):
            width = 0.0 if math.isnan(share) else span * share
            body += f'<rect x="{x:.1f}" y="{y + 3}" width="{width:.1f}" height="{ROW - 7}" fill="{colour}">'
            body += f"<title>{escape(label)}: {escape(name)} {share:.1%}</title></rect>"
            x += width
        body += _text(WIDTH - RIGHT + 6, y, f"{shares[0]:.1%}" if not math.isnan(shares[0]) else "-")
    return _figure(title, body, TOP + len(rows) * ROW + 4, _key(parts))


def whiskers(title: str, rows: Sequence[Whisker], mark: tuple[float, str] | None = None) -> str:
    """Draw values with intervals, one below the other, from zero on.

    Parameters
    ----------
    title : str
        Stands above the plot.
    rows : sequence of Whisker
        The values.
    mark : (float, str), optional
        A line to compare with, and what it is.
    """
    found = [edge for row in rows for edge in (row.value, row.high) if not math.isnan(edge)] + ([mark[0]] if mark else [])
    most = max(found, default=0.0) or 1.0
    left = _room([row.label for row in rows])
    scale = (WIDTH - left - RIGHT - 8) / most
    height = TOP + len(rows) * ROW + 4
    body = ""
    if mark:
        x = left + scale * mark[0]
        body += f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{height - 4}" stroke="#1b2430" stroke-dasharray="3 3"/>'
    for k, row in enumerate(rows):
        y = TOP + k * ROW
        body += _label(row.label, left, y) + _text(WIDTH - RIGHT + 6, y, row.text)
        if math.isnan(row.value):
            continue
        if not math.isnan(row.low):
            ends = f'x1="{left + scale * row.low:.1f}" x2="{left + scale * row.high:.1f}"'
            body += f'<line {ends} y1="{y + 11}" y2="{y + 11}" stroke="{row.colour}" stroke-width="2"/>'
        body += f'<circle cx="{left + scale * row.value:.1f}" cy="{y + 11}" r="4" fill="{row.colour}"/>'
    return _figure(title, body, height, [(mark[1], "#1b2430")] if mark else [])


def curves(title: str, lines: Sequence[Curve], x_ticks: Sequence[tuple[float, str]], diagonal: bool = False) -> str:
    """Draw curves over x and y from 0 to 1.

    Parameters
    ----------
    title : str
        Stands above the plot.
    lines : sequence of Curve
        Their points, already scaled to 0..1.
    x_ticks : sequence of (float, str)
        Places (0..1) and words on the x axis.
    diagonal : bool
        Draw the line of a perfect forecast.
    """
    left, bottom, height = 44, 250, 280
    span = WIDTH - left - 20

    def place(x: float, y: float) -> tuple[float, float]:
        return left + span * x, bottom - (bottom - TOP) * y

    body = "".join(_rule(left, WIDTH - 20, place(0, y)[1], f"{y:.0%}") for y in (0.0, 0.25, 0.5, 0.75, 1.0))
    body += "".join(
        f'<text x="{place(x, 0)[0]:.1f}" y="{bottom + 16}" text-anchor="middle">{escape(t)}</text>' for x, t in x_ticks
    )
    if diagonal:
        (x1, y1), (x2, y2) = place(0, 0), place(1, 1)
        body += f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#94a3b8" stroke-dasharray="3 3"/>'
    for line, colour in zip(lines, COLOURS, strict=False):
        spots = [place(x, y) for x, y in line.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        body += f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        body += "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in spots if line.has_dots)
    return _figure(title, body, height, [(line.label, colour) for line, colour in zip(lines, COLOURS, strict=False)])


def _rule(x1: float, x2: float, y: float, text: str) -> str:
    line = f'<line x1="{x1}" x2="{x2}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e2e8f0"/>'
    return f'{line}<text x="{x1 - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(text)}</text>'


def _room(labels: Sequence[str]) -> float:
    """Return the width that the longest label needs, at most half of the plot."""
    return min(max(LABEL, LETTER * max(map(len, labels), default=0) + 12), WIDTH / 2)


def _label(text: str, right: float, y: float) -> str:
    return f'<text x="{right - 8:.1f}" y="{y + 15}" text-anchor="end">{escape(text)}</text>'


def _text(x: float, y: float, text: str) -> str:
    return f'<text x="{x}" y="{y + 15}">{escape(text)}</text>'


def _key(parts: Sequence[tuple[str, str]]) -> str:
    return "".join(f'<span><i style="background:{colour}"></i>{escape(name)}</span>' for name, colour in parts)


def _figure(title: str, body: str, height: float, parts: Sequence[tuple[str, str]] | str) -> str:
    key = parts if isinstance(parts, str) else _key(parts)
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><div class="key">{key}</div>'
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">{body}</svg></figure>'
    )
