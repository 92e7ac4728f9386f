"""QuantConnect LEAN zips."""

import zipfile
from datetime import date
from pathlib import Path

import pytest

from replay.errors import DataError, UsageError
from replay.events import Flag
from replay.importers import FORMATS, ImportOptions
from replay.importers.times import midnight_ns

OPEN_MS = 34_200_000
QUOTES = (
    "34200000,100000,300,0,0,P,1,0",
    "34200000,0,0,100100,200,P,1,0",
    "34200005,100100,100,0,0,Q,1,0",
    "34200005,0,0,100200,400,Q,1,0",
    "34200007,0,0,90000,400,Q,1,1",
)
TRADES = (
    "34200001,100100,100,Q,1,0",
    "34200002,100050,60,D,20000020,0",
    "34200005,100100,100,N,4800,0",
    "34200006,100100,100,N,100000,0",
    "34200007,100100,100,N,40,0",
)


def pack(folder: Path, name: str, member: str, *rows: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, "\n".join(rows) + "\n")
    return path


def quotes(folder: Path, *rows: str) -> Path:
    return pack(folder, "abc_20131007_quote.zip", "20131007_abc_Quote_Tick.csv", *rows)


def trades(folder: Path, *rows: str) -> Path:
    return pack(folder, "abc_20131007_trade.zip", "20131007_abc_Trade_Tick.csv", *rows)


def read(*paths: Path, **options):
    (imported,) = FORMATS["lean"].read(paths, ImportOptions(**options))
    return imported


def test_rows_of_a_millisecond_are_applied_at_once(tmp_path: Path) -> None:
    """The pair of one-sided rows makes one quote, and the book is never crossed in between (rule L1)."""
    found = read(quotes(tmp_path, *QUOTES[:4])).frames["quotes"]

    assert [[100000, 300, 100100, 200], [100100, 100, 100200, 400]] == found[
        ["bid", "bid_size", "ask", "ask_size"]
    ].to_numpy().tolist()
    assert midnight_ns(date(2013, 10, 7), "America/New_York") + OPEN_MS * 1_000_000 == found["ts_ns"].iloc[0]


def test_suspicious_quotes_are_left_out_and_counted(tmp_path: Path) -> None:
    """A suspicious row moves no side (rule L2)."""
    imported = read(quotes(tmp_path, *QUOTES))

    assert 2 == len(imported.frames["quotes"])
    assert {"ABC": 1} == imported.notes["suspicious_quotes_left_out"]


def test_trades_keep_conditions_and_get_flags(tmp_path: Path) -> None:
    """Sold out of sequence is late; odd lots, average price and opening prints are marked; exchanges keep names (rule L3)."""
    found = read(trades(tmp_path, *TRADES)).frames["trades"]
    flags = [0, Flag.ODD_LOT, Flag.LATE, Flag.AVERAGE_PRICE, Flag.AUCTION]

    assert flags == found["flags"].tolist()
    assert ["1", "20000020", "4800", "100000", "40"] == found["conditions"].tolist()
    assert ["Q", "D", "N", "N", "N"] == found["exchange"].tolist()


def test_suspicious_print_is_no_market_price(tmp_path: Path) -> None:
    """A suspicious print is kept and flagged (rule L2)."""
    assert [Flag.AVERAGE_PRICE] == read(trades(tmp_path, "34200001,100100,100,Q,1,1")).frames["trades"]["flags"].tolist()


def test_seconds_give_closing_quotes_and_bars_at_their_end(tmp_path: Path) -> None:
    """A second is known when it is over: quotes from its closing prices, trades as bars of one second (rule L4)."""
    quote = pack(
        tmp_path, "abc_20131007_quote.zip", "20131007_abc_second_quote.csv", "34200000,9,9,9,100000,300,9,9,9,100100,200"
    )
    trade = pack(tmp_path, "abc_20131007_trade.zip", "20131007_abc_second_trade.csv", "34200000,100000,100100,99900,100000,700")
    imported = read(quote, trade)
    end_ns = midnight_ns(date(2013, 10, 7), "America/New_York") + (OPEN_MS + 1000) * 1_000_000

    assert (end_ns, 100000, 100100) == tuple(imported.frames["quotes"].iloc[0][["ts_ns", "bid", "ask"]])
    assert (end_ns, 1, 700) == tuple(imported.frames["bars"].iloc[0][["ts_ns", "bar_s", "volume"]])
    assert "bars" == imported.symbols[0].evidence


def test_folder_layout_of_lean_is_walked(tmp_path: Path) -> None:
    """In LEAN's own folders the symbol is the folder's name; symbols and date can be chosen."""
    for day in ("20131007", "20131008"):
        for symbol in ("abc", "xyz"):
            pack(tmp_path, f"equity/usa/tick/{symbol}/{day}_trade.zip", f"{day}_{symbol}_Trade_Tick.csv", *TRADES)
    days = list(FORMATS["lean"].read([tmp_path], ImportOptions(symbols=("xyz",))))

    assert [7, 8] == [imported.day.day for imported in days]
    assert [["XYZ"], ["XYZ"]] == [[symbol.name for symbol in imported.symbols] for imported in days]
    assert 1 == len(list(FORMATS["lean"].read([tmp_path], ImportOptions(day=date(2013, 10, 8)))))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("86400000,100100,100,Q,1,0", "`ms` of .*row 2: expected milliseconds of one day"),
        ("34199999,100100,100,Q,1,0", "goes back in time at row 2"),
        ("34200005,-100,100,Q,1,0", "`price` of .*row 2: expected a price of 0 or more"),
        ("34200005,0,100,Q,1,0", "`price` of .*row 2: expected a price above 0"),
        ("34200005,100100,-5,Q,1,0", "`size` of .*row 2: expected a size of 0 or more"),
        ("34200005,100100,100,Q,zz,0", "`condition` of .*row 2: expected a hexadecimal mask, got `zz`"),
        ("34200005,,100,Q,1,0", "`price` of .*row 2: expected a number"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, row: str, message: str) -> None:
    """Times outside the day, disorder, impossible prices, sizes and conditions are refused with their row."""
    with pytest.raises(DataError, match=message):
        read(trades(tmp_path, TRADES[0], row))


def test_foreign_names_are_refused(tmp_path: Path) -> None:
    """A zip whose name says neither day nor kind is refused with the names expected."""
    with pytest.raises(DataError, match=r"is not named `symbol_yyyymmdd_quote.zip`"):
        read(pack(tmp_path, "abc.zip", "a.csv", *TRADES))


def test_cut_zip_is_refused(tmp_path: Path) -> None:
    """A zip that was cut off says so."""
    path = trades(tmp_path, *TRADES)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(DataError, match="damaged or cut off"):
        read(path)


def test_scale_must_hold_lean_prices(tmp_path: Path) -> None:
    """A scale that cannot hold 1e-4 dollars is a usage error."""
    with pytest.raises(UsageError, match="the scale must be a multiple"):
        read(trades(tmp_path, *TRADES), scale=100)
