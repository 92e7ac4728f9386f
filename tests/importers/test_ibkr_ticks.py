"""Historical ticks of IBKR as ib_async lays them out."""

from pathlib import Path

import pandas as pd
import pytest

from replay.errors import DataError
from replay.events import Flag
from replay.importers import FORMATS, ImportOptions

TRADE_COLUMNS = ["time", "tickAttribLast", "price", "size", "exchange", "specialConditions"]
QUOTE_COLUMNS = ["time", "tickAttribBidAsk", "priceBid", "priceAsk", "sizeBid", "sizeAsk"]
PLAIN = "TickAttribLast(pastLimit=False, unreported=False)"
PAST = "TickAttribLast(pastLimit=True, unreported=False)"
ODD = "TickAttribLast(pastLimit=False, unreported=True)"


def trades(folder: Path, *rows, name: str = "AAPL_trades.csv") -> Path:
    """Write (second after 10:00, attribute, price, size, exchange, conditions) as ib_async's frame."""
    table = pd.DataFrame([(f"2024-03-05 15:00:{s:02d}+00:00", *rest) for s, *rest in rows], columns=TRADE_COLUMNS)
    table.to_csv(folder / name)
    return folder / name


def quotes(folder: Path, *rows, name: str = "AAPL_quotes.parquet") -> Path:
    table = pd.DataFrame([(pd.Timestamp(f"2024-03-05 15:00:{s:02d}Z"), *rest) for s, *rest in rows], columns=QUOTE_COLUMNS)
    table.to_parquet(folder / name)
    return folder / name


def read(*paths: Path, **options):
    (imported,) = FORMATS["ibkr-ticks"].read(paths, ImportOptions(**options))
    return imported


def test_both_streams_of_a_symbol_become_one_import(tmp_path: Path) -> None:
    """Trades and quotes are told apart by their columns; the clock is the exchange's, in whole seconds (rule T1)."""
    no = "TickAttribBidAsk(bidPastLow=False, askPastHigh=False)"
    imported = read(
        trades(tmp_path, (1, PLAIN, 10.01, 100, "ARCA", "")),
        quotes(tmp_path, (0, no, 10.0, 10.01, 300.0, 200.0), (1, no, 10.0, 10.02, 300.0, 100.0)),
    )
    (symbol,) = imported.symbols

    assert ("AAPL", "historical", "exchange", 1_000_000_000) == (
        symbol.name,
        symbol.evidence,
        symbol.ts_source,
        symbol.ts_resolution_ns,
    )
    assert [1, 2] == [len(imported.frames[stream]) for stream in ("trades", "quotes")]
    assert imported.frames["trades"]["exch_ts_ns"].tolist() == imported.frames["trades"]["ts_ns"].tolist()
    assert "status, trades, quotes; each in file order" == imported.notes["order_inside_a_second"]


def test_equal_rows_are_kept(tmp_path: Path) -> None:
    """Three equal prints are three prints (rule T3)."""
    row = (1, PLAIN, 10.01, 100, "ARCA", "")

    assert 3 == len(read(trades(tmp_path, row, row, row)).frames["trades"])


def test_zero_prints_are_halts(tmp_path: Path) -> None:
    """A 0/0 print past the limit halts, the next 0/0 print resumes; neither is a print (rule T4)."""
    rows = [
        (1, PLAIN, 10.0, 100, "ARCA", ""),
        (2, PAST, 0.0, 0, "", ""),
        (5, PLAIN, 0.0, 0, "", ""),
        (6, PLAIN, 10.5, 100, "ARCA", ""),
    ]
    imported = read(trades(tmp_path, *rows))

    assert ["halted", "resumed"] == imported.frames["status"]["status"].tolist()
    assert [100000, 105000] == imported.frames["trades"]["price"].tolist()


def test_attributes_are_read_in_every_form(tmp_path: Path) -> None:
    """The text of the object, a dict, a bit mask and a column of its own all say `unreported`."""
    frame = pd.DataFrame(
        {"time": ["2024-03-05 15:00:00+00:00"], "price": [10.0], "size": [100], "exchange": ["ARCA"], "specialConditions": [""]}
    )
    forms = [
        {"tickAttribLast": ODD},
        {"tickAttribLast": "{'pastLimit': False, 'unreported': True}"},
        {"tickAttribLast": 2},
        {"unreported": True},
    ]
    found = []
    for k, form in enumerate(forms):
        frame.assign(**form).to_csv(tmp_path / f"X_{k}.csv")
        found.append(read(tmp_path / f"X_{k}.csv").frames["trades"]["unreported"].item())

    assert [True] * 4 == found


def test_bit_order_of_historical_quotes_is_their_own(tmp_path: Path) -> None:
    """Either bit of a BID_ASK mask means past limit."""
    found = read(quotes(tmp_path, (0, 0, 10.0, 10.01, 1.0, 1.0), (1, 1, 10.0, 10.02, 1.0, 1.0), (2, 2, 10.0, 10.03, 1.0, 1.0)))

    assert [False, True, True] == found.frames["quotes"]["past_limit"].tolist()


def test_conditions_become_flags(tmp_path: Path) -> None:
    """I is an odd lot, Z late, W an average price; the exchange keeps its name."""
    rows = [
        (k, PLAIN, 10.0, 10, venue, words)
        for k, (venue, words) in enumerate([("FINRA", " I"), ("ARCA", "Z"), ("NYSE", "W"), ("NYSE", "")])
    ]
    found = read(trades(tmp_path, *rows)).frames["trades"]

    assert [Flag.ODD_LOT, Flag.LATE, Flag.AVERAGE_PRICE, 0] == found["flags"].tolist()
    assert ["FINRA", "ARCA", "NYSE", "NYSE"] == found["exchange"].tolist()


def test_price_finer_than_the_scale_is_rounded_and_flagged(tmp_path: Path) -> None:
    """An average price of many digits is kept at the nearest unit and flagged (rule T6)."""
    found = read(trades(tmp_path, (1, PLAIN, 10.0123456, 100, "FINRA", ""))).frames["trades"]

    assert (100123, True) == (found["price"].item(), bool(found["flags"].item() & Flag.AVERAGE_PRICE))


def test_prints_without_size_are_counted(tmp_path: Path) -> None:
    """A print of size 0 is left out and counted (rule T5)."""
    imported = read(trades(tmp_path, (1, PLAIN, 10.0, 0, "ARCA", ""), (2, PLAIN, 10.0, 100, "ARCA", "")))

    assert (1, {"AAPL": 1}) == (len(imported.frames["trades"]), imported.notes["prints_without_size"])


def test_midpoints_are_refused(tmp_path: Path) -> None:
    """MIDPOINT ticks say what to request instead."""
    pd.DataFrame({"time": ["2024-03-05 15:00:00+00:00"], "price": [1.0], "size": [0]}).to_csv(tmp_path / "a.csv")
    with pytest.raises(DataError, match="holds neither TRADES nor BID_ASK ticks"):
        read(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((1, PLAIN, -1.0, 100, "ARCA", ""), "`price` of .*row 2: expected a price of 0 or more"),
        ((1, PLAIN, 0.0, 100, "ARCA", ""), "row 2: expected a price above 0"),
        ((1, PLAIN, 1.0, -5, "ARCA", ""), "`size` of .*row 2: expected a size of 0 or more"),
        ((0, PLAIN, 1.0, 5, "ARCA", ""), "goes back in time at row 2"),
    ],
)
def test_bad_prints_are_named(tmp_path: Path, row, message: str) -> None:
    """Negative and zero prices, negative sizes and disorder are refused with their row."""
    with pytest.raises(DataError, match=message):
        read(trades(tmp_path, (1, PLAIN, 10.0, 100, "ARCA", ""), row))
