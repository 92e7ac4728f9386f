"""The arbiter's mixture in plain Python, from the docstrings of `hedge`, `leaders` and `policies`; one symbol."""

import math

from tests.naive.added import added

HAZARDS = {1 / 500: 1 / 6, 1 / 2000: 1 / 6, 1 / 8000: 1 / 6, 0.0: 1 / 2}  # and what each weighs at first


class Leaders:
    """What every hazard, and the blend of them, expects of every horizon."""

    def __init__(self, n):
        self.n = n
        self.mean, self.known = ([[0.0] * n for _ in HAZARDS] for _ in range(2))
        self.evidence = [0.0] * len(HAZARDS)
        self.square, self.count = [0.0] * n, [0] * n
        self.leader = [0] * (len(HAZARDS) + 1)

    def learn(self, k, x, h):
        self.count[k] += 1
        self.square[k] += max(0.0005, 1 / self.count[k]) * (x * x - self.square[k])
        for p, mean, known in zip(HAZARDS, self.mean, self.known, strict=True):
            before, still = mean[k] * (1 - p), known[k] * (1 - p) * (1 - p)
            a = (1 - still) / (1 - still + 100 * h)
            mean[k], known[k] = before + a * (x - before), still + a * (1 - still)
        margin = 0.003 * math.sqrt(added(self.square) / self.n)
        for g, said in enumerate([*self.mean, self.blend()]):
            best = said.index(max(said))
            if said[best] > said[self.leader[g]] + margin:
                self.leader[g] = best

    def blend(self):
        raw = [prior * math.exp(e) for prior, e in zip(HAZARDS.values(), self.evidence, strict=True)]
        return [added(w / added(raw) * mean[k] for w, mean in zip(raw, self.mean, strict=True)) for k in range(self.n)]

    def judge(self, k, x, h, issued):
        scale2 = added(self.square) / self.n
        if scale2 > 0:
            raw = [e - (x - mean[k]) ** 2 / (2 * h * scale2) for e, mean in zip(self.evidence, issued, strict=True)]
            self.evidence = [max(e - max(raw), -10.0) for e in raw]


class Hedge:
    """AdaHedge with a prior, over all policies and over all but the last, for losses that come late."""

    def __init__(self, prior):
        self.prior, self.loss, self.delta = prior, [0.0] * len(prior), 0.0
        self.gap = {len(prior): 0.0, len(prior) - 1: 0.0}

    def eta(self):
        return min(-math.log(min(p for p in self.prior if p > 0)) / 4 / max(self.delta, 1e-9), 20.0)

    def weights(self, among):
        prior = [p / added(self.prior[:among]) for p in self.prior[:among]]
        raw = self._raw(among, min(self.loss[:among]))
        return [(1 - 1e-4) * w / added(raw) + 1e-4 * p for w, p in zip(raw, prior, strict=True)]

    def _raw(self, among, least):
        pairs = zip(self.prior[:among], self.loss[:among], strict=True)
        return [p * math.exp(-self.eta() * (loss - least)) for p, loss in pairs]

    def learn(self, issued, losses):
        eta, before = self.eta(), {among: self._potential(among) for among in self.gap}
        self.loss = [total + loss for total, loss in zip(self.loss, losses, strict=True)]
        for among, before_one in before.items():
            played = added(v * loss for v, loss in zip(issued[among], losses[:among], strict=True))
            self.gap[among] += played + (self._potential(among) - before_one) / eta
        self.delta = max(self.delta, *self.gap.values())

    def _potential(self, among):
        least = min(self.loss[:among])
        return math.log(added(self._raw(among, least))) - self.eta() * least


def priors(n, has_original):
    """Return the prior without a model: half for the original if there is one, of the rest a twentieth for all but the blend."""
    others = n + len(HAZARDS) + 1
    rest = [0.0, *[0.05 / others] * (others - 1), 0.95, 0.05 / others]
    return [0.5, *(w / 2 for w in rest)] if has_original else [0.0, *rest]


def series(rewards, delays, original):
    """Return the weights of each row; rewards are in units of their running size already."""
    n = len(delays)
    hedge, leaders = Hedge(priors(n, original is not None)), Leaders(n)
    count = len(hedge.prior)
    if original is None:
        original = [[1 / n] * n for _ in rewards]
    rows, kept, closed = [], [], 0
    for i in range(len(rewards)):
        for k in range(n):
            if i >= delays[k] and not math.isnan(rewards[i - delays[k]][k]):
                leaders.judge(k, rewards[i - delays[k]][k], delays[k], kept[i - delays[k]][2])
                leaders.learn(k, rewards[i - delays[k]][k], delays[k])
            while closed < i and all(closed + d < i or (closed + d == i and q <= k) for q, d in enumerate(delays)):
                policies, issued, _ = kept[closed]
                if not any(math.isnan(x) for x in rewards[closed]):
                    hedge.learn(
                        issued, [-added(p * x for p, x in zip(policy, rewards[closed], strict=True)) for policy in policies]
                    )
                closed += 1
        pure = [[float(k == q) for q in range(n)] for k in range(n)]
        led = [[float(k == leader) for k in range(n)] for leader in leaders.leader]
        policies = [list(original[i]), list(original[i]), *pure, *led, [0.0] * n]
        trading = hedge.weights(count - 1)
        kept.append((policies, {count: hedge.weights(count), count - 1: trading}, [list(mean) for mean in leaders.mean]))
        mixed = [added(v * policy[k] for v, policy in zip(trading, policies[:-1], strict=True)) for k in range(n)]
        rows.append([w / added(mixed) for w in mixed])
    return rows


def scaled(rewards, delays):
    """Return the rewards as `evaluate` takes them in: over the size their row has once one of them is known, clipped at 4."""
    square, count, size = {}, dict.fromkeys(range(len(delays)), 0), {}
    out = [[math.nan] * len(delays) for _ in rewards]
    for i in range(len(rewards)):
        for k, row in enumerate(i - delay for delay in delays):
            if row < 0 or math.isnan(rewards[row][k]):
                continue
            x = rewards[row][k]
            count[k] += 1
            before = square.get(k, 0.0)
            square[k] = before + max(0.0005, 1 / count[k]) * (x * x - before)
            if size.get(row, 0.0) <= 0.0:
                size[row] = math.sqrt(added(square[q] for q in sorted(square)) / len(square))
            out[row][k] = min(max(x / size[row], -4.0), 4.0) if size[row] > 0 else 0.0
    return out
