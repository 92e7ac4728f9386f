"""Build a run's engine from its inputs, and begin each of its days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fills.bands import Band, FillRule, choices, queue_of
from fills.delays import build_delays
from fills.exchange import ANSWER, make_venue
from fills.fees import FeeSchedule
from fills.queue import QueueModel
from fills.terms import Terms, tick_table
from replay.bundle import as_bundle
from replay.desk import NEVER
from replay.engine.engine import Engine, Seat
from replay.engine.kernel_door import BoundKernel
from replay.engine.python_door import PythonDoor, Watch, watch_events, watch_state
from replay.engine.world import Sizes, build_desk, build_world
from replay.errors import DataError, UsageError
from replay.forecasts.door import ForecasterMaker
from replay.forecasts.simple import SimpleMaker
from replay.forecasts.stage import Stage
from replay.orders import Evidence
from replay.queues import queue_named
from replay.session.weave import MessageWeaver, message_count
from replay.settings import as_row
from replay.snapshot import Lasting, load_state, save_state, symbol_arrays
from replay.wording import et_stamp
from strategy import pipeline
from strategy.decision import CYCLE, DECISION
from strategy.rebalance import day_times_ns

if TYPE_CHECKING:
    from pathlib import Path

    from replay.desk import Desk
    from replay.engine.spool import Spool
    from replay.inputs import Inputs
    from replay.session import Session, SymbolInfo

SETTLE_NS = 1_000_000_000  # after the close: the last answers and expiries arrive


def build_engine(inputs: Inputs, spool: Spool) -> Engine:
    """Allocate the world of a run and seat its strategy."""
    settings = inputs.config
    run = settings.run
    sizes = Sizes(slots=run.order_slots, requests=run.request_capacity, in_flight=run.in_flight_capacity, log=run.log_capacity)
    n_symbols = len(inputs.symbol_index)
    desk = build_desk(n_symbols, DECISION, CYCLE, sizes)
    desk.clock["scale"] = inputs.scale
    for session in inputs.sessions:
        fees_of(inputs, session)  # a day without a rule, or an odd table, is refused now and not hours later
    venue = _venue(inputs, None)
    legs = build_delays(settings.latency, seed=run.seed, symbols=list(inputs.symbol_index))
    world = build_world(desk, venue, ANSWER, legs, sizes)
    return Engine(world, build_seat(inputs, desk), spool)


def build_seat(inputs: Inputs, desk: Desk) -> Seat:
    """Seat the default pipeline, a bound kernel or a Python strategy."""
    symbols = list(inputs.symbol_index)
    strategy = inputs.strategy
    if strategy is None or inputs.forecaster is not None:
        return Seat(pipeline.decide, _pipeline_state(inputs, len(symbols)))
    if isinstance(strategy, BoundKernel):
        return Seat(strategy.decide, as_bundle(strategy.make_state(len(symbols))))
    if hasattr(strategy, "on_wake"):
        watch = getattr(strategy, "watch", None) or Watch()
        state = watch_state(watch, symbols, as_row(inputs.config.features))
        return Seat(watch_events, state, PythonDoor(strategy, symbols, desk, state))
    raise UsageError(
        f"{type(strategy).__name__} is no strategy: it needs on_wake(view, wake) or on_bar, or come from replay.engine.bind"
    )


def build_stage(inputs: Inputs) -> Stage | None:
    """Put a forecaster in front of the loop: the user's, or the built-in one where nobody else gives forecasts."""
    if inputs.forecasts_path is not None or (inputs.strategy is not None and inputs.forecaster is None):
        return None
    settings = inputs.config
    symbols = list(inputs.symbol_index)
    latency_ns = settings.run.forecast_latency_ns
    maker: Any = SimpleMaker(horizons_of(inputs), as_row(settings.simple_forecast), latency_ns)
    if inputs.forecaster is not None:
        maker = ForecasterMaker(inputs.forecaster, symbols, latency_ns)
    return Stage([info_of(inputs, name).tick for name in symbols], as_row(settings.features), maker)


def horizons_of(inputs: Inputs) -> np.ndarray:
    """Return the horizons of the run, minutes, ascending."""
    return np.array(inputs.horizons_min, np.int64)


def start_day(inputs: Inputs, engine: Engine, session: Session) -> None:
    """Bring clock, books and exchange to the morning of a session, then the strategy."""
    world = engine.world
    _set_clock(inputs, world.desk, session)
    _clear_books(inputs, world.desk, session)
    held, cash = world.venue.accounts.copy(), world.venue.terms["cash"][0]
    venue = _venue(inputs, session)
    _carry_month(world.venue.fees[0], venue.fees[0])
    for old, new in zip(world.venue, venue, strict=True):
        old[...] = new
    if engine.event_count > 0:
        world.venue.accounts[["position", "mark"]] = held[["position", "mark"]]
        world.venue.terms["cash"] = cash
    world.touches[:] = np.zeros(1, world.touches.dtype)
    world.control["other_due_ns"] = world.venue.ctl["next_expiry_ns"]
    if engine.seat.door is not None:
        engine.seat.door.begin_day()
    elif engine.seat.decide is pipeline.decide:
        hours = session.hours
        times_ns, fixed_ns = day_times_ns(inputs.config.rebalance, session.day, hours.zone, hours.close_ns)
        pipeline.start_day(engine.seat.state, world.desk.clock, times_ns, fixed_ns)


def _morning_ns(session: Session) -> int:
    """Return a time just before everything that happens in a session."""
    return min(session.hours.open_ns, session.span_ns[0]) - 1


def end_of_day(inputs: Inputs, session: Session) -> tuple[int, str]:
    """Return the last instant at which anything may happen on a day, and why it comes before the close, if it does.

    Nobody can trade against a book that nobody recorded: where the recording breaks off, or where the user stops reading, the
    day is over, with whatever is held. DAY orders expire then.
    """
    (start_ns, close_ns), last_ns = trading_span(inputs, session), session.span_ns[1]
    ends = [(max(close_ns, last_ns), "")]
    if session.breaks_off_before(start_ns, close_ns):
        ends.append((last_ns, "there the recording breaks off"))
    asked_ns = inputs.span_of(session)[1]
    if asked_ns is not None:
        ends.append((asked_ns - 1, "nothing later was asked for"))
    return min(ends)


def save(inputs: Inputs, engine: Engine, stage: Stage | None, path: Path) -> None:
    """Write the state for the next day, by symbol name."""
    door = engine.seat.door
    extra = {
        "strategy": _kind(inputs),
        "horizons_min": list(inputs.horizons_min),
        "python": None if door is None else door.state(),
        "until_ns": end_of_day(inputs, inputs.sessions[-1])[0],
    }
    save_state(path, _lasting(engine, stage), _per_symbol(inputs), list(inputs.symbol_index), extra)


def load(inputs: Inputs, engine: Engine, stage: Stage | None) -> None:
    """Start from the state that the inputs name, if any."""
    if inputs.state_in is None:
        return
    meta = load_state(inputs.state_in, _lasting(engine, stage), list(inputs.symbol_index), inputs.horizons_min)
    if meta["strategy"] != _kind(inputs):
        raise UsageError(f"start state {inputs.state_in} belongs to {meta['strategy']}, this run is of {_kind(inputs)}")
    _refuse_later(inputs, meta.get("until_ns"))
    if engine.seat.door is not None:
        engine.seat.door.restore(meta["python"])


def _refuse_later(inputs: Inputs, until_ns: int | None) -> None:
    """Refuse a state that was left after this run begins: it would know what is to come. Parts do not say when they were left."""
    first = inputs.sessions[0]
    begin_ns = max(first.span_ns[0], inputs.span_of(first)[0] or 0)
    if until_ns is not None and until_ns >= begin_ns:
        raise DataError(
            f"start state {inputs.state_in} was left at {et_stamp(until_ns)}, after {et_stamp(begin_ns)}, where this run begins: "
            "it would know what is to come; give one that was left before, or none"
        )


def _lasting(engine: Engine, stage: Stage | None) -> Lasting:
    return Lasting(engine.seat.state) if stage is None else Lasting(engine.seat.state, stage.market)


def _kind(inputs: Inputs) -> str:
    if inputs.strategy is None or inputs.forecaster is not None:
        return "the default pipeline"
    return inputs.strategy_text or type(inputs.strategy).__name__


def _per_symbol(inputs: Inputs) -> set[str]:
    strategy = inputs.strategy

    def build(n_symbols: int) -> Any:
        market = Stage([1] * n_symbols, as_row(inputs.config.features), None).market
        if isinstance(strategy, BoundKernel):
            return Lasting(strategy.make_state(n_symbols), market)
        if strategy is not None and inputs.forecaster is None:
            watching = watch_state(Watch(), [str(k) for k in range(n_symbols)], as_row(inputs.config.features))
            return Lasting(watching, market)
        return Lasting(_pipeline_state(inputs, n_symbols), market)

    return symbol_arrays(build, len(inputs.symbol_index))


def _pipeline_state(inputs: Inputs, n_symbols: int) -> Any:
    horizons = [int(h) for h in horizons_of(inputs)]
    run, names = inputs.config.run, list(inputs.symbol_index)
    symbols = names if n_symbols == len(names) else ()
    return pipeline.build_state(inputs.config.strategy, n_symbols, horizons, run.equity_usd, symbols=symbols, seed=run.seed)


def _venue(inputs: Inputs, session: Session | None) -> Any:
    settings = inputs.config.venue
    rates, close_ns, terms = None, NEVER, Terms()
    if session is not None:
        rates = fees_of(inputs, session).rates
        close_ns = min(trading_span(inputs, session)[1], end_of_day(inputs, session)[0])
        terms = _terms(inputs, session)
    chosen, names = queue_named(settings.queue), list(inputs.symbol_index)
    return make_venue(
        len(names),
        inputs.config.run.order_slots,
        queue=queue_of(Band(settings.band), chosen.model),
        fits=None if session is None else chosen.fits(session, names, names),
        power=settings.power,
        close_ns=close_ns,
        fees=rates,
        terms=terms,
        multipliers=[info_of(inputs, name).multiplier for name in names],
        band=choices(
            Band(settings.band),
            FillRule(settings.rule),
            settings.no_venue_share if settings.no_venue_share >= 0 else None,
        ),
        n_messages=max(message_count(each) for each in inputs.sessions) if is_exact(inputs) else 0,
    )


def _terms(inputs: Inputs, session: Session) -> Terms:
    """Return what exchange and broker ask of an order on a day; where no fees are charged nobody trades US stocks."""
    settings, run = inputs.config.venue, inputs.config.run
    is_us = inputs.config.fees.plan not in ("none", "flat")
    return Terms(
        open_ns=session.hours.open_ns if run.hours == "rth" else -NEVER,
        holds_in_halt=settings.halted_orders == "hold",
        most_qty=settings.max_order_qty,
        equity=round(run.equity_usd * inputs.scale),
        is_shortable=settings.shortable,
        leverage=settings.leverage,
        ticks=tick_table(session.day, inputs.scale) if is_us else (0, 0, 0, 0),
    )


def is_exact(inputs: Inputs) -> bool:
    """Tell whether the exchange follows single orders, and needs the messages of the sessions."""
    return bool(inputs.config.venue.queue == QueueModel.FIFO)


def messages_of(inputs: Inputs, session: Session) -> MessageWeaver | None:
    """Return the messages of a session where the exchange follows single orders; a symbol without any is a `UsageError`."""
    return MessageWeaver(session, inputs.symbol_index, inputs.span_of(session)[1]) if is_exact(inputs) else None


def fees_of(inputs: Inputs, session: Session) -> FeeSchedule:
    """Return the fees of a day, as if it were the first."""
    return FeeSchedule.of(session.day, inputs.config.fees, venues=tuple(inputs.venue_index), scale=inputs.scale)


def _carry_month(before: Any, today: Any) -> None:
    """Go on with the shares of the month; a new month begins at none, the first day with what the settings say."""
    if before["month"] != 0:
        today["month_qty"] = before["month_qty"] if before["month"] == today["month"] else 0


def trading_span(inputs: Inputs, session: Session) -> tuple[int, int]:
    """Return from when to when a session is traded: its regular hours, or all that were recorded."""
    hours = session.hours
    if inputs.config.run.hours == "rth":
        return hours.open_ns, hours.close_ns
    first_ns, last_ns = session.span_ns
    return min(hours.pre_ns, first_ns), max(hours.post_ns, last_ns + 1)


def _set_clock(inputs: Inputs, desk: Desk, session: Session) -> None:
    clock = desk.clock[0]
    clock["now_ns"] = max(clock["now_ns"], _morning_ns(session))
    clock["next_timer_ns"] = NEVER
    clock["open_ns"], clock["close_ns"] = session.hours.open_ns, session.hours.close_ns
    clock["trade_from_ns"], clock["trade_until_ns"] = trading_span(inputs, session)


def _clear_books(inputs: Inputs, desk: Desk, session: Session) -> None:
    desk.book[:] = np.zeros(1, desk.book.dtype)
    for name, s in inputs.symbol_index.items():
        if name in session.symbols:
            info = session.symbol_info(name)
            desk.book[s]["tick"] = info.tick
            desk.book[s]["lot"] = info.lot
            desk.book[s]["multiplier"] = info.multiplier
            desk.book[s]["evidence"] = Evidence[info.evidence.upper()]


def info_of(inputs: Inputs, name: str) -> SymbolInfo:
    """Return what the first session that holds a symbol knows about it."""
    return next(session.symbol_info(name) for session in inputs.sessions if name in session.symbols)
