"""The enhanced arbiter: a mixture of policies that learns from what paid."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.errors import ConfigError, UsageError
from strategy.arbiter import HorizonArbiter, evaluate
from strategy.decision import Fallback, Reason
from strategy.hedge import HEDGE, learn_losses, weigh
from tests.naive import mixture as naive

DELAYS = [1, 3, 7]
rewards = st.lists(st.tuples(*[st.floats(-9.0, 9.0)] * 3), min_size=1, max_size=60)
losses = st.lists(st.tuples(*[st.floats(-4.0, 4.0)] * 4), max_size=40)


@pytest.mark.jit_off
@given(rewards, st.booleans(), st.booleans())
@settings(max_examples=30)
def test_weights_equal_the_plain_twin(rows, has_gap, has_original):
    """Every row of weights equals the twin's; a reward that never comes drops its row for the policies, not for the leaders."""
    table = [list(row) for row in rows]
    if has_gap:
        table[len(table) // 2][1] = math.nan
    original = [[0.2, 0.5, 0.3]] * len(table) if has_original else None
    expected = naive.series(naive.scaled(table, DELAYS), DELAYS, original)
    given_original = {"original": original} if has_original else {}

    assert np.allclose(expected, evaluate(table, DELAYS, **given_original), rtol=1e-7, atol=1e-9)


@given(rewards)
def test_weights_are_a_distribution_that_survives_nan(rows):
    """Whatever comes, NaN and zeros included, every row is non-negative and sums to one."""
    table = np.array(rows)
    table[::2, 0] = math.nan
    table[1::3] = 0.0
    weights = evaluate(table, DELAYS).to_numpy()

    assert weights.min() >= 0.0
    assert np.allclose(1.0, weights.sum(axis=1), atol=1e-12)


@given(rewards, rewards)
def test_the_past_does_not_know_the_future(before, after):
    """Weights of a row are the same whatever comes after the last reward that was known."""
    calm = evaluate([*before, *([(0.0, 0.0, 0.0)] * len(after))], DELAYS).to_numpy()
    wild = evaluate([*before, *after], DELAYS).to_numpy()

    assert np.array_equal(calm[: len(before) + 1], wild[: len(before) + 1])


def slack_of(hedge, prior):
    """Return the stated regret to each policy of a prior."""
    eta = min(math.log(1.0 / prior.min()) / 4.0 / max(float(hedge["delta"]), 1e-9), 20.0)
    return np.log(1.0 / prior) / eta + float(hedge["delta"])


@pytest.mark.jit_off
@given(losses, st.integers(0, 7))
def test_the_hedge_keeps_its_promise_however_late(rows, n_late):
    """The loss is at most that of any policy plus ln(1/prior)/eta + Delta, over all policies and over all that trade."""
    hedge, issued = np.zeros(1, HEDGE), []
    hedge["prior"][0, :4] = 0.5, 0.2, 0.2, 0.1
    for i in range(len(rows) + n_late):
        issued.append(np.zeros((2, 16)))
        weigh(hedge[0], 4, *issued[i])
        if i >= n_late:
            learn_losses(hedge[0], 4, *issued[i - n_late], np.array(rows[i - n_late]))
    total = np.array(rows).sum(axis=0) if rows else np.zeros(4)
    played = [sum(float(np.dot(weights[game][:4], row)) for weights, row in zip(issued, rows, strict=False)) for game in (0, 1)]
    prior = hedge["prior"][0, :4]

    assert (played[0] <= total + slack_of(hedge[0], prior) + 1e-9).all()
    assert (played[1] <= total[:3] + slack_of(hedge[0], prior)[:3] + 1e-9).all()


@given(rewards, st.integers(0, 2))
def test_weights_earn_what_the_original_earns_less_the_stated_regret(rows, favourite):
    """Over the rows that matured, and for every horizon as for the original; no single horizon is better by more either."""
    original = np.zeros((len(rows), 3))
    original[:, favourite] = 1.0
    weights = evaluate(rows, DELAYS, original=original)
    n_known = max(0, len(rows) - max(DELAYS))
    rewards = np.array(naive.scaled([list(row) for row in rows], DELAYS))[:n_known]
    earned = float((weights.to_numpy()[:n_known] * rewards).sum())

    assert earned >= rewards[:, favourite].sum() - weights.attrs["regret_to_original"] - 1e-9
    assert (earned >= rewards.sum(axis=0) - weights.attrs["regret_to_horizon"] - 1e-9).all()


@pytest.mark.parametrize(("kept", "is_promised"), [(1.0, True), (0.5, False), (0.0, False)])
def test_no_regret_is_stated_to_an_original_that_stays_out(kept, is_promised):
    """Weights sum to one whatever they earn: who trades half, or nothing, while all horizons lose cannot be kept up with."""
    rewards = np.full((600, 2), -1.0)
    original = np.column_stack([np.full(600, kept), np.zeros(600)])
    weights = evaluate(rewards, [1, 2], original=original)
    is_kept = float((weights * rewards)[:-2].to_numpy().sum()) >= -598.0 * kept - weights.attrs["regret_to_original"]

    assert is_promised == is_kept
    assert [is_promised] * 2 == [math.isfinite(weights.attrs[f"regret_to_{whom}"]) for whom in ("original", "horizon")]


def choice_of(mode, **given_values):
    arbiter = HorizonArbiter([5, 30], mode=mode, reserve_bps=0.5)
    values = {"mu_bps": [4.0, -12.0], "cost_bps": [3.0, 5.0], "sides": [1, -1], "spread_bps": 2.0, "vol_bps": 1.0} | given_values
    return arbiter.choose(**values)


numbers = st.one_of(st.floats(-30.0, 30.0), st.just(math.nan))


@given(st.tuples(numbers, numbers), st.tuples(numbers, numbers), st.tuples(*[st.sampled_from([-1, 0, 1])] * 2), numbers, numbers)
def test_without_model_and_history_the_output_is_the_originals(mu_bps, cost_bps, sides, spread_bps, vol_bps):
    """Bit for bit, for any input."""
    values = {"mu_bps": mu_bps, "cost_bps": cost_bps, "sides": sides, "spread_bps": spread_bps, "vol_bps": vol_bps}
    enhanced, original = choice_of("enhanced", **values), choice_of("original", **values)

    assert repr(original[:-1]) == repr(enhanced[:-1])


def taught(n=1200, better=1, **changes):
    """Return an arbiter that has seen one horizon earn and the other lose."""
    arbiter = HorizonArbiter([5, 30], reserve_bps=0.5, **changes)
    for i in range(n):
        arbiter.choose([4.0, 4.0], [3.0, 3.0], [1, 1], spread_bps=2.0, vol_bps=1.0, choice_id=i)
        for k, horizon in enumerate((5, 30)):
            arbiter.mature(i, horizon, 9.0 + i % 3 if k == better else -3.0 - i % 3)
    return arbiter


TAUGHT = taught()


@pytest.mark.parametrize("better", [0, 1])
def test_the_mixture_finds_the_horizon_that_pays(better):
    """After a long history the horizon that earned has nearly all the weight, whatever the formula prefers."""
    choice = taught(better=better).choose([4.0, 4.0], [3.0, 3.0], [1, 1], spread_bps=2.0, vol_bps=1.0)

    assert Fallback.NONE == choice.fallback
    assert [5, 30][better] == choice.horizon_min
    assert choice.weights[better] > 0.95


def test_weights_of_shut_horizons_go_to_the_open_ones():
    """A horizon whose gate is shut has no weight; the open one has all of it."""
    choice = taught().choose([4.0, 4.0], [3.0, 3.0], [1, 0], spread_bps=2.0, vol_bps=1.0)

    assert (5, (1.0, 0.0), Reason.TARGET_SET) == (choice.horizon_min, choice.weights, choice.reason)


@pytest.mark.parametrize(
    ("changes", "values", "expected"),
    [
        ({"labels_min": 5000.0}, {}, Fallback.FEW_LABELS),
        ({}, {"spread_bps": math.nan}, Fallback.NAN_FEATURE),
        ({}, {"model_age_days": 7.01}, Fallback.MODEL_OLD),
        ({"model_age_max_days": 8.0}, {"model_age_days": 7.01}, Fallback.NONE),
        ({"mode": "original"}, {}, Fallback.NOT_ASKED),
    ],
)
def test_every_fallback_has_its_reason(changes, values, expected):
    """Too little data, an unknown feature and the original form are told apart."""
    arbiter = taught(300, **changes)
    inputs = {"mu_bps": [4.0, 4.0], "cost_bps": [3.0, 3.0], "sides": [1, 1], "spread_bps": 2.0, "vol_bps": 1.0} | values

    assert expected == arbiter.choose(**inputs).fallback


@given(st.tuples(numbers, numbers), st.tuples(*[st.sampled_from([-1, 0, 1])] * 2), numbers)
@settings(max_examples=30)
def test_an_old_model_bypasses_the_mixture(mu_bps, sides, predicted):
    """With all the history there is, the output equals the original's bit for bit while the model is older than its limit."""
    values = {"mu_bps": mu_bps, "sides": sides, "cost_bps": [3.0, 3.0], "spread_bps": 2.0, "vol_bps": 1.0}
    found = TAUGHT.choose(**values, net_reward_bps=[predicted, 1.0], model_age_days=30.0)

    assert repr(choice_of("original", **values)[:-1]) == repr(found[:-1])
    assert found.reason not in (Reason.TARGET_SET, Reason.ARBITER_RESERVE) or found.fallback == Fallback.MODEL_OLD


def test_the_meta_learner_is_followed_while_it_is_right():
    """A meta-learner that names the paying horizon each time gains weight over one that is silent."""
    arbiter = HorizonArbiter([5, 30])
    for i in range(900):
        pays = i % 2
        predicted = [6.0, -6.0] if pays == 0 else [-6.0, 6.0]
        arbiter.choose([4.0, 4.0], [3.0, 3.0], [1, 1], spread_bps=2.0, vol_bps=1.0, net_reward_bps=predicted, choice_id=i)
        for k, horizon in enumerate((5, 30)):
            arbiter.mature(i, horizon, 9.0 if k == pays else -3.0)

    assert arbiter.policy_weights[1] > 0.9


def test_an_outcome_comes_once():
    """A second outcome, one of a horizon that took no part and one of a choice never made are counted and change nothing."""
    asked = {"cost_bps": [3.0, 3.0], "sides": [1, 1], "spread_bps": 2.0, "vol_bps": 1.0}
    arbiter, twin = taught(3), taught(3)
    for one in (arbiter, twin):
        one.choose(mu_bps=[4.0, math.nan], choice_id=7, **asked)
    for choice_id, horizon_min in ((2, 5), (7, 30), (99, 5)):
        arbiter.mature(choice_id, horizon_min, 1.0)
    choices = [one.choose(mu_bps=[4.0, 4.0], **asked) for one in (twin, arbiter)]

    assert (3, 0) == (arbiter.unknown_count, twin.unknown_count)
    assert (choices[0], twin.policy_weights) == (choices[1], arbiter.policy_weights)
    with pytest.raises(UsageError, match="unknown horizon_min 7"):
        arbiter.mature(2, 7, 1.0)


def test_outcomes_of_a_dropped_choice_are_awaited_no_more():
    """Beyond `pending_max` the oldest goes with all its outcomes: they are unknown, teach nothing, overlap with nothing."""
    asked = {"cost_bps": [3.0, 3.0], "sides": [1, 1], "spread_bps": 2.0, "vol_bps": 1.0, "mu_bps": [4.0, 4.0]}
    arbiter, twin = HorizonArbiter([5, 30], pending_max=2, labels_min=1.0), HorizonArbiter([5, 30], labels_min=1.0)
    for choice_id in range(4):
        arbiter.choose(**asked, choice_id=choice_id)
    for choice_id in (2, 3):
        twin.choose(**asked, choice_id=choice_id)
    for choice_id in range(4):
        arbiter.mature(choice_id, 5, -1.0)
    for choice_id in (2, 3):
        twin.mature(choice_id, 5, -1.0)

    assert (2, 0) == (arbiter.unknown_count, twin.unknown_count)
    assert twin.choose(**asked | {"mu_bps": [4.0, math.nan]}) == arbiter.choose(**asked | {"mu_bps": [4.0, math.nan]})
    arbiter.choose(**asked, choice_id=0)  # an id that is free again


@pytest.mark.parametrize(("table", "delays"), [([[1.0, 2.0]], [1]), ([[1.0]], [0]), ([1.0, 2.0], [1, 1])])
def test_shapes_that_do_not_fit_are_refused(table, delays):
    """Delays must pair up with the columns and be at least one row."""
    with pytest.raises(ConfigError, match="evaluate needs rewards of shape"):
        evaluate(table, delays)


def test_evaluate_takes_nothing_short_and_broken_series():
    """No rows give no weights; a delay beyond the last row teaches nothing; what is not finite was never known."""
    rewards = np.random.default_rng(0).normal(size=(50, 2))
    never, unknown = evaluate(rewards, [10**12, 10**12]), evaluate(np.full((50, 2), np.nan), [1, 1])
    broken = np.where(np.arange(50)[:, None] % 7 == 0, np.inf, rewards)

    assert (0, 2) == evaluate(np.zeros((0, 2)), [1, 2]).shape
    assert never.equals(unknown)
    assert evaluate(broken, [1, 2]).equals(evaluate(np.where(np.isinf(broken), np.nan, broken), [1, 2]))


@pytest.mark.parametrize("pays", [0, 1])
@pytest.mark.parametrize("delays", [[1, 1], [1, 30], [30, 1]])
def test_ten_bps_are_more_than_one(pays, delays):
    """Rewards are bps on every horizon: who always earns ten has the weight over who always earns one, whatever the delays."""
    rewards = np.ones((2000, 2))
    rewards[:, pays] = 10.0

    assert evaluate(rewards, delays).iloc[-1, pays] > 0.9


@given(rewards, st.sampled_from([0.25, 4.0, 1024.0]))
def test_the_unit_of_all_rewards_does_not_matter(rows, unit):
    """Bps, a quarter of them or a thousand: the weights are the same bit for bit."""
    table = np.round(np.array(rows), 6)

    assert evaluate(table, DELAYS).equals(evaluate(unit * table, DELAYS))


def test_a_horizon_that_is_never_known_does_not_hide_the_others():
    """Where one horizon has no rewards at all and another earns, that one has the weight; a lone horizon has all of it."""
    rewards = np.random.default_rng(1).normal(0.3, 1.0, (3000, 3))
    rewards[:, 0] = -rewards[:, 0]
    rewards[:, 1] = np.nan

    assert evaluate(rewards, [1, 2, 3]).iloc[-1, 2] > 0.9
    assert (evaluate(rewards[:, :1], [5]).to_numpy() == 1.0).all()


@pytest.mark.parametrize(
    ("rewards", "delays", "settings"),
    [
        ([[1.0, 2.0]], [0, 1], {}),
        ([[1.0, 2.0]], [1.5, 1], {}),
        ([[1.0, 2.0]], [1], {}),
        ([1.0, 2.0], [1, 1], {}),
        ([["a", "b"]], [1, 1], {}),
        ([[1.0, 2.0], [3.0]], [1, 1], {}),
        ([[1.0, 2.0]], [1, "soon"], {}),
        ([[1.0, 2.0]], [1, 1], {"original": [[1.0, math.nan]]}),
        ([[1.0, 2.0]], [1, 1], {"original": [[1.0, 0.5]]}),
        ([[1.0, 2.0]], [1, 1], {"original": [[-0.5, 0.5]]}),
        ([[1.0, 2.0]], [1, 1], {"predicted": [1.0, 2.0]}),
        ([[1.0, 2.0]], None, {}),
        ([[1.0, 2.0]], [math.nan, 1], {}),
        ([[1.0, 2.0]], [-1, 1], {}),
        ([[1.0, 2.0]], [1, 1], {"meta_temperature_bps": 0.0}),
        ([[1.0, 2.0]], [1, 1], {"temperature": 1.0}),
    ],
)
def test_evaluate_refuses_what_cannot_be(rewards, delays, settings):
    """A delay that knows rewards at once, shapes that do not fit, what is not a number, impossible settings."""
    with pytest.raises(ConfigError):
        evaluate(rewards, delays, **settings)
