"""Bars against a plain count over the prints."""

import numpy as np

from replay.synth.bars import make_bars
from replay.synth.feed import Stamped
from replay.synth.tape import ODD_LOT, PRINT
from tests.synth.test_market import read

SECOND_NS = 1_000_000_000


def test_bars_equal_a_plain_count():
    """Open, high, low, close, volume, wap and count are those of the reported prints received in [start, end)."""
    rows = np.zeros(5, PRINT)
    rows["price"], rows["qty"], rows["flags"] = [10, 14, 12, 99, 20], [1, 2, 1, 7, 5], [0, 0, 0, ODD_LOT, 0]
    ts_ns = np.array([5, 6, 7, 8, 15]) * SECOND_NS
    bars = make_bars(Stamped(ts_ns, rows), 0, 20, 5)
    names = ("open", "high", "low", "close", "volume", "count", "wap")
    table = [tuple(bars[name][k].item() for name in names) for k in range(len(bars["open"]))]

    assert [(10, 14, 10, 12, 4, 3, 12.5), (12, 12, 12, 12, 0, 0, 12.0), (20, 20, 20, 20, 5, 1, 20.0)] == table
    assert [10, 15, 20] == (bars["ts_ns"] // SECOND_NS).tolist()


def test_no_prints_no_bars():
    """Without a print there is no bar."""
    assert 0 == len(make_bars(Stamped(np.zeros(0, np.int64), np.zeros(0, PRINT)), 0, 60, 5)["ts_ns"])


def test_session_bars_hold_what_was_received(synth_folder):
    """A minute bar's volume is that of its twelve five-second bars, and its event time is its end."""
    bars = read(synth_folder, "bars", "ALFA")
    minutes, fives = bars[bars["bar_s"] == 60], bars[bars["bar_s"] == 5]
    whole = [
        m for m in minutes.itertuples() if 12 == ((fives["start_ts_ns"] >= m.start_ts_ns) & (fives["ts_ns"] <= m.ts_ns)).sum()
    ]

    assert (bars["ts_ns"] == bars["start_ts_ns"] + bars["bar_s"].astype("int64") * SECOND_NS).all()
    assert 10 <= len(whole)
    for minute in whole:
        inside = fives[(fives["start_ts_ns"] >= minute.start_ts_ns) & (fives["ts_ns"] <= minute.ts_ns)]

        assert minute.volume == inside["volume"].sum()
        assert minute.high >= inside["high"][inside["volume"] > 0].max()
