import json
import os
import re
import shutil
import subprocess
import zlib
from base64 import b64decode

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.errors import DataError
from replay.report import page, write_report
from replay.report.columns import Columns
from replay.report.encode import encode_column
from replay.report.panes import price_path, thin
from replay.report.words import alert_words
from tests.report.worlds import CONTEXT

CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "google-chrome", "chromium-browser"))), None
)
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --virtual-time-budget=8000"
)


def decode(column: dict) -> list[int]:
    deltas = np.frombuffer(zlib.decompress(b64decode(column["data"])), f"<i{column['bytes']}").astype(np.int64)
    values = column["first"] + column["step"] * np.concatenate([[0], np.cumsum(deltas)])
    return values[: column["n"]].tolist()


@given(st.lists(st.integers(-(2**52), 2**52), max_size=50))
def test_a_column_comes_back_as_it_was(values):
    """Any integers survive division by their step, deltas, zlib and base64."""
    assert values == decode(encode_column(np.array(values, np.int64)))


def test_thinning_keeps_the_extremes():
    """A path of ten thousand points is cut to a few hundred and keeps its lowest bid and highest ask."""
    random = np.random.default_rng(1)
    bid = 1_000_000 + np.cumsum(random.integers(-3, 4, 10_000))
    path = np.stack([np.arange(10_000), bid, bid + random.integers(1, 9, 10_000)])

    kept = thin(path, 300)

    assert kept.shape[1] <= 300
    assert (path[1].min(), path[2].max()) == (kept[1].min(), kept[2].max())
    assert (np.diff(kept[0]) > 0).all()


def test_the_price_path_holds_changes_only_and_ends_with_the_session():
    """Rows that repeat both prices are left out; the last price reaches to the close, and then there is a gap."""
    start_ns = CONTEXT.sessions[0].start_ns
    touch = {"bid": np.array([1.0, 1.0, 1.01]), "ask": np.array([1.02, 1.02, 1.02])}
    marks = Columns({"ts_ns": start_ns + np.arange(3) * 10**9, **touch})

    path = price_path(marks, CONTEXT, 1_000)

    assert [10_000, 10_100, 10_100, 0] == path["bid"].tolist()
    assert CONTEXT.sessions[0].end_ns // 1_000_000 == path["ms"][2]


def test_the_page_stands_alone(run_dir):
    """The page loads nothing: no address of a server is fetched, and script, style and data are inside."""
    html = write_report(run_dir).read_text()

    assert re.findall(r"""<(?:script|link|img)[^>]+(?:src|href)=""", html) == []
    assert "{{" not in re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL)
    for heading in ("Fills", "Round trips", "Verification", "How decisions ended", "Summary", "Run"):
        assert f"<h2>{heading}</h2>" in html


def test_the_tables_read_without_script(run_dir):
    """Fills with rule, evidence and queue, the checks and the manifest are plain HTML."""
    html = write_report(run_dir).read_text()

    assert "snapshot 250ms" in html
    assert "300 to 0" in html
    assert "0.75 to 0.85" in html
    assert "journal_digest" in html


def test_the_page_says_what_acted_and_what_the_shadow_wanted(run_dir, tmp_path):
    """Components in original form, breakers and the shadow stand on the page in the words of the terminal."""
    folder = shutil.copytree(run_dir, tmp_path / "run")
    shadow = {"decisions": 100, "differ": 40, "shadow_moves": 7, "moves": 5, "worth_bps": None}
    told = {"as_original": {"gate": 12}, "breakers_opened": 2, "breakers_open": {"gate": 1}, "shadow": shadow}
    summary = json.loads((folder / "summary.json").read_text()) | told
    (folder / "summary.json").write_text(json.dumps(summary))

    html = write_report(folder).read_text()

    assert all(line in html for line in ("in original form: gate 12", "breakers: 2 times open (gate)", "another target in 40 %"))


def test_the_page_says_its_cautions_first(run_dir, tmp_path):
    """What is allowed and rarely meant stands above the numbers, escaped; without any there is no such box."""
    folder = shutil.copytree(run_dir, tmp_path / "run")
    summary = json.loads((folder / "summary.json").read_text())
    told = {**summary, "cautions": ["f.parquet has no forecast <there>", "gate.rollout = 0.1 takes in none"]}
    (folder / "summary.json").write_text(json.dumps(told))

    html = write_report(folder).read_text()

    words = "f.parquet has no forecast &lt;there&gt;<br>gate.rollout = 0.1 takes in none"
    assert f'<p class="gate alarm"><b>Mind first</b><br>{words}</p>' in html
    assert html.index(words) < html.index('<section class="cards">')
    assert 1 == write_report(run_dir).read_text().count('<p class="gate ')


def test_without_the_chart_library_there_is_a_drawing_and_a_hint(run_dir, monkeypatch):
    """The page then shows plain SVG and says how to get the charts."""
    monkeypatch.setattr(page, "chart_library", lambda: None)

    html = write_report(run_dir).read_text()

    assert "<polyline" in html
    assert "pip install" in html
    assert "uPlot = (function" not in html


def test_names_cannot_break_the_page():
    """What is put into the template is not read again, and data cannot close its script."""
    assert "a {{B}} c" == page.fill_in("a {{A}} c", {"A": "{{B}}", "B": "x"})
    assert "</script>" not in page._script_json({"symbol": "</script>"})


def test_an_incomplete_run_is_refused(run_dir, tmp_path):
    """Without its summary a run has no report, and the error names the file."""
    copied = shutil.copytree(run_dir, tmp_path / "copied")
    (copied / "summary.json").unlink()

    with pytest.raises(DataError, match=r"summary\.json is missing"):
        write_report(copied)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium: set CHROMIUM to its path or install it")
def test_labels_of_an_axis_differ(tmp_path):
    """Steps of two and a half cents are labelled with the digits that they need, round ones with the usual two."""
    steps = "[[48, 48.025, 48.05], [48, 48.5], [0, 100], [7]]"
    shown = f"document.body.textContent = JSON.stringify({steps}.map((s) => s.map((v) => dollar(v, digitsOf(s, 2)))))"
    script = "".join(page._asset(f"{name}.js") for name in ("axis", "charts"))
    path = tmp_path / "axis.html"
    path.write_text(f"<html><body></body><script>{script}\n{shown}</script></html>")
    found = re.search(r"<body>(.+)</body>", _dom(path, tmp_path))

    assert found is not None
    assert [["$48.000", "$48.025", "$48.050"], ["$48.00", "$48.50"], ["$0.00", "$100.00"], ["$7.00"]] == json.loads(found[1])


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium: set CHROMIUM to its path or install it")
@pytest.mark.parametrize("has_library", [True, False])
def test_the_page_passes_its_own_test_in_a_browser(run_dir, tmp_path, monkeypatch, has_library):
    """In a real browser the page decodes its data, draws three charts, agrees with the summary, and no script fails."""
    if not has_library:
        monkeypatch.setattr(page, "chart_library", lambda: None)
    path = write_report(run_dir)

    html = _dom(path, tmp_path)

    (told,) = re.findall(r'<pre id="selftest">(.*?)</pre>', html, flags=re.DOTALL)
    assert told.startswith("self-test ok"), told


def _dom(path, profile):
    command = [CHROMIUM, *FLAGS.split(), f"--user-data-dir={profile}", "--dump-dom", path.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def test_many_breakers_are_told_in_one_sentence():
    """Up to three events of a component's breakers are told one by one; more as a count, a span of time and the symbols."""
    event = {"name": "breaker", "component": "gate", "status": "WARN", "message": "breaker of gate for MSFT: opened"}
    events = [{**event, "time": f"10:0{k}", "symbol": symbol} for k, symbol in enumerate(["MSFT", "AAPL", "MSFT", "AAPL"])]

    assert [f"10:0{k}: breaker of gate for MSFT: opened." for k in range(3)] == list(alert_words(events[:3]))
    (told,) = alert_words(events)
    assert "4 times between 10:00 and 10:03, for AAPL, MSFT" in told
