"""The gate for people: issue bounds, judge them, learn from outcomes.

The rules stand in `strategy.gate`, the equations in `strategy.calibration`; a whole series at once: `strategy.gate_series`.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from replay.errors import ConfigError, UsageError
from replay.settings import as_row
from replay.snapshot import Lasting, arrays_of, load_state, save_state
from strategy.border import Names, check_counts, check_numbers, check_quantiles, check_time, make_settings
from strategy.calibration import (
    HI,
    LO,
    await_outcome,
    begin,
    forget_record,
    is_ready,
    issue_bounds,
    mature_record,
    new_calibration,
    write_record,
)
from strategy.decision import Reason
from strategy.forecasts import FORECAST_STATE, complete
from strategy.gate import MEAN_EDGE, GateSettings, judge_bounds, judge_point
from strategy.gate_series import evaluate
from strategy.learning import ask_mean, gate_reason
from strategy.margin_buckets import BUCKETS, FIRST_BUCKET, GLOBAL, INTERVAL

if TYPE_CHECKING:
    from strategy.start_values import GateStart

__all__ = ["ConformalGate", "Coverage", "evaluate"]


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


class _Learned(NamedTuple):
    """What the gate learns, under the names that it has in the state of a pipeline."""

    banks: np.ndarray
    buckets: np.ndarray
    warm: np.ndarray
    edges: np.ndarray
    label_counts: np.ndarray
    coverage: np.ndarray


class _Strategy(NamedTuple):
    calibration: _Learned


class ConformalGate:
    """Issue bounds, judge them, and learn from what they promised; in its enhanced form unless told otherwise.

    Parameters
    ----------
    symbols : sequence of str
    horizons_min : sequence of int
    settings : GateSettings, optional
    **changes
        Single settings, by name, where no `settings` are given.

    Attributes
    ----------
    unknown_count : int
        Outcomes that nothing waited for, see `mature`.

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
    >>> gate.mature(1, outcome_bps=-9.0)  # a label that comes twice is counted, and no more
    >>> gate.unknown_count
    1
    """

    def __init__(
        self, symbols: Sequence[str], horizons_min: Sequence[int], settings: GateSettings | None = None, **changes: Any
    ) -> None:
        self.settings = make_settings(GateSettings, settings, changes, mode="enhanced")
        self.unknown_count = 0
        self._params = as_row(self.settings)
        self._names = Names(symbols, horizons_min)
        self._state = new_calibration(len(self._names), len(self._names.horizons_min), 0)
        self._overlaps = np.ones(self._state.label_counts.shape, np.int64)
        self._waiting = np.zeros(self._state.label_counts.shape, np.int64)
        self._last_ns = np.full(self._state.label_counts.shape, -(2**63), np.int64)
        self._pending: dict[int, _Issued] = {}
        self._unsound: dict[int, Reason] = {}  # forecasts that got no bounds, and why, in the order in which they came

    def calibrate(
        self,
        forecast_id: int,
        ts_ns: int,
        symbol: str,
        horizon_min: int,
        mu_bps: float,
        sigma_bps: float,
        q_lo_bps: float | None = None,
        q_hi_bps: float | None = None,
        cost_bps: float = 0.0,
    ) -> tuple[float, float]:
        """Issue the bounds that the gate judges and remember them until the outcome of the forecast matures.

        A forecast that waits already gets bounds as they are now; what is learned goes by those that were issued first.

        Parameters
        ----------
        forecast_id : int
            Names the forecast when its outcome comes.
        ts_ns : int
            When the forecast was issued; for one symbol and horizon it never goes back.
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
            During the warm-up the quantiles themselves. Both NaN for a forecast that is not sound: its verdict is FORECAST_NAN
            (or FORECAST_CROSSED, where a single quantile crosses the Gaussian other), and nothing is learned from it.

        Raises
        ------
        UnknownNameError
            For a symbol or a horizon that the gate was not made for.
        UsageError
            For crossed quantiles, a forecast from before the last one, or an id that another forecast waits under.
        """
        s, k = self._cell(symbol, horizon_min)
        check_numbers(mu_bps=mu_bps, sigma_bps=sigma_bps, cost_bps=cost_bps)
        self._check_id(forecast_id, s, k)
        what = f"forecasts of {symbol!r} at {horizon_min} min"
        self._last_ns[s, k] = check_time(ts_ns, int(self._last_ns[s, k]), what)
        q_lo, q_hi, reason = _quantiles(forecast_id, mu_bps, sigma_bps, q_lo_bps, q_hi_bps)
        if reason != 0:
            self._refuse(forecast_id, reason)
            return q_lo, q_hi
        self._unsound.pop(forecast_id, None)
        write_record(s, k, 0, self._state, float(mu_bps), float(sigma_bps), float(cost_bps))
        record = self._state.records[s, k, 0]
        record["base_bps"] = q_lo, q_hi
        issue_bounds(s, k, 0, self._state, self._params)
        if self._params["rule"] == MEAN_EDGE:
            ask_mean(s, k, record, self._state, self._params)
        if forecast_id not in self._pending:
            self._remember(forecast_id, s, k)
        return float(record["gate_bps"][LO]), float(record["gate_bps"][HI])

    def begin(self, symbol: str, horizon_min: int, start: "GateStart") -> None:
        """Begin where outcomes of the past leave it, without a warm-up; what was learned of this symbol and horizon is replaced.

        Parameters
        ----------
        symbol : str
        horizon_min : int
        start : GateStart
            From `strategy.start_values`, made with the levels of this gate.

        Raises
        ------
        ConfigError
            Where the levels differ.
        """
        s, k = self._cell(symbol, horizon_min)
        if not hasattr(start, "scores"):
            raise UsageError(f"a gate begins from what `strategy.start_values` returns, got {type(start).__name__}")
        ours, theirs = ((each.interval_level, each.gate_tail) for each in (self.settings, start.settings))
        if ours != theirs:
            raise ConfigError(f"the gate has interval_level and gate_tail {ours}, the start values {theirs}; make them anew")
        n = start.scores.shape[1]
        begin(s, k, np.ascontiguousarray(start.scores), n, self._state, self._params)
        for t in (LO, HI):
            cells = self._state.banks[s, k, t]
            cells[INTERVAL]["p"] = start.interval[t]
            cells[GLOBAL : FIRST_BUCKET + BUCKETS]["p"] = start.gate[t]
            cells[GLOBAL]["n_eff"] = start.n_eff
        self._state.label_counts[s, k] = n

    def save(self, path: str | Path) -> None:
        """Write what was learned, by symbol name: `load` and `replay run --state-in` go on from it."""
        names = self._names
        extra = {"strategy": "the default pipeline", "python": None, "is_part": True, "horizons_min": list(names.horizons_min)}
        per_symbol = {name for name, _ in arrays_of(self._lasting())}
        save_state(Path(path), self._lasting(), per_symbol, list(names.symbols), extra)

    def load(self, path: str | Path) -> None:
        """Go on from what `save`, or `replay run --state-out`, wrote; symbols that it does not know begin anew.

        Raises
        ------
        DataError
            For a file that is no start state, or one of other horizons.
        """
        load_state(Path(path), self._lasting(), list(self._names.symbols), self._names.horizons_min)

    def _lasting(self) -> Lasting:
        return Lasting(_Strategy(_Learned(*(getattr(self._state, name) for name in _Learned._fields))))

    def interval(self, forecast_id: int) -> tuple[float, float]:
        """Return the interval of level `interval_level` that was issued with a forecast that waits; NaN if it was not sound."""
        if forecast_id in self._unsound and forecast_id not in self._pending:
            return math.nan, math.nan
        low, high = self._issued(forecast_id).record["bound_bps"]
        return float(low), float(high)

    def verdict(self, forecast_id: int) -> tuple[int, Reason]:
        """Return the side that may be traded on a forecast that waits, and why, as the pipeline would judge it.

        Unlike `judge`, which sees two numbers, it knows the forecast's cost and the warm-up: GATE_NOT_READY until enough outcomes
        are known, GATE_MISSING where too many never came, FORECAST_NAN or FORECAST_CROSSED for a forecast that was not sound.
        """
        if forecast_id in self._unsound:
            return 0, self._unsound[forecast_id]
        issued = self._issued(forecast_id)
        record, cell = issued.record, (issued.symbol, issued.column)
        cost_bps = float(record["cost_bps"])
        if self.settings.mode != "enhanced":
            side = judge_point(float(record["mu_bps"]), cost_bps, self._params)
            return int(side), Reason.TARGET_SET if side != 0 else Reason.GATE_COST
        self._recall(issued)
        reason = gate_reason(*cell, self._state.records[(*cell, 0)], max(int(self._waiting[cell]), 1), self._state, self._params)
        if reason != 0:
            return 0, Reason(reason)
        return self.judge(float(record["gate_bps"][LO]), float(record["gate_bps"][HI]), cost_bps)

    def mature(self, forecast_id: int, outcome_bps: float) -> None:
        """Learn from the outcome of a forecast; NaN = that will never be known.

        An outcome that nothing waits for (a second one, or of a forecast that was never issued, or dropped meanwhile) is ignored
        and counted in `unknown_count`: labels come late and twice, and a live loop goes on.
        """
        check_numbers(outcome_bps=outcome_bps)
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
        """Return the side that may be traded and why; the original form judges the middle of the bounds.

        Bounds that cross are FORECAST_CROSSED, but for those of `rule = "mean_edge"`, which may.
        """
        check_numbers(q_lo_bps=q_lo_bps, q_hi_bps=q_hi_bps, cost_bps=cost_bps)
        if q_lo_bps > q_hi_bps and self._params["rule"] != MEAN_EDGE:
            return 0, Reason.FORECAST_CROSSED
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
        return self._names.symbol(symbol), self._names.horizon(horizon_min)

    def _issued(self, forecast_id: int) -> _Issued:
        if forecast_id not in self._pending:
            raise UsageError(
                f"no outcome of forecast {forecast_id!r} is awaited; ask after `calibrate` and before `mature` "
                f"(at most {self.settings.pending_max} wait, see `pending_max`)"
            )
        return self._pending[forecast_id]

    def _check_id(self, forecast_id: int, s: int, k: int) -> None:
        check_counts(forecast_id=forecast_id)
        waiting = self._pending.get(forecast_id)
        if waiting is not None and (waiting.symbol, waiting.column) != (s, k):
            symbol, horizon_min = self._names.symbols[waiting.symbol], self._names.horizons_min[waiting.column]
            raise UsageError(
                f"forecast {forecast_id} waits already for {symbol!r} at {horizon_min} min; give every forecast an id of its own"
            )

    def _refuse(self, forecast_id: int, reason: Reason) -> None:
        """Remember that a forecast was not sound, so that its verdict can say so."""
        self._unsound[forecast_id] = reason
        if len(self._unsound) > self.settings.pending_max:
            del self._unsound[next(iter(self._unsound))]

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


def _quantiles(
    forecast_id: int, mu_bps: float, sigma_bps: float, q_lo_bps: float | None, q_hi_bps: float | None
) -> tuple[float, float, Reason]:
    """Complete the quantiles by the rules of `strategy.forecasts`; NaN, and why, for a forecast that is not sound."""
    low, high = (math.nan if q is None else q for q in (q_lo_bps, q_hi_bps))
    check_numbers(q_lo_bps=low, q_hi_bps=high)
    if math.isfinite(low) and math.isfinite(high):
        check_quantiles(forecast_id, low, high)
    row = np.zeros(1, FORECAST_STATE)
    row["mu_bps"], row["sigma_bps"], row["q_lo_bps"], row["q_hi_bps"] = mu_bps, sigma_bps, low, high
    complete(row, 0)
    return float(row["q_lo_bps"][0]), float(row["q_hi_bps"][0]), Reason(int(row["reason"][0]))
