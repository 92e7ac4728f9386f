"""The built-in forecaster: `strategy.simple_forecast` for every symbol and horizon at each bar close."""

import numpy as np

from replay.events import FORECAST
from replay.forecasts.stage import Market
from replay.forecasts.table import READY, ForecastRows
from replay.jit import kernel
from strategy.simple_forecast import simple_forecast

MODEL = "simple"


class SimpleMaker:
    """Makes the baseline's forecasts.

    Parameters
    ----------
    horizons_min : numpy.ndarray
        int64 (n_horizons,).
    row : numpy.ndarray
        `as_row(SimpleForecastSettings())`.
    latency_ns : int
        From bar close to ready.
    """

    def __init__(self, horizons_min: np.ndarray, row: np.ndarray, latency_ns: int) -> None:
        self._horizons_min = horizons_min
        self._row = row
        self._latency_ns = latency_ns
        self._out = np.zeros(2)
        self._next_id = np.ones(1, np.int64)

    def at(self, close_ns: int, market: Market) -> ForecastRows:
        """Return the forecasts of one bar close; symbols without quote or volatility have none."""
        room = len(market.book) * len(self._horizons_min)
        rows = np.zeros(room, FORECAST)
        ready = np.zeros(room, READY)
        count = make_rows(close_ns, self._horizons_min, market, self._row, self._next_id, self._out, ready, rows)
        ready["ready_ts_ns"] = close_ns + self._latency_ns
        return ForecastRows(ready[:count], rows[:count], (MODEL,))


@kernel
def make_rows(close_ns, horizons_min, market, row, next_id, out, ready, rows):
    """Fill `ready` and `rows`; return how many."""
    n = 0
    for s in range(len(market.book)):
        for k in range(len(horizons_min)):
            h = horizons_min[k]
            if simple_forecast(s, close_ns, h, market.book, market.features, market.minutes, row, out) == 0:
                _write(rows[n], close_ns, h, next_id[0], out)
                ready[n]["symbol"] = s
                next_id[0] += 1
                n += 1
    return n


@kernel
def _write(forecast, close_ns, horizon_min, forecast_id, out):
    forecast["bar_close_ts_ns"] = close_ns
    forecast["forecast_id"] = forecast_id
    forecast["mu_bps"] = out[0]
    forecast["sigma_bps"] = out[1]
    forecast["q_lo_bps"] = np.nan
    forecast["q_hi_bps"] = np.nan
    forecast["p_peak"] = np.nan
    forecast["p_valley"] = np.nan
    forecast["net_reward_bps"] = np.nan
    forecast["horizon_min"] = horizon_min
    forecast["model"] = 0
