"""`replay fit`."""

import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from rich.console import Console

from replay.cli.fit import beaten_by
from replay.cli.output import table


def test_fit_latency_explains_itself(replay: Callable) -> None:
    """The command has help and offers one JSON object."""
    told = replay("fit", "latency", "--help")

    assert (0, True, True) == (told.exit_code, "--json" in told.out, "acknowledged" in told.out)


def test_a_fit_that_lost_says_so() -> None:
    """A rule without parameters that did better is named with both scores; equal ones and a fit that won say nothing."""
    scores = pd.DataFrame(
        [
            ("join", "fitted", 0.02),
            ("join", "behind_first", 0.01),
            ("improve", "fitted", 0.01),
            ("improve", "behind_first", 0.01),
        ],
        columns=["kind", "model", "brier"],
    )

    assert [
        "join: behind_first did better than the fitted model (Brier score 0.0100 against 0.0200, less is better)"
    ] == beaten_by(scores)


def test_a_table_breaks_no_word() -> None:
    """On eighty columns the heads of the widest table of scores stay whole."""
    console = Console(width=80, file=io.StringIO())
    heads = ("model", "same", "earlier", "later", "never", "wrong", "error p90", "Brier")
    console.print(table("scores", heads, [("probability fifo snapshots-250ms", *["100.0%"] * 7)], right=heads[1:]))

    text = console.file.getvalue()
    assert all(word in text for word in ("earlier", "snapshots-250ms", "probability"))


def test_fit_latency_refuses_what_is_no_run(replay: Callable, tmp_path: Path) -> None:
    """A folder that is no run is bad data, in one sentence, and no table is left."""
    told = replay("fit", "latency", tmp_path, "--out", tmp_path / "t.toml")

    assert (3, False) == (told.exit_code, (tmp_path / "t.toml").exists())
    assert "is not a run folder" in told.err
