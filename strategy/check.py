"""One line of the checklist: a status, the number behind it, what it should be, how much it rests on, and what to do."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from replay.settings import setting

PASS = "PASS"  # noqa: S105 - a status, not a secret
WARN = "WARN"
FAIL = "FAIL"
NOT_ENOUGH_DATA = "NOT_ENOUGH_DATA"
Modes = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationSettings:
    """Settings of the checklist."""

    every_cycles: int = setting(100, "cycles between two checks", ge=1)
    coverage_n_eff_min: int = setting(144, "effective outcomes before coverage is judged", ge=1)
    plans_min: int = setting(20, "plans before the execution is judged", ge=1)
    decisions_min: int = setting(50, "decisions before errors, churn and weights are judged", ge=1)
    block_horizons: float = setting(13.0, "length of a block of the paired test, in longest horizons", ge=1)
    blocks_min: int = setting(8, "blocks before the selector is judged", ge=2)
    latency_ns: int = setting(2_000_000_000, "latency granted to a plan beyond its working time", unit="ns", ge=0)
    churn_warn_pct: float = setting(2.0, "share of small moves that warns", unit="%", ge=0, le=100)
    churn_fail_pct: float = setting(10.0, "share of small moves that fails", unit="%", ge=0, le=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the checklist; `value` is None where nothing could be measured.

    `details` holds the figures beside the value: tails, buckets, evidence, counts.
    """

    name: str
    status: str
    value: float | None
    target: str
    n_eff: float
    recommendation: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the check as plain values, ready for JSON."""
        return {**asdict(self), "details": dict(self.details)}


def judged(name: str, status: str, value: float, target: str, n_eff: float, advice: str, **details: Any) -> Check:
    """Make a check; who passes needs no advice."""
    told = "" if status == PASS else advice
    return Check(
        name=name, status=status, value=float(value), target=target, n_eff=float(n_eff), recommendation=told, details=details
    )


def unknown(name: str, target: str, n_eff: float, advice: str) -> Check:
    """Make a check that saw too little."""
    return Check(name=name, status=NOT_ENOUGH_DATA, value=None, target=target, n_eff=float(n_eff), recommendation=advice)


def switch(component: str, mode: str, modes: Modes | None, otherwise: str) -> str:
    """Return the advice to set the mode of a component, or `otherwise` where that mode is in force already.

    >>> switch("cost", "original", {"cost": "original"}, "look at its inputs")
    'look at its inputs'
    """
    return otherwise if (modes or {}).get(component) == mode else f'set {component}.mode = "{mode}"'


def worst(checks: Iterable[Check]) -> str:
    """Return FAIL, WARN or PASS, whichever is the worst found; NOT_ENOUGH_DATA counts as none."""
    found = {check.status for check in checks}
    return next((status for status in (FAIL, WARN) if status in found), PASS)


def column(rows: Any, name: str) -> np.ndarray | None:
    """Return a column of a structured array or of a mapping; None where there is none."""
    names = rows.dtype.names if isinstance(rows, np.ndarray) else tuple(rows)
    return np.asarray(rows[name]) if name in (names or ()) else None
