"""The checklist over runs of the engine: pools of twelve generated sessions, sound ones and ones with a fault put in.

`benchmarks.verification` draws rows, hundreds of pools of them; here everything is replayed, three symbols and twelve days in a
row, with planted forecasts (IC 0.3). A false alarm is a FAIL of any check on sound sessions, a fault is found when its own check
warns or fails. Only faults that can come from outside are here: a frozen selector and broken weights need a broken component.
Intervals are exact binomial ones, 95 %.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measure import Figure
from benchmarks.verification import share_at_most
from replay import run
from replay.config import Config
from replay.forecasts.door import Forecast
from replay.project import enhanced_toml
from replay.synth import generate
from strategy.verification import FAIL, WARN

if TYPE_CHECKING:
    import pandas as pd

    from replay import Result

DAYS, SYMBOLS, ACTIVITY, IC = 12, 3, 0.1, 0.3
N_SOUND, N_FAULTY = 72, 24  # pools; the first ones get the faults too
SHORT_MIN = (20, 30, 45, 60, 120)  # lengths of sessions that are judged alone
TAKEN = 71_705  # decisions that the originals acted on, in all sound pools, exactly
ALARMS = (FAIL, WARN)
SETTINGS = {
    "throttled budget (2 messages a minute)": ("execution_sla", ["budget.messages_per_min=2"]),
    "churn (every cycle trades, however little)": ("churn", ["rebalance.mode=off"]),
}
MODELS = {"model too sure (sigma x 0.7)": 0.7, "model too timid (sigma x 1.6)": 1.6}
NAN_EVERY = 5


class Sick:
    """A forecaster that says what a file says, and every so-manieth time nothing that is a number."""

    def __init__(self, said: pd.DataFrame) -> None:
        self.horizons_min = sorted(set(said["horizon_min"].tolist()))
        self._rows = dict(tuple(said.groupby("bar_close_ts_ns")))
        self._count = 0

    def on_bar(self, _features: Mapping[str, Mapping[str, float]], ts_ns: int) -> Iterable[Forecast]:
        """Return what the file says of this close."""
        for row in self._rows[ts_ns].itertuples() if ts_ns in self._rows else ():
            self._count += 1
            mu_bps = float("nan") if self._count % NAN_EVERY == 0 else row.mu_bps
            yield Forecast(symbol=row.symbol, horizon_min=row.horizon_min, mu_bps=mu_bps, sigma_bps=row.sigma_bps)


def main() -> list[Figure]:
    """Count false alarms of both forms and of short sessions, and missed faults."""
    alarms: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    taken = 0
    for seed in range(N_SOUND):
        with TemporaryDirectory() as folder:
            days = _sessions(folder, seed, 390, DAYS)
            original = run(days, Config(), _file(days))
            taken += original.summary["decisions_taken"]
            alarms["originals"] += FAIL in _judged(original).values()
            alarms["all enhanced"] += FAIL in _statuses(days, Config().with_values(tomllib.loads(enhanced_toml()))).values()
            if seed < N_FAULTY:
                missed.update(name for name, is_found in _faults(days) if not is_found)
        with TemporaryDirectory() as folder:
            short = _statuses(_sessions(folder, seed, SHORT_MIN[seed % len(SHORT_MIN)], 1), Config())
            alarms["one session of 20 to 120 minutes"] += FAIL in short.values()
    if taken != TAKEN:
        raise AssertionError(f"the originals acted on {taken} decisions, expected {TAKEN}")
    sound = [share_at_most(f"sound, {name}: any check fails", alarms[name], N_SOUND) for name in sorted(alarms)]
    names = [*SETTINGS, *MODELS, "NaN model (1 forecast in 5)"]
    return sound + [share_at_most(f"missed: {name}", missed[name], N_FAULTY) for name in names]


def _sessions(folder: str, seed: int, minutes: int, days: int) -> list[Path]:
    return generate(Path(folder) / "days", symbols=SYMBOLS, minutes=minutes, days=days, ic=IC, seed=seed, activity=ACTIVITY)


def _faults(days: list[Path]) -> Iterable[tuple[str, bool]]:
    """Yield each fault and whether its check noticed."""
    for name, (check, sets) in SETTINGS.items():
        yield name, _statuses(days, Config().with_sets(sets))[check] in ALARMS
    for name, scale in MODELS.items():
        yield name, _statuses(days, Config(), _rescaled(days, scale))["conformal_coverage"] in ALARMS
    yield "NaN model (1 forecast in 5)", _judged(run(days, strategy=Sick(_said(days))))["component_errors"] in ALARMS


def _statuses(days: list[Path], config: Config, forecasts: Path | None = None) -> dict[str, str]:
    return _judged(run(days, config, forecasts or _file(days)))


def _judged(result: Result) -> dict[str, str]:
    return {check["name"]: check["status"] for check in result.verification["checks"]}


def _file(days: list[Path]) -> Path:
    return (days[0].parent if len(days) > 1 else days[0]) / "forecasts.parquet"


def _said(days: list[Path]) -> pd.DataFrame:
    import pandas as pd

    return pd.read_parquet(_file(days))


def _rescaled(days: list[Path], scale: float) -> Path:
    """Write the forecasts with another sigma and intervals as wide as it says."""
    said: Any = _said(days)
    said["sigma_bps"] *= scale
    for name in ("q_lo_bps", "q_hi_bps"):
        said[name] = np.asarray(said["mu_bps"] + (said[name] - said["mu_bps"]) * scale)
    path = days[0].parent / f"sigma-{scale}.parquet"
    said.to_parquet(path)
    return path
