"""Settings of the simulated exchange, as they stand in the configuration."""

from dataclasses import dataclass

from replay.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeSettings:
    """Choose the queue model, the fee plan and the size of the order table."""

    queue: str = setting(
        "behind_first",
        "how cancels are shared between those ahead of us and those behind",
        choices=("trades_only", "behind_first", "pro_rata", "all_ahead", "power", "log"),
    )
    power: float = setting(3.0, "exponent of the queue model 'power'", gt=0.0)
    no_venue_share: float = setting(1.0, "share of a print without a venue that reaches our queue", ge=0.0, le=1.0)
    slots: int = setting(64, "own live orders per symbol at most", unit="orders", ge=1)
    fee_plan: str = setting("fixed", "IBKR commission plan; 'none' charges nothing", choices=("fixed", "tiered", "none"))
    fee_venue: str = setting("NASDAQ", "venue whose add and remove fees stand in for all (tiered plan)", choices=("NASDAQ", "EDGX"))
    month_qty: int = setting(0, "shares traded this month before the first day (tiered plan)", unit="shares", ge=0)
