"""Settings of the execution planner, and which of them do not fit together."""

from dataclasses import dataclass

from replay.errors import ConfigError
from replay.settings import setting
from strategy.modes import mode_setting, rollout_setting

_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannerSettings:
    """Settings of the execution planner; those from `start` on are the enhanced form's, but for `start = "midprice"`."""

    mode: str = mode_setting(has_enhanced=True)
    rollout: float = rollout_setting()
    horizons_min: tuple[int, ...] = setting((5, 10, 15, 30, 60), "horizons of `work_ns`, ascending", unit="min", gt=0)
    work_ns: tuple[int, ...] = setting(
        (15 * _S, 20 * _S, 30 * _S, 45 * _S, 60 * _S), "working time of an entry, by horizon", unit="ns", gt=0
    )
    exit_work_ns: int = setting(10 * _S, "working time of an exit", unit="ns", gt=0)
    step_below: float = setting(0.4, "step at half time when less than this share is filled", ge=0, le=1)
    exit_slippage_bps: float = setting(10.0, "how far an exit may follow the opposite touch", unit="bps", ge=0)
    retry_ns: int = setting(_S, "wait before a refused cancel is tried again", unit="ns", gt=0)
    start: str = setting(
        "mid",
        "where an order is placed first: mid, own touch (enhanced), or midprice: an order of that type, which follows the mid",
        choices=("mid", "touch", "midprice"),
    )
    patience: float = setting(
        0.25,
        "an entry waits until its forecast has moved by this share of what waiting may save; 0 = its whole working time",
        ge=0,
    )
    work_least_ns: int = setting(2 * _S, "shortest working time that impatience leaves an entry", unit="ns", gt=0)
    step_shares: tuple[float, ...] = setting(
        (0.5, 0.75), "how far across the spread the limit is after 1/3 and 2/3 of the working time", ge=0, lt=1
    )
    cross_ns: int = setting(2 * _S, "time before the end at which what is left crosses the spread", unit="ns", gt=0)
    entry_slippage_bps: float = setting(10.0, "how far from the mid of its start an entry may go", unit="bps", ge=0)
    patient_exits: bool = setting(True, "exits other than stops and before the close are worked like entries")
    first_share: float = setting(0.25, "share of a plan in its first slice", gt=0, le=1)
    participation: float = setting(0.2, "most of the prints expected that a slice may be", gt=0, le=1)
    fee_min_usd: float = setting(1.0, "minimum commission of an order", unit="USD", ge=0)
    fee_share_bps: float = setting(0.5, "most of a slice's value that the minimum commission may be", unit="bps", gt=0)
    cancel_share: float = setting(1.0, "share of cancels in the queue that are spread evenly; the rest are behind us", ge=0, le=1)
    pairing_ns: int = setting(_S, "how long a quote and its print wait for each other", unit="ns", ge=0)
    own_displayed: bool = setting(False, "the feed's sizes contain our own orders (a live feed's do)")
    coalesce_below: int = setting(20, "messages left in the budget below which the starts of one instant are ranked", ge=0)
    wait_ns: int = setting(5 * _S, "shortest time an entry waits for the budget before it is dropped", unit="ns", ge=0)


def check_planner(settings: PlannerSettings) -> None:
    """Refuse lists that do not fit together."""
    if len(settings.horizons_min) != len(settings.work_ns) or not settings.work_ns:
        raise ConfigError(
            f"planner.horizons_min and planner.work_ns must pair up, got {len(settings.horizons_min)} and {len(settings.work_ns)}"
        )
    if len(settings.step_shares) != 2 or settings.step_shares[0] > settings.step_shares[1]:
        raise ConfigError(f"planner.step_shares must be two ascending shares of the spread, got {settings.step_shares}")
