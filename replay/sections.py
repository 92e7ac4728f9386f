"""The sections of a configuration that belong to the replay itself; those of components stand beside the components."""

from dataclasses import dataclass

from replay.settings import setting

BANDS = ("expected", "pessimistic", "optimistic")
FILL_RULES = ("queue", "ibkr-paper")
HALT_RULES = ("reject", "hold")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """What to replay, and with how much money."""

    equity_usd: float = setting(1_000_000.0, "equity that targets are a share of", unit="USD", gt=0.0)
    hours: str = setting("rth", "trade in regular hours only, or in all recorded hours", choices=("rth", "all"))
    seed: int = setting(0, "seed of all private random streams (latency draws, faults)", ge=0, lt=2**63)
    symbols: tuple[str, ...] = setting((), "symbols to replay; empty = all that the sessions hold")
    horizons_min: tuple[int, ...] = setting((5, 10, 15, 30, 60), "horizons of the forecasts", unit="min", gt=0)
    forecast_latency_ns: int = setting(500_000_000, "bar close until the built-in or an own forecaster answers", unit="ns", ge=0)
    block_events: int = setting(131_072, "events handed to the loop at a time; changes speed, never results", gt=0, le=2**24)
    order_slots: int = setting(64, "own live orders of one symbol at most; reaching it stops the run", gt=0, le=65_536)
    request_capacity: int = setting(1024, "requests of one decision at most; reaching it stops the run", gt=0, le=2**20)
    in_flight_capacity: int = setting(4096, "messages on the way at most; reaching it stops the run", gt=0, le=2**20)
    log_capacity: int = setting(8192, "rows kept before they go to disk; changes speed, never results", ge=64, le=2**20)


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueSettings:
    """The simulated exchange: who is thought to be ahead in the queue, and how what nobody recorded is read."""

    band: str = setting("expected", "reading of all that the recording leaves open; see fills.bands", choices=BANDS)
    rule: str = setting(
        "queue", "whose way of filling: queues, or the top of book as in IBKR's paper accounts", choices=FILL_RULES
    )
    queue: str = setting(
        "behind_first",
        "who left when displayed size falls without a print: behind_first, trades_only, pro_rata, power, log, all_ahead, fitted, "
        "the file of a fitted model (*.toml) or `file.py:name` of an own one; the other two bands have their own",
    )
    power: float = setting(3.0, "exponent of the queue model `power`", gt=0.0)
    no_venue_share: float = setting(
        -1.0,
        "share of a print without a venue that reaches our queue; -1 = the band's .58, .67 or 1, since 26 to 42 % of the volume "
        "printed at the touch was off-exchange in three US stocks",
        ge=-1.0,
        le=1.0,
    )
    halted_orders: str = setting("reject", "what becomes of orders sent during a halt", choices=HALT_RULES)
    max_order_qty: int = setting(0, "largest order that is accepted; 0 = any", unit="shares", ge=0)
    shortable: bool = setting(True, "whether shares can be borrowed; if not, short sales are rejected")
    leverage: float = setting(0.0, "buying power as a multiple of the account's equity; 0 = unchecked", ge=0.0)


# Keys that cannot change a decision: two runs that differ here alone have one configuration digest.
# The files of `TABLES` count by their content, which the manifest digests, and not by where they lie.
TABLES = (("latency", "table"), ("fees", "table"))
WITHOUT_EFFECT = frozenset(
    ("run", key) for key in ("block_events", "order_slots", "request_capacity", "in_flight_capacity", "log_capacity")
) | frozenset(TABLES)
