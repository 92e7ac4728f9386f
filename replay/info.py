"""What is in a session: `replay info` reads it once, in blocks, and says per symbol how much there is and how it trades."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from replay.events import Flag, Kind
from replay.wording import count, duration, et_time, percent

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from replay.session import Session

_DAY_NS = 86_400_000_000_000
_KINDS = {"quotes": Kind.QUOTE, "trades": Kind.TRADE, "bars": Kind.BAR, "status": Kind.STATUS}


@dataclass(slots=True)
class _Tally:
    """What is counted of one symbol while the blocks go by."""

    counts: Counter[str] = field(default_factory=Counter)
    spreads: Counter[int] = field(default_factory=Counter)  # price units
    touch_sizes: Counter[int] = field(default_factory=Counter)
    trade_sizes: Counter[int] = field(default_factory=Counter)
    mid_sum: float = 0.0
    volume: int = 0
    off_exchange_volume: int = 0
    first_ns: int = 0
    last_ns: int = 0
    silence_ns: int = 0  # longest, within regular hours


def describe(session: Session) -> dict[str, Any]:
    """Say what is in a session.

    Parameters
    ----------
    session : Session
        An open session; it is read once, with constant memory.

    Returns
    -------
    dict
        JSON-ready: the session's own facts, and under `symbols` one entry per symbol with counts, span, evidence, clock,
        median spread and sizes.
    """
    tallies = [_Tally() for _ in session.symbols]
    for block in session.blocks():
        events = block.events
        for symbol in np.unique(events["symbol"][events["symbol"] >= 0]):
            _add(tallies[symbol], events[events["symbol"] == symbol], session.hours)
    hours = session.hours
    return {
        "day": session.day.isoformat(),
        "source": session.manifest.source,
        "digest": session.digest,
        "events": session.n_events,
        "open_ns": hours.open_ns,
        "close_ns": hours.close_ns,
        "is_half_day": hours.is_half_day,
        "venues": list(session.venues),
        "streams": {name: stream.rows for name, stream in session.manifest.streams.items()},
        "symbols": [_entry(session, name, tally) for name, tally in zip(session.symbols, tallies, strict=True)],
    }


def render(facts: Mapping[str, Any]) -> Group:
    """Lay out what `describe` returned, for a terminal of 80 columns."""
    from rich.console import Group
    from rich.rule import Rule
    from rich.text import Text

    half = ", half day" if facts["is_half_day"] else ""
    streams = ", ".join(f"{count(rows)} {name}" for name, rows in facts["streams"].items() if name != "messages")
    messages = facts["streams"].get("messages", 0)
    truth = f"\n {count(messages)} order-book messages as truth" if messages else ""
    lines = (
        f" {count(facts['events'])} events from {facts['source']}: {streams}{truth}\n"
        f" {_hours(facts)}{half}\n"
        f" venues {', '.join(facts['venues']) or 'not named'}\n digest {facts['digest']}\n"
    )
    title = Rule(f"[bold]Session {facts['day']}[/]", style="dim")
    return Group(title, Text(lines, overflow="fold"), _activity(facts["symbols"]), Text(), _quality(facts["symbols"]))


def _hours(facts: Mapping[str, Any]) -> str:
    """Name the regular hours; a day of around the clock begins and ends at midnight UTC."""
    if facts["close_ns"] - facts["open_ns"] >= _DAY_NS:
        return "open around the clock, from midnight to midnight UTC"
    return f"regular hours {et_time(facts['open_ns'], 0)} to {et_time(facts['close_ns'], 0)} ET"


def _add(tally: _Tally, events: np.ndarray, hours: Any) -> None:
    """Count the events of one symbol in one block."""
    kind, ts = events["kind"], events["ts_ns"]
    tally.counts.update({name: int((kind == code).sum()) for name, code in _KINDS.items()})
    tally.counts["crossed"] += int(((events["flags"] & Flag.CROSSED) != 0).sum())
    tally.first_ns = tally.first_ns or int(ts[0])
    regular = ts[(ts >= hours.open_ns) & (ts <= hours.close_ns)]
    if len(regular):
        before = tally.last_ns if tally.last_ns >= hours.open_ns else int(regular[0])
        tally.silence_ns = max(tally.silence_ns, int(np.diff(regular, prepend=before).max()))
    tally.last_ns = int(ts[-1])
    _add_quotes(tally, events[(kind == Kind.QUOTE) & (events["bid_qty"] > 0) & (events["ask_qty"] > 0)])
    _add_trades(tally, events[kind == Kind.TRADE])


def _add_quotes(tally: _Tally, quotes: np.ndarray) -> None:
    _count_values(tally.spreads, quotes["ask"] - quotes["bid"])
    _count_values(tally.touch_sizes, quotes["bid_qty"])
    _count_values(tally.touch_sizes, quotes["ask_qty"])
    tally.mid_sum += float((quotes["bid"] + quotes["ask"]).sum()) / 2.0


def _add_trades(tally: _Tally, trades: np.ndarray) -> None:
    _count_values(tally.trade_sizes, trades["qty"])
    tally.volume += int(trades["qty"].sum())
    tally.off_exchange_volume += int(trades["qty"][(trades["flags"] & Flag.OFF_EXCHANGE) != 0].sum())


def _count_values(counter: Counter[int], values: np.ndarray) -> None:
    distinct, counts = np.unique(values, return_counts=True)
    counter.update(dict(zip(distinct.tolist(), counts.tolist(), strict=True)))


def _entry(session: Session, name: str, tally: _Tally) -> dict[str, Any]:
    info = session.symbol_info(name)
    n_quotes = tally.spreads.total()
    spread, mid = _median(tally.spreads), tally.mid_sum / n_quotes if n_quotes else math.nan
    return {
        "symbol": name,
        **{key: tally.counts[key] for key in (*_KINDS, "crossed")},
        "first_ns": tally.first_ns or None,
        "last_ns": tally.last_ns or None,
        "longest_silence_ns": tally.silence_ns,
        "evidence": info.evidence,
        "ts_source": info.ts_source,
        "ts_resolution_ns": info.ts_resolution_ns,
        "tick_usd": info.tick / session.scale,
        "size_unit": info.size_unit,
        "multiplier": info.multiplier,
        "spread_median_ticks": None if spread is None else spread / info.tick,
        "spread_median_bps": None if spread is None else 1e4 * spread / mid,
        "touch_size_median": _median(tally.touch_sizes),
        "trade_size_median": _median(tally.trade_sizes),
        "volume": tally.volume,
        "off_exchange_share": tally.off_exchange_volume / tally.volume if tally.volume else None,
    }


def _median(counter: Counter[int]) -> int | None:
    """Return the lower median of counted values."""
    half, seen = (counter.total() + 1) // 2, 0
    for value in sorted(counter):
        seen += counter[value]
        if seen >= half:
            return value
    return None


def _activity(symbols: Sequence[Mapping[str, Any]]) -> Table:
    heads = ("symbol", "quotes", "trades", "bars", "volume", "off-exch.", "crossed", "first ET", "last ET")
    return _table(heads, [_activity_row(entry) for entry in symbols], n_words=1)


def _activity_row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    counts = tuple(count(entry[key]) for key in ("quotes", "trades", "bars", "volume"))
    times = (_clock(entry["first_ns"]), _clock(entry["last_ns"]))
    return (entry["symbol"], *counts, percent(entry["off_exchange_share"], 0), count(entry["crossed"]), *times)


def _quality(symbols: Sequence[Mapping[str, Any]]) -> Table:
    heads = ("symbol", "evidence", "clock", "spread", "bps", "at touch", "per trade", "longest gap")
    return _table(heads, [_quality_row(entry) for entry in symbols], n_words=3)


def _quality_row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    step_ns, ticks, in_bps = entry["ts_resolution_ns"], entry["spread_median_ticks"], entry["spread_median_bps"]
    clock = entry["ts_source"] + (f", {duration(step_ns)}" if step_ns > 1 else "")
    spread = ("-", "-") if ticks is None else (f"{ticks:g} tick{'s' * (ticks != 1)}", f"{in_bps:.1f}")
    sizes = (count(entry["touch_size_median"]), count(entry["trade_size_median"]))
    return (entry["symbol"], entry["evidence"].replace("_", " "), clock, *spread, *sizes, duration(entry["longest_silence_ns"]))


def _clock(ts_ns: int | None) -> str:
    return "-" if ts_ns is None else et_time(ts_ns, 0)


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, n_words: int) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="bold", padding=(0, 1, 0, 1), collapse_padding=True)
    for k, head in enumerate(heads):
        table.add_column(head, justify="left" if k < n_words else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table
