"""Calibration: the banks of every symbol and horizon, what they issued, and what became of it.

Scores are distances from the model's own bound in units of its sigma, one per tail; the lower tail runs the same code on the
mirrored score, so a mirrored market gives mirrored intervals::

    s_hi = (y - base_hi) / sigma,  s_lo = (base_lo - y) / sigma          base = the model's quantile, or mu where it gives none
    q_hi_bps = base_hi + sigma q(s_hi),  q_lo_bps = base_lo - sigma q(s_lo)

Each tail has a bank for the interval that is shown (its level is `interval_level`), one for the gate over all forecasts (its
level is `gate_tail`), and one per margin bucket. All begin when enough labels came: `n >= clip(25 h, 100, 500)` with h the
overlap; the buckets begin where the global bank stands. The gate is ready after `max(100, 25 h)` labels and 50 effective ones.

While labels are few the gate leans on what the model says of its own error: normal, with its base at a tail of 0.1, so that its
quantile for the gate is `z(gate_tail) - z(0.1)` in units of sigma (`strategy.margin_buckets`).

A label that is not finite changes nothing and is counted as missing; so does a record that was issued before the banks began,
except that its score is kept for their start.

References
----------
Abramowitz, M. and Stegun, I. (1964), "Handbook of Mathematical Functions", 26.2.23: the normal quantile.
"""

import math
from typing import NamedTuple

import numpy as np

from replay.bundle import bundle
from replay.jit import kernel
from replay.numeric import log
from strategy.forecasts import Z
from strategy.margin_buckets import (
    BUCKET,
    BUCKETS,
    CELLS,
    FIRST_BUCKET,
    GLOBAL,
    INTERVAL,
    bucket_of,
    draw_line,
    learn_margin,
    place_buckets,
    quantile_at,
)
from strategy.mean_edge import EDGE, learn_edge
from strategy.modes import ENHANCED
from strategy.tracker_bank import BANK, ISSUED, copy_start, issue, learn, start

LO = 0
HI = 1
WARM_MIN = 100
WARM_MAX = 500
WARM_OVERLAPS = 25
READY_N_EFF = 50.0

GATE_RECORD = np.dtype(
    [
        ("mu_bps", "f8"),
        ("sigma_bps", "f8"),
        ("cost_bps", "f8"),
        ("base_bps", "f8", (2,)),
        ("bound_bps", "f8", (2,)),  # the interval as issued
        ("gate_bps", "f8", (2,)),  # what the gate asked
        ("margin", "f8", (2,)),
        ("offset", "f8", (2,)),  # of the gate's quantile from that of its bucket, along the line
        ("bucket", "i8", (2,)),
        ("is_counted", "i8"),  # its bounds were calibrated (or are not meant to be): coverage counts them
    ],
    align=True,
)

COVERAGE = np.dtype(
    [
        ("matured_count", "i8"),
        ("n_eff", "f8"),
        ("below_count", "i8"),
        ("above_count", "i8"),
        ("dropped_count", "i8"),  # outcomes that were NaN, infinite or never came
        ("passed_count", "i8", (2,)),  # forecasts that cleared their cost, long and short ...
        ("passed_n_eff", "f8", (2,)),
        ("passed_miss_count", "i8", (2,)),  # ... and ended beyond the bound that let them pass
        ("crossed_count", "i8"),
        ("bucket_count", "i8", (2, BUCKETS)),
        ("bucket_miss_count", "i8", (2, BUCKETS)),
    ],
    align=True,
)


@bundle
class Calibration(NamedTuple):
    """State of the gate."""

    banks: np.ndarray  # BANK (n_symbols, n_horizons, 2, CELLS)
    buckets: np.ndarray  # BUCKET (n_symbols, n_horizons, 2, BUCKETS)
    warm: np.ndarray  # float64 (n_symbols, n_horizons, 2, WARM_MAX), sorted scores of the warm-up
    edges: np.ndarray  # EDGE (n_symbols, n_horizons, 2, BUCKETS), of longs and of shorts
    label_counts: np.ndarray  # int64 (n_symbols, n_horizons)
    issued: np.ndarray  # ISSUED (n_symbols, n_horizons, slots + 1, 2, 3): interval, global, bucket
    records: np.ndarray  # GATE_RECORD (n_symbols, n_horizons, slots + 1)
    coverage: np.ndarray  # COVERAGE (n_symbols, n_horizons)


def new_calibration(n_symbols: int, n_horizons: int, slots: int) -> Calibration:
    """Return an empty state; `slots` forecasts of one symbol and horizon may wait for their outcome.

    Records have one slot more, the last, for bounds that nobody waits for.
    """
    cells = (n_symbols, n_horizons)
    return Calibration(
        banks=np.zeros((*cells, 2, CELLS), BANK),
        buckets=np.zeros((*cells, 2, BUCKETS), BUCKET),
        warm=np.zeros((*cells, 2, WARM_MAX)),
        edges=np.zeros((*cells, 2, BUCKETS), EDGE),
        label_counts=np.zeros(cells, np.int64),
        issued=np.zeros((*cells, slots + 1, 2, 3), ISSUED),
        records=np.zeros((*cells, slots + 1), GATE_RECORD),
        coverage=np.zeros(cells, COVERAGE),
    )


@kernel
def write_record(s, k, slot, calibration, mu_bps, sigma_bps, cost_bps):
    """Write the forecast of a record; its bases are the caller's to set."""
    record = calibration.records[s, k, slot]
    record["mu_bps"] = mu_bps
    record["sigma_bps"] = sigma_bps
    record["cost_bps"] = cost_bps


@kernel
def issue_bounds(s, k, slot, calibration, params):
    """Write bounds and gate quantiles into a record whose forecast, cost and bases are set, and keep what was issued.

    Bounds are the bases themselves until the banks have begun, and always where the gate is not in its enhanced form.
    """
    record = calibration.records[s, k, slot]
    has_begun = calibration.banks[s, k, LO, GLOBAL]["is_started"] == 1
    is_enhanced = params[0]["mode"] == ENHANCED
    record["is_counted"] = has_begun or not is_enhanced
    for t in range(2):
        record["margin"][t] = (-_sign(t) * record["mu_bps"] - record["cost_bps"]) / record["sigma_bps"]
        record["bucket"][t] = bucket_of(record["margin"][t], params[0]["margin_edges"])
        record["bound_bps"][t] = record["base_bps"][t]
        record["gate_bps"][t] = record["base_bps"][t]
        if has_begun and is_enhanced:
            _issue_tail(s, k, slot, t, calibration, params)
    _uncross(record["bound_bps"], calibration.coverage[s, k])
    _uncross(record["gate_bps"], calibration.coverage[s, k])


@kernel
def _issue_tail(s, k, slot, t, calibration, params):
    """Let the banks of one tail say their quantiles, and draw the gate's from the line through the buckets."""
    record = calibration.records[s, k, slot]
    issued = calibration.issued[s, k, slot, t]
    cells = calibration.banks[s, k, t]
    buckets = calibration.buckets[s, k, t]
    issue(cells[INTERVAL], issued[0])
    issue(cells[GLOBAL], issued[1])
    issue(cells[FIRST_BUCKET + record["bucket"][t]], issued[2])
    n_buckets = len(params[0]["margin_edges"]) + 1
    draw_line(cells, buckets, n_buckets, upper_z(params[0]["gate_tail"]) - Z, params)
    asked = quantile_at(buckets, record["margin"][t], n_buckets)
    record["offset"][t] = asked - buckets[record["bucket"][t]]["line"]
    step_bps = _sign(t) * record["sigma_bps"]
    record["bound_bps"][t] += step_bps * issued[0]["q"]
    record["gate_bps"][t] += step_bps * asked


@kernel
def upper_z(tail):
    """Return what a standard normal exceeds with probability `tail` (below one half); off by at most 4.5e-4."""
    t = math.sqrt(-2.0 * log(tail))
    above = 2.515517 + t * (0.802853 + t * 0.010328)
    return t - above / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)))


@kernel
def await_outcome(s, k, slot, calibration):
    """Count a record as waiting for its outcome; the bounds of a record that nobody waits for teach nothing."""
    for t in range(2):
        calibration.buckets[s, k, t, calibration.records[s, k, slot]["bucket"][t]]["waiting_count"] += 1


@kernel
def _sign(t):
    return 1.0 if t == HI else -1.0


@kernel
def _uncross(bounds, coverage):
    """Move crossed bounds to their midpoint, and count it."""
    if bounds[LO] > bounds[HI]:
        coverage["crossed_count"] += 1
        bounds[LO] = 0.5 * (bounds[LO] + bounds[HI])
        bounds[HI] = bounds[LO]


@kernel
def mature_record(s, k, slot, outcome_bps, overlap, calibration, params):
    """Judge a record by its outcome and learn from it; return 1, or 0 when the outcome was not finite."""
    if not math.isfinite(outcome_bps):
        forget_record(s, k, slot, calibration)
        return 0
    record = calibration.records[s, k, slot]
    calibration.label_counts[s, k] += 1
    if record["is_counted"]:
        _judge(record, outcome_bps, overlap, calibration.coverage[s, k])
    if params[0]["mode"] == ENHANCED:
        _learn(s, k, slot, outcome_bps, overlap, calibration, params)
    _leave_buckets(s, k, slot, calibration)
    return 1


@kernel
def _learn(s, k, slot, outcome_bps, overlap, calibration, params):
    """Bring an outcome into the banks, or into the warm-up until they begin."""
    record = calibration.records[s, k, slot]
    has_begun = calibration.banks[s, k, LO, GLOBAL]["is_started"] == 1
    for t in range(2):
        score = score_of(record, t, outcome_bps)
        _learn_net(s, k, t, record, outcome_bps, calibration, params)
        if not has_begun:
            _keep_sorted(calibration.warm[s, k, t], calibration.label_counts[s, k], score)
        elif record["is_counted"]:
            _learn_tail(s, k, slot, t, score, overlap, calibration, params)
    if not has_begun:
        _begin_if_due(s, k, overlap, calibration, params)


@kernel
def _learn_net(s, k, t, record, outcome_bps, calibration, params):
    """Bring the net outcome of the side that this tail protects into its bucket."""
    b = record["bucket"][t]
    net = (-_sign(t) * outcome_bps - record["cost_bps"]) / record["sigma_bps"]
    overlap = calibration.buckets[s, k, t, b]["waiting_count"]
    learn_edge(calibration.edges[s, k, t, b], net, overlap, params[0]["mean_memory"])


@kernel
def forget_record(s, k, slot, calibration):
    """Count a record whose outcome never came; nothing is learned."""
    calibration.coverage[s, k]["dropped_count"] += 1
    _leave_buckets(s, k, slot, calibration)


@kernel
def _leave_buckets(s, k, slot, calibration):
    for t in range(2):
        calibration.buckets[s, k, t, calibration.records[s, k, slot]["bucket"][t]]["waiting_count"] -= 1


@kernel
def score_of(record, t, outcome_bps):
    """Return the score of one tail."""
    return _sign(t) * (outcome_bps - record["base_bps"][t]) / record["sigma_bps"]


@kernel
def _learn_tail(s, k, slot, t, score, overlap, calibration, params):
    """Bring one score into the three banks that issued a quantile for it."""
    issued = calibration.issued[s, k, slot, t]
    cells = calibration.banks[s, k, t]
    record = calibration.records[s, k, slot]
    bucket = calibration.buckets[s, k, t, record["bucket"][t]]
    cell = cells[FIRST_BUCKET + record["bucket"][t]]
    tail = params[0]["gate_tail"]
    learn(cells[INTERVAL], issued[0], score, overlap, 0.5 * (1.0 - params[0]["interval_level"]))
    learn(cells[GLOBAL], issued[1], score, overlap, tail)
    learn_margin(bucket, record["margin"][t], cell["label_count"])
    learn(cell, issued[2], score - record["offset"][t], bucket["waiting_count"], tail)


@kernel
def _keep_sorted(scores, n, score):
    """Put a score where it belongs among the `n - 1` sorted ones; beyond the capacity nothing is kept."""
    if n > len(scores):
        return
    i = n - 1
    while i > 0 and scores[i - 1] > score:
        scores[i] = scores[i - 1]
        i -= 1
    scores[i] = score


@kernel
def _begin_if_due(s, k, overlap, calibration, params):
    """Begin all banks of a symbol and horizon once the warm-up is long enough."""
    n = calibration.label_counts[s, k]
    if n >= min(max(WARM_MIN, WARM_OVERLAPS * overlap), WARM_MAX):
        begin(s, k, calibration.warm[s, k], n, calibration, params)


@kernel
def begin(s, k, scores, n, calibration, params):
    """Begin all banks of a symbol and horizon with the first `n` of the sorted scores (2, ...) of both tails."""
    for t in range(2):
        cells = calibration.banks[s, k, t]
        start(cells[INTERVAL], scores[t], n, 0.5 * (1.0 - params[0]["interval_level"]))
        start(cells[GLOBAL], scores[t], n, params[0]["gate_tail"])
        for cell in range(FIRST_BUCKET, CELLS):
            copy_start(cells[GLOBAL], cells[cell])
        place_buckets(calibration.buckets[s, k, t], params[0]["margin_edges"])


@kernel
def is_ready(s, k, overlap, calibration):
    """Tell whether the gate may judge: banks begun, and labels enough for their overlap."""
    n = calibration.label_counts[s, k]
    has_begun = calibration.banks[s, k, LO, GLOBAL]["is_started"] == 1
    return has_begun and n >= max(WARM_MIN, WARM_OVERLAPS * overlap) and n * min(1.0, 2.0 / overlap) >= READY_N_EFF


@kernel
def _judge(record, outcome_bps, overlap, coverage):
    """Count the outcome against what was issued; a miss is strict."""
    n_eff = min(1.0, 2.0 / overlap)
    coverage["matured_count"] += 1
    coverage["n_eff"] += n_eff
    if outcome_bps < record["bound_bps"][LO]:
        coverage["below_count"] += 1
    elif outcome_bps > record["bound_bps"][HI]:
        coverage["above_count"] += 1
    for t in range(2):
        sign = _sign(t)
        is_miss = sign * (outcome_bps - record["gate_bps"][t]) > 0.0
        b = record["bucket"][t]
        coverage["bucket_count"][t, b] += 1
        coverage["bucket_miss_count"][t, b] += is_miss
        if -sign * record["gate_bps"][t] > record["cost_bps"]:
            coverage["passed_count"][t] += 1
            coverage["passed_n_eff"][t] += n_eff
            coverage["passed_miss_count"][t] += is_miss


@kernel
def evaluate_series(rows, delay, calibration, params, out):
    """Run one symbol and horizon over `rows` (mu, sigma, outcome, cost); write the gate's bounds into `out` (n, 2).

    A row that is not sound gets NaN; its place in the order of outcomes stays empty.
    """
    for i in range(len(rows)):
        slot = i % delay
        if i >= delay and not math.isnan(out[i - delay, 0]):
            mature_record(0, 0, slot, rows[i - delay, 2], delay, calibration, params)
        sigma_bps = rows[i, 1]
        if not (math.isfinite(rows[i, 0]) and 0.0 < sigma_bps < math.inf and math.isfinite(rows[i, 3])):
            out[i, 0] = math.nan
            out[i, 1] = math.nan
            continue
        write_record(0, 0, slot, calibration, rows[i, 0], sigma_bps, rows[i, 3])
        record = calibration.records[0, 0, slot]
        record["base_bps"][LO] = rows[i, 0] - Z * sigma_bps
        record["base_bps"][HI] = rows[i, 0] + Z * sigma_bps
        issue_bounds(0, 0, slot, calibration, params)
        await_outcome(0, 0, slot, calibration)
        out[i, 0] = record["gate_bps"][LO]
        out[i, 1] = record["gate_bps"][HI]
