"""`check_session` finds what is wrong, counts it, and says where it begins."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from replay.events import Flag
from replay.session import Session, SessionWriter
from replay.session.check import CODES, SEVERITIES, check_session
from tests.session.days import DAY, OPEN_NS, SECOND_NS, frames, only, symbol_infos, write_day

CLOSE_NS = OPEN_NS + 6 * 3600 * SECOND_NS + 1800 * SECOND_NS


def _found(session):
    return {(finding.stream, finding.code): finding for finding in check_session(session)}


def _clean(n=400):
    ts_ns = OPEN_NS + 1 + np.arange(n) * ((CLOSE_NS - OPEN_NS) // n)
    symbol = np.array(["AAA", "BBB", "CCC"])[np.arange(n) % 3]
    price = 100 * (101 + np.arange(n))
    quotes = {"ts_ns": ts_ns, "symbol": symbol, "bid": price, "bid_size": 5, "ask": price + 100}
    quotes = pd.DataFrame(quotes | {"ask_size": 5})
    trades = {"ts_ns": ts_ns, "symbol": symbol, "price": price, "size": 5, "exchange": "Q"}
    return {"quotes": quotes, "trades": pd.DataFrame(trades)}


def test_a_clean_session_has_no_findings(tmp_path):
    """A session without faults gives an empty list."""
    assert [] == check_session(Session.open(write_day(tmp_path / "day", **only(**_clean()))))


def test_faults_of_rows(tmp_path):
    """Crossed, locked, one-sided and off-tick quotes, duplicates, gaps, late clocks and bars are counted from their first row."""
    days = _clean()
    quotes = days["quotes"].astype({"bid": "int64"})
    quotes.loc[10, "bid"], quotes.loc[12, "bid"] = quotes.loc[10, "ask"] + 100, quotes.loc[12, "ask"]
    quotes.loc[14, ["bid", "bid_size"]] = 0
    quotes.loc[16, "bid"] += 1
    quotes["exch_ts_ns"] = quotes["ts_ns"]
    quotes.loc[20, "exch_ts_ns"] += 5
    quotes.loc[21, "exch_ts_ns"] -= 2 * SECOND_NS
    quotes = pd.concat([quotes[:31], quotes[30:100], quotes[110:]])
    bars = frames()["bars"].assign(ts_ns=OPEN_NS, start_ts_ns=OPEN_NS)
    bars["open"] = bars["high"] + 1
    found = _found(Session.open(write_day(tmp_path / "day", **{**days, "quotes": quotes, "bars": bars, "messages": None})))
    expected = {"crossed": 10, "locked": 12, "one_sided": 14, "off_tick": 16, "exchange_ahead": 20, "exchange_late": 21}
    expected |= {"duplicate": 31, "gap": 101}

    assert expected == {code: found["quotes", code].first_row for code in expected}
    assert {1} == {found["quotes", code].count for code in expected}
    assert ("error", len(bars)) == (found["bars", "early_bar"].severity, found["bars", "early_bar"].count)
    assert len(bars) == found["bars", "odd_bar"].count


def _equal_prints(folder, step_ns):
    trades = _clean()["trades"]
    trades["ts_ns"] = OPEN_NS + (1 + np.arange(len(trades)) // 2) * step_ns
    trades.loc[1::2, ["symbol", "price"]] = trades.loc[::2, ["symbol", "price"]].to_numpy()
    return _found(Session.open(write_day(folder, **only(trades=trades))))["trades", "equal_prints"]


def test_equal_prints_are_normal_on_a_coarse_clock(tmp_path):
    """Half the prints equal to the one before: normal in whole seconds or milliseconds, a warning where the clock is fine."""
    found = [_equal_prints(tmp_path / str(step_ns), step_ns) for step_ns in (SECOND_NS, SECOND_NS // 1000, 1_234_567)]

    assert [200, 200, 200] == [finding.count for finding in found]
    assert ["info", "info", "warning"] == [finding.severity for finding in found]


@pytest.mark.parametrize(("share", "severity"), [(0.25, "info"), (1.0, "warning")])
def test_late_prints_are_told_for_they_fill_nobody(tmp_path, share, severity):
    """Some are normal; where most are late, as in another time zone, no order would fill, and that is a warning."""
    trades = _clean()["trades"]
    late = round(share * len(trades))
    trades["exch_ts_ns"] = trades["ts_ns"] - np.where(np.arange(len(trades)) < late, 5 * 3600 * SECOND_NS, 0)
    found = _found(Session.open(write_day(tmp_path / "day", **only(trades=trades))))["trades", "late"]

    assert (severity, late) == (found.severity, found.count)


def test_prints_between_ticks_are_told_apart_by_where_they_happened(tmp_path):
    """Off the exchange a price between two ticks is normal; on it, it is off the grid. Neither is more than a remark."""
    trades = _clean()["trades"]
    trades.loc[[5, 6, 7], "price"] += 50
    trades["flags"] = 0
    trades.loc[5, "flags"], trades.loc[6, "exchange"] = int(Flag.OFF_EXCHANGE), ""
    found = _found(Session.open(write_day(tmp_path / "day", **only(trades=trades))))

    told = [found["trades", code] for code in ("between_ticks", "off_tick")]
    assert [(5, 2, "info"), (7, 1, "info")] == [(finding.first_row, finding.count, finding.severity) for finding in told]


def test_faults_across_row_groups(tmp_path):
    """Neighbours are compared across the border of row groups too."""
    quotes = Session.open(write_day(tmp_path / "day", **only(quotes=pd.concat([_clean()["quotes"][:16]] * 2)))).quotes()
    found = []
    for rows in (1, 3, 100):
        with SessionWriter(tmp_path / str(rows), day=DAY, symbols=symbol_infos(), source="test", row_group_rows=rows) as writer:
            writer.append("quotes", quotes)
        found.append(check_session(Session.open(tmp_path / str(rows))))

    assert 16 == _found(Session.open(tmp_path / "1"))["quotes", "duplicate"].count
    assert found[0] == found[1] == found[2]


def test_faults_of_files(tmp_path):
    """Altered and turned rows, edited manifests and broken numbering are errors."""
    folder = write_day(tmp_path / "day", **only(**_clean()))
    table = pq.read_table(folder / "quotes.parquet")
    pq.write_table(table.take([1, 0, *range(2, 399), 398]), folder / "quotes.parquet")
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"tick": 100', '"tick": 50'))
    found = _found(Session.open(folder))
    errors = {
        ("quotes", "unsorted"),
        ("quotes", "seq_order"),
        ("quotes", "digest"),
        ("session", "digest"),
        ("session", "numbering"),
    }

    assert errors == {key for key, finding in found.items() if finding.severity == "error"}
    assert 1 == found["quotes", "unsorted"].first_row


def test_what_is_missing(tmp_path):
    """Missing streams, silent symbols, late starts and early ends are warnings; sorting and coarse clocks are told."""
    trades = _clean()["trades"]
    quotes = _clean()["quotes"][100:200]
    found = _found(Session.open(write_day(tmp_path / "quotes", **only(quotes=quotes[quotes["symbol"] == "AAA"]))))

    assert {"no_trades", "silent_symbol"} == {code for stream, code in found if stream == "session"}
    assert {("quotes", "late_start"), ("quotes", "early_end")} <= set(found)
    turned = trades.assign(ts_ns=trades["ts_ns"] // SECOND_NS * SECOND_NS)[::-1]
    found = _found(Session.open(write_day(tmp_path / "trades", **only(trades=turned))))

    assert {("session", "no_quotes"), ("trades", "resorted"), ("trades", "coarse_clock")} == set(found)


def test_hours(tmp_path):
    """Rows outside regular hours are told, rows outside all trading hours are a warning."""
    quotes = _clean()["quotes"]
    quotes.loc[0, "ts_ns"], quotes.loc[1, "ts_ns"] = OPEN_NS - 8 * 3600 * SECOND_NS, OPEN_NS - 3600 * SECOND_NS
    found = _found(Session.open(write_day(tmp_path / "day", **only(quotes=quotes))))

    assert ("warning", 1) == (found["quotes", "outside_hours"].severity, found["quotes", "outside_hours"].count)
    assert ("info", 2) == (found["quotes", "extended"].severity, found["quotes", "extended"].count)


def test_gravest_first(tmp_path):
    """Findings come gravest first, and every code has its severity and meaning."""
    findings = check_session(Session.open(write_day(tmp_path / "day")))
    ranks = [SEVERITIES.index(finding.severity) for finding in findings]

    assert sorted(ranks) == ranks
    assert {"error", "warning", "info"} == {severity for severity, _ in CODES.values()}
