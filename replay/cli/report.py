"""`replay report`: runs in plain words, by themselves or added up."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from replay.cli.options import Json, NoProgress
from replay.cli.output import print_json, say, stderr, stdout, table
from replay.cli.places import check_writable
from replay.cli.progress import line_progress

if TYPE_CHECKING:
    from replay.result import Result


_TURNOVER = 6  # the column that 80 columns have no room for


class Period(StrEnum):
    """What runs are added up by."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


def report(
    folders: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of runs.")],
    period: Annotated[
        Period | None, typer.Option("--period", help="Add runs up; a quarter also shows what each component is worth.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="The page; default daily.html in the run, or runs/report-PERIOD.html."),
    ] = None,
    is_quiet: NoProgress = False,
    is_json: Json = False,
) -> None:
    """Say in plain words what happened, what the checklist found and what to change; for one run, or for many by period."""
    runs = _opened(folders)
    if len(runs) == 1 and period is None:
        _one(runs[0], out or runs[0].path / "daily.html", is_json)
    else:
        name = str(period or Period.DAY)
        _many(runs, name, out or Path("runs") / f"report-{name}.html", is_quiet, is_json)


def _opened(folders: list[Path]) -> list[Result]:
    """Open the runs among what was given, as `runs/*` holds pages and comparisons too; without any, complain of the first."""
    from replay.result import Result

    strangers = [folder for folder in folders if folder.exists() and not (folder / "manifest.json").is_file()]
    if len(strangers) == len(folders):
        Result.open(folders[0])
    if strangers:
        stderr().print(f"skipped, no runs: {', '.join(folder.name for folder in strangers)}", markup=False, soft_wrap=True)
    return [Result.open(folder) for folder in folders if folder not in strangers]


def _one(run: Result, page: Path, is_json: bool) -> None:
    from replay.report import write_report
    from replay.report.plain_report import run_page
    from replay.report.words import words_of

    check_writable(page, "--out")
    words = words_of(run)
    charts = write_report(run.path)
    run_page(run, words, page)
    told = {"run": run.path, **words._asdict(), "page": page, "report": charts}
    if is_json:
        print_json(told)
        return
    for head, lines in (("What happened", words.happened), ("What the checklist found", words.found)):
        _paragraph(head, lines)
    _paragraph("What to change", words.change)
    say(f" page    {page}\n report  {charts}")


def _many(runs: list[Result], period: str, page: Path, is_quiet: bool, is_json: bool) -> None:
    from replay.compare.ablation import ablate
    from replay.report.period import period_lines, settings_by_letter
    from replay.report.plain_report import PERIOD_HEADS, advice_lines, missing_lines, note_lines, period_cells, period_page

    check_writable(page, "--out")
    lines, settings = period_lines(runs, period), settings_by_letter(runs)
    with line_progress(not is_quiet) as tell:
        if tell is not None:
            tell(f"comparing {len(runs)} runs")
        worth: Any = ablate(runs) if period == Period.QUARTER else ([], [])
    period_page(period, lines, settings, worth, page)
    if is_json:
        found = [{**ablation._asdict(), "lines": [line._asdict() for line in ablation.lines]} for ablation in worth[0]]
        print_json(
            {"period": period, "lines": _plain(lines), "settings": settings, "ablation": found, "missing": worth[1], "page": page}
        )
        return
    rows = [[cell for k, cell in enumerate(period_cells(line)) if k != _TURNOVER] for line in lines]
    heads = [head for k, head in enumerate(PERIOD_HEADS) if k != _TURNOVER]
    stdout().print(table(f"By {period}", heads, rows, right=heads[2:]))
    _paragraph("Settings", [f"{letter}: {told}" for letter, told in settings.items()])
    _paragraph("What to change", advice_lines(lines))
    if notes := note_lines(lines):
        _paragraph("Notes", notes)
    if period == Period.QUARTER:
        _paragraph("What each component is worth", [*map(_worth, worth[0]), *missing_lines(worth[1])])
    say(f" page    {page}")


def _worth(ablation: Any) -> str:
    verdicts = ", ".join(f"{line.title.strip().lower()} {line.verdict}" for line in ablation.lines)
    return f"{ablation.component} from {ablation.modes[0]} to {ablation.modes[1]}: {verdicts}"


def _plain(lines: list[Any]) -> list[dict[str, Any]]:
    from dataclasses import asdict

    return [asdict(line) for line in lines]


def _paragraph(head: str, lines: Any) -> None:
    from rich.padding import Padding
    from rich.text import Text

    stdout().print(Text(head, style="bold"))
    for line in lines:
        stdout().print(Padding(Text(line), (0, 0, 0, 2)))
    stdout().print()
