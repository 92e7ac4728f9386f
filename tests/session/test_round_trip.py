"""What goes into a session comes out of it, on disk, in memory, and in other programs."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from replay.errors import DataError
from replay.events import Flag
from replay.session import Session
from replay.session.tables import COLUMNS, STREAMS, column_names
from tests.session.days import DAY, NAMES, OPEN_NS, SECOND_NS, frames, in_memory, only, symbol_infos, to_dollars, write_day

DERIVED = ("seq", "flags", "past_limit", "unreported")


def _view(session, stream):
    return getattr(session, stream)()


@pytest.mark.parametrize("stream", STREAMS)
def test_every_column_comes_back(tmp_path, stream):
    """Every column that was written comes back with its values and its type."""
    given = frames()[stream].sort_values("ts_ns", kind="stable", ignore_index=True)
    found = _view(Session.open(write_day(tmp_path / "day", **only(**{stream: given}))), stream)

    assert list(column_names(stream)) == list(found.columns)
    for name in given.columns:
        if name not in DERIVED:
            key = ["ts_ns", "symbol"]
            expected = given.sort_values(key, kind="stable", ignore_index=True)[name]
            pd.testing.assert_series_equal(expected, found[name], check_dtype=name not in ("bar_s", "wap"))


def test_defaults_of_absent_columns(tmp_path):
    """Columns that a source does not have get their stated defaults."""
    trades = frames()["trades"][["ts_ns", "symbol", "price", "size"]]
    found = Session.open(write_day(tmp_path / "day", **only(trades=trades))).trades()

    assert found["exch_ts_ns"].isna().all()
    assert {("", "", False, False)} == set(
        found[["exchange", "conditions", "unreported", "past_limit"]].itertuples(index=False, name=None)
    )


def test_flags_follow_from_the_rows(tmp_path):
    """Crossed, locked, off-tick, extended, past-limit and unreported rows carry their flags; wrong ones are corrected."""
    ts_ns = [OPEN_NS - 1, OPEN_NS, OPEN_NS + 1, OPEN_NS + 2]
    quotes = {"ts_ns": ts_ns, "symbol": ["AAA"] * 4, "bid_size": [1] * 4, "ask": [20_200] * 4}
    quotes |= {"bid": [20_100, 20_300, 20_200, 20_150], "ask_size": [1] * 4}
    quotes |= {"flags": [0, 0, 0, int(Flag.CROSSED)], "past_limit": [False, False, False, True]}
    trades = {"ts_ns": [OPEN_NS], "symbol": ["AAA"], "price": [100], "size": [5], "unreported": [True]}
    session = Session.open(write_day(tmp_path / "day", **only(quotes=quotes, trades=trades)))
    expected = [Flag.EXTENDED, Flag.CROSSED, Flag.LOCKED, Flag.OFF_TICK | Flag.PAST_LIMIT]

    assert [int(flag) for flag in expected] == session.quotes()["flags"].tolist()
    assert [int(Flag.UNREPORTED | Flag.NO_VENUE)] == session.trades()["flags"].tolist()


def test_ties_follow_the_rule(tmp_path):
    """Equal times: status, trades, quotes, bars; then symbol; then the row; and the source's own order wins."""
    days = {name: frame.assign(ts_ns=OPEN_NS + SECOND_NS * 60) for name, frame in frames(n=8).items()}
    session = Session.open(write_day(tmp_path / "rule", **days))
    last = [_view(session, stream)["seq"].max() for stream in ("status", "trades", "quotes", "bars")]
    shuffled = np.random.default_rng(1).permutation(12)
    days["quotes"]["order"], days["trades"]["order"] = shuffled[:8], shuffled[8:]
    ordered = Session.open(write_day(tmp_path / "stated", **days))

    assert [1, 5, 13, 14] == last
    assert ["AAA", "BBB", "CCC"] == session.quotes()["symbol"].drop_duplicates().tolist()
    assert sorted(2 + shuffled[:8]) == ordered.quotes()["seq"].tolist()
    assert sorted(2 + shuffled[8:]) == ordered.trades()["seq"].tolist()


def test_views_in_dollars_make_the_same_session(tmp_path):
    """The views, in dollars and through `from_frames`, give a session of the same digest."""
    session = Session.open(write_day(tmp_path / "day"))
    views = {stream: getattr(session, stream)(prices="float") for stream in STREAMS if stream != "status"}
    again = Session.from_frames(**views, status=session.status(), symbols={info.name: info for info in symbol_infos()}, day=DAY)

    assert session.digest == again.digest
    assert session.manifest.streams == again.manifest.streams


def test_views_written_again_keep_their_order(tmp_path):
    """A view carries `seq`, so writing views keeps an order that the tie rule would not give."""
    days = frames(step_ns=1)
    days["quotes"]["order"] = np.arange(len(days["quotes"]))[::-1]
    days["trades"]["order"] = np.arange(len(days["trades"]))
    session = Session.open(write_day(tmp_path / "one", **days))
    again = Session.open(write_day(tmp_path / "two", **{stream: _view(session, stream) for stream in STREAMS}))

    assert session.digest == again.digest


def test_datetimes_with_a_zone():
    """Datetimes of any zone become nanoseconds; an absent exchange time stays absent; plain lists do as well as frames."""
    times = pd.to_datetime(["2025-01-02 09:30", None]).tz_localize("America/New_York")
    quotes = {"ts_ns": times.fillna(times[0]), "exch_ts_ns": times, "symbol": ["AAA"] * 2, "bid": [1.0] * 2, "bid_size": [1] * 2}
    found = Session.from_frames(quotes=quotes | {"ask": [1.01] * 2, "ask_size": [1] * 2}).quotes()

    assert [OPEN_NS, OPEN_NS] == found["ts_ns"].tolist()
    assert (OPEN_NS, True) == (found["exch_ts_ns"][0], found["exch_ts_ns"].isna()[1])


def test_empty_side_in_dollars(tmp_path):
    """An empty side is price 0 with size 0 as stored, NaN in dollars, and comes back from either."""
    quotes = {"ts_ns": [OPEN_NS], "symbol": ["AAA"], "bid": [0], "bid_size": [0], "ask": [200], "ask_size": [3]}
    session = Session.open(write_day(tmp_path / "day", **only(quotes=quotes)))
    dollars = session.quotes(prices="float")
    again = Session.from_frames(quotes=dollars, symbols={info.name: info for info in symbol_infos()})

    assert np.isnan(dollars["bid"][0])
    assert 0.02 == dollars["ask"][0]
    assert session.digest == again.digest


def test_other_programs_read_plain_columns(tmp_path):
    """The files open in pandas without our code: plain strings, no dictionaries, int64 times."""
    folder = write_day(tmp_path / "day")
    for stream in STREAMS:
        found = pd.read_parquet(folder / f"{stream}.parquet")
        kinds = {str(field.type) for field in pq.read_schema(folder / f"{stream}.parquet")}

        assert list(column_names(stream)) == list(found.columns)
        assert not any("dictionary" in kind for kind in kinds)
    assert json.loads((folder / "manifest.json").read_text())["schema_version"] == 1


def test_encodings(tmp_path):
    """Times and seq are delta-encoded, everything else is dictionary-encoded, all of it zstd."""
    metadata = pq.ParquetFile(write_day(tmp_path / "day") / "quotes.parquet").metadata.row_group(0)
    columns = {metadata.column(k).path_in_schema: metadata.column(k) for k in range(metadata.num_columns)}

    assert {"ZSTD"} == {column.compression for column in columns.values()}
    assert all("DELTA_BINARY_PACKED" in columns[name].encodings for name in ("ts_ns", "exch_ts_ns", "seq"))
    assert all("RLE_DICTIONARY" in columns[c.name].encodings for c in COLUMNS["quotes"] if c.kind == "string" or c.unit)


def test_views_of_a_merged_session_count_like_its_events():
    """In a merged session the views have the `seq` of the events."""
    session = Session.merge([in_memory(("CCC", "AAA"), 1), in_memory(("BBB",), 2)])
    seqs = np.sort(np.concatenate([_view(session, stream)["seq"] for stream in ("quotes", "trades", "bars", "status")]))

    assert list(range(session.n_events)) == seqs.tolist()
    assert ["CCC", "AAA", "BBB"] == list(session.symbols)


def test_merging_refuses_what_does_not_fit(tmp_path):
    """Sessions of other dates, or with a symbol in common, are not merged."""
    one = Session.open(write_day(tmp_path / "one"))

    with pytest.raises(DataError, match="symbol 'AAA' stands in sessions 1 and 2"):
        Session.merge([one, in_memory(("AAA",), 1)])
    other = Session.from_frames(**to_dollars(frames(("DDD",))), symbols={"DDD": {}}, day=DAY, calendar="24/7")
    with pytest.raises(DataError, match="merged sessions must share their hours"):
        Session.merge([one, other])


def test_names_and_hours(tmp_path):
    """A session knows its day, symbols, venues, scale and hours, and says which symbol was meant."""
    session = Session.open(write_day(tmp_path / "day"))

    assert (DAY, NAMES, 10_000, OPEN_NS) == (session.day, session.symbols, session.scale, session.hours.open_ns)
    assert symbol_infos()[1] == session.symbol_info("BBB")
    assert (tmp_path / "day", None) == Session.merge([session, in_memory(("DDD",), 1)]).folders
    with pytest.raises(DataError, match="has no symbol 'AAAA'; did you mean 'AAA'"):
        session.quotes("AAAA")


def test_one_symbol(tmp_path):
    """A view of one symbol holds its rows and no others."""
    session = Session.open(write_day(tmp_path / "day"))
    whole = session.trades()

    pd.testing.assert_frame_equal(whole[whole["symbol"] == "BBB"].reset_index(drop=True), session.trades("BBB"))


def test_importing_is_light():
    """Importing the package loads neither numba nor pandas nor pyarrow; streaming loads neither pandas nor the calendar."""
    code = "import sys, replay.session, replay.session.session, replay.session.check; "
    code += "print([m for m in ('numba', 'pandas', 'pyarrow', 'exchange_calendars') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == found.stdout.strip()


def test_streaming_is_light(tmp_path):
    """Opening and streaming a session loads neither pandas nor pyarrow.dataset nor the calendar."""
    folder = write_day(tmp_path / "day")
    code = "import sys; from replay.session import Session; "
    code += f"n = sum(len(b.events) for b in Session.open({str(folder)!r}).blocks()); "
    code += "print(n, [m for m in ('pandas', 'pyarrow.dataset', 'exchange_calendars') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert f"{Session.open(folder).n_events} []" == found.stdout.strip()
