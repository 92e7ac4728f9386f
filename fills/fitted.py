"""The file of a fitted queue model: a few parameters, what they were learned from, and how good they were out of sample.

A model is TOML, small enough to read in one glance. The two models that we ship are named after their data. `FITTED` takes, for
each symbol, the one of its tick regime: on a *large* tick the spread is nearly always one tick and queues are long, on a *small*
tick the spread moves and queues are short; the same rule of thumb does not hold on both.
"""

from __future__ import annotations

import hashlib
import math
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fills.queue import QUEUE_FIT
from replay.errors import UsageError
from replay.events import Kind

if TYPE_CHECKING:
    from replay.session import Session

SCHEMA_VERSION = 1
LARGE_TICK, SMALL_TICK = "large", "small"
LARGE_TICK_SPREAD = 1.5  # ticks: the widest median spread of a large-tick symbol; integers lie on either side
_MODELS = Path(__file__).parent / "models"
_MEANINGS = {
    "base": "log-odds that a cancelled share stood ahead",
    "position": "per ln(ahead / behind)",
    "level": "per ln(displayed shares)",
    "drop": "per ln(shares that left)",
    "age": "per ln(1 + seconds in the queue)",
    "spread": "per ln(spread in ticks)",
    "balance": "per ln(displayed shares / those of the other side)",
    "quiet": "per ln(1 + seconds since the last print on this side)",
    "hidden_decay": "ahead shrinks as (1 + seconds hidden)^-this",
    "hidden_move": "and by exp(-this) with each move of the touch meanwhile",
    "caution": "taken off the log-odds (`replay.validation.fit_caution`)",
    "venue_share": "of a print without a venue, what reaches our queue",
    "hidden_share": "of what prints at a displayed price, what met hidden orders",
    "passed_share": "of a print beyond a displayed price, what passed it by",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedQueue:
    """Hold a fitted queue model.

    Parameters
    ----------
    name : str
        What it was fitted on.
    tick_regime : str
        `large` or `small`.
    parameters : mapping of str to float
        The fields of `fills.queue.QUEUE_FIT`, and `caution`, which is taken off its `base`; absent ones are 0.
    fitted_on, prints, scores : mapping
        Where the data came from, what prints did there (each share with its interval), and cross-validated scores, for people.
    """

    name: str
    tick_regime: str
    parameters: Mapping[str, float]
    fitted_on: Mapping[str, Any] = field(default_factory=dict)
    prints: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)

    @property
    def row(self) -> np.ndarray:
        """Return the parameters as one row of `QUEUE_FIT`."""
        row = np.zeros((), QUEUE_FIT)
        for name, value in self.parameters.items():
            if name != "caution":
                row[name] = value
        row["base"] -= self.parameters.get("caution", 0.0)
        return row

    @property
    def digest(self) -> str:
        """Return a digest of what the kernels see."""
        return hashlib.sha256(self.row.tobytes()).hexdigest()

    def to_toml(self) -> str:
        """Return the text of its file."""
        lines = [f"schema_version = {SCHEMA_VERSION}", f"name = {_toml(self.name)}", f"tick_regime = {_toml(self.tick_regime)}"]
        lines += ["", "[parameters]"]
        lines += [f"{name} = {float(value)!r}  # {_MEANINGS[name]}" for name, value in self.parameters.items()]
        for title in ("fitted_on", "prints", "scores"):
            lines += _table(title, getattr(self, title))
        return "\n".join(lines) + "\n"

    def save(self, path: str | Path) -> None:
        """Write the file; a file that is there is replaced when the new one is whole."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        part.write_text(self.to_toml(), encoding="utf-8")
        part.replace(path)


def read_fitted(path: str | Path) -> FittedQueue:
    """Read the file of a fitted model.

    Raises
    ------
    UsageError
        The file is absent, no TOML, of another version, or its values are not those of a queue model.
    """
    path = Path(path)
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"there is no fitted queue model `{path}`; `replay fit fills SESSION --out {path}` makes one") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"`{path}` is not the TOML file of a fitted queue model: {error}") from error
    version = found.get("schema_version")
    if version != SCHEMA_VERSION:
        raise UsageError(
            f"`{path}` is a queue model of version {version!r}, this program reads version {SCHEMA_VERSION}; fit it again with "
            "`replay fit fills`"
        )
    return FittedQueue(
        name=_text(path, found, "name"),
        tick_regime=_regime(path, found),
        parameters=_parameters(path, found.get("parameters")),
        **{title: found.get(title, {}) for title in ("fitted_on", "prints", "scores")},
    )


def bundled() -> dict[str, FittedQueue]:
    """Return the models that come with the program, by tick regime."""
    models = [read_fitted(path) for path in sorted(_MODELS.glob("*.toml"))]
    return {model.tick_regime: model for model in models}


def tick_regimes(session: Session, symbols: Sequence[str]) -> dict[str, tuple[str, float]]:
    """Return tick regime and median spread (ticks) of each symbol, from the quotes of the session's first block of events.

    A symbol without a two-sided quote there is left out.
    """
    index = {name: k for k, name in enumerate(symbols)}
    block = next(iter(session.blocks(symbol_index=index)), None)
    if block is None:
        return {}
    events = block.events
    is_sound = (events["kind"] == Kind.QUOTE) & (events["bid_qty"] > 0) & (events["ask_qty"] > 0)
    is_sound &= events["ask"] > events["bid"]
    found = {}
    for name, k in index.items():
        quotes = events[is_sound & (events["symbol"] == k)]
        if len(quotes):
            spread = float(np.median(quotes["ask"] - quotes["bid"])) / session.symbol_info(name).tick
            found[name] = (LARGE_TICK if spread <= LARGE_TICK_SPREAD else SMALL_TICK, spread)
    return found


def _text(path: Path, found: Mapping[str, Any], key: str) -> str:
    if not isinstance(found.get(key), str):
        raise UsageError(f"`{path}`: `{key}` must be a text, got {found.get(key)!r}")
    return str(found[key])


def _regime(path: Path, found: Mapping[str, Any]) -> str:
    regime = _text(path, found, "tick_regime")
    if regime not in (LARGE_TICK, SMALL_TICK):
        raise UsageError(f"`{path}`: `tick_regime` must be `{LARGE_TICK}` or `{SMALL_TICK}`, got `{regime}`")
    return regime


def _parameters(path: Path, values: Any) -> dict[str, float]:
    if not isinstance(values, dict) or not values:
        raise UsageError(f"`{path}` has no table [parameters]")
    for name, value in values.items():
        if name not in _MEANINGS:
            raise UsageError(f"`{path}`: unknown parameter `{name}`; known are {', '.join(_MEANINGS)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise UsageError(f"`{path}`: parameter `{name}` must be a finite number, got {value!r}")
        if name in ("hidden_decay", "hidden_move") and value < 0.0:
            raise UsageError(f"`{path}`: parameter `{name}` must not be negative, got {value!r}")
        if name.endswith("_share") and not 0.0 <= value <= 1.0:
            raise UsageError(f"`{path}`: parameter `{name}` must be a share from 0 to 1, got {value!r}")
    return {name: float(value) for name, value in values.items()}


def _table(title: str, values: Mapping[str, Any]) -> list[str]:
    """Write a table, and its tables below it."""
    plain = {key: value for key, value in values.items() if not isinstance(value, Mapping)}
    lines = ["", f"[{title}]", *(f"{key} = {_toml(value)}" for key, value in plain.items())] if plain else []
    for key, value in values.items():
        if isinstance(value, Mapping):
            lines += _table(f"{title}.{key}", value)
    return lines


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    return repr(value)
