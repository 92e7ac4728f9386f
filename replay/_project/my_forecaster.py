"""A forecaster of your own: asked at the close of every minute, answers with forecasts in basis points.

Run it with `replay run SESSION --strategy my_forecaster:MyForecaster --config replay.toml`. Forecasts made elsewhere (another
process, a notebook, a model server) need no class: write them to a file and pass `--forecasts`.
"""

from collections.abc import Iterator, Mapping

from replay import Forecast


class MyForecaster:
    """Lean with the book: more size on the bid than on the ask pulls the price up a little."""

    horizons_min = (5, 30)

    def on_bar(self, features: Mapping[str, Mapping[str, float]], ts_ns: int) -> Iterator[Forecast]:
        """Yield a forecast per symbol and horizon; NaN means that a feature is not known yet."""
        del ts_ns  # the time of the bar's close; this example needs no clock
        for symbol, known in features.items():
            imbalance, vol_bps = known["imbalance"], known["vol_bps"]
            if imbalance == imbalance and vol_bps == vol_bps:
                for horizon_min in self.horizons_min:
                    sigma_bps = max(vol_bps, 0.1) * horizon_min**0.5
                    yield Forecast(symbol=symbol, horizon_min=horizon_min, mu_bps=imbalance * sigma_bps, sigma_bps=sigma_bps)
