"""The legs between a strategy and the exchange: how long each takes, as settings.

An order decided at `t` (receive clock) acts at the exchange on the recorded market up to `t + compute + outbound + feed`: the
recorded times are receive times, and the exchange is `feed` ahead of them. A fill made by the event received at `T` is known to
the strategy at `max(T, T - feed + answer)`. Each leg apart is one of::

    constant     always `_ns`
    lognormal    floor + (`_ns` - floor) exp(sigma z), z standard normal: `_ns` is the median, nothing is quicker than the floor
    empirical    a delay once measured, from the table that `replay fit latency` makes, of a time as busy as this one

How a leg is drawn stands in `fills.delays`. Messages of one direction share a connection: none overtakes another.
"""

from dataclasses import dataclass
from numbers import Real
from typing import Any

from replay.errors import ConfigError
from replay.settings import setting

MS = 1_000_000
LEGS = ("feed", "compute", "outbound", "cancel", "answer")
MODELS = ("constant", "lognormal", "empirical")
Z_90 = 1.2815515655446004  # nine tenths of a standard normal lie below

_SIGMA = "spread of the logarithm, for lognormal"
_FLOOR = "the least, for lognormal; below the median"


def _model() -> Any:
    return setting("constant", "how the leg is drawn; constant and lognormal take the key above as median", choices=MODELS)


def _sigma() -> Any:
    return setting(0.5, _SIGMA, ge=0.0, le=2.0)


def _floor() -> Any:
    return setting(0, _FLOOR, unit="ns", ge=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencySettings:
    """Hold the legs of a retail line to IBKR.

    The defaults are assumptions, not measurements: a line of some 20 ms to the gateway's servers and a few ms inside IBKR each
    way. A recorded session's own acknowledgements are the better source. Zero must be asked for.
    """

    feed_ns: int = setting(15 * MS, "exchange event until its data reaches us (assumed: retail line)", unit="ns", ge=0)
    feed_model: str = _model()
    feed_sigma: float = _sigma()
    feed_floor_ns: int = _floor()
    compute_ns: int = setting(1 * MS, "data in hand until the order leaves (assumed: one slow decision)", unit="ns", ge=0)
    compute_model: str = _model()
    compute_sigma: float = _sigma()
    compute_floor_ns: int = _floor()
    outbound_ns: int = setting(25 * MS, "order leaves until it is at the exchange (assumed: line + router)", unit="ns", ge=0)
    outbound_model: str = _model()
    outbound_sigma: float = _sigma()
    outbound_floor_ns: int = _floor()
    cancel_ns: int = setting(25 * MS, "cancel leaves until it is at the exchange (assumed: as outbound)", unit="ns", ge=0)
    cancel_model: str = _model()
    cancel_sigma: float = _sigma()
    cancel_floor_ns: int = _floor()
    answer_ns: int = setting(25 * MS, "exchange answers until we know (assumed: as outbound)", unit="ns", ge=0)
    answer_model: str = _model()
    answer_sigma: float = _sigma()
    answer_floor_ns: int = _floor()
    table: str = setting("", "file of measured delays for the empirical legs, made by `replay fit latency`")

    def __post_init__(self) -> None:
        """Refuse values that no other key could make right."""
        for leg in LEGS:
            _check_values(leg, self)

    def check(self) -> None:
        """Refuse keys that contradict each other; apart from `__post_init__`, since keys are set one by one.

        Raises
        ------
        ConfigError
            A floor above its median, a leg that is to be sampled without a table, or a table that nobody asks.
        """
        for leg in LEGS:
            _check_model(leg, self)
        if self.table and not self.empirical_legs:
            raise ConfigError(
                f"[latency] names the table `{self.table}`, but no leg is empirical; set outbound_model, cancel_model and "
                'answer_model to "empirical"'
            )

    @property
    def empirical_legs(self) -> tuple[str, ...]:
        """Names of the legs that are sampled from the table."""
        return tuple(leg for leg in LEGS if self.of(leg, "model") == "empirical")

    def of(self, leg: str, what: str) -> Any:
        """Return `ns`, `model`, `sigma` or `floor_ns` of a leg."""
        return getattr(self, f"{leg}_{what}")


def _check_values(leg: str, settings: LatencySettings) -> None:
    typical_ns, model, sigma = (settings.of(leg, what) for what in ("ns", "model", "sigma"))
    if not isinstance(typical_ns, Real) or typical_ns != typical_ns or typical_ns in (float("inf"), float("-inf")):
        raise ConfigError(f"`{leg}_ns` must be a number of ns, got {typical_ns!r}")
    if typical_ns < 0:
        raise ConfigError(f"`{leg}_ns` must not be negative, got {typical_ns} ns")
    if model not in MODELS:
        raise ConfigError(f"`{leg}_model` must be one of {', '.join(MODELS)}, got {model!r}")
    if not 0.0 <= sigma <= 2.0:
        raise ConfigError(f"`{leg}_sigma` must be from 0 to 2, got {sigma}")


def _check_model(leg: str, settings: LatencySettings) -> None:
    typical_ns, model, floor_ns = (settings.of(leg, what) for what in ("ns", "model", "floor_ns"))
    if model == "lognormal" and not 0 <= floor_ns < typical_ns:
        raise ConfigError(f"`{leg}_floor_ns` must be below the median `{leg}_ns` of {typical_ns} ns, got {floor_ns} ns")
    if model == "empirical" and not settings.table:
        raise ConfigError(
            f'`{leg}_model` is "empirical", but [latency] names no table; `replay fit latency RUN... --out FILE` makes one'
        )


ZERO_LATENCY = LatencySettings(feed_ns=0, compute_ns=0, outbound_ns=0, cancel_ns=0, answer_ns=0)
