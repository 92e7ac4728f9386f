"""One run per band: what nobody recorded read against us, as expected and for us, and the range of every headline number.

The expected run is the run; the other two lie in its folder, under `bands/`, each a complete run folder without a report. They
differ from it in `[venue] band` alone: same seed, same inputs. How far a number lies apart is how far the recording leaves it
open.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replay.engine.kernel_door import BoundKernel
from replay.errors import UsageError
from replay.rundir import write_json
from replay.wording import bps, count, duration, percent, usd

if TYPE_CHECKING:
    from replay.inputs import Inputs

EXPECTED = "expected"
BANDS = ("pessimistic", EXPECTED, "optimistic")
ORDER = (EXPECTED, "pessimistic", "optimistic")  # in which they are run
FOLDER = "bands"
NOTE = (
    "A strategy reacts to its fills, so its profit need not lie in order: the pessimistic band fills least of given orders, "
    "and is not always the poorest."
)

Progress = Callable[[int, int, int], None]


def _seconds(value: float | None) -> str:
    return duration(None if value is None else value * 1e9)


def _dollars(value: float | None) -> str:
    return usd(value, 0)


_HEADLINES: dict[str, tuple[str, Callable[[float | None], str]]] = {
    "net_usd": ("Profit, net", usd),
    "gross_usd": ("Profit, gross", usd),
    "fee_usd": ("Fees", usd),
    "max_drawdown_usd": ("Worst drawdown", usd),
    "max_exposure_usd": ("Peak exposure", _dollars),
    "round_trips": ("Round trips", count),
    "win_rate": ("Round trips won", percent),
    "round_trip_net_usd": ("Net each", usd),
    "round_trip_net_bps": ("Net each, of its value", bps),
    "orders": ("Orders", count),
    "orders_filled": ("Orders filled", count),
    "fills": ("Fills", count),
    "filled_qty": ("Shares filled", count),
    "fill_rate_orders": ("Fill rate, orders", percent),
    "fill_rate_qty": ("Fill rate, shares", percent),
    "added_liquidity_rate": ("Added liquidity", percent),
    "turnover_usd": ("Turnover", _dollars),
    "slippage_bps": ("Slippage, + is bad", bps),
    "shortfall_bps": ("Shortfall, + is bad", bps),
    "markout_bps.10s": ("Markout 10 s, + is good", bps),
    "time_to_fill_s": ("Time to fill", _seconds),
}


def each_band(inputs: Inputs) -> Iterator[tuple[str, Inputs]]:
    """Yield the inputs of each band, the expected one first; every band has a strategy of its own.

    Raises
    ------
    UsageError
        The strategy is an object that cannot be copied.
    """
    strategies = {name: _copied(inputs.strategy) for name in ORDER}
    for name in ORDER:
        config = inputs.config.with_values({"venue": {"band": name}})
        yield name, replace(inputs, config=config, strategy=strategies[name])


def _copied(strategy: Any) -> Any:
    if strategy is None or isinstance(strategy, BoundKernel):
        return strategy
    try:
        return copy.deepcopy(strategy)
    except Exception as error:
        raise UsageError(
            f"{type(strategy).__name__} cannot be copied ({error}), and each band needs one of its own; give it as module:Name"
        ) from error


def share_of(progress: Progress | None, k: int) -> Progress | None:
    """Return the progress of the k-th of three runs as a part of the whole."""
    if progress is None:
        return None

    def tell(done_events: int, total_events: int, ts_ns: int) -> None:
        progress(k * total_events + done_events, len(ORDER) * total_events, ts_ns)

    return tell


def join(folders: Mapping[str, Path]) -> Path:
    """Move the folders of the other bands into the expected one and write down the ranges; return it."""
    home = folders[EXPECTED]
    (home / FOLDER).mkdir()
    for name in BANDS:
        if name != EXPECTED:
            shutil.move(folders[name], home / FOLDER / name)
    summaries = {name: _read(folder_of(home, name) / "summary.json") for name in BANDS}
    write_json(home / "summary.json", summaries[EXPECTED] | {"bands": ranges(summaries)})
    write_json(home / "manifest.json", _read(home / "manifest.json") | {"bands": list(BANDS)})
    return home


def folder_of(run: Path, name: str) -> Path:
    """Return the run folder of one band of a run."""
    return run if name == EXPECTED else run / FOLDER / name


def ranges(summaries: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return every headline number by band, with the lowest and the highest.

    Parameters
    ----------
    summaries : mapping
        Band to summary.

    Returns
    -------
    dict
        `note`, `journal_digests` by band, and `numbers`: key of the summary to `pessimistic, expected, optimistic, low, high`;
        what no band knows is None.
    """
    numbers = {}
    for key in _HEADLINES:
        found = {name: _value(summaries[name], key) for name in BANDS}
        known = [value for value in found.values() if value is not None]
        numbers[key] = {**found, "low": min(known, default=None), "high": max(known, default=None)}
    digests = {name: summaries[name]["journal_digest"] for name in BANDS}
    return {"note": NOTE, "journal_digests": digests, "numbers": numbers}


def band_rows(bands: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return a row per headline number for people: its name and the three values, pessimistic first."""
    return [
        (label, *(write(bands["numbers"][key][name]) for name in BANDS))
        for key, (label, write) in _HEADLINES.items()
        if key in bands["numbers"]
    ]


def _value(summary: Mapping[str, Any], key: str) -> Any:
    value: Any = summary
    for part in key.split("."):
        value = value[part]
    return value


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text()))
