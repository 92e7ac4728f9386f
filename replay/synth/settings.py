"""What a person can ask of a synthetic session."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from typing import Any

from replay.errors import UsageError
from replay.settings import setting

REGIME_CHOICES = ("mixed", "calm", "normal", "stressed")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SynthSettings:
    """Settings of `replay synth`.

    Examples
    --------
    >>> SynthSettings(symbols=2, ic=0.5).minutes
    390
    """

    symbols: int = setting(3, "how many symbols", ge=1, le=200)
    minutes: int = setting(390, "regular trading time from the open on; a half-day ends earlier", unit="min", ge=1, le=390)
    days: int = setting(1, "how many trading days in a row", ge=1, le=260)
    seed: int = setting(0, "the same seed and settings give the same sessions", ge=0, le=2**31 - 1)
    ic: float = setting(0.1, "correlation of the planted forecasts with what happens", ge=0.0, le=0.95)
    regimes: str = setting("mixed", "one regime all day, or switching between the three", choices=REGIME_CHOICES)
    halts: int = setting(0, "trading halts per day, each of one symbol", ge=0, le=20)
    gaps: int = setting(0, "feed gaps per day, in turn of one symbol and of the whole connection", ge=0, le=20)
    activity: float = setting(1.0, "messages per second, as a multiple of each profile's own", gt=0.0, le=20.0)
    depth: float = setting(1.0, "resting orders, as a multiple of each profile's own", gt=0.0, le=8.0)
    volatility: float = setting(1.0, "daily volatility, as a multiple of each profile's own", gt=0.0, le=4.0)
    tick_by_tick: int = setting(2, "the first so many symbols are recorded tick by tick, the others as 250 ms snapshots", ge=0)
    quote_first: float = setting(0.08, "share of trades whose quote arrives before the print", ge=0.0, le=1.0)
    feed_latency_ns: int = setting(12_000_000, "shortest way from the exchange to us", unit="ns", ge=0, le=200_000_000)
    feed_jitter_ns: int = setting(8_000_000, "what the feed adds at most to its shortest way", unit="ns", ge=0, le=50_000_000)
    inference_ns: int = setting(
        2_000_000_000, "from the close of a minute bar to its forecasts", unit="ns", ge=0, le=30_000_000_000
    )

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            _check(field.name, getattr(self, field.name), field.default, field.metadata)


def with_changes(settings: SynthSettings | None, changes: Mapping[str, Any]) -> SynthSettings:
    """Return settings with some values changed; an unknown name is a `UsageError` that suggests the nearest one."""
    known = [field.name for field in dataclasses.fields(SynthSettings)]
    for name in changes:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(known)}"
            raise UsageError(f"replay synth has no setting `{name}`; {hint}")
    return dataclasses.replace(settings or SynthSettings(), **changes)


def _check(name: str, value: Any, default: Any, metadata: Mapping[str, Any]) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(default, str):
        if value not in metadata["choices"]:
            raise UsageError(f"`{name}` must be one of {', '.join(metadata['choices'])}, got {value!r}")
        return
    if not is_number or (isinstance(default, int) and not isinstance(value, int)):
        raise UsageError(f"`{name}` must be {'an integer' if isinstance(default, int) else 'a number'}, got {value!r}")
    unit = f" {metadata['unit']}" if metadata["unit"] else ""
    for key, word, is_met in _bounds(value, metadata):
        if not is_met:
            raise UsageError(f"`{name}` must be {word} {metadata[key]}{unit}, got {value}")


def _bounds(value: float, metadata: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """List the bounds in force; a NaN meets none."""
    checks = {
        "gt": ("above", lambda bound: value > bound),
        "ge": ("at least", lambda bound: value >= bound),
        "lt": ("below", lambda bound: value < bound),
        "le": ("at most", lambda bound: value <= bound),
    }
    return [(key, word, test(metadata[key])) for key, (word, test) in checks.items() if metadata[key] is not None]
