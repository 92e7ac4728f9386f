"""Find the first difference between two runs: the first decision, order state or fill that is not the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from replay.wording import et_stamp

if TYPE_CHECKING:
    import pandas as pd

    from replay.result import Result

TABLES = ("decisions", "orders", "fills", "cycles")
_FIELDS_SHOWN = 12
_NAMES = ("symbol", "decision_id", "order_id", "fill_id", "cycle", "reason", "state", "side", "qty", "price", "limit_price")
_INPUTS = (
    "mid",
    "spread",
    "quote_age_ns",
    "position_qty",
    "quality",
    "forecast_id",
    "forecast_age_ns",
    "horizon_min",
    "features",
)


def first_difference(old: Result, new: Result) -> str | None:
    """Describe the earliest row in which two runs differ: its fields, old and new, and what that decision saw; or None."""
    found = [place for name in TABLES if (place := _first(name, getattr(old, name), getattr(new, name)))]
    if not found:
        return None
    _, name, row = min(found)
    return _told(name, row, old, new)


def _first(name: str, old: pd.DataFrame, new: pd.DataFrame) -> tuple[int, str, int] | None:
    """Find the first row of one table that differs: its time, the table and the row."""
    count = min(len(old), len(new))
    shared = [column for column in old.columns if column in new.columns]
    rows = [row for column in shared if (row := _first_row(old[column].iloc[:count], new[column].iloc[:count])) is not None]
    if not rows and len(old) == len(new):
        return None
    row = min(rows, default=count)
    longer = old if len(old) > row else new
    return int(longer["ts_ns"].to_numpy()[row]), name, row


def _first_row(old: pd.Series, new: pd.Series) -> int | None:
    """Find the first value of a column that differs; NaN equals NaN."""
    a, b = (values.to_numpy() for values in (old, new))
    if a.dtype.kind in "OTU" or b.dtype.kind in "OTU":
        a, b = (np.array([repr(_plain(value)) for value in values], object) for values in (a, b))
    is_other = ~((a == b) | ((a != a) & (b != b)))
    return int(np.argmax(is_other)) if is_other.any() else None


def _told(name: str, row: int, old: Result, new: Result) -> str:
    ours, theirs = (_record(getattr(result, name), row) for result in (old, new))
    known = ours or theirs
    named = ", ".join(f"{key} {_shown(known[key])}" for key in _NAMES if key in known and _is_told(known[key]))
    lines = [f"the first difference: {name} row {row} at {et_stamp(known['ts_ns'])} ({named})"]
    if not (ours and theirs):
        lines[0] += f", which only {'the run on disk' if ours else 'the repetition'} has"
    else:
        changes = [f"  {field}: {_shown(a)} on disk, {_shown(b)} when repeated" for field, a, b in _changes(ours, theirs)]
        lines += changes[:_FIELDS_SHOWN]
        lines += [f"  and {len(changes) - _FIELDS_SHOWN} more fields"] if len(changes) > _FIELDS_SHOWN else []
    return "\n".join([*lines, *_inputs(known, old if ours else new)])


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Iterate over the fields that differ; of features and weights only those that do."""
    for field in old:
        a, b = old[field], new.get(field)
        if isinstance(a, dict) and isinstance(b, dict):
            yield from ((f"{field}.{key}", x, y) for key, x, y in _changes(a, b))
        elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
            yield from ((f"{field}[{k}]", x, y) for k, (x, y) in enumerate(zip(a, b, strict=True)) if repr(x) != repr(y))
        elif repr(a) != repr(b):
            yield field, a, b


def _inputs(row: Mapping[str, Any], result: Result) -> list[str]:
    """Say what the decision behind a row saw, where there is one."""
    decision_id, decisions = row.get("decision_id", 0), result.decisions
    places = np.flatnonzero((decisions["decision_id"] == decision_id) & (decisions["symbol"] == row.get("symbol")))
    if not len(places):
        return []
    seen = _record(decisions, int(places[0]))
    told = ", ".join(f"{key} {_rounded(seen[key])}" for key in _INPUTS)
    return [f"  decision {decision_id} at {et_stamp(seen['ts_ns'])} saw {told}"]


def _record(table: pd.DataFrame, row: int) -> dict[str, Any]:
    """Return a row as plain values; an empty dictionary where there is no such row."""
    return {str(name): _plain(table[name].iloc[row]) for name in table.columns} if row < len(table) else {}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if value is None or (isinstance(value, float) and value != value):
        return None  # unknown, however a table says so
    return value.tolist() if hasattr(value, "tolist") else value


def _is_told(value: Any) -> bool:
    return value is not None and value != "" and value == value


def _rounded(value: Any) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(f"{key} {_rounded(item)}" for key, item in value.items()) + ")"
    return f"{value:.6g}" if isinstance(value, float) else _shown(value)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(f"{key} {_shown(item)}" for key, item in value.items()) + ")"
    if isinstance(value, list):
        return "[" + ", ".join(_shown(item) for item in value) + "]"
    return str(value) if value != "" else "nothing"
