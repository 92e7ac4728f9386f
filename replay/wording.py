"""How times, dollars, ratios and fill rules are written for people: New York time, US dollars, basis points, names."""

import math
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
DASH = "-"


class FillRule(NamedTuple):
    """How one numbered rule of `fills.exchange` reads; its name is that of the member of `fills.venue.Rule`."""

    name: str
    meaning: str


# Kept here by number, not imported: `fills.venue` loads the compiler, and an explanation needs none. A test compares them.
FILL_RULES = {
    0: FillRule("none", "Not filled by the simulated exchange."),
    7: FillRule("at price", "A print at our price used up what was ahead of us in the queue and reached our order."),
    8: FillRule("through", "A print went through our price: whoever stood there was filled, we at our own price."),
    12: FillRule("crossed", "The other side came to be displayed at our price: we were filled at our own price."),
    13: FillRule("take", "Our limit order met the other side on arrival and took the size displayed at that price."),
    14: FillRule("market", "Our market order took what the other side displayed."),
    26: FillRule("beyond", "Our order was larger than the displayed size and took depth that the band assumes beyond it."),
    28: FillRule("mid", "A print between bid and ask met our hidden order at the mid."),
    29: FillRule("auction", "An auction printed at a better price than our limit: we were filled at the auction's price."),
    34: FillRule("bar", "Nothing but bars was recorded: one went through our price, and a share of its volume was ours."),
}


def rule_name(number: int) -> str:
    """Write a fill rule with its number; one without a name is a bare number.

    Examples
    --------
    >>> rule_name(7), rule_name(99)
    ('at price (7)', 'rule 99')
    """
    return f"{FILL_RULES[number].name} ({number})" if number in FILL_RULES else f"rule {number}"


def rule_meaning(number: int) -> str:
    """Say in one line what a fill rule means."""
    return FILL_RULES[number].meaning if number in FILL_RULES else "See the numbered rules in fills/exchange.py."


def et_time(ts_ns: int, digits: int = 3) -> str:
    """Write a time of day in New York.

    Parameters
    ----------
    ts_ns : int
        Nanoseconds since 1970, UTC.
    digits : int
        Digits of the second's fraction; the rest is cut, not rounded.

    Examples
    --------
    >>> et_time(1_772_461_805_123_456_789)
    '09:30:05.123'
    """
    clock = _new_york(ts_ns).strftime("%H:%M:%S")
    fraction = f"{ts_ns % 1_000_000_000:09d}"[:digits]
    return f"{clock}.{fraction}" if digits else clock


def et_date(ts_ns: int) -> str:
    """Write the calendar date in New York as YYYY-MM-DD."""
    return _new_york(ts_ns).strftime("%Y-%m-%d")


def et_stamp(ts_ns: int, digits: int = 3) -> str:
    """Write date and time in New York, with the zone: `2026-03-02 09:30:05.123 ET`."""
    return f"{et_date(ts_ns)} {et_time(ts_ns, digits)} ET"


def usd(amount: float | None, digits: int = 2) -> str:
    """Write an amount of dollars, the sign before the dollar.

    Examples
    --------
    >>> usd(-1234.5), usd(None)
    ('-$1,234.50', '-')
    """
    if amount is None or not math.isfinite(amount):
        return DASH
    text = f"${abs(amount):,.{digits}f}"
    return f"-{text}" if amount < 0 and float(f"{amount:.{digits}f}") != 0 else text


def percent(ratio: float | None, digits: int = 1) -> str:
    """Write a ratio as per cent; a dash where it is unknown."""
    return DASH if ratio is None or not math.isfinite(ratio) else f"{100 * ratio:.{digits}f} %"


def bps(value: float | None, digits: int = 2) -> str:
    """Write basis points with their sign; a dash where they are unknown."""
    return DASH if value is None or not math.isfinite(value) else f"{round(value, digits) + 0.0:+.{digits}f} bps"


def count(number: float | None) -> str:
    """Write a whole number with thousands separators."""
    return DASH if number is None else f"{number:,.0f}"


def several(number: int, noun: str) -> str:
    """Count things.

    >>> several(1, "block"), several(1200, "round trip")
    ('1 block', '1,200 round trips')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(span_ns: float | None) -> str:
    """Write a span of time with a unit that fits.

    Examples
    --------
    >>> duration(2_500_000), duration(95_000_000_000)
    ('2.5 ms', '1 min 35 s')
    """
    if span_ns is None or not math.isfinite(span_ns):
        return DASH
    if span_ns == 0:
        return "0 s"
    if 0 < span_ns < 1_000:
        return f"{span_ns:g} ns"
    if span_ns < 1_000_000:
        return f"{span_ns / 1_000:.4g} us"
    if span_ns < 1_000_000_000:
        return f"{span_ns / 1_000_000:.4g} ms"
    seconds = span_ns / 1_000_000_000
    if seconds < 90:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _new_york(ts_ns: int) -> datetime:
    return datetime.fromtimestamp(int(ts_ns) // 1_000_000_000, tz=UTC).astimezone(NEW_YORK)
