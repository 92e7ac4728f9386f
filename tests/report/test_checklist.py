import json
from dataclasses import replace

import numpy as np
import pytest

from replay.checklist import CHECKPOINTS_MAX, judge, rewards, verification_rows
from replay.ledger import Mids
from strategy.decision import CYCLE
from strategy.verification import VerificationSettings
from tests.report.worlds import CONTEXT, OPEN_NS, S_NS, Maker, decision, marks, rows


def test_a_run_without_rows_cannot_be_judged():
    """All six checks answer NOT_ENOUGH_DATA, and so does the whole."""
    answer = verification_rows(rows(), CONTEXT)

    assert ["NOT_ENOUGH_DATA"] * 6 == [check["status"] for check in answer["checks"]]
    assert "NOT_ENOUGH_DATA" == answer["worst"]


def test_a_run_is_judged_by_its_rows():
    """Cycles without error pass their check, and the answer is JSON."""
    cycles = np.zeros(200, CYCLE)
    cycles["n_symbols"] = 2
    cycles["weight_sum_min"] = cycles["weight_sum_max"] = 1.0

    answer = verification_rows(Maker().day()._replace(cycles=cycles), CONTEXT)

    json.dumps(answer, allow_nan=False)
    status = {check["name"]: check["status"] for check in answer["checks"]}
    assert ("PASS", "PASS", "PASS") == (status["component_errors"], status["weights_normal"], status["execution_sla"])


def cycles_of(decisions, **values):
    """One cycle per decision of the first symbol."""
    own = decisions[decisions["symbol"] == 0]
    made = np.zeros(len(own), CYCLE)
    made["ts_ns"], made["cycle"], made["n_symbols"] = own["ts_ns"], np.arange(len(own)), 2
    made["weight_sum_min"] = made["weight_sum_max"] = 1.0
    for name, value in values.items():
        made[name] = value
    return made


def test_rewards_are_net_returns_over_volatility():
    """After +10 bps in 5 minutes and -20 in 15, a long pays and loses that less cost, in units of sigma; a short is mirrored."""
    seen = marks((0, 0, 1_000_000, 1_000_000), (299, 0, 1_001_000, 1_001_000), (899, 0, 998_000, 998_000))
    long = decision(0, 0, horizon_min=5, sigma_bps=4.0, cost_bps=2.0, mu_bps=3.0, mid2=2_000_000)
    short, none = long.copy(), long.copy()
    short["mu_bps"], none["horizon_min"] = -3.0, 0
    found = rewards(np.concatenate([long, short, none]), Mids(seen), CONTEXT)

    assert [8.0 / 4.0, -22.0 / (4.0 * 3**0.5)] == pytest.approx(found[0].tolist())
    assert [-12.0 / 4.0, 18.0 / (4.0 * 3**0.5)] == pytest.approx(found[1].tolist())
    assert np.isnan(found[2]).all()


def test_a_reward_beyond_the_session_is_not_known():
    """Fifteen minutes before the end the horizon of five is known and that of fifteen is not, one second later."""
    span = replace(CONTEXT.sessions[0], end_ns=OPEN_NS + 899 * S_NS)
    row = decision(0, 0, horizon_min=5, sigma_bps=4.0, mu_bps=1.0, mid2=2_000_000)
    found = rewards(row, Mids(marks((0, 0, 1_000_000, 1_000_000))), replace(CONTEXT, sessions=(span,)))

    assert [False, True] == np.isnan(found[0]).tolist()


def test_alerts_know_nothing_of_what_comes_after():
    """The alerts up to a time are those of a run that ended then."""
    day = Maker().day()
    settings = VerificationSettings(every_cycles=20, coverage_n_eff_min=5, decisions_min=10, plans_min=3)
    cycles = cycles_of(day.decisions, n_errors=np.arange(379) > 60)
    whole = day._replace(cycles=cycles)
    until_ns = int(cycles["ts_ns"][219])
    cut = rows(**{name: part[part["ts_ns"] <= until_ns] for name, part in whole._asdict().items()})
    early = replace(CONTEXT, sessions=(replace(CONTEXT.sessions[0], end_ns=until_ns),))
    expected = [alert for alert in judge(whole, CONTEXT, settings)[1] if alert["ts_ns"] < until_ns]
    found = [alert for alert in judge(cut, early, settings)[1] if alert["ts_ns"] < until_ns]

    assert len(expected) >= 2
    assert json.dumps(expected) == json.dumps(found)


def test_alerts_carry_their_time_and_end_where_a_check_recovers():
    """Errors in the middle of a day are told when they exceed their share, and again when they fall below it."""
    day = Maker().day()
    number = np.arange(379)
    cycles = cycles_of(day.decisions, n_errors=2 * ((number >= 100) & (number < 140)))
    alerts = judge(day._replace(cycles=cycles), CONTEXT, VerificationSettings(every_cycles=20))[1]
    told = [(alert["status"], int(alert["cycle"])) for alert in alerts if alert["name"] == "component_errors"]

    assert ("FAIL", 119) == told[0]
    assert ["FAIL", "WARN"] == [status for status, _ in told]
    assert all(alert["time"].endswith("ET") and alert["ts_ns"] >= OPEN_NS for alert in alerts)


def test_a_long_run_is_not_judged_without_end():
    """However many cycles there are, at most so many checks are made on the way."""
    cycles = np.zeros(100_000, CYCLE)
    cycles["ts_ns"] = OPEN_NS + np.arange(100_000) * S_NS
    cycles["n_symbols"], cycles["n_errors"] = 1, np.arange(100_000) // 1000 % 2
    alerts = judge(rows(cycles=cycles), CONTEXT)[1]

    assert 0 < len(alerts) <= 2 * CHECKPOINTS_MAX
