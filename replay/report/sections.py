"""The tables of a report as plain HTML: they read without any script, in a mail or on a CI server."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

from replay.checklist_view import NOTHING_JUDGED, CheckLine, check_lines, is_judged
from replay.report.columns import Columns
from replay.summary_view import condition_lines, execution_lines, profit_lines
from replay.wording import bps, count, duration, et_date, et_time, percent, rule_meaning, rule_name, usd

MAX_ROWS = 500


class Hinted(NamedTuple):
    """A cell with a hint that appears under the mouse."""

    text: str
    hint: str


_CLASSES = {"pass": "good", "warn": "warn", "fail": "bad"}


def cautions(summary: Mapping[str, Any]) -> str:
    """Return what to know before the numbers, or nothing."""
    lines = [escape(line) for line in summary.get("cautions", ())]
    return f'<p class="gate alarm">{"<br>".join(["<b>Mind first</b>", *lines])}</p>' if lines else ""


def cards(summary: Mapping[str, Any]) -> str:
    """Return the few numbers that a trader looks at first."""
    net = summary["net_usd"]
    shown = [
        ("Net profit", usd(net), "good" if net > 0 else "bad" if net < 0 else "", f"gross {usd(summary['gross_usd'])}"),
        ("Fees", usd(summary["fee_usd"]), "", f"{summary['fee_bps'] or 0:.2f} bps of turnover"),
        ("Worst drawdown", usd(summary["max_drawdown_usd"]), "", f"peak exposure {usd(summary['max_exposure_usd'], 0)}"),
        ("Turnover", usd(summary["turnover_usd"], 0), "", f"{count(summary['filled_qty'])} shares"),
        (
            "Fill rate",
            percent(summary["fill_rate_orders"], 0),
            "",
            f"{count(summary['fills'])} fills, {count(summary['orders'])} orders",
        ),
        ("Slippage", bps(summary["slippage_bps"]), "", "vs arrival mid, + is bad"),
        (
            "Round trips",
            count(summary["round_trips"]),
            "",
            f"{percent(summary['win_rate'], 0)} won" if summary["round_trips"] else "",
        ),
    ]
    return "".join(
        f'<div class="card"><div class="name">{escape(name)}</div><div class="value {kind}">{escape(value)}</div>'
        f'<div class="note">{escape(note)}</div></div>'
        for name, value, kind, note in shown
    )


def summary_table(summary: Mapping[str, Any]) -> str:
    """Return the summary as pairs of name and value."""
    markout = " | ".join(f"{delay} {bps(value)}" for delay, value in summary["markout_bps"].items())
    lines = [*profit_lines(summary), *execution_lines(summary), ("Markouts", markout), *condition_lines(summary)]
    return pairs(lines)


def bands(summary: Mapping[str, Any]) -> str:
    """Return the range of every headline number as a section; nothing for a run without bands."""
    if "bands" not in summary:
        return ""
    from replay.bands import BANDS, band_rows

    shown = table(("number", *BANDS), band_rows(summary["bands"]), n_words=1)
    note = escape(summary["bands"]["note"])
    return f'<section id="bands"><h2>What the recording leaves open</h2>{shown}<p class="quiet">{note}</p></section>'


def stops(summary: Mapping[str, Any]) -> str:
    """Return a bar per way in which decisions ended."""
    rows = summary["stops"]
    largest = max((row["count"] for row in rows), default=1)
    bars = "".join(
        f'<tr><td title="{escape(row["reason"])}">{escape(row["meaning"])}</td><td class="number">{count(row["count"])}</td>'
        f'<td class="number">{percent(row["share"])}</td><td class="wide"><div class="bar {"stop" if row["is_stop"] else "go"}" '
        f'style="width:{100 * row["count"] / largest:.1f}%"></div></td></tr>'
        for row in rows
    )
    return f'<table class="stops"><tbody>{bars}</tbody></table>' if rows else "<p>No decisions of the pipeline.</p>"


def symbols(summary: Mapping[str, Any]) -> str:
    """Return the result of each symbol."""
    heads = ("symbol", "decisions", "orders", "fills", "turnover", "gross", "fees", "net", "slippage")
    rows = [
        (row["symbol"], count(row["decisions"]), count(row["orders"]), count(row["fills"]), usd(row["turnover_usd"], 0),
         usd(row["gross_usd"]), usd(row["fee_usd"]), usd(row["net_usd"]), bps(row["slippage_bps"]))
        for row in sorted(summary["by_symbol"], key=lambda row: -row["turnover_usd"])
    ]  # fmt: skip
    return table(heads, rows, n_words=1)


def fills(table_of_fills: Columns) -> str:
    """Return the first fills; a row leads the charts to its moment."""
    shown = list(table_of_fills.where(slice(MAX_ROWS)).records())
    rows = [_fill_row(fill) for fill in shown]
    attributes = [f'data-symbol="{escape(fill["symbol"])}" data-t="{fill["ts_ns"] / 1e9:.3f}"' for fill in shown]
    n = len(table_of_fills)
    more = f"<p>The first {MAX_ROWS} of {n:,}; all are in fills.parquet.</p>" if n > MAX_ROWS else ""
    return table(_FILL_HEADS, rows, n_words=7, attributes=attributes) + more if rows else "<p>Nothing was filled.</p>"


def rules(summary: Mapping[str, Any]) -> str:
    """Return what each fill rule that filled something means."""
    lines = [(f"{rule['name']}, {count(rule['fills'])} fills", rule["meaning"]) for rule in summary["fills_by_rule"]]
    return pairs(lines) if lines else ""


def round_trips(table_of_trips: Columns) -> str:
    """Return the first round trips."""
    rows = [_trip_row(trip) for trip in table_of_trips.where(slice(MAX_ROWS)).records()]
    return table(_TRIP_HEADS, rows, n_words=4) if rows else "<p>No position was opened and closed again.</p>"


def verification(checks: Sequence[Mapping[str, Any]]) -> str:
    """Return the six checks with their status, what each looks at, and what to do."""
    if not is_judged(checks):
        return f"<p>{escape(NOTHING_JUDGED)}</p>"
    body = "".join(_check_row(line) for line in check_lines(checks))
    heads = "".join(f"<th>{head}</th>" for head in ("check", "", "value", "target", "judged on"))
    return f'<table class="checks"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'


def _check_row(line: CheckLine) -> str:
    chip = f'<span class="chip {_CLASSES.get(line.status, "")}">{escape(line.status)}</span>'
    meaning = f'<tr class="meaning"><td colspan="5">{escape(line.meaning)} <b>{escape(line.action)}</b></td></tr>'
    cells = "".join(f"<td>{escape(cell)}</td>" for cell in (line.value, line.target, line.judged_on))
    return f'<tr><td title="{escape(line.code)}" >{escape(line.title)}</td><td>{chip}</td>{cells}</tr>{meaning}'


def manifest(entries: Mapping[str, Any]) -> str:
    """Return the manifest of the run; nested values as JSON."""
    plain = [(key, str(value)) for key, value in entries.items() if not isinstance(value, dict | list)]
    nested = "".join(
        f"<details><summary>{escape(key)}</summary><pre>{escape(json.dumps(value, indent=2))}</pre></details>"
        for key, value in entries.items()
        if isinstance(value, dict | list)
    )
    return pairs(plain) + nested


def pairs(lines: Iterable[tuple[str, Any]]) -> str:
    """Return a table of name and value."""
    body = "".join(f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in lines)
    return f'<table class="pairs"><tbody>{body}</tbody></table>'


def table(heads: Sequence[str], rows: Iterable[Sequence[str | Hinted]], *, n_words: int, attributes: Sequence[str] = ()) -> str:
    """Return a table whose first `n_words` columns hold words; the others are numbers, set to the right."""
    kinds = ["" if k < n_words else ' class="number"' for k in range(len(heads))]
    head = "".join(f"<th{kind}>{escape(text)}</th>" for kind, text in zip(kinds, heads, strict=True))
    body = ""
    for k, row in enumerate(rows):
        cells = "".join(_cell(cell, kind) for kind, cell in zip(kinds, row, strict=True))
        body += f"<tr {attributes[k] if attributes else ''}>{cells}</tr>"
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(cell: str | Hinted, kind: str) -> str:
    if isinstance(cell, Hinted):
        return f'<td{kind} title="{escape(cell.hint)}"><span class="hinted">{escape(cell.text)}</span></td>'
    return f"<td{kind}>{escape(cell)}</td>"


_FILL_HEADS = (
    "at the exchange, ET", "symbol", "side", "liquidity", "venue", "evidence",
    "rule", "qty", "price", "fee", "vs arrival mid", "ahead of us", "latency",
)  # fmt: skip


def _fill_row(fill: Mapping[str, Any]) -> tuple[str | Hinted, ...]:
    sign = 1 if fill["side"] == "BUY" else -1
    mid = fill["mid_at_arrival"]
    slip = None if mid is None else sign * (fill["price"] / mid - 1) * 1e4
    words = (_when(fill["ts_ns"]), fill["symbol"], fill["side"], fill["liquidity"], fill["venue"] or "-")
    ahead = fill["ahead_qty_before"]
    rule = Hinted(rule_name(fill["rule"]), rule_meaning(fill["rule"]))
    queue = "-" if ahead is None else f"{ahead:,.0f} to {fill['ahead_qty_after']:,.0f}"
    money = (count(fill["qty"]), _price(fill["price"]), usd(fill["fee_usd"], 3), bps(slip))
    return (*words, fill["evidence"].replace("_", " "), rule, *money, queue, duration(fill["latency_ns"]))


_TRIP_HEADS = (
    "symbol", "side", "why closed", "entry ET",
    "held", "qty", "entry", "exit", "gross", "fees", "net", "net bps", "edge bps", "worst",
)  # fmt: skip


def _trip_row(trip: Mapping[str, Any]) -> tuple[str, ...]:
    why = trip["exit_reason"].lower().replace("_", " ") or "-"
    words = (trip["symbol"], trip["side"], why, _when(trip["entry_ts_ns"]))
    size = (duration(trip["exit_ts_ns"] - trip["entry_ts_ns"]), count(trip["qty"]))
    prices = (_price(trip["entry_price"]), _price(trip["exit_price"]))
    money = tuple(usd(trip[f"{key}_usd"]) for key in ("gross", "fee", "net"))
    net, edge = (bps(trip[f"{key}_bps"], 1).removesuffix(" bps") for key in ("net", "edge"))
    return (*words, *size, *prices, *money, net, edge, bps(trip["worst_bps"], 1))


def _when(ts_ns: int) -> str:
    return f"{et_date(ts_ns)} {et_time(ts_ns)}"


def _price(price: float) -> str:
    return f"{price:,.4f}".removesuffix("00")
