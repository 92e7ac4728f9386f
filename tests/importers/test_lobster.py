"""LOBSTER message and orderbook files."""

from datetime import date
from pathlib import Path

import pytest

from replay.errors import DataError, UsageError
from replay.events import Flag
from replay.importers import FORMATS, ImportOptions
from replay.importers.times import midnight_ns

NAME = "ABC_2012-06-21_34200000_36600000_{}_1.csv"
MESSAGES = (
    "34200.000000001,1,11,100,1000000,1",
    "34200.000000002,1,12,200,1000100,-1",
    "34200.1,4,12,50,1000100,-1",
    "34200.1,3,12,150,1000100,-1",
    "34200.2,5,0,10,1000000,1",
    "34200.3,4,99,7,1000000,1",
    "34200.4,2,11,40,1000000,1",
    "34200.5,6,-1,500,1000050,-1",
    "34200.6,7,0,0,-1,-1",
    "34200.7,7,0,0,1,-1",
)


def write(folder: Path, *rows: str, kind: str = "message") -> Path:
    path = folder / NAME.format(kind)
    path.write_text("\n".join(rows) + "\n")
    return path


def read(*paths: Path, **options):
    (imported,) = FORMATS["lobster"].read(paths, ImportOptions(**options))
    return imported


def test_touch_follows_the_messages(tmp_path: Path) -> None:
    """A quote follows each message that changes the touch, and no other (rule M1)."""
    quotes = read(write(tmp_path, *MESSAGES)).frames["quotes"]
    expected = [
        [1000000, 100, 0, 0],
        [1000000, 100, 1000100, 200],
        [1000000, 100, 1000100, 150],
        [1000000, 100, 0, 0],
        [1000000, 60, 0, 0],
    ]

    assert expected == quotes[["bid", "bid_size", "ask", "ask_size"]].to_numpy().tolist()
    assert midnight_ns(date(2012, 6, 21), "America/New_York") + 34_200_000_000_001 == quotes["ts_ns"].iloc[0]


def test_prints_know_their_aggressor(tmp_path: Path) -> None:
    """Executed asks were bought, executed bids sold; hidden orders and auctions are marked (rule M2)."""
    trades = read(write(tmp_path, *MESSAGES)).frames["trades"]

    assert [Flag.BUY, Flag.SELL | Flag.HIDDEN, Flag.SELL, Flag.AUCTION] == trades["flags"].tolist()
    assert ["", "hidden", "", "cross"] == trades["conditions"].tolist()


def test_print_comes_before_the_quote_it_makes(tmp_path: Path) -> None:
    """Rows of one message keep their order: print, then quote, then the next message."""
    frames = read(write(tmp_path, *MESSAGES)).frames
    same = frames["trades"]["order"].iloc[0], frames["quotes"]["order"].iloc[2]

    assert (4, 5) == same


def test_messages_are_complete_in_themselves(tmp_path: Path) -> None:
    """Messages of orders from before the file are left out and counted; hidden executions stay (rule M4)."""
    imported = read(write(tmp_path, *MESSAGES))
    messages = imported.frames["messages"]

    assert ["add", "add", "execute", "delete", "execute_hidden", "reduce"] == messages["action"].tolist()
    assert [100, 200, 50, 150, 10, 40] == messages["size"].tolist()
    assert (10, 1, 0) == tuple(imported.notes[key] for key in ("messages", "unknown_orders", "excess_shares"))


def test_halts_become_status(tmp_path: Path) -> None:
    """Type 7 halts and resumes (rule M3)."""
    assert ["halted", "resumed"] == read(write(tmp_path, *MESSAGES)).frames["status"]["status"].tolist()


def test_orderbook_of_the_same_messages_is_the_quote(tmp_path: Path) -> None:
    """An orderbook file with a row per message is used; its empty levels are empty sides (rules M1, M5)."""
    rows = ["9999999999,0,1000000,150", "1000100,200,1000000,150", "1000100,200,-9999999999,0"]
    imported = read(write(tmp_path, *MESSAGES[:3]), write(tmp_path, *rows, kind="orderbook"))
    expected = [[1000000, 150, 0, 0], [1000000, 150, 1000100, 200], [0, 0, 1000100, 200]]

    assert expected == imported.frames["quotes"][["bid", "bid_size", "ask", "ask_size"]].to_numpy().tolist()
    assert NAME.format("orderbook") == imported.notes["quotes_from"]


def test_orderbook_of_other_messages_is_not_used(tmp_path: Path) -> None:
    """An orderbook file with another number of rows belongs to other messages, and the notes say so."""
    imported = read(write(tmp_path, *MESSAGES), write(tmp_path, "1000100,200,1000000,150", kind="orderbook"))

    assert "rebuilt book" == imported.notes["quotes_from"]
    assert "has 1 rows for 10 messages" in imported.notes["orderbook_file"]


def test_options_name_what_the_file_does_not(tmp_path: Path) -> None:
    """A file of another name needs symbol and date."""
    path = write(tmp_path, *MESSAGES).rename(tmp_path / "m.csv")
    with pytest.raises(UsageError, match="give --symbol and --date"):
        read(path)
    imported = read(path, symbols=("XYZ",), day=date(2012, 6, 22))

    assert ("XYZ", date(2012, 6, 22)) == (imported.symbols[0].name, imported.day)


def test_two_tickers_of_a_day_are_one_session(tmp_path: Path) -> None:
    """Message files of one date come together, each rebuilt on its own."""
    first = write(tmp_path, *MESSAGES)
    second = tmp_path / NAME.format("message").replace("ABC", "XYZ")
    second.write_text(first.read_text())
    imported = read(first, second)

    assert ["ABC", "XYZ"] == [symbol.name for symbol in imported.symbols]
    assert 10 == len(imported.frames["quotes"])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("34199.9,1,13,100,1000000,1", "goes back in time at row 3"),
        ("86400.0,1,13,100,1000000,1", "`time` of .*row 3: expected seconds after midnight"),
        ("34201.0,9,13,100,1000000,1", "`type` of .*row 3: expected a message type from 1 to 7, got `9`"),
        ("34201.0,1,13,100,1000000,0", "`side` of .*row 3: expected 1 .bid. or -1 .ask."),
        ("34201.0,1,13,-1,1000000,1", "`size` of .*row 3: expected a size of 0 or more"),
        ("34201.0,1,13,100,-5,1", "`price` of .*row 3: expected a price above 0"),
        ("34201.0,1,13,100,,1", "`price` of .*row 3: expected a number"),
    ],
)
def test_bad_messages_are_named(tmp_path: Path, row: str, message: str) -> None:
    """Impossible messages are refused with their row."""
    with pytest.raises(DataError, match=message):
        read(write(tmp_path, *MESSAGES[:2], row))
