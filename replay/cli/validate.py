"""`replay validate fills`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from replay.cli.options import Json, NoProgress, parse_moment, split_names
from replay.cli.output import print_json, stdout, table
from replay.cli.progress import step_progress
from replay.wording import duration

if TYPE_CHECKING:
    from replay.validation import FillValidation

app = typer.Typer(help="Score what we simulate against what really happened.", no_args_is_help=True)
_PAGE, _OWN_PAGE = Path("runs/fill-validation.html"), Path("runs/own-executions.html")
_HEADS = ("model", "same", "earlier", "later", "never", "wrong", "error p90", "Brier")
_OWN_HEADS = ("model", "same", "earlier", "later", "never", "wrong", "error p90", "price bps", "qty")


@app.callback()
def _root() -> None:
    """Keep `fills` a command of its own: with a single command typer would take its name away."""


@app.command("fills")
def fills(  # one parameter per option of the command
    sessions: Annotated[list[Path], typer.Argument(metavar="SESSION", help="Session folders with messages.")],
    model: Annotated[
        list[str] | None, typer.Option("--model", metavar="M", help="Queue model, or file of a fitted one; may be repeated.")
    ] = None,
    degrade: Annotated[
        str,
        typer.Option(
            "--degrade", metavar="A,B", help="Also on poorer feeds: snapshots-250ms, unsided, reordered, seconds, consolidated."
        ),
    ] = "",
    has_bands: Annotated[bool, typer.Option("--bands/--no-bands", help="Play the pessimistic and optimistic edge too.")] = True,
    symbols: Annotated[str | None, typer.Option("--symbols", metavar="A,B", help="Only these symbols.")] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="T", help="Only orders that arrived from New York time 09:45, or an instant, on."),
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="T", help="Only orders that arrived before it.")] = None,
    resamples: Annotated[int, typer.Option("--resamples", metavar="N", help="Draws of the bootstrap; 0 = no intervals.")] = 400,
    block_s: Annotated[float, typer.Option("--block-s", metavar="S", help="Length of the bootstrap's blocks of time.")] = 30.0,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Seed of all draws.")] = 0,
    executions: Annotated[
        Path | None,
        typer.Option("--executions", metavar="FILE|RUN", help="Score own orders instead: IBKR Flex XML, or a run's folder."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help=f"The page with the plots; {_PAGE}, or {_OWN_PAGE}, where absent."),
    ] = None,
    is_quiet: NoProgress = False,
    is_json: Json = False,
) -> None:
    """Play every real order at the touch as a shadow order from level 1 only, and score it against its own fate."""
    from replay.validation import validate_fills

    if executions:
        _own(sessions, executions, (model, out or _OWN_PAGE), is_quiet, is_json)
        return
    with step_progress(not is_quiet) as progress:
        result = validate_fills(
            sessions,
            model,
            degrades=split_names(degrade),
            bands=has_bands,
            symbols=split_names(symbols) or None,
            start=parse_moment(start, "--from") if start else None,
            end=parse_moment(end, "--to") if end else None,
            resamples=resamples,
            block_s=block_s,
            seed=seed,
            progress=progress,
        )
    page = result.save_page(out or _PAGE)
    if is_json:
        print_json({"sessions": sessions, "page": page, **result.facts()})
    else:
        _show(result, page)


def _own(sessions: list[Path], source: Path, how: tuple[list[str] | None, Path], is_quiet: bool, is_json: bool) -> None:
    """Score own orders, write their page and print what came out."""
    from replay.validation import validate_executions
    from replay.validation.own_page import told_orders

    models, out = how
    with step_progress(not is_quiet) as progress:
        result = validate_executions(sessions, source, models, progress=progress)
    page = result.save_page(out)
    if is_json:
        print_json({"sessions": sessions, "executions": source, "page": page, **result.facts()})
        return
    for kind, rows in result.scores.groupby("account_kind", sort=False):
        own = result.orders[result.orders["account_kind"] == kind]
        title = f"{kind}: {told_orders(own)}, {rows['filled'].iloc[0]:,} of them filled"
        lines = [_own_row(row) for row in rows.to_dict("records")]
        stdout().print(table(title, _OWN_HEADS, lines, right=_OWN_HEADS[1:]))
    for note in result.notes:
        stdout().print(note, markup=False, soft_wrap=True)
    left_out = ", ".join(f"{count:,} {reason}" for reason, count in result.excluded.items() if count)
    if left_out:
        stdout().print(f"not played: {left_out}", markup=False, soft_wrap=True)
    stdout().print(f"page: {page}", markup=False, soft_wrap=True)


def _own_row(row: dict[Any, Any]) -> tuple[str, ...]:
    shares = [_percent(row[name]) for name in ("same", "earlier", "later", "never", "wrong")]
    price = "-" if row["price_bps"] != row["price_bps"] else f"{row['price_bps']:.2f}"
    return (row["model"].replace("_", " "), *shares, duration(row["error_p90_s"] * 1e9), price, f"{row['qty_ratio']:.1%}")


def _show(result: FillValidation, page: Path) -> None:
    """Print the scores over all orders, the coverage of the bands and what to know."""
    scores = result.table()
    for (feed, kind), rows in scores.groupby(["feed", "kind"], sort=False):
        own = result.orders[result.orders["kind"] == kind]
        title = f"{feed} feed, {kind}: {len(own):,} real orders, {int(own['is_filled'].sum()):,} of them filled"
        stdout().print(table(title, _HEADS, [_row(row) for row in rows.to_dict("records")], right=_HEADS[1:]))
    if len(result.coverage):
        heads = ("feed", "kind", "orders", "really", "low", "expected", "high", "held")
        lines = [
            (
                *(row[name] for name in ("feed", "kind", "n", "real", "pessimistic", "expected", "optimistic")),
                f"{row['held']:.2%}",
            )
            for row in result.coverage.to_dict("records")
        ]
        stdout().print(table("Do the bands hold the truth?", heads, lines, right=heads[2:]))
    left_out = result.excluded.groupby("reason", sort=False)["count"].sum()
    stdout().print(
        "not scored: " + ", ".join(f"{count:,} {reason}" for reason, count in left_out.items() if count), soft_wrap=True
    )
    stdout().print(f"page: {page}", markup=False, soft_wrap=True)


def _row(row: dict[Any, Any]) -> tuple[str, ...]:
    shares = [_percent(row[name]) for name in ("same", "earlier", "later", "never")]
    wrong = "-" if row["wrong"] != row["wrong"] else f"{row['wrong']:.2%}"
    return (row["model"].replace("_", " "), *shares, wrong, duration(row["error_p90_s"] * 1e9), f"{row['brier']:.4f}")


def _percent(value: float) -> str:
    return "-" if value != value else f"{value:.1%}"
