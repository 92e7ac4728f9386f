"""When a day is over: at its close, where the user stops reading, or where the recording breaks off; never in between."""

from datetime import time

import numpy as np
import pandas as pd
import pytest

from replay import Config, OrderRequest, Session, Watch, run
from replay.errors import DataError, UsageError

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS


class Ticker:
    """Wakes every minute from the first quote on, buys once at the ask, sells every ten minutes, and notes the time."""

    watch = Watch(quotes="", forecasts=False)

    def __init__(self) -> None:
        self.next_timer_ns = 0
        self.wakes_ns: list[int] = []

    def on_wake(self, view, wake):
        """Note the wake; trade at a limit that the last known book would fill."""
        if wake.reason == "day":
            self.next_timer_ns = view.hours()[0] + MINUTE_NS
        if wake.reason != "timer":
            return []
        self.wakes_ns.append(view.now_ns)
        self.next_timer_ns = view.now_ns + MINUTE_NS
        return [OrderRequest(symbol="X", side="BUY", qty=100, limit_price=10.01, tif="IOC")]

    def state(self):
        """Have nothing to keep."""
        return {}

    def restore(self, state):
        """Restore nothing."""


def at(clock: str) -> int:
    """Return a time of the session's day, ns UTC."""
    return int(pd.Timestamp(f"2026-03-02 {clock}", tz="America/New_York").value)


def recorded(first: str, last: str, step_s: int = 1) -> Session:
    """Return quotes of one symbol, one per second or in other steps."""
    stamps = np.arange(at(first), at(last) + 1, step_s * SECOND_NS)
    bid = 10.0 + 0.01 * (np.arange(len(stamps)) // 60 % 2)  # moves, so that there is a volatility to learn
    frame = pd.DataFrame({"ts_ns": stamps, "symbol": "X", "bid": bid, "bid_size": 100, "ask_size": 100})
    return Session.from_frames(quotes=frame.assign(ask=frame["bid"] + 0.01).round(4), symbols={"X": {"tick": 0.01}})


@pytest.mark.parametrize(
    ("last", "window", "end"),
    [
        ("09:45:00", {}, "09:45:00"),
        ("15:59:59", {"end": time(9, 40)}, "09:40:00"),
        ("15:58:00", {}, "16:00:00"),
        ("09:45:00", {"end": time(9, 50)}, "09:45:00"),
    ],
)
def test_nothing_is_done_after_the_end(last, window, end) -> None:
    """Timers go on to the close, but stop a second after `end`, or after the recording breaks off; nothing fills that late."""
    ticker = Ticker()
    result = run([recorded("09:30:00", last)], strategy=ticker, **window)

    assert at(end) - MINUTE_NS <= max(ticker.wakes_ns) <= at(end) + SECOND_NS
    assert at(end) >= int(result.fills["ts_ns"].max())
    assert at(end) + SECOND_NS >= int(result.orders["ts_ns"].max())


@pytest.mark.parametrize(
    ("last", "step_min", "end"),
    [
        ("15:50:00", 10, "16:00:00"),  # as silent as ever
        ("15:55:00", 7, "16:00:00"),  # five minutes, where seven are usual
        ("15:56:00", 1, "16:00:00"),  # less than five minutes are never an end
        ("15:48:00", 7, "15:48:00"),  # twelve minutes, where seven were the most
        ("12:00:00", 10, "12:00:00"),
        ("15:54:00", 1, "15:54:00"),
    ],
)
def test_a_quiet_symbol_is_not_a_broken_recording(last, step_min, end) -> None:
    """Silence up to the close ends the day only where it is longer than any silence before."""
    ticker = Ticker()
    result = run([recorded("09:30:00", last, step_min * 60)], strategy=ticker)

    assert at(end) - MINUTE_NS <= max(ticker.wakes_ns) <= at(end) + SECOND_NS
    assert (end != "16:00:00") == ("ends" in result.summary["assumptions"])


def test_the_reader_is_told_why_it_ended() -> None:
    """The summary names the end and its reason, the hours and where the forecasts came from."""
    told = run([recorded("09:30:00", "09:45:00")]).summary["assumptions"]

    assert "2026-03-02 09:45:00 ET: there the recording breaks off" == told["ends"]
    assert ("rth", "built-in") == (told["hours"], told["forecasts"])


def test_all_hours_are_all_that_was_recorded() -> None:
    """In the night before pre-market nobody decides in regular hours; with all hours forecaster and pipeline work."""
    session = recorded("02:00:00", "02:30:00")
    quiet = run([session])
    busy = run([session], config=Config().with_sets(["run.hours=all"]))

    assert "nothing was recorded in them" in quiet.summary["assumptions"]["hours"]
    assert 0 == len(quiet.decisions)
    assert 10 < len(busy.decisions)
    assert "OUTSIDE_HOURS" not in set(busy.decisions["reason"])


def test_a_window_without_events_is_refused() -> None:
    """Reading nothing at all is a mistake of the caller."""
    with pytest.raises(
        UsageError, match=r"nothing was recorded from 10:00:00 to the other end; the recordings cover 2026-03-02 09:30"
    ):
        run([recorded("09:30:00", "09:45:00")], start=time(10))


def test_forecasts_of_another_day_are_refused(tmp_path) -> None:
    """A forecasts file that has nothing for the days replayed is named, not ignored."""
    close_ns = at("10:00") + 86_400 * SECOND_NS
    row = {"ready_ts_ns": close_ns, "bar_close_ts_ns": close_ns, "symbol": "X", "horizon_min": 5, "forecast_id": 1}
    pd.DataFrame([{**row, "mu_bps": 1.0, "sigma_bps": 2.0}]).to_parquet(tmp_path / "f.parquet")

    with pytest.raises(DataError, match=r"no forecast of these symbols that was ready on 2026-03-02"):
        run([recorded("09:30:00", "09:45:00")], forecasts=tmp_path / "f.parquet")


def test_own_strategies_have_no_forecast_edge() -> None:
    """A round trip that no decision stands behind has no forecast edge, rather than one of zero."""

    class Turner(Ticker):
        def on_wake(self, view, wake):
            requests = super().on_wake(view, wake)
            held = view.position("X")
            return (
                [OrderRequest(symbol="X", side="SELL", qty=held, limit_price=10.0, tif="IOC")] if requests and held else requests
            )

    result = run([recorded("09:30:00", "09:45:00")], strategy=Turner())

    assert 0 < result.summary["round_trips"]
    assert result.summary["round_trip_edge_bps"] is None
    assert bool(result.round_trips["edge_bps"].isna().all())
