"""Queue models beside hftbacktest's: the same real orders, the same level-1 stream, scored against the same fates.

    python -m benchmarks fill_models

The stream is a synthetic session with the truth in its messages; where REPLAY_REAL_DATA names a folder with recordings, the ES
file comes beside it. Ours play each order alone with its own size hidden in the display; hftbacktest plays them in one pass with
its no-partial exchange and cannot hide it. Events of one time stamp are set 2 ns apart for it, so that its orders have the same
place among them as ours. It gets the touch as depth rows (a level that fell away is set to 0, one that a better price hides is
kept) and prints with their side (by the quote where the feed names none).
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.measure import CannotRunError, Figure
from fills.queue import DISPLAY_MODELS
from replay import Session
from replay.events import Flag
from replay.validation import validate_fills
from replay.validation.bootstrap import Blocks, blocks_of_time
from replay.validation.outcomes import HORIZONS_S, filled_within, judge
from replay.validation.plays import FULL
from replay.validation.scores import score, wide
from replay.validation.shadows import NEVER_NS, PATIENCE_NS, play_shadows

MINUTES, SEED, REPEATS = 60, 11, 5
SHOWN = ("same", "earlier", "later", "never", "wrong", "brier", "cpu_s")


def sessions(folder: Path) -> Iterator[tuple[str, Session]]:
    """Yield what is scored: a synthetic session, and ES where its file is."""
    from replay.importers import ImportOptions, import_sessions
    from replay.synth import generate

    yield "synthetic", Session.open(generate(folder / "made-up", symbols=1, minutes=MINUTES, seed=SEED)[0])
    data = Path(os.environ.get("REPLAY_REAL_DATA", "")) / "mbo/es"
    files = sorted(data.glob("*.csv.xz")) if os.environ.get("REPLAY_REAL_DATA") else []
    if files:
        yield "ES", Session.open(import_sessions("databento", files, folder / "es", ImportOptions())[0])


class Clock(NamedTuple):
    """The events by `seq`: when each came, and when it comes for a simulator that knows no order within a time stamp."""

    seq: np.ndarray
    ts_ns: np.ndarray
    apart_ns: np.ndarray

    @classmethod
    def of(cls, session: Session) -> Clock:
        """Set the quotes and prints of a session at least 2 ns apart."""
        both = pd.concat([session.quotes()[["seq", "ts_ns"]], session.trades()[["seq", "ts_ns"]]]).sort_values("seq")
        ts_ns, steps = both["ts_ns"].to_numpy(), 2 * np.arange(len(both))
        return cls(both["seq"].to_numpy(), ts_ns, np.maximum.accumulate(ts_ns - steps) + steps)

    def before(self, ts_ns: np.ndarray, seq: np.ndarray) -> np.ndarray:
        """Return the time just before an event; where none is named before all of a time stamp."""
        row = np.where(seq > 0, np.searchsorted(self.seq, seq), np.searchsorted(self.ts_ns, ts_ns))
        is_over = row == len(self.seq)
        return np.where(is_over, np.maximum(ts_ns, self.apart_ns[-1] + 2), self.apart_ns[np.minimum(row, len(self.seq) - 1)]) - 1

    def real(self, apart_ns: np.ndarray) -> np.ndarray:
        """Return when an event really came."""
        return self.ts_ns[np.maximum(np.searchsorted(self.apart_ns, apart_ns, "right") - 1, 0)]


def convert(session: Session, clock: Clock) -> np.ndarray:
    """Turn the level-1 stream of a session into hftbacktest's rows."""
    from hftbacktest.types import BUY_EVENT, DEPTH_EVENT, EXCH_EVENT, LOCAL_EVENT, SELL_EVENT, TRADE_EVENT

    quotes, trades = session.quotes(), session.trades()
    both = EXCH_EVENT | LOCAL_EVENT
    out = int(Flag.OFF_EXCHANGE | Flag.AVERAGE_PRICE | Flag.LATE | Flag.AUCTION | Flag.HIDDEN | Flag.OFF_TICK)
    trades = trades[(trades["flags"] & out) == 0]
    last = np.maximum(np.searchsorted(quotes["seq"], trades["seq"]) - 1, 0)
    is_sell = ((trades["flags"] & int(Flag.SELL)) != 0).to_numpy()
    is_unsided = ((trades["flags"] & int(Flag.BUY | Flag.SELL)) == 0).to_numpy()
    at_bid = trades["price"].to_numpy() <= quotes["bid"].to_numpy()[last]
    sides = np.where(is_sell | (is_unsided & at_bid), SELL_EVENT, BUY_EVENT)
    parts = [_rows(trades, both | TRADE_EVENT | sides, trades["price"], trades["size"], 2)]
    for sign, side, name in ((1, BUY_EVENT, "bid"), (-1, SELL_EVENT, "ask")):
        flags = both | DEPTH_EVENT | side
        price, size = quotes[name], quotes[f"{name}_size"]
        is_worse = ((sign * (price - price.shift()) < 0) & (price.shift() > 0)).to_numpy()
        is_new = ((price != price.shift()) | (size != size.shift())).to_numpy() & (size > 0).to_numpy()
        parts.append(_rows(quotes[is_worse], flags, price.shift()[is_worse], 0, 0))
        parts.append(_rows(quotes[is_new], flags, price[is_new], size[is_new], 1))
    order = np.concatenate([keys for keys, _ in parts])
    rows = np.concatenate([rows for _, rows in parts])
    rows["exch_ts"] = rows["local_ts"] = clock.apart_ns[np.searchsorted(clock.seq, order // 3)]
    return rows[np.argsort(order, kind="stable")]


def _rows(frame: pd.DataFrame, flags: Any, price: Any, qty: Any, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the order of rows and the rows."""
    from hftbacktest.types import event_dtype

    rows = np.zeros(len(frame), event_dtype)
    rows["ev"], rows["px"], rows["qty"] = flags, np.asarray(price) / 10_000, qty
    return frame["seq"].to_numpy() * 3 + rank, rows


def schedule(orders: pd.DataFrame, clock: Clock) -> tuple[np.ndarray, ...]:
    """Return the actions by time (before the quotes that show them), and the orders' side, price and quantity."""
    end_ns = (orders["end_ns"] + np.where(orders["is_filled"], PATIENCE_NS, 0)).to_numpy()
    arrival_ns = clock.before(orders["arrival_ns"].to_numpy(), orders["before_seq"].to_numpy())
    times_ns = np.concatenate([arrival_ns, clock.before(end_ns, orders["end_seq"].to_numpy())])
    kinds, which = np.repeat([0, 1], len(orders)), np.tile(np.arange(len(orders)), 2)
    by_time = np.lexsort((kinds, times_ns))
    side = np.where(orders["side"] == "BUY", 1, -1)
    price, qty = orders["price"].to_numpy() / 10_000, orders["qty"].to_numpy(np.float64)
    return times_ns[by_time], kinds[by_time], which[by_time], side, price, qty


def least(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return what a call gives and the least CPU seconds of several; the first one compiles and does not count."""
    work()
    spans = []
    for _ in range(REPEATS):
        start = time.process_time()
        found = work()
        spans.append(time.process_time() - start)
    return found, min(spans)


def compare(session: Session) -> pd.DataFrame:
    """Return the scores of all models of both sides on one session of one symbol."""
    from benchmarks import hftbacktest_shadows as theirs

    ours = validate_fills([session], list(DISPLAY_MODELS), bands=False, resamples=0)
    orders = ours.orders
    blocks = Blocks(blocks_of_time(orders["session"].to_numpy(), orders["arrival_ns"].to_numpy(), 30.0), 0, 0)
    clock, tick = Clock.of(session), session.symbol_info(session.symbols[0]).tick / session.scale
    rows, plan = convert(session, clock), schedule(orders, clock)
    passes = {str(model): least(lambda model=model: play_shadows(session, orders, model))[1] for model in DISPLAY_MODELS}
    cpu_s = {("ours", model): seconds for model, seconds in passes.items()}  # both sides have a model named log
    scores = []
    for model in theirs.MODELS:
        fill_ns, cpu_s["hftbacktest", model] = least(lambda model=model: theirs.run(rows, model, plan, tick, NEVER_NS))
        is_filled = fill_ns < NEVER_NS
        fill_ns = np.where(is_filled, clock.real(fill_ns), NEVER_NS)
        filled_qty = np.where(is_filled, orders["qty"], 0)
        got = pd.DataFrame({"filled_qty": filled_qty, "whole_ns": fill_ns}, index=orders.index)
        chances = {h: filled_within(orders, fill_ns, h) for h in HORIZONS_S}
        scores += [{"feed": FULL, "model": model} | row for row in score(orders, judge(orders, got), chances, blocks)]
    table = pd.concat([ours.table().assign(of="ours"), wide(pd.DataFrame(scores)).assign(of="hftbacktest")])
    return table.assign(cpu_s=[cpu_s[of, model] for of, model in zip(table["of"], table["model"], strict=True)])


def main() -> list[Figure]:
    """Print a table per session and kind of order; return the ratio of speeds."""
    if importlib.util.find_spec("hftbacktest") is None:
        raise CannotRunError("needs hftbacktest (the `bench` extra, in an environment of its own: make bench)")
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        for name, session in sessions(Path(folder)):
            table = compare(session)
            for kind, own in table.groupby("kind", sort=False):
                print(f"\n{name}, orders that {kind} the touch, {session.n_events:,} events (shares; CPU s of a pass over all)")
                print(own[["of", "model", *SHOWN]].to_string(index=False, float_format=lambda value: f"{value:.4f}"))
            speed = table.drop_duplicates(["of", "model"]).groupby("of")["cpu_s"].median()
            figures.append(
                Figure(f"{name}: hftbacktest / ours, a pass of all shadow orders", speed["hftbacktest"] / speed["ours"], "x")
            )
    return figures
