"""Control errors under injected faults: every component in its original form against every one in its enhanced form.

Three synthetic days of six symbols with planted forecasts (IC 0.5); the fault holds for three hours of the last day
(`benchmarks.faulty`). A decision is a *control error* when one of these holds:

- a component of the loop failed in it (a NaN forecast is the fault itself and not counted: both forms see it in the same cycles),
- it acted (a new target or an exit) on data beyond their TTL,
- it let a position grow where the sound model saw no edge after costs; or at all, while six of ten forecasts were NaN,
- the message budget refused it, at once or by letting it wait until it was dropped.

The original has no learner that could break: what "broken weights" cost the enhanced form is shown beside the same with its
breakers off. The gate's first rule rarely opens at all, and who does nothing makes few errors; the second, on the mean, trades as
often as the original. The arbiter's `labels_min` is 10 instead of 200, so that the mixture acts within three days.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.faulty import Fault, Stretch, replay_under, sound_mu_bps
from benchmarks.measure import Figure
from replay import run
from replay.config import Config
from replay.project import enhanced_toml
from replay.reasons import TAKEN
from replay.synth import generate
from strategy.decision import Component, Reason

FAULTS = {
    "model reversed (mu x -1)": Fault(mu_scale=-1.0),
    "NaN model (6 forecasts of 10)": Fault(nan_share=0.6),
    "stale feed (5 minutes of 10)": Fault(is_frozen=True),
    "throttled budget (2 messages a minute)": Fault(messages_per_min=2),
    "model too sure (mu x 3, sigma x 0.3)": Fault(mu_scale=3.0, sigma_scale=0.3),
    "broken weights (NaN)": Fault(is_broken=True),
}
ENHANCED: dict[str, dict[str, Any]] = tomllib.loads(enhanced_toml())
ENHANCED["arbiter"] |= {"labels_min": 10.0}
MEAN = ENHANCED | {"gate": {"mode": "enhanced", "rule": "mean_edge"}}
_MODEL = 1 << Component.FORECASTS


def main() -> list[Figure]:
    """Count control errors of both forms, fault by fault and in all, and decisions on stale data where the feed has gaps."""
    with TemporaryDirectory() as folder:
        days = generate(Path(folder) / "days", symbols=6, minutes=390, days=3, ic=0.5, seed=1, activity=0.2)
        gaps = generate(Path(folder) / "gaps", symbols=3, minutes=390, days=3, ic=0.5, seed=5, activity=0.2, gaps=12)
        return [*control_errors(days), *stale_decisions(gaps)]


def control_errors(days: list[Path]) -> list[Figure]:
    """Count, for the original and for the enhanced form with both rules of the gate."""
    sound, figures = sound_mu_bps(days), []
    forms = {"original": {}, "enhanced": ENHANCED, "enhanced, mean edge": MEAN}
    totals = dict.fromkeys(forms, 0)
    for name, fault in FAULTS.items():
        for form, values in forms.items():
            stretch = replay_under(days, Config().with_values(values), fault)
            n = int(is_error(stretch, fault, sound).sum())
            totals[form] += n
            figures.append(Figure(f"{name}: {form}, {_grown(stretch.decisions).sum()} positions grew", n, "errors"))
    figures.append(_without_breakers(days, sound))
    first, again = (replay_under(days, Config(), Fault(is_frozen=True)).decisions for _ in range(2))
    assert first.tobytes() == again.tobytes()
    return figures + [
        Figure.at_least(f"fewer control errors, {form} ({totals[form]} of {totals['original']})", _fewer(totals, form), "%", 50)
        for form in list(forms)[1:]
    ]


def is_error(stretch: Stretch, fault: Fault, sound_mu_bps: dict[int, float]) -> np.ndarray:
    """Tell which decisions are control errors."""
    rows = stretch.decisions
    has_failed = (rows["status"] & ~_MODEL) != 0
    is_blind = np.isin(rows["reason"], list(TAKEN)) & (rows["is_stale"] != 0)
    is_dropped = (rows["reason"] == Reason.TARGET_SET) & ~np.isin(rows["plan_id"], stretch.plans_sent)
    mu = np.array([sound_mu_bps.get(int(key), np.nan) for key in rows["forecast_id"]])
    has_edge = np.sign(rows["target_qty"]) * mu - rows["cost_bps"] > 0.0
    is_wrong = _grown(rows) & (~has_edge | (fault.nan_share > 0.0))
    errors: np.ndarray = has_failed | is_blind | is_wrong | is_dropped | (rows["reason"] == Reason.BUDGET)
    return errors


def stale_decisions(days: list[Path]) -> list[Figure]:
    """Count decisions that were acted on with data beyond their TTL, with the original guard and with the enhanced one alone."""
    counts = []
    for mode in ("original", "enhanced"):
        result = run(days, Config().with_sets([f"staleness.mode={mode}"]), forecasts=days[0].parent / "forecasts.parquet")
        counts.append(result.summary["decisions_stale_taken"])
    fewer = 100.0 * (1.0 - counts[1] / counts[0])
    return [Figure.at_least(f"fewer decisions on stale data, 12 gaps a day ({counts[1]} of {counts[0]})", fewer, "%", 90)]


def _without_breakers(days: list[Path], sound: dict[int, float]) -> Figure:
    fault = FAULTS["broken weights (NaN)"]
    stretch = replay_under(days, Config().with_values(MEAN | {"breaker": {"mode": "off"}}), fault)
    n = int(is_error(stretch, fault, sound).sum())
    return Figure(
        f"broken weights (NaN): the last without breakers, {_grown(stretch.decisions).sum()} positions grew", n, "errors"
    )


def _grown(rows: np.ndarray) -> np.ndarray:
    """Tell which decisions asked for a larger position, or one on the other side."""
    target, held = rows["target_qty"], rows["position_qty"]
    grown: np.ndarray = (rows["reason"] == Reason.TARGET_SET) & ((np.abs(target) > np.abs(held)) | (target * held < 0))
    return grown


def _fewer(totals: dict[str, int], form: str) -> float:
    return 100.0 * (1.0 - totals[form] / totals["original"])
