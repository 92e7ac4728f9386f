"""The original gate and its score, from the docstring of `strategy/conformal.py`."""

import math


def side(mu, cost, threshold):
    if not math.isfinite(mu) or not math.isfinite(cost):
        return 0
    return 1 if mu > threshold else -1 if mu < -threshold else 0


def misses(issued, outcomes):
    """Count (matured, below, above, dropped) over (q_lo, q_hi) pairs and their outcomes."""
    known = [(lo, hi, y) for (lo, hi), y in zip(issued, outcomes, strict=True) if math.isfinite(y)]
    below = sum(y < lo for lo, hi, y in known)
    above = sum(y > hi for lo, hi, y in known)
    return len(known), below, above, len(outcomes) - len(known)
