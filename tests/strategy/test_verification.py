"""The checklist."""

import numpy as np
import pytest

from replay.orders import ORDER_LOG, State
from strategy.decision import CYCLE, DECISION
from strategy.verification import (
    FAIL,
    NOT_ENOUGH_DATA,
    PASS,
    WARN,
    Verification,
    VerificationSettings,
    check_selector,
    effective_count,
    paired_t,
    plan_lateness,
    worst,
)

S = 1_000_000_000
NAMES = ["conformal_coverage", "selector_adapts", "execution_sla", "churn", "component_errors", "weights_normal"]


def status_of(checks, name):
    return next(check.status for check in checks if check.name == name)


def decisions_with(n, gap_ns, horizon_min=5):
    rows = np.zeros(n, DECISION)
    rows["ts_ns"] = np.arange(n) * gap_ns
    rows["horizon_min"], rows["q_lo_bps"], rows["q_hi_bps"] = horizon_min, -10.0, 10.0
    return rows


def orders_with(durations_s, work_s=15):
    rows = np.zeros(2 * len(durations_s), ORDER_LOG)
    for k, duration_s in enumerate(durations_s):
        rows[2 * k]["parent_id"] = rows[2 * k + 1]["parent_id"] = k + 1
        rows[2 * k]["work_ns"] = rows[2 * k + 1]["work_ns"] = work_s * S
        rows[2 * k]["ts_ns"], rows[2 * k]["state"] = k * 100 * S, State.SENT
        rows[2 * k + 1]["ts_ns"], rows[2 * k + 1]["state"] = k * 100 * S + int(duration_s * S), State.CANCELLED
    return rows


def cycles_with(n, **values):
    rows = np.zeros(n, CYCLE)
    rows["n_symbols"], rows["weight_sum_min"], rows["weight_sum_max"] = 1, 1.0, 1.0
    for name, value in values.items():
        rows[name] = value
    return rows


def test_nothing_logged_is_not_enough_data():
    """Without data all six checks say so, and that is no failure."""
    checks = Verification().run_full()

    assert NAMES == [check.name for check in checks]
    assert {NOT_ENOUGH_DATA} == {check.status for check in checks}
    assert PASS == worst(checks)


@pytest.mark.parametrize(("n_inside", "status"), [(320, PASS), (290, WARN), (240, FAIL), (400, FAIL)])
def test_coverage_is_judged_by_its_bands(n_inside, status):
    """Eighty per cent inside is healthy, 72 warns, 60 and 100 alarm."""
    outcomes = np.where(np.arange(400) < n_inside, 0.0, 50.0)
    checks = Verification().run_full(decisions_with(400, 300 * S), outcomes_bps=outcomes)

    assert status == status_of(checks, "conformal_coverage")


def test_overlapping_outcomes_count_less():
    """Outcomes of 30 minutes issued every minute count as 2 W / 30; those that do not overlap count in full."""
    rows, is_known = decisions_with(300, 60 * S, 30), np.ones(300, bool)

    assert 20.0 == pytest.approx(effective_count(rows, is_known))
    assert 300.0 == effective_count(decisions_with(300, 30 * 60 * S, 30), is_known)


@pytest.mark.parametrize(("n_late", "status"), [(1, PASS), (3, WARN), (8, FAIL)])
def test_late_plans_are_counted(n_late, status):
    """A plan must end within its working time and the latency granted."""
    checks = Verification().run_full(orders=orders_with([30.0] * n_late + [16.9] * (40 - n_late)))

    assert status == status_of(checks, "execution_sla")


def test_a_plan_without_an_end_is_late_once_its_time_is_over():
    """A plan that never ended is late; one that is still young when the run ends is left out."""
    rows = orders_with([5, 5, 5])[[0, 1, 2, 4]]

    assert [False, True] == plan_lateness(rows, 2 * S)


@pytest.mark.parametrize(("small_usd", "status"), [(1.0, PASS), (5.0, WARN), (50.0, FAIL)])
def test_churn_is_the_share_of_small_moves(small_usd, status):
    """Turnover from moves inside the no-trade band is measured against all turnover."""
    verification = Verification()
    verification.log_cycles(cycles_with(60, n_targets=1, turnover_usd=100.0, turnover_small_usd=small_usd))

    assert status == status_of(verification.run_full(), "churn")


@pytest.mark.parametrize(("n_errors", "status"), [(9, PASS), (12, WARN), (15, FAIL)])
def test_errors_are_a_share_of_decisions(n_errors, status):
    """Below ten per cent of decisions with a component in error is healthy, fifteen alarms."""
    verification = Verification()
    verification.log_cycles(cycles_with(100, n_errors=np.arange(100) < n_errors))

    assert status == status_of(verification.run_full(), "component_errors")


def test_one_abnormal_weight_fails():
    """A single cycle whose weights do not sum to one fails the check, however few cycles there are."""
    verification = Verification()
    verification.log_cycles(cycles_with(3, weight_sum_max=[1.0, 1.0, 1.5]))

    assert FAIL == status_of(verification.run_full(), "weights_normal")


def test_cycles_without_weights_are_left_out():
    """A cycle in which no weights were set says nothing about weights."""
    verification = Verification(decisions_min=1)
    verification.log_cycles(cycles_with(5, weight_sum_min=np.nan, weight_sum_max=np.nan))

    assert NOT_ENOUGH_DATA == status_of(verification.run_full(), "weights_normal")


@pytest.mark.parametrize(("sign", "status"), [(1, PASS), (-1, FAIL)])
def test_a_selector_must_not_lose_to_its_own_mean(sign, status):
    """Weights that follow the better horizon pass; those that follow the worse one fail."""
    rng = np.random.default_rng(1)
    best = np.repeat(rng.integers(0, 2, 40), 25)
    rewards = np.where(best[:, None] == np.arange(2), 1.0, -1.0) * sign + 0.1 * rng.standard_normal((1000, 2))
    rows = decisions_with(1000, 60 * S)
    rows["weights"][np.arange(1000), best] = 1.0

    assert status == check_selector(rows, rewards, VerificationSettings(block_size=100)).status


def test_weights_that_never_move_gain_nothing():
    """The paired gain of constant weights is zero."""
    assert 0.0 == paired_t(np.ones((100, 1)), np.random.default_rng(1).standard_normal((100, 1)), 10)


def test_log_cycle_says_when_to_check():
    """Every hundredth cycle asks for a full check."""
    verification = Verification(every_cycles=3)

    assert [False, False, True, False] == [verification.log_cycle({}) for _ in range(4)]


def test_a_check_is_plain_values():
    """A check turns into a dictionary with the keys of verification.json."""
    found = Verification().run_full()[0].as_dict()

    assert ["name", "status", "value", "target", "n_eff", "recommendation"] == list(found)
