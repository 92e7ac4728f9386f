"""Wide quote files recorded from IBKR."""

from pathlib import Path

import pytest

from replay.errors import ConfigError, DataError, UsageError
from replay.importers import FORMATS, ImportOptions
from replay.importers.imported import ASSUMED

HEADER = "time,bid1,bid_size1,ask1,ask_size1,bid2,bid_size2,ask2,ask_size2"
ROWS = (
    "2021-09-24 09:30:06.000001-04:00,32.55,1.0,32.61,60.0,,,,",
    "2021-09-24 09:30:07.000000-04:00,32.55,1.0,32.61,60.0,17.44,5.0,17.45,2.0",
    "2021-09-24 09:30:08.000000-04:00,32.56,2.0,32.61,60.0,17.44,5.0,17.45,2.0",
    "2021-09-24 09:30:08.000000-04:00,32.57,3.0,32.61,60.0,17.44,5.0,17.45,2.0",
    "2021-09-24 09:30:09.000000-04:00,-1,0,32.61,60.0,17.44,5.0,17.45,2.0",
)


def write(folder: Path, *rows: str) -> Path:
    path = folder / "quotes.csv"
    path.write_text("\n".join((HEADER, *rows)) + "\n")
    return path


def read(path: Path, **options):
    (imported,) = FORMATS["ibkr-quotes"].read([path], ImportOptions(**options))
    return imported


def quotes_of(imported, symbol: str):
    frame = imported.frames["quotes"]
    return frame[frame["symbol"] == symbol][["bid", "bid_size", "ask", "ask_size"]].to_numpy().tolist()


def test_only_changes_of_a_symbol_are_its_quotes(tmp_path: Path) -> None:
    """Each symbol has a quote where its own columns changed; lots become shares; rows of one stamp are one packet."""
    imported = read(write(tmp_path, *ROWS))

    assert [[325500, 100, 326100, 6000], [325700, 300, 326100, 6000], [0, 0, 326100, 6000]] == quotes_of(imported, "S1")
    assert [[174400, 500, 174500, 200]] == quotes_of(imported, "S2")


def test_manifest_tells_where_the_numbers_come_from(tmp_path: Path) -> None:
    """The symbols say that quotes are snapshots on the receive clock, and sizes came as round lots."""
    imported = read(write(tmp_path, *ROWS), symbols=("SH", "SDS"))

    assert ["SDS", "SH"] == [symbol.name for symbol in imported.symbols]
    assert {("snapshot_250ms", "receive", "round_lots")} == {(s.evidence, s.ts_source, s.size_unit) for s in imported.symbols}
    assert "2021-09-24" == imported.day.isoformat()


def test_sizes_in_shares_are_kept(tmp_path: Path) -> None:
    """With `size_unit` shares nothing is multiplied."""
    assert 60 == read(write(tmp_path, *ROWS), size_unit="shares").frames["quotes"]["ask_size"].iloc[0]


def test_map_file_names_symbols(tmp_path: Path) -> None:
    """A map file names symbols by their number."""
    (tmp_path / "map.toml").write_text('[symbols]\n2 = "SDS"\n')
    imported = read(write(tmp_path, *ROWS), map_file=tmp_path / "map.toml")

    assert {"S1", "SDS"} == set(imported.frames["quotes"]["symbol"])


@pytest.mark.parametrize("text", ["", "[symbols]\nfirst = 'SH'\n", "[symbols]\n1 = 5\n", "symbols = 'SH'\n"])
def test_a_map_without_names_teaches_its_form(tmp_path: Path, text: str) -> None:
    """A map that names no symbol by its column shows the lines that do."""
    (tmp_path / "map.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"`\[symbols\]` and below it `1 = \"SPY\"`"):
        read(write(tmp_path, *ROWS), map_file=tmp_path / "map.toml")


def test_columns_of_other_names_are_told_where_they_are_read(tmp_path: Path) -> None:
    """A file without numbered columns is refused with the format that names columns by a map."""
    path = tmp_path / "plain.csv"
    path.write_text("time,bid,bid_size,ask,ask_size\n2025-06-02 10:00:00-04:00,100.0,3,100.01,2\n")

    with pytest.raises(DataError, match=r"it starts with time, bid, .*; `replay import csv --map` reads columns of any name"):
        read(path)


def test_what_was_assumed_is_told(tmp_path: Path) -> None:
    """Names and sizes that nobody gave are in the notes, with the options that change them; what was given is not."""
    (tmp_path / "map.toml").write_text('[symbols]\n2 = "SDS"\n')
    path = write(tmp_path, *ROWS)
    names, sizes = read(path).notes[ASSUMED]
    (only,) = read(path, map_file=tmp_path / "map.toml", size_unit="round_lots").notes[ASSUMED]

    assert "S1, S2 are called by their column; --symbol A,B or --map FILE names them" in names
    assert "round lots of 100 shares; --size-unit (shares or round_lots) and --round-lot change that" in sizes
    assert ": S1 are called" in only
    assert [] == read(path, symbols=("SH", "SDS"), size_unit="shares").notes[ASSUMED]


def test_two_files_make_two_dates(tmp_path: Path) -> None:
    """Files of two days give two imports in date order, whatever the order of the files."""
    first = write(tmp_path, *ROWS)
    second = tmp_path / "later.csv"
    second.write_text(first.read_text().replace("2021-09-24", "2021-09-27"))
    days = [imported.day.day for imported in FORMATS["ibkr-quotes"].read([second, first], ImportOptions())]

    assert [24, 27] == days


def test_each_date_begins_with_the_quotes_of_its_first_row(tmp_path: Path) -> None:
    """A quote that stands unchanged over night is told again on the next date, once: each session is whole by itself."""
    days = ("2021-09-24", "2021-09-27", "2021-09-28")
    rows = [f"{day} 09:30:0{second}-04:00,32.55,1.0,32.61,60.0,17.44,5.0,17.45,2.0" for day in days for second in range(3)]
    found = FORMATS["ibkr-quotes"].read([write(tmp_path, *rows)], ImportOptions())

    assert [(24, 2), (27, 2), (28, 2)] == [(imported.day.day, len(imported.frames["quotes"])) for imported in found]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2021-09-24 09:30:01-04:00,32.55,1.0,32.61,60.0,17.44,5.0,17.45,2.0", "row 6: `time` 2021-09-24 09:30:01-04:00 after"),
        ("2021-09-24 09:31:00-04:00,,1.0,32.61,60.0,17.44,5.0,17.45,2.0", "`bid1` of .*row 6: expected a number, got `nan`"),
        (
            "2021-09-24 09:31:00-04:00,-3,1.0,32.61,60.0,17.44,5.0,17.45,2.0",
            "row 6: expected a price, or -1 for none, got `-3.0`",
        ),
        ("2021-09-24 09:31:00-04:00,1,1.0,32.61,60.0,x,5.0,17.45,2.0", "`bid2` of .*row 6: expected a number, got `x`"),
        ("soon,1,1.0,32.61,60.0,17.44,5.0,17.45,2.0", "`soon` is not a time like the first one"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, row: str, message: str) -> None:
    """Disorder, holes, negative prices and text in the middle of a file are named with their row."""
    with pytest.raises(DataError, match=message):
        read(write(tmp_path, *ROWS, row))


def test_night_without_offset_is_refused(tmp_path: Path) -> None:
    """UTC stamps of an evening taken for New York time are noticed when they all fall into the night."""
    rows = [row.replace("09:30", "02:30").replace("-04:00", "") for row in ROWS]
    with pytest.raises(DataError, match="give the zone of the exchange with --tz"):
        read(write(tmp_path, *rows))


def test_wrong_number_of_names_is_a_usage_error(tmp_path: Path) -> None:
    """Three names for two symbols are refused."""
    with pytest.raises(UsageError, match="has 2 symbols, --symbol names 3"):
        read(write(tmp_path, *ROWS), symbols=("A", "B", "C"))


def test_foreign_csv_is_refused(tmp_path: Path) -> None:
    """A csv without numbered bids says what was expected."""
    (tmp_path / "a.csv").write_text("time,price\n1,2\n")
    with pytest.raises(DataError, match=r"has no columns `bid1, bid_size1, ask1, ask_size1, ...`; it starts with time, price"):
        read(tmp_path / "a.csv")
