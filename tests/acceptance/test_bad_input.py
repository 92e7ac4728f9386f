"""Bad input, as a user hands it to the command line: one clear sentence on stderr, the right exit code, nothing half-written."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from replay.session import SymbolInfo, write_session
from replay.synth import generate

OPEN_NS = int(pd.Timestamp("2026-03-02 09:30", tz="America/New_York").value)
SECOND_NS = 1_000_000_000
USAGE, DATA = 2, 3


def refused(told, exit_code: int, *words: str) -> None:
    """Assert that a command said one sentence with these words, and nothing else, before it left."""
    assert (exit_code, "") == (told.exit_code, told.out), told.err
    assert 1 == len(told.err.splitlines()), told.err
    assert told.err.startswith("error: ")
    assert "Traceback" not in told.err
    assert [] == [word for word in words if word not in told.err], told.err


def left(folder: Path) -> list[str]:
    """Name everything in a folder, whatever its depth, but the inputs."""
    paths = (path.relative_to(folder) for path in folder.rglob("*"))
    return sorted(str(path) for path in paths if not path.parts[0].startswith("given"))


def quotes(n: int = 50) -> pd.DataFrame:
    """Return quotes of one symbol, one per second from the open on."""
    stamps = OPEN_NS + SECOND_NS * np.arange(n)
    return pd.DataFrame({"ts_ns": stamps, "symbol": "X", "bid": 10.0, "bid_size": 100, "ask": 10.01, "ask_size": 200})


def trades(n: int = 50) -> pd.DataFrame:
    """Return prints of one symbol, one per second from the open on."""
    stamps = OPEN_NS + SECOND_NS * np.arange(n)
    return pd.DataFrame({"ts_ns": stamps, "symbol": "X", "price": 10.0, "size": 100})


def changed(frame: pd.DataFrame, column: str, value: object, row: int = 7) -> pd.DataFrame:
    """Put one bad value into a frame."""
    frame[column] = frame[column].astype(object)
    frame.loc[row, column] = value
    return frame


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small synthetic session, which nobody may change."""
    (folder,) = generate(tmp_path_factory.mktemp("acceptance") / "day", symbols=2, minutes=3, seed=5)
    return folder


@pytest.fixture
def copy(session: Path, tmp_path: Path) -> Path:
    """Return a copy of the session that a test may damage."""
    folder = tmp_path / "given-day"
    folder.mkdir()
    for file in session.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


BAD_ROWS = [
    (changed(quotes(), "bid", np.nan), ["bid", "row 8"]),
    (changed(quotes(), "bid", -10.0), ["bid", "row 8"]),
    (changed(quotes(), "ask", "ten"), ["ask", "row 8"]),
    (changed(quotes(), "ask_size", -5), ["ask_size", "row 8"]),
    (changed(quotes(), "bid", 10.00001), ["bid", "row 8"]),
    (changed(quotes(), "bid", np.inf), ["bid", "row 8"]),
    (changed(quotes(), "ts_ns", OPEN_NS), ["given.csv", "row"]),
    (changed(quotes(), "ts_ns", np.nan), ["ts", "row 8"]),
    (changed(trades(), "price", 0.0), ["price", "row 8"]),
    (changed(trades(), "price", -1.0), ["price", "row 8"]),
    (changed(trades(), "price", np.nan), ["price", "row 8"]),
    (changed(trades(), "size", 0), ["size", "row 8"]),
    (changed(trades(), "size", -100), ["size", "row 8"]),
    (quotes().drop(columns="ask"), ["ask"]),
    (quotes(0), ["given.csv"]),
]


@pytest.mark.parametrize(("frame", "words"), BAD_ROWS)
def test_a_bad_row_is_named(replay, tmp_path, frame, words) -> None:
    """A value that cannot be right is named by file, column and row."""
    frame.to_csv(tmp_path / "given.csv", index=False)

    refused(replay("import", "csv", "given.csv", "--out", "made", "--no-progress"), DATA, "given.csv", *words)
    assert [] == left(tmp_path)


def test_unsorted_rows_are_refused_unless_the_map_sorts_them(replay, tmp_path) -> None:
    """Rows out of time order are named; `sort = true` in the map puts them in order."""
    quotes().iloc[::-1].to_csv(tmp_path / "given.csv", index=False)
    (tmp_path / "given.toml").write_text("sort = true\n")

    refused(replay("import", "csv", "given.csv", "--out", "made", "--no-progress"), DATA, "given.csv", "row 2", "sort")
    assert [] == left(tmp_path)
    assert 0 == replay("import", "csv", "given.csv", "--map", "given.toml", "--out", "made", "--no-progress").exit_code


def test_duplicated_and_crossed_rows_are_kept_and_told(replay, tmp_path) -> None:
    """Duplicates and crossed quotes may be real: they come in, and `replay check` counts them."""
    frame = pd.concat([quotes(), quotes()]).sort_values("ts_ns")
    frame["bid"] = frame["bid"].where(frame["ts_ns"] != OPEN_NS, 10.05)
    frame.to_csv(tmp_path / "given.csv", index=False)

    made = replay("import", "csv", "given.csv", "--out", "made", "--no-progress")
    told = replay("check", "made/2026-03-02")

    assert (0, 0) == (made.exit_code, told.exit_code), made.err + told.err
    assert "crossed" in told.out
    assert "duplicate" in told.out


def test_a_wrong_time_zone_is_suspected(replay, tmp_path) -> None:
    """Times that all lie in the night of the zone are refused, with both ways out; an unknown zone is wrong usage."""
    quotes().assign(ts_ns=quotes()["ts_ns"] + 12 * 3600 * SECOND_NS).to_csv(tmp_path / "given.csv", index=False)
    line = ("import", "csv", "given.csv", "--out", "made", "--no-progress")

    refused(replay(*line), DATA, "night of America/New_York", "--tz", "--all-hours")
    refused(replay(*line, "--tz", "Mars/Base"), USAGE, "Mars/Base")
    assert [] == left(tmp_path)


@pytest.mark.parametrize(
    ("name", "fmt"), [("given.parquet", "csv"), ("given_20260302_trade.zip", "lean"), ("given.csv.xz", "databento")]
)
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_truncated_file_is_named(replay, tmp_path, name, fmt, share) -> None:
    """A Parquet file, a zip or a compressed csv that was cut off is named."""
    whole = tmp_path / name
    trades(5000).to_parquet(tmp_path / "given-whole")
    if name.endswith("zip"):
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.csv", "".join(f"{34_200_000 + k},100000,100,P,,0\n" for k in range(5000)))
    elif name.endswith("xz"):
        trades(5000).to_csv(whole)
    else:
        trades(5000).to_parquet(whole)
    content = whole.read_bytes()
    whole.write_bytes(content[: int(len(content) * share)])

    refused(replay("import", fmt, name, "--out", "made", "--no-progress"), DATA, name)
    assert [] == left(tmp_path)


def test_an_import_does_not_write_over_strangers(replay, tmp_path, copy) -> None:
    """A folder that holds something else, or the session of another source, is not touched."""
    quotes().to_csv(tmp_path / "given.csv", index=False)
    copy.rename(tmp_path / "2026-03-02")
    before = left(tmp_path)

    refused(replay("import", "csv", "given.csv", "--out", ".", "--no-progress"), USAGE, "2026-03-02")
    assert before == left(tmp_path)


@pytest.mark.parametrize("fmt", ["ibkr-quotes", "ibkr-api", "ibkr-ticks", "ibkr-bars", "lean", "lobster", "databento", "csv"])
@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe garbage \x80", b"a,b\n1,2\n"])
def test_every_format_refuses_strange_files(replay, tmp_path, fmt, content) -> None:
    """A file that is empty, binary or of another layout is refused in one sentence by every reader."""
    (tmp_path / "given.csv").write_bytes(content)

    told = replay("import", fmt, "given.csv", "--symbol", "X", "--date", "2026-03-02", "--out", "made", "--no-progress")

    refused(told, told.exit_code if told.exit_code in (USAGE, DATA) else DATA, "given.csv")
    assert [] == left(tmp_path)


WRONG_LINES = [
    (["nonsense"], USAGE),
    (["run"], USAGE),
    (["run", "given-day", "--frm", "09:30"], USAGE),
    (["run", "given-day", "--from", "25:00"], USAGE),
    (["run", "given-day", "--from", "11:00", "--to", "10:00"], USAGE),
    (["run", "given-day", "--to", "2020-01-01T10:00"], USAGE),
    (["run", "given-day", "--symbols", "ZZZ"], USAGE),
    (["run", "given-day", "--equity", "-5"], USAGE),
    (["run", "given-day", "--equity", "much"], USAGE),
    (["run", "given-day", "--seed", "-1"], USAGE),
    (["run", "given-day", "--set", "gate.treshold_bps=1"], USAGE),
    (["run", "given-day", "--set", "gate.threshold_bps=-1"], USAGE),
    (["run", "given-day", "--set", "gate.threshold_bps=nan"], USAGE),
    (["run", "given-day", "--set", "nonsense"], USAGE),
    (["run", "given-day", "--config", "nowhere.toml"], USAGE),
    (["run", "given-day", "--forecasts", "nowhere.parquet"], USAGE),
    (["run", "given-day", "--strategy", "json"], USAGE),
    (["run", "given-day", "--strategy", "no_such_module:Thing"], USAGE),
    (["run", "given-day", "--strategy", "json:Thing"], USAGE),
    (["run", "given-day", "--state-in", "nowhere"], USAGE),
    (["run", "given-day", "--out", "given-day"], USAGE),
    (["run", "given-day", "given-day"], DATA),
    (["run", "given-day", "--out", "given-day/manifest.json"], USAGE),
    (["run", "nowhere"], USAGE),
    (["run", "."], DATA),
    (["verify", "nowhere"], USAGE),
    (["verify", "given-day"], DATA),
    (["explain", "nowhere", "--symbol", "X", "--at", "10:00"], USAGE),
    (["explain", "given-day", "--symbol", "X", "--at", "10:00"], DATA),
    (["info", "nowhere"], USAGE),
    (["check", "nowhere"], USAGE),
    (["check", "given-day", "nowhere"], USAGE),
    (["info", "given-day", "."], DATA),
    (["import", "strange", "given-day", "--out", "made"], USAGE),
    (["import", "lean", "nowhere", "--out", "made"], USAGE),
    (["import", "csv", "given-day/quotes.parquet", "--map", "nowhere.toml", "--out", "made"], USAGE),
    (["import", "csv", "given-day/quotes.parquet", "--date", "2026-13-01", "--out", "made"], USAGE),
    (["import", "csv", "given-day/quotes.parquet", "--scale", "0", "--out", "made"], USAGE),
    (["import", "csv", "given-day/quotes.parquet", "--tick", "-0.01", "--out", "made"], USAGE),
    (["synth", "--out", "made", "--symbols", "0"], USAGE),
    (["synth", "--out", "made", "--ic", "2"], USAGE),
    (["synth", "--out", "made", "--regimes", "wild"], USAGE),
    (["synth", "--out", "made", "--start-day", "2026-01-01"], USAGE),
    (["init", "given-day"], USAGE),
    (["config", "--set", "x=1"], USAGE),
]


@pytest.mark.parametrize(("line", "exit_code"), WRONG_LINES)
def test_a_wrong_line_is_explained(replay, tmp_path, copy, line, exit_code) -> None:
    """Wrong options, missing files and impossible values are refused before any work is done."""
    before = left(tmp_path)

    refused(replay(*line), exit_code)
    assert before == left(tmp_path)


BAD_CONFIGS = [
    ("[gate]\ntreshold_bps = 1\n", ["given.toml", "treshold_bps", "did you mean 'threshold_bps'"]),
    ("[gat]\nthreshold_bps = 1\n", ["gat"]),
    ("[gate]\nthreshold_bps = -1\n", ["threshold_bps", "-1"]),
    ("[gate]\nthreshold_bps = 'much'\n", ["threshold_bps", "much"]),
    ("[run]\nhours = 'never'\n", ["hours", "never"]),
    ("[run]\nhorizons_min = [5, 5]\n", ["horizons_min"]),
    ("[run\n", ["TOML"]),
]


@pytest.mark.parametrize(("text", "words"), BAD_CONFIGS)
def test_a_bad_configuration_names_the_key(replay, tmp_path, copy, text, words) -> None:
    """A misspelt key, an impossible value and a broken file are named with the file."""
    (tmp_path / "given.toml").write_text(text)

    refused(replay("run", "given-day", "--config", "given.toml", "--out", "made"), USAGE, *words)
    assert [] == left(tmp_path)


def forecasts(**changes: object) -> pd.DataFrame:
    """Return three sound forecasts of the first symbol, with columns changed."""
    close_ns = OPEN_NS + 60 * SECOND_NS * np.arange(1, 4)
    frame = pd.DataFrame({"ready_ts_ns": close_ns + SECOND_NS, "bar_close_ts_ns": close_ns, "symbol": "ALFA", "horizon_min": 5})
    return frame.assign(forecast_id=[1, 2, 3], mu_bps=1.0, sigma_bps=5.0).assign(**changes)


BAD_FORECASTS = [
    (forecasts(ready_ts_ns=OPEN_NS), ["row 0", "looks ahead", "bar_close_ts_ns"]),
    (forecasts().iloc[::-1], ["row 1", "sort"]),
    (forecasts(symbol="ZZZ"), ["ZZZ"]),
    (forecasts(horizon_min=0), ["row 0", "horizon_min 0", "above 0"]),
    (forecasts(horizon_min=[5, 7, 5]), ["row 1", "horizon_min 7", "run.horizons_min"]),
    (forecasts(symbol=["ALFA", "ZZZ", "ALFA"]), ["row 1", "symbol ZZZ", "ALFA"]),
    (forecasts(symbol=["ALFA", None, "ALFA"]), ["row 1", "symbol", "ALFA"]),
    (forecasts(mu_bps=[1.0, np.nan, 1.0]), ["row 1", "mu_bps nan"]),
    (forecasts(mu_bps=[1.0, 1.0, -np.inf]), ["row 2", "mu_bps -inf"]),
    (forecasts(sigma_bps=[5.0, np.inf, 1.0]), ["row 1", "sigma_bps inf"]),
    (forecasts(sigma_bps=[5.0, 1.0, np.nan]), ["row 2", "sigma_bps nan"]),
    (forecasts(sigma_bps=[0.0, 1.0, 1.0]), ["row 0", "sigma_bps 0.0", "above 0"]),
    (forecasts(trained_ts_ns=[1, OPEN_NS + 10**15, 1]), ["row 1", "trained_ts_ns", "trained on what came later"]),
    (forecasts(trained_ts_ns=["a", "b", "c"]), ["trained_ts_ns must hold numbers"]),
    (forecasts(q_lo_bps=[-9.0, 3.0, -9.0], q_hi_bps=2.0), ["row 1", "q_lo_bps 3.0", "q_hi_bps"]),
    (forecasts(q_lo_bps=[-9.0, -np.inf, -9.0], q_hi_bps=2.0), ["row 1", "q_lo_bps -inf"]),
    (forecasts(p_peak=[0.5, 1.5, 0.5]), ["row 1", "p_peak 1.5", "0 to 1"]),
    (pd.concat([forecasts(), forecasts().tail(1)]), ["row 3", "row 2", "second forecast for ALFA", "horizon_min 5", "model_id"]),
    (forecasts(mu_bps="up"), ["mu_bps"]),
    (forecasts(ready_ts_ns=np.nan), ["ready_ts_ns"]),
    (forecasts().drop(columns="sigma_bps"), ["sigma_bps"]),
    (forecasts(ready_ts_ns=OPEN_NS + 10**16 + np.arange(3)), ["2026-03-02"]),
]


@pytest.mark.parametrize(("frame", "words"), BAD_FORECASTS)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_bad_forecast_is_named(replay, tmp_path, copy, frame, words, suffix) -> None:
    """Look-ahead, disorder, strangers, broken numbers and other days in a forecasts file are refused."""
    path = tmp_path / f"given.{suffix}"
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path, index=False)

    refused(replay("run", "given-day", "--forecasts", path.name, "--out", "made", "--no-progress"), DATA, path.name, *words)
    assert [] == left(tmp_path)


def test_an_empty_session_is_refused(replay, tmp_path) -> None:
    """A session that holds messages alone has no event to replay, and a run says so."""
    messages = {"ts_ns": [OPEN_NS], "symbol": ["X"], "action": ["add"], "order_id": [1], "side": [1], "price": [1], "size": [5]}
    day = pd.Timestamp("2026-03-02").date()
    write_session(
        tmp_path / "given-empty", day=day, symbols=[SymbolInfo(name="X")], source="test", messages=pd.DataFrame(messages)
    )

    refused(replay("run", "given-empty", "--out", "made", "--no-progress"), DATA, "2026-03-02", "empty", "quotes")
    assert [] == left(tmp_path)


def test_two_models_may_speak_at_once_and_quantiles_may_be_absent(replay, tmp_path, copy) -> None:
    """Rows that differ in `model_id` are no duplicates, and optional columns may hold NaN."""
    both = pd.concat([forecasts(model_id="a", q_lo_bps=np.nan), forecasts(model_id="b", q_lo_bps=-9.0)])
    both.sort_values("ready_ts_ns", kind="stable").to_parquet(tmp_path / "given.parquet", index=False)

    told = replay("run", "given-day", "--forecasts", "given.parquet", "--out", "made", "--no-progress")

    assert 0 == told.exit_code, told.err


@pytest.mark.parametrize("command", ["run", "info", "check"])
def test_a_manifest_of_another_version_is_refused(replay, tmp_path, copy, command) -> None:
    """A session of another schema version says which one is known."""
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["schema_version"] = 99
    (copy / "manifest.json").write_text(json.dumps(manifest))

    refused(replay(command, "given-day"), DATA, "99")


@pytest.mark.parametrize("name", ["manifest.json", "quotes.parquet", "trades.parquet"])
@pytest.mark.parametrize("share", [0.0, 0.4, None])
def test_a_damaged_session_is_refused(replay, tmp_path, copy, name, share) -> None:
    """A file of a session that was cut off, emptied or deleted is named by a run, and no run folder is left."""
    content = (copy / name).read_bytes()
    (copy / name).unlink()
    if share is not None:
        (copy / name).write_bytes(content[: int(len(content) * share)])
    before = left(tmp_path)

    refused(replay("run", "given-day", "--out", "made", "--no-progress"), DATA, name)
    assert before == left(tmp_path)


def rewritten(path: Path, column: str, change: int, compression: str = "zstd") -> None:
    """Write a table of a session again with one value changed, as somebody would who knows Parquet."""
    table = parquet.ParquetFile(path).read()
    values = table[column].to_numpy().copy()
    values[-1] += change
    at = table.schema.get_field_index(column)
    parquet.write_table(table.set_column(at, table.schema.field(at), [values]), path, compression=compression)


@pytest.mark.parametrize(("stream", "column"), [("quotes", "bid_size"), ("trades", "size"), ("bars", "volume")])
@pytest.mark.parametrize("part", [(), ("--to", "09:31"), ("--symbols", "ALFA")])
def test_an_altered_row_stops_a_run(replay, tmp_path, copy, stream, column, part) -> None:
    """A row that is not the recorded one is refused by `run`, even where the run would not have come to it."""
    rewritten(copy / f"{stream}.parquet", column, 100)
    before = left(tmp_path)

    refused(replay("run", "given-day", *part, "--out", "made", "--no-progress"), DATA, f"{stream}.parquet", "altered")
    assert before == left(tmp_path)


def test_an_edited_manifest_stops_a_run(replay, tmp_path, copy) -> None:
    """A symbol table that is not the recorded one is refused by `run`."""
    text = (copy / "manifest.json").read_text()
    (copy / "manifest.json").write_text(text.replace('"tick": 100', '"tick": 200', 1))

    refused(replay("run", "given-day", "--out", "made", "--no-progress"), DATA, "2026-03-02", "edited")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("is_old", [False, True])
def test_the_same_rows_in_other_bytes_are_the_same_session(replay, copy, is_old) -> None:
    """A table written again with another compression replays, and so does a session of a program that digested no files."""
    rewritten(copy / "quotes.parquet", "bid_size", 0, compression="snappy")
    if is_old:
        manifest = json.loads((copy / "manifest.json").read_text())
        for stream in manifest["streams"].values():
            del stream["file_sha256"]
        (copy / "manifest.json").write_text(json.dumps(manifest))

    told = replay("run", "given-day", "--to", "09:30:30", "--out", "made", "--no-progress")

    assert 0 == told.exit_code, told.err


def two_days() -> pd.DataFrame:
    """Return quotes of two trading days."""
    return pd.concat([quotes(), quotes().assign(ts_ns=quotes()["ts_ns"] + 86_400 * SECOND_NS)])


@pytest.mark.parametrize("made", ["made", "made/deep"])
def test_an_import_of_several_dates_is_all_or_nothing(replay, tmp_path, made) -> None:
    """Where the second of two dates cannot be written, the first is not left behind, nor is the folder made for it."""
    two_days().to_csv(tmp_path / "given.csv", index=False)
    line = ("import", "csv", "given.csv", "--out", made, "--no-progress")
    told = replay(*line)
    sessions = sorted(path.name for path in (tmp_path / made).iterdir())
    first, second = (tmp_path / made / day for day in ("2026-03-02", "2026-03-03"))
    stamp = (first / "manifest.json").stat().st_mtime_ns
    (second / "manifest.json").write_text("mine now")
    again = replay(*line)

    assert (0, ["2026-03-02", "2026-03-03"]) == (told.exit_code, sessions), told.err
    assert [] == [day for day in sessions if f"{made}/{day}" not in told.out]
    refused(again, USAGE, "2026-03-03")
    assert (stamp, "mine now") == ((first / "manifest.json").stat().st_mtime_ns, (second / "manifest.json").read_text())
    assert sessions == sorted(path.name for path in (tmp_path / made).iterdir())


def test_a_damaged_second_date_leaves_no_first(replay, tmp_path) -> None:
    """A zip of the second date that was cut off undoes the first one, which was whole."""
    for day, share in (("20260302", 1.0), ("20260303", 0.5)):
        path = tmp_path / f"given_{day}_trade.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.csv", "".join(f"{34_200_000 + k},100000,100,P,,0\n" for k in range(500)))
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    zips = ["given_20260302_trade.zip", "given_20260303_trade.zip"]

    refused(replay("import", "lean", *zips, "--out", "made", "--no-progress"), DATA, zips[1])
    assert [] == left(tmp_path)


def test_what_an_import_took_for_granted_is_said_once(replay, tmp_path) -> None:
    """Sizes and names that the options did not give are notes on stderr and in the manifest; stdout holds the sessions alone."""
    rows = [f"2026-03-0{day} 09:30:0{second},10,{second + 1},10.01,2\n" for day in (2, 3) for second in range(3)]
    (tmp_path / "given.csv").write_text("time,bid1,bid_size1,ask1,ask_size1\n" + "".join(rows))

    told = replay("import", "ibkr-quotes", "given.csv", "--out", "made", "--no-progress", "--json")
    notes = [line for line in told.err.splitlines() if line.startswith("note: ")]
    manifest = json.loads((tmp_path / "made" / "2026-03-03" / "manifest.json").read_text())

    assert (0, 2, 2) == (told.exit_code, len(notes), len(json.loads(told.out)["sessions"]))
    assert ["--symbol" in notes[0], "--size-unit" in notes[1]] == [True, True]
    assert [note.removeprefix("note: ") for note in notes] == manifest["notes"]["assumed"]
