"""The whole pipeline: the default one from memory and from zstd Parquet, the enhanced one from memory, quiet and trading.

Every symbol gets a forecast of zero for five horizons, so every component up to the gate runs, a form that learns does so from
outcomes, and nothing is ever traded. The default pipeline decides every five minutes, the enhanced one (`examples/enhanced.toml`)
every minute and every second. What a decision takes is the difference of these two: once with forecasts that lie in the blocks
already, learning and journal included, and once with all that weaving them into a stream costs as well.

Trading, forecasts of 30 bps whose sign changes every twenty seconds pass a gate that learns as the enhanced one and opens as the
original one, nothing limits messages or the times of trades, and a decision is made for each symbol every second. What it takes
then is the difference to the quiet run by the minute, whole: arbiter to planner, its timers, and the simulated exchange with all
that its orders cause there; the last figure is what comes on top of the quiet decision per order that was sent.
"""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import market, worlds
from benchmarks.measure import Figure, least_cpu_s, yardstick
from replay.desk import Block
from replay.events import BAR, FORECAST, Kind
from replay.forecasts.table import READY, ForecastRows, no_forecasts
from replay.forecasts.weave import Weaver
from replay.session import Session
from strategy.pipeline import StrategySettings, build_state, decide, start_day

N_EVENTS = 5_000_000
N_SYMBOLS = 10
HORIZONS_MIN = (5, 10, 15, 30, 60)
SECOND_NS = 1_000_000_000
EVERY_NS = 300 * SECOND_NS


def zero_forecasts(until_ns: int, every_ns: int = EVERY_NS) -> ForecastRows:
    """Return forecasts of zero from the open on."""
    times = np.arange(market.OPEN_NS + every_ns, until_ns, every_ns)
    n_rows = len(times) * N_SYMBOLS * len(HORIZONS_MIN)
    ready, rows = np.zeros(n_rows, READY), np.zeros(n_rows, FORECAST)
    ready["ready_ts_ns"] = np.repeat(times, N_SYMBOLS * len(HORIZONS_MIN))
    ready["symbol"] = np.tile(np.repeat(np.arange(N_SYMBOLS), len(HORIZONS_MIN)), len(times))
    rows["bar_close_ts_ns"] = ready["ready_ts_ns"]
    rows["forecast_id"] = np.arange(n_rows)
    rows["sigma_bps"] = 10.0
    rows["horizon_min"] = np.tile(HORIZONS_MIN, n_rows // len(HORIZONS_MIN))
    for name in ("q_lo_bps", "q_hi_bps", "p_peak", "p_valley", "net_reward_bps"):
        rows[name] = np.nan
    return ForecastRows(ready, rows)


def woven(blocks: Iterable[Block], forecasts: ForecastRows) -> Iterator[Block]:
    """Weave forecasts into blocks, as a run does."""
    weaver = Weaver()
    for block in blocks:
        yield from weaver.weave(block, forecasts)
        forecasts = no_forecasts()


def enhanced() -> StrategySettings:
    """Return the settings of `examples/enhanced.toml`."""
    sections = tomllib.loads((Path(__file__).parents[1] / "examples" / "enhanced.toml").read_text())
    kinds: dict[str, Any] = {part.name: part.default_factory for part in fields(StrategySettings)}
    return StrategySettings(**{name: kinds[name](**values) for name, values in sections.items()})


def flipping_forecasts(until_ns: int) -> ForecastRows:
    """Return forecasts of 30 bps every second, which change their sign every twenty."""
    forecasts = zero_forecasts(until_ns, SECOND_NS)
    seconds = (forecasts.ready["ready_ts_ns"] - market.OPEN_NS) // SECOND_NS
    forecasts.rows["mu_bps"] = np.where(seconds // 20 % 2, 30.0, -30.0)
    return forecasts


def eager() -> StrategySettings:
    """Return settings in which every component works in its enhanced form, and nearly every change of sign is traded."""
    settings = enhanced()
    return replace(
        settings,
        gate=replace(settings.gate, rollout=0.0, threshold_bps=0.5),
        rebalance=replace(settings.rebalance, mode="off"),
        budget=replace(settings.budget, mode="off"),
    )


def prepare(
    source: Callable[[], Iterable[Block]],
    forecasts: ForecastRows,
    settings: StrategySettings | None = None,
    *,
    is_woven: bool = False,
    has_exits: bool = False,
) -> Callable[[], worlds.Counts]:
    """Prepare a replay of a source through the pipeline, the default one unless `settings` say otherwise."""
    world = worlds.build(N_SYMBOLS, legs_ns=(1_000_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000))
    state = build_state(settings or StrategySettings(), N_SYMBOLS, HORIZONS_MIN)
    start_day(state, world.desk.clock)
    trial = worlds.Trial(world, worlds.seat(decide, state))

    def run() -> worlds.Counts:
        counts = trial.run(source() if is_woven else woven(source(), forecasts))
        n_exits = trial.rows["decisions"] - len(forecasts.rows) // len(HORIZONS_MIN)
        assert n_exits >= 0 if has_exits else n_exits == 0, trial.rows
        return counts

    return run


def main() -> list[Figure]:
    """Measure the default pipeline both ways, and the enhanced one by the minute, by the second and trading."""
    events = market.stream(N_EVENTS, N_SYMBOLS)
    return [*_default(events), *_enhanced(events), *_trading(events)]


def _checked(work: Callable[[], worlds.Counts], forecasts: ForecastRows) -> None:
    expected = worlds.Counts(N_EVENTS + len(forecasts.rows), 0, 0, 0)
    counts = work()
    assert counts == expected, f"expected {expected}, got {counts}"


def _default(events: np.ndarray) -> list[Figure]:
    forecasts = zero_forecasts(int(events["ts_ns"][-1]))
    with tempfile.TemporaryDirectory() as folder:
        session = Session.open(market.write(Path(folder) / "session", events, N_SYMBOLS))
        index = {name: k for k, name in enumerate(market.NAMES)}

        def from_disk() -> Iterator[Block]:
            session.check_events()  # as a run does
            return session.blocks(index)

        sources = [lambda: worlds.blocks(events), from_disk]
        for source in sources:
            _checked(prepare(source, forecasts), forecasts)
        memory_s, disk_s, yard_s = least_cpu_s([*[lambda s=s: prepare(s, forecasts) for s in sources], yardstick])
    return [
        Figure.at_least("pipeline, quiet, from memory", N_EVENTS / memory_s / 1e6, "M events/s", 10),
        Figure.at_least("pipeline, quiet, from zstd Parquet", N_EVENTS / disk_s / 1e6, "M events/s", 6),
        Figure("pipeline, quiet, from memory / yardstick", memory_s / yard_s, "x"),
    ]


def given(events: np.ndarray, forecasts: ForecastRows) -> list[Block]:
    """Return blocks in which the forecasts lie already."""
    pieces = list(woven([Block(events, np.zeros(0, BAR), forecasts.rows[:0])], forecasts))
    whole = np.concatenate([piece.events for piece in pieces])
    whole["row"][whole["kind"] == Kind.FORECAST] = np.arange(len(forecasts.rows))
    blocks = worlds.blocks(whole)
    return [Block(block.events, block.bars, forecasts.rows) for block in blocks]


def _enhanced(events: np.ndarray) -> list[Figure]:
    until_ns = int(events["ts_ns"][-1])
    paces = [zero_forecasts(until_ns, every_ns) for every_ns in (60 * SECOND_NS, SECOND_NS)]
    wholes = [given(events, forecasts) for forecasts in paces]
    makers = [lambda f=forecasts: prepare(lambda: worlds.blocks(events), f, enhanced()) for forecasts in paces]
    for forecasts, whole in zip(paces, wholes, strict=True):
        makers.append(lambda f=forecasts, w=whole: prepare(lambda: w, f, enhanced(), is_woven=True))
    for make, forecasts in zip(makers, paces * 2, strict=True):
        _checked(make(), forecasts)
    minute_s, second_s, given_minute_s, given_second_s = least_cpu_s(makers)
    to_us = 1e6 * len(HORIZONS_MIN) / (len(paces[1].rows) - len(paces[0].rows))
    return [
        Figure.at_least("enhanced pipeline, quiet, a cycle a minute", N_EVENTS / minute_s / 1e6, "M events/s", 8),
        Figure.at_least("enhanced pipeline, quiet, a cycle a second", N_EVENTS / second_s / 1e6, "M events/s", 3),
        Figure.at_most("enhanced pipeline, a decision", to_us * (given_second_s - given_minute_s), "us", 6),
        Figure("enhanced pipeline, a decision and the weaving of its forecasts", to_us * (second_s - minute_s), "us"),
    ]


def _trading(events: np.ndarray) -> list[Figure]:
    until_ns = int(events["ts_ns"][-1])
    paces = [zero_forecasts(until_ns, 60 * SECOND_NS), zero_forecasts(until_ns, SECOND_NS), flipping_forecasts(until_ns)]
    wholes = [given(events, forecasts) for forecasts in paces]
    quiet = enhanced()
    makers = [
        lambda f=forecasts, w=whole, k=kind: prepare(lambda: w, f, k, is_woven=True, has_exits=k is not quiet)
        for forecasts, whole, kind in zip(paces, wholes, (quiet, quiet, eager()), strict=True)
    ]
    orders = makers[2]()().orders
    minute_s, quiet_s, trading_s = least_cpu_s(makers)
    to_us = 1e6 * len(HORIZONS_MIN) / (len(paces[2].rows) - len(paces[0].rows))
    return [
        Figure("enhanced pipeline, trading: orders sent", orders, f"in {len(paces[2].rows) // len(HORIZONS_MIN):,} decisions"),
        Figure.at_most(
            "enhanced pipeline, trading: a decision and all that its orders cause", to_us * (trading_s - minute_s), "us", 6
        ),
        Figure("enhanced pipeline, trading: on top of the quiet decision, per order", 1e6 * (trading_s - quiet_s) / orders, "us"),
    ]
