"""Raw ticks of the IBKR API."""

import json
from pathlib import Path

import pytest

from replay.errors import DataError
from replay.events import Flag
from replay.importers import FORMATS, ImportOptions

BID_SIZE, BID, ASK, ASK_SIZE, LAST, LAST_SIZE, VOLUME = 0, 1, 2, 3, 4, 5, 8


def read(folder: Path, ticks, **options):
    """Import ticks given as (tenths of a second after 10:00, type, price, size)."""
    rows = [
        {"time": f"2022-01-07T10:00:{tenth // 10:02d}.{tenth % 10}00000-05:00", "tickType": kind, "price": price, "size": size}
        for tenth, kind, price, size in ticks
    ]
    (folder / "ABC.json").write_text(json.dumps(rows))
    (imported,) = FORMATS["ibkr-api"].read([folder / "ABC.json"], ImportOptions(**options))
    return imported


def prints(imported):
    return imported.frames["trades"][["price", "size"]].to_numpy().tolist()


def test_rows_of_one_packet_make_one_quote(tmp_path: Path) -> None:
    """Price and size of both sides with one stamp are applied together; the symbol is the file's name."""
    ticks = [(0, BID, 10.0, 300), (0, ASK, 10.01, 200), (5, BID, 10.01, 100), (5, ASK, 10.02, 400)]
    quotes = read(tmp_path, ticks).frames["quotes"]

    assert [[100000, 300, 100100, 200], [100100, 100, 100200, 400]] == quotes[
        ["bid", "bid_size", "ask", "ask_size"]
    ].to_numpy().tolist()
    assert {"ABC"} == set(quotes["symbol"])


def test_size_alone_keeps_the_price(tmp_path: Path) -> None:
    """A tick of type 0 with price -1 sets the size only, a side with price -1 and size 0 becomes empty (rule A2)."""
    ticks = [(0, BID, 10.0, 300), (0, ASK, 10.01, 200), (1, BID_SIZE, -1, 500), (2, ASK, -1, 0)]
    quotes = read(tmp_path, ticks).frames["quotes"]

    assert [300, 500, 500] == quotes["bid_size"].tolist()
    assert [100000] * 3 == quotes["bid"].tolist()
    assert [(100100, 200), (100100, 200), (0, 0)] == list(zip(quotes["ask"], quotes["ask_size"], strict=True))


def test_repeated_size_is_one_print(tmp_path: Path) -> None:
    """Type 5 after type 4 with the same size is the API's duplicate, alone it is a print (rule A3)."""
    ticks = [
        (0, VOLUME, -1, 1000),
        (1, LAST, 10.0, 300),
        (1, LAST_SIZE, 10.0, 300),
        (1, VOLUME, -1, 1300),
        (2, LAST_SIZE, 10.0, 200),
        (2, VOLUME, -1, 1500),
    ]

    assert [[100000, 300], [100000, 200]] == prints(read(tmp_path, ticks))


def test_swallowed_size_is_a_print(tmp_path: Path) -> None:
    """Volume that rises without a last size is the same print once more, at most of the rise (rule A4)."""
    ticks = [(0, VOLUME, -1, 1000), (1, LAST, 10.0, 300), (1, VOLUME, -1, 1300), (2, VOLUME, -1, 1600), (3, VOLUME, -1, 1700)]

    assert [[100000, 300], [100000, 300], [100000, 100]] == prints(read(tmp_path, ticks))


def test_volume_between_snapshots_is_counted_not_invented(tmp_path: Path) -> None:
    """Volume beyond the prints of a packet goes into the notes (rule A5)."""
    imported = read(tmp_path, [(0, VOLUME, -1, 1000), (1, LAST, 10.0, 300), (1, VOLUME, -1, 2000)])

    assert [[100000, 300]] == prints(imported)
    assert {"unseen_volume": {"ABC": 700}} == imported.notes


def test_prints_have_no_venue(tmp_path: Path) -> None:
    """The feed names no exchange, and the flag says so."""
    trades = read(tmp_path, [(0, LAST, 10.0, 300)]).frames["trades"]

    assert [int(Flag.NO_VENUE)] == trades["flags"].tolist()


def test_csv_is_the_same_as_json(tmp_path: Path) -> None:
    """The same rows as csv give the same quotes."""
    (tmp_path / "ABC.csv").write_text(
        "time,price,size,tickType\n2022-01-07 10:00:00-05:00,10.0,300,1\n2022-01-07 10:00:01-05:00,,200,0\n"
    )
    (imported,) = FORMATS["ibkr-api"].read([tmp_path / "ABC.csv"], ImportOptions())

    assert [300, 200] == imported.frames["quotes"]["bid_size"].tolist()


@pytest.mark.parametrize(
    ("ticks", "message"),
    [
        ([(0, BID, -5, 1)], "`price` of .*row 1: expected a price, or -1 for none, got `-5`"),
        ([(1, BID, 10.0, 1), (0, BID, 10.0, 1)], "goes back in time at row 2"),
        ([(0, 45, 1.0, 1)], "holds no tick of the types 0-5 and 8; it holds"),
    ],
)
def test_bad_ticks_are_named(tmp_path: Path, ticks, message: str) -> None:
    """Negative prices, disorder and files of other tick types are refused with their row."""
    with pytest.raises(DataError, match=message):
        read(tmp_path, ticks)
