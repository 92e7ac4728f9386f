"""The baseline forecast, from the docstring of `strategy/simple_forecast.py`."""

import math


def forecast(horizon, micro, spread, flow, momentum, vol, settings):
    """Return (mu, sigma) or None; NaN = unknown."""
    if math.isnan(spread) or math.isnan(vol):
        return None
    sigma = vol * math.sqrt(horizon)
    momentum = 0.0 if math.isnan(momentum) else momentum
    mu = settings.micro_weight * micro + settings.flow_weight * flow * spread + settings.momentum_weight * momentum
    bound = settings.edge_sigma_max * sigma
    return max(-bound, min(bound, mu)), sigma
