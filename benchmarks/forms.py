"""Enhanced against original: all enhanced forms (`examples/selective.toml`) beside the originals, on planted signals.

For each information coefficient, six worlds of four symbols and eight days are generated, both forms replay the days in order
and carry their state on, in the pessimistic band. The figures are those of `replay compare`, over the blocks of all worlds at
once: 30 minutes each, the same blocks drawn for both forms. A figure's value is the difference in per cent of the original.

Not a tuning set: what was chosen with data in view (the tail of the gate, its priors) was chosen on the worlds of seeds 1 to 6.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from benchmarks.measure import Figure
from replay.compare.bootstrap import Line, compare_sums
from replay.compare.comparison import BLOCK_MIN, N_DRAWS, pair_sums
from replay.config import Config
from replay.runner import run
from replay.synth import generate

SEEDS = (11, 12, 13, 14, 15, 16)
SYMBOLS, DAYS = 4, 8
ICS = (0.05, 0.1, 0.3, 0.5)
ENHANCED = Path(__file__).parents[1] / "examples" / "selective.toml"
GOALS = {"unprofitable_rate": -15.0, "shortfall_bps": -20.0}
INFORMING = ("cost_bps", "cost_per_share", "net_bps", "alpha_retention")
TRIPS = {0.05: 3, 0.1: 214, 0.3: 1732, 0.5: 1924}  # of the original form, exactly


def main() -> list[Figure]:
    """Compare both forms at every signal strength."""
    return [figure for ic in ICS for figure in judge(ic)]


def judge(ic: float) -> list[Figure]:
    """Compare both forms at one signal strength."""
    pairs = [world(ic, seed) for seed in SEEDS]
    a, b = (_joined([pair[k] for pair in pairs]) for k in (0, 1))
    if int(a["trips"].sum()) != TRIPS[ic]:
        raise AssertionError(f"IC {ic:g}: the original made {a['trips'].sum():.0f} round trips, expected {TRIPS[ic]}")
    lines = {line.name: line for line in compare_sums(a, b, N_DRAWS, 0)}
    told = Figure(f"IC {ic:g}: round trips, enhanced (original {a['trips'].sum():.0f})", float(b["trips"].sum()), "")
    goals = [_figure(ic, lines[name], goal) for name, goal in GOALS.items()]
    return [told, *goals, *(_figure(ic, lines[name], None) for name in INFORMING)]


def world(ic: float, seed: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Replay one world in both forms and return their sums by block."""
    with tempfile.TemporaryDirectory() as scratch:
        sessions = generate(Path(scratch) / "days", symbols=SYMBOLS, days=DAYS, ic=ic, seed=seed)
        forecasts = Path(scratch) / "days" / "forecasts.parquet"
        folders = []
        for config in (Config(), Config.load(ENHANCED)):
            banded = config.with_sets(["venue.band=pessimistic"])
            folders.append(run(sessions, banded, forecasts).save(Path(scratch) / f"run-{len(folders)}"))
        return pair_sums(*folders, block_min=BLOCK_MIN)


def _joined(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _figure(ic: float, line: Line, goal: float | None) -> Figure:
    """Write a line as the difference in per cent of the original; one that cannot be told reaches no goal."""
    values = " -> ".join("unknown" if value is None else f"{value:.2f}" for value in (line.a, line.b))
    name = f"IC {ic:g}: {line.title.strip().lower()}, {values} {line.unit} ({line.verdict})"
    if line.relative is None or line.relative_low is None or line.relative_high is None:
        return Figure(name, float("nan"), "%", "" if goal is None else f"<= {goal:g}", None if goal is None else False)
    span = f"{name} [{100 * line.relative_low:+.0f} to {100 * line.relative_high:+.0f} %]"
    if goal is None:
        return Figure(span, 100 * line.relative, "%")
    return Figure(span, 100 * line.relative, "%", f"<= {goal:g}", line.verdict == "better" and 100 * line.relative <= goal)
