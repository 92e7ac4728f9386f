"""A desk for somebody's own loop, made from what a trader knows of the products: names, ticks, lots, evidence."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from replay.desk import BOOK, CLOCK, DESK_ORDER, NEVER, POSITION, Desk
from replay.errors import ConfigError
from replay.orders import REQUEST, Evidence
from strategy.border import Names, suggestion
from strategy.decision import CYCLE, DECISION

SCALE = 10_000  # price units per dollar
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Products:
    """What is traded; each of these is one value for all symbols, or a mapping by symbol.

    Parameters
    ----------
    tick_usd : float or mapping
    lot : int or mapping
        Shares.
    multiplier : int or mapping
        Dollars per dollar of price of one unit: 1 for stocks.
    evidence : str or mapping
        How the feed sees the market: `tick_by_tick`, `snapshot_250ms` (what `reqMktData` sends) or `bars`.
    """

    tick_usd: float | Mapping[str, float] = 0.01
    lot: int | Mapping[str, int] = 1
    multiplier: int | Mapping[str, int] = 1
    evidence: str | Mapping[str, str] = "tick_by_tick"


def new_desk(n_symbols: int, slots: int, n_requests: int, n_rows: int) -> Desk:
    """Return an empty desk; decisions and cycles have `n_rows` places."""
    desk = Desk(
        clock=np.zeros(1, CLOCK),
        book=np.zeros(n_symbols, BOOK),
        orders=np.zeros((n_symbols, slots), DESK_ORDER),
        n_orders=np.zeros(n_symbols, np.int64),
        positions=np.zeros(n_symbols, POSITION),
        requests=np.zeros(n_requests, REQUEST),
        decisions=np.zeros(n_rows, DECISION),
        cycles=np.zeros(n_rows, CYCLE),
    )
    desk.clock["next_order_id"] = 1
    desk.clock["next_decision_id"] = 1
    desk.clock["next_timer_ns"] = NEVER
    desk.clock["trade_until_ns"] = NEVER
    desk.clock["scale"] = SCALE
    return desk


def clear_books(desk: Desk, names: Names, products: Products) -> None:
    """Empty the books of all symbols and write what their products are."""
    desk.book[:] = np.zeros(1, BOOK)
    for s, name in enumerate(names.symbols):
        row = desk.book[s]
        row["tick"] = _positive("tick_usd", round(_of(products.tick_usd, name, "tick_usd") * SCALE), name)
        row["lot"] = _positive("lot", _of(products.lot, name, "lot"), name)
        row["multiplier"] = _positive("multiplier", _of(products.multiplier, name, "multiplier"), name)
        row["evidence"] = evidence_named(_of(products.evidence, name, "evidence"))


def evidence_named(word: str) -> Evidence:
    """Return the evidence of a name such as `tick_by_tick`."""
    known = [each.name.lower() for each in Evidence]
    if str(word).lower() not in known:
        raise ConfigError(f"unknown evidence {word!r}{suggestion(word, known)}")
    return Evidence[str(word).upper()]


def _of(value: T | Mapping[str, T], name: str, what: str) -> T:
    if not isinstance(value, Mapping):
        return value
    if name not in value:
        raise ConfigError(f"{what} has no value for {name!r}; give one for every symbol, or one for all")
    return value[name]


def _positive(what: str, value: Any, name: str) -> int:
    if not math.isfinite(value) or value < 1 or value != int(value):
        unit = f" (in units of 1/{SCALE} dollar)" if what == "tick_usd" else ""
        raise ConfigError(f"{what} of {name!r} must be above 0 and whole{unit}, got {value}")
    return int(value)
