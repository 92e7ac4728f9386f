"""Gate: does any horizon's forecast deserve to be traded?

Original form (design row 1): a point forecast above a fixed threshold; quantiles pass through as they were issued::

    long  iff  mu >  threshold_bps
    short iff  mu < -threshold_bps            (equality does not pass)

The cost does not enter (the arbiter asks for it), but a leg whose mean or cost is not finite never passes: NaN is not a
reason to trade. Each leg gets its own side. When no leg passes, the one that came closest is written into the decision with
`edge_needed_bps`, so that every refusal says what |mu| would have had to be: the *binding distance*. `off` opens every
leg in the direction of its forecast.

Coverage is counted against the quantiles that were issued with the forecast, never against later ones; a miss is strict::

    below iff outcome < q_lo,   above iff outcome > q_hi
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from replay.jit import kernel
from replay.settings import as_row, setting
from strategy.arbiter import write_leg
from strategy.decision import Reason
from strategy.forecasts import FORECAST_STATE, complete, find_horizon
from strategy.modes import OFF, mode_setting

if TYPE_CHECKING:
    import pandas as pd

COVERAGE = np.dtype(
    [
        ("matured_count", "i8"),
        ("below_count", "i8"),
        ("above_count", "i8"),
        ("dropped_count", "i8"),  # outcomes that were NaN, infinite or never came
    ],
    align=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """Settings of the gate."""

    mode: str = mode_setting()
    threshold_bps: float = setting(2.0, "size of the point forecast above which the gate opens", unit="bps", ge=0)
    pending_max: int = setting(65_536, "forecasts whose outcome is awaited; beyond it the oldest is dropped", ge=1)


@kernel
def open_gate(legs, n, params, decision):
    """Write each living leg's side and the gate's `edge_needed_bps`; return 0, or GATE_COST when no leg passes."""
    decision[0]["edge_needed_bps"] = needed_bps(params)
    n_open = 0
    for k in range(n):
        leg = legs[k]
        leg["side"] = 0
        if leg["is_alive"]:
            leg["side"] = judge_point(leg["mu_bps"], leg["cost_bps"], params)
            if leg["side"] != 0:
                n_open += 1
            else:
                leg["reason"] = Reason.GATE_COST
    if n_open > 0:
        return 0
    _write_nearest(legs, n, decision)
    return Reason.GATE_COST


@kernel
def needed_bps(params):
    """Return what the size of a forecast must exceed, bps."""
    if params[0]["mode"] == OFF:
        return 0.0
    return params[0]["threshold_bps"]


@kernel
def judge_point(mu_bps, cost_bps, params):
    """Return +1 (long), -1 (short) or 0 (shut) for a point forecast."""
    if not (math.isfinite(mu_bps) and math.isfinite(cost_bps)):
        return 0
    needed = needed_bps(params)
    if mu_bps > needed:
        return 1
    if mu_bps < -needed:
        return -1
    return 0


@kernel
def _write_nearest(legs, n, decision):
    nearest = -1
    for k in range(n):
        if legs[k]["is_alive"] and (nearest < 0 or abs(legs[k]["mu_bps"]) > abs(legs[nearest]["mu_bps"])):
            nearest = k
    if nearest >= 0:
        write_leg(nearest, legs, decision)


@kernel
def count_outcome(coverage, s, k, q_lo_bps, q_hi_bps, outcome_bps):
    """Count one outcome against the quantiles issued with its forecast; return 1 when it counted, 0 when it was dropped."""
    cell = coverage[s, k]
    if not (math.isfinite(outcome_bps) and math.isfinite(q_lo_bps) and math.isfinite(q_hi_bps)):
        cell["dropped_count"] += 1
        return 0
    cell["matured_count"] += 1
    if outcome_bps < q_lo_bps:
        cell["below_count"] += 1
    elif outcome_bps > q_hi_bps:
        cell["above_count"] += 1
    return 1


class Coverage(NamedTuple):
    """What became of the issued intervals; shares are NaN without outcomes."""

    matured_count: int
    coverage: float
    miss_below: float
    miss_above: float
    dropped_count: int


class _Issued(NamedTuple):
    symbol: int
    column: int
    q_lo_bps: float
    q_hi_bps: float


class ConformalGate:
    """Issue quantiles, judge them, and keep score of what they promised.

    Parameters
    ----------
    symbols : sequence of str
    horizons_min : sequence of int
    settings : GateSettings, optional
    **changes
        Single settings, by name, where no `settings` are given.

    Examples
    --------
    >>> gate = ConformalGate(symbols=["AAPL"], horizons_min=[5, 30], threshold_bps=3.0)
    >>> q_lo, q_hi = gate.calibrate(1, 0, "AAPL", 30, mu_bps=4.0, sigma_bps=10.0)
    >>> round(q_lo, 2), round(q_hi, 2)
    (-8.82, 16.82)
    >>> gate.judge(q_lo, q_hi, cost_bps=2.5)
    (1, <Reason.TARGET_SET: 0>)
    >>> gate.mature(1, outcome_bps=-9.0)
    >>> gate.coverage("AAPL", 30).miss_below
    1.0
    """

    def __init__(
        self, symbols: Sequence[str], horizons_min: Sequence[int], settings: GateSettings | None = None, **changes: Any
    ) -> None:
        self.settings = settings or GateSettings(**changes)
        self.unknown_count = 0  # outcomes of forecasts that were never issued, or had their outcome already
        self._params = as_row(self.settings)
        self._index = {name: k for k, name in enumerate(symbols)}
        self._horizons = np.array(horizons_min, np.int64)
        self._coverage = np.zeros((len(self._index), len(self._horizons)), COVERAGE)
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
    ) -> tuple[float, float]:
        """Issue the quantiles of a forecast and remember them until its outcome matures.

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

        Returns
        -------
        tuple of float
            Both NaN, and nothing remembered, for a forecast that is not sound.

        Raises
        ------
        KeyError
            For a symbol or a horizon that the gate was not made for.
        """
        column = find_horizon(self._horizons, horizon_min)
        if symbol not in self._index or column < 0:
            raise KeyError(
                f"no gate for {symbol!r} at {horizon_min} min; it has {list(self._index)} at {self._horizons.tolist()}"
            )
        q_lo, q_hi = _quantiles(mu_bps, sigma_bps, q_lo_bps, q_hi_bps)
        if math.isfinite(q_lo):
            self._remember(forecast_id, _Issued(self._index[symbol], column, q_lo, q_hi))
        return q_lo, q_hi

    def mature(self, forecast_id: int, outcome_bps: float) -> None:
        """Count the outcome of a forecast; a second one, or one of an unknown forecast, is ignored and counted as such."""
        issued = self._pending.pop(forecast_id, None)
        if issued is None:
            self.unknown_count += 1
            return
        count_outcome(self._coverage, issued.symbol, issued.column, issued.q_lo_bps, issued.q_hi_bps, float(outcome_bps))

    def judge(self, q_lo_bps: float, q_hi_bps: float, cost_bps: float) -> tuple[int, Reason]:
        """Return the side that may be traded and why; the original form judges the middle of the interval."""
        middle = 0.5 * (float(q_lo_bps) + float(q_hi_bps))
        side = judge_point(middle, float(cost_bps), self._params)
        if side != 0:
            return int(side), Reason.TARGET_SET
        return 0, Reason.GATE_COST if math.isfinite(middle) else Reason.FORECAST_NAN

    def coverage(self, symbol: str, horizon_min: int) -> Coverage:
        """Return how often the outcomes of a symbol and horizon stayed inside what was issued."""
        cell = self._coverage[self._index[symbol], find_horizon(self._horizons, horizon_min)]
        n = int(cell["matured_count"])
        below, above = (int(cell[name]) / n if n else math.nan for name in ("below_count", "above_count"))
        return Coverage(n, 1.0 - below - above, below, above, int(cell["dropped_count"]))

    def _remember(self, forecast_id: int, issued: _Issued) -> None:
        self._pending[forecast_id] = issued
        if len(self._pending) > self.settings.pending_max:
            oldest = self._pending.pop(next(iter(self._pending)))
            self._coverage[oldest.symbol, oldest.column]["dropped_count"] += 1


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
    """Issue the quantiles of a whole series, each outcome becoming known `delay` rows after its forecast.

    Parameters
    ----------
    mu, sigma, outcome : sequence of float
        One row per forecast, bps.
    delay : int
        Rows until an outcome is known, at least 1.
    **settings
        Single settings of the gate, by name.

    Returns
    -------
    pandas.DataFrame
        Columns q_lo and q_hi, bps.

    Examples
    --------
    >>> evaluate([0.0, 1.0], [1.0, 2.0], [0.5, -9.0], delay=1).round(2).values.tolist()
    [[-1.28, 1.28], [-1.56, 3.56]]
    """
    import pandas as pd

    assert delay >= 1
    gate = ConformalGate([""], [1], **{"pending_max": delay + 1, **settings})
    rows = []
    for i, (mu_bps, sigma_bps) in enumerate(zip(mu, sigma, strict=True)):
        if i >= delay:
            gate.mature(i - delay, outcome[i - delay])
        rows.append(gate.calibrate(i, i, "", 1, mu_bps, sigma_bps))
    return pd.DataFrame(rows, columns=["q_lo", "q_hi"])
