"""What plain callers may hand in, and the sentence that each mistake gets."""

import math
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

import strategy
from replay.errors import ConfigError, ReplayError, UnknownNameError, UsageError
from strategy import plain_events
from strategy.border import as_ns, check_counts, check_numbers, make_settings
from strategy.budget import BudgetSettings, MessageBudget
from strategy.decision_log import DecisionLog
from strategy.gate import GateSettings
from strategy.guard import Issued, Quote
from strategy.planner import PlannerSettings


@pytest.mark.parametrize(
    ("kind", "changes", "sentence"),
    [
        (BudgetSettings, {"messages_per_min": 0}, "messages_per_min must be at least 1, got 0"),
        (BudgetSettings, {"messages_per_min": 2.5}, "messages_per_min must be a whole number, got 2.5"),
        (BudgetSettings, {"burst_share": 1.5}, "burst_share must be at most 1, got 1.5"),
        (BudgetSettings, {"burst_share": math.nan}, "burst_share must be a finite number, got nan"),
        (BudgetSettings, {"burst_share": "half"}, "burst_share must be a finite number, got 'half'"),
        (BudgetSettings, {"messages_per_min": True}, "messages_per_min must be a finite number, got True"),
        (PlannerSettings, {"work_ns": (1, -5)}, "work_ns must be above 0 ns, got -5"),
        (PlannerSettings, {"work_ns": 5}, "work_ns must be a list ns, got 5"),
    ],
)
def test_a_setting_beyond_its_bounds_is_named(kind, changes, sentence):
    """The sentence has the name, what was expected, and the value."""
    with pytest.raises(ConfigError) as caught:
        make_settings(kind, None, changes)

    assert str(caught.value).startswith(sentence)


def test_settings_become_the_types_that_kernels_were_compiled_for():
    """A whole number stands for a float, a float that is whole for an integer, a list for a tuple."""
    found = make_settings(GateSettings, None, {"mean_z": 2, "mean_memory": 100.0, "margin_edges": [0, 1]})

    assert ("2.0", "100", "(0.0, 1.0)") == tuple(repr(value) for value in (found.mean_z, found.mean_memory, found.margin_edges))


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (np.int64(5), 5),
        (datetime(2026, 3, 2, 14, 30, 0, 7, tzinfo=UTC), 1_772_461_800_000_007_000),
        (pd.Timestamp("2026-03-02 09:30:00.000007001", tz="America/New_York"), 1_772_461_800_000_007_001),
        (np.datetime64("2026-03-02T14:30"), 1_772_461_800_000_000_000),
    ],
)
def test_times_are_understood(moment, expected):
    """Nanoseconds, datetimes with a zone, and the times of numpy and pandas, without the rounding of a float."""
    assert expected == as_ns(moment)


@pytest.mark.parametrize("moment", [1.7e18, "09:30", datetime(2026, 3, 2, 14, 30), None, True])  # noqa: DTZ001 - that is the mistake
def test_times_that_could_mean_several_things_are_refused(moment):
    """A float has lost nanoseconds, and a time without a zone names no instant."""
    with pytest.raises(UsageError, match="ns since 1970"):
        as_ns(moment)


def test_nan_is_a_number_and_text_is_none():
    """What a model or a market may say passes; what only a mistake can say does not."""
    check_numbers(mu_bps=math.nan, sigma_bps=np.float64(1.0), cost_bps=3)
    check_counts(bid_size=0, ask_size=np.int64(300))

    with pytest.raises(UsageError, match=r"mu_bps must be a number \(NaN where it is unknown\), got None"):
        check_numbers(mu_bps=None)
    with pytest.raises(UsageError, match="bid_size must be a whole number, 0 or more, got -1"):
        check_counts(bid_size=-1)


PLAIN = {
    "tail above one half": lambda: strategy.ConformalGate(["A"], [5], gate_tail=0.6),
    "negative TTL": lambda: strategy.StalenessGuard(tick_ttl_ns=-1),
    "zero budget": lambda: MessageBudget(messages_per_min=0),
    "budget of a planner": lambda: strategy.ExecutionPlanner(["A"], budget=BudgetSettings(messages_per_min=0)),
    "negative share": lambda: strategy.CostModel(vol_share=-0.1),
    "no cap": lambda: strategy.RiskModel(name_cap_usd=0.0),
    "chance above one": lambda: strategy.BarrierGate(block_above=1.5),
    "no temperature": lambda: strategy.HorizonArbiter([5], meta_temperature_bps=0.0),
    "check every 0 cycles": lambda: strategy.Verification(every_cycles=0),
    "no half-life": lambda: strategy.FeatureStream(["A"], fast_half_life_min=0.0),
    "descending horizons": lambda: strategy.HorizonArbiter([30, 5]),
    "no tick": lambda: strategy.ExecutionPlanner(["A"], tick_usd=0.0),
    "no tick of features": lambda: strategy.FeatureStream(["A"], tick_usd=0.0),
    "a tick NaN": lambda: strategy.FeatureStream(["A"], tick_usd=math.nan),
}


@pytest.mark.parametrize("name", PLAIN)
def test_components_refuse_what_cannot_be(name):
    """An impossible setting is a ConfigError of every component, before anything runs."""
    with pytest.raises(ConfigError):
        PLAIN[name]()


STRANGERS = {
    "cost": lambda: strategy.CostModel(symbols=["A"]).price(1.0, 1.0, 5, mid_usd=10.0, symbol="B"),
    "risk": lambda: strategy.RiskModel(symbols=["A"]).limit("B", 1, 1.0, equity_usd=1.0),
    "risk held": lambda: strategy.RiskModel(symbols=["A"]).limit("A", 1, 1.0, equity_usd=1.0, held_usd={"B": 1.0}),
    "barriers": lambda: strategy.BarrierGate(symbols=["A"]).open(1, 1.0, symbol="B"),
    "planner": lambda: strategy.ExecutionPlanner(["A"]).set_target(0, "B", 1),
    "answer": lambda: strategy.ExecutionPlanner(["A"]).answer(0, "A", "FILED", 1),
    "guard": lambda: strategy.StalenessGuard(symbols=["A"]).check(0, "B"),
    "features": lambda: strategy.FeatureStream(["A"]).read("B", 0),
    "arbiter": lambda: strategy.HorizonArbiter([5], symbols=["A"]).choose(
        [1.0], [1.0], [1], spread_bps=1.0, vol_bps=1.0, symbol="B"
    ),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_components_name_what_they_do_not_know(name):
    """An unknown symbol or word is one type of error everywhere, also a KeyError, whose text is a sentence."""
    with pytest.raises(UnknownNameError, match=r"^unknown (symbol|answer) '(B|FILED)'; (known are|did you mean)") as caught:
        STRANGERS[name]()

    assert isinstance(caught.value, KeyError)
    assert isinstance(caught.value, ReplayError)


MISTAKES = {
    "two symbols, none named": lambda: strategy.CostModel(symbols=["A", "B"]).price(1.0, 1.0, 5, mid_usd=10.0),
    "side of a fill": lambda: strategy.CostModel().learn(0, 1.0, 1.0, 1.0),
    "fill without a price": lambda: strategy.CostModel().learn(1, math.nan, 1.0, 1.0),
    "no equity": lambda: strategy.RiskModel(symbols=["A"]).limit("A", 1, 1.0),
    "a word too many": lambda: strategy.RiskModel(symbols=["A"]).limit("A", 1, 1.0, equity_usd=1.0, hold_usd={}),
    "side of a gate": lambda: strategy.BarrierGate().judge(2, 0.1, 0.1),
    "entry at nothing": lambda: strategy.BarrierGate().open(100, math.nan),
    "short list": lambda: strategy.HorizonArbiter([5, 30]).choose([1.0], [1.0], [1], spread_bps=1.0, vol_bps=1.0),
    "side of a leg": lambda: strategy.HorizonArbiter([5]).choose([1.0], [1.0], [3], spread_bps=1.0, vol_bps=1.0),
    "a forecast for the guard": lambda: strategy.StalenessGuard(symbols=["A"]).see(plain_events.forecast(1, "A", 5, 1.0, 1.0)),
    "an unknown metric": lambda: strategy.Verification().log_cycle({"n_eror": 1}),
    "an unknown column": lambda: strategy.Verification().log_decision(1, 0, "A", q_low_bps=1.0),
    "an outcome over no horizon of ours": lambda: strategy.HorizonArbiter([5]).mature(1, 7, 0.0),
    "an outcome in words": lambda: strategy.ConformalGate(["A"], [5]).mature(1, "up"),
    "an unknown reason": lambda: strategy.Verification().log_decision(1, 0, "A", reason="TRADED"),
    "an unknown state": lambda: strategy.Verification().log_order(0, 1, 1, "DONE", 1),
    "too few weights": lambda: strategy.Verification(horizons_min=[5, 30]).log_decision(1, 0, "A", weights=[1.0]),
    "an unknown knowledge": lambda: strategy.ExecutionPlanner(["A"]).set_target(0, "A", 1, urgent=1),
}


MISTAKES |= {
    "crossed bounds": lambda: strategy.Verification().log_decision(1, 0, "A", q_lo_bps=3.0, q_hi_bps=1.0),
    "half an interval": lambda: strategy.Verification().log_decision(1, 0, "A", q_lo_bps=3.0, q_hi_bps=math.nan),
    "a horizon of nobody": lambda: strategy.Verification(horizons_min=[5]).log_decision(1, 0, "A", horizon_min=7),
    "symbols below 0": lambda: strategy.Verification().log_cycle({"n_symbols": -1}),
    "symbols NaN": lambda: strategy.Verification().log_cycle({"n_symbols": math.nan}),
    "turnover NaN": lambda: strategy.Verification().log_cycle({"n_symbols": 1, "turnover_usd": math.nan}),
    "a cycle of nothing": lambda: strategy.Verification().log_cycle({"n_errors": 0}),
    "more errors than decisions": lambda: strategy.Verification().log_cycle({"n_symbols": 1, "n_errors": 2}),
    "turnover in words": lambda: strategy.Verification().log_cycle({"n_symbols": 1, "turnover_usd": "much"}),
    "weights in words": lambda: strategy.Verification().log_cycle({"n_symbols": 1, "weight_sum_min": "one"}),
    "a spread in words": lambda: strategy.CostModel().price("x", 1.0, 5, mid_usd=10.0),
    "a horizon of nothing": lambda: strategy.CostModel(mode="original").price(1.0, 1.0, 0),
    "no time to work": lambda: strategy.CostModel().price(1.0, 1.0, 5, mid_usd=10.0, work_min=0.0),
    "a cost without a price": lambda: strategy.CostModel().price(1.0, 1.0, 5),
    "a chance above one": lambda: strategy.BarrierGate().judge(1, 1.5, 0.1),
    "a chance below nothing": lambda: strategy.BarrierGate().hold(100.0, 0.1, -0.1),
    "no lot": lambda: strategy.BarrierGate().hold(100.0, 0.1, 0.1, lot=0),
    "half a lot": lambda: strategy.BarrierGate().hold(100.0, 0.1, 0.1, lot=1.5),
    "a lot in words": lambda: strategy.BarrierGate().hold(100.0, 0.1, 0.1, lot="ten"),
    "no lot of a cap": lambda: strategy.RiskModel().cap(100, 1.0, lot=0),
    "half a lot of a limit": lambda: strategy.RiskModel(symbols=["A"]).limit("A", 5, 1.0, equity_usd=1.0, lot=1.5),
    "an entry in words": lambda: strategy.BarrierGate().open(100, "x"),
    "a stop in words": lambda: strategy.BarrierGate().open(100, 1.0, "x"),
    "a bid in words": lambda: strategy.StalenessGuard().judge(2, 1, Quote("x", 1.0, 1, 1)),
    "an ask beyond all prices": lambda: strategy.StalenessGuard().judge(2, 1, Quote(1.0, 1e300, 1, 1)),
    "a fill in words": lambda: strategy.CostModel().learn(1, "x", 1.0, 1.0),
    "a target in words": lambda: strategy.RiskModel().cap("x", 1.0),
    "a mid in words": lambda: strategy.RiskModel(symbols=["A"]).limit("A", 5, "x", equity_usd=1.0),
    "a return in words": lambda: strategy.RiskModel(symbols=["A"]).observe({"A": "x"}),
    "a breaker's time in words": lambda: strategy.CircuitBreaker().report("gate", "x", is_failed=True),
    "a forecast in words": lambda: strategy.HorizonArbiter([5]).choose(["x"], [1.0], [1], spread_bps=1.0, vol_bps=1.0),
    "two predictions of one horizon": lambda: strategy.HorizonArbiter([5]).choose(
        [1.0], [1.0], [1], spread_bps=1.0, vol_bps=1.0, net_reward_bps=[1.0, 2.0]
    ),
    "half a share held": lambda: strategy.BarrierGate().open(0.5, 100.0),
    "twice all": lambda: strategy.Rollout().is_chosen("gate", "A", share=2.0),
    "no share": lambda: strategy.Rollout().is_chosen("gate", "A", share=math.nan),
    "decision -1": lambda: strategy.Rollout().is_chosen("gate", "A", share=0.5, count=-1),
    "sizes below nothing": lambda: strategy.FeatureStream(["A"]).quote(1, "A", 10.0, 10.1, bid_qty=-1, ask_qty=1),
    "a print at nothing": lambda: strategy.FeatureStream(["A"]).trade(1, "A", math.nan, 100),
    "an age below nothing": lambda: strategy.HorizonArbiter([5]).choose(
        [1.0], [1.0], [1], spread_bps=1.0, vol_bps=1.0, model_age_days=-1.0
    ),
    "seconds, seen": lambda: strategy.StalenessGuard().see(plain_events.quote(1_772_462_700, "all", 1.0, 1, 1.1, 1)),
    "milliseconds, checked": lambda: strategy.StalenessGuard().check(1_772_462_700_000),
    "microseconds, planned": lambda: strategy.ExecutionPlanner(["A"]).set_target(1_772_462_700_000_000, "A", 1),
    "a price like no other": lambda: plain_events.units(1e15),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_call_that_cannot_be_meant_is_a_usage_error(name):
    """Each is refused with a sentence; none of them reaches a kernel."""
    with pytest.raises(UsageError, match=r".{20}"):
        MISTAKES[name]()


def test_symbols_learn_apart_and_from_each_other():
    """What the fills of one symbol cost raises its own estimate most, that of another through the pool, the spread not."""
    model = strategy.CostModel(mode="enhanced", symbols=["A", "B"], horizons_min=[5, 30])
    order = {"qty": 200, "mid_usd": 50.0, "volume_per_min": 20_000.0}
    before = model.price(2.0, 4.0, 5, symbol="A", **order)
    for _ in range(100):
        model.learn(1, 50.03, 50.0, 3.5, symbol="A", horizon_min=5)
    own, other = (model.price(2.0, 4.0, 5, symbol=name, **order) for name in "AB")

    assert before < other < own
    assert 2.0 == model.split(2.0, 4.0, 5, symbol="A", **order)["spread"]


def test_positions_are_watched_apart():
    """A barrier gate with two symbols scales out of each once."""
    gate = strategy.BarrierGate(symbols=["A", "B"])
    for name in "AB":
        gate.open(200, 100.0, symbol=name)

    assert [100, 100, 100] == [gate.hold(100.0, 0.9, 0.1, symbol=name).keep_qty for name in "AAB"]


def test_arbiters_of_two_symbols_learn_apart():
    """Labels of one symbol end the fallback of that symbol alone."""
    arbiter = strategy.HorizonArbiter([1], symbols=["A", "B"], labels_min=5.0)
    ask = {"spread_bps": 1.0, "vol_bps": 1.0}
    for k in range(20):
        arbiter.choose([3.0], [1.0], [1], choice_id=k, symbol="A", **ask)
        arbiter.mature(k, 1, 4.0)
    found = {name: arbiter.choose([3.0], [1.0], [1], symbol=name, **ask).fallback.name for name in "AB"}

    assert {"A": "NONE", "B": "FEW_LABELS"} == found


def test_a_choice_waits_once():
    """The id of a choice whose outcome is awaited cannot name another."""
    arbiter = strategy.HorizonArbiter([5])
    arbiter.choose([3.0], [1.0], [1], spread_bps=1.0, vol_bps=1.0, choice_id=1)

    with pytest.raises(UsageError, match="choice 1 waits"):
        arbiter.choose([3.0], [1.0], [1], spread_bps=1.0, vol_bps=1.0, choice_id=1)


def test_planner_calls_do_not_go_back_in_time():
    """A late call is refused by name of both times, and says what to do."""
    planner = strategy.ExecutionPlanner(["A"])
    planner.quote("A", 10.00, 10.03, bid_qty=500, ask_qty=500, now_ns=2_000)

    with pytest.raises(UsageError, match="calls of the planner go back in time: ts_ns 1999 after 2000"):
        planner.set_target(1_999, "A", 100)


def test_a_planner_says_why_it_sent_nothing():
    """Without a quote there is no request, and `reason` has the answer; with one the target is set."""
    planner = strategy.ExecutionPlanner(["A"])
    silent = planner.set_target(0, "A", 100), planner.reason.name
    planner.quote("A", 10.00, 10.03, bid_qty=500, ask_qty=500)
    sent = planner.set_target(0, "A", 100), planner.reason.name

    assert ([], "NO_QUOTE") == silent
    assert (1, "TARGET_SET") == (len(sent[0]), sent[1])


def test_the_guard_judges_one_symbol_among_many():
    """`judge` with plain touches and `check` after `see` agree where both know the same."""
    seen, told = (strategy.StalenessGuard(symbols=["A", "B"]) for _ in range(2))
    second, answers = 1_000_000_000, []
    for k in range(1, 200):
        for name in "AB":
            seen.see(plain_events.quote(k * second, name, 10.0, 100, 10.01, 100))
            told.hear(k * second, name)
    for now_ns in (199 * second, 200 * second, 205 * second):
        quote = Quote(10.0, 10.01, 100, 100)
        told.hear(199 * second, "B")
        left = seen.check(now_ns, "A", Issued(30, now_ns, now_ns))
        right = told.judge(now_ns, 199 * second, quote, Issued(30, now_ns, now_ns), symbol="A")
        answers.append(left.reason.name)
        assert (left.reason, left.is_stale) == (right.reason, right.is_stale)

    assert ["TARGET_SET", "TARGET_SET", "STALE_QUOTE"] == answers


def test_metrics_of_ones_own_are_let_through():
    """A cycle may carry more than is judged; only what looks misspelt is refused."""
    alone, more = (strategy.Verification(decisions_min=2) for _ in range(2))
    for _ in range(3):
        alone.log_cycle({"n_symbols": 1})
        more.log_cycle({"n_symbols": 1, "my_pnl_usd": 12.5})

    assert alone.run_full() == more.run_full()


def test_a_logged_loop_is_judged_like_rows():
    """Decisions, outcomes, rewards and orders that were logged one by one give the checks that columns of them give."""
    rng, minute = np.random.default_rng(1), 60_000_000_000
    n, horizons = 3000, [5, 30]
    outcomes, weights = rng.normal(size=n), rng.dirichlet([1.0, 1.0], n)
    verification = strategy.Verification(horizons_min=horizons)
    for k in range(n):
        verification.log_decision(
            k, k * minute, "A", horizon_min=5, q_lo_bps=-1.2816, q_hi_bps=1.2816, sigma_bps=1.0, weights=weights[k]
        )
        verification.log_outcome(k, outcomes[k], rewards=[0.1, -0.1])
        verification.log_order(k * minute, k, k + 1, "SENT", 5 * minute)
        verification.log_order(k * minute + 1, k, k + 1, "FILLED", 5 * minute)
    found = {check.name: check for check in verification.run_full()}

    assert abs(found["conformal_coverage"].value - 100.0 * np.mean(abs(outcomes) <= 1.2816)) < 1e-9
    assert "PASS" == found["conformal_coverage"].status
    assert (100.0, n) == (found["execution_sla"].value, found["execution_sla"].n_eff)
    assert "NOT_ENOUGH_DATA" != found["selector_adapts"].status


def test_an_outcome_that_nothing_waits_for_stops_no_loop():
    """Gate, arbiter and checklist count a second outcome and one of an unknown id alike, and learn from neither."""
    gate, arbiter = strategy.ConformalGate(["A"], [5], mode="original"), strategy.HorizonArbiter([5])
    checklist = strategy.Verification(horizons_min=[5])
    gate.calibrate(1, 0, "A", 5, mu_bps=0.0, sigma_bps=1.0)
    arbiter.choose([3.0], [1.0], [1], spread_bps=1.0, vol_bps=1.0, choice_id=1)
    checklist.log_decision(1, 0, "A", horizon_min=5)
    for number, outcome_bps in ((1, 1.0), (1, 9.0), (2, 9.0)):
        gate.mature(number, outcome_bps)
        arbiter.mature(number, 5, outcome_bps)
        checklist.log_outcome(number, outcome_bps)

    assert [2, 2, 2] == [gate.unknown_count, arbiter.unknown_count, checklist.unknown_count]
    assert 1 == gate.coverage("A", 5).matured_count


def test_the_first_outcome_of_a_logged_decision_stands():
    """A second outcome does not replace the first, not even one that was not known."""
    log = DecisionLog()
    for number, outcomes in ((1, (4.0, 9.0)), (2, (math.nan, 9.0))):
        log.decide(number, 0, "A")
        for outcome_bps in outcomes:
            log.mature(number, outcome_bps)

    np.testing.assert_array_equal([4.0, math.nan], log.columns()[1])


def test_the_guard_is_not_asked_about_the_past():
    """A check before the last quote is refused; one in seconds after quotes in nanoseconds says what it looks like."""
    guard, now_ns = strategy.StalenessGuard(), 1_772_462_700_000_000_000
    guard.see(plain_events.quote(now_ns, "all", 10.0, 100, 10.01, 100))

    with pytest.raises(UsageError, match="checks go back in time"):
        guard.check(now_ns - 3_600_000_000_000)
    with pytest.raises(UsageError, match="looks like seconds since 1970"):
        guard.check(1_772_462_700)


def test_features_do_not_go_back_in_time():
    """A late quote is refused and moves nothing; what is asked about the past has no answer."""
    stream = strategy.FeatureStream(["A"])
    stream.quote(2_000, "A", 10.00, 10.03, bid_qty=500, ask_qty=500)

    with pytest.raises(UsageError, match="events of a feature stream go back in time: ts_ns 1999 after 2000"):
        stream.quote(1_999, "A", 20.00, 20.03, bid_qty=500, ask_qty=100)
    with pytest.raises(UsageError, match="questions about features go back in time"):
        stream.read("A", 1_999)
    assert 0.0 == stream.read("A", 2_000)["imbalance"]


@pytest.mark.parametrize("call", ["FeatureStream", "ExecutionPlanner"])
def test_sizes_cannot_be_taken_for_prices(call):
    """Feeds say price and size side by side, or prices first: sizes have to be named, so that no order of them is wrong."""
    asker = getattr(strategy, call)(["A"])
    ahead = (1,) if call == "FeatureStream" else ()

    with pytest.raises(TypeError, match="positional"):
        asker.quote(*ahead, "A", 10.00, 500, 10.03, 500)


def test_a_crossed_spread_is_an_unknown_cost():
    """A market may say it: the cost is NaN, as in the loop, and never less than nothing."""
    assert all(math.isnan(strategy.CostModel(mode=mode).price(-1.0, 1.0, 5, mid_usd=10.0)) for mode in ("original", "enhanced"))


@pytest.mark.parametrize(
    "make",
    [
        lambda: strategy.ConformalGate(["A"], [5]),
        lambda: strategy.HorizonArbiter([5]),
        strategy.StalenessGuard,
        lambda: strategy.ExecutionPlanner(["A"]),
        strategy.CostModel,
        strategy.RiskModel,
        strategy.BarrierGate,
        strategy.labels.TripleBarrier,
    ],
)
def test_a_component_alone_begins_enhanced(make):
    """Whoever imports a class wants what it improves; the original is what `mode` can say."""
    assert "enhanced" == make().settings.mode


@pytest.mark.parametrize("bid", [math.nan, -1.0, 0.0])
def test_a_side_without_a_price_is_refused_as_no_quote(bid):
    """What a feed says for an empty side is no mistake of the caller: `reason` refuses, whatever the age."""
    guard = strategy.StalenessGuard()
    guard.see(plain_events.quote(10, "all", bid, 100, 10.01, 100))

    assert "NO_QUOTE" == guard.check(11).reason.name


@pytest.mark.parametrize(
    ("mu", "spread", "vol", "expected"),
    [
        (math.nan, 1.0, 1.0, ("FORECAST_NAN", "NONE")),
        (5.0, 1.0, math.nan, ("GATE_COST", "NAN_FEATURE")),
        (5.0, 1.0, -1.0, ("GATE_COST", "NAN_FEATURE")),
        (5.0, -2.0, 1.0, ("COST_UNKNOWN", "NAN_FEATURE")),
    ],
)
def test_an_arbiter_tells_unknown_inputs_from_a_shut_gate(mu, spread, vol, expected):
    """No forecast is a reason of its own; without spread or volatility the fallback says that nobody could choose."""
    found = strategy.HorizonArbiter([5]).choose([mu], [1.0], [1], spread_bps=spread, vol_bps=vol)

    assert expected == (found.reason.name, found.fallback.name)


def test_a_shut_gate_is_an_answer_of_the_arbiter():
    """With no open side nothing falls back: no trade is what it says."""
    found = strategy.HorizonArbiter([5]).choose([5.0], [1.0], [0], spread_bps=1.0, vol_bps=1.0)

    assert ("GATE_COST", "NONE", 0) == (found.reason.name, found.fallback.name, found.side)
