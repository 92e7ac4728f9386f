"""Fitting a queue model: what messages teach, what the estimate finds, what the command writes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fills import read_fitted
from fills.fitted import bundled
from replay.errors import DataError, UsageError
from replay.events import MessageAction
from replay.importers.book import BID
from replay.session import Session
from replay.session.tables import MESSAGE
from replay.synth import generate
from replay.validation.fit import fit_fills
from replay.validation.fit_book import CASE, EXECUTION, RETURN, learn, make_lines
from replay.validation.fit_cases import PRINT, Lessons, lessons_of
from replay.validation.fit_caution import CAUTIONS, shadow_merit, with_caution
from replay.validation.fit_odds import CORE, choose_terms, decays_of, estimate
from replay.validation.fit_prints import shares_of
from replay.validation.shadows import shadow_orders
from replay.validation.truth import real_orders
from tests.naive.lines import Lines
from tests.validation.worlds import SYMBOL, message, opening, session

ACTIONS = {
    "add": MessageAction.ADD, "cancel": MessageAction.REDUCE, "execute": MessageAction.EXECUTE,
    "hidden": MessageAction.EXECUTE_HIDDEN,
}  # fmt: skip
STEPS = st.tuples(
    st.sampled_from(["add", "add", "add", "cancel", "cancel", "execute", "execute", "hidden"]), st.integers(0, 30),
    st.sampled_from([1, -1]), st.integers(0, 3), st.integers(1, 5), st.integers(0, 50),
)  # fmt: skip


def tape_of(steps):
    """Return messages near a touch of 100 to 101: (ts, action, id, side, price, qty)."""
    tape, ts = (
        [(1, "add", 900, 1, 100, 9), (1, "add", 901, -1, 101, 9), (1, "add", 902, 1, 98, 9), (1, "add", 903, -1, 103, 9)],
        1,
    )
    for k, (action, which, side, away, qty, gap) in enumerate(steps):
        ts += gap
        adds = [row for row in tape if row[1] == "add"]
        target = adds[which % len(adds)]
        price = 100 - away if side > 0 else 101 + away
        tape.append((ts, "add", k, side, price, qty) if action == "add" else (ts, action, target[2], target[3], target[4], qty))
    return tape


@pytest.mark.jit_off
@settings(max_examples=150, deadline=None)
@given(steps=st.lists(STEPS, max_size=60))
def test_messages_teach_what_plain_lists_teach(steps):
    """Cases, returns and executions are those that lists of orders, walked from the front, give on any stream."""
    tape = tape_of(steps)
    plain = Lines()
    messages = np.zeros(len(tape), MESSAGE)
    for row, (ts, action, order_id, side, price, qty) in zip(messages, tape, strict=True):
        plain.play(ts, action, order_id, side, price, qty, 10**6 + ts)
        row["ts_ns"], row["action"], row["order_id"], row["side"], row["price"], row["qty"] = (
            ts, ACTIONS[action], order_id, side, price, qty,
        )  # fmt: skip
        row["exch_ts_ns"] = 10**6 + ts
    _, rows = np.unique(messages["order_id"], return_inverse=True)
    prices, levels = np.unique(messages["price"], return_inverse=True)
    lines = make_lines(len(tape), prices, 5000, len(tape))
    lines.ctl["end_ns"], lines.ctl["one_in"] = 10**18, 1
    learn(messages, rows, levels, lines)

    assert sorted(plain.cases) == sorted(tuple(int(x) for x in row) for row in lines.cases[: lines.ctl["n_cases"][0]])
    assert sorted(plain.returns) == sorted(tuple(int(x) for x in row) for row in lines.returns[: lines.ctl["n_returns"][0]])
    noted = lines.executions[: lines.ctl["n_executions"][0]]
    sides = np.where(noted["side"] == BID, 1, -1)
    rows = (noted["ts_ns"], sides, prices[noted["level"]], noted["qty"], noted["better_qty"], noted["is_hidden"])
    assert plain.executions == [tuple(int(x) for x in row) for row in zip(*rows, strict=True)]


def cases_of(n: int, base: float, position: float, level: float = 0.0) -> np.ndarray:
    """Draw cases whose answers follow known odds."""
    draws = np.random.default_rng(1)
    cases = np.zeros(n, CASE)
    cases["ts_ns"] = np.arange(n) * 10**9
    cases["ahead_qty"], cases["behind_qty"] = draws.integers(1, 200, (2, n))
    cases["other_qty"] = draws.integers(1, 400, n)
    cases["drop_qty"], cases["spread"], cases["quiet_ns"] = 1, 1, 10**9
    odds = base + position * np.log(cases["ahead_qty"] / cases["behind_qty"])
    odds += level * np.log((cases["ahead_qty"] + cases["behind_qty"]) / 200)
    cases["is_ahead"] = draws.random(n) < 1 / (1 + np.exp(-odds))
    return cases


def test_known_odds_are_found_again():
    """Twenty thousand cancels give base and position back within a few hundredths, and no term that is not there."""
    cases = cases_of(20_000, -1.5, 0.6)
    found = estimate(CORE, cases)

    assert (pytest.approx(-1.5, abs=0.06), pytest.approx(0.6, abs=0.06)) == (found["base"], found["position"])
    assert CORE == choose_terms(cases, np.arange(20_000) // 2_500)


def test_a_term_that_matters_is_taken_up():
    """Where cancels depend on the size of the level, the level earns its place."""
    cases = cases_of(20_000, -1.0, 0.6, level=-1.0)

    assert "level" in choose_terms(cases, np.arange(20_000) // 2_500)


def test_few_cancels_stay_near_pro_rata():
    """Ten cancels cannot carry the estimate far from position 1 and base 0."""
    found = estimate(CORE, cases_of(10, 0.0, 1.0))

    assert pytest.approx(1.0, abs=1.0) == found["position"]
    assert pytest.approx(0.0, abs=1.5) == found["base"]


def test_no_cancel_at_all_is_pro_rata():
    """Without a case the model is pro rata, and nothing decays."""
    none = np.zeros(0, CASE)

    assert {"base": 0.0, "position": 1.0} == estimate(choose_terms(none, np.zeros(0, int)), none)
    assert {"hidden_decay": 0.0, "hidden_move": 0.0} == decays_of(np.zeros(0, RETURN))


def test_the_decays_explain_what_went_while_hidden():
    """Orders that come back with (1 + s)^-0.2 exp(-0.03 moves) of what was ahead give 0.2 and 0.03."""
    returns = np.zeros(400, RETURN)
    seconds, moves = np.arange(400) % 20, np.arange(400) // 20
    returns["ts_ns"], returns["ahead_qty"], returns["hidden_ns"] = np.arange(400), 1_000_000, seconds * 10**9
    returns["n_moves"] = moves
    returns["left_qty"] = np.rint(1_000_000 * (1.0 + seconds) ** -0.2 * np.exp(-0.03 * moves))
    found = decays_of(returns)

    assert (pytest.approx(0.2, abs=1e-4), pytest.approx(0.03, abs=1e-4)) == (found["hidden_decay"], found["hidden_move"])


def lesson_of(executions=(), prints=()) -> Lessons:
    """Return a lesson with executions (ts, side, level, qty, better, hidden) and prints without a venue (ts, qty)."""
    return Lessons(
        symbol=SYMBOL,
        cases=np.zeros(0, CASE),
        returns=np.zeros(0, RETURN),
        executions=np.array(list(executions), EXECUTION),
        prints=np.array(list(prints), PRINT),
    )


def test_shares_of_prints_are_counted():
    """Of 40 executed 10 met hidden orders; of 100 printed somewhere 40 were executed here; a stretch can be left out."""
    rows = [(10**9, BID, 5, 30, 0, 0), (40 * 10**9, BID, 5, 10, 0, 1)]
    shares = shares_of([lesson_of(rows, [(10**9, 60), (2 * 10**9, 40)])])

    assert {"hidden_share": 0.25, "venue_share": 0.4} == shares.values()
    _, low, high = shares.estimates(200, 0)["hidden_share"]
    assert low <= 0.25 <= high
    assert 0.0 == shares.without(30 * 10**9, 50 * 10**9).values()["hidden_share"]


def test_a_print_passes_better_orders_by_unless_they_trade_with_it():
    """Ten executed beyond six displayed pass by all six; where four of the six are executed a millisecond later, two."""
    beyond, better = (10**9, BID, 3, 10, 6, 0), (10**9 + 10**6, BID, 5, 4, 0, 0)

    assert 1.0 == shares_of([lesson_of([beyond])]).values()["passed_share"]
    assert pytest.approx(2 / 6) == shares_of([lesson_of([beyond, better])]).values()["passed_share"]
    assert 1.0 == shares_of([lesson_of([beyond, (10**9 + 10**7, *better[1:])])]).values()["passed_share"]


def test_without_such_prints_a_share_is_not_learned():
    """What the data do not show stays with the band: no execution, no share."""
    assert {} == shares_of([lesson_of()]).values()


def test_prints_that_name_no_venue_are_told_apart():
    """Prints of a named venue say nothing of where a print without one happened; those without one do."""
    tape = [*opening(), message(5, "add", 7, 1, 100, 50), message(7, "execute", 9000, 1, 100, 30)]
    named, unnamed = (lessons_of(session(tape, venue=venue), SYMBOL, 0, 2**62) for venue in ("N", ""))

    assert ([], [30]) == (named.prints["qty"].tolist(), unnamed.prints["qty"].tolist())
    assert {"hidden_share": 0.0, "venue_share": 1.0} == shares_of([unnamed]).values()


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    """Return two synthetic days of half an hour."""
    return generate(tmp_path_factory.mktemp("fit"), symbols=1, minutes=30, days=2, seed=3)


@pytest.fixture(scope="module")
def fit(days):
    """Return the fit of the first of them."""
    return fit_fills(days[:1], folds=3, resamples=40)


def test_a_fit_says_what_it_was_fitted_on_and_how_good_it_is(days, fit, tmp_path):
    """The file names the data, holds cross-validated scores beside those of the textbook rules, and is read back as it was."""
    fit.model.save(tmp_path / "m.toml")
    found = read_fitted(tmp_path / "m.toml")

    assert fit.model.parameters == found.parameters
    assert (["synth"], [days[0].name], fit.model.name) == (found.fitted_on["sources"], found.fitted_on["dates"], found.name)
    assert found.fitted_on["n_orders"] > 1000
    assert f"replay fit fills days/{days[0].name} --symbols ALFA --folds 3 --out my_queue.toml" == found.fitted_on["command"]
    assert {"fitted", "behind_first", "pro_rata", "trades_only", "all_ahead"} <= set(found.scores["join"])
    value, low, high = found.scores["join"]["fitted"]["same"]
    assert low <= value <= high


def test_the_fitted_model_beats_the_textbook_on_a_day_it_has_not_seen(days, fit, tmp_path):
    """Fitted on one synthetic day, its Brier score on joins of the next is below that of every textbook rule."""
    from replay.validation import validate_fills

    fit.model.save(tmp_path / "own.toml")
    names = ["trades_only", "behind_first", "pro_rata", "all_ahead", "power", "log", tmp_path / "own.toml"]
    table = validate_fills(days[1:], names, bands=False, resamples=0).table()
    brier = table[table["kind"] == "join"].set_index("model")["brier"]

    assert "own" == brier.idxmin()


def test_caution_is_the_one_whose_shadows_do_best(days, fit):
    """Of the cautions that are tried the fit took one with the least error on its own orders, and the most fates among those."""
    day = Session.open(days[0])
    orders = shadow_orders(real_orders(day, day.symbols[0]), day).assign(session=0)
    parameters = fit.model.parameters
    models = [replace(fit.model, parameters={**parameters, "caution": caution}) for caution in CAUTIONS]
    merits = [shadow_merit(model, [day], orders) for model in models]

    assert with_caution(fit.model, [day], orders).parameters == parameters
    assert max(merits) == merits[CAUTIONS.index(parameters["caution"])]


def test_the_same_data_give_the_same_file(days, fit):
    """A second fit writes the same text."""
    again = fit_fills(days[:1], folds=3, resamples=40)

    assert fit.model.to_toml() == again.model.to_toml()


def test_too_few_orders_and_too_few_folds_are_refused():
    """A handful of orders teaches nothing, one stretch leaves nothing out, a session without messages has no truth."""
    tape = [*opening(), message(5, "add", 7, 1, 100, 50), message(7, "delete", 7, 1, 100, 50)]
    with pytest.raises(DataError, match=r"only 1 real orders joined or improved the touch; a queue model needs 100 at least"):
        fit_fills([session(tape)])
    with pytest.raises(UsageError, match=r"`folds` must be at least 2, got 1"):
        fit_fills([session(tape)], folds=1)
    assert SYMBOL == "ALFA"


def test_the_models_that_we_ship_name_their_data():
    """Each bundled model carries source, symbols, dates and scores; there is one per tick regime."""
    for regime, model in bundled().items():
        assert regime == model.tick_regime
        assert {"sources", "symbols", "dates", "n_orders", "n_cancels"} <= set(model.fitted_on)
        assert model.scores["join"]["fitted"]["same"][0] > 0.8
    assert {"large", "small"} == set(bundled())
