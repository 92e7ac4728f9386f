"""Many runs together: sums by day, week, month or quarter, and in a quarter what each component is worth.

A run whose sessions lie in several periods counts in each with what it did there (`replay.report.run_parts`); what the checklist
found is of the whole run, and stands in each. Runs of different settings, of other strategies or with forecasts from elsewhere
are never added up: each has its own line. Where two runs of one line replayed the same session, it counts twice, and a note
says so.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from replay.config import Config
from replay.report.run_parts import SUMS, RunPart, parts_of
from replay.result import Result

_BUILT_IN = "built-in forecasts"
PERIODS = ("day", "week", "month", "quarter")


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodLine:
    """Runs of one period and one set of settings.

    `sums` holds dollars and counts; `statuses` counts runs by check and status; `advice` counts recommendations.
    """

    period: str
    settings: str
    runs: tuple[str, ...]
    sessions: tuple[str, ...]
    sums: Mapping[str, float]
    max_drawdown_usd: float
    statuses: Mapping[str, Mapping[str, int]]
    advice: Mapping[str, int]
    notes: tuple[str, ...]


def period_of(day: str, period: str) -> str:
    """Name the period that a day lies in.

    >>> [period_of("2026-03-02", period) for period in PERIODS]
    ['2026-03-02', '2026-W10', '2026-03', '2026-Q1']
    """
    when = date.fromisoformat(day)
    year, week, _ = when.isocalendar()
    names = {"day": day, "week": f"{year}-W{week:02d}", "month": day[:7], "quarter": f"{when.year}-Q{(when.month + 2) // 3}"}
    return names[period]


def period_lines(runs: Sequence[Result], period: str) -> list[PeriodLine]:
    """Add runs up by period and settings, in order of time; settings are lettered in order of appearance."""
    letters: dict[tuple[str, str], str] = {}
    groups: dict[tuple[str, str], list[RunPart]] = {}
    for run in sorted(runs, key=lambda run: run.summary["sessions"]):
        letter = letters.setdefault(_settings_of(run), _letter(len(letters)))
        for name, part in parts_of(run, lambda day: period_of(day, period)).items():
            groups.setdefault((name, letter), []).append(part)
    return [_line(name, letter, group) for (name, letter), group in sorted(groups.items())]


def settings_by_letter(runs: Sequence[Result]) -> dict[str, str]:
    """Say what each letter stands for: the first by its differences from the defaults, the others by theirs from the first."""
    kinds: dict[tuple[str, str], Result] = {}
    for run in sorted(runs, key=lambda run: run.summary["sessions"]):
        kinds.setdefault(_settings_of(run), run)
    told: dict[str, str] = {}
    base, source = _flat(_defaults()), _BUILT_IN
    for k, ((_, own_source), run) in enumerate(kinds.items()):
        config = _flat(run.manifest["config"])
        changed = [f"{key} = {value}" for key, value in config.items() if key in base and base[key] != value]
        words = ", ".join([*changed, *([own_source] if own_source != source else [])])
        told[_letter(k)] = words if k else f"the defaults with {words}" if words else "the defaults"
        base, source = (base, source) if k else (config, own_source)
    if len(told) > 1:
        told["A"] += "; the others by what differs from A"
    return told


def _settings_of(run: Result) -> tuple[str, str]:
    """Return what runs that may be added up share: the settings, and who asks for trades."""
    inputs = run.manifest["inputs"]
    name = (inputs.get("strategy") or {}).get("name")
    source = f"own strategy {name}" if name else "forecasts of a file" if inputs.get("forecasts") else _BUILT_IN
    return str(run.manifest["config_digest"]), source


def _defaults() -> dict[str, Any]:
    """Return the default settings as a manifest holds them."""
    plain: dict[str, Any] = json.loads(json.dumps(Config().values(), default=str))
    return plain


def _line(period: str, letter: str, parts: Sequence[RunPart]) -> PeriodLine:
    runs = [part.run for part in parts]
    sessions = [day for part in parts for day in part.days]
    twice = sorted(day for day, n in Counter(sessions).items() if n > 1)
    checks = [check for run in runs for check in run.verification["checks"]]
    statuses: dict[str, Counter[str]] = {}
    for check in checks:
        statuses.setdefault(check["name"], Counter())[check["status"]] += 1
    advice = Counter(f"{check['name']}: {_setting(check)}" for check in checks if check["status"] in ("WARN", "FAIL"))
    return PeriodLine(
        period=period,
        settings=letter,
        runs=tuple(str(run.path) for run in runs),
        sessions=tuple(sorted(set(sessions))),
        sums={name: float(sum(part.sums[name] for part in parts)) for name in SUMS},
        max_drawdown_usd=max(part.max_drawdown_usd for part in parts),
        statuses={name: dict(found) for name, found in statuses.items()},
        advice=dict(advice.most_common()),
        notes=(f"{', '.join(twice)} replayed by more than one run, counted each time",) if twice else (),
    )


def _setting(check: Mapping[str, Any]) -> str:
    """Return what to do without the evidence of one day, so that equal advice adds up."""
    return str(check["recommendation"]).rsplit(": ", 1)[-1]


def _flat(config: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{section}.{key}": value for section, keys in config.items() for key, value in keys.items()}


def _letter(k: int) -> str:
    return chr(ord("A") + k) if k < 26 else f"Z{k - 25}"
