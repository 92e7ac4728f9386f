"""The first door: a user's own forecaster in plain Python, asked at every bar close, before the replay or live beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from replay.errors import UsageError
from replay.events import FORECAST
from replay.forecasts.stage import Market
from replay.forecasts.table import READY, ForecastRows, no_forecasts
from replay.own_code import blame
from strategy.features import MODEL_FEATURE_NAMES, write_model_features


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """One forecast of one symbol and horizon, in basis points of the mid.

    Parameters
    ----------
    symbol : str
    horizon_min : int
    mu_bps, sigma_bps : float
        Mean and standard deviation of the mid's return over the horizon.
    q_lo_bps, q_hi_bps : float, optional
        80 % interval; Gaussian from mu and sigma where absent.
    p_peak, p_valley, net_reward_bps : float, optional
    trained_ts_ns : int, optional
        When the model was last trained, ns since 1970 (UTC); lets the enhanced arbiter see that it is too old.
    delay_ns : int, optional
        From bar close to ready; the stage's own latency where absent.
    """

    symbol: str
    horizon_min: int
    mu_bps: float
    sigma_bps: float
    q_lo_bps: float = np.nan
    q_hi_bps: float = np.nan
    p_peak: float = np.nan
    p_valley: float = np.nan
    net_reward_bps: float = np.nan
    trained_ts_ns: int = 0
    delay_ns: int | None = None


class Forecaster(Protocol):
    """The contract of a forecaster: pure in what it is shown, no clock of its own."""

    horizons_min: Sequence[int]

    def on_bar(self, features: Mapping[str, Mapping[str, float]], ts_ns: int) -> Iterable[Forecast] | None:
        """Return forecasts at the bar close `ts_ns`; `features[symbol][name]`, NaN where unknown."""


class ForecasterMaker:
    """Asks a user's forecaster at each bar close."""

    def __init__(self, forecaster: Forecaster, symbols: Sequence[str], latency_ns: int) -> None:
        self._forecaster = forecaster
        self._index = {name: k for k, name in enumerate(symbols)}
        self._latency_ns = latency_ns
        self._out = np.zeros(len(MODEL_FEATURE_NAMES))
        self._next_id = 1

    def at(self, close_ns: int, market: Market) -> ForecastRows:
        """Return what the forecaster says, with ids in order of appearance."""
        features = self._features(close_ns, market)
        try:
            answers = list(self._forecaster.on_bar(features, close_ns) or ())
        except Exception as error:  # noqa: BLE001 (raised again, with the line of the user's code)
            blame(error, f"{type(self._forecaster).__name__} failed in on_bar")
        if not answers:
            return no_forecasts()
        rows = np.zeros(len(answers), FORECAST)
        ready = np.zeros(len(answers), READY)
        for k, answer in enumerate(answers):
            self.check(answer)
            rows[k] = self._row(answer, close_ns)
            delay_ns = self._latency_ns if answer.delay_ns is None else answer.delay_ns
            ready[k] = (close_ns + delay_ns, self._index[answer.symbol])
        return ForecastRows(ready, rows, (type(self._forecaster).__name__,))

    def _features(self, close_ns: int, market: Market) -> dict[str, dict[str, float]]:
        found = {}
        for name, s in self._index.items():
            write_model_features(s, close_ns, market.book, market.features, market.minutes, market.params, self._out)
            found[name] = dict(zip(MODEL_FEATURE_NAMES, self._out.tolist(), strict=True))
        return found

    def check(self, answer: Any) -> None:
        """Refuse what is no forecast of this run; UsageError says why."""
        if not isinstance(answer, Forecast):
            raise UsageError(f"on_bar must return replay.forecasts.door.Forecast objects, got {type(answer).__name__}")
        if answer.symbol not in self._index:
            raise UsageError(
                f"on_bar gave a forecast for unknown symbol '{answer.symbol}'; this run has {', '.join(self._index)}"
            )
        if answer.horizon_min not in self._forecaster.horizons_min:
            horizons = tuple(self._forecaster.horizons_min)
            raise UsageError(f"on_bar gave horizon_min {answer.horizon_min}, which is not in horizons_min {horizons}")
        if answer.delay_ns is not None and answer.delay_ns < 0:
            raise UsageError(
                f"on_bar gave delay_ns {answer.delay_ns} for '{answer.symbol}': a forecast cannot be ready before its bar"
            )

    def _row(self, answer: Forecast, close_ns: int) -> tuple[Any, ...]:
        forecast_id, self._next_id = self._next_id, self._next_id + 1
        return (
            close_ns,
            forecast_id,
            answer.mu_bps,
            answer.sigma_bps,
            answer.q_lo_bps,
            answer.q_hi_bps,
            answer.p_peak,
            answer.p_valley,
            answer.net_reward_bps,
            answer.trained_ts_ns,
            answer.horizon_min,
            0,
        )
