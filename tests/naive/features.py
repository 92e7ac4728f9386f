"""Features of one symbol from the docstring of `strategy/features.py`: recomputed from all events, in lists."""

import math

from tests.naive import regime
from tests.naive.added import added

MINUTE = 60_000_000_000


def step(half_life):
    return 1 - math.exp(-math.log(2) / half_life)


def blend(old, new, n, half_life):
    return old + max(1 / n, step(half_life)) * (new - old)


def usable(quote):
    bid, ask, bid_qty, ask_qty = quote
    return bid > 0 and ask >= bid and bid_qty > 0 and ask_qty > 0


def flow_of(old, new):
    bid0, ask0, bid_qty0, ask_qty0 = old
    bid, ask, bid_qty, ask_qty = new
    flow = 0
    if bid >= bid0:
        flow += bid_qty
    if bid <= bid0:
        flow -= bid_qty0
    if ask <= ask0:
        flow -= ask_qty
    if ask >= ask0:
        flow += ask_qty0
    return flow


def features(events, now, tick, settings):
    """Return all features at `now`; `events` are (ts, "quote", (bid, ask, bid_qty, ask_qty)) or (ts, "trade", qty)."""
    state = State(tick, settings)
    events = [event for event in events if event[0] <= now]
    if not events:
        return state.answer(None)
    first = events[0][0] // MINUTE
    for minute in range(first, now // MINUTE):
        state.minute = minute
        state.close([event for event in events if event[0] // MINUTE == minute])
    quotes = [event[2] for event in events if event[1] == "quote"]
    return state.answer(quotes[-1] if quotes else None)


class State:
    def __init__(self, tick, settings):
        self.tick = tick
        self.settings = settings
        self.quiet = self.minutes = self.spreads = 0
        self.quote = self.mid2 = None
        self.samples, self.returns, self.return_minutes = [], [], []
        self.drift = self.flow = self.trades = self.volume = self.spread = 0.0

    def close(self, events):
        if events:
            self.close_active(events)
        elif self.quiet <= self.settings.break_min:
            self.close_quiet()

    def close_quiet(self):
        self.quiet += 1
        self.learn_activity(0, 0, 0)
        if self.quiet > self.settings.break_min:
            self.samples, self.mid2, self.drift, self.flow = [], None, 0.0, 0.0
        elif self.samples:
            self.samples.append(self.samples[-1])

    def close_active(self, events):
        flow, sizes, spreads = 0, [], []
        for quote in [event[2] for event in events if event[1] == "quote"]:
            if not usable(quote):
                self.quote = None
                continue
            if self.quote and self.mid2:
                flow += flow_of(self.quote, quote)
            self.quote, self.mid2 = quote, quote[0] + quote[1]
            sizes.append((quote[2] + quote[3]) / 2)
            spreads.append(quote[1] - quote[0])
        self.learn_mid()
        trades = [event[2] for event in events if event[1] == "trade"]
        self.learn_activity(flow / (sum(sizes) / len(sizes)) if sizes else 0, len(trades), sum(trades))
        if spreads:
            spread = 20_000 * (added(spreads) / len(spreads)) / self.mid2
            self.spreads += 1
            self.spread = blend(self.spread, spread, self.spreads, self.settings.activity_half_life_min)
        self.quiet = 0

    def learn_mid(self):
        if self.mid2 is None:
            return
        if self.samples:
            for value in [0.0] * self.quiet + [10_000 * (self.mid2 / self.samples[-1] - 1)]:
                self.returns.append(value)
                self.drift = blend(self.drift, value, len(self.returns), self.settings.drift_half_life_min)
            self.vol_mid2 = self.mid2
            self.return_minutes += range(self.minute - self.quiet, self.minute + 1)
        self.samples.append(self.mid2)

    def learn_activity(self, flow, trades, volume):
        self.minutes += 1
        half_life = self.settings.activity_half_life_min
        self.flow = blend(self.flow, flow, self.minutes, half_life)
        self.trades = blend(self.trades, trades, self.minutes, half_life)
        self.volume = blend(self.volume, volume, self.minutes, half_life)

    def vol(self):
        if len(self.returns) < self.settings.min_returns or not self.returns:
            return math.nan
        variance = 0.0
        for n, value in enumerate(self.returns, 1):
            variance = blend(variance, value * value, n, self.settings.vol_half_life_min)
        return max(math.sqrt(variance), 10_000 * (self.tick / 2) / (self.vol_mid2 / 2))

    def speeds(self):
        fast = slow = ratio = math.nan
        state = 0
        if self.returns:
            fast, slow, ratio, state = regime.regimes(self.return_minutes, self.returns, self.settings)[-1]
        if len(self.returns) < self.settings.min_returns:
            fast = slow = math.nan
        return {"vol_fast_bps": fast, "vol_slow_bps": slow, "vol_ratio": ratio, "regime": state}

    def momentum(self, back):
        kept = self.samples[-64:]
        return 10_000 * (kept[-1] / kept[-1 - back] - 1) if len(kept) > back else math.nan

    def answer(self, quote):
        spread = imbalance = math.nan
        if quote and usable(quote):
            bid, ask, bid_qty, ask_qty = quote
            spread = 10_000 * (ask - bid) / ((bid + ask) / 2)
            imbalance = (bid_qty - ask_qty) / (bid_qty + ask_qty)
        return {
            "vol_bps": self.vol(),
            "spread_bps": spread,
            "imbalance": imbalance,
            "microprice_bps": spread / 2 * imbalance,
            "flow": self.flow,
            "drift_bps": self.drift,
            "momentum_5min_bps": self.momentum(5),
            "trades_per_min": self.trades,
            **self.speeds(),
            "momentum_10min_bps": self.momentum(10),
            "momentum_15min_bps": self.momentum(15),
            "momentum_30min_bps": self.momentum(30),
            "momentum_60min_bps": self.momentum(60),
            "spread_mean_bps": self.spread if self.spreads else math.nan,
            "volume_per_min": self.volume,
        }
