"""Queue models: how a fall of displayed size that no print explains is shared between those ahead of us and those behind.

Displayed size goes from `new + drop` to `new`; `ahead` of it stood before us, `back = new + drop - ahead` behind. With p the
chance that a cancelled share stood behind us::

    TRADES_ONLY   front = ahead                                   cancels are all behind; never clamped to the display
    BEHIND_FIRST  front = ahead                                   cancels are behind as long as there is anyone
    PRO_RATA      front = ahead * new / (new + drop)              every share is as likely to go as any other
    ALL_AHEAD     front = ahead - drop                            cancels are all ahead
    POWER         front = ahead - (1 - p) drop + min(back - p drop, 0),   p = back^n / (back^n + ahead^n)
    LOG           as POWER with                                   p = ln(1 + back) / (ln(1 + back) + ln(1 + ahead))
    FIFO          no model: the messages of the full order book say who left (`fills.fifo`)

    FITTED        front = ahead - q drop,   ln(q / (1 - q)) = base + position ln(ahead / back) + ...   (`on_fitted_fall`)

All but the first end with `0 <= front <= min(ahead, new)`: cancels alone never send a queue below zero and never help beyond
what the display still shows. Shares are whole: a fraction rounds up, against us; FITTED carries on to the next fall what is less
than the quantity that left.

The interface has three functions, chosen by one code: `on_join`, `on_trade`, `on_level_change`. A user's own model is three such
functions too (`fills.own_queue`).

References
----------
The power and log families are those of hftbacktest (MIT licence), corrected at both ends.
"""

import math
from enum import StrEnum

import numpy as np

from replay.errors import UsageError
from replay.jit import kernel
from replay.numeric import exp, log

UNKNOWN = 2**62  # nobody has seen the level yet; reported as -1

TRADES_ONLY = 0
BEHIND_FIRST = 1
PRO_RATA = 2
ALL_AHEAD = 3
POWER = 4
LOG = 5
FIFO = 6
FITTED = 7
OWN = 8  # a user's own model, bound by `fills.own_queue`

MICRO = 1_000_000  # FITTED counts what is ahead in millionths of a share
_MOST_LOG_ODDS = 30.0
_SECOND_NS = 1e9
MOST_QUIET_NS = 60_000_000_000  # longer silence counts as this
MOST_MOVES = 60  # and more moves of the touch as this

QUEUE_FIT = np.dtype(
    [
        ("base", "f8"),  # log-odds that a cancelled share stood ahead of us, all terms below at zero
        ("position", "f8"),  # per ln(quantity ahead / quantity behind)
        ("level", "f8"),  # per ln(displayed quantity before the fall)
        ("drop", "f8"),  # per ln(quantity that left)
        ("age", "f8"),  # per ln(1 + seconds since the order joined)
        ("spread", "f8"),  # per ln(spread in ticks)
        ("balance", "f8"),  # per ln(displayed quantity / that of the other side)
        ("quiet", "f8"),  # per ln(1 + seconds since the last print on this side, 60 at most)
        ("hidden_decay", "f8"),  # ahead shrinks as (1 + seconds)^-decay while a better price hides the level ...
        ("hidden_move", "f8"),  # ... and by exp(-this) with each move of the touch
        ("venue_share", "f8"),  # of a print without a venue, what reaches our queue; 0 = not learned
        ("hidden_share", "f8"),  # of what prints at a displayed price, what met hidden orders
        ("passed_share", "f8"),  # of a print beyond a displayed price, what passed it by
    ],
    align=True,
)


class QueueModel(StrEnum):
    """Name a queue model; `code` is what the kernels see."""

    TRADES_ONLY = "trades_only"
    BEHIND_FIRST = "behind_first"
    PRO_RATA = "pro_rata"
    ALL_AHEAD = "all_ahead"
    POWER = "power"
    LOG = "log"
    FIFO = "fifo"
    FITTED = "fitted"

    @classmethod
    def _missing_(cls, value: object) -> "QueueModel":
        if str(value).upper() in cls.__members__:
            return cls[str(value).upper()]
        known = ", ".join(member.value for member in cls)
        own = "the path of a fitted model (*.toml) or `file.py:name` of an own one"
        raise UsageError(f"unknown queue model {value!r}; known are {known}, {own}")

    @property
    def code(self) -> int:
        """Return the number of the model in `VENUE_CTL`."""
        return list(QueueModel).index(self)


DISPLAY_MODELS = tuple(model for model in QueueModel if model is not QueueModel.FIFO)  # what level 1 is enough for


@kernel
def on_join(model, displayed_qty, floor_qty):  # noqa: ARG001  every queue model has this signature
    """Return the quantity ahead of an order that joins a visible level behind own orders with `floor_qty` ahead of them."""
    return max(displayed_qty, floor_qty)


@kernel
def on_trade(model, ahead_qty, taken_qty):  # noqa: ARG001  every queue model has this signature
    """Return the quantity ahead after prints took `taken_qty` of it."""
    return max(ahead_qty - taken_qty, 0)


@kernel
def on_level_change(model, ahead_qty, drop_qty, new_qty, power):
    """Return the quantity ahead after the display fell to `new_qty`, `drop_qty` of it unexplained by prints."""
    if ahead_qty == UNKNOWN:
        return new_qty
    if model == TRADES_ONLY:
        return ahead_qty
    most = min(ahead_qty, new_qty)
    if drop_qty <= 0 or model == BEHIND_FIRST:
        return most
    if model == ALL_AHEAD:
        return min(max(ahead_qty - drop_qty, 0), most)
    if model == PRO_RATA:
        whole = new_qty + drop_qty
        return min((ahead_qty * new_qty + whole - 1) // whole, most)
    return min(_share(model, ahead_qty, drop_qty, new_qty, power), most)


@kernel
def _share(model, ahead_qty, drop_qty, new_qty, power):
    back = float(max(new_qty + drop_qty - ahead_qty, 0))
    p = _behind_chance(model, float(ahead_qty), back, power)
    front = ahead_qty - (1.0 - p) * drop_qty + min(back - p * drop_qty, 0.0)
    whole = int(max(front, 0.0))
    return whole + 1 if front > whole else whole


@kernel
def _behind_chance(model, front, back, power):
    if back <= 0.0:
        return 0.0
    if front <= 0.0:
        return 1.0
    if model == LOG:
        weight = log(1.0 + back)
        return weight / (weight + log(1.0 + front))
    return 1.0 / (1.0 + exp(power * (log(front) - log(back))))


@kernel
def on_fitted_fall(fit, ahead_micro, drop_qty, new_qty, age_ns, spread_ticks, other_qty, quiet_ns):
    """Return the millionths of a share ahead after a fall of the display, by the fitted odds that those ahead left."""
    ahead = ahead_micro / MICRO
    back = new_qty + drop_qty - ahead
    most = min(ahead_micro, new_qty * MICRO)
    if drop_qty <= 0 or ahead_micro <= 0:
        return most
    if back <= 0.0:
        return min(max(ahead_micro - drop_qty * MICRO, 0), most)
    odds = fit["base"] + fit["position"] * log(ahead / back)
    odds += fit["level"] * log(float(new_qty + drop_qty)) + fit["drop"] * log(float(drop_qty))
    odds += fit["age"] * log(1.0 + max(age_ns, 0) / _SECOND_NS) + fit["spread"] * log(max(spread_ticks, 1.0))
    odds += fit["balance"] * log((new_qty + drop_qty) / max(other_qty, 1))
    odds += fit["quiet"] * log(1.0 + min(max(quiet_ns, 0), MOST_QUIET_NS) / _SECOND_NS)
    odds = min(max(odds, -_MOST_LOG_ODDS), _MOST_LOG_ODDS)
    gone = min(drop_qty / (1.0 + exp(-odds)), ahead)
    return min(math.floor((ahead - gone) * MICRO + 0.5), most)


@kernel
def on_fitted_return(fit, ahead_micro, hidden_ns, n_moves, new_qty):
    """Return the millionths of a share ahead when a level is the touch again after a better price hid it.

    The touch moved `n_moves` times meanwhile: the further it went, the more of those who wait give up.
    """
    loss = fit["hidden_decay"] * log(1.0 + max(hidden_ns, 0) / _SECOND_NS)
    loss += fit["hidden_move"] * min(max(n_moves, 0), MOST_MOVES)
    if loss <= 0.0:
        return min(ahead_micro, new_qty * MICRO)
    return min(math.floor(ahead_micro * exp(-loss) + 0.5), ahead_micro, new_qty * MICRO)


@kernel
def on_match(ahead_micro, drop_qty, new_qty):
    """Return the millionths of a share ahead after a fall in the very event of a print: who left it stood first in line."""
    return min(max(ahead_micro - drop_qty * MICRO, 0), new_qty * MICRO)
