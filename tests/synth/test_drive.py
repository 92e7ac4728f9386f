"""What drives the order flow: stationary alpha, the volatility asked for, a U-shaped day, and no regime but the one fixed."""

import numpy as np
import pytest

from replay.synth.draws import Purpose, Stream
from replay.synth.drive import COLUMNS, MOTION, SECOND, Drive, drive
from replay.synth.profiles import profile_of, regime_table
from replay.synth.settings import SynthSettings

DAY_S = 23_400


def driven(ic=0.0, regime=1, seed=1, value=50_000.0):
    """Return the seconds of one day of symbol 0."""
    motion = np.zeros(1, MOTION)
    motion["value"], motion["value_min"], motion["value_max"] = value, value * 0.8, value * 1.2
    motion["ic"], motion["regime"], motion["session_s"] = ic, regime, DAY_S
    seconds = np.zeros(DAY_S, SECOND)
    draws = Stream(seed, 1, 0, Purpose.DRIVE).table(DAY_S, COLUMNS)
    drive(Drive(profile_of(0, SynthSettings()), regime_table(), motion, draws), seconds)
    return seconds


def test_value_moves_as_much_as_its_volatility_says():
    """Without alpha, squared returns add up to the squared volatilities of the seconds, within 5 %."""
    seconds = driven()
    returns = np.diff(seconds["value"]) / seconds["value"][:-1] * 1e4
    expected = (seconds["vol_bps"][:-1] ** 2).sum()

    assert expected == pytest.approx((returns**2).sum(), rel=0.05)


def test_alpha_leads_the_value():
    """With alpha planted, the next half hour goes its way; the share it explains is near the square of the IC."""
    ic, span = 0.4, 1800
    pairs = []
    for seed in range(12):
        seconds = driven(ic=ic, seed=seed)
        start = np.arange(0, DAY_S - span, 300)
        moves = (seconds["value"][start + span] / seconds["value"][start] - 1.0) / seconds["vol_bps"][start]
        pairs.append(np.stack([seconds["alpha"][start], moves]))
    found = np.corrcoef(np.concatenate(pairs, axis=1))[0, 1]

    assert ic == pytest.approx(found, abs=0.12)


def test_day_has_a_u_shape():
    """Open and close are livelier and more volatile than noon."""
    seconds = driven()
    noon = seconds[DAY_S // 2]

    assert all(seconds[edge][name] > 1.3 * noon[name] for edge in (0, -1) for name in ("rate", "vol_bps"))


def test_regimes_switch_only_when_mixed():
    """A fixed regime stays all day; mixed days see all three."""
    assert {2} == set(driven(regime=2)["regime"].tolist())
    assert {0, 1, 2} == {int(regime) for seed in range(3) for regime in driven(regime=-1, seed=seed)["regime"]}


def test_value_stays_inside_its_bounds():
    """However wild, the value never leaves the window of the book."""
    motion = np.zeros(1, MOTION)
    motion["value"], motion["value_min"], motion["value_max"] = 1000.0, 995.0, 1005.0
    motion["regime"], motion["session_s"] = 2, DAY_S
    seconds = np.zeros(2000, SECOND)
    inputs = Drive(
        profile_of(1, SynthSettings(volatility=4.0)), regime_table(), motion, Stream(1, 1, 0, Purpose.DRIVE).table(2000, COLUMNS)
    )
    drive(inputs, seconds)

    assert (995.0, 1005.0) == (seconds["value"].min(), seconds["value"].max())
