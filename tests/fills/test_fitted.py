"""Fitted queue models: their kernels, their laws, their files."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fills import QueueModel, read_fitted
from fills.chosen import choose_queue
from fills.fitted import FittedQueue, bundled, tick_regimes
from fills.queue import MICRO, QUEUE_FIT, on_fitted_fall, on_fitted_return
from replay.errors import UsageError
from replay.events import Flag
from replay.session import Session
from tests.fills.worlds import SELL_PRINT, Market, fills_of, new, quote, trade
from tests.naive.fitted_queue import back_again, fall

SIZES = st.integers(0, 10**6)
TIMES = st.integers(0, 10**14)
COEFFICIENTS = st.lists(st.floats(-5, 5), min_size=8, max_size=8)


def fit_of(values, decay=0.0, move=0.0) -> np.ndarray:
    """Return one row of parameters."""
    return np.array([(*values, decay, move, 0.0, 0.0, 0.0)], QUEUE_FIT)[0]


@pytest.mark.jit_off
@settings(max_examples=300, deadline=None)
@given(values=COEFFICIENTS, new=SIZES, drop=SIZES, share=st.floats(0, 1), age=TIMES, quiet=TIMES, other=SIZES, spread=SIZES)
def test_a_fall_is_shared_as_by_the_plain_model(values, new, drop, share, age, quiet, other, spread):
    """Kernel and plain Python agree to the last millionth; the answer is whole, not negative, no more than before or shown."""
    fit, micro = fit_of(values), int((new + drop) * share * MICRO)
    case = {"age_s": age / 1e9, "quiet_s": quiet / 1e9, "other": other, "spread": spread}
    after = on_fitted_fall(fit, micro, drop, new, age, float(spread), other, quiet)

    assert fall(fit, micro, drop, new, case) == after
    assert 0 <= after <= min(micro, new * MICRO)


@pytest.mark.jit_off
@settings(max_examples=200, deadline=None)
@given(decay=st.floats(0, 5), move=st.floats(0, 1), new=SIZES, micro=st.integers(0, 10**12), hidden=TIMES, n=st.integers(0, 99))
def test_a_return_is_counted_as_by_the_plain_model(decay, move, new, micro, hidden, n):
    """What was hidden comes back as the plain model says, never longer than it went."""
    fit = fit_of([0.0] * 8, decay, move)
    after = on_fitted_return(fit, micro, hidden, n, new)

    assert back_again(fit, micro, hidden / 1e9, n, new) == after
    assert 0 <= after <= min(micro, new * MICRO)


def filled_of(*prints, evidence=1, **shares) -> list:
    """Return what prints fill of 900 bid for at 100 behind 100, under a model that learned shares of prints."""
    fit = np.zeros(1, QUEUE_FIT)
    for name, share in shares.items():
        fit[name] = share
    market = Market(1, queue=QueueModel.FITTED, fits=fit, evidence=evidence)
    return [qty for *_, qty in fills_of(market.play(quote(100, 100, 101, 300), new(1, 1, 900, 100), *prints))]


def test_a_learned_venue_share_replaces_that_of_the_band():
    """Of 400 printed nobody knows where, half reach a queue of 100, not the band's two thirds; a named venue's print all."""
    nowhere = trade(100, 400, flags=SELL_PRINT | int(Flag.NO_VENUE))

    assert ([168], [100]) == (filled_of(nowhere), filled_of(nowhere, venue_share=0.5))
    assert [300] == filled_of(trade(100, 400), venue_share=0.5)


def test_a_learned_hidden_share_counts_where_the_feed_does_not_tell():
    """A quarter of what prints at our price met hidden orders; where messages tell which, nothing is taken off the others."""
    assert [200] == filled_of(trade(100, 400), hidden_share=0.25)
    assert [300] == filled_of(trade(100, 400), hidden_share=0.25, evidence=5)


def test_a_learned_share_passes_better_orders_by():
    """Of 40 printed below our bid 30 passed us by; where none is learned all 40 are ours."""
    assert ([40], [10]) == (filled_of(trade(99, 40)), filled_of(trade(99, 40), passed_share=0.75))


def test_caution_is_taken_off_the_odds():
    """A model with caution hands the kernel a base that is lower by it, and keeps both numbers in its file."""
    model = FittedQueue(name="x", tick_regime="large", parameters={"base": -1.5, "caution": 0.5})

    assert -2.0 == model.row["base"]
    assert "caution = 0.5  # taken off the log-odds" in model.to_toml()


@pytest.mark.parametrize(("base", "model"), [(-30.0, "BEHIND_FIRST"), (30.0, "ALL_AHEAD")])
def test_the_extremes_are_the_textbook_rules(base, model):
    """At odds of nought nobody ahead leaves before those behind, at endless odds they leave first."""
    stream = [quote(100, 300, 101, 300), new(1, 1, 100, 100), quote(100, 700, 101, 300), quote(100, 450, 101, 300)]
    stream += [trade(100, 120, flags=SELL_PRINT), quote(100, 330, 101, 300), trade(100, 330, flags=SELL_PRINT)]
    fitted = Market(1, queue=QueueModel.FITTED, fits=fit_of([base, *[0.0] * 7]).reshape(1))
    textbook = Market(1, queue=QueueModel[model])

    assert fills_of(textbook.play(*stream, every_ns=10**9)) == fills_of(fitted.play(*stream, every_ns=10**9))


def test_fractions_are_carried_from_fall_to_fall():
    """Four single cancels at a quarter each take one share from the front; rounded each time they would take none."""
    market = Market(1, queue=QueueModel.FITTED, fits=fit_of([-np.log(3.0), *[0.0] * 7]).reshape(1))
    falls = [quote(100, 20 - k, 101, 5) for k in range(1, 5)]
    market.play(quote(100, 10, 101, 5), new(1, 1, 5, 100), quote(100, 20, 101, 5), *falls, every_ns=10**9)

    assert [(9, True)] == [(int(row["ahead_qty"]), row["spare_micro"] < 10) for row in market.venue.orders[0, :1]]


EXCHANGE_MS = 10**18  # an exchange time that is a whole number of milliseconds


@pytest.mark.parametrize(
    ("print_exch", "quote_exch", "ahead"),
    [
        (EXCHANGE_MS + 1, EXCHANGE_MS + 1, 4),
        (EXCHANGE_MS + 1, EXCHANGE_MS + 2, 7),
        (EXCHANGE_MS, EXCHANGE_MS, 7),
    ],
)
def test_who_leaves_in_the_event_of_a_print_stood_first_in_line(print_exch, quote_exch, ahead):
    """Three go beyond a print of three: from the front in its own event, else by the odds; whole milliseconds name no event."""
    market = Market(1, queue=QueueModel.FITTED, fits=fit_of([-30.0, *[0.0] * 7]).reshape(1), evidence=5)
    fell = [trade(100, 3) | {"exch": print_exch}, quote(100, 14, 101, 5) | {"exch": quote_exch}]
    market.play(quote(100, 10, 101, 5), new(1, 1, 5, 100), quote(100, 20, 101, 5), *fell, every_ns=1000)

    assert [ahead] == market.venue.orders[0, :1]["ahead_qty"].tolist()


@pytest.mark.parametrize(("shown_qty", "ahead"), [(11, 1), (10, 0), (9, 0), (2, 0)])
def test_a_match_that_took_more_than_stood_ahead_took_all_of_them(shown_qty, ahead):
    """Of seven ahead after a print of three, a fall of six leaves one; one of seven, eight or fifteen leaves nobody."""
    market = Market(1, queue=QueueModel.FITTED, fits=fit_of([-30.0, *[0.0] * 7]).reshape(1), evidence=5)
    at = {"exch": EXCHANGE_MS + 1}
    fell = [trade(100, 3) | at, quote(100, shown_qty, 101, 5) | at]
    market.play(quote(100, 10, 101, 5), new(1, 1, 5, 100), quote(100, 20, 101, 5), *fell, every_ns=1000)

    assert [ahead] == market.venue.orders[0, :1]["ahead_qty"].tolist()


def test_those_ahead_give_up_as_the_touch_moves_on():
    """Ten ahead while the touch goes up two ticks and comes back, four moves: exp(-4 x 0.1) of them are left, in whole lots."""
    market = Market(1, queue=QueueModel.FITTED, fits=fit_of([0.0] * 8, move=0.1).reshape(1))
    away = [quote(price, 5, 104, 5) for price in (101, 102, 101)]
    market.play(quote(100, 10, 104, 5), new(1, 1, 5, 100), *away, quote(100, 10, 104, 5))

    assert [(7, 296_800)] == [(int(row["ahead_qty"]), int(row["spare_micro"])) for row in market.venue.orders[0, :1]]


def model_file(tmp_path, **changes) -> str:
    """Write a sound model file with some lines changed."""
    lines = {"schema_version": "1", "name": '"a"', "tick_regime": '"large"', "base": "-1.5"} | changes
    head = "\n".join(f"{key} = {lines[key]}" for key in ("schema_version", "name", "tick_regime"))
    rest = "\n".join(f"{key} = {value}" for key, value in lines.items() if key not in ("schema_version", "name", "tick_regime"))
    (tmp_path / "model.toml").write_text(f"{head}\n[parameters]\n{rest}\n")
    return str(tmp_path / "model.toml")


def test_a_model_survives_its_file(tmp_path):
    """What is written is read: name, regime, parameters to the last bit, origin and scores."""
    model = FittedQueue(
        name='x "y"',
        tick_regime="small",
        parameters={"base": -1.0 / 3.0, "hidden_decay": 0.1},
        fitted_on={"symbols": ["A", "B"]},
        prints={"hidden_share": 0.25},
        scores={"method": "none", "join": {"fitted": {"same": [0.5, 0.4, 0.6]}}},
    )
    model.save(tmp_path / "deep" / "model.toml")

    assert model == read_fitted(tmp_path / "deep" / "model.toml")
    assert ["model.toml"] == [path.name for path in (tmp_path / "deep").iterdir()]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"schema_version": "2"}, "is a queue model of version 2, this program reads version 1; fit it again"),
        ({"tick_regime": '"huge"'}, "`tick_regime` must be `large` or `small`, got `huge`"),
        ({"base": "nan"}, "parameter `base` must be a finite number, got nan"),
        ({"base": '"x"'}, "parameter `base` must be a finite number, got 'x'"),
        ({"bass": "1.0"}, "unknown parameter `bass`; known are base, position"),
        ({"hidden_decay": "-0.1"}, "parameter `hidden_decay` must not be negative"),
        ({"hidden_move": "-0.1"}, "parameter `hidden_move` must not be negative"),
        ({"venue_share": "1.5"}, "parameter `venue_share` must be a share from 0 to 1, got 1.5"),
        ({"name": "3"}, "`name` must be a text, got 3"),
    ],
)
def test_a_bad_model_file_is_refused_in_one_sentence(tmp_path, changes, sentence):
    """Another version, another regime, a value that is no number: the file and what is wrong with it are named."""
    with pytest.raises(UsageError, match=r"model\.toml") as told:
        choose_queue(model_file(tmp_path, **changes))

    assert sentence in str(told.value)


def test_a_file_that_is_absent_or_no_toml_is_named(tmp_path):
    """The path and the command that makes such a file stand in the message."""
    (tmp_path / "broken.toml").write_text("schema_version =")
    with pytest.raises(UsageError, match=r"there is no fitted queue model `gone.toml`; `replay fit fills"):
        choose_queue("gone.toml")
    with pytest.raises(UsageError, match=r"broken.toml` is not the TOML file of a fitted queue model"):
        choose_queue(tmp_path / "broken.toml")


def market_of(spread_ticks: int) -> Session:
    """Return a session of one symbol with the given spread."""
    import pandas as pd

    ts_ns = pd.Timestamp("2026-03-02 15:00", tz="UTC").value + np.arange(5) * 10**9
    quotes = {"ts_ns": ts_ns, "symbol": "AAA", "bid": 10.0, "bid_size": 100, "ask": 10.0 + spread_ticks / 100, "ask_size": 100}
    return Session.from_frames(quotes=pd.DataFrame(quotes), symbols={"AAA": {"tick": 0.01}})


def test_a_model_of_another_tick_regime_is_refused(tmp_path):
    """A model of a large tick does not play a symbol whose spread is many ticks, and the other way round it does not either."""
    chosen = choose_queue(model_file(tmp_path))
    told = r"`a` was fitted on a large tick; the spread of AAA is 7 ticks, a small tick: fit one on its like"

    assert -1.5 == chosen.fits(market_of(1), ["AAA"], ["AAA"])["base"][0]
    with pytest.raises(UsageError, match=told):
        chosen.fits(market_of(7), ["AAA"], ["AAA"])


@pytest.mark.parametrize(("spread", "regime"), [(1, "large"), (2, "small"), (30, "small")])
def test_fitted_takes_the_model_of_each_symbols_regime(spread, regime):
    """The word `fitted` stands for one model per tick regime, both of them fitted on named data."""
    session = market_of(spread)
    row = choose_queue("fitted").fits(session, ["AAA"], ["AAA"])[0]

    assert {"AAA": (regime, spread)} == tick_regimes(session, ["AAA"])
    assert bundled()[regime].row == row
    assert bundled()[regime].fitted_on["n_orders"] > 1000
