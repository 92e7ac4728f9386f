"""How a comparison reads: one line per figure, with its interval and its verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replay.compare.bootstrap import Line
from replay.compare.comparison import Comparison
from replay.wording import DASH, several

if TYPE_CHECKING:
    from rich.console import Group

HEADS = ("figure", "A", "B", "B - A", "95 % interval", "in % of A", "verdict")
STYLES = {"better": "green", "worse": "bold red", "more": "yellow", "less": "yellow"}
_DIGITS = {"USD": 0, "kUSD": 0, "%": 2, "bps": 2, "cents": 3}
_SETTINGS_SHOWN = 12


def cells(line: Line) -> tuple[str, ...]:
    """Write one line: title with unit, both values, difference, interval, relative difference, verdict."""
    title = f"{line.title}, {line.unit}"
    span = DASH if line.low is None else f"{figure(line.low, line.unit, True)} to {figure(line.high, line.unit, True)}"
    share = DASH if line.relative is None else f"{round(100 * line.relative) + 0:+d} %"
    values = (figure(line.a, line.unit), figure(line.b, line.unit), figure(line.difference, line.unit, True))
    return (title, *values, span, share, line.verdict)


def figure(value: float | None, unit: str, has_sign: bool = False) -> str:
    """Write a value with the digits of its unit, without the unit.

    >>> figure(1234.5, "USD"), figure(0.25, "cents", True), figure(None, "%")
    ('1,234', '+0.250', '-')
    """
    if value is None:
        return DASH
    rounded = round(value, _DIGITS[unit]) + 0.0
    return f"{rounded:{'+' if has_sign else ''},.{_DIGITS[unit]}f}"


def setting_lines(comparison: Comparison) -> list[str]:
    """Say in which settings and inputs the runs differ."""
    shown = [f"{key}: {_plain(a)} -> {_plain(b)}" for key, (a, b) in comparison.differs.items()]
    return shown or ["nothing: settings and inputs are the same"]


def how(comparison: Comparison) -> str:
    """Say how the intervals were made."""
    return (
        f"{several(comparison.blocks, 'block')} of {comparison.block_min} min in {several(len(comparison.days), 'session')}, "
        f"{comparison.draws:,} draws with seed {comparison.seed}, the same blocks for both runs; "
        f"fills of the {comparison.band} band"
    )


def headline(comparison: Comparison) -> str:
    """Say in one sentence what came out.

    Changes of turnover are no verdict.
    """
    by_verdict = {verdict: [line for line in comparison.lines if line.verdict == verdict] for verdict in ("better", "worse")}
    parts = [
        f"{verdict} in {', '.join(_told(line) for line in lines)}" if lines else f"{verdict} in nothing"
        for verdict, lines in by_verdict.items()
    ]
    n_open = sum(line.verdict == "cannot tell" for line in comparison.lines)
    return f"B is {parts[0]}; {parts[1]}; of {n_open} figures these sessions cannot tell."


def render(comparison: Comparison) -> Group:
    """Lay a comparison out for a terminal."""
    from rich import box
    from rich.console import Group
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for head in ("figure", "A", "B", "B - A, 95 % interval", "verdict"):
        table.add_column(head, justify="left" if head in ("figure", "verdict") else "right", no_wrap=head != "figure")
    for line in comparison.lines:
        row = cells(line)
        style = STYLES.get(line.verdict, "dim")
        table.add_row(*[Text(cell) for cell in (*row[:3], row[4])], Text(line.verdict, style=style))
    settings = setting_lines(comparison)
    if len(settings) > _SETTINGS_SHOWN:
        settings = [*settings[:_SETTINGS_SHOWN], f"and {len(settings) - _SETTINGS_SHOWN} more, all of them on the page"]
    told = [f"A  {comparison.a}", f"B  {comparison.b}", *(f"   {text}" for text in settings)]
    tail = [headline(comparison), how(comparison), *comparison.notes]
    return Group(*[Text(text) for text in told], table, *[Padding(Text(text), (0, 0)) for text in tail], Text())


def _told(line: Line) -> str:
    name = line.title.strip()
    name = name[:1].lower() + name[1:]
    return f"{name} ({figure(line.a, line.unit)} to {figure(line.b, line.unit)} {line.unit})"


def _plain(value: object) -> str:
    return "none" if value in (None, "") else str(value)
