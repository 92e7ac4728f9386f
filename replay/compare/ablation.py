"""What each component is worth: runs that differ in the mode of that component alone, compared over the same sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from replay.compare.bootstrap import Line
from replay.compare.comparison import compare
from replay.compare.pairing import differences
from replay.errors import UsageError
from replay.result import Result

FIGURES = ("net_bps", "unprofitable_rate", "cost_per_share", "shortfall_bps", "stale_decisions", "errors")


class Ablation(NamedTuple):
    """One component, switched: what changed from the first mode to the second, and by which runs that is known."""

    component: str
    modes: tuple[str, str]
    runs: tuple[str, str]
    lines: tuple[Line, ...]


def components(runs: Sequence[Result]) -> list[str]:
    """Return the components that have a mode."""
    config: Mapping[str, Any] = runs[0].manifest["config"] if runs else {}
    return [
        section for section, keys in config.items() if "mode" in keys and section != "simple_forecast"
    ]  # no part of the pipeline


def ablate(runs: Sequence[Result], *, draws: int = 1_000, seed: int = 0) -> tuple[list[Ablation], list[str]]:
    """Compare every pair of runs that differs in one mode only; return what was found, and the components without a pair."""
    found = []
    for pair in combinations(runs, 2):
        changed = _only_mode(*pair)
        if changed is None:
            continue
        component, modes = changed
        before, after = pair if modes[1] == "enhanced" or modes[0] != "enhanced" else pair[::-1]
        modes = modes if before is pair[0] else modes[::-1]
        try:
            lines = compare(before.path, after.path, draws=draws, seed=seed).lines
        except UsageError:
            continue  # not over the same sessions: no pair
        shown = tuple(line for line in lines if line.name in FIGURES)
        found.append(Ablation(component, modes, (str(before.path), str(after.path)), shown))
    known = {ablation.component for ablation in found}
    found.sort(key=lambda ablation: ablation.component)
    return found, [name for name in components(runs) if name not in known]


def _only_mode(a: Result, b: Result) -> tuple[str, tuple[str, str]] | None:
    """Return the component in whose mode alone two runs differ, with both modes; or None."""
    found = differences(a, b)
    if len(found) != 1:
        return None
    (key, (ours, theirs)), *_ = found.items()
    section, _, name = key.partition(".")
    return (section, (str(ours), str(theirs))) if name == "mode" else None
