"""Exact FIFO on whole sessions: real orders played again meet their own fate, alone, together, and in a run."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fills import QueueModel, simulate
from replay import Config, Session, run
from replay.engine import bind
from replay.errors import UsageError
from replay.events import Kind
from replay.session.weave import MessageWeaver
from replay.synth import generate
from tests.engine.strategies import Quoter, count_kinds
from tests.fills.fates import fates_of, orders_of

FIFO = QueueModel.FIFO
START_NS = 1_700_000_000_000_000_000


def clear_cases(fates):
    """Leave out what time stamps alone cannot tell, and what `simulate` cannot be asked for.

    An order after another at the same price and in the same nanosecond: its place is unknown. An order filled in the nanosecond
    in which the rest of it was cancelled. An order that was changed: a given order is not.
    """
    seen, chosen = set(), []
    for fate in fates:
        place = (fate.ts_ns, fate.side, fate.price)
        is_late_fill = not fate.is_filled and fate.end_ns in fate.fills_by_time()
        if place not in seen and not is_late_fill and not fate.is_changed:
            chosen.append(fate)
        seen.add(place)
    return chosen


def fills_by_order(fills):
    """Return the quantity filled at each time, by order."""
    sums = {}
    for row in fills.itertuples(index=False):
        mine = sums.setdefault(row.order_id, {})
        mine[row.ts_ns] = mine.get(row.ts_ns, 0) + row.qty
    return sums


def truth(fates):
    """Return the same of the real orders."""
    return {k: fate.fills_by_time() for k, fate in enumerate(fates) if fate.fills}


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 10**6),
    halts=st.integers(0, 2),
    gaps=st.integers(0, 2),
    tick_by_tick=st.integers(0, 2),
    jitter_ns=st.sampled_from([0, 8_000_000, 50_000_000]),
    regimes=st.sampled_from(["mixed", "stressed"]),
)
def test_real_orders_meet_their_own_fate(tmp_path_factory, seed, halts, gaps, tick_by_tick, jitter_ns, regimes):
    """On every synthetic session each real order, played again alone, gets the fills that it got: same instant, same quantity."""
    folder = tmp_path_factory.mktemp("truth") / "session"
    generate(folder, symbols=2, minutes=3, seed=seed, halts=halts, gaps=gaps, tick_by_tick=tick_by_tick, feed_jitter_ns=jitter_ns,
             regimes=regimes)  # fmt: skip
    session = Session.open(folder)
    for name in session.symbols:
        fates = fates_of(session.messages(name))
        chosen = clear_cases(fates)
        orders = orders_of(chosen, name, session.scale)
        fills = simulate(session, orders, FIFO, latency=0, independent=True, own_in_book=True)

        assert len(chosen) > 0.5 * len(fates)
        assert sum(bool(fate.fills) for fate in chosen) > 10
        assert truth(chosen) == fills_by_order(fills)


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """Make a short session of two symbols."""
    folder = tmp_path_factory.mktemp("fifo") / "session"
    generate(folder, symbols=2, minutes=4, seed=11)
    return Session.open(folder)


def test_real_orders_in_one_book_meet_their_own_fate_too(session):
    """Played again together, real orders get what each got alone: none takes another's fill."""
    name = session.symbols[0]
    chosen = clear_cases(fates_of(session.messages(name)))[100:300]
    fills = simulate(session, orders_of(chosen, name, session.scale), FIFO, latency=0, own_in_book=True)

    assert truth(chosen) == fills_by_order(fills)


@pytest.mark.parametrize("own_in_book", [False, True])
def test_one_pass_fills_as_many_passes_with_one_order_each(session, own_in_book):
    """Shadow orders in one pass equal orders simulated alone, also where the queue is exact."""
    parts = [orders_of(fates_of(session.messages(name))[200:230], name, session.scale) for name in session.symbols]
    orders = pd.concat(parts, ignore_index=True).assign(order_id=range(60))
    together = simulate(session, orders, FIFO, latency=1_000_000, independent=True, own_in_book=own_in_book)
    alone = [simulate(session, orders.iloc[k : k + 1], FIFO, latency=1_000_000, own_in_book=own_in_book) for k in range(60)]

    assert len(together) > 10
    assert sorted(pd.concat(alone).itertuples(index=False, name=None)) == sorted(together.itertuples(index=False, name=None))
    assert {"message_level"} == set(together["evidence"])


def messages_of(*rows):
    """Make a session of one symbol from (nanosecond, action, order id, side, price, size) and one quote."""
    names = ("ts_ns", "action", "order_id", "side", "price", "size")
    frame = pd.DataFrame(rows, columns=names).assign(symbol="A")
    frame["ts_ns"] += START_NS
    quotes = pd.DataFrame({"ts_ns": [START_NS + 50], "symbol": "A", "bid": 99.0, "bid_size": 1, "ask": 101.0, "ask_size": 1})
    return Session.from_frames(quotes=quotes, messages=frame, symbols={"A": {"tick": 1.0}})


def real(ts, cancel=0):
    """Give back one real order to buy 5 at 100."""
    cancel_ns = START_NS + cancel if cancel else 0
    return pd.DataFrame([{"order_id": 1, "symbol": "A", "ts_ns": START_NS + ts, "side": "BUY", "qty": 5, "limit_price": 100.0,
                          "tif": "DAY", "cancel_ts_ns": cancel_ns}])  # fmt: skip


def test_special_case_two_orders_in_one_nanosecond():
    """Of two orders of one nanosecond at one price the second is taken for the first: its identity is not known."""
    session = messages_of((5, "add", 1, 1, 100.0, 5), (5, "add", 2, 1, 100.0, 5), (9, "execute", 1, 1, 100.0, 5))
    fills = simulate(session, real(5), FIFO, latency=0, own_in_book=True)

    assert {1: {START_NS + 9: 5}} == fills_by_order(fills)


def test_special_case_a_fill_in_the_nanosecond_of_the_cancel():
    """A cancel acts before the messages of its time stamp: what the order got in that nanosecond is not counted."""
    session = messages_of((5, "add", 1, 1, 100.0, 5), (9, "execute", 1, 1, 100.0, 2), (9, "delete", 1, 1, 100.0, 3))

    assert {} == fills_by_order(simulate(session, real(5, cancel=9), FIFO, latency=0, own_in_book=True))
    assert {1: {START_NS + 9: 2}} == fills_by_order(simulate(session, real(5, cancel=10), FIFO, latency=0, own_in_book=True))


def test_what_trades_worse_in_the_nanosecond_of_an_arrival_does_not_fill_it():
    """A real order that comes in the nanosecond in which a worse price traded came after that trade, not before."""
    session = messages_of((1, "add", 7, 1, 99.0, 5), (5, "execute", 7, 1, 99.0, 5), (5, "add", 1, 1, 100.0, 5))

    assert {} == fills_by_order(simulate(session, real(5), FIFO, latency=0, own_in_book=True))
    assert {1: {START_NS + 5: 5}} == fills_by_order(simulate(session, real(4), FIFO, latency=0))


def test_messages_after_the_last_event_count():
    """An execution that no quote or print follows fills all the same."""
    session = messages_of((5, "add", 1, 1, 100.0, 5), (99, "execute", 1, 1, 100.0, 5))

    assert 1 == len(simulate(session, real(5), FIFO, latency=0, own_in_book=True))


def test_a_symbol_without_messages_is_refused_by_name():
    """Where the session has no messages of a symbol, one sentence names it and says what to do."""
    silent = pd.DataFrame({"ts_ns": [START_NS], "symbol": "A", "bid": 99.0, "bid_size": 1, "ask": 101.0, "ask_size": 1})
    session = Session.from_frames(quotes=silent, symbols={"A": {"tick": 1.0}})

    with pytest.raises(UsageError, match=r"exact FIFO needs every message .* none of 'A'; choose another queue model"):
        simulate(session, real(5), FIFO)


def woven(session, block_events):
    """Return the events of a session with its messages as (time, is an event, own number)."""
    index = {name: k for k, name in enumerate(session.symbols)}
    weaver = MessageWeaver(session, index)
    blocks = [block.events.copy() for part in session.blocks(block_events=block_events) for block in weaver.weave(part)]
    blocks += [block.events.copy() for block in weaver.rest()]
    return [(int(row["ts_ns"]), row["kind"] != Kind.MESSAGE, int(row["seq"])) for events in blocks for row in events]


@pytest.mark.parametrize("block_events", [7, 1000, 1 << 17])
def test_messages_stand_before_the_events_of_their_time(session, block_events):
    """Messages and events come in order of time, messages first, each by its own numbers, whatever the size of the blocks."""
    rows = woven(session, block_events)

    assert session.n_events + len(session.messages()) == len(rows)
    assert sorted(rows) == rows


EXACT = Config().with_sets(["venue.queue=fifo"])


def test_a_run_with_exact_queues_repeats_at_any_block_size(session):
    """A run with `[venue] queue = "fifo"` fills by messages and gives the same journal however the stream is cut."""
    runs = [run([session], EXACT.with_sets([f"run.block_events={size}"]), strategy=Quoter()) for size in (500, 1 << 17)]

    assert len(runs[0].fills) > 5
    assert {"message_level"} == set(runs[0].fills["evidence"])
    assert runs[0].journal_digest == runs[1].journal_digest


def test_messages_never_reach_the_strategy(session):
    """A strategy that sends nothing is woken by the same events, of the same kinds, whether or not the queue is exact."""
    seen = np.zeros((2, 32), np.int64)
    for k, config in enumerate((Config(), EXACT)):
        run([session], config, strategy=bind(count_kinds, lambda _, k=k: (seen[k],)))

    assert seen[0].sum() > 1000
    assert seen[0].tolist() == seen[1].tolist()


def test_a_run_needs_the_messages_of_every_symbol(session):
    """A run with exact queues on a session that lacks messages names the symbol."""
    quotes = session.quotes(prices="float").drop(columns="seq")
    silent = Session.from_frames(quotes=quotes, day=session.day)

    with pytest.raises(UsageError, match=f"none of '{session.symbols[0]}'"):
        run([silent], EXACT)
