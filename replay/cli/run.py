"""`replay run`, `replay demo`, `replay verify` and `replay explain`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from replay.cli.options import ConfigFile, Json, NoProgress, Run, Sets, moment_on, parse_moment, split_names
from replay.cli.output import print_json, stderr, stdout
from replay.cli.places import check_run_folder, check_writable
from replay.cli.progress import replay_progress
from replay.errors import UsageError, VerificationError

if TYPE_CHECKING:
    from replay.config import Config
    from replay.result import Result

_DEMO_FOLDER = Path("runs/demo")
_SAMPLE_FORECASTS = "forecasts.parquet"


def run(  # one parameter per option of the command
    sessions: Annotated[list[Path], typer.Argument(metavar="SESSION", help="Session folders; replayed in date order.")],
    file: ConfigFile = None,
    sets: Sets = None,
    symbols: Annotated[str | None, typer.Option("--symbols", metavar="A,B", help="Replay only these symbols.")] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="T", help="Start at New York time 09:45, or at an instant.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="T", help="End at New York time 15:45, or at an instant.")] = None,
    is_rth: Annotated[
        bool | None, typer.Option("--rth/--all-hours", help="Trade in regular hours only, or in all hours.")
    ] = None,
    equity_usd: Annotated[
        float | None, typer.Option("--equity", metavar="USD", help="Equity that targets are a share of.")
    ] = None,
    forecasts: Annotated[Path | None, typer.Option("--forecasts", metavar="FILE", help="Forecasts, Parquet or csv.")] = None,
    strategy: Annotated[
        str | None, typer.Option("--strategy", metavar="MODULE:CLASS", help="Own strategy or forecaster.")
    ] = None,
    state_in: Annotated[Path | None, typer.Option("--state-in", metavar="F", help="Start from this state.")] = None,
    state_out: Annotated[Path | None, typer.Option("--state-out", metavar="F", help="Write the final state there.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Seed of the private random streams.")] = None,
    has_bands: Annotated[
        bool, typer.Option("--bands", help="Also run the pessimistic and the optimistic band; report every number's range.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Folder of the run; default runs/<run id>, where the same run is replaced."),
    ] = None,
    is_overwriting: Annotated[bool, typer.Option("--overwrite", help="Replace an older run in --out.")] = False,
    is_strict: Annotated[
        bool, typer.Option("--fail-on-verification", help="Exit 1 if a check of the verification fails.")
    ] = False,
    is_quiet: NoProgress = False,
    is_json: Json = False,
) -> None:
    """Replay recorded sessions and leave a complete run folder."""
    check_run_folder(out or Path("runs/new"), is_overwriting=is_overwriting)
    if state_out is not None:
        check_writable(state_out, "--state-out")
    settings = _settings(file, sets, {"symbols": split_names(symbols), "hours": is_rth, "equity_usd": equity_usd, "seed": seed})
    inputs = {
        "forecasts": forecasts,
        "strategy": strategy,
        "start": parse_moment(start, "--from") if start else None,
        "end": parse_moment(end, "--to") if end else None,
        "state_in": state_in,
        "state_out": state_out,
        "bands": has_bands,
    }
    result = _replay(sessions, settings, inputs, is_quiet)
    _finish(result, out or Path("runs") / str(result.manifest["run_id"]), is_strict, is_json)


def demo(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder of the run; an older demo is replaced.")
    ] = _DEMO_FOLDER,
    is_quiet: NoProgress = False,
    is_json: Json = False,
) -> None:
    """Replay the bundled sample session through the default pipeline and show what came out."""
    from replay.doctor import find_sample

    sample = find_sample()
    if sample is None:
        raise UsageError("the bundled sample session is missing; reinstall ibkr-replay (`replay doctor` shows what is there)")
    stderr().print(f"replaying the sample session {sample}")
    forecasts = sample / _SAMPLE_FORECASTS
    check_run_folder(out, is_overwriting=True)
    result = _replay([sample], _settings(None, None, {}), {"forecasts": forecasts if forecasts.is_file() else None}, is_quiet)
    _finish(result, out, is_strict=False, is_json=is_json)
    stderr().print(f" next         replay explain {out} --symbol {result.summary['symbols'][0]} --at 10:30", soft_wrap=True)


def verify(folder: Run, is_quiet: NoProgress = False, is_json: Json = False) -> None:
    """Run a run again from its manifest and compare decision by decision; exit 1 and show the first difference."""
    from replay.runner import verify as verify_run

    with replay_progress(not is_quiet) as progress:
        outcome = verify_run(folder, progress=progress)
    if is_json:
        print_json({"run": folder, "holds": outcome.holds, "text": outcome.text})
    else:
        stdout().print(outcome.text, markup=False)
    if not outcome.holds:
        raise typer.Exit(VerificationError.exit_code)


def explain(
    folder: Run,
    symbol: Annotated[str, typer.Option("--symbol", metavar="X", help="Symbol of the decision.")],
    at: Annotated[
        str, typer.Option("--at", metavar="TIME", help="New York time such as 10:31:05, an instant, or ns since 1970.")
    ],
    is_json: Json = False,
) -> None:
    """Explain the decision in force at a time: inputs, costs, weights, plan, queue, why, and what would have changed it."""
    from replay.explain import explain as explain_decision
    from replay.explain import render

    at_ns = _instant_in(folder, at)
    answer = explain_decision(folder, symbol, at_ns)
    if is_json:
        print_json(answer)
    else:
        stdout().print(render(answer))


def _settings(file: Path | None, sets: list[str] | None, options: dict[str, Any]) -> Config:
    """Put file, `--set` and the options of the command over the defaults; the later wins."""
    from replay.config import Config

    config = (Config.load(file) if file else Config()).with_sets(sets or [])
    if options.get("hours") is not None:
        options["hours"] = "rth" if options["hours"] else "all"
    given = {key: value for key, value in options.items() if value not in (None, ())}
    return config.with_values({"run": given}, "options")


def _replay(sessions: list[Path], config: Config, inputs: dict[str, Any], is_quiet: bool) -> Result:
    from replay.bands import ORDER
    from replay.runner import run as run_sessions

    symbols = config.run.symbols or None
    started_at = datetime.now(UTC).isoformat(timespec="seconds")
    with replay_progress(not is_quiet, ORDER if inputs.get("bands") else ()) as progress:
        return run_sessions(sessions, config, symbols=symbols, progress=progress, started_at=started_at, **inputs)


def _finish(result: Result, out: Path, is_strict: bool, is_json: bool) -> None:
    """Save a run with its report, show what came out, and judge it where asked."""
    result.save(out)
    if is_json:
        told = {"journal_digest": result.journal_digest, "summary": result.summary, "verification": result.verification}
        print_json({"run": out, "report": out / "report.html", **told})
    else:
        _show(result, out)
    failed = [check["name"] for check in result.verification["checks"] if check["status"] == "FAIL"]
    if is_strict and failed:
        raise VerificationError(f"the verification of `{out}` failed: {', '.join(failed)}")


def _show(result: Result, out: Path) -> None:
    from replay import checklist_view
    from replay.summary import render

    stdout().print(render(result.summary))
    stdout().print(checklist_view.render(result.verification))
    for name, path in {"run": out, "report": out / "report.html"}.items():
        stdout().print(f" {name:<12} {path}", markup=False, soft_wrap=True)


def _instant_in(folder: Path, at: str) -> int:
    """Read `--at`; a bare time of day belongs to the only day of the run."""
    from replay.tables import read_context

    moment = parse_moment(at, "--at")
    if isinstance(moment, int):
        return moment
    days = [date.fromisoformat(span.day) for span in read_context(folder).sessions]
    if len(days) > 1:
        raise UsageError(f"--at {at} could be any of {len(days)} days; write `--at {days[0]}T{at}`")
    return moment_on(days[0], moment)
