"""Terms: what the exchange and the broker ask of an order before it may trade (rules 16, 17, 30 to 33)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from fills.fee_table import rule_on

NEVER = 2**63 - 1
CENT_USD = 0.01

TERMS = np.dtype(
    [
        ("open_ns", "i8"),  # orders that come earlier are held until then
        ("holds_in_halt", "i8"),  # 1 = orders sent during a halt wait for its end, 0 = they are rejected
        ("most_qty", "i8"),  # largest order; 0 = any
        ("has_account", "i8"),  # 1 = what sells short and what it costs is known and checked
        ("is_shortable", "i8"),
        ("leverage_percent", "i8"),  # positions and orders at most so much of the equity; 0 = unchecked
        ("cash", "i8"),  # price units x shares x multiplier, moved by every fill; fees apart
        ("fee_micros", "i8"),  # charged so far
        ("low_edge", "i8"),  # below this price ...
        ("low_tick", "i8"),  # ... so small a tick, where the symbol's own is ...
        ("cent_tick", "i8"),  # ... this
        ("half_tick", "i8"),  # ... or this one; 0 = not in force
    ],
    align=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """State what is asked of an order.

    Parameters
    ----------
    open_ns : int
        Orders that arrive earlier are held until then (rule 30).
    holds_in_halt : bool
        Orders sent during a halt wait for its end instead of being rejected (rule 31).
    most_qty : int
        Largest order, shares; 0 takes any.
    equity : int, optional
        Cash at the start, price units x shares. Without it there is no account: nothing is a short sale, nothing too dear.
    is_shortable : bool
        Whether shares can be borrowed.
    leverage : float
        Buying power as a multiple of the equity; 0 leaves it unchecked (rule 33).
    ticks : tuple of int
        Price below which the low tick holds, that tick, and the ticks of symbols to which it applies; see `tick_table`.
    """

    open_ns: int = -NEVER
    holds_in_halt: bool = False
    most_qty: int = 0
    equity: int | None = None
    is_shortable: bool = True
    leverage: float = 0.0
    ticks: tuple[int, int, int, int] = (0, 0, 0, 0)

    def row(self) -> np.ndarray:
        """Return the terms as one row for the kernels."""
        row = np.zeros(1, TERMS)
        row["open_ns"] = self.open_ns
        row["holds_in_halt"] = self.holds_in_halt
        row["most_qty"] = self.most_qty
        row["has_account"] = self.equity is not None
        row["is_shortable"] = self.is_shortable
        row["leverage_percent"] = round(100 * self.leverage)
        row["cash"] = self.equity or 0
        row["low_edge"], row["low_tick"], row["cent_tick"], row["half_tick"] = self.ticks
        return row


def tick_table(day: date, scale: int) -> tuple[int, int, int, int]:
    """Return Rule 612 on a trade date for `Terms`, in price units: edge, tick below it, and the ticks above it.

    Examples
    --------
    >>> tick_table(date(2026, 5, 4), 10_000)
    (10000, 1, 100, 0)
    """
    rule = rule_on("us.tick", day)
    low, above = rule["tick_usd"]
    half = round(above * scale) if above < CENT_USD else 0
    return round(rule["low_edge_usd"][1] * scale), max(round(low * scale), 1), round(CENT_USD * scale), half
