"""The six-point verification of a run, judged from its rows: what `verification.json` holds."""

from __future__ import annotations

from typing import Any

from replay import ledger
from replay.tables import RunContext, RunRows
from strategy.verification import NOT_ENOUGH_DATA, Verification, VerificationSettings, worst


def verification_rows(rows: RunRows, context: RunContext, settings: VerificationSettings | None = None) -> dict[str, Any]:
    """Judge a run.

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
    verification = Verification(settings or VerificationSettings())
    verification.log_cycles(rows.cycles)
    outcomes_bps = ledger.outcomes(rows.decisions, ledger.Mids(rows.marks), context)
    checks = verification.run_full(rows.decisions, rows.orders, outcomes_bps=outcomes_bps)
    is_judged = any(check.status != NOT_ENOUGH_DATA for check in checks)
    return {"checks": [check.as_dict() for check in checks], "worst": worst(checks) if is_judged else NOT_ENOUGH_DATA}
