"""The first door: forecasts from plain Python, asked at every minute's close.

replay run data/sample --strategy examples/forecaster.py:Reversion
"""

from replay import Forecast


class Reversion:
    """Expect a tenth of the last five minutes' move to come back, over five and fifteen minutes."""

    horizons_min = (5, 15)

    def on_bar(self, features, ts_ns):  # noqa: ARG002  # this one does not ask for the time
        """Return forecasts at the close of a one-minute bar; unknown features are NaN."""
        for symbol, known in features.items():
            move_bps, vol_bps = known["momentum_5min_bps"], known["vol_bps"]
            if move_bps == move_bps and vol_bps > 0:  # not NaN
                for horizon_min in self.horizons_min:
                    sigma_bps = vol_bps * horizon_min**0.5
                    yield Forecast(symbol=symbol, horizon_min=horizon_min, mu_bps=-0.1 * move_bps, sigma_bps=sigma_bps)
