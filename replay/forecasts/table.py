"""Forecast rows in memory and on file, checked at the border."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from replay.errors import DataError, UsageError
from replay.events import FORECAST
from replay.forecasts.rules import check_rows

if TYPE_CHECKING:
    import pyarrow as pa

READY = np.dtype([("ready_ts_ns", "i8"), ("symbol", "i8")])
REQUIRED = ("ready_ts_ns", "bar_close_ts_ns", "symbol", "horizon_min", "forecast_id", "mu_bps", "sigma_bps")
TRAINED = "trained_ts_ns"  # optional too; empty = unknown
OPTIONAL = ("q_lo_bps", "q_hi_bps", "p_peak", "p_valley", "net_reward_bps")
_WHOLE = ("ready_ts_ns", "bar_close_ts_ns", "horizon_min", "forecast_id", TRAINED)


class ForecastRows(NamedTuple):
    """Forecasts in the order in which they were ready, with the names of the models that made them."""

    ready: np.ndarray  # READY
    rows: np.ndarray  # FORECAST
    models: tuple[str, ...] = ("",)

    @property
    def digest(self) -> str:
        """Sha256 over rows and times."""
        return hashlib.sha256(self.ready.tobytes() + self.rows.tobytes()).hexdigest()


def no_forecasts() -> ForecastRows:
    """Return an empty table."""
    return ForecastRows(np.zeros(0, READY), np.zeros(0, FORECAST))


def load_forecasts(
    path: Path, symbol_index: Mapping[str, int], known: Sequence[str], horizons_min: Sequence[int] | None = None
) -> ForecastRows:
    """Read a forecasts file (Parquet or csv) in the format of the contract.

    Parameters
    ----------
    path : Path
    symbol_index : mapping
        Symbols of the run; rows of other known symbols are left out.
    known : sequence of str
        All symbols of the sessions; a row of none of them is an error.
    horizons_min : sequence of int, optional
        Horizons of the run; a row of another one is an error.

    Raises
    ------
    DataError
        Missing columns, or a row that breaks a rule of `replay.forecasts.rules`; names file, row and column.
    """
    table = _read(path)
    missing = [name for name in REQUIRED if name not in table.column_names]
    if missing:
        raise DataError(f"{path.name} lacks the columns {', '.join(missing)}; a forecasts file has {', '.join(REQUIRED)}")
    columns = {name: _column(table, name, path) for name in (*REQUIRED, *OPTIONAL, TRAINED) if name in table.column_names}
    models = {"model_id": np.array(table["model_id"].to_pylist(), object)} if "model_id" in table.column_names else {}
    check_rows(path.name, {**columns, **models}, known, horizons_min)
    return _rows(table, columns, symbol_index)


def _read(path: Path) -> pa.Table:
    import pyarrow as pa

    try:
        if path.suffix == ".csv":
            from pyarrow import csv

            return csv.read_csv(path)
        from pyarrow import parquet

        with parquet.ParquetFile(path) as file:  # `read_table` would import pyarrow.dataset: a third of a second
            return file.read()
    except FileNotFoundError:
        raise UsageError(f"forecasts file {path} does not exist") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path} cannot be read as {path.suffix or 'Parquet'} ({str(error).splitlines()[0]})") from error


def _column(table: pa.Table, name: str, path: Path) -> np.ndarray:
    column = table[name]
    if name == "symbol":
        return np.array(column.to_pylist(), object)
    kind = np.int64 if name in _WHOLE else np.float64
    if kind is np.int64 and column.null_count and name != TRAINED:
        row = int(np.flatnonzero(column.is_null().to_numpy())[0])
        raise DataError(f"{path.name} row {row}: {name} is empty, expected a whole number")
    told = column.to_pylist()
    try:
        values: np.ndarray = np.array([0 if cell is None else cell for cell in told] if name == TRAINED else told, kind)
    except (ValueError, TypeError) as error:
        raise DataError(f"{path.name}: column {name} must hold numbers ({error})") from error
    return values


def _rows(table: pa.Table, columns: Mapping[str, np.ndarray], symbol_index: Mapping[str, int]) -> ForecastRows:
    wanted = np.array([name in symbol_index for name in columns["symbol"]], bool)
    rows = np.zeros(int(wanted.sum()), FORECAST)
    for name in OPTIONAL:
        rows[name] = np.nan
    for name, values in columns.items():
        if name not in ("symbol", "ready_ts_ns"):
            rows[name] = values[wanted]
    ready = np.zeros(len(rows), READY)
    ready["ready_ts_ns"] = columns["ready_ts_ns"][wanted]
    ready["symbol"] = [symbol_index[name] for name in columns["symbol"][wanted]]
    models: tuple[str, ...] = ("",)
    if "model_id" in table.column_names:
        names = [str(name) for name in table["model_id"].to_pylist()]
        models = tuple(dict.fromkeys(names)) or ("",)
        codes: dict[str, Any] = {name: k for k, name in enumerate(models)}
        rows["model"] = np.array([codes[name] for name in names], np.int32)[wanted]
    return ForecastRows(ready, rows, models)
