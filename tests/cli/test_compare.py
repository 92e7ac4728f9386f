import json
from pathlib import Path

import pytest

from replay.session import Session
from tests.compare.runs import write_run


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    place = tmp_path_factory.mktemp("pair")
    return write_run(place / "a"), write_run(place / "b", seed=8, gate="enhanced"), write_run(place / "c", session="other")


def test_compare_prints_one_object_with_a_verdict_per_line(replay, pair, tmp_path):
    """`--json` holds the lines, the page is written."""
    outcome = replay("compare", *pair[:2], "--out", tmp_path / "out", "--draws", 200, "--json")

    assert 0 == outcome.exit_code
    assert {"better", "worse", "cannot tell", "more", "less"} >= {line["verdict"] for line in outcome.json["lines"]}
    assert (tmp_path / "out" / "compare.html").is_file()


def test_compare_replaces_only_what_it_is_told_to(replay, pair, tmp_path):
    """A second comparison at the same place is refused in one line, and made with --overwrite."""
    again = ("compare", *pair[:2], "--out", tmp_path / "out", "--draws", 100)
    codes = [replay(*again).exit_code, (refused := replay(*again)).exit_code, replay(*again, "--overwrite").exit_code]

    assert [0, 2, 0] == codes
    assert "holds an older comparison; choose another --out, or add --overwrite" in refused.err


def test_compare_replays_sessions_with_two_settings(replay, made_up, tmp_path):
    """Both runs are kept and can be compared again; settings are told."""
    out = tmp_path / "out"
    symbol = Session.open(made_up).symbols[0]
    state = Path(__file__).parents[2] / "data" / "sample" / "start.npz"
    settings = ["--a", "gate.mode=off", "--b", "gate.mode=original", "--band", "pessimistic"]
    inputs = ["--symbols", symbol, "--state-in", state]
    outcome = replay("compare", made_up, *settings, *inputs, "--out", out, "--json", "--no-progress")

    assert 0 == outcome.exit_code, outcome.err
    manifests = [json.loads((out / name / "manifest.json").read_text())["inputs"] for name in "ab"]
    assert [[symbol]] * 2 == [inputs["symbols"] for inputs in manifests]
    assert [str(state)] * 2 == [inputs["state_in"]["path"] for inputs in manifests]
    assert {"gate.mode": ["off", "original"]} == outcome.json["differs"]
    assert "pessimistic" == outcome.json["band"]
    assert 0 == replay("compare", out / "a", out / "b", "--out", tmp_path / "again").exit_code


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["{a}"], "takes two runs, or sessions with --a and --b"),
        (["{a}", "{c}"], "different sessions of 2026-03-02"),
        (["{a}", "missing"], "there is no run missing"),
        (["{a}", "{b}", "--band", "pessimistic"], "has no band 'pessimistic'; it has expected"),
        (["{a}", "{b}", "--forecasts", "f.csv"], "--forecasts belongs to sessions that are replayed; add --a and --b"),
        (["{a}", "{b}", "--symbols", "A"], "--symbols belongs to sessions that are replayed; add --a and --b"),
        (["{a}", "--a", "gate.mode=off", "--band", "gloomy"], "band in [venue] must be one of"),
        (["{a}", "--a", "gate.moed=off"], "did you mean 'mode'"),
        (["{a}", "--a", "missing.toml"], "cannot read the configuration"),
    ],
)
def test_compare_refuses_in_one_sentence(replay, pair, tmp_path, arguments, told):
    """What cannot be compared is said in one line, with exit code 2, and no page is written."""
    names = {name: str(folder) for name, folder in zip("abc", pair, strict=True)}
    outcome = replay("compare", *(argument.format(**names) for argument in arguments), "--out", tmp_path / "out")

    assert (2, 1) == (outcome.exit_code, outcome.err.count("\n"))
    assert told in outcome.err
    assert not (tmp_path / "out").exists()


def test_report_tells_a_run_in_three_paragraphs(replay, pair):
    """Text and JSON hold what happened, what the checklist found and what to change; both pages lie in the run."""
    outcome = replay("report", pair[0])
    found = replay("report", pair[0], "--json").json

    assert 0 == outcome.exit_code
    assert [outcome.out.index(head) for head in ("What happened", "What the checklist found", "What to change")] == sorted(
        outcome.out.index(head) for head in ("What happened", "What the checklist found", "What to change")
    )
    assert {"run", "happened", "found", "change", "page", "report"} == set(found)
    assert (pair[0] / "daily.html").is_file()
    assert (pair[0] / "report.html").is_file()


def test_report_adds_runs_up(replay, pair, tmp_path):
    """A quarter shows sums per settings, the ablation that is there and what is missing."""
    page = tmp_path / "quarter.html"
    found = replay("report", *pair, "--period", "quarter", "--out", page, "--json", "--no-progress").json

    assert ["A", "B"] == [line["settings"] for line in found["lines"]]
    assert ["gate"] == [one["component"] for one in found["ablation"]]
    assert ["arbiter"] == found["missing"]
    assert page.is_file()


def test_report_skips_what_is_no_run(replay, pair, tmp_path):
    """Of all that lies in a folder of runs only the runs are added up, and what was left out is said; none left is an error."""
    page, stranger = tmp_path / "report-day.html", tmp_path / "compare"
    page.write_text("<html>")
    stranger.mkdir()
    told = replay("report", pair[0], pair[1], page, stranger, "--out", tmp_path / "day.html", "--json", "--no-progress")

    assert (0, 2) == (told.exit_code, len(told.json["lines"]))
    assert "skipped, no runs: report-day.html, compare" in told.err
    assert 3 == replay("report", page, stranger).exit_code


@pytest.mark.parametrize(
    ("arguments", "told"), [(["missing"], "there is no run missing"), (["{a}", "--period", "year"], "'year'")]
)
def test_report_refuses_in_one_sentence(replay, pair, arguments, told):
    """A run that is not there and a period that does not exist are refused in one line."""
    outcome = replay("report", *(argument.format(a=pair[0]) for argument in arguments))

    assert 2 == outcome.exit_code
    assert told in outcome.err
