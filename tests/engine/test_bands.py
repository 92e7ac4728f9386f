"""Three runs in one: the bands of a run, their ranges, and the proof that all three repeat."""

import json
from datetime import time
from pathlib import Path

import pytest

from replay.bands import BANDS, NOTE, band_rows, ranges
from replay.errors import UsageError
from replay.report import write_report
from replay.result import Result
from replay.runner import verify
from replay.summary import render
from tests.engine.strategies import Quoter, bound

SHORT = {"end": time(9, 50)}


@pytest.fixture(scope="module")
def banded(tmp_path_factory):
    """Run twenty minutes of the sample in all bands, the seats of the strategy taken by a quoter; keep the folder."""
    from replay.runner import run
    from tests.engine.conftest import SAMPLE

    result = run([SAMPLE], strategy=f"{__file__}:Quoter", bands=True, start=time(9, 30), **SHORT)
    result.save(tmp_path_factory.mktemp("runs") / "banded")
    return result


def test_each_band_is_the_run_of_its_setting(banded, replay_sample):
    """A band's journal is that of a run with [venue] band set to it; the expected one is the run."""
    for name in BANDS:
        alone = replay_sample([f"venue.band={name}"], forecasts=None, strategy=Quoter(), **SHORT)
        assert alone.journal_digest == banded.of_band(name).journal_digest
        assert {name} == set(banded.of_band(name).fills["band"])
    assert banded.journal_digest == banded.of_band("expected").journal_digest
    assert len({banded.of_band(name).journal_digest for name in BANDS}) > 1


def test_the_range_of_a_number_spans_the_three_runs(banded):
    """Every headline number stands with its three values, and with the least and the greatest of them."""
    frame = banded.bands
    summaries = {name: json.loads((banded.of_band(name).path / "summary.json").read_text()) for name in BANDS}

    assert [[summaries[name]["net_usd"] for name in BANDS]] == frame.loc[["net_usd"], list(BANDS)].to_numpy().tolist()
    assert [summaries[name]["markout_bps"]["10s"] for name in BANDS] == frame.loc["markout_bps.10s", list(BANDS)].tolist()
    known = frame.dropna()
    assert known[list(BANDS)].min(axis=1).equals(known["low"].rename(None))
    assert known[list(BANDS)].max(axis=1).equals(known["high"].rename(None))
    assert {"net_usd", "fills", "fill_rate_qty", "slippage_bps", "max_drawdown_usd"} <= set(known.index)


def test_a_number_that_no_band_knows_stays_unknown():
    """Without round trips nobody won any: the range is unknown, and shown as a dash."""
    empty = {"journal_digest": "x", "markout_bps": {"10s": None}}
    made = ranges({name: _Nothing(empty) for name in BANDS})

    assert {*BANDS, "low", "high"} == set(made["numbers"]["win_rate"])
    assert {None} == set(made["numbers"]["win_rate"].values())
    assert ("Round trips won", "-", "-", "-") in band_rows(made)


class _Nothing(dict):
    """A summary that knows nothing but what it holds."""

    def __missing__(self, key):
        return None


def test_verify_repeats_all_three(banded, tmp_path):
    """A run with bands holds when each of its three runs repeats, and one altered band is told by name."""
    from shutil import copytree

    outcome = verify(banded.path)
    assert (True, ["expected", "pessimistic", "optimistic"]) == (
        outcome.holds,
        [line.split(":")[0] for line in outcome.text.splitlines()],
    )
    altered = copytree(banded.path, tmp_path / "altered")
    path = altered / "bands" / "optimistic" / "manifest.json"
    path.write_text(path.read_text().replace(banded.of_band("optimistic").journal_digest, "0" * 64))
    assert not verify(altered).holds


def test_every_band_has_a_strategy_of_its_own(replay_sample):
    """A Python object is copied for each band: none sees what another left, and the one given stays as it was."""
    given = Quoter()
    banded = replay_sample(strategy=given, forecasts=None, bands=True, **SHORT)

    assert 0 == given.wakes
    assert replay_sample(strategy=Quoter(), forecasts=None, **SHORT).journal_digest == banded.journal_digest
    assert 3 == len(replay_sample(strategy=bound(), forecasts=None, bands=True, **SHORT).summary["bands"]["journal_digests"])


def test_a_strategy_that_cannot_be_copied_is_refused(replay_sample):
    """A strategy that holds an open file is one clear sentence."""
    strategy = Quoter()
    with (
        Path(__file__).open() as strategy.file,
        pytest.raises(UsageError, match=r"Quoter cannot be copied .* give it as module:Name"),
    ):
        replay_sample(strategy=strategy, bands=True, **SHORT)


def test_progress_counts_all_three(replay_sample):
    """The events done never fall, and end at three times those of the sessions."""
    told = []
    result = replay_sample(bands=True, progress=lambda done, total, _: told.append((done, total)), **SHORT)
    done, totals = zip(*told, strict=True)

    assert list(done) == sorted(done)
    assert 1 == len(set(totals))
    assert totals[0] % 3 == 0
    assert done[-1] >= 2 * totals[0] // 3 + result.summary["events"] // 2


def test_a_run_without_bands_says_so(replay_sample):
    """Asking a plain run for its bands is one clear sentence; its only band is the run."""
    result = replay_sample(**SHORT)

    assert result is result.of_band("expected")
    with pytest.raises(UsageError, match=r"was run without bands; use run\(..., bands=True\)"):
        result.bands  # noqa: B018 (the property raises)
    with pytest.raises(UsageError, match="has no band 'optimistic'; it has expected"):
        result.of_band("optimistic")


def test_terminal_and_report_show_the_ranges(banded):
    """Both name the bands, every headline number and that profit need not lie in order."""
    from rich.console import Console

    console = Console(width=120)
    with console.capture() as captured:
        console.print(render(banded.summary))
    page = write_report(banded.path).read_text()
    shown = " ".join(captured.get().split())

    assert NOTE in shown
    assert NOTE in page
    for row in band_rows(banded.summary["bands"]):
        assert " ".join(row) in shown
        assert row[0] in page


def test_a_saved_run_opens_with_its_bands(banded):
    """What was saved is read again whole: ranges, and each band's tables."""
    again = Result.open(banded.path)

    assert again.bands.equals(banded.bands)
    assert len(again.of_band("pessimistic").fills) == again.bands.loc["fills", "pessimistic"]
