"""A run in plain words: what happened, what the checklist found, what to change."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from replay.checklist_view import CHECKS, check_lines
from replay.errors import DataError
from replay.result import Result
from replay.summary_view import form_lines, headline
from replay.wording import bps, count, duration, percent, usd

_FEW_TRIPS = 30
_FEW_ALERTS = 3  # of one component's breakers: more are told in one sentence


class RunWords(NamedTuple):
    """Three paragraphs, a sentence per item."""

    happened: tuple[str, ...]
    found: tuple[str, ...]
    change: tuple[str, ...]


def words_of(run: Result) -> RunWords:
    """Put a run into words.

    Raises
    ------
    DataError
        When the run is not complete.
    """
    summary, checks = run.summary, run.verification["checks"]
    found = [*_check_words(checks), *alert_words(alerts_of(run.path))]
    cautions = [f"{_capital(line)}." for line in summary.get("cautions", ())]
    change = [*cautions, *_advice(checks), *_more_advice(summary, run.manifest["config"])]
    nothing = "Nothing: no check warned, and nothing else stands out."
    return RunWords(tuple(_happened(summary)), tuple(found), tuple(change) or (nothing,))


def alerts_of(folder: Path) -> list[dict[str, Any]]:
    """Read the alerts of a run, in order of time."""
    path = folder / "events.log"
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise DataError(f"`{path}` cannot be read ({error}); run it again") from error


def _happened(summary: Mapping[str, Any]) -> Iterator[str]:
    days, net = summary["sessions"], summary["net_usd"]
    when = f"On {days[0]}" if len(days) == 1 else f"From {days[0]} to {days[-1]} ({len(days)} sessions)"
    way = f"{'earned' if net > 0 else 'lost'} {usd(abs(net))} net" if net else "neither earned nor lost"
    parts = f"{usd(summary['gross_usd'])} before {usd(summary['fee_usd'])} of fees, on {usd(summary['turnover_usd'], 0)} traded"
    yield f"{when} the strategy {way}: {parts}."
    if summary["round_trips"]:
        yield (
            f"It closed {count(summary['round_trips'])} round trips, {percent(summary['win_rate'], 0)} of them with a profit; "
            f"each kept {bps(summary['round_trip_net_bps'], 1)}{_forecast(summary, ' of {} forecast')}. "
            f"The worst drawdown was {usd(summary['max_drawdown_usd'])}."
        )
    else:
        yield "No position was opened and closed again."
    if summary["decisions"]:
        acted = f"Of {count(summary['decisions'])} decisions {count(summary['decisions_taken'])} were acted on."
        yield f"{acted}{_main_stop(summary)}"
        yield f"{_capital(headline(summary))}."
        yield from (f"{_capital(line)}." for line in form_lines(summary))
    if summary["orders"]:
        yield (
            f"It sent {count(summary['orders'])} orders and got {percent(summary['fill_rate_qty'], 0)} of the shares, "
            f"{bps(summary['slippage_bps'])} from the mid at arrival (+ is bad); half of the full fills came within "
            f"{duration(None if summary['time_to_fill_s'] is None else summary['time_to_fill_s'] * 1e9)}."
        )


def _main_stop(summary: Mapping[str, Any]) -> str:
    stop = next((row for row in summary["stops"] if row["is_stop"]), None)
    return "" if stop is None else f" What stopped most others: {stop['meaning']} ({percent(stop['share'], 0)} of all)."


def _check_words(checks: list[dict[str, Any]]) -> Iterator[str]:
    by_status: dict[str, list[str]] = {"pass": [], "warn": [], "fail": [], "not enough data": []}
    for line in check_lines(checks):
        told = line.title if line.value == "-" else f"{line.title} ({line.value}, {line.judged_on})"
        by_status[line.status].append(told)
    heads = {"fail": "Fails", "warn": "Warns", "pass": "Healthy", "not enough data": "Not enough data to judge"}
    for status, head in heads.items():
        if by_status[status]:
            yield f"{head}: {', '.join(by_status[status])}."


def alert_words(alerts: list[dict[str, Any]]) -> Iterator[str]:
    """Say in words when checks and breakers changed; breakers of one component together where they are many."""
    verbs = {"WARN": "began to warn", "FAIL": "began to fail", "PASS": "recovered"}
    yield from _breaker_words([alert for alert in alerts if alert["name"] == "breaker"])
    for alert in alerts:
        if alert["name"] == "breaker":
            continue
        title = CHECKS[alert["name"]].title if alert["name"] in CHECKS else alert["name"]
        yield f"{alert.get('time', '')}: {title} {verbs.get(alert['status'], alert['status'])}."


def _breaker_words(alerts: list[dict[str, Any]]) -> Iterator[str]:
    """Tell of each component's breakers: one by one where they are few."""
    for component in dict.fromkeys(alert["component"] for alert in alerts):
        own = [alert for alert in alerts if alert["component"] == component]
        if len(own) <= _FEW_ALERTS:
            yield from (f"{alert['time']}: {alert['message']}." for alert in own)
            continue
        n_opened, names = sum(alert["status"] == "WARN" for alert in own), sorted({alert["symbol"] for alert in own})
        yield (
            f"The breaker of {component} opened, or stayed open after a trial, {count(n_opened)} times between {own[0]['time']} "
            f"and {own[-1]['time']}, for {', '.join(names)}: events.log lists them."
        )


def _advice(checks: list[dict[str, Any]]) -> Iterator[str]:
    for check in sorted(checks, key=lambda check: check["status"] != "FAIL"):
        if check["status"] in ("FAIL", "WARN"):
            yield f"{_capital(check['recommendation'])}."


def _more_advice(summary: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[str]:
    """Say what the summary alone gives reason for."""
    gate, stale = summary["gate"], summary["decisions_stale_taken"]
    if gate["judged"] and not gate["cleared_rate"]:
        yield f'{_capital(gate["line"])}: let gate.rule = "mean_edge" judge the mean, or bring stronger forecasts.'
    if stale:
        mode = config.get("staleness", {}).get("mode", "?")
        yield f"{count(stale)} decisions were taken on stale data: tighten [staleness] (its mode is {mode!r})."
    if summary["gross_usd"] < 0 and summary["round_trips"]:
        few = ", too few to be sure," if summary["round_trips"] < _FEW_TRIPS else ""
        yield (
            f"The loss came before fees: {count(summary['round_trips'])} round trips{few} kept "
            f"{bps(summary['round_trip_net_bps'], 1)}{_forecast(summary, ' where {} was forecast') or ' each'}. "
            f"Judge the {'forecasts' if summary['decisions'] else 'strategy'} on more days before any other setting."
        )
    if summary["net_usd"] < 0 < summary["gross_usd"]:
        yield f"Fees of {usd(summary['fee_usd'])} turned a profit into a loss: raise arbiter.reserve_bps, or send larger orders."
    if summary["decisions"] and summary["orders"] >= 20 and (summary["fill_rate_qty"] or 0.0) < 0.5:
        yield f"Only {percent(summary['fill_rate_qty'], 0)} of the shares were filled: lengthen planner.work_ns."


def _forecast(summary: Mapping[str, Any], told: str) -> str:
    """Say what was forecast for the round trips; nothing where an own strategy had no forecasts."""
    edge_bps = summary["round_trip_edge_bps"]
    return "" if edge_bps is None else told.format(bps(edge_bps, 1))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
