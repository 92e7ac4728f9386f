"""What the messages of a synthetic session must satisfy, and that its quotes and prints follow from them."""

import numpy as np
import pandas as pd
import pytest

from replay.synth import market
from replay.synth.settings import SynthSettings
from tests.naive.synth_book import NaiveTouch

SYMBOLS = ("ALFA", "BRVO", "CHRL")
TOUCH = ["bid", "bid_size", "ask", "ask_size"]


def read(folder, stream, symbol=None):
    frame = pd.read_parquet(folder / f"{stream}.parquet")
    return frame if symbol is None else frame[frame["symbol"] == symbol].reset_index(drop=True)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_quotes_follow_from_messages(synth_folder, symbol):
    """Every displayed touch is the touch of the book rebuilt from all messages up to the quote's exchange time."""
    messages = read(synth_folder, "messages", symbol).to_dict("records")
    quotes = read(synth_folder, "quotes", symbol)
    book, done = NaiveTouch(), 0
    for quote in quotes.to_dict("records"):
        while done < len(messages) and messages[done]["exch_ts_ns"] <= quote["exch_ts_ns"]:
            book.apply(messages[done])
            done += 1

        assert tuple(quote[name] for name in TOUCH) == book.touch()


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_executions_hit_the_head_of_the_best_queue(synth_folder, symbol):
    """Price-time priority holds for every execution, and no order is created, lost or filled beyond its size."""
    book = NaiveTouch()
    for message in read(synth_folder, "messages", symbol).to_dict("records"):
        if message["action"] == "execute":
            assert book.head(message["side"]) == message["order_id"]
        book.apply(message)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_shares_are_conserved(synth_folder, symbol):
    """What was added has been executed, reduced or deleted, or rests at the end."""
    messages = read(synth_folder, "messages", symbol)
    totals = messages.groupby("action")["size"].sum()
    book = NaiveTouch()
    for message in messages.to_dict("records"):
        book.apply(message)

    assert totals["add"] == totals["execute"] + totals["reduce"] + totals["delete"] + sum(
        order[2] for order in book.orders.values()
    )


@pytest.mark.parametrize("symbol", SYMBOLS[:2])
def test_prints_on_exchanges_are_the_executions(synth_folder, symbol):
    """Outside of gaps, each execution is one print at its price and size; off-exchange prints have no message."""
    messages = read(synth_folder, "messages", symbol)
    trades = read(synth_folder, "trades", symbol)
    lit = trades[trades["exchange"] != "FINRA"]
    columns = ["exch_ts_ns", "price", "size"]
    executions = messages[messages["action"].str.startswith("execute")][columns]
    found = lit[columns].merge(executions.drop_duplicates(), on=columns)

    assert len(lit) == len(found)
    assert len(lit) >= 0.7 * len(executions)


def test_book_is_never_crossed(synth_folder):
    """The bid is below the ask in every quote, and neither side is ever empty."""
    quotes = read(synth_folder, "quotes")

    assert 0 == int((quotes["bid"] >= quotes["ask"]).sum())
    assert 0 == int((quotes[TOUCH] <= 0).sum().sum())


def test_messages_keep_exchange_order(synth_folder):
    """Messages stand in the order of the exchange, and reach us after they happened."""
    messages = read(synth_folder, "messages")

    assert all((np.diff(part["exch_ts_ns"]) >= 0).all() for _, part in messages.groupby("symbol"))
    assert (messages["ts_ns"] > messages["exch_ts_ns"]).all()


def test_pieces_of_any_length_give_the_same_day(monkeypatch):
    """Neither the steps per call nor the room on the tape changes a row."""
    plan = market.DayPlan(ordinal=1, open_ns=0, session_s=23_400, n_seconds=240)
    wish = SynthSettings(symbols=1, seed=3)
    whole = market.simulate(plan, 1, wish, np.zeros(240, bool), None)
    monkeypatch.setattr(market, "_STEPS", 97)
    monkeypatch.setattr(market, "_TAPE_ROWS", 150)
    pieces = market.simulate(plan, 1, wish, np.zeros(240, bool), None)

    assert all(np.array_equal(getattr(whole, name), getattr(pieces, name)) for name in ("messages", "quotes", "prints"))
    assert 1000 < len(whole.messages)


def test_nothing_happens_in_a_halted_second():
    """A halted second holds no message, print or quote; the next one does."""
    plan = market.DayPlan(ordinal=1, open_ns=0, session_s=23_400, n_seconds=60)
    halted = np.zeros(60, bool)
    halted[10:40] = True
    day = market.simulate(plan, 0, SynthSettings(symbols=1), halted, None)
    seconds = np.unique(day.messages["exch_ts_ns"] // 1_000_000_000)

    assert not set(range(10, 40)) & set(seconds.tolist())
    assert seconds.max() >= 55
