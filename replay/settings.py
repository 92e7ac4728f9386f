"""Settings: frozen dataclasses whose fields carry unit, meaning and bounds, and their form as one row for the kernels."""

import dataclasses
from typing import Any

import numpy as np


def setting(
    default: Any,
    meaning: str,
    *,
    unit: str = "",
    gt: float | None = None,
    ge: float | None = None,
    lt: float | None = None,
    le: float | None = None,
    choices: tuple[str, ...] | None = None,
) -> Any:
    """Declare one setting; `replay config` prints its unit and meaning, the configuration checks its bounds.

    Parameters
    ----------
    default : int, float, bool, str or tuple
        Its type is the type of the setting. A tuple of numbers is a list in TOML.
    meaning : str
        One line for people.
    unit : str
        `ns`, `bps`, `shares`, `USD`, ...; empty for a pure number.
    gt, ge, lt, le : float, optional
        Bounds; for a tuple they hold for each item.
    choices : tuple of str, optional
        The allowed words; kernels see the index of the word.
    """
    metadata = {"meaning": meaning, "unit": unit, "gt": gt, "ge": ge, "lt": lt, "le": le, "choices": choices}
    return dataclasses.field(default=default, metadata=metadata)


def as_row(settings: Any) -> np.ndarray:
    """Lay the numeric settings of one dataclass out as a structured array of one row.

    Integers, booleans and choices (as their index) become int64, floats float64, tuples of numbers a fixed sub-array.
    Strings without choices are left out.
    """
    names, formats, values = [], [], []
    for field in dataclasses.fields(settings):
        value = _number(getattr(settings, field.name), field.metadata.get("choices"))
        if value is not None:
            names.append(field.name)
            formats.append(_format(value))
            values.append(value)
    row = np.zeros(1, np.dtype(list(zip(names, formats, strict=True)), align=True))
    for name, value in zip(names, values, strict=True):
        row[name][0] = value
    return row


def _number(value: Any, choices: tuple[str, ...] | None) -> Any:
    if choices is not None:
        return choices.index(value)
    return None if isinstance(value, str) else value


def _format(value: Any) -> Any:
    if isinstance(value, tuple):
        return ("f8" if any(isinstance(item, float) for item in value) else "i8", (len(value),))
    return "f8" if isinstance(value, float) else "i8"
