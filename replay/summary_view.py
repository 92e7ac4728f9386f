"""How a summary looks on a terminal of 80 columns: money first, then execution, then what stopped the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from replay.wording import bps, count, duration, percent, usd

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.table import Table

WIDTH = 80
_BAR_WIDTH = 24
_TOP_STOPS = 8
_TOP_SYMBOLS = 10


def render(summary: Mapping[str, Any]) -> Group:
    """Lay a summary out for a terminal.

    Parameters
    ----------
    summary : mapping
        What `summarize` returned, or `summary.json` read back.

    Returns
    -------
    rich.console.Group
        Print it with a rich console.
    """
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    parts: list[RenderableType] = [_title(summary), _money_and_execution(summary), _headline(summary)]
    parts += [Padding(Text(line, style="dim"), (0, 1)) for line in form_lines(summary)]
    parts += [Padding(Text(line, style="yellow"), (0, 1)) for line in summary.get("cautions", ())]
    if summary["stops"]:
        parts += [Text(), _stops(summary["stops"])]
    if len(summary["by_symbol"]) > 1:
        parts += [Text(), _symbols(summary["by_symbol"])]
    if "bands" in summary:
        parts += [Text(), _bands(summary["bands"]), Padding(Text(summary["bands"]["note"], style="dim"), (0, 1))]
    return Group(*parts, Text(), _conditions(summary))


def _headline(summary: Mapping[str, Any]) -> RenderableType:
    from rich.text import Text

    return Text(f" {headline(summary)}", style="dim" if is_fine(summary) else "yellow")


def headline(summary: Mapping[str, Any]) -> str:
    """Say how the gate did; or, without decisions, why there is nothing to say of it."""
    if summary["decisions"]:
        return str(summary["gate"]["line"])
    why = ": an own strategy sends its orders itself" if summary["orders"] else " in this run"
    return f"no decisions of the pipeline{why}"


def form_lines(summary: Mapping[str, Any]) -> list[str]:
    """Say which components acted in their original form, which breakers opened, and what the shadow wanted; often nothing."""
    original = ", ".join(f"{name} {count(n)}" for name, n in summary["as_original"].items())
    lines = [f"in original form: {original} of {count(summary['decisions'])} decisions"] if original else []
    if summary["breakers_opened"]:
        names = ", ".join(summary["breakers_open"])
        lines.append(f"breakers: {count(summary['breakers_opened'])} times open ({names}); events.log says when and for whom")
    return lines + ([_shadow_line(summary["shadow"])] if summary["shadow"] else [])


def _shadow_line(shadow: Mapping[str, Any]) -> str:
    """Say in one line how the two sides differed."""
    share = percent(shadow["differ"] / shadow["decisions"], 0)
    moves = f"it wanted to move {shadow['shadow_moves']:,} times, who trades {shadow['moves']:,}"
    worth = shadow["worth_bps"]
    told = "" if worth is None else f"; a dollar of difference was worth {worth:+.1f} bps to who trades, before costs"
    return f"shadow: another target in {share} of {shadow['decisions']:,} decisions ({moves}){told}"


def is_fine(summary: Mapping[str, Any]) -> bool:
    """Tell whether the headline is no cause for alarm: the gate let something through, or no gate was asked."""
    return not summary["gate"]["judged"] or bool(summary["gate"]["cleared_rate"])


def profit_lines(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and value of what was won and lost, for the terminal and for the report."""
    trips = f"{summary['round_trips']:,}, {percent(summary['win_rate'], 0)} won" if summary["round_trips"] else "none"
    each = f"{usd(summary['round_trip_net_usd'])}  {bps(summary['round_trip_net_bps'], 1)}" if summary["round_trips"] else "-"
    return [
        ("Profit, gross", usd(summary["gross_usd"])),
        ("Fees", usd(summary["fee_usd"])),
        ("Profit, net", usd(summary["net_usd"])),
        ("Worst drawdown", usd(summary["max_drawdown_usd"])),
        ("Round trips", trips),
        ("Net each", each),
        ("Forecast edge", bps(summary["round_trip_edge_bps"], 1)),
        ("Time in trade", duration(_ns(summary["round_trip_hold_s"]))),
    ]


def execution_lines(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and value of what was ordered and filled, for the terminal and for the report."""
    rates = f"{percent(summary['fill_rate_orders'], 0)} orders, {percent(summary['fill_rate_qty'], 0)} shares"
    added = f", {percent(summary['added_liquidity_rate'], 0)} added liquidity" if summary["fills"] else ""
    ends = f", {count(summary['orders_filled'])} full, {count(summary['orders_partly_filled'])} part" if summary["orders"] else ""
    return [
        ("Decisions", f"{count(summary['decisions'])}, {count(summary['decisions_taken'])} taken"),
        ("Orders", f"{count(summary['orders'])}{ends}"),
        ("Fills", f"{count(summary['fills'])}{added}"),
        ("Fill rate", rates if summary["orders"] else "-"),
        ("Turnover", usd(summary["turnover_usd"], 0)),
        ("Slippage", _signed(summary["slippage_bps"], "+ is bad")),
        ("Markout 10 s", _signed(summary["markout_bps"]["10s"], "+ is good")),
        ("Time to fill", duration(_ns(summary["time_to_fill_s"]))),
    ]


def condition_lines(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and value of the assumptions in force and of the speed of the run."""
    speed = f"{count(summary['events'])} events in {summary['wall_s']:.2f} s"
    if summary["events_per_s"]:
        speed += f" = {summary['events_per_s'] / 1e6:.2f} M events/s"
    rules = ", ".join(f"{rule['name']} {count(rule['fills'])}" for rule in summary["fills_by_rule"])
    lines = [
        *([("Fill rules", rules)] if rules else []),
        ("Latency", _legs(summary)),
        *((name.capitalize(), in_words(name, text)) for name, text in summary["assumptions"].items()),
        ("Speed", speed),
    ]
    return [*lines, ("Digest", summary["journal_digest"] or "-")]


def in_words(name: str, text: str) -> str:
    """Say what the codes of an assumption mean; what is no code stays as it is."""
    meant = _ASSUMPTIONS.get(name, {})
    return "; ".join(f"{code}: {meant[code]}" if code in meant else code for code in text.split(", ")) if meant else text


_ASSUMPTIONS = {
    "queue model": {
        "behind_first": "who cancels stood behind us (pessimistic)",
        "trades_only": "only prints move the queue (most pessimistic)",
        "pro_rata": "every share ahead and behind is as likely to be cancelled",
        "power": "who cancels stood behind us more likely the longer the queue behind",
        "log": "as power, milder",
        "all_ahead": "who cancels stood ahead of us (optimistic)",
    },
    "fees": {
        "fixed": "IBKR's fixed plan for US stocks",
        "tiered": "IBKR's tiered plan for US stocks",
        "flat": "one sum per contract",
        "none": "nothing is charged",
    },
    "evidence": {
        "tick_by_tick": "every change recorded",
        "snapshot_250ms": "sampled every 250 ms or so",
        "bars": "no quotes between bars",
        "historical": "as fetched afterwards",
        "message_level": "every order recorded",
    },
    "hours": {"rth": "regular trading hours", "all": "all recorded hours"},
    "forecasts": {"built-in": "microprice, order flow and momentum"},
}


def _legs(summary: Mapping[str, Any]) -> str:
    """Name each leg with its median, and with the ninth decile where it varies."""
    legs = summary.get("latency") or {name.removesuffix("_ns"): {"p50_ns": ns} for name, ns in summary["latency_ns"].items()}
    shown = [f"{name} {_leg(leg)}" for name, leg in legs.items()]
    return " | ".join(shown) or "none in force"


def _leg(leg: Mapping[str, Any]) -> str:
    if leg.get("model", "constant") == "constant":
        return duration(leg["p50_ns"])
    return f"{duration(leg['p50_ns'])}, p90 {duration(leg['p90_ns'])} ({leg['model']})"


def _signed(value: float | None, hint: str) -> str:
    return "-" if value is None else f"{bps(value)} ({hint})"


def _ns(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1e9


def _title(summary: Mapping[str, Any]) -> RenderableType:
    from rich.rule import Rule

    days = summary["sessions"]
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]} ({len(days)} days)" if days else "no session"
    names = summary["symbols"]
    who = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    return Rule(f"[bold]{who}[/] | {when}", style="dim")


def _money_and_execution(summary: Mapping[str, Any]) -> Table:
    grid = _table([("", "left"), ("", "right"), ("", "left"), ("", "left")], is_headed=False)
    for (name, value), (other, its) in zip(profit_lines(summary), execution_lines(summary), strict=True):
        style = "bold green" if name == "Profit, net" and summary["net_usd"] >= 0 else "bold red" if name == "Profit, net" else ""
        grid.add_row(f"[dim]{name}[/]", f"[{style}]{value}[/]" if style else value, f"[dim]{other}[/]", its)
    return grid


def _stops(stops: Iterable[Mapping[str, Any]]) -> Table:
    table = _table([("How decisions ended", "left"), ("count", "right"), ("share", "right"), ("", "left")])
    rows = list(stops)
    largest = max((row["share"] for row in rows), default=1.0)
    for row in rows[:_TOP_STOPS]:
        bar = "█" * max(1, round(_BAR_WIDTH * row["share"] / largest))
        table.add_row(
            row["meaning"], count(row["count"]), percent(row["share"]), f"[{'yellow' if row['is_stop'] else 'green'}]{bar}[/]"
        )
    if len(rows) > _TOP_STOPS:
        rest = rows[_TOP_STOPS:]
        table.add_row(
            f"{len(rest)} other reasons", count(sum(r["count"] for r in rest)), percent(sum(r["share"] for r in rest)), ""
        )
    return table


def _symbols(symbols: Iterable[Mapping[str, Any]]) -> Table:
    heads = ("Symbol", "orders", "fills", "turnover", "gross", "fees", "net", "slippage")
    table = _table([(head, "left" if head == "Symbol" else "right") for head in heads])
    rows = sorted(symbols, key=lambda row: -row["turnover_usd"])
    for row in rows[:_TOP_SYMBOLS]:
        money = [usd(row["turnover_usd"], 0), *(usd(row[f"{name}_usd"]) for name in ("gross", "fee", "net"))]
        table.add_row(row["symbol"], count(row["orders"]), count(row["fills"]), *money, bps(row["slippage_bps"], 1))
    if len(rows) > _TOP_SYMBOLS:
        table.add_row(f"and {len(rows) - _TOP_SYMBOLS} more")
    return table


def _bands(bands: Mapping[str, Any]) -> Table:
    """Lay the range of every headline number out."""
    from replay.bands import BANDS, band_rows

    table = _table([("By band", "left"), *((name, "right") for name in BANDS)])
    for row in band_rows(bands):
        table.add_row(*row)
    return table


def _conditions(summary: Mapping[str, Any]) -> Table:
    grid = _table([("", "left"), ("", "left")], is_headed=False)
    for name, value in condition_lines(summary):
        grid.add_row(f"[dim]{name}[/]", str(value))
    return grid


def _table(columns: Iterable[tuple[str, Any]], *, is_headed: bool = True) -> Table:
    from rich.table import Table

    table = Table(box=None, show_header=is_headed, header_style="bold", padding=(0, 1, 0, 1), pad_edge=True)
    for head, justify in columns:
        table.add_column(head, justify=justify, overflow="fold")
    return table
