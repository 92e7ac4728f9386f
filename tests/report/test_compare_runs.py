from types import SimpleNamespace

import pandas as pd
import pytest

from replay.compare_runs import first_difference
from tests.report.worlds import write_run

TABLES = ("decisions", "orders", "fills", "cycles")


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Read the tables of a run made by hand."""
    folder = write_run(tmp_path_factory.mktemp("compared") / "run")
    return {name: pd.read_parquet(folder / f"{name}.parquet") for name in TABLES}


def changed(tables: dict, name: str, row: int, **values) -> SimpleNamespace:
    """Copy a run with some values of one row changed."""
    frame = tables[name].copy()
    for column, value in values.items():
        frame[column] = [value if k == row else kept for k, kept in enumerate(frame[column])]
    return SimpleNamespace(**{**tables, name: frame})


def test_equal_runs_have_no_difference(tables):
    """A run equals itself, unknown values included."""
    copied = {name: frame.copy() for name, frame in tables.items()}

    assert first_difference(SimpleNamespace(**tables), SimpleNamespace(**copied)) is None


def test_only_the_fields_that_differ_are_shown_in_plain_numbers(tables):
    """Of a decision with another feature and target, these two are told, old and new, and what the decision saw."""
    features = {**tables["decisions"]["features"].iloc[4], "vol_bps": 9.25}

    told = first_difference(SimpleNamespace(**tables), changed(tables, "decisions", 4, target_qty=777, features=features))

    head, *fields, seen = told.splitlines()
    assert "decisions row 4 at 2026-03-02 " in head
    assert ["  features.vol_bps: 8.1 on disk, 9.25 when repeated", "  target_qty: 0 on disk, 777 when repeated"] == sorted(fields)
    assert "saw mid " in seen
    assert "imbalance -0.2" in seen
    assert "np." not in told


def test_a_fill_that_differs_names_the_inputs_of_its_decision(tables):
    """A changed fill leads back to the decision that wanted it; the earliest difference of all tables is told."""
    row = tables["fills"].iloc[3]
    late = changed(tables, "orders", len(tables["orders"]) - 1, qty=1)

    told = first_difference(late, changed(tables, "fills", 3, qty=row["qty"] + 1))

    assert "fills row 3 at 2026-03-02 " in told
    assert f"qty: {row['qty']} on disk, {row['qty'] + 1} when repeated" in told
    assert f"decision {row['decision_id']} at " in told


def test_a_row_that_only_one_run_has_is_named(tables):
    """Where one run goes on, its first further row is named, and whose it is."""
    shorter = SimpleNamespace(**{**tables, "fills": tables["fills"].iloc[:-1]})

    told = first_difference(shorter, SimpleNamespace(**tables)), first_difference(SimpleNamespace(**tables), shorter)

    assert "only the repetition has" in told[0]
    assert "only the run on disk has" in told[1]
    assert f"fills row {len(tables['fills']) - 1} " in told[0]
