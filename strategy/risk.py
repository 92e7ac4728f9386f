"""Risk: a fixed cap per name, in dollars.

Original form (design row 7): the target's value at the mid never exceeds `name_cap_usd`, rounded towards zero to whole lots::

    |target| <= floor(name_cap_usd / mid / lot) lot

Call it after `strategy.sizing.size`: caps come last and are never undone. A cap below one lot is RISK_NAME_CAP. `off` caps
nothing.
"""

from dataclasses import dataclass
from typing import Any

from replay.jit import kernel
from replay.settings import as_row, setting
from strategy.decision import Reason
from strategy.modes import OFF, mode_setting
from strategy.sizing import whole_lots
from strategy.touch import value2


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskSettings:
    """Settings of the risk limits."""

    mode: str = mode_setting()
    name_cap_usd: float = setting(50_000.0, "largest value held in one name", unit="USD", gt=0)


@kernel
def cap(s, decision, book, positions, clock, params):  # noqa: ARG001 - one signature for all forms
    """Cut `target_qty` to the cap; return 0, NO_QUOTE, or RISK_NAME_CAP when nothing is left of it."""
    if params[0]["mode"] == OFF:
        return 0
    unit2 = value2(s, book)
    if unit2 == 0:
        return Reason.NO_QUOTE
    row = decision[0]
    wanted_qty = row["target_qty"]
    row["target_qty"] = capped_qty(wanted_qty, unit2, clock[0]["scale"], book[s]["lot"], params)
    if wanted_qty != 0 and row["target_qty"] == 0:
        return Reason.RISK_NAME_CAP
    return 0


@kernel
def capped_qty(target_qty, unit2, scale, lot, params):
    """Return the target, cut to the cap; never larger, never of the other sign."""
    limit_qty = whole_lots(params[0]["name_cap_usd"], unit2, scale, lot)
    return min(max(target_qty, -limit_qty), limit_qty)


class RiskModel:
    """Cap a target from plain numbers.

    Parameters
    ----------
    settings : RiskSettings, optional
    **changes
        Single settings, by name, where no `settings` are given.

    Examples
    --------
    >>> RiskModel(name_cap_usd=10_000.0).cap(target_qty=-500, mid_usd=40.0)
    -250
    """

    def __init__(self, settings: RiskSettings | None = None, **changes: Any) -> None:
        self.settings = settings or RiskSettings(**changes)
        self._params = as_row(self.settings)

    def cap(self, target_qty: int, mid_usd: float, lot: int = 1) -> int:
        """Return the target (signed shares), cut to the cap; 0 where the mid is not a positive number."""
        if not 0.0 < mid_usd < float("inf"):
            return 0
        if self.settings.mode == "off":
            return target_qty
        return int(capped_qty(target_qty, max(round(2 * mid_usd * _SCALE), 1), _SCALE, lot, self._params))


_SCALE = 10_000
