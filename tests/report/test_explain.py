import io
import json

import pandas as pd
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from replay.errors import UsageError
from replay.explain import TURN_LIMIT, _fill_in, _turn_limit, explain, render
from replay.reasons import FALLBACKS, MEANINGS
from replay.wording import et_stamp
from strategy.decision import Fallback, Reason
from tests.report.worlds import CLOSE_NS, OPEN_NS, S_NS


def first(run_dir, reason: str) -> pd.Series:
    decisions = pd.read_parquet(run_dir / "decisions.parquet")
    return decisions[decisions["reason"] == reason].iloc[0]


def test_a_taken_decision_shows_its_orders_and_fills(run_dir):
    """The answer for a taken decision holds why, its orders with every state, the queue, and its fills."""
    row = first(run_dir, "EXIT_HORIZON")

    answer = explain(run_dir, row["symbol"], int(row["ts_ns"]) + S_NS)

    json.dumps(answer, allow_nan=False)
    assert (True, row["decision_id"]) == (answer["is_taken"], answer["decision_id"])
    (order,) = answer["plan"]["orders"]
    assert ["SENT", "WORKING", "PARTIAL", "FILLED"] == [state["state"] for state in order["states"]]
    assert (300, 250) == (order["states"][1]["ahead_qty_simulated"], order["states"][1]["ahead_qty_estimated"])
    assert 200 == sum(fill["qty"] for fill in answer["fills"])
    assert [order["order_id"]] == [working["order_id"] for working in answer["working"]]


def test_a_refused_decision_says_what_would_have_changed_it(run_dir):
    """A shut gate names what the forecast would have had to be, and what it was."""
    row = first(run_dir, "GATE_COST")

    answer = explain(run_dir, row["symbol"], int(row["ts_ns"]))

    assert f"forecast would have had to be above 7.30 bps in size; it was {row['mu_bps']:+.2f} bps." in answer["change"]
    assert answer["sentence"].startswith("Refused: no horizon passed the gate.")
    assert not answer["is_taken"]


@pytest.mark.parametrize("mu_bps", [16.23, -16.23])
def test_a_taken_decision_says_how_small_a_forecast_would_have_changed_it(run_dir, mu_bps):
    """What a forecast needed is said of its size, whichever its sign: every negative one lies below a positive limit."""
    rows = pq.read_table(run_dir / "decisions.parquet").to_pylist()
    taken = next(row for row in rows if row["reason"] == "TARGET_SET") | {"mu_bps": mu_bps, "edge_needed_bps": 8.75}

    said = f"Had the forecast been below 8.75 bps in size (it was {mu_bps:+.2f} bps), nothing would have been done."
    assert said == _fill_in(taken | {"reason_code": Reason.TARGET_SET}, "change")


def test_a_likely_turn_names_its_limit(tmp_path):
    """What would have changed a refusal by the barriers is the forecast's own figure against the setting of the run."""
    (tmp_path / "manifest.json").write_text(json.dumps({"config": {"barriers": {"block_above": 0.45}}}))

    assert "barriers.block_above = 0.45" == _turn_limit(tmp_path)
    assert "barriers.block_above" == _turn_limit(tmp_path / "none")
    assert TURN_LIMIT in MEANINGS[Reason.BARRIER_VALLEY].change


def test_a_likely_turn_is_told_with_its_chance(run_dir, tmp_path):
    """A refusal by the barriers says how likely the turn was; a run from before that column says a dash."""
    decisions = pq.read_table(run_dir / "decisions.parquet")
    row = next(row for row in decisions.to_pylist() if row["reason"] == "GATE_COST")
    told = {**row, "reason_code": int(Reason.BARRIER_VALLEY), "p_peak": 0.2, "p_valley": 0.714}

    assert "Refused: the chance that this is a valley, 0.71, was too high for a short." == _fill_in(told, "sentence")
    assert "a peak, 0.20, was" in _fill_in(told | {"reason_code": int(Reason.BARRIER_PEAK)}, "sentence")
    del told["p_valley"]
    assert "a valley, -, was" in _fill_in(told, "sentence")


def test_every_decision_holds_the_chances_of_a_turn(run_dir):
    """The likeliest peak and valley of its forecasts stand in the row, and in what `explain` returns; unknown ones are empty."""
    decisions = pq.read_table(run_dir / "decisions.parquet").to_pandas()
    row = first(run_dir, "TARGET_SET")
    answer = explain(run_dir, row["symbol"], int(row["ts_ns"]))

    assert (0.25, 0.75) == (answer["forecast"]["p_peak"], answer["forecast"]["p_valley"])
    assert decisions.loc[decisions["reason"] == "STALE_QUOTE", ["p_peak", "p_valley"]].isna().all(axis=None)


def test_the_decision_in_force_is_the_last_one_at_or_before(run_dir):
    """One nanosecond before a decision, the one before it is still in force."""
    decisions = pd.read_parquet(run_dir / "decisions.parquet")
    own = decisions[decisions["symbol"] == "MSFT"]

    answers = [explain(run_dir, "MSFT", int(own["ts_ns"].iloc[5]) - back) for back in (0, 1)]

    assert own["decision_id"].iloc[[5, 4]].tolist() == [answer["decision_id"] for answer in answers]
    assert [et_stamp(int(ts)) for ts in own["ts_ns"].iloc[[6, 5]]] == [answer["next_decided"] for answer in answers]


@pytest.mark.parametrize(
    ("symbol", "at_ns", "message"),
    [
        ("MSFTT", OPEN_NS, r"symbol 'MSFTT' is not in this run, which has AAPL, MSFT; did you mean 'MSFT'\?"),
        ("AAPL", CLOSE_NS + 1, r"lies outside the run, which covers 2026-03-02 09:30:00 ET to 2026-03-02 16:00:00 ET"),
        (
            "AAPL",
            OPEN_NS,
            r"no decision on 'AAPL' at or before 2026-03-02 09:30:00.000 ET: the first came at 2026-03-02 09:35:00",
        ),
    ],
)
def test_a_question_without_an_answer_is_refused_in_one_sentence(run_dir, symbol, at_ns, message):
    """An unknown symbol, a time outside the run and a time before the first decision each say what there is instead."""
    with pytest.raises(UsageError, match=message):
        explain(run_dir, symbol, at_ns)


def test_an_explanation_can_be_shown(run_dir):
    """The page holds the sentence, the cost and the orders."""
    row = first(run_dir, "TARGET_SET")
    console = Console(width=80, record=True, file=io.StringIO())

    console.print(render(explain(run_dir, row["symbol"], int(row["ts_ns"]))))

    text = console.export_text()
    assert "Taken: the 15-minute forecast of" in text
    assert "Order" in text
    assert "known to us" in text


def test_an_explanation_names_the_limit_that_cut_the_target(run_dir):
    """A target that was cut says by what, and what the limits did without; one that was not says neither."""
    cut, free = first(run_dir, "TARGET_SET"), first(run_dir, "EXIT_HORIZON")
    told = explain(run_dir, cut["symbol"], int(cut["ts_ns"]))
    plain = explain(run_dir, free["symbol"], int(free["ts_ns"]))

    assert (["net limit reached"], ["volume"]) == (told["limited_by"], told["limits_did_without"])
    assert ([], []) == (plain["limited_by"], plain["limits_did_without"])


def test_a_refused_target_is_not_shown_as_one_in_force(run_dir):
    """What a refused decision would have wanted is called refused; a taken one has a target, one without a wish none."""
    answer = explain(run_dir, "MSFT", CLOSE_NS)
    asked = {**answer["plan"], "target_qty": -121, "change_qty": -121}
    silent = {**answer["plan"], "target_qty": 0, "change_qty": 0}
    shown = [
        {**answer, "is_taken": False, "reason": "NOT_REBALANCE_TIME", "plan": asked},
        {**answer, "is_taken": False, "reason": "GATE_COST", "plan": silent},
        {**answer, "is_taken": True, "reason": "TARGET_SET", "plan": asked},
    ]
    texts = []
    for told in shown:
        console = Console(width=80, record=True, file=io.StringIO())
        console.print(render(told))
        texts.append(console.export_text())

    expected = ["held; a target of -121 was refused", "held, no new target", "held, target -121"]
    assert [True] * 3 == [words in text for words, text in zip(expected, texts, strict=True)]


def test_an_arbiter_that_fell_back_says_why(run_dir):
    """A decision by the original arbiter names what kept the mixture out; one that never asked for it says nothing."""
    taken, refused = (first(run_dir, reason) for reason in ("TARGET_SET", "GATE_COST"))
    told = [explain(run_dir, row["symbol"], int(row["ts_ns"]))["arbiter_fallback"] for row in (taken, refused)]

    assert [["the original arbiter chose: the model was trained longer ago than `arbiter.model_age_max_days`"], []] == told
    assert {Fallback.NONE, Fallback.NOT_ASKED} == set(Fallback) - set(FALLBACKS)


def test_every_reason_has_its_words():
    """No reason code is without phrase, sentence and what would have changed it."""
    assert set(Reason) == set(MEANINGS)
    assert all(all(meaning) for meaning in MEANINGS.values())
