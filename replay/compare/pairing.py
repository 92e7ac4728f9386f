"""Which runs may be compared, and how they differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from replay.errors import UsageError
from replay.result import Result
from replay.tables import RunContext, read_context


def paired(a: Path, b: Path) -> tuple[Result, Result, RunContext]:
    """Open two runs over the same sessions.

    Raises
    ------
    UsageError
        When a run is missing, or the two did not replay the same sessions and hours, in the same fill band.
    DataError
        When a folder holds no run.
    """
    first, second = Result.open(a), Result.open(b)
    days = [[entry["digest"] for entry in run.manifest["inputs"]["sessions"]] for run in (first, second)]
    contexts = [read_context(run.path) for run in (first, second)]
    if days[0] != days[1]:
        names = [", ".join(span.day for span in context.sessions) for context in contexts]
        told = f"`{a}` replayed {names[0]} and `{b}` {names[1]}"
        if names[0] == names[1]:
            told = f"`{a}` and `{b}` replayed different sessions of {names[0]}"
        raise UsageError(f"{told}; a paired comparison takes two runs over the same sessions")
    if contexts[0].sessions != contexts[1].sessions:
        raise UsageError(
            f"`{a}` and `{b}` replayed different hours of the same sessions; run both with the same --from, --to and run.hours"
        )
    if contexts[0].band != contexts[1].band:
        bands = f"`{a}` made its fills in the {contexts[0].band} band and `{b}` in the {contexts[1].band} one"
        raise UsageError(f"{bands}; run both with the same venue.band")
    return first, second, contexts[0]


def differences(a: Result, b: Result) -> dict[str, list[Any]]:
    """Return the settings and inputs in which two runs differ, as `section.key: [in a, in b]`."""
    found: dict[str, list[Any]] = {}
    for section in sorted({*a.manifest["config"], *b.manifest["config"]}):
        ours, theirs = (run.manifest["config"].get(section, {}) for run in (a, b))
        keys = [key for key in {**ours, **theirs} if ours.get(key) != theirs.get(key)]
        found |= {f"{section}.{key}": [ours.get(key), theirs.get(key)] for key in keys}
    for name in ("forecasts", "strategy", "state_in", "models"):
        ours, theirs = (run.manifest["inputs"].get(name) or {} for run in (a, b))
        if ours.get("digest") != theirs.get("digest"):
            found[name] = [ours.get("name") or ours.get("path"), theirs.get("name") or theirs.get("path")]
    for name in ("symbols", "start", "end"):
        ours, theirs = (run.manifest["inputs"].get(name) for run in (a, b))
        if ours != theirs:
            found[name] = [ours, theirs]
    return found
