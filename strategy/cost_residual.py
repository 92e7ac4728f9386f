"""The residual of the cost model: what own fills cost more (or less) than the model said, per symbol and horizon.

Each fill is judged against what was said when its trade was decided, without the residual and without fees, so that nothing
counts twice. What counts is what the enhanced form says, also of a trade that its original decided. Half of a round trip's
cost is paid on each side::

    said     = spread + vol + impact                                             bps, at the decision
    realised = 2 side 1e4 (price - mid) / mid                                    mid = that of the decision
    e        = clip(realised - said, +-residual_max_bps)
    w        = filled qty / qty decided                                          so that an order counts once, in slices or not
    n <- n + w,   m <- m + max(w / n, 1 - 2^(-w / half life)) (e - m)            per symbol and horizon, and in one pool of all
    r        = b m + (1 - b) b_pool m_pool,    b = n' / (n' + n_0),   n' = min(n, 2 half life / ln 2)

`n'` is the number of equally weighted orders that an exponential average of this half-life is worth. Few fills of its own let a
cell lean on the pool, a small pool on zero. An exit is charged to the horizon that its position entered with, from the mid of the
first decision to leave (what is scaled out is an exit of its own); where that is not known (a position of yesterday) nothing is
learned.

What an entry leaves unfilled when its last order ends counts as if it were taken at the opposite touch of that moment, as
`replay.compare.parents` counts it: a patient order fills where the price comes to it, and what it missed is where the price went.
What an exit leaves is tried again, and judged when it fills. A plan that ends between two orders (the budget refused the next)
leaves nothing behind here.

References
----------
J.P. Morgan/Reuters (1996), "RiskMetrics Technical Document", section 5.2: exponential averages and their effective sample.
Efron, B. and Morris, C. (1975), "Data Analysis Using Stein's Estimator", JASA 70: cells that lean on their pool.
"""

from replay.jit import kernel
from replay.numeric import exp
from strategy.cost_state import LEAVES, SCALES_OUT
from strategy.modes import ENHANCED
from strategy.plan_prices import opposite_price
from strategy.touch import touch_mid2

_LN2 = 0.6931471805599453


@kernel
def note_entry(s, k, base_bps, decision, costs, params):
    """Keep what was said of a decision that went to the planner: `base_bps`, of the form that `params` configure."""
    if params[0]["mode"] != ENHANCED:
        return
    row = decision[0]
    _make_room(s, costs)
    said = costs.said[s, 0]
    said["decision_id"] = row["decision_id"]
    said["column"] = k
    said["mid2"] = row["mid2"]
    said["qty"] = abs(row["target_qty"] - row["position_qty"])
    said["is_exit"] = 0
    said["base_bps"] = base_bps


@kernel
def note_exit(s, decision, costs, params):
    """Keep that a position is to be left; what was said is what its entry said."""
    newest = costs.said[s, 0]
    if params[0]["mode"] != ENHANCED or newest["qty"] == 0:
        return
    row = decision[0]
    way = LEAVES if row["target_qty"] == 0 else SCALES_OUT
    if newest["is_exit"] != way:
        _make_room(s, costs)
        newest["mid2"] = row["mid2"]
        newest["qty"] = abs(row["target_qty"] - row["position_qty"])
        newest["is_exit"] = way
    newest["decision_id"] = row["decision_id"]


@kernel
def _make_room(s, costs):
    costs.said[s, 1] = costs.said[s, 0]


@kernel
def learn_fill(s, events, e, plans, costs, params):
    """Learn from a fill of the order of the symbol's plan; fills of other orders teach nothing."""
    event = events[e]
    plan = plans[s]
    if params[0]["mode"] != ENHANCED or event["order_id"] != plan["order_id"]:
        return
    for i in range(2):
        said = costs.said[s, i]
        if said["decision_id"] != 0 and said["decision_id"] == plan["decision_id"]:
            learn_price(s, i, plan["side"], event["price"], event["qty"], costs, params)
            return


@kernel
def learn_rest(s, book, plans, costs, params):
    """Learn from what the plan that has just ended left unfilled, at the opposite touch of now; an exit teaches nothing."""
    plan = plans[s]
    rest_qty = plan["qty"] - plan["filled_qty"]
    if params[0]["mode"] != ENHANCED or rest_qty <= 0 or touch_mid2(s, book) == 0:
        return
    for i in range(2):
        said = costs.said[s, i]
        if said["decision_id"] != 0 and said["decision_id"] == plan["decision_id"] and said["is_exit"] == 0:
            learn_price(s, i, plan["side"], opposite_price(plan["side"], book[s]), rest_qty, costs, params)
            return


@kernel
def learn_price(s, i, side, price, qty, costs, params):
    """Bring what `qty` shares of `costs.said[s, i]` cost, or would have, into the cell of its symbol and horizon and the pool."""
    said = costs.said[s, i]
    if said["mid2"] <= 0 or said["qty"] <= 0 or price <= 0 or qty <= 0:
        return
    most = params[0]["residual_max_bps"]
    surprise = surprise_bps(side, price, said["mid2"], said["base_bps"])
    if surprise != surprise:
        return
    surprise = min(max(surprise, -most), most)
    weight = min(qty / said["qty"], 1.0)
    _blend(costs.residuals[s, said["column"]], surprise, weight, params)
    _blend(costs.pool[0], surprise, weight, params)


@kernel
def surprise_bps(side, price, mid2, base_bps):
    """Return what a round trip at such fills costs more than was said, bps; positive is bad."""
    return 20_000.0 * side * (2 * price - mid2) / mid2 - base_bps


@kernel
def _blend(cell, surprise, weight, params):
    cell["weight"] += weight
    step = max(weight / cell["weight"], 1.0 - exp(-_LN2 * weight / params[0]["residual_half_life"]))
    cell["mean_bps"] += step * (surprise - cell["mean_bps"])


@kernel
def residual_bps(s, k, costs, params):
    """Return the residual of a symbol and horizon, bps of a round trip."""
    pool = costs.pool[0]
    cell = costs.residuals[s, k]
    pooled = _belief(pool["weight"], params) * pool["mean_bps"]
    belief = _belief(cell["weight"], params)
    return belief * cell["mean_bps"] + (1.0 - belief) * pooled


@kernel
def _belief(weight, params):
    n = min(weight, 2.0 * params[0]["residual_half_life"] / _LN2)
    return n / (n + params[0]["residual_prior"])
