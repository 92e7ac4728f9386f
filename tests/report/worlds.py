"""A run made by hand: two symbols, one day, decisions that were refused, filled, stopped and closed."""

import json
from pathlib import Path

import numpy as np

from replay.orders import FILL, MARK, ORDER_LOG, Evidence, Liquidity, OrderType, Side, State, Tif
from replay.tables import RunContext, RunRows, SessionSpan, write_tables
from strategy.decision import CYCLE, DECISION, Fallback, Reason

S_NS = 1_000_000_000
OPEN_NS = 1_772_461_800 * S_NS  # 2026-03-02 09:30 in New York
CLOSE_NS = OPEN_NS + 23_400 * S_NS
CONTEXT = RunContext(
    symbols=("AAPL", "MSFT"),
    horizons_min=(5, 15),
    feature_names=("spread_bps", "vol_bps", "imbalance", "momentum_bps"),
    venues=("NASDAQ", "ARCA"),
    sessions=(SessionSpan(day="2026-03-02", start_ns=OPEN_NS, end_ns=CLOSE_NS),),
)


def marks(*rows: tuple[int, int, int, int]) -> np.ndarray:
    """MARK rows from (second of the session, symbol, bid, ask)."""
    return np.array([(OPEN_NS + s * S_NS, bid, ask, symbol) for s, symbol, bid, ask in rows], MARK)


def fill(second: float, side: int, qty: int, price: int, **more: int) -> np.ndarray:
    """One FILL row; `more` overrides any field."""
    row = np.zeros(1, FILL)
    row["ts_ns"], row["side"], row["qty"], row["price"] = OPEN_NS + int(second * S_NS), side, qty, price
    row["liquidity"], row["rule"], row["evidence"] = Liquidity.ADD, 3, Evidence.SNAPSHOT_250MS
    row["mid2_at_decision"] = row["mid2_at_arrival"] = row["mid2_at_fill"] = 2 * price
    for name, value in more.items():
        row[name] = value
    return row


def decision(second: float, reason: Reason, **more: float) -> np.ndarray:
    """One DECISION row; `more` overrides any field."""
    row = np.zeros(1, DECISION)
    row["ts_ns"], row["reason"], row["shadow_reason"] = OPEN_NS + int(second * S_NS), reason, -1
    for name, value in more.items():
        row[name] = value
    return row


def rows(**arrays: np.ndarray) -> RunRows:
    """RunRows with empty arrays where none is given."""
    dtypes = {"decisions": DECISION, "orders": ORDER_LOG, "fills": FILL, "cycles": CYCLE, "marks": MARK}
    return RunRows(**{name: arrays.get(name, np.zeros(0, dtype)) for name, dtype in dtypes.items()})


class Maker:
    """Walks through a day minute by minute and writes down what a strategy might have done."""

    def __init__(self, seed: int = 7) -> None:
        self.random = np.random.default_rng(seed)
        self.out: dict[str, list[np.ndarray]] = {name: [] for name in RunRows._fields}
        self.ids = {"order": 0, "decision": 0}

    def day(self) -> RunRows:
        """Make the rows of the whole day."""
        walks = [self._walk(s, price) for s, price in enumerate((2_000_000, 4_100_000))]
        for symbol, bid in enumerate(walks):
            self._trade(symbol, bid)
        merged = {name: np.concatenate(parts) for name, parts in self.out.items() if parts}
        sort = {"decisions": "decision_id"}
        return rows(**{name: a[np.argsort(a[sort.get(name, "ts_ns")], kind="stable")] for name, a in merged.items()})

    def _walk(self, symbol: int, price: int) -> np.ndarray:
        steps = self.random.choice([-100, 0, 0, 0, 100], 23_400) + self.random.choice([0, 0, 0, 0, 0, 100, -100], 23_400)
        bid = price + np.cumsum(steps)
        mark = np.zeros(23_400, MARK)
        mark["ts_ns"], mark["symbol"] = OPEN_NS + np.arange(23_400) * S_NS, symbol
        mark["bid"], mark["ask"] = bid, bid + 100 * self.random.choice([1, 1, 2], 23_400)
        self.out["marks"].append(mark[np.flatnonzero(np.r_[True, np.diff(mark["bid"]) != 0])])
        return bid

    def _trade(self, symbol: int, bid: np.ndarray) -> None:
        held, until = 0, 0
        refusals = [Reason.GATE_COST, Reason.GATE_COST, Reason.NOT_REBALANCE_TIME, Reason.STALE_QUOTE, Reason.ARBITER_RESERVE]
        for second in range(300, 23_000, 60):
            if held and second >= until:
                held += self._act(symbol, second, bid, -held, Reason.EXIT_HORIZON)
            elif not held and self.random.random() < 0.08:
                held += self._act(symbol, second, bid, int(self.random.choice([-200, 200])), Reason.TARGET_SET)
                until = second + 900
            else:
                reason = Reason.TARGET_KEPT if held else refusals[int(self.random.integers(len(refusals)))]
                self._decide(symbol, second, bid, reason, held, held)

    def _decide(self, symbol: int, second: int, bid: np.ndarray, reason: Reason, held: int, target: int) -> int:
        self.ids["decision"] += 1
        is_taken = reason < 10
        mu = float(np.sign(target - held) or 1) * (9.5 if is_taken else self.random.uniform(1, 6))
        row = decision(second, reason, symbol=symbol, decision_id=self.ids["decision"], cycle=self.ids["decision"])
        row["horizon_min"], row["mu_bps"], row["sigma_bps"], row["side"] = 15, mu, 8.0, np.sign(target - held)
        if reason in (Reason.STALE_QUOTE, Reason.EXIT_HORIZON):
            row["mu_bps"], row["sigma_bps"], row["side"], row["horizon_min"] = 0.0, 0.0, 0, 0
        row["q_lo_bps"], row["q_hi_bps"] = mu - 4.0, mu + 4.0
        row["cost_bps"], row["edge_needed_bps"] = 3.4, 7.3 if row["horizon_min"][0] else 0.0
        row["cost_spread_bps"], row["cost_vol_bps"], row["cost_fee_bps"] = 1.0, 2.0, 0.4
        row["net_edge_bps"] = abs(mu) - 3.4
        row["risk_limit"], row["risk_unknown"] = (Reason.RISK_NET, 2) if reason == Reason.TARGET_SET else (0, 0)
        row["p_peak"], row["p_valley"] = (np.nan, np.nan) if reason == Reason.STALE_QUOTE else (0.25, 0.75)
        row["fallback"] = Fallback.MODEL_OLD if is_taken else Fallback.NOT_ASKED
        row["quality"], row["position_qty"], row["target_qty"] = 1.0, held, target
        row["mid2"], row["spread"] = 2 * bid[second] + 100, 100
        row["weights"][0, :2], row["features"][0, :4] = (0.3, 0.7), (0.5, 8.1, -0.2, 1.4)
        row["quote_age_ns"], row["forecast_age_ns"] = S_NS // 5, 3 * S_NS
        row["is_stale"] = reason == Reason.STALE_QUOTE
        self.out["decisions"].append(row)
        return self.ids["decision"]

    def _act(self, symbol: int, second: int, bid: np.ndarray, change: int, reason: Reason) -> int:
        decision_id = self._decide(symbol, second, bid, reason, 0, change)
        self.ids["order"] += 1
        side = int(np.sign(change))
        qty = abs(change)
        price = int(bid[second]) if side > 0 else int(bid[second]) + 100
        filled = 0
        states: list[tuple[float, State]] = [(0.0, State.SENT), (0.08, State.WORKING)]
        parts = [(6, qty // 2), (14, qty - qty // 2)] if reason != Reason.TARGET_SET or self.random.random() < 0.8 else []
        for k, (delay, part) in enumerate(parts):
            at = int(bid[second])
            more = {"symbol": symbol, "order_id": self.ids["order"], "decision_id": decision_id, "fee_micros": 350_000}
            more |= {"latency_ns": 60_000_000, "ahead_qty_before": 300 if not k else 0, "venue": k, "source_seq": 40 * second + k}
            more |= {f"mid2_at_{when}": 2 * at + 100 for when in ("decision", "arrival")}
            more["mid2_at_fill"] = 2 * int(bid[second + delay]) + 100
            if reason == Reason.EXIT_HORIZON and k:
                more["liquidity"], more["rule"] = Liquidity.REMOVE, 7
            self.out["fills"].append(fill(second + delay, side, part, price, **more))
            states.append((delay + 0.04, State.FILLED if k else State.PARTIAL))
        if not parts:
            states += [(30.0, State.CANCEL_SENT), (30.1, State.CANCELLED)]
        for after, state in states:
            filled += qty // 2 if state in (State.PARTIAL, State.FILLED) else 0
            self._log(second + after, state, (symbol, side, qty, filled, price, decision_id))
        return side * filled

    def _log(self, second: float, state: State, what: tuple[int, int, int, int, int, int]) -> None:
        symbol, side, qty, filled, price, decision_id = what
        row = np.zeros(1, ORDER_LOG)
        row["ts_ns"], row["state"], row["symbol"], row["side"] = OPEN_NS + int(second * S_NS), state, symbol, side
        row["qty"], row["filled_qty"], row["leaves_qty"], row["limit_price"] = qty, filled, qty - filled, price
        row["order_id"], row["decision_id"], row["parent_id"] = self.ids["order"], decision_id, decision_id
        row["type"], row["tif"], row["work_ns"] = OrderType.LIMIT, Tif.DAY, 30 * S_NS
        row["ack_ts_ns"] = 0 if state == State.SENT else OPEN_NS + int((second // 60 * 60 + 0.08) * S_NS)
        row["ahead_qty_simulated"], row["ahead_qty_estimated"] = (-1, -1) if state == State.SENT else (300, 250)
        self.out["orders"].append(row)


def write_run(folder: Path, seed: int = 7) -> Path:
    """Write a whole run folder but for its report."""
    folder.mkdir(parents=True)
    write_tables(folder, Maker(seed).day(), CONTEXT)
    manifest = {
        "run_id": "2026-03-02-hand-made",
        "started_at": "2026-03-03T08:00:00Z",
        "config": {"conformal": {"mode": "original", "threshold_bps": 3.0}, "latency": {"feed_ns": 20_000_000}},
        "config_digest": "c0ffee",
        "seed": 0,
        "versions": {"ibkr-replay": "0.1.0", "numpy": "2.4"},
        "journal_digest": "0123456789abcdef" * 4,
        "events": 1_234_567,
        "wall_s": 0.5,
        "events_per_s": 2_469_134.0,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


BUY, SELL = int(Side.BUY), int(Side.SELL)
