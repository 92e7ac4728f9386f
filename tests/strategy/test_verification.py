"""The checklist."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.orders import ORDER_LOG, State
from strategy.budget import BudgetSettings, message_limits
from strategy.coverage_check import check_coverage, effective_count, effective_misses, evidence
from strategy.decision import CYCLE, DECISION, Component, Reason
from strategy.operation_checks import errors_by_component, most_messages, plan_lateness, reversals_pct
from strategy.selector_check import block_t, blocks_of, check_selector, paired_gains, student_99
from strategy.verification import (
    FAIL,
    NOT_ENOUGH_DATA,
    PASS,
    WARN,
    AlertLog,
    Verification,
    VerificationSettings,
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
        rows[2 * k]["order_id"] = rows[2 * k + 1]["order_id"] = k + 1
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
    outcomes = np.where(np.arange(400) < n_inside, 0.0, np.tile([-50.0, 50.0], 200))
    checks = Verification().run_full(decisions_with(400, 300 * S), outcomes_bps=outcomes)

    assert status == status_of(checks, "conformal_coverage")


def test_overlapping_outcomes_count_less():
    """Outcomes of 30 minutes issued every minute count as 2 W / 30; those that do not overlap count in full."""
    rows, is_known = decisions_with(300, 60 * S, 30), np.ones(300, bool)

    assert 20.0 == pytest.approx(effective_count(rows, is_known))
    assert 300.0 == effective_count(decisions_with(300, 30 * 60 * S, 30), is_known)


@pytest.mark.parametrize(("n_late", "status"), [(5, PASS), (11, PASS), (17, WARN), (40, FAIL)])
def test_late_plans_are_counted(n_late, status):
    """A plan must end within its working time and the latency granted; eleven late of 200 may be chance, seventeen are not."""
    checks = Verification().run_full(orders=orders_with([30.0] * n_late + [16.9] * (200 - n_late)))

    assert status == status_of(checks, "execution_sla")


def test_a_plan_without_an_end_is_late_once_its_time_is_over():
    """A plan that never ended is late; one that is still young when the run ends is left out."""
    rows = orders_with([5, 5, 5])[[0, 1, 2, 4]]

    assert [False, True] == plan_lateness(rows, 2 * S).tolist()


def test_a_plan_ends_with_its_last_order():
    """A plan whose first slice was filled at once is late while its second one hangs."""
    rows = orders_with([1, 60])
    rows["parent_id"], rows["order_id"], rows["ts_ns"] = 1, [1, 1, 2, 2], np.array([0, 1, 2, 60]) * S

    assert [True] == plan_lateness(rows, 2 * S).tolist()


def test_many_plans_are_judged_in_the_time_of_their_orders():
    """Each of twenty thousand plans is judged by its own orders, as one by one."""
    rng = np.random.default_rng(3)
    rows = orders_with(rng.uniform(1, 30, 20_000).round(3))
    late = plan_lateness(rows, 2 * S)

    assert (rows["ts_ns"][1::2] - rows["ts_ns"][::2] > 17 * S).tolist() == late.tolist()


def test_a_plan_that_the_budget_refused_is_late():
    """Plans that were never sent count against the execution, and the advice names the budget."""
    refused = decisions_with(40, 60 * S)
    refused["reason"] = Reason.BUDGET
    check = next(c for c in Verification().run_full(refused, orders_with([5.0] * 40)) if c.name == "execution_sla")

    assert (FAIL, 50.0) == (check.status, check.value)
    assert "budget.messages_per_min" in check.recommendation


def burst(gaps_s, state=State.MODIFY_SENT):
    rows = np.zeros(len(gaps_s) + 1, ORDER_LOG)
    rows["ts_ns"][1:] = np.cumsum(np.array(gaps_s) * S).astype(np.int64)
    rows["parent_id"], rows["order_id"], rows["state"], rows["work_ns"] = 1, 1, state, 15 * S
    return rows


@settings(max_examples=50)
@given(st.lists(st.sampled_from([0.0, 0.2, 0.5, 1.0, 3.0]), max_size=40), st.sampled_from([S, 5 * S]))
def test_the_busiest_window_is_that_of_a_count_over_all_windows(gaps_s, window_ns):
    """Counted one window after the other, cancels counted and answers not, the most is the same."""
    rows = burst(gaps_s)
    rows["state"][::3], rows["state"][1::4] = State.CANCEL_SENT, State.WORKING
    sent = [int(row["ts_ns"]) for row in rows if row["state"] != State.WORKING]
    expected = max(sum(t - window_ns < u <= t for u in sent) for t in sent)

    assert expected == most_messages(rows, window_ns)


@pytest.mark.parametrize(("limits", "status"), [((6, 6), NOT_ENOUGH_DATA), ((5, 0), FAIL), ((6, 3), FAIL), ((), NOT_ENOUGH_DATA)])
def test_a_window_over_the_budget_fails_by_itself(limits, status):
    """Six messages in a minute, four of them within a second, break five a minute or three a second, however few plans."""
    check = next(
        check
        for check in Verification(message_limits=limits).run_full(orders=burst([20.0, 10.0, 0.2, 0.3, 0.4]))
        if check.name == "execution_sla"
    )

    assert status == check.status
    assert (status == FAIL) == ("budget.messages_per_min" in check.recommendation)


def test_limits_are_those_of_the_form_in_force():
    """The original budget knows no limit per second, and switched off it knows none."""
    limits = [message_limits(BudgetSettings(mode=mode)) for mode in ("original", "enhanced", "off")]

    assert [(60, 0), (60, 40), (0, 0)] == limits


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


@pytest.mark.parametrize(("n_held", "status"), [(4, PASS), (7, WARN), (90, FAIL)])
def test_a_component_that_is_held_back_counts_as_in_error(n_held, status):
    """A gate whose breaker is open makes no errors, and does no work either: five errors and those decisions are judged."""
    decisions = np.zeros(100, DECISION)
    decisions["status"][:5] = decisions["breaker"][3 : n_held + 5] = 1 << Component.GATE
    verification = Verification()
    verification.log_cycles(cycles_with(100, n_errors=np.arange(100) < 5))
    check = next(check for check in verification.run_full(decisions) if check.name == "component_errors")

    assert (status, n_held + 5.0) == (check.status, pytest.approx(check.value))
    assert (status == PASS) or f"the breaker of gate was open in {n_held + 2} of them" in check.recommendation


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
    check = check_selector(rows, rewards, VerificationSettings())

    assert status == check.status
    assert (sign > 0) == check.details["is_adapting"]


def test_weights_that_never_move_gain_nothing_and_warn():
    """The paired gain of constant weights is zero, and a variance next to nothing warns."""
    rows = decisions_with(1000, 60 * S)
    rows["weights"][:, 0] = 1.0
    check = check_selector(rows, np.random.default_rng(1).standard_normal((1000, 2)), VerificationSettings())

    assert (WARN, 0.0) == (check.status, check.value)


def test_weights_that_move_at_random_do_not_fail():
    """Of forty selectors that move without knowing anything at most two are called worse than static."""
    rng = np.random.default_rng(11)
    rows, failed = decisions_with(2000, 60 * S), 0
    for _ in range(40):
        rows["weights"][:, :2] = rng.dirichlet([1.0, 1.0], 2000)
        failed += check_selector(rows, rng.standard_normal((2000, 2)), VerificationSettings()).status == FAIL

    assert failed <= 2


def test_each_symbol_is_measured_against_its_own_mean():
    """Two symbols with different constant weights have no gain, though their common mean moves."""
    weights = np.tile([[1.0, 0.0], [0.0, 1.0]], (50, 1))
    gains = paired_gains(weights, np.random.default_rng(2).standard_normal((100, 2)), np.tile([0, 1], 50))

    assert [0.0] * 100 == gains.tolist()


def test_blocks_do_not_count_the_night():
    """A pause of a night takes one longest horizon of a block, no more."""
    times = np.r_[np.arange(60), 900 + np.arange(60)] * 60 * S

    assert [0] * 60 + [0] * 6 + [1] * 54 == blocks_of(times, 5 * 60 * S, 14.0).tolist()


def test_t_is_that_of_the_block_means():
    """Blocks with means 1, 2 and 3 have t = 2 / (1 / sqrt 3)."""
    assert (pytest.approx(2.0 * 3.0**0.5), 3) == block_t(np.repeat([1.0, 2.0, 3.0], 10), np.repeat([0, 1, 2], 10))


@pytest.mark.parametrize(("freedom", "expected"), [(7, 2.998), (11, 2.718), (30, 2.457), (120, 2.358)])
def test_student_quantiles_are_those_of_the_tables(freedom, expected):
    """The 99 % quantiles agree with printed tables to a hundredth."""
    assert expected == pytest.approx(student_99(freedom), abs=0.012)


def test_weights_that_follow_the_regime_have_a_share_and_shuffled_ones_have_none():
    """Weights ruled by volatility vary between regimes, and no shuffled day reaches that; the same weights in other days do."""
    rng = np.random.default_rng(5)
    rows = decisions_with(1200, 60 * S)
    rows["ts_ns"] = np.concatenate([day * 86_400 * S + np.arange(100) * 60 * S for day in range(12)])
    rows["features"][:, 0] = np.concatenate([np.full(100, rng.uniform(1, 9)) + rng.random(100) for _ in range(12)])
    rows["weights"][:, 0] = rows["features"][:, 0] / 10
    rows["weights"][:, 1] = 1 - rows["weights"][:, 0]
    details = check_selector(rows, rng.standard_normal((1200, 2)), VerificationSettings()).details

    assert details["regime_share"] > 0.7
    assert details["regime_p"] <= 0.05


def test_log_cycle_says_when_to_check():
    """Every hundredth cycle asks for a full check."""
    verification = Verification(every_cycles=3)

    assert [False, False, True, False] == [verification.log_cycle({"n_symbols": 1}) for _ in range(4)]


def test_a_check_is_plain_values():
    """A check turns into a dictionary with the keys of verification.json."""
    found = Verification().run_full()[0].as_dict()

    assert ["name", "status", "value", "target", "n_eff", "recommendation", "details"] == list(found)


def test_evidence_grows_only_where_the_promise_is_broken():
    """Where one in five is missed both e-values stay small; where two in five are, that side exceeds 40."""
    rng = np.random.default_rng(4)
    rows, known = decisions_with(600, 300 * S), np.ones(600, bool)
    honest = [max(evidence(rows, rng.random(600) < 0.2, known)) for _ in range(40)]
    narrow, wide = evidence(rows, rng.random(600) < 0.4, known)

    assert sum(value >= 40 for value in honest) <= 3
    assert narrow >= 40 > wide


def test_symbols_that_miss_together_count_once():
    """Ten symbols with the same misses hold the evidence and the sample size of one."""
    rng = np.random.default_rng(6)
    one = decisions_with(300, 300 * S)
    missed = rng.random(300) < 0.2
    ten = np.repeat(one, 10)
    ten["symbol"] = np.tile(np.arange(10), 300)
    together, known = np.repeat(missed, 10), np.ones(3000, bool)

    assert evidence(one, missed, known[:300]) == pytest.approx(evidence(ten, together, known))
    assert effective_misses(ten, together, known) < 700 < effective_count(ten, known)


def test_coverage_tells_tails_buckets_and_trades_taken():
    """A model that is right on average but wrong where it trades shows it beside the coverage."""
    rows = decisions_with(800, 300 * S)
    rows["sigma_bps"], rows["cost_bps"], rows["reason"] = 8.0, 1.0, Reason.GATE_COST
    taken = np.arange(800) % 4 == 0
    rows["reason"][taken], rows["side"][taken], rows["q_lo_bps"][taken] = Reason.TARGET_SET, 1, 2.0
    beyond = np.arange(800) % 5 == 0
    outcomes = np.where(beyond, np.where(np.arange(800) % 10 == 0, -50.0, 50.0), 5.0)
    outcomes[taken & (np.arange(800) % 8 == 0)] = -50.0
    check = check_coverage(rows, outcomes, VerificationSettings())

    assert 50.0 <= check.details["taken_miss_pct"] <= 60.0
    assert pytest.approx(100.0 * (outcomes > 10).mean()) == check.details["above_pct"]
    assert pytest.approx(200.0, rel=0.02) == check.details["taken_n_eff"]
    assert 800.0 >= sum(bucket["n_eff"] for bucket in check.details["buckets"]) > 0
    assert WARN == check.status


def test_a_gate_on_the_mean_promises_nothing_about_outcomes():
    """Trades that fall below the bound of a mean in half of all cases are held to the interval they were issued with."""
    rows = decisions_with(400, 300 * S)
    rows["reason"], rows["side"], rows["gate_lo_bps"], rows["sigma_bps"] = Reason.TARGET_SET, 1, 3.0, 8.0
    outcomes = np.random.default_rng(8).normal(3.0, 10.0 / 1.28, 400)
    held = [check_coverage(rows, outcomes, VerificationSettings(), is_mean_gate=is_mean).details for is_mean in (False, True)]

    assert 40.0 < held[0]["taken_miss_pct"] < 60.0
    assert pytest.approx(held[1]["below_pct"]) == held[1]["taken_miss_pct"]


def test_targets_turned_round_at_once_warn():
    """Targets that flip from cycle to cycle are churn, though every move is large."""
    rows = decisions_with(80, 60 * S)
    rows["target_qty"], rows["position_qty"] = np.tile([100, -100], 40), np.r_[0, np.tile([100, -100], 40)[:-1]]
    verification = Verification()
    verification.log_cycles(cycles_with(80, n_targets=1, turnover_usd=100.0))

    assert pytest.approx(100 * 79 / 80) == reversals_pct(rows)
    assert WARN == status_of(verification.run_full(rows), "churn")


def test_advice_names_the_component_in_error():
    """The component most often in error stands in the advice, with its count and its switch."""
    rows = decisions_with(100, 60 * S)
    rows["status"][:30] = 1 << Component.COST
    verification = Verification()
    verification.log_cycles(cycles_with(100, n_errors=np.arange(100) < 30))
    check = verification.run_full(rows)[4]

    assert {"cost": 30} == errors_by_component(rows)
    assert FAIL == check.status
    assert "30 of them in cost: set cost.mode" in check.recommendation


@pytest.mark.parametrize(
    ("mode", "advice"),
    [
        ("enhanced", 'set cost.mode = "original" until it is mended'),
        (
            "original",
            "no enhanced form of it acts, so look at what it was given (`replay explain` shows the inputs of a decision)",
        ),
    ],
)
def test_advice_on_errors_fits_the_mode_in_force(mode, advice):
    """Nobody is asked to go back to the original of a component whose original acts."""
    rows = decisions_with(100, 60 * S)
    rows["status"][:30] = 1 << Component.COST
    verification = Verification(modes={"cost": mode})
    verification.log_cycles(cycles_with(100, n_errors=np.arange(100) < 30))

    assert advice == verification.run_full(rows)[4].recommendation.partition("30 of them in cost: ")[2]


def test_advice_on_weights_fits_the_mode_in_force():
    """Where renormalisation acts in its enhanced form already, the advice is to look for the NaN alone."""
    told = []
    for modes in (None, {"renorm": "original"}, {"renorm": "enhanced"}):
        verification = Verification(modes=modes)
        verification.log_cycles(cycles_with(3, weight_sum_max=[1.0, 1.0, 1.5]))
        told.append(verification.run_full()[5].recommendation.split(": ")[1])

    both = 'set renorm.mode = "enhanced", and look for a NaN weight'
    assert [both, both, "look for a NaN weight"] == told


def test_alerts_tell_changes_only():
    """A check that fails twice is told once, and told again when it recovers; too little data is no news."""
    log = AlertLog()
    verification = Verification(decisions_min=1)
    verification.log_cycles(cycles_with(2, weight_sum_max=[1.0, 1.5]))
    bad = verification.run_full()
    good = [next(c for c in _healthy() if c.name == "weights_normal")]
    seen = [log.update(k, k, checks) for k, checks in enumerate([Verification().run_full(), bad, bad, good])]

    assert [[], ["FAIL"], [], ["PASS"]] == [[event["status"] for event in events] for events in seen]


def _healthy():
    verification = Verification(decisions_min=1)
    verification.log_cycles(cycles_with(2))
    return verification.run_full()


def test_churn_without_turnover_names_what_was_not_logged():
    """Targets enough and no `turnover_usd`: the sentence asks for that, and not for more targets."""
    verification = Verification()
    for _ in range(200):
        verification.log_cycle({"n_symbols": 1, "n_targets": 1})
    churn = next(check for check in verification.run_full() if check.name == "churn")

    assert "NOT_ENOUGH_DATA" == churn.status
    assert "no turnover in 200 targets: log `turnover_usd` with every cycle" == churn.recommendation
