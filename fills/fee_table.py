"""The dated table of fees: `fees.toml` beside this file, and a user's own rules over it.

A rule has an id, a span of trade dates (New York, both ends included), its figures, a source and a status: verified (official
source), reported (the broker's page or copies of it), assumed (nobody said so; its note says why). An own table replaces the
bundled rules of every id that it holds, and leaves the others.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from replay.errors import ConfigError, DataError, UsageError
from replay.settings import setting

PLANS = ("fixed", "tiered", "flat", "none")
N_TIERS = 5
BUNDLED = Path(__file__).with_name("fees.toml")

_COMMON: dict[str, Any] = {"id": str, "valid_from": date, "valid_to": date, "source": str, "status": str}
_FREE = {"scope", "note", "url"}
_STATUS = ("verified", "reported", "assumed")
_FIGURES: dict[str, dict[str, Any]] = {  # what a rule of an id must hold
    "fixed": {"per_share_usd": float, "minimum_usd": float, "cap_share": float},
    "tiered": {
        "tier_until_qty": list, "tier_usd": list, "minimum_usd": float, "cap_share": float,
        "clearing_usd": float, "finra_share": float, "nyse_share": float,
    },
    "venue": {"add_usd": float, "remove_usd": float},
    "us.sec": {"per_million_usd": float},
    "us.taf": {"per_share_usd": float, "cap_usd": float},
    "us.tick": {"low_edge_usd": list, "tick_usd": list},
}  # fmt: skip
_OPTIONAL: dict[str, dict[str, Any]] = {
    "venue": {"names": list, "add_below_usd": float, "add_below_share": float, "remove_below_share": float}
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeSettings:
    """Commissions and fees, by the dated table of IBKR's price lists."""

    plan: str = setting("fixed", "IBKR's plan for US stocks; flat and none for everything else", choices=PLANS)
    month_qty: int = setting(0, "traded this month before the first day; decides the tier", unit="shares", ge=0)
    venue: str = setting("NASDAQ", "whose exchange fees stand in where the feed names no venue, or one without a rule (tiered)")
    per_contract_usd: float = setting(0.0, "all that one contract costs, each way; the plan flat needs it", unit="USD", ge=0.0)
    table: str = setting("", "file of own rules; an id that it holds replaces that of the bundled table")


def rule_on(name: str, day: date, table: str = "") -> dict[str, Any]:
    """Return the rule of that id in force on a trade date, as it stands in the table.

    Raises
    ------
    UsageError
        There is no such id.
    DataError
        No rule of that id holds on that day.
    ConfigError
        The own table cannot be used.
    """
    rules = [rule for rule in rules_of(table) if rule["id"] == name]
    for rule in rules:
        if rule["valid_from"] <= day <= rule["valid_to"]:
            return rule
    shown = table or BUNDLED.name
    if not rules:
        raise UsageError(f"{shown} has no rule `{name}`")
    first, last = min(r["valid_from"] for r in rules), max(r["valid_to"] for r in rules)
    raise DataError(f"{shown} has no rule `{name}` for {day}; it covers {first} to {last}: add the rule, or set fees.plan=none")


def venue_rule(venue: str, day: date, table: str = "") -> dict[str, Any] | None:
    """Return the exchange fees of a venue by any of its names on a trade date, or None where no rule holds."""
    for rule in rules_of(table):
        names = (rule["id"].removeprefix("venue."), *rule.get("names", ()))
        if rule["id"].startswith("venue.") and venue in names and rule["valid_from"] <= day <= rule["valid_to"]:
            return rule
    return None


@cache
def rules_of(table: str = "") -> tuple[dict[str, Any], ...]:
    """Return all rules: the bundled ones, and in place of those with the same id the ones of an own table."""
    bundled = _read(BUNDLED)
    own = _read(Path(table)) if table else ()
    replaced = {rule["id"] for rule in own}
    return own + tuple(rule for rule in bundled if rule["id"] not in replaced)


def _read(path: Path) -> tuple[dict[str, Any], ...]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the fee table `{path}`: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the fee table `{path}` is not valid TOML: {error}") from error
    rules = content.get("rule")
    if set(content) != {"rule"} or not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise ConfigError(f"the fee table `{path}` must hold [[rule]] blocks and nothing else; fills/fees.toml shows their form")
    for k, rule in enumerate(rules):
        _check(rule, f"the fee table `{path}`, rule {k} (`{rule.get('id', 'no id')}`)")
    _check_spans(path, rules)
    return tuple(rules)


def _check(rule: dict[str, Any], place: str) -> None:
    kind = _kind(str(rule.get("id")))
    if kind not in _FIGURES:
        raise ConfigError(f"{place}: `id` must be one of {', '.join(_FIGURES)} (venue.NAME for a venue)")
    needed, optional = _COMMON | _FIGURES[kind], _OPTIONAL.get(kind, {})
    if missing := [key for key in needed if key not in rule]:
        raise ConfigError(f"{place} lacks `{missing[0]}`; it needs {', '.join(needed)}")
    for key, value in rule.items():
        if key in _FREE:
            continue
        wanted = (needed | optional).get(key)
        if wanted is None:
            raise ConfigError(f"{place} has the unknown key `{key}`; known are {', '.join([*needed, *optional, *sorted(_FREE)])}")
        _check_value(key, value, wanted, place)
    _check_sense(rule, kind, place)


def _check_value(key: str, value: Any, wanted: Any, place: str) -> None:
    words = {str: "a text", date: "a date such as 2026-01-31", float: "a number", list: "a list"}
    kinds: dict[Any, Any] = {str: str, date: date, float: (int, float), list: list}
    is_wrong = not isinstance(value, kinds[wanted]) or isinstance(value, bool)
    if is_wrong or (wanted is float and value != value):
        raise ConfigError(f"{place}: `{key}` must be {words[wanted]}, got {value!r}")


def _check_sense(rule: dict[str, Any], kind: str, place: str) -> None:
    if rule["valid_to"] < rule["valid_from"]:
        raise ConfigError(f"{place}: `valid_to` {rule['valid_to']} is before `valid_from` {rule['valid_from']}")
    if rule["status"] not in _STATUS:
        raise ConfigError(f"{place}: `status` must be one of {', '.join(_STATUS)}, got {rule['status']!r}")
    if kind != "tiered":
        return
    edges, rates = rule["tier_until_qty"], rule["tier_usd"]
    if len(rates) != len(edges) + 1 or len(rates) > N_TIERS or any(b <= a for a, b in pairwise([0, *edges])):
        raise ConfigError(
            f"{place}: `tier_until_qty` must ascend and `tier_usd` hold one rate more, at most {N_TIERS}, got {edges} and {rates}"
        )


def _check_spans(path: Path, rules: list[dict[str, Any]]) -> None:
    for name in {rule["id"] for rule in rules}:
        spans = sorted((rule["valid_from"], rule["valid_to"]) for rule in rules if rule["id"] == name)
        for before, after in pairwise(spans):
            if after[0] <= before[1]:
                raise ConfigError(
                    f"the fee table `{path}`: two rules `{name}` hold on {after[0]}; a day has one rule of an id at most"
                )


def _kind(name: str) -> str:
    return "venue" if name.startswith("venue.") and len(name) > len("venue.") else name
