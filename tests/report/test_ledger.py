import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from replay import ledger
from strategy.decision import Reason
from tests.report.worlds import BUY, CONTEXT, OPEN_NS, S_NS, SELL, decision, fill
from tests.report.worlds import marks as mark_rows

ONE_CENT = 100
SCALE = CONTEXT.scale


def marks(*rows: tuple[int, int, int, int]) -> ledger.Mids:
    return ledger.Mids(mark_rows(*rows))


def both(*rows: np.ndarray) -> np.ndarray:
    return np.concatenate(rows)


def test_a_round_trip_goes_from_flat_to_flat():
    """Two buys and one sell make one round trip with average prices, both fees and the decisions at its ends."""
    fills = both(
        fill(10, BUY, 100, 1_000_000, fee_micros=1_000_000, decision_id=1),
        fill(20, BUY, 300, 1_004_000, fee_micros=1_000_000, decision_id=2),
        fill(30, SELL, 400, 1_010_000, fee_micros=2_000_000, decision_id=3),
    )

    (trip,) = ledger.round_trips(fills, marks())

    assert 400 == trip["qty"]
    assert 1_003_000.0 == trip["entry_price"]
    assert 1_010_000.0 == trip["exit_price"]
    assert 400 * 7_000.0 == trip["gross_usd"]
    assert 4.0 == trip["fee_usd"]
    assert (1, 3) == (trip["decision_id"], trip["exit_decision_id"])
    assert (OPEN_NS + 10 * S_NS, OPEN_NS + 30 * S_NS) == (trip["entry_ts_ns"], trip["exit_ts_ns"])


def test_a_fill_that_turns_the_position_ends_one_trip_and_opens_the_next():
    """Selling 300 from +100 closes a long of 100 and opens a short of 200, each with its share of the fee."""
    fills = both(
        fill(10, BUY, 100, 1_000_000),
        fill(20, SELL, 300, 1_001_000, fee_micros=3_000_000),
        fill(30, BUY, 200, 1_000_500),
    )

    trips = ledger.round_trips(fills, marks())

    assert [BUY, SELL] == trips["side"].tolist()
    assert [100, 200] == trips["qty"].tolist()
    assert [1.0, 2.0] == trips["fee_usd"].tolist()
    assert [100 * 1_000.0, 200 * 500.0] == trips["gross_usd"].tolist()


def test_an_open_position_is_no_round_trip():
    """What is still held at the end appears among the positions, not among the round trips."""
    fills = fill(10, BUY, 100, 1_000_000)

    assert 0 == len(ledger.round_trips(fills, marks()))
    assert [100] == ledger.positions(fills, marks(), CONTEXT)["qty"].tolist()


def test_worst_and_best_are_seen_from_the_side_of_the_trip():
    """For a short, a rise of the mid is the worst and a fall the best."""
    fills = both(fill(10, SELL, 100, 1_000_000), fill(40, BUY, 100, 1_000_000))
    seen = marks((10, 0, 999_900, 1_000_100), (20, 0, 1_000_900, 1_001_100), (30, 0, 997_900, 998_100))

    (trip,) = ledger.round_trips(fills, seen)

    assert (-10.0, 20.0) == (round(trip["worst_bps"], 6), round(trip["best_bps"], 6))


def test_equity_is_cash_plus_position_at_mid():
    """A long bought one cent below the mid shows one cent a share of profit at once, and its fee below it."""
    fills = fill(90, BUY, 100, 1_000_000, fee_micros=350_000)
    seen = marks((0, 0, 1_000_000, 1_000_200), (100, 0, 1_000_900, 1_001_100))

    path = ledger.equity(fills, seen, CONTEXT)

    assert [60, 90, 120] == ((path["ts_ns"] - OPEN_NS) // S_NS).tolist()
    assert [0.0, 1.0, 10.0] == path["gross_usd"].round(9).tolist()
    assert [0.0, 0.65, 9.65] == path["net_usd"].round(9).tolist()


def test_drawdown_counts_from_the_highest_net_profit():
    """After a profit of 10 and a fall to -5 the drawdown is 15, and it is never above zero."""
    fills = fill(30, BUY, 1_000, 1_000_000)
    seen = marks((0, 0, 999_900, 1_000_100), (60, 0, 1_000_000, 1_000_200), (120, 0, 999_850, 1_000_050))

    path = ledger.equity(fills, seen, CONTEXT)

    assert -15.0 == round(path["drawdown_usd"].min(), 6)
    assert (path["drawdown_usd"] <= 0).all()


def test_positions_split_profit_into_realized_and_unrealized():
    """Half of a long sold 2 cents higher realizes that half; the rest is marked to the last mid."""
    fills = both(fill(10, BUY, 200, 1_000_000), fill(20, SELL, 100, 1_000_200))
    seen = marks((30, 0, 1_000_300, 1_000_500))

    (held,) = ledger.positions(fills, seen, CONTEXT)

    assert (100, 1_000_000.0) == (held["qty"], held["average_price"])
    assert (2.0, 4.0) == (round(held["realized_usd"], 9), round(held["unrealized_usd"], 9))


def test_outcome_is_the_mid_return_over_the_horizon():
    """A decision on a mid of 100.00 with 100.10 five minutes later has an outcome of +10 bps, whatever its side."""
    row = decision(0, Reason.GATE_COST, horizon_min=5, mid2=2_000_000, side=-1)
    seen = marks((0, 0, 999_900, 1_000_100), (300, 0, 1_000_900, 1_001_100), (301, 0, 1, 3))

    assert [10.0] == ledger.outcomes(row, seen, CONTEXT).round(9).tolist()


def test_no_outcome_before_the_horizon_has_passed():
    """A horizon that ends after the session, or no horizon at all, leaves the outcome unknown."""
    late = decision(23_200, Reason.TARGET_SET, horizon_min=5, mid2=2_000_000)
    none = decision(10, Reason.NO_FORECAST, horizon_min=0, mid2=2_000_000)
    seen = marks((0, 0, 999_900, 1_000_100))

    assert np.isnan(ledger.outcomes(both(late, none), seen, CONTEXT)).all()


def test_markout_of_a_sell_is_good_when_the_price_falls():
    """A mid 5 bps lower ten seconds after a sell is a markout of +5 bps."""
    sold = fill(10, SELL, 100, 1_000_000)
    seen = marks((10, 0, 999_900, 1_000_100), (20, 0, 999_400, 999_600))

    assert [5.0] == ledger.markouts(sold, seen, CONTEXT, 10 * S_NS).round(9).tolist()


TRADES = st.lists(
    st.tuples(st.sampled_from([BUY, SELL]), st.integers(1, 500), st.integers(9_000, 11_000)), min_size=1, max_size=30
)


@given(TRADES)
def test_round_trips_and_what_is_left_add_up_to_the_equity(trades):
    """Gross profit of all round trips plus the open rest equals the last equity, whatever the fills."""
    fills = both(*(fill(k, side, qty, cents * ONE_CENT) for k, (side, qty, cents) in enumerate(trades)))
    seen = marks((len(trades), 0, 999_900, 1_000_100))

    path = ledger.equity(fills, seen, CONTEXT)
    (held,) = ledger.positions(fills, seen, CONTEXT)

    assert abs(path["gross_usd"][-1] - held["realized_usd"] - held["unrealized_usd"]) < 1e-6
    signed = (fills["side"] * fills["qty"]).sum()
    if signed == 0:
        assert abs(ledger.round_trips(fills, seen)["gross_usd"].sum() / SCALE - path["gross_usd"][-1]) < 1e-6
