"""The pipeline as long as nothing fills, from its docstrings: who is woken when, which step ends a decision, what is sent.

Made of the other plain twins. Without fills there is no position, so exits never act here; they have their own twin.
"""

import math

from tests.naive import arbiter, conformal, cost, features, forecasts, risk, sizing, staleness
from tests.naive.budget import Budget
from tests.naive.planner import Planner
from tests.naive.rebalance import Clock

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
NEVER = math.inf


class Symbol:
    def __init__(self, horizons, budget, first_id):
        self.table = forecasts.Table(horizons)
        self.sigma = {}
        self.market = []
        self.quote = (0, 0, 0, 0)
        self.unknown = 0
        self.due, self.last = NEVER, -NEVER
        self.planner = SharedIds(budget, first_id)


class SharedIds(Planner):
    """A planner whose order ids are numbered over all symbols."""

    def __init__(self, budget, counter):
        super().__init__(budget)
        self.counter = counter

    def begin(self, now, wish):
        self.next_id = self.counter[0]
        super().begin(now, wish)
        self.counter[0] = self.next_id


class Pipeline:
    def __init__(self, n_symbols, horizons, settings, open_ns, close_ns, times):
        budget, counter = Budget(settings.budget.messages_per_min), [1]
        self.symbols = [Symbol(horizons, budget, counter) for _ in range(n_symbols)]
        self.horizons, self.settings, self.open, self.close = horizons, settings, open_ns, close_ns
        self.clock = Clock(times, settings.rebalance.window_ns)
        self.times = sorted(times)
        self.decisions = []

    def process(self, kind, ts, s, values):
        while self.earliest() <= ts:
            self.fire(self.earliest())
        if kind == "QUOTE":
            symbol = self.symbols[s]
            quote = tuple(values[name] for name in ("bid", "ask", "bid_qty", "ask_qty"))
            symbol.market.append((ts, "quote", quote))
            symbol.quote = quote
            symbol.planner.touch = quote[:2] if staleness.quote_reason(None, *quote) == "TARGET_SET" else None
        elif kind == "FORECAST":
            self.take_forecast(ts, self.symbols[s], **values)

    def take_forecast(self, ts, symbol, horizon_min, mu_bps, sigma_bps):
        if symbol.table.take(horizon_min, ts - SECOND, mu_bps, sigma_bps, math.nan, math.nan) == "UNKNOWN_HORIZON":
            symbol.unknown += 1
        else:
            symbol.sigma[horizon_min] = sigma_bps
        self.ask(symbol, ts + 1)

    def ask(self, symbol, due):
        symbol.due = min(symbol.due, max(due, symbol.last + self.settings.pipeline.cycle_min_ns))

    def earliest(self):
        plans = [symbol.planner.timer() or NEVER for symbol in self.symbols]
        return min([symbol.due for symbol in self.symbols] + plans + self.times[:1])

    def fire(self, now):
        if self.times and self.times[0] <= now:
            self.times = [time for time in self.times if time > now]
            for symbol in self.symbols:
                if any(symbol.table.held.values()):
                    self.ask(symbol, now)
        for s, symbol in enumerate(self.symbols):
            if symbol.due <= now:
                symbol.due, symbol.last = NEVER, now
                self.decisions.append((now, s, *self.decide(now, s, symbol)))
        for symbol in self.symbols:
            symbol.planner.advance(now)

    def decide(self, now, s, symbol):
        """Return reason and target."""
        unknown, symbol.unknown = symbol.unknown, 0
        if not self.open <= now < self.close - self.settings.exits.flat_before_close_min * MINUTE:
            return "OUTSIDE_HOURS", 0
        quote_reason = staleness.quote_reason(None, *symbol.quote)
        if quote_reason != "TARGET_SET":
            return quote_reason, 0
        reason, alive = symbol.table.load()
        if reason != "TARGET_SET":
            return ("UNKNOWN_HORIZON" if reason == "NO_FORECAST" and unknown else reason), 0
        return self.choose(now, s, symbol, alive)

    def choose(self, now, s, symbol, alive):
        settings = self.settings
        spread = cost.spread(*symbol.quote)
        vol = features.features(symbol.market, now, 100, settings.features)["vol_bps"]
        legs = [(h, alive[h][0], cost.cost(spread, vol, h, settings.cost.vol_share)) for h in self.horizons if h in alive]
        if all(math.isnan(leg[2]) for leg in legs):
            return "COST_UNKNOWN", 0
        legs = [(*leg, conformal.side(leg[1], leg[2], settings.gate.threshold_bps)) for leg in legs]
        reason, best = arbiter.choose(legs, spread, vol, settings.arbiter)
        if reason != "TARGET_SET":
            return reason, 0
        return self.act(now, s, symbol, legs[best])

    def act(self, now, s, symbol, leg):
        horizon, mu, cost_bps, side = leg
        mid = (symbol.quote[0] + symbol.quote[1]) / 20_000
        share = sizing.share(1, abs(mu) - cost_bps, symbol.sigma[horizon], self.settings.sizing)
        target = side * sizing.shares(share * 100_000, mid, 1)[1]
        if target == 0:
            return "RISK_ZERO_SIZE", 0
        target = risk.cap(target, mid, 1, self.settings.risk.name_cap_usd)
        if not self.clock.go_on(s, now):
            return "NOT_REBALANCE_TIME", target
        planner = symbol.planner
        before = planner.plan, planner.waiting, len(planner.out)
        planner.target(now, target, horizon, False)
        moved = (planner.plan, planner.waiting, len(planner.out)) != before
        return ("TARGET_SET" if moved else "TARGET_KEPT"), target
