"""What drives the order flow, second by second: fair value with its latent alpha, regime, spread and activity.

With s the regime's and the clock's volatility of one second in bps, x an alpha with unit variance and z independent noise::

    x(t+1) = phi x(t) + sqrt(1 - phi^2) z1          half-life 15 minutes
    v(t+1) = v(t) (1 + s (b x(t) + sqrt(1 - ic^2) z2) / 10^4)

`b` is set so that the alpha known now explains about ic^2 of the variance of the next 30 minutes: the sum of the alpha's
future over 1,800 s is 974 x on average, the noise has a deviation of sqrt(1800), so b = ic sqrt(1800) / 974. Alpha moves the
value, the value moves the order flow (`flow`), so imbalance and momentum carry the signal too, as weakly as they do in life.

z is a sum of eight uniform numbers: near normal, and exact in basic arithmetic.
"""

import math
from typing import NamedTuple

import numpy as np

from replay.jit import kernel

SECOND = np.dtype(
    [
        ("value", "f8"),  # fair value, ticks
        ("alpha", "f8"),
        ("spread", "f8"),  # what the market makers want, ticks
        ("rate", "f8"),  # steps per second
        ("market", "f8"),  # share of market orders
        ("vol_bps", "f8"),  # volatility of one second
        ("regime", "i8"),
        ("is_halted", "i8"),
    ],
    align=True,
)

MOTION = np.dtype(
    [
        ("value", "f8"),  # ticks; the value at the start, then where the day left it
        ("value_min", "f8"),
        ("value_max", "f8"),
        ("ic", "f8"),
        ("session_s", "i8"),  # length of the whole trading day, for its U shape
        ("regime", "i8"),  # -1: switch between all of them
    ],
    align=True,
)

COLUMNS = 18  # draws per second
_PHI = 0.9992301633  # 0.5 ** (1 / 900)
_ALPHA_GAIN = 0.04356  # sqrt(1800) / 974
_DAY_S = 23400.0


class Drive(NamedTuple):
    """Inputs of `drive`."""

    profile: np.ndarray  # PROFILE, one row
    regimes: np.ndarray  # REGIME
    motion: np.ndarray  # MOTION, one row
    draws: np.ndarray  # (n_seconds, COLUMNS)


@kernel
def drive(inputs, seconds):
    """Fill `seconds`; `is_halted` is left as it is."""
    profile = inputs.profile[0]
    motion = inputs.motion[0]
    draws = inputs.draws
    regime = motion["regime"] if motion["regime"] >= 0 else 1
    alpha = gauss(draws, 0, 0)
    value = motion["value"]
    stay = math.sqrt(1.0 - motion["ic"] * motion["ic"])
    second_bps = profile["day_vol_bps"] / math.sqrt(_DAY_S)
    for i in range(len(seconds)):
        if motion["regime"] < 0:
            regime = _switch(inputs.regimes, regime, draws[i, 16], draws[i, 17])
        kind = inputs.regimes[regime]
        row = seconds[i]
        edge = _edge(i, motion["session_s"])
        early = edge if 2 * i < motion["session_s"] else 0.0
        vol_bps = second_bps * kind["vol"] * (0.8 + 0.7 * edge + 0.5 * early)
        row["vol_bps"] = vol_bps
        row["spread"] = profile["spread"] * kind["spread"] * (0.95 + 0.4 * early)
        row["rate"] = profile["rate"] * kind["activity"] * (0.75 + 1.1 * edge)
        row["market"] = profile["market"] * kind["market"]
        row["regime"] = regime
        row["alpha"] = alpha
        row["value"] = value
        move = _ALPHA_GAIN * motion["ic"] * alpha + stay * gauss(draws, i, 8)
        value = min(max(value * (1.0 + vol_bps * move / 10000.0), motion["value_min"]), motion["value_max"])
        alpha = _PHI * alpha + math.sqrt(1.0 - _PHI * _PHI) * gauss(draws, i, 0)
    motion["value"] = value


@kernel
def gauss(draws, i, first):
    """Return a near-normal number from eight uniform ones of row `i`."""
    total = 0.0
    for k in range(8):
        total += draws[i, first + k]
    return (total - 4.0) * 1.224744871391589  # sqrt(12 / 8)


@kernel
def _edge(i, session_s):
    """Return 1 at the open and at the close, near 0 around noon."""
    u = (2.0 * i - session_s) / session_s
    return u * u * u * u


@kernel
def _switch(regimes, regime, chance, direction):
    row = regimes[regime]
    if chance * row["stay_s"] >= 1.0:
        return regime
    return regime - 1 if direction < row["calmer"] else regime + 1
