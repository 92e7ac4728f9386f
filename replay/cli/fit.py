"""`replay fit`: parameters of the simulation, measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from replay.cli.options import Json
from replay.cli.output import print_json, stdout, table

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
    """Measure the delays of own orders (sent to acknowledged, cancel to cancelled) and write the table for [latency]."""
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
