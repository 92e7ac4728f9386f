"""Three speeds and the state, from the docstring of `strategy/regime.py`: recomputed from all minute returns."""

import math
from itertools import groupby

from tests.naive.added import added


def average(values, half_life):
    """Return the average after each value, the first ones weighing alike."""
    found, level = [], 0.0
    for n, value in enumerate(values, 1):
        level += max(1 / n, 1 - 2 ** (-1 / half_life)) * (value - level)
        found.append(level)
    return found


def profile(minutes, surprises, now):
    """Return the profile for the half hour of minute `now`; `minutes` and `surprises` pair up, None = no surprise."""
    level, days = 0.0, 0
    for half_hour, group in groupby(zip(minutes, surprises, strict=True), key=lambda pair: pair[0] // 30):
        known = [surprise for _, surprise in group if surprise is not None]
        if half_hour < now // 30 and half_hour % 48 == now // 30 % 48 and known:
            days += 1
            level += max(1 / days, 1 / 20) * (added(known) / len(known) - level)
    return min(max(level, 0.1), 10.0) if days else 1.0


def regimes(minutes, returns, settings):
    """Return (fast, slow, ratio, state) after each minute; `minutes` are numbers of minutes, each with its return in bps."""
    squares = [value * value for value in returns]
    fast, slow = average(squares, settings.fast_half_life_min), average(squares, settings.slow_half_life_min)
    surprises = [None] + [square / before if before > 0 else None for square, before in zip(squares[1:], slow[:-1], strict=True)]
    state, found = 0, []
    for n in range(len(minutes)):
        level = slow[n] * profile(minutes[: n + 1], surprises[: n + 1], minutes[n])
        ratio = math.nan
        if n + 1 >= settings.regime_returns and level > 0:
            ratio = math.sqrt(fast[n] / level)
            state = follow(state, ratio, settings)
        found.append((math.sqrt(fast[n]), math.sqrt(slow[n]), ratio, state))
    return found


def follow(state, ratio, settings):
    if state == 1 and ratio >= settings.regime_back:
        return 1
    if state == -1 and ratio <= 1 / settings.regime_back:
        return 1 if ratio > settings.regime_high else -1
    return 1 if ratio > settings.regime_high else -1 if ratio < settings.regime_low else 0
