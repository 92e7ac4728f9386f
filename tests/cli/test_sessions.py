"""import, synth, info and check."""

from collections.abc import Callable
from pathlib import Path

import pytest


def test_synth_writes_a_session_that_info_describes(replay: Callable, tmp_path: Path) -> None:
    """`replay synth` makes a session, `replay info` says what is in it."""
    made = replay("synth", "--out", tmp_path / "day", "--symbols", 1, "--minutes", 2, "--seed", 5, "--json")
    told = replay("info", made.json["sessions"][0], "--json").json

    assert (0, "synth", "2026-03-02") == (made.exit_code, told["source"], told["day"])
    assert told["events"] == sum(rows for name, rows in told["streams"].items() if name != "messages")


def test_synth_makes_several_days(replay: Callable, tmp_path: Path) -> None:
    """With --days each trading day is a session of its own, named by its date."""
    made = replay("synth", "--out", tmp_path, "--symbols", 1, "--minutes", 1, "--days", 2, "--start-day", "2026-03-06", "--json")

    assert ["2026-03-06", "2026-03-09"] == [Path(folder).name for folder in made.json["sessions"]]


@pytest.mark.parametrize(
    "options", [["--ic", 2], ["--minutes", 0], ["--regimes", "wild"], ["--start-day", "2026-03-07"], ["--start-day", "x"]]
)
def test_synth_refuses_the_impossible(replay: Callable, tmp_path: Path, options: list[object]) -> None:
    """A wish that cannot be met is wrong usage, and nothing is written."""
    told = replay("synth", "--out", tmp_path / "day", *options)

    assert (2, 1, False) == (told.exit_code, len(told.err.splitlines()), (tmp_path / "day").exists())


def test_info_is_readable(replay: Callable, made_up: Path) -> None:
    """For people, `replay info` names the symbols, the hours and the streams."""
    told = replay("info", made_up)

    assert [] == [
        word for word in ("ALFA", "regular hours 09:30:00 to 16:00:00 ET", "quotes", "tick by tick") if word not in told.out
    ]


def test_check_finds_nothing_wrong_with_a_made_up_day(replay: Callable, made_up: Path) -> None:
    """A synthetic session has no errors."""
    told = replay("check", made_up, "--json")

    assert (0, True) == (told.exit_code, told.json["is_good"])


@pytest.mark.parametrize("command", ["info", "check"])
def test_a_folder_without_a_session_is_bad_data(replay: Callable, tmp_path: Path, command: str) -> None:
    """A folder that is no session gets one sentence and exit code 3."""
    told = replay(command, tmp_path)

    assert (3, "", 1) == (told.exit_code, told.out, len(told.err.splitlines()))


def test_import_refuses_an_unknown_format(replay: Callable, tmp_path: Path) -> None:
    """An unknown format is answered with the known ones."""
    told = replay("import", "nonsense", tmp_path, "--out", tmp_path / "out")

    assert (2, True) == (told.exit_code, "ibkr-quotes" in told.err)


def test_what_many_dates_share_is_told_once(replay: Callable, tmp_path: Path) -> None:
    """Of a note per date the first is shown and the others counted, and the next step is a pattern where dates are many."""
    days = ["2025-05-31", *(f"2025-06-{day:02}" for day in (1, 7, 8, 14, 15))]  # weekends all
    rows = [f"{day} 10:00:00,100.0,{size},100.01,2\n" for size, day in enumerate(days, 1)]
    (tmp_path / "given.csv").write_text("time,bid1,bid_size1,ask1,ask_size1\n" + "".join(rows))

    line = ["--symbol", "ES", "--size-unit", "shares", "--calendar", "CMES", "--out", tmp_path / "made", "--no-progress"]
    told = replay("import", "ibkr-quotes", tmp_path / "given.csv", *line)

    closed = (
        "note: CMES does not trade on 2025-05-31: the hours of that day are 24/7; --calendar changes that (so too on 5 more days)"
    )
    assert [closed] == told.err.splitlines()
    assert f"next: replay check {tmp_path / 'made'}/2025-0*" == told.out.splitlines()[-1]


def test_import_refuses_a_missing_file(replay: Callable, tmp_path: Path) -> None:
    """A path that is not there is wrong usage, and no folder is made."""
    told = replay("import", "csv", tmp_path / "none.csv", "--out", tmp_path / "out")

    assert (2, False) == (told.exit_code, (tmp_path / "out").exists())


def test_import_of_real_recordings(replay: Callable, real_data: Path, tmp_path: Path) -> None:
    """A LEAN day becomes one session, named by its date, that checks without errors."""
    files = sorted((real_data / "ticks" / "lean_tick").glob("aig_20131007_*.zip"))
    made = replay("import", "lean", *files, "--out", tmp_path, "--json")

    assert [str(tmp_path / "2013-10-07")] == made.json["sessions"]
    assert 0 == replay("check", tmp_path / "2013-10-07").exit_code
