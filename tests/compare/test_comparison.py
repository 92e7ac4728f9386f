"""Two runs compared, and runs added up."""

import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from replay.compare import compare
from replay.compare.ablation import ablate
from replay.compare.bootstrap import compare_sums
from replay.compare.comparison import pair_sums
from replay.compare.page import write_page
from replay.compare.view import cells, headline, render
from replay.errors import UsageError
from replay.report.period import period_lines, period_of, settings_by_letter
from replay.report.plain_report import advice_lines, missing_lines, period_page, run_page
from replay.report.words import alerts_of, words_of
from replay.result import Result
from tests.compare.runs import write_run
from tests.report.worlds import CONTEXT, Maker


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    place = tmp_path_factory.mktemp("pair")
    rows = Maker().day()
    late = rows._replace(fills=rows.fills[rows.fills["symbol"] == 0])
    return write_run(place / "a"), write_run(place / "b", rows=late, gate="enhanced"), write_run(place / "c", session="other")


def test_a_comparison_is_repeatable_and_plain(folders):
    """Equal seeds give equal lines, and everything is JSON."""
    first, second = (compare(*folders[:2], draws=200, seed=3) for _ in range(2))

    assert first.lines == second.lines
    json.dumps(first.as_dict(), allow_nan=False)
    assert {"gate.mode": ["original", "enhanced"]} == first.differs
    assert 13 == first.blocks


def test_pairs_of_runs_can_be_pooled(folders):
    """The sums of a pair give the comparison's own lines; a pair beside itself has twice the trips and the same rates."""
    a, b = pair_sums(*folders[:2])
    alone = compare_sums(a, b, 200, 3)
    twice = [{name: np.r_[values, values] for name, values in run.items()} for run in (a, b)]

    assert list(compare(*folders[:2], draws=200, seed=3).lines) == alone
    assert 2 * a["trips"].sum() == twice[0]["trips"].sum()
    for line, pooled in zip(alone[:2], compare_sums(*twice, 200, 3)[:2], strict=True):
        assert (line.a, line.b) == (pytest.approx(pooled.a), pytest.approx(pooled.b))


def test_the_same_run_twice_says_so(folders):
    """Equal journals are noted, and nothing can be told."""
    found = compare(folders[0], folders[0], draws=200)

    assert "exactly the same" in found.notes[0]
    assert "better in nothing; worse in nothing" in headline(found)


def test_runs_over_different_sessions_are_refused(folders):
    """One sentence says that the sessions differ."""
    with pytest.raises(UsageError, match="different sessions of 2026-03-02; a paired comparison takes two runs over the same"):
        compare(folders[0], folders[2])


def test_runs_of_different_bands_are_refused(folders, tmp_path):
    """A pessimistic reading of one run is no match for an expected one of the other."""
    with pytest.raises(UsageError, match=r"pessimistic band and .* expected one; run both with the same venue.band"):
        compare(write_run(tmp_path / "low", band="pessimistic"), folders[0])


@pytest.mark.parametrize("bad", [{"block_min": 0}, {"draws": 5}])
def test_impossible_numbers_are_refused(folders, bad):
    """A block of no minutes and a bootstrap of five draws are refused."""
    with pytest.raises(UsageError, match="at least 1 minute and a bootstrap at least 100 draws"):
        compare(*folders[:2], **bad)


def test_page_and_terminal_show_every_line(folders, tmp_path):
    """Both hold all figures, and the page needs nothing from elsewhere."""
    from rich.console import Console

    found = compare(*folders[:2], draws=200)
    page = write_page(found, tmp_path / "compare.html").read_text()
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(render(found))
    text = console.export_text()

    for line in found.lines:
        assert cells(line)[0].strip() in text
        assert line.title.strip() in page
    assert "http" not in page
    assert "<script" not in page


@pytest.fixture(scope="module")
def idle(tmp_path_factory):
    rows = Maker().day()
    nothing = {name: getattr(rows, name)[:0] for name in ("orders", "fills")}
    return write_run(tmp_path_factory.mktemp("idle") / "idle", rows=rows._replace(**nothing))


def test_a_run_that_stayed_out_is_named(folders, idle):
    """Who traded nothing looks better in all that trading costs, and the notes say so before anybody believes it."""
    notes = compare(folders[0], idle, draws=200).notes

    assert 1 == sum("Run B traded nothing" in note for note in notes)
    assert not any("Run A" in note and "nothing" in note for note in notes)


def test_one_block_is_told_in_the_singular_and_its_profit_is_drawn(folders, tmp_path):
    """A stretch of one block has no interval, and its profit a line from zero to its end."""
    found = compare(*folders[:2], draws=200, block_min=600)
    page = write_page(found, tmp_path / "compare.html").read_text()
    lines = re.findall(r'<polyline[^>]* points="([^"]+)"', page)

    assert "1 block is too few for intervals" in found.notes[0]
    assert "1 block of 600 min in 1 session," in page
    assert [2, 2] == [len(line.split()) for line in lines]
    assert lines[0].split()[0].split(",")[1] == lines[1].split()[0].split(",")[1]


def test_the_page_hides_no_setting(folders, tmp_path):
    """All that differs stands on the page; the terminal shows the first and says where the others are."""
    from rich.console import Console

    differs = {f"planner.setting_{k}": [k, k + 1] for k in range(16)}
    found = replace(compare(*folders[:2], draws=100), differs=differs)
    page = write_page(found, tmp_path / "compare.html").read_text()
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(render(found))

    assert all(f"{name}: " in page for name in differs)
    assert "and 4 more, all of them on the page" in console.export_text()


def test_the_headline_tells_values(folders):
    """Better and worse are told with both values and their unit: a share of a negative figure says nothing."""
    found = compare(*folders[:2], draws=100)
    line = found.lines[1]._replace(a=-212.7, b=-67.2, verdict="better", relative=0.68)
    found = replace(found, lines=(line,))

    assert "B is better in alpha kept (-212.70 to -67.20 %); worse in nothing" in headline(found)


def test_one_switch_alone_is_an_ablation(folders):
    """A pair of runs that differs in one mode only is found, original first; components without a pair are named."""
    runs = [Result.open(folder) for folder in folders[1::-1]]
    found, missing = ablate(runs, draws=100)

    assert [("gate", ("original", "enhanced"))] == [(one.component, one.modes) for one in found]
    assert ["arbiter"] == missing
    assert "arbiter.mode=original" in missing_lines(missing)[1]


def test_runs_are_added_up_by_period_and_settings(folders):
    """Runs of the same settings are one line, with sums of the summaries; the same session twice is noted."""
    runs = [Result.open(folder) for folder in folders]
    lines = period_lines(runs, "week")

    assert [("2026-W10", "A", 2), ("2026-W10", "B", 1)] == [(line.period, line.settings, len(line.runs)) for line in lines]
    assert sum(runs[k].summary["net_usd"] for k in (0, 2)) == pytest.approx(lines[0].sums["net_usd"])
    assert "2026-03-02 replayed by more than one run" in lines[0].notes[0]
    assert "gate.mode = enhanced" == settings_by_letter(runs)["B"]


def test_runs_of_different_strategies_are_not_added_up(folders):
    """Equal settings are not the same trade: own strategies, forecasts of a file and built-in ones have lines of their own."""
    given = [{}, {"strategy": {"name": "own.py:Pegger"}}, {"forecasts": {"path": "f.parquet"}}]
    runs = [Result.open(folders[0]) for _ in given]
    for run, inputs in zip(runs, given, strict=True):
        run.manifest["inputs"] |= {"strategy": {"name": ""}, "forecasts": None} | inputs
    told = settings_by_letter(runs)

    assert ["A", "B", "C"] == [line.settings for line in period_lines(runs, "week")]
    assert ["own strategy own.py:Pegger", "forecasts of a file"] == [told["B"], told["C"]]
    assert "the defaults with own strategy own.py:Pegger" == settings_by_letter(runs[1:2])["A"]


def test_a_run_over_several_days_counts_in_each(tmp_path):
    """What a run did on each of its days adds up to its summary; a longer period has the summary's own figures."""
    span = CONTEXT.sessions[0]
    noon_ns = (span.start_ns + span.end_ns) // 2
    days = (replace(span, end_ns=noon_ns), replace(span, day="2026-03-03", start_ns=noon_ns + 1))
    run = Result.open(write_run(tmp_path / "two", context=replace(CONTEXT, sessions=days)))
    lines, (whole,) = period_lines([run], "day"), period_lines([run], "week")

    assert [("2026-03-02",), ("2026-03-03",)] == [line.sessions for line in lines]
    assert all(line.sums["fills"] > 0 and line.sums["orders"] > 0 for line in lines)
    for name, value in whole.sums.items():
        assert value == pytest.approx(sum(line.sums[name] for line in lines)), name
        assert value == pytest.approx(run.summary[name])
    assert max(line.max_drawdown_usd for line in lines) <= whole.max_drawdown_usd + 1e-9


def test_the_first_settings_are_told_against_the_defaults(folders):
    """A is the defaults or what differs from them; alone it says nothing of others."""
    alone, both = (settings_by_letter([Result.open(folder) for folder in folders[:n]]) for n in (1, 2))

    assert "the defaults" == alone["A"]
    assert "the defaults; the others by what differs from A" == both["A"]


def test_runs_without_an_order_are_not_called_fine(tmp_path):
    """Where no order was sent, nothing to change is not the answer."""
    rows = Maker().day()
    idle = rows._replace(orders=rows.orders[:0], fills=rows.fills[:0])
    run = Result.open(write_run(tmp_path / "idle", rows=idle))
    (line,) = period_lines([run], "day")
    quiet = replace(line, advice={})

    assert "No order was sent" in advice_lines([quiet])[0]
    sums = {"orders": 5.0, "net_usd": 0.0, "fee_usd": 0.0, "round_trips": 0.0}
    assert "no check of any run warned" in advice_lines([replace(quiet, sums=sums)])[0]
    sums |= {"net_usd": -839.0, "fee_usd": 226.0, "round_trips": 34.0}
    assert "$613.00 were lost before fees over 34 round trips" in advice_lines([replace(quiet, sums=sums)])[0]


@pytest.mark.parametrize(
    ("day", "names"), [("2025-12-29", ("2026-W01", "2025-12", "2025-Q4")), ("2026-07-01", ("2026-W27", "2026-07", "2026-Q3"))]
)
def test_periods_are_those_of_the_calendar(day, names):
    """A week belongs to the year of its Thursday; months and quarters to that of the day."""
    assert names == tuple(period_of(day, period) for period in ("week", "month", "quarter"))


def test_a_run_is_told_in_plain_words(folders, tmp_path):
    """The words hold the money, every check and the advice of those that warn; the page holds the words."""
    run = Result.open(folders[0])
    words = words_of(run)
    page = run_page(run, words, tmp_path / "daily.html").read_text()

    assert f"{abs(run.summary['net_usd']):,.2f} net" in words.happened[0]
    assert "What to change" in page
    judged = [check for check in run.verification["checks"] if check["status"] in ("WARN", "FAIL")]
    assert len(judged) <= len(words.change)
    assert alerts_of(run.path) == [] or "began to" in " ".join(words.found)


def test_a_loss_before_fees_is_no_fine_day(folders):
    """Where the trades lost before any fee, what was promised and what came stands under what to change."""
    run = Result.open(folders[0])
    lost = {"gross_usd": -203.1, "net_usd": -321.5, "round_trips": 23, "round_trip_net_bps": -3.4, "round_trip_edge_bps": 2.4}
    run.summary.update(lost)

    assert any(
        "23 round trips, too few to be sure, kept -3.4 bps where +2.4 bps was forecast" in line for line in words_of(run).change
    )


def test_a_loss_without_forecasts_blames_none(folders):
    """Where an own strategy lost before fees, nothing is said of a forecast that nobody made."""
    run = Result.open(folders[0])
    lost = {"gross_usd": -203.1, "net_usd": -321.5, "round_trips": 23, "round_trip_net_bps": -3.4, "round_trip_edge_bps": None}
    run.summary.update(lost, decisions=0)
    words = words_of(run)

    assert any("23 round trips, too few to be sure, kept -3.4 bps each. Judge the strategy" in line for line in words.change)
    assert [] == [line for line in (*words.happened, *words.change) if "forecast" in line and "bps" in line and "kept" in line]


def test_advice_stands_with_its_evidence(tmp_path):
    """A check that fails is told with setting and evidence, and when it began."""
    rows = Maker().day()
    cycles = np.zeros(300, rows.cycles.dtype)
    cycles["n_symbols"], cycles["n_errors"], cycles["ts_ns"] = 2, 1, rows.decisions["ts_ns"][0] + np.arange(300) * 60_000_000_000
    cycles["weight_sum_min"] = cycles["weight_sum_max"] = 1.0
    words = words_of(Result.open(write_run(tmp_path / "bad", rows=rows._replace(cycles=cycles))))

    assert any("50.0 % of decisions met an error" in line for line in words.change)
    assert any("component errors began to fail" in line for line in words.found)


def test_the_page_of_a_quarter_says_what_is_missing(folders, tmp_path):
    """It shows the ablation that is there and names what is not."""
    runs = [Result.open(folder) for folder in folders[:2]]
    lines = period_lines(runs, "quarter")
    page = period_page("quarter", lines, settings_by_letter(runs), ablate(runs, draws=100), tmp_path / "q.html").read_text()

    assert "gate: original to enhanced" in page
    assert "Missing: no two of these runs differ in the mode of arbiter alone" in page
