"""Bad data stops at the border: one clear sentence, and nothing half-written."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from replay.errors import DataError, UsageError
from replay.session import Session, SessionWriter, SymbolInfo
from tests.session.days import DAY, OPEN_NS, events_of, frames, only, symbol_infos, to_dollars, write_day


def _changed(stream, column, value, row=3):
    frame = frames()[stream]
    frame[column] = frame[column].astype(object)
    frame.loc[row, column] = value
    return frame if isinstance(value, str) or value is None else frame.infer_objects()


BAD_ROWS = [
    ("quotes", "bid", -5, r"quotes\.bid is -5 at row 3; expected a price, or 0 with size 0 for an empty side"),
    ("quotes", "ask_size", -1, r"quotes\.ask_size is -1 at row 3; expected shares"),
    ("quotes", "bid", 0, r"quotes have bid 0 with bid_size \d+ at row 3 \(1 such rows\); an empty side is price 0 and size 0"),
    ("quotes", "bid", np.nan, r"quotes\.bid is missing \(NaN\) at row 3; expected a number"),
    ("quotes", "bid", 100.5, r"quotes\.bid is float64 .* expected integers in price units .*from_frames takes dollars"),
    ("quotes", "bid_size", 0.5, r"quotes\.bid_size is 0\.5 at row 3; expected a whole number"),
    ("quotes", "symbol", "ZZZ", r"quotes\.symbol is 'ZZZ' at row 3; add it to `symbols`, which has: AAA, BBB, CCC"),
    ("quotes", "symbol", None, r"quotes\.symbol is missing at row 3"),
    (
        "quotes",
        "ts_ns",
        OPEN_NS // 10**6,
        r"quotes\.ts_ns is \d+ at row 3; .* this looks like milliseconds: multiply by 1_000_000",
    ),
    ("quotes", "ts_ns", OPEN_NS // 10**9, r"this looks like seconds: multiply by 1_000_000_000"),
    ("quotes", "ts_ns", OPEN_NS + 10**15, r"expected nanoseconds since 1970 \(UTC\) within a day of 2025-01-02$"),
    ("trades", "price", 0, r"trades\.price is 0 at row 3; expected a positive price"),
    ("trades", "size", -7, r"trades\.size is -7 at row 3; expected a positive number of shares"),
    ("bars", "low", 0, r"bars\.low is 0 at row 3; expected a positive price"),
    ("bars", "high", 1, r"bars\.high is 1 at row 3; expected a high not below the low"),
    ("bars", "wap", -1.0, r"bars\.wap is -1\.0 at row 3; expected a positive price, or NaN where unknown"),
    ("bars", "what_to_show", "LAST", r"bars\.what_to_show is 'LAST' at row 3; known are: TRADES"),
    ("status", "status", "open", r"status\.status is 'open' at row 1; known are: halted, resumed"),
    ("messages", "action", "kill", r"messages\.action is 'kill' at row 3; known are: add, reduce"),
]


@pytest.mark.parametrize(("stream", "column", "value", "sentence"), BAD_ROWS)
def test_a_bad_value_names_its_place(tmp_path, stream, column, value, sentence):
    """A value that cannot be right is named by frame, column and row, and nothing is written."""
    frame = _changed(stream, column, value, row=1 if stream == "status" else 3)

    with pytest.raises(DataError, match=sentence):
        write_day(tmp_path / "day", **only(**{stream: frame}))
    assert [] == list(tmp_path.iterdir())


def test_columns_that_do_not_fit(tmp_path):
    """Absent and misspelt columns are named."""
    quotes = frames()["quotes"]

    with pytest.raises(DataError, match="quotes lacks the column 'ask'; it has ts_ns"):
        write_day(tmp_path / "day", **only(quotes=quotes.drop(columns="ask")))
    with pytest.raises(DataError, match="quotes has the unknown column 'bidsize'; did you mean 'bid_size'"):
        write_day(tmp_path / "day", **only(quotes=quotes.assign(bidsize=1)))
    with pytest.raises(DataError, match="trades lack the column 'order'"):
        write_day(tmp_path / "day", quotes=quotes.assign(order=1))


def test_unsorted_rows_are_sorted_and_counted(tmp_path):
    """Rows out of time order are sorted, and the manifest counts them; duplicates stay."""
    quotes = frames()["quotes"]
    turned = pd.concat([quotes[::-1], quotes[:1]])
    session = Session.open(write_day(tmp_path / "day", **only(quotes=turned)))

    assert session.quotes()["ts_ns"].is_monotonic_increasing
    assert len(quotes) + 1 == len(session.quotes())
    assert int((np.diff(turned["ts_ns"]) < 0).sum()) == session.manifest.streams["quotes"].resorted_rows > 0


def test_crossed_quotes_are_kept(tmp_path):
    """A crossed quote is a fact, not an error."""
    quotes = {"ts_ns": [OPEN_NS], "symbol": ["AAA"], "bid": [300], "bid_size": [1], "ask": [200], "ask_size": [1]}

    assert 1 == Session.open(write_day(tmp_path / "day", **only(quotes=quotes))).n_events


@pytest.mark.parametrize("given", [{}, {"quotes": frames()["quotes"][:0]}])
def test_an_empty_session_is_refused(tmp_path, given):
    """A session without a row is refused, on disk and in memory."""
    with pytest.raises(DataError, match="the session of 2025-01-02 is empty: no frame has a row"):
        write_day(tmp_path / "day", **only(**given))
    with pytest.raises(DataError, match="the session is empty"):
        Session.from_frames(**given)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused(tmp_path, share):
    """A Parquet file that was cut off is named when the session is opened."""
    path = write_day(tmp_path / "day") / "quotes.parquet"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])

    with pytest.raises(
        DataError, match=r"quotes\.parquet is no complete Parquet file \(.*\); restore it or import the session again"
    ):
        Session.open(tmp_path / "day")


def test_a_damaged_page_is_refused(tmp_path):
    """Bytes that were altered inside a file are found by reading it with verification."""
    path = write_day(tmp_path / "day", **only(quotes=frames(n=3000)["quotes"])) / "quotes.parquet"
    content = bytearray(path.read_bytes())
    content[200:260] = bytes(60)
    path.write_bytes(content)

    with pytest.raises(DataError, match=r"quotes\.parquet (is damaged in row group 0|has digest)"):
        Session.open(tmp_path / "day", verify=True)


def test_a_missing_file_is_named(tmp_path):
    """A table that the manifest counts must exist."""
    (write_day(tmp_path / "day") / "trades.parquet").unlink()

    with pytest.raises(DataError, match=r"trades\.parquet is missing, but the manifest counts 30 rows"):
        Session.open(tmp_path / "day")


def test_altered_rows_are_found_on_demand(tmp_path):
    """Plain open hashes nothing; verification finds altered rows and edited manifests."""
    folder = write_day(tmp_path / "day")
    table = pq.read_table(folder / "trades.parquet")
    sizes = table.column("size").to_pylist()
    at = table.schema.get_field_index("size")
    pq.write_table(table.set_column(at, "size", [[sizes[0] + 1, *sizes[1:]]]), folder / "trades.parquet")

    assert 30 == len(Session.open(folder).trades())
    with pytest.raises(DataError, match=r"trades\.parquet has digest .* the rows were altered"):
        Session.open(folder, verify=True)


def test_an_edited_manifest_is_found_on_demand(tmp_path):
    """A manifest whose symbol table was edited no longer has its digest."""
    path = write_day(tmp_path / "day") / "manifest.json"
    path.write_text(path.read_text().replace('"tick": 100', '"tick": 200'))

    with pytest.raises(DataError, match="it was edited"):
        Session.open(tmp_path / "day", verify=True)


def test_rows_that_go_back_are_refused_by_a_replay(tmp_path):
    """A stored table that is not in order is refused when it is streamed, with its row."""
    folder = write_day(tmp_path / "day")
    table = pq.read_table(folder / "quotes.parquet")
    pq.write_table(table.take([*range(10), 12, 11, 10, *range(13, table.num_rows)]), folder / "quotes.parquet")

    with pytest.raises(DataError, match=r"quotes\.parquet goes back at row 11: ts_ns \d+, seq \d+ after \d+, \d+"):
        events_of(Session.open(folder))


def test_tables_that_do_not_fit_together_are_refused(tmp_path):
    """Tables of two different days in one folder do not number their events 0, 1, 2, ...: a replay refuses them."""
    folder, other = write_day(tmp_path / "day"), write_day(tmp_path / "other", **frames(seed=5))
    (folder / "quotes.parquet").write_bytes((other / "quotes.parquet").read_bytes())

    with pytest.raises(DataError, match="the tables of 2025-01-02 do not fit together at seq"):
        events_of(Session.open(folder))


MANIFESTS = [
    (lambda text: text[:100], "cannot be read as JSON"),
    (lambda _: "[]", "is not the manifest of a session"),
    (lambda text: text.replace('"schema_version": 1', '"schema_version": 9'), "has schema_version 9, this program reads 1"),
    (lambda text: text.replace('"scale"', '"skale"'), "lacks the key 'scale'"),
    (lambda text: text.replace('"2025-01-02"', '"yesterday"'), "holds an impossible value"),
    (lambda text: text.replace('"tick": 100', '"tick": -1'), "tick must be a positive integer, got -1"),
    (lambda text: text.replace('"bars": {', '"candles": {'), "names the unknown table 'candles'"),
]


@pytest.mark.parametrize(("edit", "sentence"), MANIFESTS)
def test_a_bad_manifest_is_refused(tmp_path, edit, sentence):
    """A garbled manifest, or one of another version, is refused with the reason."""
    path = write_day(tmp_path / "day") / "manifest.json"
    path.write_text(edit(path.read_text()))

    with pytest.raises(DataError, match=sentence):
        Session.open(tmp_path / "day")


def test_a_folder_that_is_no_session(tmp_path):
    """A folder without a manifest, and a folder that does not exist, are told apart."""
    with pytest.raises(DataError, match="is no session: it has no manifest"):
        Session.open(tmp_path)
    with pytest.raises(UsageError, match="there is no session"):
        Session.open(tmp_path / "nothing")


def test_a_symbol_table_that_cannot_be(tmp_path):
    """Doubled names and impossible fields are refused."""
    with pytest.raises(DataError, match="symbol 'AAA' stands twice"):
        write_day(tmp_path / "day", symbols=symbol_infos(("AAA", "AAA")))
    with pytest.raises(DataError, match=r"symbol 'AAA': evidence must be one of tick_by_tick, .*, got 'guess'"):
        SymbolInfo(name="AAA", evidence="guess")
    with pytest.raises(DataError, match="scale must be a positive integer"):
        write_day(tmp_path / "day", scale=0)


FRAMES = [
    ({"ts_ns": pd.to_datetime(["2025-01-02 09:30"])}, "datetimes without a time zone; use .dt.tz_localize"),
    ({"ts_ns": [1735828200]}, "expected nanoseconds since 1970"),
    ({"ts_ns": pd.to_datetime([None]).tz_localize("UTC")}, r"quotes\.ts_ns is missing \(NaT\) at row 0; expected a time"),
    ({"ts_ns": ["2025-01-02"]}, r"quotes\.ts_ns is 2025-01-02 at row 0; expected an integer"),
    ({"bid": ["cheap"]}, r"quotes\.bid must hold numbers"),
    ({"bid": [590]}, r"quotes\.bid holds integers, from_frames expects dollars as floats \(590\.0\)"),
    ({"bid": [590.00001]}, "expected a multiple of 1/10000 dollar; round it, or pass a larger scale"),
    ({"bid": [np.nan]}, r"quotes\.bid is missing \(NaN\) at row 0; expected a price in dollars"),
    ({"bid": [np.inf]}, r"quotes\.bid is inf at row 0; expected a price in dollars"),
    ({"bid_size": [np.nan]}, r"quotes\.bid_size is missing \(NaN\) at row 0"),
]


@pytest.mark.parametrize(("change", "sentence"), FRAMES)
def test_frames_in_wrong_units(change, sentence):
    """`from_frames` explains units: dollars, nanoseconds, time zones."""
    row = {"ts_ns": [OPEN_NS], "symbol": ["SPY"], "bid": [590.0], "bid_size": [3], "ask": [590.01], "ask_size": [3], **change}

    with pytest.raises(DataError, match=sentence):
        Session.from_frames(quotes=pd.DataFrame(row), symbols={"SPY": {"tick": 0.01}})


def test_symbols_of_frames():
    """`from_frames` refuses unknown fields and ticks that are no whole number of price units."""
    quotes = to_dollars(frames())["quotes"]

    with pytest.raises(UsageError, match="symbol 'AAA' has the unknown field 'tic'; did you mean 'tick'"):
        Session.from_frames(quotes=quotes, symbols={"AAA": {"tic": 0.01}})
    with pytest.raises(DataError, match="tick 1e-05 dollars is no multiple of 1/10000 dollar"):
        Session.from_frames(quotes=quotes, symbols={"AAA": {"tick": 0.00001}})
    with pytest.raises(UsageError, match="symbols must be a mapping"):
        Session.from_frames(quotes=quotes, symbols=["AAA"])


def test_a_recorder_appends_in_order(tmp_path):
    """The streaming writer refuses rows that go back and numbers with gaps, and leaves nothing behind."""
    rows = {"symbol": ["AAA"], "bid": [100], "bid_size": [1], "ask": [200], "ask_size": [1]}
    back = {name: values * 2 for name, values in rows.items()}
    with pytest.raises(DataError, match="quotes go back at row 1: ts_ns"), _writer(tmp_path) as writer:
        writer.append("quotes", {"ts_ns": [OPEN_NS, OPEN_NS - 1], "seq": [0, 1], **back})
    with pytest.raises(DataError, match="numbered up to seq 3, but there are 1"), _writer(tmp_path) as writer:
        writer.append("quotes", {"ts_ns": [OPEN_NS], "seq": [3], **rows})
    with pytest.raises(DataError, match="quotes lacks the column 'seq'"), _writer(tmp_path) as writer:
        writer.append("quotes", {"ts_ns": [OPEN_NS], **rows})
    with pytest.raises(DataError, match="is empty"), _writer(tmp_path):
        pass
    assert [] == list(tmp_path.iterdir())


def _writer(folder):
    return SessionWriter(folder / "day", day=DAY, symbols=symbol_infos(), source="recorder")
