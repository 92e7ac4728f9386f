"""What parents wanted, got and paid."""

import numpy as np
import pandas as pd
import pytest

from replay.compare.execution import fill_costs
from replay.compare.parents import shortfalls
from replay.orders import ORDER_LOG, State
from strategy.decision import Reason
from tests.compare.runs import write_run
from tests.report.worlds import CONTEXT, OPEN_NS, S_NS, decision, fill, marks, rows


def order(second, order_id, side, qty, state, **more):
    row = np.zeros(1, ORDER_LOG)
    row["ts_ns"], row["order_id"], row["side"], row["qty"], row["state"] = OPEN_NS + second * S_NS, order_id, side, qty, state
    for name, value in more.items():
        row[name] = value
    return row


def one_plan(**plan):
    """Buy 300, decided at a mid of 100.00: 100 in a first child, 80 of a second, the rest given up at 100.04 to 100.08."""
    planned = {"decision_id": 5, "plan_id": 9, "position_qty": 100, "target_qty": 400, "mid2": 2_000_000, "spread": 400} | plan
    decisions = [decision(10, Reason.TARGET_SET, **planned)]
    child = {"parent_id": 9, "decision_id": 5}
    orders = [
        order(2, 1, 1, 100, State.SENT, decision_id=0),
        order(10, 2, 1, 100, State.SENT, **child),
        order(20, 3, 1, 200, State.SENT, **child),
        order(40, 3, 1, 200, State.CANCELLED, **child),
    ]
    fills = [
        fill(3, 1, 100, 1_000_000, order_id=1),
        fill(15, 1, 100, 1_000_100, order_id=2, fee_micros=1_000_000),
        fill(25, 1, 80, 1_000_300, order_id=3, fee_micros=500_000, mid2_at_decision=2_000_600),
    ]
    quotes = marks((0, 0, 999_900, 1_000_100), (40, 0, 1_000_400, 1_000_800), (41, 0, 900_000, 900_100))
    parts = {"decisions": decisions, "orders": orders, "fills": fills}
    return rows(marks=quotes, **{name: np.concatenate(part) for name, part in parts.items()})


def test_what_was_never_filled_counts_at_the_touch_of_its_end(tmp_path):
    """Of 300 wanted 180 were bought for 1 + 2.40 dollars over the mid and 1.50 of fees; 120 would have cost 8 cents and a fee."""
    found = shortfalls(write_run(tmp_path / "run", rows=one_plan()), CONTEXT)

    assert [OPEN_NS + 2 * S_NS, OPEN_NS + 10 * S_NS] == sorted(found["ts_ns"])
    plan = np.argmax(found["ts_ns"])
    assert pytest.approx(30_000.0) == found["wanted_usd"][plan]
    assert pytest.approx(18_000.0) == found["got_usd"][plan]
    assert pytest.approx(1.0 + 2.4 + 1.5) == found["paid_usd"][plan]
    assert pytest.approx(120 * (0.08 + 1.5 / 280)) == found["missed_usd"][plan]


def test_a_later_child_is_judged_from_the_decision(tmp_path):
    """The market's move before the second child was sent is part of its cost: both fills count from the mid of 100.00."""
    costs = fill_costs(write_run(tmp_path / "run", rows=one_plan()), CONTEXT)
    above = costs["timing_usd"] + costs["impact_usd"] + costs["spread_usd"]

    assert [0.0, 1.0, 2.4] == pytest.approx(above.tolist())


def test_a_parent_never_wants_less_than_it_got(tmp_path):
    """A target that was cut after most of the parent had filled leaves nothing missed."""
    found = shortfalls(write_run(tmp_path / "run", rows=one_plan(target_qty=150)), CONTEXT)

    assert found["got_usd"].tolist() == found["wanted_usd"].tolist()
    assert [0.0, 0.0] == found["missed_usd"].tolist()


@pytest.mark.parametrize("second", [10, 11])
def test_a_fill_at_the_start_of_its_parent_is_not_what_it_found(tmp_path, second):
    """A plan that fills 100 of 300 in the very instant of its start still wanted 300; the 100 held before do not count."""
    run = one_plan()
    run.fills["ts_ns"][1] = OPEN_NS + second * S_NS
    found = shortfalls(write_run(tmp_path / "run", rows=run), CONTEXT)

    assert pytest.approx(30_000.0) == found["wanted_usd"][np.argmax(found["ts_ns"])]


def test_shortfalls_of_a_day_agree_with_a_walk_over_its_orders(tmp_path):
    """Order by order, in plain Python, a day on which every order stands alone has the same paid and missed dollars."""
    folder = write_run(tmp_path / "run")
    found = shortfalls(folder, CONTEXT)
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in ("orders", "fills", "decisions", "marks")}
    paid, missed = [], []
    sums = tables["fills"].groupby("symbol")[["fee_usd", "qty"]].sum()
    for order_id, life in tables["orders"].groupby("order_id"):
        side = 1 if life.side.iloc[0] == "BUY" else -1
        decided = tables["decisions"].set_index("decision_id").mid[life.decision_id.iloc[0]]
        own = tables["fills"][tables["fills"].order_id == order_id]
        paid.append(sum(side * (own.price - decided) * own.qty) + own.fee_usd.sum())
        seen = tables["marks"][(tables["marks"].symbol == life.symbol.iloc[0]) & (tables["marks"].ts_ns <= life.ts_ns.max())]
        touch = seen.ask.iloc[-1] if side > 0 else seen.bid.iloc[-1]
        fee = sums.fee_usd[life.symbol.iloc[0]] / sums.qty[life.symbol.iloc[0]]
        missed.append((side * (touch - decided) + fee) * (life.qty.max() - own.qty.sum()))

    assert sorted(paid) == pytest.approx(sorted(found["paid_usd"]))
    assert sorted(missed) == pytest.approx(sorted(found["missed_usd"]))
    assert any(missed)
