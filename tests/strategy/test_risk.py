"""The cap per name, and the limits of the enhanced form."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.settings import as_row
from strategy.correlation import judge_pairs, learn_minute
from strategy.decision import DECISION, Reason
from strategy.exposure import committed_qty, new_exposure
from strategy.features import new_features
from strategy.pipeline import StrategySettings
from strategy.plan import IDLE, WORKING, new_planner
from strategy.risk import CORRELATION_UNKNOWN, VOLUME_UNKNOWN, RiskModel, RiskSettings, cap
from strategy.sizing import SizingSettings
from tests.naive import risk as naive
from tests.strategy.desks import make_decision, make_desk, make_features
from tests.strategy.pipeline_world import MINUTE, OPEN, SECOND, clock_event, forecast, make_pipeline, run, warm_quotes

targets = st.integers(-100_000, 100_000)
lots = st.sampled_from([1, 10, 100])
caps = st.sampled_from([5.0, 1_234.5, 50_000.0])


def capped(target_qty, lot, cap_usd, mode="original", **book):
    decision, desk = make_decision(target_qty=target_qty), make_desk(lot=lot)
    for name, value in book.items():
        desk.book[name] = value
    params = as_row(RiskSettings(mode=mode, name_cap_usd=cap_usd))
    reason = cap(0, decision, desk, new_planner(1), make_features(), 100_000.0, new_exposure(1), params)
    return Reason(reason), int(decision[0]["target_qty"])


@pytest.mark.jit_off
@given(targets, lots, caps)
def test_cap_equals_the_plain_twin(target_qty, lot, cap_usd):
    """What is left equals the twin's; RISK_NAME_CAP when it is nothing."""
    reason, left_qty = capped(target_qty, lot, cap_usd)

    assert naive.cap(target_qty, 10.005, lot, cap_usd) == left_qty
    assert (Reason.RISK_NAME_CAP if target_qty and not left_qty else Reason.TARGET_SET) == reason


@given(targets, lots, caps)
def test_cap_is_never_exceeded_and_never_turns_a_target(target_qty, lot, cap_usd):
    """The value stays within the cap, the sign and the bound of the target hold, and capping twice changes nothing."""
    left_qty = capped(target_qty, lot, cap_usd)[1]

    assert abs(left_qty) * 10.005 <= cap_usd or left_qty == 0
    assert 0 <= left_qty * target_qty <= target_qty * target_qty
    assert left_qty == capped(left_qty, lot, cap_usd)[1]


@pytest.mark.parametrize("mid_usd", [0.0, -1.0, math.nan, math.inf])
def test_a_nonsense_price_allows_nothing(mid_usd):
    """Without a price there is no position."""
    assert 0 == RiskModel().cap(100, mid_usd)


def test_the_class_equals_the_kernel():
    """Dollars in, the kernel's shares out."""
    assert capped(90_000, 1, 50_000.0)[1] == RiskModel().cap(90_000, 10.005)


def test_no_quote_is_said():
    """Without a usable quote nothing can be capped."""
    assert Reason.NO_QUOTE == capped(5, 1, 50_000.0, bid_qty=0)[0]


def test_off_caps_nothing():
    """Without risk limits a target passes as it is."""
    assert (Reason.TARGET_SET, 10**9) == capped(10**9, 1, 5.0, mode="off")
    assert 10**9 == RiskModel(mode="off").cap(10**9, 10.0)


ENHANCED = RiskSettings(mode="enhanced", correlation_minutes_min=3)
MID_USD = 10.005
NAMES = "abcd"
shares_held = st.lists(st.integers(-1_200, 1_200), min_size=1, max_size=4)
vols = st.sampled_from([0.0, 1.0, 2.0, 5.0])
volumes = st.sampled_from([0.0, 40.0, 300.0, 1e6])
TIGHT = {"gross_share": 0.3, "net_share": 0.2, "name_share": 0.08}
settings_of = st.sampled_from(
    [
        ENHANCED,
        replace(ENHANCED, correlation_weight=0.1, **TIGHT),
        replace(ENHANCED, correlation_weight=0.0, net_share=0.02, name_cap_usd=5_000.0),
    ]
)


def limited(target_qty, held, settings=ENHANCED, *, vol=None, volume=1e6, lot=1, rows=(), working=()):
    """Limit symbol 0 in a book of as many symbols as `held`; `rows` are minutes of returns."""
    n = len(held)
    desk, exposure, planner = make_desk(lot=lot, n_symbols=n), new_exposure(n), new_planner(n)
    features, params = np.repeat(make_features(1.0), n), as_row(settings)
    features["vol_bps"], features["volume_per_min"] = [1.0] * n if vol is None else vol, volume
    desk.positions["qty"] = held
    for s, qty in working:
        planner.plans[s]["state"], planner.plans[s]["target_qty"] = WORKING, qty
    teach(exposure.correlation, rows, params)
    decision = make_decision(target_qty=target_qty)
    reason = cap(0, decision, desk, planner, features, 100_000.0, exposure, params)
    return Reason(reason), decision[0]


def teach(correlation, rows, params):
    for row in rows:
        correlation.returns[:] = row
        learn_minute(correlation, params)
    judge_pairs(correlation, params)


def returns_of(n, seed, minutes=20, common=1.0):
    draws = np.random.default_rng(seed)
    return common * draws.normal(size=(minutes, 1)) + draws.normal(size=(minutes, n))


@pytest.mark.jit_off
@given(targets.filter(bool), shares_held, st.data(), volumes, lots, st.integers(0, 9), settings_of)
def test_limits_equal_the_plain_twin(target_qty, held, data, volume, lot, seed, settings):
    """Target and the limit that had the last word equal the twin's, for any book, correlations and volume."""
    n, scale = len(held), data.draw(st.sampled_from([1, 1, 100]))
    target_qty, rows = target_qty // scale or 1, returns_of(n, seed)
    vol = data.draw(st.lists(vols, min_size=n, max_size=n))
    rho, _, _ = naive.correlations([list(column) for column in rows.T], settings.correlation_half_life_min, 3)
    book = {"equity": 100_000.0, "mid": MID_USD, "held": held[0], "volume": volume, "lot": lot, "vols": vol, "rho": rho}
    book["shares"] = [qty * MID_USD / 100_000.0 for qty in held]
    expected = naive.limit(0, target_qty, book, settings)
    reason, row = limited(target_qty, held, settings, vol=vol, volume=volume, lot=lot, rows=rows)

    assert expected == (row["target_qty"], Reason(int(row["risk_limit"])).name)
    assert (expected[1] if row["target_qty"] == 0 else "TARGET_SET") == reason.name
    assert (row["risk_unknown"] & VOLUME_UNKNOWN > 0) == (volume == 0.0)


@given(targets.filter(bool), shares_held, volumes, lots, st.integers(0, 9), settings_of)
def test_limits_are_never_exceeded_and_never_undone(target_qty, held, volume, lot, seed, settings):
    """Name, gross, net and participation hold; the target never grows nor turns; limiting twice changes nothing more."""
    rows = returns_of(len(held), seed)
    qty = int(limited(target_qty, held, settings, volume=volume, lot=lot, rows=rows)[1]["target_qty"])
    others = [other * MID_USD / 100_000.0 for other in held[1:]]
    share = qty * MID_USD / 100_000.0
    caps_only = replace(settings, correlation_weight=0.0)

    assert 0 <= qty * target_qty <= target_qty * target_qty
    if qty != 0 and qty != held[0]:
        assert abs(share) <= min(settings.name_share, settings.name_cap_usd / 100_000.0) + 1e-12
        assert abs(share) + sum(map(abs, others)) <= settings.gross_share + 1e-12
        assert (1 if qty > 0 else -1) * (share + sum(others)) <= settings.net_share + 1e-12
    if volume > 0:
        assert abs(qty) - max(np.sign(qty) * held[0], 0) <= settings.participation_max * settings.volume_min * volume + 1e-9
    assert qty == (limited(qty, held, caps_only, volume=volume, lot=lot, rows=rows)[1]["target_qty"] if qty else 0)


@given(st.integers(1, 900), st.integers(0, 900), st.integers(0, 900), st.integers(0, 9))
def test_more_of_the_same_bet_elsewhere_never_allows_more(target_qty, held_qty, more_qty, seed):
    """With everything correlated, a larger holding on the same side never raises a target, one on the other never lowers it."""
    rows = returns_of(2, seed, common=5.0)
    free = RiskSettings(mode="enhanced", correlation_minutes_min=3, gross_share=9.0, net_share=9.0)
    less, more, hedged = [
        limited(target_qty, [0, qty], free, rows=rows)[1]["target_qty"] for qty in (held_qty, held_qty + more_qty, -held_qty)
    ]

    assert more <= less <= hedged == target_qty


@given(targets.filter(bool), shares_held, st.integers(0, 9))
def test_a_mirrored_book_gives_a_mirrored_target(target_qty, held, seed):
    """Shorts are the mirror of longs."""
    rows = returns_of(len(held), seed)
    one, other = limited(target_qty, held, rows=rows)[1], limited(-target_qty, [-qty for qty in held], rows=rows)[1]

    assert (one["target_qty"], one["risk_limit"]) == (-other["target_qty"], other["risk_limit"])


def test_symbols_of_one_cycle_see_each_other():
    """A target that is only worked yet counts like a position: ten names of 10 % fill the gross limit, the next gets nothing."""
    settings = RiskSettings(mode="enhanced", correlation_weight=0.0, net_share=5.0)
    working = [(s, 999) for s in range(1, 11)]

    assert Reason.TARGET_SET == limited(999, [0] * 11, settings, working=working[:9])[0]
    assert Reason.RISK_GROSS == limited(999, [0] * 12, settings, working=[*working, (11, 999)])[0]


@pytest.mark.parametrize(
    ("changes", "held", "expected"),
    [
        ({"net_share": 0.05}, [0, 600], Reason.RISK_NET),
        ({"gross_share": 0.05}, [0, -600], Reason.RISK_GROSS),
        ({"correlation_weight": 3.0}, [0, 500], Reason.RISK_CORRELATION),
        ({"name_share": 1e-6}, [0, 0], Reason.RISK_NAME_CAP),
        ({"participation_max": 1e-9}, [0, 0], Reason.RISK_PARTICIPATION),
    ],
)
def test_the_limit_that_left_nothing_is_named(changes, held, expected):
    """Each limit refuses under its own name."""
    settings = RiskSettings(**{"mode": "enhanced", "correlation_minutes_min": 3, **changes})

    assert expected == limited(800, held, settings, rows=returns_of(2, 1, common=5.0))[0]


def test_missing_data_leaves_the_caps_and_says_so():
    """Without correlations, volatility or volume the caps per name hold alone, and the decision says what was missing."""
    reason, row = limited(2_000, [0, 300], volume=0.0)
    known = limited(2_000, [0, 300], rows=returns_of(2, 1))[1]

    assert (Reason.TARGET_SET, 999, Reason.RISK_NAME_CAP) == (reason, row["target_qty"], row["risk_limit"])
    assert (CORRELATION_UNKNOWN | VOLUME_UNKNOWN, 0) == (row["risk_unknown"], known["risk_unknown"])
    assert CORRELATION_UNKNOWN == limited(2_000, [0, 300], rows=returns_of(2, 1), vol=[1.0, 0.0])[1]["risk_unknown"]


def test_without_equity_nothing_is_allowed():
    """A book without equity allows no position, and divides by nothing."""
    desk, exposure = make_desk(), new_exposure(1)
    decision = make_decision(target_qty=5)
    reason = cap(0, decision, desk, new_planner(1), make_features(), 0.0, exposure, as_row(ENHANCED))

    assert (Reason.RISK_NAME_CAP, 0) == (reason, decision[0]["target_qty"])


def test_an_exit_in_work_still_counts_as_held():
    """What is being sold is held until it is sold; what waits to be bought counts already."""
    planner, positions = new_planner(1), make_desk().positions
    positions["qty"] = 300
    planner.plans[0]["state"] = WORKING
    assert 300 == committed_qty(0, positions, planner)
    planner.intents[0]["is_set"], planner.intents[0]["target_qty"] = 1, -400
    assert -400 == committed_qty(0, positions, planner)
    planner.plans[0]["state"] = IDLE
    planner.intents[0]["is_set"] = 0
    assert 300 == committed_qty(0, positions, planner)


def test_a_position_without_a_quote_counts_at_its_last_mid_or_cost():
    """A book that was swept empty does not make a position vanish from the limits."""
    settings = RiskSettings(mode="enhanced", correlation_weight=0.0, gross_share=0.05)
    for mid2 in (200_100, 0):
        desk, exposure, features = make_desk(n_symbols=2), new_exposure(2), np.repeat(new_features(1)[0], 2)
        desk.book["bid_qty"][1], desk.positions["qty"][1], desk.positions["cost"][1] = 0, 600, 600 * 100_050
        features["mid2"] = mid2
        decision = make_decision(target_qty=10)

        assert Reason.RISK_GROSS == cap(0, decision, desk, new_planner(2), features, 1e5, exposure, as_row(settings))


def test_the_class_limits_as_the_kernel_does():
    """Names and dollars in, the kernel's target and limit out."""
    rows, held = returns_of(4, 3, minutes=40, common=2.0), [0, 300, -200, 400]
    model = RiskModel(ENHANCED, symbols=list(NAMES))
    for row in rows:
        model.observe(dict(zip(NAMES, row, strict=True)))
    held_usd = {name: qty * MID_USD for name, qty in zip(NAMES, held, strict=True)}
    vol_bps = dict.fromkeys(NAMES, 1.0)
    row = limited(900, held, rows=rows)[1]

    assert (row["target_qty"], row["risk_limit"]) == model.limit(
        "a", 900, MID_USD, equity_usd=100_000.0, held_usd=held_usd, vol_bps=vol_bps, volume_per_min=1e6
    )
    assert (0, Reason.NO_QUOTE) == model.limit("a", 900, math.nan, equity_usd=100_000.0)


def test_the_pipeline_keeps_to_the_gross_limit():
    """Five symbols with one forecast each, at one time: together their targets stay within the gross limit."""
    risk = RiskSettings(mode="enhanced", correlation_weight=0.0, gross_share=0.25, net_share=1.0)
    pipeline = make_pipeline(5, StrategySettings(risk=risk, sizing=SizingSettings(name_cap=0.10)), rows=256)
    at = OPEN + 15 * MINUTE
    rows = [*warm_quotes(5, OPEN + 2 * MINUTE, minutes=13), *(forecast(at, s, 5, 40.0) for s in range(5))]
    _, decisions = run(pipeline, [*rows, clock_event(at + SECOND)])
    value_usd = sum(abs(row["target_qty"]) * row["mid2"] / 20_000 for row in decisions if row["plan_id"])

    assert 24_000 < value_usd <= 25_000
    assert [0, 0, Reason.RISK_GROSS, Reason.RISK_GROSS, Reason.RISK_GROSS] == decisions["risk_limit"].tolist()
    assert Reason.RISK_GROSS == decisions["reason"][-1]
    assert (decisions["risk_unknown"] & VOLUME_UNKNOWN > 0).all()


def test_journalled_rows_have_no_gaps():
    """Every byte of a decision means something: the journal's digest hashes them all."""
    assert DECISION.itemsize == sum(DECISION[name].itemsize for name in DECISION.names)
