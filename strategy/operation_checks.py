"""Does it run as it should? Plans in time, churn, components in error, weights that sum to one."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from replay.orders import State
from strategy.check import FAIL, PASS, WARN, Check, Modes, VerificationSettings, column, judged, switch, unknown
from strategy.decision import Component, Reason
from strategy.token_budget import WINDOWS_NS

_TERMINAL = (State.FILLED, State.CANCELLED, State.REJECTED, State.EXPIRED)
_SENT = (State.SENT, State.MODIFY_SENT, State.CANCEL_SENT)
_MINUTE_NS = 60_000_000_000
_REVERSED_WARN_PCT = 30.0
_WEIGHT_SLACK = 1e-9


def check_execution(
    orders: Any,
    settings: VerificationSettings,
    decisions: Any = None,
    message_limits: Sequence[int] = (),
    modes: Modes | None = None,
) -> Check:
    """Judge how many plans were terminal in time; a plan that the message budget refused counts as late.

    A share below the target counts once chance alone would bring it in fewer than one of twenty runs that are at the target.
    A window with more messages than `message_limits` allow (in any 60 s, in any second; 0 = no limit) fails by itself.
    """
    name, target = "execution_sla", "at least 95 %"
    late = np.zeros(0, bool) if orders is None else plan_lateness(orders, settings.latency_ns)
    reasons = None if decisions is None else column(decisions, "reason")
    n_refused = 0 if reasons is None else int((reasons == Reason.BUDGET).sum())
    n_plans, n_late = len(late) + n_refused, int(late.sum())
    most = [] if orders is None else [most_messages(orders, window_ns) for window_ns in WINDOWS_NS]
    broken = [(n, limit) for n, limit in zip(most, message_limits, strict=False) if 0 < limit < n]
    if broken:
        advice = f"{broken[0][0]} messages lay in a window that allows {broken[0][1]}: {_keep_budget(modes)}"
        share = 100.0 * (1.0 - (n_late + n_refused) / max(n_plans, 1))
        return judged(name, FAIL, share, target, n_plans, advice, late=n_late, refused=n_refused, messages_most=most)
    if n_plans < settings.plans_min:
        return unknown(name, target, n_plans, f"it takes {settings.plans_min} plans, {n_plans} were made")
    value = 100.0 * (1.0 - (n_late + n_refused) / n_plans)
    is_chance = chance_of(n_late + n_refused, n_plans, 0.05) > 0.05
    status = PASS if value >= 95.0 or is_chance else WARN if value >= 90.0 else FAIL
    advice = (
        f"the message budget refused {n_refused} of {n_plans} plans: raise budget.messages_per_min"
        if n_refused > n_late
        else f"{n_late} of {n_plans} plans ended late: lengthen planner.work_ns, or look for answers that never came"
    )
    return judged(name, status, value, target, n_plans, advice, late=n_late, refused=n_refused, messages_most=most)


def _keep_budget(modes: Modes | None) -> str:
    more = "raise budget.messages_per_min"
    advice = switch("budget", "enhanced", modes, more)
    return advice if advice == more else f"{advice}, which keeps cancels inside the limits too, or {more}"


def most_messages(orders: Any, window_ns: int) -> int:
    """Return how many messages of plans lay in the busiest window `(t - window_ns, t]`: orders, changes and cancels sent."""
    is_message = np.isin(np.asarray(orders["state"]), _SENT) & (np.asarray(orders["parent_id"]) > 0)
    times = np.sort(np.asarray(orders["ts_ns"])[is_message])
    before = np.searchsorted(times, times - window_ns, side="right")
    return int((np.arange(1, len(times) + 1) - before).max(initial=0))


def chance_of(hits: int, n: int, share: float) -> float:
    """Return the chance of at least so many hits among `n`, each with the same chance.

    >>> round(chance_of(3, 20, 0.05), 3)
    0.075
    """
    logs = [
        math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(share) + (n - k) * math.log1p(-share)
        for k in range(hits)
    ]
    return 1.0 - math.fsum(math.exp(log) for log in logs)


def plan_lateness(orders: Any, latency_ns: int) -> np.ndarray:
    """Tell for each plan (by `parent_id`) whether its last order was terminal too late.

    A plan with an order that never ended is late once its time is over; one that is still young at the end is left out.
    """
    parents = np.asarray(orders["parent_id"])
    rows = parents > 0
    times, states, work_ns = (np.asarray(orders[name])[rows] for name in ("ts_ns", "state", "work_ns"))
    order_ids, order_of = np.unique(np.asarray(orders["order_id"])[rows], return_inverse=True)
    plans, plan_of = np.unique(parents[rows], return_inverse=True)
    first_ns, most_ns = np.full(len(plans), np.iinfo(np.int64).max), np.zeros(len(plans), np.int64)
    np.minimum.at(first_ns, plan_of, times)
    np.maximum.at(most_ns, plan_of, work_ns)
    never = np.iinfo(np.int64).max
    ended_ns = np.full(len(order_ids), never)
    is_end = np.isin(states, _TERMINAL)
    np.minimum.at(ended_ns, order_of[is_end], times[is_end])
    last_ns = np.zeros(len(plans), np.int64)
    np.maximum.at(last_ns, plan_of, ended_ns[order_of])
    due_ns = first_ns + most_ns + latency_ns
    is_judged = (last_ns < never) | (int(times.max(initial=0)) > due_ns)
    late: np.ndarray = (last_ns > due_ns)[is_judged]
    return late


def check_churn(cycles: Mapping[str, np.ndarray], settings: VerificationSettings, decisions: Any = None) -> Check:
    """Judge the share of turnover that comes from moves inside the no-trade band; targets turned round at once warn too."""
    name, target = "churn", f"at most {settings.churn_warn_pct:g} %"
    n_targets, turnover_usd = float(cycles["n_targets"].sum()), float(cycles["turnover_usd"].sum())
    if n_targets < settings.decisions_min:
        return unknown(name, target, n_targets, f"it takes {settings.decisions_min} targets, {n_targets:.0f} were set")
    if turnover_usd <= 0.0:
        return unknown(name, target, n_targets, f"no turnover in {n_targets:.0f} targets: log `turnover_usd` with every cycle")
    value = 100.0 * float(cycles["turnover_small_usd"].sum()) / turnover_usd
    reversed_pct = reversals_pct(decisions)
    status = PASS if value <= settings.churn_warn_pct else WARN if value <= settings.churn_fail_pct else FAIL
    advice = (
        f"{value:.1f} % of turnover came from moves inside the no-trade band: raise pipeline.no_trade_band or arbiter.reserve_bps"
    )
    if status == PASS and reversed_pct > _REVERSED_WARN_PCT:
        status = WARN
        advice = f"{reversed_pct:.0f} % of targets turned the position round within their horizon: raise arbiter.reserve_bps"
    return judged(name, status, value, target, n_targets, advice, reversed_pct=reversed_pct)


def reversals_pct(decisions: Any) -> float:
    """Return how many targets went against the same symbol's last target before its horizon had passed."""
    if decisions is None or column(decisions, "target_qty") is None:
        return 0.0
    rows = np.flatnonzero(np.asarray(decisions["reason"]) == Reason.TARGET_SET)
    symbols, times, horizons, targets, held = (
        np.asarray(decisions[name])[rows] for name in ("symbol", "ts_ns", "horizon_min", "target_qty", "position_qty")
    )
    order = np.lexsort((times, symbols))
    way = np.sign(targets - held)[order]
    is_same = np.diff(symbols[order]) == 0
    is_early = np.diff(times[order]) < horizons[order][:-1].astype(np.int64) * _MINUTE_NS
    turned = is_same & is_early & (way[1:] * way[:-1] < 0)
    return 100.0 * float(turned.sum()) / max(len(rows), 1)


def check_errors(
    cycles: Mapping[str, np.ndarray], settings: VerificationSettings, decisions: Any = None, modes: Modes | None = None
) -> Check:
    """Judge the share of decisions in which a component was in error, or held back by the breaker that its errors opened."""
    n, name, target = float(cycles["n_symbols"].sum()), "component_errors", "below 10 %"
    if n < settings.decisions_min:
        return unknown(name, target, n, f"it takes {settings.decisions_min} decisions, {n:.0f} were made")
    value = 100.0 * min(float(cycles["n_errors"].sum()) / n + _held_share(decisions), 1.0)
    status = PASS if value < 10.0 else WARN if value < 15.0 else FAIL
    by_component, held_back = errors_by_component(decisions), on_fallback(decisions)
    advice = _error_advice(value, by_component, held_back, modes)
    return judged(name, status, value, target, n, advice, by_component=by_component, on_fallback=held_back)


def _held_share(decisions: Any) -> float:
    """Return the share of decisions without an error in which a breaker was open: a component that is never asked makes none.

    It is a share of all rows: exits between the cycles are decisions, too.
    """
    breakers, status = (None if decisions is None else column(decisions, name) for name in ("breaker", "status"))
    if breakers is None or not len(breakers):
        return 0.0
    return float(((breakers != 0) & ((0 if status is None else status) == 0)).mean())


def errors_by_component(decisions: Any) -> dict[str, int]:
    """Count decisions by the component that was in error, the most frequent first."""
    return _by_component(None if decisions is None else column(decisions, "status"))


def _by_component(masks: np.ndarray | None) -> dict[str, int]:
    if masks is None:
        return {}
    counts = {component.name.lower(): int((masks >> component & 1).sum()) for component in Component}
    return dict(sorted(((name, n) for name, n in counts.items() if n), key=lambda item: -item[1]))


def on_fallback(decisions: Any) -> dict[str, int]:
    """Count decisions by the component whose breaker was open, the most frequent first."""
    return _by_component(None if decisions is None else column(decisions, "breaker"))


def _error_advice(value: float, by_component: Mapping[str, int], held_back: Mapping[str, int], modes: Modes | None) -> str:
    head = f"{value:.1f} % of decisions met an error, or a breaker that errors had opened"
    if held_back:
        component, n = next(iter(held_back.items()))
        return (
            f"{head}; the breaker of {component} was open in {n} of them, and its original acted: begin from a sound start "
            f'state, or set {component}.mode = "original" until it is mended'
        )
    if not by_component:
        return f"{head}: the status bits of the decisions name the component"
    component, n = next(iter(by_component.items()))
    return f"{head}, {n} of them in {component}: {_mend(component, modes)}"


def _mend(component: str, modes: Modes | None) -> str:
    if component == "forecasts":
        return "mend the model, it gives NaN or unknown horizons"
    if modes is not None and modes.get(component) != "enhanced":
        return "no enhanced form of it acts, so look at what it was given (`replay explain` shows the inputs of a decision)"
    return f'set {component}.mode = "original" until it is mended'


def check_weights(cycles: Mapping[str, np.ndarray], settings: VerificationSettings, modes: Modes | None = None) -> Check:
    """Judge whether the weights of every cycle summed to one."""
    lowest, highest = cycles["weight_sum_min"], cycles["weight_sum_max"]
    is_set = ~(np.isnan(lowest) & np.isnan(highest))
    is_normal = (np.abs(lowest - 1.0) <= _WEIGHT_SLACK) & (np.abs(highest - 1.0) <= _WEIGHT_SLACK) & is_set
    n, n_normal = int(is_set.sum()), int(is_normal.sum())
    if n_normal == n and n < settings.decisions_min:
        return unknown("weights_normal", "100 %", n, f"it takes {settings.decisions_min} cycles with weights, {n} had some")
    status = PASS if n_normal == n else FAIL
    head, look = f"weights did not sum to one in {n - n_normal} of {n} cycles", "look for a NaN weight"
    mend = switch("renorm", "enhanced", modes, look)
    advice = f"{head}: {mend}" if mend == look else f"{head}: {mend}, and {look}"
    return judged("weights_normal", status, 100.0 * n_normal / n, "100 %", n, advice, abnormal=n - n_normal)
