"""`replay compare`: two runs, or two settings over the same sessions, side by side."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from replay.cli.options import Json, NoProgress, split_names
from replay.cli.output import print_json, stdout
from replay.cli.places import check_comparison_folder
from replay.cli.progress import replay_progress
from replay.errors import UsageError

if TYPE_CHECKING:
    from replay.compare import Comparison
    from replay.config import Config

Settings = list[str]


def compare(  # one parameter per option of the command
    folders: Annotated[
        list[Path], typer.Argument(metavar="RUN_A RUN_B | SESSION...", help="Two runs; or sessions, with --a and --b.")
    ],
    a: Annotated[
        list[str] | None, typer.Option("--a", metavar="CFG", help="Settings of A: a TOML file or A.B=VALUE; may be repeated.")
    ] = None,
    b: Annotated[list[str] | None, typer.Option("--b", metavar="CFG", help="Settings of B, likewise.")] = None,
    forecasts: Annotated[
        Path | None, typer.Option("--forecasts", metavar="FILE", help="Forecasts for both, Parquet or csv.")
    ] = None,
    symbols: Annotated[str | None, typer.Option("--symbols", metavar="A,B", help="Replay only these symbols, in both.")] = None,
    state_in: Annotated[
        Path | None, typer.Option("--state-in", metavar="F", help="Start both from this state, so that nothing has to warm up.")
    ] = None,
    band: Annotated[
        str | None,
        typer.Option("--band", metavar="BAND", help="Fill band: pessimistic, expected or optimistic; of runs made with --bands."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Seed of the bootstrap.")] = 0,
    block_min: Annotated[int, typer.Option("--block-min", metavar="M", help="Minutes of one block of the bootstrap.")] = 30,
    draws: Annotated[int, typer.Option("--draws", metavar="N", help="Draws of the bootstrap.")] = 2_000,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder of the page; with sessions, of both runs too.")
    ] = None,
    is_overwriting: Annotated[bool, typer.Option("--overwrite", help="Replace an older comparison at --out.")] = False,
    is_quiet: NoProgress = False,
    is_json: Json = False,
) -> None:
    """Compare two runs over the same sessions, or two settings: one line and one verdict per figure, with intervals."""
    from replay.compare import compare as compare_runs
    from replay.compare.page import write_page
    from replay.result import Result

    target = out or Path("runs") / "compare"
    check_comparison_folder(target, is_overwriting=is_overwriting)
    if a or b:
        sides = [_settings(side or [], band, split_names(symbols)) for side in (a, b)]
        folders = _replay_both(folders, sides, {"forecasts": forecasts, "state_in": state_in}, target, is_quiet)
    else:
        _refuse_inputs({"--forecasts": forecasts, "--symbols": symbols, "--state-in": state_in})
    if band is not None and not (a or b):
        folders = [Result.open(folder).of_band(band).path for folder in folders]
    if len(folders) != 2:
        raise UsageError(f"compare takes two runs, or sessions with --a and --b; got {len(folders)} folder(s)")
    comparison = compare_runs(*folders, block_min=block_min, draws=draws, seed=seed)
    _show(comparison, write_page(comparison, target / "compare.html"), is_json)


def _refuse_inputs(given: dict[str, Any]) -> None:
    """Refuse what only a replay can use where two runs are compared that were made before."""
    for option, value in given.items():
        if value is not None:
            raise UsageError(f"{option} belongs to sessions that are replayed; add --a and --b, or leave it out")


def _settings(texts: Settings, band: str | None, symbols: tuple[str, ...]) -> Config:
    """Put files and single settings over the defaults, in the order given."""
    from replay.config import Config

    config = Config()
    for text in texts:
        is_single = "=" in text
        config = config.with_sets([text]) if is_single else config.with_values(_changed(Config.load(text), Config()), text)
    config = config.with_values({"run": {"symbols": symbols}}, "--symbols") if symbols else config
    return config if band is None else config.with_sets([f"venue.band={band}"])


def _changed(config: Config, default: Config) -> dict[str, dict[str, Any]]:
    """Return what a file changes."""
    base = default.values()
    return {
        section: {key: value for key, value in keys.items() if value != base[section][key]}
        for section, keys in config.values().items()
    }


def _replay_both(sessions: list[Path], sides: list[Config], inputs: dict[str, Any], target: Path, is_quiet: bool) -> list[Path]:
    """Replay the sessions with both settings, one bar for both; the runs lie in `target` as `a` and `b` once both are done."""
    from replay.result import refuse_stranger
    from replay.runner import run

    places = [target / name for name in ("a", "b")]
    for place in places:
        refuse_stranger(place)
    results = []
    with replay_progress(not is_quiet) as progress:
        for k, config in enumerate(sides):
            told = None if progress is None else _part(progress, k)
            started_at = datetime.now(UTC).isoformat(timespec="seconds")
            symbols = config.run.symbols or None
            results.append(run(sessions, config, symbols=symbols, progress=told, started_at=started_at, **inputs))
    return [result.save(place) for result, place in zip(results, places, strict=True)]


def _part(progress: Callable[[int, int, int], None], k: int) -> Callable[[int, int, int], None]:
    """Count one of two equal parts, so that the time left is that of both."""

    def tell(done: int, total: int, ts_ns: int) -> None:
        progress(k * total + done, 2 * total, ts_ns)

    return tell


def _show(comparison: Comparison, page: Path, is_json: bool) -> None:
    from replay.compare.view import render

    if is_json:
        print_json({**comparison.as_dict(), "page": page})
        return
    stdout().print(render(comparison))
    stdout().print(f" page         {page}", markup=False, soft_wrap=True)
