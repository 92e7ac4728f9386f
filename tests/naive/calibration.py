"""The calibrated gate in plain Python, from the docstrings of `tracker_bank`, `margin_buckets`, `calibration` and `mean_edge`.

One symbol and one horizon. Everything is lists and floats; what was issued is a dictionary that the caller keeps.
"""

import math
from itertools import pairwise

from tests.naive.added import added

K = 6
GAINS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)


def order_statistic(scores, level):
    """Return the ceil((n + 1) level)-th smallest."""
    rank = math.ceil((len(scores) + 1) * level - 1e-9)
    return sorted(scores)[min(max(rank, 1), len(scores)) - 1]


def upper_z(tail):
    """Return Abramowitz and Stegun's 26.2.23, with the coefficients in the order of the book."""
    t = math.sqrt(math.log(1.0 / tail**2))
    c, d = (2.515517, 0.802853, 0.010328), (1.0, 1.432788, 0.189269, 0.001308)
    return t - sum(x * t**k for k, x in enumerate(c)) / sum(x * t**k for k, x in enumerate(d))


class Bank:
    """One running quantile."""

    def __init__(self, scores, tail):
        self.tail = tail
        self.centre = order_statistic(scores, 0.5)
        self.mean_abs = max(added(abs(s - self.centre) for s in sorted(scores)) / len(scores), 1e-9)
        span = order_statistic(scores, 0.9) - order_statistic(scores, 0.1)
        self.ratio = max(span, 1e-9) / self.mean_abs
        self.p = [order_statistic(scores, 1.0 - tail)] * K
        self.w = [1.0 / K] * K
        self.c, self.v, self.count, self.n_eff = 0.0, 1e-6, 0, 0.0

    def q(self):
        total = self.c
        for p, w in zip(self.p, self.w, strict=True):
            total += w * p
        return total

    def learn(self, p_issued, q_issued, s, h):
        a = self.tail
        self.mean_abs += 0.0005 * (abs(s - self.centre) - self.mean_abs)
        scale = max(self.ratio * self.mean_abs, 1e-9)
        self.c += 0.005 / h * scale * ((s > q_issued) - a)
        losses = [max((1 - a) * (s - p), -a * (s - p)) / scale for p in p_issued]
        mean = added(w * loss for w, loss in zip(self.w, losses, strict=True))
        self.v = 0.9995 * self.v + added(w * (loss - mean) ** 2 for w, loss in zip(self.w, losses, strict=True))
        eta = min(math.sqrt(math.log(K) / (h * self.v)), 20.0) if h * self.v > 0 else 20.0
        raised = [w * math.exp(-eta * (loss - mean)) for w, loss in zip(self.w, losses, strict=True)]
        total = added(raised)
        self.w = [(1 - 1e-4) * w / total + 1e-4 / K for w in raised]
        self.p = [p + g / h * scale * ((s > was) - a) for p, g, was in zip(self.p, GAINS, p_issued, strict=True)]
        self.count += 1
        self.n_eff += min(1.0, 2.0 / h)


class Tail:
    """The banks of one tail; `sign` is +1 for the upper one."""

    def __init__(self, sign, settings):
        self.sign, self.settings = sign, settings
        self.edges = list(settings.margin_edges)
        self.warm, self.interval, self.whole, self.buckets = [], None, None, []
        self.waiting = [0] * (len(self.edges) + 1)
        self.centres = []

    def begin(self):
        s = self.settings
        self.interval = Bank(self.warm, 0.5 * (1.0 - s.interval_level))
        self.whole = Bank(self.warm, s.gate_tail)
        self.buckets = [Bank(self.warm, s.gate_tail) for _ in self.waiting]
        outer = [self.edges[0] - 1.0, *self.edges, self.edges[-1] + 1.0]
        self.centres = [0.5 * (low + high) for low, high in pairwise(outer)]

    def bucket(self, margin):
        return sum(margin >= edge for edge in self.edges)

    def line(self):
        """Return r_b of all buckets."""
        blended = []
        trust = self.whole.n_eff / (self.whole.n_eff + self.settings.model_prior)
        model = upper_z(self.settings.gate_tail) - 1.2815515655446004
        whole = trust * self.whole.q() + (1 - trust) * model
        for bank in self.buckets:
            w = bank.n_eff / (bank.n_eff + self.settings.bucket_prior)
            blended.append(w * bank.q() + (1 - w) * whole)
        r = [blended[0]]
        for b in range(1, len(blended)):
            r.append(min(blended[b], r[-1] + self.centres[b] - self.centres[b - 1]))
        return r

    def asked(self, margin):
        r, x = self.line(), self.centres
        slopes = [min((r[b + 1] - r[b]) / (x[b + 1] - x[b]), 1.0) if x[b + 1] > x[b] else 0.0 for b in range(len(r) - 1)]
        if margin <= x[0]:
            return r[0]
        for b in range(len(r) - 1):
            if margin <= x[b + 1]:
                return r[b] + slopes[b] * (margin - x[b])
        return r[-1] + max(slopes[-1], 0.0) * (margin - x[-1])


class Gate:
    """Both tails, the warm-up, and the counts."""

    def __init__(self, settings):
        self.settings = settings
        self.tails = (Tail(-1, settings), Tail(+1, settings))
        self.labels = self.matured = self.below = self.above = self.dropped = 0

    def issue(self, mu, sigma, cost, bases):
        """Return a record; its `gate` holds the two bounds."""
        record = {"mu": mu, "sigma": sigma, "cost": cost, "bases": bases, "begun": self.tails[0].whole is not None}
        record["margins"] = [(mu - cost) / sigma, (-mu - cost) / sigma]
        record["buckets"] = [tail.bucket(m) for tail, m in zip(self.tails, record["margins"], strict=True)]
        bound, gate, record["issued"], record["offsets"] = list(bases), list(bases), [None, None], [0.0, 0.0]
        for t, tail in enumerate(self.tails):
            tail.waiting[record["buckets"][t]] += 1
            if record["begun"]:
                banks = (tail.interval, tail.whole, tail.buckets[record["buckets"][t]])
                record["issued"][t] = [(list(bank.p), bank.q()) for bank in banks]
                asked = tail.asked(record["margins"][t])
                record["offsets"][t] = asked - tail.line()[record["buckets"][t]]
                bound[t] = bases[t] + tail.sign * sigma * tail.interval.q()
                gate[t] = bases[t] + tail.sign * sigma * asked
        record["bound"], record["gate"] = _ordered(bound), _ordered(gate)
        return record

    def mature(self, record, y, h):
        """Learn from the outcome of a record, with `h` records waiting (itself included)."""
        if math.isfinite(y):
            self.labels += 1
            if record["begun"]:
                self.matured += 1
                self.below += y < record["bound"][0]
                self.above += y > record["bound"][1]
            for t, tail in enumerate(self.tails):
                self._learn(tail, t, record, y, h)
        else:
            self.dropped += 1
        for t, tail in enumerate(self.tails):
            tail.waiting[record["buckets"][t]] -= 1
        if self.tails[0].whole is None and self.labels >= min(max(100, 25 * h), 500) and math.isfinite(y):
            for tail in self.tails:
                tail.begin()

    def _learn(self, tail, t, record, y, h):
        score = tail.sign * (y - record["bases"][t]) / record["sigma"]
        if tail.whole is None:
            tail.warm.append(score)
        elif record["begun"]:
            b = record["buckets"][t]
            issued, bank = record["issued"][t], tail.buckets[b]
            tail.interval.learn(*issued[0], score, h)
            tail.whole.learn(*issued[1], score, h)
            tail.centres[b] += max(1.0 / (bank.count + 1), 0.001) * (record["margins"][t] - tail.centres[b])
            bank.learn(*issued[2], score - record["offsets"][t], tail.waiting[b])


def _ordered(bounds):
    return bounds if bounds[0] <= bounds[1] else [0.5 * (bounds[0] + bounds[1])] * 2
