"""The horizon arbiter."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from replay.settings import as_row
from strategy.arbiter import HorizonArbiter
from strategy.decision import Reason
from strategy.scores import ArbiterSettings, choose
from tests.naive import arbiter as naive
from tests.strategy.desks import edges, make_decision, make_features, make_legs

SETTINGS = ArbiterSettings(reserve_bps=0.5)

finite = st.floats(-50.0, 50.0)
costs = st.floats(0.0, 30.0)
volumes = st.sampled_from([0.0, 0.5, 2.0, 20.0])
legs_of = st.lists(st.tuples(finite, costs, st.sampled_from([-1, 0, 1])), min_size=1, max_size=5).map(
    lambda rows: [(h, *row) for h, row in zip((5, 10, 15, 30, 60), rows, strict=False)]
)


def chosen(rows, vol_bps, settings=SETTINGS, bid=100_000):
    legs = make_legs([(h, mu, 10.0, cost, side) for h, mu, cost, side in rows])
    legs["is_alive"] = [math.isfinite(mu) and math.isfinite(cost) for _, mu, cost, _ in rows]
    decision = make_decision(edge_needed_bps=1.0)
    features = make_features(vol_bps, bid=bid, ask=100_100 if bid else 0)
    return Reason(choose(0, legs, len(legs), features, as_row(settings), decision)), legs, decision[0]


@pytest.mark.jit_off
@given(legs_of, volumes, st.sampled_from([0, 100_000]))
def test_arbiter_equals_the_plain_twin(rows, vol_bps, bid):
    """Scores, reason and chosen horizon equal the twin's."""
    reason, legs, decision = chosen(rows, vol_bps, bid=bid)
    spread = 20_000.0 * 100 / 200_100 if bid else math.nan
    expected, best = naive.choose(rows, spread, vol_bps, SETTINGS)

    assert expected == reason.name
    if best is not None:
        scores = [naive.score(mu, h, spread, vol_bps, SETTINGS) for h, mu, _, side in rows if side]
        assert pytest.approx(scores) == [leg["score"] for leg in legs if leg["side"] != 0]
        assume(len(scores) == 1 or max(scores) - sorted(scores)[-2] > 1e-9)
        h, mu, cost, side = rows[best]
        assert (h, mu, cost, side) == tuple(decision[name] for name in ("horizon_min", "mu_bps", "cost_bps", "side"))
        assert pytest.approx(max(1.0, cost + 0.5)) == decision["edge_needed_bps"]


@pytest.mark.jit_off
@given(legs_of, volumes, st.sampled_from(["original", "off"]))
def test_weights_are_one_hot_or_nothing(rows, vol_bps, mode):
    """Weights are not negative and sum to one as soon as there is a choice, to zero otherwise."""
    _, legs, decision = chosen(rows, vol_bps, ArbiterSettings(mode=mode))
    total = decision["weights"].sum()

    assert legs["weight"].tolist() == decision["weights"][: len(legs)].tolist()
    assert set(decision["weights"].tolist()) <= {0.0, 1.0}
    assert total == (1.0 if decision["horizon_min"] else 0.0)


@given(legs_of, volumes)
def test_arbiter_is_its_own_mirror(rows, vol_bps):
    """With all signs exchanged the same horizon is taken on the other side."""
    reason, _, decision = chosen(rows, vol_bps)
    mirrored_reason, _, mirrored = chosen([(h, -mu, cost, -side) for h, mu, cost, side in rows], vol_bps)

    assert (reason, decision["horizon_min"], -decision["side"]) == (mirrored_reason, mirrored["horizon_min"], mirrored["side"])


@given(legs_of, volumes, st.floats(0.0, 10.0))
def test_a_dearer_market_never_opens_an_entry(rows, vol_bps, extra_bps):
    """Raising all costs never turns a refusal into an entry."""
    assume(chosen(rows, vol_bps)[0] != Reason.TARGET_SET)

    assert Reason.TARGET_SET != chosen([(h, mu, cost + extra_bps, side) for h, mu, cost, side in rows], vol_bps)[0]


@pytest.mark.jit_off
@given(st.lists(st.tuples(edges, edges), min_size=2, max_size=2), edges, edges)
def test_the_class_never_chooses_a_nan(pairs, spread_bps, vol_bps):
    """Whatever nonsense comes in, an entry has a finite edge above the reserve."""
    mu, cost = zip(*pairs, strict=True)
    choice = HorizonArbiter([5, 30]).choose(mu, cost, [1, -1], spread_bps=spread_bps, vol_bps=vol_bps)

    assert choice.reason != Reason.TARGET_SET or 1.0 < choice.net_edge_bps < math.inf


def test_ties_go_to_the_shorter_horizon():
    """Equal scores: the first leg wins."""
    settings = ArbiterSettings(spread_weight=0.0, vol_weight=0.0, impact_weight=0.0)
    reason, _, decision = chosen([(5, 4.0, 1.0, 1), (20, 8.0, 1.0, 1)], 1.0, settings)

    assert (Reason.TARGET_SET, 5) == (reason, decision["horizon_min"])


def test_a_refusal_names_the_edge_that_was_needed():
    """Below cost + reserve the leg is written down with what it would have needed."""
    reason, _, decision = chosen([(5, 2.0, 1.8, 1)], 1.0)

    assert (Reason.ARBITER_RESERVE, 2.0, 2.3) == (reason, decision["mu_bps"], decision["edge_needed_bps"])


def test_off_takes_the_first_open_leg_without_reserve():
    """Without the arbiter the shortest open horizon enters."""
    reason, _, decision = chosen([(5, 0.1, 9.0, 0), (10, 0.1, 9.0, -1), (30, 9.0, 1.0, 1)], 0.0, ArbiterSettings(mode="off"))

    assert (Reason.TARGET_SET, 10) == (reason, decision["horizon_min"])
