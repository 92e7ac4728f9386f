"""Paths at the command line: what is not there, what is something else, what would be replaced, what cannot be written."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from replay.synth import generate

DONE, USAGE, DATA = 0, 2, 3
QUIET = "--no-progress"
COMMANDS = {
    "run": ["run", "{}", QUIET],
    "run --config": ["run", "day", "--config", "{}", QUIET],
    "run --forecasts": ["run", "day", "--forecasts", "{}", QUIET],
    "run --state-in": ["run", "day", "--state-in", "{}", QUIET],
    "run --strategy": ["run", "day", "--strategy", "{}.py:Class", QUIET],
    "verify": ["verify", "{}", QUIET],
    "explain": ["explain", "{}", "--symbol", "ALFA", "--at", "10:00"],
    "info": ["info", "{}"],
    "check": ["check", "{}"],
    "import": ["import", "csv", "{}", "--out", "made", QUIET],
    "import --map": ["import", "csv", "day/quotes.parquet", "--map", "{}", "--out", "made", QUIET],
    "import ibkr-quotes --map": ["import", "ibkr-quotes", "given.csv", "--map", "{}", "--out", "made", QUIET],
    "config": ["config", "--config", "{}"],
}
READS_DATA = ("run", "run --forecasts", "run --state-in", "verify", "explain", "info", "check", "import")


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small synthetic session, which nobody may change."""
    (folder,) = generate(tmp_path_factory.mktemp("places") / "day", symbols=1, minutes=2, seed=5)
    return folder


@pytest.fixture
def day(made_once: Path, tmp_path: Path) -> Path:
    """Return the session as `day` in the current folder."""
    (tmp_path / "day").symlink_to(made_once)
    (tmp_path / "given.csv").write_text("time,bid1,bid_size1,ask1,ask_size1\n2026-03-02 10:00,1.00,1,1.01,1\n")
    return tmp_path / "day"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_path_that_is_not_there_is_wrong_usage(replay, day, command) -> None:
    """Whatever the command, a path that does not exist is named and leaves with exit code 2."""
    told = replay(*[word.format("nowhere") for word in COMMANDS[command]])

    assert (USAGE, "", 1) == (told.exit_code, told.out, len(told.err.splitlines())), told.err
    assert told.err.startswith("error: ")
    assert "nowhere" in told.err
    assert ["day", "given.csv"] == sorted(path.name for path in day.parent.iterdir())


@pytest.mark.parametrize("command", READS_DATA)
def test_a_path_that_is_something_else_is_bad_data(replay, day, command) -> None:
    """A file that is there but is no session, run, forecasts, state or recording is named and leaves with exit code 3."""
    (day.parent / "notes.txt").write_text("nothing of the kind\n")

    told = replay(*[word.format("notes.txt") for word in COMMANDS[command]])

    assert (DATA, "", 1) == (told.exit_code, told.out, len(told.err.splitlines())), told.err
    assert "notes.txt" in told.err
    assert ["day", "given.csv", "notes.txt"] == sorted(path.name for path in day.parent.iterdir())


def test_an_older_run_is_replaced_only_on_request(replay, day, tmp_path) -> None:
    """`run --out` refuses an older run, before the work, unless `--overwrite` is given."""
    line = ("run", "day", "--out", "made", QUIET)
    first = replay(*line)
    (tmp_path / "made" / "mark").touch()
    again = replay(*line)

    assert (DONE, USAGE, 1) == (first.exit_code, again.exit_code, len(again.err.splitlines())), first.err
    assert "--overwrite" in again.err
    assert (tmp_path / "made" / "mark").exists()
    assert DONE == replay(*line, "--overwrite").exit_code
    assert not (tmp_path / "made" / "mark").exists()


@pytest.mark.parametrize("has_flag", [False, True])
def test_strangers_are_never_replaced(replay, day, tmp_path, has_flag) -> None:
    """A folder that holds no run stays as it is, with or without `--overwrite`; an empty one is filled."""
    (tmp_path / "diary" / "journal").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    flags = ["--overwrite"] if has_flag else []

    told = replay("run", "day", "--out", "diary", *flags, QUIET)
    filled = replay("run", "day", "--out", "empty", *flags, QUIET)

    assert (USAGE, 1) == (told.exit_code, len(told.err.splitlines()))
    assert ["journal"] == [path.name for path in (tmp_path / "diary").iterdir()]
    assert DONE == filled.exit_code, filled.err
    assert (tmp_path / "empty" / "report.html").is_file()


@pytest.mark.parametrize("option", ["--out", "--state-out"])
@pytest.mark.parametrize("place", ["notes.txt/deep/run", "/proc/nowhere/run"])
def test_a_place_that_cannot_be_written_is_noticed_before_the_run(replay, day, tmp_path, monkeypatch, option, place) -> None:
    """A target under a file, or where the system lets nobody write, is refused before the first event."""
    if place.startswith("/proc") and not Path("/proc").is_dir():
        pytest.skip("this system has no folder in which nobody can write")
    (tmp_path / "notes.txt").touch()
    monkeypatch.setattr("replay.runner.run", lambda *_, **__: pytest.fail("the run began"))

    told = replay("run", "day", option, place, QUIET)

    assert (USAGE, "", 1) == (told.exit_code, told.out, len(told.err.splitlines())), told.err
    assert f"choose another {option}" in told.err


@pytest.mark.parametrize("line", [["config"], ["run", "day", "--out", "made"], ["info", "day"], ["check", "day", "--json"]])
def test_a_reader_that_leaves_ends_a_command_quietly(day, tmp_path, line) -> None:
    """Where `head` has gone, nothing is said and nothing fails; the run is whole."""
    command = subprocess.Popen(
        [sys.executable, "-m", "replay", *line], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, text=True
    )
    assert command.stdout
    command.stdout.close()
    _, told = command.communicate(timeout=120)

    assert (DONE, "") == (command.returncode, told)
    assert (line[0] == "run") == (tmp_path / "made" / "report.html").is_file()


def test_several_sessions_are_looked_at_in_one_go(replay, day, tmp_path) -> None:
    """`info` and `check` take several sessions; one that is bad makes the exit code 1, and each is told by its name."""
    (tmp_path / "bad").mkdir()
    for file in day.iterdir():
        (tmp_path / "bad" / file.name).write_bytes(file.read_bytes())
    manifest = (day / "manifest.json").read_text()
    (tmp_path / "bad" / "manifest.json").write_text(manifest.replace('"tick": 100', '"tick": 200'))

    info = json.loads(replay("info", "day", "bad", "--json").out)
    check, text = replay("check", "day", "bad", "--json"), replay("check", "bad", "day")

    assert ["day", "bad"] == [one["session"] for one in info["sessions"]]
    assert [True, False] == [one["is_good"] for one in json.loads(check.out)["sessions"]]
    assert (1, 1) == (check.exit_code, text.exit_code)
    assert ["bad", "day"] == [row for row in text.out.splitlines() if row in ("bad", "day")]
