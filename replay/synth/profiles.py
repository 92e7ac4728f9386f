"""Four kinds of stock and three regimes, as tables that the kernels read.

The profiles span what matters to a queue: a large-tick name trades at a spread of one tick with long queues, a small-tick
name at many ticks with a hundred or two shares in front. Figures are round numbers in the range of liquid US stocks.
"""

import numpy as np

from replay.synth.settings import SynthSettings

PROFILE = np.dtype(
    [
        ("start_price", "i8"),  # price units
        ("tick", "i8"),  # price units
        ("spread", "f8"),  # usual spread, ticks
        ("rate", "f8"),  # steps per second at an ordinary time of day
        ("orders", "f8"),  # resting orders, both sides
        ("mean_lots", "f8"),  # round lots of an order, on average
        ("behind", "f8"),  # how far behind the touch limit orders lie, ticks, on average
        ("day_vol_bps", "f8"),
        ("market", "f8"),  # share of market orders among the steps
        ("off_exchange", "f8"),  # off-exchange prints per market order of a quiet moment
    ],
    align=True,
)

REGIME = np.dtype(
    [
        ("vol", "f8"),
        ("spread", "f8"),
        ("activity", "f8"),
        ("market", "f8"),
        ("stay_s", "f8"),  # mean length
        ("calmer", "f8"),  # chance that it ends in the regime one step calmer (else one step wilder)
    ],
    align=True,
)

TICK = 100  # one cent at the default scale of 10,000
VENUES = ("NASDAQ", "NYSE", "ARCA", "BATS", "EDGX", "IEX", "FINRA")
FINRA = len(VENUES) - 1
VENUE_SHARE = (0.36, 0.58, 0.75, 0.88, 0.96, 1.0)  # cumulative, of displayed orders

_NAMES = ("ALFA", "BRVO", "CHRL", "DLTA", "EKHO", "FXTR", "GOLF", "HOTL", "INDG", "JULT", "KILO", "LIMA")
_PROFILES = (
    # start_price tick spread rate orders mean_lots behind day_vol market off_exchange
    (24_0000, TICK, 1.0, 6.0, 240.0, 4.0, 4.0, 120.0, 0.07, 0.95),
    (412_0000, TICK, 6.0, 8.0, 140.0, 1.0, 12.0, 150.0, 0.07, 0.95),
    (118_0000, TICK, 2.0, 7.0, 180.0, 1.5, 6.0, 140.0, 0.07, 0.95),
    (57_0000, TICK, 3.0, 4.0, 110.0, 1.2, 6.0, 160.0, 0.07, 0.95),
)
_REGIMES = (
    # vol spread activity market stay_s calmer
    (0.6, 0.8, 0.7, 0.9, 900.0, 0.0),  # calm
    (1.0, 1.0, 1.0, 1.0, 1200.0, 0.6),  # normal
    (2.0, 1.8, 1.8, 1.3, 360.0, 1.0),  # stressed
)


def symbol_name(number: int) -> str:
    """Name the symbol with this number; none is a listed ticker's meaning.

    Examples
    --------
    >>> symbol_name(0), symbol_name(12)
    ('ALFA', 'SYM012')
    """
    return _NAMES[number] if number < len(_NAMES) else f"SYM{number:03d}"


def profile_of(number: int, settings: SynthSettings) -> np.ndarray:
    """Return the profile of a symbol (one row of `PROFILE`), scaled as the settings ask."""
    row = np.array([_PROFILES[number % len(_PROFILES)]], PROFILE)
    row["rate"] *= settings.activity
    row["orders"] *= settings.depth
    row["day_vol_bps"] *= settings.volatility
    return row


def regime_table() -> np.ndarray:
    """Return the three regimes, from calm to stressed."""
    return np.array(list(_REGIMES), REGIME)
