"""Commissions and fees of an order, by trade date and plan, from the dated table `fills/fees.toml`.

IBKR charges per order, with a minimum and a cap, so the fee of a fill is the fee of everything filled so far less what was
charged already. All sums are integers, in millionths of a dollar, halves rounded up::

    commission = min(max(sum of tiers x shares, minimum), cap x value)          the cap wins where it is below the minimum
    + clearing x shares + exchange fee x shares by liquidity                    tiered plan only
    + FINRA and NYSE pass-through x commission                                  tiered plan only
    + SEC section 31 x value sold + min(TAF x shares sold, its cap)             sells only
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from replay.errors import DataError, UsageError
from replay.jit import kernel
from replay.orders import Side

N_TIERS = 5
NO_LIMIT = 2**62
PLANS = ("fixed", "tiered", "none")

FEES = np.dtype(
    [
        ("tier_until_qty", "i8", (N_TIERS,)),  # shares of the month up to which a tier holds
        ("tier_nanos", "i8", (N_TIERS,)),  # per share
        ("month_qty", "i8"),  # shares traded this month before the day
        ("minimum_micros", "i8"),
        ("cap_ppm", "i8"),  # of the value
        ("clearing_nanos", "i8"),  # per share
        ("add_nanos", "i8"),  # exchange fee per share; negative is a rebate
        ("remove_nanos", "i8"),
        ("finra_ppm", "i8"),  # of the commission
        ("nyse_ppm", "i8"),
        ("sec_nanos", "i8"),  # per dollar sold
        ("taf_nanos", "i8"),  # per share sold
        ("taf_cap_micros", "i8"),
        ("scale", "i8"),  # price units per dollar
        ("is_free", "i8"),  # the plan "none": nothing to compute
    ],
    align=True,
)


def no_fees(scale: int = 10_000) -> np.ndarray:
    """Return the row of the plan "none", which charges nothing."""
    row = np.zeros(1, FEES)
    row["tier_until_qty"] = NO_LIMIT
    row["scale"] = scale
    row["is_free"] = 1
    return row


@kernel
def order_fee_micros(side, filled_qty, removed_qty, value, fees):
    """Return what an order owes for everything filled so far; `value` is in price units x shares."""
    row = fees[0]
    if filled_qty <= 0 or row["is_free"] == 1:
        return 0
    commission = _commission_micros(filled_qty, value, fees)
    exchange = (filled_qty - removed_qty) * row["add_nanos"] + removed_qty * row["remove_nanos"]
    total = commission + _rounded(filled_qty * row["clearing_nanos"], 1000) + _rounded(exchange, 1000)
    total += _rounded(commission * row["finra_ppm"], 1_000_000) + _rounded(commission * row["nyse_ppm"], 1_000_000)
    if side < 0:
        total += _rounded(value * row["sec_nanos"], 1000 * row["scale"])
        total += min(_rounded(filled_qty * row["taf_nanos"], 1000), row["taf_cap_micros"])
    return total


@kernel
def _commission_micros(qty, value, fees):
    row = fees[0]
    first = row["month_qty"]
    last = first + qty
    nanos = 0
    for tier in range(N_TIERS):
        upper = min(last, row["tier_until_qty"][tier])
        if upper > first:
            nanos += (upper - first) * row["tier_nanos"][tier]
            first = upper
    commission = max(_rounded(nanos, 1000), row["minimum_micros"])
    return min(commission, _rounded(value * row["cap_ppm"], row["scale"]))


@kernel
def _rounded(amount, unit):
    return (2 * amount + unit) // (2 * unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeSchedule:
    """Know what an order costs on one trade date under one plan.

    Examples
    --------
    >>> from datetime import date
    >>> FeeSchedule.on_date(date(2025, 6, 2), "fixed").fee_micros(side="BUY", qty=1000, price=25.0)
    5000000
    """

    day: date
    plan: str
    rates: np.ndarray
    assumed: tuple[str, ...] = ()

    @classmethod
    def on_date(cls, day: date, plan: str, *, venue: str = "NASDAQ", month_qty: int = 0, scale: int = 10_000) -> FeeSchedule:
        """Look the schedule of a trade date (New York) up.

        Parameters
        ----------
        day : datetime.date
            Trade date; one without a rule is a `DataError`.
        plan : {"fixed", "tiered", "none"}
            "none" charges nothing and needs no rule (futures, paper tests).
        venue : str
            Whose add and remove fees stand in for all venues (tiered plan).
        month_qty : int
            Shares traded in the month before this day.
        scale : int
            Price units per dollar.
        """
        if plan not in PLANS:
            raise UsageError(f"unknown fee plan {plan!r}; expected one of {', '.join(PLANS)}")
        row = no_fees(scale)
        if plan == "none":
            return cls(day=day, plan=plan, rates=row)
        row["is_free"] = 0
        row["month_qty"] = month_qty
        names = [plan, "us.sec", "us.taf"] + ([f"venue.{venue}"] if plan == "tiered" else [])
        found = {name: rule_on(name, day) for name in names}
        _set_commission(row, found[plan])
        _set_regulatory(row, found["us.sec"], found["us.taf"])
        if plan == "tiered":
            _set_exchange(row, found[plan], found[f"venue.{venue}"])
        assumed = tuple(name for name in names if found[name]["status"] == "assumed")
        return cls(day=day, plan=plan, rates=row, assumed=assumed)

    def fee_micros(self, *, side: str, qty: int, price: float, removed_qty: int | None = None) -> int:
        """Return the fee, in millionths of a dollar, of an order filled whole at one price (dollars).

        `removed_qty` of it was filled as taker; None means all. Negative is a rebate.
        """
        value = round(price * int(self.rates["scale"][0])) * qty
        removed = qty if removed_qty is None else removed_qty
        return int(order_fee_micros(int(Side[side]), qty, removed, value, self.rates))


def minimum_tick(day: date, price: int, scale: int = 10_000) -> int:
    """Return the minimum increment (price units) of a quote at `price` (price units) on a trade date, by Rule 612."""
    rule = rule_on("us.tick", day)
    ticks = [tick for edge, tick in zip(rule["low_edge_usd"], rule["tick_usd"], strict=True) if price >= edge * scale]
    tick: int = round(ticks[-1] * scale)
    return max(tick, 1)


def rule_on(name: str, day: date) -> dict[str, Any]:
    """Return the rule of that id in force on a trade date, as it stands in the table."""
    rules = [rule for rule in _rules() if rule["id"] == name]
    for rule in rules:
        if rule["valid_from"] <= day <= rule["valid_to"]:
            return rule
    if not rules:
        raise UsageError(f"fees.toml has no rule `{name}`")
    first, last = min(r["valid_from"] for r in rules), max(r["valid_to"] for r in rules)
    raise DataError(f"fees.toml has no rule `{name}` for {day}; it covers {first} to {last}: add the rule, or set fees.plan=none")


@cache
def _rules() -> tuple[dict[str, Any], ...]:
    text = Path(__file__).with_name("fees.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)["rule"])


def _set_commission(row: np.ndarray, rule: dict[str, Any]) -> None:
    nanos = [round(usd * 1e9) for usd in rule.get("tier_usd", [rule.get("per_share_usd")])]
    limits = [*rule.get("tier_until_qty", []), NO_LIMIT]
    row["tier_nanos"][0, : len(nanos)] = nanos
    row["tier_until_qty"][0, : len(limits)] = limits
    row["minimum_micros"] = round(rule["minimum_usd"] * 1e6)
    row["cap_ppm"] = round(rule["cap_share"] * 1e6)


def _set_regulatory(row: np.ndarray, sec: dict[str, Any], taf: dict[str, Any]) -> None:
    row["sec_nanos"] = round(sec["per_million_usd"] * 1e3)
    row["taf_nanos"] = round(taf["per_share_usd"] * 1e9)
    row["taf_cap_micros"] = round(taf["cap_usd"] * 1e6)


def _set_exchange(row: np.ndarray, plan: dict[str, Any], venue: dict[str, Any]) -> None:
    row["clearing_nanos"] = round(plan["clearing_usd"] * 1e9)
    row["finra_ppm"] = round(plan["finra_share"] * 1e6)
    row["nyse_ppm"] = round(plan["nyse_share"] * 1e6)
    row["add_nanos"] = round(venue["add_usd"] * 1e9)
    row["remove_nanos"] = round(venue["remove_usd"] * 1e9)
