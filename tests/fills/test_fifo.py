"""Exact FIFO: the exchange that follows the messages of the full order book, against truth and against plain Python."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fills import QueueModel
from tests.fills.worlds import BUY, SELL, Market, cancel, fills_of, message, modify, new, status
from tests.naive.fifo import FifoExchange

FIFO = QueueModel.FIFO
SIDES = st.sampled_from([BUY, SELL])
SYMBOLS = st.integers(0, 1)
QTYS = st.integers(1, 9)
IDS = st.integers(1, 25)


def market(**settings):
    """Return a compiled venue that follows single orders."""
    return Market(2, 8, queue=FIFO, n_messages=500, **settings)


def play(*steps, **settings):
    """Play steps one nanosecond apart; return the answers."""
    return market(**settings).play(*steps)


QUEUE = (message("add", 1, qty=5), message("add", 2, qty=3), new(90, BUY, 4, 100), message("add", 3, qty=6))


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([message("execute", 1, qty=5), message("execute", 2, qty=3)], []),
        ([message("execute", 1, qty=5), message("execute", 2, qty=3), message("execute", 3, qty=1)], [(90, 100, 1)]),
        ([message("delete", 1), message("reduce", 2, qty=2), message("execute", 3, qty=6)], [(90, 100, 4)]),
        ([message("execute", 3, qty=3), message("execute", 3, qty=3)], [(90, 100, 3), (90, 100, 1)]),
        ([message("execute", 77, qty=9)], []),
        ([message("execute", 77, qty=9, price=99)], [(90, 100, 4)]),
        ([message("execute", 77, qty=9, price=101)], []),
        ([message("execute_hidden", 0, qty=9)], []),
        ([message("add", 4, SELL, 100, 2)], [(90, 100, 2)]),
        ([status(1), message("execute", 3, qty=6)], []),
        ([message("clear", 0), message("add", 5, qty=2), message("execute", 5, qty=2)], []),
    ],
)
def test_rules_f1_to_f8_by_example(steps, expected):
    """Behind eight shares, an order fills by what trades behind it or at worse prices, by nothing else."""
    assert expected == fills_of(play(*QUEUE, *steps))


@pytest.mark.parametrize(
    ("change", "ahead"),
    [
        (message("modify", 1, qty=2), 5),
        (message("modify", 1, qty=6), 3),
        (message("modify", 1, price=99, qty=5), 3),
        (message("add", 1, qty=4), 7),
        (message("reduce", 3, qty=2), 8),
        (message("execute", 1, qty=9), 3),
        (message("delete", 1), 3),
    ],
)
def test_rule_f2_only_what_leaves_from_ahead_shortens_the_line(change, ahead):
    """A real order that shrinks shortens the line before us; one that moves or grows goes behind us; the rest changes nothing."""
    venue = market()
    venue.play(*QUEUE, change)

    assert ahead == venue.venue.orders[0, 0]["ahead_qty"]


def test_rule_f3_own_orders_share_an_execution():
    """Two own orders of four before an order that trades six get four and two."""
    answers = play(message("add", 1, qty=1), new(8, BUY, 4, 100), new(9, BUY, 4, 100), message("add", 2, qty=6),
                   message("execute", 2, qty=6))  # fmt: skip

    assert [(8, 100, 4), (9, 100, 2)] == fills_of(answers)


def test_rule_f7_a_real_order_played_again_takes_nothing():
    """An order that rests in the recorded book neither takes on arrival nor is reached by the other side's touch."""
    steps = (message("add", 1, SELL, 101, 5), new(9, BUY, 4, 101), message("add", 2, SELL, 100, 5))

    assert [(9, 101, 4)] == fills_of(play(*steps))
    assert [] == fills_of(play(*steps, own_in_book=True))


class Duel(RuleBasedStateMachine):
    """The compiled exchange and the plain one live through the same steps and must give the same answers."""

    own_in_book = False

    def __init__(self):
        super().__init__()
        self.market = market(own_in_book=self.own_in_book)
        self.oracle = FifoExchange(2, 8, own_in_book=self.own_in_book)
        self.now, self.n_steps = 1, 0

    def step(self, step):
        self.n_steps += 1
        step = step | {"ts": self.now, "seq": self.n_steps}
        before = len(self.oracle.answers)
        if step["kind"] == "request":
            self.oracle.on_request(step, self.now)
        elif step["kind"] == "expiry":
            self.oracle.on_expiry(self.now)
        else:
            self.oracle.on_event(step)

        assert self.oracle.answers[before:] == self.market.step(step)

    @rule(order_id=IDS, side=SIDES, behind=st.integers(0, 4), qty=QTYS, symbol=SYMBOLS)
    def add(self, order_id, side, behind, qty, symbol):
        self.step(message("add", order_id, side, 100 - side * behind, qty, symbol=symbol))

    @rule(action=st.sampled_from(["execute"] * 3 + ["reduce", "delete", "modify", "execute_hidden"]), order_id=IDS, side=SIDES,
          price=st.integers(97, 103), qty=QTYS, symbol=SYMBOLS)  # fmt: skip
    def change(self, action, order_id, side, price, qty, symbol):
        self.step(message(action, order_id, side, price, qty, symbol=symbol))

    @rule(side=SIDES, price=st.integers(97, 103), qty=QTYS, tif=st.sampled_from(["day", "day", "ioc", "fok", "gtd"]),
          kind=st.sampled_from(["limit", "limit", "limit", "market"]), life=st.integers(1, 50), symbol=SYMBOLS)  # fmt: skip
    def submit(self, side, price, qty, tif, kind, life, symbol):
        price = price if kind == "limit" else 0
        self.step(new(100 + self.n_steps, side, qty, price, tif=tif, kind=kind, expire=self.now + life, symbol=symbol))

    @precondition(lambda self: any(self.oracle.orders))
    @rule(k=st.integers(0, 15), qty=QTYS, price=st.integers(97, 103), is_cancel=st.booleans())
    def alter(self, k, qty, price, is_cancel):
        live = [(s, order["id"]) for s in range(2) for order in self.oracle.orders[s]]
        symbol, order_id = live[k % len(live)]
        self.step(cancel(order_id, symbol=symbol) if is_cancel else modify(order_id, qty, price, symbol=symbol))

    @rule(gap=st.integers(1, 30))
    def wait(self, gap):
        self.now += gap
        self.step({"kind": "expiry"})

    @rule(code=st.sampled_from([1, 2, 2, 2, 3, 6, 7]), symbol=st.integers(-1, 1))
    def shut_or_open(self, code, symbol):
        self.step(status(code, symbol=symbol))

    @precondition(lambda self: self.n_steps > 12)
    @rule(symbol=SYMBOLS)
    def clear(self, symbol):
        self.step(message("clear", 0, symbol=symbol))

    @invariant()
    def agrees_on_every_place(self):
        """Both know the same queue ahead of every own order, and the same touch."""
        for s in range(2):
            fronts = [self.oracle.front(s, order) for order in self.oracle.orders[s]]
            ours = self.market.venue.orders[s, : len(fronts)]["ahead_qty"]
            assert [2**62 if front is None else front for front in fronts] == ours.tolist()
            row = self.market.venue.real_book[s]
            assert [*self.oracle.touch(s, BUY), *self.oracle.touch(s, SELL)] == [
                row[name] for name in ("bid", "bid_qty", "ask", "ask_qty")
            ]


class DuelInBook(Duel):
    """The same with real orders played again."""

    own_in_book = True


TestDuel = pytest.mark.jit_off(Duel.TestCase)
TestDuelInBook = DuelInBook.TestCase
TestDuel.settings = TestDuelInBook.settings = settings(max_examples=40, stateful_step_count=60, deadline=None)
