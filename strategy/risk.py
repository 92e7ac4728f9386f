"""Risk: how much of a target may be held.

Original form (design row 7): the target's value at the mid never exceeds `name_cap_usd`, rounded towards zero to whole lots::

    |target| <= floor(name_cap_usd / mid / lot) lot

Enhanced form: first the target is scaled down by what the book holds already of the same bet, then it is cut to limits; with
`w = |target| mid / equity`, and G, N, C of `strategy.exposure`::

    w <= w - lambda max(C, 0)                                  RISK_CORRELATION
    w <= min(name_share, name_cap_usd / equity)                RISK_NAME_CAP
    w <= gross_share - G                                       RISK_GROSS
    w <= net_share - side N                                    RISK_NET
    |target| <= |held on its side| + participation_max volume_min volume_per_min       RISK_PARTICIPATION

With lambda = 1 the first line is what an investor with a mean-variance utility does who keeps the rest of his book: the optimum
of `mu w - (g / 2) Var(w r_s + sum x_j r_j)` moves by -C. It is not raised where the rest hedges.

Caps come last and are never undone: call it after `strategy.sizing.size`. The result is never larger than the target and never of
the other sign; what was cut is a whole number of lots, or of lots beyond what is held. `risk_limit` of the decision names the
limit that had the last word, and a decision of which nothing is left ends with it. Where a correlation or volatility of what is
held, or the volume, is not known yet, its limit does without (an unknown pair counts with the mean of the known ones) and
`risk_unknown` says so: the caps per name, gross and net hold in any case. `off` caps nothing.

References
----------
Markowitz, H. (1952), "Portfolio Selection", Journal of Finance 7(1): the trade-off whose first-order condition is used.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from replay.desk import BOOK, CLOCK, POSITION
from replay.errors import UsageError
from replay.jit import kernel
from replay.settings import as_row, setting
from strategy.border import Names, check_lot, check_numbers, check_whole, make_settings
from strategy.correlation import judge_pairs, learn_minute, shrunk_rho
from strategy.decision import Reason
from strategy.exposure import new_exposure, read_book, weigh_rest
from strategy.modes import ENHANCED, OFF, mode_setting, rollout_setting
from strategy.sizing import whole_lots
from strategy.touch import value2

CORRELATION_UNKNOWN = 1
VOLUME_UNKNOWN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskSettings:
    """Settings of the risk limits; those from `name_share` on are the enhanced form's."""

    mode: str = mode_setting(has_enhanced=True)
    rollout: float = rollout_setting()
    name_cap_usd: float = setting(50_000.0, "largest value held in one name", unit="USD", gt=0)
    name_share: float = setting(0.10, "largest share of equity held in one name", gt=0)
    gross_share: float = setting(1.0, "largest sum of all positions, long and short, as a share of equity", gt=0)
    net_share: float = setting(0.5, "largest long less short, either way, as a share of equity", gt=0)
    correlation_weight: float = setting(0.5, "lambda, part of the same bet elsewhere that is taken off a target", ge=0)
    correlation_half_life_min: float = setting(60.0, "half-life of the correlations", unit="min", gt=0)
    correlation_minutes_min: int = setting(30, "minutes that both symbols were seen before their correlation is used", ge=3)
    participation_max: float = setting(0.1, "largest increase of a position as a share of recent volume", gt=0)
    volume_min: float = setting(5.0, "minutes of volume that it is a share of", unit="min", gt=0)


@kernel
def cap(s, decision, desk, planner, features, equity_usd, exposure, params):
    """Cut `target_qty` to the limits; return 0, NO_QUOTE, or the reason of the limit that left nothing of it."""
    row = decision[0]
    wanted_qty = row["target_qty"]
    if params[0]["mode"] == OFF:
        return 0
    if value2(s, desk.book) == 0:
        return Reason.NO_QUOTE
    if wanted_qty == 0:
        return 0
    if params[0]["mode"] != ENHANCED:
        row["target_qty"] = capped_qty(wanted_qty, value2(s, desk.book), desk.clock[0]["scale"], desk.book[s]["lot"], params)
        row["risk_limit"] = Reason.RISK_NAME_CAP if row["target_qty"] != wanted_qty else 0
    else:
        read_book(desk, planner, features, equity_usd, exposure)
        weigh_rest(s, 1 if wanted_qty > 0 else -1, exposure, params)
        exposure.rest[0]["volume_per_min"] = features[s]["volume_per_min"]
        row["target_qty"] = limited_qty(wanted_qty, s, desk.book, desk.positions, desk.clock, exposure.rest, params)
        row["risk_limit"] = exposure.rest[0]["limit"]
        row["risk_unknown"] = unknown_bits(exposure.rest)
    return np.int64(row["risk_limit"]) if row["target_qty"] == 0 else 0


@kernel
def capped_qty(target_qty, unit2, scale, lot, params):
    """Return the target, cut to the cap of the original form; never larger, never of the other sign."""
    limit_qty = whole_lots(params[0]["name_cap_usd"], unit2, scale, lot)
    return min(max(target_qty, -limit_qty), limit_qty)


@kernel
def limited_qty(target_qty, s, book, positions, clock, rest, params):
    """Return the target, cut to the limits of the enhanced form, and write the limit that had the last word into `rest`."""
    unit2 = value2(s, book)
    lot = max(book[s]["lot"], 1)
    side = 1 if target_qty > 0 else -1
    qty = abs(target_qty)
    value_usd = 0.5 * qty * unit2 / clock[0]["scale"]
    rest[0]["limit"] = 0
    share = least_share(side, value_usd, rest, params)
    if value_usd > share * rest[0]["equity_usd"]:
        qty = whole_lots(share * rest[0]["equity_usd"], unit2, clock[0]["scale"], lot)
        rest[0]["limit"] = name_limit(share, side, value_usd, rest, params)
    own_qty = max(side * positions[s]["qty"], 0)
    room_qty = growth_qty(rest, params)
    if qty - own_qty > room_qty:
        qty = own_qty + int(room_qty) // lot * lot
        rest[0]["limit"] = Reason.RISK_PARTICIPATION
    return side * qty


@kernel
def least_share(side, value_usd, rest, params):
    """Return the tightest limit that is a share of equity; 0 without equity."""
    equity_usd = rest[0]["equity_usd"]
    if not equity_usd > 0.0:
        return 0.0
    least = min(params[0]["name_share"], params[0]["name_cap_usd"] / equity_usd)
    least = min(least, params[0]["gross_share"] - rest[0]["gross"], params[0]["net_share"] - side * rest[0]["net"])
    return min(least, left_share(value_usd, rest, params))


@kernel
def left_share(value_usd, rest, params):
    """Return what is left of a target beside the same bet elsewhere, as a share of equity; inf where nothing is taken off."""
    penalty = params[0]["correlation_weight"] * rest[0]["alike"]
    if not penalty > 0.0:
        return math.inf
    return value_usd / rest[0]["equity_usd"] - penalty


@kernel
def name_limit(share, side, value_usd, rest, params):
    """Return the reason that belongs to the tightest share."""
    if not rest[0]["equity_usd"] > 0.0:
        return Reason.RISK_NAME_CAP
    if share == params[0]["gross_share"] - rest[0]["gross"]:
        return Reason.RISK_GROSS
    if share == params[0]["net_share"] - side * rest[0]["net"]:
        return Reason.RISK_NET
    if share == left_share(value_usd, rest, params):
        return Reason.RISK_CORRELATION
    return Reason.RISK_NAME_CAP


@kernel
def growth_qty(rest, params):
    """Return by how many shares a position may grow; inf where the volume is unknown."""
    if not rest[0]["volume_per_min"] > 0.0:
        return math.inf
    return params[0]["participation_max"] * params[0]["volume_min"] * rest[0]["volume_per_min"]


@kernel
def unknown_bits(rest):
    """Return what the limits had to do without: 1 a correlation or volatility of what is held, 2 the volume."""
    bits = 0
    if rest[0]["is_known"] == 0:
        bits |= CORRELATION_UNKNOWN
    if not rest[0]["volume_per_min"] > 0.0:
        bits |= VOLUME_UNKNOWN
    return bits


class RiskModel:
    """Cap targets from plain numbers: `cap` by the value per name, `limit` by all limits of the enhanced form.

    The mode is the enhanced one unless told otherwise; only `off` is another here: it caps nothing.

    Parameters
    ----------
    settings : RiskSettings, optional
    symbols : sequence of str
        Enhanced form: all that may be held.
    **changes
        Single settings, by name, where no `settings` are given.

    Examples
    --------
    >>> RiskModel(name_cap_usd=10_000.0).cap(target_qty=-500, mid_usd=40.0)
    -250
    >>> model = RiskModel(symbols=["SPY", "QQQ"])
    >>> for minute in range(60):
    ...     model.observe({"SPY": minute % 5 - 2.0, "QQQ": 1.5 * (minute % 5) - 3.0})
    >>> round(model.correlation("SPY", "QQQ"), 3)
    1.0
    >>> book = dict(equity_usd=100_000.0, held_usd={"QQQ": 8_000.0}, vol_bps={"SPY": 1.0, "QQQ": 1.5}, volume_per_min=50_000.0)
    >>> model.limit("SPY", target_qty=90, mid_usd=100.0, **book)
    (30, <Reason.RISK_CORRELATION: 73>)
    >>> model.limit("SPY", target_qty=-90, mid_usd=100.0, **book)
    (-90, <Reason.TARGET_SET: 0>)
    """

    def __init__(self, settings: RiskSettings | None = None, *, symbols: Sequence[str] = (), **changes: Any) -> None:
        self.settings = make_settings(RiskSettings, settings, changes, mode="enhanced")
        self._params = as_row(self.settings)
        self._names = Names(symbols or ("all",))
        self._exposure = new_exposure(len(self._names))

    def cap(self, target_qty: int, mid_usd: float, lot: int = 1) -> int:
        """Return the target, cut to the cap per name.

        Parameters
        ----------
        target_qty : int
            Signed shares.
        mid_usd : float
        lot : int
            What is cut is cut to whole lots.

        Returns
        -------
        int
            Signed shares; 0 where the mid is not a positive number.
        """
        check_whole(target_qty=target_qty)
        check_numbers(mid_usd=mid_usd)
        check_lot(lot)
        if not 0.0 < mid_usd < float("inf"):
            return 0
        if self.settings.mode == "off":
            return target_qty
        return int(capped_qty(target_qty, max(round(2 * mid_usd * _SCALE), 1), _SCALE, int(lot), self._params))

    def observe(self, returns_bps: Mapping[str, float]) -> None:
        """Learn one minute.

        Parameters
        ----------
        returns_bps : mapping of str to float
            Of the symbols that were seen.
        """
        correlation = self._exposure.correlation
        correlation.returns[:] = math.nan
        check_numbers(**{f"return of {name}": value for name, value in returns_bps.items()})
        for name, value in returns_bps.items():
            correlation.returns[self._names.symbol(name)] = value
        learn_minute(correlation, self._params)
        judge_pairs(correlation, self._params)

    def correlation(self, symbol: str, other: str) -> float:
        """Return the shrunk correlation of two different symbols."""
        pair = self._names.symbol(symbol), self._names.symbol(other)
        return float(shrunk_rho(*pair, self._exposure.correlation, self._params))

    def limit(self, symbol: str, target_qty: int, mid_usd: float, **book: Any) -> tuple[int, Reason]:
        """Return the target (signed shares), cut to all limits, and the limit that had the last word (TARGET_SET = none).

        Parameters
        ----------
        symbol : str
        target_qty : int
        mid_usd : float
        **book
            `equity_usd`; `held_usd` and `vol_bps`, by symbol: signed value of what is held or worked, volatility per minute;
            `volume_per_min` in shares; `position_qty` of this symbol; `lot`. What is left out is unknown, or nothing held.

        Raises
        ------
        UsageError
            Without equity, for a symbol that the model was not made for, or a name that is none of these.
        """
        strangers = set(book) - {"equity_usd", "held_usd", "vol_bps", "volume_per_min", "position_qty", "lot"}
        if strangers:
            raise UsageError(f"limit knows equity_usd, held_usd, vol_bps, volume_per_min, position_qty and lot, got {strangers}")
        check_whole(target_qty=target_qty)
        check_numbers(mid_usd=mid_usd)
        check_lot(book.get("lot", 1))
        if not 0.0 < mid_usd < float("inf"):
            return 0, Reason.NO_QUOTE
        if not math.isfinite(book.get("equity_usd", math.nan)) or not book["equity_usd"] > 0:
            raise UsageError(f"limit needs equity_usd above 0, got {book.get('equity_usd')!r}")
        s, exposure, row = self._names.symbol(symbol), self._exposure, self._exposure.rest[0]
        row["equity_usd"], row["volume_per_min"] = book["equity_usd"], book.get("volume_per_min", 0.0)
        held, vols = book.get("held_usd", {}), book.get("vol_bps", {})
        for name in {**held, **vols}:
            self._names.symbol(name)
        for k, name in enumerate(self._names.symbols):
            exposure.holdings[k]["share"] = held.get(name, 0.0) / book["equity_usd"]
            exposure.holdings[k]["vol_bps"] = vols.get(name, 0.0)
        weigh_rest(s, 1 if target_qty > 0 else -1, exposure, self._params)
        world = _world(len(self._names), s, mid_usd, book.get("position_qty", 0), book.get("lot", 1))
        qty = limited_qty(target_qty, s, *world, exposure.rest, self._params)
        return int(qty), Reason(int(row["limit"]))


def _world(n_symbols: int, s: int, mid_usd: float, position_qty: int, lot: int) -> tuple[Any, ...]:
    """Return book, positions and clock in which one symbol has a price and a position."""
    book, positions, clock = np.zeros(n_symbols, BOOK), np.zeros(n_symbols, POSITION), np.zeros(1, CLOCK)
    book["bid"] = book["ask"] = max(round(mid_usd * _SCALE), 1)
    book["bid_qty"] = book["ask_qty"] = 1
    book["lot"], clock["scale"] = lot, _SCALE
    positions[s]["qty"] = position_qty
    return book, positions, clock


_SCALE = 10_000
