"""Replays with a fault put in: what reaches the loop is changed on its way, the sessions stay as they are.

A fault holds on the last day, from 11:00 to 14:00 New York time; the days before are sound, so that whatever learns has learned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from replay.config import Config
from replay.desk import Block
from replay.engine.spool import Spool
from replay.events import Kind
from replay.forecasts.table import ForecastRows, no_forecasts
from replay.forecasts.weave import Weaver
from replay.inputs import Choices, Inputs, gather
from replay.orders import ORDER_LOG
from replay.session import Session
from replay.setup import SETTLE_NS, build_engine, end_of_day, start_day
from strategy.decision import DECISION

MINUTE_NS = 60_000_000_000
FROM_MIN, UNTIL_MIN = 90, 270  # after the open
_MARKET = (Kind.QUOTE, Kind.TRADE, Kind.BAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong; the defaults are nothing."""

    mu_scale: float = 1.0  # of the forecasts
    sigma_scale: float = 1.0
    nan_share: float = 0.0  # of the forecasts, every so-manieth
    is_frozen: bool = False  # each symbol's feed falls silent for five of ten minutes, and nobody says so
    messages_per_min: int = 0  # what the budget is throttled to; 0 = as configured
    is_broken: bool = False  # the arbiter's weights are no numbers


class Stretch(NamedTuple):
    """What was decided while a fault held, and which plans ever sent an order."""

    decisions: np.ndarray
    plans_sent: np.ndarray


def replay_under(folders: list[Path], config: Config, fault: Fault) -> Stretch:
    """Replay all days and return what the last one decided while the fault held."""
    if fault.messages_per_min:
        config = config.with_sets([f"budget.messages_per_min={fault.messages_per_min}"])
    inputs = gather(folders, config, Choices(forecasts=folders[0].parent / "forecasts.parquet"))
    with TemporaryDirectory() as scratch:
        spool = Spool(Path(scratch))
        engine = build_engine(inputs, spool)
        for session in inputs.sessions:
            is_last = session is inputs.sessions[-1]
            start_day(inputs, engine, session)
            for piece in _pieces(inputs, session, fault if is_last else Fault()):
                if is_last and fault.is_broken and piece.events["ts_ns"][0] >= window_ns(session)[0]:
                    break_weights(engine.seat.state)
                engine.feed(piece)
            engine.settle(end_of_day(inputs, session)[0] + SETTLE_NS)
        spool.close()
        rows = np.fromfile(Path(scratch) / "decisions.rows", DECISION)
        orders = np.fromfile(Path(scratch) / "orders.rows", ORDER_LOG)
    from_ns, until_ns = window_ns(inputs.sessions[-1])
    return Stretch(rows[(rows["ts_ns"] >= from_ns) & (rows["ts_ns"] < until_ns)], np.unique(orders["parent_id"]))


def window_ns(session: Session) -> tuple[int, int]:
    """Return from when to when a fault holds."""
    open_ns = session.hours.open_ns
    return open_ns + FROM_MIN * MINUTE_NS, open_ns + UNTIL_MIN * MINUTE_NS


def break_weights(state: Any) -> None:
    """Make the losses that weights are computed from no numbers, as a fault in a learner would, until the window ends."""
    state.mixture.hedges["loss"] = np.nan


def sound_mu_bps(folders: list[Path]) -> dict[int, float]:
    """Return what the sound model said, by forecast."""
    rows = gather(folders, Config(), Choices(forecasts=folders[0].parent / "forecasts.parquet")).forecasts.rows
    return dict(zip(rows["forecast_id"].tolist(), rows["mu_bps"].tolist(), strict=True))


def _pieces(inputs: Inputs, session: Session, fault: Fault) -> Iterator[Block]:
    """Yield a day's blocks with its forecasts woven in, changed by the fault."""
    given, weaver = _forecasts(inputs.forecasts_of(session), session, fault), Weaver()
    blocks = session.blocks(inputs.symbol_index, block_events=4096, venue_index=inputs.venue_index)
    for block in blocks:
        events = block.events.copy()
        keep = ~_silenced(events, session) if fault.is_frozen else slice(None)
        yield from weaver.weave(Block(events[keep], block.bars.copy(), block.forecasts), given)
        given = no_forecasts()
    yield from weaver.rest(end_of_day(inputs, session)[0])


def _silenced(events: np.ndarray, session: Session) -> np.ndarray:
    """Tell which market events the frozen feed loses."""
    from_ns, until_ns = window_ns(session)
    minute = (events["ts_ns"] - session.hours.open_ns) // MINUTE_NS
    is_inside = (events["ts_ns"] >= from_ns) & (events["ts_ns"] < until_ns)
    return is_inside & ((minute + 3 * events["symbol"]) % 10 < 5) & np.isin(events["kind"], _MARKET)


def _forecasts(given: ForecastRows, session: Session, fault: Fault) -> ForecastRows:
    from_ns, until_ns = window_ns(session)
    rows = given.rows.copy()
    inside = np.flatnonzero((given.ready["ready_ts_ns"] >= from_ns) & (given.ready["ready_ts_ns"] < until_ns))
    middle = rows["mu_bps"][inside] * fault.mu_scale
    for name in ("q_lo_bps", "q_hi_bps"):
        rows[name][inside] = middle + (rows[name][inside] - rows["mu_bps"][inside]) * fault.sigma_scale
    rows["mu_bps"][inside] = middle
    rows["sigma_bps"][inside] *= fault.sigma_scale
    dead = inside[np.floor(np.arange(1, len(inside) + 1) * fault.nan_share) > np.floor(np.arange(len(inside)) * fault.nan_share)]
    rows["mu_bps"][dead] = np.nan
    return ForecastRows(given.ready, rows, given.models)
