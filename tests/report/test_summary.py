import io
import json
import re

import numpy as np
from rich.console import Console

from fills import exchange
from fills.venue import Rule
from replay.orders import ORDER_LOG, State
from replay.summary import RunFacts, render, summarize
from replay.wording import FILL_RULES
from strategy.decision import Reason
from tests.report.worlds import BUY, CONTEXT, SELL, Maker, decision, fill, rows


def order(order_id: int, state: State, qty: int, filled_qty: int) -> np.ndarray:
    row = np.zeros(1, ORDER_LOG)
    row["order_id"], row["state"], row["qty"], row["filled_qty"] = order_id, state, qty, filled_qty
    return row


def text_of(summary: dict) -> list[str]:
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(render(summary))
    return console.export_text().splitlines()


def test_an_empty_run_has_a_summary():
    """A run without a decision can be summed up, written as JSON and shown."""
    summary = summarize(rows(), CONTEXT, RunFacts())

    json.dumps(summary, allow_nan=False)
    assert (0, 0, 0.0) == (summary["orders"], summary["fills"], summary["net_usd"])
    assert any("no decisions of the pipeline in this run" in line for line in text_of(summary))


def test_a_summary_fits_a_terminal_of_80_columns():
    """No line is longer than 80 columns, and the summary is JSON without NaN."""
    facts = RunFacts(
        events=1_234_567, wall_s=0.1, latency_ns={"feed_ns": 20_000_000, "outbound_ns": 30_000_000}, journal_digest="a" * 64
    )
    summary = summarize(Maker().day(), CONTEXT, facts)

    json.dumps(summary, allow_nan=False)
    assert max(len(line) for line in text_of(summary)) <= 80


def test_fill_rates_by_order_and_by_quantity():
    """Of two orders for 100 shares, one filled by half: half of the orders, a quarter of the shares."""
    orders = np.concatenate(
        [order(1, State.WORKING, 100, 0), order(2, State.CANCELLED, 100, 0), order(1, State.PARTIAL, 100, 50)],
    )

    summary = summarize(rows(orders=orders), CONTEXT, RunFacts())

    assert (2, 0.5, 0.25) == (summary["orders"], summary["fill_rate_orders"], summary["fill_rate_qty"])
    assert (1, 1) == (summary["orders_cancelled"], summary["orders_partly_filled"])


def test_slippage_is_positive_when_bad():
    """Buying and selling one basis point worse than the arrival mid is a slippage of +1 bps."""
    fills = np.concatenate(
        [fill(1, BUY, 100, 1_000_100, mid2_at_arrival=2_000_000), fill(2, SELL, 100, 999_900, mid2_at_arrival=2_000_000)]
    )

    assert 1.0 == round(summarize(rows(fills=fills), CONTEXT, RunFacts())["slippage_bps"], 9)


def test_a_shut_gate_says_what_it_would_have_needed():
    """When the gate never opened, one line compares the smallest need with the best forecast."""
    shut = {"horizon_min": 5, "sigma_bps": 10.0, "edge_needed_bps": 7.3}
    decisions = np.concatenate(
        [decision(1, Reason.GATE_COST, mu_bps=-4.1, **shut), decision(2, Reason.GATE_COST, mu_bps=2.0, **shut)]
    )

    gate = summarize(rows(decisions=decisions), CONTEXT, RunFacts())["gate"]

    assert "gate opened 0 %: needs edge/sigma above 0.73, yours at most 0.41" == gate["line"]


def test_warm_up_needs_no_edge():
    """What a gate in warm-up is told stands for nothing; beside a shut gate stands what its second rule would have opened."""
    seen = {"horizon_min": 5, "sigma_bps": 10.0}
    decisions = np.concatenate(
        [
            decision(1, Reason.GATE_NOT_READY, mu_bps=9.0, edge_needed_bps=6.0, mean_edge_bps=np.nan, **seen),
            decision(2, Reason.GATE_COST, mu_bps=-4.1, edge_needed_bps=7.3, mean_edge_bps=0.4, **seen),
        ]
    )
    line = 'gate opened 0 %: needs edge/sigma above 0.73, yours at most 0.41; by its mean edge (gate.rule = "mean_edge") it would'

    assert f"{line} have opened 50 %" == summarize(rows(decisions=decisions), CONTEXT, RunFacts())["gate"]["line"]


def test_decisions_that_never_met_the_gate_do_not_count_for_it():
    """A decision without a forecast, a stale one and an exit by the clock leave the open rate alone."""
    decisions = np.concatenate(
        [
            decision(1, Reason.NO_FORECAST),
            decision(2, Reason.STALE_QUOTE, is_stale=1),
            decision(3, Reason.EXIT_HORIZON),
            decision(4, Reason.TARGET_SET, side=1, horizon_min=5, edge_needed_bps=2.0),
            decision(5, Reason.GATE_COST, edge_needed_bps=2.0),
        ]
    )

    summary = summarize(rows(decisions=decisions), CONTEXT, RunFacts())

    assert (2, 1, 0.5) == tuple(summary["gate"][key] for key in ("judged", "opened", "open_rate"))
    assert (2, 1, 0) == (summary["decisions_taken"], summary["decisions_stale"], summary["decisions_stale_taken"])


def test_symbols_add_up_to_the_whole():
    """Profit, fees and counts of the symbols sum to those of the run."""
    summary = summarize(Maker().day(), CONTEXT, RunFacts())

    for key in ("gross_usd", "fee_usd", "net_usd", "fills", "orders", "turnover_usd"):
        assert round(summary[key], 6) == round(sum(row[key] for row in summary["by_symbol"]), 6)
    assert summary["decisions"] == sum(row["count"] for row in summary["stops"])


def test_every_fill_rule_has_its_name_and_its_line():
    """Each rule of the simulated exchange is named as the exchange names it, under its number, and says what it means."""
    assert {rule.value: rule.name.lower().replace("_", " ") for rule in Rule} == {n: rule.name for n, rule in FILL_RULES.items()}
    assert all(rule.meaning.endswith(".") for rule in FILL_RULES.values())


def test_the_numbers_of_the_fill_rules_stand_in_the_rule_book():
    """Every rule that can fill is a numbered paragraph of the exchange's own description."""
    numbered = set(map(int, re.findall(r"^    (\d+)\. ", exchange.__doc__, flags=re.MULTILINE)))

    assert set(FILL_RULES) - {0} <= numbered


def test_fills_are_counted_by_their_rule():
    """The summary counts fills and shares of each rule, by name and number."""
    made = np.concatenate([fill(1, BUY, 100, 100, rule=7), fill(2, BUY, 50, 100, rule=13), fill(3, BUY, 20, 100, rule=7)])

    told = summarize(rows(fills=made), CONTEXT, RunFacts())["fills_by_rule"]

    assert [("at price (7)", 2, 120), ("take (13)", 1, 50)] == [(r["name"], r["fills"], r["filled_qty"]) for r in told]


def test_the_codes_of_assumptions_are_explained():
    """Queue model, fees and evidence stand with what they mean; a name that is no code stays as it is."""
    told = {"queue model": "behind_first", "evidence": "tick_by_tick, bars", "forecasts": "mine.parquet"}
    text = " ".join(" ".join(text_of(summarize(rows(), CONTEXT, RunFacts(assumptions=told)))).split())

    assert "behind_first: who cancels stood behind us (pessimistic)" in text
    assert "tick_by_tick: every change recorded; bars: no quotes between bars" in text
    assert "Forecasts mine.parquet" in text


def test_a_run_without_decisions_says_who_sent_the_orders():
    """An own strategy has no gate and no reasons; the summary says so and leaves their table out."""
    text = text_of(summarize(rows(orders=order(1, State.SENT, 100, 0)), CONTEXT, RunFacts()))

    assert any("no decisions of the pipeline: an own strategy sends its orders itself" in line for line in text)
    assert not any("How decisions ended" in line for line in text)
