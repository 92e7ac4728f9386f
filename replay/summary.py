"""The summary of a run: one flat dictionary, and the same as a page of text for an 80-column terminal.

Signs: slippage and shortfall are positive when bad, markouts positive when good. Dollars are US dollars, `_bps` is weighted by
dollars traded. A number that the run cannot know (no fills, no marks) is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from replay import ledger
from replay.forms import forms_summary
from replay.orders import Liquidity, State
from replay.reasons import GATE_SHUT, TAKEN, phrase
from replay.summary_view import render
from replay.tables import RunContext, RunRows
from replay.wording import rule_meaning, rule_name
from strategy.decision import Reason

__all__ = ["RunFacts", "last_states", "render", "summarize"]

MARKOUT_S = (1, 10, 60, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What the tables of a run do not hold: how it was made.

    Parameters
    ----------
    run_id, journal_digest : str
        Names of the run.
    events : int
        Events replayed.
    wall_s : float
        Seconds that took.
    seed : int
        Seed of the run.
    equity_usd : float
        Dollars that the strategy sized for.
    latency_ns : mapping
        The median of each latency leg in force, by name.
    latency : mapping
        By leg its model, median and ninth decile (`model`, `p50_ns`, `p90_ns`).
    fees : mapping
        Plan, month of the last day, shares traded in it by then, rules that are only assumed.
    assumptions : mapping
        Other things a reader must know: queue model, fee schedule, evidence, hours.
    cautions : sequence of str
        What is allowed and rarely meant (`replay.cautions`).
    """

    run_id: str = ""
    journal_digest: str = ""
    events: int = 0
    wall_s: float = 0.0
    seed: int = 0
    equity_usd: float | None = None
    latency_ns: Mapping[str, int] = field(default_factory=dict)
    latency: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    fees: Mapping[str, Any] = field(default_factory=dict)
    assumptions: Mapping[str, str] = field(default_factory=dict)
    cautions: Sequence[str] = ()


def summarize(rows: RunRows, context: RunContext, facts: RunFacts) -> dict[str, Any]:
    """Sum up a run.

    Parameters
    ----------
    rows : RunRows
        All rows of the run; memory-mapped arrays are welcome.
    context : RunContext
        Names and scale.
    facts : RunFacts
        What the rows do not say.

    Returns
    -------
    dict
        JSON-ready; keys carry their unit.
    """
    mids = ledger.Mids(rows.marks)
    return {
        **_identity(context, facts),
        **_decisions(rows.decisions, len(rows.cycles)),
        **forms_summary(rows.decisions, mids, context),
        "gate": _gate(rows.decisions),
        **_orders(rows.orders),
        **_execution(rows.fills, mids, context),
        "fills_by_rule": _fills_by_rule(rows.fills),
        **_profit(ledger.equity(rows.fills, mids, context)),
        **_round_trips(rows, mids, context),
        "stops": _stops(rows.decisions),
        "by_symbol": _by_symbol(rows, mids, context),
        "latency_ns": dict(facts.latency_ns),
        "latency": {name: dict(leg) for name, leg in facts.latency.items()},
        "fees": dict(facts.fees),
        "assumptions": dict(facts.assumptions),
        "cautions": list(facts.cautions),
    }


def _identity(context: RunContext, facts: RunFacts) -> dict[str, Any]:
    return {
        "run_id": facts.run_id,
        "sessions": [span.day for span in context.sessions],
        "symbols": list(context.symbols),
        "journal_digest": facts.journal_digest,
        "seed": facts.seed,
        "equity_usd": facts.equity_usd,
        "events": facts.events,
        "wall_s": facts.wall_s,
        "events_per_s": facts.events / facts.wall_s if facts.wall_s > 0 else None,
    }


def _decisions(decisions: np.ndarray, n_cycles: int) -> dict[str, Any]:
    taken = np.isin(decisions["reason"], list(TAKEN))
    return {
        "decisions": len(decisions),
        "cycles": n_cycles,
        "decisions_taken": int(taken.sum()),
        "decisions_stale": int((decisions["is_stale"] != 0).sum()),
        "decisions_stale_taken": int((taken & (decisions["is_stale"] != 0)).sum()),
    }


def _gate(decisions: np.ndarray) -> dict[str, Any]:
    """Count how often the gate opened and the edge cleared cost and reserve; if never, say what it would have needed."""
    reason = decisions["reason"]
    is_shut = np.isin(reason, list(GATE_SHUT))
    is_judged = is_shut | (decisions["edge_needed_bps"] > 0) | ((decisions["side"] != 0) & (decisions["horizon_min"] > 0))
    is_short = reason == Reason.ARBITER_RESERVE
    is_judged &= reason != Reason.COST_UNKNOWN
    judged, shut, short = (int(mask.sum()) for mask in (is_judged, is_shut, is_short))
    is_refused = (is_short if short else reason == Reason.GATE_COST) & (decisions["sigma_bps"] > 0)
    needed, edge, sigma = (np.abs(decisions[name][is_refused]) for name in ("edge_needed_bps", "mu_bps", "sigma_bps"))
    gate: dict[str, Any] = {
        "judged": judged,
        "opened": judged - shut,
        "open_rate": _ratio(judged - shut, judged),
        "cleared_rate": _ratio(judged - shut - short, judged),
        "needed_edge_over_sigma": None,
        "best_edge_over_sigma": None,
        "mean_edge_rate": _ratio((decisions["mean_edge_bps"][is_judged] > 0).sum(), judged),
    }
    if len(sigma):
        gate["needed_edge_over_sigma"], gate["best_edge_over_sigma"] = float((needed / sigma).min()), float((edge / sigma).max())
    return {**gate, "line": _gate_line(gate, needed, edge) + _mean_line(gate)}


def _gate_line(gate: Mapping[str, Any], needed: np.ndarray, edge: np.ndarray) -> str:
    if not gate["judged"]:
        return "gate: no decision got as far as the gate"
    head = f"gate opened {100 * gate['open_rate']:.3g} %"
    if gate["cleared_rate"] > 0:
        return f"{head} of {gate['judged']:,} times, {100 * gate['cleared_rate']:.2g} % also cleared cost and reserve"
    if gate["opened"]:
        head += ", cost and reserve cleared 0 %"
    if not len(needed):
        return head
    least, best = gate["needed_edge_over_sigma"], gate["best_edge_over_sigma"]
    if best < least:
        return f"{head}: needs edge/sigma above {least:.2f}, yours at most {best:.2f}"
    nearest = np.argmin(needed - edge)
    return f"{head}: the nearest needed {needed[nearest]:.2f} bps, yours was {edge[nearest]:.2f} bps"


def _mean_line(gate: Mapping[str, Any]) -> str:
    """Show the gate's second rule beside a first one that never opened."""
    if gate["opened"] or not gate["mean_edge_rate"]:
        return ""
    return f'; by its mean edge (gate.rule = "mean_edge") it would have opened {100 * gate["mean_edge_rate"]:.3g} %'


def _orders(orders: np.ndarray) -> dict[str, Any]:
    """Count orders by their last state; fill rates by order and by quantity."""
    last = last_states(orders)
    filled = last["filled_qty"]
    ends = {name: int((last["state"] == state).sum()) for name, state in _ENDS.items()}
    return {
        "orders": len(last),
        **ends,
        "orders_partly_filled": int(((filled > 0) & (filled < last["qty"])).sum()),
        "fill_rate_orders": _ratio((filled > 0).sum(), len(last)),
        "fill_rate_qty": _ratio(filled.sum(), last["qty"].sum()),
        "ordered_qty": int(last["qty"].sum()),
        "time_to_fill_s": _median((last["ts_ns"] - _sent_ns(orders, last))[last["state"] == State.FILLED] / 1e9),
    }


_ENDS = {
    "orders_filled": State.FILLED,
    "orders_cancelled": State.CANCELLED,
    "orders_expired": State.EXPIRED,
    "orders_rejected": State.REJECTED,
}


def last_states(orders: np.ndarray) -> np.ndarray:
    """Return the last row of each order, by order id."""
    _, place = np.unique(orders["order_id"][::-1], return_index=True)
    last: np.ndarray = orders[len(orders) - 1 - place]
    return last


def _sent_ns(orders: np.ndarray, last: np.ndarray) -> np.ndarray:
    order_ids, place = np.unique(orders["order_id"], return_index=True)
    assert len(order_ids) == len(last)
    sent: np.ndarray = orders["ts_ns"][place]
    return sent


def _execution(fills: np.ndarray, mids: ledger.Mids, context: RunContext) -> dict[str, Any]:
    dollars = fills["price"] * fills["qty"] / context.units_per_usd(fills["symbol"])
    added = fills["liquidity"] == Liquidity.ADD
    fee = fills["fee_micros"].sum() / 1e6
    return {
        "fills": len(fills),
        "filled_qty": int(fills["qty"].sum()),
        "turnover_usd": float(dollars.sum()),
        "added_liquidity_rate": _ratio(fills["qty"][added].sum(), fills["qty"].sum()),
        "slippage_bps": _slippage(fills, fills["mid2_at_arrival"], dollars),
        "shortfall_bps": _slippage(fills, fills["mid2_at_decision"], dollars),
        "fee_bps": _ratio(1e4 * fee, dollars.sum()),
        "markout_bps": {f"{s}s": _weighted(ledger.markouts(fills, mids, context, s * 1_000_000_000), dollars) for s in MARKOUT_S},
    }


def _fills_by_rule(fills: np.ndarray) -> list[dict[str, Any]]:
    """Count fills and shares by the rule that made them."""
    return [
        {
            "rule": int(rule),
            "name": rule_name(int(rule)),
            "meaning": rule_meaning(int(rule)),
            "fills": int((fills["rule"] == rule).sum()),
            "filled_qty": int(fills["qty"][fills["rule"] == rule].sum()),
        }
        for rule in np.unique(fills["rule"])
    ]


def _slippage(fills: np.ndarray, mid2: np.ndarray, dollars: np.ndarray) -> float | None:
    """Cost against a mid in bps, positive is bad."""
    mid = np.where(mid2 > 0, mid2 / 2.0, np.nan)
    return _weighted(fills["side"] * (fills["price"] / mid - 1.0) * 1e4, dollars)


def _profit(path: np.ndarray) -> dict[str, Any]:
    end = path[-1] if len(path) else np.zeros((), ledger.EQUITY)
    return {
        "gross_usd": float(end["gross_usd"]),
        "fee_usd": float(end["fee_usd"]),
        "net_usd": float(end["net_usd"]),
        "max_drawdown_usd": float(-path["drawdown_usd"].min()) if len(path) else 0.0,
        "max_exposure_usd": float(path["exposure_usd"].max()) if len(path) else 0.0,
    }


def _round_trips(rows: RunRows, mids: ledger.Mids, context: RunContext) -> dict[str, Any]:
    trips = ledger.round_trips(rows.fills, mids)
    units = context.units_per_usd(trips["symbol"])
    net = trips["gross_usd"] / units - trips["fee_usd"]
    entered = trips["qty"] * trips["entry_price"] * context.multiplier_of(trips["symbol"])
    edge = ledger.edge_bps(trips, rows.decisions)
    net_bps = _weighted(ledger.net_bps(trips, units), entered)
    return {
        "round_trips": len(trips),
        "round_trips_won": int((net > 0).sum()),
        "win_rate": _ratio((net > 0).sum(), len(trips)),
        "round_trip_net_usd": float(net.mean()) if len(trips) else None,
        "round_trip_net_bps": net_bps,
        "round_trip_edge_bps": _weighted(edge, entered),
        "round_trip_hold_s": _median((trips["exit_ts_ns"] - trips["entry_ts_ns"]) / 1e9),
    }


def _stops(decisions: np.ndarray) -> list[dict[str, Any]]:
    """Count how decisions ended, the most frequent first."""
    codes, counts = np.unique(decisions["reason"], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return [
        {
            "reason": Reason(int(code)).name if code in list(Reason) else str(code),
            "meaning": phrase(int(code)),
            "is_stop": int(code) not in TAKEN and int(code) != Reason.TARGET_KEPT,
            "count": int(n),
            "share": float(n / len(decisions)),
        }
        for code, n in zip(codes[order], counts[order], strict=True)
    ]


def _by_symbol(rows: RunRows, mids: ledger.Mids, context: RunContext) -> list[dict[str, Any]]:
    decided = np.bincount(rows.decisions["symbol"], minlength=len(context.symbols))
    ordered = np.bincount(last_states(rows.orders)["symbol"], minlength=len(context.symbols))
    return [
        {
            "symbol": name,
            "decisions": int(decided[s]),
            "orders": int(ordered[s]),
            **_symbol(rows.fills[rows.fills["symbol"] == s], mids, context),
        }
        for s, name in enumerate(context.symbols)
    ]


def _symbol(fills: np.ndarray, mids: ledger.Mids, context: RunContext) -> dict[str, Any]:
    dollars = fills["price"] * fills["qty"] / context.units_per_usd(fills["symbol"])
    end = _profit(ledger.equity(fills, mids, context)) if len(fills) else _profit(np.zeros(0, ledger.EQUITY))
    return {
        "fills": len(fills),
        "turnover_usd": float(dollars.sum()),
        "slippage_bps": _slippage(fills, fills["mid2_at_arrival"], dollars),
        **{key: end[key] for key in ("gross_usd", "fee_usd", "net_usd")},
    }


def _weighted(values: np.ndarray, weights: np.ndarray) -> float | None:
    """Mean weighted by dollars, over the values that are known."""
    known = np.isfinite(values) & (weights > 0)
    return float(np.average(values[known], weights=weights[known])) if known.any() else None


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def _median(values: Sequence[float] | np.ndarray) -> float | None:
    return float(np.median(values)) if len(values) else None
