"""A page that is read, not explored: headline, sections, tables and drawings in one file without script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

import numpy as np

_WIDTH, _HEIGHT, _MARGIN = 1100, 240, 46
_LABEL_SHARE = 0.07  # of the height that a label takes
_COLOURS = ("#64748b", "#2563eb", "#b45309", "#0f766e")


def write_plain(path: Path, title: str, subtitle: str, sections: Iterable[tuple[str, str]]) -> Path:
    """Write a page; each section is a heading and its HTML.

    Nothing half-written is ever seen at `path`.
    """
    style = files("replay.report").joinpath("page.css").read_text(encoding="utf-8")
    body = "".join(f"<section><h2>{escape(head)}</h2>{html}</section>" for head, html in sections if html)
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{style}</style></head>"
        f'<body><header><h1>{escape(title)}</h1><p class="quiet">{escape(subtitle)}</p></header>'
        f"<main>{body}</main></body></html>\n"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(page, encoding="utf-8")
    part.rename(path)
    return path


def chip(word: str, kind: str) -> str:
    """Return a word on a coloured ground, never broken; `kind` is good, warn, bad or empty."""
    return f'<span class="chip {kind}">{escape(word)}</span>'


def sentences(lines: Iterable[str]) -> str:
    """Return a paragraph per line."""
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def _is_apart(low: float, high: float) -> bool:
    """Tell whether the label of zero keeps clear of those of the extremes."""
    return all(value == 0.0 or abs(value) > _LABEL_SHARE * (high - low) for value in (low, high))


def paths(x: np.ndarray, curves: Sequence[tuple[str, np.ndarray]], unit: str) -> str:
    """Draw curves over a common axis, with zero and the extremes named; empty where there is nothing to draw."""
    if not len(x) or not curves:
        return ""
    values = np.concatenate([curve for _, curve in curves] + [np.zeros(1)])
    low, high = float(values.min()), float(values.max())
    across = _MARGIN + (_WIDTH - 2 * _MARGIN) * np.arange(len(x)) / max(len(x) - 1, 1)

    def down(value: float) -> float:
        return _HEIGHT - 16 - (_HEIGHT - 32) * (value - low) / max(high - low, 1e-9)

    lines, names = [], []
    for k, (name, curve) in enumerate(curves):
        points = " ".join(f"{a:.1f},{down(float(v)):.1f}" for a, v in zip(across, curve, strict=True))
        lines.append(f'<polyline fill="none" stroke="{_COLOURS[k % 4]}" stroke-width="2" points="{points}"/>')
        names.append(
            f'<span style="color:{_COLOURS[k % 4]}">&#9632; {escape(name)} {float(curve[-1]):,.0f} {escape(unit)}</span>'
        )
    labels = "".join(
        f'<text x="{_MARGIN - 4}" y="{down(v) + 4:.1f}" text-anchor="end" font-size="11" fill="#64748b">{v + 0.0:,.0f}</text>'
        for v in sorted({round(low) + 0, round(high) + 0} | ({0} if _is_apart(low, high) else set()))
    )
    zero = f'<line x1="{_MARGIN}" x2="{_WIDTH - _MARGIN}" y1="{down(0.0):.1f}" y2="{down(0.0):.1f}" stroke="#e2e8f0"/>'
    legend = " &nbsp; ".join(names)
    return f'<p>{legend}</p><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="100%">{zero}{labels}{"".join(lines)}</svg>'
