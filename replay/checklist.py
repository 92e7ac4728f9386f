"""The six-point verification of a run, judged from its rows: what `verification.json` and `events.log` hold.

Every `verification.every_cycles` cycles the rows so far are judged as they could have been then: an outcome counts once its
horizon has passed. What changes for the worse, or recovers, is an alert with its time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from replay import ledger
from replay.tables import RunContext, RunRows
from replay.wording import et_stamp
from strategy.policies import REWARD_MAX
from strategy.verification import NOT_ENOUGH_DATA, AlertLog, Check, Verification, VerificationSettings, worst

CHECKPOINTS_MAX = 64  # of one run: each judges all rows so far ...
_CHECKPOINTS_MIN = 8
_ROWS_MAX = 2_000_000  # ... and a long run not many million rows in all


class InForce(NamedTuple):
    """What of a run's configuration the checks need to know; the names are those of `Verification` and its `run_full`."""

    is_mean_gate: bool = False
    message_limits: Sequence[int] = ()
    modes: Mapping[str, str] | None = None


def verification_rows(rows: RunRows, context: RunContext, settings: VerificationSettings | None = None) -> dict[str, Any]:
    """Judge a whole run.

    Parameters
    ----------
    rows : RunRows
        All rows of the run.
    context : RunContext
        Names and sessions; outcomes do not look beyond a session's end.
    settings : VerificationSettings, optional
        Limits of the checks.

    Returns
    -------
    dict
        `checks`, the six in their order; `worst`, PASS, WARN or FAIL, or NOT_ENOUGH_DATA when nothing could be judged.
    """
    return _answer(_Judge(rows, context, settings or VerificationSettings(), InForce()).at_end())


def judge(
    rows: RunRows,
    context: RunContext,
    settings: VerificationSettings | None = None,
    in_force: InForce | None = None,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Judge a run at its end and on its way.

    Returns
    -------
    tuple of dict and list
        What `verification_rows` returns, and the alerts in order of time: `ts_ns`, `time`, `cycle` and the fields of the check.
        In a long run only every second, third ... of the checks on the way is made: at most `CHECKPOINTS_MAX`, and fewer where
        there are very many decisions.
    """
    settings = settings or VerificationSettings()
    bench = _Judge(rows, context, settings, in_force or InForce())
    log, alerts = AlertLog(), []
    for n_cycles in _checkpoints(len(rows.cycles), settings.every_cycles, len(rows.decisions)):
        alerts += _stamped(log, rows.cycles[n_cycles - 1], bench.after(n_cycles))
    checks = bench.at_end()
    if len(rows.cycles):
        alerts += _stamped(log, rows.cycles[-1], checks)
    return _answer(checks), alerts


def rewards(decisions: np.ndarray, mids: ledger.Mids, context: RunContext) -> np.ndarray:
    """Return what each horizon would have earned from each decision on, net of cost, in units of its volatility.

    In the direction and at the cost that were decided on, whether or not anything was traded; NaN where no horizon was chosen or
    the horizon did not pass. A horizon whose own forecast points the other way is thus counted in the direction of the decision.
    """
    result = np.full((len(decisions), len(context.horizons_min)), np.nan)
    chosen_min = decisions["horizon_min"].astype(float)
    is_usable = (chosen_min > 0) & (decisions["sigma_bps"] > 0)
    sigma_1min = np.divide(decisions["sigma_bps"], np.sqrt(chosen_min), out=np.full(len(decisions), np.nan), where=is_usable)
    side = np.sign(decisions["mu_bps"])
    for k, horizon in enumerate(context.horizons_min):
        horizon_ns = np.full(len(decisions), int(horizon) * ledger.MINUTE_NS)
        moved = ledger.returns_bps(decisions, horizon_ns, mids, context)
        net = (side * moved - decisions["cost_bps"]) / (sigma_1min * np.sqrt(float(horizon)))
        result[:, k] = np.clip(net, -REWARD_MAX, REWARD_MAX)
    return result


class _Judge:
    """Judges the first so many cycles of a run."""

    def __init__(self, rows: RunRows, context: RunContext, settings: VerificationSettings, in_force: InForce) -> None:
        self._in_force = in_force
        self._rows = rows
        self._settings = settings
        self._horizons = context.horizons_min
        mids = ledger.Mids(rows.marks)
        self._outcomes = ledger.outcomes(rows.decisions, mids, context)
        self._rewards = rewards(rows.decisions, mids, context)

    def _verification(self) -> Verification:
        return Verification(self._settings, message_limits=self._in_force.message_limits, modes=self._in_force.modes)

    def at_end(self) -> list[Check]:
        """Judge all rows."""
        verification = self._verification()
        verification.log_cycles(self._rows.cycles)
        return verification.run_full(
            self._rows.decisions,
            self._rows.orders,
            outcomes_bps=self._outcomes,
            rewards=self._rewards,
            horizons_min=self._horizons,
            is_mean_gate=self._in_force.is_mean_gate,
        )

    def after(self, n_cycles: int) -> list[Check]:
        """Judge what was there, and known, when so many cycles had run."""
        now_ns = int(self._rows.cycles["ts_ns"][n_cycles - 1])
        orders, is_made = self._rows.orders, self._rows.decisions["ts_ns"] <= now_ns
        decisions = self._rows.decisions[is_made]
        chosen_ns = decisions["horizon_min"].astype(np.int64) * ledger.MINUTE_NS
        longest_ns = max(self._horizons, default=0) * ledger.MINUTE_NS
        is_over = decisions["ts_ns"] + chosen_ns <= now_ns
        are_over = decisions["ts_ns"] + longest_ns <= now_ns
        verification = self._verification()
        verification.log_cycles(self._rows.cycles[:n_cycles])
        return verification.run_full(
            decisions,
            orders[orders["ts_ns"] <= now_ns],
            outcomes_bps=np.where(is_over, self._outcomes[is_made], np.nan),
            rewards=np.where(are_over[:, None], self._rewards[is_made], np.nan),
            horizons_min=self._horizons,
            is_mean_gate=self._in_force.is_mean_gate,
            has_regimes=False,
        )


def _checkpoints(n_cycles: int, every: int, n_decisions: int) -> range:
    most = min(max(_ROWS_MAX // max(n_decisions, 1), _CHECKPOINTS_MIN), CHECKPOINTS_MAX)
    step = every * max(1, -(-(n_cycles // every) // most))
    return range(step, n_cycles, step)


def _stamped(log: AlertLog, cycle: np.void, checks: list[Check]) -> list[dict[str, Any]]:
    ts_ns = int(cycle["ts_ns"])
    return [{"time": et_stamp(ts_ns), **event} for event in log.update(ts_ns, int(cycle["cycle"]), checks)]


def _answer(checks: list[Check]) -> dict[str, Any]:
    is_judged = any(check.status != NOT_ENOUGH_DATA for check in checks)
    return {"checks": [check.as_dict() for check in checks], "worst": worst(checks) if is_judged else NOT_ENOUGH_DATA}
