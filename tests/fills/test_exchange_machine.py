"""A state machine that drives venue and plain exchange with own requests, the market and the clock, one step at a time."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from fills.bands import Band, choices
from fills.queue import DISPLAY_MODELS
from fills.terms import Terms
from replay.events import Kind
from tests.fills.test_exchange_oracle import FITS, TERMS, WINDOWS, play_naive
from tests.fills.worlds import GAPS, PRICES, Market, cancel, modify, odd_steps, quotes, requests, trades
from tests.naive.exchange import Exchange

FILLS = (Kind.PARTIAL, Kind.FILL)
KINDS = ("limit", "limit", "market", "peg_mid", "midprice")


class Exchanges(RuleBasedStateMachine):
    """Both exchanges, and a ledger of what was sent, filled and withdrawn."""

    orders = Bundle("orders")

    @initialize(band=st.sampled_from(list(Band)), model=st.sampled_from(DISPLAY_MODELS), terms=TERMS)
    def begin(self, band, model, terms):
        """Open both exchanges in one band, with one queue model and one set of terms."""
        self.market = Market(
            2, 6, queue=model, fits=FITS, band=choices(band), pairing_ns=WINDOWS, terms=Terms(**terms), power=2.0
        )
        self.oracle = Exchange(2, 6, model=model.value, fits=FITS, band=band.value, windows=WINDOWS, terms=terms, power=2.0)
        self.now, self.seq = 1, 0
        self.sent, self.done = {}, {}

    def play(self, step):
        """Play a step on both, compare the answers, and keep the books."""
        step = step | {"ts": self.now, "seq": self.seq}
        self.seq += 1
        expected = play_naive(self.oracle, step)

        assert expected == self.market.step(step)
        for answer in expected:
            if answer["kind"] in (Kind.ACK, Kind.HELD, Kind.MODIFIED):
                self.sent[answer["order_id"]] = answer["qty"]
            elif answer["kind"] in FILLS or (
                answer["kind"] in (Kind.CANCELLED, Kind.EXPIRED) and answer["order_id"] in self.sent
            ):
                self.done[answer["order_id"]] = self.done.get(answer["order_id"], 0) + answer["qty"]

    @rule(gap=GAPS)
    def wait(self, gap):
        """Let time pass."""
        self.now += gap

    @rule(target=orders, request=requests(KINDS))
    def submit(self, request):
        """Send an order with an id of its own."""
        order_id = self.seq + 1
        self.play(request | {"order_id": order_id, "action": "new", "qty": max(request["qty"], 1)})
        return order_id, request["symbol"]

    @rule(order=orders, qty=st.integers(0, 12), price=PRICES)
    def change(self, order, qty, price):
        """Change an order, gone or not."""
        self.play(modify(order[0], qty, price, symbol=order[1]))

    @rule(order=consumes(orders))
    def withdraw(self, order):
        """Cancel an order, gone or not."""
        self.play(cancel(order[0], symbol=order[1]))

    @rule(step=st.one_of(quotes(), quotes(), trades(), odd_steps().filter(lambda step: step["kind"] != "request")))
    def meet(self, step):
        """Let the market move, print, halt or close."""
        self.play(step)

    @invariant()
    def nothing_is_created_or_lost(self):
        """Check that what was sent is what was filled, withdrawn and is left."""
        if not hasattr(self, "market"):
            return
        venue = self.market.venue
        left = {int(o["order_id"]): int(o["leaves_qty"]) for s in range(2) for o in venue.orders[s, : venue.n_orders[s]]}
        for order_id, qty in self.sent.items():
            assert qty == self.done.get(order_id, 0) + left.get(order_id, 0)


TestExchanges = Exchanges.TestCase
TestExchanges.settings = settings(max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
