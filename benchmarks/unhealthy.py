"""Pooled sessions as rows, made by plain generators: a healthy pipeline, and the same one with a fault put in.

No engine runs here: decisions, orders and cycles are drawn as a pipeline would have written them, so that hundreds of pools of
twelve sessions fit into minutes. Prices have volatility that moves, a common factor (correlation 0.3) and a weak signal (IC about
0.1); the intervals are those of the model that made them; the selector is the arbiter's own mixture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from replay.orders import ORDER_LOG, State
from strategy.arbiter import evaluate
from strategy.decision import CYCLE, DECISION, Component, Reason

SESSIONS, MINUTES, SYMBOLS = 12, 390, 3
HORIZONS_MIN = (5, 15, 30)
_MINUTE_NS = 60_000_000_000
_DAY_NS = 86_400_000_000_000
_Z_90 = 1.2815515655446004
_COST_BPS = 1.5
_WORK_NS = 15_000_000_000
_CYCLES = SESSIONS * MINUTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong; the defaults are a healthy pipeline."""

    sigma_scale: float = 1.0  # of the model's intervals
    is_frozen: bool = False  # weights never move
    refused_share: float = 0.0  # of plans, by the message budget
    jitter_share: float = 0.0  # of cycles in which a target moves by next to nothing
    nan_share: float = 0.0  # of forecasts
    broken_share: float = 0.0  # of cycles whose weights do not sum to one


FAULTS = {
    "model too sure (sigma x 0.7)": ("conformal_coverage", Fault(sigma_scale=0.7)),
    "model too timid (sigma x 1.6)": ("conformal_coverage", Fault(sigma_scale=1.6)),
    "frozen selector": ("selector_adapts", Fault(is_frozen=True)),
    "throttled budget (1 plan in 5 refused)": ("execution_sla", Fault(refused_share=0.2)),
    "churning signal (tiny move in 1 cycle of 2)": ("churn", Fault(jitter_share=0.5)),
    "NaN model (1 forecast in 5)": ("component_errors", Fault(nan_share=0.2)),
    "broken weights (1 cycle in 500)": ("weights_normal", Fault(broken_share=0.002)),
}


@dataclass(frozen=True, slots=True)
class Pool:
    """Rows of one pool of sessions, and what became of its decisions."""

    decisions: np.ndarray
    orders: np.ndarray
    cycles: np.ndarray
    outcomes_bps: np.ndarray
    rewards: np.ndarray

    def until(self, n_cycles: int) -> Pool:
        """Return the first cycles; they end with a session, so that every outcome is known."""
        n = n_cycles * SYMBOLS
        end_ns = self.cycles["ts_ns"][n_cycles - 1]
        orders = self.orders[self.orders["ts_ns"] <= end_ns]
        return replace(
            self,
            decisions=self.decisions[:n],
            orders=orders,
            cycles=self.cycles[:n_cycles],
            outcomes_bps=self.outcomes_bps[:n],
            rewards=self.rewards[:n],
        )


def pool(seed: int, fault: Fault) -> Pool:
    """Make one pool."""
    rng = np.random.default_rng(seed)
    moved, mu, sigma = _market(rng)
    net = (np.sign(mu) * moved - _COST_BPS) / sigma  # rows: cycles, symbols, horizons
    weights = _weights(net, fault)
    decisions, outcomes = _decide(rng, moved, mu, sigma * fault.sigma_scale, weights, fault)
    orders = _orders(rng, decisions)
    return Pool(decisions, orders, _cycles(rng, decisions, fault), outcomes, net.reshape(-1, len(HORIZONS_MIN)))


def _market(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return moves over each horizon (NaN beyond the close), forecasts and sigmas, all (cycles, symbols, horizons)."""
    shape = (SESSIONS, MINUTES, SYMBOLS)
    noise = np.sqrt(0.3) * rng.standard_normal((SESSIONS, MINUTES, 1)) + np.sqrt(0.7) * rng.standard_normal(shape)
    volatility = 4.0 * np.exp(0.3 * _wandering(rng, 0.99))
    signal = 0.05 * volatility * _wandering(rng, 0.95)
    total = np.concatenate([np.zeros((SESSIONS, 1, SYMBOLS)), np.cumsum(signal + volatility * noise, axis=1)], axis=1)
    moves, forecasts, sigmas = [], [], []
    for horizon in HORIZONS_MIN:
        move = np.full(shape, np.nan)
        move[:, :-horizon] = total[:, horizon:-1] - total[:, : -horizon - 1]
        moves.append(move)
        forecasts.append(signal * (1 - 0.95**horizon) / (1 - 0.95))
        sigmas.append(volatility * np.sqrt(horizon) * 1.02)
    stacked = [np.stack(part, axis=-1).reshape(_CYCLES, SYMBOLS, len(HORIZONS_MIN)) for part in (moves, forecasts, sigmas)]
    return stacked[0], stacked[1], stacked[2]


def _wandering(rng: np.random.Generator, memory: float) -> np.ndarray:
    """Return an autoregression of unit variance per session and symbol."""
    steps = rng.standard_normal((SESSIONS, MINUTES, SYMBOLS)) * np.sqrt(1 - memory**2)
    values = np.zeros_like(steps)
    values[:, 0] = rng.standard_normal((SESSIONS, SYMBOLS))
    for minute in range(1, MINUTES):
        values[:, minute] = memory * values[:, minute - 1] + steps[:, minute]
    return values


def _weights(net: np.ndarray, fault: Fault) -> np.ndarray:
    """Return the weights of the arbiter's mixture, symbol by symbol; a label beyond the close is never known."""
    if fault.is_frozen:
        return np.broadcast_to([0.2, 0.3, 0.5], net.shape)
    return np.stack([evaluate(net[:, s], HORIZONS_MIN).to_numpy() for s in range(SYMBOLS)], axis=1)


def _decide(
    rng: np.random.Generator, moved: np.ndarray, mu: np.ndarray, sigma: np.ndarray, weights: np.ndarray, fault: Fault
) -> tuple[np.ndarray, np.ndarray]:
    """Write a decision per cycle and symbol on its heaviest horizon, and return what that horizon brought."""
    rows = np.zeros((_CYCLES, SYMBOLS), DECISION)
    best = weights.argmax(axis=2)[:, :, None]
    chosen = [np.take_along_axis(values, best, 2)[:, :, 0] for values in (mu, sigma, moved)]
    rows["mu_bps"], rows["sigma_bps"] = chosen[:2]
    rows["q_lo_bps"], rows["q_hi_bps"] = chosen[0] - _Z_90 * chosen[1], chosen[0] + _Z_90 * chosen[1]
    rows["horizon_min"], rows["cost_bps"] = np.array(HORIZONS_MIN)[best[:, :, 0]], _COST_BPS
    cycle = np.arange(_CYCLES)
    rows["ts_ns"] = (cycle // MINUTES * _DAY_NS + cycle % MINUTES * _MINUTE_NS)[:, None]
    rows["cycle"], rows["symbol"] = cycle[:, None], np.arange(SYMBOLS)
    rows["weights"][:, :, : len(HORIZONS_MIN)] = weights
    rows["features"][:, :, 0] = sigma[:, :, 0]
    rows["reason"] = Reason.TARGET_KEPT
    is_new = cycle % 30 == 0
    rows["reason"][is_new], rows["side"] = Reason.TARGET_SET, np.sign(chosen[0])
    rows["target_qty"][is_new] = 100 * rows["side"][is_new]
    is_refused = is_new[:, None] & (rng.random((_CYCLES, SYMBOLS)) < fault.refused_share)
    rows["reason"][is_refused] = Reason.BUDGET
    is_nan = rng.random((_CYCLES, SYMBOLS)) < fault.nan_share
    rows["status"][is_nan] = 1 << Component.FORECASTS
    rows["reason"][is_nan] = Reason.FORECAST_NAN
    outcomes = np.where(is_nan, np.nan, chosen[2])
    return rows.ravel(), outcomes.ravel()


def _orders(rng: np.random.Generator, decisions: np.ndarray) -> np.ndarray:
    """Write two rows per plan, sent and ended; one in fifty ends late."""
    sent = decisions[decisions["reason"] == Reason.TARGET_SET]
    rows = np.zeros((len(sent), 2), ORDER_LOG)
    rows["parent_id"] = rows["order_id"] = np.arange(1, len(sent) + 1)[:, None]
    rows["work_ns"], rows["ts_ns"] = _WORK_NS, sent["ts_ns"][:, None]
    rows["state"] = [State.SENT, State.FILLED]
    took_s = np.where(rng.random(len(sent)) < 0.02, 25.0, rng.uniform(1.0, 16.0, len(sent)))
    rows["ts_ns"][:, 1] += (took_s * 1e9).astype(np.int64)
    return rows.ravel()


def _cycles(rng: np.random.Generator, decisions: np.ndarray, fault: Fault) -> np.ndarray:
    """Write what each cycle counted."""
    rows = np.zeros(_CYCLES, CYCLE)
    by_cycle = decisions.reshape(_CYCLES, SYMBOLS)
    rows["ts_ns"], rows["cycle"], rows["n_symbols"] = by_cycle["ts_ns"][:, 0], np.arange(_CYCLES), SYMBOLS
    rows["n_errors"] = (by_cycle["status"] != 0).sum(axis=1)
    is_target = by_cycle["reason"] == Reason.TARGET_SET
    is_jitter = rng.random((_CYCLES, SYMBOLS)) < fault.jitter_share
    rows["n_targets"] = (is_target | is_jitter).sum(axis=1)
    rows["turnover_small_usd"] = 50.0 * is_jitter.sum(axis=1) + 0.2 * is_target.sum(axis=1)
    rows["turnover_usd"] = 10_000.0 * is_target.sum(axis=1) + rows["turnover_small_usd"]
    rows["weight_sum_min"] = rows["weight_sum_max"] = 1.0
    rows["weight_sum_max"][rng.random(_CYCLES) < fault.broken_share] = 1.2
    return rows
