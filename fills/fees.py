"""Commissions and fees of an order, by trade date and plan, from the dated table `fills/fees.toml`.

IBKR charges per order, with a minimum and a cap, so the fee of a fill is the fee of everything filled so far less what was
charged already; an order that is changed stays one order. All sums are integers, in millionths of a dollar, halves rounded up::

    commission = min(max(sum of tiers x shares, minimum), cap x value)          the cap wins where it is below the minimum
    + clearing x shares + exchange fee x shares by venue and liquidity          tiered plan only
    + FINRA and NYSE pass-through x commission                                  tiered plan only
    + SEC section 31 x value sold + min(TAF x shares sold, its cap)             sells only

Tiers are marginal over the shares of the calendar month: every fill counts on from what was traded before it, over all orders and
days of a run. Not in it: CAT fees (no figure of IBKR's is known), fees of directed orders, fees of hidden orders and auctions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from fills.fee_table import N_TIERS, PLANS, FeeSettings, rule_on, venue_rule
from replay.errors import ConfigError, DataError, UsageError
from replay.jit import kernel
from replay.orders import Liquidity, Side

NO_LIMIT = 2**62
MOST_VALUE = 10**14  # price units x shares: levies on more do not fit in 64 bits
N_VENUES = 128  # 0 = none named or none known, then venue code + 1; an event holds its venue in 8 bits
PARTS = ("commission", "exchange", "clearing", "sec", "finra", "nyse", "taf")

FEES = np.dtype(
    [
        ("tier_until_qty", "i8", (N_TIERS,)),  # shares of the month up to which a tier holds
        ("tier_nanos", "i8", (N_TIERS,)),  # per share
        ("month", "i8"),  # year * 100 + month; 0 = no day has begun
        ("month_qty", "i8"),  # shares traded this month so far; every fill adds to it
        ("minimum_micros", "i8"),
        ("cap_ppm", "i8"),  # of the value
        ("clearing_nanos", "i8"),  # per share
        ("add_nanos", "i8", (N_VENUES,)),  # exchange fee per share; negative is a rebate
        ("remove_nanos", "i8", (N_VENUES,)),
        ("add_below_nanos", "i8", (N_VENUES,)),  # at prices below a dollar: per share ...
        ("add_below_ppm", "i8", (N_VENUES,)),  # ... and of the value
        ("remove_below_ppm", "i8", (N_VENUES,)),
        ("finra_ppm", "i8"),  # of the commission
        ("nyse_ppm", "i8"),
        ("sec_nanos", "i8"),  # per dollar sold
        ("taf_nanos", "i8"),  # per share sold
        ("taf_cap_micros", "i8"),
        ("contract_micros", "i8"),  # the plan "flat": all that one unit costs
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
def add_fill(order, price, qty, liquidity, venue, fees):
    """Add what a fill brings to an order's commission and exchange fees, and the shares to the month."""
    row = fees[0]
    if row["is_free"] == 1:
        return
    order["commission_nanos"] += tier_nanos(row["month_qty"], qty, fees)
    order["exchange_nanos"] += exchange_nanos(price, qty, liquidity, venue, fees)
    row["month_qty"] += qty


@kernel
def tier_nanos(first_qty, qty, fees):
    """Return what the next `qty` shares of a month cost by the tiers, in nanodollars, minimum and cap apart."""
    row = fees[0]
    last_qty = first_qty + qty
    nanos = 0
    for tier in range(N_TIERS):
        upper = min(last_qty, row["tier_until_qty"][tier])
        if upper > first_qty:
            nanos += (upper - first_qty) * row["tier_nanos"][tier]
            first_qty = upper
    return nanos


@kernel
def exchange_nanos(price, qty, liquidity, venue, fees):
    """Return what a venue charges (negative: pays) for a fill, in nanodollars; `venue` is its code, -1 = none."""
    row = fees[0]
    slot = venue + 1
    is_added = liquidity == Liquidity.ADD
    if price >= row["scale"]:
        return qty * (row["add_nanos"][slot] if is_added else row["remove_nanos"][slot])
    ppm = row["add_below_ppm"][slot] if is_added else row["remove_below_ppm"][slot]
    nanos = qty * row["add_below_nanos"][slot] if is_added else 0
    return nanos + _rounded(qty * price * ppm * 1000, row["scale"])


@kernel
def order_fee_micros(side, filled_qty, value, commission_nanos, exchange_nanos, fees):
    """Return what an order owes for everything filled so far; `value` is in price units x shares."""
    row = fees[0]
    if filled_qty <= 0 or row["is_free"] == 1:
        return 0
    if row["contract_micros"] > 0:
        return filled_qty * row["contract_micros"]
    commission = commission_micros(commission_nanos, value, fees)
    total = commission + _rounded(exchange_nanos, 1000) + _rounded(filled_qty * row["clearing_nanos"], 1000)
    total += _rounded(commission * row["finra_ppm"], 1_000_000) + _rounded(commission * row["nyse_ppm"], 1_000_000)
    if side < 0:
        total += sec_micros(value, fees) + taf_micros(filled_qty, fees)
    return total


@kernel
def commission_micros(nanos, value, fees):
    """Return the commission of an order: the sum of its tiers within minimum and cap."""
    row = fees[0]
    commission = max(_rounded(nanos, 1000), row["minimum_micros"])
    return min(commission, _rounded(value * row["cap_ppm"], row["scale"]))


@kernel
def sec_micros(value, fees):
    """Return the section 31 fee of what was sold."""
    return _rounded(value * fees[0]["sec_nanos"], 1000 * fees[0]["scale"])


@kernel
def taf_micros(qty, fees):
    """Return the trading activity fee of what was sold."""
    return min(_rounded(qty * fees[0]["taf_nanos"], 1000), fees[0]["taf_cap_micros"])


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
        """Look the schedule of a trade date (New York) up, one venue standing for all; see `of` for the parameters."""
        return cls.of(day, FeeSettings(plan=plan, venue=venue, month_qty=month_qty), scale=scale)

    @classmethod
    def of(cls, day: date, settings: FeeSettings, *, venues: tuple[str, ...] = (), scale: int = 10_000) -> FeeSchedule:
        """Look the schedule of a trade date (New York) up.

        Parameters
        ----------
        day : datetime.date
            Trade date; one without a rule is a `DataError`.
        settings : FeeSettings
            The plan. "flat" charges `per_contract_usd` for everything (futures); "none" charges nothing and needs no rule.
        venues : tuple of str
            Names by venue code. A venue without a rule, and -1, take the fees of `settings.venue`.
        scale : int
            Price units per dollar.
        """
        if not isinstance(day, date):
            raise UsageError(f"`day` must be a datetime.date, the trade date in New York, got {day!r}")
        if settings.plan not in PLANS:
            raise UsageError(f"unknown fee plan {settings.plan!r}; expected one of {', '.join(PLANS)}")
        row = no_fees(scale)
        row["month"], row["month_qty"] = month_of(day), settings.month_qty
        assumed: tuple[str, ...] = ()
        if settings.plan == "flat":
            _set_flat(row, settings)
        elif settings.plan != "none":
            row["is_free"] = 0
            assumed = _set_stocks(row, day, settings, venues)
        return cls(day=day, plan=settings.plan, rates=row, assumed=assumed)

    def fee_micros(self, *, side: str, qty: int, price: float, removed_qty: int | None = None) -> int:
        """Return the fee, in millionths of a dollar, of an order filled whole at one price (dollars).

        `removed_qty` of it was filled as taker; None means all. Negative is a rebate. What is no order is a `UsageError`.
        """
        _check_order(side, qty, price, removed_qty)
        value, commission, exchange = self._sums(qty, price, removed_qty)
        return int(order_fee_micros(int(Side[side]), qty, value, commission, exchange, self.rates))

    def parts_micros(self, *, side: str, qty: int, price: float, removed_qty: int | None = None) -> dict[str, int]:
        """Return the parts of `fee_micros` by name, as a statement lists them (`PARTS`)."""
        _check_order(side, qty, price, removed_qty)
        row = self.rates[0]
        if row["is_free"] or row["contract_micros"]:
            return dict.fromkeys(PARTS, 0) | {"commission": self.fee_micros(side=side, qty=qty, price=price)}
        value, nanos, exchange = self._sums(qty, price, removed_qty)
        commission = commission_micros(nanos, value, self.rates)
        is_sale = side == "SELL"
        parts = (
            commission,
            _rounded(exchange, 1000),
            _rounded(qty * row["clearing_nanos"], 1000),
            sec_micros(value, self.rates) if is_sale else 0,
            _rounded(commission * row["finra_ppm"], 1_000_000),
            _rounded(commission * row["nyse_ppm"], 1_000_000),
            taf_micros(qty, self.rates) if is_sale else 0,
        )
        return {name: int(part) for name, part in zip(PARTS, parts, strict=True)}

    def _sums(self, qty: int, price: float, removed_qty: int | None) -> tuple[int, int, int]:
        """Return value, commission by tiers and exchange fees of an order filled whole at one price."""
        scale = int(self.rates["scale"][0])
        units = round(price * scale)
        if units * int(qty) > MOST_VALUE:
            raise UsageError(f"`qty` x `price` must be at most {MOST_VALUE // scale:,} dollars, got {qty} x {price}")
        removed = qty if removed_qty is None else removed_qty
        exchange = exchange_nanos(units, qty - removed, int(Liquidity.ADD), -1, self.rates)
        exchange += exchange_nanos(units, removed, int(Liquidity.REMOVE), -1, self.rates)
        return units * qty, tier_nanos(int(self.rates["month_qty"][0]), qty, self.rates), exchange


def _check_order(side: Any, qty: Any, price: Any, removed_qty: Any) -> None:
    """Refuse what is no filled order, by the name of the argument."""
    if side not in Side.__members__:
        raise UsageError(f"`side` must be {' or '.join(Side.__members__)}, got {side!r}")
    if not _is_count(qty) or qty == 0:
        raise UsageError(f"`qty` must be a positive number of shares, got {qty!r}")
    if not isinstance(price, int | float | np.integer | np.floating) or isinstance(price, bool) or not 0 < price < float("inf"):
        raise UsageError(f"`price` must be a positive price in dollars, got {price!r}")
    if removed_qty is not None and not (_is_count(removed_qty) and removed_qty <= qty):
        raise UsageError(f"`removed_qty` must be a part of the {qty} shares, or None for all, got {removed_qty!r}")


def _is_count(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and 0 <= int(value) < 2**31


def month_of(day: date) -> int:
    """Return the number of a calendar month: year * 100 + month."""
    return day.year * 100 + day.month


def minimum_tick(day: date, price: int, scale: int = 10_000) -> int:
    """Return the minimum increment (price units) of a quote at `price` (price units) on a trade date, by Rule 612."""
    rule = rule_on("us.tick", day)
    ticks = [tick for edge, tick in zip(rule["low_edge_usd"], rule["tick_usd"], strict=True) if price >= edge * scale]
    tick: int = round(ticks[-1] * scale)
    return max(tick, 1)


def _set_flat(row: np.ndarray, settings: FeeSettings) -> None:
    if not settings.per_contract_usd > 0:
        raise ConfigError(
            "the fee plan flat needs `per_contract_usd` above 0 in [fees]: commission, exchange and regulatory fees of one "
            'contract, each way; plan = "none" charges nothing'
        )
    row["is_free"] = 0
    row["contract_micros"] = round(settings.per_contract_usd * 1e6)


def _set_stocks(row: np.ndarray, day: date, settings: FeeSettings, venues: tuple[str, ...]) -> tuple[str, ...]:
    """Fill a row with the rules for US stocks; return the ids of those that nobody confirmed."""
    names = (settings.plan, "us.sec", "us.taf")
    found = [rule_on(name, day, settings.table) for name in names]
    _set_commission(row, found[0])
    _set_regulatory(row, found[1], found[2])
    if settings.plan == "tiered":
        found += _set_exchange(row, day, settings, venues)
    return tuple(rule["id"] for rule in found if rule["status"] == "assumed")


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


def _set_exchange(row: np.ndarray, day: date, settings: FeeSettings, venues: tuple[str, ...]) -> list[dict[str, Any]]:
    """Set clearing, pass-through and the fees of each venue; return the venue rules that are used."""
    plan = rule_on("tiered", day, settings.table)
    row["clearing_nanos"] = round(plan["clearing_usd"] * 1e9)
    row["finra_ppm"] = round(plan["finra_share"] * 1e6)
    row["nyse_ppm"] = round(plan["nyse_share"] * 1e6)
    default = venue_rule(settings.venue, day, settings.table)
    if default is None:
        raise DataError(
            f"no rule holds for the venue {settings.venue!r} on {day}; add `venue.{settings.venue}`, or change fees.venue"
        )
    _set_venue(row, slice(None), default)
    used = {default["id"]: default}
    for code, name in enumerate(venues[: N_VENUES - 1]):
        rule = venue_rule(name, day, settings.table)
        if rule is not None:
            _set_venue(row, code + 1, rule)
            used[rule["id"]] = rule
    return list(used.values())


def _set_venue(row: np.ndarray, slot: int | slice, rule: dict[str, Any]) -> None:
    row["add_nanos"][0, slot] = round(rule["add_usd"] * 1e9)
    row["remove_nanos"][0, slot] = round(rule["remove_usd"] * 1e9)
    row["add_below_nanos"][0, slot] = round(rule.get("add_below_usd", 0.0) * 1e9)
    row["add_below_ppm"][0, slot] = round(rule.get("add_below_share", 0.0) * 1e6)
    row["remove_below_ppm"][0, slot] = round(rule.get("remove_below_share", 0.0) * 1e6)
