"""Components in a loop of your own: three steps, and your own rules wherever a component errs or is still warming up.

`Loop` stands for what you have: quotes, forecasts and the broker's answers come in, orders go out. The three `my_...` functions
are the rules you trade by today. Before each of them a component is asked that may know better; `first_of` takes its answer, or
yours. `python examples/own_loop/play.py` plays an hour of the bundled sample through it.
"""

import logging
from math import isfinite

from strategy import ConformalGate, ExecutionPlanner, HorizonArbiter, StalenessGuard, Verification, plain_events

SYMBOLS, HORIZONS_MIN = ["ALFA", "BRVO"], [5, 10, 15, 30, 60]
MINUTE_NS = 60_000_000_000
VOL_BPS = 3.0  # per minute; in your loop an estimate
BY_HAND = {True: -1, False: -2}  # order ids of your own buys and sells, which the planner never asked for
NO_FORECAST = (float("nan"), float("nan"), 0)  # mu, cost and side of a horizon that the model left out
NOT_READY = ("GATE_NOT_READY", "GATE_MISSING")
log = logging.getLogger("own_loop")


def my_side(mu_bps, cost_bps):
    """Your gate: a point forecast above its cost."""
    return (mu_bps > cost_bps) - (mu_bps < -cost_bps)


def my_choice(mus_bps, costs_bps, sides):
    """Your arbiter: the open horizon with the largest net forecast; None = no trade."""
    net = [abs(mu) - cost if side else 0.0 for mu, cost, side in zip(mus_bps, costs_bps, sides, strict=True)]
    best = max(range(len(net)), key=net.__getitem__)
    return (HORIZONS_MIN[best], sides[best]) if net[best] > 0.0 else None


def my_order(bid, ask, qty):
    """Your execution: one limit at the touch, as (signed quantity, price)."""
    return [(qty, bid if qty > 0 else ask)] if qty else []


class Loop:
    """Your loop with the components in it."""

    def __init__(self, send):
        self.send = send  # send(symbol, action, order_id, signed quantity, price)
        self.touch, self.pending, self.plans, self.ts_ns, self.n_errors = {}, [], {}, 0, 0
        # step 1: guard, gate and checklist
        self.guard = StalenessGuard(symbols=SYMBOLS)
        self.gate = ConformalGate(symbols=SYMBOLS, horizons_min=HORIZONS_MIN)
        # step 2: arbiter and planner
        self.arbiter = HorizonArbiter(HORIZONS_MIN, symbols=SYMBOLS)
        self.planner = ExecutionPlanner(SYMBOLS)
        # step 3: the checklist hears of every cycle, and judges every 100
        self.checklist = Verification(horizons_min=HORIZONS_MIN, every_cycles=100)
        self.alerts = []

    def first_of(self, component, original):
        """Return what a component says; what you did before where it errs, or says None because it is not ready."""
        try:
            said = component()
        except Exception:  # whatever breaks in an adviser must not stop the loop; it is logged and counted
            log.exception("a component failed; your own rule acts")
            self.n_errors += 1
            said = None
        return original() if said is None else said

    def tell(self, listener, *said, **known):
        """Tell a component something; nothing is expected of it but that it listens."""
        self.first_of(lambda: listener(*said, **known) or True, lambda: None)

    def on_quote(self, ts_ns, symbol, bid, bid_size, ask, ask_size):
        """Take in the touch."""
        self.ts_ns, self.touch[symbol] = ts_ns, (bid, ask)
        self.tell(self.guard.see, plain_events.quote(ts_ns, symbol, bid, bid_size, ask, ask_size))
        self.tell(self.planner.quote, symbol, bid, ask, bid_qty=bid_size, ask_qty=ask_size, now_ns=ts_ns)
        self.mature(ts_ns)
        if self.planner.next_timer_ns <= ts_ns:
            self.tell(self.advance)

    # step 1

    def is_fresh(self, ts_ns, symbol):
        """Ask the guard; you had none, so that its failure lets everything pass."""
        return self.first_of(lambda: self.guard.check(ts_ns, symbol).may_trade, lambda: True)

    def side_of(self, forecast_id, symbol, horizon_min, mu_bps, sigma_bps, cost_bps):
        """Ask the gate, which learns from every forecast that it was shown; until it is ready your own rule acts."""

        def calibrated():
            self.gate.calibrate(forecast_id, self.ts_ns, symbol, horizon_min, mu_bps, sigma_bps, cost_bps=cost_bps)
            side, reason = self.gate.verdict(forecast_id)
            return None if reason.name in NOT_READY else side

        return self.first_of(calibrated, lambda: my_side(mu_bps, cost_bps))

    def mature(self, ts_ns):
        """Tell gate and arbiter what the mid did, once a horizon has passed."""
        while self.pending and self.pending[0][0] <= ts_ns:
            _, forecast_id, choice_id, symbol, horizon_min, mid = self.pending.pop(0)
            outcome_bps = 1e4 * (sum(self.touch[symbol]) / 2 - mid) / mid
            self.tell(self.learn, forecast_id, choice_id, horizon_min, outcome_bps)

    def learn(self, forecast_id, choice_id, horizon_min, outcome_bps):
        """Pass an outcome on to all that wait for it."""
        self.gate.mature(forecast_id, outcome_bps)
        self.arbiter.mature(choice_id, horizon_min, outcome_bps)
        if horizon_min == HORIZONS_MIN[0]:
            self.checklist.log_outcome(choice_id, outcome_bps)

    # step 2

    def choose(self, choice_id, symbol, mus_bps, costs_bps, sides):
        """Ask the arbiter with yours behind it: while it knows too few outcomes it names a fallback, and you choose."""

        def blended():
            bid, ask = self.touch[symbol]
            asked = {"spread_bps": 2e4 * (ask - bid) / (ask + bid), "vol_bps": VOL_BPS, "choice_id": choice_id, "symbol": symbol}
            choice = self.arbiter.choose(mus_bps, costs_bps, sides, **asked)
            if choice.fallback.name != "NONE":
                return None
            return (choice.horizon_min, choice.side) if choice.reason == 0 else (0, 0)

        return self.first_of(blended, lambda: my_choice(mus_bps, costs_bps, sides) or (0, 0))

    def work(self, symbol, target_qty, horizon_min):
        """Let the planner work towards a target; where it fails, send what you would have sent."""

        def planned():
            self.pass_on(self.planner.set_target(self.ts_ns, symbol, target_qty, horizon_min=horizon_min))
            return True

        def by_hand():
            move = target_qty - self.planner.position(symbol)
            for qty, price in my_order(*self.touch[symbol], move):
                self.send(symbol, "NEW", BY_HAND[qty > 0], qty, price)

        self.first_of(planned, by_hand)

    def advance(self):
        """Do what the planner has to do by now."""
        self.pass_on(self.planner.advance(self.ts_ns))

    def pass_on(self, requests):
        """Send what the planner asks for."""
        for request in requests:
            if request.action.name == "NEW":
                self.plans[request.order_id] = plan = (request.parent_id, request.work_ns)
                self.checklist.log_order(self.ts_ns, request.order_id, plan[0], "SENT", plan[1])
            self.send(request.symbol, request.action.name, request.order_id, request.side * request.qty, request.price_usd)

    def on_answer(self, symbol, kind, order_id, **known):
        """Take in what the broker said."""
        self.tell(self.take_answer, symbol, kind, order_id, **known)

    def take_answer(self, symbol, kind, order_id, **known):
        """Let the planner, and the checklist, know what became of an order."""
        if order_id in BY_HAND.values():
            if kind in ("PARTIAL", "FILL"):  # shares that no request of the planner explains
                qty = known["qty"] if order_id == BY_HAND[True] else -known["qty"]
                self.pass_on(self.planner.answer(self.ts_ns, symbol, "CORRECTION", 0, price_usd=known["price_usd"], qty=qty))
            return
        if kind == "FILL" and order_id in self.plans:
            plan_id, work_ns = self.plans.pop(order_id)
            self.checklist.log_order(self.ts_ns, order_id, plan_id, "FILLED", work_ns)
        self.pass_on(self.planner.answer(self.ts_ns, symbol, kind, order_id, **known))

    # a cycle, and step 3

    def on_forecasts(self, symbol, forecasts):
        """Decide for a symbol: `forecasts` are (forecast_id, horizon_min, mu_bps, sigma_bps), at most one per horizon."""
        errors_before = self.n_errors
        bid, ask = self.touch.get(symbol, (0.0, 0.0))
        if bid <= 0.0 or not self.is_fresh(self.ts_ns, symbol):
            return
        mid = (bid + ask) / 2
        costs = [1e4 * (ask - bid) / mid] * len(forecasts)
        sides = [self.side_of(f[0], symbol, *f[1:], cost) for f, cost in zip(forecasts, costs, strict=True)]
        choice_id = forecasts[0][0]
        legs = {f[1]: (f[2], cost, side) for f, cost, side in zip(forecasts, costs, sides, strict=True)}
        asked = (legs.get(each, NO_FORECAST) for each in HORIZONS_MIN)  # near the close the long horizons have none
        horizon_min, side = self.choose(choice_id, symbol, *map(list, zip(*asked, strict=True)))
        self.pending += [(self.ts_ns + f[1] * MINUTE_NS, f[0], choice_id, symbol, f[1], mid) for f in forecasts if isfinite(f[2])]
        self.pending.sort()
        if side:
            self.work(symbol, 100 * side, horizon_min)
        has_failed = self.n_errors > errors_before
        self.tell(self.check, choice_id, symbol, forecasts[0], side, has_failed)

    def check(self, choice_id, symbol, first, side, has_failed):
        """Log the cycle; on every hundredth look at all six points."""
        low, high = self.gate.interval(first[0])
        self.checklist.log_decision(choice_id, self.ts_ns, symbol, horizon_min=first[1], q_lo_bps=low, q_hi_bps=high)
        metrics = {"n_symbols": 1, "n_errors": int(has_failed), "n_targets": abs(side)}
        if self.checklist.log_cycle(metrics):
            self.alerts = [check for check in self.checklist.run_full() if check.status in ("WARN", "FAIL")]
            for check in self.alerts:
                log.warning("%s %s: %s", check.status, check.name, check.recommendation)
