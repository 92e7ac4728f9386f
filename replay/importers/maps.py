"""The map file of an import: TOML that names columns (`csv`) or symbols (`ibkr-quotes`), checked before it is used."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replay.errors import ConfigError, UsageError
from replay.importers.options import ImportOptions
from replay.importers.times import UNITS_NS, check_zone

REQUIRED = {
    "quotes": ("ts", "bid", "bid_size", "ask", "ask_size"),
    "trades": ("ts", "price", "size"),
    "bars": ("start", "open", "high", "low", "close"),
}
OPTIONAL = {
    "quotes": ("symbol", "exch_ts"),
    "trades": ("symbol", "exch_ts", "exchange", "conditions"),
    "bars": ("symbol", "volume", "wap", "count"),
}
SETTINGS = ("files", "unit", "size_multiplier", "off_exchange", "bar_s", "missing")
MAP_FORM = (
    "a map has a table per stream, with our column on the left and the file's on the right: "
    + ", ".join(f"`[{stream}]` with {', '.join(names)}" for stream, names in REQUIRED.items())
    + """; for example the line `[trades]` and below it `ts = "time"`, `price = "px"`, `size = "qty"`"""
)
_TOP = ("tz", "symbol_from", "sort", "multiplier")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMap:
    """A read map: where each stream's columns are."""

    streams: Mapping[str, Mapping[str, Any]]
    tz: str = ""
    symbol_from: str = ""
    is_sorting: bool = False
    multiplier: int = 1

    def zone(self, options: ImportOptions) -> str:
        """Return the zone of stamps without offset; the command line wins."""
        return options.tz or self.tz or options.zone


def read_map(path: Path | None) -> ColumnMap:
    """Read and check a map file; without one, our own names are expected."""
    if path is None:
        return ColumnMap(streams={})
    found = read_toml(path)
    streams = {name: table for name, table in found.items() if isinstance(table, dict)}
    _refuse_unknown(set(streams), set(REQUIRED), f"table in map `{path}`", MAP_FORM)
    _refuse_unknown(set(found) - set(streams), set(_TOP), f"key in map `{path}`", f"known are {', '.join(_TOP)}, and {MAP_FORM}")
    for name, table in streams.items():
        _check_table(path, name, table)
    _check_top(path, found)
    top = {key: found[key] for key in ("tz", "symbol_from", "multiplier") if key in found}
    return ColumnMap(streams=streams, is_sorting=found.get("sort", False), **top)


def read_toml(path: Path) -> dict[str, Any]:
    """Read a map file as TOML.

    Raises
    ------
    UsageError
        No such file.
    ConfigError
        No TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"map `{path}` is not TOML: {error}") from error
    except OSError as error:
        raise UsageError(f"cannot read the map `{path}`: {error.strerror}") from error


def _check_table(path: Path, name: str, table: Mapping[str, Any]) -> None:
    where = f"[{name}] of map `{path}`"
    known = {*REQUIRED[name], *OPTIONAL[name], *SETTINGS}
    _refuse_unknown(set(table), known, f"key in {where}", f"known are {', '.join(sorted(known))}")
    missing = [key for key in REQUIRED[name] if key not in table]
    if missing:
        raise ConfigError(f'{where} does not name {", ".join(missing)}; write for example `{missing[0]} = "the file\'s column"`')
    for key in (*REQUIRED[name], *OPTIONAL[name], "files"):
        _refuse(isinstance(table.get(key, ""), str), where, key, "a text", table.get(key))
    for key in ("size_multiplier", "bar_s"):
        _refuse(_is_positive(table.get(key, 1)), where, key, "a number above 0", table.get(key))
    _refuse(table.get("unit", "ns") in UNITS_NS, where, "unit", f"one of {', '.join(UNITS_NS)}", table.get("unit"))
    _refuse(table.get("missing", "skip") == "skip", where, "missing", "`skip`", table.get("missing"))
    _refuse(isinstance(table.get("off_exchange", []), list), where, "off_exchange", "a list of codes", table.get("off_exchange"))


def _check_top(path: Path, found: Mapping[str, Any]) -> None:
    where = f"map `{path}`"
    for key in ("tz", "symbol_from"):
        _refuse(isinstance(found.get(key, ""), str), where, key, "a text", found.get(key))
    _refuse(isinstance(found.get("sort", False), bool), where, "sort", "true or false", found.get("sort"))
    multiplier = found.get("multiplier", 1)
    is_whole = isinstance(multiplier, int) and _is_positive(multiplier)
    _refuse(is_whole, where, "multiplier", "a whole number above 0", multiplier)
    if "tz" in found:
        check_zone(found["tz"])
    try:
        re.compile(found.get("symbol_from", ""))
    except re.error as error:
        raise ConfigError(f"symbol_from in {where} is no regular expression: {error}") from None


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _refuse(is_right: bool, where: str, key: str, expected: str, got: Any) -> None:
    if not is_right:
        raise ConfigError(f"{key} in {where} must be {expected}, got `{got}`")


def _refuse_unknown(given: set[str], known: set[str], what: str, advice: str) -> None:
    unknown = sorted(given - known)
    if unknown:
        raise ConfigError(f"unknown {what}: `{unknown[0]}`; {advice}")
