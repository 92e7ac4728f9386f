"""Costs and limits in their enhanced forms: what a decision over fifty held symbols takes, and what a minute of correlations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import worlds
from benchmarks.measure import Figure, least_cpu_s
from replay.jit import kernel
from strategy.correlation import judge_pairs, learn_minute
from strategy.cost import CostSettings, price
from strategy.pipeline import StrategySettings, build_state
from strategy.risk import RiskSettings, cap

N_SYMBOLS = 50
N_DECISIONS = 50_000
N_MINUTES = 3_900
HORIZONS_MIN = (5, 10, 15, 30, 60)
WANTED_QTY = 900


@kernel
def decide_often(n, desk, state):  # type: ignore[no-untyped-def]
    """Cap a target for one symbol after the other; return the sum of what is left."""
    total = 0
    for i in range(n):
        state.decision[0]["target_qty"] = WANTED_QTY
        cap(i % len(desk.book), state.decision, desk, state.planner, state.features, 1e6, state.exposure, state.params["risk"])
        total += state.decision[0]["target_qty"]
    return total


@kernel
def price_often(n, desk, state):  # type: ignore[no-untyped-def]
    """Price all horizons of one symbol after the other; return how many had a cost."""
    total = 0
    for i in range(n):
        price(i % len(desk.book), state.legs, len(state.legs), desk, state.features, state.costs, state.params["cost"])
        for k in range(len(state.legs)):
            total += state.legs[k]["is_alive"]
    return total


@kernel
def learn_often(n, correlation, params):  # type: ignore[no-untyped-def]
    """Learn the same returns again and again; return the minutes learned."""
    for _ in range(n):
        learn_minute(correlation, params)
        judge_pairs(correlation, params)
    return correlation.pairs[1, 0]["minute_count"]


def make_world() -> tuple[Any, Any]:
    """Return a desk that holds ten shares of everything, and the state of a pipeline that knows all correlations."""
    settings = StrategySettings(cost=CostSettings(mode="enhanced"), risk=RiskSettings(mode="enhanced", gross_share=9.0))
    desk, state = worlds.build(N_SYMBOLS, legs_ns=(1, 1, 1, 1, 1)).desk, build_state(settings, N_SYMBOLS, HORIZONS_MIN)
    desk.book["bid"], desk.book["ask"], desk.book["bid_qty"], desk.book["ask_qty"] = 100_000, 100_100, 300, 300
    desk.positions["qty"] = 10
    state.features["vol_bps"], state.features["volume_per_min"] = 2.0, 1e5
    state.legs["is_alive"], state.legs["horizon_min"] = 1, HORIZONS_MIN
    draws = np.random.default_rng(7)
    for _ in range(60):
        state.exposure.correlation.returns[:] = draws.normal(size=N_SYMBOLS) + draws.normal()
        learn_minute(state.exposure.correlation, state.params["risk"])
    judge_pairs(state.exposure.correlation, state.params["risk"])
    return desk, state


def works() -> list[Callable[[], object]]:
    """Return the three pieces of work, each of which checks its result."""
    desk, state = make_world()
    learned = make_world()[1].exposure.correlation
    left_qty = decide_often(N_SYMBOLS, desk, state)
    assert 0 < left_qty < N_SYMBOLS * WANTED_QTY, left_qty

    def decide() -> None:
        assert decide_often(N_DECISIONS, desk, state) == left_qty * N_DECISIONS // N_SYMBOLS

    def price_all() -> None:
        assert price_often(N_DECISIONS, desk, state) == N_DECISIONS * len(HORIZONS_MIN)

    def learn() -> None:
        before = learned.pairs[1, 0]["minute_count"]
        assert learn_often(N_MINUTES, learned, state.params["risk"]) == before + N_MINUTES

    return [decide, price_all, learn]


def main() -> list[Figure]:
    """Measure all three."""
    pieces = works()
    for piece in pieces:
        piece()
    decide_s, price_s, learn_s = least_cpu_s([lambda piece=piece: piece for piece in pieces])
    return [
        Figure.at_most("limits of a decision, 50 symbols held", 1e6 * decide_s / N_DECISIONS, "us", 2),
        Figure.at_most("costs of a decision, five horizons", 1e6 * price_s / N_DECISIONS, "us", 1),
        Figure.at_most("correlations of a minute, 50 symbols", 1e6 * learn_s / N_MINUTES, "us", 100),
    ]
