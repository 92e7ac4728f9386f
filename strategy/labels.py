"""Labels: what became of a bar, for training; known when it happened and never earlier.

*Enhanced* (design row 2), the triple barrier. A label starts at the close c of a bar, for a side, with v the volatility of one
bar in bps as it was known then. Of the bars that follow, with `best` and `worst` the extremes of each for that side::

    -1   side 1e4 (worst / c - 1) <= -stop_times v            first: a bar that touches both counts as stopped
    +1   side 1e4 (best / c - 1)  >= profit_times v
     0   neither within `bars_max` bars

*Original*: the sign of the side's return after `bars_max` bars. In both forms `bars` is the time to the event, and `return_bps`
the side's return to the close of the bar that ended the label.

Labels that overlap tell partly the same story. Uniqueness is their weight in training::

    n_t        = labels alive over bar t (started before it, not ended before it)
    uniqueness = mean over the bars of a label's life of 1 / n_t            fixed horizon h, a label per bar: 1/h

A label that would cross a night is left out; while it lived it counted in n_t. `on_bar` takes bars one at a time and gives the
labels that end with each; `label_all` takes them all at once. Both give the same bits: n_t is known when bar t closes, so no
label, weight included, needs anything that comes after `known_ns`.

References
----------
Lopez de Prado, M. (2018), "Advances in Financial Machine Learning", sections 3.4 (triple barrier) and 4.3-4.4 (uniqueness).
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from replay.errors import DataError, UsageError
from replay.jit import kernel
from replay.settings import as_row, setting
from strategy.border import MAX_PRICE_USD, check_numbers, check_time, check_whole, make_settings
from strategy.modes import ENHANCED, mode_setting

if TYPE_CHECKING:
    import pandas as pd

LABEL_BAR = np.dtype(
    [
        ("ts_ns", "i8"),  # close of the bar
        ("day", "i8"),  # any number that is the same for the bars of one day
        ("high", "i8"),
        ("low", "i8"),
        ("close", "i8"),
        ("vol_bps", "f8"),  # of one bar, as known at its close; not positive: no label starts
        ("side", "i8"),  # of the label that starts here; 0 = none does
    ],
    align=True,
)

LABEL = np.dtype(
    [
        ("start_ns", "i8"),
        ("known_ns", "i8"),
        ("close", "i8"),
        ("day", "i8"),
        ("side", "i8"),
        ("outcome", "i8"),
        ("bars", "i8"),
        ("vol_bps", "f8"),
        ("return_bps", "f8"),
        ("uniqueness", "f8"),
    ],
    align=True,
)
_PRICES = ("high", "low", "close")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSettings:
    """Settings of the labels."""

    mode: str = mode_setting(has_enhanced=True)
    profit_times: float = setting(1.5, "enhanced: distance of the profit barrier, in volatilities of one bar", gt=0)
    stop_times: float = setting(1.0, "enhanced: distance of the stop barrier, in volatilities of one bar", gt=0)
    bars_max: int = setting(6, "bars after which a label ends in any case", ge=1)


@kernel
def starts(bar):
    """Tell whether a label starts at the close of a bar."""
    return bar["side"] != 0 and bar["close"] > 0 and 0.0 < bar["vol_bps"] < math.inf


@kernel
def start_label(bar, label):
    """Write a label that starts at the close of a bar."""
    label["start_ns"] = bar["ts_ns"]
    label["known_ns"] = 0
    label["close"] = bar["close"]
    label["day"] = bar["day"]
    label["side"] = bar["side"]
    label["outcome"] = 0
    label["bars"] = 0
    label["vol_bps"] = bar["vol_bps"]
    label["return_bps"] = 0.0
    label["uniqueness"] = 0.0


@kernel
def live(label, bar, params):
    """Let a label live through one more bar; return 1 when that ends it."""
    side = label["side"]
    label["bars"] += 1
    label["return_bps"] = side * _move_bps(label, bar["close"])
    is_last = label["bars"] >= params[0]["bars_max"]
    if params[0]["mode"] == ENHANCED:
        worst_bps = side * _move_bps(label, bar["low"] if side > 0 else bar["high"])
        best_bps = side * _move_bps(label, bar["high"] if side > 0 else bar["low"])
        if worst_bps <= -params[0]["stop_times"] * label["vol_bps"]:
            label["outcome"] = -1
        elif best_bps >= params[0]["profit_times"] * label["vol_bps"]:
            label["outcome"] = 1
    elif is_last:
        label["outcome"] = _sign(label["return_bps"])
    if label["outcome"] == 0 and not is_last:
        return 0
    label["known_ns"] = bar["ts_ns"]
    return 1


@kernel
def _sign(value):
    if value == 0.0:
        return 0
    return 1 if value > 0.0 else -1


@kernel
def _move_bps(label, price):
    return 10_000.0 * (price - label["close"]) / label["close"]


@kernel
def on_bar(bars, i, counts, pending, params, out):
    """Take bar `i`; write the labels that end with it into `out`, in the order of their start; return how many.

    `counts[0]` rows of `pending` are alive; both tables hold `bars_max` rows at least.
    """
    if counts[0] > 0 and pending[0]["day"] != bars[i]["day"]:
        counts[0] = 0
    n_alive = counts[0]
    n_out = 0
    n_left = 0
    for k in range(n_alive):
        label = pending[k]
        label["uniqueness"] += 1.0 / n_alive
        if live(label, bars[i], params):
            out[n_out] = label
            out[n_out]["uniqueness"] /= label["bars"]
            n_out += 1
        else:
            pending[n_left] = label
            n_left += 1
    if starts(bars[i]):
        start_label(bars[i], pending[n_left])
        n_left += 1
    counts[0] = n_left
    return n_out


@kernel
def label_all(bars, params, concurrency, out):
    """Label all bars at once: `out[i]` is the label that starts at bar i, its `known_ns` 0 where there is none.

    `concurrency` (one float per bar) gets the number of labels alive over each bar.
    """
    for i in range(len(bars)):
        out[i]["known_ns"] = 0
        concurrency[i] = 0.0
    for i in range(len(bars)):
        if starts(bars[i]):
            start_label(bars[i], out[i])
            j = i + 1
            while j < len(bars) and bars[j]["day"] == bars[i]["day"] and out[i]["known_ns"] == 0:
                concurrency[j] += 1.0
                live(out[i], bars[j], params)
                j += 1
    for i in range(len(bars)):
        if out[i]["known_ns"] != 0:
            for j in range(i + 1, i + 1 + out[i]["bars"]):
                out[i]["uniqueness"] += 1.0 / concurrency[j]
            out[i]["uniqueness"] /= out[i]["bars"]


class Label(NamedTuple):
    """A label that has ended: `outcome` is 1 (profit), -1 (stop) or 0 (time was up)."""

    start_ns: int
    known_ns: int
    side: int
    outcome: int
    bars: int
    return_bps: float
    uniqueness: float


class TripleBarrier:
    """Label bars as they come; in the enhanced form unless told otherwise.

    Parameters
    ----------
    settings : LabelSettings, optional
    **changes
        Single settings, by name, where no `settings` are given.

    Examples
    --------
    >>> labels = TripleBarrier(bars_max=2)
    >>> labels.bar(1, high_usd=100.0, low_usd=100.0, close_usd=100.0, vol_bps=10.0)
    []
    >>> labels.bar(2, high_usd=100.16, low_usd=100.0, close_usd=100.1, vol_bps=10.0)
    [Label(start_ns=1, known_ns=2, side=1, outcome=1, bars=1, return_bps=10.0, uniqueness=1.0)]
    """

    def __init__(self, settings: LabelSettings | None = None, **changes: Any) -> None:
        self.settings = make_settings(LabelSettings, settings, changes, mode="enhanced")
        self._last_ns = -(2**63)
        self._params = as_row(self.settings)
        self._pending = np.zeros(self.settings.bars_max, LABEL)
        self._out = np.zeros(self.settings.bars_max, LABEL)
        self._counts = np.zeros(1, np.int64)
        self._bar = np.zeros(1, LABEL_BAR)

    def bar(
        self, ts_ns: int, high_usd: float, low_usd: float, close_usd: float, vol_bps: float, *, side: int = 1, day: int = 0
    ) -> list[Label]:
        """Take a bar that closed at `ts_ns` and return the labels that it ended; a label of `side` starts at its close.

        Raises
        ------
        UsageError
            For a bar that is not after the one before, prices that cannot be, or a side other than -1, 0 and 1.
        """
        prices = (high_usd, low_usd, close_usd)
        check_numbers(high_usd=high_usd, low_usd=low_usd, close_usd=close_usd, vol_bps=vol_bps)
        check_whole(side=side, day=day)
        now_ns = check_time(ts_ns, self._last_ns, "bars")
        if now_ns == self._last_ns:
            raise UsageError(f"bars must ascend in time, got two that closed at ts_ns {now_ns}")
        if not _is_bar(*prices):
            raise UsageError(f"the bar at ts_ns {now_ns} {_bar_fault(*prices)}")
        if side not in _SIDES:
            raise UsageError(f"side must be 1 (long), -1 (short) or 0 (no label), got {side!r}")
        self._last_ns = now_ns
        for name, price in zip(_PRICES, prices, strict=True):
            self._bar[name] = round(price * _SCALE)
        self._bar["ts_ns"], self._bar["vol_bps"], self._bar["side"], self._bar["day"] = now_ns, vol_bps, side, day
        n_out = on_bar(self._bar, 0, self._counts, self._pending, self._params, self._out)
        return [Label(*(self._out[k][name].item() for name in Label._fields)) for k in range(n_out)]


def label_bars(bars: "pd.DataFrame", settings: LabelSettings | None = None, **changes: Any) -> "pd.DataFrame":
    """Label a table of bars, in the enhanced form unless told otherwise.

    Parameters
    ----------
    bars : pandas.DataFrame
        Columns ts_ns (close of the bar, ascending), high, low and close (dollars), vol_bps (NaN or not positive = no label
        starts); optional side (1, -1, or 0 = no label; default 1) and day (default: the date of ts_ns in UTC).
    settings : LabelSettings, optional
    **changes
        Single settings, by name, where no `settings` are given.

    Returns
    -------
    pandas.DataFrame
        One row per label that ended, in the order of their start, with the columns of `Label`.

    Raises
    ------
    DataError
        For a missing column, times that do not ascend, prices that cannot be, or another side; the row is named.
    ConfigError
        For a setting beyond its bounds.
    """
    import pandas as pd

    params = as_row(make_settings(LabelSettings, settings, changes, mode="enhanced"))
    if not isinstance(bars, pd.DataFrame):
        raise UsageError(f"bars to label must be a DataFrame, got {type(bars).__name__}")
    rows = _rows_of(bars)
    if "day" in bars.columns:
        rows["day"] = pd.factorize(bars["day"])[0]
    out = np.zeros(len(rows), LABEL)
    label_all(rows, params, np.zeros(len(rows)), out)
    ended = out[out["known_ns"] != 0]
    return pd.DataFrame({name: ended[name] for name in Label._fields})


def _rows_of(bars: "pd.DataFrame") -> np.ndarray:
    """Return a table of bars as LABEL_BAR rows, checked."""
    missing = [name for name in ("ts_ns", *_PRICES, "vol_bps") if name not in bars.columns]
    if missing:
        raise DataError(f"bars to label need the columns {', '.join(missing)}; got {', '.join(map(str, bars.columns))}")
    rows = np.zeros(len(bars), LABEL_BAR)
    rows["ts_ns"] = times_ns = _times_ns(bars)
    rows["day"] = times_ns // _DAY_NS
    rows["vol_bps"] = _numbers(bars, "vol_bps")
    prices = [_numbers(bars, name) for name in _PRICES]
    for k in np.flatnonzero(~_is_bar(*prices))[:1]:
        raise DataError(f"row {k} of the bars to label {_bar_fault(*(column[k] for column in prices))}")
    for name, column in zip(_PRICES, prices, strict=True):
        rows[name] = np.rint(column * _SCALE)
    sides = _numbers(bars, "side") if "side" in bars.columns else np.ones(len(bars))
    for k in np.flatnonzero(~np.isin(sides, _SIDES))[:1]:
        raise DataError(f"side must be 1 (long), -1 (short) or 0 (no label), got {sides[k]:g} in row {k} of the bars to label")
    rows["side"] = sides
    return rows


def _times_ns(bars: "pd.DataFrame") -> np.ndarray:
    times = bars["ts_ns"].to_numpy()
    if not np.issubdtype(times.dtype, np.integer):
        raise DataError(f"the column ts_ns must hold ns since 1970 as whole numbers, got {bars['ts_ns'].dtype}")
    late = np.flatnonzero(times[1:] <= times[:-1])
    if len(late):
        raise DataError(f"bars to label must ascend in time: row {late[0] + 1} is not after row {late[0]}")
    return times


def _numbers(bars: "pd.DataFrame", name: str) -> np.ndarray:
    try:
        return bars[name].to_numpy(float)
    except (TypeError, ValueError) as error:
        raise DataError(f"the column {name} must hold numbers, got {bars[name].dtype}") from error


def _is_bar(high: Any, low: Any, close: Any) -> Any:
    return (low > 0.0) & (low <= close) & (close <= high) & (high <= MAX_PRICE_USD)


def _bar_fault(high: float, low: float, close: float) -> str:
    return (
        f"has high {high:g}, low {low:g} and close {close:g}: a bar has 0 < low <= close <= high (dollars); "
        "mend it, or leave out a bar without trades"
    )


_SIDES = (-1, 0, 1)
_SCALE = 10_000
_DAY_NS = 86_400_000_000_000
