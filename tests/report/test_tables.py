import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from replay.errors import DataError
from replay.orders import ORDER_LOG, OrderType, State
from replay.tables import RunContext, decisions_table, fills_table, orders_table, read_context, write_tables
from strategy.decision import Reason
from tests.report.worlds import BUY, CONTEXT, OPEN_NS, decision, fill, rows

DECISIONS = (
    "decision_id ts_ns cycle symbol reason side horizon_min forecast_id mu_bps q_lo_bps q_hi_bps cost_bps edge_needed_bps "
    "quality target_qty weights features breaker outcome_bps"
)
ORDERS = (
    "ts_ns order_id parent_id decision_id slice order_ref perm_id symbol side type limit_price qty filled_qty leaves_qty tif "
    "work_ns state ack_ts_ns ahead_qty_simulated ahead_qty_estimated reason"
)
FILLS = (
    "fill_id exec_id ts_ns order_id decision_id symbol side price qty liquidity venue fee_usd fee_reported_usd rule evidence "
    "ahead_qty_before ahead_qty_after latency_ns mid_at_decision mid_at_arrival mid_at_fill band"
)


@pytest.mark.parametrize(("name", "columns"), [("decisions", DECISIONS), ("orders", ORDERS), ("fills", FILLS)])
def test_tables_have_the_promised_columns(run_dir, name, columns):
    """Every column of the public face is there."""
    held = pq.read_schema(run_dir / f"{name}.parquet").names

    assert [] == [column for column in columns.split() if column not in held]


def test_every_table_of_a_run_is_written_even_when_nothing_happened(tmp_path):
    """A run without a single row leaves all tables, empty and readable."""
    write_tables(tmp_path, rows(), CONTEXT)

    names = "cycles decisions equity fills marks orders positions round_trips"
    assert names.split() == sorted(path.stem for path in tmp_path.glob("*.parquet"))
    assert all(len(pd.read_parquet(path)) == 0 for path in tmp_path.glob("*.parquet"))


def test_codes_become_words_and_integers_dollars():
    """A fill reads BUY, ADD, its venue, its evidence, and dollars."""
    table = fills_table(fill(1, BUY, 100, 1_234_500, fee_micros=350_000, venue=1), CONTEXT, 7)

    (row,) = table.to_pylist()
    assert (7, "AAPL", "BUY", "ADD", "ARCA", "snapshot_250ms") == tuple(
        row[key] for key in ("fill_id", "symbol", "side", "liquidity", "venue", "evidence")
    )
    assert (123.45, 0.35, 123.45) == (row["price"], row["fee_usd"], row["mid_at_fill"])


def test_what_is_unknown_is_null():
    """An unknown queue, venue or mid is null, NaN or empty, never a number."""
    table = fills_table(fill(1, BUY, 100, 100, ahead_qty_before=-1, venue=-1, mid2_at_arrival=0), CONTEXT)

    (row,) = table.to_pylist()
    assert (None, "") == (row["ahead_qty_before"], row["venue"])
    assert np.isnan(row["mid_at_arrival"])


def test_a_market_order_has_no_limit_price():
    """The limit price of a market order is NaN."""
    row = np.zeros(1, ORDER_LOG)
    row["type"], row["state"] = OrderType.MARKET, State.SENT

    assert np.isnan(orders_table(row, CONTEXT)["limit_price"][0].as_py())


def test_a_decision_keeps_weights_and_features_together():
    """Weights are a list in the order of the horizons, features a struct by name; the reason has word and code."""
    made = decision(0, Reason.GATE_COST)
    made["weights"][0, :2], made["features"][0, 2] = (0.25, 0.75), -0.5

    (row,) = decisions_table(made, CONTEXT).to_pylist()
    assert [0.25, 0.75] == row["weights"]
    assert -0.5 == row["features"]["imbalance"]
    assert ("GATE_COST", 41) == (row["reason"], row["reason_code"])


def test_long_tables_are_written_in_parts(tmp_path, monkeypatch):
    """Cutting a table into row groups changes no row, and fill ids run on."""
    monkeypatch.setattr("replay.tables.ROWS_PER_GROUP", 2)
    fills = np.concatenate([fill(k, BUY, 1, 100) for k in range(5)])

    write_tables(tmp_path, rows(fills=fills), CONTEXT)

    assert [0, 1, 2, 3, 4] == pd.read_parquet(tmp_path / "fills.parquet")["fill_id"].tolist()
    assert 3 == pq.ParquetFile(tmp_path / "fills.parquet").num_row_groups


def test_the_context_comes_back_from_the_tables(run_dir):
    """What turns codes into words can be read from any table of the run."""
    assert CONTEXT == read_context(run_dir)
    assert CONTEXT == RunContext.from_json(CONTEXT.to_json())


def test_a_folder_without_a_run_is_refused(tmp_path):
    """Reading a run from an empty folder says which file is missing."""
    with pytest.raises(DataError, match=r"decisions\.parquet is missing"):
        read_context(tmp_path)


def test_round_trips_name_what_the_entry_promised(run_dir):
    """A round trip carries horizon, edge and staleness of the decision that opened it, and why it was closed."""
    trips = pd.read_parquet(run_dir / "round_trips.parquet")

    assert len(trips) > 10
    assert {15} == set(trips["horizon_min"])
    assert {"EXIT_HORIZON"} == set(trips["exit_reason"])
    assert {9.5} == set(trips["edge_bps"])
    assert (trips["entry_ts_ns"] > OPEN_NS).all()
