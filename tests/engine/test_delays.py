"""Drawn delays in a run: no message overtakes another, nothing depends on how the run is cut, and a run measures its own line."""

from datetime import time

import numpy as np
import pytest

from fills.latency_table import read_table
from replay.engine import OrderRequest, Watch
from replay.errors import DataError
from replay.latency_fit import fit_latency, write_table
from tests.engine.strategies import Quoter

LINE = [f"latency.{leg}_model=lognormal" for leg in ("feed", "compute", "outbound", "cancel", "answer")]
MEASURED = [f"latency.{leg}_model=empirical" for leg in ("outbound", "cancel", "answer")]
MORNING = {"forecasts": None, "end": time(9, 40)}


class Patient:
    """Joins the bid of one symbol after the other, an order a second, each cancelled before its symbol's next."""

    watch = Watch(quotes="", forecasts=False, status=False)

    def __init__(self):
        self.next_timer_ns = None
        self.count = 0

    def on_wake(self, view, wake):
        """Act at every timer."""
        if wake.reason == "day":
            self.next_timer_ns = view.hours()[0]
        if wake.reason != "timer":
            return []
        self.next_timer_ns = view.now_ns + 1_000_000_000
        self.count += 1
        symbol = view.symbols[self.count // 2 % len(view.symbols)]
        working = [int(order["order_id"]) for order in view.open_orders(symbol)]
        if self.count % 2:
            return [OrderRequest(symbol=symbol, cancel=order_id) for order_id in working[:1]]
        bid, _, bid_qty, _ = view.touch(symbol)
        return [OrderRequest(symbol=symbol, side="BUY", qty=1, limit_price=round(bid - 1, 2))] if bid_qty and not working else []

    def state(self):
        """Return all that the next decision depends on."""
        return {"next_timer_ns": self.next_timer_ns, "count": self.count}

    def restore(self, state):
        """Become what `state` described."""
        self.next_timer_ns, self.count = state["next_timer_ns"], state["count"]


@pytest.fixture(scope="module")
def patient_run(tmp_path_factory):
    """Run the patient strategy over a drawn line without a feed delay; keep its folder."""
    from replay.config import Config
    from replay.runner import run
    from tests.engine.conftest import SAMPLE

    config = Config().with_sets([*LINE, "latency.feed_model=constant", "latency.feed_ns=0", "latency.compute_model=constant"])
    result = run([SAMPLE], config=config, strategy=Patient(), end=time(9, 45))
    result.save(tmp_path_factory.mktemp("runs") / "patient")
    return result


def round_trips(result):
    """Return the round trip of each acknowledged order, in ns, less the millisecond of compute."""
    rows = result.orders
    sent = rows[rows["state"] == "SENT"].set_index("order_id")["ts_ns"]
    acked = rows[rows["ack_ts_ns"] > 0].groupby("order_id")["ack_ts_ns"].first()
    return (acked - sent).dropna().astype(np.int64).to_numpy() - 1_000_000


def test_no_message_overtakes_another(replay_sample):
    """With every leg drawn, acknowledgements are known in the order in which the orders were sent."""
    rows = replay_sample(LINE, strategy=Quoter(), **MORNING).orders
    acked = rows[(rows["ack_ts_ns"] > 0) & (rows["state"] == "WORKING")].drop_duplicates("order_id").sort_values("order_id")

    assert len(acked) > 50
    assert acked["ack_ts_ns"].is_monotonic_increasing
    assert acked["ack_ts_ns"].nunique() > 30


def test_the_seed_decides_the_draws(replay_sample):
    """The same seed gives the same run, another seed other delays."""
    first, again = (replay_sample([*LINE, "run.seed=4"], strategy=Quoter(), **MORNING) for _ in range(2))
    other = replay_sample([*LINE, "run.seed=5"], strategy=Quoter(), **MORNING)

    assert first.journal_digest == again.journal_digest != other.journal_digest


def test_block_size_changes_no_measured_delay(replay_sample, patient_run, tmp_path):
    """Activity is counted the same however the stream is cut."""
    table = write_table(fit_latency([patient_run.path], buckets=2), tmp_path / "t.toml")
    sets = [*MEASURED, f"latency.table={table}"]
    digests = {replay_sample([*sets, f"run.block_events={n}"], strategy=Quoter(), **MORNING).journal_digest for n in (7, 131_072)}

    assert 1 == len(digests)


def test_a_fit_holds_the_round_trips_of_the_run(patient_run):
    """One bucket and half for the way out: the sorted halves of all round trips, thinned by rank."""
    table = fit_latency([patient_run.path], buckets=1)
    (bucket,) = table.buckets
    trips = np.sort(round_trips(patient_run))

    assert {"orders": len(trips)}.items() <= bucket.counts.items()
    assert bucket.counts["cancels"] > 30
    assert np.median(trips) / 2 == pytest.approx(np.median(bucket.delays_ns["outbound"]), rel=0.02)
    assert set(bucket.delays_ns["outbound"]) <= set(np.rint(trips / 2).astype(int).tolist())
    assert 25_000_000 == pytest.approx(np.median(bucket.delays_ns["cancel"]), rel=0.15)


def test_a_run_over_a_fit_has_the_round_trips_that_were_measured(replay_sample, patient_run, tmp_path):
    """Each order of a new run takes one of the measured round trips, whole; their distribution comes back."""
    table = write_table(fit_latency([patient_run.path], buckets=1), tmp_path / "t.toml")
    sets = [*MEASURED, f"latency.table={table}", "latency.feed_ns=0"]
    result = replay_sample(sets, strategy=Patient(), forecasts=None, end=time(9, 45))
    halves = {2 * half for half in read_table(table).buckets[0].delays_ns["outbound"]}
    trips = round_trips(result)

    assert len(trips) > 100
    assert set(trips.tolist()) <= halves
    assert np.median(round_trips(patient_run)) == pytest.approx(np.median(trips), rel=0.15)
    assert "empirical" == result.summary["latency"]["outbound"]["model"]


def test_too_few_orders_are_refused(replay_sample, patient_run, tmp_path):
    """A run with a handful of orders cannot measure a line, and fifty buckets are too many for any; both say so."""
    short = replay_sample(strategy=Patient(), forecasts=None, end=time(9, 31)).save(tmp_path / "short")

    with pytest.raises(DataError, match="acknowledged orders, 90 are needed for 3 buckets"):
        fit_latency([short])
    with pytest.raises(DataError, match="1500 are needed for 50 buckets"):
        fit_latency([patient_run.path], buckets=50)
    with pytest.raises(DataError, match="is not a run folder"):
        fit_latency([tmp_path])
