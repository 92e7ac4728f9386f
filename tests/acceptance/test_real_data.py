"""Real recordings through the command line: import, check, run, verify, explain; and what a trader would check by hand."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from replay import Session

pytestmark = pytest.mark.slow

EAGER = [
    *("--set", "gate.threshold_bps=0.5", "--set", "cost.vol_share=0.0", "--set", "arbiter.reserve_bps=0.0"),
    *("--set", "arbiter.spread_weight=0.0", "--set", "arbiter.vol_weight=0.0", "--set", "arbiter.impact_weight=0.0"),
]
CASES = [
    ("lean", "ticks/lean_tick/[bai]*_20131007_*.zip", [], 544_716, ["--from", "10:10", "--to", "10:50"]),
    ("lean", "ticks/lean_second/*_20131008_*.zip", [], 125_349, ["--from", "10:00", "--to", "11:00"]),
    ("ibkr-quotes", "ticks/ibkr_etf/IB_Sep24.csv", [], 8_992, ["--to", "11:00"]),
    ("ibkr-quotes", "ticks/ibkr_sh_sds/SH_SDS_data.csv", ["--symbol", "SH,SDS"], 3_547, ["--to", "12:00"]),
    ("ibkr-api", "ticks/ibkr_raw/tick_data.json", ["--symbol", "HK", "--tz", "Asia/Hong_Kong"], 8_602, ["--all-hours"]),
    ("lobster", "mbo/lobster_aapl/*.csv", [], 23_086, []),
    ("databento", "mbo/es/*.csv.xz", [], 14_970, ["--set", "fees.plan=none"]),
    ("databento", "mbo/arl/ARL_2025-07-17_mbo.csv", [], 850, []),
    ("ibkr-bars", "bars/ibkr_gc_5min/*.csv", ["--symbol", "GC", "--tick", "0.1"], 88, ["--all-hours"]),
]


@pytest.mark.parametrize(("fmt", "pattern", "options", "n_events", "window"), CASES)
def test_a_recording_becomes_a_run_that_repeats(replay, real_data, tmp_path, fmt, pattern, options, n_events, window) -> None:
    """Each kind of recording is imported, found sound, replayed and repeated, with as many events as its files hold."""
    made = replay("import", fmt, *sorted(real_data.glob(pattern)), *options, "--out", "days", "--no-progress", "--json")
    assert 0 == made.exit_code, made.err
    day = json.loads(made.out)["sessions"][0]

    assert n_events == Session.open(day).n_events
    assert (0, "") == (replay("check", day).exit_code, replay("info", day).err)
    ran = replay("run", day, *EAGER, *window, "--out", "run", "--no-progress", "--json")
    assert 0 == ran.exit_code, ran.err
    assert 0 == replay("verify", "run", "--no-progress").exit_code
    assert (tmp_path / "run" / "report.html").is_file()


@pytest.fixture
def lean_run(replay, real_data, tmp_path) -> tuple[Path, Path]:
    """Return an eager run over a window of BAC, AIG and IBM, and its session."""
    files = sorted((real_data / "ticks/lean_tick").glob("[bai]*_20131007_*.zip"))
    replay("import", "lean", *files, "--out", "days", "--no-progress")
    day = tmp_path / "days" / "2013-10-07"
    ran = replay("run", day, *EAGER, "--from", "09:30", "--to", "11:15:30", "--out", "run", "--no-progress")
    assert 0 == ran.exit_code, ran.err
    return tmp_path / "run", day


def test_nothing_happens_after_the_window(replay, lean_run) -> None:
    """A run that ends at `--to`, in a position, decides and fills nothing later: nobody trades against a book of the past."""
    run, _ = lean_run
    end_ns = pd.Timestamp("2013-10-07 11:15:30", tz="America/New_York").value
    tables = [pd.read_parquet(run / f"{name}.parquet") for name in ("decisions", "orders", "fills")]

    assert [True, True, True] == [len(table) > 0 for table in tables]
    assert end_ns + 10**9 > max(int(table["ts_ns"].max()) for table in tables)
    assert end_ns > int(tables[-1]["ts_ns"].max())


def test_fills_agree_with_the_tape(lean_run) -> None:
    """Crossing fills pay at least the best opposite quote of their moment, none is better than the whole range of the market."""
    run, day = lean_run
    fills = pd.read_parquet(run / "fills.parquet")
    quotes = Session.open(day).quotes(prices="float")
    for fill in fills.itertuples():
        near = quotes[(quotes["symbol"] == fill.symbol) & quotes["ts_ns"].between(fill.ts_ns - 10**9, fill.ts_ns + 10**9)]
        assert near["bid"].min() - 1e-9 <= fill.price <= near["ask"].max() + 1e-9
        if fill.liquidity == "REMOVE":
            seen = near[near["ts_ns"] <= fill.ts_ns]
            assert fill.price >= seen["ask"].min() - 1e-9 if fill.side == "BUY" else fill.price <= seen["bid"].max() + 1e-9


def test_profit_and_fees_add_up(lean_run) -> None:
    """Cash, the position at the last mid and IBKR's fixed commission, from the fills alone, give the summary's figures."""
    run, _ = lean_run
    fills = pd.read_parquet(run / "fills.parquet")
    summary = json.loads((run / "summary.json").read_text())
    signed = np.where(fills["side"] == "BUY", 1, -1) * fills["qty"]
    cash = -float((signed * fills["price"]).sum())
    marks = pd.read_parquet(run / "marks.parquet")
    last = marks.groupby("symbol")[["bid", "ask"]].last().mean(axis=1)
    held = signed.groupby(fills["symbol"]).sum()
    commission = fills.assign(value=fills["price"] * fills["qty"]).groupby("order_id").agg({"qty": "sum", "fee_usd": "sum"})
    least = np.maximum(1.0, 0.005 * commission["qty"])

    assert summary["gross_usd"] == pytest.approx(cash + float((held * last[held.index]).sum()), abs=0.01)
    assert summary["fee_usd"] == pytest.approx(float(fills["fee_usd"].sum()), abs=1e-6)
    assert bool((commission["fee_usd"] >= least - 1e-9).all())
    assert bool((commission["fee_usd"] <= least * 1.5).all())


def test_a_moment_is_explained(replay, lean_run) -> None:
    """`replay explain` tells, for a moment of the day, which decision was in force and why it ended as it did."""
    told = replay("explain", "run", "--symbol", "IBM", "--at", "10:20")

    assert 0 == told.exit_code, told.err
    assert "IBM at 2013-10-07 10:20:00" in told.out


def test_state_carries_over_night(replay, real_data, tmp_path) -> None:
    """Two days in one run give the second day's orders and fills of two runs joined by `--state-out` and `--state-in`."""
    for day in ("24", "27"):
        replay("import", "ibkr-quotes", real_data / f"ticks/ibkr_etf/IB_Sep{day}.csv", "--out", "days", "--no-progress")
    first, second = "days/2021-09-24", "days/2021-09-27"
    replay("run", first, *EAGER, "--out", "a", "--state-out", "night", "--no-progress")
    replay("run", second, *EAGER, "--out", "b", "--state-in", "night", "--no-progress")
    told = replay("run", first, second, *EAGER, "--out", "both", "--no-progress")
    apart, joined = (pd.read_parquet(tmp_path / name / "decisions.parquet") for name in ("b", "both"))
    joined = joined[joined["ts_ns"] >= apart["ts_ns"].min()]

    assert 0 == told.exit_code, told.err
    assert list(apart["reason"]) == list(joined["reason"])
    np.testing.assert_array_equal(apart["mu_bps"], joined["mu_bps"])


def test_a_year_of_bars_crosses_new_year(replay, real_data, tmp_path) -> None:
    """Days on which New York is closed, New Year's included, come in as sessions of around the clock."""
    files = sorted(real_data.glob("bars/ibkr_gc_5min/*.csv"))
    told = replay("import", "ibkr-bars", *files, "--symbol", "GC", "--tick", "0.1", "--out", "days", "--no-progress")

    assert 0 == told.exit_code, told.err
    assert "24/7" == Session.open(tmp_path / "days/2026-01-01").hours.calendar
    assert "XNYS" == Session.open(tmp_path / "days/2026-01-02").hours.calendar
