"""The arbiter's mixture in plain Python, from the docstrings of `hedge`, `leaders` and `policies`; one symbol."""

import math

from tests.naive.added import added

MEMORIES = (0.998, 0.999, 0.9995, 1.0)


class Leaders:
    """Discounted means of every horizon at every memory."""

    def __init__(self, n):
        self.n = n
        self.mean = [[0.0] * n for _ in MEMORIES]
        self.square, self.overlap, self.count = [0.0] * n, [0.0] * n, [0] * n
        self.leader = [0] * len(MEMORIES)

    def learn(self, k, x, h):
        self.count[k] += 1
        self.overlap[k] = h
        self.square[k] += max(0.0005, 1 / self.count[k]) * (x * x - self.square[k])
        for g, memory in enumerate(MEMORIES):
            a = 1 - memory if memory < 1 else 1 / self.count[k]
            self.mean[g][k] += a * (x - self.mean[g][k])
            scale = math.sqrt(added(self.square) / self.n)
            said = [self._shrunk(g, i, scale) for i in range(self.n)]
            best = said.index(max(said))
            if said[best] > said[self.leader[g]] + 0.01 * scale:
                self.leader[g] = best

    def _shrunk(self, g, k, scale):
        if self.count[k] == 0 or self.square[k] <= 0:
            return 0.0
        a = (1 - MEMORIES[g]) / 2 if MEMORIES[g] < 1 else 1 / self.count[k]
        noise = self.overlap[k] * a * self.square[k]
        signal = 0.01 * scale * scale
        return signal / (signal + noise) * self.mean[g][k]


class Hedge:
    """AdaHedge with a prior."""

    def __init__(self, prior):
        self.prior, self.loss, self.delta = prior, [0.0] * len(prior), 0.0

    def eta(self):
        return min(-math.log(min(self.prior)) / max(self.delta, 1e-9), 20.0)

    def weights(self, among):
        eta, least = self.eta(), min(self.loss[:among])
        raw = [p * math.exp(-eta * (loss - least)) for p, loss in zip(self.prior[:among], self.loss[:among], strict=True)]
        return [(1 - 1e-4) * w / added(raw) + 1e-4 * p for w, p in zip(raw, self.prior[:among], strict=True)]

    def learn(self, issued, losses):
        eta = self.eta()
        mixed = added(v * math.exp(-eta * loss) for v, loss in zip(issued, losses, strict=True))
        expected = added(v * loss for v, loss in zip(issued, losses, strict=True))
        self.delta += max(expected + math.log(mixed) / eta, 0.0)
        self.loss = [total + loss for total, loss in zip(self.loss, losses, strict=True)]


def series(rewards, delays, original):
    """Return the weights of each row; rewards are in units of their running size already."""
    n = len(delays)
    count = 2 + n + len(MEMORIES) + 1
    hedge, leaders = Hedge([0.5] + [0.5 / (count - 1)] * (count - 1)), Leaders(n)
    rows, kept, closed = [], [], 0
    for i in range(len(rewards)):
        for k in range(n):
            if i >= delays[k] and not math.isnan(rewards[i - delays[k]][k]):
                leaders.learn(k, rewards[i - delays[k]][k], delays[k])
            while closed < i and all(closed + d < i or (closed + d == i and q <= k) for q, d in enumerate(delays)):
                policies, issued = kept[closed]
                if not any(math.isnan(x) for x in rewards[closed]):
                    hedge.learn(
                        issued, [-added(p * x for p, x in zip(policy, rewards[closed], strict=True)) for policy in policies]
                    )
                closed += 1
        pure = [[float(k == q) for q in range(n)] for k in range(n)]
        led = [[float(k == leader) for k in range(n)] for leader in leaders.leader]
        policies = [list(original[i]), list(original[i]), *pure, *led, [0.0] * n]
        kept.append((policies, hedge.weights(count)))
        trading = hedge.weights(count - 1)
        mixed = [added(v * policy[k] for v, policy in zip(trading, policies[:-1], strict=True)) for k in range(n)]
        rows.append([w / added(mixed) for w in mixed])
    return rows


def _loss(policy, rewards):
    return -added(p * x for p, x in zip(policy, rewards, strict=True))


def scaled(rewards):
    """Return the rewards as `evaluate` takes them in: over the root of their running mean square, clipped at 4."""
    size, count, out = [0.0] * len(rewards[0]), 0, []
    for count, row in enumerate(rewards, start=1):
        line = []
        for k, x in enumerate(row):
            if math.isnan(x):
                line.append(x)
                continue
            size[k] += max(0.0005, 1 / count) * (x * x - size[k])
            line.append(min(max(x / math.sqrt(size[k]), -4.0), 4.0) if size[k] > 0 else 0.0)
        out.append(line)
    return out
