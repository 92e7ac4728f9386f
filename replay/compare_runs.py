"""Find the first difference between two runs: the first decision, order state or fill that is not the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from replay.wording import et_stamp

if TYPE_CHECKING:
    import pandas as pd

    from replay.result import Result

TABLES = ("decisions", "orders", "fills", "cycles")


def first_difference(old: Result, new: Result) -> str | None:
    """Describe the earliest row in which two runs differ, with its inputs; None when there is none."""
    found = [difference for name in TABLES if (difference := _first(name, getattr(old, name), getattr(new, name)))]
    return min(found, key=lambda difference: difference[0])[1] if found else None


def _first(name: str, old: pd.DataFrame, new: pd.DataFrame) -> tuple[int, str] | None:
    """Find the first row of one table that differs: its time and a sentence."""
    if old.astype(str).equals(new.astype(str)):
        return None
    count = min(len(old), len(new))
    for row in range(count):
        columns = [c for c in old.columns if c in new.columns and not _equal(old[c].iat[row], new[c].iat[row])]
        if columns:
            return int(old["ts_ns"].to_numpy()[row]), _sentence(name, row, columns, old.iloc[row], new.iloc[row])
    if len(old) == len(new):
        return None
    longer, which = (old, "the run on disk") if len(old) > len(new) else (new, "the repetition")
    extra = longer.iloc[count]
    return int(longer["ts_ns"].to_numpy()[count]), f"{name} row {count}: only {which} has it: {_shown(extra)}"


def _equal(a: Any, b: Any) -> bool:
    if hasattr(a, "tolist"):
        a, b = a.tolist(), b.tolist()
    return repr(a) == repr(b)


def _sentence(name: str, row: int, columns: list[str], old: pd.Series, new: pd.Series) -> str:
    changes = ", ".join(f"{c} {old[c]!r} became {new[c]!r}" for c in columns[:6])
    return f"{name} row {row} at {et_stamp(int(old['ts_ns']), digits=3)}: {changes}; inputs: {_shown(old)}"


def _shown(row: pd.Series) -> str:
    return ", ".join(f"{key}={value}" for key, value in row.items())
