"""run, demo, verify and explain."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from replay import doctor
from replay.result import Result

FILES = (
    "manifest.json",
    "summary.json",
    "verification.json",
    "report.html",
    "decisions.parquet",
    "orders.parquet",
    "fills.parquet",
    "round_trips.parquet",
    "positions.parquet",
    "equity.parquet",
    "cycles.parquet",
)


@pytest.fixture(scope="module")
def finished(made_up: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run over the made-up session."""
    from replay.cli import main

    out = tmp_path_factory.mktemp("runs") / "one"
    with pytest.raises(SystemExit) as left:
        main(["run", str(made_up), "--forecasts", str(made_up / "forecasts.parquet"), "--out", str(out), "--no-progress"])
    assert not left.value.code
    return out


def test_run_leaves_a_complete_folder(finished: Path) -> None:
    """A run leaves every file that users were promised, and nothing half-written beside it."""
    assert [] == [name for name in FILES if not (finished / name).is_file()]
    assert [] == list(finished.parent.glob("*.part"))


def test_options_stand_in_the_manifest(replay: Callable, made_up: Path, tmp_path: Path) -> None:
    """What was asked on the command line is what the manifest says was in force."""
    asked = [
        "--symbols",
        "ALFA",
        "--equity",
        5000,
        "--seed",
        9,
        "--all-hours",
        "--set",
        "gate.threshold_bps=4",
        "--from",
        "09:32",
    ]

    told = replay("run", made_up, *asked, "--out", tmp_path / "run", "--json")

    config = json.loads((tmp_path / "run" / "manifest.json").read_text())["config"]
    wanted = {"symbols": ["ALFA"], "equity_usd": 5000.0, "seed": 9, "hours": "all"}
    assert (0, wanted) == (told.exit_code, {key: config["run"][key] for key in wanted})
    assert 4.0 == config["gate"]["threshold_bps"]


def test_run_prints_one_json_object(replay: Callable, made_up: Path, tmp_path: Path) -> None:
    """With --json the summary, the verification and the digest stand on stdout, and nothing else does."""
    told = replay("run", made_up, "--out", tmp_path / "run", "--json").json

    assert {"run", "report", "journal_digest", "summary", "verification"} == set(told)
    assert told["journal_digest"] == Result.open(tmp_path / "run").journal_digest


def test_a_run_without_out_is_named_by_its_id(
    replay: Callable, made_up: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Left to itself, a run goes to runs/ under its own id."""
    monkeypatch.chdir(tmp_path)

    told = replay("run", made_up, "--json")

    folder = Path(told.json["run"])
    assert ("runs", Result.open(folder).manifest["run_id"]) == (folder.parent.name, folder.name)


def test_run_does_not_write_over_a_session(replay: Callable, made_up: Path) -> None:
    """A folder that is no run is refused before the work begins."""
    told = replay("run", made_up, "--out", made_up)

    assert (2, True) == (told.exit_code, "exists and is not a run folder" in told.err)


@pytest.mark.parametrize(
    ("line", "exit_code"),
    [
        (["--forecasts", "none.parquet"], 2),
        (["--config", "none.toml"], 2),
        (["--set", "run.sed=1"], 2),
        (["--symbols", "NOBODY"], 2),
        (["--strategy", "no_such_module:Class"], 2),
        (["--strategy", "nonsense"], 2),
        (["--equity", "-1"], 2),
        (["--state-in", "none.state"], 2),
    ],
)
def test_wrong_wishes_are_refused_in_one_sentence(
    replay: Callable, made_up: Path, tmp_path: Path, line: list[str], exit_code: int
) -> None:
    """A wish that cannot be met is answered with one line, its exit code, and no folder."""
    told = replay("run", made_up, *line, "--out", tmp_path / "run", "--no-progress")

    assert (exit_code, 1, False) == (told.exit_code, len(told.err.splitlines()), (tmp_path / "run").exists())


def test_verify_proves_that_a_run_repeats(replay: Callable, finished: Path) -> None:
    """`replay verify` holds for a run that was just made."""
    told = replay("verify", finished, "--json")

    assert (0, True) == (told.exit_code, told.json["holds"])


def test_verify_exits_with_1_when_a_run_does_not_repeat(replay: Callable, finished: Path, tmp_path: Path) -> None:
    """A run whose configuration was tampered with does not repeat, and the first difference is shown."""
    import shutil

    forged = shutil.copytree(finished, tmp_path / "forged")
    manifest = json.loads((forged / "manifest.json").read_text())
    manifest["journal_digest"] = "0" * 64
    (forged / "manifest.json").write_text(json.dumps(manifest))

    told = replay("verify", forged, "--no-progress")

    assert (1, True) == (told.exit_code, bool(told.out.strip()))


def test_explain_takes_a_time_of_day(replay: Callable, finished: Path) -> None:
    """A bare New York time belongs to the only day of the run."""
    told = replay("explain", finished, "--symbol", "ALFA", "--at", "09:38", "--json")

    assert (0, "2026-03-02 09:38:00.000 ET") == (told.exit_code, told.json["at"])
    assert told.json["sentence"]


def test_explain_speaks_to_people(replay: Callable, finished: Path) -> None:
    """Without --json the answer is text."""
    told = replay("explain", finished, "--symbol", "ALFA", "--at", "2026-03-02T09:38")

    assert (0, True) == (told.exit_code, "ALFA" in told.out)


@pytest.mark.parametrize(
    "line", [["--symbol", "NOBODY", "--at", "09:38"], ["--symbol", "ALFA", "--at", "23:00"], ["--symbol", "ALFA", "--at", "noon"]]
)
def test_explain_refuses_what_the_run_does_not_hold(replay: Callable, finished: Path, line: list[str]) -> None:
    """An unknown symbol, a time outside the run and a word that is no time are wrong usage."""
    told = replay("explain", finished, *line)

    assert (2, 1) == (told.exit_code, len(told.err.splitlines()))


def test_demo_replays_the_sample(replay: Callable, made_up: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`replay demo` shows the summary, the verification and where the report lies; a second one replaces the first."""
    monkeypatch.setattr(doctor, "find_sample", lambda: made_up)

    told = [replay("demo", "--out", tmp_path / "demo", "--no-progress") for _ in range(2)]

    assert [0, 0] == [outcome.exit_code for outcome in told]
    assert [] == [word for word in ("report.html", "Verification", "Digest") if word not in told[1].out]


def test_demo_without_a_sample_says_so(replay: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the sample is missing, the sentence says what to do."""
    monkeypatch.setattr(doctor, "find_sample", lambda: None)

    told = replay("demo")

    assert (2, True) == (told.exit_code, "replay doctor" in told.err)


def test_failed_verification_fails_the_command_where_asked(
    replay: Callable, made_up: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--fail-on-verification turns a FAIL into exit code 1, after everything was written."""
    check = {"name": "coverage", "status": "FAIL", "value": 0.5, "target": "0.75-0.85", "n_eff": 100, "recommendation": "retrain"}
    monkeypatch.setattr(Result, "verification", {"checks": [check]})

    told = replay("run", made_up, "--out", tmp_path / "run", "--fail-on-verification", "--no-progress")

    assert (1, True, True) == (told.exit_code, "coverage" in told.err, (tmp_path / "run" / "report.html").is_file())


@pytest.mark.parametrize("strategy", ["my_forecaster:MyForecaster", "my_strategy:MyStrategy"])
def test_examples_of_a_new_project_act(
    replay: Callable, made_up: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strategy: str
) -> None:
    """What `replay init` writes runs as it is, and leaves decisions or orders to look at."""
    replay("init", tmp_path / "mine")
    monkeypatch.chdir(tmp_path / "mine")

    told = replay("run", made_up, "--config", "replay.toml", "--strategy", strategy, "--out", "runs/one", "--json")

    made = Result.open("runs/one")
    assert (0, True) == (told.exit_code, len(made.decisions) + len(made.orders) > 0)


def test_bands_run_three_times_and_report_the_range(replay: Callable, made_up: Path, tmp_path: Path) -> None:
    """`--bands` leaves the two other runs in the folder, and the ranges in the summary on stdout."""
    told = replay("run", made_up, "--bands", "--json", "--out", tmp_path / "run")
    numbers = told.json["summary"]["bands"]["numbers"]

    assert 0 == told.exit_code
    assert {"optimistic", "pessimistic"} == {path.name for path in (tmp_path / "run" / "bands").iterdir()}
    assert told.json["summary"]["net_usd"] == numbers["net_usd"]["expected"]
    assert (tmp_path / "run" / "bands" / "optimistic" / "fills.parquet").is_file()


def test_the_compiler_is_announced_only_when_it_is_about_to_run(
    replay: Callable, made_up: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With nothing compiled, a run says that it compiles; one that is refused says its sentence and nothing else."""
    monkeypatch.setattr("replay.jit.cache_folder", lambda: tmp_path)
    refused = replay("run", made_up, "--from", "11:00", "--to", "10:00", "--out", tmp_path / "a")
    told = replay("run", made_up, "--out", tmp_path / "b")

    assert (2, 1) == (refused.exit_code, len(refused.err.splitlines()))
    assert (0, True) == (told.exit_code, "compiling kernels" in told.err)
