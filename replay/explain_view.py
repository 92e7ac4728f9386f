"""How an explanation looks on a terminal of 80 columns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from replay.wording import bps, count, duration, et_time, percent, rule_name
from strategy.decision import Reason

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.table import Table

_COSTS = ("spread", "vol", "impact", "fee", "residual")


def render(answer: Mapping[str, Any]) -> Group:
    """Lay an explanation out for a terminal.

    Parameters
    ----------
    answer : mapping
        What `explain` returned.

    Returns
    -------
    rich.console.Group
        Print it with a rich console.
    """
    from rich.console import Group
    from rich.padding import Padding
    from rich.rule import Rule
    from rich.text import Text

    if answer["decision_id"] is None:
        return _without_decisions(answer)
    decided = f"decision {answer['decision_id']} of {_brief(answer['decided'], answer)}, {duration(answer['age_s'] * 1e9)} old"
    if answer["next_decided"]:
        decided += f", the next at {_brief(answer['next_decided'], answer)}"
    parts: list[RenderableType] = [
        Rule(f"[bold]{answer['symbol']}[/] at {answer['at']}", style="dim"),
        Text(f" {decided} | {answer['reason']}", style="dim"),
        Padding(Text(answer["sentence"], style="bold green" if answer["is_taken"] else "bold yellow"), (1, 1, 0, 1)),
        Padding(Text(f"What would have changed it: {answer['change']}"), (0, 1, 1, 1)),
        _table(_number_lines(answer)),
    ]
    parts += _order_parts(answer)
    return Group(*parts, *_clocks(answer))


def _brief(stamp: str, answer: Mapping[str, Any]) -> str:
    """Leave out the date where it is that of the question, and the zone."""
    return stamp.removeprefix(answer["at"].split()[0]).removesuffix("ET").strip()


def _without_decisions(answer: Mapping[str, Any]) -> Group:
    """Lay out what is known of a moment in the run of an own strategy."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.rule import Rule
    from rich.text import Text

    touch, next_ns = answer["touch"], answer["next_request_ns"]
    lines = [("Position", f"{count(answer['position_qty'])} shares, as known to us")]
    if touch:
        lines.insert(0, ("Touch", _touch_line(touch, answer["at_ns"])))
    if next_ns:
        lines.append(("Next request", f"{et_time(next_ns)} ET, {duration(next_ns - answer['at_ns'])} later"))
    parts: list[RenderableType] = [
        Rule(f"[bold]{answer['symbol']}[/] at {answer['at']}", style="dim"),
        Padding(Text(answer["sentence"]), (1, 1)),
        _table(lines),
    ]
    if answer["requests"]:
        parts += [Text("\n Own requests within a minute", style="bold"), _requests(answer["requests"], answer["at_ns"])]
    if answer["fills"]:
        parts += [Text("\n Fills within a minute", style="bold"), _fills(answer["fills"])]
    parts += _alive(answer["working"])
    return Group(*parts, *_clocks(answer))


def _touch_line(touch: Mapping[str, Any], at_ns: int) -> str:
    bid, ask = touch["bid"], touch["ask"]
    if bid is None or ask is None:
        return "one side is empty"
    spread = f"spread {_usd(ask - bid)} = {bps(2e4 * (ask - bid) / (ask + bid)).lstrip('+')}"
    return f"{_usd(bid)} to {_usd(ask)}, {spread}, unchanged for {duration(at_ns - touch['changed_ns'])}"


def _alive(orders: Iterable[Mapping[str, Any]]) -> list[RenderableType]:
    from rich.text import Text

    return [Text("\n Orders alive at that moment, as known to us", style="bold"), _working(orders)] if orders else []


def _clocks(answer: Mapping[str, Any]) -> list[RenderableType]:
    """Say which clock the rows above are on, where there are any."""
    from rich.padding import Padding
    from rich.text import Text

    if not (answer["fills"] or answer["working"] or answer.get("requests") or answer.get("plan", {}).get("orders")):
        return []
    told = (
        "All times New York. 'Known to us' is when a state reached us or a request left us; 'at the exchange' is when it filled "
        "there, on the clock of the recording."
    )
    return [Padding(Text(told, style="dim"), (1, 1, 0, 1))]


def _number_lines(answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    inputs = answer["inputs"]
    ages = f"quote {duration(inputs['quote_age_s'] * 1e9)} old, forecast {duration(inputs['forecast_age_s'] * 1e9)} old"
    stale = ", something older than its TTL (marked, not refused)" if inputs["is_stale"] else ""
    lines = [
        ("Touch", f"mid {_usd(inputs['mid'])}  spread {_usd(inputs['spread'])} = {_one(inputs['spread_bps'])} bps"),
        ("Data", f"{ages}, quality {inputs['quality']:.2f}{stale}"),
        ("Features", "  ".join(f"{name} {_one(value)}" for name, value in answer["features"].items())),
        *(_edge_lines(answer) if answer["forecast"]["horizon_min"] else []),
        ("Position", f"{count(inputs['position_qty'])} held{_target_words(answer)}"),
    ]
    extra = {
        "Failed": answer["failed_components"],
        "In original form": answer["fallbacks"],
        "Arbiter": answer["arbiter_fallback"],
        "Breaker open": answer["open_breakers"],
        "Shadow": _shadow_words(answer["shadow"]),
        "Target cut by": answer["limited_by"],
        "Limits without": answer["limits_did_without"],
    }
    return lines + [(name, ", ".join(parts)) for name, parts in extra.items() if parts]


def _target_words(answer: Mapping[str, Any]) -> str:
    """Say what is asked for now; of a refused target, that it was not."""
    target_qty, change_qty = answer["plan"]["target_qty"], answer["plan"]["change_qty"]
    if answer["is_taken"] or answer["reason"] == Reason.TARGET_KEPT.name:
        return f", target {count(target_qty)}"
    return f"; a target of {count(target_qty)} was refused" if change_qty else ", no new target"


def _shadow_words(shadow: Mapping[str, Any] | None) -> list[str]:
    """Say what the other side wanted."""
    if shadow is None:
        return []
    horizon = f" over {shadow['horizon_min']} min" if shadow["horizon_min"] else ""
    return [f"the side that does not trade wanted {count(shadow['target_qty'])}{horizon} ({shadow['meaning']})"]


def _edge_lines(answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Say what was forecast, what it cost and what it needed; only where a horizon was looked at."""
    forecast, cost = answer["forecast"], answer["cost"]
    costs = "  ".join(f"{name} {_one(cost[f'{name}_bps'])}" for name in _COSTS if cost[f"{name}_bps"])
    weights = "  ".join(f"{minutes} min {percent(weight, 0)}" for minutes, weight in answer["weights"].items() if weight)
    interval = f"{_signed(forecast['q_lo_bps'])} to {_signed(forecast['q_hi_bps'])}"
    size = f"{_signed(forecast['mu_bps'])} bps, sigma {_one(forecast['sigma_bps'])}"
    outcome = answer["outcome_bps"]
    lines = [
        ("Forecast", f"{forecast['horizon_min']} min  {size}, interval {interval}"),
        ("Cost", f"{_one(cost['total_bps'])} bps  ({costs or 'no parts'})"),
        ("Edge", f"needed {_one(answer['edge_needed_bps'])} bps, net of cost {_signed(answer['net_edge_bps'])} bps"),
        ("Outcome", "not known within the session" if outcome is None else f"{_signed(outcome)} bps over the horizon"),
    ]
    return [*lines, ("Weights", weights)] if weights else lines


def _order_parts(answer: Mapping[str, Any]) -> list[RenderableType]:
    from rich.padding import Padding
    from rich.text import Text

    parts: list[RenderableType] = []
    last = answer["last_taken"]
    if last and not answer["is_taken"]:
        parts.append(
            Padding(Text(f"Last taken: decision {last['decision_id']} of {last['decided']}. {last['sentence']}"), (1, 1, 0, 1))
        )
    for order in answer["plan"]["orders"]:
        what = f"{order['side']} {order['qty']:,} {order['type']} {order['tif']}, {duration(order['work_s'] * 1e9)} to work"
        parts += [Text(f"\n Order {order['order_id']}, slice {order['slice']}: {what}", style="bold"), _states(order["states"])]
    if answer["fills"]:
        evidence = ", ".join(sorted({fill["evidence"].replace("_", " ") for fill in answer["fills"]}))
        parts += [Text(f"\n Fills, on the evidence of {evidence}", style="bold"), _fills(answer["fills"])]
    return parts + _alive(answer["working"])


def _states(states: Iterable[Mapping[str, Any]]) -> Table:
    heads = ("known to us", "state", "limit", "filled", "ahead, simulated", "estimated", "why")
    keys = ("filled_qty", "ahead_qty_simulated", "ahead_qty_estimated")
    rows = [
        (et_time(s["ts_ns"]), s["state"], _usd(s["limit_price"]), *(count(s[key]) for key in keys), s["reason"]) for s in states
    ]
    return _table(rows, heads)


def _fills(fills: Iterable[Mapping[str, Any]]) -> Table:
    heads = ("at the exchange", "side", "qty", "price", "liquidity", "venue", "rule", "ahead")
    return _table([_fill_row(fill) for fill in fills], heads)


def _fill_row(fill: Mapping[str, Any]) -> tuple[str, ...]:
    words = (fill["liquidity"], fill["venue"] or "-", rule_name(fill["rule"]))
    return (
        et_time(fill["ts_ns"]),
        fill["side"],
        count(fill["qty"]),
        _usd(fill["price"]),
        *words,
        count(fill["ahead_qty_before"]),
    )


def _requests(requests: Iterable[Mapping[str, Any]], at_ns: int) -> Table:
    heads = ("left us", "from then", "request", "order", "side", "qty", "limit", "life")
    names = {"SENT": "new", "MODIFY_SENT": "change", "CANCEL_SENT": "cancel"}
    rows = [
        (et_time(r["ts_ns"]), f"{(r['ts_ns'] - at_ns) / 1e9:+.3f} s", names[r["state"]], str(r["order_id"]), r["side"],
         count(r["qty"]), _usd(r["limit_price"]), r["tif"])
        for r in requests
    ]  # fmt: skip
    return _table(rows, heads)


def _working(orders: Iterable[Mapping[str, Any]]) -> Table:
    heads = ("order", "decision", "side", "leaves", "limit", "state", "ahead, simulated", "estimated")
    rows = [
        (str(o["order_id"]), str(o["decision_id"] or "-"), o["side"], count(o["leaves_qty"]), _usd(o["limit_price"]), o["state"],
         count(o["ahead_qty_simulated"]), count(o["ahead_qty_estimated"]))
        for o in orders
    ]  # fmt: skip
    return _table(rows, heads)


def _table(rows: Iterable[tuple[str, ...]], heads: tuple[str, ...] = ()) -> Table:
    from rich.table import Table

    table = Table(box=None, show_header=bool(heads), header_style="dim", padding=(0, 1, 0, 1))
    for head in heads:
        table.add_column(head, justify="right" if head in _NUMBERS else "left")
    if not heads:
        table.add_column(style="dim")
        table.add_column()
    for row in rows:
        table.add_row(*row)
    return table


_NUMBERS = {
    "filled",
    "ahead, simulated",
    "ahead, estimated",
    "qty",
    "price",
    "ahead",
    "from then",
    "leaves",
    "limit",
    "estimated",
}


def _one(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.1f}"


def _usd(value: float | None) -> str:
    """Write a price with as many digits as it has, two at least."""
    if value is None:
        return "market"
    digits = next((n for n in (2, 3) if math.isclose(value, round(value, n), abs_tol=1e-7)), 4)
    return f"${value:,.{digits}f}"
