"""What can be wrong with the rows of a stored table, as masks over one group of rows.

Each function gets the numeric columns of a group, with the last row of the group before it in front (so that neighbours can be
compared), and returns a mask by code. `CODES` says how grave a code is and what it means.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from replay.events import NO_TIME, Flag
from replay.session.arrays import column_array, column_words
from replay.session.manifest import Manifest
from replay.session.tables import COLUMNS
from replay.session.ticks import is_off_tick, ticks_by_name

GAP_NS = 300_000_000_000
_SECOND_NS = 1_000_000_000
_ALL_FLAGS = sum(Flag)

CODES: dict[str, tuple[str, str]] = {
    "unsorted": ("error", "rows go back in time; a replay would refuse them"),
    "seq_order": ("error", "seq does not grow from row to row"),
    "not_positive": ("error", "prices or sizes that are zero or negative where they must not be"),
    "unknown_symbol": ("error", "the manifest does not know the symbol"),
    "impossible_bar": ("error", "high below low"),
    "early_bar": ("error", "a bar is known more than a second before it ends: it would leak the future"),
    "wrong_flags": ("error", "CROSSED or LOCKED does not agree with the prices"),
    "unknown_flags": ("warning", "flag bits without a meaning"),
    "duplicate": ("warning", "a row equals the one before it in all but seq; feeds repeat themselves, importers should not"),
    "gap": ("warning", f"no quote of any symbol for {GAP_NS // _SECOND_NS} s or more within regular hours"),
    "outside_hours": ("warning", "before pre-market or after post-market; is the time zone right?"),
    "exchange_ahead": ("warning", "the exchange's time is later than the receive time; a clock is wrong"),
    "exchange_late": ("info", "received more than a second after the exchange's time"),
    "late": ("info", "prints too late to fill anybody; where most are, a clock or its time zone is wrong"),
    "odd_bar": ("warning", "open or close outside the range from low to high"),
    "crossed": ("info", "bid above ask; kept and flagged, the staleness guard refuses to act on it"),
    "locked": ("info", "bid equals ask; kept and flagged"),
    "one_sided": ("info", "bid or ask is empty"),
    "off_tick": ("info", "price is not on the symbol's tick grid"),
    "between_ticks": ("info", "prints off the exchange, or without a venue, between two ticks: normal, as at the midpoint"),
    "equal_prints": ("info", "a print equals the one before it: normal where one order fills several, or the clock is coarse"),
    "extended": ("info", "outside regular hours; kept and flagged"),
    "no_venue": ("info", "the feed does not say where the print happened"),
    "past_limit": ("info", "outside the limit-up limit-down band, says the feed"),
    "unreported": ("info", "prints that the feed marks as unreported"),
}


def group_columns(stream: str, table: Any, manifest: Manifest) -> dict[str, np.ndarray]:
    """Return the columns of a group as numbers; words become numbers that are equal only within the group."""
    columns: dict[str, np.ndarray] = {}
    for column in COLUMNS[stream]:
        if column.kind == "string":
            codes, words = column_words(table, column.name)
            columns[column.name] = codes
            if column.name == "symbol":
                ticks = ticks_by_name(manifest.symbols, manifest.scale)
                for k, key in enumerate(("tick", "low_tick")):
                    columns[key] = _by_word(codes, words, {name: pair[k] for name, pair in ticks.items()})
                columns["is_known"] = _by_word(codes, words, dict.fromkeys((*manifest.names, ""), 1))
        else:
            columns[column.name] = column_array(table, column.name)
    return columns


def _by_word(codes: np.ndarray, words: list[str], numbers: Mapping[str, int]) -> np.ndarray:
    by_code = np.array([numbers.get(word, 0) for word in words] or [0], np.int64)
    return np.asarray(by_code[codes])


def group_faults(stream: str, columns: Mapping[str, np.ndarray], manifest: Manifest) -> dict[str, np.ndarray]:
    """Return a mask by code for the rows of a group that need no neighbour."""
    ts_ns, exch_ts_ns, hours = columns["ts_ns"], columns["exch_ts_ns"], manifest.hours
    has_exchange_time = exch_ts_ns != NO_TIME
    faults = {
        "unknown_symbol": columns["is_known"] == 0,
        "outside_hours": (ts_ns < hours.pre_ns) | (ts_ns >= hours.post_ns),
        "exchange_ahead": has_exchange_time & (exch_ts_ns > ts_ns),
        "exchange_late": has_exchange_time & (exch_ts_ns < ts_ns - _SECOND_NS),
    }
    if "flags" in columns:
        faults["unknown_flags"] = (columns["flags"] & ~_ALL_FLAGS) != 0
        for code, flag in (("extended", Flag.EXTENDED), ("past_limit", Flag.PAST_LIMIT), ("unreported", Flag.UNREPORTED)):
            faults[code] = (columns["flags"] & flag) != 0
    special = {"quotes": _quotes, "trades": _trades, "bars": _bars}.get(stream)
    return faults | (special(columns, manifest.scale) if special else {})


def neighbour_faults(stream: str, columns: Mapping[str, np.ndarray], manifest: Manifest) -> dict[str, np.ndarray]:
    """Return a mask by code that compares each row with the one before it; the first row is only looked back at."""
    ts_ns, seq = columns["ts_ns"], columns["seq"]
    is_equal = np.ones(len(ts_ns) - 1, bool)
    for name, values in columns.items():
        if name != "seq":
            later, earlier = values[1:], values[:-1]
            is_equal &= (later == earlier) | ((later != later) & (earlier != earlier))  # NaN equals NaN here
    start, end = np.maximum(ts_ns[:-1], manifest.hours.open_ns), np.minimum(ts_ns[1:], manifest.hours.close_ns)
    equal = "equal_prints" if stream == "trades" else "duplicate"
    faults = {"unsorted": ts_ns[1:] < ts_ns[:-1], "seq_order": seq[1:] <= seq[:-1], equal: is_equal}
    return faults | ({"gap": end - start >= GAP_NS} if stream == "quotes" else {})


def _quotes(columns: Mapping[str, np.ndarray], scale: int) -> dict[str, np.ndarray]:
    bid, ask, bid_size, ask_size = (columns[name] for name in ("bid", "ask", "bid_size", "ask_size"))
    both = (bid_size > 0) & (ask_size > 0)
    crossed, locked = both & (bid > ask), both & (bid == ask)
    is_negative = np.minimum(np.minimum(bid, ask), np.minimum(bid_size, ask_size)) < 0
    is_half_empty = ((bid == 0) != (bid_size == 0)) | ((ask == 0) != (ask_size == 0))
    says_crossed, says_locked = ((columns["flags"] & flag) != 0 for flag in (Flag.CROSSED, Flag.LOCKED))
    return {
        "not_positive": is_negative | is_half_empty,
        "crossed": crossed,
        "locked": locked,
        "one_sided": ~both,
        "off_tick": is_off_tick(bid, columns, scale) | is_off_tick(ask, columns, scale),
        "wrong_flags": (says_crossed != crossed) | (says_locked != locked),
    }


def _trades(columns: Mapping[str, np.ndarray], scale: int) -> dict[str, np.ndarray]:
    is_between = is_off_tick(columns["price"], columns, scale)
    is_off_exchange = (columns["flags"] & (Flag.OFF_EXCHANGE | Flag.NO_VENUE)) != 0
    return {
        "not_positive": (columns["price"] <= 0) | (columns["size"] <= 0),
        "off_tick": is_between & ~is_off_exchange,
        "between_ticks": is_between & is_off_exchange,
        "late": (columns["flags"] & Flag.LATE) != 0,
        "no_venue": (columns["flags"] & Flag.NO_VENUE) != 0,
    }


def _bars(columns: Mapping[str, np.ndarray], _scale: int) -> dict[str, np.ndarray]:
    opened, high, low, closed = (columns[name] for name in ("open", "high", "low", "close"))
    end_ns = columns["start_ts_ns"] + columns["bar_s"].astype(np.int64) * _SECOND_NS
    return {
        "not_positive": np.minimum(np.minimum(opened, closed), low) <= 0,
        "impossible_bar": high < low,
        "odd_bar": (np.maximum(opened, closed) > high) | (np.minimum(opened, closed) < low),
        "early_bar": columns["ts_ns"] < end_ns - _SECOND_NS,
    }
