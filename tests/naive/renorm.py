"""Normal weights, from the docstring of `strategy/renorm.py`."""

import math

from tests.naive.added import added


def is_normal(weights):
    return all(math.isfinite(weight) and weight >= 0 for weight in weights)


def horizons(weights, alive):
    """Return the shares of the survivors."""
    kept = [
        weight if lives and math.isfinite(weight) and weight >= 0 else 0.0 for weight, lives in zip(weights, alive, strict=True)
    ]
    total = math.fsum(kept)
    return [weight / total for weight in kept] if total > 0 else kept


def portfolio(weights, caps, gross_max):
    """Return the weights and cash."""
    finite = [weight if math.isfinite(weight) else 0.0 for weight in weights]
    gross = math.fsum(map(abs, finite))
    fitted = [weight * min(1, gross_max / gross) if gross else 0.0 for weight in finite]
    capped = [math.copysign(min(abs(weight), cap), weight) for weight, cap in zip(fitted, caps, strict=True)]
    return capped, 1 - math.fsum(capped)


def room(target, mid, lot, others, equity, gross_max):
    """Return a target (shares) cut to what the other positions (dollars each) leave, `mid` in dollars."""
    left = gross_max * equity - added(abs(value) for value in others)
    limit = max(math.floor(left / mid / lot), 0) * lot
    return math.copysign(min(abs(target), limit), target)
