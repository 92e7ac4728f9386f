"""What a run's figures are summed from."""

import numpy as np
import pandas as pd
import pytest

from replay import ledger
from replay.compare.execution import MARKOUT_S, PARTS, fill_costs
from replay.compare.sums import Stretches, Trips, sums_of
from replay.tables import RunContext, SessionSpan
from tests.compare.runs import write_run
from tests.report.worlds import CLOSE_NS, CONTEXT, OPEN_NS, S_NS, Maker


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("compare") / "run")


def test_parts_of_the_cost_add_up(folder):
    """Spread, impact, timing and fees together are what was paid above the mid at the decision, plus fees."""
    costs, fills = fill_costs(folder, CONTEXT), pd.read_parquet(folder / "fills.parquet")
    side = np.where(fills.side == "BUY", 1, -1)
    paid = side * (fills.price - fills.mid_at_decision) * fills.qty + fills.fee_usd

    assert paid.to_list() == pytest.approx(sum(costs[part] for part in PARTS).tolist(), abs=1e-9)


def test_adverse_selection_is_the_markout_mirrored(folder):
    """The adverse dollars of a fill are minus the ledger's markout in bps, over the mid at the fill."""
    rows = Maker().day()
    costs = fill_costs(folder, CONTEXT)
    for delay_s in MARKOUT_S:
        told = ledger.markouts(rows.fills, ledger.Mids(rows.marks), CONTEXT, delay_s * S_NS)
        expected = np.nan_to_num(-told / 1e4 * rows.fills["mid2_at_fill"] / 2 / CONTEXT.scale * rows.fills["qty"])

        assert expected.tolist() == pytest.approx(costs[f"adverse_{delay_s}s_usd"].tolist(), abs=1e-6)


def test_sums_of_all_stretches_are_those_of_the_run(folder):
    """Nothing is lost or counted twice between stretches: trips, shares, decisions and profit agree with the tables."""
    sums = sums_of(folder, CONTEXT, Stretches.of(CONTEXT, 30))
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in ("round_trips", "fills", "decisions", "equity")}

    assert len(tables["round_trips"]) == sums["trips"].sum()
    assert (tables["round_trips"].net_usd <= 0).sum() == sums["bad_trips"].sum()
    assert tables["fills"].qty.sum() == sums["qty"].sum()
    assert len(tables["decisions"]) == sums["decisions"].sum()
    assert tables["equity"].net_usd.iloc[-1] == pytest.approx(sums["net_usd"].sum())


def test_a_decision_counts_as_stale_when_it_was_acted_on(folder):
    """A refusal because of stale data is no decision on stale data."""
    sums = sums_of(folder, CONTEXT, Stretches.of(CONTEXT, 30))
    decisions = pd.read_parquet(folder / "decisions.parquet")

    assert decisions.is_stale.any()
    assert 0.0 == sums["stale_taken"].sum()


def test_stretches_cover_each_session_and_no_night():
    """Two days of six and a half hours are cut into thirteen half hours each; a short rest joins the one before."""
    day = 86_400 * S_NS
    spans = tuple(SessionSpan(day=str(k), start_ns=OPEN_NS + k * day, end_ns=CLOSE_NS + k * day + 60 * S_NS) for k in range(2))
    stretches = Stretches.of(RunContext(symbols=("A",), horizons_min=(5,), feature_names=(), sessions=spans), 30)

    assert 26 == len(stretches.starts_ns)
    assert [spans[0].end_ns + 1, spans[1].end_ns + 1] == stretches.ends_ns[[12, 25]].tolist()
    assert (stretches.ends_ns[:12] == stretches.starts_ns[1:13]).all()


def test_the_best_trips_are_kept_up_to_the_dollars_given():
    """Of trips of 100 dollars each, those with the highest edge stay, in their order of time, and at least one."""
    trips = Trips(np.arange(4), np.full(4, 100.0), np.arange(4.0), np.array([3.0, 9.0, 1.0, 7.0]))

    assert [1, 3] == trips.best(250.0).entry_ts_ns.tolist()
    assert [1] == trips.best(5.0).entry_ts_ns.tolist()
    assert [0, 1, 2, 3] == trips.best(400.0).entry_ts_ns.tolist()
