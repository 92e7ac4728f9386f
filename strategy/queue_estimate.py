"""Queue estimate: how many shares stand ahead of our own order, from the public events of the desk alone.

Better means higher for buys and lower for sells; *the touch* is the best displayed price of the order's own side, `shown` the
size displayed there (our own leaves taken out where the feed shows them, `own_displayed`)::

    at the ack      at the touch: ahead = shown; better than the touch: 0; behind it, or nothing displayed: unknown (-1)
    touch arrives   ahead = shown where it was unknown, else min(ahead, shown): what a better price hid stays frozen
    touch falls     past our price: nobody displayed is ahead, ahead = 0
    print q at our price, against our side        ahead = max(ahead - q, 0)
    drop d of the display that no print explains  ahead = clamp(ahead - ceil(cancel_share d ahead / shown), 0, new shown)
    own fill        ahead = 0

`cancel_share` 1 spreads cancels evenly over the queue, 0 puts them all behind us. A quote and its print are one event,
whichever comes first. While both wait for each other (at most `pairing_ns`), T is printed and not yet seen in a quote, D
dropped and not yet printed, f the ahead before the first such drop, X what prints explained of it::

    quote  d = shown - new - T;  T = max(T - max(shown - new, 0), 0);  a drop d > 0 adds to D
    print  x = min(q, D);  D -= x;  X += x;  ahead = min(ahead, max(f - X, 0));  the rest q - x is a plain print and adds to T

Prints that consume no displayed queue (off-exchange, late, average-price, ...) and those of the other side count for nothing; a
print without a side counts. The original planner estimates nothing: ahead stays unknown.
"""

import math

import numpy as np

from replay.desk import queueless
from replay.events import Flag, Kind
from replay.jit import kernel

BUY = int(Flag.BUY)
SELL = int(Flag.SELL)

PLACE = np.dtype(
    [
        ("price", "i8"),  # 0 = no order
        ("side", "i8"),
        ("ahead_qty", "i8"),  # -1 = unknown
        ("shown_qty", "i8"),  # at our price, by the last quote; own leaves taken out
        ("is_touch", "i8"),
        ("own_qty", "i8"),  # own leaves that the feed shows
        ("printed_qty", "i8"),  # T
        ("dropped_qty", "i8"),  # D
        ("explained_qty", "i8"),  # X
        ("before_qty", "i8"),  # f
        ("pair_ns", "i8"),  # when the first of what waits came
        ("volume_qty", "i8"),  # eligible prints of the symbol since the plan began
    ],
    align=True,
)


@kernel
def join(place, side, price, leaves_qty, row, params):
    """Put an order into the queue as the book now stands."""
    place["price"] = price
    place["side"] = side
    resize(place, leaves_qty, params)
    _forget_pairs(place)
    touch = row["bid"] if side > 0 else row["ask"]
    qty = row["bid_qty"] if side > 0 else row["ask_qty"]
    place["is_touch"] = qty > 0 and touch == price
    place["ahead_qty"] = -1
    if place["is_touch"]:
        place["shown_qty"] = max(qty - place["own_qty"], 0)
        place["ahead_qty"] = place["shown_qty"]
    elif qty > 0 and side * (price - touch) > 0:
        place["ahead_qty"] = 0


@kernel
def resize(place, leaves_qty, params):
    """Take in a smaller quantity at the same price: the place in the queue stays."""
    place["own_qty"] = leaves_qty if params[0]["own_displayed"] else 0


@kernel
def leave_queue(place):
    """Forget the order; prints are still summed."""
    place["price"] = 0
    place["ahead_qty"] = -1


@kernel
def own_fill(place, leaves_qty, params):
    """Take in an own fill: we were the first."""
    place["ahead_qty"] = 0
    resize(place, leaves_qty, params)
    _forget_pairs(place)


@kernel
def watch(event, place, row, params):
    """Take in a quote or a print of the order's symbol; `row` is the book after it."""
    if event["kind"] == Kind.QUOTE:
        if place["price"] > 0:
            _see(place, event["ts_ns"], row, params)
        return
    if queueless(event["flags"]) != 0 or event["qty"] <= 0:
        return
    place["volume_qty"] += event["qty"]
    if event["price"] == place["price"] and place["ahead_qty"] >= 0 and _hits(event["flags"], place["side"]):
        _hear(place, event["ts_ns"], event["qty"], params)


@kernel
def _hits(flags, side):
    """Tell whether the aggressor of a print may have traded with our side."""
    other = BUY if side > 0 else SELL
    return (flags & (BUY | SELL)) != other


@kernel
def _see(place, now_ns, row, params):
    side = place["side"]
    touch = row["bid"] if side > 0 else row["ask"]
    qty = row["bid_qty"] if side > 0 else row["ask_qty"]
    was_touch = place["is_touch"]
    place["is_touch"] = qty > 0 and touch == place["price"]
    if qty <= 0:
        return
    if not place["is_touch"]:
        if side * (touch - place["price"]) < 0:
            place["ahead_qty"] = 0
        _forget_pairs(place)
        return
    shown = max(qty - place["own_qty"], 0)
    if was_touch:
        _shrink(place, now_ns, shown, params)
    else:
        place["ahead_qty"] = shown if place["ahead_qty"] < 0 else min(place["ahead_qty"], shown)
    place["shown_qty"] = shown


@kernel
def _shrink(place, now_ns, shown, params):
    """Take a change of the displayed size into the estimate."""
    _expire_pairs(place, now_ns, params)
    drop = place["shown_qty"] - shown
    unexplained = drop - place["printed_qty"]
    place["printed_qty"] = max(place["printed_qty"] - max(drop, 0), 0)
    ahead = place["ahead_qty"]
    if unexplained > 0:
        if place["dropped_qty"] == 0:
            place["before_qty"] = ahead
            place["explained_qty"] = 0
            if place["printed_qty"] == 0:
                place["pair_ns"] = now_ns
        place["dropped_qty"] += unexplained
        ahead -= math.ceil(params[0]["cancel_share"] * unexplained * ahead / place["shown_qty"])
    place["ahead_qty"] = max(min(ahead, shown), 0)


@kernel
def _hear(place, now_ns, qty, params):
    """Take a print at our price into the estimate."""
    _expire_pairs(place, now_ns, params)
    paired = min(qty, place["dropped_qty"])
    if paired > 0:
        place["dropped_qty"] -= paired
        place["explained_qty"] += paired
        place["ahead_qty"] = min(place["ahead_qty"], max(place["before_qty"] - place["explained_qty"], 0))
    rest = qty - paired
    if rest > 0 and place["is_touch"]:
        if place["printed_qty"] == 0 and place["dropped_qty"] == 0:
            place["pair_ns"] = now_ns
        place["printed_qty"] += rest
    place["ahead_qty"] = max(place["ahead_qty"] - rest, 0)


@kernel
def _expire_pairs(place, now_ns, params):
    if now_ns - place["pair_ns"] > params[0]["pairing_ns"]:
        _forget_pairs(place)


@kernel
def _forget_pairs(place):
    place["printed_qty"] = 0
    place["dropped_qty"] = 0
    place["explained_qty"] = 0
    place["before_qty"] = 0
