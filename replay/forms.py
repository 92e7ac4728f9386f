"""Who acted in a run, read back from its decisions: errors, breakers, components in their original form, and the shadow.

What the side that trades wanted to hold is its target, or what was held where it refused; the same holds for the shadow. Where
they differ and the outcome is known, the difference is judged by what the mid did over the horizon that was looked at::

    worth = sum (target - shadow) mid outcome / sum |target - shadow| mid            bps per dollar of difference, before costs

Decisions a minute apart look at much the same outcome, so it is a hint, and `replay compare` of two runs the evidence.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from replay import ledger
from replay.reasons import TAKEN
from replay.tables import RunContext
from replay.wording import et_stamp
from strategy.decision import Component, Reason


def components(mask: int) -> list[str]:
    """Name the components of a bit mask."""
    return [component.name.lower() for component in Component if mask >> component & 1]


def forms_summary(decisions: np.ndarray, mids: ledger.Mids, context: RunContext) -> dict[str, Any]:
    """Sum up who acted: counts of decisions by component, openings of breakers, and the shadow (None = nothing ran beside)."""
    return {
        "component_errors": _counts(decisions["status"]),
        "as_original": _counts(decisions["as_original"]),
        "breakers_open": _counts(decisions["breaker"]),
        "breakers_opened": sum(event["status"] == "WARN" for event in breaker_events(decisions, context)),
        "shadow": _shadow(decisions, mids, context),
    }


def _counts(masks: np.ndarray) -> dict[str, int]:
    return {c.name.lower(): n for c in Component if (n := int((masks >> c & 1).sum()))}


def breaker_events(decisions: np.ndarray, context: RunContext) -> list[dict[str, Any]]:
    """Return an event per breaker that opened, failed its trial, or let its component act again, in order of time."""
    events = []
    for symbol in np.unique(decisions["symbol"][decisions["breaker"] != 0]):
        own = decisions[decisions["symbol"] == symbol]
        before = np.concatenate([[0], own["breaker"][:-1]])
        is_news = ((own["breaker"] ^ before) | (own["breaker"] & ~own["as_original"])) != 0
        for row, old in zip(own[is_news], before[is_news], strict=True):
            events += _events_of(row, int(old), context)
    return sorted(events, key=lambda event: (event["ts_ns"], event["symbol"], event["component"]))


def _events_of(row: np.void, before: int, context: RunContext) -> list[dict[str, Any]]:
    """Return what one decision says of the breakers that were, or are, open."""
    after, asked = int(row["breaker"]), ~int(row["as_original"])
    news = {
        "opened, the original form acts": ("WARN", after & ~before),
        "failed its trial, the original form goes on": ("WARN", after & before & asked),
        "acts again in its enhanced form": ("PASS", before & ~after),
    }
    head = {"ts_ns": int(row["ts_ns"]), "time": et_stamp(int(row["ts_ns"])), "cycle": int(row["cycle"]), "name": "breaker"}
    symbol = context.symbols[int(row["symbol"])]
    return [
        {**head, "status": status, "component": name, "symbol": symbol, "message": f"breaker of {name} for {symbol}: {what}"}
        for what, (status, mask) in news.items()
        for name in components(mask)
    ]


def _shadow(decisions: np.ndarray, mids: ledger.Mids, context: RunContext) -> dict[str, Any] | None:
    rows = decisions[decisions["shadow_reason"] >= 0]
    if not len(rows):
        return None
    held, shadow = rows["position_qty"], rows["shadow_target_qty"]
    wanted = np.where(_has_target(rows["reason"]), rows["target_qty"], held)
    is_other = wanted != shadow
    return {
        "decisions": len(rows),
        "differ": int(is_other.sum()),
        "differ_in_side": int((np.sign(wanted - held) != np.sign(shadow - held)).sum()),
        "moves": int((wanted != held).sum()),
        "shadow_moves": int((shadow != held).sum()),
        **_worth(rows[is_other], (wanted - shadow)[is_other], mids, context),
    }


def _has_target(reasons: np.ndarray) -> np.ndarray:
    """Tell which decisions got as far as a target, whatever became of it."""
    is_late = (reasons >= Reason.NOT_REBALANCE_TIME) & (reasons < Reason.COMPONENT_ERROR)
    has_target: np.ndarray = np.isin(reasons, list(TAKEN)) | (reasons == Reason.TARGET_KEPT) | is_late
    return has_target


def _worth(rows: np.ndarray, difference_qty: np.ndarray, mids: ledger.Mids, context: RunContext) -> dict[str, Any]:
    """Return what a dollar of difference was worth to the side that trades, and in how many decisions that is known."""
    horizon_min = np.where(rows["horizon_min"] > 0, rows["horizon_min"], rows["shadow_horizon_min"]).astype(np.int64)
    moved = ledger.returns_bps(rows, horizon_min * ledger.MINUTE_NS, mids, context)
    value = difference_qty * rows["mid2"] / context.units_per_usd(rows["symbol"])
    known = np.isfinite(moved) & (value != 0)
    worth = float(np.sum(value[known] * moved[known]) / np.sum(np.abs(value[known]))) if known.any() else None
    return {"outcomes": int(known.sum()), "worth_bps": worth}
