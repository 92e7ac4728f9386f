"""The gate for people: issue bounds, judge them, learn from outcomes.

The rules stand in `strategy.gate`, the equations in `strategy.calibration`.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from replay.errors import ConfigError
from replay.settings import as_row
from strategy.calibration import (
    HI,
    LO,
    await_outcome,
    evaluate_series,
    forget_record,
    is_ready,
    issue_bounds,
    mature_record,
    new_calibration,
    write_record,
)
from strategy.decision import Reason
from strategy.forecasts import FORECAST_STATE, complete, find_horizon
from strategy.gate import GateSettings, judge_bounds, judge_point

if TYPE_CHECKING:
    import pandas as pd


class Coverage(NamedTuple):
    """What became of the issued bounds; shares are NaN without outcomes."""

    matured_count: int
    n_eff: float
    coverage: float
    miss_below: float
    miss_above: float
    passed_count: int
    passed_miss: float
    dropped_count: int


class _Issued(NamedTuple):
    symbol: int
    column: int
    record: np.ndarray
    banks: np.ndarray


class ConformalGate:
    """Issue bounds, judge them, and learn from what they promised; in its enhanced form unless told otherwise.

    Parameters
    ----------
    symbols : sequence of str
    horizons_min : sequence of int
    settings : GateSettings, optional
    **changes
        Single settings, by name, where no `settings` are given.

    Examples
    --------
    >>> gate = ConformalGate(symbols=["AAPL"], horizons_min=[5, 30])
    >>> q_lo, q_hi = gate.calibrate(1, 0, "AAPL", 30, mu_bps=14.0, sigma_bps=8.0)
    >>> round(q_lo, 2), round(q_hi, 2)
    (3.75, 24.25)
    >>> gate.judge(q_lo, q_hi, cost_bps=2.5)
    (1, <Reason.TARGET_SET: 0>)
    >>> gate.is_ready("AAPL", 30)
    False
    >>> gate.mature(1, outcome_bps=-9.0)
    """

    def __init__(
        self, symbols: Sequence[str], horizons_min: Sequence[int], settings: GateSettings | None = None, **changes: Any
    ) -> None:
        self.settings = settings or GateSettings(**{"mode": "enhanced", **changes})
        self.unknown_count = 0  # outcomes of forecasts that were never issued, or had their outcome already
        self._params = as_row(self.settings)
        self._index = {name: k for k, name in enumerate(symbols)}
        self._horizons = np.array(horizons_min, np.int64)
        self._state = new_calibration(len(self._index), len(self._horizons), 0)
        self._overlaps = np.ones(self._state.label_counts.shape, np.int64)
        self._waiting = np.zeros(self._state.label_counts.shape, np.int64)
        self._pending: dict[int, _Issued] = {}

    def calibrate(
        self,
        forecast_id: int,
        ts_ns: int,  # noqa: ARG002 - one signature for all forms
        symbol: str,
        horizon_min: int,
        mu_bps: float,
        sigma_bps: float,
        q_lo_bps: float | None = None,
        q_hi_bps: float | None = None,
        cost_bps: float = 0.0,
    ) -> tuple[float, float]:
        """Issue the bounds that the gate judges and remember them until the outcome of the forecast matures.

        Parameters
        ----------
        forecast_id : int
            Names the forecast when its outcome comes.
        ts_ns : int
            When the forecast was issued.
        symbol : str
        horizon_min : int
        mu_bps, sigma_bps : float
        q_lo_bps, q_hi_bps : float, optional
            The model's own quantiles; Gaussian ones stand in.
        cost_bps : float
            Cost of a round trip, where it is known already: the margin above it names the bucket.

        Returns
        -------
        tuple of float
            During the warm-up the quantiles themselves. Both NaN, and nothing remembered, for a forecast that is not sound.

        Raises
        ------
        KeyError
            For a symbol or a horizon that the gate was not made for.
        """
        s, k = self._cell(symbol, horizon_min)
        q_lo, q_hi = _quantiles(mu_bps, sigma_bps, q_lo_bps, q_hi_bps)
        if not math.isfinite(q_lo):
            return q_lo, q_hi
        write_record(s, k, 0, self._state, mu_bps, sigma_bps, cost_bps)
        record = self._state.records[s, k, 0]
        record["base_bps"] = q_lo, q_hi
        issue_bounds(s, k, 0, self._state, self._params)
        self._remember(forecast_id, s, k)
        return float(record["gate_bps"][LO]), float(record["gate_bps"][HI])

    def interval(self, forecast_id: int) -> tuple[float, float]:
        """Return the interval of level `interval_level` that was issued with a forecast whose outcome is still awaited."""
        low, high = self._pending[forecast_id].record["bound_bps"]
        return float(low), float(high)

    def mature(self, forecast_id: int, outcome_bps: float) -> None:
        """Learn from the outcome of a forecast; a second one, or one of an unknown forecast, is ignored and counted as such."""
        issued = self._pending.pop(forecast_id, None)
        if issued is None:
            self.unknown_count += 1
            return
        s, k = issued.symbol, issued.column
        self._recall(issued)
        overlap = int(self._waiting[s, k])
        mature_record(s, k, 0, float(outcome_bps), overlap, self._state, self._params)
        self._overlaps[s, k] = overlap
        self._waiting[s, k] -= 1

    def judge(self, q_lo_bps: float, q_hi_bps: float, cost_bps: float) -> tuple[int, Reason]:
        """Return the side that may be traded and why; the original form judges the middle of the bounds."""
        middle = 0.5 * (float(q_lo_bps) + float(q_hi_bps))
        if self.settings.mode == "enhanced":
            side = judge_bounds(float(q_lo_bps), float(q_hi_bps), float(cost_bps))
        else:
            side = judge_point(middle, float(cost_bps), self._params)
        if side != 0:
            return int(side), Reason.TARGET_SET
        return 0, Reason.GATE_COST if math.isfinite(middle) else Reason.FORECAST_NAN

    def is_ready(self, symbol: str, horizon_min: int) -> bool:
        """Tell whether enough outcomes are known for the enhanced gate to open."""
        s, k = self._cell(symbol, horizon_min)
        return bool(is_ready(s, k, int(self._overlaps[s, k]), self._state))

    def coverage(self, symbol: str, horizon_min: int) -> Coverage:
        """Return how often the outcomes of a symbol and horizon stayed inside what was issued."""
        cell = self._state.coverage[self._cell(symbol, horizon_min)]
        n = int(cell["matured_count"])
        below, above = (int(cell[name]) / n if n else math.nan for name in ("below_count", "above_count"))
        passed = int(cell["passed_count"].sum())
        missed = int(cell["passed_miss_count"].sum()) / passed if passed else math.nan
        return Coverage(n, float(cell["n_eff"]), 1.0 - below - above, below, above, passed, missed, int(cell["dropped_count"]))

    def _cell(self, symbol: str, horizon_min: int) -> tuple[int, int]:
        column = find_horizon(self._horizons, horizon_min)
        if symbol not in self._index or column < 0:
            raise KeyError(
                f"no gate for {symbol!r} at {horizon_min} min; it has {list(self._index)} at {self._horizons.tolist()}"
            )
        return self._index[symbol], int(column)

    def _remember(self, forecast_id: int, s: int, k: int) -> None:
        await_outcome(s, k, 0, self._state)
        self._waiting[s, k] += 1
        self._pending[forecast_id] = _Issued(s, k, self._state.records[s, k, 0].copy(), self._state.issued[s, k, 0].copy())
        if len(self._pending) > self.settings.pending_max:
            oldest = self._pending.pop(next(iter(self._pending)))
            self._recall(oldest)
            self._waiting[oldest.symbol, oldest.column] -= 1
            forget_record(oldest.symbol, oldest.column, 0, self._state)

    def _recall(self, issued: _Issued) -> None:
        self._state.records[issued.symbol, issued.column, 0] = issued.record
        self._state.issued[issued.symbol, issued.column, 0] = issued.banks


def _quantiles(mu_bps: float, sigma_bps: float, q_lo_bps: float | None, q_hi_bps: float | None) -> tuple[float, float]:
    """Order and complete the quantiles by the rules of `strategy.forecasts`; NaN for a forecast that is not sound."""
    row = np.zeros(1, FORECAST_STATE)
    row["mu_bps"] = mu_bps
    row["sigma_bps"] = sigma_bps
    row["q_lo_bps"] = math.nan if q_lo_bps is None else q_lo_bps
    row["q_hi_bps"] = math.nan if q_hi_bps is None else q_hi_bps
    complete(row, 0)
    return float(row["q_lo_bps"][0]), float(row["q_hi_bps"][0])


def evaluate(
    mu: Sequence[float], sigma: Sequence[float], outcome: Sequence[float], delay: int, **settings: Any
) -> "pd.DataFrame":
    """Issue the bounds of a whole series, each outcome becoming known `delay` rows after its forecast.

    Parameters
    ----------
    mu, sigma, outcome : sequence of float
        One row per forecast, bps.
    delay : int
        Rows until an outcome is known, at least 1.
    **settings
        Single settings of the gate, by name; `cost_bps` (number or sequence, default 0) places the margin.

    Returns
    -------
    pandas.DataFrame
        Columns q_lo and q_hi, bps: what `ConformalGate.calibrate` would have answered.

    Raises
    ------
    ConfigError
        For a delay below one, or columns of different lengths.

    Examples
    --------
    >>> evaluate([0.0, 1.0], [1.0, 2.0], [0.5, -9.0], delay=1).round(2).values.tolist()
    [[-1.28, 1.28], [-1.56, 3.56]]
    """
    import pandas as pd

    costs = settings.pop("cost_bps", 0.0)
    columns = [np.array(column, float) for column in (mu, sigma, outcome)]
    if delay < 1 or len({len(column) for column in columns}) != 1:
        raise ConfigError(
            f"evaluate needs columns of one length and a delay of at least 1, got {[len(c) for c in columns]}, {delay}"
        )
    rows = np.column_stack([*columns, np.broadcast_to(np.asarray(costs, float), columns[0].shape)])
    params = as_row(GateSettings(**{"mode": "enhanced", **settings}))
    out = np.zeros((len(rows), 2))
    evaluate_series(rows, delay, new_calibration(1, 1, delay), params, out)
    return pd.DataFrame(out, columns=["q_lo", "q_hi"])
