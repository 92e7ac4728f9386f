"""Why was this done, or not done? The decision in force at a moment, read back from the run folder.

The answer is one dictionary: a verdict in a sentence, what would have changed it, and everything that the decision saw, cost,
planned and got. A run of an own strategy has no decisions: then it is what is known of the moment (`replay.explain_orders`).
`render` lays either out for people.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replay.errors import UsageError
from replay.explain_orders import activity, own_strategy_sentence, working
from replay.explain_view import render
from replay.forms import components
from replay.reasons import FALLBACKS, MEANINGS, TAKEN, phrase
from replay.tables import RunContext, read_context
from replay.wording import bps, duration, et_stamp
from strategy.decision import Fallback, Reason

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["explain", "render"]

_FORECAST = ("horizon_min", "forecast_id", "mu_bps", "sigma_bps", "q_lo_bps", "q_hi_bps", "side", "p_peak", "p_valley")
_COSTS = ("spread", "vol", "impact", "fee", "residual")
_UNKNOWN_TO_LIMITS = ("correlation or volatility of what is held", "volume")  # bits of `risk_unknown`
TURN_LIMIT = "barriers.block_above"


def explain(run_dir: Path | str, symbol: str, at_ns: int) -> dict[str, Any]:
    """Explain the decision of a symbol that was in force at a time.

    Parameters
    ----------
    run_dir : Path
        A run folder.
    symbol : str
        Name of the symbol.
    at_ns : int
        Time, ns UTC; the last decision at or before it is the one in force.

    Returns
    -------
    dict
        JSON-ready. `sentence` says why, `change` what would have changed it; the rest are the numbers behind both. Without
        decisions in the whole run `decision_id` is None, and the rest is what `replay.explain_orders.activity` returns.

    Raises
    ------
    UsageError
        For an unknown symbol, a time outside the run, or when nothing had been decided yet.
    """
    folder = Path(run_dir)
    context = read_context(folder)
    _refuse_unknown(symbol, context)
    _refuse_outside(at_ns, context)
    if _has_no_decisions(folder):
        return _without_decisions(folder, symbol, at_ns)
    past, next_ns = _past_decisions(folder, symbol, at_ns)
    row = _decision(folder, symbol, past[-1][0])
    taken = [key for key, code in past[:-1] if code in TAKEN]
    orders = _rows(folder / "orders.parquet", [("symbol", "==", symbol)])
    fills = _rows(folder / "fills.parquet", [("decision_id", "==", row["decision_id"]), ("symbol", "==", symbol)])
    return {
        "symbol": symbol,
        "at_ns": at_ns,
        "at": et_stamp(at_ns),
        "decided_ns": row["ts_ns"],
        "decided": et_stamp(row["ts_ns"]),
        "age_s": (at_ns - row["ts_ns"]) / 1e9,
        "next_decided": None if next_ns is None else et_stamp(next_ns),
        "decision_id": row["decision_id"],
        "cycle": row["cycle"],
        "reason": row["reason"],
        "is_taken": row["reason_code"] in TAKEN,
        "sentence": _fill_in(row, "sentence"),
        "change": _fill_in(row, "change").replace(TURN_LIMIT, _turn_limit(folder)),
        "last_taken": _glance(_decision(folder, symbol, taken[-1])) if taken else None,
        **_numbers(row, context),
        "plan": _plan(row, [order for order in orders if order["decision_id"] == row["decision_id"]]),
        "fills": fills,
        "working": working(orders, at_ns),
    }


def _refuse_unknown(symbol: str, context: RunContext) -> None:
    if symbol not in context.symbols:
        near = get_close_matches(symbol.upper(), context.symbols, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"symbol {symbol!r} is not in this run, which has {', '.join(context.symbols)}{hint}")


def _refuse_outside(at_ns: int, context: RunContext) -> None:
    spans = context.sessions
    if not any(span.start_ns <= at_ns <= span.end_ns for span in spans):
        covered = "; ".join(f"{et_stamp(span.start_ns, 0)} to {et_stamp(span.end_ns, 0)}" for span in spans) or "no time at all"
        raise UsageError(f"{et_stamp(at_ns)} lies outside the run, which covers {covered}")


def _has_no_decisions(folder: Path) -> bool:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(folder / "decisions.parquet").num_rows) == 0


def _without_decisions(folder: Path, symbol: str, at_ns: int) -> dict[str, Any]:
    """Tell what is known of a moment in a run whose strategy made no decisions of the pipeline."""
    manifest = json.loads((folder / "manifest.json").read_text()) if (folder / "manifest.json").is_file() else {}
    strategy = Path(manifest.get("inputs", {}).get("strategy", {}).get("name", "")).name
    orders, fills, marks = (
        _rows(folder / f"{name}.parquet", [("symbol", "==", symbol)]) for name in ("orders", "fills", "marks")
    )
    facts = activity(orders, fills, marks, at_ns)
    head = {"symbol": symbol, "at_ns": at_ns, "at": et_stamp(at_ns), "decision_id": None, "strategy": strategy}
    return {**head, "sentence": own_strategy_sentence(strategy, at_ns, facts), **facts}


def _past_decisions(folder: Path, symbol: str, at_ns: int) -> tuple[list[tuple[int, int]], int | None]:
    """Return id and reason code of the decisions of a symbol at or before a time (at least one), and the time of the next."""
    columns = ["decision_id", "ts_ns", "reason_code"]
    own = _table(folder / "decisions.parquet", [("symbol", "==", symbol)], columns).to_pydict()
    rows = zip(*(own[name] for name in columns), strict=True)
    past = [(key, code) for key, ts, code in rows if ts <= at_ns]
    if not past:
        when = f"the first came at {et_stamp(own['ts_ns'][0])}" if own["ts_ns"] else "there is none on it in the whole run"
        raise UsageError(f"no decision on {symbol!r} at or before {et_stamp(at_ns)}: {when}")
    return past, min((ts for ts in own["ts_ns"] if ts > at_ns), default=None)


def _decision(folder: Path, symbol: str, decision_id: int) -> dict[str, Any]:
    return _rows(folder / "decisions.parquet", [("decision_id", "==", decision_id), ("symbol", "==", symbol)])[-1]


def _glance(row: Mapping[str, Any]) -> dict[str, Any]:
    """Say what an earlier decision did."""
    told = {"decision_id": row["decision_id"], "decided_ns": row["ts_ns"], "decided": et_stamp(row["ts_ns"])}
    return {**told, "reason": row["reason"], "sentence": _fill_in(row, "sentence")}


def _numbers(row: Mapping[str, Any], context: RunContext) -> dict[str, Any]:
    """Group inputs, forecast, costs and weights as they are shown."""
    mid = row["mid"]
    spread_bps = 1e4 * row["spread"] / mid if mid and mid > 0 else None
    return {
        "inputs": {
            "mid": mid,
            "spread": row["spread"],
            "spread_bps": spread_bps,
            "quote_age_s": row["quote_age_ns"] / 1e9,
            "forecast_age_s": row["forecast_age_ns"] / 1e9,
            "is_stale": row["is_stale"],
            "quality": row["quality"],
            "position_qty": row["position_qty"],
        },
        "features": row["features"],
        "forecast": {key: row.get(key) for key in _FORECAST},
        "cost": {"total_bps": row["cost_bps"], **{f"{part}_bps": row[f"cost_{part}_bps"] for part in _COSTS}},
        "edge_needed_bps": row["edge_needed_bps"],
        "net_edge_bps": row["net_edge_bps"],
        "weights": {str(minutes): weight for minutes, weight in zip(context.horizons_min, row["weights"], strict=True)},
        "outcome_bps": row["outcome_bps"],
        "failed_components": components(row["status"]),
        "fallbacks": components(row.get("as_original", 0)),
        "arbiter_fallback": [FALLBACKS[code]] if (code := Fallback(row.get("fallback", 0))) in FALLBACKS else [],
        "open_breakers": components(row["breaker"]),
        "shadow": _shadow(row),
        "limited_by": [phrase(row["risk_limit"])] if row["risk_limit"] else [],
        "limits_did_without": [name for k, name in enumerate(_UNKNOWN_TO_LIMITS) if row["risk_unknown"] >> k & 1],
    }


def _shadow(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Say what the side that does not trade wanted; None where nothing ran beside."""
    name = row.get("shadow_reason")
    if not name:
        return None
    change = row["shadow_target_qty"] - row["position_qty"]
    told = {key: row[f"shadow_{key}"] for key in ("reason", "target_qty", "horizon_min")}
    return {**told, "change_qty": change, "meaning": phrase(Reason[name])}


def _plan(row: Mapping[str, Any], states: list[dict[str, Any]]) -> dict[str, Any]:
    """Collect target and orders of this decision; each order with its life and the queue ahead, simulated and estimated."""
    orders: dict[int, dict[str, Any]] = {}
    for state in states:
        fixed = {key: state[key] for key in ("order_id", "slice", "side", "type", "tif", "qty")}
        order = orders.setdefault(state["order_id"], {**fixed, "work_s": state["work_ns"] / 1e9, "states": []})
        changing = ("ts_ns", "state", "limit_price", "filled_qty", "ahead_qty_simulated", "ahead_qty_estimated", "reason")
        order["states"].append({key: state[key] for key in changing})
    change = row["target_qty"] - row["position_qty"]
    return {"plan_id": row["plan_id"], "target_qty": row["target_qty"], "change_qty": change, "orders": list(orders.values())}


def _turn_limit(folder: Path) -> str:
    """Return the chance of a turn above which the run entered nothing; the name of the setting alone where no manifest tells."""
    path = folder / "manifest.json"
    config = json.loads(path.read_text(encoding="utf-8")).get("config", {}) if path.is_file() else {}
    limit = config.get("barriers", {}).get("block_above")
    return TURN_LIMIT if limit is None else f"{TURN_LIMIT} = {limit:g}"


def _fill_in(row: Mapping[str, Any], what: str) -> str:
    code = row["reason_code"]
    if code not in MEANINGS:
        return f"Ended with the unknown reason code {code}." if what == "sentence" else ""
    text: str = getattr(MEANINGS[Reason(code)], what)
    return text.format(
        horizon=f"{row['horizon_min']}-minute",
        mu=bps(row["mu_bps"]),
        cost=_size(row["cost_bps"]),
        needed=_size(row["edge_needed_bps"]),
        net=bps(row["net_edge_bps"]),
        interval=f"{_signed(row['q_lo_bps'])} to {_signed(row['q_hi_bps'])}",
        held=f"{row['position_qty']:,}",
        target=f"{row['target_qty']:,}",
        p_peak=_chance(row.get("p_peak")),
        p_valley=_chance(row.get("p_valley")),
        quality=f"{row['quality']:.2f}",
        quote_age=duration(row["quote_age_ns"]),
        forecast_age=duration(row["forecast_age_ns"]),
    )


def _size(value: float) -> str:
    return f"{value:.2f} bps" if _is_known(value) else "-"


def _chance(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _signed(value: float) -> str:
    return f"{value:+.1f}" if _is_known(value) else "-"


def _is_known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _rows(path: Path, filters: list[tuple[str, str, Any]]) -> list[dict[str, Any]]:
    """Read rows as plain dictionaries; NaN becomes None, so that the answer is JSON."""
    return [{key: _plain(value) for key, value in row.items()} for row in _table(path, filters, None).to_pylist()]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _table(path: Path, filters: list[tuple[str, str, Any]], columns: list[str] | None) -> pa.Table:
    import pyarrow.parquet as pq

    return pq.read_table(path, filters=filters, columns=columns)
