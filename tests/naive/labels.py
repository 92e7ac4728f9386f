"""Triple-barrier labels and their uniqueness, from the docstring of `strategy/labels.py`, with fractions."""

from fractions import Fraction

from tests.naive.added import added


def ending(bars, start, profit, stop, bars_max):
    """Return (outcome, index of the last bar) of the label that starts at a bar; the outcome is None where a night cuts it."""
    first = bars[start]
    today = [j for j in range(start + 1, len(bars)) if all(bar["day"] == first["day"] for bar in bars[start : j + 1])]
    for j in today[:bars_max]:
        moves = [first["side"] * (Fraction(bars[j][name], first["close"]) - 1) * 10_000 for name in ("high", "low")]
        if min(moves) <= -stop * Fraction(first["vol_bps"]):
            return -1, j
        if max(moves) >= profit * Fraction(first["vol_bps"]):
            return 1, j
    if len(today) < bars_max:
        return None, today[-1] if today else start
    return 0, today[bars_max - 1]


def labels(bars, profit, stop, bars_max):
    """Return {start: (outcome, bars, uniqueness)} of the labels that ended."""
    ends = {i: ending(bars, i, profit, stop, bars_max) for i, bar in enumerate(bars) if bar["side"] and bar["vol_bps"] > 0}
    alive = [sum(start < t <= end for start, (_, end) in ends.items()) for t in range(len(bars))]
    found = {}
    for start, (outcome, end) in ends.items():
        if outcome is not None:
            life = range(start + 1, end + 1)
            found[start] = outcome, len(life), added(1 / alive[t] for t in life) / len(life)
    return found
