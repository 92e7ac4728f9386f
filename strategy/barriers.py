"""Barrier gates: may this side be entered, or held, given where the price is likely to peak or to bottom?

A forecast may bring the probability that the price stands at a peak, and that it stands at a valley. For a side, *against* is
P(peak) of a long and P(valley) of a short, *for* is the other; of several living horizons the largest counts, and what is not
in [0, 1], NaN above all, counts for nothing. *Enhanced* (design row 8), the same for longs and shorts::

    entry     against > block_above                                   BARRIER_PEAK (long) or BARRIER_VALLEY (short)
    scale out against > scale_out_above, once per trade               EXIT_SCALE_OUT: scale_out_share of the position, whole lots
    tighten   for was >= collapse_below since the trade opened, and is < collapse_below now:
              stop = the better of the stop and  mid - side tighten |entry - stop|

A stop is only ever moved towards the price, once per collapse; a trade without a stop gets none. What is held and blocked is
held: only the rules of `strategy.exits` and the two above end it. The *original* form, and `off`, let everything pass.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from replay.desk import POSITION
from replay.errors import UsageError
from replay.jit import kernel
from replay.settings import as_row, setting
from strategy.border import Names, check_lot, check_numbers, check_share, check_whole, make_settings
from strategy.decision import DECISION, LEG, Reason
from strategy.exits import new_trades
from strategy.modes import ENHANCED, mode_setting, rollout_setting


@dataclass(frozen=True, slots=True, kw_only=True)
class BarrierSettings:
    """Settings of the barrier gates."""

    mode: str = mode_setting(has_enhanced=True)
    rollout: float = rollout_setting()
    block_above: float = setting(0.6, "enhanced: chance of a turn against a side above which it is not entered", ge=0, le=1)
    scale_out_above: float = setting(
        0.65, "enhanced: chance of a turn against a position above which part of it goes", ge=0, le=1
    )
    scale_out_share: float = setting(0.5, "enhanced: the part that goes", gt=0, le=1)
    collapse_below: float = setting(0.3, "enhanced: chance in favour of a position below which its stop is tightened", ge=0, le=1)
    tighten: float = setting(0.5, "enhanced: new distance of the stop from the price, as a share of the first", ge=0, le=1)


@kernel
def likely_turn(is_peak, legs):
    """Return the largest probability that a living leg gives for a peak, or for a valley; -1 where none gives one."""
    most = -1.0
    for k in range(len(legs)):
        p = legs[k]["p_peak"] if is_peak else legs[k]["p_valley"]
        if legs[k]["is_alive"] and 0.0 <= p <= 1.0:
            most = max(most, p)
    return most


@kernel
def write_turns(legs, decision):
    """Write how likely the living legs think that the price turns; NaN where none says."""
    peak = likely_turn(True, legs)
    valley = likely_turn(False, legs)
    decision[0]["p_peak"] = peak if peak >= 0.0 else math.nan
    decision[0]["p_valley"] = valley if valley >= 0.0 else math.nan


@kernel
def block(decision, legs, n, params):  # noqa: ARG001 - one signature for all steps over legs
    """Write how likely a turn is, and return 0, or why the decision's side is not entered."""
    write_turns(legs, decision)
    side = decision[0]["side"]
    if params[0]["mode"] != ENHANCED or side == 0:
        return 0
    if likely_turn(side > 0, legs) <= params[0]["block_above"]:
        return 0
    return Reason.BARRIER_PEAK if side > 0 else Reason.BARRIER_VALLEY


@kernel
def hold(s, mid2, lot, positions, trades, legs, params):
    """Tighten the stop of a trade where that is due; return how much of the position (signed) is to be kept."""
    trade = trades[s]
    if params[0]["mode"] == ENHANCED and trade["side"] * positions[s]["qty"] > 0 and mid2 > 0:
        _watch_support(trade, likely_turn(trade["side"] < 0, legs), mid2, params)
    return kept_qty(s, mid2, lot, positions, trades, legs, params)


@kernel
def kept_qty(s, mid2, lot, positions, trades, legs, params):
    """Return how much of the position (signed) is to be kept."""
    qty = positions[s]["qty"]
    trade = trades[s]
    side = trade["side"]
    if params[0]["mode"] != ENHANCED or side * qty <= 0 or mid2 <= 0:
        return qty
    if trade["is_scaled"] or likely_turn(side > 0, legs) <= params[0]["scale_out_above"]:
        return qty
    return qty - side * (int(abs(qty) * params[0]["scale_out_share"]) // lot * lot)


@kernel
def _watch_support(trade, support, mid2, params):
    if support >= params[0]["collapse_below"]:
        trade["is_supported"] = 1
    elif support >= 0.0 and trade["is_supported"]:
        trade["is_supported"] = 0
        if trade["stop_mid2"] != 0:
            _tighten(trade, mid2, params)


@kernel
def _tighten(trade, mid2, params):
    side = trade["side"]
    distance2 = int(abs(trade["entry_mid2"] - trade["first_stop_mid2"]) * params[0]["tighten"])
    stop_mid2 = mid2 - side * distance2
    if side * (stop_mid2 - trade["stop_mid2"]) > 0:
        trade["stop_mid2"] = stop_mid2


class Advice(NamedTuple):
    """What is to be kept of a position (signed shares), and where its stop is now; NaN = none."""

    keep_qty: int
    stop_usd: float


class BarrierGate:
    """Judge entries and positions against the barrier probabilities; in its enhanced form unless told otherwise.

    Parameters
    ----------
    settings : BarrierSettings, optional
    symbols : sequence of str, optional
        One position each; without any there is one, and nobody has to name it.
    **changes
        Single settings, by name, where no `settings` are given.

    Examples
    --------
    >>> gate = BarrierGate()
    >>> gate.judge(side=1, p_peak=0.9, p_valley=0.1)
    (0, <Reason.BARRIER_PEAK: 60>)
    >>> gate.open(200, entry_usd=100.0, stop_usd=99.0)
    >>> gate.hold(101.0, p_peak=0.4, p_valley=0.5)
    Advice(keep_qty=200, stop_usd=99.0)
    >>> gate.hold(101.0, p_peak=0.7, p_valley=0.2)
    Advice(keep_qty=100, stop_usd=100.5)
    """

    def __init__(self, settings: BarrierSettings | None = None, *, symbols: Sequence[str] = ("all",), **changes: Any) -> None:
        self.settings = make_settings(BarrierSettings, settings, changes, mode="enhanced")
        self._names = Names(symbols)
        self._params = as_row(self.settings)
        self._legs = np.zeros(1, LEG)
        self._legs["is_alive"] = 1
        self._decision = np.zeros(1, DECISION)
        self._positions = np.zeros(len(self._names), POSITION)
        self._trades = new_trades(len(self._names))

    def judge(self, side: int, p_peak: float, p_valley: float) -> tuple[int, Reason]:
        """Return the side that may be entered (0 = none) and why; reason TARGET_SET (0) = go on.

        Parameters
        ----------
        side : int
            +1 long, -1 short; 0 asks for nothing.
        p_peak, p_valley : float
            Chance that the price is at its top, or at its bottom, 0 to 1; NaN = the model says nothing.
        """
        if side not in (-1, 0, 1):
            raise UsageError(f"side must be 1 (long), -1 (short) or 0, got {side!r}")
        self._see(p_peak, p_valley)
        self._decision["side"] = side
        reason = Reason(block(self._decision, self._legs, 1, self._params))
        return (side if reason == 0 else 0), reason

    def open(self, qty: int, entry_usd: float, stop_usd: float | None = None, *, symbol: str | None = None) -> None:
        """Begin to watch a position.

        Parameters
        ----------
        qty : int
            Signed shares.
        entry_usd : float
        stop_usd : float, optional
            None = there is no stop, and none is made.
        symbol : str, optional
            Whose position, where there are several.
        """
        check_whole(qty=qty)
        check_numbers(entry_usd=entry_usd, stop_usd=math.nan if stop_usd is None else stop_usd)
        s = self._names.symbol(symbol)
        if not 0.0 < entry_usd < math.inf or (stop_usd is not None and not 0.0 < stop_usd < math.inf):
            raise UsageError(f"entry_usd (and stop_usd, where there is a stop) must be above 0, got {entry_usd} and {stop_usd}")
        self._trades[s] = new_trades(1)[0]
        trade = self._trades[s]
        trade["side"] = np.sign(qty)
        trade["entry_mid2"] = round(entry_usd * _SCALE2)
        trade["stop_mid2"] = trade["first_stop_mid2"] = 0 if stop_usd is None else round(stop_usd * _SCALE2)
        self._positions[s]["qty"] = qty

    def hold(self, mid_usd: float, p_peak: float, p_valley: float, *, lot: int = 1, symbol: str | None = None) -> Advice:
        """Return what is to be kept; a scale-out is advised once, and taken for done.

        Parameters
        ----------
        mid_usd : float
            Where the price is now; NaN = unknown, and nothing changes.
        p_peak, p_valley : float
            As for `judge`.
        lot : int
            What is sold is a whole number of lots.
        symbol : str, optional
            Whose position, where there are several.
        """
        check_numbers(mid_usd=mid_usd)
        check_lot(lot)
        s = self._names.symbol(symbol)
        self._see(p_peak, p_valley)
        mid2 = round(mid_usd * _SCALE2) if math.isfinite(mid_usd) else 0
        trade, position = self._trades[s], self._positions[s]
        keep_qty = int(hold(s, mid2, int(lot), self._positions, self._trades, self._legs, self._params))
        trade["is_scaled"] |= keep_qty != position["qty"]
        position["qty"] = keep_qty
        stop_mid2 = int(trade["stop_mid2"])
        return Advice(keep_qty, stop_mid2 / _SCALE2 if stop_mid2 else math.nan)

    def _see(self, p_peak: float, p_valley: float) -> None:
        check_numbers(p_peak=p_peak, p_valley=p_valley)
        check_share(**{name: p for name, p in (("p_peak", p_peak), ("p_valley", p_valley)) if not math.isnan(p)})
        self._legs["p_peak"] = p_peak
        self._legs["p_valley"] = p_valley


_SCALE2 = 20_000
