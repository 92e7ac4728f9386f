"""Queue models against the fate of real orders of two exchanges: what holds on any day, not the figures of one."""

import json

import pytest

pytestmark = pytest.mark.slow

CASES = [
    ("databento", "mbo/es/*.csv.xz", "join", 3_000, {"same": 0.70, "never": 0.05, "wrong": 0.03}),
    ("lobster", "mbo/lobster_aapl/*.csv", "join", 1_000, {"same": 0.927, "never": 0.01, "wrong": 0.001}),
    ("lobster", "mbo/lobster_aapl/*.csv", "improve", 1_000, {"same": 0.98, "never": 0.01, "wrong": 0.001}),
]


@pytest.mark.parametrize(("fmt", "pattern", "kind", "n_least", "bounds"), CASES)
def test_behind_first_meets_the_fate_of_real_orders(replay, real_data, tmp_path, fmt, pattern, kind, n_least, bounds) -> None:
    """Of the real orders at the touch, most fill at the instant of their real fill, few never, and few that were cancelled."""
    made = replay("import", fmt, *sorted(real_data.glob(pattern)), "--out", "days", "--no-progress", "--json")
    assert 0 == made.exit_code, made.err
    told = replay("validate", "fills", *sorted((tmp_path / "days").iterdir()), "--resamples", 50, "--no-progress", "--json")
    assert 0 == told.exit_code, told.err
    rows = [row for row in json.loads(told.out)["scores"] if (row["by"], row["kind"]) == ("all", kind)]
    found = {(row["model"], row["metric"]): row["value"] for row in rows}

    assert n_least <= sum(row["n"] for row in json.loads(told.out)["orders"] if row["kind"] == kind)
    assert bounds["same"] <= found["behind_first", "same"]
    assert found["behind_first", "never"] <= bounds["never"]
    assert found["behind_first", "wrong"] <= bounds["wrong"]
    assert found["trades_only", "same"] <= found["behind_first", "same"]
    assert found["behind_first", "wrong"] <= found["all_ahead", "wrong"]


def test_exact_fifo_meets_nearly_every_fate(replay, real_data, tmp_path) -> None:
    """On the stock's messages the exact queue fills 99 in 100 joins at their instant and nearly no cancelled order."""
    replay("import", "lobster", *sorted(real_data.glob("mbo/lobster_aapl/*.csv")), "--out", "days", "--no-progress")
    (day,) = (tmp_path / "days").iterdir()
    told = replay("validate", "fills", day, "--model", "fifo", "--no-bands", "--resamples", 0, "--no-progress", "--json")
    found = {row["metric"]: row["value"] for row in json.loads(told.out)["scores"] if (row["by"], row["kind"]) == ("all", "join")}

    assert found["same"] >= 0.99
    assert found["wrong"] <= 0.002


@pytest.mark.parametrize("feed", ["snapshots-250ms", "reordered", "seconds"])
def test_bands_of_a_poorer_feed_hold_the_fates(replay, real_data, tmp_path, feed) -> None:
    """Between the pessimistic and the optimistic run lie the real number of fills and nearly all fates."""
    replay("import", "databento", *sorted(real_data.glob("mbo/es/*.csv.xz")), "--out", "days", "--no-progress")
    (day,) = (tmp_path / "days").iterdir()
    asked = ("--model", "behind_first", "--degrade", feed, "--resamples", 0, "--no-progress", "--json")
    told = replay("validate", "fills", day, *asked)
    rows = [row for row in json.loads(told.out)["coverage"] if row["feed"] == feed]

    assert {True} == {row["is_covered"] for row in rows}
    assert min(row["held"] for row in rows) > 0.95
