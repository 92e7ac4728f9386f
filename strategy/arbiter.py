"""The horizon arbiter for people: which of the open horizons to trade, and how the choice learns.

`strategy.scores` has the original rule, `strategy.blend` and `strategy.policies` the enhanced one; a whole series at once:
`strategy.arbiter_series`.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from replay.errors import ConfigError, UsageError
from replay.settings import as_row
from strategy.arbiter_series import evaluate
from strategy.blend import DAY_NS, choose_blend, keep_play, write_play
from strategy.border import Names, check_numbers, check_row, make_settings
from strategy.decision import DECISION, LEG, UNKNOWN_MODEL_AGE_NS, Fallback, Reason
from strategy.features import FEATURES
from strategy.policies import learn_outcome, n_policies, new_mixture, reward_of, spare_slot
from strategy.scores import ArbiterSettings
from strategy.temperature import fit_temperature

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
        turn = self._mixture.turns[s]
        dropped_count = int(turn["dropped_count"])
        number = int(keep_play(s, len(alive), self._mixture))
        if turn["dropped_count"] > dropped_count:  # the oldest choice made room
            self._waiting = {key: kept for key, kept in self._waiting.items() if kept.symbol != s or kept.number >= turn["tail"]}
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
_MID = 1_000_000_000_000
_HALF_SPREAD_UNITS = _MID // 20_000  # one basis point of spread, half on each side
