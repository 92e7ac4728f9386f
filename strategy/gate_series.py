"""A whole series through the gate at once: what `ConformalGate` would have answered row by row."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from replay.errors import ConfigError
from replay.settings import as_row
from strategy.border import make_settings
from strategy.calibration import evaluate_series, new_calibration
from strategy.gate import MEAN_EDGE, RULES, GateSettings

if TYPE_CHECKING:
    import pandas as pd


def evaluate(
    mu: Sequence[float], sigma: Sequence[float], outcome: Sequence[float], delay: int, **settings: Any
) -> "pd.DataFrame":
    """Issue the bounds of a whole series, each outcome becoming known `delay` rows after its forecast.

    Parameters
    ----------
    mu, sigma, outcome : sequence of float
        One row per forecast, bps.
    delay : int
        Rows until an outcome is known, at least 1.
    **settings
        Single settings of the gate, by name; `cost_bps` (number or sequence, default 0) places the margin.

    Returns
    -------
    pandas.DataFrame
        Columns q_lo and q_hi, bps: what `ConformalGate.calibrate` would have answered.

    A row that is not sound (NaN, infinite, a sigma that is not positive) gets NaN and teaches nothing; an outcome that is not
    finite counts as one that never came. With a delay beyond the last row nothing is ever learned.

    Raises
    ------
    ConfigError
        For a delay that is no whole number above 0, columns of different lengths, or a setting that cannot be.

    Examples
    --------
    >>> evaluate([0.0, 1.0], [1.0, 2.0], [0.5, -9.0], delay=1).round(2).values.tolist()
    [[-1.28, 1.28], [-1.56, 3.56]]
    """
    import pandas as pd

    costs = _numbers("cost_bps", settings.pop("cost_bps", 0.0))
    columns = [_numbers(*named).reshape(-1) for named in (("mu", mu), ("sigma", sigma), ("outcome", outcome))]
    lengths = [len(column) for column in columns]
    chosen = make_settings(GateSettings, None, settings, mode="enhanced")
    if not _is_delay(delay) or len(set(lengths)) != 1 or costs.shape not in ((), (lengths[0],)):
        raise ConfigError(
            "evaluate needs mu, sigma, outcome (and cost_bps) of one length and a whole delay of at least 1, "
            f"got lengths {lengths}, cost_bps of shape {costs.shape}, delay {delay!r}"
        )
    if chosen.rule == RULES[MEAN_EDGE]:
        raise ConfigError('evaluate gives bounds on outcomes, which rule = "mean_edge" has none of; ask a ConformalGate')
    rows = np.column_stack([*columns, np.broadcast_to(costs, columns[0].shape)])
    out = np.zeros((len(rows), 2))
    evaluate_series(rows, int(delay), new_calibration(1, 1, min(int(delay), len(rows))), as_row(chosen), out)
    return pd.DataFrame(out, columns=["q_lo", "q_hi"])


def _is_delay(delay: Any) -> bool:
    is_number = isinstance(delay, (int, float, np.integer, np.floating)) and math.isfinite(delay)
    return is_number and delay >= 1 and delay == int(delay)


def _numbers(name: str, values: Any) -> np.ndarray:
    try:
        return np.array(values, float)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{name} must hold numbers, NaN where one is unknown ({error})") from error
