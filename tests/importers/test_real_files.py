"""Every reader on real recordings, where they are: counts and prices that were found by other means."""

import difflib
import importlib.util
import json
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from replay.events import Flag
from replay.importers import FORMATS, ImportOptions, import_sessions
from replay.session import Session

TOUCH = ["bid", "bid_size", "ask", "ask_size"]
HOUR_NS = 3_600_000_000_000
BAR_MAP = """
[bars]
start = "timestamp"
open = "open"
high = "high"
low = "low"
close = "close"
volume = "volume"
"""


def read(fmt: str, *paths: Path, **options):
    return list(FORMATS[fmt].read(paths, ImportOptions(**options)))


def two_sided(quotes: pd.DataFrame) -> pd.DataFrame:
    return quotes[(quotes["bid"] > 0) & (quotes["ask"] > 0)]


def share(quotes: pd.DataFrame, is_so) -> float:
    both = two_sided(quotes)
    return float(is_so(both["bid"], both["ask"]).mean())


def test_recorded_etf_quotes_are_never_crossed(real_data: Path) -> None:
    """Seven ETFs recorded from IBKR: three days in order, no crossed quote, a few locked ones, all on a cent grid."""
    days = read("ibkr-quotes", *sorted((real_data / "ticks/ibkr_etf").glob("*.csv")))
    quotes = [day.frames["quotes"] for day in days]

    assert ["2021-09-24", "2021-09-27", "2021-09-29"] == [day.day.isoformat() for day in days]
    assert [8992, 9624, 11187] == [len(frame) for frame in quotes]
    assert 0.0 == max(share(frame, lambda bid, ask: bid > ask) for frame in quotes)
    assert {100} == {symbol.tick for day in days for symbol in day.symbols}


def test_recorded_sh_and_sds_have_large_queues(real_data: Path) -> None:
    """SH and SDS trade at one-cent spreads with hundreds of thousands of shares at the touch."""
    days = read("ibkr-quotes", *sorted((real_data / "ticks/ibkr_sh_sds").glob("*.csv")), symbols=("SH", "SDS"))
    spreads = pd.concat([day.frames["quotes"] for day in days]).eval("ask - bid")

    assert [3547, 4259] == [len(day.frames["quotes"]) for day in days]
    assert 100 == spreads.median()


def test_raw_ticks_account_for_all_volume(real_data: Path) -> None:
    """Prints and unseen volume of the raw API ticks add up to the rise of the day's volume."""
    (day,) = read("ibkr-api", real_data / "ticks/ibkr_raw/tick_data.json", symbols=("HK",), tz="Asia/Hong_Kong", tick=0.2)
    ticks = pd.DataFrame(json.loads((real_data / "ticks/ibkr_raw/tick_data.json").read_text()))
    volume = ticks.loc[ticks["tickType"] == 8, "size"]
    accounted = day.frames["trades"]["size"].sum() + day.notes["unseen_volume"]["HK"]

    assert (5216, 3386) == (len(day.frames["quotes"]), len(day.frames["trades"]))
    assert volume.iloc[-1] - volume.iloc[0] == pytest.approx(accounted, rel=0.005)
    assert 0.0 == share(day.frames["quotes"], lambda bid, ask: bid > ask)
    assert 0 == (day.frames["quotes"][["bid", "ask"]] % 2000).to_numpy().sum()


def test_bac_is_the_pure_queue_stock(real_data: Path) -> None:
    """BAC on 7 Oct 2013: 357 price changes of the best quote against 86k trades in regular hours, and never crossed."""
    folder = real_data / "ticks/lean_tick"
    (day,) = read("lean", folder / "bac_20131007_quote.zip", folder / "bac_20131007_trade.zip")
    start_ns = pd.Timestamp("2013-10-07 09:30", tz="America/New_York").value
    regular = {
        name: frame[frame["ts_ns"].between(start_ns, start_ns + 13 * HOUR_NS // 2 - 1)] for name, frame in day.frames.items()
    }
    prices = regular["quotes"][["bid", "ask"]].to_numpy()
    off = regular["trades"]["exchange"] == "D"

    assert 357 == int((prices[1:] != prices[:-1]).any(axis=1).sum())
    assert 86_434 == len(regular["trades"])
    assert 0.0 == share(regular["quotes"], lambda bid, ask: bid > ask)
    assert 0.41 == pytest.approx(regular["trades"]["size"][off].sum() / regular["trades"]["size"].sum(), abs=0.01)


@pytest.mark.slow
def test_lean_ticks_of_three_days_are_hardly_ever_crossed(real_data: Path) -> None:
    """All LEAN ticks read; after the rows of a millisecond are applied at once, below 0.1 % of quotes are crossed."""
    days = read("lean", real_data / "ticks/lean_tick")

    assert [(406_900, 388_417), (428_515, 654_140), (516_347, 641_559)] == [
        (len(day.frames["quotes"]), len(day.frames["trades"])) for day in days
    ]
    assert 0.001 > max(share(day.frames["quotes"], lambda bid, ask: bid > ask) for day in days)


def test_lean_seconds_agree_with_the_ticks(real_data: Path) -> None:
    """LEAN's bars of one second hold the volume of all prints but auctions and official prices, so the bits are right."""
    ticks = read("lean", real_data / "ticks/lean_tick/ibm_20131007_trade.zip")[0].frames["trades"]
    is_auction = ((ticks["flags"] & int(Flag.AUCTION)) != 0) | ticks["conditions"].isin(["1000000", "4000000"])
    days = read("lean", real_data / "ticks/lean_second")
    bars = next(day for day in days if day.day.day == 7).frames["bars"]

    assert [(0, 4_305), (72_030, 38_043), (76_298, 49_051), (76_989, 46_763)] == [
        (len(day.frames.get("quotes", ())), len(day.frames["bars"])) for day in days
    ]
    assert ticks.loc[~is_auction, "size"].sum() == bars.loc[bars["symbol"] == "IBM", "volume"].sum()


def test_gold_bars_are_in_new_york_time(real_data: Path) -> None:
    """IBKR bars of gold futures pause from 17:00 to 18:00 in New York, as the exchange does."""
    days = read("ibkr-bars", *sorted((real_data / "bars/ibkr_gc_5min").glob("*.csv")), tick=0.1)
    bars = pd.concat([day.frames["bars"] for day in days if day.day.isoformat() >= "2025-12-03"])
    local = pd.DatetimeIndex(bars["start_ts_ns"], tz="UTC").tz_convert("America/New_York")

    assert {300} == set(bars["bar_s"])
    assert 0 == int((local.hour == 17).sum())
    assert bars["low"].le(bars["wap"] + 1).all()


def test_rebuilt_aapl_book_agrees_with_lobsters_level_1_file(real_data: Path) -> None:
    """Of the touch changes in LOBSTER's own level-1 file at least 99.5 % appear in the rebuilt book, in order."""
    folder = real_data / "mbo/lobster_aapl"
    (day,) = read("lobster", *sorted(folder.glob("*.csv")))
    level_1 = pd.read_csv(next(folder.glob("*orderbook*")), header=None, names=["ask", "ask_size", "bid", "bid_size"])[TOUCH]
    given = [tuple(row) for row in level_1[(level_1 != level_1.shift()).any(axis=1)].to_numpy()]
    rebuilt = [tuple(row) for row in day.frames["quotes"][TOUCH].to_numpy()]
    blocks = difflib.SequenceMatcher(None, given, rebuilt, autojunk=False).get_matching_blocks()

    assert (65_718, 65) == (day.notes["messages"], day.notes["unknown_orders"])
    assert "rebuilt book" == day.notes["quotes_from"]
    assert 0.995 <= sum(block.size for block in blocks) / len(given)
    assert 0.0 == share(day.frames["quotes"], lambda bid, ask: bid >= ask)


def test_es_book_is_never_crossed_in_continuous_trading(real_data: Path) -> None:
    """After 23:00 UTC the rebuilt E-mini book is one quarter point wide and never crossed; the tick is found."""
    (day,) = read("databento", next((real_data / "mbo/es").glob("*.xz")))
    quotes = day.frames["quotes"]
    open_ns = pd.Timestamp("2023-12-25 23:00", tz="UTC").value
    trading = quotes[quotes["ts_ns"] > open_ns + HOUR_NS // 600]

    assert ("ESH4", 2500) == (day.symbols[0].name, day.symbols[0].tick)
    assert (1865, 3603) == (len(day.frames["trades"]), int((day.frames["messages"]["action"] == "execute").sum()))
    assert 0.0 == share(trading, lambda bid, ask: bid >= ask)
    assert 2500 == two_sided(trading).eval("ask - bid").median()


def test_es_executions_hit_the_head_of_the_queue_or_their_event_says_why(real_data: Path) -> None:
    """Where a fill passes the head of the rebuilt queue, the same event also fills or cancels that head: priority holds."""
    (day,) = read("databento", next((real_data / "mbo/es").glob("*.xz")))
    messages = day.frames["messages"]
    messages = messages[messages["ts_ns"] > 0]
    missed = heads_passed(messages)
    left = set(zip(messages["exch_ts_ns"], messages["order_id"], strict=True))

    assert 200 < len(missed) < 230
    assert [] == [(ts_ns, head) for ts_ns, head in missed if (ts_ns, head) not in left]


def heads_passed(messages: pd.DataFrame) -> list[tuple[int, int]]:
    """Play queues in plain dicts; list time and head for each execution, from 23:00:01 UTC, that is not the head's."""
    queues: dict[tuple[int, int], dict[int, int]] = {}
    place: dict[int, tuple[int, int]] = {}
    missed = []
    for row in messages.itertuples():
        level = (row.side, row.price)
        if row.action in ("add", "modify"):
            held = queues.get(place.get(row.order_id, level), {})
            keeps = place.get(row.order_id) == level and held.get(row.order_id, 0) >= row.size
            if not keeps:
                held.pop(row.order_id, None)
            queues.setdefault(level, {})[row.order_id] = row.size
            place[row.order_id] = level
            continue
        queue = queues[place[row.order_id]]
        head = next(iter(queue))
        if row.action == "execute" and head != row.order_id and row.ts_ns >= 1_703_545_201_000_000_000:
            missed.append((row.exch_ts_ns, head))
        queue[row.order_id] -= row.size
        if not queue[row.order_id]:
            del queue[row.order_id], place[row.order_id]
    return missed


def test_es_dbn_is_read(real_data: Path) -> None:
    """Two seconds of dbn.zst give the same kind of book as csv."""
    if importlib.util.find_spec("databento_dbn") is None:
        pytest.skip("databento-dbn is not installed (extra `databento`)")
    (day,) = read("databento", next((real_data / "mbo/es").glob("*.dbn.zst")))

    assert ("ESM4", 2500, "2024-05-08") == (day.symbols[0].name, day.symbols[0].tick, day.day.isoformat())
    assert (136, 5) == (len(day.frames["quotes"]), len(day.frames["trades"]))


def test_rebuilt_arl_book_is_the_book_that_was_published(real_data: Path) -> None:
    """The best prices and sizes rebuilt from ARL's orders are those of its MBP-10 file, every one of them."""
    folder = real_data / "mbo/arl"
    (orders,) = read("databento", folder / "ARL_2025-07-17_mbo.csv")
    (levels,) = read("databento", folder / "ARL_2025-07-17_mbp.csv")

    assert 804 == len(orders.frames["quotes"])
    np.testing.assert_array_equal(levels.frames["quotes"][TOUCH], orders.frames["quotes"][TOUCH])


def test_minute_bars_of_2008_come_in_by_a_map(real_data: Path, tmp_path: Path) -> None:
    """A month of SPY minutes in Parquet gives a session for each of its 23 trading days."""
    (tmp_path / "map.toml").write_text(BAR_MAP + "bar_s = 60\n")
    path = real_data / "bars/etf_minute/SPY/2008-10.parquet"
    folders = import_sessions("csv", [path], tmp_path / "out", ImportOptions(symbols=("SPY",), map_file=tmp_path / "map.toml"))

    assert 23 == len(folders)
    assert 740 == Session.open(folders[-1]).n_events


def test_leveraged_etf_bars_with_text_prices_come_in(real_data: Path, tmp_path: Path) -> None:
    """Five-minute bars whose prices are decimal texts, one Parquet a day, are read from a folder."""
    with tarfile.open(real_data / "bars/levetf_5min/NVDX.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    (tmp_path / "map.toml").write_text(BAR_MAP + "bar_s = 300\n")
    days = read("csv", tmp_path / "data/NVDX/2024/12", symbols=("NVDX",), map_file=tmp_path / "map.toml")

    assert (21, 67) == (len(days), len(days[-1].frames["bars"]))
    assert 148_900 == days[-1].frames["bars"]["close"].iloc[0]


def test_polygon_files_come_in_by_a_map(real_data: Path, tmp_path: Path) -> None:
    """Quotes and trades of one stock with missing sides, names out of file names, times in milliseconds."""
    with zipfile.ZipFile(real_data / "ticks/polygon/quotes.zip") as archive:
        for kind in ("quotes", "trades"):
            archive.extract(f"{kind}-JPM.csv", tmp_path)
    (tmp_path / "map.toml").write_text(
        'symbol_from = "-(\\\\w+)$"\n'
        '[quotes]\nfiles = "quotes-*"\nmissing = "skip"\nts = "t"\nbid = "bP"\nbid_size = "bS"\nask = "aP"\nask_size = "aS"\n'
        'size_multiplier = 100\n[trades]\nfiles = "trades-*"\nmissing = "skip"\nts = "t"\nprice = "p"\nsize = "s"\n'
    )
    days = read("csv", tmp_path / "quotes-JPM.csv", tmp_path / "trades-JPM.csv", map_file=tmp_path / "map.toml")

    assert {"JPM"} == {symbol.name for day in days for symbol in day.symbols}
    assert 0.01 > max(share(day.frames["quotes"], lambda bid, ask: bid > ask) for day in days if "quotes" in day.frames)


@pytest.mark.parametrize(
    ("fmt", "pattern", "options"),
    [
        ("ibkr-quotes", "ticks/ibkr_etf/*24.csv", {}),
        ("ibkr-api", "ticks/ibkr_raw/*.json", {"symbols": ("HK",), "tz": "Asia/Hong_Kong"}),
        ("lean", "ticks/lean_tick/ibm_20131007_*.zip", {}),
        ("lobster", "mbo/lobster_aapl/*message*", {}),
        ("databento", "mbo/es/*.xz", {}),
        ("databento", "mbo/arl/*_mbo.csv", {}),
    ],
)
def test_real_files_become_sessions(real_data: Path, tmp_path: Path, fmt: str, pattern: str, options: dict) -> None:
    """Sessions written from real files open again and hold as many events as the reader gave."""
    paths = sorted(real_data.glob(pattern))
    (imported,) = read(fmt, *paths, **options)
    (folder,) = import_sessions(fmt, paths, tmp_path / "out", ImportOptions(**options))
    session = Session.open(folder)

    assert sum(len(frame) for stream, frame in imported.frames.items() if stream != "messages") == session.n_events
    assert imported.day == session.day
