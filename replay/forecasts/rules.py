"""What a forecasts file must keep to. Inside the loop a bad forecast is a verdict; in a file it is a mistake that can be mended.

F1  A forecast is ready at or after the close of its bar.
F2  Rows are sorted by `ready_ts_ns`.
F3  Symbols are those of the sessions. Rows of symbols that the run leaves out (`--symbols`) are ignored.
F4  Horizons are those of the run (`run.horizons_min`).
F5  `mu_bps` is finite, `sigma_bps` finite and positive. Optional columns may be empty (NaN), never infinite.
F6  `q_lo_bps` is not above `q_hi_bps`; barrier probabilities lie in 0 to 1.
F7  A model says one thing at a time: (`ready_ts_ns`, `symbol`, `horizon_min`, `model_id`) is unique. Of different models at one
    time, the later row counts.
F8  A model was trained (`trained_ts_ns`, optional) before its forecast was ready.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from replay.errors import DataError

FINITE = ("mu_bps", "sigma_bps")
_PROBABILITIES = ("p_peak", "p_valley")


class _Fault(NamedTuple):
    """Rows that break a rule, the column to quote, and what to say about it."""

    is_wrong: np.ndarray
    column: str
    sentence: str


def check_rows(name: str, columns: Mapping[str, np.ndarray], known: Sequence[str], horizons_min: Sequence[int] | None) -> None:
    """Raise a sentence for the first row that breaks a rule.

    Parameters
    ----------
    name : str
        Of the file.
    columns : mapping of str to array
        Columns of the file; `model_id` as any codes.
    known : sequence of str
        Symbols of the sessions.
    horizons_min : sequence of int, optional
        Horizons of the run; any positive one where absent.

    Raises
    ------
    DataError
        With file, row and column.
    """
    for fault in _faults(columns, known, horizons_min):
        if fault.is_wrong.any():
            row = int(np.argmax(fault.is_wrong))
            raise DataError(f"{name} row {row}: {fault.column} {columns[fault.column][row]} {fault.sentence}")
    _refuse_twins(name, columns)


def _faults(columns: Mapping[str, np.ndarray], known: Sequence[str], horizons_min: Sequence[int] | None) -> Iterator[_Fault]:
    ready, horizon = columns["ready_ts_ns"], columns["horizon_min"]
    early = "is before its bar_close_ts_ns: the forecast looks ahead; stamp it with bar close plus inference time"
    yield _Fault(ready < columns["bar_close_ts_ns"], "ready_ts_ns", early)
    back = np.concatenate([[False], np.diff(ready) < 0])
    yield _Fault(back, "ready_ts_ns", "is earlier than that of the row before; sort the file by ready_ts_ns")
    if "trained_ts_ns" in columns:
        late = "is after its ready_ts_ns: the model was trained on what came later; give the time when training ended"
        yield _Fault(columns["trained_ts_ns"] > ready, "trained_ts_ns", late)
    strange = ~np.isin(columns["symbol"].astype(str), list(known))
    yield _Fault(strange, "symbol", f"is in no session; they hold {', '.join(known)}")
    yield _Fault(horizon <= 0, "horizon_min", "is no horizon; give minutes above 0")
    if horizons_min is not None:
        words = ", ".join(map(str, horizons_min))
        other = f"is no horizon of this run, which has {words}; take the row out, or set run.horizons_min"
        yield _Fault(~np.isin(horizon, list(horizons_min)), "horizon_min", other)
    yield from _value_faults(columns)


def _value_faults(columns: Mapping[str, np.ndarray]) -> Iterator[_Fault]:
    for name, values in columns.items():
        if values.dtype.kind != "f":
            continue
        if name in FINITE:
            yield _Fault(~np.isfinite(values), name, "is no forecast; give a finite number, or leave the row out")
        else:
            yield _Fault(np.isinf(values), name, "is infinite; give a finite number, or leave it empty")
        if name in _PROBABILITIES:
            yield _Fault((values < 0) | (values > 1), name, "is no probability; give a number from 0 to 1, or leave it empty")
    yield _Fault(columns["sigma_bps"] <= 0, "sigma_bps", "is no standard deviation; give a number above 0")
    if "q_lo_bps" in columns and "q_hi_bps" in columns:
        crossed = columns["q_lo_bps"] > columns["q_hi_bps"]
        yield _Fault(crossed, "q_lo_bps", "is above its q_hi_bps; order the two, or leave both empty")


def _refuse_twins(name: str, columns: Mapping[str, np.ndarray]) -> None:
    """Refuse a row that says again what the same model said at the same time (rule F7)."""
    keys = [columns[key] for key in ("ready_ts_ns", "horizon_min")]
    keys += [np.unique(columns[key].astype(str), return_inverse=True)[1] for key in ("symbol", "model_id") if key in columns]
    order = np.lexsort(keys[::-1])  # stable, so a twin stands after its first
    same = np.ones(max(len(order) - 1, 0), bool)
    for key in keys:
        same &= np.diff(key[order]) == 0
    if same.any():
        twins = np.sort(order[1:][same])
        place = int(np.flatnonzero(order == twins[0])[0])
        row, first = int(order[place]), int(order[place - 1])
        symbol, horizon, ready = (columns[key][row] for key in ("symbol", "horizon_min", "ready_ts_ns"))
        raise DataError(
            f"{name} row {row}: a second forecast for {symbol}, horizon_min {horizon}, ready_ts_ns {ready} (the first is in row "
            f"{first}); keep one, or tell models apart with model_id"
        )
