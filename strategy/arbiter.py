"""The horizon arbiter for people: which of the open horizons to trade, and how the choice learns.

`strategy.scores` has the original rule, `strategy.blend` and `strategy.policies` the enhanced one.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from replay.bundle import bundle
from replay.errors import ConfigError, UsageError
from replay.jit import kernel
from replay.settings import as_row
from strategy.blend import DAY_NS, choose_blend, keep_play, write_meta, write_play
from strategy.border import Names, check_numbers, check_row, make_settings
from strategy.decision import DECISION, LEG, MAX_HORIZONS, UNKNOWN_MODEL_AGE_NS, Fallback, Reason
from strategy.features import FEATURES
from strategy.hedge import stated_regret
from strategy.policies import (
    FIRST_PURE,
    META,
    ORIGINAL,
    REWARD_MAX,
    learn_outcome,
    mix,
    n_policies,
    new_mixture,
    open_record,
    prior_of,
    reward_of,
    set_play,
    spare_slot,
)
from strategy.renorm import TOLERANCE
from strategy.scores import ArbiterSettings
from strategy.temperature import fit_temperature

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Choice", "HorizonArbiter", "evaluate", "fit_temperature"]


class Choice(NamedTuple):
    """Answer of the arbiter; `reason` TARGET_SET (0) = enter."""

    reason: Reason
    horizon_min: int
    side: int
    net_edge_bps: float
    edge_needed_bps: float
    weights: tuple[float, ...]
    fallback: Fallback


class _Awaited(NamedTuple):
    symbol: int
    number: int
    mu_bps: float
    sigma_bps: float
    cost_bps: float


class HorizonArbiter:
    """Choose a horizon from plain numbers, and learn which of them pay; in its enhanced form unless told otherwise.

    Parameters
    ----------
    horizons_min : sequence of int
        At most MAX_HORIZONS, shortest first.
    settings : ArbiterSettings, optional
    symbols : sequence of str, optional
        Each learns for itself; without any there is one, and nobody has to name it.
    pending_max : int
        Choices of one symbol whose outcomes are awaited; beyond it the oldest is dropped.
    **changes
        Single settings, by name, where no `settings` are given.

    Attributes
    ----------
    unknown_count : int
        Outcomes that nothing waited for, see `mature`.

    Examples
    --------
    >>> arbiter = HorizonArbiter([5, 30], reserve_bps=0.5)
    >>> choice = arbiter.choose(mu_bps=[4.0, -12.0], cost_bps=[3.0, 5.0], sides=[1, -1], spread_bps=2.0, vol_bps=1.0)
    >>> choice.horizon_min, choice.side, choice.net_edge_bps, choice.weights
    (30, -1, 7.0, (0.0, 1.0))
    >>> choice.fallback
    <Fallback.FEW_LABELS: 2>
    >>> arbiter.mature(99, 30, outcome_bps=-4.0)  # of no choice that has an id: counted, and no more
    >>> arbiter.unknown_count
    1
    """

    def __init__(
        self,
        horizons_min: Sequence[int],
        settings: ArbiterSettings | None = None,
        *,
        symbols: Sequence[str] = ("all",),
        pending_max: int = 4096,
        **changes: Any,
    ) -> None:
        self.settings = make_settings(ArbiterSettings, settings, changes, mode="enhanced")
        if pending_max < 1:
            raise ConfigError(f"pending_max must be at least 1, got {pending_max}")
        self._names = Names(symbols, horizons_min)
        n = len(self._names)
        self._params = as_row(self.settings)
        self._features = np.zeros(n, FEATURES)
        self._legs = np.zeros(len(horizons_min), LEG)
        self._legs["horizon_min"] = horizons_min
        self._decision = np.zeros(1, DECISION)
        self._mixture = new_mixture(n, len(horizons_min), pending_max)
        self.unknown_count = 0
        self._waiting: dict[tuple[int, int], _Awaited] = {}
        self._last = 0

    def choose(
        self,
        mu_bps: Sequence[float],
        cost_bps: Sequence[float],
        sides: Sequence[int],
        *,
        spread_bps: float,
        vol_bps: float,
        sigma_bps: Sequence[float] | None = None,
        net_reward_bps: Sequence[float] | None = None,
        model_age_days: float | None = None,
        choice_id: int | None = None,
        symbol: str | None = None,
    ) -> Choice:
        """Choose among the horizons whose side is not 0.

        Parameters
        ----------
        mu_bps, cost_bps : sequence of float
            Forecast and cost of a round trip per horizon.
        sides : sequence of int
            What the gate said: +1, -1, or 0 = shut.
        spread_bps, vol_bps : float
            Spread now, and volatility per minute. What is no number, or a spread below 0, makes the fallback NAN_FEATURE.
        sigma_bps : sequence of float, optional
            Volatility over each horizon; default `vol_bps * sqrt(horizon)`.
        net_reward_bps : sequence of float, optional
            What a meta-learner predicts that each horizon will earn.
        model_age_days : float, optional
            Since the model was trained; beyond the setting `model_age_max_days` the fallback is MODEL_OLD.
        choice_id : int, optional
            Names the choice when its outcomes come (`mature`); without it nothing is learned from it.
        symbol : str, optional
            Whose choice it is, where there are several.

        Raises
        ------
        UsageError
            For lists that have not one number per horizon, a side other than -1, 0 and 1, or a choice that waits already.
        """
        s = self._last = self._names.symbol(symbol)
        optional = {"sigma_bps": sigma_bps, "net_reward_bps": net_reward_bps}
        self._check({"mu_bps": mu_bps, "cost_bps": cost_bps, "sides": sides} | optional, choice_id)
        check_numbers(spread_bps=spread_bps, vol_bps=vol_bps)
        horizons = self._legs["horizon_min"]
        sigma = vol_bps * np.sqrt(horizons) if sigma_bps is None else np.asarray(sigma_bps, float)
        self._legs["mu_bps"] = mu_bps
        self._legs["cost_bps"] = cost_bps
        self._legs["side"] = sides
        self._legs["sigma_bps"] = sigma
        self._legs["net_reward_bps"] = math.nan if net_reward_bps is None else net_reward_bps
        self._legs["model_age_ns"] = UNKNOWN_MODEL_AGE_NS if model_age_days is None else _age_ns(model_age_days)
        self._legs["is_alive"] = np.isfinite(mu_bps) & np.isfinite(cost_bps) & np.isfinite(sigma) & (sigma > 0)
        self._decision[:] = 0
        self._write_features(s, spread_bps, vol_bps)
        n = len(self._legs)
        write_play(s, self._legs, n, self._features, self._params, self._mixture)
        reason = Reason(choose_blend(s, self._legs, n, self._features, self._params, self._mixture, self._decision))
        is_seen = 0.0 <= spread_bps < math.inf and 0.0 < vol_bps < math.inf
        if reason == Reason.GATE_COST:
            reason = self._why_shut(is_seen=is_seen)
        if choice_id is not None:
            self._keep(s, choice_id)
        return self._answer(reason)

    def mature(self, choice_id: int, horizon_min: int, outcome_bps: float) -> None:
        """Learn what the price did over one horizon after a choice; NaN = that will never be known.

        An outcome that nothing waits for (a second one, of an unknown choice, or of a horizon that took no part in it) is ignored
        and counted in `unknown_count`: labels come late and twice, and a live loop goes on.

        Raises
        ------
        UsageError
            For a horizon that the arbiter was not made for, or an outcome that is no number.
        """
        check_numbers(outcome_bps=outcome_bps)
        k = self._names.horizon(int(horizon_min))
        key = (choice_id, int(horizon_min))
        if key not in self._waiting:
            self.unknown_count += 1
            return
        overlap = self._overlap(self._waiting[key].symbol, int(horizon_min))
        awaited = self._waiting.pop(key)
        reward = reward_of(awaited.mu_bps, awaited.sigma_bps, awaited.cost_bps, float(outcome_bps))
        learn_outcome(awaited.symbol, k, len(self._legs), awaited.number, reward, overlap, self._mixture)

    @property
    def policy_weights(self) -> tuple[float, ...]:
        """Return the weights of the policies in the last choice: original, meta-learner, pure, leaders, no trade."""
        play = self._mixture.plays[self._last, spare_slot(self._mixture)]
        return tuple(play["weight"][: n_policies(len(self._legs))].tolist())

    def _check(self, rows: dict[str, Any], choice_id: int | None) -> None:
        for name, row in rows.items():
            if row is not None:
                check_row(name, row, len(self._legs))
        if any(side not in (-1, 0, 1) for side in rows["sides"]):
            raise UsageError(f"sides must be -1, 0 or 1, got {list(rows['sides'])}")
        if any((choice_id, horizon) in self._waiting for horizon in self._names.horizons_min):
            raise UsageError(f"choice {choice_id} waits for its outcomes already; give every choice an id of its own")

    def _overlap(self, s: int, horizon_min: int) -> int:
        return sum(1 for (_, horizon), kept in self._waiting.items() if horizon == horizon_min and kept.symbol == s)

    def _keep(self, s: int, choice_id: int) -> None:
        alive = np.flatnonzero(self._legs["is_alive"])
        number = int(keep_play(s, len(alive), self._mixture))
        for leg in self._legs[alive]:
            values = (float(leg["mu_bps"]), float(leg["sigma_bps"]), float(leg["cost_bps"]))
            self._waiting[choice_id, int(leg["horizon_min"])] = _Awaited(s, number, *values)

    def _write_features(self, s: int, spread_bps: float, vol_bps: float) -> None:
        is_known = 0.0 <= spread_bps < math.inf
        half = round(spread_bps * _HALF_SPREAD_UNITS) if is_known else 0
        row = self._features[s]
        row["bid"] = _MID - half if is_known else 0
        row["ask"] = _MID + half if is_known else 0
        row["mid2"] = 2 * _MID if is_known else 0
        row["vol_bps"] = max(0.0, vol_bps)

    def _why_shut(self, *, is_seen: bool) -> Reason:
        """Tell a gate that is shut, which is an answer, from inputs that nobody can choose by."""
        is_unknown = not self._legs["is_alive"].any()
        if self.settings.mode == "enhanced":
            self._decision["fallback"] = Fallback.NONE if is_seen else Fallback.NAN_FEATURE
        if not is_unknown or not is_seen:
            return Reason.GATE_COST
        return Reason.COST_UNKNOWN if np.isfinite(self._legs["mu_bps"]).any() else Reason.FORECAST_NAN

    def _answer(self, reason: int) -> Choice:
        row = self._decision[0]
        weights = tuple(row["weights"][: len(self._legs)].tolist())
        edges = float(row["net_edge_bps"]), float(row["edge_needed_bps"])
        return Choice(Reason(reason), int(row["horizon_min"]), int(row["side"]), *edges, weights, Fallback(int(row["fallback"])))


def _age_ns(age_days: float) -> int:
    check_numbers(model_age_days=age_days)
    if not 0.0 <= age_days <= _AGE_MAX_DAYS:
        raise UsageError(f"model_age_days must be 0 to {_AGE_MAX_DAYS:,}, got {age_days}; leave it out where it is unknown")
    return int(age_days * DAY_NS)


_AGE_MAX_DAYS = 100_000
SIZE_STEP = 0.0005  # weight of the newest square in the running size of rewards
_MID = 1_000_000_000_000
_HALF_SPREAD_UNITS = _MID // 20_000  # one basis point of spread, half on each side


@bundle
class Scales(NamedTuple):
    """How large the rewards of a series are, as far as they are known."""

    square: np.ndarray  # float64 (n_horizons,): running mean square
    known_count: np.ndarray  # int64 (n_horizons,): rewards in it
    size: np.ndarray  # float64 (n_rows,): of all horizons, when the first reward of the row was known; 0 = not yet


def evaluate(rewards: Any, delays: Sequence[int], **settings: Any) -> "pd.DataFrame":
    """Return the weights that the mixture would have given to each horizon of a whole series.

    Parameters
    ----------
    rewards : array (n, horizons)
        Net reward of each horizon per row, bps; what is not finite was never known.
    delays : sequence of int
        Rows until a reward of that horizon is known, at least 1 each; beyond the last row it never is.
    **settings
        `original`: array (n, horizons), the weights of the original arbiter; `predicted`: array (n, horizons), the meta-learner's
        net rewards, bps. What is not given takes no part. And single settings of the arbiter, by name.

    Returns
    -------
    pandas.DataFrame
        One column per horizon; every row sums to one. Until something is known, the first (and the original) have nearly all.
        Rewards enter in units of their running size, one for all horizons, so that ten bps count ten times one bps: the root
        of the mean square of what was known when the first reward of a row was. Beyond four of these units they are cut. In
        those units, and over the rows whose rewards all became known, the weights earn no less than the original less
        `attrs["regret_to_original"]` (NaN where none is given), and no less than any one horizon less
        `attrs["regret_to_horizon"]`.

    Raises
    ------
    ConfigError
        For shapes that do not fit, a delay that is no whole number above 0, weights that are none, or a setting that cannot be.

    Examples
    --------
    >>> weights = evaluate([[1.0, -1.0]] * 400, delays=[1, 2])
    >>> bool(weights.iloc[-1, 0] > 0.9), bool((abs(weights.sum(axis=1) - 1.0) < 1e-12).all())
    (True, True)
    """
    import pandas as pd

    table, waits = _numbers("rewards", rewards), _numbers("delays", delays)
    is_shaped = table.ndim == 2 and 0 < table.shape[1] <= MAX_HORIZONS and waits.shape == table.shape[1:]
    if not is_shaped or not (waits >= 1).all() or (waits != np.floor(waits)).any():
        raise ConfigError(
            f"evaluate needs rewards of shape (n, 1 to {MAX_HORIZONS}) and a whole delay of at least 1 per column, "
            f"got {table.shape} and delays {waits.tolist()}"
        )
    given = tuple(policy for policy, name in ((ORIGINAL, "original"), (META, "predicted")) if name in settings)
    inputs = [
        np.where(np.isfinite(table), table, np.nan),
        _numbers("original", settings.pop("original", np.full_like(table, 1.0 / table.shape[1]))),
        _numbers("predicted", settings.pop("predicted", np.full_like(table, np.nan))),
    ]
    if any(array.shape != table.shape for array in inputs):
        raise ConfigError(f"`original` (weights) and `predicted` must have the shape of the rewards, {table.shape}")
    for row in np.flatnonzero(~((inputs[1] >= 0.0).all(axis=1) & (inputs[1].sum(axis=1) <= 1.0 + TOLERANCE)))[:1]:
        raise ConfigError(f"`original` must hold weights of 0 or more that sum to at most 1, got {inputs[1][row]} in row {row}")
    params = as_row(make_settings(ArbiterSettings, None, settings, mode="enhanced"))
    out = np.zeros_like(table)
    delays_rows = np.minimum(waits, max(len(table), 1)).astype(np.int64)
    mixture = new_mixture(1, table.shape[1], int(delays_rows.max()) + 1)
    mixture.hedges["prior"] = prior_of(table.shape[1], given)
    legs = np.zeros(table.shape[1], LEG)
    scales = Scales(np.zeros(table.shape[1]), np.zeros(table.shape[1], np.int64), np.zeros(len(table)))
    _evaluate(np.ascontiguousarray(np.stack(inputs)), delays_rows, legs, params, mixture, scales, out)
    weights = pd.DataFrame(out)
    weights.attrs["regret_to_original"] = stated_regret(mixture.hedges[0], ORIGINAL) if ORIGINAL in given else math.nan
    weights.attrs["regret_to_horizon"] = stated_regret(mixture.hedges[0], FIRST_PURE)
    return weights


def _numbers(name: str, values: Any) -> np.ndarray:
    try:
        return np.array(values, float)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"`{name}` of evaluate must be numbers in rows of one length: {error}") from None


@kernel
def _evaluate(inputs, delays, legs, params, mixture, scales, out):
    """Play a series: rewards, the original's weights and the predictions stand in the three layers of `inputs`."""
    n = len(delays)
    for i in range(len(out)):
        for k in range(n):
            if i >= delays[k]:
                row = i - delays[k]
                learn_outcome(0, k, n, row, _scaled(inputs[0, row, k], k, row, scales), delays[k], mixture)
            legs[k]["is_alive"] = 1
            legs[k]["net_reward_bps"] = inputs[2, i, k]
        play = mixture.plays[0, spare_slot(mixture)]
        for k in range(n):
            play["policy"][ORIGINAL, k] = inputs[1, i, k]
        write_meta(play["policy"], legs, n, params)
        set_play(0, spare_slot(mixture), n, mixture)
        mix(play, n, out[i])
        open_record(0, n, mixture)


@kernel
def _scaled(reward, k, row, scales):
    """Return a reward in units of the size that its row has, clipped; NaN stays NaN."""
    if reward != reward:
        return reward
    scales.known_count[k] += 1
    scales.square[k] += max(SIZE_STEP, 1.0 / scales.known_count[k]) * (reward * reward - scales.square[k])
    if scales.size[row] <= 0.0:
        scales.size[row] = _size(scales)
    if scales.size[row] <= 0.0:
        return 0.0
    return min(max(reward / scales.size[row], -REWARD_MAX), REWARD_MAX)


@kernel
def _size(scales):
    """Return the root of the mean square over the horizons of which anything is known."""
    total = 0.0
    n_known = 0
    for k in range(len(scales.square)):
        total += scales.square[k]
        n_known += min(scales.known_count[k], 1)
    return math.sqrt(total / n_known)
