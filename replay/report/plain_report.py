"""The report in plain words as one page: each run by itself, sums by period, and what each component is worth."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from replay.checklist_view import CHECKS
from replay.compare.ablation import Ablation
from replay.compare.view import STYLES, cells
from replay.report.columns import Columns
from replay.report.period import PeriodLine
from replay.report.plain import chip, paths, sentences, write_plain
from replay.report.sections import table
from replay.report.words import RunWords
from replay.result import Result
from replay.wording import count, percent, several, usd

_POINTS = 800
PERIOD_HEADS = ("period", "set", "runs", "days", "net", "fees", "turnover", "trips", "won", "drawdown")
STATUSES = ("PASS", "WARN", "FAIL", "NOT_ENOUGH_DATA")
_KINDS = {"PASS": "good", "WARN": "warn", "FAIL": "bad", "green": "good", "bold red": "bad", "yellow": "warn"}


def run_page(run: Result, words: RunWords, path: Path) -> Path:
    """Write the page of one run."""
    sections = [
        ("What happened", sentences(words.happened)),
        ("What the checklist found", _chips(run) + sentences(words.found)),
        ("What to change", sentences(words.change)),
        ("Net profit, USD", _profit(run)),
    ]
    days = run.summary["sessions"]
    title = f"Report of {days[0]} to {days[-1]}" if len(days) > 1 else f"Report of {days[0]}"
    return write_plain(path, title, str(run.path), sections)


def period_page(
    period: str,
    lines: Sequence[PeriodLine],
    settings: dict[str, str],
    worth: tuple[Sequence[Ablation], Sequence[str]],
    path: Path,
) -> Path:
    """Write the page of many runs."""
    sections = [
        (f"By {period} and settings", table(PERIOD_HEADS, [period_cells(line) for line in lines], n_words=2)),
        ("Settings", sentences(f"{letter}: {told}" for letter, told in settings.items())),
        ("What the checklist found, runs by status", _statuses(lines)),
        ("What to change", sentences(advice_lines(lines))),
        ("What each component is worth", ablation_html(*worth) if period == "quarter" else ""),
        ("Notes", sentences(note_lines(lines))),
    ]
    names = [line.period for line in lines]
    span = names[0] if names[0] == names[-1] else f"{names[0]} to {names[-1]}"
    return write_plain(path, f"Report by {period}", span, sections)


def period_cells(line: PeriodLine) -> tuple[str, ...]:
    """Write one line of the period's table."""
    sums = line.sums
    won = percent(sums["round_trips_won"] / sums["round_trips"], 0) if sums["round_trips"] else "-"
    money = tuple(usd(sums[f"{name}_usd"], 0) for name in ("net", "fee", "turnover"))
    counted = (count(len(line.runs)), count(len(line.sessions)))
    return (line.period, line.settings, *counted, *money, count(sums["round_trips"]), won, usd(line.max_drawdown_usd, 0))


def advice_lines(lines: Sequence[PeriodLine]) -> list[str]:
    """Say what to change, with the number of runs that gave reason for it."""
    told = [
        f"{line.period}, settings {line.settings}: {text} ({n} of {len(line.runs)} runs)."
        for line in lines
        for text, n in line.advice.items()
    ]
    told += [line_told for line in lines if (line_told := _loss_before_fees(line))]
    if told:
        return told
    if not any(line.sums["orders"] for line in lines):
        return ["No order was sent, so there was little to judge: `replay report RUN` says what stopped the decisions of a run."]
    open_checks = sum(line.statuses[name].get("NOT_ENOUGH_DATA", 0) for line in lines for name in line.statuses)
    unjudged = f", but {count(open_checks)} could not be judged: too little happened" if open_checks else ""
    return [f"Nothing: no check of any run warned{unjudged}."]


def _loss_before_fees(line: PeriodLine) -> str:
    """Say where the trades themselves lost: no check looks at money."""
    gross_usd, n_trips = line.sums["net_usd"] + line.sums["fee_usd"], int(line.sums["round_trips"])
    if gross_usd >= 0.0 or not n_trips:
        return ""
    lost = f"{usd(-gross_usd)} were lost before fees over {several(n_trips, 'round trip')}"
    return f"{line.period}, settings {line.settings}: {lost}, so judge what they follow."


def note_lines(lines: Sequence[PeriodLine]) -> list[str]:
    """Say what keeps the sums from meaning what they seem to."""
    return [f"{line.period}, settings {line.settings}: {note}." for line in lines for note in line.notes]


def missing_lines(missing: Sequence[str]) -> list[str]:
    """Say for which components no pair of runs was given, and how to make one."""
    if not missing:
        return []
    return [
        f"Missing: no two of these runs differ in the mode of {', '.join(missing)} alone, over the same sessions.",
        f"To fill a line: replay run SESSION... --set {missing[0]}.mode=original, and again with its enhanced form.",
    ]


def ablation_html(found: Sequence[Ablation], missing: Sequence[str]) -> str:
    """Return a table of verdicts per switched component, and what is missing."""
    rows = ""
    for ablation in found:
        for k, line in enumerate(ablation.lines):
            row = cells(line)
            head = f"{ablation.component}: {ablation.modes[0]} to {ablation.modes[1]}" if not k else ""
            numbers = "".join(f'<td class="number">{escape(cell)}</td>' for cell in row[1:5])
            mark = chip(line.verdict, _KINDS.get(STYLES.get(line.verdict, ""), ""))
            rows += f"<tr><td>{escape(head)}</td><td>{escape(row[0])}</td>{numbers}<td>{mark}</td></tr>"
    names = ("component", "figure", "before", "after", "difference", "95 % interval", "verdict")
    heads = "".join(f"<th{_NUMBER if 1 < k < 6 else ''}>{name}</th>" for k, name in enumerate(names))
    made = f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>' if rows else ""
    return made + sentences(missing_lines(missing))


_NUMBER = ' class="number"'


def _chips(run: Result) -> str:
    words = [
        f'<span class="pair">{chip(check["status"].replace("_", " ").lower(), _KINDS.get(check["status"], ""))} '
        f"{escape(_title(check['name']))}</span>"
        for check in run.verification["checks"]
    ]
    return f"<p>{' '.join(words)}</p>"


def _statuses(lines: Sequence[PeriodLine]) -> str:
    heads = ("period", "settings", "check", *(status.replace("_", " ").lower() for status in STATUSES))
    rows = [
        (line.period, line.settings, _title(name), *(count(found.get(status, 0)) for status in STATUSES))
        for line in lines
        for name, found in line.statuses.items()
    ]
    return table(heads, rows, n_words=3)


def _title(name: str) -> str:
    return CHECKS[name].title if name in CHECKS else name


def _profit(run: Result) -> str:
    path = Columns.read(run.path / "equity.parquet", ("ts_ns", "net_usd"))
    if not len(path):
        return ""
    shown = np.unique(np.linspace(0, len(path) - 1, _POINTS).astype(int))
    return paths(path["ts_ns"][shown], [("net", path["net_usd"][shown])], "USD")
