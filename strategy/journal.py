"""The journal of decisions: an empty row to begin with, and a row appended and counted whatever became of it."""

from replay.desk import STOP_DECISIONS_FULL
from replay.jit import kernel
from strategy.decision import Reason
from strategy.forms import set_forms, settle
from strategy.touch import multiplier


@kernel
def begin(s, desk, state):
    """Start an empty decision; return 0, and stop the run, when the decisions are full."""
    clock = desk.clock[0]
    if clock["n_decisions"] >= len(desk.decisions):
        clock["status"] = STOP_DECISIONS_FULL
        clock["is_busy"] = 1
        return 0
    state.decision[0] = state.decision[1]
    row = state.decision[0]
    row["decision_id"] = clock["next_decision_id"]
    row["ts_ns"] = clock["now_ns"]
    row["cycle"] = state.control[0]["cycle"]
    row["symbol"] = s
    row["position_qty"] = desk.positions[s]["qty"]
    row["target_qty"] = desk.positions[s]["qty"]
    state.forms.decision_counts[s] += 1
    set_forms(s, clock["now_ns"], 0, state)
    row["as_original"] = state.forms.marks[0]["as_original"]
    return 1


@kernel
def commit(reason, desk, state):
    """Append the decision to the journal and count it in the metrics of the cycle; tell the breakers how it went."""
    clock = desk.clock[0]
    row = state.decision[0]
    row["reason"] = reason
    row["breaker"] = settle(row["symbol"], row["ts_ns"], state)
    _count(desk, state)
    desk.decisions[clock["n_decisions"]] = state.decision[0]
    clock["n_decisions"] += 1
    clock["next_decision_id"] += 1


@kernel
def _count(desk, state):
    row = state.decision[0]
    metrics = state.metrics[0]
    metrics["n_symbols"] += 1
    if row["status"] != 0:
        metrics["n_errors"] += 1
    if row["reason"] >= Reason.NO_FORECAST:
        metrics["n_refused"] += 1
    if row["plan_id"] == 0:
        return
    metrics["n_targets"] += 1
    unit2 = row["mid2"] * multiplier(row["symbol"], desk.book)
    move_usd = abs(row["target_qty"] - row["position_qty"]) * unit2 * 0.5 / desk.clock[0]["scale"]
    metrics["turnover_usd"] += move_usd
    if move_usd < state.params[0]["pipeline"]["no_trade_band"] * state.control[0]["equity_usd"]:
        metrics["turnover_small_usd"] += move_usd
