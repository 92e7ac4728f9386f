"""Who acted in a run: breakers as events, the shadow in numbers and words."""

import io
import json

import numpy as np
import pytest
from rich.console import Console

from replay import ledger
from replay.explain import explain
from replay.explain_view import render
from replay.forms import breaker_events, forms_summary
from replay.summary import RunFacts, summarize
from replay.summary_view import form_lines
from replay.tables import write_tables
from strategy.decision import Component, Reason
from tests.report.worlds import CONTEXT, OPEN_NS, S_NS, decision, marks, rows

GATE, COST = 1 << Component.GATE, 1 << Component.COST


def decisions_of(*parts):
    whole = np.concatenate(parts)
    whole["decision_id"] = np.arange(1, len(whole) + 1)
    return whole


def test_a_breaker_tells_when_it_opens_fails_its_trial_and_closes():
    """Each change is one event, with time, component and symbol; a breaker that stays open is no news."""
    own = [
        decision(0, Reason.COMPONENT_ERROR, symbol=1, status=GATE),
        decision(1, Reason.COMPONENT_ERROR, symbol=1, status=GATE, breaker=GATE),
        decision(2, Reason.TARGET_KEPT, symbol=1, breaker=GATE, as_original=GATE),
        decision(3, Reason.COMPONENT_ERROR, symbol=1, status=GATE, breaker=GATE),
        decision(4, Reason.TARGET_KEPT, symbol=1, breaker=GATE | COST, as_original=GATE),
        decision(5, Reason.TARGET_KEPT, symbol=1, breaker=COST, as_original=COST),
    ]
    events = breaker_events(decisions_of(*own, decision(2, Reason.TARGET_KEPT, symbol=0)), CONTEXT)

    assert ["opened", "failed", "opened", "acts"] == [event["message"].split(": ")[1].split()[0].strip(",") for event in events]
    assert [1, 3, 4, 5] == [(event["ts_ns"] - OPEN_NS) // S_NS for event in events]
    assert ["gate", "gate", "cost", "gate"] == [event["component"] for event in events]
    assert ({"MSFT"}, ["WARN"] * 3 + ["PASS"]) == ({event["symbol"] for event in events}, [event["status"] for event in events])


def shadowed():
    """Three decisions with a shadow over a price that rises by one per cent in five minutes, one without."""
    known = {"mid2": 2_000_000, "horizon_min": 5, "position_qty": 0}
    return decisions_of(
        decision(60, Reason.TARGET_SET, target_qty=100, shadow_reason=Reason.TARGET_SET, shadow_target_qty=100, **known),
        decision(60, Reason.NO_TRADE_BAND, target_qty=200, shadow_reason=Reason.GATE_COST, shadow_target_qty=0, **known),
        decision(60, Reason.STALE_QUOTE, target_qty=50, shadow_reason=Reason.TARGET_SET, shadow_target_qty=-100, **known),
        decision(61, Reason.TARGET_SET, target_qty=100, **known),
    )


MARKS = marks((60, 0, 999_900, 1_000_100), (300, 0, 1_009_900, 1_010_100), (400, 0, 1_009_900, 1_010_100))


def test_the_shadow_is_summed_up():
    """Two of three differ, both in side; a dollar more of a price that rose by a hundred points was worth a hundred points."""
    summary = forms_summary(shadowed(), ledger.Mids(MARKS), CONTEXT)["shadow"]

    assert (3, 2, 2) == (summary["decisions"], summary["differ"], summary["differ_in_side"])
    assert (2, 2, 2) == (summary["moves"], summary["shadow_moves"], summary["outcomes"])
    assert summary["worth_bps"] == pytest.approx(100.0)


def test_a_quiet_run_says_nothing_of_forms():
    """Without breakers, originals and shadow the summary is silent."""
    summary = summarize(rows(decisions=decisions_of(decision(1, Reason.GATE_COST)), marks=MARKS), CONTEXT, RunFacts())

    assert ([], None) == (form_lines(summary), summary["shadow"])


def test_summary_and_explanation_show_both_sides(tmp_path):
    """The summary has a line on the shadow, and an explanation what each side wanted and which breaker is open."""
    decisions = shadowed()
    decisions["breaker"][1], decisions["as_original"][1], decisions["status"][2] = GATE, GATE, COST
    whole = rows(decisions=decisions, marks=MARKS)
    write_tables(tmp_path, whole, CONTEXT)
    answer = explain(tmp_path, "AAPL", OPEN_NS + 60 * S_NS)
    lines = form_lines(summarize(whole, CONTEXT, RunFacts()))
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(render(answer))
    text = console.export_text()

    json.dumps(answer, allow_nan=False)
    assert ("TARGET_SET", -100, ["cost"]) == (
        answer["shadow"]["reason"],
        answer["shadow"]["target_qty"],
        answer["failed_components"],
    )
    assert "the side that does not trade wanted -100" in text
    assert any("another target in 67 % of 3 decisions" in line for line in lines)
    assert any(line.startswith("in original form: gate 1") for line in lines)
