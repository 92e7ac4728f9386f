"""Normal weights, from the docstring of `strategy/renorm.py`."""

import math


def is_normal(weights):
    return all(math.isfinite(weight) and weight >= 0 for weight in weights)
