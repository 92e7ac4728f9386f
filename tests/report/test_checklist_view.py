import io

from rich.console import Console

from replay.checklist_view import CHECKS, NOTHING_JUDGED, check_lines, render
from replay.report import sections
from strategy.verification import Verification

NAMES = [check.name for check in Verification().run_full()]


def check(name: str = "churn", status: str = "WARN", value: float | None = 4.25, n_eff: float = 120.0, advice: str = "raise it"):
    return {"name": name, "status": status, "value": value, "target": "at most 2 %", "n_eff": n_eff, "recommendation": advice}


def shown(checks: list) -> str:
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(render({"checks": checks}))
    return " ".join(console.export_text().split())


def test_every_check_has_its_words():
    """Each of the six checks has a title, a unit, what it counts and a sentence."""
    assert NAMES == list(CHECKS)
    assert all(all(words) for words in CHECKS.values())


def test_a_check_shows_its_figure_with_unit_and_what_to_do():
    """A share is written in per cent, with what it was judged on, what it means and the advice; in terminal and report alike."""
    text, page = shown([check()]), sections.verification([check()])

    for wanted in ("warn", "churn", "4.2 %", "at most 2 %", "120 targets", CHECKS["churn"].meaning, "What to do: raise it."):
        assert wanted in text
        assert wanted in page


def test_a_check_that_passes_needs_no_advice():
    """Nothing is to be done where all is well."""
    (line,) = check_lines([check(status="PASS", advice="")])

    assert ("pass", "") == (line.status, line.action)


def test_checks_that_saw_nothing_are_one_sentence():
    """A run of an own strategy shows no table of dashes."""
    empty = [check(name, "NOT_ENOUGH_DATA", None, 0.0) for name in NAMES]

    assert NOTHING_JUDGED in shown(empty)
    assert NOTHING_JUDGED in sections.verification(empty)
