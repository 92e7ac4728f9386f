"""Snapshots: all state as named arrays, addressed by symbol name, so that days with other symbols can go on from it.

A file may hold a part of a strategy alone, such as start values of the gate: what it lacks then begins anew.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from replay.errors import DataError

FORMAT = 1
# Arrays of these names come from the configuration, not from yesterday.
SETTINGS = (
    "params",
    "params_acting",
    "horizons",
    "watch",
    "is_watched",
    "rollout_keys",
    "rollout_seed",
    "rollout_shares",
    "modes_configured",
)
FIXED = ("equity_usd",)  # fields that do
PAIRS = ("pairs",)  # arrays of these names have the symbol on both of their first axes


class Lasting(NamedTuple):
    """What goes on from day to day: the strategy's arrays, and those of the forecaster's features where one runs here."""

    strategy: Any
    forecaster: Any = ()


def arrays_of(state: Any, prefix: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """Walk a tuple (of tuples) of arrays and give each array a dotted name."""
    names = getattr(state, "_fields", None) or [str(k) for k in range(len(state))]
    for name, part in zip(names, state, strict=True):
        label = f"{prefix}{name}"
        if isinstance(part, np.ndarray):
            yield label, part
        else:
            yield from arrays_of(part, f"{label}.")


def take(state: Any) -> dict[str, np.ndarray]:
    """Copy every array of a state."""
    return {name: array.copy() for name, array in arrays_of(state)}


def put_back(state: Any, saved: dict[str, np.ndarray]) -> None:
    """Bring a state of the same shape to what `take` saw."""
    for name, array in arrays_of(state):
        array[...] = saved[name]


def symbol_arrays(build: Any, n_symbols: int) -> set[str]:
    """Name the arrays whose first axis is the symbol, by building the state for two numbers of symbols."""
    small = dict(arrays_of(build(n_symbols)))
    large = dict(arrays_of(build(n_symbols + 1)))
    return {name for name, array in small.items() if array.shape != large[name].shape}


def save_state(path: Path, state: Any, per_symbol: set[str], symbols: Sequence[str], extra: dict[str, Any]) -> None:
    """Write a strategy's state with the symbols' names; to a temporary name first."""
    arrays = {f"array:{name}": array for name, array in _lasting(state)}
    meta = {"format": FORMAT, "symbols": list(symbols), "per_symbol": sorted(per_symbol), **extra}
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        np.savez_compressed(file, meta=np.array(json.dumps(meta)), **arrays)  # type: ignore[arg-type]
    part.replace(path)


def load_state(path: Path, state: Any, symbols: Sequence[str], horizons_min: Sequence[int] | None = None) -> dict[str, Any]:
    """Bring a fresh state to what a file holds: rows of known symbols, and everything that is not per symbol.

    Parameters
    ----------
    path : Path
    state : tuple of arrays
    symbols : sequence of str
        Of the state, in the order of its arrays.
    horizons_min : sequence of int, optional
        Of the state; refuses a file of other horizons.

    Returns
    -------
    dict
        What the writer put beside the arrays.

    Raises
    ------
    DataError
        When the file is not a start state, or one of another layout.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            meta = json.loads(str(file["meta"]))
            saved = {name.removeprefix("array:"): file[name] for name in file.files if name != "meta"}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"start state {path} cannot be read as one; give a file that --state-out wrote") from error
    if meta["format"] != FORMAT:
        raise DataError(f"start state {path} has format {meta['format']}, expected {FORMAT}; write it again with --state-out")
    theirs = meta.get("horizons_min")
    if horizons_min is not None and theirs is not None and list(horizons_min) != theirs:
        raise DataError(f"start state {path} is of horizons {theirs} min, expected {list(horizons_min)}; write one of these")
    known = [
        (name, array)
        for name, array in _lasting(state)  # what the writer had no more of, or its forecasts from elsewhere, starts anew
        if name in saved or not (meta.get("is_part") or name.startswith("forecaster."))
    ]
    for name, array in known:
        if name not in saved or not _fits(name, saved[name], array):
            raise DataError(f"start state {path} does not fit this strategy at '{name}'; write it again with --state-out")
    rows = [(symbols.index(name), k) for k, name in enumerate(meta["symbols"]) if name in symbols]
    for name, array in known:
        _copy(name, array, saved[name], rows, is_per_symbol=name in meta["per_symbol"])
    return dict(meta)


def _copy(name: str, array: np.ndarray, saved: np.ndarray, rows: list[tuple[int, int]], *, is_per_symbol: bool) -> None:
    """Bring one array to what was saved, but for the fields that the configuration says."""
    ours = {field: array[field].copy() for field in FIXED if field in (array.dtype.names or ())}
    if _is_of_pairs(name):
        _copy_pairs(array, saved, rows)
    else:
        _copy_rows(array, saved, rows if is_per_symbol else None)
    for field, values in ours.items():
        array[field] = values


def _lasting(state: Any) -> Iterator[tuple[str, np.ndarray]]:
    return ((name, array) for name, array in arrays_of(state) if name.rsplit(".", 1)[-1] not in SETTINGS)


def _is_of_pairs(name: str) -> bool:
    return name.rsplit(".", 1)[-1] in PAIRS


def _fits(name: str, saved: np.ndarray, array: np.ndarray) -> bool:
    n_free = 2 if _is_of_pairs(name) else 1
    return saved.dtype == array.dtype and saved.shape[n_free:] == array.shape[n_free:]


def _copy_pairs(array: np.ndarray, saved: np.ndarray, rows: list[tuple[int, int]]) -> None:
    for here, there in rows:
        _copy_rows(array[here], saved[there], rows)


def _copy_rows(array: np.ndarray, saved: np.ndarray, rows: list[tuple[int, int]] | None) -> None:
    if rows is None:
        if array.shape == saved.shape:
            array[...] = saved
        return
    for here, there in rows:
        array[here] = saved[there]
