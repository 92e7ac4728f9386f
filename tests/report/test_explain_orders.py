import io
import json

import numpy as np
import pytest
from rich.console import Console

from replay.errors import UsageError
from replay.explain import explain, render
from replay.explain_orders import activity
from replay.orders import ORDER_LOG, OrderType, State
from replay.tables import write_tables
from tests.report.worlds import BUY, CONTEXT, OPEN_NS, S_NS, SELL, fill, marks, rows


def state(second: float, order_id: int, what: State, filled_qty: int = 0, side: int = BUY) -> np.ndarray:
    row = np.zeros(1, ORDER_LOG)
    row["ts_ns"], row["order_id"], row["state"], row["side"] = OPEN_NS + int(second * S_NS), order_id, what, side
    row["qty"], row["filled_qty"], row["leaves_qty"], row["limit_price"] = 100, filled_qty, 100 - filled_qty, 1_000_000
    row["type"] = OrderType.LIMIT
    return row


@pytest.fixture
def own_run(tmp_path):
    """Make the run of a strategy of one's own: two orders, one filled, one cancelled."""
    states = [
        state(10, 1, State.SENT),
        state(10.1, 1, State.WORKING),
        state(12, 1, State.PARTIAL, 40),
        state(20, 2, State.SENT, side=SELL),
        state(20.1, 2, State.WORKING, side=SELL),
        state(30, 1, State.FILLED, 100),
        state(40, 2, State.CANCEL_SENT, side=SELL),
        state(41, 2, State.CANCELLED, side=SELL),
    ]
    fills = [fill(11.9, BUY, 40, 1_000_000, order_id=1, rule=7), fill(29.9, BUY, 60, 1_000_000, order_id=1, rule=8)]
    touch = marks((0, 0, 999_900, 1_000_100), (15, 0, 1_000_000, 1_000_200))
    write_tables(tmp_path, rows(orders=np.concatenate(states), fills=np.concatenate(fills), marks=touch), CONTEXT)
    named = {"name": "/home/me/mine.py:Mine", "digest": "x"}
    (tmp_path / "manifest.json").write_text(json.dumps({"inputs": {"strategy": named}}))
    return tmp_path


def test_an_own_strategy_shows_what_is_known(own_run):
    """Position, orders alive, requests before and after, fills and the touch are those of the moment."""
    answer = explain(own_run, "AAPL", OPEN_NS + 25 * S_NS)

    json.dumps(answer, allow_nan=False)
    assert (None, 40) == (answer["decision_id"], answer["position_qty"])
    assert [(1, 60), (2, 100)] == [(order["order_id"], order["leaves_qty"]) for order in answer["working"]]
    assert ["SENT", "SENT", "CANCEL_SENT"] == [request["state"] for request in answer["requests"]]
    assert (20, 40) == tuple((answer[key] - OPEN_NS) // S_NS for key in ("last_request_ns", "next_request_ns"))
    assert [40, 60] == [filled["qty"] for filled in answer["fills"]]
    assert (100.0, 100.02) == (answer["touch"]["bid"], answer["touch"]["ask"])
    assert "The own strategy mine.py:Mine" in answer["sentence"]


@pytest.mark.parametrize(
    ("second", "said"), [(5, "nothing had been asked for by then"), (25, "left at 2026-03-02 09:30:20.000 ET")]
)
def test_what_is_known_is_shown_without_the_pipeline(own_run, second, said):
    """The page names requests, both clocks and the rules, and holds no forecast, cost or gate."""
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(render(explain(own_run, "AAPL", OPEN_NS + second * S_NS)))
    text = " ".join(console.export_text().split())

    for wanted in (said, "Own requests within a minute", "at the exchange", "through (8)", "known to us", "Next request"):
        assert wanted in text
    for unwanted in ("Forecast", "Cost", "Edge", "decision None", "What would have changed"):
        assert unwanted not in text


def test_only_the_nearest_minute_and_six_on_each_side_are_shown():
    """Of many requests, the six before and the six after the moment remain, and none further than a minute."""
    asked = [
        {"ts_ns": second * S_NS, "state": "SENT", "order_id": second, "side": "BUY", "filled_qty": 0} for second in range(300)
    ]
    fixed = dict.fromkeys(
        ("type", "tif", "limit_price", "leaves_qty", "decision_id", "ahead_qty_simulated", "ahead_qty_estimated")
    )
    asked = [{**fixed, "qty": 1, **request} for request in asked]

    near = activity(asked, [], [], 100 * S_NS)["requests"]
    sparse = activity(asked[::50], [], [], 100 * S_NS)["requests"]

    assert list(range(95, 107)) == [request["order_id"] for request in near]
    assert [50, 100, 150] == [request["order_id"] for request in sparse]


def test_a_symbol_without_decisions_in_a_run_that_has_some_is_refused(run_dir):
    """Before the first decision of a symbol the answer names when it came."""
    with pytest.raises(UsageError, match="the first came at 2026-03-02 09:35:00"):
        explain(run_dir, "MSFT", OPEN_NS)
