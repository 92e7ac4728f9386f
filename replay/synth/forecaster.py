"""The planted forecasts: what a model of known strength would have said, each minute, for each horizon.

An honest fake: the forecaster sees the future return y through noise and knows how much to believe it. With s the volatility
over the horizon (half the variance of the moment, half the day's), n independent noise with the same overlap as y, and |.|
the root mean square over the day::

    N     = s n - y (s n . y) / (y . y)              orthogonal to y
    mu    = ic (ic y + sqrt(1 - ic^2) N |y| / |N|)   the best linear guess of y from y + noise
    sigma = sqrt(1 - ic^2) s |y| / |s|               what is left of y
    q     = mu -+ 1.2816 sigma                       an 80 % interval

So (mu . y) / |mu| |y| = ic and the slope of y on mu is 1, per symbol, day and horizon: the correlation around zero is exactly
the one asked for. Around the means it is near: over an hour, a day's outcomes have a mean of their own.
n is the return of a random walk shared by all horizons, so that forecasts change as
slowly as outcomes do and averaging them buys nothing.

Rules: a forecast is made at the close of each minute bar and ready `inference_ns` later; y runs from that moment over the
horizon, mid to mid as received; a horizon that would cross the end of the session is left out, and so is one with fewer than
three outcomes. p_valley = 1 / (1 + exp(-1.5 mu / sigma)), p_peak = 1 - p_valley; net_reward = |mu| - the spread of the moment.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from replay.jit import kernel
from replay.numeric import exp
from replay.synth.draws import Stream
from replay.synth.drive import gauss
from replay.synth.feed import Stamped
from replay.synth.market import DayPlan
from replay.synth.settings import SynthSettings

HORIZONS_MIN = (5, 10, 15, 30, 60)
MODEL_ID = "synth-planted"
FILE_NAME = "forecasts.parquet"
Z80 = 1.2815515655446004
_COLUMNS = 8  # draws per minute
_OUTCOMES_MIN = 3
_MINUTE_NS = 60_000_000_000
_IDS_PER_DAY = 10_000_000

PLANTED = np.dtype(
    [
        ("ready_ts_ns", "i8"),
        ("bar_close_ts_ns", "i8"),
        ("outcome_bps", "f8"),
        ("vol_bps", "f8"),  # s
        ("noise", "f8"),  # n, then N
        ("spread_bps", "f8"),
        ("mu_bps", "f8"),
        ("sigma_bps", "f8"),
        ("p_valley", "f8"),
        ("horizon_min", "i4"),
        ("symbol", "i4"),
    ],
    align=True,
)


def plant_forecasts(
    symbol: int, quotes: Stamped, seconds: np.ndarray, plan: DayPlan, stream: Stream, settings: SynthSettings
) -> np.ndarray:
    """Make the forecasts of one symbol and day.

    Parameters
    ----------
    symbol : int
        Number of the symbol.
    quotes : Stamped
        Its touch as received, complete.
    seconds : ndarray of drive.SECOND
        What the drive knows.
    plan, stream, settings
        The day, the private random stream, what was asked.

    Returns
    -------
    ndarray of PLANTED
    """
    n_minutes = plan.n_seconds // 60
    walk = np.zeros(n_minutes + 1)
    walk_path(stream.table(n_minutes, _COLUMNS), walk)
    parts = []
    for horizon_min in HORIZONS_MIN:
        rows = _moments(horizon_min, plan, settings.inference_ns)
        rows["symbol"] = symbol
        if len(rows) >= _OUTCOMES_MIN:
            _observe(rows, quotes, seconds, plan)
            minute = (rows["bar_close_ts_ns"] - plan.open_ns) // _MINUTE_NS
            rows["noise"] = (walk[minute + horizon_min] - walk[minute]) / math.sqrt(horizon_min)
            plant(rows, settings.ic)
            parts.append(rows)
    return np.concatenate(parts) if parts else np.zeros(0, PLANTED)


def _moments(horizon_min: int, plan: DayPlan, inference_ns: int) -> np.ndarray:
    """List the minutes whose forecast of this horizon is known before the end of the session."""
    closes = plan.open_ns + np.arange(1, plan.n_seconds // 60 + 1) * _MINUTE_NS
    ready = closes + inference_ns
    fits = ready + horizon_min * _MINUTE_NS <= plan.open_ns + plan.n_seconds * 1_000_000_000
    rows = np.zeros(int(fits.sum()), PLANTED)
    rows["bar_close_ts_ns"], rows["ready_ts_ns"] = closes[fits], ready[fits]
    rows["horizon_min"] = horizon_min
    return rows


def _observe(rows: np.ndarray, quotes: Stamped, seconds: np.ndarray, plan: DayPlan) -> None:
    horizon_ns = rows["horizon_min"].astype(np.int64) * _MINUTE_NS
    now = np.searchsorted(quotes.ts_ns, rows["ready_ts_ns"], "right") - 1
    then = np.searchsorted(quotes.ts_ns, rows["ready_ts_ns"] + horizon_ns, "right") - 1
    mid2 = quotes.rows["bid"] + quotes.rows["ask"]
    rows["outcome_bps"] = (mid2[then] - mid2[now]) * 10_000.0 / mid2[now]
    rows["spread_bps"] = (quotes.rows["ask"] - quotes.rows["bid"])[now] * 20_000.0 / mid2[now]
    second = np.minimum((rows["ready_ts_ns"] - plan.open_ns) // 1_000_000_000, len(seconds) - 1)
    variance = seconds["vol_bps"] * seconds["vol_bps"]
    usual = math.fsum(variance) / len(variance)  # exact, so that the order of adding cannot matter
    rows["vol_bps"] = np.sqrt(0.5 * (variance[second] + usual) * 60.0 * rows["horizon_min"])


@kernel
def walk_path(draws, walk):
    """Add up one near-normal number per row of draws."""
    for i in range(len(draws)):
        walk[i + 1] = walk[i] + gauss(draws, i, 0)


@kernel
def plant(rows, ic):
    """Fill mu, sigma and p_valley of the forecasts of one symbol, day and horizon; see the equations above."""
    yy, ny, ss = 0.0, 0.0, 0.0
    for i in range(len(rows)):
        row = rows[i]
        yy += row["outcome_bps"] * row["outcome_bps"]
        ny += row["outcome_bps"] * row["vol_bps"] * row["noise"]
        ss += row["vol_bps"] * row["vol_bps"]
    slope = ny / yy if yy > 0.0 else 0.0
    nn = 0.0
    for i in range(len(rows)):
        row = rows[i]
        row["noise"] = row["vol_bps"] * row["noise"] - slope * row["outcome_bps"]
        nn += row["noise"] * row["noise"]
    stay = math.sqrt(1.0 - ic * ic)
    noise_gain = stay * math.sqrt(yy / nn) if nn > 0.0 else 0.0
    for i in range(len(rows)):
        row = rows[i]
        row["mu_bps"] = ic * (ic * row["outcome_bps"] + noise_gain * row["noise"])
        row["sigma_bps"] = stay * row["vol_bps"] * math.sqrt(yy / ss)
        row["p_valley"] = 1.0 / (1.0 + exp(-1.5 * row["mu_bps"] / max(row["sigma_bps"], 0.01)))


def forecast_columns(parts: Sequence[np.ndarray], names: Sequence[str], day: date) -> dict[str, Any]:
    """Return the columns of the forecasts file: all symbols in order of time, rounded to what a model would print."""
    rows = np.concatenate(parts)
    rows = rows[np.lexsort((rows["horizon_min"], rows["symbol"], rows["ready_ts_ns"]))]
    mu, sigma = rows["mu_bps"], rows["sigma_bps"]
    first_id = int(day.strftime("%Y%m%d")) * _IDS_PER_DAY
    return {
        "ready_ts_ns": rows["ready_ts_ns"],
        "bar_close_ts_ns": rows["bar_close_ts_ns"],
        "symbol": np.array(names, object)[rows["symbol"]],
        "horizon_min": rows["horizon_min"].astype(np.int64),
        "forecast_id": first_id + np.arange(len(rows)),
        "mu_bps": np.round(mu, 2),
        "sigma_bps": np.maximum(np.round(sigma, 2), 0.01),
        "q_lo_bps": np.round(mu - Z80 * sigma, 2),
        "q_hi_bps": np.round(mu + Z80 * sigma, 2),
        "p_peak": np.round(1.0 - rows["p_valley"], 3),
        "p_valley": np.round(rows["p_valley"], 3),
        "net_reward_bps": np.round(np.abs(mu) - rows["spread_bps"], 2),
        "model_id": np.full(len(rows), MODEL_ID, object),
    }


def write_forecasts(folder: Path, columns: dict[str, Any]) -> Path:
    """Write the forecasts beside the session; the file appears complete or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {name: pa.array(values, type=pa.string()) if values.dtype == object else values for name, values in columns.items()}
    )
    delta = [name for name in columns if name.endswith("_ts_ns") or name == "forecast_id"]
    handle, draft = tempfile.mkstemp(suffix=".parquet", dir=folder)
    os.close(handle)
    words = [name for name in columns if name not in delta]
    pq.write_table(
        table, draft, compression="zstd", use_dictionary=words, column_encoding=dict.fromkeys(delta, "DELTA_BINARY_PACKED")
    )
    Path(draft).chmod(0o644)
    return Path(draft).replace(folder / FILE_NAME)
