"""`replay fit`: parameters of the simulation, measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from replay.cli.options import Json, NoProgress, parse_moment, split_names
from replay.cli.output import print_json, stdout, table
from replay.cli.progress import step_progress

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(no_args_is_help=True, help="Measure parameters of the simulation.")


@app.command("latency")
def latency(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Run folders; live ones measure your line.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Table to write, TOML.")],
    buckets: Annotated[int, typer.Option("--buckets", metavar="N", min=1, help="Levels of market activity.")] = 3,
    outbound_share: Annotated[
        float, typer.Option("--outbound-share", metavar="X", min=0.0, max=1.0, help="Share of a round trip that is the way out.")
    ] = 0.5,
    is_json: Json = False,
) -> None:
    """Measure the delays of own orders (sent to acknowledged, cancel to cancelled) and write the table for `latency.table`."""
    from replay.latency_fit import fit_latency, write_table

    found = fit_latency(runs, buckets=buckets, outbound_share=outbound_share)
    write_table(found, out)
    if is_json:
        rows = [{"below_events": bucket.below_events, **bucket.counts} for bucket in found.buckets]
        print_json({"out": out, "made_from": list(found.made_from), "buckets": rows})
        return
    heads = ["events in the second before", "orders", "cancels", "way out p50", "way out p90"]
    lines = [
        (
            "all others" if bucket.below_events is None else f"below {bucket.below_events:,}",
            bucket.counts["orders"],
            bucket.counts["cancels"],
            *(f"{_at(bucket.delays_ns['outbound'], share) / 1e6:,.1f} ms" for share in (0.5, 0.9)),
        )
        for bucket in found.buckets
    ]
    stdout().print(table("Delays of own orders", heads, lines, right=heads[1:]))
    stdout().print(f"wrote {out}; to use it, put into your configuration", markup=False)
    keys = "".join(f'{leg}_model = "empirical"\n' for leg in ("outbound", "cancel", "answer"))
    typer.echo(f'[latency]\ntable = "{out}"\n{keys}', nl=False)


def _at(ascending: tuple[int, ...], share: float) -> int:
    return ascending[min(int(share * len(ascending)), len(ascending) - 1)]


@app.command("fills")
def fills(  # one parameter per option of the command
    sessions: Annotated[list[Path], typer.Argument(metavar="SESSION", help="Session folders with messages.")],
    out: Annotated[Path, typer.Option("--out", metavar="MODEL", help="File to write, TOML.")],
    symbols: Annotated[str | None, typer.Option("--symbols", metavar="A,B", help="Only these; all of one tick regime.")] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="T", help="Learn only from New York time 09:45, or an instant, on.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="T", help="Learn only from what happened before it.")] = None,
    folds: Annotated[int, typer.Option("--folds", metavar="N", help="Stretches of time of the cross-validation.")] = 5,
    resamples: Annotated[int, typer.Option("--resamples", metavar="N", help="Draws of the bootstrap; 0 = no intervals.")] = 400,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Seed of its draws.")] = 0,
    is_quiet: NoProgress = False,
    is_json: Json = False,
) -> None:
    """Learn from real orders who leaves a queue, those ahead or those behind; write the queue model with its scores."""
    from replay.validation.fit import fit_fills

    with step_progress(not is_quiet) as progress:
        fit = fit_fills(
            sessions,
            symbols=split_names(symbols) or None,
            start=parse_moment(start, "--from") if start else None,
            end=parse_moment(end, "--to") if end else None,
            folds=folds,
            resamples=resamples,
            seed=seed,
            progress=progress,
        )
    fit.model.save(out)
    if is_json:
        facts = {"out": out, "name": fit.model.name, "parameters": fit.model.parameters, "intervals": fit.model.prints}
        print_json({**facts, "beaten_by": beaten_by(fit.scores), "scores": fit.scores.to_dict("records")})
        return
    heads = ("queue model", "same instant", "earlier", "later", "never", "wrong", "Brier")
    for kind, rows in fit.scores.groupby("kind", sort=False):
        lines = [_scores(row) for row in rows.to_dict("records")]
        stdout().print(table(f"{fit.model.name}, {kind}, on time it was not fitted on", heads, lines, right=heads[1:]))
    for name, value in fit.model.parameters.items():
        _, *ends = fit.model.prints.get(name, (value,))
        interval = f"  (95 % interval {ends[0]:.4g} to {ends[1]:.4g})" if ends and ends[0] == ends[0] else "  (no interval)"
        stdout().print(f"  {name} = {value:.4g}{interval}", markup=False)
    for line in beaten_by(fit.scores):
        stdout().print(line, style="yellow", markup=False, soft_wrap=True)
    stdout().print(
        f"wrote {out}; to use it: --set venue.queue={out}, or simulate(..., queue='{out}')", markup=False, soft_wrap=True
    )


def beaten_by(scores: pd.DataFrame) -> list[str]:
    """Say for which kind of order a rule without parameters did better than the fitted model, on time it was not fitted on.

    >>> import pandas as pd
    >>> beaten_by(pd.DataFrame({"kind": "join", "model": ["fitted", "behind_first"], "brier": [0.02, 0.01]}))
    ['join: behind_first did better than the fitted model (Brier score 0.0100 against 0.0200, less is better)']
    """
    told = []
    for kind, rows in scores.groupby("kind", sort=False):
        brier = dict(zip(rows["model"], rows["brier"], strict=True))
        best = min(brier, key=lambda name: (brier[name], name != "fitted"))
        if best != "fitted":
            figures = f"Brier score {brier[best]:.4f} against {brier['fitted']:.4f}, less is better"
            told.append(f"{kind}: {best} did better than the fitted model ({figures})")
    return told


def _scores(row: dict[Any, Any]) -> tuple[str, ...]:
    """Show shares of the filled (wrong: of the cancelled) real orders in percent; two with the 95 % interval."""
    plain = [_percent(row[name]) for name in ("earlier", "later", "never")]
    ends = [f" {row[name + '_low']:.1%}-{row[name + '_high']:.1%}".replace("%-", "-") for name in ("same", "wrong")]
    same, wrong = (_percent(row[name]) + end for name, end in zip(("same", "wrong"), ends, strict=True))
    return (row["model"], same, *plain, wrong, f"{row['brier']:.4f}")


def _percent(share: float) -> str:
    return "-" if share != share else f"{share:.1%}"
