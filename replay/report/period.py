"""Many runs together: sums by day, week, month or quarter, and in a quarter what each component is worth.

A run belongs to the period of its first session. Runs of different settings are never added up: each set of settings has its own
line. Where two runs of one line replayed the same session, it counts twice, and a note says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from replay.result import Result

PERIODS = ("day", "week", "month", "quarter")
_SUMS = ("net_usd", "gross_usd", "fee_usd", "turnover_usd", "round_trips", "round_trips_won", "decisions", "orders", "fills")


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
    letters: dict[str, str] = {}
    groups: dict[tuple[str, str], list[Result]] = {}
    for run in sorted(runs, key=lambda run: run.summary["sessions"]):
        letter = letters.setdefault(str(run.manifest["config_digest"]), _letter(len(letters)))
        groups.setdefault((period_of(run.summary["sessions"][0], period), letter), []).append(run)
    return [_line(name, letter, group) for (name, letter), group in sorted(groups.items())]


def settings_by_letter(runs: Sequence[Result]) -> dict[str, str]:
    """Say what each letter stands for: the settings in which it differs from the first."""
    letters: dict[str, str] = {}
    first: Mapping[str, Any] | None = None
    told = {}
    for run in sorted(runs, key=lambda run: run.summary["sessions"]):
        digest, config = str(run.manifest["config_digest"]), run.manifest["config"]
        if digest in letters:
            continue
        letters[digest] = _letter(len(letters))
        first = config if first is None else first
        changed = [f"{key} = {value}" for key, value in _flat(config).items() if _flat(first).get(key) != value]
        told[letters[digest]] = ", ".join(changed) or "the settings that the others are told against"
    return told


def _line(period: str, letter: str, runs: Sequence[Result]) -> PeriodLine:
    sessions = [day for run in runs for day in run.summary["sessions"]]
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
        sums={name: float(sum(run.summary[name] for run in runs)) for name in _SUMS},
        max_drawdown_usd=max(float(run.summary["max_drawdown_usd"]) for run in runs),
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
