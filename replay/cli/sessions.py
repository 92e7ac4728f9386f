"""`replay import`, `replay synth`, `replay info` and `replay check`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replay.cli.options import Json, NoProgress, SessionFolders, parse_day, split_names
from replay.cli.output import print_json, say, stderr, stdout
from replay.cli.progress import line_progress
from replay.errors import VerificationError
from replay.wording import et_time

if TYPE_CHECKING:
    from replay.session import Session
    from replay.session.check import Finding

_FEW = 5  # folders that a line names one by one


def import_(  # one parameter per option of the command
    fmt: Annotated[
        str, typer.Argument(metavar="FORMAT", help="ibkr-quotes, ibkr-api, ibkr-ticks, ibkr-bars, lean, lobster, databento, csv.")
    ],
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Files; for some formats also folders.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Receives one session per date, DIR/YYYY-MM-DD.")],
    symbol: Annotated[str, typer.Option("--symbol", metavar="A,B", help="Names, in the order of columns or files.")] = "",
    day: Annotated[
        str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="Date of files that hold only times of day.")
    ] = None,
    tz: Annotated[
        str, typer.Option("--tz", metavar="ZONE", help="Zone of stamps without an offset; default that of the calendar.")
    ] = "",
    calendar: Annotated[
        str,
        typer.Option(
            "--calendar", metavar="NAME", help="Trading hours, as exchange_calendars names them: XNYS, CMES, XHKG, 24/7."
        ),
    ] = "",
    multiplier: Annotated[
        int | None,
        typer.Option(
            "--multiplier", min=1, metavar="N", help="Dollars per point of one contract, 50 for ES; default 1, or known."
        ),
    ] = None,
    map_file: Annotated[
        Path | None, typer.Option("--map", metavar="FILE", help="TOML file that names columns or symbols.")
    ] = None,
    scale: Annotated[int, typer.Option("--scale", min=1, help="Price units per dollar.")] = 10_000,
    tick: Annotated[
        float | None, typer.Option("--tick", metavar="USD", help="Price step; default inferred from the quotes.")
    ] = None,
    round_lot: Annotated[int, typer.Option("--round-lot", min=1, help="Shares per round lot.")] = 100,
    size_unit: Annotated[str, typer.Option("--size-unit", metavar="UNIT", help="shares or round_lots, as the file counts.")] = "",
    bar_s: Annotated[
        int | None, typer.Option("--bar-s", min=1, metavar="S", help="Length of a bar; default the smallest step.")
    ] = None,
    what_to_show: Annotated[
        str, typer.Option("--what-to-show", metavar="WHAT", help="What IBKR bars were asked for.")
    ] = "TRADES",
    is_any_hour: Annotated[
        bool, typer.Option("--all-hours", help="Accept files whose times all lie in the zone's night.")
    ] = False,
    is_quiet: NoProgress = False,
    is_json: Json = False,
) -> None:
    """Turn recordings and public data files into sessions, one per date."""
    from replay.importers import ImportOptions, import_sessions

    options = ImportOptions(
        symbols=split_names(symbol),
        day=parse_day(day, "--date"),
        tz=tz,
        calendar=calendar,
        multiplier=multiplier,
        map_file=map_file,
        scale=scale,
        tick=tick,
        round_lot=round_lot,
        size_unit=size_unit,
        bar_s=bar_s,
        what_to_show=what_to_show,
        is_any_hour=is_any_hour,
    )
    with line_progress(not is_quiet) as progress:
        folders = import_sessions(fmt, paths, out, options, progress=progress)
    _show_assumed(folders)
    _show_written(folders, is_json)


def synth(  # one parameter per option of the command
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The session; with --days, one session per day in it.")],
    symbols: Annotated[int, typer.Option("--symbols", metavar="N", help="How many symbols.")] = 3,
    minutes: Annotated[int, typer.Option("--minutes", metavar="M", help="Trading time from the open on.")] = 390,
    days: Annotated[int, typer.Option("--days", metavar="D", help="How many trading days in a row.")] = 1,
    start_day: Annotated[str | None, typer.Option("--start-day", metavar="YYYY-MM-DD", help="First trading day.")] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same seed and options give the same sessions.")] = 0,
    ic: Annotated[float, typer.Option("--ic", metavar="X", help="Correlation of the planted forecasts with what happens.")] = 0.1,
    regimes: Annotated[str, typer.Option("--regimes", help="mixed, calm, normal or stressed.")] = "mixed",
    halts: Annotated[int, typer.Option("--halts", metavar="N", help="Trading halts per day.")] = 0,
    gaps: Annotated[int, typer.Option("--gaps", metavar="N", help="Feed gaps per day.")] = 0,
    is_quiet: NoProgress = False,
    is_json: Json = False,
) -> None:
    """Generate sessions with a known truth: order books, what IBKR would have shown of them, forecasts of known strength."""
    from replay.synth import SynthSettings, generate

    settings = SynthSettings(
        symbols=symbols, minutes=minutes, days=days, seed=seed, ic=ic, regimes=regimes, halts=halts, gaps=gaps
    )
    first = parse_day(start_day, "--start-day")
    with line_progress(not is_quiet) as progress:
        folders = generate(out, settings, start_day=first, progress=progress)
    _show_written(folders, is_json)


def info(folders: SessionFolders, is_json: Json = False) -> None:
    """Say what is in sessions: symbols, streams, counts, clocks, evidence, how they trade."""
    from replay.info import describe, render

    told = [{"session": folder, **describe(session)} for folder, session in _opened(folders)]
    if is_json:
        print_json(told[0] if len(told) == 1 else {"sessions": told})
        return
    for facts in told:
        stdout().print(render(facts))


def check(folders: SessionFolders, is_json: Json = False) -> None:
    """Look for what is wrong with the data of sessions; exit 1 if anything makes replaying one of them unsafe."""
    from replay.session.check import check_session

    judged = []
    for folder, session in _opened(folders):
        findings = check_session(session)
        is_good = all(finding.severity != "error" for finding in findings)
        judged.append({"session": folder, "is_good": is_good, "findings": [asdict(finding) for finding in findings]})
        if not is_json:
            _show_findings(folder if len(folders) > 1 else None, findings)
    is_good = all(one["is_good"] for one in judged)
    if is_json:
        print_json(judged[0] if len(judged) == 1 else {"is_good": is_good, "sessions": judged})
    if not is_good:
        raise typer.Exit(VerificationError.exit_code)


def _opened(folders: list[Path]) -> list[tuple[Path, Session]]:
    """Open all of them before the first is read, so that a wrong path is told at once."""
    from replay.session import Session

    return [(folder, Session.open(folder)) for folder in folders]


def _show_findings(folder: Path | None, findings: list[Finding]) -> None:
    if folder is not None:
        say(folder)
    for finding in findings:
        say(f"{finding.severity:<8} {finding.stream:<9} {finding.code:<20} {_where(finding)}")
        say(f"{'':<18} {finding.meaning}")
    errors = sum(finding.severity == "error" for finding in findings)
    say(f"{errors} errors, {len(findings) - errors} remarks")


def _show_assumed(folders: list[Path]) -> None:
    """Say on stderr, once, what the reader took for granted."""
    from replay.importers.imported import ASSUMED
    from replay.session import Session

    notes: dict[str, None] = {}
    for folder in folders:
        said = Session.open(folder).manifest.notes.get(ASSUMED, [])
        notes |= dict.fromkeys(map(str, said if isinstance(said, list) else []))
    for first, *others in _but_for_dates(notes):
        more = f" (so too on {len(others)} more days)" if others else ""
        stderr().print(f"note: {first}{more}", markup=False, soft_wrap=True)


def _but_for_dates(notes: Iterable[str]) -> Iterable[list[str]]:
    """Gather the notes that differ in a date alone: an import of years would say the same of each weekend."""
    alike: dict[str, list[str]] = {}
    for note in notes:
        alike.setdefault(re.sub(r"\d{4}-\d{2}-\d{2}", "DATE", note), []).append(note)
    return alike.values()


def _show_written(folders: list[Path], is_json: bool) -> None:
    """Say which sessions were written, and what comes next."""
    from replay.session import Session

    if is_json:
        print_json({"sessions": folders})
        return
    for folder in folders:
        session = Session.open(folder)
        stdout().print(f"{folder}  {session.n_events:,} events, {', '.join(session.symbols)}", markup=False, soft_wrap=True)
    if folders:
        stdout().print(f"next: replay check {_all_of(folders)}", markup=False, soft_wrap=True)


def _all_of(folders: list[Path]) -> str:
    """Name the folders; many, as imports name them by date, as the pattern that fits them all."""
    if len(folders) <= _FEW:
        return " ".join(map(str, folders))
    begin = os.path.commonprefix([folder.name for folder in folders])  # noqa: RUF071 (of letters: names are dates)
    return f"{folders[0].parent}/{begin}*"


def _where(finding: Finding) -> str:
    if finding.first_row < 0:
        return ""
    share = f" ({finding.share:.2%})" if finding.share else ""
    return f"{finding.count:,} rows{share}, first row {finding.first_row:,} at {et_time(finding.first_ts_ns)} ET"
