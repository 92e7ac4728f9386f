"""Exits: when does a position end?

*Original* (design section 6), first that holds::

    EXIT_FLAT_BEFORE_CLOSE   now >= close - flat_before_close_min
    EXIT_STOP                side (mid - entry) <= -stop_sigmas sigma entry / 1e4        sigma of the entry's horizon, bps
    EXIT_HORIZON             now >= decision + horizon, or nobody planned this position
    EXIT_OPPOSITE            a horizon's gate is open against the position and none is open for it (seen in cycles only)

A trade opens with the first fill that brings the position to its plan's side; `entry` is the average price of then. A later
plan on the same side renews the horizon and leaves the stop where it was. Exits pass neither gate nor rebalance trigger, but
they keep to the trading hours. Where the enhanced staleness guard finds the quote stale, EXIT_HORIZON waits and is looked at
every `BLIND_RETRIES` retries; a stop and the close press, and go out blind. No wait reaches beyond the time to close.
*Off*: no rule holds.

Stops are looked at with quotes of the symbol, at most once per `cycle_min_ns`; the rest with a timer.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from replay.desk import BOOK, NEVER, POSITION
from replay.jit import kernel
from replay.settings import as_row, setting
from strategy.decision import Reason
from strategy.modes import OFF, mode_setting
from strategy.touch import touch_mid2

MINUTE_NS = 60_000_000_000
BLIND_RETRIES = 10

TRADE = np.dtype(
    [
        ("decision_id", "i8"),
        ("entry_ts_ns", "i8"),
        ("entry_mid2", "i8"),  # twice the average price, so that it compares with bid + ask
        ("stop_mid2", "i8"),  # 0 = no stop
        ("first_stop_mid2", "i8"),  # where it was when the trade opened
        ("horizon_end_ns", "i8"),
        ("watch_ns", "i8"),  # quotes before this time are not looked at; NEVER when flat
        ("check_ns", "i8"),  # timer; NEVER when flat
        ("side", "i8"),  # 0 = flat, or nobody planned this position
        ("is_scaled", "i8"),  # part of it went already, see `strategy.barriers`
        ("is_supported", "i8"),  # a turn in its favour was likely, and has not collapsed since
    ],
    align=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitSettings:
    """Settings of the exit rules."""

    mode: str = mode_setting()
    stop_sigmas: float = setting(1.0, "distance of the stop in sigmas of the entry's horizon; 0 = no stop", ge=0)
    flat_before_close_min: int = setting(5, "minutes before the close at which positions are closed", unit="min", ge=0)
    retry_ns: int = setting(1_000_000_000, "wait before an exit that did not finish is tried again", unit="ns", gt=0)


def new_trades(n_symbols: int) -> np.ndarray:
    """Return TRADE rows (n_symbols,) of flat symbols."""
    trades = np.zeros(n_symbols, TRADE)
    trades["watch_ns"] = NEVER
    trades["check_ns"] = NEVER
    return trades


@kernel
def after_fill(s, now_ns, plans, positions, trades, clock, params):
    """Bring the trade of a symbol in line with its position after a fill or a correction.

    `plans[s]` is the plan that filled: its side, is_exit, decision_id, horizon_end_ns and stop_bps are read.
    """
    qty = positions[s]["qty"]
    trade = trades[s]
    plan = plans[s]
    if qty == 0:
        _forget(trade)
        return
    if plan["is_exit"] == 0 and plan["side"] * qty > 0 and plan["horizon_end_ns"] > 0:
        if trade["side"] * qty <= 0:
            _open_trade(s, now_ns, plan, positions, trade, params)
        trade["horizon_end_ns"] = plan["horizon_end_ns"]
        trade["decision_id"] = plan["decision_id"]
    elif trade["side"] * qty <= 0:
        _forget(trade)
    if trade["watch_ns"] == NEVER:
        trade["watch_ns"] = now_ns
    set_check(s, now_ns, trades, clock, params)


@kernel
def forget_flat(s, positions, trades):
    """Drop the trade of a symbol that holds nothing, as after a start from yesterday's state; return 1 where it did."""
    if positions[s]["qty"] != 0:
        return 0
    _forget(trades[s])
    return 1


@kernel
def _open_trade(s, now_ns, plan, positions, trade, params):
    position = positions[s]
    trade["side"] = plan["side"]
    trade["entry_ts_ns"] = now_ns
    trade["entry_mid2"] = 2 * position["cost"] // position["qty"]
    trade["stop_mid2"] = 0
    distance_bps = params[0]["stop_sigmas"] * plan["stop_bps"]
    if 0.0 < distance_bps < 10_000.0:
        trade["stop_mid2"] = trade["entry_mid2"] - plan["side"] * int(trade["entry_mid2"] * distance_bps / 10_000.0)
    trade["first_stop_mid2"] = trade["stop_mid2"]
    trade["is_scaled"] = 0
    trade["is_supported"] = 0


@kernel
def _forget(trade):
    trade["decision_id"] = 0
    trade["entry_ts_ns"] = 0
    trade["entry_mid2"] = 0
    trade["stop_mid2"] = 0
    trade["first_stop_mid2"] = 0
    trade["is_scaled"] = 0
    trade["is_supported"] = 0
    trade["horizon_end_ns"] = 0
    trade["watch_ns"] = NEVER
    trade["check_ns"] = NEVER
    trade["side"] = 0


@kernel
def flat_ns(clock, params):
    """Return the time from which positions are closed and none is opened; NEVER without a close."""
    if params[0]["mode"] == OFF or clock[0]["trade_until_ns"] <= 0:
        return NEVER
    return clock[0]["trade_until_ns"] - params[0]["flat_before_close_min"] * MINUTE_NS


@kernel
def set_check(s, now_ns, trades, clock, params):
    """Set the timer of a held symbol to the next time at which a rule of the clock may hold."""
    trade = trades[s]
    if params[0]["mode"] == OFF:
        trade["check_ns"] = NEVER
        return
    due_ns = min(trade["horizon_end_ns"], flat_ns(clock, params))
    trade["check_ns"] = due_ns if due_ns > now_ns else now_ns + 1


@kernel
def renew(s, now_ns, horizon_end_ns, trades, clock, params):
    """Give a held position a new horizon: a decision wants it to stay while its exit is still worked."""
    if trades[s]["side"] != 0:
        trades[s]["horizon_end_ns"] = horizon_end_ns
        set_check(s, now_ns, trades, clock, params)


@kernel
def retry_later(s, now_ns, trades, clock, params):
    """Look at the symbol again after `retry_ns`: an exit is under way, or could not start."""
    trades[s]["check_ns"] = _before_close(now_ns, params[0]["retry_ns"], clock, params)
    trades[s]["watch_ns"] = now_ns + params[0]["retry_ns"]


@kernel
def wait_for_sight(s, now_ns, trades, clock, params):
    """Look at the exit of a symbol again after a while: its quote is stale."""
    trades[s]["check_ns"] = _before_close(now_ns, BLIND_RETRIES * params[0]["retry_ns"], clock, params)


@kernel
def _before_close(now_ns, wait_ns, clock, params):
    """Return when a wait that begins now is over: no later than positions have to be closed."""
    close_ns = flat_ns(clock, params)
    if now_ns < close_ns:
        return min(now_ns + wait_ns, close_ns)
    return now_ns + wait_ns


@kernel
def check_exit(s, now_ns, book, positions, trades, clock, params):
    """Return 0, or the EXIT_* reason that holds by clock or price."""
    qty = positions[s]["qty"]
    if qty == 0 or params[0]["mode"] == OFF:
        return 0
    trade = trades[s]
    if now_ns >= flat_ns(clock, params):
        return Reason.EXIT_FLAT_BEFORE_CLOSE
    if trade["side"] * qty > 0 and is_stopped(s, book, trades):
        return Reason.EXIT_STOP
    if trade["side"] * qty <= 0 or now_ns >= trade["horizon_end_ns"]:
        return Reason.EXIT_HORIZON
    return 0


@kernel
def is_stopped(s, book, trades):
    """Tell whether the mid has reached the stop of the trade."""
    trade = trades[s]
    mid2 = touch_mid2(s, book)
    if mid2 == 0 or trade["stop_mid2"] == 0:
        return False
    return trade["side"] * (mid2 - trade["stop_mid2"]) <= 0


@kernel
def check_opposite(s, positions, legs, n, params):
    """Return EXIT_OPPOSITE when some gate is open against the position and none for it, else 0."""
    qty = positions[s]["qty"]
    n_against = 0
    for k in range(n):
        if legs[k]["is_alive"]:
            if legs[k]["side"] * qty > 0:
                return 0
            if legs[k]["side"] * qty < 0:
                n_against += 1
    if n_against == 0 or params[0]["mode"] == OFF:
        return 0
    return Reason.EXIT_OPPOSITE


class ExitRule:
    """Judge one position by the rules of clock and price, from plain numbers.

    Parameters
    ----------
    settings : ExitSettings, optional
    **changes
        Single settings, by name, where no `settings` are given.

    Examples
    --------
    >>> rule = ExitRule(flat_before_close_min=5)
    >>> rule.open(side=1, price_usd=100.0, sigma_bps=50.0, horizon_end_ns=600)
    >>> rule.check(500, bid_usd=99.60, ask_usd=99.62).name
    'TARGET_SET'
    >>> rule.check(500, bid_usd=99.48, ask_usd=99.52).name
    'EXIT_STOP'
    >>> rule.check(600, bid_usd=99.60, ask_usd=99.62).name
    'EXIT_HORIZON'
    """

    def __init__(self, settings: ExitSettings | None = None, **changes: Any) -> None:
        self.settings = settings or ExitSettings(**changes)
        self._params = as_row(self.settings)
        self._trades = new_trades(1)
        self._book = np.zeros(1, BOOK)
        self._positions = np.zeros(1, POSITION)
        self._clock = np.zeros(1, [("trade_until_ns", "i8")])

    def open(self, side: int, price_usd: float, sigma_bps: float, horizon_end_ns: int) -> None:
        """Open a position of one share; `sigma_bps` is the standard deviation over its horizon."""
        plan = np.zeros(1, _PLANNED)
        plan[0] = (side, 0, 0, horizon_end_ns, sigma_bps)
        self._positions[0]["qty"] = side
        self._positions[0]["cost"] = side * round(price_usd * _SCALE)
        self._trades[:] = new_trades(1)
        after_fill(0, 0, plan, self._positions, self._trades, self._clock, self._params)

    def check(self, now_ns: int, bid_usd: float, ask_usd: float, close_ns: int = 0) -> Reason:
        """Return the exit that holds now; TARGET_SET (0) = none. `close_ns` 0 = no close in sight."""
        self._book["bid"], self._book["ask"] = round(bid_usd * _SCALE), round(ask_usd * _SCALE)
        self._book["bid_qty"] = self._book["ask_qty"] = 1
        self._clock["trade_until_ns"] = close_ns
        return Reason(check_exit(0, now_ns, self._book, self._positions, self._trades, self._clock, self._params))


_SCALE = 10_000
_PLANNED = np.dtype(
    [("side", "i8"), ("is_exit", "i8"), ("decision_id", "i8"), ("horizon_end_ns", "i8"), ("stop_bps", "f8")], align=True
)
