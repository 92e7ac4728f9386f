"""Start values of the gate, from forecasts of the past and what came of them, so that no live day is spent in warm-up.

Past outcomes are conformalised offline by MAPIE's `ConformalizedQuantileRegressor`, each tail for itself
(`symmetric_correction=False`), in units of sigma, the gate's own scores::

    s_lo = (q_lo - y) / sigma,  s_hi = (y - q_hi) / sigma
    correction of a tail = the ceil((n + 1)(1 - a))-th smallest score,   a = gate_tail, or half of 1 - interval_level

The banks of the gate begin there (`strategy.tracker_bank`), and with the scale of these scores; live outcomes move them on.
Whatever trained the forecasts must not have seen the outcomes used here: leave a purged gap of the longest horizon between.

References
----------
Romano, Y., Patterson, E. and Candes, E. (2019), "Conformalized Quantile Regression", NeurIPS: the correction.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from replay.errors import ConfigError, ExternalError, UsageError
from strategy.border import make_settings
from strategy.calibration import WARM_MIN
from strategy.forecasts import Z
from strategy.gate import GateSettings


class GateStart(NamedTuple):
    """Where the gate of one symbol and horizon begins; the rows of each array are lower and upper tail.

    `interval` and `gate` are the per-tail corrections in units of sigma: how far beyond the model's own quantile the bound lies
    (negative: inside). `scores` are those that they come from, sorted; `n_eff` is what they count, overlaps apart.
    """

    interval: np.ndarray  # float64 (2,)
    gate: np.ndarray  # float64 (2,)
    scores: np.ndarray  # float64 (2, n)
    n_eff: float
    settings: GateSettings


def start_values(
    mu_bps: ArrayLike,
    sigma_bps: ArrayLike,
    outcome_bps: ArrayLike,
    *,
    q_lo_bps: ArrayLike | None = None,
    q_hi_bps: ArrayLike | None = None,
    overlap: float = 1.0,
    **settings: Any,
) -> GateStart:
    """Return where the gate begins, from forecasts of one symbol and horizon and their outcomes.

    Parameters
    ----------
    mu_bps, sigma_bps, outcome_bps : sequence of float
        One row per forecast; rows that are not sound, crossed quantiles included, are left out.
    q_lo_bps, q_hi_bps : sequence of float, optional
        The model's own quantiles; Gaussian ones stand in.
    overlap : float
        Forecasts made within one horizon: 30 for those of each minute over 30 minutes. The more, the less each says.
    **settings
        Single settings of the gate, by name: the levels must be those of the gate that is to begin so.

    Raises
    ------
    ConfigError
        For columns of different lengths, fewer than 100 sound rows, or a setting that cannot be.
    ExternalError
        Where MAPIE cannot be loaded.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> start = start_values(np.zeros(2_000), np.ones(2_000), 2.0 * rng.normal(size=2_000))
    >>> [round(float(correction), 1) for correction in start.gate]  # outcomes twice as wide as the model thinks
    [1.3, 1.3]
    """
    chosen = make_settings(GateSettings, None, settings, mode="enhanced")
    mu, sigma, outcome = (np.asarray(column, float).reshape(-1) for column in (mu_bps, sigma_bps, outcome_bps))
    if not overlap >= 1.0:
        raise ConfigError(f"overlap must be at least 1, got {overlap}")
    quantiles = [mu if column is None else np.asarray(column, float).reshape(-1) for column in (q_lo_bps, q_hi_bps)]
    lengths = [len(column) for column in (mu, sigma, outcome, *quantiles)]
    if len(set(lengths)) != 1:
        raise ConfigError(f"start values need columns of one length, got {lengths} (mu, sigma, outcome, q_lo, q_hi)")
    low = mu - Z * sigma if q_lo_bps is None else quantiles[0]
    high = mu + Z * sigma if q_hi_bps is None else quantiles[1]
    with np.errstate(divide="ignore", invalid="ignore"):  # such rows are left out
        rows = np.column_stack([low / sigma, high / sigma, outcome / sigma])
    rows = rows[np.isfinite(rows).all(axis=1) & (low <= high) & np.isfinite(mu) & np.isfinite(sigma) & (sigma > 0)]
    need = max(WARM_MIN, math.ceil(1.0 / min(chosen.gate_tail, 0.5 * (1.0 - chosen.interval_level))))
    if len(rows) < need:
        raise ConfigError(f"start values need {need} sound rows with known outcomes, got {len(rows)} of {lengths[0]}")
    scores = np.sort(np.stack([rows[:, 0] - rows[:, 2], rows[:, 2] - rows[:, 1]]), axis=1)
    interval, gate = (_corrections(rows, level) for level in (chosen.interval_level, 1.0 - 2.0 * chosen.gate_tail))
    return GateStart(interval, gate, scores, len(rows) * min(1.0, 2.0 / overlap), chosen)


def start_values_of(
    models: Sequence[Any], features: Any, outcome_bps: ArrayLike, sigma_bps: ArrayLike, **settings: Any
) -> GateStart:
    """Return where the gate begins, from fitted quantile models and outcomes that they have not seen.

    Parameters
    ----------
    models : sequence
        Lower, upper and median model, in this order (MAPIE's), or anything with `predict` for each of them.
    features : table (n, m)
        What the models are asked with.
    outcome_bps, sigma_bps : sequence of float
        One per row.
    **settings
        `overlap`, and single settings of the gate, by name.
    """
    if len(models) != 3:
        raise UsageError(f"models are three: lower, upper and median quantile, in this order; got {len(models)}")
    low, high, middle = (np.asarray(model.predict(features), float).reshape(-1) for model in models)
    if np.mean(low) > np.mean(high):
        raise UsageError("the first model predicts above the second on average; the order is lower, upper, median")
    return start_values(middle, sigma_bps, outcome_bps, q_lo_bps=low, q_hi_bps=high, **settings)


def _corrections(rows: np.ndarray, level: float) -> np.ndarray:
    """Return what MAPIE adds beyond each quantile; rows are lower, upper quantile and outcome, over sigma."""
    regressor = _mapie()
    models = [_column_model()(column).fit(rows, rows[:, 2]) for column in (0, 1, 0)]  # it asks for a median and does not use it
    conformal = regressor(models, confidence_level=level, prefit=True).conformalize(rows[:, :2], rows[:, 2])
    _, intervals = conformal.predict_interval(rows[:1, :2], symmetric_correction=False)
    return np.array([rows[0, 0] - intervals[0, 0, 0], intervals[0, 1, 0] - rows[0, 1]])


def _mapie() -> Any:
    try:
        from mapie.regression import ConformalizedQuantileRegressor
    except ImportError as error:
        raise ExternalError(
            f"start values need MAPIE, which cannot be loaded ({error}); install it with `pip install mapie`"
        ) from error
    return ConformalizedQuantileRegressor


def _column_model() -> Any:
    """Return a fitted model that answers with a column of what it is asked: the forecasts are made already."""
    from sklearn.base import BaseEstimator, RegressorMixin

    class Column(RegressorMixin, BaseEstimator):  # type: ignore[misc]
        def __init__(self, column: int = 0) -> None:
            self.column = column

        def fit(self, features: np.ndarray, outcomes: np.ndarray) -> "Column":  # noqa: ARG002 - the signature of a model
            self.fitted_ = True  # what MAPIE looks for
            return self

        def predict(self, features: np.ndarray) -> np.ndarray:
            return np.asarray(features)[:, self.column]

        def __sklearn_is_fitted__(self) -> bool:
            return True

    return Column
