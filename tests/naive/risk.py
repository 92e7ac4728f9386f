"""Risk limits, from design row 7: the original's cap per name, and the enhanced limits with their correlations."""

import math

from tests.naive.added import added
from tests.naive.sizing import shares


def cap(target, mid_usd, lot, cap_usd):
    limit = shares(cap_usd, mid_usd, lot)[1]
    if abs(target) <= limit:
        return target
    return limit if target > 0 else -limit


def moments(xs, ys, half_life):
    """Exponential second moments of two series over the minutes that both have, and how many those are."""
    both = [(x, y) for x, y in zip(xs, ys, strict=True) if math.isfinite(x) and math.isfinite(y)]
    xx = xy = yy = 0.0
    for t, (x, y) in enumerate(both, 1):
        a = max(1 / t, 1 - 0.5 ** (1 / half_life))
        xx, xy, yy = (1 - a) * xx + a * x * x, (1 - a) * xy + a * x * y, (1 - a) * yy + a * y * y
    return xx, xy, yy, len(both)


def correlations(series, half_life, least):
    """Return shrunk correlations of all pairs as a dict, the set of the pairs known, and the shrinkage."""
    known, counts = {}, {}
    for i in range(len(series)):
        for j in range(i):
            xx, xy, yy, n = moments(series[i], series[j], half_life)
            if n >= least and xx > 0 and yy > 0:
                known[i, j], counts[i, j] = xy / math.sqrt(xx * yy), n
    mean = added(known.values()) / len(known) if known else 0.0
    t_max = 2 / (1 - 0.5 ** (1 / half_life)) - 1
    noise = added((1 - rho**2) ** 2 / (min(counts[pair], t_max) - 1) for pair, rho in known.items())
    spread = added((rho - mean) ** 2 for rho in known.values())
    delta = noise / spread if noise < spread else 1.0
    shrunk = {}
    for i in range(len(series)):
        for j in range(i):
            shrunk[i, j] = shrunk[j, i] = delta * mean + (1 - delta) * known.get((i, j), mean)
    return shrunk, set(known) | {(j, i) for i, j in known}, delta


def limit(s, target, world, settings):
    """Return target and the limit that had the last word; `world` is what the book of all symbols looks like."""
    equity, mid, held, volume, lot = (world[name] for name in ("equity", "mid", "held", "volume", "lot"))
    side = 1 if target > 0 else -1
    others = [j for j in range(len(world["shares"])) if j != s]
    gross = added(abs(world["shares"][j]) for j in others)
    net = added(world["shares"][j] for j in others)
    alike = 0.0
    for j in others:
        vols = world["vols"][j], world["vols"][s]
        ratio = vols[0] / vols[1] if min(vols) > 0 else 1.0
        alike += side * world["rho"][s, j] * ratio * world["shares"][j]
    bounds = {
        "RISK_GROSS": settings.gross_share - gross,
        "RISK_NET": settings.net_share - side * net,
        "RISK_CORRELATION": abs(target) * mid / equity - settings.correlation_weight * alike if alike > 0 else math.inf,
        "RISK_NAME_CAP": min(settings.name_share, settings.name_cap_usd / equity),
    }
    name = min(bounds, key=bounds.get)
    qty, why = abs(target), "TARGET_SET"
    if qty * mid > bounds[name] * equity:
        qty, why = shares(max(bounds[name], 0.0) * equity, mid, lot)[1], name
    own = max(side * held, 0)
    room = settings.participation_max * settings.volume_min * volume if volume > 0 else math.inf
    if qty > own + room:
        qty, why = own + math.floor(room / lot) * lot, "RISK_PARTICIPATION"
    return side * qty, why
