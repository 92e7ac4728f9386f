"""Futures: a contract is worth its multiplier, and trades in the hours of its own exchange."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from replay import Config, Result, Session, run
from replay.errors import DataError
from replay.session.digest import session_digest
from replay.synth import generate

SIZE = 50
MONEY = ("gross_usd", "net_usd", "turnover_usd", "max_drawdown_usd", "max_exposure_usd")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a synthetic session with strong forecasts beside it."""
    (folder,) = generate(tmp_path_factory.mktemp("futures") / "day", symbols=2, minutes=40, seed=3, ic=0.9, volatility=2.0)
    return folder


def session_of(made: Path, multiplier: int) -> Session:
    """Return the session with another multiplier for all its symbols."""
    session = Session.open(made)
    frames = {name: getattr(session, name)(prices="float") for name in ("quotes", "trades", "bars")}
    symbols = {info.name: replace(info, multiplier=multiplier) for info in session.manifest.symbols}
    return Session.from_frames(**frames, status=session.status(), symbols=symbols, day=session.day)


def result_of(made: Path, multiplier: int, wealth: int) -> Result:
    """Replay with an equity and a cap that are `wealth` times the default."""
    sets = ["fees.plan=none", f"run.equity_usd={100_000 * wealth}", f"risk.name_cap_usd={50_000 * wealth}", "sizing.name_cap=0.5"]
    return run([session_of(made, multiplier)], Config().with_sets(sets), made / "forecasts.parquet")


@pytest.fixture(scope="module")
def shares(made: Path) -> Result:
    """Return the run over shares."""
    return result_of(made, 1, 1)


def test_contracts_are_worth_their_multiplier(made, shares) -> None:
    """Fifty times the multiplier and fifty times the wealth: the same orders and fills, and fifty times the money."""
    contracts = result_of(made, SIZE, SIZE)

    assert 0 < len(shares.fills)
    pd.testing.assert_frame_equal(shares.orders, contracts.orders)
    pd.testing.assert_frame_equal(shares.fills, contracts.fills)
    assert [pytest.approx(SIZE * shares.summary[key]) for key in MONEY] == [contracts.summary[key] for key in MONEY]
    for table, columns in (("round_trips", ["gross_usd", "net_usd"]), ("equity", ["gross_usd", "exposure_usd"])):
        expected, actual = (getattr(result, table)[columns].to_numpy() for result in (shares, contracts))
        np.testing.assert_allclose(SIZE * expected, actual, rtol=1e-12)
    np.testing.assert_allclose(shares.round_trips["net_bps"], contracts.round_trips["net_bps"])
    np.testing.assert_allclose(SIZE * shares.positions["unrealized_usd"], contracts.positions["unrealized_usd"], rtol=1e-12)
    np.testing.assert_allclose(SIZE * shares.cycles["gross_usd"], contracts.cycles["gross_usd"], rtol=1e-12)


def test_the_same_wealth_buys_fewer_contracts(made, shares) -> None:
    """With the same equity a target is a fiftieth in contracts, or none where one contract is too much."""
    contracts = result_of(made, SIZE, 1)
    wanted, got = (result.decisions["target_qty"].abs().max() for result in (shares, contracts))

    assert wanted // SIZE == got


def test_one_symbol_has_one_multiplier(made) -> None:
    """Sessions of one run that disagree about a contract's size are refused."""
    first, second = session_of(made, 1), session_of(made, SIZE)
    second._manifest = replace(second.manifest, day=first.day.replace(day=first.day.day + 1))

    with pytest.raises(DataError, match=r"multipliers 1 and 50 .*--multiplier"):
        run([first, second])


def test_old_manifests_keep_their_digest(made) -> None:
    """A multiplier of 1 and New York's zone do not count in the digest, as before they existed; others do."""
    manifest = Session.open(made).manifest
    streams = {name: info.digest for name, info in manifest.streams.items()}
    content = json.loads((made / "manifest.json").read_text())
    for symbol in content["symbols"]:
        del symbol["multiplier"]
    del content["hours"]["zone"]
    (made / "manifest.json").rename(made / "manifest.new")
    (made / "manifest.json").write_text(json.dumps(content))
    old = Session.open(made)
    old.check_events()
    (made / "manifest.new").rename(made / "manifest.json")

    changed = [replace(info, multiplier=SIZE) for info in manifest.symbols]
    elsewhere = replace(manifest.hours, zone="Asia/Hong_Kong")
    assert manifest.symbols == old.manifest.symbols
    assert manifest.digest == session_digest(manifest.hours, manifest.scale, manifest.symbols, streams)
    assert manifest.digest != session_digest(manifest.hours, manifest.scale, changed, streams)
    assert manifest.digest != session_digest(elsewhere, manifest.scale, manifest.symbols, streams)


DAYS = {
    "CMES": ("2025-06-01 17:00", "2025-06-02 17:00", "America/Chicago"),
    "XHKG": ("2025-06-02 09:30", "2025-06-02 16:00", "Asia/Hong_Kong"),
    "24/7": ("2025-06-01 20:00", "2025-06-02 20:00", "America/New_York"),
    "NYSE": ("2025-06-02 09:30", "2025-06-02 16:00", "America/New_York"),
}


def given(path: Path, days: tuple[str, ...] = ("2025-06-02",)) -> None:
    """Write a csv with a quote a minute of each day, in the time of the exchange and without saying so."""
    stamps = np.concatenate([pd.date_range(f"{day} 05:00", f"{day} 15:59", freq="min").to_numpy() for day in days])
    bid = 100.0 + 0.25 * (np.arange(len(stamps)) % 7)
    pd.DataFrame({"ts": stamps, "symbol": "ESM5", "bid": bid, "bid_size": 9, "ask": bid + 0.25, "ask_size": 9}).to_csv(
        path, index=False
    )


@pytest.mark.parametrize("calendar", DAYS)
def test_a_session_has_the_hours_of_its_calendar(replay, tmp_path, calendar) -> None:
    """--calendar gives hours, zone and the meaning of stamps without an offset; fixed times of day are those of the exchange."""
    opens, closes, zone = DAYS[calendar]
    given(tmp_path / "given.csv")

    line = ("import", "csv", "given.csv", "--out", "made", "--calendar", calendar, "--multiplier", "50", "--no-progress")
    told = replay(*line)
    session = Session.open("made/2025-06-02")
    ran = run([session])
    local = pd.to_datetime(ran.cycles["ts_ns"], utc=True).dt.tz_convert(zone)

    assert 0 == told.exit_code, told.err
    assert [pd.Timestamp(at, tz=zone).value for at in (opens, closes)] == [session.hours.open_ns, session.hours.close_ns]
    assert (zone, 50) == (session.hours.zone, session.symbol_info("ESM5").multiplier)
    assert "2025-06-02 05:00" == str(pd.Timestamp(session.span_ns[0], tz=zone))[:16]
    assert "10:30" in set(local.dt.strftime("%H:%M"))
    assert (local >= pd.Timestamp(opens, tz=zone)).all()
    assert (local <= pd.Timestamp(closes, tz=zone)).all()


def test_half_days_are_those_of_the_calendar(replay, tmp_path) -> None:
    """Chicago's half day closes early; a day on which the calendar does not trade is open around the clock, and says so."""
    given(tmp_path / "given.csv", ("2025-05-26", "2025-05-31"))

    told = replay("import", "csv", "given.csv", "--out", "made", "--calendar", "CMES", "--no-progress")
    half, closed = (Session.open(f"made/{day}") for day in ("2025-05-26", "2025-05-31"))

    assert 0 == told.exit_code, told.err
    assert (True, "CMES") == (half.hours.is_half_day, half.hours.calendar)
    assert pd.Timestamp("2025-05-26 12:00", tz="America/Chicago").value == half.hours.close_ns
    assert "24/7" == closed.hours.calendar
    assert "note: CMES does not trade on 2025-05-31: the hours of that day are 24/7" in told.err
    assert told.err.splitlines() == [f"note: {note}" for note in closed.manifest.notes["assumed"]]


def test_an_unknown_calendar_is_refused(replay, tmp_path) -> None:
    """A calendar that does not exist is wrong usage, with a proposal, and nothing is read."""
    given(tmp_path / "given.csv")

    told = replay("import", "csv", "given.csv", "--out", "made", "--calendar", "CMEX", "--no-progress")

    assert (2, "", 1) == (told.exit_code, told.out, len(told.err.splitlines()))
    assert "there is no calendar 'CMEX'; did you mean " in told.err
    assert not (tmp_path / "made").exists()
