"""Databento MBO and MBP files."""

import importlib.util
import lzma
import sys
from pathlib import Path

import pytest

from replay.errors import DataError, ExternalError
from replay.events import Flag
from replay.importers import FORMATS, ImportOptions
from replay.importers.imported import ASSUMED
from replay.importers.products import cme_multiplier

HEADER = "ts_recv,ts_event,publisher_id,instrument_id,action,side,price,size,order_id,flags,symbol"
T0 = 1_703_545_200_000_000_000  # 2023-12-25 23:00 UTC
ROWS = (
    (0, "A", "B", 4800.25, 5, 1, 40),
    (0, "A", "A", 4800.50, 3, 2, 168),
    (10, "A", "B", 4800.25, 2, 3, 130),
    (20, "T", "A", 4800.25, 6, 0, 0),
    (20, "F", "B", 4800.25, 5, 1, 0),
    (20, "F", "B", 4800.25, 1, 3, 0),
    (20, "C", "B", 4800.25, 5, 1, 0),
    (20, "M", "B", 4800.25, 1, 3, 130),
    (30, "T", "N", 4800.50, 1, 0, 130),
    (40, "M", "A", 4800.75, 3, 2, 130),
)


def lines(*rows, symbol: str = "ESH4") -> str:
    """Write (ns after 23:00 UTC, action, side, price, size, order id, flags) as Databento's csv."""
    texts = [f"{T0 + ns + 5},{T0 + ns},1,17077,{a},{s},{p},{q},{oid},{f},{symbol}" for ns, a, s, p, q, oid, f in rows]
    return "\n".join((HEADER, *texts)) + "\n"


def read(path: Path, **options):
    (imported,) = FORMATS["databento"].read([path], ImportOptions(**options))
    return imported


def mbo(folder: Path, *rows) -> Path:
    (folder / "es.mbo.csv").write_text(lines(*(rows or ROWS)))
    return folder / "es.mbo.csv"


def test_quotes_come_at_the_end_of_an_event(tmp_path: Path) -> None:
    """Rows of an event are applied together; fills and the cancels that explain them take the size once (rules D2, D3)."""
    quotes = read(mbo(tmp_path)).frames["quotes"]
    expected = [
        [48002500, 5, 48005000, 3],
        [48002500, 7, 48005000, 3],
        [48002500, 1, 48005000, 3],
        [48002500, 1, 48007500, 3],
    ]

    assert expected == quotes[["bid", "bid_size", "ask", "ask_size"]].to_numpy().tolist()
    assert [T0 + 5, T0 + 15, T0 + 25, T0 + 45] == quotes["ts_ns"].tolist()
    assert T0 == quotes["exch_ts_ns"].iloc[0]


def test_flag_last_on_every_row_of_one_instant_is_one_event(tmp_path: Path) -> None:
    """Nasdaq feeds flag T, F and C each; they share their times and are one event (rule D3)."""
    rows = [
        (0, "A", "A", 10.0, 5, 1, 130),
        (9, "T", "B", 10.0, 2, 0, 130),
        (9, "F", "A", 10.0, 2, 1, 130),
        (9, "C", "A", 10.0, 2, 1, 130),
    ]
    frames = read(mbo(tmp_path, *rows)).frames

    assert [5, 3] == frames["quotes"]["ask_size"].tolist()
    assert [Flag.BUY] == frames["trades"]["flags"].tolist()


def test_messages_say_what_happened(tmp_path: Path) -> None:
    """Fills are executions; cancels and modifies that only confirm them are left out (rule D2)."""
    messages = read(mbo(tmp_path)).frames["messages"]

    assert ["add", "add", "add", "execute", "execute", "modify"] == messages["action"].tolist()
    assert [1, 2, 3, 1, 3, 2] == messages["order_id"].tolist()


def test_prints_without_a_fill_are_hidden(tmp_path: Path) -> None:
    """The aggressor's side is known; a print that fills no displayed order is HIDDEN (rule D4)."""
    trades = read(mbo(tmp_path)).frames["trades"]

    assert [Flag.SELL, Flag.HIDDEN] == trades["flags"].tolist()
    assert ["CME", "CME"] == trades["exchange"].tolist()


def test_own_fill_of_a_re_priced_order_is_no_execution(tmp_path: Path) -> None:
    """A resting order that is moved to trade has a fill of its own: only the order that it met was executed (rule D2)."""
    rows = [
        (0, "A", "B", 10.0, 2, 1, 130),
        (0, "A", "A", 10.1, 5, 2, 130),
        (9, "T", "A", 10.0, 2, 2, 0),
        (9, "F", "A", 10.0, 2, 2, 0),
        (9, "F", "B", 10.0, 2, 1, 0),
        (9, "C", "B", 10.0, 2, 1, 0),
        (9, "M", "A", 10.0, 3, 2, 130),
    ]
    frames = read(mbo(tmp_path, *rows)).frames

    assert ["add", "add", "execute", "modify"] == frames["messages"]["action"].tolist()
    assert [1, 2, 1, 2] == frames["messages"]["order_id"].tolist()
    assert [0, 0, 100000, 3] == frames["quotes"][["bid", "bid_size", "ask", "ask_size"]].iloc[-1].tolist()


def test_clear_empties_the_book(tmp_path: Path) -> None:
    """R leaves no quote on either side."""
    quotes = read(mbo(tmp_path, *ROWS[:2], (50, "R", "N", "", 0, 0, 128))).frames["quotes"]

    assert [0, 0, 0, 0] == quotes[["bid", "bid_size", "ask", "ask_size"]].iloc[-1].tolist()


def test_date_is_utc_and_tick_can_be_given(tmp_path: Path) -> None:
    """23:00 UTC belongs to that day; a given tick is used."""
    imported = read(mbo(tmp_path), tick=0.25)

    assert ("2023-12-25", 2500, "message_level") == (
        imported.day.isoformat(),
        imported.symbols[0].tick,
        imported.symbols[0].evidence,
    )


def test_tick_is_inferred_from_many_prices(tmp_path: Path) -> None:
    """The common step of twenty prices is the tick."""
    rows = [(k, "A", "B", 4800 + k / 4, 1, k + 1, 130) for k in range(25)]

    assert 2500 == read(mbo(tmp_path, *rows)).symbols[0].tick


def test_compressed_and_fixed_point_files_are_the_same(tmp_path: Path) -> None:
    """csv.xz and prices in 1e-9 give the same quotes as plain decimal csv."""
    plain = read(mbo(tmp_path)).frames["quotes"]
    (tmp_path / "es.csv.xz").write_bytes(lzma.compress(lines(*ROWS).encode()))
    fixed = [(*row[:3], int(row[3] * 1e9), *row[4:]) for row in ROWS]
    (tmp_path / "fixed.csv").write_text(lines(*fixed))

    assert plain.equals(read(tmp_path / "es.csv.xz").frames["quotes"])
    assert plain.equals(read(tmp_path / "fixed.csv").frames["quotes"])


def test_instruments_have_books_of_their_own(tmp_path: Path) -> None:
    """Orders of two symbols in one file never meet."""
    second = lines(*ROWS, symbol="NQH4").split("\n", 1)[1]
    (tmp_path / "two.csv").write_text(lines(*ROWS) + second.replace(str(T0)[:10], str(T0 + 10**9)[:10]))
    imported = read(tmp_path / "two.csv")

    assert ["ESH4", "NQH4"] == [symbol.name for symbol in imported.symbols]
    assert [4, 4] == imported.frames["quotes"].groupby("symbol").size().tolist()


def test_price_levels_give_quotes_and_prints(tmp_path: Path) -> None:
    """MBP rows carry the book: its first level is the quote, an absent price the empty side (rule D5)."""
    header = "ts_recv,ts_event,action,side,price,size,flags,bid_px_00,bid_sz_00,ask_px_00,ask_sz_00,symbol"
    rows = [
        f"{T0},{T0},A,B,10.0,5,128,10.0,5,,0,X",
        f"{T0 + 9},{T0 + 8},T,A,10.0,2,0,10.0,5,,0,X",
        f"{T0 + 9},{T0 + 8},C,B,10.0,2,128,10.0,3,10.5,1,X",
    ]
    (tmp_path / "mbp.csv").write_text("\n".join((header, *rows)) + "\n")
    imported = read(tmp_path / "mbp.csv")

    assert [[100000, 5, 0, 0], [100000, 3, 105000, 1]] == imported.frames["quotes"][
        ["bid", "bid_size", "ask", "ask_size"]
    ].to_numpy().tolist()
    assert [(100000, 2, Flag.SELL)] == list(
        imported.frames["trades"][["price", "size", "flags"]].itertuples(index=False, name=None)
    )
    assert "tick_by_tick" == imported.symbols[0].evidence


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((50, "Z", "B", 1.0, 1, 9, 128), "`action` of .*row 3: expected one of A, C, F, M, N, R, T, got `Z`"),
        ((50, "A", "X", 1.0, 1, 9, 128), "`side` of .*row 3: expected A, B or N, got `X`"),
        ((50, "A", "N", 1.0, 1, 9, 128), "`side` of .*row 3: expected A or B for an order"),
        ((50, "A", "B", -1.0, 1, 9, 128), "`price` of .*row 3: expected a price of 0 or more"),
        ((50, "A", "B", "", 1, 9, 128), "`price` of .*row 3: expected a price above 0 for an order"),
        ((50, "A", "B", 1.00001, 1, 9, 128), "`price` of .*row 3: expected a multiple of 1/10000 dollar"),
        ((50, "A", "B", 1.0, -1, 9, 128), "`size` of .*row 3: expected a size of 0 or more"),
        ((-9, "A", "B", 1.0, 1, 9, 128), "goes back in time at row 3"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, row, message: str) -> None:
    """Unknown actions and sides, impossible prices and sizes and disorder are refused with their row."""
    with pytest.raises(DataError, match=message):
        read(mbo(tmp_path, *ROWS[:2], row))


def test_mixed_schemas_are_refused(tmp_path: Path) -> None:
    """MBO and MBP files do not go together."""
    (tmp_path / "mbp.csv").write_text(
        f"ts_recv,ts_event,action,side,price,size,flags,bid_px_00,bid_sz_00,ask_px_00,ask_sz_00,symbol\n{T0},{T0},A,B,1,1,128,1,1,2,1,X\n"
    )
    with pytest.raises(DataError, match="mix MBO and MBP"):
        list(FORMATS["databento"].read([mbo(tmp_path), tmp_path / "mbp.csv"], ImportOptions()))


def test_absent_reader_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without databento-dbn a dbn file asks for the extra by its name."""
    (tmp_path / "a.dbn").write_bytes(b"DBN")
    monkeypatch.setitem(sys.modules, "databento_dbn", None)
    with pytest.raises(ExternalError, match=r"pip install 'ibkr-replay\[databento\]'"):
        read(tmp_path / "a.dbn")


@pytest.mark.skipif(importlib.util.find_spec("databento_dbn") is None, reason="databento-dbn is not installed")
@pytest.mark.parametrize("name", ["a.dbn", "a.dbn.zst"])
def test_damaged_dbn_is_refused(tmp_path: Path, name: str) -> None:
    """Bytes that are no dbn say so."""
    (tmp_path / name).write_bytes(b"no dbn at all, only text" * 10)
    with pytest.raises(DataError, match="damaged or cut off"):
        read(tmp_path / name)


def test_known_futures_have_their_multiplier(tmp_path: Path) -> None:
    """The multiplier of a known CME contract is taken from the table and told; an option wins, and is not commented."""
    known, given = read(mbo(tmp_path)), read(mbo(tmp_path), multiplier=5)

    assert (50, 5) == (known.symbols[0].multiplier, given.symbols[0].multiplier)
    assert ["50 for ESH4" in note and "--multiplier" in note for note in known.notes[ASSUMED]] == [True]
    assert [] == given.notes[ASSUMED]


@pytest.mark.parametrize(
    ("symbol", "size"), [("MESZ25", 5), ("6EH6", 125_000), ("ESH4-ESM4", None), ("AAPL", None), ("ES", None), ("ZZH4", None)]
)
def test_products_are_known_by_their_root(symbol: str, size: int | None) -> None:
    """A contract is a known root with a month and a year; anything else has no multiplier."""
    assert size == cme_multiplier(symbol)
