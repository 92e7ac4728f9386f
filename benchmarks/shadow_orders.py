"""Shadow orders: a hundred thousand in one pass, and the memory of a million.

A step is one live shadow meeting one quote or print of its symbol. In one world every order joins the touch, where nearly every
step changes something; in the other they stand on eight levels, where most steps change nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmarks import market
from benchmarks.measure import Figure, least_cpu_s, yardstick
from benchmarks.worlds import SCALE
from fills.arrivals import arrivals_of
from fills.given import read_orders
from fills.queue import QueueModel
from fills.simulation import make_batch, span_ns, stream_fills
from fills.terms import Terms
from replay.events import Kind
from replay.session import Session

if TYPE_CHECKING:
    import pandas as pd

N_EVENTS = 2_000_000
N_ORDERS = 100_000
LIFE_NS = 60_000_000_000
MILLION = 1_000_000


class Counts(NamedTuple):
    """What a pass did, for exact comparison."""

    steps: int
    fills: int
    filled_qty: int


EXPECTED = {
    1: Counts(steps=69_382_727, fills=181_226, filled_qty=29_381_330),
    8: Counts(steps=306_497_462, fills=167_437, filled_qty=26_929_911),
}
EXPECTED_MILLION = (1_675_526, 269_515_337)
_CHILD = """
import json, resource, sys
from benchmarks.shadow_orders import MILLION, orders
from fills import simulate
from replay.session import Session
session = Session.open(sys.argv[1])
fills = simulate(session, orders(session, MILLION, 8), latency=0, independent=True)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
peak_kib = peak if sys.platform != "darwin" else peak // 1024
print(json.dumps({"peak_kib": peak_kib, "fills": len(fills), "filled_qty": int(fills["qty"].sum())}))
"""
_WRITER = """
import pathlib, sys
from benchmarks import market
market.write(pathlib.Path(sys.argv[1]), market.stream(int(sys.argv[2])))
"""  # in a process of its own: a child's peak begins with the memory of the parent that forked it


def orders(session: Session, n_orders: int, n_levels: int) -> pd.DataFrame:
    """Return orders that live a minute, sent at random quotes, at the touch or up to `n_levels - 1` ticks behind it."""
    import pandas as pd

    rng = np.random.Generator(np.random.PCG64(1))
    quotes = _quotes(session)
    rows = quotes[np.sort(rng.integers(0, len(quotes), n_orders))]
    side = rng.integers(0, 2, n_orders) * 2 - 1
    price = np.where(side > 0, rows["bid"], rows["ask"]) - side * market.TICK * rng.integers(0, n_levels, n_orders)
    return pd.DataFrame(
        {
            "order_id": np.arange(n_orders),
            "symbol": np.array(session.symbols)[rows["symbol"]],
            "ts_ns": rows["ts_ns"],
            "side": np.where(side > 0, "BUY", "SELL"),
            "qty": 100 * rng.integers(1, 6, n_orders),
            "limit_price": price / SCALE,
            "tif": "DAY",
            "cancel_ts_ns": rows["ts_ns"] + LIFE_NS,
        }
    )


def _quotes(session: Session) -> np.ndarray:
    names = ["ts_ns", "symbol", "bid", "ask"]
    return np.concatenate([block.events[block.events["kind"] == Kind.QUOTE][names] for block in session.blocks()])


def shadows(session: Session, n_levels: int) -> Callable[[], Counts]:
    """Prepare a pass."""
    given = read_orders(orders(session, N_ORDERS, n_levels), session, span_ns(session))
    batch = make_batch(
        session,
        given,
        arrivals_of(session, given, 0, True),
        True,
        {"queue": QueueModel.BEHIND_FIRST, "band": None, "own_in_book": False, "terms": Terms()},
    )

    def run() -> Counts:
        fills = np.concatenate(list(stream_fills(session, batch)))
        return Counts(int(batch.ctl["n_order_events"][0]), len(fills), int(fills["qty"].sum()))

    return run


def million_mib(folder: Path) -> float:
    """Simulate a million shadow orders in a new process; return its peak memory in MiB."""
    done = subprocess.run([sys.executable, "-c", _CHILD, str(folder)], check=True, capture_output=True, text=True)
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["fills"], told["filled_qty"]) == EXPECTED_MILLION, told
    return float(told["peak_kib"] / 1024)


def main() -> list[Figure]:
    """Measure both worlds and the memory of a million orders."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "session"
        subprocess.run([sys.executable, "-c", _WRITER, str(folder), str(N_EVENTS)], check=True)
        peak_mib = million_mib(folder)
        session = Session.open(folder)
        for n_levels, expected in EXPECTED.items():
            counts = shadows(session, n_levels)()
            assert counts == expected, f"expected {expected}, got {counts}"
        touch_s, spread_s, yard_s = least_cpu_s([lambda: shadows(session, 1), lambda: shadows(session, 8), yardstick])
    return [
        Figure.at_least("shadow orders, all at the touch", EXPECTED[1].steps / touch_s / 1e6, "M steps/s", 80),
        Figure.at_least("shadow orders, on eight levels", EXPECTED[8].steps / spread_s / 1e6, "M steps/s", 80),
        Figure("shadow orders, all at the touch: pass / yardstick", touch_s / yard_s, "x"),
        Figure("shadow orders, on eight levels: pass / yardstick", spread_s / yard_s, "x"),
        Figure.at_most("peak memory, a million shadow orders", peak_mib, "MiB", 2048),
    ]
