"""Slices: how much of a plan the next child works, by expected fill, participation and the broker's minimum commission.

With `left` the shares not filled yet, T the minutes to the end of the plan and v the prints per minute (those before the plan
count as one minute, those since as they came)::

    v        = (v before + prints since) / (1 + minutes since)
    expected = max(v T / 2 - ahead, 0)                      half of the prints meet our side; 0 where ahead is unknown
    least    = ceil(1e4 fee_min_usd / fee_share_bps / (mid multiplier))       below it the minimum commission is a larger share
    first    = max(first_share parent, least)
    slice    = max(min(max(first, expected), participation v T), least),  whole lots, at least one; the first slice: expected = 0

An unknown v caps nothing. What would leave less than `least` (or than a lot) behind takes it along. A slice never exceeds `left`,
so slices sum to the parent.
"""

import math

from replay.jit import kernel

MINUTE_NS = 60_000_000_000.0


@kernel
def print_rate(plan, place, now_ns):
    """Return v, shares printed per minute."""
    return (plan["volume_per_min"] + place["volume_qty"]) / (1.0 + (now_ns - plan["start_ns"]) / MINUTE_NS)


@kernel
def expected_qty(plan, place, now_ns, until_ns):
    """Return how many shares a child at its place is expected to fill until a time; 0 where its place is unknown."""
    if place["ahead_qty"] < 0:
        return 0.0
    return max(0.5 * print_rate(plan, place, now_ns) * ((until_ns - now_ns) / MINUTE_NS) - place["ahead_qty"], 0.0)


@kernel
def least_qty(unit2, scale, params):
    """Return the smallest child whose minimum commission is at most the stated share of its value."""
    value_usd = 10_000.0 * params[0]["fee_min_usd"] / params[0]["fee_share_bps"]
    return math.ceil(2.0 * value_usd * scale / unit2)


@kernel
def slice_qty(left_qty, plan, place, now_ns, row, scale, params):
    """Return the size of the next child; `row` is the symbol's of the book."""
    least = least_qty(plan["mid2"] * max(row["multiplier"], 1), scale, params)
    wanted = max(params[0]["first_share"] * plan["qty"], float(least))
    if plan["slice"] > 0:
        wanted = max(wanted, expected_qty(plan, place, now_ns, plan["end_ns"]))
    rate = print_rate(plan, place, now_ns)
    if rate > 0.0:
        wanted = min(wanted, params[0]["participation"] * rate * ((plan["end_ns"] - now_ns) / MINUTE_NS))
    lot = max(row["lot"], 1)
    least = max(-(-least // lot) * lot, lot)
    qty = max(int(min(wanted, float(left_qty))) // lot * lot, least)
    if left_qty - qty < least:
        return left_qty
    return qty
