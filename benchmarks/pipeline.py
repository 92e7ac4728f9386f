"""The whole default pipeline with its gate shut: from memory, and from zstd Parquet end to end.

Every symbol gets a forecast of zero for five horizons every five minutes, so every component runs and nothing is ever traded.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from benchmarks import market, worlds
from benchmarks.measure import Figure, least_cpu_s, yardstick
from replay.desk import Block
from replay.events import FORECAST
from replay.forecasts.table import READY, ForecastRows, no_forecasts
from replay.forecasts.weave import Weaver
from replay.session import Session
from strategy.pipeline import StrategySettings, build_state, decide, start_day

N_EVENTS = 5_000_000
N_SYMBOLS = 10
HORIZONS_MIN = (5, 10, 15, 30, 60)
EVERY_NS = 300_000_000_000


def zero_forecasts(until_ns: int) -> ForecastRows:
    """Return forecasts of zero from the open on."""
    times = np.arange(market.OPEN_NS + EVERY_NS, until_ns, EVERY_NS)
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


def prepare(source: Callable[[], Iterable[Block]], forecasts: ForecastRows) -> Callable[[], worlds.Counts]:
    """Prepare a replay of a source through the default pipeline."""
    world = worlds.build(N_SYMBOLS, legs_ns=(1_000_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000))
    state = build_state(StrategySettings(), N_SYMBOLS, HORIZONS_MIN)
    start_day(state, world.desk.clock)
    trial = worlds.Trial(world, worlds.seat(decide, state))

    def run() -> worlds.Counts:
        counts = trial.run(woven(source(), forecasts))
        assert trial.rows["decisions"] == len(forecasts.rows) // len(HORIZONS_MIN), trial.rows
        return counts

    return run


def main() -> list[Figure]:
    """Measure both ways."""
    events = market.stream(N_EVENTS, N_SYMBOLS)
    forecasts = zero_forecasts(int(events["ts_ns"][-1]))
    expected = worlds.Counts(N_EVENTS + len(forecasts.rows), 0, 0, 0)
    with tempfile.TemporaryDirectory() as folder:
        session = Session.open(market.write(Path(folder) / "session", events, N_SYMBOLS))
        index = {name: k for k, name in enumerate(market.NAMES)}

        def from_disk() -> Iterator[Block]:
            session.check_events()  # as a run does
            return session.blocks(index)

        sources = [lambda: worlds.blocks(events), from_disk]
        for source in sources:
            counts = prepare(source, forecasts)()
            assert counts == expected, f"expected {expected}, got {counts}"
        memory_s, disk_s, yard_s = least_cpu_s([*[lambda s=s: prepare(s, forecasts) for s in sources], yardstick])
    return [
        Figure.at_least("pipeline, quiet, from memory", N_EVENTS / memory_s / 1e6, "M events/s", 10),
        Figure.at_least("pipeline, quiet, from zstd Parquet", N_EVENTS / disk_s / 1e6, "M events/s", 6),
        Figure("pipeline, quiet, from memory / yardstick", memory_s / yard_s, "x"),
    ]
