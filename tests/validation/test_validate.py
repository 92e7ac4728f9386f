"""The whole validation on synthetic sessions, whose truth is known: tables, page, command line, bad input."""

import datetime as dt
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from replay import Session, run
from replay.errors import DataError, UsageError
from replay.synth import generate
from replay.validation import FillValidation, validate_executions, validate_fills
from replay.validation.page import NOT_SCORED
from replay.validation.plots import Whisker, whiskers
from tests.engine.strategies import Quoter

FEEDS = ("snapshots-250ms", "seconds")


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (folder,) = generate(tmp_path_factory.mktemp("days") / "made-up", symbols=2, minutes=4, seed=5)
    return folder


@pytest.fixture(scope="module")
def result(day: Path) -> FillValidation:
    return validate_fills([day], ["trades_only", "behind_first", "all_ahead"], degrades=FEEDS, resamples=50)


def test_every_scored_order_has_one_shadow_per_pass(result: FillValidation) -> None:
    """Three models and two edges of the band on three feeds: fifteen shadows for each real order."""
    counts = result.shadows.groupby(["feed", "model"]).size()

    assert 3 * 5 == len(counts)
    assert {len(result.orders)} == set(counts)


def test_orders_and_what_is_left_out_add_up(day: Path, result: FillValidation) -> None:
    """Scored orders, excluded ones and those away from the touch are all the arrivals that the messages tell of."""
    added = (Session.open(day).messages()["action"] == "add").sum()

    assert added == len(result.orders) + result.excluded["count"].sum()


def test_models_are_ordered_as_their_rules(result: FillValidation) -> None:
    """Trades-only fills no real order that behind-first does not fill, and behind-first none that all-ahead does not."""
    full = result.shadows[result.shadows["feed"] == "full"]
    filled = {model: set(own["row"][own["filled_qty"] > 0]) for model, own in full.groupby("model")}

    assert filled["trades_only"] <= filled["behind_first"] <= filled["all_ahead"]


def test_the_optimistic_edge_is_that_of_the_model_in_the_middle(day: Path) -> None:
    """No order fills under a fitted model before it does, or more of it, in the optimistic band around that model."""
    shadows = validate_fills([day], ["fitted"], resamples=2).shadows
    middle, edge = (shadows[shadows["model"] == name].set_index("row").sort_index() for name in ("fitted", "optimistic"))

    assert 0 < len(edge)
    assert 0 == (middle["whole_ns"] < edge["whole_ns"]).sum()
    assert 0 == (middle["filled_qty"] > edge["filled_qty"]).sum()


def test_verdicts_add_up_to_one(result: FillValidation) -> None:
    """Same, earlier, later and never are all that can become of a filled order, in every bucket of every model and feed."""
    shares = result.scores[result.scores["metric"].isin(["same", "earlier", "later", "never"]) & (result.scores["n"] > 0)]
    sums = shares.groupby(["feed", "model", "kind", "by", "bucket"])["value"].sum()

    assert pytest.approx(1.0) == sums.min()
    assert pytest.approx(1.0) == sums.max()


def test_intervals_hold_their_value(result: FillValidation) -> None:
    """Every interval lies around its figure, as far as the draws allow."""
    shares = result.scores[result.scores["metric"].isin(["same", "brier"]) & (result.scores["by"] == "all")]

    assert bool((shares["low"] <= shares["value"] + 1e-9).all())
    assert bool((shares["value"] <= shares["high"] + 1e-9).all())


def test_bands_of_poor_feeds_hold_the_truth(result: FillValidation) -> None:
    """On snapshots and whole seconds the real number of fills lies in the band, and so do nearly all fates."""
    poor = result.coverage[result.coverage["feed"] != "full"]

    assert [True] * 4 == poor["is_covered"].tolist()
    assert bool((poor["held"] > 0.97).all())


def test_a_window_chooses_arrivals(day: Path, result: FillValidation) -> None:
    """`start` and `end` choose real orders by their arrival and change nothing else about them."""
    middle = int(result.orders["arrival_ns"].median())
    late = validate_fills([day], ["behind_first"], start=middle, bands=False, resamples=0)
    kept = result.orders.merge(late.orders[["symbol", "real_id"]])

    assert 0 < len(late.orders) < len(result.orders)
    assert kept["fill_ns"].tolist() == late.orders["fill_ns"].tolist()
    assert 0 == len(late.coverage)


def test_the_same_call_gives_the_same_tables(day: Path, result: FillValidation) -> None:
    """Draws have a seed: a validation can be repeated to the last bit."""
    again = validate_fills([day], ["trades_only", "behind_first", "all_ahead"], degrades=FEEDS, resamples=50)

    assert result.scores.equals(again.scores)


class Tags(HTMLParser):
    """Collect what a page would load and check that its tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "br", "line", "rect", "circle", "polyline"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("line", "rect", "circle", "polyline"):
            assert tag == self.open.pop()


def test_the_page_says_why_an_order_is_not_scored(result: FillValidation, tmp_path: Path) -> None:
    """Every reason for which an order is left out has its words on the page."""
    text = result.save_page(tmp_path / "fills.html").read_text(encoding="utf-8")

    assert set(result.excluded["reason"]) == set(NOT_SCORED)
    assert [] == [words for words in NOT_SCORED.values() if words not in text]


def test_the_page_stands_alone_and_says_how_the_order_is_hidden(result: FillValidation, tmp_path: Path) -> None:
    """One file, no script and nothing to load; it tells how the real order is hidden, and draws no NaN."""
    text = result.save_page(tmp_path / "new" / "fills.html").read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(text)

    assert ([], []) == (tags.open, tags.loads)
    assert "a level that only the order itself holds up says nothing" in text
    assert ["fills.html"] == [path.name for path in (tmp_path / "new").iterdir()]
    assert [] == re.findall(r'="nan|="-?inf|\{\{', text)
    assert 20 <= text.count("<svg")


def test_exact_fifo_scores_as_the_truth(tmp_path: Path) -> None:
    """Where quotes come up to 50 ms after their messages, exact FIFO still gives every real order its own fate."""
    (folder,) = generate(tmp_path / "day", symbols=1, minutes=4, seed=5, feed_jitter_ns=50_000_000)
    scores = validate_fills([folder], ["FIFO"], bands=False, resamples=0).table()

    assert ["join", "improve"] == list(dict.fromkeys(scores["kind"]))
    assert {(1.0, 0.0, 0.0)} == set(scores[["same", "never", "wrong"]].itertuples(index=False, name=None))


def test_a_window_beyond_the_recording_is_wrong_usage(day: Path) -> None:
    """Asked for a time at which nothing was recorded, the error says what was; `replay run` calls it wrong usage too."""
    with pytest.raises(UsageError, match=r"nothing was recorded between start \(--from\) and end \(--to\); the recordings cover"):
        validate_fills([day], start=dt.time(15, 0))


def test_labels_of_any_length_have_room() -> None:
    """The longest label of a plot begins inside it, and the marks begin where the labels end."""
    label = "12345 to 123456: behind first"
    svg = whiskers("", [Whisker(label, 0.0, float("nan"), float("nan"), "")])
    ends, marks = (float(re.search(form, svg)[1]) for form in (r'<text x="([\d.]+)"', r'cx="([\d.]+)"'))

    assert 0 < ends - 6.2 * len(label)
    assert ends < marks


def test_a_replayed_run_agrees_with_the_simulator_that_made_it(day: Path, tmp_path: Path) -> None:
    """Orders of a run, played again one by one from its folder, fill when, where and as much as they did in it."""
    run([day], strategy=Quoter()).save(tmp_path / "run")
    scored = validate_executions([day], tmp_path / "run", ["behind_first"])
    row = scored.scores.iloc[0]

    assert ("replay", 1.0, 0.0, 1.0) == (row["account_kind"], row["same"], row["wrong"], row["qty_ratio"])
    assert 10 <= row["filled"] < row["orders"]


def test_an_unknown_model_or_session_is_named(day: Path) -> None:
    """Wrong names end in one sentence before any work is done."""
    with pytest.raises(UsageError, match="unknown queue model 'hope'"):
        validate_fills([day], ["hope"])
    with pytest.raises(UsageError, match="`models` is empty"):
        validate_fills([day], [])
    with pytest.raises(DataError, match="no symbol 'ZULU'"):
        validate_fills([day], symbols=["ZULU"])
    with pytest.raises(DataError, match="no real order can be scored"):
        validate_fills([day], start=dt.time(9, 30), end=Session.open(day).span_ns[0] + 1)


def test_facts_are_plain_values(result: FillValidation) -> None:
    """What `--json` prints holds the counts and every table but the single orders."""
    facts = json.loads(json.dumps(result.facts(), default=float))

    assert {"orders", "scores", "reliability", "coverage", "excluded", "notes"} == set(facts)
    assert len(result.orders) == sum(row["n"] for row in facts["orders"])
