"""Any csv or Parquet with a column map."""

from pathlib import Path

import pandas as pd
import pytest

from replay.errors import ConfigError, DataError
from replay.events import Flag
from replay.importers import FORMATS, ImportOptions

QUOTES = "t,bP,bS,aP,aS\n1539869400000,10.00,2,10.01,5\n1539869400500,10.00,3,10.01,5\n"
TRADES = "t,p,s,x\n1539869400100,10.005,100,D\n1539869400400,10.01,50,Q\n"
MAP = """
symbol_from = "-(\\\\w+)$"
[quotes]
files = "quotes-*"
ts = "t"
unit = "ms"
bid = "bP"
bid_size = "bS"
ask = "aP"
ask_size = "aS"
size_multiplier = 100
[trades]
files = "trades-*"
ts = "t"
price = "p"
size = "s"
exchange = "x"
off_exchange = ["D"]
"""


def write(folder: Path, text: str = MAP, **files: str) -> ImportOptions:
    for name, content in files.items():
        (folder / f"{name.replace('_', '-')}.csv").write_text(content)
    (folder / "map.toml").write_text(text)
    return ImportOptions(map_file=folder / "map.toml")


def read(paths, options: ImportOptions):
    (imported,) = FORMATS["csv"].read(paths, options)
    return imported


def test_map_names_columns_units_and_streams(tmp_path: Path) -> None:
    """Two files of one symbol become its quotes and trades; lots become shares, exchange D is off exchange."""
    options = write(tmp_path, quotes_AA=QUOTES, trades_AA=TRADES)
    imported = read([tmp_path / "quotes-AA.csv", tmp_path / "trades-AA.csv"], options)

    assert [[100000, 200, 100100, 500], [100000, 300, 100100, 500]] == imported.frames["quotes"][
        ["bid", "bid_size", "ask", "ask_size"]
    ].to_numpy().tolist()
    assert [Flag.OFF_EXCHANGE, 0] == imported.frames["trades"]["flags"].tolist()
    assert ["AA"] == [symbol.name for symbol in imported.symbols]
    assert 1539869400000_000_000 == imported.frames["quotes"]["ts_ns"].iloc[0]


def test_own_names_need_no_map(tmp_path: Path) -> None:
    """Columns with our names are recognised; one file may hold many symbols, each in its own order."""
    frame = pd.DataFrame({"ts_ns": [2, 3, 1, 2], "symbol": list("AABB"), "price": [10.0] * 4, "size": [1] * 4})
    frame["ts_ns"] += 1539869400000_000_000
    frame.to_parquet(tmp_path / "all.parquet")
    imported = read([tmp_path / "all.parquet"], ImportOptions())

    assert ["B", "A", "B", "A"] == imported.frames["trades"]["symbol"].tolist()


def test_bars_know_their_length_and_end(tmp_path: Path) -> None:
    """Bars of decimal texts without volume are known at their end; unknown columns stay unknown."""
    starts = pd.date_range("2024-12-31 15:00", periods=3, freq="5min", tz="UTC")
    pd.DataFrame({"start": starts, **dict.fromkeys(("open", "high", "low", "close"), "14.89")}).to_parquet(
        tmp_path / "NVDX.parquet"
    )
    bars = read([tmp_path / "NVDX.parquet"], ImportOptions()).frames["bars"]

    assert ({300}, {148900}, {-1}) == (set(bars["bar_s"]), set(bars["close"]), set(bars["volume"]))
    assert 300_000_000_000 == bars["ts_ns"].iloc[0] - bars["start_ts_ns"].iloc[0]


def test_stamps_without_offset_are_in_the_zone_of_the_map(tmp_path: Path) -> None:
    """`tz` in the map places stamps without an offset, and cuts dates."""
    (tmp_path / "7203.csv").write_text("ts,price,size\n2024-03-05 09:00:00,10,100\n")
    (tmp_path / "map.toml").write_text('tz = "Asia/Tokyo"\n[trades]\nts = "ts"\nprice = "price"\nsize = "size"\n')
    imported = read([tmp_path / "7203.csv"], ImportOptions(map_file=tmp_path / "map.toml"))

    assert ("2024-03-05", pd.Timestamp("2024-03-05T00:00Z").value) == (
        imported.day.isoformat(),
        imported.frames["trades"]["ts_ns"].item(),
    )


def test_gaps_are_refused_unless_the_map_skips_them(tmp_path: Path) -> None:
    """An absent side or size is an error by default, and an empty side or no print with `missing = "skip"`."""
    quotes, trades = QUOTES + "1539869401000,,,10.01,5\n", TRADES + "1539869401000,10.0,,Q\n"
    paths = [tmp_path / "quotes-AA.csv", tmp_path / "trades-AA.csv"]
    with pytest.raises(DataError, match=r"`bP` of .*row 3: expected a number, got `nan`"):
        read(paths, write(tmp_path, quotes_AA=quotes, trades_AA=trades))
    skipping = MAP.replace("[quotes]", '[quotes]\nmissing = "skip"').replace("[trades]", '[trades]\nmissing = "skip"')
    frames = read(paths, write(tmp_path, skipping, quotes_AA=quotes, trades_AA=trades)).frames

    assert (0, 0) == tuple(frames["quotes"][["bid", "bid_size"]].iloc[-1])
    assert 2 == len(frames["trades"])


def test_disorder_is_refused_unless_the_map_sorts(tmp_path: Path) -> None:
    """A dirty file is refused with its row; `sort = true` puts it in order."""
    text = TRADES + "1539869400200,10.0,5,Q\n"
    with pytest.raises(DataError, match="goes back in time at row 3"):
        read([tmp_path / "trades-AA.csv"], write(tmp_path, trades_AA=text))
    found = read([tmp_path / "trades-AA.csv"], write(tmp_path, "sort = true\n" + MAP, trades_AA=text)).frames["trades"]

    assert [100, 5, 50] == found["size"].tolist()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[quote]\nts = "t"\n',
            r"unknown table in map .*`quote`; .*`\[quotes\]` with ts, bid, .*`\[trades\]`.*`\[bars\]`.*for example",
        ),
        (
            'zone = "UTC"\n',
            r"unknown key in map .*`zone`; known are tz, symbol_from, sort, multiplier, and .*`\[quotes\]` with ts",
        ),
        ('ts = "time"\n', r"unknown key in map .*`ts`; .*`ts = \"time\"`"),
        ('symbol_from = "("\n', "symbol_from in map .* is no regular expression"),
        ("tz = 5\n", "tz in map .* must be a text, got `5`"),
        ("multiplier = 0.5\n", "multiplier in map .* a whole number above 0, got `0.5`"),
        ("sort = 1\n", "sort in map .* must be true or false, got `1`"),
        ("[trades]\nts = 5\nprice = 'p'\nsize = 's'\n", r"ts in \[trades\] of map .* must be a text, got `5`"),
        ("[trades]\nts = 't'\nprice = 'p'\nsize = 's'\nsize_multiplier = 0\n", "size_multiplier in .* above 0, got `0`"),
        ("[trades]\nts = 't'\nprice = 'p'\nsize = 's'\nmissing = 'no'\n", "missing in .* must be `skip`, got `no`"),
        ("[trades]\nts = 't'\nprice = 'p'\nsize = 's'\noff_exchange = 'D'\n", "off_exchange in .* a list of codes, got `D`"),
        ('[trades]\nts = "t"\nprice = "p"\n', r"\[trades\] of map .* does not name size"),
        ('[trades]\nts = "t"\nprice = "p"\nsize = "s"\nvenue = "x"\n', r"unknown key in \[trades\] .*`venue`"),
        ('[trades]\nts = "t"\nprice = "p"\nsize = "s"\nunit = "min"\n', "unit in .trades. .*one of s, ms, us, ns, got `min`"),
        ("[trades", "is not TOML"),
    ],
)
def test_bad_maps_are_configuration_errors(tmp_path: Path, text: str, message: str) -> None:
    """A map with a wrong table, key, unit or syntax says what is known."""
    with pytest.raises(ConfigError, match=message):
        read([tmp_path / "trades-AA.csv"], write(tmp_path, text, trades_AA=TRADES))


def test_unknown_columns_ask_for_a_map(tmp_path: Path) -> None:
    """A csv with foreign names and no map says how to name them."""
    (tmp_path / "a.csv").write_text(QUOTES)
    with pytest.raises(DataError, match=r"which are not ours; name them with --map FILE: .*`\[quotes\]` with ts, bid"):
        read([tmp_path / "a.csv"], ImportOptions())


def test_file_of_no_stream_is_refused(tmp_path: Path) -> None:
    """A file that no `files` pattern wants is refused, not guessed."""
    options = write(tmp_path, other_AA=TRADES)
    with pytest.raises(DataError, match="fits no stream of the map"):
        read([tmp_path / "other-AA.csv"], options)
